//! What people say in the WeCom application: the platform calls us.
//!
//! The door opens the envelope, writes down what is in it and answers, within the second the
//! platform gives; it decides nothing. The [`Clerk`] then decides on each word in its turn, in the
//! same append as what follows from it, and tells the member what was understood. A crash between
//! any two steps leaves a fact behind that says what is still to be done; a word that comes again
//! is known by its name and written down once.
//!
//! Nothing here sends: the [`crate::channel::Voice`] does. Cards are changed by the outbox, which
//! sees in the book that one was tapped.
//!
//! Example: `14 已完成` typed in the application becomes a `WordHeard`; then one append with
//! `ReportReceived` and `WordSettled`; then a message to the member, and `WordAnswered`.

mod answer;
mod clerk;
pub mod crypt;
pub mod event;
mod meaning;
#[cfg(test)]
mod tests;
pub mod xml;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::heard::Heard;
use crate::store::Decision;
use crate::web::Peer;
use crate::web::limit::Throttle;

pub use clerk::Clerk;
use crypt::{Crypt, Refused, Signed};
use event::Incoming;

/// What cannot be written down is not answered either: after five seconds of silence the platform
/// brings it again, after a refusal it may not.
const HOLD: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 6 });

/// The platform's way in.
pub fn router(desk: Arc<Desk>, crypt: Crypt) -> Router {
    let door = Door {
        desk,
        crypt: Arc::new(crypt),
        told: Arc::new(Throttle::new(20, Duration::from_secs(30))),
        members: Arc::new(Throttle::new(60, Duration::from_secs(5))),
    };
    Router::new()
        .route("/wecom/callback", get(verify).post(receive))
        .layer(DefaultBodyLimit::max(xml::LONGEST))
        .with_state(door)
}

#[derive(Clone)]
struct Door {
    desk: Arc<Desk>,
    crypt: Arc<Crypt>,
    /// Refusals that stand in the log: forgers must not fill it.
    told: Arc<Throttle<Peer>>,
    /// What each member says; the journal is not for filling up.
    members: Arc<Throttle<String>>,
}

/// The console asks whether we know the key: the answer is what it encrypted, and nothing else.
async fn verify(State(door): State<Door>, RawQuery(query): RawQuery, peer: Peer) -> Response {
    let call = Signed::of_query(query.as_deref().unwrap_or_default());
    match door.crypt.verify(&call) {
        Ok(echo) => echo.into_response(),
        Err(refused) => door.refuse(refused, peer),
    }
}

async fn receive(
    State(door): State<Door>,
    RawQuery(query): RawQuery,
    peer: Peer,
    body: Bytes,
) -> Response {
    let call = Signed::of_query(query.as_deref().unwrap_or_default());
    let message = match door.crypt.message(&call, &body) {
        Ok(message) => message,
        Err(refused) => return door.refuse(refused, peer),
    };
    // What the platform has signed is answered well, whatever it is: it would only come again.
    match event::read(&message) {
        Ok(Incoming::Heard(heard)) => door.write_down(heard).await,
        Ok(Incoming::Nothing(kind)) => {
            tracing::debug!(kind, "an event of WeCom that asks for nothing");
            StatusCode::OK.into_response()
        }
        Ok(Incoming::Disused) => {
            tracing::warn!(
                "WeCom says that the application will be stopped, or was, because nobody uses it: \
                 restore it in the console (管理后台)"
            );
            StatusCode::OK.into_response()
        }
        Err(_) => {
            tracing::warn!("WeCom sent a message that is not in its own format; left aside");
            StatusCode::OK.into_response()
        }
    }
}

impl Door {
    /// Durable first; the platform asks again where it hears nothing.
    async fn write_down(&self, heard: Heard) -> Response {
        let known = self.desk.ledger.book().heard.contains(&heard.name);
        if known {
            return StatusCode::OK.into_response();
        }
        let member = heard.account.to_lowercase();
        if self.members.take(&member, Instant::now()).is_err() {
            tracing::warn!("a member of WeCom says more than anyone can mean; left aside");
            return StatusCode::TOO_MANY_REQUESTS.into_response();
        }
        let decide = move |book: &Book| {
            let facts = match book.heard.contains(&heard.name) {
                true => Vec::new(),
                false => vec![Fact::WordHeard { heard }],
            };
            Ok::<_, Infallible>(Decision { facts, value: () })
        };
        let now = self.desk.clock.now();
        match self.desk.ledger.commit(Actor::System, now, decide).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(_) => {
                tokio::time::sleep(HOLD).await;
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }

    fn refuse(&self, refused: Refused, peer: Peer) -> Response {
        if self.told.take(&peer, Instant::now()).is_ok() {
            tracing::warn!(stage = refused.stage(), reason = %refused, "a call to the WeCom callback was refused");
        }
        match refused {
            Refused::Signature => StatusCode::FORBIDDEN.into_response(),
            _ => StatusCode::BAD_REQUEST.into_response(),
        }
    }
}
