//! What became of messages: which wait, which were sent, and whether they still ask for anything.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::book::{Book, Card, Delivery, DeliveryState, Obligation};
use crate::domain::fact::SkipWhy;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{MessageKey, Occasion, Stage};
use crate::domain::people::ChannelKind;

impl Book {
    /// Messages waiting on this channel whose time has come, earliest first.
    pub fn ready(
        &self,
        channel: ChannelKind,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &Delivery> {
        let from = (channel, DateTime::<Utc>::MIN_UTC, 0);
        let to = (channel, now, u64::MAX);
        self.queue
            .range(from..=to)
            .filter_map(|(_, key)| self.messages.get(key))
    }

    /// The next instant after `now` at which a waiting message's time comes.
    #[must_use]
    pub fn next_waiting(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        ChannelKind::ALL
            .into_iter()
            .filter_map(|channel| {
                let from = (channel, now, u64::MAX);
                let to = (channel, DateTime::<Utc>::MAX_UTC, u64::MAX);
                self.queue
                    .range(from..=to)
                    .next()
                    .map(|((_, at, _), _)| *at)
            })
            .min()
    }

    /// Messages with an intent and no outcome.
    pub fn in_doubt(&self) -> impl Iterator<Item = &Delivery> {
        self.messages
            .values()
            .filter(|delivery| matches!(delivery.state, DeliveryState::Sending { .. }))
    }

    /// Whether a message of this name is known.
    #[must_use]
    pub fn knows_message(&self, key: &MessageKey) -> bool {
        self.messages.contains_key(key)
    }

    /// Messages of a person about a plan's quarter, in the order they were queued.
    pub fn messages_about<'a>(
        &'a self,
        person: &'a PersonId,
        plan: &'a PlanId,
        quarter: Quarter,
    ) -> impl Iterator<Item = &'a Delivery> + 'a {
        self.messages_of
            .get(person)
            .into_iter()
            .flatten()
            .filter(move |key| key.plan == *plan && key.quarter == quarter)
            .filter_map(|key| self.messages.get(key))
    }

    /// Whether a message of this occasion still speaks for this: the stages of another date do not.
    #[must_use]
    pub fn is_spoken_for(&self, occasion: Occasion, key: &ObligationKey) -> bool {
        let granted = self.obligations.get(key).and_then(Obligation::granted);
        let day = granted.map(|granted| granted.day);
        match occasion {
            Occasion::Stage(_) => day.is_none(),
            Occasion::PutOff(_, on) => day == Some(on),
            _ => true,
        }
    }

    /// Whether a message asked for something, and nothing of it is open any more.
    #[must_use]
    pub fn is_answered(&self, key: &MessageKey) -> bool {
        self.messages.get(key).is_some_and(|delivery| {
            let items = &delivery.message.items;
            let open = |item| self.obligations.get(item).is_some_and(Obligation::is_open);
            !items.is_empty() && !items.iter().any(open)
        })
    }

    /// Which of these the person still has to be told of at this moment: still theirs, or still
    /// filled in by them, and still open.
    #[must_use]
    pub fn still_open(
        &self,
        person: &PersonId,
        items: &[ObligationKey],
        now: DateTime<Utc>,
    ) -> Vec<ObligationKey> {
        items
            .iter()
            .filter(|key| {
                self.obligations.get(key).is_some_and(Obligation::is_open)
                    && (self.is_owner(person, key) || self.behalf_of(person, key, now).is_some())
            })
            .cloned()
            .collect()
    }

    /// Cards that can still be changed and have to be: a button was tapped, or their message asks
    /// for nothing any more.
    pub fn cards_to_settle(
        &self,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (&MessageKey, &Card)> {
        // The platform takes a change for 72 hours; a little less, for clocks that differ.
        const CHANGEABLE: TimeDelta = TimeDelta::hours(71);
        let changeable = move |card: &Card| now - card.sent_at < CHANGEABLE;
        self.cards
            .iter()
            .filter(move |(key, card)| changeable(card) && (card.tapped || self.is_answered(key)))
    }

    /// How many messages not asked for by a coordinator this person was sent, or is about to be
    /// sent, after `since`.
    #[must_use]
    pub fn burden(&self, person: &PersonId, since: DateTime<Utc>) -> usize {
        let Some(keys) = self.messages_of.get(person) else {
            return 0;
        };
        keys.iter()
            .rev()
            .filter_map(|key| self.messages.get(key))
            .take_while(|delivery| delivery.queued_at > since - TimeDelta::days(30))
            .filter(|delivery| {
                // A coordinator's own digest is ordered work, not a burden.
                !delivery.message.explicit
                    && !matches!(delivery.message.key.occasion, Occasion::Digest(_))
            })
            .filter(|delivery| match &delivery.state {
                DeliveryState::Sent { at, .. } | DeliveryState::Held { at } => *at > since,
                DeliveryState::Waiting { .. } | DeliveryState::Sending { .. } => true,
                DeliveryState::Dead { .. }
                | DeliveryState::Handled { .. }
                | DeliveryState::Withdrawn { .. } => false,
            })
            .count()
    }

    /// How many messages this person was sent after `since`, from all causes.
    #[must_use]
    pub fn received(&self, person: &PersonId, since: DateTime<Utc>) -> usize {
        let keys = self.messages_of.get(person).into_iter().flatten();
        keys.filter_map(|key| self.messages.get(key))
            .filter(|delivery| match delivery.state {
                DeliveryState::Sent { at, .. } | DeliveryState::Held { at } => at > since,
                _ => false,
            })
            .count()
    }

    /// Whether messages of this quarter were given up or are held, or none could be made for want
    /// of an address.
    #[must_use]
    pub fn was_told_in_vain(&self, person: &PersonId, plan: &PlanId, quarter: Quarter) -> bool {
        let stuck = |delivery: &Delivery| {
            matches!(
                delivery.state,
                DeliveryState::Dead { .. } | DeliveryState::Held { .. }
            )
        };
        let key = |stage| MessageKey {
            plan: plan.clone(),
            quarter,
            occasion: Occasion::Stage(stage),
            person: person.clone(),
        };
        let skipped = |stage| self.skipped.get(&key(stage)) == Some(&SkipWhy::Unreachable);
        self.messages_about(person, plan, quarter).any(stuck) || Stage::ALL.into_iter().any(skipped)
    }

    /// The next free number for a message of this kind to a person, over all plans and quarters.
    #[must_use]
    pub fn next_of(&self, person: &PersonId, is: fn(Occasion) -> Option<u32>) -> u32 {
        let keys = self.messages_of.get(person).into_iter().flatten();
        let last = keys.filter_map(|key| is(key.occasion)).max();
        last.unwrap_or(0) + 1
    }

    /// The next free number for an explicit 催办 to this person about this quarter.
    #[must_use]
    pub fn next_urge(&self, person: &PersonId, plan: &PlanId, quarter: Quarter) -> u32 {
        let count = self
            .messages_about(person, plan, quarter)
            .filter(|delivery| matches!(delivery.message.key.occasion, Occasion::Urge(_)))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
    }
}
