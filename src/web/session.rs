//! Sessions without a table: a signed cookie that names the user, the user's epoch and its end. A
//! new password or a disabled account raises the epoch, and so ends every session at once.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::desk::Desk;
use crate::domain::link::{LinkKey, same};
use crate::domain::user::User;

/// How long a session lasts.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// The `Set-Cookie` value that begins a session of this user.
#[must_use]
pub fn begin(desk: &Desk, user: &User) -> Option<HeaderValue> {
    let value = sign(&desk.link_key, user, real_time() + LASTS);
    set_cookie(desk, &value, LASTS.num_seconds())
}

/// The `Set-Cookie` value that ends it.
#[must_use]
pub fn end(desk: &Desk) -> Option<HeaderValue> {
    set_cookie(desk, "", 0)
}

/// The user whose session the request carries, and the token their forms must bring back.
#[must_use]
pub fn find(desk: &Desk, headers: &HeaderMap) -> Option<(User, String)> {
    let name = cookie_name(desk);
    let value = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))?;
    let (user_name, epoch) = read(&desk.link_key, value, real_time())?;
    let user = desk.ledger.book().users.get(&user_name).cloned()?;
    let good = !user.disabled && user.epoch == epoch;
    good.then(|| (user, csrf(&desk.link_key, value)))
}

/// The form token that belongs to a session.
#[must_use]
pub fn csrf(key: &LinkKey, session: &str) -> String {
    let mac = key.mac("csrf", session.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.split_at(16).0)
}

/// Sessions end in real time, also where the office's clock is simulated and leaps.
fn real_time() -> DateTime<Utc> {
    Clock::System.now()
}

fn sign(key: &LinkKey, user: &User, until: DateTime<Utc>) -> String {
    let name = URL_SAFE_NO_PAD.encode(user.name.as_bytes());
    let payload = format!("{name}.{}.{}", user.epoch, until.timestamp());
    let mac = URL_SAFE_NO_PAD.encode(key.mac("session", payload.as_bytes()));
    format!("{payload}.{mac}")
}

fn read(key: &LinkKey, value: &str, now: DateTime<Utc>) -> Option<(String, u32)> {
    let (payload, mac) = value.rsplit_once('.')?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    if !same(&mac, &key.mac("session", payload.as_bytes())) {
        return None;
    }
    let mut parts = payload.split('.');
    let name = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let epoch = parts.next()?.parse().ok()?;
    let until: i64 = parts.next()?.parse().ok()?;
    (now.timestamp() < until).then_some((String::from_utf8(name).ok()?, epoch))
}

fn cookie_name(desk: &Desk) -> &'static str {
    // The prefix makes browsers refuse it from a sibling host or without TLS.
    if desk.is_https() {
        "__Host-cuiban"
    } else {
        "cuiban"
    }
}

fn set_cookie(desk: &Desk, value: &str, seconds: i64) -> Option<HeaderValue> {
    let name = cookie_name(desk);
    let secure = if desk.is_https() { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;

    #[test]
    fn a_session_is_believed_until_its_end_and_never_after_a_change() {
        let key = LinkKey::new([3; 32]);
        let user = User {
            name: "督查科 王".into(),
            role: Role::Coordinator,
            password_hash: String::new(),
            disabled: false,
            epoch: 4,
        };
        let until: DateTime<Utc> = "2026-11-23T20:00:00Z".parse().unwrap();
        let value = sign(&key, &user, until);
        let before = until - TimeDelta::seconds(1);
        assert_eq!(read(&key, &value, before), Some((user.name.clone(), 4)));
        assert_eq!(read(&key, &value, until), None);
        assert_eq!(read(&LinkKey::new([4; 32]), &value, before), None);
        let forged = value.replacen(".4.", ".5.", 1);
        assert_eq!(read(&key, &forged, before), None);
        assert_ne!(csrf(&key, &value), csrf(&key, &forged));
    }
}
