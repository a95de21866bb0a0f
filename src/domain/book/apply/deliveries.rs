//! Messages: into the queue, out of it, and what became of them.

use chrono::{DateTime, Utc};

use super::{Inconsistent, state_error};
use crate::domain::book::{Book, Delivery, DeliveryState, Effect, QueueKey, Trouble};
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::WithdrawWhy;
use crate::domain::ids::{ObligationKey, PersonId, Position};
use crate::domain::message::{Message, MessageKey, Occasion};
use crate::domain::people::ChannelKind;

impl Book {
    pub(super) fn enqueue(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        message: &Message,
    ) -> Result<Vec<Effect>, Inconsistent> {
        if self.messages.contains_key(&message.key) || message.route.is_empty() {
            return Err(Inconsistent::Twice {
                position: here,
                what: format!("消息 {}", message.key),
            });
        }
        let delivery = Delivery {
            message: message.clone(),
            queued_at: at,
            queued_in: here,
            state: DeliveryState::Withdrawn {
                at,
                why: WithdrawWhy::NoLongerTheirs,
            },
            attempts: 0,
            leg: 0,
            tries_on_leg: 0,
            doubts_on_leg: 0,
            doubtful_since: None,
            last_trouble: None,
        };
        self.take_in(delivery);
        self.messages_of
            .entry(message.key.person.clone())
            .or_default()
            .push(message.key.clone());
        self.wait(here, &message.key, message.not_before)
    }

    pub(super) fn intend(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        key: &MessageKey,
        (leg, channel): (u8, ChannelKind),
        items: &[ObligationKey],
    ) -> Result<Vec<Effect>, Inconsistent> {
        let state = DeliveryState::Sending {
            since: at,
            channel,
            items: items.to_vec(),
        };
        let effects = self.leave_queue(here, key, state)?;
        let delivery = self.delivery(here, key)?;
        delivery.attempts += 1;
        delivery.tries_on_leg = if delivery.leg == leg {
            delivery.tries_on_leg + 1
        } else {
            delivery.forget_doubts();
            1
        };
        delivery.leg = leg;
        Ok(effects)
    }

    pub(super) fn revive(
        &mut self,
        here: Position,
        key: &MessageKey,
        until: DateTime<Utc>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        if !delivery.state.is_stuck() {
            return Err(state_error(here, key));
        }
        delivery.leg = 0;
        delivery.tries_on_leg = 0;
        delivery.forget_doubts();
        self.wait(here, key, until)
    }

    /// The person knows: it counts as told.
    pub(super) fn handled(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        key: &MessageKey,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        if !delivery.state.is_stuck() {
            return Err(state_error(here, key));
        }
        let (items, about) = (
            delivery.message.items.clone(),
            delivery.message.about.clone(),
        );
        self.turn(here, key, DeliveryState::Handled { at })?;
        self.note_told(at, key.occasion, &key.person, &items, &about);
        Ok(Vec::new())
    }

    pub(super) fn defer(
        &mut self,
        here: Position,
        key: &MessageKey,
        until: DateTime<Utc>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let mut effects = self.unqueue(here, key)?;
        effects.extend(self.wait(here, key, until)?);
        Ok(effects)
    }

    pub(super) fn leave_queue(
        &mut self,
        here: Position,
        key: &MessageKey,
        state: DeliveryState,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let effects = self.unqueue(here, key)?;
        self.turn(here, key, state)?;
        Ok(effects)
    }

    pub(super) fn conclude(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        key: &MessageKey,
        outcome: &SendOutcome,
        verdict: &Verdict,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        let DeliveryState::Sending {
            since,
            channel,
            items,
        } = &delivery.state
        else {
            return Err(state_error(here, key));
        };
        let (since, channel, items) = (*since, *channel, items.clone());
        if matches!(outcome, SendOutcome::InDoubt { .. }) {
            delivery.doubts_on_leg += 1;
            delivery.doubtful_since.get_or_insert(since);
        }
        delivery.last_trouble = trouble(at, channel, outcome).or(delivery.last_trouble.take());
        self.note_outcome(at, &key.person, channel, outcome);
        let delivery = self.delivery(here, key)?;
        match verdict {
            Verdict::Done => {
                let occasion = key.occasion;
                let about = delivery.message.about.clone();
                let sent = DeliveryState::Sent {
                    at,
                    channel,
                    items: items.clone(),
                };
                self.turn(here, key, sent)?;
                self.note_told(at, occasion, &key.person, &items, &about);
            }
            Verdict::Again { at: until, leg } => {
                if *leg != delivery.leg {
                    delivery.leg = *leg;
                    delivery.tries_on_leg = 0;
                    delivery.forget_doubts();
                }
                return self.wait(here, key, *until);
            }
            Verdict::Dead => self.turn(here, key, DeliveryState::Dead { at })?,
            Verdict::Held => self.turn(here, key, DeliveryState::Held { at })?,
        }
        Ok(Vec::new())
    }

    fn note_told(
        &mut self,
        at: DateTime<Utc>,
        occasion: Occasion,
        person: &PersonId,
        items: &[ObligationKey],
        about: &[ObligationKey],
    ) {
        for key in items {
            if let Some(obligation) = self.obligations.get_mut(key) {
                obligation.last_reminded = Some((at, occasion));
            }
        }
        let settled = match occasion {
            Occasion::Stage(_)
            | Occasion::PutOff(..)
            | Occasion::Urge(_)
            | Occasion::Returned(_)
            | Occasion::Entrusted(_)
            | Occasion::TakenOver(_) => false,
            Occasion::Settled(_) => true,
            Occasion::Digest(_)
            | Occasion::HandedOver(_)
            | Occasion::Receipt(_)
            | Occasion::Decided(_)
            | Occasion::Test(_)
            | Occasion::Alarm(_) => return,
        };
        for key in about {
            self.change(key, |obligation| {
                obligation.copied.insert(person.clone(), settled);
            });
        }
    }

    /// Puts the message into the queue at the channel of its present leg.
    fn wait(
        &mut self,
        here: Position,
        key: &MessageKey,
        until: DateTime<Utc>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        self.turn(here, key, DeliveryState::Waiting { until })?;
        let delivery = self.delivery(here, key)?;
        let place = place(delivery, until).ok_or_else(|| state_error(here, key))?;
        self.queue.insert(place, key.clone());
        Ok(vec![Effect::QueueAdded {
            at: place,
            key: key.clone(),
        }])
    }

    fn unqueue(&mut self, here: Position, key: &MessageKey) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        let DeliveryState::Waiting { until } = delivery.state else {
            return Err(state_error(here, key));
        };
        let place = place(delivery, until).ok_or_else(|| state_error(here, key))?;
        self.queue.remove(&place);
        Ok(vec![Effect::QueueRemoved { at: place }])
    }
}

impl Delivery {
    /// Another channel has no part in them, and a person's word ends them.
    fn forget_doubts(&mut self) {
        self.doubts_on_leg = 0;
        self.doubtful_since = None;
    }
}

fn place(delivery: &Delivery, until: DateTime<Utc>) -> Option<QueueKey> {
    let channel = delivery.message.route.get(usize::from(delivery.leg))?;
    Some((*channel, until, delivery.queued_in))
}

fn trouble(at: DateTime<Utc>, channel: ChannelKind, outcome: &SendOutcome) -> Option<Trouble> {
    match outcome {
        SendOutcome::Sent { .. } => None,
        SendOutcome::Failed(failure) => Some(Trouble {
            at,
            channel,
            reason: Some(failure.reason),
            detail: failure.detail.clone(),
        }),
        SendOutcome::InDoubt { detail } => Some(Trouble {
            at,
            channel,
            reason: None,
            detail: detail.clone(),
        }),
    }
}
