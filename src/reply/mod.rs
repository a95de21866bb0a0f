//! Answers: an owner's own page behind a signed link, and the same in JSON.
//!
//! A door checks the link, reads what came into [`Draft`]s and hands them to [`accept`], the only
//! place that knows what an answer means. The thanks come after the facts are durable. Nothing
//! here sends or queues: that a report stops the reminding follows from the fact alone.
//!
//! Example: `POST /r/{token}` with `status-16-0=completed` appends one `ReportReceived` and leads
//! to `GET /r/{token}/receipt?items=16-0`.

pub mod accept;
mod api;
mod asks;
mod beside;
mod buttons;
mod drafts;
mod evidence;
mod filled;
mod form;
pub mod imap;
pub mod inbound;
mod items;
pub mod mail;
pub mod mailbox;
mod notice;
mod on_behalf;
mod pages;
mod received;
mod seen;
mod summary;
mod unclear;
pub mod wecom;
pub mod words;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use chrono::NaiveDate;

use crate::desk::Desk;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::link::{self, Checked, Link};
use crate::web::limit::Throttle;
use crate::web::{Peer, WebError};

pub use crate::domain::report::Draft;
use items::Sheet;
pub use on_behalf::Answer as EnteredAnswer;

/// Fifty tasks with three full texts each, percent-encoded, fit.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// The routes of this room.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/r/{token}", get(form::show).post(form::submit))
        .route("/r/{token}/draft", post(form::keep))
        .route("/r/{token}/evidence", post(form::upload))
        .route("/r/{token}/evidence/{hash}", get(evidence::give))
        .route("/r/{token}/receipt", get(form::receipt))
        .route(
            "/r/{token}/received/{channel}",
            get(received::show).post(received::submit),
        )
        .route(
            "/r/{token}/extension/{task}/{group}",
            get(asks::extension).post(asks::ask_extension),
        )
        .route(
            "/r/{token}/not-mine/{task}/{group}",
            get(asks::not_mine).post(asks::say_not_mine),
        )
        .route(
            "/r/{token}/summary/{task}",
            get(summary::show).post(summary::submit),
        )
        .route("/api/v1/reply/{token}", get(api::show).post(api::submit))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Room::new(Arc::clone(&desk)))
        .merge(coordinators(desk))
}

/// Those of them that are a coordinator's: also for the command socket.
pub fn coordinators(desk: Arc<Desk>) -> Router {
    on_behalf::router(Arc::clone(&desk)).merge(unclear::router(desk))
}

type Whose = (PlanId, Quarter, PersonId);

/// What the doors share.
#[derive(Clone)]
struct Room {
    desk: Arc<Desk>,
    guesses: Arc<Throttle<Peer>>,
    answers: Arc<Throttle<Whose>>,
    drafts: Arc<Throttle<Whose>>,
    uploads: Arc<Throttle<Whose>>,
    /// The day on which old drafts were last looked for.
    swept: Arc<Mutex<Option<NaiveDate>>>,
}

impl Room {
    fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            guesses: Arc::new(Throttle::new(20, Duration::from_secs(30))),
            answers: Arc::new(Throttle::new(30, Duration::from_secs(10))),
            drafts: Arc::new(Throttle::new(60, Duration::from_secs(1))),
            uploads: Arc::new(Throttle::new(60, Duration::from_secs(10))),
            swept: Arc::default(),
        }
    }

    /// The link behind a token. Only wrong tokens are counted against an address, so that nobody
    /// in a building with one address out is locked out by a neighbour who guesses.
    fn open(&self, token: &str, peer: Peer) -> Result<Link, WebError> {
        let today = self.desk.calendar().date_of(self.desk.clock.now());
        let checked = link::check(&self.desk.link_key, &self.desk.ledger.book(), token, today);
        match checked {
            Checked::Valid(link) => Ok(link),
            Checked::Expired | Checked::Revoked => Err(WebError::LinkGone),
            Checked::Unknown => match self.guesses.take(&peer, Instant::now()) {
                Ok(()) => Err(WebError::UnknownLink),
                Err(wait) => Err(WebError::TooMany { wait }),
            },
        }
    }

    /// Counts an answer through this link; the journal is not for filling up.
    fn admit(&self, link: &Link) -> Result<(), WebError> {
        counted(&self.answers, link)
    }

    /// The same for drafts, which come while somebody types.
    fn admit_draft(&self, link: &Link) -> Result<(), WebError> {
        counted(&self.drafts, link)
    }

    /// The same for files.
    fn admit_upload(&self, link: &Link) -> Result<(), WebError> {
        counted(&self.uploads, link)
    }

    /// What stands on the page behind a link, with what its owner has typed.
    async fn sheet(&self, link: &Link) -> Result<Sheet, WebError> {
        let saved = drafts::saved(&self.desk, link).await;
        let calendar = self.desk.calendar();
        let now = self.desk.clock.now();
        let sums = self.desk.rules.now().report.summary;
        let sheet = items::sheet(&self.desk.ledger.book(), link, (now, sums), |at| {
            calendar.date_of(at)
        });
        let sheet = sheet.ok_or(WebError::UnknownLink)?;
        Ok(sheet.with_drafts(saved))
    }

    /// Whether nobody asked this on that day before.
    fn first_of_day(&self, today: NaiveDate) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.replace(today) != Some(today)
    }
}

fn counted(throttle: &Throttle<Whose>, link: &Link) -> Result<(), WebError> {
    let whose = (link.plan.clone(), link.quarter, link.person.clone());
    throttle
        .take(&whose, Instant::now())
        .map_err(|wait| WebError::TooMany { wait })
}

#[cfg(test)]
mod tests;
