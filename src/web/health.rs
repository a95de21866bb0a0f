//! `/healthz`: the process answers. `/readyz`: it can do its work. `/metrics`: numbers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::metrics::metrics_text;
use crate::desk::Desk;
use crate::store::Health;

/// A pass at least this often, or something hangs: the heartbeat's time-out rings each minute.
const PASS_EVERY: Duration = Duration::from_secs(300);

/// The three routes; open to whoever reaches the port, and without any name in them.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(desk)
}

async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let store = match desk.ledger.health() {
        Health::Good => Ok("store: ok".to_owned()),
        Health::Failed(_) => Err("store: read-only".to_owned()),
        Health::Closed => Err("store: closed".to_owned()),
    };
    let passes = match desk.vitals.since_pass() {
        Some(age) if age <= PASS_EVERY => Ok(format!("passes: ok, last {}s ago", age.as_secs())),
        Some(age) => Err(format!("passes: none for {}s", age.as_secs())),
        None => Err("passes: none yet".to_owned()),
    };
    let status = if store.is_ok() && passes.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let line = |check: Result<String, String>| check.unwrap_or_else(|fault| fault);
    (status, format!("{}\n{}\n", line(store), line(passes))).into_response()
}

async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    let good = desk.ledger.health() == Health::Good;
    let now = desk.clock.now();
    let calendar = desk.calendar();
    let text = metrics_text(
        &desk.ledger.book(),
        &calendar,
        now,
        &desk.vitals,
        good,
        (desk.stopped)().len(),
    );
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
