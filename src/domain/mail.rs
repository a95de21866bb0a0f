//! Mails that came in answer: what was taken of each, so that none counts twice and none is lost.

use super::evidence::Evidence;
use super::ids::{ObligationKey, PersonId};
use super::message::Thread;

/// A mail that was read, and what came of it.
#[derive(Clone, PartialEq, Eq)]
pub struct TakenMail {
    /// SHA-256 of its bytes in hex: names its file, and itself for ever.
    pub sha256: String,
    /// Its Message-ID, without brackets.
    pub message_id: Option<String>,
    /// Where it lay in the mailbox.
    pub place: Option<Place>,
    /// The address it came from; empty where it has none.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// What was written, as far as a person needs it to decide.
    pub text: String,
    /// Names of the files with it.
    pub files: Vec<String>,
    /// Those of them that do not stand beside its reports, each with why.
    pub unkept: Vec<(String, String)>,
    /// Where a coordinator has to look at it: those of them that can come to stand beside what the
    /// coordinator enters. Their bytes are on disk.
    pub kept: Vec<Evidence>,
    /// Whom and which quarter it is about, where that is known.
    pub thread: Option<Thread>,
    /// What came of it.
    pub outcome: MailOutcome,
    /// The receipt that was sent for it: the how-manieth of this person.
    pub receipt: Option<u32>,
}

/// A place in a mailbox (RFC 3501 2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// UIDVALIDITY: another one makes all earlier UIDs void.
    pub validity: u32,
    /// UID; they only grow.
    pub uid: u32,
}

/// What came of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailOutcome {
    /// It made these reports; `left` says whether a part of it waits for a coordinator.
    Reported {
        /// On what.
        items: Vec<ObligationKey>,
        /// Why a part was not understood, for the coordinator.
        left: Option<String>,
    },
    /// 已知悉, and no more.
    Acknowledged,
    /// It waits for a coordinator.
    Unclear {
        /// Why, for the coordinator.
        why: String,
    },
    /// A machine's answer: no word on any task.
    Automatic,
    /// What was sent to this person did not arrive.
    Bounced {
        /// Whose address.
        person: PersonId,
        /// The other server's words, masked.
        detail: String,
        /// Whether there is no such address; else it may work again.
        bad: bool,
    },
    /// Nothing of ours: an unknown sender, or the same mail again.
    Ignored,
}

impl TakenMail {
    /// Whether a coordinator has to look at it.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.outcome.waits()
    }
}

impl MailOutcome {
    /// Whether a coordinator has to look at such a mail.
    #[must_use]
    pub fn waits(&self) -> bool {
        match self {
            Self::Unclear { .. } => true,
            Self::Reported { left, .. } => left.is_some(),
            _ => false,
        }
    }
}

/// Addresses and words of people must not reach a log.
impl std::fmt::Debug for TakenMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TakenMail")
            .field("sha256", &self.sha256)
            .field("place", &self.place)
            .field("thread", &self.thread)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
