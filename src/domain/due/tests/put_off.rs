//! Later dates, words that are heard soon, and who fills in.

use chrono::TimeDelta;

use super::*;
use crate::domain::agenda::{self, When};
use crate::domain::book::{DeliveryState, ObligationState};
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::due::extension::ExtensionError;
use crate::domain::fact::WithdrawWhy;
use crate::domain::ids::TaskNo;
use crate::domain::request::{ExtensionAsk, ExtensionWord, NotMineWord, OtherOwner};

impl Office {
    fn append_all(&mut self, at: &str, facts: Vec<Fact>) -> Vec<Message> {
        let mut queued = Vec::new();
        for fact in facts {
            if let Fact::MessageQueued { message } = &fact {
                queued.push((**message).clone());
            }
            self.append(time(at), fact);
        }
        queued
    }

    fn grant(&mut self, at: &str, task: u32, day: &str) -> Vec<Message> {
        let wanted = day.parse().unwrap();
        let facts = extension::grant(
            &self.world(),
            &obligation(task),
            wanted,
            String::new(),
            time(at),
        );
        self.append_all(at, facts.unwrap())
    }

    fn give_back(&mut self, at: &str, tasks: &[u32]) -> Vec<Message> {
        let keys: Vec<_> = tasks.iter().map(|task| obligation(*task)).collect();
        let mut facts = word::returned(&self.world(), &keys, time(at));
        facts.extend(keys.into_iter().map(|obligation| Fact::ReviewGiven {
            obligation,
            review: Review::Returned {
                reason: "请补充数据".into(),
            },
        }));
        self.append_all(at, facts)
    }

    fn state(&self, task: u32, at: &str) -> ObligationState {
        self.book.state(&obligation(task), time(at)).unwrap()
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn what_is_put_off_is_reminded_of_around_its_own_date() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    office.report("2022-03-18T10:00", "汤丽华", 3);
    office.report("2022-03-18T10:00", "汤丽华", 2);
    // Asked and granted before the reminder: the quarter has nothing more to say of it.
    let told = office.grant("2022-03-25T10:00", 1, "2022-04-15");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].key.occasion, Occasion::Decided(1));
    assert_eq!(office.pass("2022-03-28T09:10"), vec![]);
    assert_eq!(
        office.state(1, "2022-04-02T09:00"),
        ObligationState::NotReported
    );
    // Ten working days before Friday 04-15, of which Saturday 04-02 is one.
    let notice = office.pass("2022-03-31T09:10");
    assert_eq!(
        notice[0].key.occasion,
        Occasion::PutOff(Stage::Notice, day("2022-04-15"))
    );
    assert_eq!(
        super::told(&notice),
        BTreeMap::from([(id("钟靖平"), vec![1])])
    );
    assert_eq!(
        office.pass("2022-04-08T09:10"),
        vec![],
        "no escalation of the first date"
    );
    let reminder = office.pass("2022-04-12T09:10");
    assert_eq!(
        super::told(&reminder),
        BTreeMap::from([(id("钟靖平"), vec![1])])
    );
    assert_eq!(
        office.pass("2022-04-12T16:50").len(),
        1,
        "the digest follows it again"
    );
    office.pass("2022-04-15T09:10");
    assert_eq!(
        office.state(1, "2022-04-15T18:00"),
        ObligationState::NotReported
    );
    assert_eq!(
        office.state(1, "2022-04-15T18:01"),
        ObligationState::OverdueUnreported
    );
    let overdue = office.pass("2022-04-18T09:10");
    let overdue: BTreeSet<_> = super::told(&overdue).into_keys().collect();
    assert_eq!(overdue, BTreeSet::from([id("钟靖平"), id("卓庆")]));
    office.report("2022-04-18T10:00", "钟靖平", 1);
    assert_eq!(
        office.state(1, "2022-04-19T10:00"),
        ObligationState::ReportedLate
    );
    let audits = crate::domain::board::audit(&office.book, &plan_id(), quarter("2022Q1"));
    assert!(audits.iter().all(|audit| audit.adds_up()), "{audits:?}");
}

#[test]
fn what_waits_and_speaks_of_nothing_else_is_taken_back_in_the_same_append() {
    let mut office = Office::new();
    let now = time("2022-03-17T09:10");
    // Queued and not yet sent.
    for fact in pass(&office.world(), now) {
        office.append(now, fact);
    }
    office.report("2022-03-17T09:11", "汤丽华", 3);
    office.grant("2022-03-17T09:12", 1, "2022-04-15");
    let states: Vec<_> = office
        .book
        .messages_about(&id("钟靖平"), &plan_id(), quarter("2022Q1"))
        .map(|delivery| (delivery.message.key.occasion, delivery.state.clone()))
        .collect();
    assert!(matches!(
        states.as_slice(),
        [
            (
                Occasion::Stage(Stage::Notice),
                DeliveryState::Withdrawn {
                    why: WithdrawWhy::PutOff,
                    ..
                }
            ),
            (Occasion::Decided(1), DeliveryState::Waiting { .. })
        ]
    ));
}

#[test]
fn the_calendar_moves_to_the_new_date_under_a_higher_number() {
    let mut office = Office::new();
    office.report("2022-03-18T10:00", "汤丽华", 3);
    let event = |office: &Office| {
        agenda::reports(&office.book, &plan_id(), quarter("2022Q1"), &id("钟靖平")).unwrap()
    };
    let deadlines = vec![(day("2022-03-31"), time("2022-03-31T18:00"))];
    office.append(
        time("2022-03-18T10:01"),
        Fact::DeadlinesSet {
            plan: plan_id(),
            deadlines,
            assumed_years: Vec::new(),
        },
    );
    let before = event(&office);
    assert_eq!(before.when, When::Until(time("2022-03-31T18:00")));
    office.grant("2022-03-25T10:00", 1, "2022-04-15");
    let after = event(&office);
    assert_eq!(after.when, When::Until(time("2022-04-15T18:00")));
    assert_eq!(after.uid, before.uid);
    assert!(after.sequence > before.sequence);
}

#[test]
fn a_date_is_a_working_day_later_than_now_and_than_before() {
    let mut office = Office::new();
    let date = |office: &Office, wanted: &str, now: &str| {
        extension::date(&office.world(), &obligation(1), day(wanted), time(now))
    };
    // Qingming: the last working day before it.
    assert_eq!(
        date(&office, "2022-04-05", "2022-03-25T10:00"),
        Ok((day("2022-04-02"), time("2022-04-02T18:00")))
    );
    assert_eq!(
        date(&office, "2022-03-20", "2022-03-25T10:00"),
        Err(ExtensionError::NotLater(day("2022-03-18")))
    );
    assert_eq!(
        date(&office, "2032-03-20", "2022-03-25T10:00"),
        Err(ExtensionError::TooFar)
    );
    office.grant("2022-03-25T10:00", 1, "2022-04-15");
    assert!(date(&office, "2022-04-15", "2022-03-25T11:00").is_err());
    office.report("2022-03-25T12:00", "钟靖平", 1);
    assert_eq!(
        date(&office, "2022-04-20", "2022-03-25T13:00"),
        Err(ExtensionError::Reported)
    );
}

#[test]
fn several_returned_reports_go_in_one_message_and_those_reported_again_in_none() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    for task in [1, 3] {
        office.report("2022-03-18T10:00", "钟靖平", task);
    }
    let first = office.give_back("2022-03-18T17:58", &[1]);
    // After hours: it waits for Monday, whatever the budget says.
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].not_before, time("2022-03-21T08:30"));
    assert!(first[0].explicit && !first[0].leaves_at_any_hour());
    let second = office.give_back("2022-03-18T17:59", &[3]);
    let own = second
        .iter()
        .find(|m| m.key.person == id("钟靖平"))
        .unwrap();
    assert_eq!(own.key.occasion, Occasion::Returned(2));
    assert_eq!(own.items, [obligation(1), obligation(3)]);
    assert_eq!(own.not_before, time("2022-03-21T08:30"));
    // Who answers for the shared task is told of that alone.
    let other = second
        .iter()
        .find(|m| m.key.person == id("汤丽华"))
        .unwrap();
    assert_eq!(other.items, [obligation(3)]);
    let waiting = |office: &Office| office.book.queue.len();
    assert_eq!(waiting(&office), 2);
    let open = |office: &Office, now| office.book.still_open(&own.key.person, &own.items, now);
    let now = time("2022-03-21T08:30");
    assert_eq!(open(&office, now).len(), 2);
    office.report("2022-03-20T10:00", "钟靖平", 1);
    assert_eq!(open(&office, now), [obligation(3)]);
    // At the next stage the reason stands with the item, first of all.
    let reminder = office.pass("2022-03-28T09:10");
    assert_eq!(super::told(&reminder)[&id("钟靖平")], [3]);
}

#[test]
fn who_asked_in_time_or_says_it_is_not_theirs_is_reminded_and_not_complained_of() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    office.report("2022-03-18T10:00", "汤丽华", 3);
    office.report("2022-03-18T10:00", "汤丽华", 2);
    let said = Fact::NotMineSaid {
        obligation: obligation(1),
        person: id("钟靖平"),
        other: OtherOwner::default(),
    };
    office.append(time("2022-03-18T10:00"), said);
    let overdue = office.pass("2022-04-01T09:10");
    assert_eq!(
        super::told(&overdue),
        BTreeMap::from([(id("钟靖平"), vec![1])])
    );
    assert_eq!(overdue[0].copied, []);
    let settled = Fact::NotMineSettled {
        obligation: obligation(1),
        word: NotMineWord::Theirs {
            note: String::new(),
        },
    };
    office.append(time("2022-04-01T10:00"), settled);
    // Asked when it was overdue: that holds nothing up.
    let asked = Fact::ExtensionAsked {
        obligation: obligation(1),
        person: id("钟靖平"),
        ask: ExtensionAsk {
            day: day("2022-04-15"),
            reason: "评审推迟".into(),
            late: true,
        },
    };
    office.append(time("2022-04-01T10:00"), asked);
    let escalation = office.pass("2022-04-08T09:10");
    assert!(escalation.iter().any(|m| m.key.person == id("刘光滨")));
}

#[test]
fn a_changed_owner_hears_of_it_once_and_the_former_is_thanked() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    let changed = Fact::OwnerChanged {
        plan: plan_id(),
        duties: vec![(1, 0), (3, 0)],
        from: id("钟靖平"),
        to: refer("督查员"),
    };
    office.append(time("2022-03-18T10:00"), changed);
    let told = office.pass("2022-03-18T10:01");
    assert_eq!(
        super::told(&told),
        BTreeMap::from([(id("钟靖平"), vec![]), (id("督查员"), vec![1, 3])])
    );
    assert_eq!(office.pass("2022-03-18T10:02"), vec![]);
    let group = &office.book.task_and_group(&obligation(3)).unwrap().1.owners;
    assert_eq!(group.as_slice(), [refer("督查员"), refer("汤丽华")]);
}

#[test]
fn who_acts_is_reminded_for_who_is_away_and_who_helps_beside_the_owner() {
    let mut office = Office::new();
    let delegated = |to: &str, scope| Fact::Delegated {
        delegation: Delegation {
            from: id("钟靖平"),
            to: id(to),
            scope,
        },
    };
    let acting = Scope::Acting {
        begins: time("2022-03-16T00:00"),
        ends: time("2022-03-20T00:00"),
    };
    office.append(time("2022-03-15T10:00"), delegated("卓庆", acting));
    let notice = super::told(&office.pass("2022-03-17T09:10"));
    assert_eq!(notice.get(&id("钟靖平")), None, "away");
    assert_eq!(notice[&id("卓庆")], [1, 3]);
    let answerable = |office: &Office, at| {
        let plan = plan_id();
        let all = office
            .book
            .answerable(&id("卓庆"), &plan, quarter("2022Q1"), time(at));
        all.iter().map(|one| one.key.task).collect::<Vec<_>>()
    };
    assert_eq!(answerable(&office, "2022-03-17T09:10"), [1, 3]);
    assert!(answerable(&office, "2022-03-20T00:00").is_empty());
    let items = Scope::Items {
        plan: plan_id(),
        duties: vec![(1, 0)],
    };
    office.append(time("2022-03-21T10:00"), delegated("卓庆", items));
    let reminder = super::told(&office.pass("2022-03-28T09:10"));
    assert_eq!(reminder[&id("钟靖平")], [1, 3]);
    assert_eq!(reminder[&id("卓庆")], [1]);
    let delegation = *office.book.delegations.keys().next_back().unwrap();
    office.append(
        time("2022-03-29T10:00"),
        Fact::DelegationEnded { delegation },
    );
    let due = super::told(&office.pass("2022-03-31T09:10"));
    assert_eq!(due.get(&id("卓庆")), None);
}

#[test]
fn who_fills_in_is_told_once_and_who_acts_when_that_begins() {
    let mut office = Office::new();
    let entrust = |office: &mut Office, at: &str, scope| {
        let mut facts = vec![Fact::Delegated {
            delegation: Delegation {
                from: id("钟靖平"),
                to: id("卓庆"),
                scope,
            },
        }];
        facts.extend(word::entrusted(&office.world(), &facts, time(at)));
        office.append_all(at, facts)
    };
    let items = |duties: &[(TaskNo, u8)]| Scope::Items {
        plan: plan_id(),
        duties: duties.to_vec(),
    };
    // On a Friday evening.
    let told = entrust(&mut office, "2022-03-18T20:00", items(&[(1, 0)]));
    assert_eq!(
        super::told(&told),
        BTreeMap::from([(id("卓庆"), vec![1])]),
        "nobody else"
    );
    assert_eq!(told[0].key.occasion, Occasion::Entrusted(1));
    assert_eq!(told[0].not_before, time("2022-03-21T08:30"));
    // One more before it has left: one letter with both.
    let told = entrust(&mut office, "2022-03-18T20:05", items(&[(3, 0)]));
    assert_eq!(
        super::told(&told),
        BTreeMap::from([(id("卓庆"), vec![1, 3])])
    );
    let waiting = |office: &Office| {
        let messages = office.book.messages.values();
        messages
            .filter(|one| matches!(one.state, DeliveryState::Waiting { .. }))
            .count()
    };
    assert_eq!(waiting(&office), 1);

    let acting = Scope::Acting {
        begins: time("2022-03-28T00:00"),
        ends: time("2022-04-02T00:00"),
    };
    let told = entrust(&mut office, "2022-03-18T20:06", acting);
    assert_eq!(told[0].not_before, time("2022-03-28T08:30"));
    assert_eq!(waiting(&office), 2);
    // Nothing open, nothing said.
    office.report("2022-03-18T21:00", "汤丽华", 3);
    assert_eq!(
        entrust(&mut office, "2022-03-18T21:01", items(&[(3, 0)])),
        vec![]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whenever a date is put off, and to whichever: nobody is told twice of the same stage of the
    /// same date, nothing of the quarter's own speaks of it afterwards, and no stage of the new
    /// date leaves before its time or before the word.
    #[test]
    fn an_extension_brings_no_reminder_forward_and_repeats_none(
        granted_hours in 0_i64..1200, later_days in 1_i64..60, step in 3_i64..40
    ) {
        let mut office = Office::new();
        let begin = time("2022-03-15T08:00");
        let granted_at = begin + TimeDelta::hours(granted_hours);
        let wanted = office.calendar.date_of(granted_at.max(time("2022-03-31T18:00")))
            + chrono::Days::new(u64::try_from(later_days).unwrap());
        let mut now = begin;
        let mut granted = None;
        let mut seen = BTreeSet::new();
        while now < time("2022-08-01T00:00") {
            if granted.is_none() && now >= granted_at {
                let facts =
                    extension::grant(&office.world(), &obligation(1), wanted, String::new(), now);
                let Ok(facts) = facts else { return Ok(()); };
                if let Some(Fact::ExtensionDecided {
                    word: ExtensionWord::Granted { day, .. }, ..
                }) = facts.first() {
                    granted = Some((*day, now));
                }
                for fact in facts {
                    office.append(now, fact);
                }
            }
            for fact in pass(&office.world(), now) {
                if let Fact::MessageQueued { message } = &fact {
                    let speaks = message.items.contains(&obligation(1))
                        || message.about.contains(&obligation(1));
                    prop_assert!(seen.insert(message.key.clone()));
                    match (message.key.occasion, granted) {
                        (Occasion::Stage(_), Some(_)) => prop_assert!(!speaks),
                        (Occasion::PutOff(stage, on), Some((day, since))) => {
                            prop_assert_eq!(on, day);
                            let at = office.policy.ladder
                                .time_around(&office.calendar, day, stage).unwrap();
                            prop_assert!(at > since && now >= at);
                        }
                        (Occasion::PutOff(..), None) => prop_assert!(false),
                        _ => {}
                    }
                }
                office.append(now, fact);
            }
            let mut anew = office.book.clone();
            anew.sum_up();
            prop_assert!(anew == office.book);
            now += TimeDelta::hours(step);
        }
    }
}
