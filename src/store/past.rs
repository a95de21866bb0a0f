//! The book as it stood at a past moment: folded from the journal, and the last few kept, since who
//! looks at a moment opens several pages of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::{JournalReader, StoreError};
use crate::domain::book::Book;
use crate::domain::fact::Entry;
use crate::domain::ids::Position;

/// Facts read at a time.
const PAGE: usize = 2000;

/// So many books are kept, as long as they hold no more facts than this together: a kilobyte each.
const KEPT: usize = 4;
const KEPT_FACTS: Position = 200_000;

/// Whoever looks at a moment opens its next page within this time.
pub(super) const IDLE: Duration = Duration::from_secs(10 * 60);

/// The books asked for last, the latest first.
#[derive(Default)]
pub(super) struct Past {
    kept: Mutex<Vec<Kept>>,
}

/// A book, and the moments for which it is the right one.
struct Kept {
    book: Arc<Book>,
    used: Instant,
    from: DateTime<Utc>,
    /// No longer at this one.
    until: DateTime<Utc>,
    /// As it was when this was folded: if the clock is set back later, this is no longer right.
    stepped_back: Position,
    /// Whether a later moment may be reached from it by folding on.
    leads_on: bool,
}

impl Past {
    /// The book at a moment. One fold at a time: whoever asks for the same waits for it. Blocks.
    pub(super) fn book(
        &self,
        reader: &dyn JournalReader,
        stepped_back: Position,
        at: DateTime<Utc>,
    ) -> Result<Arc<Book>, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.stepped_back == stepped_back);
        if let Some(place) = kept.iter().position(|one| one.from <= at && at < one.until) {
            let mut found = kept.remove(place);
            found.used = Instant::now();
            let book = Arc::clone(&found.book);
            kept.insert(0, found);
            return Ok(book);
        }
        let earlier = kept.iter().filter(|one| one.leads_on && one.from <= at);
        let start = earlier.max_by_key(|one| one.book.position);
        let start = start.map(|one| (one.from, Book::clone(&one.book)));
        let (from, book) = start.unwrap_or((DateTime::UNIX_EPOCH, Book::default()));
        let folded = fold(reader, book, stepped_back, at)?;
        let just_then = at + TimeDelta::milliseconds(1);
        let (from, until) = match (folded.in_order, folded.next) {
            (true, Some(next)) => (folded.latest.map_or(from, |latest| latest.max(from)), next),
            (true, None) => (
                folded.latest.map_or(from, |latest| latest.max(from)),
                just_then,
            ),
            (false, _) => (at, just_then),
        };
        let book = Arc::new(folded.book);
        let one = Kept {
            book: Arc::clone(&book),
            used: Instant::now(),
            from,
            until,
            stepped_back,
            leads_on: folded.in_order,
        };
        kept.insert(0, one);
        let mut facts = 0;
        let mut count = 0;
        kept.retain(|one| {
            facts += one.book.position;
            count += 1;
            count == 1 || (count <= KEPT && facts <= KEPT_FACTS)
        });
        Ok(book)
    }

    /// Lets go what nobody has looked at for so long. Waits for nobody: who folds is looking.
    pub(super) fn tidy(&self, idle: Duration) {
        if let Ok(mut kept) = self.kept.try_lock() {
            kept.retain(|one| one.used.elapsed() < idle);
        }
    }
}

struct Folded {
    book: Book,
    /// The latest time of the facts folded now.
    latest: Option<DateTime<Utc>>,
    /// When the fact after them was appended, if there is one.
    next: Option<DateTime<Utc>>,
    /// Whether all facts up to here are in it, and none after.
    in_order: bool,
}

/// Folds the journal from `book` up to and with the last fact of `at` or before. After position
/// `stepped_back` the times do not go back. Blocks: not for a runtime's worker threads.
fn fold(
    reader: &dyn JournalReader,
    mut book: Book,
    stepped_back: Position,
    at: DateTime<Utc>,
) -> Result<Folded, StoreError> {
    // Facts after the moment, kept while earlier ones may still follow: the clock was set back.
    let mut later: Vec<Entry> = Vec::new();
    let mut latest = None;
    loop {
        let read = later.last().map_or(book.position, |entry| entry.position);
        let page = reader.read(read + 1, PAGE)?;
        if page.is_empty() {
            return Ok(Folded {
                book,
                latest,
                next: later.first().map(|entry| entry.at),
                in_order: later.is_empty(),
            });
        }
        for entry in page {
            if entry.at > at {
                if entry.position >= stepped_back {
                    return Ok(Folded {
                        book,
                        latest,
                        in_order: later.is_empty(),
                        next: Some(entry.at),
                    });
                }
                later.push(entry);
                continue;
            }
            for entry in later.drain(..) {
                latest = latest.max(Some(entry.at));
                book.apply(&entry)?;
            }
            latest = latest.max(Some(entry.at));
            book.apply(&entry)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fact::{Actor, Fact};
    use crate::store::memory::MemoryStore;
    use crate::store::{Journal as _, Step};

    /// A journal with a fact at each of these minutes.
    fn journal(minutes: &[i64]) -> (MemoryStore, Position) {
        let mut store = MemoryStore::default();
        let mut book = Book::default();
        for (place, minute) in (1..).zip(minutes) {
            let entry = Entry {
                position: place,
                at: DateTime::UNIX_EPOCH + TimeDelta::minutes(*minute),
                by: Actor::System,
                fact: Fact::AlarmRaised {
                    alarm: format!("a{place}"),
                    words: String::new(),
                },
            };
            book.apply(&entry).unwrap();
            let effects = Vec::new();
            store.append(place - 1, &[Step { entry, effects }]).unwrap();
        }
        (store, book.stepped_back)
    }

    proptest! {
        #[test]
        fn a_kept_book_is_the_one_that_is_folded_anew(
            minutes in prop::collection::vec(0_i64..40, 1..30),
            in_order in any::<bool>(),
            asked in prop::collection::vec(0_i64..45, 1..20),
        ) {
            let mut minutes = minutes;
            if in_order {
                minutes.sort_unstable();
            }
            let (store, stepped_back) = journal(&minutes);
            let past = Past::default();
            let reader = store.reader();
            for minute in asked {
                let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
                let kept = past.book(reader.as_ref(), stepped_back, at).unwrap();
                let anew = fold(reader.as_ref(), Book::default(), stepped_back, at).unwrap().book;
                prop_assert!(*kept == anew, "{minutes:?} at {minute}");
                let held = past.kept.lock().unwrap().len();
                prop_assert!(held <= KEPT);
            }
        }
    }

    #[test]
    fn a_book_that_nobody_looks_at_is_let_go() {
        let (store, stepped_back) = journal(&[1, 2, 3]);
        let (past, reader) = (Past::default(), store.reader());
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(2);
        let first = past.book(reader.as_ref(), stepped_back, at).unwrap();
        past.tidy(IDLE);
        let again = past.book(reader.as_ref(), stepped_back, at).unwrap();
        assert!(Arc::ptr_eq(&first, &again), "still looked at");
        past.tidy(Duration::ZERO);
        assert!(past.kept.lock().unwrap().is_empty());
    }
}
