//! 已知悉: seen, and will report later.

use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::ObligationKey;
use crate::domain::link::Link;
use crate::domain::message::Thread;
use crate::store::Decision;
use crate::web::WebError;

/// Puts on record that this owner has seen all that is open; what they said so of before stays.
///
/// # Errors
/// Where nothing can be stored now.
pub(super) async fn acknowledge(desk: &Desk, link: &Link) -> Result<(), WebError> {
    let by = Actor::Owner(link.person.clone());
    let link = link.clone();
    let decide = move |book: &Book| {
        let obligations = unseen(book, &link);
        let fact = (!obligations.is_empty()).then(|| Fact::Acknowledged {
            obligations,
            person: link.person.clone(),
        });
        Ok::<_, WebError>(Decision {
            facts: fact.into_iter().collect(),
            value: (),
        })
    };
    Ok(desk.ledger.commit(by, desk.clock.now(), decide).await?)
}

/// What a person has open in a quarter, their own and what they fill in for others: a word by mail or
/// in the application says that all of it is seen.
pub(super) fn open(book: &Book, thread: &Thread, at: DateTime<Utc>) -> Vec<ObligationKey> {
    book.answerable(&thread.person, &thread.plan, thread.quarter, at)
        .into_iter()
        .filter(|one| one.obligation.is_open())
        .map(|one| one.key.clone())
        .collect()
}

/// What is open and was not said by this owner to be seen.
pub(super) fn unseen(book: &Book, link: &Link) -> Vec<ObligationKey> {
    book.obligations_of(&link.person, &link.plan, link.quarter)
        .filter(|(_, known)| known.is_open())
        .filter(|(_, known)| {
            let by = known.acknowledged.as_deref().map(|(_, person)| person);
            by != Some(&link.person)
        })
        .map(|(key, _)| key.clone())
        .collect()
}
