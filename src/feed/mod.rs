//! The calendar feed: a person's deadlines, or the office's, behind a signed address that calendar
//! programs fetch by themselves. It reads the book and nothing else.
//!
//! Example: `GET /calendar/AXAB….ics` gives one entry for each quarter's deadline; once all is
//! reported the entry is cancelled, under the same UID and a higher SEQUENCE.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::channel::ics::{self, Head};
use crate::desk::Desk;
use crate::domain::agenda;
use crate::domain::feed::{CheckedFeed, Feed, check};
use crate::domain::hex::hex;
use crate::domain::user::Sight;
use crate::web::caller::DEMO_USER;
use crate::web::limit::Throttle;
use crate::web::{Peer, WebError};

/// The routes of this room.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/calendar/{file}", get(show))
        .with_state(Room {
            desk,
            guesses: Arc::new(Throttle::new(20, Duration::from_secs(30))),
        })
}

#[derive(Clone)]
struct Room {
    desk: Arc<Desk>,
    guesses: Arc<Throttle<Peer>>,
}

/// `GET /calendar/{token}.ics`.
async fn show(
    State(room): State<Room>,
    peer: Peer,
    Path(file): Path<String>,
    asked: HeaderMap,
) -> Result<Response, WebError> {
    let token = file.strip_suffix(".ics").unwrap_or(&file);
    let feed = room.open(token, peer)?;
    let text = room.write(&feed);
    let tag = tag(&text);
    let known = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    let mut answer = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => text.into_response(),
    };
    let headers = answer.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, fixed("text/calendar; charset=utf-8"));
    headers.insert(
        CONTENT_DISPOSITION,
        fixed("inline; filename=\"cuiban.ics\""),
    );
    headers.insert(CACHE_CONTROL, fixed("private, max-age=3600"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    Ok(answer)
}

impl Room {
    /// Whose calendar it is. Only wrong tokens are counted, as for the owners' pages.
    fn open(&self, token: &str, peer: Peer) -> Result<Feed, WebError> {
        let guest = self.desk.is_demo().then_some(DEMO_USER);
        let checked = check(&self.desk.link_key, &self.desk.ledger.book(), token, guest);
        match checked {
            CheckedFeed::Valid(feed) => Ok(feed),
            CheckedFeed::Revoked => Err(WebError::LinkGone),
            CheckedFeed::Unknown => match self.guesses.take(&peer, Instant::now()) {
                Ok(()) => Err(WebError::UnknownLink),
                Err(wait) => Err(WebError::TooMany { wait }),
            },
        }
    }

    fn write(&self, feed: &Feed) -> String {
        let desk = &self.desk;
        let (calendar, now) = (desk.calendar(), desk.clock.now());
        let book = desk.ledger.book();
        let (whose, events) = match feed {
            Feed::Person(person) => {
                let known = book.people.get(person);
                let name = known.map_or("", |known| known.name.as_str());
                (name, agenda::of_person(&book, &calendar, person, now))
            }
            Feed::Office(user) => {
                let known = book.users.get(user);
                let sight = known.map_or(&Sight::Everything, |known| &known.profile.sight);
                (
                    desk.office.name.as_str(),
                    agenda::of_office(&book, &calendar, now, sight),
                )
            }
        };
        let name = format!("重点工作报送截止（{whose}）");
        let head = Head {
            name: &name,
            office: &desk.office.name,
            telephone: desk.office.phone.as_deref(),
        };
        ics::feed(head, &events)
    }
}

fn tag(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("\"{}\"", hex(digest.iter().take(12)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::fixture::*;
    use crate::domain::fact::Fact;
    use crate::domain::user::{Profile, Role};

    async fn ask(desk: &Arc<Desk>, feed: &Feed) -> (StatusCode, HeaderMap, String) {
        let token = desk.link_key.sign_feed(feed, desk.clock.now());
        let request = fetch(&format!("/calendar/{token}.ics"));
        send_whole(&router(Arc::clone(desk)), request).await
    }

    #[tokio::test]
    async fn the_office_sees_every_deadline_and_a_person_their_own() {
        let desk = planned().await;
        let office = Feed::Office("王科长".into());
        let (status, _, _) = ask(&desk, &office).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "no such user");
        let added = Fact::UserAdded {
            name: "王科长".into(),
            profile: Profile::new(Role::Viewer),
            password_hash: String::new(),
            temporary: false,
        };
        append(&desk, "2022-02-08T09:00", vec![added]).await;
        let (status, headers, all) = ask(&desk, &office).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CACHE_CONTROL], "private, max-age=3600");
        let all = all.replace("\r\n ", "");
        assert!(all.contains("【报送截止】2022年第一季度：应报"), "{all}");
        let (_, _, own) = ask(&desk, &Feed::Person(id(ZHONG))).await;
        let own = own.replace("\r\n ", "");
        assert!(own.contains("重点工作报送截止（钟靖平）"), "{own}");
        assert!(own.contains("第32项"), "{own}");
        assert!(!own.contains("第2项"), "{own}");
        let gone = Fact::UserDisabled {
            name: "王科长".into(),
        };
        append(&desk, "2022-02-09T09:00", vec![gone]).await;
        assert_eq!(ask(&desk, &office).await.0, StatusCode::GONE);
    }
}
