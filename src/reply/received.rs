//! "I have it": the page a test message leads to. Opening it says nothing, since programs that
//! look at links open them too; pressing the button does.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};

use super::Room;
use super::pages::Frame;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::link::{Link, bare};
use crate::domain::people::ChannelKind;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::{Peer, WebError};

/// `GET /r/{token}/received/{channel}`.
pub(super) async fn show(
    State(room): State<Room>,
    Path((token, channel)): Path<(String, String)>,
    peer: Peer,
) -> Result<Html<String>, WebError> {
    let link = room.open(&token, peer)?;
    let channel = read(&channel)?;
    let book = room.desk.ledger.book();
    let person = book.people.get(&link.person);
    let person = person.ok_or(WebError::UnknownLink)?;
    page(&ReceivedPage {
        frame: Frame::new(&room.desk, &room.desk.calendar()),
        action: format!("/r/{}/received/{channel}", bare(&token)),
        name: &person.name,
        unit: &person.unit,
        channel: channel.chinese(),
        done: is_confirmed(&book, &link, channel),
    })
}

/// `POST /r/{token}/received/{channel}`.
pub(super) async fn submit(
    State(room): State<Room>,
    Path((token, channel)): Path<(String, String)>,
    peer: Peer,
) -> Result<Redirect, WebError> {
    let link = room.open(&token, peer)?;
    let kind = read(&channel)?;
    room.admit(&link)?;
    let back = format!("/r/{}/received/{kind}", bare(&token));
    let by = Actor::Owner(link.person.clone());
    let decide = move |book: &Book| {
        let facts = match is_confirmed(book, &link, kind) {
            true => Vec::new(),
            false => vec![Fact::AddressConfirmed {
                person: link.person.clone(),
                channel: kind,
            }],
        };
        Ok::<_, WebError>(Decision { facts, value: () })
    };
    let now = room.desk.clock.now();
    room.desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to(&back))
}

fn read(channel: &str) -> Result<ChannelKind, WebError> {
    // A chat program may have taken the sentence's end into the address.
    let name = channel.trim_end_matches(|c: char| !c.is_ascii_lowercase());
    ChannelKind::from_name(name).ok_or(WebError::UnknownLink)
}

fn is_confirmed(book: &Book, link: &Link, channel: ChannelKind) -> bool {
    let address = book.addresses.get(&(link.person.clone(), channel));
    address.is_some_and(|address| address.confirmed.is_some())
}

#[derive(Template)]
#[template(path = "reply/templates/received.html", config = "src/web/askama.toml")]
struct ReceivedPage<'a> {
    frame: Frame<'a>,
    action: String,
    name: &'a str,
    unit: &'a str,
    channel: &'static str,
    done: bool,
}
