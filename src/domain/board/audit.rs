//! The program's account of itself: for each stage, whoever was expected is accounted for.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::book::{Book, DeliveryState, Tally};
use crate::domain::fact::StageOutcome;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::message::Stage;

/// A stage's people, by what became of the word to each:
/// `expected` is all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAudit {
    /// The stage.
    pub stage: Stage,
    /// When it was run or skipped.
    pub ran_at: DateTime<Utc>,
    /// People who were to be told: owners with something open, and who is copied in on it.
    pub expected: u32,
    /// What became of the word to each of them; who was passed over with the whole stage was
    /// skipped.
    pub told: Tally,
}

impl StageAudit {
    /// Whether everybody is accounted for.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.expected == self.told.all()
    }
}

/// The account of each stage of a plan's quarter that has run, in order.
#[must_use]
pub fn audit(book: &Book, plan: &PlanId, quarter: Quarter) -> Vec<StageAudit> {
    let at = |stage| (plan.clone(), quarter, stage);
    let ran = book.stages.range(at(Stage::Notice)..=at(Stage::Escalation));
    let days = |day, stage| (plan.clone(), quarter, day, stage);
    let put_off = book
        .put_off_stages
        .range(days(NaiveDate::MIN, Stage::Notice)..=days(NaiveDate::MAX, Stage::Escalation));
    count(book, ran, put_off).into_values().collect()
}

/// The account of every stage that has run, of all plans and quarters.
#[must_use]
pub fn audits(book: &Book) -> BTreeMap<(PlanId, Quarter, Stage), StageAudit> {
    count(book, book.stages.iter(), book.put_off_stages.iter())
}

/// When the oldest message that is due and not sent was due; none where nothing is late. One that
/// waits for the office hours is not due yet, one that is tried again and again was so at its
/// first try.
#[must_use]
pub fn oldest_unsent(book: &Book, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let waiting = book.queue.values().filter_map(|key| book.messages.get(key));
    waiting
        .chain(book.in_doubt())
        .map(|delivery| match delivery.state {
            DeliveryState::Waiting { until } if delivery.attempts == 0 => until,
            _ => delivery.message.not_before,
        })
        .filter(|due| *due <= now)
        .min()
}

type Ran<'a> = (
    &'a (PlanId, Quarter, Stage),
    &'a (DateTime<Utc>, StageOutcome),
);

type RanPutOff<'a> = (
    &'a (PlanId, Quarter, NaiveDate, Stage),
    &'a (DateTime<Utc>, StageOutcome),
);

/// What was put off counts with the stage of its quarter: the messages do too.
fn count<'a>(
    book: &Book,
    ran: impl Iterator<Item = Ran<'a>>,
    put_off: impl Iterator<Item = RanPutOff<'a>>,
) -> BTreeMap<(PlanId, Quarter, Stage), StageAudit> {
    let mut audits: BTreeMap<_, _> = ran
        .map(|(key, (ran_at, outcome))| (key.clone(), begin(key.2, *ran_at, outcome)))
        .collect();
    for ((plan, quarter, _, stage), (ran_at, outcome)) in put_off {
        let more = begin(*stage, *ran_at, outcome);
        let audit = audits.entry((plan.clone(), *quarter, *stage));
        audit
            .and_modify(|audit| {
                audit.expected += more.expected;
                audit.told.skipped += more.told.skipped;
            })
            .or_insert(more);
    }
    for (key, audit) in &mut audits {
        if let Some(tally) = book.tallies.get(key) {
            audit.told += *tally;
        }
    }
    audits
}

fn begin(stage: Stage, ran_at: DateTime<Utc>, outcome: &StageOutcome) -> StageAudit {
    // A stage skipped as a whole leaves no mark for each person.
    let (expected, skipped) = match outcome {
        StageOutcome::Ran { expected, .. } => (*expected, 0),
        StageOutcome::Skipped { expected, .. } => (*expected, *expected),
    };
    StageAudit {
        stage,
        ran_at,
        expected,
        told: Tally {
            skipped,
            ..Tally::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome, Verdict};
    use crate::domain::due::{self, Reach, World};
    use crate::domain::fact::{Actor, Entry, Fact, WithdrawWhy};
    use crate::domain::fixture::*;
    use crate::domain::message::MessageKey;
    use crate::domain::people::{ChannelKind, Contact};
    use crate::domain::policy::Policy;
    use crate::domain::report::ReportStatus;

    /// What may happen in an office, in any order.
    #[derive(Debug, Clone)]
    enum Event {
        /// Time goes on by so many hours, and a pass is made.
        Pass(i64),
        /// The first waiting messages are sent, with this end.
        Send(usize, End),
        /// An owner reports on something.
        Report(usize),
        /// A dead or held message is sent again, or told by telephone.
        Revive,
        Handle,
        /// An address is filled in or goes.
        Contact(usize, bool),
    }

    #[derive(Debug, Clone, Copy)]
    enum End {
        Sent,
        Again,
        Dead,
        BadAddress,
        Held,
        CutOff,
        Withdrawn,
    }

    fn event() -> impl Strategy<Value = Event> {
        let end = prop_oneof![
            Just(End::Sent),
            Just(End::Again),
            Just(End::Dead),
            Just(End::BadAddress),
            Just(End::Held),
            Just(End::CutOff),
            Just(End::Withdrawn),
        ];
        prop_oneof![
            4 => (1_i64..100).prop_map(Event::Pass),
            4 => (1_usize..4, end).prop_map(|(count, end)| Event::Send(count, end)),
            1 => (0_usize..6).prop_map(Event::Report),
            1 => Just(Event::Revive),
            1 => Just(Event::Handle),
            1 => (0_usize..5, any::<bool>()).prop_map(|(who, has)| Event::Contact(who, has)),
        ]
    }

    const PEOPLE: [(&str, &str); 5] = [ZHANG, YAO, LI, DU, ZHONG];

    fn contact(who: usize, has: bool) -> Fact {
        let person = id(PEOPLE[who]);
        let email = has.then(|| format!("{person}@b.example"));
        Fact::ContactSet {
            contact: Contact {
                email,
                ..Contact::none(person)
            },
        }
    }

    fn facts_of(book: &Book, event: &Event, now: DateTime<Utc>) -> Vec<Fact> {
        let all = || book.messages.values();
        let stuck = || all().find(|delivery| delivery.state.is_stuck());
        let stuck = || stuck().map(|delivery| delivery.message.key.clone());
        match event {
            Event::Pass(_) => {
                let (calendar, policy) = (calendar(), Policy::default());
                let reach = Reach {
                    email: true,
                    ..Reach::default()
                };
                let coordinators = [id(ZHONG)];
                let world = World {
                    book,
                    calendar: &calendar,
                    policy: &policy,
                    reach: &reach,
                    coordinators: &coordinators,
                };
                due::pass(&world, now)
            }
            Event::Send(count, end) => {
                let waiting = book.queue.values().take(*count);
                waiting.flat_map(|key| sent(book, key, *end, now)).collect()
            }
            Event::Report(which) => {
                let open = [key(2, 0), key(4, 0), key(14, 0), key(16, 0), key(32, 0)];
                let about = open[which % open.len()].clone();
                vec![report(ZHANG, about, ReportStatus::Completed, "已办结")]
            }
            Event::Revive => stuck()
                .map(|key| Fact::MessageRevived { key, at: now })
                .into_iter()
                .collect(),
            Event::Handle => stuck()
                .map(|key| Fact::MessageHandled { key })
                .into_iter()
                .collect(),
            Event::Contact(who, has) => vec![contact(*who, *has)],
        }
    }

    fn sent(book: &Book, key: &MessageKey, end: End, now: DateTime<Utc>) -> Vec<Fact> {
        let key = || key.clone();
        if matches!(end, End::Withdrawn) {
            let why = WithdrawWhy::Reported;
            return vec![Fact::MessageWithdrawn { key: key(), why }];
        }
        let intended = Fact::SendIntended {
            key: key(),
            leg: 0,
            channel: ChannelKind::Email,
            items: book.messages[&key()].message.items.clone(),
        };
        let failed = |reason, next| {
            SendOutcome::Failed(Failure {
                reason,
                detail: String::new(),
                next,
            })
        };
        let detail = String::new();
        let (outcome, verdict) = match end {
            End::CutOff | End::Withdrawn => return vec![intended],
            End::Sent => (SendOutcome::Sent { answer: detail }, Verdict::Done),
            End::Again => (
                failed(FailReason::TryLater, Next::Again { after: None }),
                Verdict::Again {
                    at: now + TimeDelta::minutes(5),
                    leg: 0,
                },
            ),
            End::Dead => (
                failed(FailReason::Rejected, Next::NextChannel),
                Verdict::Dead,
            ),
            End::BadAddress => (
                failed(FailReason::BadAddress, Next::NextChannel),
                Verdict::Dead,
            ),
            End::Held => (SendOutcome::InDoubt { detail }, Verdict::Held),
        };
        let concluded = Fact::SendConcluded {
            key: key(),
            outcome,
            verdict,
        };
        vec![intended, concluded]
    }

    proptest! {
        #[test]
        fn whatever_happens_everybody_expected_is_accounted_for(
            events in prop::collection::vec(event(), 1..60)
        ) {
            let mut book = Book::default();
            apply(&mut book, "2022-02-07T09:00", plan_facts());
            let contacts = (0..4).map(|who| contact(who, true)).collect();
            apply(&mut book, "2022-02-07T09:01", contacts);
            let mut now = at("2022-03-15T09:10");
            for event in &events {
                if let Event::Pass(hours) = event {
                    now += TimeDelta::hours(*hours);
                }
                for fact in facts_of(&book, event, now) {
                    let entry = Entry {
                        position: book.position + 1,
                        at: now,
                        by: Actor::System,
                        fact,
                    };
                    book.apply(&entry).unwrap();
                }
                for ((_, quarter, _), audit) in audits(&book) {
                    prop_assert!(audit.adds_up(), "{quarter} {audit:?}");
                }
                let mut anew = book.clone();
                anew.sum_up();
                prop_assert!(anew == book, "after {event:?}");
                if let Some(oldest) = oldest_unsent(&book, now) {
                    prop_assert!(oldest <= now);
                }
            }
        }
    }

    #[test]
    fn the_oldest_is_counted_from_when_it_was_due() {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let asked = |book: &Book, when| oldest_unsent(book, at(when));
        assert_eq!(asked(&book, "2022-03-17T09:20"), None);
        let mut facts = notice(&[ZHANG], &[key(2, 0)]);
        facts.truncate(2);
        apply(&mut book, "2022-03-17T09:10", facts);
        assert_eq!(asked(&book, "2022-03-17T09:00"), None, "not due yet");
        let due = Some(at("2022-03-17T09:10"));
        assert_eq!(asked(&book, "2022-03-17T09:20"), due);
        let waiting: Vec<MessageKey> = book.queue.values().cloned().collect();
        let again = sent(&book, &waiting[0], End::Again, at("2022-03-17T09:20"));
        apply(&mut book, "2022-03-17T09:20", again);
        assert_eq!(asked(&book, "2022-03-17T09:21"), due, "tried in vain");
    }
}
