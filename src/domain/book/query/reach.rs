//! How people are reached: the contact sheet's row, and the account that was looked up for it.

use chrono::TimeDelta;

use crate::domain::book::Book;
use crate::domain::ids::PersonId;
use crate::domain::people::{ChannelKind, Contact};

impl Book {
    /// How a person is reached: the contact sheet's row, with the account that was looked up where
    /// the sheet has none.
    #[must_use]
    pub fn contact(&self, person: &PersonId) -> Contact {
        let mut contact = match self.contacts.get(person) {
            Some(contact) => contact.clone(),
            None => Contact::none(person.clone()),
        };
        if contact.wecom_user.is_none()
            && let Some(known) = self.accounts.get(person)
        {
            contact.wecom_user.clone_from(&known.user);
        }
        contact
    }

    /// Whether the platform said lately that it knows nobody by this person's telephone or e-mail
    /// address. It counts such questions, so they are not asked over and over.
    #[must_use]
    pub fn is_without_account(&self, person: &PersonId) -> bool {
        const ASK_AGAIN: TimeDelta = TimeDelta::days(7);
        let known = self.accounts.get(person);
        known.is_some_and(|known| {
            let age = self.at.map(|now| now - known.asked_at);
            known.user.is_none() && age.is_none_or(|age| age < ASK_AGAIN)
        })
    }

    /// Whether the peer has said that there is nobody at this person's address on the channel.
    #[must_use]
    pub fn is_refused(&self, person: &PersonId, channel: ChannelKind) -> bool {
        self.addresses
            .get(&(person.clone(), channel))
            .is_some_and(|address| address.refused.is_some())
    }

    /// Everyone whose account in the WeCom application this is. One person who answers for two
    /// units is two.
    #[must_use]
    pub fn people_of_account(&self, account: &str) -> Vec<PersonId> {
        let same = |user: &Option<String>| {
            let user = user.as_deref();
            user.is_some_and(|user| user.eq_ignore_ascii_case(account))
        };
        let on_sheet = self.contacts.values();
        let on_sheet = on_sheet.filter(|contact| same(&contact.wecom_user));
        let has_none = |person: &PersonId| {
            let contact = self.contacts.get(person);
            contact.is_none_or(|contact| contact.wecom_user.is_none())
        };
        let looked_up = self.accounts.iter();
        let looked_up = looked_up.filter(|(person, known)| same(&known.user) && has_none(person));
        let mut people: Vec<PersonId> = on_sheet
            .map(|contact| contact.person.clone())
            .chain(looked_up.map(|(person, _)| person.clone()))
            .collect();
        people.sort();
        people.dedup();
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::Book;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::{ZHONG, apply, id, plan, plan_facts, quarter};

    #[test]
    fn a_miss_is_believed_for_a_week_and_a_found_account_until_the_sheet_changes() {
        let mut book = Book::default();
        apply(&mut book, "2022-03-17T09:10", plan_facts());
        let person = id(ZHONG);
        let learned = |account: Option<&str>| {
            vec![Fact::AccountLearned {
                person: person.clone(),
                account: account.map(str::to_owned),
            }]
        };
        let sheet = |user: Option<&str>| {
            vec![Fact::ContactSet {
                contact: Contact {
                    mobile: Some("13800000001".into()),
                    wecom_user: user.map(str::to_owned),
                    ..Contact::none(person.clone())
                },
            }]
        };
        apply(&mut book, "2022-03-17T09:10", sheet(None));
        apply(&mut book, "2022-03-17T09:11", learned(None));
        assert!(book.is_without_account(&person));
        let something = Fact::LinksRevoked {
            plan: plan(),
            quarter: quarter("2022Q1"),
            person: person.clone(),
        };
        apply(&mut book, "2022-03-25T09:11", vec![something]);
        assert!(
            !book.is_without_account(&person),
            "asked again after a week"
        );
        apply(&mut book, "2022-03-25T09:12", learned(Some("zjp")));
        assert_eq!(book.contact(&person).wecom_user.as_deref(), Some("zjp"));
        apply(&mut book, "2022-03-25T09:13", sheet(Some("other")));
        assert_eq!(book.contact(&person).wecom_user.as_deref(), Some("other"));
        apply(&mut book, "2022-03-25T09:14", sheet(None));
        assert_eq!(book.contact(&person).wecom_user, None);
        assert!(book.accounts.is_empty());
    }
}
