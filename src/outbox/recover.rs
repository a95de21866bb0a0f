//! What a crash, a stopped channel or a restart leaves behind.

use std::convert::Infallible;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Outbox, lane};
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::delivery::{self, Failure, Next, SendOutcome, Verdict};
use crate::domain::fact::{Actor, Fact};
use crate::store::Decision;

impl Outbox {
    /// Decides about every intent without an outcome; only while nobody is sending. False where
    /// the store would not have it.
    pub(super) async fn recover(&self) -> bool {
        let now = self.clock.now();
        let doubts = self.terms.retry.doubts;
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
    pub(super) async fn pass_on(self: &Arc<Self>, now: DateTime<Utc>) {
        for (index, lane) in self.lanes.iter().enumerate() {
            let Some(rest) = lane.dead(now) else {
                continue;
            };
            if !self.has_to_pass_on(&self.ledger.book(), index, now) {
                continue;
            }
            let this = Arc::clone(self);
            let decide = move |book: &Book| {
                let mut facts = Vec::new();
                for delivery in this.stranded(book, index, now) {
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

    /// Whether something waits for a dead channel that has another way.
    pub(super) fn has_to_pass_on(&self, book: &Book, index: usize, now: DateTime<Utc>) -> bool {
        let dead = self
            .lanes
            .get(index)
            .is_some_and(|lane| lane.dead(now).is_some());
        dead && self.stranded(book, index, now).next().is_some()
    }

    /// What waits for this lane and has another way: due, or tried here in vain.
    fn stranded<'a>(
        &'a self,
        book: &'a Book,
        index: usize,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a Delivery> + 'a {
        let again = move |delivery: &&Delivery| delivery.tries_on_leg > 0;
        let waiting = self
            .waiting(book, index, DateTime::<Utc>::MAX_UTC)
            .filter(move |delivery| match delivery.state {
                DeliveryState::Waiting { until } => until <= now || again(delivery),
                _ => false,
            });
        waiting.filter(|delivery| !last_leg(delivery))
    }

    /// Counts what left in the last minutes, so that a restart does not break a robot's pace.
    pub(super) fn recall_pace(&self) {
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
                let lane = (0..self.lanes.len()).find(|index| {
                    self.lanes
                        .get(*index)
                        .is_some_and(|lane| lane.channel.kind() == kind)
                        && lane::belongs(&self.lanes, &book, delivery, *index)
                })?;
                (at > since).then_some((at, lane))
            })
            .collect();
        recent.sort_unstable();
        // Those that shared a call were written down in one step.
        recent.dedup_by(|later, first| {
            let shares = |lane: usize| {
                self.lanes
                    .get(lane)
                    .is_some_and(|lane| lane.channel.packing().is_some())
            };
            later == first && shares(first.1)
        });
        for (at, lane) in recent {
            if let Some(lane) = self.lanes.get(lane) {
                lane.recall(at);
            }
        }
    }
}

fn last_leg(delivery: &Delivery) -> bool {
    usize::from(delivery.leg) + 1 >= delivery.message.route.len()
}
