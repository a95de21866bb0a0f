//! What the operator is told of, once and then daily until it is over, by a way that still works.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::due::World;
use super::fact::{Fact, WithdrawWhy};
use super::ids::{PersonId, PlanId, Quarter};
use super::message::{Message, MessageKey, Occasion, Reason};
use super::people::ChannelKind;

use super::book::DeliveryState;

/// A trouble as it is seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Names it: the same trouble has the same name at every look.
    pub name: String,
    /// What is wrong and what to do.
    pub words: String,
}

/// While it lasts, it is told again after this long.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(24);

/// The facts that follow from what is seen: alarms that begin and end, and the messages that tell
/// `to` of them. A channel in `down` is not used where there is another.
#[must_use]
pub fn decide(
    world: &World<'_>,
    seen: &[Seen],
    to: &[PersonId],
    down: &[ChannelKind],
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let known = &world.book.alarms;
    let names: BTreeSet<&str> = seen.iter().map(|one| one.name.as_str()).collect();
    let raised = seen.iter().filter(|one| !known.contains_key(&one.name));
    let mut facts: Vec<Fact> = raised
        .map(|one| Fact::AlarmRaised {
            alarm: one.name.clone(),
            words: one.words.clone(),
        })
        .collect();
    let is_new = !facts.is_empty();
    let over = known.keys().filter(|name| !names.contains(name.as_str()));
    facts.extend(over.map(|name| Fact::AlarmCleared {
        alarm: name.clone(),
    }));
    if seen.is_empty() {
        facts.extend(withdrawn(world));
        return facts;
    }
    let messages = to.iter().filter_map(|person| {
        let told = last_told(world, person);
        let due = match told {
            // One is on its way already, and says what stands when it leaves.
            Some((_, true)) => false,
            Some((at, false)) => is_new || now - at >= AGAIN_AFTER,
            None => true,
        };
        due.then(|| message(world, person, down, now)).flatten()
    });
    facts.extend(messages);
    facts
}

/// When this person was told last, and whether that message still waits.
fn last_told(world: &World<'_>, person: &PersonId) -> Option<(DateTime<Utc>, bool)> {
    let keys = world.book.messages_of.get(person)?;
    let mut alarms = keys.iter().rev().filter_map(|key| {
        let delivery = world.book.messages.get(key)?;
        matches!(key.occasion, Occasion::Alarm(_)).then_some(delivery)
    });
    let last = alarms.next()?;
    let waits = matches!(
        last.state,
        DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }
    );
    Some((last.queued_at, waits))
}

/// What waits to tell of troubles that are over.
fn withdrawn<'a>(world: &'a World<'_>) -> impl Iterator<Item = Fact> + 'a {
    let waiting = world.book.queue.values();
    waiting
        .filter(|key| matches!(key.occasion, Occasion::Alarm(_)))
        .map(|key| Fact::MessageWithdrawn {
            key: key.clone(),
            why: WithdrawWhy::AlarmOver,
        })
}

fn message(
    world: &World<'_>,
    person: &PersonId,
    down: &[ChannelKind],
    now: DateTime<Utc>,
) -> Option<Fact> {
    let all = world.route(person);
    let up: Vec<ChannelKind> = all.iter().copied().filter(|k| !down.contains(k)).collect();
    let route = if up.is_empty() { all } else { up };
    if route.is_empty() {
        return None;
    }
    let nth = world.book.next_of(person, |occasion| match occasion {
        Occasion::Alarm(nth) => Some(nth),
        _ => None,
    });
    let plans = world.book.plans.iter();
    let latest = plans.max_by_key(|(_, plan)| plan.imported_at);
    let key = MessageKey {
        // The program's own troubles belong to no plan; the latest one lists them.
        plan: match latest {
            Some((plan, _)) => plan.clone(),
            None => PlanId::new("cuiban").ok()?,
        },
        quarter: Quarter::of(world.calendar.date_of(now)),
        occasion: Occasion::Alarm(nth),
        person: person.clone(),
    };
    Some(Fact::MessageQueued {
        message: Box::new(Message {
            key,
            reason: Reason::Alarmed,
            items: Vec::new(),
            about: Vec::new(),
            copied: Vec::new(),
            catch_up: false,
            route,
            not_before: now,
            explicit: true,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::Book;
    use crate::domain::calendar::testing::china;
    use crate::domain::due::Reach;
    use crate::domain::fact::{Actor, Entry};
    use crate::domain::fixture::at;
    use crate::domain::people::{Contact, Person, Roles};
    use crate::domain::policy::Policy;

    struct Office {
        book: Book,
        operator: PersonId,
    }

    impl Office {
        fn new() -> Self {
            let operator = PersonId::of("服务器管理", "李四");
            let mut office = Self {
                book: Book::default(),
                operator: operator.clone(),
            };
            let person = Person {
                id: operator.clone(),
                name: "李四".into(),
                unit: "服务器管理".into(),
                roles: Roles::default(),
            };
            let contact = Contact {
                email: Some("li@example.invalid".into()),
                wecom_user: Some("li".into()),
                ..Contact::none(operator)
            };
            let facts = vec![
                Fact::PersonSet { plan: None, person },
                Fact::ContactSet { contact },
            ];
            office.append("2022-03-17T08:00", facts);
            office
        }

        fn append(&mut self, when: &str, facts: Vec<Fact>) {
            for fact in facts {
                let entry = Entry {
                    position: self.book.position + 1,
                    at: at(when),
                    by: Actor::System,
                    fact,
                };
                self.book.apply(&entry).unwrap();
            }
        }

        /// Looks, and notes what follows; gives the messages' routes.
        fn look(
            &mut self,
            when: &str,
            seen: &[&str],
            down: &[ChannelKind],
        ) -> Vec<Vec<ChannelKind>> {
            let seen: Vec<Seen> = seen
                .iter()
                .map(|name| Seen {
                    name: (*name).into(),
                    words: format!("{name} 有故障"),
                })
                .collect();
            let (calendar, policy) = (china(), Policy::default());
            let mut reach = Reach {
                email: true,
                ..Reach::default()
            };
            reach.robots.for_all = true;
            let world = World {
                book: &self.book,
                calendar: &calendar,
                policy: &policy,
                reach: &reach,
                coordinators: &[],
            };
            let facts = decide(
                &world,
                &seen,
                std::slice::from_ref(&self.operator),
                down,
                at(when),
            );
            let queued = facts.iter().filter_map(|fact| match fact {
                Fact::MessageQueued { message } => Some(message.route.clone()),
                _ => None,
            });
            let routes = queued.collect();
            self.append(when, facts);
            routes
        }

        fn send_all(&mut self, when: &str) {
            let waiting: Vec<MessageKey> = self.book.queue.values().cloned().collect();
            for key in waiting {
                let channel = self.book.messages[&key].message.route[0];
                let facts = vec![
                    Fact::SendIntended {
                        key: key.clone(),
                        leg: 0,
                        channel,
                        items: Vec::new(),
                    },
                    Fact::SendConcluded {
                        key,
                        outcome: crate::domain::delivery::SendOutcome::Sent {
                            answer: String::new(),
                        },
                        verdict: crate::domain::delivery::Verdict::Done,
                    },
                ];
                self.append(when, facts);
            }
        }
    }

    #[test]
    fn the_operator_is_told_once_by_what_still_works_and_again_the_next_day() {
        use ChannelKind::{Email, WecomRobot};
        let mut office = Office::new();
        assert!(office.look("2022-03-17T09:00", &[], &[]).is_empty());
        let told = office.look("2022-03-17T09:30", &["channel/email"], &[Email]);
        assert_eq!(told, [[WecomRobot]], "not by the one that is down");
        // While it waits a second trouble rides along.
        assert!(
            office
                .look("2022-03-17T09:31", &["channel/email", "clock"], &[Email])
                .is_empty()
        );
        office.send_all("2022-03-17T09:32");
        assert!(
            office
                .look("2022-03-17T12:00", &["channel/email", "clock"], &[Email])
                .is_empty()
        );
        // Something new is told at once, the old again after a day.
        let third = ["channel/email", "clock", "audit"];
        assert_eq!(office.look("2022-03-17T13:00", &third, &[Email]).len(), 1);
        office.send_all("2022-03-17T13:00");
        assert_eq!(office.book.alarms.len(), 3);
        assert_eq!(office.look("2022-03-18T13:00", &third, &[Email]).len(), 1);
        // What is over before it was told is not told.
        assert!(office.look("2022-03-18T13:01", &[], &[]).is_empty());
        assert!(office.book.alarms.is_empty() && office.book.queue.is_empty());
        assert_eq!(
            office.look("2022-03-18T14:00", &["clock"], &[Email, WecomRobot]),
            [[Email, WecomRobot]],
            "where nothing works it waits for whatever comes back"
        );
    }
}
