//! One channel with its pace and its rests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::pack::Measured;
use crate::channel::pace::Pace;
use crate::channel::{Attempted, Channel, Sending, Serves};
use crate::domain::book::{Book, Delivery};
use crate::domain::brief::Brief;
use crate::domain::delivery::{FailReason, Next, SendOutcome};
use crate::domain::people::ChannelKind;

pub(super) struct Lane {
    pub(super) channel: Arc<dyn Channel>,
    /// Stands for a channel that is not configured, or a unit no robot is there for.
    pub(super) missing: bool,
    /// The only one of its kind: every message of the kind is its.
    alone: bool,
    pub(super) wake: Notify,
    /// What was measured for sharing calls.
    pub(super) measured: Measured,
    /// Whether nothing is known of its peer from before.
    pub(super) is_new: bool,
    gate: Mutex<Gate>,
    /// Shared with the lane before and after it, as long as the peer is the same.
    pace: Arc<Mutex<Pace>>,
    counts: Arc<Counts>,
}

/// How many messages, since the start.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    failed: AtomicU64,
}

#[derive(Default)]
struct Gate {
    rest: Option<Rest>,
    /// Rests since the channel last worked.
    streak: u32,
    /// After a rest, and after a long silence, one goes first; the others wait for what becomes of
    /// it. A password that has become wrong meanwhile costs one login, not one a session.
    probing: bool,
    /// When the peer last answered as one that works.
    worked: Option<DateTime<Utc>>,
    /// Since when it has not: out of reach, silent, unreadable, or stopped.
    down: Option<DateTime<Utc>>,
    in_hand: usize,
}

/// A channel that sends nothing for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: FailReason,
    /// The peer's words, masked.
    pub detail: String,
    /// Whether a person has to mend something: what has another way goes that way.
    pub stopped: bool,
}

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStatus {
    /// Which way out.
    pub kind: ChannelKind,
    /// Its name.
    pub name: String,
    /// Messages under way.
    pub in_hand: usize,
    /// Messages the peer has taken since the start.
    pub sent: u64,
    /// Attempts that failed or are in doubt since the start.
    pub failed: u64,
    /// Since when it has not worked.
    pub down: Option<DateTime<Utc>>,
    /// The rest it is in. One for something a person has to mend lasts until the channel works
    /// again: at night, when nobody looks whether it does, it is still the last that is known.
    pub rest: Option<Rest>,
}

/// Leave to send one message.
#[derive(Debug)]
pub(super) struct Pass {
    probe: bool,
}

/// A channel that has been out of reach for so long counts as dead: what has another way goes that
/// way, and the operator is told.
pub const DEAD_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Sessions idle for so long are closed: the next one signs in anew, and alone.
const QUIET: TimeDelta = TimeDelta::minutes(1);

/// The longest a rest grows to, unless the channel itself asks for more.
const LONGEST_REST: TimeDelta = TimeDelta::hours(24);

/// A lane for each channel, and one for each kind of message that nobody may be there for.
/// Where one of `before` led to the same peer, what is known of that goes over.
pub(super) fn lanes(channels: Vec<Arc<dyn Channel>>, before: &[Arc<Lane>]) -> Vec<Arc<Lane>> {
    let everyones = |kind| {
        let mut of_kind = channels.iter().filter(|channel| channel.kind() == kind);
        of_kind.any(|channel| channel.serves("") == Serves::Everyone)
    };
    let missing: Vec<Lane> = ChannelKind::ALL
        .into_iter()
        .filter(|kind| !everyones(*kind))
        .map(|kind| Lane::new(Arc::new(Missing(kind)), true, before))
        .collect();
    let mut lanes: Vec<Lane> = channels
        .into_iter()
        .map(|channel| Lane::new(channel, false, before))
        .chain(missing)
        .collect();
    let kinds: Vec<ChannelKind> = lanes.iter().map(|lane| lane.channel.kind()).collect();
    for lane in &mut lanes {
        let kind = lane.channel.kind();
        lane.alone = kinds.iter().filter(|other| **other == kind).count() == 1;
    }
    lanes.into_iter().map(Arc::new).collect()
}

/// Whether this waiting message is the lane's at `index`.
pub(super) fn belongs(lanes: &[Arc<Lane>], book: &Book, delivery: &Delivery, index: usize) -> bool {
    let Some(lane) = lanes.get(index) else {
        return false;
    };
    if lane.alone {
        return true;
    }
    let person = book.people.get(&delivery.message.key.person);
    let unit = person.map_or("", |person| person.unit.as_str());
    let kind = lane.channel.kind();
    let serving = |wanted: Serves| {
        lanes.iter().position(|lane| {
            lane.channel.kind() == kind && !lane.missing && lane.channel.serves(unit) == wanted
        })
    };
    match serving(Serves::ThisUnit).or_else(|| serving(Serves::Everyone)) {
        Some(best) => best == index,
        None => lane.missing,
    }
}

impl Lane {
    fn new(channel: Arc<dyn Channel>, missing: bool, before: &[Arc<Self>]) -> Self {
        let kind = channel.kind();
        let same = |lane: &&Arc<Self>| lane.channel.kind() == kind;
        let mut before = before.iter().filter(same);
        let known = before.find(|lane| lane.channel.peer() == channel.peer());
        let pace = known.map(|lane| Arc::clone(&lane.pace));
        let pace = pace.unwrap_or_else(|| Arc::new(Mutex::new(channel.pace())));
        lock(&pace).adopt(channel.pace());
        Self {
            is_new: known.is_none(),
            gate: Mutex::new(
                known
                    .map(|lane| lane.gate().succeeded())
                    .unwrap_or_default(),
            ),
            pace,
            counts: known
                .map(|lane| Arc::clone(&lane.counts))
                .unwrap_or_default(),
            channel,
            missing,
            alone: false,
            wake: Notify::new(),
            measured: Measured::default(),
        }
    }

    /// The first moment from `now` on at which pace and rests allow one more; none while it hangs
    /// on a probe under way.
    pub(super) fn available_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let gate = self.gate();
        let rested = gate.rest.as_ref().map_or(now, |rest| rest.until.max(now));
        (!gate.probing).then(|| lock(&self.pace).ready_at(rested))
    }

    /// Leave to send one message now, if there is any.
    pub(super) fn enter(&self, now: DateTime<Utc>) -> Option<Pass> {
        let mut gate = self.gate();
        let rests = gate.rest.as_ref().is_some_and(|rest| rest.until > now);
        let mut pace = lock(&self.pace);
        if rests || gate.probing || pace.ready_at(now) > now {
            return None;
        }
        pace.begin(now);
        let unproved = gate.worked.is_none_or(|at| now - at > QUIET);
        gate.probing = gate.streak > 0 || (unproved && gate.in_hand == 0);
        gate.in_hand += 1;
        Some(Pass {
            probe: gate.probing,
        })
    }

    /// There was nothing to send.
    pub(super) fn give_back(&self, pass: &Pass) {
        let mut gate = self.gate();
        lock(&self.pace).cancel();
        gate.in_hand = gate.in_hand.saturating_sub(1);
        if pass.probe {
            gate.probing = false;
        }
    }

    /// What came of it, for so many messages.
    pub(super) fn done(
        &self,
        pass: &Pass,
        attempted: &Attempted,
        messages: usize,
        now: DateTime<Utc>,
    ) {
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        match attempted.outcome {
            SendOutcome::Sent { .. } => self.counts.sent.fetch_add(messages, Ordering::Relaxed),
            _ => self.counts.failed.fetch_add(messages, Ordering::Relaxed),
        };
        let mut gate = self.gate();
        lock(&self.pace).answered(now);
        gate.in_hand = gate.in_hand.saturating_sub(1);
        if pass.probe {
            gate.probing = false;
        }
        match attempted.rest {
            Some(rest) => gate.rest(rest, &attempted.outcome, now),
            // An answer about the message itself shows that the channel works; while it rests, only
            // that an older session still does.
            None if gate.rest.as_ref().is_none_or(|rest| rest.until <= now) => {
                gate.streak = 0;
                gate.rest = None;
                gate.down = None;
                gate.worked = Some(now);
            }
            None => {}
        }
    }

    /// Counts a message sent before the start, so that a restart does not break the pace.
    pub(super) fn recall(&self, at: DateTime<Utc>) {
        lock(&self.pace).begin(at);
    }

    /// The rest it is in, where what waits should not wait for its end: a person has to mend
    /// something, or it has been out of reach for long.
    pub(super) fn dead(&self, now: DateTime<Utc>) -> Option<Rest> {
        let gate = self.gate();
        let rest = gate.rest.clone()?;
        let long_down = gate.down.is_some_and(|since| now - since >= DEAD_AFTER);
        ((rest.stopped || long_down) && rest.until > now).then_some(rest)
    }

    /// The wall clock was set by so much while nothing else happened.
    pub(super) fn clock_set(&self, by: TimeDelta) {
        let mut gate = self.gate();
        lock(&self.pace).shift(by);
        if let Some(rest) = &mut gate.rest {
            rest.until += by;
        }
        gate.worked = gate.worked.map(|at| at + by);
        gate.down = gate.down.map(|at| at + by);
    }

    pub(super) fn status(&self, now: DateTime<Utc>) -> LaneStatus {
        let gate = self.gate();
        LaneStatus {
            kind: self.channel.kind(),
            name: self.channel.name().to_owned(),
            in_hand: gate.in_hand,
            sent: self.counts.sent.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
            down: gate.down,
            rest: gate
                .rest
                .clone()
                .filter(|rest| rest.stopped || gate.down.is_some() || rest.until > now),
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        lock(&self.gate)
    }
}

impl Gate {
    /// What the next lane to the same peer begins with. It is tried at once, and alone, since the
    /// config was read anew to mend something; until it works, it is known as what it was. Only a
    /// peer that asked for a pause is given it.
    fn succeeded(&self) -> Self {
        let asked_for = |rest: &Rest| rest.reason == FailReason::RateLimited && !rest.stopped;
        let rest = self.rest.clone().map(|rest| match asked_for(&rest) {
            true => rest,
            false => Rest {
                until: DateTime::<Utc>::MIN_UTC,
                ..rest
            },
        });
        Self {
            rest,
            down: self.down,
            ..Self::default()
        }
    }

    /// Each rest in a row is twice as long, up to eight times the first.
    fn rest(&mut self, least: TimeDelta, outcome: &SendOutcome, now: DateTime<Utc>) {
        let resting = self.rest.as_ref().is_some_and(|rest| rest.until > now);
        // Sessions that fail together are one trouble, not many.
        if !resting {
            self.streak += 1;
        }
        let times = 1 << self.streak.saturating_sub(1).min(3);
        let length = (least * times).min(LONGEST_REST.max(least));
        let earlier = self.rest.as_ref().map_or(now, |rest| rest.until);
        let (reason, detail, stopped) = match outcome {
            SendOutcome::Failed(failure) => (
                failure.reason,
                failure.detail.clone(),
                matches!(failure.next, Next::StopChannel { .. }),
            ),
            SendOutcome::InDoubt { detail } => (FailReason::Timeout, detail.clone(), false),
            SendOutcome::Sent { .. } => (FailReason::RateLimited, String::new(), false),
        };
        let down = stopped
            || matches!(
                reason,
                FailReason::Unreachable | FailReason::Timeout | FailReason::UnreadableAnswer
            );
        if down {
            self.down.get_or_insert(now);
        }
        self.rest = Some(Rest {
            until: earlier.max(now + length),
            reason,
            detail,
            stopped,
        });
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says of every message that there is no such way.
struct Missing(ChannelKind);

impl Channel for Missing {
    fn kind(&self) -> ChannelKind {
        self.0
    }

    fn name(&self) -> &str {
        "none"
    }

    fn send<'a>(&'a self, _: &'a Brief, _: u32) -> Sending<'a> {
        Box::pin(async {
            let detail = format!("系统尚未配置{}，或没有适用于该单位的设置", self.0.chinese());
            Attempted::failed(FailReason::NoChannel, Next::NextChannel, &detail)
        })
    }
}
