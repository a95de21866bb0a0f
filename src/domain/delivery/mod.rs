//! What became of a message: attempts, outcomes, and what is done next.

mod doubt;
mod reason;
mod verdict;

#[cfg(test)]
mod tests;

use chrono::TimeDelta;

pub use doubt::{Doubt, Doubts, MOST_DOUBTS, after_crash, remembers, speaks_at};
pub use reason::FailReason;
pub use verdict::{Attempt, RetryPlan, Verdict, verdict};

/// What a channel says of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The peer has taken it. `answer` is its word (queue id), without secrets.
    Sent {
        /// The peer's answer.
        answer: String,
    },
    /// Nothing was delivered.
    Failed(Failure),
    /// The peer may or may not have it: a time-out after the final dot, a crash between intent
    /// and outcome.
    InDoubt {
        /// What happened, in words for the board.
        detail: String,
    },
}

/// A failed attempt, and what the channel advises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class, shared by metrics and board.
    pub reason: FailReason,
    /// The peer's words or ours, masked, for people.
    pub detail: String,
    /// What to do.
    pub next: Next,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try this channel again; not before `after`, where the peer or its rules name a time.
    Again {
        /// The least wait.
        after: Option<TimeDelta>,
    },
    /// This channel is of no use for this message: the next one, or the dead letters.
    NextChannel,
    /// The channel itself is unusable until a person mends it (credentials, robot removed): stop
    /// it for `pause`, try the next channel for this message.
    StopChannel {
        /// How long the channel rests before it is probed again.
        pause: TimeDelta,
    },
}
