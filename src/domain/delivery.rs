//! What became of a message: attempts, outcomes, and what is done next.

use chrono::{DateTime, TimeDelta, Utc};

use super::people::ChannelKind;

/// What a channel says of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The peer has taken it. `answer` is its word (queue id), without secrets.
    Sent {
        /// The peer's answer.
        answer: String,
    },
    /// Nothing was delivered.
    Failed(Failure),
    /// The peer may or may not have it: a time-out after the final dot, a crash between intent
    /// and outcome.
    InDoubt {
        /// What happened, in words for the board.
        detail: String,
    },
}

/// A failed attempt, and what the channel advises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class, shared by metrics and board.
    pub reason: FailReason,
    /// The peer's words or ours, masked, for people.
    pub detail: String,
    /// What to do.
    pub next: Next,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try this channel again; not before `after`, where the peer or its rules name a time.
    Again {
        /// The least wait.
        after: Option<TimeDelta>,
    },
    /// This channel is of no use for this message: the next one, or the dead letters.
    NextChannel,
    /// The channel itself is unusable until a person mends it (credentials, robot removed): stop
    /// it for `pause`, try the next channel for this message.
    StopChannel {
        /// How long the channel rests before it is probed again.
        pause: TimeDelta,
    },
}

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailReason {
    /// No connection, DNS, TLS handshake, peer closed before anything was sent: `unreachable`.
    Unreachable,
    /// The peer did not answer in time, before the message was given: `timeout`.
    Timeout,
    /// The peer asks to come again later: `try_later`.
    TryLater,
    /// Too many messages: `rate_limited`.
    RateLimited,
    /// The address is bad: `bad_address`.
    BadAddress,
    /// Mailbox full: `mailbox_full`.
    MailboxFull,
    /// Content or sender refused by policy: `rejected`.
    Rejected,
    /// Login, secret, key or robot is not valid: `credentials`.
    Credentials,
    /// Our request was wrong: `our_defect`.
    OurDefect,
    /// The peer answered what nobody can read: `unreadable_answer`.
    UnreadableAnswer,
    /// The channel is not configured or the contact has no address for it: `no_channel`.
    NoChannel,
}

impl FailReason {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unreachable,
        Self::Timeout,
        Self::TryLater,
        Self::RateLimited,
        Self::BadAddress,
        Self::MailboxFull,
        Self::Rejected,
        Self::Credentials,
        Self::OurDefect,
        Self::UnreadableAnswer,
        Self::NoChannel,
    ];

    /// The name used in JSON, metrics and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TryLater => "try_later",
            Self::RateLimited => "rate_limited",
            Self::BadAddress => "bad_address",
            Self::MailboxFull => "mailbox_full",
            Self::Rejected => "rejected",
            Self::Credentials => "credentials",
            Self::OurDefect => "our_defect",
            Self::UnreadableAnswer => "unreadable_answer",
            Self::NoChannel => "no_channel",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// What a coordinator reads.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Unreachable => "连接不上对方服务器",
            Self::Timeout => "对方服务器长时间不应答",
            Self::TryLater => "对方服务器要求稍后再试",
            Self::RateLimited => "发送过于频繁，被对方限制",
            Self::BadAddress => "地址无效",
            Self::MailboxFull => "对方邮箱已满",
            Self::Rejected => "被对方拒收",
            Self::Credentials => "账号、密码或密钥无效",
            Self::OurDefect => "消息格式不被接受",
            Self::UnreadableAnswer => "对方的应答无法识别",
            Self::NoChannel => "没有可用的联系方式",
        }
    }
}

/// What is decided after an attempt: the last word on the message, or when it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered to the peer.
    Done,
    /// Again at this time, over the channel at this index of the route.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Index into the message's route.
        leg: u8,
    },
    /// Given up: a dead letter, kept and shown.
    Dead,
    /// In doubt and held: a person or the next stage speaks. Only robots, which cannot
    /// recognise a repetition.
    Held,
}

/// How retries are spaced (mail.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPlan {
    /// Waits before the second, third … try; the last one repeats.
    pub waits: Vec<TimeDelta>,
    /// Give up this long after the message was first due.
    pub give_up_after: TimeDelta,
    /// Share of the wait that the dice may add or take, in percent.
    pub jitter_percent: u8,
}

impl Default for RetryPlan {
    fn default() -> Self {
        let minutes = [5, 15, 45, 120, 360, 720];
        Self {
            waits: minutes.into_iter().map(TimeDelta::minutes).collect(),
            give_up_after: TimeDelta::days(3),
            jitter_percent: 20,
        }
    }
}

/// One attempt, for the verdict on it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Tries on this leg so far, this one counted: 1 is the first.
    pub nth_on_leg: u32,
    /// Index of the channel in the route.
    pub leg: u8,
    /// Length of the route.
    pub legs: u8,
    /// Which channel.
    pub channel: ChannelKind,
    /// When the message was first due.
    pub due: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
    /// A number in 0..=10_000, from outside: where in the jitter the wait falls.
    pub dice: u16,
}

/// Decides what follows an attempt.
#[must_use]
pub fn verdict(outcome: &SendOutcome, attempt: Attempt, plan: &RetryPlan) -> Verdict {
    match outcome {
        SendOutcome::Sent { .. } => Verdict::Done,
        SendOutcome::InDoubt { .. } => match attempt.channel {
            // A repeated mail collapses under its Message-ID, a repeated file replaces itself.
            ChannelKind::Email | ChannelKind::Spool => again(attempt, plan, None),
            ChannelKind::WecomRobot | ChannelKind::WecomApp => Verdict::Held,
        },
        SendOutcome::Failed(failure) => match failure.next {
            Next::Again { after } => again(attempt, plan, after),
            Next::NextChannel | Next::StopChannel { .. } => next_leg(attempt),
        },
    }
}

fn again(attempt: Attempt, plan: &RetryPlan, least: Option<TimeDelta>) -> Verdict {
    let index = usize::try_from(attempt.nth_on_leg.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = plan
        .waits
        .get(index)
        .or(plan.waits.last())
        .copied()
        .unwrap_or(TimeDelta::minutes(5));
    let wait = jittered(wait, plan.jitter_percent, attempt.dice);
    let at = attempt.now + least.map_or(wait, |least| least.max(wait));
    if at > attempt.due + plan.give_up_after {
        next_leg(attempt)
    } else {
        Verdict::Again {
            at,
            leg: attempt.leg,
        }
    }
}

fn next_leg(attempt: Attempt) -> Verdict {
    if attempt.leg + 1 < attempt.legs {
        Verdict::Again {
            at: attempt.now,
            leg: attempt.leg + 1,
        }
    } else {
        Verdict::Dead
    }
}

fn jittered(wait: TimeDelta, percent: u8, dice: u16) -> TimeDelta {
    let span = wait.num_milliseconds() * i64::from(percent) / 100;
    let offset = 2 * span * i64::from(dice.min(10_000)) / 10_000 - span;
    wait + TimeDelta::milliseconds(offset)
}
