//! `GET /export.xlsx`: the imported table with what was reported, now or at a past moment.
//!
//! Here, since the plan's room writes the table and the board's room knows the past.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use crate::board::history::View;
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::plan::{Lore, export};
use crate::web::as_of;
use crate::web::attachment::{self, Attachment};
use crate::web::audit;
use crate::web::caller::identify;
use crate::web::chosen::choose;
use crate::web::{Caller, WebError, blocking};

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
    let view = View::open(&desk, at).await?;
    let made = blocking(move || made(&room, &asked, &view, &sight)).await??;
    audit::exported(&desk, caller, Export::Table, &made.name).await?;
    Ok(made)
}

/// The file and its name: the plan's id comes first, so that it goes back to the same plan when it
/// is imported.
fn made(room: &Room, asked: &Asked, view: &View, sight: &Sight) -> Result<Attachment, WebError> {
    let desk = &room.desk;
    let (plan, quarter, known) = view.ask(desk, |book, _| {
        let (plan, quarter) = choose(desk, book, &asked.plan, &asked.quarter)?;
        let known = book.plans.get(&plan).cloned();
        Ok::<_, WebError>((plan, quarter, known.ok_or(WebError::NotFound)?))
    })?;
    let file = export::kept(&desk.vault, &known).map_err(WebError::internal)?;
    let grid = export::table(&plan, &known, file.as_deref(), &room.lore, sight);
    let calendar = desk.calendar();
    let grid = view.ask(desk, |book, now| {
        let reports = export::Asked {
            book,
            plan: &plan,
            quarter,
            now,
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
