//! Tokens of other systems: `Authorization: Bearer cuiban_<id>_<secret>`.
//!
//! The secret is 32 random bytes, so its SHA-256 is kept and nothing slower is needed. A request
//! that brings a token is judged by it alone, whatever cookie stands beside it.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::{Caller, WebError};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::hex::hex;
use crate::domain::link::same;
use crate::domain::token::Token;
use crate::store::Decision;

/// So that whoever looks for secrets in files knows one when they see it.
const MARK: &str = "cuiban_";
/// A use is put on record this often at the most.
const ONE_USE: TimeDelta = TimeDelta::hours(1);
/// Longer ones are not looked at.
const LONGEST: usize = 200;

/// A token that was just made, to be shown once.
#[derive(Debug)]
pub struct Made {
    /// The part by which it is found.
    pub id: String,
    /// The whole.
    pub text: String,
    /// What is kept of its secret.
    pub sha256: String,
}

/// Makes a token.
///
/// # Errors
/// Where the system gives no randomness.
pub fn make() -> Result<Made, WebError> {
    let (mut id, mut secret) = ([0; 5], [0; 32]);
    getrandom::fill(&mut id).map_err(WebError::internal)?;
    getrandom::fill(&mut secret).map_err(WebError::internal)?;
    let (id, secret) = (hex(id.iter()), URL_SAFE_NO_PAD.encode(secret));
    Ok(Made {
        text: format!("{MARK}{id}_{secret}"),
        sha256: digest(&secret),
        id,
    })
}

/// As whom a request's token calls; none where it opens nothing.
#[must_use]
pub fn find(desk: &Desk, headers: &HeaderMap) -> Option<Caller> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let now = desk.clock.now();
    let token = {
        let book = desk.ledger.book();
        check(&book, text.trim(), now)?.clone()
    };
    if is_new_use(&token, now) {
        note(desk, token.id.clone(), now);
    }
    Some(Caller::Token {
        name: token.name,
        scopes: token.scopes,
        sight: token.sight,
    })
}

fn check<'a>(book: &'a Book, text: &str, now: DateTime<Utc>) -> Option<&'a Token> {
    if text.len() > LONGEST {
        return None;
    }
    let (id, secret) = text.strip_prefix(MARK)?.split_once('_')?;
    let token = book.tokens.get(id)?;
    let right = same(digest(secret).as_bytes(), token.sha256.as_bytes());
    (right && token.works(now)).then_some(token)
}

fn is_new_use(token: &Token, now: DateTime<Utc>) -> bool {
    token.used.is_none_or(|used| now - used >= ONE_USE)
}

/// Beside the answer: that a token was used must not make it wait.
fn note(desk: &Desk, id: String, now: DateTime<Utc>) {
    let ledger = desk.ledger.clone();
    tokio::spawn(async move {
        let decide = move |book: &Book| {
            let known = book.tokens.get(&id);
            let new = known.is_some_and(|token| is_new_use(token, now));
            let facts = match new {
                true => vec![Fact::TokenUsed { id }],
                false => Vec::new(),
            };
            Ok::<_, std::convert::Infallible>(Decision { facts, value: () })
        };
        if let Err(error) = ledger.commit(Actor::System, now, decide).await {
            tracing::warn!(%error, "the use of a token was not put on record");
        }
    });
}

fn digest(secret: &str) -> String {
    hex(Sha256::digest(secret.as_bytes()).iter())
}
