//! The operator's interface, for the commands: over the daemon's Unix socket, or in the command's
//! own process when no daemon has the store. Whoever may open the socket may do all of this.

mod backup;
mod clock;
mod contacts;
mod doctor;
mod journal;
mod plans;
mod simulate;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use super::trouble::Trouble;
use crate::config::Config;
use crate::desk::Desk;
use crate::domain::book::{Book, WhoError};
use crate::domain::fact::Actor;
use crate::domain::ids::BadId;
use crate::driver::Driver;
use crate::plan::Lore;
use crate::rules::Rules;
use crate::store::Decision;

/// Largest file taken, a little above what the reader takes, so that its own words are given.
const LARGEST_BODY: usize = 40 << 20;

/// What these handlers stand on.
pub(super) struct Operator {
    pub(super) desk: Arc<Desk>,
    pub(super) rules: Rules,
    pub(super) driver: Driver,
    /// For asking the peers it names.
    pub(super) config: Config,
    /// Why the config was not read anew the last time.
    pub(super) config_trouble: Trouble,
    /// For reading tables.
    pub(super) lore: Lore,
}

impl Operator {
    /// Decides and appends in the operator's name.
    async fn commit<R: Send + 'static>(
        &self,
        now: DateTime<Utc>,
        decide: impl FnOnce(&Book) -> Result<Decision<R>, Fault> + Send + 'static,
    ) -> Result<R, Fault> {
        let done = self.desk.ledger.commit(Actor::Operator, now, decide).await;
        self.driver.wake();
        let advice = "存储暂时不可写入：请执行 cuiban journal verify 查看原因后再试";
        done.map_err(|error| error.refusal_or(Fault::failed(advice)))
    }
}

/// The routes.
pub(super) fn router(operator: Arc<Operator>) -> Router {
    Router::new()
        .route("/api/v1/plans", get(plans::list).post(plans::import))
        .route("/api/v1/plans/{id}", get(plans::show))
        .route("/api/v1/contacts", post(contacts::import))
        .route("/api/v1/contacts/template", get(contacts::template))
        .route("/api/v1/contacts/check", get(contacts::check))
        .route("/api/v1/contacts/test", post(contacts::test))
        .route("/api/v1/backup", get(backup::give))
        .route("/api/v1/resume", post(backup::resume))
        .route("/api/v1/clock/confirm", post(clock::confirm))
        .route("/api/v1/simulate", get(simulate::simulate))
        .route("/api/v1/doctor", get(doctor::look))
        .route("/api/v1/journal", get(journal::dump))
        .route("/api/v1/journal/verify", get(journal::verify))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(operator)
}

/// Why a command's request was not carried out, in words for whoever ran it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    status: StatusCode,
    message: String,
}

impl Fault {
    /// The request was wrong: exit code 2.
    fn usage(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    /// It could not be done: exit code 1.
    fn failed(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            message: message.into(),
        }
    }
}

impl From<BadId> for Fault {
    fn from(bad: BadId) -> Self {
        Self::usage(bad.to_string())
    }
}

impl From<WhoError> for Fault {
    fn from(error: WhoError) -> Self {
        Self::usage(error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "message": self.message });
        (self.status, axum::Json(body)).into_response()
    }
}
