//! `GET /export.xlsx`: the imported table with what was reported, now or at a past moment.
//!
//! Here, since the plan's room writes the table and the board's room knows the past.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::board::history::book_as_of;
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::board::present;
use crate::domain::book::{Book, PlanBook};
use crate::domain::ids::{BadId, PlanId, Quarter};
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::plan::{Lore, export};
use crate::web::as_of;
use crate::web::attachment::{self, Attachment};
use crate::web::audit;
use crate::web::caller::identify;
use crate::web::{Caller, WebError};

struct Room {
    desk: Arc<Desk>,
    lore: Lore,
}

/// The route; for people over the web, for commands over the socket.
pub(super) fn router(desk: Arc<Desk>, lore: Lore) -> Router {
    let room = Arc::new(Room {
        desk: Arc::clone(&desk),
        lore,
    });
    Router::new()
        .route("/export.xlsx", get(give))
        .layer(from_fn_with_state(desk, identify))
        .with_state(room)
}

/// Empty fields come from forms.
#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    quarter: String,
    #[serde(default)]
    as_of: String,
}

async fn give(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Response {
    let made = make(&room, &caller, asked).await;
    attachment::answer(&caller, made)
}

async fn make(room: &Arc<Room>, caller: &Caller, asked: Asked) -> Result<Attachment, WebError> {
    caller.may(Scope::Export)?;
    let at = as_of::read_as_of(&room.desk.calendar(), &asked.as_of)?;
    let (room, sight) = (Arc::clone(room), caller.sight());
    let desk = Arc::clone(&room.desk);
    let made = tokio::task::spawn_blocking(move || made(&room, &asked, at, &sight));
    let made = made.await.map_err(WebError::internal)??;
    audit::exported(&desk, caller, Export::Table, &made.name).await?;
    Ok(made)
}

/// The file and its name: the plan's id comes first, so that it goes back to the same plan when it
/// is imported.
fn made(
    room: &Room,
    asked: &Asked,
    at: Option<DateTime<Utc>>,
    sight: &Sight,
) -> Result<Attachment, WebError> {
    let moment = Moment::of(&room.desk, at)?;
    let (plan, quarter, known) = moment.read(|book| chosen(&room.desk, book, asked))?;
    let file = export::kept(&room.desk.vault, &known).map_err(WebError::internal)?;
    let grid = export::table(&plan, &known, file.as_deref(), &room.lore, sight);
    let calendar = room.desk.calendar();
    let grid = moment.read(|book| {
        let reports = export::Asked {
            book,
            plan: &plan,
            quarter,
            now: moment.at,
            calendar: &calendar,
        };
        export::with_progress(grid, &reports)
    });
    let bytes = export::workbook(&grid).map_err(WebError::internal)?;
    let name = format!("{plan}.{quarter}.xlsx");
    Ok(Attachment {
        plain_name: name.clone(),
        name,
        kind: attachment::XLSX,
        bytes,
    })
}

/// The plan and quarter asked for, else those the board shows by itself.
fn chosen(
    desk: &Desk,
    book: &Book,
    asked: &Asked,
) -> Result<(PlanId, Quarter, PlanBook), WebError> {
    let bad = |error: BadId| WebError::BadRequest(error.to_string());
    let rules = desk.rules.now();
    let present = || present(book, &rules.policy, &rules.calendar, desk.clock.now());
    let empty = || WebError::Conflict("还没有导入分解表，没有可以导出的内容。".into());
    let quarter = match asked.quarter.as_str() {
        "" => present().ok_or_else(empty)?.1,
        text => text.parse().map_err(bad)?,
    };
    let has = |plan: &&PlanId| book.obligations_in(plan, quarter).next().is_some();
    let plan = match asked.plan.as_str() {
        "" => {
            let of_quarter = book.plans.keys().find(has).cloned();
            let any = || Some(present()?.0);
            of_quarter.or_else(any).ok_or_else(empty)?
        }
        id => PlanId::new(id).map_err(bad)?,
    };
    let known = book.plans.get(&plan).ok_or_else(|| {
        WebError::BadRequest(format!(
            "没有编号为“{plan}”的分解表；执行 cuiban plan list 可列出全部"
        ))
    })?;
    Ok((plan, quarter, known.clone()))
}

/// The book now, or as it stood.
struct Moment<'a> {
    desk: &'a Desk,
    past: Option<Box<Book>>,
    at: DateTime<Utc>,
}

impl<'a> Moment<'a> {
    fn of(desk: &'a Desk, at: Option<DateTime<Utc>>) -> Result<Self, WebError> {
        let now = desk.clock.now();
        let Some(at) = at.filter(|at| *at < now) else {
            return Ok(Self {
                desk,
                past: None,
                at: now,
            });
        };
        let reader = desk.ledger.reader();
        let stepped_back = desk.ledger.book().stepped_back;
        let past = book_as_of(reader.as_ref(), stepped_back, at).map_err(WebError::internal)?;
        Ok(Self {
            desk,
            past: Some(Box::new(past)),
            at,
        })
    }

    fn read<T>(&self, question: impl FnOnce(&Book) -> T) -> T {
        match &self.past {
            Some(book) => question(book),
            None => question(&self.desk.ledger.book()),
        }
    }
}
