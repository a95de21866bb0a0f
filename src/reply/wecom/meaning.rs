//! What a word from the application means, decided on the book as it stands. Pure; runs on the
//! writer's thread, so that nothing comes between the look and the facts.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::answer::{Answer, Line};
use crate::desk::Office;
use crate::domain::book::{Book, Obligation};
use crate::domain::brief::message_name;
use crate::domain::fact::{Actor, Fact};
use crate::domain::heard::{Meaning, Said, Word};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::message::{MessageKey, Thread};
use crate::domain::report::{ReportStatus, Via};
use crate::reply::Draft;
use crate::reply::accept::{self, Refusal, Submission};
use crate::reply::seen;
use crate::reply::words::{self, OpenItem, Understood};
use crate::rules::RuleSet;

/// What a decision stands on beside the book.
pub(super) struct Ground<'a> {
    /// The office's rules.
    pub rules: &'a RuleSet,
    /// Who asks.
    pub office: &'a Office,
    /// As of when it is decided.
    pub at: DateTime<Utc>,
}

/// The facts that follow from a word, its settlement among them; none where it was decided on
/// before.
pub(super) fn decide(book: &Book, heard: Position, ground: &Ground<'_>) -> Vec<Fact> {
    let Some(word) = book.words.get(&heard).filter(|word| word.settled.is_none()) else {
        return Vec::new();
    };
    let (mut facts, meaning, answer) = Ear { book, ground, word }.listen();
    facts.push(Fact::WordSettled {
        heard,
        meaning,
        answer: answer.map(|answer| answer.told(&ground.rules.calendar, word.at)),
    });
    facts
}

/// As whom the member acts.
pub(super) fn actor(book: &Book, account: &str) -> Actor {
    let mut people = owners(book, account).into_iter();
    people.next().map_or(Actor::System, Actor::Owner)
}

type Outcome = (Vec<Fact>, Meaning, Option<Answer>);

struct Ear<'a> {
    book: &'a Book,
    ground: &'a Ground<'a>,
    word: &'a Word,
}

impl<'a> Ear<'a> {
    fn listen(&self) -> Outcome {
        let account = &self.word.heard.account;
        let people = owners(self.book, account);
        if people.is_empty() {
            // Once: whoever goes on is heard, and not answered again.
            let told = self.book.strangers.contains(&account.to_lowercase());
            let answer = (!told).then(|| Answer::to_stranger(self.ground.office));
            return (Vec::new(), Meaning::Stranger, answer);
        }
        let threads = self.threads(&people);
        match &self.word.heard.said {
            Said::Typed { text } => self.typed(text, &threads),
            Said::Tapped {
                card,
                button,
                chosen,
                code,
            } => match self.card(&people, card) {
                Some(message) => self.tapped(message, button, chosen.as_deref(), code),
                None => self.said(Meaning::Refused, &threads, Line::OldCard),
            },
            Said::Other { kind } => {
                let answer = Line::NotRead(Line::kind_of(kind));
                self.said(Meaning::Helped, &threads, answer)
            }
        }
    }

    fn typed(&self, text: &str, threads: &[Thread]) -> Outcome {
        let at_hand = self.at_hand(threads);
        let mut items: Vec<OpenItem> = Vec::new();
        for (_, key, obligation) in &at_hand {
            if items.iter().all(|item| item.task != key.task) {
                let task = self.book.task_and_group(key);
                items.push(OpenItem {
                    task: key.task,
                    name: task.map_or(String::new(), |(task, _)| task.short_name()),
                    awaited: obligation.is_open(),
                });
            }
        }
        match words::understand(text, &items) {
            Understood::Help => self.said(Meaning::Helped, threads, Line::Help),
            Understood::Acknowledged => self.acknowledge(threads),
            Understood::NotMine { .. } => self.said(Meaning::Unclear, threads, Line::NotMine),
            Understood::Unclear(why) => {
                let line = Line::Unclear(why.chinese());
                self.said(Meaning::Unclear, threads, line)
            }
            Understood::Reports(reading) => {
                let mut taken = Taken::default();
                for said in &reading.said {
                    self.say(&said.draft(), &at_hand, &mut taken);
                }
                for (part, why) in &reading.left {
                    taken.left.push(Line::Left(part.clone(), why.chinese()));
                }
                self.conclude(taken, threads)
            }
        }
    }

    /// Puts what is said of one task to the quarter it can only be about.
    fn say(
        &self,
        draft: &Draft,
        at_hand: &[(Thread, ObligationKey, &Obligation)],
        taken: &mut Taken,
    ) {
        let of_task = || at_hand.iter().filter(|(_, key, _)| key.task == draft.task);
        let open: BTreeSet<&Thread> = of_task()
            .filter(|(_, _, obligation)| obligation.is_open())
            .map(|(thread, ..)| thread)
            .collect();
        let known: BTreeSet<&Thread> = of_task().map(|(thread, ..)| thread).collect();
        let mut about = if open.is_empty() { known } else { open }.into_iter();
        match (about.next(), about.next()) {
            (Some(thread), None) => self.submit(thread, draft.clone(), taken),
            _ => taken.left.push(Line::WhichQuarter(draft.task)),
        }
    }

    fn tapped(
        &self,
        message: &MessageKey,
        button: &str,
        chosen: Option<&str>,
        code: &str,
    ) -> Outcome {
        let thread = message.thread();
        let mut taken = Taken::default();
        if !code.is_empty() {
            taken.facts.push(Fact::CardTapped {
                key: message.clone(),
                code: code.to_owned(),
            });
        }
        let threads = std::slice::from_ref(&thread);
        let Some(status) = ReportStatus::from_name(button) else {
            return self.add(taken, Meaning::Refused, threads, Line::OldCard);
        };
        let meant = self.meant(message, chosen);
        if meant.is_empty() {
            let line = match chosen.is_some() || self.book.is_answered(message) {
                true => Line::Settled,
                false => Line::Choose,
            };
            return self.add(taken, Meaning::Refused, threads, line);
        }
        for key in meant {
            let draft = Draft {
                task: key.task,
                group: Some(key.group),
                status: status.as_str().to_owned(),
                ..Draft::default()
            };
            self.submit(&thread, draft, &mut taken);
        }
        self.conclude(taken, threads)
    }

    /// The items of a card that a tap is about: the one chosen, all that are open, or the only
    /// one. Only what is open: a tap never rewrites a report.
    fn meant(&self, message: &MessageKey, chosen: Option<&str>) -> Vec<ObligationKey> {
        let items = self.book.messages.get(message);
        let items = items.map_or(&[][..], |delivery| &delivery.message.items);
        let open = self.book.still_open(&message.person, items, self.ground.at);
        match chosen {
            Some(ALL) => open,
            Some(one) => {
                let chosen = |key: &ObligationKey| key.task.to_string() == one;
                open.into_iter().filter(chosen).collect()
            }
            None if open.len() == 1 => open,
            None => Vec::new(),
        }
    }

    fn submit(&self, thread: &Thread, draft: Draft, taken: &mut Taken) {
        let task = draft.task;
        let submission = Submission {
            plan: thread.plan.clone(),
            quarter: thread.quarter,
            person: thread.person.clone(),
            via: Via::Wecom,
            by: Actor::Owner(thread.person.clone()),
            drafts: vec![draft],
        };
        match accept::decide(self.book, &submission, self.ground.at, self.ground.rules) {
            Ok(decision) => {
                taken.facts.extend(decision.facts);
                for received in &decision.value.reports {
                    let name = self.name(&received.report.obligation);
                    taken
                        .said
                        .push(Line::Taken(name, Box::new(received.report.clone())));
                    taken.answered.insert(received.report.obligation.clone());
                }
                taken.receipts.push(decision.value.number);
            }
            Err(Refusal::Accepted(_)) => taken.refused.push(Line::Accepted(task)),
            Err(Refusal::Faults(faults)) => {
                for fault in faults {
                    taken.refused.push(Line::Fault(task, fault.message));
                }
            }
        }
    }

    fn conclude(&self, taken: Taken, threads: &[Thread]) -> Outcome {
        let meaning = match (taken.left.is_empty(), taken.said.is_empty()) {
            (false, _) => Meaning::Unclear,
            (true, false) => Meaning::Reported,
            (true, true) => Meaning::Refused,
        };
        let open: Vec<TaskNo> = self.open_but(threads, &taken.answered);
        let mut answer = self.answer(threads);
        answer.lines.extend(taken.said);
        let lacking = |line: &Line| matches!(line, Line::Fault(..));
        let again = taken.refused.iter().any(lacking).then_some(Line::Again);
        answer.lines.extend(taken.refused);
        answer.lines.extend(again);
        answer.lines.extend(taken.left);
        answer.lines.push(Line::StillOpen(open));
        answer.receipt = taken.receipts.into_iter().next_back();
        (taken.facts, meaning, Some(answer))
    }

    fn acknowledge(&self, threads: &[Thread]) -> Outcome {
        let mut facts = Vec::new();
        let mut tasks = Vec::new();
        for thread in threads {
            let open = seen::open(self.book, thread, self.ground.at);
            tasks.extend(open.iter().map(|key| key.task));
            if !open.is_empty() {
                facts.push(Fact::Acknowledged {
                    obligations: open,
                    person: thread.person.clone(),
                });
            }
        }
        let line = match tasks.is_empty() {
            true => Line::NothingOpen,
            false => Line::Acknowledged,
        };
        let mut answer = self.answer(threads);
        answer.lines.push(line);
        answer.lines.push(Line::StillOpen(tasks));
        (facts, Meaning::Acknowledged, Some(answer))
    }

    fn said(&self, meaning: Meaning, threads: &[Thread], line: Line) -> Outcome {
        self.add(Taken::default(), meaning, threads, line)
    }

    /// One line, and the list of what is open where it explains how to answer.
    fn add(&self, taken: Taken, meaning: Meaning, threads: &[Thread], line: Line) -> Outcome {
        let mut answer = self.answer(threads);
        answer.lines.push(line);
        for (_, key, obligation) in self.at_hand(threads) {
            if obligation.is_open() {
                answer.lines.push(Line::Item(key.task, self.name(&key)));
            }
        }
        (taken.facts, meaning, Some(answer))
    }

    fn answer(&self, threads: &[Thread]) -> Answer {
        let page = threads.first().cloned();
        let open = self.open_but(threads, &BTreeSet::new());
        Answer::new(self.ground.office, page, open.first().copied())
    }

    /// The quarters this member was asked about, the last asked first; before anything was sent,
    /// the present one.
    fn threads(&self, people: &[PersonId]) -> Vec<Thread> {
        let mut asked: Vec<(Position, Thread)> = Vec::new();
        for person in people {
            for key in self.book.messages_of.get(person).into_iter().flatten() {
                let thread = key.thread();
                let queued = self.book.messages.get(key).map_or(0, |one| one.queued_in);
                let known = asked.iter_mut().find(|(_, known)| *known == thread);
                match known {
                    Some((last, _)) => *last = queued.max(*last),
                    None => asked.push((queued, thread)),
                }
            }
        }
        asked.retain(|(_, thread)| self.has_duty(thread));
        asked.sort_by_key(|(queued, _)| Reverse(*queued));
        if !asked.is_empty() {
            return asked.into_iter().map(|(_, thread)| thread).collect();
        }
        let today = Quarter::of(self.ground.rules.calendar.date_of(self.ground.at));
        let present = |person: &PersonId, plan: &PlanId| Thread {
            plan: plan.clone(),
            quarter: today,
            person: person.clone(),
        };
        people
            .iter()
            .flat_map(|person| self.book.plans.keys().map(|plan| present(person, plan)))
            .filter(|thread| self.has_duty(thread))
            .collect()
    }

    fn has_duty(&self, thread: &Thread) -> bool {
        let own =
            self.book
                .answerable(&thread.person, &thread.plan, thread.quarter, self.ground.at);
        !own.is_empty()
    }

    /// What can be answered: what is open in any of these quarters, and what was reported in the
    /// latest and can still be amended.
    fn at_hand(&self, threads: &[Thread]) -> Vec<(Thread, ObligationKey, &'a Obligation)> {
        let mut found = Vec::new();
        for (place, thread) in threads.iter().enumerate() {
            let own =
                self.book
                    .answerable(&thread.person, &thread.plan, thread.quarter, self.ground.at);
            for one in own {
                let key = one.key;
                let known = self.book.obligations.get(key);
                if let Some(known) = known.filter(|known| place == 0 || known.is_open()) {
                    found.push((thread.clone(), key.clone(), known));
                }
            }
        }
        found
    }

    fn open_but(&self, threads: &[Thread], answered: &BTreeSet<ObligationKey>) -> Vec<TaskNo> {
        let mut open: Vec<TaskNo> = self
            .at_hand(threads)
            .into_iter()
            .filter(|(_, key, obligation)| obligation.is_open() && !answered.contains(key))
            .map(|(_, key, _)| key.task)
            .collect();
        open.dedup();
        open
    }

    /// The message whose card has this name, among those of these people.
    fn card(&self, people: &[PersonId], card: &str) -> Option<&MessageKey> {
        let name = card.strip_prefix(CARD)?.split('-').next()?;
        let theirs = people
            .iter()
            .filter_map(|person| self.book.messages_of.get(person));
        theirs.flatten().find(|key| message_name(key) == name)
    }

    fn name(&self, key: &ObligationKey) -> String {
        let task = self.book.task_and_group(key);
        task.map_or(String::new(), |(task, _)| task.short_name())
    }
}

/// What the names of our cards begin with; the message's name follows.
const CARD: &str = "cuiban-";
/// The choice on a card that stands for all of its items.
const ALL: &str = "all";

/// Whoever has this account and answers for something.
fn owners(book: &Book, account: &str) -> Vec<PersonId> {
    let mut people = book.people_of_account(account);
    people.retain(|person| book.people.contains_key(person));
    people
}

/// What came of an answer so far.
#[derive(Default)]
struct Taken {
    facts: Vec<Fact>,
    said: Vec<Line>,
    refused: Vec<Line>,
    left: Vec<Line>,
    receipts: Vec<String>,
    answered: BTreeSet<ObligationKey>,
}
