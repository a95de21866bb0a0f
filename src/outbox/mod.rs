//! Takes messages from the queue, asks once more whether they are still wanted, sends them, and
//! writes down what came of it.
//!
//! The queue is in the book. Each session's loop costs one durable step a message: the outcome of
//! one and the intent of the next go into one commit. Nothing leaves before its intent is durable;
//! an intent without an outcome after a crash is in doubt, and [`recover`] decides about it.
//!
//! A *lane* is one channel with its pace and its rests. Lanes know nothing of each other: a mail
//! server that is down delays no robot.
//!
//! It never decides whom to remind, and never words a message.
//!
//! Example: an owner reports at 09:11 while the 催办 of 09:10 still waits; the last check finds
//! nothing open, and the message is withdrawn instead of sent.

mod cards;
mod fleet;
mod lane;
mod pack;
mod pick;
mod pulse;
mod recover;
mod worker;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::book::{Book, Delivery};
use crate::domain::brief::Office;
use crate::domain::delivery::RetryPlan;
use crate::domain::fact::{Actor, DeferWhy, Fact};
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::leap::{self, Leap, Tick};
use crate::domain::message::Occasion;
use crate::domain::people::ChannelKind;
use crate::in_force::InForce;
use crate::rules::Rules;
use crate::store::{Decision, Health, Ledger};

pub use fleet::Ways;
use fleet::{Fleet, Staff};
pub use lane::{DEAD_AFTER, LaneStatus, Rest};
use pulse::Pulse;
use recover::has_to_pass_on;

/// Makes the address of a person's own page for a quarter, as of a moment: the same for the same.
pub type Links = Arc<dyn Fn(&PlanId, Quarter, &PersonId, DateTime<Utc>) -> String + Send + Sync>;

/// Makes the address of a person's calendar feed.
pub type Calendars = Arc<dyn Fn(&PersonId) -> String + Send + Sync>;

/// What the outbox goes by, beside the office's rules.
#[derive(Debug, Clone)]
pub struct Terms {
    /// How retries are spaced.
    pub retry: RetryPlan,
    /// Who asks.
    pub office: Office,
}

/// The outbox.
pub struct Outbox {
    ledger: Ledger,
    clock: Clock,
    rules: Rules,
    fleet: InForce<Fleet>,
    /// Workers between waking up and finding nothing to do.
    busy: AtomicUsize,
    /// Nothing new is taken while this is set.
    paused: AtomicBool,
    /// The last moment at which the clock was believed, and the one furthest ahead.
    believed: Mutex<Option<(Tick, Tick)>>,
    /// A commit was lost: there may be intents nobody works on.
    doubtful: AtomicBool,
    activity: Notify,
    alarm: Notify,
    patience: cards::Patience,
    pulse: Pulse,
}

/// The system's clock is asked again at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Durable steps within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(2);

impl Outbox {
    /// Puts it together; [`Self::run`] starts it.
    #[must_use]
    pub fn new(ledger: Ledger, clock: Clock, rules: Rules, ways: Ways) -> Self {
        Self {
            fleet: InForce::new(Fleet::new(ways, None)),
            ledger,
            clock,
            rules,
            busy: AtomicUsize::new(0),
            paused: AtomicBool::new(true),
            believed: Mutex::new(None),
            doubtful: AtomicBool::new(true),
            activity: Notify::new(),
            alarm: Notify::new(),
            patience: cards::Patience::default(),
            pulse: Pulse::default(),
        }
    }

    /// From now on what waits goes these ways; what is in hand is finished the way it began. What
    /// peers count, they go on counting; what a way that did not work held up is tried at once.
    pub async fn replace(&self, ways: Ways) {
        let fleet = Fleet::new(ways, Some(&self.fleet.now()));
        self.recall_pace(&fleet);
        self.fleet.replace(fleet);
        self.alarm.notify_one();
        self.try_at_once().await;
    }

    /// Works until `soft` is cancelled and what is in hand is done, or until `hard` is cancelled:
    /// then sends under way are dropped, and are in doubt at the next start.
    pub async fn run(self: Arc<Self>, soft: CancellationToken, hard: CancellationToken) {
        self.recall_pace(&self.fleet.now());
        let mut staff = Staff::new(&self, &soft, &hard);
        let dispatch = self.dispatch(&mut staff, &soft);
        let dispatched = hard.run_until_cancelled(dispatch).await;
        self.pulse.rest();
        if dispatched.is_some() {
            staff.go_home().await;
        }
    }

    /// Whether at `now` nothing can be sent and nothing is under way.
    #[must_use]
    pub fn idle(&self, now: DateTime<Utc>) -> bool {
        if self.doubtful.load(Ordering::SeqCst) || self.busy.load(Ordering::SeqCst) > 0 {
            return false;
        }
        let fleet = self.fleet.now();
        let before = {
            let book = self.ledger.book();
            let work = fleet
                .each()
                .any(|(index, _)| self.has_work(&fleet, &book, index, now));
            if work || self.has_card_to_settle(&fleet, &book, now) {
                return false;
            }
            book.position
        };
        // Whoever took a message before the look above was busy before it and still is, or has
        // moved the journal on.
        self.busy.load(Ordering::SeqCst) == 0 && self.ledger.book().position == before
    }

    /// Waits until it is idle at the moment the clock shows.
    pub async fn wait_idle(&self) {
        let mut changes = self.ledger.changes();
        loop {
            let activity = self.activity.notified();
            if self.idle(self.clock.now()) {
                return;
            }
            tokio::select! {
                () = activity => {}
                _ = changes.changed() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    }

    /// The next moment at which it can send something, by what is queued, pace and rests; `now`
    /// where it can already.
    #[must_use]
    pub fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let fleet = self.fleet.now();
        let book = self.ledger.book();
        fleet
            .each()
            .filter_map(|(index, _)| lane_due(&fleet, &book, index, now))
            .min()
    }

    /// Whether it has stood still for longer than anything may take, in real time.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.pulse.is_stuck(Instant::now())
    }

    /// How each channel does, for board and metrics.
    #[must_use]
    pub fn status(&self) -> Vec<LaneStatus> {
        let now = self.clock.now();
        let fleet = self.fleet.now();
        fleet
            .lanes
            .iter()
            .filter(|lane| !lane.missing)
            .map(|lane| lane.status(now))
            .collect()
    }

    /// Looks what can be done and wakes who can do it, at each durable step and when time has come.
    async fn dispatch(self: &Arc<Self>, staff: &mut Staff, soft: &CancellationToken) {
        let mut changes = self.ledger.changes();
        while !soft.is_cancelled() {
            changes.mark_unchanged();
            self.pulse.round(Instant::now());
            staff.take_up();
            if self.doubtful.load(Ordering::SeqCst) {
                self.settle_doubts().await;
            }
            let now = self.clock.now();
            self.pass_on(now).await;
            let next = self.wake_lanes(now);
            let until = next.unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                _ = changes.changed() => tokio::time::sleep(TOGETHER).await,
                () = self.clock.wait_until(until, LONGEST_WAIT) => {}
                () = self.alarm.notified() => {}
                () = soft.cancelled() => {}
            }
        }
    }

    fn wake_lanes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let fleet = self.fleet.now();
        let book = self.ledger.book();
        let mut next: Option<DateTime<Utc>> = None;
        for (index, lane) in fleet.each() {
            match lane_due(&fleet, &book, index, now) {
                Some(due) if due <= now => lane.wake.notify_one(),
                Some(due) => next = Some(next.map_or(due, |next| next.min(due))),
                None => {}
            }
        }
        next
    }

    fn has_work(&self, fleet: &Fleet, book: &Book, index: usize, now: DateTime<Utc>) -> bool {
        let due = lane_due(fleet, book, index, now);
        due.is_some_and(|due| due <= now) || has_to_pass_on(fleet, book, index, now)
    }

    /// The clock is believed to show these moments: the last, and the one furthest ahead. What
    /// leaves before the next such word is held should it leap too far meanwhile.
    pub fn believe(&self, last: Tick, highest: Tick) {
        let held = self.has_leapt(self.clock.tick());
        *self.believed() = Some((last, highest));
        if held {
            self.alarm.notify_one();
        }
    }

    /// Whether the clock has leapt and nobody has said yet what to make of it. Once it is doubted,
    /// the book says so.
    fn has_leapt(&self, now: Tick) -> bool {
        let Some((last, highest)) = *self.believed() else {
            return false;
        };
        let leapt = matches!(leap::between(last, highest, now), Leap::TooFar(_));
        leapt && self.ledger.book().clock_doubt.is_none()
    }

    fn believed(&self) -> MutexGuard<'_, Option<(Tick, Tick)>> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wall clock was set by so much: pauses and tries again keep their distance from now, else
    /// a clock put back by a day would silence a robot for a day.
    pub async fn clock_set(&self, by: TimeDelta) {
        for lane in &self.fleet.now().lanes {
            lane.clock_set(by);
        }
        if by >= TimeDelta::zero() {
            return;
        }
        let now = self.clock.now();
        let decide = move |book: &Book| {
            let facts: Vec<Fact> = book
                .queue
                .iter()
                .filter(|((_, until, _), _)| *until > now)
                .filter_map(|((_, until, _), key)| {
                    let delivery = book.messages.get(key)?;
                    let was_due = delivery.attempts > 0 || *until <= now - by;
                    was_due.then(|| Fact::MessageDeferred {
                        key: key.clone(),
                        until: now.max(*until + by),
                        why: DeferWhy::ClockSet,
                    })
                })
                .collect();
            Ok::<_, Infallible>(Decision { facts, value: () })
        };
        // What the store does not take now waits until the clock has caught up.
        let _ = self.ledger.commit(Actor::System, now, decide).await;
    }

    /// Takes nothing new until those at work have ended, then decides about intents without an
    /// outcome.
    async fn settle_doubts(&self) {
        self.paused.store(true, Ordering::SeqCst);
        loop {
            let activity = self.activity.notified();
            self.pulse.round(Instant::now());
            if self.busy.load(Ordering::SeqCst) == 0 {
                break;
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), activity).await;
        }
        if self.ledger.health() == Health::Good && self.recover().await {
            self.doubtful.store(false, Ordering::SeqCst);
            self.paused.store(false, Ordering::SeqCst);
            self.activity.notify_waiters();
        } else {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn lane_due(fleet: &Fleet, book: &Book, index: usize, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let lane = fleet.lane(index)?;
    let kind = lane.channel.kind();
    let available = lane.available_at(now)?;
    let ready = if available > now {
        // Whose they are can be asked when somebody could take them.
        book.ready(kind, now).next().is_some()
    } else {
        waiting(fleet, book, index, now).next().is_some()
    };
    if ready {
        return Some(available);
    }
    Some(available.max(next_waiting(book, kind, now)?))
}

/// What waits for this lane until then, earliest first.
fn waiting<'a>(
    fleet: &'a Fleet,
    book: &'a Book,
    index: usize,
    until: DateTime<Utc>,
) -> impl Iterator<Item = &'a Delivery> + 'a {
    let kind = fleet.lane(index).map(|lane| lane.channel.kind());
    kind.into_iter()
        .flat_map(move |kind| book.ready(kind, until))
        .filter(move |delivery| lane::belongs(&fleet.lanes, book, delivery, index))
        // During a pause only the operator is told of it.
        .filter(move |delivery| {
            let occasion = delivery.message.key.occasion;
            !book.is_paused() || matches!(occasion, Occasion::Alarm(_))
        })
}

fn next_waiting(book: &Book, kind: ChannelKind, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let from = (kind, now, u64::MAX);
    let to = (kind, DateTime::<Utc>::MAX_UTC, u64::MAX);
    book.queue
        .range(from..=to)
        .next()
        .map(|((_, at, _), _)| *at)
}
