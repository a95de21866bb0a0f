//! The messages about an obligation, and everyone who may have had one.

use std::collections::BTreeSet;

use crate::board::wire::standing;
use crate::domain::book::{Book, Delivery};
use crate::domain::ids::{ObligationKey, PersonId};

/// The messages to these people that speak of such obligations, oldest first.
pub(in crate::board) fn about<'a>(
    book: &'a Book,
    people: &BTreeSet<PersonId>,
    is_meant: impl Fn(&ObligationKey) -> bool,
) -> Vec<&'a Delivery> {
    let keys = people
        .iter()
        .filter_map(|person| book.messages_of.get(person));
    let all = keys.flatten().filter_map(|key| book.messages.get(key));
    let mut found: Vec<&Delivery> = all
        .filter(|delivery| {
            let message = &delivery.message;
            message.items.iter().chain(&message.about).any(&is_meant)
        })
        .collect();
    found.sort_by_key(|delivery| (standing(delivery).0, delivery.queued_in));
    found
}

/// Everyone who may have been written to about an obligation.
pub(in crate::board) fn concerned(book: &Book, key: &ObligationKey) -> BTreeSet<PersonId> {
    let mut people = BTreeSet::new();
    if let Some((_, group)) = book.task_and_group(key) {
        let named = group.owners.iter().chain(&group.responsible);
        people.extend(named.chain(&group.leaders).map(|person| person.id.clone()));
    }
    if let Some(known) = book.obligations.get(key) {
        people.extend(known.copied.keys().cloned());
        people.extend(known.reports.iter().flat_map(|received| {
            let report = &received.report;
            report.delegate.iter().chain([&report.person]).cloned()
        }));
    }
    if let Some(plan) = book.plans.get(&key.plan) {
        let moved = plan.handovers.iter();
        let moved = moved.filter(|one| (one.task, one.group) == (key.task, key.group));
        people.extend(moved.map(|one| one.person.clone()));
    }
    for delegation in book.delegations.values() {
        if people.contains(&delegation.from) {
            people.insert(delegation.to.clone());
        }
    }
    people
}
