//! A journal in memory, for tests and for `simulate`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::{
    Drafts, Journal, JournalReader, Queue, Step, StoreError, VerifyReport, record, verify,
};
use crate::domain::book::{Book, Effect, QueueKey};
use crate::domain::fact::Entry;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter};
use crate::domain::message::MessageKey;

/// Facts and queue in memory. Clones share them, so that a test can "restart" on one.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Entry>,
    queue: BTreeMap<QueueKey, MessageKey>,
    drafts: BTreeMap<(PersonId, ObligationKey), Vec<u8>>,
}

impl MemoryStore {
    fn with<R>(&self, run: impl FnOnce(&mut Inner) -> R) -> R {
        run(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Journal for MemoryStore {
    fn head(&self) -> Position {
        self.with(|inner| inner.entries.last().map_or(0, |entry| entry.position))
    }

    fn ready(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn append(&mut self, expected: Position, steps: &[Step]) -> Result<(), StoreError> {
        if self.head() != expected {
            return Err(StoreError::PositionTaken { expected });
        }
        self.with(|inner| {
            let entries = steps.iter().map(|step| step.entry.clone());
            inner.entries.extend(entries);
            for effect in steps.iter().flat_map(|step| &step.effects) {
                match effect {
                    Effect::QueueAdded { at, key } => {
                        inner.queue.insert(*at, key.clone());
                    }
                    Effect::QueueRemoved { at } => {
                        inner.queue.remove(at);
                    }
                    Effect::MilestoneSet { .. } | Effect::MilestoneRemoved { .. } => {}
                }
            }
        });
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn checkpoint(&mut self, _: &Book) -> Result<(), StoreError> {
        Ok(())
    }

    fn reader(&self) -> Arc<dyn JournalReader> {
        Arc::new(self.clone())
    }

    fn close(self: Box<Self>, _: &Book) -> Result<(), StoreError> {
        Ok(())
    }
}

impl JournalReader for MemoryStore {
    fn read(&self, from: Position, most: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.with(|inner| {
            inner
                .entries
                .iter()
                .filter(|entry| entry.position >= from)
                .take(most)
                .cloned()
                .collect()
        }))
    }

    fn dump(&self, to: &mut dyn Write) -> Result<Position, StoreError> {
        let mut hash = [0; 32];
        let mut line = Vec::new();
        let mut head = 0;
        for entry in self.read(1, usize::MAX)? {
            line.clear();
            hash = record::write_line(&entry, &hash, &mut line)
                .map_err(|error| error.at(format!("第{}号记录", entry.position)))?;
            verify::put_line(to, &line)?;
            head = entry.position;
        }
        Ok(head)
    }

    fn verify(&self) -> Result<VerifyReport, StoreError> {
        let head = self.head();
        Ok(VerifyReport {
            mark_flaw: None,
            mirror: head,
            mirror_flaw: None,
            store: head,
            store_flaw: None,
        })
    }
}

impl Drafts for MemoryStore {
    fn keep(
        &self,
        person: &PersonId,
        drafts: &[(ObligationKey, Option<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        self.with(|inner| {
            for (key, draft) in drafts {
                let key = (person.clone(), key.clone());
                match draft {
                    Some(draft) => inner.drafts.insert(key, draft.clone()),
                    None => inner.drafts.remove(&key),
                };
            }
        });
        Ok(())
    }

    fn kept(
        &self,
        person: &PersonId,
        plan: &PlanId,
        quarter: Quarter,
    ) -> Result<Vec<(ObligationKey, Vec<u8>)>, StoreError> {
        Ok(self.with(|inner| {
            let own = inner.drafts.iter().filter(|((of, key), _)| {
                of == person && key.plan == *plan && key.quarter == quarter
            });
            own.map(|((_, key), draft)| (key.clone(), draft.clone()))
                .collect()
        }))
    }

    fn forget(&self, alive: &dyn Fn(&PlanId, Quarter) -> bool) -> Result<usize, StoreError> {
        Ok(self.with(|inner| {
            let before = inner.drafts.len();
            inner
                .drafts
                .retain(|(_, key), _| alive(&key.plan, key.quarter));
            before - inner.drafts.len()
        }))
    }
}

impl Queue for MemoryStore {
    fn waiting(
        &self,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(QueueKey, MessageKey)>, StoreError> {
        Ok(self.with(|inner| {
            inner
                .queue
                .iter()
                .filter(|((_, at, _), _)| *at <= until)
                .take(most)
                .map(|(at, key)| (*at, key.clone()))
                .collect()
        }))
    }
}
