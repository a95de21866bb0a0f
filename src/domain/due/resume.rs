//! Going on after a restore: what the lost server may have sent since its last backup is not sent
//! again.

use chrono::{DateTime, Utc};

use super::{World, pass};
use crate::domain::book::DeliveryState;
use crate::domain::fact::{Fact, WithdrawWhy};
use crate::domain::message::MessageKey;

/// The facts by which it goes on: what would have been decided until `not_before` is decided now,
/// so that no later pass decides it, and no message of then leaves.
///
/// A person may have got each of these messages or not; who is in doubt asks, or urges.
#[must_use]
pub fn resume(world: &World<'_>, not_before: DateTime<Utc>) -> Vec<Fact> {
    let mut facts = vec![Fact::SendingResumed { not_before }];
    let missed = pass(world, not_before);
    let queued = missed.iter().filter_map(|fact| match fact {
        Fact::MessageQueued { message } => Some(message.key.clone()),
        _ => None,
    });
    let waiting = world.book.messages.values().filter(|delivery| {
        matches!(delivery.state, DeliveryState::Waiting { until } if until <= not_before)
    });
    let waiting = waiting.map(|delivery| delivery.message.key.clone());
    let given_up: Vec<MessageKey> = queued.chain(waiting).collect();
    facts.extend(missed);
    facts.extend(given_up.into_iter().map(|key| Fact::MessageWithdrawn {
        key,
        why: WithdrawWhy::Restored,
    }));
    facts
}
