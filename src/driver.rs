//! One loop that runs the due step, whatever woke it: the bell, a word from a room, the time the
//! rules named, or a minute without any of these.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::desk::Vitals;
use crate::domain::due::Docket;
use crate::domain::fact::{Actor, Fact};
use crate::rules::Rules;
use crate::store::{CommitError, Decision, Ledger};

/// How long the scheduler is let run at a time: enough for a job that only rings.
const GLANCE: Duration = Duration::from_millis(2);
/// And how long it then rests: a job rings this much late at most.
const BETWEEN_GLANCES: Duration = Duration::from_secs(5);

/// The daemon looks by itself after this long, should every bell have died.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// A wall clock that strays this far from the monotonic one has been set.
const CLOCK_JUMP: TimeDelta = TimeDelta::seconds(5);

/// Runs passes.
#[derive(Clone)]
pub struct Driver {
    ledger: Ledger,
    clock: Clock,
    rules: Rules,
    bell: Arc<Notify>,
    vitals: Arc<Vitals>,
    docket: Arc<Mutex<Docket>>,
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
    pub fn new(ledger: Ledger, clock: Clock, rules: Rules, vitals: Arc<Vitals>) -> Self {
        Self {
            ledger,
            clock,
            rules,
            bell: Arc::default(),
            vitals,
            docket: Arc::default(),
        }
    }

    /// Says that there may be something to do; never what.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// Looks once at everything, decides, and appends in the same step.
    ///
    /// # Errors
    /// When the store takes nothing now; the next pass will find the same again.
    pub async fn pass(
        &self,
        now: DateTime<Utc>,
    ) -> Result<PassReport, CommitError<std::convert::Infallible>> {
        let rules = self.rules.now();
        let docket = Arc::clone(&self.docket);
        let report = self
            .ledger
            .commit(Actor::System, now, move |book| {
                let facts = lock(&docket).pass(&rules.world(book), now);
                let value = count(&facts);
                Ok(Decision { facts, value })
            })
            .await;
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
        let mut wall = (self.clock.now(), Instant::now());
        loop {
            let now = self.clock.now();
            self.tell_of_a_jump(&mut wall, now);
            if self.pass(now).await.is_err() {
                tracing::warn!("a pass could not be stored; it is tried again");
            }
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

    /// A clock that was set does no harm, since what was said is known by name; but people
    /// should know.
    fn tell_of_a_jump(&self, wall: &mut (DateTime<Utc>, Instant), now: DateTime<Utc>) {
        let steady = TimeDelta::from_std(wall.1.elapsed()).unwrap_or_default();
        let strayed = now - wall.0 - steady;
        if !self.clock.is_simulated() && strayed.abs() > CLOCK_JUMP {
            tracing::warn!(
                seconds = strayed.num_seconds(),
                "the system clock has been set or the machine was asleep"
            );
        }
        *wall = (now, Instant::now());
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
