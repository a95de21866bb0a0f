//! Messages that may or may not have arrived: what the office wants done about them, and for how long
//! a peer knows a repetition.

use chrono::{DateTime, TimeDelta, Utc};

use super::Verdict;
use crate::domain::people::ChannelKind;

/// What is done about a message that may or may not have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is sent again: better twice than not at all.
    Retry,
    /// It waits for a person: better a question than twice.
    Hold,
}

/// The rule of each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubts {
    /// A repeated mail collapses under its Message-ID.
    pub email: Doubt,
    /// A group chat shows everything twice.
    pub robot: Doubt,
    /// The platform's check for duplicates covers a few hours only.
    pub app: Doubt,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            email: Doubt::Retry,
            robot: Doubt::Hold,
            app: Doubt::Hold,
        }
    }
}

impl Doubts {
    pub(super) fn of(&self, channel: ChannelKind) -> Doubt {
        match channel {
            ChannelKind::Email => self.email,
            ChannelKind::WecomRobot => self.robot,
            ChannelKind::WecomApp => self.app,
            // A repeated file replaces itself.
            ChannelKind::Spool => Doubt::Retry,
        }
    }
}

/// Tries ending in doubt after which a message is not repeated by itself: a server that takes each copy and
/// never says so must not fill a mailbox.
pub const MOST_DOUBTS: u32 = 3;

/// Decides about a message whose attempt a crash cut off: the doubt is ours, so what may be repeated
/// is repeated at once. A mail however often, since the copies collapse; into a group not without
/// end; over the application, whatever the office says, while the peer knows it again. `first` is
/// when the first try that may have arrived began; `earlier` are the doubts before this one.
#[must_use]
pub fn after_crash(
    channel: ChannelKind,
    leg: u8,
    (first, earlier): (DateTime<Utc>, u32),
    doubts: &Doubts,
    now: DateTime<Utc>,
) -> Verdict {
    let collapses = matches!(channel, ChannelKind::Email | ChannelKind::Spool);
    let retry = doubts.of(channel) == Doubt::Retry && (collapses || earlier + 1 < MOST_DOUBTS);
    if retry || is_remembered(channel, first, now) {
        Verdict::Again { at: now, leg }
    } else {
        Verdict::Held
    }
}

/// The moment as of which a try speaks. A peer that knows a request again by its bytes gets, while
/// it remembers, the very words of the first try that may have arrived.
#[must_use]
pub fn speaks_at(
    channel: ChannelKind,
    begun: DateTime<Utc>,
    first_doubtful: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    first_doubtful
        .filter(|first| is_remembered(channel, *first, begun))
        .unwrap_or(begun)
}

/// For how long the peer delivers the same bytes only once, where it does.
#[must_use]
pub fn remembers(channel: ChannelKind) -> Option<TimeDelta> {
    match channel {
        // The most that the application can ask for.
        ChannelKind::WecomApp => Some(TimeDelta::hours(4)),
        ChannelKind::Email | ChannelKind::Spool | ChannelKind::WecomRobot => None,
    }
}

fn is_remembered(channel: ChannelKind, first: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let span = remembers(channel);
    span.is_some_and(|span| first <= now && now - first < span)
}
