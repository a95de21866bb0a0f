//! What a mail from the mailbox means for the book: whom it is from, what it answers, what follows.
//!
//! A report is taken only where everything fits: the mail belongs to one reminder, its sender is
//! who that reminder went to or a colleague of the same group, our own server does not say that
//! the sender is forged, and the words are understood. Whatever does not fit waits for a
//! coordinator; nothing is dropped, nothing guessed, and nothing counts twice.

mod answered;
mod bounced;
mod receipt;
mod taken;
mod thread;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::mail::{Mail, MailKind};
use crate::domain::book::Book;
use crate::domain::evidence::{Evidence, NotTaken};
use crate::domain::fact::Fact;
use crate::domain::mail::{MailOutcome, Place};
use crate::domain::message::Thread;
use crate::rules::RuleSet;
use answered::answered;
use bounced::bounced;
use receipt::{receipt, thanks};
use taken::taken;
use thread::thread;

/// A mail from the mailbox.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// As read.
    pub mail: Mail,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Where it lay.
    pub place: Option<Place>,
    /// When it came there.
    pub arrived: Option<DateTime<Utc>>,
    /// Whether a mail counts only where our own server vouches for its sender.
    pub vouched: bool,
    /// Its files, looked at; those with a name of their own are on disk.
    pub files: Vec<Offered>,
}

/// A file of a mail.
#[derive(Debug, Clone)]
pub struct Offered {
    /// As the mail calls it.
    pub name: String,
    /// What it is, or why it cannot stand beside a report.
    pub file: Result<Evidence, NotTaken>,
}

/// The facts to append for a mail; none where it was taken before.
#[must_use]
pub fn decide(book: &Book, incoming: &Incoming, at: DateTime<Utc>, rules: &RuleSet) -> Vec<Fact> {
    if book.mail_names.contains_key(&incoming.sha256) {
        let is_further = |place: &Place| {
            let known = book
                .mailbox
                .filter(|known| known.validity == place.validity);
            known < Some(*place)
        };
        let again = incoming.place.filter(is_further);
        let ignored = again.map(|_| taken(incoming, Answer::nothing(MailOutcome::Ignored), None));
        return ignored.into_iter().collect();
    }
    let twice = |id: &String| book.mail_names.contains_key(id);
    let mut answer = match &incoming.mail.kind {
        _ if incoming.mail.id.as_ref().is_some_and(twice) => Answer::nothing(MailOutcome::Ignored),
        MailKind::Own => Answer::nothing(MailOutcome::Ignored),
        MailKind::Automatic(_) => Answer {
            thread: thread(book, &incoming.mail).ok().flatten(),
            ..Answer::nothing(MailOutcome::Automatic)
        },
        MailKind::Bounce(bounce) => bounced(book, &incoming.mail, bounce),
        MailKind::Answer | MailKind::Empty => answered(book, incoming, at, rules),
    };
    let receipt = receipt(book, &answer, at);
    let nth = receipt.as_ref().map(|(nth, _)| *nth);
    let (evidence, reports) = (
        std::mem::take(&mut answer.evidence),
        std::mem::take(&mut answer.reports),
    );
    let mut facts = vec![taken(incoming, answer, nth)];
    // Before the reports, which stand on them.
    facts.extend(evidence);
    facts.extend(reports);
    facts.extend(
        receipt
            .into_iter()
            .flat_map(|(_, message)| thanks(book, incoming, message)),
    );
    facts
}

/// What a mail comes to.
struct Answer {
    thread: Option<Thread>,
    outcome: MailOutcome,
    reports: Vec<Fact>,
    /// The files that come to stand beside the reports, and those that do not.
    evidence: Vec<Fact>,
    unkept: Vec<(String, String)>,
    /// Whether who wrote it is known well enough to write back.
    sure: bool,
}

impl Answer {
    fn nothing(outcome: MailOutcome) -> Self {
        Self {
            thread: None,
            outcome,
            reports: Vec::new(),
            evidence: Vec::new(),
            unkept: Vec::new(),
            sure: false,
        }
    }

    fn unclear(thread: Option<Thread>, why: impl Into<String>) -> Self {
        Self {
            thread,
            ..Self::nothing(MailOutcome::Unclear { why: why.into() })
        }
    }
}
