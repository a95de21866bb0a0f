//! What was sent to a person and what they said, told from their facts in order of time: a line an
//! event, fit for a file.

mod message;
mod office;
mod person;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Actor, Entry};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo, told};
use crate::domain::message::{Message, MessageKey};
use crate::domain::people::ChannelKind;
use crate::domain::user::Sight;
use crate::web::format::moment;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The fact it tells of.
    pub position: Position,
    /// When.
    pub at: DateTime<Utc>,
    /// On which side.
    pub kind: Kind,
    /// 预告, 报送, 退回 …
    pub what: String,
    /// The quarter it is about, where it is about one.
    pub quarter: Option<Quarter>,
    /// The numbers of the tasks.
    pub tasks: Vec<TaskNo>,
    /// How: the channel, the door.
    pub by: String,
    /// What came of it, or what was said.
    pub words: String,
}

/// On which side something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message that arrived, or a telephone call.
    Sent,
    /// A message that did not.
    Unsent,
    /// What the person did.
    Said,
    /// What the office did.
    Word,
}

impl Kind {
    /// The name used in the style sheet.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unsent => "unsent",
            Self::Said => "said",
            Self::Word => "word",
        }
    }

    /// What people read.
    pub(super) fn chinese(self) -> &'static str {
        match self {
            Self::Sent => "提醒",
            Self::Unsent => "未送达",
            Self::Said => "本人",
            Self::Word => "办理",
        }
    }
}

impl Event {
    /// Whether it is no message and no report, which stand in lists of their own.
    pub(super) fn is_step(&self) -> bool {
        let reported = matches!(self.what.as_str(), "报送" | "更正报送");
        matches!(self.kind, Kind::Said | Kind::Word) && !reported
    }

    /// `第2、4项`; empty where it is about none.
    pub(super) fn items(&self) -> String {
        let tasks: Vec<TaskNo> = self
            .tasks
            .iter()
            .copied()
            .filter(|task| *task > 0)
            .collect();
        match tasks.as_slice() {
            [] => String::new(),
            tasks => format!("第{}项", told(tasks)),
        }
    }
}

/// Whose story, and how much of it.
pub(super) struct Telling<'a> {
    pub book: &'a Book,
    pub calendar: &'a Calendar,
    /// Only of this plan; what is of none is of all.
    pub plan: Option<&'a PlanId>,
    /// Only what may be seen.
    pub sight: &'a Sight,
}

/// Tells facts, oldest first: of one person, who then is not named in each line, or of several.
pub(super) fn tell(
    telling: &Telling<'_>,
    person: Option<&PersonId>,
    entries: &[Entry],
) -> Vec<Event> {
    let mut teller = Teller {
        telling,
        person,
        sending: HashMap::new(),
        asked: HashMap::new(),
        tries: HashMap::new(),
    };
    let lines = entries.iter().filter_map(|entry| teller.event(entry));
    lines.collect()
}

struct Teller<'a> {
    telling: &'a Telling<'a>,
    person: Option<&'a PersonId>,
    /// Over which channel each message is being sent.
    sending: HashMap<&'a MessageKey, ChannelKind>,
    /// Who had it sent, where it was not by itself.
    asked: HashMap<&'a MessageKey, String>,
    tries: HashMap<&'a MessageKey, u32>,
}

/// What a line says, without where and when.
struct Line {
    kind: Kind,
    what: String,
    by: String,
    words: String,
    /// What it is about; nothing where it is about the person alone.
    about: About,
}

enum About {
    Person,
    Items(Vec<ObligationKey>),
    Duties(PlanId, Vec<TaskNo>),
}

fn line(kind: Kind, what: impl Into<String>, about: About) -> Line {
    Line {
        kind,
        what: what.into(),
        by: String::new(),
        words: String::new(),
        about,
    }
}

impl Line {
    fn by(mut self, by: impl Into<String>) -> Self {
        self.by = by.into();
        self
    }

    fn words(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }
}

fn of(key: &ObligationKey) -> About {
    About::Items(vec![key.clone()])
}

impl<'a> Teller<'a> {
    fn event(&mut self, entry: &'a Entry) -> Option<Event> {
        let line = match self.of_message(entry) {
            Some(told) => told?,
            None => self
                .of_person(entry)
                .or_else(|| self.of_office(entry))
                .or_else(|| self.of_duty(entry))?,
        };
        self.place(entry, line)
    }

    /// Where and when; none where it is not to be shown.
    fn place(&self, entry: &Entry, line: Line) -> Option<Event> {
        let everything = *self.telling.sight == Sight::Everything;
        let (plan, quarter, tasks) = match line.about {
            About::Person => (None, None, Vec::new()),
            About::Duties(plan, tasks) => (Some(plan), None, tasks),
            About::Items(keys) => {
                let mut tasks: Vec<TaskNo> = keys
                    .iter()
                    .filter(|key| everything || self.is_seen(key))
                    .map(|key| key.task)
                    .collect();
                tasks.sort_unstable();
                tasks.dedup();
                let first = keys.into_iter().next()?;
                (Some(first.plan), Some(first.quarter), tasks)
            }
        };
        // Who sees a part of the office's work sees what is about that part.
        if !everything && (quarter.is_none() || tasks.is_empty()) {
            return None;
        }
        let wanted = self.telling.plan;
        let fits = wanted.is_none_or(|wanted| plan.as_ref().is_none_or(|plan| plan == wanted));
        fits.then_some(Event {
            position: entry.position,
            at: entry.at,
            kind: line.kind,
            what: line.what,
            quarter,
            tasks,
            by: line.by,
            words: line.words,
        })
    }

    fn is_seen(&self, key: &ObligationKey) -> bool {
        let known = self.telling.book.task_and_group(key);
        known.is_some_and(|(task, _)| self.telling.sight.sees(task))
    }

    fn name(&self, person: &PersonId) -> &'a str {
        let known = self.telling.book.people.get(person);
        known.map_or("", |known| known.name.as_str())
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        moment(self.telling.calendar, at)
    }

    /// What a message is about: the person's own items, else those of others.
    fn about(&self, key: &MessageKey) -> About {
        let known = self.telling.book.messages.get(key);
        let items = known.map(|known| items_of(&known.message));
        About::Items(match items {
            Some(items) if !items.is_empty() => items.to_vec(),
            // Of the quarter as a whole.
            _ => vec![ObligationKey {
                plan: key.plan.clone(),
                quarter: key.quarter,
                task: 0,
                group: 0,
            }],
        })
    }
}

fn items_of(message: &Message) -> &[ObligationKey] {
    match message.items.as_slice() {
        [] => &message.about,
        items => items,
    }
}

/// Who did it, where it was not the program by itself or the person.
fn actor(by: &Actor) -> Option<String> {
    match by {
        Actor::User(name) => Some(name.clone()),
        Actor::Token(name) => Some(format!("接口“{name}”")),
        Actor::Operator => Some("本机管理员".into()),
        Actor::System | Actor::Owner(_) => None,
    }
}
