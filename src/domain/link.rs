//! Signed links: a person's own page for one quarter of one plan, opened without a password.
//!
//! The token carries its own meaning, so nothing has to be stored when one is made: version,
//! moment of issue, last day, quarter, person, plan, and a MAC over all of it. Whoever holds it is
//! taken for that person, for that quarter only; it ends by itself and can be revoked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Days, NaiveDate, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::book::Book;
use super::ids::{PersonId, PlanId, Quarter};

/// Days a link works on after its quarter's deadline.
pub const DAYS_AFTER_DEADLINE: u64 = 60;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// Longer texts are not even decoded.
const LONGEST_TOKEN: usize = 200;

/// The key that links are signed with. It prints as stars.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// Takes 32 bytes of good randomness.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A MAC for another purpose, under a key of its own that follows from this one.
    #[must_use]
    pub fn mac(&self, purpose: &str, content: &[u8]) -> [u8; 32] {
        let derived = authenticate(&self.0, &[b"cuiban ", purpose.as_bytes()]);
        authenticate(&derived, &[content])
    }

    /// The token of a link.
    #[must_use]
    pub fn sign(&self, link: &Link) -> String {
        let mut bytes = encode(link);
        let mac = self.mac("link", &bytes);
        bytes.extend(mac.iter().take(MAC_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The link of a token that this key signed.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Link> {
        let token = bare(token);
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let wanted = self.mac("link", payload);
        same(mac, wanted.get(..MAC_BYTES)?).then(|| decode(payload))?
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(***)")
    }
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The plan.
    pub plan: PlanId,
    /// The quarter reported on.
    pub quarter: Quarter,
    /// Whose page it is.
    pub person: PersonId,
    /// When it was made, to the millisecond.
    pub issued_at: DateTime<Utc>,
    /// The last day on which it works.
    pub expires_on: NaiveDate,
}

impl Link {
    /// A link made at `issued_at`, on `today` at the office, for a quarter with that deadline day.
    ///
    /// It works for [`DAYS_AFTER_DEADLINE`] days after the deadline, or after today where a late
    /// 催办 is sent long after it.
    #[must_use]
    pub fn new(
        (plan, quarter, person): (PlanId, Quarter, PersonId),
        issued_at: DateTime<Utc>,
        today: NaiveDate,
        deadline_day: NaiveDate,
    ) -> Self {
        Self {
            plan,
            quarter,
            person,
            issued_at,
            expires_on: today.max(deadline_day) + Days::new(DAYS_AFTER_DEADLINE),
        }
    }
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It opens this page.
    Valid(Link),
    /// Not one of ours, or its plan or person is gone.
    Unknown,
    /// Its last day is past.
    Expired,
    /// Made before links of this person and quarter were revoked.
    Revoked,
}

/// Checks a token against the book on this day at the office.
#[must_use]
pub fn check(key: &LinkKey, book: &Book, token: &str, today: NaiveDate) -> Checked {
    let Some(link) = key.read(token) else {
        return Checked::Unknown;
    };
    if !book.plans.contains_key(&link.plan) || !book.people.contains_key(&link.person) {
        return Checked::Unknown;
    }
    let whose = (link.plan.clone(), link.quarter, link.person.clone());
    if book
        .revoked
        .get(&whose)
        .is_some_and(|revoked| link.issued_at <= *revoked)
    {
        return Checked::Revoked;
    }
    if today > link.expires_on {
        return Checked::Expired;
    }
    Checked::Valid(link)
}

/// The token without what a mail or chat program took into the address behind it, such as the
/// sentence's full stop.
#[must_use]
pub fn bare(token: &str) -> &str {
    token.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
}

/// Compares without telling by the time taken where two byte strings differ.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    left.ct_eq(right).into()
}

fn authenticate(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC itself fills a short key up with zeros to the block's length.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// version 1, issue 6 (ms), last day 2 (days), quarter 2, person 1+n, plan: the rest.
fn encode(link: &Link) -> Vec<u8> {
    let issued = u64::try_from(link.issued_at.timestamp_millis()).unwrap_or(0);
    let last_day = (link.expires_on - epoch()).num_days();
    let quarter = link.quarter.year() * 4 + i32::from(link.quarter.number() - 1);
    let person = pack_person(&link.person);
    let mut bytes = vec![VERSION];
    bytes.extend(issued.to_be_bytes().iter().skip(2));
    bytes.extend(u16::try_from(last_day).unwrap_or(0).to_be_bytes());
    bytes.extend(u16::try_from(quarter).unwrap_or(0).to_be_bytes());
    bytes.push(u8::try_from(person.len()).unwrap_or(u8::MAX));
    bytes.extend(person);
    bytes.extend(link.plan.as_str().as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Link> {
    let (version, rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let (issued, rest) = rest.split_first_chunk::<6>()?;
    let (last_day, rest) = rest.split_first_chunk::<2>()?;
    let (quarter, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first()?;
    let (person, plan) = rest.split_at_checked(usize::from(*length))?;
    let issued = issued.iter().fold(0_i64, |n, b| n << 8 | i64::from(*b));
    let quarter = i32::from(u16::from_be_bytes(*quarter));
    Some(Link {
        plan: PlanId::new(std::str::from_utf8(plan).ok()?).ok()?,
        quarter: Quarter::new(quarter / 4, u8::try_from(quarter % 4).ok()? + 1)?,
        person: unpack_person(person)?,
        issued_at: DateTime::from_timestamp_millis(issued)?,
        expires_on: epoch() + Days::new(u64::from(u16::from_be_bytes(*last_day))),
    })
}

/// `p` and 12 hex digits take six bytes; any other id stands as it is, and is never six long.
fn pack_person(person: &PersonId) -> Vec<u8> {
    let hex = person
        .as_str()
        .strip_prefix('p')
        .filter(|hex| hex.len() == 12);
    let packed = hex.and_then(|hex| u64::from_str_radix(hex, 16).ok());
    match packed {
        Some(number) => number.to_be_bytes().into_iter().skip(2).collect(),
        None if person.as_str().len() == 6 => [person.as_str().as_bytes(), &[0]].concat(),
        None => person.as_str().as_bytes().to_vec(),
    }
}

fn unpack_person(bytes: &[u8]) -> Option<PersonId> {
    if bytes.len() == 6 {
        let number = bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        return PersonId::new(&format!("p{number:012x}")).ok();
    }
    let text = std::str::from_utf8(bytes).ok()?;
    PersonId::new(text.trim_end_matches('\0')).ok()
}

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::{Actor, Entry, Fact};
    use crate::domain::people::{Person, Roles};
    use crate::domain::plan::Heading;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn key() -> LinkKey {
        LinkKey::new([7; 32])
    }

    fn link() -> Link {
        Link::new(
            (
                PlanId::new("dongguan-2022").unwrap(),
                "2022Q1".parse().unwrap(),
                PersonId::of("市科技局", "钟靖平"),
            ),
            at("2022-03-17T01:10:00.123Z"),
            day("2022-03-17"),
            day("2022-03-31"),
        )
    }

    fn book() -> Book {
        let link = link();
        let facts = [
            Fact::PlanImported {
                plan: link.plan.clone(),
                heading: Heading {
                    title: "分解表".into(),
                    year: 2022,
                    issuer: None,
                    issued_on: None,
                },
                source: "t.txt".into(),
                sha256: String::new(),
                accepted: 0,
                units: Vec::new(),
            },
            Fact::PersonSet {
                plan: Some(link.plan.clone()),
                person: Person {
                    id: link.person.clone(),
                    name: "钟靖平".into(),
                    unit: "市科技局".into(),
                    roles: Roles::default(),
                },
            },
        ];
        let mut book = Book::default();
        for fact in facts {
            apply(&mut book, "2022-03-01T00:00:00Z", fact);
        }
        book
    }

    fn apply(book: &mut Book, when: &str, fact: Fact) {
        let entry = Entry {
            position: book.position + 1,
            at: at(when),
            by: Actor::System,
            fact,
        };
        book.apply(&entry).unwrap();
    }

    #[test]
    fn a_token_gives_back_what_was_put_in_and_is_short() {
        let token = key().sign(&link());
        assert_eq!(key().read(&token), Some(link()));
        assert!(token.len() <= 64, "{} characters", token.len());
        for id in ["a", "abcdef", "p1234", "p12345678901g", "pABCDEF123456"] {
            let Ok(person) = PersonId::new(id) else {
                continue;
            };
            let link = Link { person, ..link() };
            assert_eq!(key().read(&key().sign(&link)), Some(link), "{id}");
        }
    }

    #[test]
    fn no_changed_character_and_no_other_key_is_let_through() {
        let token = key().sign(&link());
        assert_eq!(LinkKey::new([8; 32]).read(&token), None);
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(key().read(&forged), None, "at {index}");
        }
        for junk in ["", "A", "%00", "督办", &"A".repeat(5000)] {
            assert_eq!(key().read(junk), None);
        }
    }

    #[test]
    fn a_full_stop_taken_into_the_address_does_no_harm() {
        let token = key().sign(&link()) + "。";
        assert_eq!(key().read(&token), Some(link()));
    }

    #[test]
    fn a_link_ends_sixty_days_after_the_deadline() {
        let (key, book) = (key(), book());
        let token = key.sign(&link());
        let on = |d| check(&key, &book, &token, day(d));
        assert_eq!(on("2022-05-30"), Checked::Valid(link()));
        assert_eq!(on("2022-05-31"), Checked::Expired);
        assert_eq!(
            check(&key, &Book::default(), &token, day("2022-03-17")),
            Checked::Unknown
        );
    }

    #[test]
    fn a_late_word_still_carries_a_link_that_works() {
        let Link {
            plan,
            quarter,
            person,
            ..
        } = link();
        let late = day("2022-12-01");
        let late_link = Link::new(
            (plan, quarter, person),
            at("2022-12-01T01:00:00Z"),
            late,
            day("2022-03-31"),
        );
        assert!(late_link.expires_on > late);
    }

    #[test]
    fn revoking_voids_what_was_made_before_and_not_what_comes_after() {
        let (key, mut book) = (key(), book());
        let old = link();
        let revoked = Fact::LinksRevoked {
            plan: old.plan.clone(),
            quarter: old.quarter,
            person: old.person.clone(),
        };
        apply(&mut book, "2022-03-17T01:10:00.123Z", revoked);
        let new = Link {
            issued_at: at("2022-03-17T01:10:00.124Z"),
            ..old.clone()
        };
        let today = day("2022-03-18");
        assert_eq!(check(&key, &book, &key.sign(&old), today), Checked::Revoked);
        assert_eq!(
            check(&key, &book, &key.sign(&new), today),
            Checked::Valid(new)
        );
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(format!("{:?}", key()), "LinkKey(***)");
    }
}
