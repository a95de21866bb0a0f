//! One loop that runs the due step, whatever woke it: the bell, a word from a room, the time the
//! rules named, or a minute without any of these.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::desk::Vitals;
use crate::domain::book::ClockDoubt;
use crate::domain::due::Docket;
use crate::domain::fact::{Actor, Fact};
use crate::domain::leap::{self, Leap, Tick};
use crate::outbox::Outbox;
use crate::rules::{RuleSet, Rules};
use crate::store::{CommitError, Decision, Ledger};
use crate::watch::Watch;

/// How long the scheduler is let run at a time: enough for a job that only rings.
const GLANCE: Duration = Duration::from_millis(2);
/// And how long it then rests: a job rings this much late at most.
const BETWEEN_GLANCES: Duration = Duration::from_secs(5);

/// The daemon looks by itself after this long, should every bell have died.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Runs passes.
#[derive(Clone)]
pub struct Driver {
    ledger: Ledger,
    clock: Clock,
    rules: Rules,
    bell: Arc<Notify>,
    vitals: Arc<Vitals>,
    watch: Arc<Watch>,
    outbox: Arc<Outbox>,
    docket: Arc<Mutex<Docket>>,
    /// Held by a pass, and by whoever changes the rules: no pass sees half of it.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What a pass found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassReport {
    /// Messages queued.
    pub queued: usize,
    /// People or stages left out.
    pub skipped: usize,
}

impl Driver {
    /// A driver that has done nothing yet.
    #[must_use]
    pub fn new(
        ledger: Ledger,
        clock: Clock,
        rules: Rules,
        vitals: Arc<Vitals>,
        watch: Arc<Watch>,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self {
            ledger,
            clock,
            rules,
            bell: Arc::default(),
            vitals,
            watch,
            outbox,
            docket: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Says that there may be something to do; never what.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// Looks once at everything, decides, and appends in the same step; nothing is decided while
    /// [`Book::is_paused`](crate::domain::book::Book::is_paused).
    ///
    /// # Errors
    /// When the store takes nothing now; the next pass will find the same again.
    pub async fn pass(
        &self,
        now: DateTime<Utc>,
    ) -> Result<PassReport, CommitError<std::convert::Infallible>> {
        let _turn = self.turn.lock().await;
        let rules = self.rules.now();
        let docket = Arc::clone(&self.docket);
        let report = self
            .ledger
            .commit(Actor::System, now, move |book| {
                let facts = match book.is_paused() {
                    false => lock(&docket).pass(&rules.world(book), now),
                    true => Vec::new(),
                };
                let value = count(&facts);
                Ok(Decision { facts, value })
            })
            .await;
        self.ledger.tidy();
        self.vitals.answered();
        if let Ok(found) = &report {
            self.vitals.passed();
            if *found != PassReport::default() {
                tracing::info!(
                    queued = found.queued,
                    skipped = found.skipped,
                    "a pass found something to do"
                );
            }
        }
        report
    }

    /// From now on these are the rules, and `facts` are what follows from that.
    ///
    /// # Errors
    /// When the store takes nothing now; then the rules are as before.
    pub async fn change_rules(
        &self,
        rules: RuleSet,
        facts: Vec<Fact>,
    ) -> Result<(), CommitError<std::convert::Infallible>> {
        let _turn = self.turn.lock().await;
        if !facts.is_empty() {
            let now = self.clock.now();
            self.ledger.append(Actor::System, now, facts).await?;
        }
        self.rules.replace(rules);
        Ok(())
    }

    /// Looks whether the program itself is well; says whether anything followed.
    pub async fn look(&self, now: DateTime<Utc>) -> bool {
        self.watch.look(now).await
    }

    /// The first look of a run at the clock: whether it has leapt since `last`, the time of the
    /// last fact that was there before this run.
    pub async fn begin(&self, last: Option<DateTime<Utc>>) {
        let now = self.clock.now();
        let doubt = self.ledger.book().clock_doubt;
        if self.clock.is_simulated() {
            return;
        }
        match (doubt, last) {
            (Some(doubt), _) if leap::is_right_again(doubt, now) => {
                self.believe(now).await;
            }
            (None, Some(last)) => {
                if let Some(doubt) = leap::at_start(last, now) {
                    self.doubt(doubt, now).await;
                }
            }
            _ => {}
        }
    }

    /// The next moment at which the rules have something to say.
    #[must_use]
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rules = self.rules.now();
        // The book before the docket, as in a pass.
        let book = self.ledger.book();
        lock(&self.docket).next_after(&rules.world(&book), now)
    }

    /// Runs until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let mut known = Known::new(self.clock.tick());
        known.doubted = self.ledger.book().clock_doubt.is_some();
        self.outbox.believe(known.tick, known.highest);
        let mut stored = true;
        loop {
            self.look_at_clock(&mut known).await;
            let now = self.clock.now();
            let before = std::mem::replace(&mut stored, self.pass(now).await.is_ok());
            if before && !stored {
                tracing::warn!("a pass could not be stored; it is tried again and again");
            }
            self.watch.look(now).await;
            let next = self.next_after(now).unwrap_or(now + TimeDelta::days(1));
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.notified() => {}
                () = self.clock.wait_until(next, LONGEST_SLEEP) => {}
            }
        }
    }

    /// Starts the bell: one cron job that says "now" and nothing else, until told to stop.
    ///
    /// It has a thread to itself, which lets the scheduler look at its list every few seconds: left
    /// alone it looks twice a second, and an idle daemon should hardly wake.
    ///
    /// # Errors
    /// When the thread does not start; the loop goes on by its own time-out.
    pub fn start_bell(&self, stop: CancellationToken) -> std::io::Result<()> {
        let (bell, vitals) = (Arc::clone(&self.bell), Arc::clone(&self.vitals));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let ring = move || match runtime.block_on(hang(bell, vitals)) {
            Ok(_scheduler) => {
                while !stop.is_cancelled() {
                    runtime.block_on(async { tokio::time::sleep(GLANCE).await });
                    std::thread::sleep(BETWEEN_GLANCES);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the cron bell does not ring; passes run by their own time-out");
            }
        };
        std::thread::Builder::new()
            .name("bell".into())
            .spawn(ring)
            .map(drop)
    }

    /// A clock that was set repeats and loses nothing, since what was said is known by name; but
    /// people should know, and pauses keep their length. One that leaps too far is not believed
    /// before a person agrees.
    async fn look_at_clock(&self, known: &mut Known) {
        let now = self.clock.tick();
        let doubt = self.ledger.book().clock_doubt;
        if let Some(doubt) = doubt {
            known.doubted = true;
            if leap::is_right_again(doubt, now.wall) && self.believe(now.wall).await {
                *known = Known::new(now);
                self.outbox.believe(known.tick, known.highest);
            }
            return;
        }
        let leap = leap::between(known.tick, known.highest, now);
        match leap {
            // The new time has been agreed to, or the old one is back.
            _ if known.doubted => {
                known.highest = now;
                if let Leap::TooFar(doubt) = leap {
                    self.outbox.clock_set(doubt.found - doubt.expected).await;
                }
            }
            Leap::None => {}
            Leap::Slept(span) => tracing::info!(
                seconds = span.num_seconds(),
                "the machine was asleep; what fell due meanwhile is caught up"
            ),
            Leap::Set(by) => {
                tracing::warn!(seconds = by.num_seconds(), "the system clock has been set");
                self.outbox.clock_set(by).await;
            }
            Leap::TooFar(doubt) => {
                // A person may agree before the next look.
                known.doubted = self.doubt(doubt, now.wall).await;
                return;
            }
        }
        known.tick = now;
        if now.wall >= known.highest.at(now.running) {
            known.highest = now;
        }
        known.doubted = false;
        self.outbox.believe(known.tick, known.highest);
    }

    /// Says whether the store has taken it; else it is found again at the next look.
    async fn doubt(&self, doubt: ClockDoubt, now: DateTime<Utc>) -> bool {
        tracing::error!(
            expected = %doubt.expected, found = %doubt.found,
            "the system clock has leapt ahead: nothing is decided or sent before a person agrees"
        );
        let fact = Fact::ClockDoubted {
            expected: doubt.expected,
            found: doubt.found,
        };
        let fact = vec![fact];
        self.ledger.append(Actor::System, now, fact).await.is_ok()
    }

    /// Says whether the store has taken it; else it is found again at the next look.
    async fn believe(&self, now: DateTime<Utc>) -> bool {
        tracing::warn!("the system clock is right again; what was held back goes on");
        let fact = vec![Fact::ClockAgreed];
        self.ledger.append(Actor::System, now, fact).await.is_ok()
    }
}

/// What the loop knows of the clock.
struct Known {
    /// The last moment at which it was believed.
    tick: Tick,
    /// The one that was furthest ahead.
    highest: Tick,
    /// It is in doubt, or was at the last look.
    doubted: bool,
}

impl Known {
    fn new(tick: Tick) -> Self {
        Self {
            tick,
            highest: tick,
            doubted: false,
        }
    }
}

async fn hang(bell: Arc<Notify>, vitals: Arc<Vitals>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let job = Job::new("*/10 * * * * *", move |_, _| {
        vitals.ticked();
        bell.notify_one();
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// A docket left half made by a panic begins anew.
fn lock(docket: &Mutex<Docket>) -> MutexGuard<'_, Docket> {
    docket.lock().unwrap_or_else(|poisoned| {
        docket.clear_poison();
        let mut docket = poisoned.into_inner();
        *docket = Docket::default();
        docket
    })
}

fn count(facts: &[Fact]) -> PassReport {
    let mut report = PassReport::default();
    for fact in facts {
        match fact {
            Fact::MessageQueued { .. } => report.queued += 1,
            Fact::MessageSkipped { .. } => report.skipped += 1,
            _ => {}
        }
    }
    report
}
