//! `/settings/contacts/edit`: one person's contact, by the same rules as a row of the sheet.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::super::rows::Row;
use super::super::{Column, changes, read_sheet};
use super::Room;
use crate::domain::access::Page;
use crate::domain::book::Book;
use crate::domain::ids::PersonId;
use crate::domain::people::{ChannelKind, Contact, Person};
use crate::domain::plan::Severity;
use crate::store::Decision;
use crate::web::audit::viewed;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// Ways a form can name, one after the other.
const WAYS: usize = 3;

#[derive(Deserialize)]
pub(super) struct Asked {
    person: String,
}

/// What the form brings; as it was typed.
#[derive(Deserialize, Clone, Default)]
pub(super) struct Typed {
    #[serde(default)]
    csrf: String,
    person: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    mobile: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    wecom_user: String,
    #[serde(default)]
    way1: String,
    #[serde(default)]
    way2: String,
    #[serde(default)]
    way3: String,
    #[serde(default)]
    note: String,
}

#[derive(Template)]
#[template(path = "plan/templates/contact.html", config = "src/web/askama.toml")]
struct EditPage<'a> {
    frame: Frame<'a>,
    id: String,
    name: String,
    unit: String,
    roles: String,
    typed: Typed,
    ways: [Vec<Way>; WAYS],
    /// Each with the column it is about.
    faults: Vec<(String, String)>,
    can_test: bool,
}

struct Way {
    name: &'static str,
    label: &'static str,
    chosen: bool,
}

/// `GET /settings/contacts/edit?person=`.
pub(super) async fn show(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.writer()?;
    let (person, contact) = find(&room, &asked.person)?;
    viewed(&room.desk, &caller, Page::Contacts, person.id.as_str());
    form(&room, &caller, &person, typed(&contact), Vec::new())
}

/// `POST /settings/contacts/edit`.
pub(super) async fn submit(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Form(said): Form<Typed>,
) -> Result<Response, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&said.csrf)?;
    let (person, _) = find(&room, &said.person)?;
    let contact = match contact(&person, &said) {
        Ok(contact) => contact,
        Err(faults) => {
            let mut response = form(&room, &caller, &person, said, faults)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
    };
    let decide = move |book: &Book| {
        Ok(Decision {
            facts: changes(book, &[contact]),
            value: (),
        })
    };
    let now = room.desk.clock.now();
    room.desk.ledger.commit(by, now, decide).await?;
    (room.wake)();
    let to = format!("/settings/contacts?saved={}", person.id);
    Ok(Redirect::to(&to).into_response())
}

fn find(room: &Room, id: &str) -> Result<(Person, Contact), WebError> {
    let id = PersonId::new(id).map_err(|_| WebError::NotFound)?;
    let book = room.desk.ledger.book();
    let person = book.people.get(&id).cloned().ok_or(WebError::NotFound)?;
    let contact = book.contacts.get(&id).cloned();
    Ok((person, contact.unwrap_or(Contact::none(id))))
}

/// As a sheet of one row: what is a fault there is one here.
fn contact(person: &Person, typed: &Typed) -> Result<Contact, Vec<(String, String)>> {
    let ways = [&typed.way1, &typed.way2, &typed.way3].map(|way| way.trim());
    let ways: Vec<&str> = ways.into_iter().filter(|way| !way.is_empty()).collect();
    let cells = Column::ALL.map(|column| match column {
        Column::Name => person.name.clone(),
        Column::Unit => person.unit.clone(),
        Column::Title => typed.title.clone(),
        Column::Mobile => typed.mobile.clone(),
        Column::Email => typed.email.clone(),
        Column::WecomUser => typed.wecom_user.clone(),
        Column::Channels => ways.join(","),
        Column::Note => typed.note.clone(),
    });
    let rows = [
        Row {
            number: 1,
            cells: Column::ALL.map(|one| one.heading().to_owned()).into(),
        },
        Row {
            number: 2,
            cells: cells.into(),
        },
    ];
    let mut read = read_sheet(&rows, &[person]);
    match read.contacts.pop() {
        Some(contact) if !read.has_errors() => Ok(contact),
        _ => {
            let errors = read.faults.into_iter();
            let errors = errors.filter(|fault| fault.severity == Severity::Error);
            let told = |column: Option<Column>| {
                column.map_or(String::new(), |column| column.heading().to_owned())
            };
            Err(errors
                .map(|fault| (told(fault.column), fault.message))
                .collect())
        }
    }
}

fn typed(contact: &Contact) -> Typed {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let way = |at: usize| {
        let way = contact.channels.get(at);
        way.map_or(String::new(), |way| way.as_str().to_owned())
    };
    Typed {
        csrf: String::new(),
        person: contact.person.to_string(),
        title: text(&contact.title),
        mobile: text(&contact.mobile),
        email: text(&contact.email),
        wecom_user: text(&contact.wecom_user),
        way1: way(0),
        way2: way(1),
        way3: way(2),
        note: text(&contact.note),
    }
}

fn form(
    room: &Room,
    caller: &Caller,
    person: &Person,
    typed: Typed,
    faults: Vec<(String, String)>,
) -> Result<Response, WebError> {
    let frame = Frame::new(&room.desk, caller, "contacts");
    let can_test = !room
        .desk
        .ledger
        .book()
        .contact(&person.id)
        .route()
        .is_empty();
    let ways = [&typed.way1, &typed.way2, &typed.way3].map(|chosen| {
        ChannelKind::ALL
            .into_iter()
            .map(|kind| Way {
                name: kind.as_str(),
                label: kind.chinese(),
                chosen: kind.as_str() == chosen.as_str(),
            })
            .collect()
    });
    let html = page(&EditPage {
        id: person.id.to_string(),
        name: person.name.clone(),
        unit: person.unit.clone(),
        roles: person.roles.chinese(),
        ways,
        typed,
        faults,
        can_test,
        frame,
    })?;
    Ok(html.into_response())
}
