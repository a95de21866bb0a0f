//! Test messages: does what is sent to this address arrive?

use chrono::{DateTime, Utc};

use super::World;
use crate::domain::book::{Book, DeliveryState};
use crate::domain::fact::Fact;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};
use crate::domain::people::{ChannelKind, Person};
use crate::domain::readiness::people_of;

/// To whom a test goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestTo {
    /// To every address of this person.
    Person(PersonId),
    /// To every address of the plan's people that is not known to work.
    Unproved,
    /// To every address of the plan's people.
    All,
}

/// The test messages: one to each address, also to those that were refused. Where one is on its
/// way already there is not another.
#[must_use]
pub fn test(
    world: &World<'_>,
    (plan, quarter): (&PlanId, Quarter),
    to: &TestTo,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let book = world.book;
    let people: Vec<&Person> = match to {
        TestTo::Person(id) => book.people.get(id).into_iter().collect(),
        TestTo::Unproved | TestTo::All => book
            .plans
            .get(plan)
            .map(|known| people_of(book, known))
            .unwrap_or_default(),
    };
    let mut facts = Vec::new();
    for person in people {
        let first = book.next_of(&person.id, nth_test);
        let channels = world.addresses(person).into_iter().filter(|kind| {
            let proved = *to == TestTo::Unproved && is_proved(book, &person.id, *kind);
            !proved && !is_on_its_way(book, &person.id, *kind)
        });
        for (nth, channel) in (first..).zip(channels) {
            let key = MessageKey {
                plan: plan.clone(),
                quarter,
                occasion: Occasion::Test(nth),
                person: person.id.clone(),
            };
            facts.push(Fact::MessageQueued {
                message: Box::new(Message {
                    key,
                    reason: Reason::Tested,
                    items: Vec::new(),
                    about: Vec::new(),
                    copied: Vec::new(),
                    catch_up: false,
                    route: vec![channel],
                    not_before: now,
                    explicit: true,
                }),
            });
        }
    }
    facts
}

fn nth_test(occasion: Occasion) -> Option<u32> {
    match occasion {
        Occasion::Test(nth) => Some(nth),
        _ => None,
    }
}

fn is_proved(book: &Book, person: &PersonId, kind: ChannelKind) -> bool {
    let address = book.addresses.get(&(person.clone(), kind));
    address.is_some_and(|address| address.confirmed.is_some())
}

fn is_on_its_way(book: &Book, person: &PersonId, kind: ChannelKind) -> bool {
    let keys = book.messages_of.get(person).into_iter().flatten();
    keys.filter(|key| nth_test(key.occasion).is_some())
        .filter_map(|key| book.messages.get(key))
        .any(|delivery| {
            delivery.message.route.first() == Some(&kind)
                && matches!(
                    delivery.state,
                    DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }
                )
        })
}
