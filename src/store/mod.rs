//! The journal of facts and the queue, behind two narrow traits; and the ledger, the one door to
//! both: it decides on the book, appends durably, then answers.
//!
//! Only this room names a back end. Nothing outside may keep a second copy of a fact.

pub mod ledger;
pub mod memory;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::book::{Effect, Inconsistent, QueueKey};
use crate::domain::fact::Entry;
use crate::domain::ids::Position;
use crate::domain::message::MessageKey;

pub use ledger::{CommitError, Decision, Health, Ledger};

/// What went wrong with the store, in words for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else appended first.
    #[error("第{expected}号之后已有其他记录写入")]
    PositionTaken {
        /// The position the caller had seen.
        expected: Position,
    },
    /// The disk or the file system said no.
    #[error("读写“{what}”时出错")]
    Io {
        /// File or step.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is stored cannot be read.
    #[error("存储中的“{what}”已损坏：{detail}")]
    Corrupt {
        /// File, tree or record.
        what: String,
        /// In what way.
        detail: String,
    },
    /// The folder is not one this program may open; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// A fact does not fit the ones before it.
    #[error("记录前后不一致")]
    Inconsistent(#[from] Inconsistent),
    /// The back end said something unexpected.
    #[error("存储引擎出错：{0}")]
    Engine(String),
}

/// The append-only journal.
pub trait Journal: Send {
    /// Position of the last fact; 0 where there is none.
    fn head(&self) -> Position;

    /// Appends all entries or none after `expected`, with what follows from them. When it returns
    /// they are durable.
    ///
    /// # Errors
    /// Nothing was acknowledged; after anything but [`StoreError::PositionTaken`] the handle must
    /// not be used again.
    fn append(
        &mut self,
        expected: Position,
        entries: &[Entry],
        effects: &[Effect],
    ) -> Result<(), StoreError>;

    /// Makes what was appended survive in every copy, so that the next start is quick.
    ///
    /// # Errors
    /// As for [`Self::append`].
    fn checkpoint(&mut self) -> Result<(), StoreError>;

    /// A handle for reading beside the writer.
    fn reader(&self) -> Arc<dyn JournalReader>;

    /// Ends in good order.
    ///
    /// # Errors
    /// Where the last checkpoint failed.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// Reading, beside the writer. Calls block: not for a runtime's worker threads.
pub trait JournalReader: Send + Sync {
    /// Up to `most` entries from position `from` on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names what cannot be read.
    fn read(&self, from: Position, most: usize) -> Result<Vec<Entry>, StoreError>;
}

/// The stored queue: what waits, by time. It follows from the facts and changes with them.
pub trait Queue {
    /// What waits until `until`, at most `most`, in order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names what cannot be read.
    fn waiting(
        &self,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(QueueKey, MessageKey)>, StoreError>;
}
