//! The sheet: out with everybody in it, and in again, with a look before it is stored.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Multipart, Path, Query, State};
use axum::response::{Html, Redirect, Response};
use serde::Deserialize;

use super::super::{Row, Sheet, changes, read_sheet, rows, template_xlsx};
use super::{SHEET, latest};
use crate::domain::access::Export;
use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::people::{ChannelKind, Contact, Person};
use crate::domain::plan::Severity;
use crate::plan::uploads::{Room, Upload};
use crate::store::Decision;
use crate::web::attachment::{self, Attachment};
use crate::web::audit::exported;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::mask::masked;
use crate::web::percent::encoded;
use crate::web::{Caller, WebError, blocking};

/// Lines of a list on the page.
const MOST: usize = 500;

/// `GET /settings/contacts/template.xlsx`: to fill in, with what is known.
pub(super) async fn template(
    State(room): State<Arc<Room>>,
    caller: Caller,
) -> Result<Response, WebError> {
    caller.writer()?;
    let (plan, bytes) = {
        let book = room.desk.ledger.book();
        let plan = latest(&book).ok_or(WebError::NotFound)?;
        let bytes = template_xlsx(&book, plan).map_err(WebError::internal)?;
        (plan.heading.title.clone(), bytes)
    };
    exported(&room.desk, &caller, Export::Contacts, &plan).await?;
    attachment::download(Attachment {
        name: "联系人表.xlsx".into(),
        plain_name: "contacts.xlsx".into(),
        kind: attachment::XLSX,
        bytes,
    })
}

/// `POST /settings/contacts/import`: keeps the file for a look.
pub(super) async fn take(
    State(room): State<Arc<Room>>,
    caller: Caller,
    parts: Multipart,
) -> Result<Redirect, WebError> {
    caller.writer()?;
    let Upload {
        csrf, name, bytes, ..
    } = Upload::read(parts, SHEET).await?;
    caller.check_csrf(&csrf)?;
    if bytes.is_empty() {
        return Ok(refused("请先选择联系人表文件。"));
    }
    let checked = bytes.clone();
    if let Err(error) = blocking(move || rows(&checked)).await? {
        return Ok(refused(&error.to_string()));
    }
    let hash = room.uploads.keep(bytes).await?;
    let name = encoded(&name);
    Ok(Redirect::to(&format!(
        "/settings/contacts/import/{hash}?name={name}"
    )))
}

fn refused(why: &str) -> Redirect {
    Redirect::to(&format!("/settings/contacts?fault={}", encoded(why)))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    name: String,
}

#[derive(Template)]
#[template(
    path = "plan/templates/contacts_look.html",
    config = "src/web/askama.toml"
)]
struct LookPage<'a> {
    frame: Frame<'a>,
    hash: &'a str,
    name: &'a str,
    changed: Vec<Change>,
    more: usize,
    stored: usize,
    same: usize,
    errors: Vec<String>,
    hints: Vec<String>,
}

/// What a row changes of a person, addresses masked.
struct Change {
    who: String,
    unit: String,
    lines: Vec<(&'static str, String, String)>,
}

/// `GET /settings/contacts/import/{hash}`.
pub(super) async fn look(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let rows = kept(&room, &hash).await?;
    let frame = Frame::new(&room.desk, &caller, "contacts");
    let book = room.desk.ledger.book();
    let (sheet, facts) = changed(&book, &rows);
    let told = |severity| {
        let faults = sheet.faults.iter();
        let of = faults.filter(move |fault| fault.severity == severity);
        of.take(MOST).map(ToString::to_string).collect()
    };
    let people = facts.iter().filter_map(|fact| match fact {
        Fact::ContactSet { contact } => Some(contact),
        _ => None,
    });
    page(&LookPage {
        hash: &hash,
        name: &asked.name,
        changed: people
            .take(MOST)
            .filter_map(|contact| change(&book, contact))
            .collect(),
        more: facts.len().saturating_sub(MOST),
        stored: facts.len(),
        same: sheet.contacts.len() - facts.len(),
        errors: told(Severity::Error),
        hints: told(Severity::Warning),
        frame,
    })
}

#[derive(Deserialize)]
pub(super) struct Accept {
    csrf: String,
}

/// `POST /settings/contacts/import/{hash}`.
pub(super) async fn store(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Form(form): Form<Accept>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let rows = kept(&room, &hash).await?;
    let decide = move |book: &Book| {
        let (_, facts) = changed(book, &rows);
        let value = facts.len();
        Ok(Decision { facts, value })
    };
    let now = room.desk.clock.now();
    let stored = room.desk.ledger.commit(by, now, decide).await?;
    (room.wake)();
    room.uploads.forget(hash).await?;
    Ok(Redirect::to(&format!(
        "/settings/contacts?imported={stored}"
    )))
}

async fn kept(room: &Room, hash: &str) -> Result<Vec<Row>, WebError> {
    let bytes = room.uploads.get(hash).await?;
    let rows = blocking(move || rows(&bytes)).await?;
    rows.map_err(|error| WebError::BadRequest(error.to_string()))
}

fn changed(book: &Book, rows: &[Row]) -> (Sheet, Vec<Fact>) {
    let people: Vec<&Person> = book.people.values().collect();
    let sheet = read_sheet(rows, &people);
    let facts = changes(book, &sheet.contacts);
    (sheet, facts)
}

fn change(book: &Book, new: &Contact) -> Option<Change> {
    let person = book.people.get(&new.person)?;
    let none = Contact::none(new.person.clone());
    let old = book.contacts.get(&new.person).unwrap_or(&none);
    let mut lines = Vec::new();
    let mut line = |name, old: Option<String>, new: Option<String>| {
        if old != new {
            lines.push((name, old.unwrap_or_default(), new.unwrap_or_default()));
        }
    };
    let hidden = |text: &Option<String>| text.as_deref().map(masked);
    // Two addresses may look alike once masked; that one changed is said all the same.
    let mut address = |name, old: &Option<String>, new: &Option<String>| {
        if old != new {
            line(
                name,
                hidden(old),
                hidden(new).map(|text| format!("{text}（新）")),
            );
        }
    };
    address("邮箱", &old.email, &new.email);
    address("手机", &old.mobile, &new.mobile);
    address("企业微信账号", &old.wecom_user, &new.wecom_user);
    line("职务", old.title.clone(), new.title.clone());
    line("渠道", ways(&old.channels), ways(&new.channels));
    line("备注", old.note.clone(), new.note.clone());
    Some(Change {
        who: person.name.clone(),
        unit: person.unit.clone(),
        lines,
    })
}

fn ways(channels: &[ChannelKind]) -> Option<String> {
    let names: Vec<&str> = channels.iter().map(|kind| kind.chinese()).collect();
    (!names.is_empty()).then(|| names.join("→"))
}
