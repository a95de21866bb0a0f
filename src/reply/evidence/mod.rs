//! Files beside reports: taken in, given out.
//!
//! A file is on disk, whole and synced, before the fact that speaks of it; a refused one leaves
//! nothing. Whoever answers for an item sees its files by a link of their own.

pub(super) mod kind;

use axum::extract::{Path, State};
use axum::response::Response;

use super::Room;
use super::filled::Brought;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::evidence::{self, Evidence, FileHash, NotTaken, safe_name};
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::link::Link;
use crate::store::{Decision, Part};
use crate::web::download::download;
use crate::web::{Peer, WebError};

use super::accept::Fault;

/// `GET /r/{token}/evidence/{hash}`.
pub(super) async fn give(
    State(room): State<Room>,
    Path((token, hash)): Path<(String, String)>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&token, peer)?;
    let hash = FileHash::new(&hash).map_err(|_| WebError::NotFound)?;
    let found = {
        let book = room.desk.ledger.book();
        let mut own = book
            .obligations_of(&link.person, &link.plan, link.quarter)
            .flat_map(|(_, obligation)| obligation.shown());
        own.find(|filed| filed.evidence.sha256 == hash)
            .map(|filed| filed.evidence.clone())
    };
    download(&room.desk, &found.ok_or(WebError::NotFound)?).await
}

/// Puts what came with a form beside its items; says of each that was not taken why.
///
/// # Errors
/// [`WebError::NotFound`] for an item that is not this owner's.
pub(super) async fn take(
    desk: &Desk,
    link: &Link,
    files: Vec<Brought>,
) -> Result<Vec<Fault>, WebError> {
    let mut faults = Vec::new();
    for file in files {
        let (task, group) = file.place;
        let key = own_key(&desk.ledger.book(), link, file.place).ok_or(WebError::NotFound)?;
        if let Err(why) = take_one(desk, link, key, file.name.clone(), file.content).await {
            faults.push(Fault {
                task,
                group: Some(group),
                field: "evidence",
                message: refusal(&file.name, &why),
            });
        }
    }
    Ok(faults)
}

/// Takes a file away from an item.
///
/// # Errors
/// Where it is not this owner's, or is accepted already.
pub(super) async fn drop_one(
    desk: &Desk,
    link: &Link,
    place: (TaskNo, u8),
    hash: FileHash,
) -> Result<(), WebError> {
    let key = own_key(&desk.ledger.book(), link, place).ok_or(WebError::NotFound)?;
    let person = link.person.clone();
    let decide = move |book: &Book| evidence::remove(book, &key, &person, &hash).map(appended);
    match commit(desk, link, decide).await {
        Ok(()) => Ok(()),
        Err(NotTaken::Accepted) => {
            let message = "该项已审核通过，材料不能再移除。";
            Err(WebError::Conflict(message.into()))
        }
        Err(_) => Err(WebError::Unavailable),
    }
}

/// Why a file was not taken, for who brought it.
pub(super) fn refusal(name: &str, why: &NotTaken) -> String {
    let name = safe_name(name);
    match name.is_empty() {
        true => format!("所选文件{why}"),
        false => format!("“{name}”{why}"),
    }
}

async fn take_one(
    desk: &Desk,
    link: &Link,
    key: ObligationKey,
    name: String,
    content: Result<Part, NotTaken>,
) -> Result<(), NotTaken> {
    let part = content?;
    let (ledger, owner) = (desk.ledger.clone(), link.person.clone());
    let item = key.clone();
    // The room is looked at before the bytes are kept, and once more when the fact is appended.
    let kept = tokio::task::spawn_blocking(move || {
        let evidence = looked_at(&part, &name)?;
        evidence::add(&ledger.book(), &item, &owner, &evidence)?;
        part.keep().map_err(unavailable)?;
        Ok::<_, NotTaken>(evidence)
    });
    let evidence = kept.await.map_err(unavailable)??;
    let person = link.person.clone();
    let decide = move |book: &Book| evidence::add(book, &key, &person, &evidence).map(appended);
    commit(desk, link, decide).await
}

fn looked_at(part: &Part, name: &str) -> Result<Evidence, NotTaken> {
    let mut content = part.content();
    let kind = kind::of(&mut content).map_err(unavailable)??;
    Ok(Evidence {
        sha256: part.hash().map_err(unavailable)?,
        name: evidence::name_of(name, kind),
        kind,
        bytes: part.bytes(),
    })
}

fn own_key(book: &Book, link: &Link, (task, group): (TaskNo, u8)) -> Option<ObligationKey> {
    book.obligations_of(&link.person, &link.plan, link.quarter)
        .map(|(key, _)| key)
        .find(|key| (key.task, key.group) == (task, group))
        .cloned()
}

fn appended(fact: Option<Fact>) -> Decision<()> {
    Decision {
        facts: fact.into_iter().collect(),
        value: (),
    }
}

async fn commit(
    desk: &Desk,
    link: &Link,
    decide: impl FnOnce(&Book) -> Result<Decision<()>, NotTaken> + Send + 'static,
) -> Result<(), NotTaken> {
    let by = Actor::Owner(link.person.clone());
    let done = desk.ledger.commit(by, desk.clock.now(), decide).await;
    done.map_err(|error| error.refusal_or(NotTaken::Unavailable))
}

fn unavailable(error: impl std::fmt::Display) -> NotTaken {
    tracing::error!(%error, "a file could not be kept");
    NotTaken::Unavailable
}

#[cfg(test)]
mod tests;
