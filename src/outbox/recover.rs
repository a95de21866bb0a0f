//! What a crash, a stopped channel or a restart leaves behind.

use std::convert::Infallible;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::fleet::Fleet;
use super::{Outbox, lane, waiting};
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::delivery::{self, FailReason, Failure, Next, SendOutcome, Verdict};
use crate::domain::fact::{Actor, DeferWhy, Fact};
use crate::store::Decision;

impl Outbox {
    /// Decides about every intent without an outcome; only while nobody is sending. False where
    /// the store would not have it.
    pub(super) async fn recover(&self) -> bool {
        let now = self.clock.now();
        let doubts = self.fleet.now().terms.retry.doubts;
        let decide = move |book: &Book| {
            let facts: Vec<Fact> = book
                .in_doubt()
                .filter_map(|delivery| {
                    let DeliveryState::Sending { since, channel, .. } = delivery.state else {
                        return None;
                    };
                    let first = delivery.doubtful_since.unwrap_or(since);
                    Some(Fact::SendConcluded {
                        key: delivery.message.key.clone(),
                        outcome: SendOutcome::InDoubt {
                            detail: "发送过程中程序中断，不能确定是否已送达".into(),
                        },
                        verdict: delivery::after_crash(
                            channel,
                            delivery.leg,
                            (first, delivery.doubts_on_leg),
                            &doubts,
                            now,
                        ),
                    })
                })
                .collect();
            let value = facts.len();
            Ok::<_, Infallible>(Decision { facts, value })
        };
        match self.ledger.commit(Actor::System, now, decide).await {
            Ok(0) => true,
            Ok(count) => {
                tracing::warn!(count, "messages were in doubt after an interruption");
                true
            }
            Err(_) => false,
        }
    }

    /// Sends what waits for a dead channel its next way, where it has one.
    pub(super) async fn pass_on(&self, now: DateTime<Utc>) {
        let fleet = self.fleet.now();
        for (index, lane) in fleet.each() {
            let Some(rest) = lane.dead(now) else {
                continue;
            };
            if !has_to_pass_on(&fleet, &self.ledger.book(), index, now) {
                continue;
            }
            let fleet = Arc::clone(&fleet);
            let decide = move |book: &Book| {
                let mut facts = Vec::new();
                for delivery in stranded(&fleet, book, index, now) {
                    let channel = delivery.message.route.get(usize::from(delivery.leg));
                    let Some(channel) = channel else { continue };
                    facts.push(Fact::SendIntended {
                        key: delivery.message.key.clone(),
                        leg: delivery.leg,
                        channel: *channel,
                        items: Vec::new(),
                    });
                    facts.push(Fact::SendConcluded {
                        key: delivery.message.key.clone(),
                        outcome: SendOutcome::Failed(Failure {
                            reason: rest.reason,
                            detail: rest.detail.clone(),
                            next: Next::NextChannel,
                        }),
                        verdict: Verdict::Again {
                            at: now,
                            leg: delivery.leg + 1,
                        },
                    });
                }
                Ok::<_, Infallible>(Decision { facts, value: () })
            };
            // What the store does not take now is looked at again with the next step.
            let _ = self.ledger.commit(Actor::System, now, decide).await;
        }
    }

    /// Whatever waits since its channel did not work waits no longer: somebody has mended it.
    pub(super) async fn try_at_once(&self) {
        let now = self.clock.now();
        let decide = move |book: &Book| {
            let held_up = book
                .queue
                .iter()
                .filter(|((_, until, _), _)| *until > now)
                .filter_map(|(_, key)| book.messages.get(key))
                .filter(|delivery| is_channels_fault(delivery));
            let facts = held_up.map(|delivery| Fact::MessageDeferred {
                key: delivery.message.key.clone(),
                until: now,
                why: DeferWhy::ChannelResting,
            });
            let facts = facts.collect();
            Ok::<_, Infallible>(Decision { facts, value: () })
        };
        // What the store does not take now waits as long as it would have.
        let _ = self.ledger.commit(Actor::System, now, decide).await;
    }

    /// Counts what left in the last minutes, so that a restart does not break a robot's pace, nor
    /// a robot that is configured again.
    pub(super) fn recall_pace(&self, fleet: &Fleet) {
        let since = self.clock.now() - TimeDelta::hours(1);
        let book = self.ledger.book();
        let mut recent: Vec<(DateTime<Utc>, usize)> = book
            .messages
            .values()
            .filter_map(|delivery| {
                let (at, kind) = match &delivery.state {
                    DeliveryState::Sent { at, channel, .. } => (*at, *channel),
                    DeliveryState::Sending { since, channel, .. } => (*since, *channel),
                    _ => {
                        let trouble = delivery.last_trouble.as_ref()?;
                        (trouble.at, trouble.channel)
                    }
                };
                let mut of_kind = fleet.each().filter(|(_, lane)| lane.channel.kind() == kind);
                let lane =
                    of_kind.find(|(index, _)| lane::belongs(&fleet.lanes, &book, delivery, *index));
                (at > since).then_some((at, lane?.0))
            })
            .collect();
        recent.sort_unstable();
        // Those that shared a call were written down in one step.
        recent.dedup_by(|later, first| {
            let lane = fleet.lane(first.1);
            later == first && lane.is_some_and(|lane| lane.channel.packing().is_some())
        });
        for (at, lane) in recent {
            // A successor counts on by itself.
            if let Some(lane) = fleet.lane(lane).filter(|lane| lane.is_new) {
                lane.recall(at);
            }
        }
    }
}

/// Whether something waits for a dead channel that has another way.
pub(super) fn has_to_pass_on(fleet: &Fleet, book: &Book, index: usize, now: DateTime<Utc>) -> bool {
    let dead = fleet
        .lane(index)
        .is_some_and(|lane| lane.dead(now).is_some());
    dead && stranded(fleet, book, index, now).next().is_some()
}

/// What waits for this lane and has another way: due, or tried here in vain.
fn stranded<'a>(
    fleet: &'a Fleet,
    book: &'a Book,
    index: usize,
    now: DateTime<Utc>,
) -> impl Iterator<Item = &'a Delivery> + 'a {
    let again = move |delivery: &&Delivery| delivery.tries_on_leg > 0;
    let waiting =
        waiting(fleet, book, index, DateTime::<Utc>::MAX_UTC).filter(
            move |delivery| match delivery.state {
                DeliveryState::Waiting { until } => until <= now || again(delivery),
                _ => false,
            },
        );
    waiting.filter(|delivery| !last_leg(delivery))
}

/// Whether it waits since the channel it is to go by now did not work.
fn is_channels_fault(delivery: &Delivery) -> bool {
    let channel = delivery.message.route.get(usize::from(delivery.leg));
    let trouble = delivery.last_trouble.as_ref();
    trouble.is_some_and(|trouble| {
        let reason = trouble.reason;
        Some(&trouble.channel) == channel
            && delivery.tries_on_leg > 0
            && matches!(
                reason,
                Some(
                    FailReason::Credentials
                        | FailReason::Unreachable
                        | FailReason::Timeout
                        | FailReason::UnreadableAnswer
                )
            )
    })
}

fn last_leg(delivery: &Delivery) -> bool {
    usize::from(delivery.leg) + 1 >= delivery.message.route.len()
}
