//! Opening: the guards, then both copies read side by side, healed from each other where one is
//! damaged, and the book folded on the way (storage.md 3 and 4).

mod healing;
mod pass;
mod release;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use super::StoreError;
use super::files::{HeadNote, remove};
use super::guard::{self, Layout, ProbeCommand, Room};
use super::journal::SledJournal;
use super::mirror::Mirror;
use crate::clock::Clock;
use crate::domain::book::Book;
use healing::{Healing, finish_rewrite, try_open};
pub(super) use pass::Pass;
use release::name_release;
pub(super) use release::readable;
pub use report::{Healed, OpenReport};

/// What is needed to open a store.
#[derive(Debug, Clone)]
pub struct Opener {
    /// The store's folder.
    pub path: PathBuf,
    /// How to look first in a child process; none looks in this one.
    pub probe: Option<ProbeCommand>,
    /// Room wanted on the disk.
    pub room: Room,
    /// For the names of what is put aside.
    pub clock: Clock,
}

/// An open store.
pub(super) struct Opened {
    pub journal: SledJournal,
    pub book: Book,
    pub report: OpenReport,
}

/// Opens the store, healing what can be healed.
pub(super) fn open(opener: &Opener) -> Result<Opened, StoreError> {
    let begun = Instant::now();
    let layout = Layout::of(&opener.path);
    let lock = guard::lock(&layout)?;
    let fresh = guard::format(&layout)?;
    readable(&layout)?;
    finish_rewrite(&layout)?;
    let halves = guard::clear_half_snapshots(&layout.db)?;
    if halves > 0 {
        tracing::info!(halves, "removed half-written snapshots of the engine");
    }
    guard::room_to_open(&layout, &opener.room)?;
    let mut healing = Healing::begin(opener, &layout, fresh);
    let store = healing.first_look();
    remove(&layout.clean)?;
    let store = match store {
        Some(why) => Err(why),
        None => try_open(&layout.db)?,
    };
    let (trees, pass) = healing
        .settle(store)
        .map_err(|error| name_release(&layout, error))?;
    let mirror = Mirror::open(&layout.mirror, pass.walk.flaw.as_ref())?;
    let note = HeadNote::open(&layout.head)?;
    guard::lay_ballast(&layout, &opener.room);
    let report = OpenReport {
        facts: pass.walk.head,
        from_snapshot: pass.from_snapshot,
        caught_up: pass.caught_up,
        clean: healing.clean,
        healed: healing.healed,
        milestones: trees.milestones(),
        bytes: trees.size(),
        took: begun.elapsed(),
    };
    report.log();
    let journal = SledJournal::new(layout, lock, trees, (mirror, note), &pass, opener.room);
    Ok(Opened {
        journal,
        book: pass.book,
        report,
    })
}
