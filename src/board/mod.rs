//! The board: who has reported and who has not, for people and for programs.
//!
//! Pages read the book and nothing else; the few forms append one fact each. A past moment is
//! answered by folding the journal up to it. This room never sends and never decides whom to
//! remind.
//!
//! Example: `GET /?quarter=2022Q1` is the first screen of a quarter.

mod account;
mod answer;
mod api;
mod cells;
mod charts;
mod deliveries;
mod door;
mod files;
pub mod history;
mod inbox;
mod items;
mod judge;
mod live;
mod mails;
mod moment;
mod needs;
mod oidc;
mod openapi;
mod pages;
mod papers;
mod person;
mod readiness;
mod requests;
mod review;
mod review_list;
mod rows;
mod second;
mod settings;
mod sheet;
mod signin;
mod story;
mod task;
pub mod text;
mod tokens;
mod unit;
pub mod urge;
pub mod users;
mod users_api;
mod users_page;
pub mod wire;
mod wording;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::desk::Desk;
use crate::web::caller::identify;

/// The font that pictures with Chinese words are drawn with; none where this machine has none.
/// Reads the folders of fonts, which may take a while.
#[must_use]
pub fn chinese_font() -> Option<String> {
    charts::png::chinese_family()
}

/// Longest form: a reason, a password.
const LARGEST_BODY: usize = 64 * 1024;
/// The same where it names items: a hundred thousand of them.
const LONG_BODY: usize = 2 * 1024 * 1024;

/// The routes of this room. A request that carries [`crate::web::Caller::Operator`] needs no
/// session.
pub fn router(desk: Arc<Desk>) -> Router {
    let mut router = Router::new()
        .route("/", get(pages::board))
        .route("/grid.svg", get(pages::grid_svg))
        .route("/grid.png", get(pages::grid_png))
        .route("/g/{plan}/{quarter}/{task}", get(cells::show))
        .route("/g/{plan}/{quarter}/{task}/{as_of}", get(cells::show))
        .route("/task/{plan}/{quarter}/{task}/{group}", get(review::show))
        .route(
            "/task/{plan}/{quarter}/{task}/{group}/evidence/{hash}",
            get(files::give),
        )
        .route("/events", get(live::events))
        .route("/settings", get(settings::begin))
        .route("/settings/config", get(settings::config))
        .route("/review", get(review_list::show).post(review::submit))
        .route("/review/list", post(review_list::submit))
        .route("/items", get(items::show))
        .route("/items.csv", get(items::table))
        .route("/items/urge", post(items::preview).layer(longer()))
        .route("/task/{plan}/{task}", get(task::show))
        .route("/unit", get(unit::show))
        .route("/person/{id}", get(person::show))
        .route("/person/{id}/history.csv", get(person::table))
        .route("/papers", get(papers::show))
        .route(
            "/bulletin.docx",
            get(papers::draft).post(papers::issue_bulletin),
        )
        .route("/urge-slip.docx", post(papers::urge_slips))
        .route("/supervision-notice.docx", post(papers::notices))
        .route("/deliveries", get(deliveries::show))
        .route("/deliveries.csv", get(deliveries::table))
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
        .route("/urge", get(urge::show).post(urge::submit).layer(longer()))
        .route("/api/v1/urge", post(urge::order))
        .route("/api/v1/board", get(api::board))
        .route("/api/v1/deliveries", get(api::deliveries))
        .route("/api/v1/openapi.json", get(openapi::show))
        .route("/api/v1/clock", post(api::clock))
        .merge(accounts());
    if desk.is_demo() {
        router = router
            .route("/inbox", get(inbox::list))
            .route("/inbox/{id}", get(inbox::open))
            .route("/inbox/{id}/html", get(inbox::html))
            .route("/inbox/advance", post(inbox::advance));
    }
    router
        .layer(Extension(door::Door::default()))
        .layer(Extension(live::Streams::default()))
        .layer(from_fn_with_state(Arc::clone(&desk), identify))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(desk)
}

/// Where a form may name every item of a list.
fn longer() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LONG_BODY)
}

/// Who gets in: signing in, one's own account, everybody's, and the tokens.
fn accounts() -> Router<Arc<Desk>> {
    Router::new()
        .route("/login", get(signin::show).post(signin::submit))
        .route("/login/code", post(signin::submit_code))
        .route("/login/oidc", get(oidc::away))
        .route("/login/oidc/callback", get(oidc::back))
        .route("/logout", post(signin::leave))
        .route("/account", get(account::show))
        .route("/account/password", post(account::set_password))
        .route("/account/second", post(account::offer))
        .route("/account/second/confirm", post(account::confirm))
        .route("/account/second/remove", post(account::remove))
        .route("/account/sessions/end", post(account::end_sessions))
        .route("/users", get(users_page::show).post(users_page::submit))
        .route("/tokens", get(tokens::show).post(tokens::submit))
        .route("/api/v1/users", get(users_api::list).post(users_api::add))
        .route("/api/v1/users/{name}/profile", post(users_api::change))
        .route(
            "/api/v1/users/{name}/password",
            post(users_api::set_password),
        )
        .route("/api/v1/users/{name}/disable", post(users_api::disable))
        .route("/api/v1/users/{name}/enable", post(users_api::enable))
        .route(
            "/api/v1/users/{name}/totp-reset",
            post(users_api::reset_second),
        )
        .route(
            "/api/v1/tokens",
            get(users_api::list_tokens).post(users_api::add_token),
        )
        .route("/api/v1/tokens/{id}/revoke", post(users_api::revoke_token))
}

#[cfg(test)]
mod tests;
