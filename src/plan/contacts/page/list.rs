//! `GET /settings/contacts`: everybody, or those found by a few words.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

use super::{Room, latest};
use crate::domain::book::Book;
use crate::domain::people::{ChannelKind, Contact, Person};
use crate::domain::readiness::people_of;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::mask::masked;
use crate::web::{Caller, WebError};

/// Rows on a page; a search finds the others.
const MOST: usize = 300;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// Parts of a name, a unit or a role, apart by blanks.
    #[serde(default)]
    q: String,
    /// `none`: those without any address.
    #[serde(default)]
    only: String,
    /// Whose contact was stored just now.
    #[serde(default)]
    saved: String,
    /// How many an import changed.
    imported: Option<usize>,
    /// Why a sheet was not taken.
    #[serde(default)]
    fault: String,
}

#[derive(Template)]
#[template(path = "plan/templates/contacts.html", config = "src/web/askama.toml")]
struct ListPage<'a> {
    frame: Frame<'a>,
    q: &'a str,
    only_none: bool,
    saved: Option<String>,
    imported: Option<usize>,
    fault: &'a str,
    has_plan: bool,
    people: usize,
    without: usize,
    found: usize,
    rows: Vec<Line>,
}

struct Line {
    id: String,
    name: String,
    unit: String,
    roles: String,
    title: String,
    addresses: Vec<(&'static str, String)>,
    channels: String,
    note: String,
}

/// `GET /settings/contacts`.
pub(super) async fn show(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let frame = Frame::new(&room.desk, &caller, "contacts");
    let book = room.desk.ledger.book();
    let everybody = everybody(&book);
    let only_none = asked.only == "none";
    let words: Vec<&str> = asked.q.split_whitespace().collect();
    let is_without = |person: &Person| book.contact(&person.id).route().is_empty();
    let found: Vec<&Person> = everybody
        .iter()
        .copied()
        .filter(|person| words.iter().all(|word| has(person, word)))
        .filter(|person| !only_none || is_without(person))
        .collect();
    page(&ListPage {
        q: &asked.q,
        only_none,
        saved: everybody
            .iter()
            .find(|person| person.id.as_str() == asked.saved)
            .map(|person| person.name.clone()),
        imported: asked.imported,
        fault: &asked.fault,
        has_plan: !book.plans.is_empty(),
        people: everybody.len(),
        without: everybody.iter().filter(|person| is_without(person)).count(),
        found: found.len(),
        rows: found
            .iter()
            .take(MOST)
            .map(|person| line(person, book.contacts.get(&person.id)))
            .collect(),
        frame,
    })
}

/// The people of the latest plan in the order of its table, then those of no plan and of earlier
/// ones.
fn everybody(book: &Book) -> Vec<&Person> {
    let named = latest(book).map_or_else(Vec::new, |plan| people_of(book, plan));
    let known: std::collections::BTreeSet<_> = named.iter().map(|person| &person.id).collect();
    let others = book.people.values();
    let others: Vec<&Person> = others
        .filter(|person| !known.contains(&person.id))
        .collect();
    named.into_iter().chain(others).collect()
}

fn has(person: &Person, word: &str) -> bool {
    person.name.contains(word)
        || person.unit.contains(word)
        || person.roles.chinese().contains(word)
}

fn line(person: &Person, contact: Option<&Contact>) -> Line {
    let of = |field: fn(&Contact) -> &Option<String>| contact.and_then(|one| field(one).clone());
    let addresses = [
        ("邮箱", of(|contact| &contact.email)),
        ("手机", of(|contact| &contact.mobile)),
        ("企业微信", of(|contact| &contact.wecom_user)),
    ];
    let channels = contact.map_or(&[] as &[ChannelKind], |contact| &contact.channels);
    let channels: Vec<&str> = channels.iter().map(|kind| kind.chinese()).collect();
    Line {
        id: person.id.to_string(),
        name: person.name.clone(),
        unit: match person.unit.as_str() {
            "" => "市领导".into(),
            unit => unit.to_owned(),
        },
        roles: person.roles.chinese(),
        title: of(|contact| &contact.title).unwrap_or_default(),
        addresses: addresses
            .into_iter()
            .filter_map(|(name, address)| Some((name, masked(&address?))))
            .collect(),
        channels: channels.join("→"),
        note: of(|contact| &contact.note).unwrap_or_default(),
    }
}
