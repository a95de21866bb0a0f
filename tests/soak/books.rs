//! What the journal says against what the peers have: nothing seen twice but what was in doubt,
//! nothing lost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::weather::Peers;

/// What the journal says of a message, or of all messages to a person on one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Attempts that the peer took.
    pub sent: usize,
    /// Attempts whose outcome nobody knows.
    pub doubts: usize,
}

/// All that the journals say, of the stores that were lost as well.
#[derive(Default)]
pub struct Books {
    /// By message, on e-mail.
    by_mail: BTreeMap<String, Told>,
    /// By person and channel.
    by_person: BTreeMap<(String, String), Told>,
    /// Messages by how they ended in the last journal.
    pub ends: BTreeMap<&'static str, usize>,
    /// Facts by kind in the last journal.
    pub kinds: BTreeMap<String, usize>,
    /// Everything that people said in reports, and in mails.
    reported: BTreeSet<String>,
    mailed: BTreeMap<String, usize>,
    pub facts: usize,
}

/// What peers and journal say of one channel.
#[derive(Debug, Default)]
pub struct Compared {
    pub sent: usize,
    pub in_doubt: usize,
    pub arrived: usize,
    pub repeated: usize,
    /// Taken by the platform and not shown again.
    pub hidden: usize,
    pub wrong: Vec<String>,
}

impl Books {
    /// Of the lost stores' journals, each with how many first facts the next one has too, and of
    /// the last.
    pub fn read(lost: &[(String, usize)], last: &str) -> Self {
        let mut books = Self::default();
        let mut known = 0;
        for (journal, kept) in lost {
            books.count(journal, known, false);
            known = *kept;
        }
        books.count(last, known, true);
        books
    }

    fn count(&mut self, journal: &str, known: usize, is_last: bool) {
        let mut under_way: BTreeMap<String, String> = BTreeMap::new();
        let mut ends: BTreeMap<String, &'static str> = BTreeMap::new();
        for (index, line) in journal.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            let fact = &line["fact"];
            let kind = fact["kind"].as_str().unwrap();
            let new = index >= known;
            if is_last {
                *self.kinds.entry(kind.to_owned()).or_default() += 1;
                self.facts += 1;
            }
            let key = || fact["key"].as_str().unwrap().to_owned();
            match kind {
                "message.queued" => {
                    let key = fact["message"]["key"].as_str().unwrap();
                    ends.insert(key.to_owned(), "waiting");
                }
                "message.withdrawn" => {
                    ends.insert(key(), "withdrawn");
                }
                "message.handled" => {
                    ends.insert(key(), "handled");
                }
                "message.revived" => {
                    ends.insert(key(), "waiting");
                }
                "send.intended" => {
                    let channel = fact["channel"].as_str().unwrap().to_owned();
                    if let Some(before) = under_way.insert(key(), channel)
                        && new
                    {
                        self.add(&key(), &before, (0, 1));
                    }
                    ends.insert(key(), "under way");
                }
                "send.concluded" => {
                    let channel = under_way.remove(&key());
                    let outcome = fact["outcome"]["is"].as_str().unwrap();
                    let verdict = fact["verdict"]["is"].as_str().unwrap();
                    ends.insert(key(), verdict_word(verdict));
                    let told = match outcome {
                        "sent" => (1, 0),
                        "in_doubt" => (0, 1),
                        _ => (0, 0),
                    };
                    if let Some(channel) = channel.filter(|_| new) {
                        self.add(&key(), &channel, told);
                    }
                }
                "report.received" => {
                    let words = fact["report"]["progress"].as_str().unwrap();
                    self.reported.extend(marks(words));
                }
                "mail.taken" if new => {
                    let words = fact["mail"]["text"].as_str().unwrap();
                    for mark in marks(words) {
                        *self.mailed.entry(mark).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        for (key, channel) in under_way {
            self.add(&key, &channel, (0, 1));
        }
        if is_last {
            for end in ends.into_values() {
                *self.ends.entry(end).or_default() += 1;
            }
        }
    }

    fn add(&mut self, key: &str, channel: &str, (sent, doubts): (usize, usize)) {
        let person = key.rsplit('/').next().unwrap().to_owned();
        let of_person = self
            .by_person
            .entry((channel.to_owned(), person))
            .or_default();
        let mut all = vec![of_person];
        if channel == "email" {
            all.push(self.by_mail.entry(key.to_owned()).or_default());
        }
        for told in all {
            told.sent += sent;
            told.doubts += doubts;
        }
    }

    /// Every mail by its Message-ID.
    pub fn mails(&self, peers: &Peers) -> Compared {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for mail in peers.smtp.mails_from(0).iter().filter(|mail| mail.accepted) {
            let parsed = mail_parser::MessageParser::default().parse(&mail.data);
            let id = parsed.and_then(|mail| Some(mail.message_id()?.to_owned()));
            *copies.entry(id.unwrap_or_default()).or_default() += 1;
        }
        let mut compared = Compared::default();
        for (key, told) in &self.by_mail {
            let name = name(key);
            let id = copies.keys().find(|id| id.contains(&name)).cloned();
            let arrived = id.and_then(|id| copies.remove(&id)).unwrap_or(0);
            compared.add(key, *told, arrived, 0);
        }
        for (id, count) in copies {
            compared
                .wrong
                .push(format!("{count} mails of which no journal knows: {id}"));
        }
        compared
    }

    /// A channel whose messages are told apart by whom they reached; `hidden` are those that the
    /// platform took and did not show, being the same as one before.
    pub fn people(
        &self,
        accounts: &BTreeMap<String, String>,
        channel: &str,
        reached: Vec<String>,
        hidden: Vec<String>,
    ) -> Compared {
        let count = |users: Vec<String>| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for user in users {
                *counts.entry(user.to_lowercase()).or_default() += 1;
            }
            counts
        };
        let (mut arrived, hidden) = (count(reached), count(hidden));
        let mut compared = Compared::default();
        for ((_, person), told) in self.by_person.iter().filter(|((c, _), _)| c == channel) {
            let Some(user) = accounts.get(person) else {
                let known = told.sent == 0;
                if !known {
                    compared
                        .wrong
                        .push(format!("{channel}: nobody is {person}"));
                }
                continue;
            };
            let count = arrived.remove(user).unwrap_or(0);
            let hidden = hidden.get(user).copied().unwrap_or(0);
            compared.add(person, *told, count, hidden);
        }
        for (user, count) in arrived {
            compared.wrong.push(format!(
                "{channel}: {user} heard {count} of which no journal knows"
            ));
        }
        compared
    }

    /// Reports that were acknowledged and that no journal has.
    pub fn lost_reports<'a>(&self, said: &'a [String]) -> Vec<&'a String> {
        let lost = said.iter().filter(|mark| !self.reported.contains(*mark));
        lost.collect()
    }

    /// Mails that were put into the mailbox and that were never read.
    pub fn lost_mails<'a>(&self, mailed: &'a [String]) -> Vec<&'a String> {
        let lost = mailed
            .iter()
            .filter(|mark| !self.mailed.contains_key(*mark));
        lost.collect()
    }
}

impl Compared {
    fn add(&mut self, what: &str, told: Told, arrived: usize, hidden: usize) {
        self.sent += told.sent;
        self.in_doubt += told.doubts;
        self.arrived += arrived;
        self.hidden += hidden;
        let shown = told.sent.saturating_sub(hidden);
        self.repeated += arrived.saturating_sub(shown);
        if arrived < shown || arrived + hidden > told.sent + told.doubts {
            self.wrong.push(format!(
                "{what}: {arrived} arrived, {hidden} not shown, {told:?}"
            ));
        }
    }
}

fn verdict_word(verdict: &str) -> &'static str {
    match verdict {
        "done" => "sent",
        "again" => "waiting",
        "held" => "held",
        _ => "given up",
    }
}

/// `domain::brief::message_name` of a key's text.
fn name(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(12).map(|b| format!("{b:02x}")).collect()
}

fn marks(words: &str) -> Vec<String> {
    let parts = words.split('〔').skip(1);
    let marks = parts.filter_map(|part| Some(part.split_once('〕')?.0));
    marks.map(|mark| format!("〔{mark}〕")).collect()
}
