//! The book as it stood at a past moment, for every page and number of the board.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::Entry;
use crate::domain::ids::{PersonId, Position};
use crate::store::{JournalReader, StoreError};
use crate::web::{WebError, blocking};

/// The book at a moment.
pub struct View {
    /// None for the present one.
    past: Option<Arc<Book>>,
    at: DateTime<Utc>,
}

impl View {
    /// As it stood at `at`; the present one where no moment, or none in the past, is given.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub async fn open(desk: &Desk, at: Option<DateTime<Utc>>) -> Result<Self, WebError> {
        let now = desk.clock.now();
        let Some(at) = at.filter(|at| *at < now) else {
            return Ok(Self {
                past: None,
                at: now,
            });
        };
        let ledger = desk.ledger.clone();
        let folded = blocking(move || ledger.book_as_of(at)).await?;
        Ok(Self {
            past: Some(folded.map_err(WebError::internal)?),
            at,
        })
    }

    /// Asks a question of it, with its moment.
    pub fn ask<T>(&self, desk: &Desk, question: impl FnOnce(&Book, DateTime<Utc>) -> T) -> T {
        match &self.past {
            Some(book) => question(book, self.at),
            None => question(&desk.ledger.book(), self.at),
        }
    }
}

/// Asks a question of the book as it stood at `at`, with that moment; of the present one where no
/// moment, or none in the past, is given.
pub(super) async fn ask<T>(
    desk: &Desk,
    at: Option<DateTime<Utc>>,
    question: impl FnOnce(&Book, DateTime<Utc>) -> T,
) -> Result<T, WebError> {
    Ok(View::open(desk, at).await?.ask(desk, question))
}

/// The facts that concern these people, in order: those of each are known by their places, so that
/// a million others are not read. At most so many of the latest; and whether there are more.
pub(super) async fn facts_of(
    desk: &Desk,
    view: &View,
    people: &[PersonId],
    most: usize,
) -> Result<(Vec<Entry>, bool), WebError> {
    let mut places: Vec<Position> = view.ask(desk, |book, _| {
        let trails = people.iter().map(|person| book.trail(person));
        trails.flatten().copied().collect()
    });
    places.sort_unstable();
    places.dedup();
    let more = places.len() > most;
    places.drain(..places.len().saturating_sub(most));
    let reader = desk.ledger.reader();
    let entries = blocking(move || read(reader.as_ref(), &places)).await?;
    Ok((entries.map_err(WebError::internal)?, more))
}

/// Reads single facts; those that stand together in one go.
fn read(reader: &dyn JournalReader, places: &[Position]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::with_capacity(places.len());
    for run in places.chunk_by(|one, next| one + 1 == *next) {
        if let Some(first) = run.first() {
            entries.extend(reader.read(*first, run.len())?);
        }
    }
    Ok(entries)
}
