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
    /// In doubt and held: a person or the next stage speaks. At once for robots, which cannot
    /// recognise a repetition; for mail after [`MOST_DOUBTS`] such tries.
    Held,
}

/// What is done about a message that may or may not have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is sent again: better twice than not at all.
    Retry,
    /// It waits for a person: better a question than twice.
    Hold,
}

/// The rule of each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubts {
    /// A repeated mail collapses under its Message-ID.
    pub email: Doubt,
    /// A group chat shows everything twice.
    pub robot: Doubt,
    /// The platform's check for duplicates covers a few hours only.
    pub app: Doubt,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            email: Doubt::Retry,
            robot: Doubt::Hold,
            app: Doubt::Hold,
        }
    }
}

impl Doubts {
    fn of(&self, channel: ChannelKind) -> Doubt {
        match channel {
            ChannelKind::Email => self.email,
            ChannelKind::WecomRobot => self.robot,
            ChannelKind::WecomApp => self.app,
            // A repeated file replaces itself.
            ChannelKind::Spool => Doubt::Retry,
        }
    }
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
    /// What is done about doubts.
    pub doubts: Doubts,
}

impl Default for RetryPlan {
    fn default() -> Self {
        let minutes = [5, 15, 45, 120, 360, 720];
        Self {
            waits: minutes.into_iter().map(TimeDelta::minutes).collect(),
            give_up_after: TimeDelta::days(3),
            jitter_percent: 20,
            doubts: Doubts::default(),
        }
    }
}

/// One attempt, for the verdict on it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Tries on this leg so far, this one counted: 1 is the first.
    pub nth_on_leg: u32,
    /// How many of the earlier ones ended in doubt.
    pub doubts_on_leg: u32,
    /// Index of the channel in the route.
    pub leg: u8,
    /// Length of the route.
    pub legs: u8,
    /// Which channel.
    pub channel: ChannelKind,
    /// When the message was first due.
    pub due: DateTime<Utc>,
    /// When the word is wanted by: another channel is better than a later try.
    pub wanted_by: Option<DateTime<Utc>>,
    /// Now.
    pub now: DateTime<Utc>,
    /// A number in 0..=10_000, from outside: where in the jitter the wait falls.
    pub dice: u16,
}

/// Tries ending in doubt after which a message is not repeated by itself: a server that takes each copy and
/// never says so must not fill a mailbox.
pub const MOST_DOUBTS: u32 = 3;

/// Decides what follows an attempt.
#[must_use]
pub fn verdict(outcome: &SendOutcome, attempt: Attempt, plan: &RetryPlan) -> Verdict {
    match outcome {
        SendOutcome::Sent { .. } => Verdict::Done,
        SendOutcome::InDoubt { .. } => match plan.doubts.of(attempt.channel) {
            _ if attempt.doubts_on_leg + 1 >= MOST_DOUBTS => Verdict::Held,
            Doubt::Hold if remembers(attempt.channel).is_none() => Verdict::Held,
            Doubt::Hold | Doubt::Retry => again(attempt, plan, None),
        },
        SendOutcome::Failed(failure) => match failure.next {
            // A full mailbox is cured by its owner, who has to hear of it another way.
            Next::Again { after } if failure.reason == FailReason::MailboxFull => {
                next_leg(attempt).unwrap_or_else(|| again(attempt, plan, after))
            }
            Next::Again { after } => again(attempt, plan, after),
            Next::NextChannel => next_leg(attempt).unwrap_or(Verdict::Dead),
            // The channel is at fault, not the message: without another one it waits.
            Next::StopChannel { pause } => {
                next_leg(attempt).unwrap_or_else(|| again(attempt, plan, Some(pause)))
            }
        },
    }
}

/// Decides about a message whose attempt a crash cut off: the doubt is ours, so what may be repeated
/// is repeated at once. A mail however often, since the copies collapse; into a group not without
/// end; over the application, whatever the office says, while the peer knows it again. `first` is
/// when the first try that may have arrived began; `earlier` are the doubts before this one.
#[must_use]
pub fn after_crash(
    channel: ChannelKind,
    leg: u8,
    (first, earlier): (DateTime<Utc>, u32),
    doubts: &Doubts,
    now: DateTime<Utc>,
) -> Verdict {
    let collapses = matches!(channel, ChannelKind::Email | ChannelKind::Spool);
    let retry = doubts.of(channel) == Doubt::Retry && (collapses || earlier + 1 < MOST_DOUBTS);
    if retry || is_remembered(channel, first, now) {
        Verdict::Again { at: now, leg }
    } else {
        Verdict::Held
    }
}

/// The moment as of which a try speaks. A peer that knows a request again by its bytes gets, while
/// it remembers, the very words of the first try that may have arrived.
#[must_use]
pub fn speaks_at(
    channel: ChannelKind,
    begun: DateTime<Utc>,
    first_doubtful: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    first_doubtful
        .filter(|first| is_remembered(channel, *first, begun))
        .unwrap_or(begun)
}

/// For how long the peer delivers the same bytes only once, where it does.
#[must_use]
pub fn remembers(channel: ChannelKind) -> Option<TimeDelta> {
    match channel {
        // The most that the application can ask for.
        ChannelKind::WecomApp => Some(TimeDelta::hours(4)),
        ChannelKind::Email | ChannelKind::Spool | ChannelKind::WecomRobot => None,
    }
}

fn is_remembered(channel: ChannelKind, first: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let span = remembers(channel);
    span.is_some_and(|span| first <= now && now - first < span)
}

fn again(attempt: Attempt, plan: &RetryPlan, least: Option<TimeDelta>) -> Verdict {
    let nth = usize::try_from(attempt.nth_on_leg).unwrap_or(usize::MAX);
    let wait = plan
        .waits
        .get(nth.saturating_sub(1))
        .or(plan.waits.last())
        .copied()
        .unwrap_or(TimeDelta::minutes(5));
    let wait = jittered(wait, plan.jitter_percent, attempt.dice);
    let at = attempt.now + least.map_or(wait, |least| least.max(wait));
    let stay = Verdict::Again {
        at,
        leg: attempt.leg,
    };
    // A message held back over a long holiday is old at its first try: age alone is no reason.
    if at > attempt.due + plan.give_up_after && nth >= plan.waits.len() {
        next_leg(attempt).unwrap_or(Verdict::Dead)
    } else if attempt.wanted_by.is_some_and(|by| at > by) {
        next_leg(attempt).unwrap_or(stay)
    } else {
        stay
    }
}

fn next_leg(attempt: Attempt) -> Option<Verdict> {
    (attempt.leg + 1 < attempt.legs).then_some(Verdict::Again {
        at: attempt.now,
        leg: attempt.leg + 1,
    })
}

fn jittered(wait: TimeDelta, percent: u8, dice: u16) -> TimeDelta {
    let span = wait.num_milliseconds() * i64::from(percent) / 100;
    let offset = 2 * span * i64::from(dice.min(10_000)) / 10_000 - span;
    wait + TimeDelta::milliseconds(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(channel: ChannelKind, nth_on_leg: u32, legs: u8) -> Attempt {
        let now = DateTime::from_timestamp(1_648_000_000, 0).unwrap();
        Attempt {
            nth_on_leg,
            doubts_on_leg: 0,
            leg: 0,
            legs,
            channel,
            due: now,
            wanted_by: None,
            now,
            dice: 5_000,
        }
    }

    fn failed(next: Next) -> SendOutcome {
        SendOutcome::Failed(Failure {
            reason: FailReason::TryLater,
            detail: String::new(),
            next,
        })
    }

    fn wait(verdict: &Verdict, attempt: Attempt) -> i64 {
        match verdict {
            Verdict::Again { at, .. } => (*at - attempt.now).num_minutes(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn retries_follow_the_schedule_and_end() {
        let plan = RetryPlan::default();
        let later = failed(Next::Again { after: None });
        let waits: Vec<i64> = (1..=7)
            .map(|nth| attempt(ChannelKind::Email, nth, 1))
            .map(|attempt| wait(&verdict(&later, attempt, &plan), attempt))
            .collect();
        assert_eq!(waits, [5, 15, 45, 120, 360, 720, 720]);

        let mut last = attempt(ChannelKind::Email, 9, 1);
        last.now = last.due + TimeDelta::hours(70);
        assert_eq!(verdict(&later, last, &plan), Verdict::Dead);
        last.legs = 2;
        let other = Verdict::Again {
            at: last.now,
            leg: 1,
        };
        assert_eq!(verdict(&later, last, &plan), other);
    }

    #[test]
    fn a_message_old_at_its_first_try_is_not_given_up_at_once() {
        let mut first = attempt(ChannelKind::Email, 1, 1);
        first.now = first.due + TimeDelta::days(8);
        let later = failed(Next::Again { after: None });
        assert_eq!(
            wait(&verdict(&later, first, &RetryPlan::default()), first),
            5
        );
    }

    #[test]
    fn the_dice_stay_within_the_jitter_and_the_peers_wait_is_kept() {
        let plan = RetryPlan::default();
        for (dice, seconds) in [(0, 240), (10_000, 360), (u16::MAX, 360)] {
            let mut thrown = attempt(ChannelKind::Email, 1, 1);
            thrown.dice = dice;
            let Verdict::Again { at, .. } =
                verdict(&failed(Next::Again { after: None }), thrown, &plan)
            else {
                panic!()
            };
            assert_eq!((at - thrown.now).num_seconds(), seconds);
        }
        let named = failed(Next::Again {
            after: Some(TimeDelta::minutes(30)),
        });
        let first = attempt(ChannelKind::Email, 1, 1);
        assert_eq!(wait(&verdict(&named, first, &plan), first), 30);
    }

    #[test]
    fn a_stopped_channel_kills_no_message() {
        let plan = RetryPlan::default();
        let stop = failed(Next::StopChannel {
            pause: TimeDelta::hours(1),
        });
        let only = attempt(ChannelKind::Email, 1, 1);
        assert_eq!(wait(&verdict(&stop, only, &plan), only), 60);
        let two = attempt(ChannelKind::Email, 1, 2);
        assert!(matches!(
            verdict(&stop, two, &plan),
            Verdict::Again { leg: 1, .. }
        ));
        let bad = failed(Next::NextChannel);
        assert_eq!(verdict(&bad, only, &plan), Verdict::Dead);
    }

    #[test]
    fn before_the_deadline_another_channel_is_better_than_a_late_try() {
        let plan = RetryPlan::default();
        let later = failed(Next::Again { after: None });
        let mut close = attempt(ChannelKind::Email, 1, 2);
        close.wanted_by = Some(close.now + TimeDelta::minutes(3));
        assert!(matches!(
            verdict(&later, close, &plan),
            Verdict::Again { leg: 1, .. }
        ));
        close.legs = 1;
        assert_eq!(wait(&verdict(&later, close, &plan), close), 5);
    }

    #[test]
    fn doubt_is_repeated_for_mail_within_a_limit_and_held_for_robots() {
        let plan = RetryPlan::default();
        let doubt = SendOutcome::InDoubt {
            detail: String::new(),
        };
        let mail = attempt(ChannelKind::Email, 1, 1);
        assert_eq!(wait(&verdict(&doubt, mail, &plan), mail), 5);
        let mut mail = attempt(ChannelKind::Email, MOST_DOUBTS + 4, 1);
        let again = verdict(&doubt, mail, &plan);
        assert!(
            matches!(again, Verdict::Again { .. }),
            "refusals are no doubts"
        );
        mail.doubts_on_leg = MOST_DOUBTS - 1;
        assert_eq!(verdict(&doubt, mail, &plan), Verdict::Held);
        let app = attempt(ChannelKind::WecomApp, 1, 1);
        assert_eq!(wait(&verdict(&doubt, app, &plan), app), 5);
        let robot = attempt(ChannelKind::WecomRobot, 1, 2);
        assert_eq!(verdict(&doubt, robot, &plan), Verdict::Held);
        let crashed = |channel, earlier, doubts: &Doubts| {
            after_crash(channel, 1, (mail.now, earlier), doubts, mail.now)
        };
        let at_once = Verdict::Again {
            at: mail.now,
            leg: 1,
        };
        let usual = plan.doubts;
        assert_eq!(crashed(ChannelKind::WecomRobot, 0, &usual), Verdict::Held);
        assert_eq!(crashed(ChannelKind::Email, 9, &usual), at_once);

        let other = Doubts {
            email: Doubt::Hold,
            robot: Doubt::Retry,
            app: Doubt::Retry,
        };
        assert_eq!(crashed(ChannelKind::WecomRobot, 0, &other), at_once);
        assert_eq!(crashed(ChannelKind::WecomRobot, 2, &other), Verdict::Held);
        assert_eq!(crashed(ChannelKind::Email, 0, &other), Verdict::Held);
        let plan = RetryPlan {
            doubts: other,
            ..plan
        };
        assert_eq!(wait(&verdict(&doubt, robot, &plan), robot), 5);
        mail.doubts_on_leg = 0;
        assert_eq!(verdict(&doubt, mail, &plan), Verdict::Held);
    }

    #[test]
    fn a_doubt_is_repeated_word_for_word_while_the_peer_remembers() {
        let app = ChannelKind::WecomApp;
        let first = DateTime::from_timestamp(1_648_000_000, 0).unwrap();
        let later = first + TimeDelta::minutes(239);
        let too_late = first + TimeDelta::minutes(240);
        assert_eq!(speaks_at(app, later, Some(first)), first);
        assert_eq!(speaks_at(app, too_late, Some(first)), too_late);
        assert_eq!(speaks_at(app, later, None), later);
        // A clock set back knows nothing of what the peer remembers.
        assert_eq!(speaks_at(app, first, Some(later)), first);
        assert_eq!(speaks_at(ChannelKind::Email, later, Some(first)), later);
        let again = Verdict::Again { at: later, leg: 0 };
        let crashed = |first, now| {
            let hold = Doubts {
                app: Doubt::Hold,
                ..Doubts::default()
            };
            after_crash(app, 0, (first, 5), &hold, now)
        };
        assert_eq!(crashed(first, later), again);
        assert_eq!(crashed(first, too_late), Verdict::Held);
    }
}
