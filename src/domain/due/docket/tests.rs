use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::tests::{Office, id, obligation, plan_id, quarter, revise, task, time};
use super::*;
use crate::domain::book::Book;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::ladder::Ladder;
use crate::domain::people::Contact;
use crate::domain::report::Review;

/// What may happen in an office, in any order.
#[derive(Debug, Clone)]
enum Event {
    /// The clock goes on by so many minutes, or back; a pass is made, and what it says is stored,
    /// unless the store fails.
    Pass {
        minutes: i64,
        stored: bool,
    },
    /// What waits is sent.
    Deliver,
    /// An owner reports on a task of the first quarter.
    Report(u32),
    /// It is sent back.
    Return(u32),
    /// A revised table has this task with this owner in this many quarters, or not at all.
    Revise(u32, usize, u8),
    Remove(u32),
    /// An address is found or lost.
    Contact(usize, bool),
    /// The office has other rules.
    Ladder(bool),
    Coordinators(bool),
    DigestAt(u32),
}

const PEOPLE: [&str; 5] = ["钟靖平", "汤丽华", "卓庆", "刘光滨", "督查员"];

fn event() -> impl Strategy<Value = Event> {
    let minutes = prop_oneof![
        4 => 0_i64..90,
        4 => 90_i64..60 * 24 * 6,
        1 => -60_i64 * 24 * 3..0,
    ];
    prop_oneof![
        12 => (minutes, prop::bool::weighted(0.9))
            .prop_map(|(minutes, stored)| Event::Pass { minutes, stored }),
        6 => Just(Event::Deliver),
        2 => (1_u32..5).prop_map(Event::Report),
        1 => (1_u32..5).prop_map(Event::Return),
        1 => (1_u32..5, 0_usize..5, 1_u8..4).prop_map(|(no, who, last)| Event::Revise(no, who, last)),
        1 => (1_u32..5).prop_map(Event::Remove),
        1 => (0_usize..5, any::<bool>()).prop_map(|(who, has)| Event::Contact(who, has)),
        1 => any::<bool>().prop_map(Event::Ladder),
        1 => any::<bool>().prop_map(Event::Coordinators),
        1 => (15_u32..18).prop_map(Event::DigestAt),
    ]
}

fn happen(office: &mut Office, docket: &mut Docket, now: &mut DateTime<Utc>, event: &Event) {
    match event {
        Event::Pass { minutes, stored } => {
            *now += TimeDelta::minutes(*minutes);
            let said = docket.pass(&office.world(), *now);
            assert_eq!(said, over_everything(&office.world(), *now), "{now}");
            for fact in said.into_iter().filter(|_| *stored) {
                office.append(*now, fact);
            }
        }
        Event::Deliver => {
            let waiting = office.book.queue.values();
            let waiting = waiting.filter_map(|key| office.book.messages.get(key));
            let waiting: Vec<_> = waiting.map(|one| one.message.clone()).collect();
            for message in waiting {
                office.deliver(*now, &message);
            }
        }
        Event::Report(no) => {
            if office.book.obligations.contains_key(&obligation(*no)) {
                office.report_at(*now, PEOPLE[0], *no);
            }
        }
        Event::Return(no) => {
            let obligation = obligation(*no);
            let known = office.book.obligations.get(&obligation);
            if known.is_some_and(|known| known.latest().is_some()) {
                let reason = "请补充数据".into();
                let review = Review::Returned { reason };
                office.append(*now, Fact::ReviewGiven { obligation, review });
            }
        }
        Event::Revise(no, who, last) => {
            let last = Quarter::new(2022, *last).unwrap().to_string();
            revise(office, *now, task(*no, &[PEOPLE[*who]], "2022Q1", &last));
        }
        Event::Remove(no) => {
            let plan = plan_id();
            if office.book.plans[&plan].tasks.contains_key(no) {
                office.append(*now, Fact::TaskRemoved { plan, task: *no });
            }
        }
        Event::Contact(who, has) => {
            let person = id(PEOPLE[*who]);
            let contact = Contact {
                email: has.then(|| format!("{person}@example.invalid")),
                ..Contact::none(person)
            };
            office.append(*now, Fact::ContactSet { contact });
        }
        Event::Ladder(whole) => {
            let mut ladder = Ladder::default();
            ladder.stages.truncate(if *whole { 5 } else { 3 });
            office.policy.ladder = ladder;
        }
        Event::Coordinators(any) => {
            office.coordinators = any.then(|| id("督查员")).into_iter().collect();
        }
        Event::DigestAt(hour) => {
            office.policy.digest_time = chrono::NaiveTime::from_hms_opt(*hour, 50, 0).unwrap();
        }
    }
}

/// The same as a pass, without a docket and without sums: every matter the obligations make.
fn over_everything(world: &World<'_>, now: DateTime<Utc>) -> Vec<Fact> {
    let cases = world.book.obligations.keys();
    let cases = cases.map(|key| Matter::Case(key.plan.clone(), key.quarter));
    let plans = world.book.plans.keys().cloned().map(Matter::Handovers);
    let all: BTreeSet<Matter> = cases.chain(plans).collect();
    say(world, all.iter(), now)
}

fn counted_anew(book: &Book) -> Book {
    let mut anew = book.clone();
    anew.sum_up();
    anew
}

proptest! {
    #[test]
    fn a_pass_by_the_docket_says_what_a_pass_over_everything_says(
        events in prop::collection::vec(event(), 1..80)
    ) {
        let mut office = Office::new();
        let mut docket = Docket::default();
        let mut now = time("2022-03-14T09:00");
        for event in &events {
            happen(&mut office, &mut docket, &mut now, event);
            prop_assert!(counted_anew(&office.book) == office.book, "after {event:?}");
        }
    }
}

#[test]
fn what_is_not_due_is_not_looked_at() {
    let mut office = Office::new();
    let mut docket = Docket::default();
    assert_eq!(docket.pass(&office.world(), time("2022-03-01T09:00")), []);
    assert!(docket.open.is_empty());
    let next = docket.next_after(&office.world(), time("2022-03-01T09:01"));
    assert_eq!(next, Some(time("2022-03-17T09:10")));
    let said = docket.pass(&office.world(), time("2022-03-17T09:10"));
    let case = Matter::Case(plan_id(), quarter("2022Q1"));
    assert_eq!(docket.open, BTreeSet::from([case]));
    for fact in said {
        office.append(time("2022-03-17T09:10"), fact);
    }
    assert_eq!(docket.pass(&office.world(), time("2022-03-17T09:11")), []);
    assert!(docket.open.is_empty());
}

#[test]
fn what_changed_is_known_from_the_position_on_at_which_it_was_counted() {
    let mut office = Office::new();
    let touched = |book: &Book, since| {
        let touched = book.touched_since(since)?;
        Some(touched.cloned().collect::<Vec<Matter>>())
    };
    office.book = counted_anew(&office.book);
    let here = office.book.position;
    assert_eq!(touched(&office.book, here - 1), None);
    assert_eq!(touched(&office.book, here), Some(Vec::new()));
    assert_eq!(touched(&office.book, here + 1), None, "another book's");
    office.report_at(time("2022-03-01T09:00"), "钟靖平", 1);
    let case = Matter::Case(plan_id(), quarter("2022Q1"));
    assert_eq!(touched(&office.book, here), Some(vec![case]));
    let other = PlanId::new("p-2023").unwrap();
    assert!(office.book.case(&other, quarter("2022Q1")).is_none());
}
