//! A pass over 1,000,000 obligations: none of them due, 10,000 of them due, and what such a book
//! holds in memory.
//!
//! `cargo bench --bench due [-- OBLIGATIONS]`. The book is made in this process from facts, as a
//! start makes it: 100 plans of 2,500 tasks in four quarters, 10,000 owners, the stages of the
//! first quarter sent and most of it reported. The base of a pass is the same pass with an empty
//! docket, which looks at every case.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

#[path = "kit/mod.rs"]
mod kit;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use cuiban::domain::board::audits;
use cuiban::domain::book::Book;
use cuiban::domain::delivery::{SendOutcome, Verdict};
use cuiban::domain::due::{Docket, Reach};
use cuiban::domain::fact::{Actor, Entry, Fact};
use cuiban::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use cuiban::domain::people::ChannelKind;
use cuiban::domain::plan::PersonRef;
use cuiban::domain::report::{Report, ReportStatus, Via};
use cuiban::rules::RuleSet;

const PLANS: usize = 100;
/// Tasks of one owner.
const SHARE: usize = 25;
/// Plans that come too late for the others' notice: theirs is due.
const LATE: usize = 4;
const MS: f64 = 1e3;

fn main() {
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let size = std::env::args().find_map(|arg| arg.parse().ok());
    let mut city = City::new(size.unwrap_or(1_000_000));
    println!("| what | base | ours | ratio | goal |\n| --- | --- | --- | --- | --- |");
    for plan in LATE..PLANS {
        city.import(plan, "2022-01-04T09:00");
    }
    let (imported, _) = kit::resident(std::process::id());
    city.quarter_one();
    city.pass("2022-06-16T09:10");
    let none = city.none_due("2022-06-16T09:11");
    city.none_due_row("none due", none);
    let told = city.digest("2022-06-27T16:50");
    city.none_due_row("none due, at digest time, all told", told);
    for plan in 0..LATE {
        city.import(plan, "2022-06-27T17:00");
    }
    city.all_due("2022-06-27T17:01");
    city.account();
    let count = city.book.obligations.len();
    println!("| {count} obligations imported: resident | | {imported:.0} MiB | | < 1,000 MiB |");
    let (now, most) = kit::resident(std::process::id());
    println!(
        "| with {} messages and {} reports: resident (most) | | {now:.0} ({most:.0}) MiB | | < 1,000 MiB |",
        city.book.messages.len(),
        city.reports,
    );
}

struct City {
    book: Book,
    docket: Docket,
    rules: std::sync::Arc<RuleSet>,
    quarters: Vec<Quarter>,
    /// Tasks of a plan.
    tasks: usize,
    reports: usize,
}

impl City {
    fn new(size: usize) -> Self {
        let quarters: Vec<_> = (1..=4).filter_map(|nth| Quarter::new(2022, nth)).collect();
        let email = Reach {
            email: true,
            ..Reach::default()
        };
        let coordinator = kit::person_ref("督查员".into());
        let mut city = Self {
            book: Book::default(),
            docket: Docket::default(),
            rules: kit::rules(email, vec![coordinator.id.clone()]).now(),
            tasks: size / PLANS / quarters.len(),
            quarters,
            reports: 0,
        };
        let facts = kit::reachable(&coordinator);
        city.append(kit::at("2022-01-04T08:00"), facts);
        city
    }

    fn append(&mut self, at: DateTime<Utc>, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            let entry = Entry {
                position: self.book.position + 1,
                at,
                by: Actor::System,
                fact,
            };
            self.book.apply(&entry).unwrap();
        }
    }

    fn import(&mut self, nth: usize, at: &str) {
        let at = kit::at(at);
        let plan = plan_id(nth);
        self.append(at, [kit::imported(&plan)]);
        let owners = (0..self.tasks / SHARE).flat_map(|no| kit::reachable(&owner(nth, no)));
        self.append(at, owners);
        let quarters = self.quarters.clone();
        self.append(at, [kit::deadlines(&plan, &quarters)]);
        let task = |no: usize| Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(kit::task(
                no + 1,
                [owner(nth, no / SHARE)].into_iter(),
                &quarters,
            )),
        };
        self.append(at, (0..self.tasks).map(task));
    }

    /// All stages of the first quarter are sent; nine of ten report after the reminder.
    fn quarter_one(&mut self) {
        for at in ["2022-03-17T09:10", "2022-03-28T09:10"] {
            self.pass(at);
        }
        self.report("2022-03-29T10:00");
        for at in ["2022-03-31T09:10", "2022-04-01T09:10", "2022-04-08T09:10"] {
            self.pass(at);
        }
    }

    fn report(&mut self, at: &str) {
        let first = self.quarters[0];
        let keys = self.book.obligations.keys();
        let said = keys.filter(|key| key.quarter == first && key.task % 10 != 0);
        let said: Vec<ObligationKey> = said.cloned().collect();
        self.reports += said.len();
        for obligation in said {
            let owner = self.book.task_and_group(&obligation).unwrap().1.owners[0].clone();
            let report = report(owner.id, obligation);
            let report = Box::new(report);
            self.append(kit::at(at), [Fact::ReportReceived { report }]);
        }
    }

    /// A pass, and all that it says is stored and sent; gives how long the pass itself took.
    fn pass(&mut self, at: &str) -> (Duration, usize) {
        let now = kit::at(at);
        let began = Instant::now();
        let facts = self.docket.pass(&self.rules.world(&self.book), now);
        let took = began.elapsed();
        self.append(now, facts);
        let waiting: Vec<_> = self.book.queue.values().cloned().collect();
        for key in &waiting {
            let items = self.book.messages[key].message.items.clone();
            let intended = Fact::SendIntended {
                key: key.clone(),
                leg: 0,
                channel: ChannelKind::Email,
                items,
            };
            let answer = "250 2.0.0 Ok".into();
            let concluded = Fact::SendConcluded {
                key: key.clone(),
                outcome: SendOutcome::Sent { answer },
                verdict: Verdict::Done,
            };
            self.append(now, [intended, concluded]);
        }
        (took, waiting.len())
    }

    /// The longest of twenty passes a second apart, and the same with an empty docket.
    fn none_due(&mut self, at: &str) -> (Duration, Duration) {
        let world = self.rules.world(&self.book);
        let mut longest = [Duration::ZERO; 2];
        for second in 0..20 {
            let now = kit::at(at) + chrono::TimeDelta::seconds(second);
            let mut empty = Docket::default();
            for (docket, longest) in [&mut self.docket, &mut empty].into_iter().zip(&mut longest) {
                let began = Instant::now();
                let facts = docket.pass(&world, now);
                let _ = docket.next_after(&world, now);
                *longest = (*longest).max(began.elapsed());
                assert!(facts.is_empty(), "none is due");
            }
        }
        (longest[1], longest[0])
    }

    fn none_due_row(&self, what: &str, (base, ours): (Duration, Duration)) {
        let count = self.book.obligations.len();
        row(
            &format!("pass over {count} obligations, {what}; base: an empty docket"),
            base,
            ours,
            "< 5 ms",
        );
    }

    /// The digest goes to the coordinators, and then there is nothing more to say.
    fn digest(&mut self, at: &str) -> (Duration, Duration) {
        self.pass("2022-06-27T09:10");
        let (_, digests) = self.pass(at);
        assert_eq!(digests, PLANS - LATE, "one digest a plan");
        self.none_due("2022-06-27T16:51")
    }

    fn all_due(&mut self, at: &str) {
        let before = self.book.position;
        let (base, _) = self.none_due_base(at);
        let (took, told) = self.pass(at);
        let due = self.tasks * LATE;
        assert!(told >= due / SHARE, "everybody is told");
        let facts = self.book.position - before;
        row(
            &format!(
                "the same with {due} due, {told} people told, {facts} facts; base: an empty docket"
            ),
            base,
            took,
            "< 500 ms",
        );
    }

    fn none_due_base(&self, at: &str) -> (Duration, usize) {
        let began = Instant::now();
        let facts = Docket::default().pass(&self.rules.world(&self.book), kit::at(at));
        (began.elapsed(), facts.len())
    }

    /// The program's account of itself, after something has happened.
    fn account(&self) {
        let began = Instant::now();
        let all = audits(&self.book);
        let took = began.elapsed();
        assert!(all.values().all(|one| one.adds_up()));
        println!(
            "| self-audit of {} stages, {} messages | | {:.2} ms | | < 5 ms |",
            all.len(),
            self.book.messages.len(),
            took.as_secs_f64() * MS
        );
    }
}

fn plan_id(nth: usize) -> PlanId {
    PlanId::new(&format!("city-{nth:03}")).unwrap()
}

fn owner(plan: usize, nth: usize) -> PersonRef {
    kit::person_ref(format!("责任人{plan}之{nth}"))
}

fn report(person: PersonId, obligation: ObligationKey) -> Report {
    Report {
        obligation,
        person,
        delegate: None,
        via: Via::Form,
        status: ReportStatus::Completed,
        progress: "已组建管理服务团队，完成管理办法的修改并征求各单位意见。".into(),
        problems: String::new(),
        next_steps: "报市政府审定后印发。".into(),
        percent: None,
        actuals: Vec::new(),
    }
}

fn row(what: &str, base: Duration, ours: Duration, goal: &str) {
    let ms = |span: Duration| span.as_secs_f64() * MS;
    println!(
        "| {what} | {:.2} ms | {:.3} ms | {:.3} | {goal} |",
        ms(base),
        ms(ours),
        ms(ours) / ms(base)
    );
}
