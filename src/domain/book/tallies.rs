//! How many people of each stage stand where: what the self-audit counts, kept up with every fact.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::{Book, Delivery, DeliveryState};
use crate::domain::ids::{PlanId, Position, Quarter};
use crate::domain::message::{MessageKey, Stage};

use super::apply::Inconsistent;

/// People of a stage by what became of the word to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The peer has it, or the person was told by telephone.
    pub sent: u32,
    /// Still waits.
    pub deferred: u32,
    /// Told nothing, with a reason.
    pub skipped: u32,
    /// Given up.
    pub failed: u32,
    /// Nobody knows whether it arrived, or it is being sent.
    pub in_doubt: u32,
    /// Those among all but the ones told nothing from the start who were only copied in.
    pub copied: u32,
}

/// By plan, quarter and stage.
pub type Tallies = BTreeMap<(PlanId, Quarter, Stage), Tally>;

impl Tally {
    /// How many there are; who was only copied in is counted with the others.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.sent + self.deferred + self.skipped + self.failed + self.in_doubt
    }

    fn place(&mut self, state: &DeliveryState) -> &mut u32 {
        match state {
            DeliveryState::Sent { .. } | DeliveryState::Handled { .. } => &mut self.sent,
            DeliveryState::Waiting { .. } => &mut self.deferred,
            DeliveryState::Withdrawn { .. } => &mut self.skipped,
            DeliveryState::Dead { .. } => &mut self.failed,
            DeliveryState::Sending { .. } | DeliveryState::Held { .. } => &mut self.in_doubt,
        }
    }

    fn add(&mut self, delivery: &Delivery) {
        *self.place(&delivery.state) += 1;
        self.copied += u32::from(delivery.message.items.is_empty());
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.sent += more.sent;
        self.deferred += more.deferred;
        self.skipped += more.skipped;
        self.failed += more.failed;
        self.in_doubt += more.in_doubt;
        self.copied += more.copied;
    }
}

impl Book {
    /// The state of a message from now on.
    pub(super) fn turn(
        &mut self,
        here: Position,
        key: &MessageKey,
        state: DeliveryState,
    ) -> Result<(), Inconsistent> {
        let delivery = self.delivery(here, key)?;
        let before = std::mem::replace(&mut delivery.state, state.clone());
        if let Some(tally) = of(&mut self.tallies, key) {
            *tally.place(&before) -= 1;
            *tally.place(&state) += 1;
        }
        Ok(())
    }

    /// A message that was not there before.
    pub(super) fn take_in(&mut self, delivery: Delivery) {
        if let Some(tally) = of(&mut self.tallies, &delivery.message.key) {
            tally.add(&delivery);
        }
        let key = delivery.message.key.clone();
        self.messages.insert(key, delivery);
    }

    /// Somebody is told nothing.
    pub(super) fn skip(&mut self, key: &MessageKey, why: crate::domain::fact::SkipWhy) {
        let known = self.skipped.insert(key.clone(), why).is_some();
        if let (false, Some(tally)) = (known, of(&mut self.tallies, key)) {
            tally.skipped += 1;
        }
    }

    pub(super) fn tally_up(&mut self) {
        self.tallies = Tallies::new();
        for (key, delivery) in &self.messages {
            if let Some(tally) = of(&mut self.tallies, key) {
                tally.add(delivery);
            }
        }
        for key in self.skipped.keys() {
            if let Some(tally) = of(&mut self.tallies, key) {
                tally.skipped += 1;
            }
        }
    }
}

/// The tally a message counts in; none for what belongs to no stage.
fn of<'a>(tallies: &'a mut Tallies, key: &MessageKey) -> Option<&'a mut Tally> {
    let stage = key.occasion.stage()?;
    let stage = (key.plan.clone(), key.quarter, stage);
    Some(tallies.entry(stage).or_default())
}
