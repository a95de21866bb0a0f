//! One session's loop.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::fleet::Fleet;
use super::lane::{Lane, Pass};
use super::pick::{self, Hours, Job, Picked};
use super::{Outbox, Terms, waiting};
use crate::channel::{Attempted, Learned};
use crate::domain::book::{Book, DeliveryState};
use crate::domain::brief::{self, Brief, Order};
use crate::domain::delivery::{self, Attempt, FailReason, Next, SendOutcome, Verdict};
use crate::domain::fact::{Actor, Fact};
use crate::domain::message::MessageKey;
use crate::store::{CommitError, Decision};

/// No channel may take longer for one message, whatever it waits for.
pub(super) const LONGEST_SEND: Duration = Duration::from_secs(20 * 60);

/// What is to be written down of a message sent last.
#[derive(Debug, Clone)]
struct Conclusion {
    key: MessageKey,
    outcome: SendOutcome,
    verdict: Verdict,
    learned: Vec<Learned>,
}

/// Takes, sends, writes down, until nothing is there; waits to be woken; ends when `soft` is
/// cancelled and nothing is in hand.
pub(super) async fn work(
    outbox: Arc<Outbox>,
    fleet: Arc<Fleet>,
    index: usize,
    soft: CancellationToken,
) {
    let Some(lane) = fleet.lane(index) else {
        return;
    };
    while !soft.is_cancelled() {
        let woken = lane.wake.notified();
        outbox.empty(&fleet, lane, index, &soft).await;
        tokio::select! {
            () = woken => {}
            () = soft.cancelled() => {}
        }
    }
}

/// Counts a worker as busy for as long as it lives.
struct Busy<'a>(&'a Outbox, u64);

impl<'a> Busy<'a> {
    fn new(outbox: &'a Outbox) -> Self {
        outbox.busy.fetch_add(1, Ordering::SeqCst);
        Self(outbox, outbox.pulse.wake(Instant::now()))
    }

    fn step(&self) {
        self.0.pulse.step(self.1, Instant::now());
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.pulse.sleep(self.1);
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.activity.notify_waiters();
    }
}

impl Outbox {
    /// Sends what can be sent on this lane.
    async fn empty(&self, fleet: &Arc<Fleet>, lane: &Lane, index: usize, soft: &CancellationToken) {
        let busy = Busy::new(self);
        let mut last: Vec<Conclusion> = Vec::new();
        loop {
            busy.step();
            let tick = self.clock.tick();
            let now = tick.wall;
            let paused = self.paused.load(Ordering::SeqCst);
            let relieved = !Arc::ptr_eq(fleet, &self.fleet.now());
            let stop = soft.is_cancelled() || relieved || paused || self.has_leapt(tick);
            let pass = if stop { None } else { lane.enter(now) };
            if pass.is_none() && last.is_empty() {
                return;
            }
            let picked = match self.step(&last, pass.is_some(), (fleet, index), now).await {
                Ok(picked) => picked,
                Err(()) => {
                    if let Some(pass) = &pass {
                        lane.give_back(pass);
                    }
                    // An intent may have become durable without anybody knowing.
                    self.doubtful.store(true, Ordering::SeqCst);
                    self.paused.store(true, Ordering::SeqCst);
                    self.alarm.notify_one();
                    if !last.is_empty() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
            };
            last = Vec::new();
            match (picked, pass) {
                (Picked::Jobs(jobs, more), Some(pass)) => {
                    if more {
                        lane.wake.notify_one();
                    }
                    last = self.send(fleet, lane, &pass, jobs).await;
                }
                (Picked::Again, Some(pass)) => lane.give_back(&pass),
                (_, Some(pass)) => {
                    lane.give_back(&pass);
                    return;
                }
                (_, None) => {}
            }
        }
    }

    /// One durable step: the conclusion of the last call's messages and the intents of the next's.
    async fn step(
        &self,
        last: &[Conclusion],
        take: bool,
        (fleet, index): (&Arc<Fleet>, usize),
        now: DateTime<Utc>,
    ) -> Result<Picked, ()> {
        let last = last.to_vec();
        let hours = Hours {
            now,
            open_at: self.rules.now().next_open(now),
        };
        let chosen = if take {
            self.plan_pack(fleet, index, hours)
        } else {
            Vec::new()
        };
        let fleet = Arc::clone(fleet);
        let decided = self.ledger.commit(Actor::System, now, move |book: &Book| {
            let mut facts = Vec::with_capacity(2);
            facts.extend(last.into_iter().flat_map(|last| last.facts(book)));
            let ready = || waiting(&fleet, book, index, now);
            let picked = match (take, chosen.is_empty()) {
                (true, false) => pick::pick_chosen(book, hours, &chosen, ready(), &mut facts),
                (true, true) => pick::pick(book, hours, ready(), &mut facts),
                (false, _) => Picked::Nothing,
            };
            Ok::<_, Infallible>(Decision {
                facts,
                value: picked,
            })
        });
        decided.await.map_err(|error| match error {
            CommitError::Unavailable => (),
            CommitError::Refused(never) => match never {},
        })
    }

    /// Makes one call for all of these; what comes of it holds for each.
    async fn send(
        &self,
        fleet: &Fleet,
        lane: &Lane,
        pass: &Pass,
        jobs: Vec<Job>,
    ) -> Vec<Conclusion> {
        let sending = Caught(Box::pin(self.compose_and_send(fleet, lane, &jobs)));
        let attempted = tokio::time::timeout(LONGEST_SEND, sending)
            .await
            .unwrap_or_else(|_| Attempted::in_doubt("发送超过时限，不能确定是否已送达"));
        let now = self.clock.now();
        lane.done(pass, &attempted, jobs.len(), now);
        let attempted = self.each_alone(lane, &jobs, attempted);
        let concluded = jobs
            .into_iter()
            .map(|job| conclude(&fleet.terms, lane, job, &attempted, now));
        concluded.collect()
    }

    async fn compose_and_send(&self, fleet: &Fleet, lane: &Lane, jobs: &[Job]) -> Attempted {
        let briefs = self.compose(fleet, jobs);
        // Patience is counted by whoever has been tried most.
        let nth = jobs.iter().map(|job| job.nth).max().unwrap_or(1);
        match (briefs.as_slice(), lane.channel.packing()) {
            ([brief], _) => lane.channel.send(brief, nth).await,
            (briefs, Some(packing)) => packing.send_together(briefs, nth).await,
            (_, None) => {
                let detail = "程序内部错误，详见日志";
                Attempted::failed(FailReason::OurDefect, Next::NextChannel, detail)
            }
        }
    }

    /// What these messages say.
    pub(super) fn compose(&self, fleet: &Fleet, jobs: &[Job]) -> Vec<Brief> {
        let now = self.clock.now();
        // Links are made before the book is held: they look into it themselves.
        let moments: Vec<DateTime<Utc>> = {
            let book = self.ledger.book();
            jobs.iter().map(|job| speaks_at(&book, job, now)).collect()
        };
        let addresses: Vec<(String, Option<String>)> = jobs
            .iter()
            .zip(&moments)
            .map(|(job, at)| {
                let key = &job.message.key;
                let link = (fleet.links)(&key.plan, key.quarter, &key.person, *at);
                let calendar = fleet.calendars.as_ref();
                (link, calendar.map(|address| address(&key.person)))
            })
            .collect();
        let (book, rules) = (self.ledger.book(), self.rules.now());
        let briefs = jobs.iter().zip(&moments).zip(&addresses);
        let briefs = briefs.map(|((job, at), (link, calendar))| {
            let order = Order {
                message: &job.message,
                items: &job.items,
                about: &job.about,
                office: &fleet.terms.office,
                link,
                calendar: calendar.as_deref(),
                now: *at,
            };
            Brief {
                tried_at: now,
                ..brief::compose(&book, &rules.calendar, order)
            }
        });
        briefs.collect()
    }
}

fn conclude(
    terms: &Terms,
    lane: &Lane,
    job: Job,
    attempted: &Attempted,
    now: DateTime<Utc>,
) -> Conclusion {
    let verdict = delivery::verdict(
        &attempted.outcome,
        Attempt {
            nth_on_leg: job.nth,
            doubts_on_leg: job.doubts,
            leg: job.leg,
            legs: u8::try_from(job.message.route.len()).unwrap_or(u8::MAX),
            channel: job.channel,
            due: job.message.not_before,
            wanted_by: job.deadline,
            now,
            dice: dice(&attempted.outcome),
        },
        &terms.retry,
    );
    tell(lane, &job, attempted, &verdict);
    Conclusion {
        key: job.message.key,
        outcome: attempted.outcome.clone(),
        verdict,
        learned: attempted.learned.clone(),
    }
}

/// As of when this message speaks: what may have arrived is repeated word for word, where the peer
/// knows it again by that.
fn speaks_at(book: &Book, job: &Job, now: DateTime<Utc>) -> DateTime<Utc> {
    let key = &job.message.key;
    let Some(delivery) = book.messages.get(key) else {
        return now;
    };
    let DeliveryState::Sending { since, .. } = delivery.state else {
        return now;
    };
    let whose = (key.plan.clone(), key.quarter, key.person.clone());
    let revoked = book.revoked.get(&whose);
    // A link made before its revocation would open nothing.
    let first = delivery
        .doubtful_since
        .filter(|first| revoked.is_none_or(|revoked| revoked < first));
    delivery::speaks_at(job.channel, since, first)
}

impl Conclusion {
    /// None where somebody has concluded it already: after the store failed and came back, the
    /// last word may have been written though nobody heard so.
    fn facts(self, book: &Book) -> Vec<Fact> {
        let known = book.messages.get(&self.key);
        if !known.is_some_and(|known| matches!(known.state, DeliveryState::Sending { .. })) {
            return Vec::new();
        }
        let key = self.key;
        let learned = self.learned.into_iter().map(|learned| match learned {
            Learned::Account(account) => Fact::AccountLearned {
                person: key.person.clone(),
                account,
            },
            Learned::Card(code) => Fact::CardSent {
                key: key.clone(),
                code,
            },
        });
        let learned: Vec<Fact> = learned.collect();
        let concluded = Fact::SendConcluded {
            key,
            outcome: self.outcome,
            verdict: self.verdict,
        };
        std::iter::once(concluded).chain(learned).collect()
    }
}

/// A channel that panics has failed, and nothing else has.
struct Caught<'a>(Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>);

impl Future for Caught<'_> {
    type Output = Attempted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Attempted> {
        let inner = self.0.as_mut();
        std::panic::catch_unwind(AssertUnwindSafe(|| inner.poll(cx))).unwrap_or_else(|_| {
            let detail = "程序内部错误，详见日志";
            let failed = Attempted::failed(FailReason::OurDefect, Next::NextChannel, detail);
            Poll::Ready(failed)
        })
    }
}

/// Only a retry needs one.
fn dice(outcome: &SendOutcome) -> u16 {
    match outcome {
        SendOutcome::Sent { .. } => 0,
        _ => getrandom::u32().map_or(5_000, |random| {
            u16::try_from(random % 10_001).unwrap_or(5_000)
        }),
    }
}

fn tell(lane: &Lane, job: &Job, attempted: &Attempted, verdict: &Verdict) {
    let key = &job.message.key;
    let channel = lane.channel.name();
    let attempt = job.attempt;
    match &attempted.outcome {
        SendOutcome::Sent { .. } => {
            tracing::info!(message.key = %key, channel, attempt, "message sent");
        }
        SendOutcome::Failed(failure) => {
            let reason = failure.reason.as_str();
            let detail = failure.detail.as_str();
            match (verdict, failure.next) {
                (_, Next::StopChannel { .. }) => tracing::error!(
                    message.key = %key, channel, attempt, reason, detail,
                    "channel stopped"
                ),
                (Verdict::Dead, _) => tracing::error!(
                    message.key = %key, channel, attempt, reason, detail, "message given up"
                ),
                _ => tracing::warn!(
                    message.key = %key, channel, attempt, reason, detail, "message not sent yet"
                ),
            }
        }
        SendOutcome::InDoubt { detail } => tracing::warn!(
            message.key = %key, channel, attempt, detail = detail.as_str(), "message in doubt"
        ),
    }
}
