//! Cards that ask for what has been answered meanwhile, by whatever way, are changed to say so.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::Outbox;
use super::fleet::Fleet;
use super::pick::{self, Job};
use crate::channel::{Cards, Settled, Shown};
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::message::MessageKey;
use crate::domain::report::ReportStatus;
use crate::store::Decision;

/// Changes that did not work out yet: how often they were tried, and when again.
#[derive(Default)]
pub(super) struct Patience(Mutex<HashMap<MessageKey, (u32, DateTime<Utc>)>>);

/// A card is a courtesy: after so many tries it stays as it is.
const TRIES: u32 = 5;
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// A card to be changed.
struct ToSettle {
    key: MessageKey,
    code: String,
    account: String,
    change: Change,
}

/// What it is changed to.
enum Change {
    /// All of it is answered, like this.
    Answered(String),
    /// It was tapped, and asks for what is still open.
    Open(Box<Job>),
}

impl Outbox {
    /// Changes cards as answers come in, until `soft` is cancelled.
    pub(super) async fn settle_cards(&self, fleet: &Fleet, soft: CancellationToken) {
        if fleet.card_maker().is_none() {
            return;
        }
        let mut changes = self.ledger.changes();
        while !soft.is_cancelled() {
            changes.mark_unchanged();
            self.settle_all(fleet, &soft).await;
            self.activity.notify_waiters();
            let again = self.patience.next(self.clock.now());
            let until = again.unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                _ = changes.changed() => tokio::time::sleep(super::TOGETHER).await,
                () = self.clock.wait_until(until, super::LONGEST_WAIT) => {}
                () = soft.cancelled() => {}
            }
        }
    }

    /// Whether a card could be changed now.
    pub(super) fn has_card_to_settle(
        &self,
        fleet: &Fleet,
        book: &Book,
        now: DateTime<Utc>,
    ) -> bool {
        fleet.card_maker().is_some() && self.to_settle(book, now).next().is_some()
    }

    async fn settle_all(&self, fleet: &Fleet, soft: &CancellationToken) {
        while !soft.is_cancelled() {
            let now = self.clock.now();
            let next = self.to_settle(&self.ledger.book(), now).next();
            let (Some(card), Some(cards)) = (next, fleet.card_maker()) else {
                return;
            };
            let failed = match self.change(fleet, cards, &card).await {
                Settled::Done => None,
                Settled::Later if self.patience.wait(&card.key, now) => continue,
                Settled::Later => Some("多次未能更新".to_owned()),
                Settled::Failed(why) => Some(crate::channel::mask::told(&why)),
            };
            if let Some(why) = &failed {
                tracing::info!(message.key = %card.key, why, "a card stays as it was");
            }
            self.patience.forget(&card.key);
            let (key, code) = (card.key, card.code);
            let decide = move |book: &Book| {
                // One tapped meanwhile has a code of its own.
                let known = book.cards.get(&key).is_some_and(|known| known.code == code);
                let facts = known.then_some(Fact::CardSettled { key, failed });
                Ok::<_, Infallible>(Decision {
                    facts: facts.into_iter().collect(),
                    value: (),
                })
            };
            let stored = self.ledger.commit(Actor::System, self.clock.now(), decide);
            if stored.await.is_err() {
                return;
            }
        }
    }

    async fn change(&self, fleet: &Fleet, cards: &dyn Cards, card: &ToSettle) -> Settled {
        match &card.change {
            Change::Answered(words) => {
                let shown = Shown::Answered(words);
                cards.settle(&card.code, &card.account, shown).await
            }
            Change::Open(job) => {
                match self
                    .compose(fleet, std::slice::from_ref(job.as_ref()))
                    .as_slice()
                {
                    [brief, ..] => {
                        let shown = Shown::Open(brief);
                        cards.settle(&card.code, &card.account, shown).await
                    }
                    [] => Settled::Failed("没有可以更新的内容".into()),
                }
            }
        }
    }

    fn to_settle<'a>(
        &'a self,
        book: &'a Book,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = ToSettle> + 'a {
        book.cards_to_settle(now)
            .filter(move |(key, _)| !self.patience.waits(key, now))
            .filter_map(move |(key, card)| {
                Some(ToSettle {
                    key: key.clone(),
                    code: card.code.clone(),
                    account: book.contact(&key.person).wecom_user?,
                    change: change_of(book, key, now)?,
                })
            })
    }
}

fn change_of(book: &Book, key: &MessageKey, now: DateTime<Utc>) -> Option<Change> {
    let delivery = book.messages.get(key)?;
    if !book.is_answered(key) {
        return Some(Change::Open(Box::new(pick::still_asked(
            book, delivery, now,
        ))));
    }
    let said = delivery.message.items.iter().map(|item| {
        let latest = book.obligations.get(item)?.latest()?;
        Some(latest.report.status)
    });
    let said: BTreeSet<Option<&str>> = said
        .map(|status| status.map(ReportStatus::chinese))
        .collect();
    let mut said = said.into_iter();
    // Of several that differ, only that they are there.
    Some(Change::Answered(match (said.next(), said.next()) {
        (Some(Some(one)), None) => format!("已报送：{one}"),
        _ => "已报送".to_owned(),
    }))
}

impl Patience {
    /// Puts the next try off; false where there have been enough.
    fn wait(&self, key: &MessageKey, now: DateTime<Utc>) -> bool {
        let mut tried = self.tried();
        let (count, again) = tried.entry(key.clone()).or_insert((0, now));
        *count += 1;
        *again = now + PAUSE * i32::try_from(*count).unwrap_or(1);
        *count < TRIES
    }

    fn waits(&self, key: &MessageKey, now: DateTime<Utc>) -> bool {
        self.tried().get(key).is_some_and(|(_, again)| *again > now)
    }

    fn forget(&self, key: &MessageKey) {
        self.tried().remove(key);
    }

    fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let tried = self.tried();
        let times = tried.values().map(|(_, again)| *again);
        times.filter(|again| *again > now).min()
    }

    fn tried(&self) -> MutexGuard<'_, HashMap<MessageKey, (u32, DateTime<Utc>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
