//! Where each person's own facts stand in the journal, so that what was sent to one of them and
//! what they said is read without going through everybody's.

use std::collections::{BTreeSet, HashMap};

use super::Book;
use crate::domain::fact::{Entry, Fact};
use crate::domain::heard::Meaning;
use crate::domain::ids::{ObligationKey, PersonId, Position};
use crate::domain::mail::{MailOutcome, TakenMail};

/// Positions of the facts that concern each person, in order.
pub type Trails = HashMap<PersonId, Vec<Position>>;

impl Book {
    /// Where the facts that concern a person stand in the journal, in order.
    #[must_use]
    pub fn trail(&self, person: &PersonId) -> &[Position] {
        self.trails.get(person).map_or(&[], Vec::as_slice)
    }

    /// Whom a fact concerns; asked before it is applied, since it may end what tells.
    pub(super) fn concerned(&self, fact: &Fact) -> BTreeSet<PersonId> {
        let mut people = BTreeSet::new();
        match fact {
            Fact::MessageQueued { message } => {
                people.insert(message.key.person.clone());
            }
            Fact::MessageSkipped { key, .. }
            | Fact::MessageDeferred { key, .. }
            | Fact::MessageWithdrawn { key, .. }
            | Fact::SendIntended { key, .. }
            | Fact::SendConcluded { key, .. }
            | Fact::MessageRevived { key, .. }
            | Fact::MessageHandled { key } => {
                people.insert(key.person.clone());
            }
            Fact::ReportReceived { report } => {
                people.insert(report.person.clone());
                people.extend(report.delegate.clone());
            }
            Fact::ContactSet { contact } => {
                people.insert(contact.person.clone());
            }
            Fact::EvidenceAdded { person, .. }
            | Fact::EvidenceRemoved { person, .. }
            | Fact::Acknowledged { person, .. }
            | Fact::SummaryWritten { person, .. }
            | Fact::LinksRevoked { person, .. }
            | Fact::AddressConfirmed { person, .. } => {
                people.insert(person.clone());
            }
            Fact::ExtensionAsked {
                obligation, person, ..
            }
            | Fact::NotMineSaid {
                obligation, person, ..
            } => {
                people.insert(person.clone());
                people.extend(self.owners_of(obligation));
            }
            Fact::ReviewGiven { obligation, .. } => people.extend(self.answered_for(obligation)),
            Fact::ExtensionDecided { obligation, .. } | Fact::NotMineSettled { obligation, .. } => {
                people.extend(self.asked_about(obligation));
            }
            Fact::OwnerChanged { from, to, .. } => {
                people.extend([from.clone(), to.id.clone()]);
            }
            Fact::Delegated { delegation } => {
                people.extend([delegation.from.clone(), delegation.to.clone()]);
            }
            Fact::DelegationEnded { delegation } => {
                let known = self.delegations.get(delegation);
                people.extend(
                    known
                        .into_iter()
                        .flat_map(|one| [one.from.clone(), one.to.clone()]),
                );
            }
            Fact::MailTaken { mail } => people.extend(sender(mail)),
            Fact::WordSettled {
                heard,
                meaning: Meaning::Unclear | Meaning::Refused,
                ..
            } => {
                let word = self.words.get(heard);
                people.extend(
                    word.into_iter()
                        .flat_map(|word| self.people_of_account(&word.heard.account)),
                );
            }
            _ => {}
        }
        people
    }

    /// Notes where the fact that is being applied stands.
    pub(super) fn note_trail(&mut self, entry: &Entry, people: BTreeSet<PersonId>) {
        for person in people {
            let trail = self.trails.entry(person).or_default();
            trail.push(entry.position);
        }
    }

    fn owners_of(&self, key: &ObligationKey) -> Vec<PersonId> {
        let group = self.task_and_group(key).map(|(_, group)| group);
        let owners = group.into_iter().flat_map(|group| &group.owners);
        owners.map(|owner| owner.id.clone()).collect()
    }

    /// The owners, and who reported last.
    fn answered_for(&self, key: &ObligationKey) -> Vec<PersonId> {
        let mut people = self.owners_of(key);
        let latest = self.obligations.get(key).and_then(|known| known.latest());
        people.extend(latest.into_iter().flat_map(|latest| {
            let report = &latest.report;
            report.delegate.iter().chain([&report.person]).cloned()
        }));
        people
    }

    /// The owners, and who asked for another date or said that it is not theirs.
    fn asked_about(&self, key: &ObligationKey) -> Vec<PersonId> {
        let mut people = self.owners_of(key);
        if let Some(known) = self.obligations.get(key) {
            people.extend(known.asked().map(|asked| asked.person.clone()));
            people.extend(known.disowned().map(|said| said.person.clone()));
        }
        people
    }
}

/// Whose mail it is, or whose address gave it back.
fn sender(mail: &TakenMail) -> Option<PersonId> {
    match &mail.outcome {
        MailOutcome::Bounced { person, .. } => Some(person.clone()),
        _ => mail.thread.as_ref().map(|thread| thread.person.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::*;
    use crate::domain::report::{ReportStatus, Review};

    #[test]
    fn everyone_finds_their_own_facts_and_nobody_elses() {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let before = book.position;
        apply(
            &mut book,
            "2022-03-17T09:10",
            notice(&[ZHANG, DU], &[key(16, 0), key(16, 1)]),
        );
        let said = report(LI, key(14, 0), ReportStatus::Completed, "已调研");
        let accepted = Fact::ReviewGiven {
            obligation: key(14, 0),
            review: Review::Accepted,
        };
        apply(&mut book, "2022-03-21T10:00", vec![said, accepted]);
        let trail = |who| -> Vec<Position> {
            let trail = book.trail(&id(who)).iter();
            trail.map(|at| at - before).collect()
        };
        // 1 is the stage; then queued, intended, concluded.
        assert_eq!(trail(ZHANG), [2, 3, 4]);
        assert_eq!(trail(DU), [5, 6, 7]);
        assert_eq!(trail(LI), [8, 9]);
        assert_eq!(trail(YAO), [9], "the other owner hears the word too");
        assert!(trail(ZHONG).is_empty());
    }
}
