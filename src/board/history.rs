//! The book as it stood at a past moment.

use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::Entry;
use crate::domain::ids::Position;
use crate::store::{JournalReader, StoreError};
use crate::web::WebError;

/// Facts read at a time.
const PAGE: usize = 2000;

/// Folds the journal up to and with the last fact of `at` or before. After position `stepped_back`
/// the times do not go back. Blocks: not for a runtime's worker threads.
///
/// # Errors
/// Where the journal cannot be read, or does not fit together.
pub fn book_as_of(
    reader: &dyn JournalReader,
    stepped_back: Position,
    at: DateTime<Utc>,
) -> Result<Book, StoreError> {
    let mut book = Book::default();
    // Facts after the moment, kept while earlier ones may still follow: the clock was set back.
    let mut later: Vec<Entry> = Vec::new();
    loop {
        let read = later.last().map_or(book.position, |entry| entry.position);
        let page = reader.read(read + 1, PAGE)?;
        if page.is_empty() {
            return Ok(book);
        }
        for entry in page {
            if entry.at > at {
                if entry.position >= stepped_back {
                    return Ok(book);
                }
                later.push(entry);
                continue;
            }
            for entry in later.drain(..) {
                book.apply(&entry)?;
            }
            book.apply(&entry)?;
        }
    }
}

/// Asks a question of the book as it stood at `at`, with that moment; of the present one where no
/// moment, or none in the past, is given.
pub(super) async fn ask<T: Send + 'static>(
    desk: &Desk,
    at: Option<DateTime<Utc>>,
    question: impl FnOnce(&Book, DateTime<Utc>) -> T + Send + 'static,
) -> Result<T, WebError> {
    let now = desk.clock.now();
    let Some(at) = at.filter(|at| *at < now) else {
        return Ok(question(&desk.ledger.book(), now));
    };
    let reader = desk.ledger.reader();
    let stepped_back = desk.ledger.book().stepped_back;
    let folded = tokio::task::spawn_blocking(move || {
        book_as_of(reader.as_ref(), stepped_back, at).map(|book| question(&book, at))
    });
    folded
        .await
        .map_err(WebError::internal)?
        .map_err(WebError::internal)
}
