//! The ways out. A channel takes a [`Brief`], puts it into the form its peer wants, sends it, and
//! says what the answer means; it alone knows what that peer's answers mean.
//!
//! A channel never retries, never chooses what is sent, and keeps no message: that is the
//! outbox's. No secret and no full address is ever in what it says of a failure.
//!
//! Example: a robot that answers HTTP 200 with `errcode` 45009 has refused; the channel says "again,
//! after a minute's rest", and the outbox arranges that.

pub mod certificate;
pub mod email;
pub mod ics;
pub mod mask;
pub mod pace;
pub mod render;
pub mod spool;
pub mod wecom_app;
mod wecom_http;
pub mod wecom_robot;

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};

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
    /// What it came to know on the way, to be kept.
    pub learned: Vec<Learned>,
}

/// What a channel came to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learned {
    /// The addressee's account, looked up; none where the platform knows nobody by these.
    Account(Option<String>),
    /// The code by which the card that was sent can be changed, once.
    Card(String),
}

/// A future of a channel.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>;

/// A way out.
pub trait Channel: Send + Sync {
    /// Which way.
    fn kind(&self) -> ChannelKind;

    /// Its name in logs, metrics and on the board; tells several of one kind apart.
    fn name(&self) -> &str;

    /// What its peer counts by, such as a webhook's address: whoever comes after it with the same
    /// keeps its pace. Holds a secret, perhaps: only for comparing.
    fn peer(&self) -> &str {
        self.name()
    }

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

    /// How several messages share one call; none where each goes by itself.
    fn packing(&self) -> Option<&dyn Packing> {
        None
    }

    /// Changes cards that were sent before; none where it sends none.
    fn cards(&self) -> Option<&dyn Cards> {
        None
    }

    /// Makes one attempt. `nth` is the how-manieth for this message on this channel, from 1.
    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a>;

    /// Lets go of what it keeps open.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// A channel whose messages can be changed after they were sent.
pub trait Cards: Send + Sync {
    /// Shows on the card of this code what its addressee has said.
    fn settle<'a>(&'a self, code: &'a str, account: &'a str, shown: Shown<'a>) -> Settling<'a>;
}

/// What a card is changed to.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// All that it asked for has been answered, like this: a few characters.
    Answered(&'a str),
    /// It asks for what is still open.
    Open(&'a Brief),
}

/// A channel by which a member can be answered out of turn.
pub trait Voice: Send + Sync {
    /// Says this to the member of this account, the `nth` time; the peer delivers the same text
    /// once.
    fn say<'a>(
        &'a self,
        account: &'a str,
        text: &'a str,
        nth: u32,
        now: DateTime<Utc>,
    ) -> Sending<'a>;
}

/// What became of a change to a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It shows.
    Done,
    /// It cannot be changed any more.
    Failed(String),
    /// Another time.
    Later,
}

/// A future of a change to a card.
pub type Settling<'a> = Pin<Box<dyn Future<Output = Settled> + Send + 'a>>;

/// A channel whose peer counts calls: several people's messages share one, where they fit.
pub trait Packing: Send + Sync {
    /// What this message takes of a call; none where it goes alone.
    fn measure(&self, brief: &Brief) -> Option<Measure>;

    /// Makes one attempt for all of these, which were measured to fit together. What comes of it
    /// holds for each of them.
    fn send_together<'a>(&'a self, briefs: &'a [Brief], nth: u32) -> Sending<'a>;
}

/// What a message takes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Messages of the same kind may share a call.
    pub kind: String,
    /// Bytes of its own.
    pub bytes: usize,
    /// Bytes a call of this kind has for all its messages.
    pub room: usize,
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
            learned: Vec::new(),
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
            learned: Vec::new(),
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
            learned: Vec::new(),
        }
    }

    /// The same, with what was come to know on the way.
    #[must_use]
    pub fn having_learned(mut self, learned: impl IntoIterator<Item = Learned>) -> Self {
        self.learned.extend(learned);
        self
    }

    /// The same, and the whole channel rests.
    #[must_use]
    pub fn resting(mut self, rest: TimeDelta) -> Self {
        self.rest = Some(rest);
        self
    }
}
