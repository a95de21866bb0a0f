//! What a message says, composed from the book at the moment it leaves.
//!
//! A [`Brief`] holds everything a text can need, in the order in which it is to be read, and no
//! wording: the words are in the channels' templates.

mod decision;
mod digest;
mod item;
mod name;
mod receipt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Offset, TimeZone, Utc};

use super::agenda::{self, Event};
use super::book::{Book, DeliveryState};
use super::calendar::Calendar;
use super::ids::{ObligationKey, PersonId};
use super::message::{Message, MessageKey, Occasion, Stage};
use super::people::{ChannelKind, Contact};

pub use decision::{Decision, DecisionWord};
pub use digest::{Digest, UnitRow};
pub use item::{AboutItem, Item, ItemMilestone};
pub use name::{message_name, subject_token};
pub use receipt::{Receipt, SaidItem};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// The name that signs, such as `市政府办公室督查科`.
    pub name: String,
    /// A telephone number to call.
    pub telephone: Option<String>,
    /// Address of the board, for coordinators.
    pub board: Option<String>,
    /// Whether answers by mail are read.
    pub reads_mail: bool,
}

/// Which kind of letter it is; each has its own templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Letter {
    /// To an owner, about what is theirs.
    Reminder,
    /// To 责任人 and leaders, about what others owe.
    Copied,
    /// To those who were copied in: it is settled.
    Settled,
    /// To coordinators, once a day.
    Digest,
    /// To anyone: does this arrive?
    Test,
    /// To the operator: what is wrong.
    Alarm,
    /// To a former owner: thanks, and what is no longer theirs.
    Thanks,
    /// To an owner who answered by mail: what was understood.
    Receipt,
    /// To who asked something, or whom a decision concerns: the word.
    Decided,
}

impl Letter {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Reminder,
        Self::Copied,
        Self::Settled,
        Self::Digest,
        Self::Test,
        Self::Alarm,
        Self::Thanks,
        Self::Receipt,
        Self::Decided,
    ];

    /// The kind of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        match message.key.occasion {
            Occasion::Digest(_) => Self::Digest,
            Occasion::Settled(_) => Self::Settled,
            Occasion::Test(_) => Self::Test,
            Occasion::Alarm(_) => Self::Alarm,
            Occasion::HandedOver(_) => Self::Thanks,
            Occasion::Receipt(_) => Self::Receipt,
            Occasion::Decided(_) => Self::Decided,
            Occasion::TakenOver(_) | Occasion::Returned(_) | Occasion::Entrusted(_) => {
                Self::Reminder
            }
            Occasion::Stage(_) | Occasion::PutOff(..) | Occasion::Urge(_)
                if message.items.is_empty() =>
            {
                Self::Copied
            }
            Occasion::Stage(_) | Occasion::PutOff(..) | Occasion::Urge(_) => Self::Reminder,
        }
    }

    /// Whether both stand in one mail thread, under one subject.
    #[must_use]
    pub fn threads_with(self, other: Self) -> bool {
        let told_of_others = |letter| matches!(letter, Self::Copied | Self::Settled);
        self == other || (told_of_others(self) && told_of_others(other))
    }

    /// The name of its common templates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "owner",
            Self::Copied => "copied",
            Self::Settled => "settled",
            Self::Digest => "digest",
            Self::Test => "test",
            Self::Alarm => "alarm",
            Self::Thanks => "thanks",
            Self::Receipt => "receipt",
            Self::Decided => "decided",
        }
    }
}

/// Everything a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The message, as decided.
    pub message: Message,
    /// Which kind of letter.
    pub letter: Letter,
    /// The templates that the case's ladder names for this stage.
    pub wording: Option<String>,
    /// The addressee's name.
    pub name: String,
    /// The addressee's unit; empty for leaders of the city.
    pub unit: String,
    /// Where the addressee is reached.
    pub contact: Contact,
    /// Title of the plan.
    pub plan_title: String,
    /// Until when reports for the quarter are due; none before deadlines were first set.
    pub deadline: Option<Deadline>,
    /// The addressee's own open items, most urgent first.
    pub items: Vec<Item>,
    /// Others' items the addressee is told of.
    pub about: Vec<AboutItem>,
    /// The coordinators' figures.
    pub digest: Option<Digest>,
    /// What the operator is told of, oldest first: since when, and the words.
    pub alarms: Vec<(DateTime<FixedOffset>, String)>,
    /// Names of those who are told of the same.
    pub copied: Vec<String>,
    /// Years for which no holiday table was known.
    pub assumed_years: Vec<i32>,
    /// Who asks.
    pub office: Office,
    /// The addressee's own page.
    pub link: String,
    /// Address of the addressee's calendar feed.
    pub calendar: Option<String>,
    /// The deadline for the addressee's calendar, with the first word of a quarter.
    pub event: Option<Event>,
    /// What was understood of the mail this answers.
    pub receipt: Option<Receipt>,
    /// What was decided on what was asked.
    pub decisions: Vec<Decision>,
    /// Names the message for ever: 24 hex digits, the same at every try.
    pub id: String,
    /// Ids of the mails of the same thread that were sent before, oldest first.
    pub earlier: Vec<String>,
    /// Stands in the subject, so that an answer can be put to person and quarter.
    pub token: String,
    /// The moment as of which it speaks, at the office.
    pub at: DateTime<FixedOffset>,
    /// When this try is made: later where what may have arrived is repeated word for word.
    pub tried_at: DateTime<Utc>,
}

/// Until when reports are due, seen from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The day.
    pub day: NaiveDate,
    /// The hour.
    pub time: NaiveTime,
    /// Working days from today to it; negative when it has passed.
    pub working_days: i32,
    /// Whether its hour has passed too.
    pub passed: bool,
}

/// What is composed and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The message.
    pub message: &'a Message,
    /// Which of its items are still open.
    pub items: &'a [ObligationKey],
    /// Which of the others' items still stand.
    pub about: &'a [ObligationKey],
    /// Who asks.
    pub office: &'a Office,
    /// The addressee's own page.
    pub link: &'a str,
    /// Address of the addressee's calendar feed.
    pub calendar: Option<&'a str>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Composes what the message says now.
#[must_use]
pub fn compose(book: &Book, calendar: &Calendar, order: Order<'_>) -> Brief {
    let message = order.message;
    let key = &message.key;
    let plan = book.plans.get(&key.plan);
    let letter = Letter::of(message);
    let person = book.people.get(&key.person);
    let deadline = deadline(book, calendar, order);
    let earlier = earlier(book, message, letter);
    Brief {
        letter,
        wording: wording(book, key),
        name: person.map_or_else(String::new, |person| person.name.clone()),
        unit: person.map_or_else(String::new, |person| person.unit.clone()),
        contact: book.contact(&key.person),
        plan_title: plan.map_or_else(String::new, |plan| plan.heading.title.clone()),
        event: event(book, order, deadline, &earlier),
        deadline,
        items: item::items(book, calendar, order),
        about: item::about(book, order),
        digest: (letter == Letter::Digest).then(|| digest::digest(book, order)),
        alarms: match letter {
            Letter::Alarm => alarms(book, calendar),
            _ => Vec::new(),
        },
        receipt: receipt::receipt(book, key),
        decisions: decision::decisions(book, calendar, order, letter),
        copied: names(book, &message.copied),
        assumed_years: plan.map_or_else(Vec::new, |plan| {
            plan.assumed_years.iter().copied().collect()
        }),
        office: order.office.clone(),
        link: link(letter, order),
        calendar: order.calendar.map(str::to_owned),
        id: message_name(key),
        earlier,
        token: subject_token(&key.plan, key.quarter, &key.person),
        at: local(calendar, order.now),
        tried_at: order.now,
        message: message.clone(),
    }
}

impl Brief {
    /// The stage of reminding, if it is one.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.message.key.occasion.stage()
    }
}

fn wording(book: &Book, key: &MessageKey) -> Option<String> {
    let stage = key.occasion.stage()?;
    let rule = book.ladder(&key.plan, key.quarter)?.rule(stage)?;
    rule.template.clone()
}

/// With the notice, or with whatever stage is the first word by mail, while there is still time.
fn event(
    book: &Book,
    order: Order<'_>,
    deadline: Option<Deadline>,
    earlier: &[String],
) -> Option<Event> {
    let key = &order.message.key;
    let Occasion::Stage(stage) = key.occasion else {
        return None;
    };
    let ahead = deadline.is_some_and(|deadline| !deadline.passed);
    let first = stage == Stage::Notice || earlier.is_empty();
    if order.items.is_empty() || !ahead || !first {
        return None;
    }
    agenda::reports(book, &key.plan, key.quarter, &key.person)
}

fn deadline(book: &Book, calendar: &Calendar, order: Order<'_>) -> Option<Deadline> {
    let key = &order.message.key;
    let spoken_of = match (order.items, key.occasion) {
        ([], Occasion::PutOff(..)) => order.about,
        (items, _) => items,
    };
    // What was put off has its own; where some was and some was not, the first counts.
    let own = spoken_of.iter().filter_map(|item| book.due(item)).min();
    let at = own.or_else(|| book.deadline(&key.plan, key.quarter))?;
    let day = calendar.date_of(at);
    Some(Deadline {
        day,
        time: calendar.time_of(at),
        working_days: calendar.working_days_between(calendar.date_of(order.now), day),
        passed: order.now > at,
    })
}

/// A test leads to a page that says "I have it", and for which channel.
fn link(letter: Letter, order: Order<'_>) -> String {
    match (letter, order.message.route.first()) {
        (Letter::Test, Some(channel)) => format!("{}/received/{channel}", order.link),
        _ => order.link.to_owned(),
    }
}

fn alarms(book: &Book, calendar: &Calendar) -> Vec<(DateTime<FixedOffset>, String)> {
    let mut alarms: Vec<_> = book.alarms.values().collect();
    alarms.sort_by_key(|alarm| alarm.since);
    alarms
        .into_iter()
        .map(|alarm| (local(calendar, alarm.since), alarm.words.clone()))
        .collect()
}

fn local(calendar: &Calendar, now: DateTime<Utc>) -> DateTime<FixedOffset> {
    let offset = calendar.zone().offset_from_utc_datetime(&now.naive_utc());
    now.with_timezone(&offset.fix())
}

fn names(book: &Book, people: &[PersonId]) -> Vec<String> {
    people
        .iter()
        .filter_map(|id| book.people.get(id))
        .map(|person| person.name.clone())
        .collect()
}

/// A thread is the mails of one kind to one person about one quarter.
fn earlier(book: &Book, message: &Message, letter: Letter) -> Vec<String> {
    /// Headers should not grow without end; the oldest one is the root and stays.
    const MOST: usize = 8;
    let key = &message.key;
    let mut ids: Vec<String> = book
        .messages_about(&key.person, &key.plan, key.quarter)
        .filter(|delivery| delivery.message.key != *key)
        .filter(|delivery| Letter::of(&delivery.message).threads_with(letter))
        .filter(|delivery| {
            matches!(
                delivery.state,
                DeliveryState::Sent {
                    channel: ChannelKind::Email,
                    ..
                }
            )
        })
        .map(|delivery| message_name(&delivery.message.key))
        .collect();
    if ids.len() > MOST {
        ids.drain(1..=ids.len() - MOST);
    }
    ids
}
