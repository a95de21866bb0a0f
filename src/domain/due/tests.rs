mod put_off;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::YearTable;
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::{Actor, Entry};
use crate::domain::ids::ObligationKey;
use crate::domain::message::{Message, Occasion, Reason};
use crate::domain::people::Roles;
use crate::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use crate::domain::report::{Report, ReportStatus, Review, Via};

/// A small office: two owners with one task each and one they answer for together, over 2022.
pub(super) struct Office {
    pub(super) book: Book,
    calendar: Calendar,
    pub(super) policy: Policy,
    reach: Reach,
    pub(super) coordinators: Vec<PersonId>,
}

pub(super) fn plan_id() -> PlanId {
    PlanId::new("p-2022").unwrap()
}

pub(super) fn quarter(text: &str) -> Quarter {
    text.parse().unwrap()
}

pub(super) fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}:00+08:00"))
        .unwrap()
        .to_utc()
}

pub(super) fn id(name: &str) -> PersonId {
    PersonId::of("市科技局", name)
}

fn refer(name: &str) -> PersonRef {
    PersonRef {
        id: id(name),
        name: name.into(),
    }
}

fn calendar() -> Calendar {
    let days = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect();
    // The Qingming and year-end parts of the 2022 and 2023 notices, as far as these tests go.
    let table_2022 = YearTable {
        off: days(&[
            "2022-04-04",
            "2022-04-05",
            "2022-10-03",
            "2022-10-04",
            "2022-10-05",
            "2022-10-06",
            "2022-10-07",
            "2022-06-03",
            "2022-05-02",
            "2022-05-03",
            "2022-05-04",
        ]),
        worked: days(&[
            "2022-04-02",
            "2022-10-08",
            "2022-10-09",
            "2022-04-24",
            "2022-05-07",
        ]),
    };
    let table_2023 = YearTable {
        off: days(&[
            "2023-01-02",
            "2023-01-23",
            "2023-01-24",
            "2023-01-25",
            "2023-01-26",
            "2023-01-27",
        ]),
        worked: days(&["2023-01-28", "2023-01-29"]),
    };
    let years = BTreeMap::from([(2022, table_2022), (2023, table_2023)]);
    Calendar::new(chrono_tz::Asia::Shanghai, years)
}

pub(super) fn task(no: u32, owners: &[&str], first: &str, last: &str) -> Task {
    Task {
        no,
        goal: format!("第{no}项工作"),
        requirement: None,
        leaders: vec!["刘光滨".into()],
        lead_units: vec!["市科技局".into()],
        responsible: vec!["卓庆".into()],
        direct_owners: owners.iter().map(|name| (*name).into()).collect(),
        assisting_units: Vec::new(),
        groups: vec![Group {
            unit: "市科技局".into(),
            responsible: vec![refer("卓庆")],
            owners: owners.iter().map(|name| refer(name)).collect(),
            leaders: vec![refer("刘光滨")],
        }],
        schedule: String::new(),
        milestones: vec![Milestone {
            section: None,
            unit: None,
            kind: MilestoneKind::Due,
            first_quarter: quarter(first),
            last_quarter: quarter(last),
            due: quarter(last).last_day(),
            content: "完成".into(),
        }],
    }
}

impl Office {
    pub(super) fn new() -> Self {
        let mut office = Self {
            book: Book::default(),
            calendar: calendar(),
            policy: Policy::default(),
            reach: Reach {
                email: true,
                ..Reach::default()
            },
            coordinators: vec![id("督查员")],
        };
        let at = time("2022-01-04T09:00");
        let heading = Heading {
            title: "分解表".into(),
            year: 2022,
            issuer: None,
            issued_on: None,
        };
        office.append(
            at,
            Fact::PlanImported {
                plan: plan_id(),
                heading,
                source: "a.txt".into(),
                sha256: String::new(),
                accepted: 0,
                units: Vec::new(),
            },
        );
        for name in ["钟靖平", "汤丽华", "卓庆", "刘光滨", "督查员"] {
            office.append(
                at,
                Fact::PersonSet {
                    plan: Some(plan_id()),
                    person: Person {
                        id: id(name),
                        name: name.into(),
                        unit: "市科技局".into(),
                        roles: Roles::default(),
                    },
                },
            );
            let mut contact = Contact::none(id(name));
            contact.email = Some(format!("{}@example.invalid", id(name)));
            office.append(at, Fact::ContactSet { contact });
        }
        for task in [
            task(1, &["钟靖平"], "2022Q1", "2022Q1"),
            task(2, &["汤丽华"], "2022Q1", "2022Q3"),
            task(3, &["钟靖平", "汤丽华"], "2022Q1", "2022Q1"),
        ] {
            let task = Box::new(task);
            office.append(
                at,
                Fact::TaskSet {
                    plan: plan_id(),
                    task,
                },
            );
        }
        office
    }

    pub(super) fn world(&self) -> World<'_> {
        World {
            book: &self.book,
            calendar: &self.calendar,
            policy: &self.policy,
            reach: &self.reach,
            coordinators: &self.coordinators,
        }
    }

    pub(super) fn append(&mut self, at: DateTime<Utc>, fact: Fact) {
        let entry = Entry {
            position: self.book.position + 1,
            at,
            by: Actor::System,
            fact,
        };
        self.book.apply(&entry).unwrap();
    }

    /// Runs a pass, delivers what it queued, and gives the messages.
    fn pass(&mut self, at: &str) -> Vec<Message> {
        let now = time(at);
        let facts = pass(&self.world(), now);
        let mut messages = Vec::new();
        for fact in facts {
            if let Fact::MessageQueued { message } = &fact {
                messages.push((**message).clone());
            }
            self.append(now, fact);
        }
        for message in &messages {
            self.deliver(now, message);
        }
        messages
    }

    pub(super) fn deliver(&mut self, now: DateTime<Utc>, message: &Message) {
        self.append(
            now,
            Fact::SendIntended {
                key: message.key.clone(),
                leg: 0,
                channel: ChannelKind::Email,
                items: message.items.clone(),
            },
        );
        self.append(
            now,
            Fact::SendConcluded {
                key: message.key.clone(),
                outcome: SendOutcome::Sent {
                    answer: "250".into(),
                },
                verdict: Verdict::Done,
            },
        );
    }

    fn report(&mut self, at: &str, name: &str, task: u32) {
        self.report_at(time(at), name, task);
    }

    pub(super) fn report_at(&mut self, at: DateTime<Utc>, name: &str, task: u32) {
        let report = Report {
            obligation: obligation(task),
            person: id(name),
            delegate: None,
            via: Via::Form,
            status: ReportStatus::Completed,
            progress: "已完成".into(),
            problems: String::new(),
            next_steps: String::new(),
            percent: Some(100),
            actuals: Vec::new(),
        };
        let report = Box::new(report);
        self.append(at, Fact::ReportReceived { report });
    }
}

pub(super) fn obligation(task: u32) -> ObligationKey {
    ObligationKey {
        plan: plan_id(),
        quarter: quarter("2022Q1"),
        task,
        group: 0,
    }
}

fn told(messages: &[Message]) -> BTreeMap<PersonId, Vec<u32>> {
    messages
        .iter()
        .map(|message| {
            let tasks = message.items.iter().map(|key| key.task).collect();
            (message.key.person.clone(), tasks)
        })
        .collect()
}

#[test]
fn a_quarter_goes_through_its_five_stages_and_each_speaks_once() {
    let mut office = Office::new();
    assert_eq!(office.pass("2022-03-16T18:00"), vec![]);

    // T-10 of Thursday 2022-03-31 is 03-17.
    let notice = office.pass("2022-03-17T09:10");
    assert_eq!(
        told(&notice),
        BTreeMap::from([(id("钟靖平"), vec![1, 3]), (id("汤丽华"), vec![3, 2])])
    );
    assert!(
        notice
            .iter()
            .all(|m| m.reason == Reason::FirstNotice && !m.catch_up)
    );
    assert_eq!(
        office.pass("2022-03-17T09:11"),
        vec![],
        "a second pass finds nothing to do"
    );

    // One answer from either owner will do for the task they share.
    office.report("2022-03-20T10:00", "汤丽华", 3);
    office.report("2022-03-20T10:01", "汤丽华", 2);
    let reminder = office.pass("2022-03-28T09:10");
    assert_eq!(told(&reminder), BTreeMap::from([(id("钟靖平"), vec![1])]));

    let due = office.pass("2022-03-31T09:10");
    assert_eq!((due.len(), due[0].reason), (1, Reason::DueToday));
    assert_eq!(due[0].copied, vec![]);

    let overdue = office.pass("2022-04-01T09:10");
    assert_eq!(
        told(&overdue),
        BTreeMap::from([(id("钟靖平"), vec![1]), (id("卓庆"), vec![])])
    );
    let own = overdue
        .iter()
        .find(|m| m.key.person == id("钟靖平"))
        .unwrap();
    assert_eq!(own.copied, vec![id("卓庆")]);

    // T+5 counts the make-up Saturday 04-02 and leaves Qingming out.
    assert_eq!(office.pass("2022-04-07T09:10"), vec![]);
    let escalation = office.pass("2022-04-08T09:10");
    assert_eq!(
        told(&escalation).into_keys().collect::<BTreeSet<_>>(),
        BTreeSet::from([id("钟靖平"), id("卓庆"), id("刘光滨"), id("督查员")])
    );
}

#[test]
fn who_was_copied_in_is_told_once_that_it_is_settled() {
    let mut office = Office::new();
    for at in [
        "2022-03-17T09:10",
        "2022-03-28T09:10",
        "2022-03-31T09:10",
        "2022-04-01T09:10",
    ] {
        office.pass(at);
    }
    office.report("2022-04-01T15:00", "钟靖平", 1);
    let evening = office.pass("2022-04-01T16:50");
    let settled: Vec<_> = evening
        .iter()
        .filter(|m| m.reason == Reason::Settled)
        .collect();
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].key.person, id("卓庆"));
    assert_eq!(settled[0].about, vec![obligation(1)]);
    let next = office.pass("2022-04-02T16:50");
    assert!(next.iter().all(|m| m.reason == Reason::DailyDigest));
}

#[test]
fn a_missed_stage_is_caught_up_once_and_folded_into_the_latest() {
    let mut office = Office::new();
    let caught_up = office.pass("2022-03-29T14:00");
    assert_eq!(caught_up.len(), 2);
    assert!(
        caught_up
            .iter()
            .all(|m| m.catch_up && m.key.occasion == Occasion::Stage(Stage::Reminder))
    );
    let folded = &office.book.stages[&(plan_id(), quarter("2022Q1"), Stage::Notice)].1;
    assert_eq!(
        *folded,
        StageOutcome::Skipped {
            why: SkipWhy::FoldedInto {
                stage: Stage::Reminder
            },
            expected: 2,
        }
    );
}

#[test]
fn a_stage_more_than_ten_working_days_late_is_skipped_and_recorded() {
    let mut office = Office::new();
    // Escalation was 04-08; ten working days later is 04-22.
    assert_eq!(office.pass("2022-04-22T09:10").len(), 2, "just in time");
    let mut office = Office::new();
    assert_eq!(office.pass("2022-04-24T09:10"), vec![]);
    let run = |stage| &office.book.stages[&(plan_id(), quarter("2022Q1"), stage)].1;
    assert_eq!(
        *run(Stage::Escalation),
        StageOutcome::Skipped {
            why: SkipWhy::TooLate { working_days: 11 },
            expected: 2,
        }
    );
    assert_eq!(office.book.stages.len(), 5);
}

#[test]
fn importing_last_years_plan_sends_nothing_and_says_why() {
    let office = Office::new();
    let facts = pass(&office.world(), time("2026-11-23T09:00"));
    assert!(facts.iter().all(|fact| matches!(
        fact,
        Fact::LadderSet { .. }
            | Fact::StageRun {
                outcome: StageOutcome::Skipped { .. },
                ..
            }
    )));
    let words = explain_skipped(&facts);
    assert_eq!(words.len(), 3);
    assert!(
        words[0].starts_with("2022年第一季度：预告已过"),
        "{}",
        words[0]
    );
}

#[test]
fn nobody_is_complained_of_whom_we_could_not_reach() {
    let mut office = Office::new();
    office.append(
        time("2022-01-05T09:00"),
        Fact::ContactSet {
            contact: Contact::none(id("钟靖平")),
        },
    );
    for at in ["2022-03-17T09:10", "2022-03-28T09:10", "2022-03-31T09:10"] {
        office.pass(at);
    }
    office.report("2022-03-31T10:00", "汤丽华", 3);
    office.report("2022-03-31T10:00", "汤丽华", 2);
    assert_eq!(office.pass("2022-04-01T09:10"), vec![]);
    // His leaders hear nothing; the coordinator, who can telephone, hears of all of it.
    let told = office.pass("2022-04-08T09:10");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].key.person, office.coordinators[0]);
    assert_eq!(told[0].about, vec![obligation(1)]);
    let key = office.book.skipped.keys().next().unwrap();
    assert_eq!(office.book.skipped[key], SkipWhy::Unreachable);
}

#[test]
fn the_budget_holds_back_a_fourth_message_of_the_week_but_not_a_coordinators_word() {
    let mut office = Office::new();
    office.policy.budget = 1;
    office.pass("2022-03-28T09:10");
    assert_eq!(office.pass("2022-03-31T09:10"), vec![]);
    assert_eq!(
        office
            .book
            .skipped
            .values()
            .filter(|why| **why == SkipWhy::OverBudget)
            .count(),
        2
    );
    let now = time("2022-03-31T20:00");
    let urging = urged(&office, &UrgeFilter::default(), now);
    let already: Vec<_> = urging.iter().map(|one| (one.fate, one.already)).collect();
    assert_eq!(already, [(UrgeFate::Goes, 1), (UrgeFate::Goes, 1)]);
    let facts: Vec<_> = urging.into_iter().filter_map(|one| one.fact(now)).collect();
    assert!(
        facts
            .iter()
            .all(|fact| matches!(fact, Fact::MessageQueued { message }
        if message.explicit && message.not_before == now))
    );
}

fn urged(office: &Office, filter: &UrgeFilter, now: DateTime<Utc>) -> Vec<Urging> {
    urge(&office.world(), &plan_id(), quarter("2022Q1"), filter, now)
}

#[test]
fn a_second_press_urges_nobody_twice() {
    let mut office = Office::new();
    let now = time("2022-04-01T20:00");
    let filter = UrgeFilter {
        seen: Some(office.book.position),
        ..UrgeFilter::default()
    };
    let first: Vec<_> = urged(&office, &filter, now);
    assert_eq!(first.len(), 2);
    for fact in first.into_iter().filter_map(|one| one.fact(now)) {
        office.append(now, fact.clone());
        // The one has gone already, the other still waits.
        if let Fact::MessageQueued { message } = fact
            && message.key.person == id("钟靖平")
        {
            office.deliver(now, &message);
        }
    }
    let fates = |filter: &UrgeFilter| -> Vec<UrgeFate> {
        let all = urged(&office, filter, now);
        all.iter().map(|one| one.fate).collect()
    };
    assert_eq!(fates(&filter), [UrgeFate::OnItsWay, UrgeFate::OnItsWay]);
    assert_eq!(
        fates(&UrgeFilter::default()),
        [UrgeFate::Goes, UrgeFate::OnItsWay],
        "a coordinator who has seen the first may well urge again"
    );
}

#[test]
fn a_case_keeps_the_ladder_it_began_with() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    // From now on the office wants another ladder: no reminder, and everything two days later.
    let rules = &mut office.policy.ladder.stages;
    rules.retain(|rule| rule.stage != Stage::Reminder);
    for rule in rules.iter_mut() {
        rule.working_days += 2;
    }
    assert_eq!(office.pass("2022-03-28T09:10").len(), 2, "as it began");
    assert_eq!(office.pass("2022-03-31T09:10").len(), 2);
    // The next quarter begins with the new one: T-10 of Thursday 06-30 is 06-16.
    let second = |office: &Office, stage| {
        office
            .world()
            .stage_time(&plan_id(), quarter("2022Q2"), stage)
    };
    assert_eq!(second(&office, Stage::Reminder), None);
    assert_eq!(
        second(&office, Stage::Notice),
        Some(time("2022-06-20T09:10"))
    );
    assert_eq!(
        office.book.ladder(&plan_id(), quarter("2022Q1")),
        Some(&Ladder::default())
    );
    office.report("2022-05-01T10:00", "钟靖平", 1);
    office.pass("2022-06-20T09:10");
    let kept = office.book.ladder(&plan_id(), quarter("2022Q2"));
    assert_eq!(kept, Some(&office.policy.ladder));
}

#[test]
fn a_stage_goes_by_its_own_channels_first_and_tells_whom_the_office_wants() {
    let mut office = Office::new();
    office.reach.robots.for_all = true;
    let mut contact = office.book.contacts[&id("钟靖平")].clone();
    contact.wecom_user = Some("zhong".into());
    office.append(time("2022-01-05T09:00"), Fact::ContactSet { contact });
    let notice = &mut office.policy.ladder.stages[0];
    notice.channels = vec![ChannelKind::WecomRobot];
    notice.copied.leaders = true;
    let told = office.pass("2022-03-17T09:10");
    let route = |name| {
        let message = told.iter().find(|m| m.key.person == id(name)).unwrap();
        message.route.clone()
    };
    assert_eq!(
        route("钟靖平"),
        [ChannelKind::WecomRobot, ChannelKind::Email]
    );
    assert_eq!(
        route("汤丽华"),
        [ChannelKind::Email],
        "who has no WeCom account is not lost for it"
    );
    let leader = told.iter().find(|m| m.key.person == id("刘光滨")).unwrap();
    assert_eq!(leader.reason, Reason::CopiedIn);
    assert_eq!(leader.about.len(), 3);
}

#[test]
fn word_that_it_is_settled_comes_however_late_the_report() {
    let mut office = Office::new();
    for at in [
        "2022-03-17T09:10",
        "2022-03-31T09:10",
        "2022-04-01T09:10",
        "2022-04-08T09:10",
    ] {
        office.pass(at);
    }
    // Long after the last digest; a Thursday.
    office.report("2022-05-19T10:00", "钟靖平", 1);
    let now = time("2022-05-19T10:00");
    let next = next_after(&office.world(), now);
    assert_eq!(next, Some(time("2022-05-19T16:50")));
    let told: BTreeSet<_> = office
        .pass("2022-05-19T16:50")
        .into_iter()
        .filter(|m| m.reason == Reason::Settled)
        .map(|m| m.key.person)
        .collect();
    assert_eq!(told, BTreeSet::from([id("卓庆"), id("刘光滨")]));
    let next = next_after(&office.world(), time("2022-05-19T16:50"));
    assert!(next.is_some_and(|next| next > time("2022-06-01T00:00")));
}

#[test]
fn a_returned_report_opens_the_obligation_again_and_stands_first() {
    let mut office = Office::new();
    office.report("2022-03-10T10:00", "钟靖平", 3);
    let review = Review::Returned {
        reason: "请补充数据".into(),
    };
    office.append(
        time("2022-03-11T10:00"),
        Fact::ReviewGiven {
            obligation: obligation(3),
            review,
        },
    );
    let notice = office.pass("2022-03-17T09:10");
    assert_eq!(told(&notice)[&id("钟靖平")], vec![3, 1]);
}

#[test]
fn the_digest_comes_daily_from_the_reminder_until_all_have_reported() {
    let mut office = Office::new();
    assert_eq!(
        office
            .pass("2022-03-25T16:50")
            .iter()
            .filter(|m| m.reason == Reason::DailyDigest)
            .count(),
        0
    );
    assert_eq!(
        office
            .pass("2022-03-28T16:50")
            .iter()
            .filter(|m| m.reason == Reason::DailyDigest)
            .count(),
        1
    );
    assert_eq!(office.pass("2022-03-28T17:00"), vec![]);
    for task in [1, 2, 3] {
        office.report("2022-03-28T17:10", "钟靖平", task);
    }
    assert_eq!(office.pass("2022-03-29T16:50"), vec![]);
}

/// A revised table with this task in it.
pub(super) fn revise(office: &mut Office, at: DateTime<Utc>, task: Task) {
    let heading = office.book.plans[&plan_id()].heading.clone();
    let imported = Fact::PlanImported {
        plan: plan_id(),
        heading,
        source: "b.txt".into(),
        sha256: String::new(),
        accepted: 0,
        units: Vec::new(),
    };
    office.append(at, imported);
    let task = Box::new(task);
    office.append(
        at,
        Fact::TaskSet {
            plan: plan_id(),
            task,
        },
    );
}

#[test]
fn a_new_owner_hears_at_once_and_the_former_one_is_thanked_each_once() {
    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    revise(
        &mut office,
        time("2022-03-21T20:00"),
        task(1, &["卓庆"], "2022Q1", "2022Q1"),
    );
    assert_eq!(office.pass("2022-03-21T20:01"), [], "not after hours");
    let messages = office.pass("2022-03-22T08:30");
    let kinds: Vec<_> = messages
        .iter()
        .map(|message| (message.key.person.clone(), message.key.occasion))
        .collect();
    assert_eq!(
        kinds,
        [
            (id("卓庆"), Occasion::TakenOver(2)),
            (id("钟靖平"), Occasion::HandedOver(2))
        ]
    );
    assert_eq!(messages[0].items, [obligation(1)]);
    assert_eq!(messages[1].about, [obligation(1)]);
    assert!(messages[1].items.is_empty());
    assert_eq!(office.pass("2022-03-22T08:31"), []);
    assert_eq!(office.pass("2022-03-23T08:31"), []);
    // The next stage asks the new owner; the former one is asked for task 3 only.
    let told = told(&office.pass("2022-03-28T09:10"));
    assert_eq!(told[&id("卓庆")], [1]);
    assert_eq!(told[&id("钟靖平")], [3]);
}

#[test]
fn who_knows_of_nothing_yet_or_has_nothing_open_is_not_told_of_a_change() {
    let mut office = Office::new();
    revise(
        &mut office,
        time("2022-01-05T10:00"),
        task(1, &["卓庆"], "2022Q1", "2022Q1"),
    );
    assert_eq!(office.pass("2022-01-05T10:01"), [], "a correction");

    let mut office = Office::new();
    office.pass("2022-03-17T09:10");
    office.report("2022-03-18T09:10", "钟靖平", 1);
    revise(
        &mut office,
        time("2022-03-21T10:00"),
        task(1, &["卓庆"], "2022Q1", "2022Q1"),
    );
    assert_eq!(office.pass("2022-03-21T10:01"), [], "nothing is open");
}

#[test]
fn with_nothing_configured_everything_goes_to_the_spool() {
    let mut office = Office::new();
    office.reach = Reach::default();
    office.append(
        time("2022-01-05T09:00"),
        Fact::ContactSet {
            contact: Contact::none(id("钟靖平")),
        },
    );
    let facts = pass(&office.world(), time("2022-03-17T09:10"));
    let routes: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::MessageQueued { message } => Some(message.route.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(routes, vec![vec![ChannelKind::Spool]; 2]);
}

#[test]
fn simulate_names_what_the_passes_then_send() {
    let mut office = Office::new();
    let from = time("2022-01-04T09:00");
    let ahead = simulate(&office.world(), from, time("2023-01-31T00:00")).unwrap();
    let mut sent = Vec::new();
    let mut now = from;
    while let Some(next) =
        next_after(&office.world(), now).filter(|at| *at < time("2023-01-31T00:00"))
    {
        now = next;
        let local = now
            .with_timezone(&chrono_tz::Asia::Shanghai)
            .format("%Y-%m-%dT%H:%M")
            .to_string();
        sent.extend(office.pass(&local).into_iter().map(|m| (now, m.key)));
    }
    let ahead: BTreeSet<_> = ahead.into_iter().map(|s| (s.at, s.message.key)).collect();
    assert_eq!(ahead, sent.into_iter().collect());
    let stages = |q: &str| {
        ahead
            .iter()
            .filter(|(_, k)| k.quarter == quarter(q) && k.person == id("汤丽华"))
            .count()
    };
    assert_eq!(
        (stages("2022Q1"), stages("2022Q2"), stages("2022Q4")),
        (5, 5, 0)
    );
    // Looking back from after the year gives the same.
    let again = simulate(&office.world(), from, time("2023-01-31T00:00")).unwrap();
    assert_eq!(again.len(), ahead.len());
}

proptest! {
    /// Whenever passes are run, nobody is told the same stage twice, nothing leaves out of hours,
    /// and expected = queued + skipped.
    #[test]
    fn however_the_passes_fall_nothing_is_said_twice(minutes in proptest::collection::vec(0_i64..60 * 24 * 40, 1..40)) {
        let mut office = Office::new();
        let mut minutes = minutes;
        minutes.sort_unstable();
        let mut seen = BTreeSet::new();
        for minute in minutes {
            let now = time("2022-03-10T00:00") + chrono::TimeDelta::minutes(minute);
            let facts = pass(&office.world(), now);
            for fact in facts {
                if let Fact::MessageQueued { message } = &fact {
                    prop_assert!(seen.insert(message.key.clone()));
                    let leaves = message.not_before;
                    prop_assert_eq!(office.policy.next_open(&office.calendar, leaves), leaves);
                }
                if let Fact::StageRun { outcome: StageOutcome::Ran { expected, queued, skipped }, .. } = &fact {
                    prop_assert_eq!(*expected, queued + skipped);
                }
                office.append(now, fact);
            }
        }
        let day = NaiveDate::from_ymd_opt(2022, 3, 31).unwrap();
        prop_assert!(office.calendar.is_working(day));
    }

    /// A clock that runs, leaps and is set back as it likes: nobody is told the same twice, and each
    /// stage is told by itself or within a later one.
    #[test]
    fn however_the_clock_is_set_nothing_is_said_twice_and_nothing_is_lost(
        steps in proptest::collection::vec(-60 * 24 * 4_i64..60 * 24 * 6, 0..40)
    ) {
        let mut office = Office::new();
        // What is held back on purpose is another matter.
        office.policy.budget = 99;
        let (first, last) = (time("2022-03-10T00:00"), time("2022-04-08T12:00"));
        let mut now = first;
        let mut walk: Vec<DateTime<Utc>> = steps.iter().map(|minutes| {
            now = (now + chrono::TimeDelta::minutes(*minutes)).clamp(first, last);
            now
        }).collect();
        // At last it is right, and runs.
        walk.extend((0..).map(|n| first + chrono::TimeDelta::hours(6 * n)).take_while(|at| *at <= last));
        let mut said = BTreeSet::new();
        for now in walk {
            for fact in pass(&office.world(), now) {
                if let Fact::MessageQueued { message } = &fact {
                    prop_assert!(said.insert(message.key.clone()), "{:?}", message.key);
                }
                office.append(now, fact);
            }
            let ready: Vec<Message> = office.book.ready(ChannelKind::Email, now)
                .map(|delivery| delivery.message.clone())
                .collect();
            for message in ready {
                office.deliver(now, &message);
            }
        }
        let mut stages = 0;
        for ((_, _, stage), (_, outcome)) in &office.book.stages {
            let spoke = |stage| matches!(
                office.book.stages.get(&(plan_id(), quarter("2022Q1"), stage)),
                Some((_, StageOutcome::Ran { skipped: 0, .. }))
            );
            match outcome {
                StageOutcome::Skipped { why: SkipWhy::FoldedInto { stage: later }, .. } => {
                    prop_assert!(later > stage && spoke(*later));
                }
                _ => prop_assert!(spoke(*stage), "{stage:?} {outcome:?}"),
            }
            stages += 1;
        }
        prop_assert_eq!(stages, 5);
        let audits = crate::domain::board::audits(&office.book);
        for audit in audits.values().filter(|audit| audit.told.skipped == 0) {
            prop_assert!(audit.expected == audit.told.sent && audit.told.sent >= 2, "{audit:?}");
        }
    }
}
