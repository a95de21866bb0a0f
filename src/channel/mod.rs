//! The ways out. A channel takes a [`Brief`], puts it into the form its peer wants, sends it, and
//! says what the answer means; it alone knows what that peer's answers mean.
//!
//! A channel never retries, never chooses what is sent, and keeps no message: that is the
//! outbox's. No secret and no full address is ever in what it says of a failure.
//!
//! Example: a robot that answers HTTP 200 with `errcode` 45009 has refused; the channel says "again,
//! after a minute's rest", and the outbox arranges that.

pub mod email;
pub mod ics;
pub mod mask;
pub mod pace;
pub mod render;
pub mod spool;
pub mod wecom_robot;

use std::future::Future;
use std::pin::Pin;

use chrono::TimeDelta;

use crate::domain::brief::Brief;
use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome};
use crate::domain::people::ChannelKind;

use pace::Pace;

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// For the journal.
    pub outcome: SendOutcome,
    /// How long this channel should send nothing at all, where the trouble is not the message's.
    pub rest: Option<TimeDelta>,
}

/// A future of a channel.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>;

/// A way out.
pub trait Channel: Send + Sync {
    /// Which way.
    fn kind(&self) -> ChannelKind;

    /// Its name in logs, metrics and on the board; tells several of one kind apart.
    fn name(&self) -> &str;

    /// How many messages it may have under way at once.
    fn sessions(&self) -> usize {
        1
    }

    /// How fast it may go.
    fn pace(&self) -> Pace {
        Pace::unlimited()
    }

    /// Whether it is there for the people of this unit.
    fn serves(&self, unit: &str) -> Serves {
        let _ = unit;
        Serves::Everyone
    }

    /// Makes one attempt. `nth` is the how-manieth for this message on this channel, from 1.
    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a>;

    /// Lets go of what it keeps open.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// For whom a channel is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// For this unit by name.
    ThisUnit,
    /// For everyone who has none of their own.
    Everyone,
    /// For others only.
    Others,
}

impl Attempted {
    /// The peer has it.
    #[must_use]
    pub fn sent(answer: &str) -> Self {
        Self {
            outcome: SendOutcome::Sent {
                answer: mask::told(answer),
            },
            rest: None,
        }
    }

    /// The peer may or may not have it.
    #[must_use]
    pub fn in_doubt(detail: &str) -> Self {
        Self {
            outcome: SendOutcome::InDoubt {
                detail: mask::told(detail),
            },
            rest: None,
        }
    }

    /// Nothing was delivered, for a reason that is this message's own.
    #[must_use]
    pub fn failed(reason: FailReason, next: Next, detail: &str) -> Self {
        Self {
            outcome: SendOutcome::Failed(Failure {
                reason,
                detail: mask::told(detail),
                next,
            }),
            rest: match next {
                Next::StopChannel { pause } => Some(pause),
                Next::Again { .. } | Next::NextChannel => None,
            },
        }
    }

    /// The same, and the whole channel rests.
    #[must_use]
    pub fn resting(mut self, rest: TimeDelta) -> Self {
        self.rest = Some(rest);
        self
    }
}
