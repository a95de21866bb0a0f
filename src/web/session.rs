//! Sessions without a table: a signed cookie that names the user, the user's epoch and its end. A
//! new password or a disabled account raises the epoch, and so ends every session at once. A
//! session also ends when nothing is done in it for a while: the cookie says when it was seen last,
//! and is given anew while somebody works. One that was signed out of is remembered here until its
//! time is over, so that a copy of the cookie opens nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::desk::Desk;
use crate::domain::link::{LinkKey, same};
use crate::domain::user::User;

/// How long a session lasts at the most.
const LASTS: TimeDelta = TimeDelta::hours(12);
/// How long one lasts in which nothing is done.
const IDLE: TimeDelta = TimeDelta::hours(2);
/// How old the moment in the cookie may get before it is given anew.
const RENEWED: TimeDelta = TimeDelta::minutes(5);
/// How long a browser is known as one that somebody has signed in from.
const DEVICE_LASTS: TimeDelta = TimeDelta::days(180);

/// How somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With a password, and a code where they have a second factor.
    Password,
    /// Through the office's sign-in service, which asks for what it asks for.
    Service,
}

/// The session of a request.
#[derive(Debug)]
pub struct Found {
    /// Whose.
    pub user: User,
    /// How they signed in.
    pub way: Way,
    /// What their forms must bring back.
    pub csrf: String,
    /// The `Set-Cookie` value that says they were here, where it is time to say so again.
    pub renewal: Option<HeaderValue>,
}

/// Sessions that were signed out of, until their time would have been over.
#[derive(Debug, Default)]
pub struct Ended(Mutex<HashMap<String, i64>>);

impl Ended {
    fn add(&self, id: String, until: i64, now: i64) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now);
        ended.insert(id, until);
    }

    fn has(&self, id: &str) -> bool {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.contains_key(id)
    }
}

/// The `Set-Cookie` value that begins a session of this user.
#[must_use]
pub fn begin(desk: &Desk, user: &User, way: Way) -> Option<HeaderValue> {
    let now = real_time();
    let pass = Pass {
        name: user.name.clone(),
        epoch: user.epoch,
        id: random()?,
        way,
        until: (now + LASTS).timestamp(),
        seen: now.timestamp(),
    };
    set_cookie(desk, SESSION, &pass.sign(&desk.link_key), LASTS)
}

/// Ends the request's session; the `Set-Cookie` value takes the cookie away.
#[must_use]
pub fn end(desk: &Desk, headers: &HeaderMap) -> Option<HeaderValue> {
    let now = real_time();
    let pass = cookie(desk, headers, SESSION).and_then(|value| Pass::read(&desk.link_key, value));
    if let Some(pass) = pass {
        desk.ended.add(pass.id, pass.until, now.timestamp());
    }
    set_cookie(desk, SESSION, "", TimeDelta::zero())
}

/// The session that the request carries.
#[must_use]
pub fn find(desk: &Desk, headers: &HeaderMap) -> Option<Found> {
    let value = cookie(desk, headers, SESSION)?;
    let pass = Pass::read(&desk.link_key, value)?;
    let now = real_time();
    if !pass.lasts(now) || desk.ended.has(&pass.id) {
        return None;
    }
    let user = desk.ledger.book().users.get(&pass.name).cloned()?;
    let good = !user.disabled && user.epoch == pass.epoch;
    good.then(|| Found {
        user,
        way: pass.way,
        csrf: csrf(&desk.link_key, &pass.id),
        renewal: pass.renewed(now).and_then(|pass| {
            let left = TimeDelta::seconds(pass.until - pass.seen);
            set_cookie(desk, SESSION, &pass.sign(&desk.link_key), left)
        }),
    })
}

/// The form token that belongs to a session.
#[must_use]
pub fn csrf(key: &LinkKey, session: &str) -> String {
    let mac = key.mac("csrf", session.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.split_at(16).0)
}

/// The `Set-Cookie` value by which this browser is known again as one that `user` signed in from.
#[must_use]
pub fn remember(desk: &Desk, user: &str) -> Option<HeaderValue> {
    let id = random()?;
    let mac = device_mac(&desk.link_key, user, &id);
    set_cookie(desk, DEVICE, &format!("{id}.{mac}"), DEVICE_LASTS)
}

/// The name of this browser, where `user` has signed in from it before.
#[must_use]
pub fn device(desk: &Desk, headers: &HeaderMap, user: &str) -> Option<String> {
    let (id, mac) = cookie(desk, headers, DEVICE)?.split_once('.')?;
    let wanted = device_mac(&desk.link_key, user, id);
    same(mac.as_bytes(), wanted.as_bytes()).then(|| id.to_owned())
}

/// The value of a cookie that [`carry`] set.
#[must_use]
pub fn carried<'a>(desk: &Desk, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie(desk, headers, FLOW)
}

/// The `Set-Cookie` value that lets the browser carry something for some minutes.
#[must_use]
pub fn carry(desk: &Desk, value: &str, lasts: TimeDelta) -> Option<HeaderValue> {
    set_cookie(desk, FLOW, value, lasts)
}

/// Sessions end in real time, also where the office's clock is simulated and leaps.
#[must_use]
pub fn real_time() -> DateTime<Utc> {
    Clock::System.now()
}

const SESSION: &str = "cuiban";
const DEVICE: &str = "cuiban-device";
const FLOW: &str = "cuiban-flow";

/// What the cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pass {
    name: String,
    epoch: u32,
    /// Stays the same as long as the session: forms in open pages keep working.
    id: String,
    way: Way,
    until: i64,
    seen: i64,
}

impl Pass {
    fn sign(&self, key: &LinkKey) -> String {
        let name = URL_SAFE_NO_PAD.encode(self.name.as_bytes());
        let way = match self.way {
            Way::Password => "p",
            Way::Service => "s",
        };
        let Self {
            epoch,
            id,
            until,
            seen,
            ..
        } = self;
        let payload = format!("{name}.{epoch}.{id}.{way}.{until}.{seen}");
        let mac = URL_SAFE_NO_PAD.encode(key.mac("session", payload.as_bytes()));
        format!("{payload}.{mac}")
    }

    fn read(key: &LinkKey, value: &str) -> Option<Self> {
        let (payload, mac) = value.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !same(&mac, &key.mac("session", payload.as_bytes())) {
            return None;
        }
        let mut parts = payload.split('.');
        let name = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        Some(Self {
            name: String::from_utf8(name).ok()?,
            epoch: parts.next()?.parse().ok()?,
            id: parts.next()?.to_owned(),
            way: match parts.next()? {
                "p" => Way::Password,
                "s" => Way::Service,
                _ => return None,
            },
            until: parts.next()?.parse().ok()?,
            seen: parts.next()?.parse().ok()?,
        })
    }

    fn lasts(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp();
        now < self.until && now < self.seen + IDLE.num_seconds()
    }

    fn renewed(&self, now: DateTime<Utc>) -> Option<Self> {
        let now = now.timestamp();
        let old = now >= self.seen + RENEWED.num_seconds();
        old.then(|| Self {
            seen: now,
            ..self.clone()
        })
    }
}

fn device_mac(key: &LinkKey, user: &str, id: &str) -> String {
    let mac = key.mac("device", format!("{id}.{user}").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.split_at(16).0)
}

fn random() -> Option<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn cookie<'a>(desk: &Desk, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = cookie_name(desk, name);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn cookie_name(desk: &Desk, name: &str) -> String {
    // The prefix makes browsers refuse it from a sibling host or without TLS.
    match desk.is_https() {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

fn set_cookie(desk: &Desk, name: &str, value: &str, lasts: TimeDelta) -> Option<HeaderValue> {
    let name = cookie_name(desk, name);
    let secure = if desk.is_https() { "; Secure" } else { "" };
    let seconds = lasts.num_seconds();
    HeaderValue::try_from(format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass() -> (Pass, DateTime<Utc>) {
        let now: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
        let pass = Pass {
            name: "督查科 王".into(),
            epoch: 4,
            id: "abc".into(),
            way: Way::Password,
            until: (now + LASTS).timestamp(),
            seen: now.timestamp(),
        };
        (pass, now)
    }

    #[test]
    fn a_session_is_believed_as_it_was_signed_and_in_no_other_form() {
        let (pass, _) = pass();
        let key = LinkKey::new([3; 32]);
        let value = pass.sign(&key);
        assert_eq!(Pass::read(&key, &value), Some(pass));
        assert_eq!(Pass::read(&LinkKey::new([4; 32]), &value), None);
        let forged = value.replacen(".4.", ".5.", 1);
        assert_eq!(Pass::read(&key, &forged), None);
    }

    #[test]
    fn a_session_ends_when_nothing_is_done_and_at_its_end_all_the_same() {
        let (pass, start) = pass();
        let after = |minutes| start + TimeDelta::minutes(minutes);
        assert!(pass.lasts(after(119)));
        assert!(!pass.lasts(after(120)));
        assert_eq!(pass.renewed(after(4)), None);
        let mut working = pass;
        for minutes in (60..12 * 60).step_by(60) {
            assert!(working.lasts(after(minutes)), "{minutes}");
            working = working.renewed(after(minutes)).unwrap();
            assert_eq!(working.id, "abc", "forms stay good");
        }
        assert!(!working.lasts(after(12 * 60)));
    }
}
