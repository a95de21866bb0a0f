//! One session's loop.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::Outbox;
use super::lane::{Lane, Pass};
use super::pick::{self, Hours, Job, Picked};
use crate::channel::Attempted;
use crate::domain::book::{Book, DeliveryState};
use crate::domain::brief::{self, Order};
use crate::domain::delivery::{self, Attempt, FailReason, Next, SendOutcome, Verdict};
use crate::domain::fact::{Actor, Fact};
use crate::domain::message::MessageKey;
use crate::store::{CommitError, Decision};

/// No channel may take longer for one message, whatever it waits for.
const LONGEST_SEND: Duration = Duration::from_secs(20 * 60);

/// What is to be written down of the message sent last.
#[derive(Debug, Clone)]
struct Conclusion {
    key: MessageKey,
    outcome: SendOutcome,
    verdict: Verdict,
}

/// Takes, sends, writes down, until nothing is there; waits to be woken; ends when `soft` is
/// cancelled and nothing is in hand.
pub(super) async fn work(outbox: Arc<Outbox>, index: usize, soft: CancellationToken) {
    let Some(lane) = outbox.lanes.get(index).cloned() else {
        return;
    };
    while !soft.is_cancelled() {
        let woken = lane.wake.notified();
        outbox.empty(&lane, index, &soft).await;
        tokio::select! {
            () = woken => {}
            () = soft.cancelled() => {}
        }
    }
}

/// Counts a worker as busy for as long as it lives.
struct Busy<'a>(&'a Outbox);

impl<'a> Busy<'a> {
    fn new(outbox: &'a Outbox) -> Self {
        outbox.busy.fetch_add(1, Ordering::SeqCst);
        Self(outbox)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.activity.notify_waiters();
    }
}

impl Outbox {
    /// Sends what can be sent on this lane.
    async fn empty(self: &Arc<Self>, lane: &Arc<Lane>, index: usize, soft: &CancellationToken) {
        let _busy = Busy::new(self);
        let mut last: Option<Conclusion> = None;
        loop {
            let tick = self.clock.tick();
            let now = tick.wall;
            let paused = self.paused.load(Ordering::SeqCst);
            let stop = soft.is_cancelled() || paused || self.has_leapt(tick);
            let pass = if stop { None } else { lane.enter(now) };
            if pass.is_none() && last.is_none() {
                return;
            }
            let picked = match self.step(&last, pass.is_some(), index, now).await {
                Ok(picked) => picked,
                Err(()) => {
                    if let Some(pass) = &pass {
                        lane.give_back(pass);
                    }
                    // An intent may have become durable without anybody knowing.
                    self.doubtful.store(true, Ordering::SeqCst);
                    self.paused.store(true, Ordering::SeqCst);
                    self.alarm.notify_one();
                    if last.is_some() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
            };
            last = None;
            match (picked, pass) {
                (Picked::Job(job, more), Some(pass)) => {
                    if more {
                        lane.wake.notify_one();
                    }
                    last = Some(self.send(lane, &pass, *job).await);
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

    /// One durable step: the conclusion of the last message and the intent of the next.
    async fn step(
        self: &Arc<Self>,
        last: &Option<Conclusion>,
        take: bool,
        index: usize,
        now: DateTime<Utc>,
    ) -> Result<Picked, ()> {
        let last = last.clone();
        let this = Arc::clone(self);
        let hours = Hours {
            now,
            open_at: self.rules.now().next_open(now),
        };
        let decided = self.ledger.commit(Actor::System, now, move |book: &Book| {
            let mut facts = Vec::with_capacity(2);
            facts.extend(last.and_then(|last| last.fact(book)));
            let picked = if take {
                pick::pick(book, hours, this.ready(book, index, now), &mut facts)
            } else {
                Picked::Nothing
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

    async fn send(&self, lane: &Lane, pass: &Pass, job: Job) -> Conclusion {
        let sending = Caught(Box::pin(self.compose_and_send(lane, &job)));
        let attempted = tokio::time::timeout(LONGEST_SEND, sending)
            .await
            .unwrap_or_else(|_| Attempted::in_doubt("发送超过时限，不能确定是否已送达"));
        let now = self.clock.now();
        lane.done(pass, &attempted, now);
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
            &self.terms.retry,
        );
        tell(lane, &job, &attempted, &verdict);
        Conclusion {
            key: job.message.key,
            outcome: attempted.outcome,
            verdict,
        }
    }

    async fn compose_and_send(&self, lane: &Lane, job: &Job) -> Attempted {
        let key = &job.message.key;
        let link = (self.links)(&key.plan, key.quarter, &key.person);
        let calendar = self.calendars.as_ref();
        let calendar = calendar.map(|address| address(&key.person));
        let order = Order {
            message: &job.message,
            items: &job.items,
            about: &job.about,
            office: &self.terms.office,
            link: &link,
            calendar: calendar.as_deref(),
            now: self.clock.now(),
        };
        let brief = brief::compose(&self.ledger.book(), &self.rules.now().calendar, order);
        lane.channel.send(&brief, job.nth).await
    }
}

impl Conclusion {
    /// None where somebody has concluded it already: after the store failed and came back, the
    /// last word may have been written though nobody heard so.
    fn fact(self, book: &Book) -> Option<Fact> {
        let state = &book.messages.get(&self.key)?.state;
        matches!(state, DeliveryState::Sending { .. }).then_some(Fact::SendConcluded {
            key: self.key,
            outcome: self.outcome,
            verdict: self.verdict,
        })
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
