//! The contacts among the settings: everybody with what is known of them, one to edit, and a sheet
//! to import with a look before it is stored. Without script.
//!
//! Lists show addresses masked. Whole they stand in the form of one person and in the sheet, and
//! both leave a trace of who looked.

mod edit;
mod list;
mod sheet;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::domain::book::{Book, PlanBook};
use crate::plan::uploads::{AROUND, Kind, Room};
use crate::web::caller::identify;

/// The sheet; a city's is 50 KB.
const SHEET: Kind = Kind {
    name: "联系人表",
    largest: 5 * 1024 * 1024,
};

/// The routes.
pub(in crate::plan) fn router(room: Room) -> Router {
    let desk = Arc::clone(&room.desk);
    let upload = post(sheet::take).layer(DefaultBodyLimit::max(SHEET.largest_form()));
    Router::new()
        .route("/settings/contacts", get(list::show))
        .route(
            "/settings/contacts/edit",
            get(edit::show).post(edit::submit),
        )
        .route("/settings/contacts/template.xlsx", get(sheet::template))
        .route("/settings/contacts/import", upload)
        .route(
            "/settings/contacts/import/{hash}",
            get(sheet::look).post(sheet::store),
        )
        .layer(DefaultBodyLimit::max(AROUND))
        .layer(from_fn_with_state(desk, identify))
        .with_state(Arc::new(room))
}

/// The plan last imported.
fn latest(book: &Book) -> Option<&PlanBook> {
    book.plans.values().max_by_key(|plan| plan.imported_at)
}

#[cfg(test)]
mod tests;
