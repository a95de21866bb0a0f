//! The list, as a page and as a table.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Line, STATES, line, matching, select};
use crate::board::moment::Moment;
use crate::board::pages::bad;
use crate::board::{history, sheet};
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::book::{Book, Delivery};
use crate::domain::ids::Quarter;
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, audit};

/// Rows on a page; the JSON has them all.
const MOST: usize = 500;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::board) struct Asked {
    state: String,
    quarter: String,
    as_of: String,
}

/// `GET /deliveries`.
pub(in crate::board) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.office()?;
    let ask = Ask::read(&desk, &caller, &asked)?;
    let (calendar, question) = (desk.calendar(), ask.clone());
    let answer = history::ask(&desk, ask.moment.at, move |book, _| {
        let found = question.select(book);
        let rows = found.iter().take(MOST);
        let rows: Vec<_> = rows
            .map(|one| line(book, one, &calendar, &question.sight))
            .collect();
        (tabs(book, &question), rows, found.len())
    });
    let (tabs, rows, total) = answer.await?;
    let frame = Frame::new(&desk, &caller, "deliveries");
    let html = page(&DeliveriesPage {
        frame: match ask.moment.is_now() {
            true => frame.live(None, ask.quarter),
            false => frame,
        },
        may_revive: caller.may_write() && ask.moment.is_now(),
        quarter: ask.quarter.map(Quarter::chinese),
        tabs,
        left_out: total.saturating_sub(rows.len()),
        rows,
        now: ask.href("/deliveries", ask.state.as_deref(), ""),
        all: ask.moment.only(),
        csv: ask.href(
            "/deliveries.csv",
            ask.state.as_deref(),
            &ask.moment.suffix(),
        ),
        suffix: ask.moment.suffix(),
        moment: ask.moment,
    })?;
    Ok(with_script(html))
}

/// `GET /deliveries.csv`: all of them.
pub(in crate::board) async fn table(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.may(Scope::Export)?;
    caller.unlimited()?;
    let ask = Ask::read(&desk, &caller, &asked)?;
    let subject = ask.href("/deliveries", ask.state.as_deref(), &ask.moment.suffix());
    audit::exported(&desk, &caller, Export::Csv, &subject).await?;
    let calendar = desk.calendar();
    let quarter = ask.quarter.map_or_else(String::new, Quarter::chinese);
    let csv = history::ask(&desk, ask.moment.at, move |book, _| {
        sheet::deliveries(book, &calendar, &ask.select(book), &ask.sight)
    });
    csv.await?.download(&format!("{quarter}消息清单"))
}

/// What is asked, understood.
#[derive(Clone)]
struct Ask {
    state: Option<String>,
    quarter: Option<Quarter>,
    sight: Sight,
    moment: Moment,
}

impl Ask {
    fn read(desk: &Desk, caller: &Caller, asked: &Asked) -> Result<Self, WebError> {
        Ok(Self {
            state: Some(asked.state.clone()).filter(|state| !state.is_empty()),
            quarter: match asked.quarter.as_str() {
                "" => None,
                text => Some(text.parse().map_err(bad)?),
            },
            sight: caller.sight(),
            moment: Moment::read(desk, &asked.as_of)?,
        })
    }

    fn select<'a>(&'a self, book: &'a Book) -> Vec<&'a Delivery> {
        select(book, self.quarter, self.state.as_deref(), &self.sight)
    }

    fn href(&self, path: &str, state: Option<&str>, suffix: &str) -> String {
        let quarter = self.quarter.map(|quarter| format!("&quarter={quarter}"));
        let (state, quarter) = (state.unwrap_or_default(), quarter.unwrap_or_default());
        format!("{path}?state={state}{quarter}{suffix}")
    }
}

#[derive(Template)]
#[template(
    path = "board/templates/deliveries.html",
    config = "src/web/askama.toml"
)]
struct DeliveriesPage<'a> {
    frame: Frame<'a>,
    may_revive: bool,
    quarter: Option<String>,
    tabs: Vec<Tab>,
    rows: Vec<Line>,
    left_out: usize,
    moment: Moment,
    /// The same list at present.
    now: String,
    /// `?as_of=…`: all quarters.
    all: String,
    csv: String,
    suffix: String,
}

struct Tab {
    href: String,
    label: &'static str,
    count: usize,
    here: bool,
}

fn tabs(book: &Book, ask: &Ask) -> Vec<Tab> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for one in matching(book, ask.quarter, &ask.sight) {
        *counts.entry(one.state.as_str()).or_default() += 1;
    }
    let tab = |state: Option<&str>, label, count| Tab {
        href: ask.href("/deliveries", state, &ask.moment.suffix()),
        label,
        count,
        here: ask.state.as_deref() == state,
    };
    let all = tab(None, "全部", counts.values().sum());
    let each = STATES.iter().map(|(name, label)| {
        let count = counts.get(name).copied().unwrap_or_default();
        tab(Some(name), label, count)
    });
    std::iter::once(all).chain(each).collect()
}
