//! What follows an attempt: again, the next channel, held, or given up.

use chrono::{DateTime, TimeDelta, Utc};

use super::doubt::{Doubt, Doubts, MOST_DOUBTS, remembers};
use super::{FailReason, Next, SendOutcome};
use crate::domain::people::ChannelKind;

/// What is decided after an attempt: the last word on the message, or when it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered to the peer.
    Done,
    /// Again at this time, over the channel at this index of the route.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Index into the message's route.
        leg: u8,
    },
    /// Given up: a dead letter, kept and shown.
    Dead,
    /// In doubt and held: a person or the next stage speaks. At once for robots, which cannot
    /// recognise a repetition; for mail after [`MOST_DOUBTS`] such tries.
    Held,
}

/// How retries are spaced (mail.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPlan {
    /// Waits before the second, third … try; the last one repeats.
    pub waits: Vec<TimeDelta>,
    /// Give up this long after the message was first due.
    pub give_up_after: TimeDelta,
    /// Share of the wait that the dice may add or take, in percent.
    pub jitter_percent: u8,
    /// What is done about doubts.
    pub doubts: Doubts,
}

impl Default for RetryPlan {
    fn default() -> Self {
        let minutes = [5, 15, 45, 120, 360, 720];
        Self {
            waits: minutes.into_iter().map(TimeDelta::minutes).collect(),
            give_up_after: TimeDelta::days(3),
            jitter_percent: 20,
            doubts: Doubts::default(),
        }
    }
}

/// One attempt, for the verdict on it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Tries on this leg so far, this one counted: 1 is the first.
    pub nth_on_leg: u32,
    /// How many of the earlier ones ended in doubt.
    pub doubts_on_leg: u32,
    /// Index of the channel in the route.
    pub leg: u8,
    /// Length of the route.
    pub legs: u8,
    /// Which channel.
    pub channel: ChannelKind,
    /// When the message was first due.
    pub due: DateTime<Utc>,
    /// When the word is wanted by: another channel is better than a later try.
    pub wanted_by: Option<DateTime<Utc>>,
    /// Now.
    pub now: DateTime<Utc>,
    /// A number in 0..=10_000, from outside: where in the jitter the wait falls.
    pub dice: u16,
}

/// Decides what follows an attempt.
#[must_use]
pub fn verdict(outcome: &SendOutcome, attempt: Attempt, plan: &RetryPlan) -> Verdict {
    match outcome {
        SendOutcome::Sent { .. } => Verdict::Done,
        SendOutcome::InDoubt { .. } => match plan.doubts.of(attempt.channel) {
            _ if attempt.doubts_on_leg + 1 >= MOST_DOUBTS => Verdict::Held,
            Doubt::Hold if remembers(attempt.channel).is_none() => Verdict::Held,
            Doubt::Hold | Doubt::Retry => again(attempt, plan, None),
        },
        SendOutcome::Failed(failure) => match failure.next {
            // A full mailbox is cured by its owner, who has to hear of it another way.
            Next::Again { after } if failure.reason == FailReason::MailboxFull => {
                next_leg(attempt).unwrap_or_else(|| again(attempt, plan, after))
            }
            Next::Again { after } => again(attempt, plan, after),
            Next::NextChannel => next_leg(attempt).unwrap_or(Verdict::Dead),
            // The channel is at fault, not the message: without another one it waits.
            Next::StopChannel { pause } => {
                next_leg(attempt).unwrap_or_else(|| again(attempt, plan, Some(pause)))
            }
        },
    }
}

fn again(attempt: Attempt, plan: &RetryPlan, least: Option<TimeDelta>) -> Verdict {
    let nth = usize::try_from(attempt.nth_on_leg).unwrap_or(usize::MAX);
    let wait = plan
        .waits
        .get(nth.saturating_sub(1))
        .or(plan.waits.last())
        .copied()
        .unwrap_or(TimeDelta::minutes(5));
    let wait = jittered(wait, plan.jitter_percent, attempt.dice);
    let at = attempt.now + least.map_or(wait, |least| least.max(wait));
    let stay = Verdict::Again {
        at,
        leg: attempt.leg,
    };
    // A message held back over a long holiday is old at its first try: age alone is no reason.
    if at > attempt.due + plan.give_up_after && nth >= plan.waits.len() {
        next_leg(attempt).unwrap_or(Verdict::Dead)
    } else if attempt.wanted_by.is_some_and(|by| at > by) {
        next_leg(attempt).unwrap_or(stay)
    } else {
        stay
    }
}

fn next_leg(attempt: Attempt) -> Option<Verdict> {
    (attempt.leg + 1 < attempt.legs).then_some(Verdict::Again {
        at: attempt.now,
        leg: attempt.leg + 1,
    })
}

fn jittered(wait: TimeDelta, percent: u8, dice: u16) -> TimeDelta {
    let span = wait.num_milliseconds() * i64::from(percent) / 100;
    let offset = 2 * span * i64::from(dice.min(10_000)) / 10_000 - span;
    wait + TimeDelta::milliseconds(offset)
}
