//! The form of the book in a snapshot. It is only ever a short cut: a snapshot of another version
//! is left aside and the facts are folded again, so it needs no upgrades.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::RecordError;
use super::wire::{self, Got, Put, Wire, remote};
use crate::domain::book::{
    Account, Address, Alarm, Book, Card, ClockDoubt, ClosedDuty, ClosedWhy, Delivery,
    DeliveryState, Hand, Handover, KnownMail, Obligation, PlanBook, Summary, Trouble,
};
use crate::domain::delegation::Delegation;
use crate::domain::delivery::FailReason;
use crate::domain::evidence::{Evidence, FileHash, Filed};
use crate::domain::fact::{SkipWhy, StageOutcome, WithdrawWhy};
use crate::domain::heard::{Answer, Heard, Meaning, Word};
use crate::domain::holidays::{Brought, YearNotice};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter};
use crate::domain::ladder::Ladder;
use crate::domain::mail::{Place, TakenMail};
use crate::domain::message::{Message, MessageKey, Occasion, Stage};
use crate::domain::paper::{Issued, Paper};
use crate::domain::people::{ChannelKind, Contact, Person};
use crate::domain::plan::{Group, Heading, Task};
use crate::domain::report::{Received, Report, Review};
use crate::domain::request::{
    Asked, Extension, ExtensionAsk, Granted, NotMine, NotMineWord, OtherOwner, SaidNotMine,
};
use crate::domain::token::{Scope, Token};
use crate::domain::user::{Profile, SecondFactor, Sight, User};

/// Raised with every change of the form or of what the fold means.
pub(in crate::store) const VERSION: u32 = 12;

/// The book as JSON. Sorted, so that equal books give equal bytes.
pub(in crate::store) fn write(book: &Book) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(&Out::of(book)).map_err(|error| RecordError::Bad(error.to_string()))
}

/// Reads what [`write()`] wrote.
pub(in crate::store) fn read(bytes: &[u8]) -> Result<Book, RecordError> {
    let read: In =
        serde_json::from_slice(bytes).map_err(|error| RecordError::Bad(error.to_string()))?;
    read.into_book()
        .ok_or_else(|| RecordError::Bad("快照前后不一致".into()))
}

#[derive(Serialize)]
struct Out<'a> {
    position: Position,
    at: Option<DateTime<Utc>>,
    plans: Vec<(Put<'a, PlanId>, Put<'a, PlanBook>)>,
    people: Vec<Put<'a, Person>>,
    contacts: Vec<Put<'a, Contact>>,
    obligations: Vec<(Put<'a, ObligationKey>, Put<'a, Obligation>)>,
    messages: Vec<Put<'a, Delivery>>,
    skipped: Vec<(Put<'a, MessageKey>, Put<'a, SkipWhy>)>,
    ladders: Vec<(Put<'a, PlanId>, Put<'a, Quarter>, Put<'a, Ladder>)>,
    stages: Vec<StageOut<'a>>,
    put_off_stages: Vec<(NaiveDate, StageOut<'a>)>,
    delegations: Vec<(Position, Put<'a, Delegation>)>,
    summaries: Vec<SummaryOut<'a>>,
    papers: Vec<(Put<'a, Paper>, Put<'a, Issued>)>,
    accounts: Vec<(Put<'a, PersonId>, Put<'a, Account>)>,
    cards: Vec<(Put<'a, MessageKey>, Put<'a, Card>)>,
    heard: Vec<&'a str>,
    words: Vec<(Position, Put<'a, Word>)>,
    strangers: Vec<&'a str>,
    revoked: Vec<RevokedOut<'a>>,
    users: Vec<Put<'a, User>>,
    tokens: Vec<Put<'a, Token>>,
    addresses: Vec<(Put<'a, PersonId>, Put<'a, ChannelKind>, Put<'a, Address>)>,
    alarms: Vec<(&'a str, Put<'a, Alarm>)>,
    clock_doubt: Option<(DateTime<Utc>, DateTime<Utc>)>,
    restored: Option<DateTime<Utc>>,
    resumed_from: Option<DateTime<Utc>>,
    doubts: Vec<(Put<'a, ChannelKind>, u64)>,
    mails: Vec<MailOut<'a>>,
    mailbox: Option<(u32, u32)>,
    stepped_back: Position,
    trails: Vec<(Put<'a, PersonId>, &'a [Position])>,
    holidays: Vec<HolidaysOut<'a>>,
}

/// The year, the file, when, what.
type HolidaysOut<'a> = (i32, &'a str, DateTime<Utc>, Put<'a, YearNotice>);

/// Its fact, when it came, itself, and when it was dealt with.
type MailOut<'a> = (
    Position,
    DateTime<Utc>,
    Put<'a, TakenMail>,
    Option<DateTime<Utc>>,
);

type StageOut<'a> = (
    Put<'a, PlanId>,
    Put<'a, Quarter>,
    Put<'a, Stage>,
    DateTime<Utc>,
    Put<'a, StageOutcome>,
);

type SummaryOut<'a> = (Put<'a, PlanId>, Put<'a, Quarter>, u32, Put<'a, Summary>);

type RevokedOut<'a> = (
    Put<'a, PlanId>,
    Put<'a, Quarter>,
    Put<'a, PersonId>,
    DateTime<Utc>,
);

impl<'a> Out<'a> {
    fn of(book: &'a Book) -> Self {
        let mut people: Vec<_> = book.people.values().collect();
        people.sort_by(|a, b| a.id.cmp(&b.id));
        let mut contacts: Vec<_> = book.contacts.values().collect();
        contacts.sort_by(|a, b| a.person.cmp(&b.person));
        let mut messages: Vec<_> = book.messages.values().collect();
        messages.sort_by_key(|delivery| delivery.queued_in);
        let mut revoked: Vec<_> = book.revoked.iter().collect();
        revoked.sort();
        let mut accounts: Vec<_> = book.accounts.iter().collect();
        accounts.sort_by(|a, b| a.0.cmp(b.0));
        let mut trails: Vec<_> = book.trails.iter().collect();
        trails.sort_by(|a, b| a.0.cmp(b.0));
        Self {
            position: book.position,
            at: book.at,
            plans: book.plans.iter().map(|(k, v)| (Put(k), Put(v))).collect(),
            people: people.into_iter().map(Put).collect(),
            contacts: contacts.into_iter().map(Put).collect(),
            obligations: book
                .obligations
                .iter()
                .map(|(key, known)| (Put(key), Put(known)))
                .collect(),
            messages: messages.into_iter().map(Put).collect(),
            skipped: book.skipped.iter().map(|(k, v)| (Put(k), Put(v))).collect(),
            ladders: book
                .ladders
                .iter()
                .map(|((plan, quarter), ladder)| (Put(plan), Put(quarter), Put(ladder)))
                .collect(),
            stages: book
                .stages
                .iter()
                .map(|((plan, quarter, stage), (at, outcome))| {
                    (Put(plan), Put(quarter), Put(stage), *at, Put(outcome))
                })
                .collect(),
            put_off_stages: book
                .put_off_stages
                .iter()
                .map(|((plan, quarter, day, stage), (at, outcome))| {
                    let stage = (Put(plan), Put(quarter), Put(stage), *at, Put(outcome));
                    (*day, stage)
                })
                .collect(),
            delegations: book
                .delegations
                .iter()
                .map(|(at, delegation)| (*at, Put(delegation)))
                .collect(),
            summaries: book
                .summaries
                .iter()
                .map(|((plan, quarter, task), summary)| {
                    (Put(plan), Put(quarter), *task, Put(summary))
                })
                .collect(),
            papers: book.papers.iter().map(|(k, v)| (Put(k), Put(v))).collect(),
            accounts: accounts
                .into_iter()
                .map(|(k, v)| (Put(k), Put(v)))
                .collect(),
            cards: book.cards.iter().map(|(k, v)| (Put(k), Put(v))).collect(),
            heard: book.heard.iter().map(String::as_str).collect(),
            words: book
                .words
                .iter()
                .map(|(at, word)| (*at, Put(word)))
                .collect(),
            strangers: book.strangers.iter().map(String::as_str).collect(),
            revoked: revoked
                .into_iter()
                .map(|((plan, quarter, person), at)| (Put(plan), Put(quarter), Put(person), *at))
                .collect(),
            users: book.users.values().map(Put).collect(),
            tokens: book.tokens.values().map(Put).collect(),
            addresses: book
                .addresses
                .iter()
                .map(|((person, kind), address)| (Put(person), Put(kind), Put(address)))
                .collect(),
            alarms: book
                .alarms
                .iter()
                .map(|(name, alarm)| (name.as_str(), Put(alarm)))
                .collect(),
            clock_doubt: book.clock_doubt.map(|doubt| (doubt.expected, doubt.found)),
            restored: book.restored,
            resumed_from: book.resumed_from,
            doubts: book
                .doubts
                .iter()
                .map(|(kind, n)| (Put(kind), *n))
                .collect(),
            mails: book
                .mails
                .iter()
                .map(|(place, known)| (*place, known.at, Put(&known.mail), known.settled))
                .collect(),
            mailbox: book.mailbox.map(|place| (place.validity, place.uid)),
            stepped_back: book.stepped_back,
            trails: trails
                .into_iter()
                .map(|(person, trail)| (Put(person), trail.as_slice()))
                .collect(),
            holidays: book
                .holidays
                .iter()
                .map(|(year, one)| (*year, one.file.as_str(), one.at, Put(&one.notice)))
                .collect(),
        }
    }
}

#[derive(Deserialize)]
struct In {
    position: Position,
    at: Option<DateTime<Utc>>,
    plans: Vec<(Got<PlanId>, Got<PlanBook>)>,
    people: Vec<Got<Person>>,
    contacts: Vec<Got<Contact>>,
    obligations: Vec<(Got<ObligationKey>, Got<Obligation>)>,
    messages: Vec<Got<Delivery>>,
    skipped: Vec<(Got<MessageKey>, Got<SkipWhy>)>,
    ladders: Vec<(Got<PlanId>, Got<Quarter>, Got<Ladder>)>,
    stages: Vec<StageIn>,
    put_off_stages: Vec<(NaiveDate, StageIn)>,
    delegations: Vec<(Position, Got<Delegation>)>,
    summaries: Vec<SummaryIn>,
    papers: Vec<(Got<Paper>, Got<Issued>)>,
    accounts: Vec<(Got<PersonId>, Got<Account>)>,
    cards: Vec<(Got<MessageKey>, Got<Card>)>,
    heard: Vec<String>,
    words: Vec<(Position, Got<Word>)>,
    strangers: Vec<String>,
    revoked: Vec<RevokedIn>,
    users: Vec<Got<User>>,
    tokens: Vec<Got<Token>>,
    addresses: Vec<(Got<PersonId>, Got<ChannelKind>, Got<Address>)>,
    alarms: Vec<(String, Got<Alarm>)>,
    clock_doubt: Option<(DateTime<Utc>, DateTime<Utc>)>,
    #[serde(default)]
    restored: Option<DateTime<Utc>>,
    resumed_from: Option<DateTime<Utc>>,
    doubts: Vec<(Got<ChannelKind>, u64)>,
    mails: Vec<MailIn>,
    mailbox: Option<(u32, u32)>,
    stepped_back: Position,
    trails: Vec<(Got<PersonId>, Vec<Position>)>,
    holidays: Vec<(i32, String, DateTime<Utc>, Got<YearNotice>)>,
}

type MailIn = (
    Position,
    DateTime<Utc>,
    Got<TakenMail>,
    Option<DateTime<Utc>>,
);

type StageIn = (
    Got<PlanId>,
    Got<Quarter>,
    Got<Stage>,
    DateTime<Utc>,
    Got<StageOutcome>,
);

type SummaryIn = (Got<PlanId>, Got<Quarter>, u32, Got<Summary>);

type RevokedIn = (Got<PlanId>, Got<Quarter>, Got<PersonId>, DateTime<Utc>);

impl In {
    fn into_book(self) -> Option<Book> {
        let mut book = Book {
            position: self.position,
            at: self.at,
            plans: pairs(self.plans).collect(),
            people: by(self.people, |person| person.id.clone()),
            contacts: by(self.contacts, |contact| contact.person.clone()),
            obligations: pairs(self.obligations).collect(),
            skipped: pairs(self.skipped).collect(),
            clock_doubt: self
                .clock_doubt
                .map(|(expected, found)| ClockDoubt { expected, found }),
            restored: self.restored,
            resumed_from: self.resumed_from,
            stepped_back: self.stepped_back,
            papers: pairs(self.papers).collect(),
            holidays: self
                .holidays
                .into_iter()
                .map(|(year, file, at, notice)| {
                    let notice = notice.0;
                    (year, Brought { file, at, notice })
                })
                .collect(),
            accounts: pairs(self.accounts).collect(),
            cards: pairs(self.cards).collect(),
            heard: self.heard.into_iter().collect(),
            words: self
                .words
                .into_iter()
                .map(|(at, word)| (at, word.0))
                .collect(),
            strangers: self.strangers.into_iter().collect(),
            trails: self
                .trails
                .into_iter()
                .map(|(person, trail)| (person.0, trail))
                .collect(),
            ..Book::default()
        };
        book.mailbox = self.mailbox.map(|(validity, uid)| Place { validity, uid });
        for (place, at, mail, settled) in self.mails {
            let mail = mail.0;
            book.know_mail(place, KnownMail { at, mail, settled });
        }
        for (plan, quarter, ladder) in self.ladders {
            book.ladders.insert((plan.0, quarter.0), ladder.0);
        }
        for (plan, quarter, stage, at, outcome) in self.stages {
            let key = (plan.0, quarter.0, stage.0);
            book.stages.insert(key, (at, outcome.0));
        }
        for (day, (plan, quarter, stage, at, outcome)) in self.put_off_stages {
            let key = (plan.0, quarter.0, day, stage.0);
            book.put_off_stages.insert(key, (at, outcome.0));
        }
        for (at, delegation) in self.delegations {
            book.delegations.insert(at, delegation.0);
        }
        for (plan, quarter, task, summary) in self.summaries {
            book.summaries.insert((plan.0, quarter.0, task), summary.0);
        }
        for (plan, quarter, person, at) in self.revoked {
            book.revoked.insert((plan.0, quarter.0, person.0), at);
        }
        for (person, kind, address) in self.addresses {
            book.addresses.insert((person.0, kind.0), address.0);
        }
        for (name, alarm) in self.alarms {
            book.alarms.insert(name, alarm.0);
        }
        for (kind, count) in self.doubts {
            book.doubts.insert(kind.0, count);
        }
        for user in self.users {
            book.users.insert(user.0.name.clone(), user.0);
        }
        for token in self.tokens {
            book.tokens.insert(token.0.id.clone(), token.0);
        }
        for Got(delivery) in self.messages {
            let key = delivery.message.key.clone();
            if let DeliveryState::Waiting { until } = delivery.state {
                let channel = delivery.message.route.get(usize::from(delivery.leg))?;
                let at = (*channel, until, delivery.queued_in);
                book.queue.insert(at, key.clone());
            }
            let of_person = book.messages_of.entry(key.person.clone()).or_default();
            of_person.push(key.clone());
            book.messages.insert(key, delivery);
        }
        book.sum_up();
        Some(book)
    }
}

fn pairs<K, V>(list: Vec<(Got<K>, Got<V>)>) -> impl Iterator<Item = (K, V)> {
    list.into_iter().map(|(key, value)| (key.0, value.0))
}

fn by<T>(list: Vec<Got<T>>, id: impl Fn(&T) -> PersonId) -> HashMap<PersonId, T> {
    list.into_iter().map(|Got(one)| (id(&one), one)).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PlanBook")]
struct PlanBookDef {
    #[serde(with = "wire")]
    heading: Heading,
    source: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    imported_at: DateTime<Utc>,
    #[serde(with = "tasks")]
    tasks: BTreeMap<u32, Task>,
    #[serde(default, with = "tasks", skip_serializing_if = "BTreeMap::is_empty")]
    tabled: BTreeMap<u32, Task>,
    #[serde(with = "wire")]
    people: Vec<PersonId>,
    #[serde(with = "deadlines")]
    deadlines: BTreeMap<NaiveDate, DateTime<Utc>>,
    assumed_years: std::collections::BTreeSet<i32>,
    changed: (Position, DateTime<Utc>),
    version: u32,
    slots: BTreeMap<u32, Vec<u8>>,
    #[serde(with = "closed")]
    closed: BTreeMap<(u32, u8), ClosedDuty>,
    #[serde(with = "wire")]
    handovers: Vec<Handover>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Issued")]
struct IssuedDef {
    at: DateTime<Utc>,
    year: i32,
    number: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ClosedDuty")]
struct ClosedDutyDef {
    #[serde(with = "wire")]
    task: Task,
    #[serde(with = "wire")]
    group: Group,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Handover")]
struct HandoverDef {
    version: u32,
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    person: PersonId,
    #[serde(with = "wire")]
    hand: Hand,
    task: u32,
    group: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Obligation")]
struct ObligationDef {
    #[serde(with = "wire")]
    reports: Vec<Received>,
    #[serde(with = "dated::apart")]
    review: Option<Box<(DateTime<Utc>, Review)>>,
    #[serde(with = "dated")]
    last_reminded: Option<(DateTime<Utc>, Occasion)>,
    #[serde(with = "copied")]
    copied: BTreeMap<PersonId, bool>,
    touched: Option<(Position, DateTime<Utc>)>,
    #[serde(with = "dated::apart")]
    acknowledged: Option<Box<(DateTime<Utc>, PersonId)>>,
    #[serde(with = "dated")]
    closed: Option<(DateTime<Utc>, ClosedWhy)>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Filed>,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    extension: Option<Box<Extension>>,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    not_mine: Option<Box<NotMine>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Extension")]
struct ExtensionDef {
    #[serde(with = "wire")]
    asked: Option<Asked>,
    #[serde(with = "wire")]
    granted: Option<Granted>,
    refused: Option<(DateTime<Utc>, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Asked")]
struct AskedDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    person: PersonId,
    #[serde(with = "wire")]
    ask: ExtensionAsk,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Granted")]
struct GrantedDef {
    at: DateTime<Utc>,
    day: NaiveDate,
    until: DateTime<Utc>,
    note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NotMine")]
struct NotMineDef {
    #[serde(with = "wire")]
    said: Option<SaidNotMine>,
    #[serde(with = "dated")]
    word: Option<(DateTime<Utc>, NotMineWord)>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SaidNotMine")]
struct SaidNotMineDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    person: PersonId,
    #[serde(with = "wire")]
    other: OtherOwner,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Summary")]
struct SummaryDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    person: PersonId,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Received")]
struct ReceivedDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    report: Report,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<FileHash>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Filed")]
struct FiledDef {
    #[serde(with = "wire")]
    evidence: Evidence,
    #[serde(with = "wire")]
    person: PersonId,
    at: DateTime<Utc>,
    removed: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Delivery")]
struct DeliveryDef {
    #[serde(with = "wire")]
    message: Message,
    queued_at: DateTime<Utc>,
    queued_in: Position,
    #[serde(with = "wire")]
    state: DeliveryState,
    attempts: u32,
    leg: u8,
    tries_on_leg: u32,
    #[serde(default)]
    doubts_on_leg: u32,
    doubtful_since: Option<DateTime<Utc>>,
    #[serde(with = "wire")]
    last_trouble: Option<Trouble>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Account")]
struct AccountDef {
    user: Option<String>,
    asked_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Card")]
struct CardDef {
    code: String,
    sent_at: DateTime<Utc>,
    tapped: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Word")]
struct WordDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    heard: Heard,
    #[serde(with = "wire")]
    settled: Option<Meaning>,
    #[serde(with = "wire")]
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Trouble")]
struct TroubleDef {
    at: DateTime<Utc>,
    #[serde(with = "wire")]
    channel: ChannelKind,
    #[serde(with = "wire")]
    reason: Option<FailReason>,
    detail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DeliveryState", tag = "is", rename_all = "snake_case")]
enum DeliveryStateDef {
    Waiting {
        until: DateTime<Utc>,
    },
    Sending {
        since: DateTime<Utc>,
        #[serde(with = "wire")]
        channel: ChannelKind,
        #[serde(with = "wire")]
        items: Vec<ObligationKey>,
    },
    Sent {
        at: DateTime<Utc>,
        #[serde(with = "wire")]
        channel: ChannelKind,
        #[serde(with = "wire")]
        items: Vec<ObligationKey>,
    },
    Held {
        at: DateTime<Utc>,
    },
    Dead {
        at: DateTime<Utc>,
    },
    Handled {
        at: DateTime<Utc>,
    },
    Withdrawn {
        at: DateTime<Utc>,
        #[serde(with = "wire")]
        why: WithdrawWhy,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Address")]
struct AddressDef {
    confirmed: Option<DateTime<Utc>>,
    refused: Option<(DateTime<Utc>, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Alarm")]
struct AlarmDef {
    since: DateTime<Utc>,
    words: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "User")]
struct UserDef {
    name: String,
    #[serde(with = "wire")]
    profile: Profile,
    password_hash: String,
    temporary: bool,
    disabled: bool,
    epoch: u32,
    #[serde(with = "wire")]
    second: Option<SecondFactor>,
    signed_in: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SecondFactor")]
struct SecondFactorDef {
    sealed: String,
    used: u64,
    recovery: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Token")]
struct TokenDef {
    id: String,
    name: String,
    #[serde(with = "wire")]
    scopes: Vec<Scope>,
    #[serde(with = "super::fact::leader")]
    sight: Sight,
    sha256: String,
    made: DateTime<Utc>,
    expires: DateTime<Utc>,
    used: Option<DateTime<Utc>>,
    revoked: Option<DateTime<Utc>>,
}

remote!(
    PlanBook => PlanBookDef,
    Issued => IssuedDef,
    ClosedDuty => ClosedDutyDef,
    Handover => HandoverDef,
    Obligation => ObligationDef,
    Received => ReceivedDef,
    Filed => FiledDef,
    Extension => ExtensionDef,
    Asked => AskedDef,
    Granted => GrantedDef,
    NotMine => NotMineDef,
    SaidNotMine => SaidNotMineDef,
    Summary => SummaryDef,
    Delivery => DeliveryDef,
    Trouble => TroubleDef,
    Account => AccountDef,
    Card => CardDef,
    Word => WordDef,
    DeliveryState => DeliveryStateDef,
    Address => AddressDef,
    Alarm => AlarmDef,
    User => UserDef,
    SecondFactor => SecondFactorDef,
    Token => TokenDef,
);

/// Maps whose keys are not texts, as lists.
macro_rules! as_list {
    ($name:ident, $map:ty, $put:expr, $got:ty, $back:expr) => {
        mod $name {
            use super::*;

            pub(super) fn serialize<S: serde::Serializer>(
                map: &$map,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                to.collect_seq(map.iter().map($put))
            }

            pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
                from: D,
            ) -> Result<$map, D::Error> {
                let list = Vec::<$got>::deserialize(from)?;
                Ok(list.into_iter().map($back).collect())
            }
        }
    };
}

as_list!(
    tasks,
    BTreeMap<u32, Task>,
    |(_, task)| Put(task),
    Got<Task>,
    |Got(task)| (task.no, task)
);
as_list!(
    closed,
    BTreeMap<(u32, u8), ClosedDuty>,
    |((task, slot), duty)| (task, slot, Put(duty)),
    (u32, u8, Got<ClosedDuty>),
    |(task, slot, duty)| ((task, slot), duty.0)
);
as_list!(
    deadlines,
    BTreeMap<NaiveDate, DateTime<Utc>>,
    |pair| pair,
    (NaiveDate, DateTime<Utc>),
    |pair| pair
);
as_list!(
    copied,
    BTreeMap<PersonId, bool>,
    |(person, settled)| (Put(person), settled),
    (Got<PersonId>, bool),
    |(person, settled)| (person.0, settled)
);

/// Something with its time.
mod dated {
    use super::*;

    pub(super) fn serialize<T: Wire, S: serde::Serializer>(
        value: &Option<(DateTime<Utc>, T)>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        put(value.as_ref(), to)
    }

    fn put<T: Wire, S: serde::Serializer>(
        value: Option<&(DateTime<Utc>, T)>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|(at, what)| (at, Put(what))).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Wire, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Option<(DateTime<Utc>, T)>, D::Error> {
        let read = Option::<(DateTime<Utc>, Got<T>)>::deserialize(from)?;
        Ok(read.map(|(at, what)| (at, what.0)))
    }

    /// The same, kept apart.
    pub(super) mod apart {
        use super::*;

        type Apart<T> = Option<Box<(DateTime<Utc>, T)>>;

        pub(in super::super) fn serialize<T: Wire, S: serde::Serializer>(
            value: &Apart<T>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            put(value.as_deref(), to)
        }

        pub(in super::super) fn deserialize<'de, T: Wire, D: serde::Deserializer<'de>>(
            from: D,
        ) -> Result<Apart<T>, D::Error> {
            Ok(super::deserialize(from)?.map(Box::new))
        }
    }
}
