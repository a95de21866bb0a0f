//! Signed addresses of calendar feeds. A calendar program fetches them without a password, for
//! years; so they do not end by themselves, and show deadlines only: no link to a page, no report.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use super::book::Book;
use super::ids::PersonId;
use super::link::{LinkKey, bare, same};

const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
const LONGEST_TOKEN: usize = 400;
const PURPOSE: &str = "calendar";

/// Whose calendar it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// What this person has to report.
    Person(PersonId),
    /// All of the office's, given to this user of the board.
    Office(String),
}

impl LinkKey {
    /// The token of a feed, made at `issued_at`.
    #[must_use]
    pub fn sign_feed(&self, feed: &Feed, issued_at: DateTime<Utc>) -> String {
        let (kind, id) = match feed {
            Feed::Person(person) => (b'p', person.as_str()),
            Feed::Office(user) => (b'o', user.as_str()),
        };
        let issued = u64::try_from(issued_at.timestamp_millis()).unwrap_or(0);
        let mut bytes = vec![VERSION, kind];
        bytes.extend(issued.to_be_bytes().iter().skip(2));
        bytes.extend(id.as_bytes());
        let mac = self.mac(PURPOSE, &bytes);
        bytes.extend(mac.iter().take(MAC_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read_feed(&self, token: &str) -> Option<(Feed, DateTime<Utc>)> {
        let token = bare(token);
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let wanted = self.mac(PURPOSE, payload);
        if !same(mac, wanted.get(..MAC_BYTES)?) {
            return None;
        }
        let ([VERSION, kind], rest) = payload.split_first_chunk::<2>()? else {
            return None;
        };
        let (issued, id) = rest.split_first_chunk::<6>()?;
        let issued = issued.iter().fold(0_i64, |n, b| n << 8 | i64::from(*b));
        let id = std::str::from_utf8(id).ok()?;
        let feed = match kind {
            b'p' => Feed::Person(PersonId::new(id).ok()?),
            b'o' => Feed::Office(id.to_owned()),
            _ => return None,
        };
        Some((feed, DateTime::from_timestamp_millis(issued)?))
    }
}

/// What a feed's token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedFeed {
    /// It opens this calendar.
    Valid(Feed),
    /// Not one of ours, or whose it is is gone.
    Unknown,
    /// Made before the links of this person were revoked, or its user is disabled.
    Revoked,
}

/// Checks a token against the book. `guest` names the user of a trial run, who is in no book.
#[must_use]
pub fn check(key: &LinkKey, book: &Book, token: &str, guest: Option<&str>) -> CheckedFeed {
    let Some((feed, issued_at)) = key.read_feed(token) else {
        return CheckedFeed::Unknown;
    };
    let standing = match &feed {
        Feed::Person(person) => {
            let revoked = book
                .revoked
                .iter()
                .any(|((_, _, whose), at)| whose == person && issued_at <= *at);
            book.people.contains_key(person).then_some(!revoked)
        }
        Feed::Office(user) if guest == Some(user) => Some(true),
        Feed::Office(user) => book.users.get(user).map(|user| !user.disabled),
    };
    match standing {
        None => CheckedFeed::Unknown,
        Some(false) => CheckedFeed::Revoked,
        Some(true) => CheckedFeed::Valid(feed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::*;
    use crate::domain::link::Link;
    use crate::domain::user::{Profile, Role};

    fn book() -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        book
    }

    fn key() -> LinkKey {
        LinkKey::new([7; 32])
    }

    #[test]
    fn a_persons_feed_opens_until_their_links_are_revoked() {
        let mut book = book();
        let feed = Feed::Person(id(ZHONG));
        let token = key().sign_feed(&feed, at("2022-03-17T09:10"));
        let checked = |book: &Book, token: &str| check(&key(), book, token, None);
        assert_eq!(checked(&book, &token), CheckedFeed::Valid(feed.clone()));
        assert_eq!(checked(&book, &format!("{token}A")), CheckedFeed::Unknown);
        let other = check(&LinkKey::new([8; 32]), &book, &token, None);
        assert_eq!(other, CheckedFeed::Unknown);
        let revoked = Fact::LinksRevoked {
            plan: plan(),
            quarter: quarter("2022Q1"),
            person: id(ZHONG),
        };
        apply(&mut book, "2022-03-18T09:00", vec![revoked]);
        assert_eq!(checked(&book, &token), CheckedFeed::Revoked);
        let token = key().sign_feed(&feed, at("2022-03-18T09:01"));
        assert_eq!(checked(&book, &token), CheckedFeed::Valid(feed));
    }

    #[test]
    fn the_offices_feed_ends_with_its_user() {
        let mut book = book();
        let token = key().sign_feed(&Feed::Office("王科长".into()), at("2022-03-17T09:10"));
        assert_eq!(check(&key(), &book, &token, None), CheckedFeed::Unknown);
        let valid = CheckedFeed::Valid(Feed::Office("王科长".into()));
        assert_eq!(check(&key(), &book, &token, Some("王科长")), valid);
        let added = Fact::UserAdded {
            name: "王科长".into(),
            profile: Profile::new(Role::Coordinator),
            password_hash: String::new(),
            temporary: false,
        };
        apply(&mut book, "2022-03-18T09:00", vec![added]);
        assert_eq!(check(&key(), &book, &token, None), valid);
        let name = "王科长".into();
        apply(
            &mut book,
            "2022-03-18T10:00",
            vec![Fact::UserDisabled { name }],
        );
        assert_eq!(check(&key(), &book, &token, None), CheckedFeed::Revoked);
    }

    #[test]
    fn a_reply_link_is_no_feed_and_a_feed_is_no_reply_link() {
        let feed = key().sign_feed(&Feed::Person(id(ZHONG)), at("2022-03-17T09:10"));
        assert_eq!(key().read(&feed), None);
        let whose = (plan(), quarter("2022Q1"), id(ZHONG));
        let day = "2022-03-31".parse().unwrap();
        let link = key().sign(&Link::new(whose, at("2022-03-17T09:10"), day, day));
        assert_eq!(key().read_feed(&link), None);
    }
}
