//! The second factor: setting it up, and checking a code.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use qrcodegen::{QrCode, QrCodeEcc};

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::hex::hex;
use crate::domain::totp::{self, SECRET_BYTES, base32};
use crate::domain::user::{SecondFactor, UsedCode, User};
use crate::store::Decision;
use crate::web::percent::encoded;
use crate::web::{WebError, seal, session};

const KEPT: &str = "totp";
const OFFERED: &str = "totp offered";
/// Recovery codes given at a time.
const CODES: usize = 10;
/// Letters of a recovery code: 50 bits.
const LETTERS: usize = 10;

/// A secret that is not theirs yet: it travels sealed in the form until a code confirms it.
pub(super) struct Offer {
    pub sealed: String,
    /// The secret as text, in groups of four.
    pub text: String,
    /// The drawing that an authenticator application reads.
    pub drawing: Drawing,
}

/// A QR code as an SVG path in a square of `size` units, with the quiet zone.
pub(super) struct Drawing {
    pub size: i32,
    pub path: String,
}

/// Offers a new secret.
pub(super) fn offer(desk: &Desk, name: &str) -> Result<Offer, WebError> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(WebError::internal)?;
    drawn(desk, name, &secret)
}

/// The same offer again, after a wrong code.
pub(super) fn offer_again(desk: &Desk, name: &str, sealed: &str) -> Result<Offer, WebError> {
    let secret = offered(desk, name, sealed)?;
    drawn(desk, name, &secret)
}

/// Takes the offer up where the code is right; the recovery codes are shown once.
pub(super) async fn confirm(
    desk: &Desk,
    name: &str,
    sealed: &str,
    typed: &str,
) -> Result<Option<Vec<String>>, WebError> {
    let secret = offered(desk, name, sealed)?;
    let now = totp::step_at(session::real_time().timestamp());
    let Some(used) = totp::matching(&secret, typed, now, 0) else {
        return Ok(None);
    };
    let codes = recovery_codes()?;
    let fact = Fact::SecondFactorSet {
        name: name.to_owned(),
        sealed: seal::seal(&desk.link_key, KEPT, name, &secret)?,
        used,
        recovery: codes.iter().map(|code| digest(desk, name, code)).collect(),
    };
    let by = Actor::User(name.to_owned());
    let appended = desk.ledger.append(by, desk.clock.now(), vec![fact]);
    appended.await.map_err(|_| WebError::Unavailable)?;
    Ok(Some(codes))
}

/// Steps used while the store takes nothing, so that no code counts twice then either.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Mutex<HashMap<String, u64>>);

impl Unwritten {
    fn take(&self, name: &str, step: u64) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.entry(name.to_owned()).or_default();
        let new = step > *last;
        *last = step.max(*last);
        new
    }
}

/// Checks a code and uses it up.
pub(super) async fn take(
    desk: &Desk,
    user: &User,
    typed: &str,
    unwritten: &Unwritten,
) -> Result<bool, WebError> {
    let Some(code) = matching(desk, user, typed)? else {
        return Ok(false);
    };
    let fresh = match &code {
        UsedCode::Step(step) => unwritten.take(&user.name, *step),
        UsedCode::Recovery(_) => true,
    };
    let (name, wanted) = (user.name.clone(), code.clone());
    let decide = move |book: &Book| {
        let second = book.users.get(&name).and_then(|user| user.second.as_ref());
        let unused = second.is_some_and(|second| is_unused(second, &wanted));
        let code = unused.then_some(Fact::CodeUsed { name, code: wanted });
        Ok::<_, std::convert::Infallible>(Decision {
            facts: code.into_iter().collect(),
            value: unused,
        })
    };
    let by = Actor::User(user.name.clone());
    match (desk.ledger.commit(by, desk.clock.now(), decide).await, code) {
        (Ok(unused), _) => Ok(fresh && unused),
        // The board can be read while nothing can be stored.
        (Err(_), UsedCode::Step(_)) => Ok(fresh),
        (Err(_), UsedCode::Recovery(_)) => Err(WebError::Unavailable),
    }
}

fn matching(desk: &Desk, user: &User, typed: &str) -> Result<Option<UsedCode>, WebError> {
    let Some(second) = &user.second else {
        return Ok(None);
    };
    let secret = seal::open(&desk.link_key, KEPT, &user.name, &second.sealed)
        .ok_or_else(|| WebError::internal("a second factor does not open: another link key?"))?;
    let now = totp::step_at(session::real_time().timestamp());
    if let Some(step) = totp::matching(&secret, typed, now, second.used) {
        return Ok(Some(UsedCode::Step(step)));
    }
    let hash = digest(desk, &user.name, typed);
    let known = second.recovery.contains(&hash);
    Ok(known.then_some(UsedCode::Recovery(hash)))
}

fn is_unused(second: &SecondFactor, code: &UsedCode) -> bool {
    match code {
        UsedCode::Step(step) => *step > second.used,
        UsedCode::Recovery(hash) => second.recovery.contains(hash),
    }
}

fn offered(desk: &Desk, name: &str, sealed: &str) -> Result<Vec<u8>, WebError> {
    let stale = || WebError::BadRequest("页面已失效，请返回“我的账号”重新设置验证器。".into());
    seal::open(&desk.link_key, OFFERED, name, sealed).ok_or_else(stale)
}

fn drawn(desk: &Desk, name: &str, secret: &[u8]) -> Result<Offer, WebError> {
    let text = base32(secret);
    // Short, so that the squares are large enough for any camera.
    let issuer = encoded("催办");
    let address = format!(
        "otpauth://totp/{issuer}:{}?secret={text}&issuer={issuer}",
        encoded(name)
    );
    let code = QrCode::encode_text(&address, QrCodeEcc::Medium).map_err(WebError::internal)?;
    let letters: Vec<char> = text.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    Ok(Offer {
        sealed: seal::seal(&desk.link_key, OFFERED, name, secret)?,
        text: groups.collect::<Vec<String>>().join(" "),
        drawing: draw(&code),
    })
}

fn draw(code: &QrCode) -> Drawing {
    const QUIET: i32 = 4;
    let size = code.size();
    let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
    let dark = dark.filter(|(x, y)| code.get_module(*x, *y));
    let squares = dark.map(|(x, y)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET));
    Drawing {
        size: size + 2 * QUIET,
        path: squares.collect(),
    }
}

fn recovery_codes() -> Result<Vec<String>, WebError> {
    let code = |_| {
        let mut bytes = [0; LETTERS];
        getrandom::fill(&mut bytes).map_err(WebError::internal)?;
        let letters: Vec<char> = base32(&bytes)
            .to_lowercase()
            .chars()
            .take(LETTERS)
            .collect();
        let halves = letters
            .chunks(LETTERS / 2)
            .map(|half| half.iter().collect());
        Ok(halves.collect::<Vec<String>>().join("-"))
    };
    (0..CODES).map(code).collect()
}

/// Under the server's key: the journal alone does not let anybody try them out.
fn digest(desk: &Desk, name: &str, code: &str) -> String {
    let letters: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .flat_map(char::to_lowercase)
        .collect();
    let mac = desk
        .link_key
        .mac("recovery code", format!("{name} {letters}").as_bytes());
    hex(mac.iter())
}
