//! How an opening went: for log, metrics and `doctor`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::ids::Position;

/// How it went.
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Facts in the journal.
    pub facts: Position,
    /// Facts that the snapshot spared folding.
    pub from_snapshot: Position,
    /// Facts the engine lacked and got from the mirror; usual after a kill.
    pub caught_up: u64,
    /// Whether the last stop was in good order.
    pub clean: bool,
    /// What was damaged and is whole again: for log, metrics and `doctor`.
    pub healed: Vec<Healed>,
    /// Milestones with deadlines kept as records.
    pub milestones: usize,
    /// Bytes of the engine on disk.
    pub bytes: u64,
    /// Time it took.
    pub took: Duration,
}

/// Something that was damaged and is whole again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healed {
    /// The engine's data was made anew from the mirror.
    StoreRebuilt {
        /// What was wrong.
        why: String,
        /// Where the old data is kept.
        kept: PathBuf,
    },
    /// The mirror was written anew from the engine.
    MirrorRewritten {
        /// What was wrong.
        why: String,
        /// Where the old mirror is kept.
        kept: PathBuf,
    },
    /// The end of the mirror held bytes that no interrupted write leaves behind.
    TailCut {
        /// In which file, from which byte.
        place: String,
    },
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StoreRebuilt { why, kept } => write!(
                f,
                "存储已损坏（{why}），已按镜像重建；原数据保留在“{}”，确认无误后可删除，并请检查磁盘",
                kept.display()
            ),
            Self::MirrorRewritten { why, kept } => write!(
                f,
                "镜像已损坏（{why}），已按存储重写；原文件保留在“{}”，确认无误后可删除，并请检查磁盘",
                kept.display()
            ),
            Self::TailCut { place } => write!(
                f,
                "镜像末尾有无法识别的内容（{place}），已截去；若此前断过电属正常，否则请检查磁盘"
            ),
        }
    }
}

impl OpenReport {
    pub(super) fn log(&self) {
        for healed in &self.healed {
            tracing::error!(what = %healed, "the store was damaged and has been healed");
        }
        let (facts, caught_up) = (self.facts, self.caught_up);
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            facts,
            caught_up,
            clean = self.clean,
            took_ms,
            "the store is open"
        );
    }
}
