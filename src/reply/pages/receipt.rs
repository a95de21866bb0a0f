//! The receipt.

use askama::Template;
use axum::response::Response;

use super::{Frame, key};
use crate::desk::Desk;
use crate::domain::book::{Book, Obligation};
use crate::domain::calendar::Calendar;
use crate::domain::evidence::Evidence;
use crate::domain::ids::TaskNo;
use crate::domain::link::Link;
use crate::domain::report::Received;
use crate::reply::accept::Receipt;
use crate::reply::beside::FilesView;
use crate::web::WebError;
use crate::web::error::page;
use crate::web::format::{long_moment, moment};
use crate::web::guard::with_script;
use crate::web::said::Said;

/// The receipt.
pub(in crate::reply) fn receipt(
    desk: &Desk,
    token: &str,
    link: &Link,
    receipt: &Receipt,
) -> Result<Response, WebError> {
    let calendar = desk.calendar();
    let book = desk.ledger.book();
    let whole = book.people.get(&link.person).cloned();
    let person = whole.ok_or(WebError::UnknownLink)?;
    let left = book
        .answerable(&link.person, &link.plan, link.quarter, desk.clock.now())
        .iter()
        .filter(|one| one.obligation.is_open())
        .count();
    let lines = receipt.reports.iter();
    let lines = lines.map(|received| line(&book, &calendar, token, received));
    let places = receipt.reports.iter().map(|received| {
        let key = &received.report.obligation;
        format!("{}-{}", key.task, key.group)
    });
    let sent: Vec<_> = places.collect();
    let html = page(&ReceiptPage {
        frame: Frame::new(desk, &calendar),
        key: key(token),
        sent: sent.join(","),
        back: format!("/r/{token}"),
        name: &person.name,
        unit: &person.unit,
        quarter: link.quarter.chinese(),
        number: &receipt.number,
        at: long_moment(&calendar, receipt.received_at),
        lines: lines.collect(),
        left,
    })?;
    Ok(with_script(html))
}

#[derive(Template)]
#[template(path = "reply/templates/receipt.html", config = "src/web/askama.toml")]
struct ReceiptPage<'a> {
    frame: Frame<'a>,
    key: String,
    /// The items that need no draft any more.
    sent: String,
    back: String,
    name: &'a str,
    unit: &'a str,
    quarter: String,
    number: &'a str,
    at: String,
    lines: Vec<Line>,
    left: usize,
}

struct Line {
    no: TaskNo,
    name: String,
    said: Said,
    at: String,
    /// Whether something else was said since.
    amended: bool,
    files: FilesView,
}

fn line(book: &Book, calendar: &Calendar, token: &str, received: &Received) -> Line {
    let key = &received.report.obligation;
    let known = book.obligations.get(key);
    let amended = known
        .and_then(Obligation::latest)
        .is_some_and(|latest| latest.at > received.at);
    // Files that came later count to the latest.
    let of_version = |known: &Obligation| -> Vec<Evidence> {
        let shown = known.shown().map(|filed| filed.evidence.clone());
        shown
            .filter(|file| !amended || received.evidence.contains(&file.sha256))
            .collect()
    };
    let task = book.task_and_group(key).map(|(task, _)| task.short_name());
    Line {
        no: key.task,
        name: task.unwrap_or_default(),
        said: Said::new(&received.report),
        at: moment(calendar, received.at),
        amended,
        files: FilesView {
            id: String::new(),
            action: format!("/r/{token}"),
            editable: false,
            files: known.into_iter().flat_map(of_version).collect(),
        },
    }
}
