//! The list of a quarter's obligations: narrowed, sorted, by the page, at any moment; with boxes to
//! tick for a 催办, and as a table for Excel.

mod ask;
mod list;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query as Fields, State};
use axum::response::{Html, IntoResponse as _, Response};

use self::ask::{Ask, Asked, Heading, PER};
use self::list::List;
use super::{history, sheet, urge};
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::board::{Reminded, Show, find};
use crate::domain::ids::PersonId;
use crate::domain::report::ReportStatus;
use crate::domain::token::Scope;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, audit};

/// `GET /items`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Fields(asked): Fields<Asked>,
) -> Result<Response, WebError> {
    caller.reader()?;
    let Some(ask) = Ask::read(&desk, &asked, caller.sight())? else {
        return Ok(super::pages::empty(&desk, &caller)?.into_response());
    };
    let may_urge = caller.may_write() && ask.moment.is_now();
    let (calendar, question) = (desk.calendar(), ask.clone());
    let list = history::ask(&desk, ask.moment.at, move |book, at| {
        let found = find(book, &question.plan, question.quarter, &question.query, at);
        List::of(book, &calendar, &question, &found, may_urge)
    })
    .await??;
    let frame = Frame::new(&desk, &caller, "items");
    let html = page(&ItemsPage {
        frame: match ask.moment.is_now() {
            true => frame.live(Some(&ask.plan), Some(ask.quarter)),
            false => frame,
        },
        headings: ask.headings(),
        sorts: SORTS,
        csv: ask.href("/items.csv", &[("page", "")]),
        clear: ask.plain(),
        now: ask.href("/items", &[("as_of", "")]),
        tick_all: ask.href("/items", &[("pick", "page")]),
        tick_none: ask.href("/items", &[]),
        ticked: ask.ticked,
        may_urge,
        hidden: ask.fields(),
        ask,
        list,
    })?;
    Ok(with_script(html))
}

/// `GET /items.csv`: all that the list finds, on whichever page.
pub(super) async fn table(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Fields(asked): Fields<Asked>,
) -> Result<Response, WebError> {
    caller.may(Scope::Export)?;
    let ask = Ask::read(&desk, &asked, caller.sight())?.ok_or(WebError::NotFound)?;
    audit::exported(&desk, &caller, Export::Csv, &ask.href("/items", &[])).await?;
    let calendar = desk.calendar();
    let mut name = format!(
        "{}{}清单",
        ask.quarter.chinese(),
        ask.query.filter.show.chinese()
    );
    if !ask.moment.is_now() {
        let _ = write!(name, "（截至{}）", ask.moment.words);
    }
    let at = ask.moment.at;
    let csv = history::ask(&desk, at, move |book, at| {
        let found = find(book, &ask.plan, ask.quarter, &ask.query, at);
        sheet::items(book, &calendar, &found.items)
    });
    csv.await?.download(&name)
}

/// `POST /items/urge`: who would get what, for the items ticked (`i`), or for all that the list
/// finds and that are open. Nothing is queued by this.
pub(super) async fn preview(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    caller.check_csrf(&field("csrf"))?;
    let asked = Asked {
        plan: field("plan"),
        quarter: field("quarter"),
        state: field("state"),
        unit: field("unit"),
        leader: field("leader"),
        owner: field("owner"),
        status: field("status"),
        stage: field("stage"),
        text: field("text"),
        sort: field("sort"),
        page: field("page"),
        per: field("per"),
        ..Asked::default()
    };
    let ask = Ask::read(&desk, &asked, caller.sight())?.ok_or(WebError::NotFound)?;
    let items = match field("do").as_str() {
        "all" => {
            let book = desk.ledger.book();
            let found = find(&book, &ask.plan, ask.quarter, &ask.query, desk.clock.now());
            let open = found.items.iter().filter(|item| item.state.is_open());
            open.map(|item| (item.key.task, item.key.group)).collect()
        }
        _ => {
            let ticked = fields.iter().filter(|(name, _)| name == "i");
            ticked
                .map(|(_, value)| urge::read_item(value))
                .collect::<Result<BTreeSet<_>, _>>()?
        }
    };
    if items.is_empty() {
        let message = "请先勾选要催办的事项，再点“催办所选”。";
        return Err(WebError::BadRequest(message.into()));
    }
    let back = ask.href("/items", &[]);
    urge::preview(&desk, &caller, (ask.plan, ask.quarter), items, back)
}

#[derive(Template)]
#[template(path = "board/templates/items.html", config = "src/web/askama.toml")]
struct ItemsPage<'a> {
    frame: Frame<'a>,
    ask: Ask,
    list: List,
    headings: Vec<Heading>,
    sorts: [(&'static str, &'static str); 9],
    csv: String,
    clear: String,
    now: String,
    tick_all: String,
    tick_none: String,
    ticked: bool,
    may_urge: bool,
    /// What the forms carry.
    hidden: Vec<(&'static str, String)>,
}

/// The orders to choose from, where there is no heading to press.
const SORTS: [(&str, &str); 9] = [
    ("", "序号"),
    ("unit", "牵头单位"),
    ("owner", "直接责任人"),
    ("state", "状态（先急后缓）"),
    ("deadline", "报送截止（先早后晚）"),
    ("reported", "报送时间（先早后晚）"),
    ("-reported", "报送时间（先晚后早）"),
    ("reminded", "最近提醒（先早后晚）"),
    ("-reminded", "最近提醒（先晚后早）"),
];
