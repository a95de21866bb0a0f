//! What experience says of people's addresses.

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, DeliveryState};
use crate::domain::delivery::{FailReason, SendOutcome};
use crate::domain::ids::PersonId;
use crate::domain::people::{ChannelKind, Contact};
use crate::domain::report::Via;

impl Book {
    /// A new address begins without a past.
    pub(super) fn set_contact(&mut self, contact: &Contact) {
        let person = &contact.person;
        if let Some(known) = self.contacts.get(person) {
            for kind in ChannelKind::ALL {
                if !known.same_address(contact, kind) {
                    self.addresses.remove(&(person.clone(), kind));
                }
            }
        }
        self.accounts.remove(person);
        self.contacts.insert(person.clone(), contact.clone());
    }

    /// What the peer's answer says of the address itself.
    pub(super) fn note_outcome(
        &mut self,
        at: DateTime<Utc>,
        person: &PersonId,
        channel: ChannelKind,
        outcome: &SendOutcome,
    ) {
        let key = || (person.clone(), channel);
        match outcome {
            SendOutcome::Sent { .. } => {
                if let Some(address) = self.addresses.get_mut(&key()) {
                    address.refused = None;
                }
            }
            SendOutcome::Failed(failure) if failure.reason == FailReason::BadAddress => {
                let address = self.addresses.entry(key()).or_default();
                address.confirmed = None;
                address.refused = Some((at, failure.detail.clone()));
            }
            SendOutcome::Failed(_) => {}
            SendOutcome::InDoubt { .. } => *self.doubts.entry(channel).or_default() += 1,
        }
    }

    /// Who answers through the link has had what was sent to them last; who answers in the
    /// application reads what stands there.
    pub(super) fn note_answer(&mut self, at: DateTime<Utc>, person: &PersonId, via: Via) {
        if via == Via::Coordinator {
            return;
        }
        if via == Via::Mail {
            // A mail is answered by mail, whatever was sent last.
            let address = self.addresses.entry((person.clone(), ChannelKind::Email));
            let address = address.or_default();
            address.confirmed = Some(at);
            address.refused = None;
            return;
        }
        let sent = self.messages_of.get(person).into_iter().flatten().rev();
        let last = if via == Via::Wecom {
            Some(ChannelKind::WecomApp)
        } else {
            sent.filter_map(|key| self.messages.get(key))
                .find_map(|delivery| match delivery.state {
                    DeliveryState::Sent { channel, .. } => Some(channel),
                    _ => None,
                })
        };
        if let Some(channel) = last {
            let address = self.addresses.entry((person.clone(), channel)).or_default();
            address.confirmed = Some(at);
            address.refused = None;
        }
    }
}
