//! The board: who has reported and who has not, for people and for programs.
//!
//! Pages read the book and nothing else; the few forms append one fact each. A past moment is
//! answered by folding the journal up to it. This room never sends and never decides whom to
//! remind.
//!
//! Example: `GET /?quarter=2022Q1&state=not_reported` lists what is still to come.

mod answer;
mod api;
mod deliveries;
mod files;
pub mod history;
mod inbox;
mod judge;
mod mails;
mod pages;
mod papers;
mod readiness;
mod requests;
mod review;
mod review_list;
mod signin;
pub mod text;
pub mod urge;
pub mod users;
mod users_api;
pub mod wire;
mod wording;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::desk::Desk;
use crate::web::caller::identify;

/// Longest form: a reason, a password.
const LARGEST_BODY: usize = 64 * 1024;

/// The routes of this room. A request that carries [`crate::web::Caller::Operator`] needs no
/// session.
pub fn router(desk: Arc<Desk>) -> Router {
    let mut router = Router::new()
        .route("/", get(pages::board))
        .route("/task/{plan}/{quarter}/{task}/{group}", get(review::show))
        .route(
            "/task/{plan}/{quarter}/{task}/{group}/evidence/{hash}",
            get(files::give),
        )
        .route("/review", get(review_list::show).post(review::submit))
        .route("/review/list", post(review_list::submit))
        .route("/papers", get(papers::show))
        .route(
            "/bulletin.docx",
            get(papers::draft).post(papers::issue_bulletin),
        )
        .route("/urge-slip.docx", post(papers::urge_slips))
        .route("/supervision-notice.docx", post(papers::notices))
        .route("/deliveries", get(deliveries::show))
        .route("/deliveries/revive", post(deliveries::revive))
        .route("/deliveries/handled", post(deliveries::handled))
        .route("/mails", get(mails::show).post(mails::submit))
        .route("/mails/{mail}/{hash}", get(mails::give))
        .route("/requests", get(requests::show))
        .route("/requests/extension", post(requests::extension))
        .route("/requests/not-mine", post(requests::not_mine))
        .route("/requests/people", post(requests::people))
        .route("/requests/people/end", post(requests::end))
        .route("/readiness", get(readiness::show))
        .route("/readiness/test", post(readiness::test))
        .route("/clock/confirm", post(readiness::confirm_clock))
        .route("/templates", get(wording::show))
        .route("/templates/{name}/html", get(wording::html))
        .route("/urge", get(urge::show).post(urge::submit))
        .route("/api/v1/urge", post(urge::order))
        .route("/api/v1/board", get(api::board))
        .route("/api/v1/deliveries", get(api::deliveries))
        .route("/api/v1/clock", post(api::clock))
        .route("/api/v1/users", get(users_api::list).post(users_api::add))
        .route(
            "/api/v1/users/{name}/password",
            post(users_api::set_password),
        )
        .route("/api/v1/users/{name}/disable", post(users_api::disable))
        .route("/login", get(signin::show).post(signin::submit))
        .route("/logout", post(signin::leave));
    if desk.is_demo() {
        router = router
            .route("/inbox", get(inbox::list))
            .route("/inbox/{id}", get(inbox::open))
            .route("/inbox/{id}/html", get(inbox::html))
            .route("/inbox/advance", post(inbox::advance));
    }
    router
        .layer(Extension(signin::Door::default()))
        .layer(from_fn_with_state(Arc::clone(&desk), identify))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(desk)
}

#[cfg(test)]
mod tests;
