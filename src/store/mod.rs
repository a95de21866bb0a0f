//! The journal of facts and the queue, behind two narrow traits; and the ledger, the one door to
//! both: it decides on the book, appends durably, then answers.
//!
//! Only this room names a back end. Nothing outside may keep a second copy of a fact.
//!
//! Example: `ledger.commit(by, at, |book| …)` lets the closure look at the book as it stands, appends
//! the facts it gives, and answers once they are on disk.

pub mod backup;
pub mod backup_file;
mod files;
mod guard;
mod journal;
pub mod ledger;
mod link_key;
mod mark;
pub mod memory;
mod mirror;
mod open;
mod past;
mod record;
mod restore;
mod sled;
mod snapshot;
mod vault;
mod verify;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, Effect, Inconsistent, QueueKey};
use crate::domain::fact::Entry;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter};
use crate::domain::message::MessageKey;

pub use files::{make_folder, write_whole};
pub use guard::{PROBE_FAILED, ProbeCommand, Room, exists, free_in, probe, room_in};
pub use ledger::{CommitError, Decision, Health, Ledger};
pub use link_key::{LinkKey, link_key};
pub use mark::MarkFlaw;
pub use open::{Healed, OpenReport, Opener};
pub use restore::{Restored, restore};
pub use vault::{Part, Vault};
pub use verify::{VerifyReport, dump, verify};

/// A backup that could not be handed on.
pub(crate) fn unwritten(source: std::io::Error) -> StoreError {
    StoreError::Io {
        what: "备份".into(),
        source,
    }
}

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
    /// Another process has the folder: a daemon, mostly.
    #[error("存储目录“{}”正由另一个 cuiban 进程使用", .0.display())]
    InUse(PathBuf),
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

/// A fact and what follows from it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The fact.
    pub entry: Entry,
    /// What [`Book::apply`] says follows.
    pub effects: Vec<Effect>,
}

/// The append-only journal.
pub trait Journal: Send {
    /// Position of the last fact; 0 where there is none.
    fn head(&self) -> Position;

    /// Whether new facts may be appended now; cheap, asked before each group.
    ///
    /// # Errors
    /// Why not; the handle stays good, and reading goes on.
    fn ready(&mut self) -> Result<(), StoreError>;

    /// Appends all facts or none after `expected`, with what follows from them. When it returns
    /// they are durable.
    ///
    /// # Errors
    /// Nothing was acknowledged; after anything but [`StoreError::PositionTaken`] the handle must
    /// not be used again.
    fn append(&mut self, expected: Position, steps: &[Step]) -> Result<(), StoreError>;

    /// Hands what was appended to the machine, so that every copy survives a kill. Cheap; called a
    /// moment after an append.
    ///
    /// # Errors
    /// As for [`Self::append`].
    fn settle(&mut self) -> Result<(), StoreError>;

    /// Makes what was appended survive in every copy, so that the next start is quick. `book` is
    /// what follows from all of it.
    ///
    /// # Errors
    /// As for [`Self::append`].
    fn checkpoint(&mut self, book: &Book) -> Result<(), StoreError>;

    /// A handle for reading beside the writer.
    fn reader(&self) -> Arc<dyn JournalReader>;

    /// Ends in good order.
    ///
    /// # Errors
    /// Where the last checkpoint failed.
    fn close(self: Box<Self>, book: &Book) -> Result<(), StoreError>;
}

/// Reading, beside the writer. Calls block: not for a runtime's worker threads.
pub trait JournalReader: Drafts {
    /// Up to `most` entries from position `from` on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names what cannot be read.
    fn read(&self, from: Position, most: usize) -> Result<Vec<Entry>, StoreError>;

    /// Writes every fact, a line of JSON each with its place in the hash chain.
    ///
    /// # Errors
    /// Where something cannot be read or written; all before it has been written.
    fn dump(&self, to: &mut dyn Write) -> Result<Position, StoreError>;

    /// Reads and compares every copy, beside the writer.
    ///
    /// # Errors
    /// Where it cannot be looked at; what is wrong inside is in the report.
    fn verify(&self) -> Result<VerifyReport, StoreError>;
}

/// What people are writing and have not said yet. No facts: kept beside the journal, and lost with
/// the engine's own data where that has to be made anew. Calls block.
pub trait Drafts: Send + Sync {
    /// Keeps what a person has written on an item, in place of what was kept; none forgets it.
    /// It survives a kill.
    ///
    /// # Errors
    /// Where nothing can be stored now.
    fn keep(
        &self,
        person: &PersonId,
        drafts: &[(ObligationKey, Option<Vec<u8>>)],
    ) -> Result<(), StoreError>;

    /// What a person has written in a quarter of a plan.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn kept(
        &self,
        person: &PersonId,
        plan: &PlanId,
        quarter: Quarter,
    ) -> Result<Vec<(ObligationKey, Vec<u8>)>, StoreError>;

    /// Forgets all of the cases that are not `alive`; returns how many.
    ///
    /// # Errors
    /// Where it cannot be read or changed.
    fn forget(&self, alive: &dyn Fn(&PlanId, Quarter) -> bool) -> Result<usize, StoreError>;
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
