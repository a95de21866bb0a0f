//! Messages to people: which, when, why, and how each one is named.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::ids::{ObligationKey, PersonId, PlanId, Quarter};
use super::people::ChannelKind;

/// The five stages of reminding, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// 预告.
    Notice,
    /// 提醒.
    Reminder,
    /// 到期.
    Due,
    /// 催办.
    Overdue,
    /// 督办.
    Escalation,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 5] = [
        Self::Notice,
        Self::Reminder,
        Self::Due,
        Self::Overdue,
        Self::Escalation,
    ];

    /// The name used in JSON, config and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Reminder => "reminder",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Escalation => "escalation",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Notice => "预告",
            Self::Reminder => "提醒",
            Self::Due => "到期",
            Self::Overdue => "催办",
            Self::Escalation => "督办",
        }
    }
}

/// What a message is about; with plan, quarter and person it names the message for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Occasion {
    /// A stage of reminding.
    Stage(Stage),
    /// The same of what was put off to that day.
    PutOff(Stage, NaiveDate),
    /// The coordinators' digest of that day.
    Digest(NaiveDate),
    /// Told on that day that what they were copied in on is settled.
    Settled(NaiveDate),
    /// A coordinator's explicit 催办: the how-manieth for this person and quarter.
    Urge(u32),
    /// A test of one of the person's addresses: the how-manieth.
    Test(u32),
    /// The program tells the operator what is wrong with itself: the how-manieth time.
    Alarm(u32),
    /// Told that tasks are theirs since that version of the plan.
    TakenOver(u32),
    /// Thanked for tasks that are no longer theirs since that version of the plan.
    HandedOver(u32),
    /// Told what was understood of the how-manieth mail that was answered.
    Receipt(u32),
    /// Told that reports were returned: the how-manieth time for this person.
    Returned(u32),
    /// Told the word on what they asked: the how-manieth time for this person.
    Decided(u32),
    /// Told what they are to fill in for somebody: the how-manieth time for this person.
    Entrusted(u32),
}

impl Occasion {
    /// `notice`, `digest`, `settled`, `urge`, `taken_over` …: the kind, for JSON and lists.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Stage(stage) | Self::PutOff(stage, _) => stage.as_str(),
            Self::Digest(_) => "digest",
            Self::Settled(_) => "settled",
            Self::Urge(_) => "urge",
            Self::Test(_) => "test",
            Self::Alarm(_) => "alarm",
            Self::TakenOver(_) => "taken_over",
            Self::HandedOver(_) => "handed_over",
            Self::Receipt(_) => "receipt",
            Self::Returned(_) => "returned",
            Self::Decided(_) => "decided",
            Self::Entrusted(_) => "entrusted",
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Stage(stage) | Self::PutOff(stage, _) => stage.chinese(),
            Self::Digest(_) => "每日汇总",
            Self::Settled(_) => "办结告知",
            Self::Urge(_) => "人工催办",
            Self::Test(_) => "测试消息",
            Self::Alarm(_) => "运行告警",
            Self::TakenOver(_) => "任务交接",
            Self::HandedOver(_) => "交接致谢",
            Self::Receipt(_) => "回复确认",
            Self::Returned(_) => "退回",
            Self::Decided(_) => "申请答复",
            Self::Entrusted(_) => "代为报送",
        }
    }

    /// The stage of reminding, if it is one.
    #[must_use]
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Stage(stage) | Self::PutOff(stage, _) => Some(stage),
            _ => None,
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(stage) => f.write_str(stage.as_str()),
            Self::PutOff(stage, day) => write!(f, "{}-{day}", stage.as_str()),
            Self::Digest(day) => write!(f, "digest-{day}"),
            Self::Settled(day) => write!(f, "settled-{day}"),
            Self::Urge(nth) => write!(f, "urge-{nth}"),
            Self::Test(nth) => write!(f, "test-{nth}"),
            Self::Alarm(nth) => write!(f, "alarm-{nth}"),
            Self::TakenOver(version) => write!(f, "taken_over-{version}"),
            Self::HandedOver(version) => write!(f, "handed_over-{version}"),
            Self::Receipt(nth) => write!(f, "receipt-{nth}"),
            Self::Returned(nth) => write!(f, "returned-{nth}"),
            Self::Decided(nth) => write!(f, "decided-{nth}"),
            Self::Entrusted(nth) => write!(f, "entrusted-{nth}"),
        }
    }
}

/// The one name of a message: queueing a known key does nothing. The channel is not in it: the
/// next channel is a further attempt at the same message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey {
    /// The plan.
    pub plan: PlanId,
    /// The quarter.
    pub quarter: Quarter,
    /// What it is about.
    pub occasion: Occasion,
    /// To whom.
    pub person: PersonId,
}

impl MessageKey {
    /// What it belongs to, with all others to the same person about the same quarter.
    #[must_use]
    pub fn thread(&self) -> Thread {
        Thread {
            plan: self.plan.clone(),
            quarter: self.quarter,
            person: self.person.clone(),
        }
    }
}

/// An owner's quarter: what their reminders speak of, their page shows and their answers are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thread {
    /// The plan.
    pub plan: PlanId,
    /// The quarter.
    pub quarter: Quarter,
    /// The owner.
    pub person: PersonId,
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.plan, self.quarter, self.occasion, self.person
        )
    }
}

/// Why a message was queued; the board and `simulate` show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// First word of the quarter: `first_notice`.
    FirstNotice,
    /// Groups of this owner have not reported yet: `not_reported`.
    NotReported,
    /// The deadline is today: `due_today`.
    DueToday,
    /// The deadline has passed: `overdue`.
    Overdue,
    /// Long overdue: `escalated`.
    Escalated,
    /// Copied in on others' overdue items: `copied_in`.
    CopiedIn,
    /// A coordinator's daily overview: `daily_digest`.
    DailyDigest,
    /// What was copied in is settled: `settled`.
    Settled,
    /// A coordinator asked for it: `urged`.
    Urged,
    /// Somebody wants to know whether an address works: `tested`.
    Tested,
    /// Something is wrong with the program or its ways out: `alarmed`.
    Alarmed,
    /// Tasks are theirs by a revised plan: `taken_over`.
    TakenOver,
    /// Tasks are no longer theirs by a revised plan: `handed_over`.
    HandedOver,
    /// They have answered by mail: `answered`.
    Answered,
    /// A coordinator returned a report: `returned`.
    Returned,
    /// A coordinator decided on what they asked: `decided`.
    Decided,
    /// They fill in for somebody: `entrusted`.
    Entrusted,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::FirstNotice,
        Self::NotReported,
        Self::DueToday,
        Self::Overdue,
        Self::Escalated,
        Self::CopiedIn,
        Self::DailyDigest,
        Self::Settled,
        Self::Urged,
        Self::Tested,
        Self::Alarmed,
        Self::TakenOver,
        Self::HandedOver,
        Self::Answered,
        Self::Returned,
        Self::Decided,
        Self::Entrusted,
    ];

    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstNotice => "first_notice",
            Self::NotReported => "not_reported",
            Self::DueToday => "due_today",
            Self::Overdue => "overdue",
            Self::Escalated => "escalated",
            Self::CopiedIn => "copied_in",
            Self::DailyDigest => "daily_digest",
            Self::Settled => "settled",
            Self::Urged => "urged",
            Self::Tested => "tested",
            Self::Alarmed => "alarmed",
            Self::TakenOver => "taken_over",
            Self::HandedOver => "handed_over",
            Self::Answered => "answered",
            Self::Returned => "returned",
            Self::Decided => "decided",
            Self::Entrusted => "entrusted",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// A message as decided: enough to compose it from the book at the moment it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub key: MessageKey,
    /// Why.
    pub reason: Reason,
    /// The person's own open obligations it speaks of; shrinks at sending as reports come in.
    pub items: Vec<ObligationKey>,
    /// Others' obligations the person is told of (copied in, digest, settled).
    pub about: Vec<ObligationKey>,
    /// Who is told of the same at the same stage, by a message of their own.
    pub copied: Vec<PersonId>,
    /// 补发: the stage was missed and is caught up.
    pub catch_up: bool,
    /// Ways to try, in order; never empty.
    pub route: Vec<ChannelKind>,
    /// Not to leave before.
    pub not_before: DateTime<Utc>,
    /// A coordinator's explicit word: the budget does not hold it back, and the quiet hours
    /// neither where it is to be said at once.
    pub explicit: bool,
}

impl Message {
    /// Whether it leaves at any hour. A returned report or an answer can wait for the morning,
    /// whatever the budget says.
    #[must_use]
    pub fn leaves_at_any_hour(&self) -> bool {
        let waits = matches!(
            self.key.occasion,
            Occasion::Returned(_) | Occasion::Decided(_) | Occasion::Entrusted(_)
        );
        self.explicit && !waits
    }
}
