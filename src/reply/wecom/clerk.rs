//! Decides on what was heard, and sees that whoever said it is answered.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::meaning::{self, Ground};
use crate::channel::{Attempted, Voice, mask};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::delivery::{Next, SendOutcome};
use crate::domain::fact::{Actor, Fact};
use crate::domain::heard::PAGE;
use crate::domain::ids::Position;
use crate::domain::link::Link;
use crate::domain::message::Thread;
use crate::store::Decision;

/// The clerk of one application.
pub struct Clerk {
    desk: Arc<Desk>,
    voice: Arc<dyn Voice>,
}

/// An answer this old is of no use any more.
const STALE: TimeDelta = TimeDelta::hours(24);
/// Between tries that failed for no reason of the member's.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
const TRIES: u32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Until the store is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Tries so far, and when again.
type Patience = HashMap<Position, (u32, DateTime<Utc>)>;

impl Clerk {
    /// Decides for this desk and speaks with this voice.
    #[must_use]
    pub fn new(desk: Arc<Desk>, voice: Arc<dyn Voice>) -> Self {
        Self { desk, voice }
    }

    /// Decides on all that was heard and not decided on; answers nobody yet.
    pub async fn decide_all(&self) {
        let waiting: Vec<(Position, String)> = {
            let book = self.desk.ledger.book();
            let open = book.words.iter().filter(|(_, word)| word.settled.is_none());
            open.map(|(position, word)| (*position, word.heard.account.clone()))
                .collect()
        };
        for (heard, account) in waiting {
            if self.decide(heard, &account).await.is_err() {
                return;
            }
        }
    }

    /// Decides and answers until `soft` is cancelled.
    pub async fn run(self, soft: CancellationToken) {
        let mut patience = Patience::new();
        let mut changes = self.desk.ledger.changes();
        while !soft.is_cancelled() {
            changes.mark_unchanged();
            self.decide_all().await;
            let until = self.answer_all(&mut patience, &soft).await;
            let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                _ = changes.changed() => {}
                () = self.desk.clock.wait_until(until, LONGEST_WAIT) => {}
                () = soft.cancelled() => {}
            }
        }
    }

    /// One round of answers.
    #[cfg(test)]
    pub(super) async fn answer_once(&self) {
        let mut patience = Patience::new();
        self.answer_all(&mut patience, &CancellationToken::new())
            .await;
    }

    async fn decide(&self, heard: Position, account: &str) -> Result<(), ()> {
        let desk = Arc::clone(&self.desk);
        // What was said in time is in time, also where a crash came between: it counts from the
        // last fact before the decision, never from before it was heard.
        let (by, at) = {
            let book = desk.ledger.book();
            let said = book.words.get(&heard).map(|word| word.at);
            let now = desk.clock.now();
            let at = said.into_iter().chain(book.at).max().unwrap_or(now);
            (meaning::actor(&book, account), at)
        };
        let ledger = desk.ledger.clone();
        let decide = move |book: &Book| {
            let rules = desk.rules.now();
            let ground = Ground {
                rules: &rules,
                office: &desk.office,
                at,
            };
            Ok::<_, Infallible>(Decision {
                facts: meaning::decide(book, heard, &ground),
                value: (),
            })
        };
        let stored = ledger.commit(by, at, decide).await;
        if stored.is_err() {
            tokio::time::sleep(STORE_PAUSE).await;
        }
        stored.map_err(|_| ())
    }

    /// Answers whoever waits for it; gives the moment of the next try.
    async fn answer_all(
        &self,
        patience: &mut Patience,
        soft: &CancellationToken,
    ) -> Option<DateTime<Utc>> {
        let waiting = self.unanswered();
        patience.retain(|known, _| waiting.iter().any(|answer| answer.heard == *known));
        for answer in waiting {
            let now = self.desk.clock.now();
            let (tries, again) = patience.get(&answer.heard).copied().unwrap_or((0, now));
            if again > now {
                continue;
            }
            if soft.is_cancelled() {
                return None;
            }
            let said = self
                .voice
                .say(&answer.account, &answer.text, tries + 1, now);
            match outcome(said.await, tries + 1, now - answer.at) {
                Ok(failed) => self.told(answer.heard, failed).await,
                Err(pause) => {
                    patience.insert(answer.heard, (tries + 1, now + pause));
                }
            }
        }
        patience.values().map(|(_, again)| *again).min()
    }

    fn unanswered(&self) -> Vec<Waiting> {
        let book = self.desk.ledger.book();
        let words = book.words.iter();
        words
            .filter_map(|(heard, word)| {
                let answer = word.answer.as_ref()?;
                let address = answer
                    .page
                    .as_ref()
                    .map_or(String::new(), |page| self.address(&book, page, word.at));
                Some(Waiting {
                    heard: *heard,
                    at: word.at,
                    account: word.heard.account.clone(),
                    text: answer.text.replace(PAGE, &address),
                })
            })
            .collect()
    }

    /// The address of a person's page, as in every message. Of the moment at which the word came,
    /// so that the same answer has the same bytes.
    fn address(&self, book: &Book, page: &Thread, at: DateTime<Utc>) -> String {
        let rules = self.desk.rules.now();
        let deadline = book.deadline(&page.plan, page.quarter).unwrap_or_else(|| {
            let last = page.quarter.last_day();
            rules.policy.deadline(&rules.calendar, last)
        });
        let link = Link::new(
            (page.plan.clone(), page.quarter, page.person.clone()),
            at,
            rules.calendar.date_of(at),
            rules.calendar.date_of(deadline),
        );
        let token = self.desk.link_key.sign(&link);
        format!("{}/r/{token}", self.desk.public_url)
    }

    async fn told(&self, heard: Position, failed: Option<String>) {
        if let Some(why) = &failed {
            tracing::warn!(heard, why, "an answer could not be given");
        }
        let decide = move |book: &Book| {
            let waits = book
                .words
                .get(&heard)
                .is_some_and(|word| word.answer.is_some());
            let facts = waits.then_some(Fact::WordAnswered { heard, failed });
            Ok::<_, Infallible>(Decision {
                facts: facts.into_iter().collect(),
                value: (),
            })
        };
        let now = self.desk.clock.now();
        // Where it cannot be stored it is said again: the platform knows the same text for a while.
        let _ = self.desk.ledger.commit(Actor::System, now, decide).await;
    }
}

/// An answer that has to be given.
struct Waiting {
    heard: Position,
    at: DateTime<Utc>,
    account: String,
    text: String,
}

/// Whether it was said, or why it never will be; else how long to wait.
fn outcome(attempted: Attempted, tries: u32, age: TimeDelta) -> Result<Option<String>, TimeDelta> {
    let (pause, why) = match attempted.outcome {
        SendOutcome::Sent { .. } => return Ok(None),
        // It is the same text, and the platform delivers that once.
        SendOutcome::InDoubt { detail } => (PAUSE, detail),
        SendOutcome::Failed(failure) => match failure.next {
            Next::Again { after } => (after.unwrap_or(PAUSE), failure.detail),
            Next::StopChannel { pause } => (pause, failure.detail),
            Next::NextChannel => return Ok(Some(mask::told(&failure.detail))),
        },
    };
    if tries >= TRIES || age > STALE {
        return Ok(Some(mask::told(&why)));
    }
    Err(pause)
}
