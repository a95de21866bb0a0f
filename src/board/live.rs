//! `GET /events`: tells an open page that it is out of date, as server-sent events.
//!
//! A stream says which kinds of thing happened and up to which fact, never what was said; the page
//! then fetches itself again, with the rights of whoever looks at it. Each stream waits for the
//! ledger's next step and reads those facts once; while nobody listens, nothing runs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pages::bad;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::Actor;
use crate::domain::ids::{ObligationKey, PlanId, Position};
use crate::domain::news::{News, Scope};
use crate::domain::user::Sight;
use crate::web::caller::recognise;
use crate::web::{ApiError, Caller, WebError};

/// From the first fact to the word of it: what comes together is told together.
const TOGETHER: Duration = Duration::from_secs(2);
/// So often something goes over the wire, and the session is looked at again.
const BEAT: Duration = Duration::from_secs(20);
/// Facts told apart; more of them are told as "everything".
const MOST_FACTS: usize = 2000;
/// Streams of one user, over all their windows.
const MOST_OF_ONE: usize = 12;
/// Streams of all.
const MOST: usize = 256;
/// When to ask again where there was no room.
const LATER: Duration = Duration::from_secs(60);

/// Who listens.
#[derive(Clone, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// A place among them, given back when the stream ends.
struct Seat {
    streams: Streams,
    name: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    quarter: String,
    /// The last fact the page knows.
    since: Option<Position>,
}

/// `GET /events`.
pub(super) async fn events(
    State(desk): State<Arc<Desk>>,
    Extension(streams): Extension<Streams>,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let reader = reader(&caller)?;
    let scope = Scope {
        plan: match asked.plan.as_str() {
            "" => None,
            id => Some(PlanId::new(id).map_err(bad)?),
        },
        quarter: match asked.quarter.as_str() {
            "" => None,
            text => Some(text.parse().map_err(bad)?),
        },
    };
    let seat = streams.sit(&reader);
    let seat = seat.ok_or(WebError::TooMany { wait: LATER })?;
    let changes = desk.ledger.changes();
    let now = *changes.borrow();
    let seen = asked.since.filter(|since| *since <= now).unwrap_or(now);
    let listener = Listener {
        changes,
        seen,
        look: (seen < now).then(Instant::now),
        beat: Instant::now() + BEAT,
        begun: false,
        over: false,
        scope,
        headers,
        caller,
        reader,
        desk,
        _seat: seat,
    };
    // A proxy that gathers an answer before it passes it on would hold back every word.
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(([unbuffered], Sse::new(listener.stream())).into_response())
}

fn reader(caller: &Caller) -> Result<Actor, WebError> {
    match caller {
        Caller::User { name, .. } => Ok(Actor::User(name.clone())),
        Caller::Operator => Ok(Actor::Operator),
        Caller::Token { .. } => Err(WebError::Forbidden("接口令牌不能打开页面。")),
        Caller::Nobody => Err(WebError::SignIn),
    }
}

/// One open page.
struct Listener {
    desk: Arc<Desk>,
    /// As whom they came; looked at again with every word.
    caller: Caller,
    headers: HeaderMap,
    reader: Actor,
    scope: Scope,
    changes: watch::Receiver<Position>,
    /// The last fact that was told or passed over.
    seen: Position,
    /// When to read what happened; none while nothing did.
    look: Option<Instant>,
    beat: Instant,
    begun: bool,
    over: bool,
    _seat: Seat,
}

impl Listener {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next word; none where the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(Event::default().comment("cuiban"));
        }
        let closing = self.desk.closing.clone();
        loop {
            let look = self.look;
            tokio::select! {
                () = closing.cancelled() => return None,
                changed = self.changes.changed(), if look.is_none() => {
                    changed.ok()?;
                    self.look = Some(Instant::now() + TOGETHER);
                }
                () = at(look) => {
                    self.look = None;
                    let Some(sight) = self.sight() else { return self.bye() };
                    if let Some(event) = self.news(sight).await {
                        self.beat = Instant::now() + BEAT;
                        return Some(event);
                    }
                }
                () = sleep_until(self.beat) => {
                    self.beat = Instant::now() + BEAT;
                    return match self.sight() {
                        Some(_) => Some(Event::default().comment("")),
                        None => self.bye(),
                    };
                }
            }
        }
    }

    /// What the reader may see now; none where the session has ended meanwhile.
    fn sight(&self) -> Option<Sight> {
        if self.caller == Caller::Operator {
            return Some(Sight::Everything);
        }
        let caller = recognise(&self.desk, &self.headers);
        caller.reader().ok()?;
        Some(caller.sight())
    }

    /// The last word: the page need not come back.
    fn bye(&mut self) -> Option<Event> {
        self.over = true;
        Some(Event::default().event("bye").data(""))
    }

    /// Reads what happened, and says it where it concerns the page.
    async fn news(&mut self, sight: Sight) -> Option<Event> {
        let upto = *self.changes.borrow_and_update();
        let from = std::mem::replace(&mut self.seen, upto);
        let news = match usize::try_from(upto.saturating_sub(from)) {
            Ok(0) => return None,
            Ok(count) if count <= MOST_FACTS => self.read(from, count, sight).await,
            _ => News::of_everything(),
        };
        if news.is_empty() {
            return None;
        }
        let kinds: Vec<_> = news.kinds().map(|kind| kind.as_str()).collect();
        let data = json!({ "position": upto, "kinds": kinds, "words": news.words() });
        let event = Event::default().event("news").id(upto.to_string());
        Some(event.data(data.to_string()))
    }

    async fn read(&self, from: Position, count: usize, sight: Sight) -> News {
        let reader = self.desk.ledger.reader();
        let read = tokio::task::spawn_blocking(move || reader.read(from + 1, count)).await;
        let Ok(Ok(entries)) = read else {
            return News::of_everything();
        };
        let book = self.desk.ledger.book();
        let mut news = News::default();
        for entry in &entries {
            news.add(entry, &self.scope, &self.reader, |key| {
                sees(&book, &sight, key)
            });
        }
        news
    }
}

fn sees(book: &Book, sight: &Sight, key: &ObligationKey) -> bool {
    *sight == Sight::Everything
        || book
            .task_and_group(key)
            .is_some_and(|(task, _)| sight.sees(task))
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Streams {
    fn sit(&self, reader: &Actor) -> Option<Seat> {
        let name = match reader {
            Actor::User(name) => name.clone(),
            _ => String::new(),
        };
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&name).copied().unwrap_or(0);
        if all >= MOST || own >= MOST_OF_ONE {
            return None;
        }
        taken.insert(name.clone(), own + 1);
        Some(Seat {
            streams: self.clone(),
            name,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.streams.lock();
        if let Some(count) = taken.get_mut(&self.name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_for_each_and_for_all_and_given_back() {
        let streams = Streams::default();
        let user = |n: usize| Actor::User(format!("u{n}"));
        let mut seats: Vec<_> = (0..MOST_OF_ONE)
            .map_while(|_| streams.sit(&user(0)))
            .collect();
        assert_eq!(seats.len(), MOST_OF_ONE);
        assert!(streams.sit(&user(0)).is_none());
        assert!(streams.sit(&user(1)).is_some(), "others have room");
        seats.extend((1..).map_while(|n| streams.sit(&user(n))));
        assert_eq!(seats.len(), MOST);
        drop(seats);
        assert!(streams.lock().is_empty());
    }
}
