//! The ways out with what messages go by; replaced as a whole when the config is read anew.
//!
//! Whoever has a message in hand finishes it by the fleet it began with; whatever waits goes by the
//! next one. What peers count and what is known of their troubles goes over to the successor.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lane::{self, Lane};
use super::{Calendars, Links, Outbox, Terms, worker};
use crate::channel::{Cards, Channel};

/// What an outbox sends by, as the config has it.
pub struct Ways {
    terms: Terms,
    channels: Vec<Arc<dyn Channel>>,
    links: Links,
    calendars: Option<Calendars>,
}

impl Ways {
    /// These channels.
    #[must_use]
    pub fn new(terms: Terms, channels: Vec<Arc<dyn Channel>>, links: Links) -> Self {
        Self {
            terms,
            channels,
            links,
            calendars: None,
        }
    }

    /// Letters say where the reader's calendar feed is.
    #[must_use]
    pub fn with_calendars(self, calendars: Calendars) -> Self {
        Self {
            calendars: Some(calendars),
            ..self
        }
    }
}

/// The same with what is known of each way.
pub(super) struct Fleet {
    pub(super) terms: Terms,
    pub(super) links: Links,
    pub(super) calendars: Option<Calendars>,
    pub(super) lanes: Vec<Arc<Lane>>,
}

impl Fleet {
    /// `before` is the one it comes after.
    pub(super) fn new(ways: Ways, before: Option<&Self>) -> Self {
        let known = before.map_or(&[][..], |before| &before.lanes);
        Self {
            terms: ways.terms,
            links: ways.links,
            calendars: ways.calendars,
            lanes: lane::lanes(ways.channels, known),
        }
    }

    pub(super) fn lane(&self, index: usize) -> Option<&Arc<Lane>> {
        self.lanes.get(index)
    }

    /// The lanes with their places.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &Arc<Lane>)> {
        self.lanes.iter().enumerate()
    }

    pub(super) fn card_maker(&self) -> Option<&dyn Cards> {
        self.lanes.iter().find_map(|lane| lane.channel.cards())
    }

    async fn close(&self) {
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
        for lane in &self.lanes {
            let _ = tokio::time::timeout(PATIENCE, lane.channel.close()).await;
        }
    }
}

/// Who works: for the fleet in force, and for those before until what they have in hand is done.
pub(super) struct Staff {
    outbox: Arc<Outbox>,
    soft: CancellationToken,
    hard: CancellationToken,
    at_work: Option<Shift>,
    /// All of them.
    everyone: TaskTracker,
}

/// The workers of one fleet.
struct Shift {
    fleet: Arc<Fleet>,
    over: CancellationToken,
    workers: TaskTracker,
    /// One at a time changes cards: a card can be changed only once.
    at_cards: CancellationToken,
}

impl Staff {
    pub(super) fn new(
        outbox: &Arc<Outbox>,
        soft: &CancellationToken,
        hard: &CancellationToken,
    ) -> Self {
        Self {
            outbox: Arc::clone(outbox),
            soft: soft.clone(),
            hard: hard.clone(),
            at_work: None,
            everyone: TaskTracker::new(),
        }
    }

    /// Has the fleet in force worked for, and lets those of the one before go home.
    pub(super) fn take_up(&mut self) {
        let fleet = self.outbox.fleet.now();
        let before = match self.at_work.take() {
            Some(shift) if Arc::ptr_eq(&shift.fleet, &fleet) => {
                self.at_work = Some(shift);
                return;
            }
            before => before,
        };
        let cards_free = before.as_ref().map(|shift| shift.at_cards.clone());
        if let Some(shift) = before {
            self.relieve(shift);
        }
        self.at_work = Some(self.shift(fleet, cards_free));
    }

    /// Waits until what is in hand is done and every way is closed.
    pub(super) async fn go_home(mut self) {
        if let Some(shift) = self.at_work.take() {
            self.relieve(shift);
        }
        self.everyone.close();
        self.everyone.wait().await;
    }

    fn shift(&self, fleet: Arc<Fleet>, cards_free: Option<CancellationToken>) -> Shift {
        let shift = Shift {
            over: self.soft.child_token(),
            workers: TaskTracker::new(),
            at_cards: CancellationToken::new(),
            fleet,
        };
        for (index, lane) in shift.fleet.each() {
            for _ in 0..lane.channel.sessions() {
                let (outbox, fleet) = (Arc::clone(&self.outbox), Arc::clone(&shift.fleet));
                let worker = worker::work(outbox, fleet, index, shift.over.clone());
                let hard = self.hard.clone();
                let worker = async move { hard.run_until_cancelled(worker).await };
                shift.workers.spawn(worker);
            }
        }
        let (outbox, fleet) = (Arc::clone(&self.outbox), Arc::clone(&shift.fleet));
        let (over, hard) = (shift.over.clone(), self.hard.clone());
        let left = shift.at_cards.clone().drop_guard();
        shift.workers.spawn(async move {
            let cards = async {
                if let Some(free) = cards_free {
                    free.cancelled().await;
                }
                outbox.settle_cards(&fleet, over).await;
            };
            hard.run_until_cancelled(cards).await;
            drop(left);
        });
        shift.workers.close();
        shift
    }

    fn relieve(&self, shift: Shift) {
        shift.over.cancel();
        for lane in &shift.fleet.lanes {
            lane.wake.notify_waiters();
        }
        self.everyone.spawn(async move {
            shift.workers.wait().await;
            shift.fleet.close().await;
        });
    }
}
