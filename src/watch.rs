//! The program's eye on itself: after every pass it looks whether the ways out work, whether its
//! numbers add up and whether its clock can be believed, and tells the operator what is wrong.
//!
//! Example: the mail server refuses the password; the next look raises the alarm `channel/email`,
//! and the operator hears of it in the WeCom group.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::desk::{StoppedChannel, behind_words, doubt_words, restored_words};
use crate::domain::alarm::{self, Seen};
use crate::domain::board::audits;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::Position;
use crate::domain::people::ChannelKind;
use crate::rules::Rules;
use crate::store::{CommitError, Decision, Ledger};

/// The channels that do not work, as the pages show them.
pub type Troubled = Arc<dyn Fn() -> Vec<StoppedChannel> + Send + Sync>;

/// Why something does not work, in words for the operator; none where it does, or not for long.
pub type Trouble = Arc<dyn Fn(DateTime<Utc>) -> Option<String> + Send + Sync>;

/// Looks and tells.
pub struct Watch {
    ledger: Ledger,
    clock: Clock,
    rules: Rules,
    troubled: Troubled,
    /// What else may be wrong, each by its name.
    others: Vec<(&'static str, Trouble)>,
    /// What the last count of people came to, and at which position: counting is not for nothing.
    counted: Mutex<(Position, Vec<Seen>)>,
}

impl Watch {
    /// One that tells whom the rules name.
    #[must_use]
    pub fn new(ledger: Ledger, clock: Clock, rules: Rules, troubled: Troubled) -> Self {
        Self {
            ledger,
            clock,
            rules,
            troubled,
            others: Vec::new(),
            counted: Mutex::new((Position::MAX, Vec::new())),
        }
    }

    /// Looks at this as well.
    #[must_use]
    pub fn with(mut self, name: &'static str, trouble: Trouble) -> Self {
        self.others.push((name, trouble));
        self
    }

    /// Looks at everything, and appends what follows; says whether anything did.
    pub async fn look(&self, now: DateTime<Utc>) -> bool {
        let channels = (self.troubled)();
        let (seen, changed) = {
            let book = self.ledger.book();
            let seen = self.see(&book, &channels, now);
            let same = seen.len() == book.alarms.len()
                && seen.iter().all(|one| book.alarms.contains_key(&one.name));
            (seen, !same || !book.alarms.is_empty())
        };
        if !changed {
            return false;
        }
        let down = down(&channels);
        let rules = self.rules.now();
        let decide = move |book: &Book| {
            let facts = alarm::decide(
                &rules.world(book),
                &seen,
                rules.told_of_troubles(),
                &down,
                now,
            );
            tell(&facts);
            let value = !facts.is_empty();
            Ok::<_, Infallible>(Decision { facts, value })
        };
        match self.ledger.commit(Actor::System, now, decide).await {
            Ok(anything) => anything,
            Err(CommitError::Unavailable) => false,
            Err(CommitError::Refused(never)) => match never {},
        }
    }

    fn see(&self, book: &Book, channels: &[StoppedChannel], now: DateTime<Utc>) -> Vec<Seen> {
        let rules = self.rules.now();
        let calendar = &*rules.calendar;
        let mut seen: Vec<Seen> = channels
            .iter()
            .map(|channel| Seen {
                name: format!("channel/{}", channel.id()),
                words: channel.words(calendar),
            })
            .collect();
        seen.extend(self.others.iter().filter_map(|(name, trouble)| {
            let words = trouble(now)?;
            let name = (*name).to_owned();
            Some(Seen { name, words })
        }));
        seen.extend(book.restored.map(|at| Seen {
            name: "restored".into(),
            words: restored_words(at, calendar),
        }));
        seen.extend(clock_words(book, calendar, self.clock.is_simulated(), now));
        seen.extend(self.count(book));
        seen
    }

    /// Whether everybody is accounted for, counted anew only where something has happened.
    fn count(&self, book: &Book) -> Vec<Seen> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != book.position {
            let wrong = audits(book)
                .into_iter()
                .filter(|(_, audit)| !audit.adds_up());
            let seen = wrong.map(|((plan, quarter, stage), audit)| Seen {
                name: format!("audit/{plan}/{quarter}/{}", stage.as_str()),
                words: format!(
                    "{}{}的人数对不上：应提醒{}人，已发出{}、待发{}、不发{}、失败{}、未明{}。请保存日志并联系开发人员。",
                    quarter.chinese(),
                    stage.chinese(),
                    audit.expected,
                    audit.told.sent,
                    audit.told.deferred,
                    audit.told.skipped,
                    audit.told.failed,
                    audit.told.in_doubt
                ),
            });
            *counted = (book.position, seen.collect());
        }
        counted.1.clone()
    }
}

/// What is wrong with the machine's clock, if anything.
fn clock_words(
    book: &Book,
    calendar: &Calendar,
    simulated: bool,
    now: DateTime<Utc>,
) -> Option<Seen> {
    let seen = |name: &str, words| Seen {
        name: name.to_owned(),
        words,
    };
    if let Some(doubt) = book.clock_doubt {
        return Some(seen("clock/leapt", doubt_words(doubt, calendar)));
    }
    let words = behind_words(book, calendar, simulated, now)?;
    Some(seen("clock/behind", words))
}

/// The kinds of which no channel works.
fn down(channels: &[StoppedChannel]) -> Vec<ChannelKind> {
    let kinds = channels.iter().filter(|channel| channel.none_left);
    kinds.map(|channel| channel.kind).collect()
}

fn tell(facts: &[Fact]) {
    for fact in facts {
        match fact {
            Fact::AlarmRaised { alarm, words } => {
                tracing::error!(alarm, "the operator is told: {words}");
            }
            Fact::AlarmCleared { alarm } => tracing::info!(alarm, "an alarm is over"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::fixture::{ZHONG, append, at, id, plan, planned, quarter};
    use crate::domain::fact::StageOutcome;
    use crate::domain::message::{Occasion, Stage};
    use crate::rules::RuleSet;

    #[tokio::test]
    async fn people_of_whom_the_books_know_nothing_are_told_to_the_operator() {
        let desk = planned().await;
        desk.rules.change(|rules| RuleSet {
            operators: vec![id(ZHONG)],
            ..(**rules).clone()
        });
        let watch = Watch::new(
            desk.ledger.clone(),
            desk.clock.clone(),
            desk.rules.clone(),
            Arc::new(Vec::new),
        );
        let now = at("2022-03-17T09:11");
        assert!(!watch.look(now).await, "all is well");
        let lost = Fact::StageRun {
            plan: plan(),
            quarter: quarter("2022Q1"),
            stage: Stage::Notice,
            outcome: StageOutcome::Ran {
                expected: 3,
                queued: 3,
                skipped: 0,
            },
        };
        append(&desk, "2022-03-17T09:10", vec![lost]).await;
        assert!(watch.look(now).await);
        {
            let book = desk.ledger.book();
            let alarms: Vec<&str> = book.alarms.values().map(|one| one.words.as_str()).collect();
            insta::assert_snapshot!(alarms.join("\n"));
            let told = book.queue.values().map(|key| (&key.person, key.occasion));
            let told: Vec<_> = told.collect();
            assert_eq!(told, [(&id(ZHONG), Occasion::Alarm(1))]);
        }
        assert!(!watch.look(now).await, "told once");
    }
}
