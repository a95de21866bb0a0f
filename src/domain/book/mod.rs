//! The fold of all facts: what is known now, kept in memory, one [`Book::apply`] at a time.
//!
//! Every view reads the book; nothing but `apply` changes it. What a durable store has to keep
//! beside the facts (milestones with deadlines, the queue by time) comes out of `apply` as
//! [`Effect`]s, so that every back end and every replay derives the same.

mod apply;
mod cases;
mod duties;
mod find;
mod query;
mod stand_in;
mod tallies;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use super::delegation::Delegation;
use super::delivery::FailReason;
use super::evidence::Filed;
use super::fact::{SkipWhy, StageOutcome, WithdrawWhy};
use super::heard::Word;
use super::holidays::BroughtYears;
use super::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use super::ladder::Ladder;
use super::mail::{Place, TakenMail};
use super::message::{Message, MessageKey, Occasion, Stage};
use super::paper::{Issued, Paper};
use super::people::{ChannelKind, Contact, Person};
use super::plan::{Group, Heading, Milestone, Task};
use super::report::{Received, Review};
use super::request::{Extension, NotMine};
use super::token::Token;
use super::user::User;

pub use apply::Inconsistent;
pub use cases::{Case, Cases, Matter};
pub use duties::Duties;
pub use find::WhoError;
pub use query::ObligationState;
pub use stand_in::Answerable;
pub use tallies::{Tallies, Tally};
pub use trail::Trails;

/// A stage of what was put off to a day, in a quarter of a plan.
pub type PutOffStage = (PlanId, Quarter, NaiveDate, Stage);

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    /// Position of the last fact applied; 0 when there is none.
    pub position: Position,
    /// When the last fact was appended.
    pub at: Option<DateTime<Utc>>,
    /// Plans by id.
    pub plans: BTreeMap<PlanId, PlanBook>,
    /// People of all plans.
    pub people: HashMap<PersonId, Person>,
    /// The contact sheet.
    pub contacts: HashMap<PersonId, Contact>,
    /// 应报事项 of all plans.
    pub obligations: BTreeMap<ObligationKey, Obligation>,
    /// Every message ever queued.
    pub messages: HashMap<MessageKey, Delivery>,
    /// Messages of each person, in the order they were queued.
    pub messages_of: HashMap<PersonId, Vec<MessageKey>>,
    /// Messages waiting to be sent, by channel and time.
    pub queue: BTreeMap<QueueKey, MessageKey>,
    /// People told nothing at a stage, and why.
    pub skipped: BTreeMap<MessageKey, SkipWhy>,
    /// The ladders of the cases that have begun.
    pub ladders: BTreeMap<(PlanId, Quarter), Ladder>,
    /// Stages run or skipped.
    pub stages: BTreeMap<(PlanId, Quarter, Stage), (DateTime<Utc>, StageOutcome)>,
    /// The same for what was put off, by the day to which.
    pub put_off_stages: BTreeMap<PutOffStage, (DateTime<Utc>, StageOutcome)>,
    /// Who fills in for whom, until it is ended, by the fact that began it.
    pub delegations: BTreeMap<Position, Delegation>,
    /// What lead units wrote on tasks with several groups.
    pub summaries: BTreeMap<(PlanId, Quarter, TaskNo), Summary>,
    /// Papers that have a number.
    pub papers: BTreeMap<Paper, Issued>,
    /// Accounts the platform was asked for, until the contact changes.
    pub accounts: HashMap<PersonId, Account>,
    /// Cards that can still be changed, by message.
    pub cards: BTreeMap<MessageKey, Card>,
    /// Names of everything heard from the WeCom application: what comes again is not heard again.
    pub heard: BTreeSet<String>,
    /// What was heard and is not done with, by the fact that it came in with.
    pub words: BTreeMap<Position, Word>,
    /// Accounts nobody of the contact sheet has, in small letters, that were told so.
    pub strangers: BTreeSet<String>,
    /// Links made up to this instant are void.
    pub revoked: HashMap<(PlanId, Quarter, PersonId), DateTime<Utc>>,
    /// Users of the board.
    pub users: BTreeMap<String, User>,
    /// Tokens of other systems, by their ids.
    pub tokens: BTreeMap<String, Token>,
    /// What experience says of people's addresses, where it says anything.
    pub addresses: BTreeMap<(PersonId, ChannelKind), Address>,
    /// What the operator is told of, by name, until it is over.
    pub alarms: BTreeMap<String, Alarm>,
    /// The machine's clock has leapt, and nobody has agreed to the new time yet.
    pub clock_doubt: Option<ClockDoubt>,
    /// When the backup was made that all of this was read back from, until a person says from when
    /// on it goes on.
    pub restored: Option<DateTime<Utc>>,
    /// Since when on it went on after the last restore: what came in before, the lost server may
    /// have answered.
    pub resumed_from: Option<DateTime<Utc>>,
    /// Attempts whose outcome stayed unknown, over all time.
    pub doubts: BTreeMap<ChannelKind, u64>,
    /// Mails that were read, in order.
    pub mails: BTreeMap<Position, KnownMail>,
    /// The fact that took each mail, by SHA-256 and by Message-ID.
    pub mail_names: HashMap<String, Position>,
    /// How far the mailbox was read.
    pub mailbox: Option<Place>,
    /// The last fact that is more than a minute older than the one before it: the clock was set
    /// back there. 0 where that never happened.
    pub stepped_back: Position,
    /// Notices of days off that were brought, by year.
    pub holidays: BroughtYears,
    /// Sums over the obligations, and what changed last; see [`Book::sum_up`].
    pub cases: Cases,
    /// Who owns what.
    pub duties: Duties,
    /// Where the people of each stage stand.
    pub tallies: Tallies,
    /// Where each person's own facts stand in the journal.
    pub trails: Trails,
}

/// What is known of a person's address on one channel, beside that it is on the sheet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The person has answered what was sent there, or says that it arrives.
    pub confirmed: Option<DateTime<Utc>>,
    /// The peer says that there is no such address; nothing is sent there until the sheet changes
    /// or a test message is taken.
    pub refused: Option<(DateTime<Utc>, String)>,
}

/// Something the operator is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What is wrong and what to do.
    pub words: String,
}

/// A leap of the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockDoubt {
    /// What it should have shown.
    pub expected: DateTime<Utc>,
    /// What it showed.
    pub found: DateTime<Utc>,
}

/// A plan as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanBook {
    /// Title and issue.
    pub heading: Heading,
    /// Name of the file last imported.
    pub source: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// What headings of its table mean, each as `列名=字段`.
    pub columns: Vec<String>,
    /// When it was last imported.
    pub imported_at: DateTime<Utc>,
    /// Tasks by number.
    pub tasks: BTreeMap<TaskNo, Task>,
    /// Those of them that stand otherwise by a coordinator's word, as the table has them.
    pub tabled: BTreeMap<TaskNo, Task>,
    /// Its people, in the order of the table.
    pub people: Vec<PersonId>,
    /// From the date a text means to the instant it is due.
    pub deadlines: BTreeMap<NaiveDate, DateTime<Utc>>,
    /// Years for which Monday to Friday was assumed.
    pub assumed_years: BTreeSet<i32>,
    /// The last fact that changed anything of it, and when.
    pub changed: (Position, DateTime<Utc>),
    /// How many times it was imported.
    pub version: u32,
    /// The numbers that name the groups of a task in [`ObligationKey::group`], in the order of its
    /// groups. A group keeps its number when a revised table puts the groups in another order, and
    /// a number is never given to another group.
    pub slots: BTreeMap<TaskNo, Vec<u8>>,
    /// Duties that a revised table no longer has, as they were, by task and group number.
    pub closed: BTreeMap<(TaskNo, u8), ClosedDuty>,
    /// Who took over a duty or gave it up, in the order of the imports.
    pub handovers: Vec<Handover>,
}

/// What a reporting group had to do before a revised table took it away.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedDuty {
    /// The task as it last stood with this group.
    pub task: Task,
    /// The group.
    pub group: Group,
}

/// A person's part in a task that changed hands in a re-import.
#[derive(Debug, Clone, PartialEq)]
pub struct Handover {
    /// The [`PlanBook::version`] that changed it.
    pub version: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub person: PersonId,
    /// Whether it came or went.
    pub hand: Hand,
    /// The task.
    pub task: TaskNo,
    /// The group, by number.
    pub group: u8,
}

/// Which way a duty went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hand {
    /// It is this person's now.
    Taken,
    /// It was this person's.
    Given,
}

impl Hand {
    /// The name used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Given => "given",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Taken, Self::Given]
            .into_iter()
            .find(|hand| hand.as_str() == name)
    }
}

/// Why an obligation is no longer wanted; what was said on it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedWhy {
    /// The task is not in the revised table.
    TaskRemoved,
    /// The task is no longer this group's.
    GroupRemoved,
    /// Nothing of it runs in this quarter any more.
    Rescheduled,
}

impl ClosedWhy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TaskRemoved, Self::GroupRemoved, Self::Rescheduled];

    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskRemoved => "task_removed",
            Self::GroupRemoved => "group_removed",
            Self::Rescheduled => "rescheduled",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::TaskRemoved => "修订后的分解表中已没有这项任务",
            Self::GroupRemoved => "修订后这项任务已不由该单位负责",
            Self::Rescheduled => "修订后这项任务本季度没有节点",
        }
    }
}

/// What is known of one 应报事项. There may be a million: what few of them have is kept apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Obligation {
    /// Every report, in order; the last one counts.
    pub reports: Vec<Received>,
    /// The word on the last report, and when it was given.
    pub review: Option<Box<(DateTime<Utc>, Review)>>,
    /// The last message that reached one of its owners.
    pub last_reminded: Option<(DateTime<Utc>, Occasion)>,
    /// Who was told of it beside the owners, and whether they were told that it is settled.
    pub copied: BTreeMap<PersonId, bool>,
    /// The last fact about it that somebody made, a report or a word on it, and when; messages
    /// do not count.
    pub touched: Option<(Position, DateTime<Utc>)>,
    /// Who has said last that they have seen it (已知悉), and when.
    pub acknowledged: Option<Box<(DateTime<Utc>, PersonId)>>,
    /// Since when and why it is no longer wanted.
    pub closed: Option<(DateTime<Utc>, ClosedWhy)>,
    /// Every file ever brought, in order, with those taken away again.
    pub evidence: Vec<Filed>,
    /// 延期: asked for, granted or refused.
    pub extension: Option<Box<Extension>>,
    /// 不是我: an owner says whose it is.
    pub not_mine: Option<Box<NotMine>>,
}

/// 汇总: a lead unit's words on a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// When they were written last.
    pub at: DateTime<Utc>,
    /// By whom.
    pub person: PersonId,
    /// The words.
    pub text: String,
}

/// A mail that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownMail {
    /// When.
    pub at: DateTime<Utc>,
    /// The mail and what came of it.
    pub mail: TakenMail,
    /// When a coordinator has dealt with what was not understood.
    pub settled: Option<DateTime<Utc>>,
}

/// What the platform said when it was asked for somebody's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account; none where it knows nobody.
    pub user: Option<String>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
}

/// A card that can be changed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The platform's code for it.
    pub code: String,
    /// When the card was sent, or tapped last.
    pub sent_at: DateTime<Utc>,
    /// A button was tapped, and the card has not been changed since.
    pub tapped: bool,
}

/// Place in the queue: channel, time, position of the fact that queued it.
pub type QueueKey = (ChannelKind, DateTime<Utc>, Position);

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// As decided.
    pub message: Message,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// The fact that queued it.
    pub queued_in: Position,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts begun, over all channels.
    pub attempts: u32,
    /// Index into the route of the channel in use.
    pub leg: u8,
    /// Attempts begun on that channel.
    pub tries_on_leg: u32,
    /// How many of them ended in doubt, by the peer's silence or by a crash of ours.
    pub doubts_on_leg: u32,
    /// When the first of those began.
    pub doubtful_since: Option<DateTime<Utc>>,
    /// The last failure or doubt.
    pub last_trouble: Option<Trouble>,
}

/// A failed or doubtful attempt, as the board shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// When.
    pub at: DateTime<Utc>,
    /// Over which channel.
    pub channel: ChannelKind,
    /// The class; none where the outcome is unknown.
    pub reason: Option<FailReason>,
    /// The words.
    pub detail: String,
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryState {
    /// In the queue.
    Waiting {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Intent written, outcome not: being sent, or in doubt after a crash.
    Sending {
        /// Since when.
        since: DateTime<Utc>,
        /// Over which channel.
        channel: ChannelKind,
        /// What it speaks of.
        items: Vec<ObligationKey>,
    },
    /// The peer has it.
    Sent {
        /// Since when.
        at: DateTime<Utc>,
        /// Over which channel.
        channel: ChannelKind,
        /// What it spoke of.
        items: Vec<ObligationKey>,
    },
    /// In doubt, and not to be repeated without a person's word.
    Held {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Given up: a dead letter.
    Dead {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Told by telephone instead.
    Handled {
        /// When.
        at: DateTime<Utc>,
    },
    /// No longer wanted.
    Withdrawn {
        /// Since when.
        at: DateTime<Utc>,
        /// Why.
        why: WithdrawWhy,
    },
}

impl DeliveryState {
    /// Whether it goes no further until a person says so.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        matches!(self, Self::Dead { .. } | Self::Held { .. })
    }

    /// The name used in JSON and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Sending { .. } => "in_doubt",
            Self::Sent { .. } => "sent",
            Self::Held { .. } => "held",
            Self::Dead { .. } => "dead",
            Self::Handled { .. } => "handled",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// What the store keeps beside the facts, changed in the same transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A milestone with its deadline, new or changed.
    MilestoneSet {
        /// The plan.
        plan: PlanId,
        /// The task.
        task: TaskNo,
        /// Its index among the task's milestones.
        index: u16,
        /// The milestone.
        milestone: Milestone,
        /// When it is due by the working-day rules; none before deadlines were first set.
        deadline: Option<DateTime<Utc>>,
    },
    /// The milestone is gone.
    MilestoneRemoved {
        /// The plan.
        plan: PlanId,
        /// The task.
        task: TaskNo,
        /// Its index.
        index: u16,
    },
    /// A message waits.
    QueueAdded {
        /// Where.
        at: QueueKey,
        /// Which.
        key: MessageKey,
    },
    /// It no longer waits there.
    QueueRemoved {
        /// Where.
        at: QueueKey,
    },
}
