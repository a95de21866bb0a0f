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

use crate::desk::Desk;
use crate::domain::book::{Book, PlanBook};
use crate::plan::page::uploads::Uploads;
use crate::store::CommitError;
use crate::web::WebError;
use crate::web::caller::identify;

/// Largest sheet that can be uploaded: a city's is 50 KB.
const LARGEST: usize = 5 * 1024 * 1024;
/// The form around it, and the form of one person.
const AROUND: usize = 64 * 1024;

/// What these pages stand on.
pub(in crate::plan) struct Room {
    desk: Arc<Desk>,
    uploads: Uploads,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// The routes; `wake` is called after a change.
pub(in crate::plan) fn router(
    desk: Arc<Desk>,
    uploads: Uploads,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> Router {
    let room = Arc::new(Room {
        desk: Arc::clone(&desk),
        uploads,
        wake,
    });
    let upload = post(sheet::take).layer(DefaultBodyLimit::max(LARGEST + AROUND));
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
        .with_state(room)
}

/// The plan last imported.
fn latest(book: &Book) -> Option<&PlanBook> {
    book.plans.values().max_by_key(|plan| plan.imported_at)
}

fn answered<T>(done: Result<T, CommitError<WebError>>) -> Result<T, WebError> {
    done.map_err(|error| match error {
        CommitError::Refused(error) => error,
        CommitError::Unavailable => WebError::Unavailable,
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WebError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(WebError::internal)
}

#[cfg(test)]
mod tests;
