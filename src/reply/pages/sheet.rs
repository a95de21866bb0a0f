//! The owner's page.

use askama::Template;
use axum::response::Response;

use super::item::ItemView;
use super::{Frame, key};
use crate::desk::Desk;
use crate::domain::link::Link;
use crate::domain::report::ReportStatus;
use crate::reply::items::{Item, Sheet};
use crate::reply::notice::{Notice, NoticeView, Typed};
use crate::web::WebError;
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::guard::with_script;

/// The owner's page.
pub(in crate::reply) fn sheet(
    desk: &Desk,
    token: &str,
    link: &Link,
    sheet: &Sheet,
    typed: &Typed,
    notice: Option<&Notice>,
) -> Result<Response, WebError> {
    let calendar = desk.calendar();
    let now = desk.clock.now();
    let views = |items: &[Item]| -> Vec<ItemView> {
        items
            .iter()
            .map(|item| ItemView::new(item, typed, token, &calendar))
            .collect()
    };
    let (open, reported) = (views(&sheet.open), views(&sheet.reported));
    let drafts = sheet.open.iter().chain(&sheet.reported);
    let saved = drafts
        .filter_map(|item| Some(item.draft.as_ref()?.at))
        .max();
    let html = page(&SheetPage {
        frame: Frame::new(desk, &calendar),
        key: key(token),
        saved: saved.map(|at| format!("{}暂存的内容尚未提交", moment(&calendar, at))),
        seen: sheet.seen,
        action: format!("/r/{token}"),
        name: &sheet.person.name,
        unit: &sheet.person.unit,
        quarter: link.quarter.chinese(),
        plan: &sheet.plan_title,
        deadline: sheet.deadline.map(|at| moment(&calendar, at)),
        is_past: sheet.deadline.is_some_and(|at| now > at),
        notice: notice.map(|notice| NoticeView::new(notice, &typed.faults)),
        preset: typed.preset.map(ReportStatus::chinese),
        amendable: reported.iter().any(|item| item.editable),
        asked: desk.rules.now().report.told(),
        open,
        reported,
    })?;
    Ok(with_script(html))
}

#[derive(Template)]
#[template(path = "reply/templates/sheet.html", config = "src/web/askama.toml")]
struct SheetPage<'a> {
    frame: Frame<'a>,
    action: String,
    name: &'a str,
    unit: &'a str,
    quarter: String,
    plan: &'a str,
    deadline: Option<String>,
    is_past: bool,
    notice: Option<NoticeView>,
    key: String,
    saved: Option<String>,
    seen: bool,
    preset: Option<&'a str>,
    amendable: bool,
    /// What the office asks for beside the status.
    asked: Option<String>,
    open: Vec<ItemView>,
    reported: Vec<ItemView>,
}
