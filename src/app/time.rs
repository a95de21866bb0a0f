//! Moves a simulated clock in order through every stage on the way.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::desk::Advance;
use crate::driver::Driver;
use crate::outbox::Outbox;

/// Longest real time for the outbox to come to rest at one moment.
const REST: Duration = Duration::from_secs(240);

/// Keeps the simulated time; one move at a time.
#[derive(Clone)]
pub(super) struct Timekeeper {
    clock: Clock,
    driver: Driver,
    outbox: Arc<Outbox>,
    one: Arc<tokio::sync::Mutex<()>>,
}

impl Timekeeper {
    pub(super) fn new(clock: Clock, driver: Driver, outbox: Arc<Outbox>) -> Self {
        Self {
            clock,
            driver,
            outbox,
            one: Arc::default(),
        }
    }

    /// What the pages and the interface call.
    pub(super) fn handle(&self) -> Advance {
        let keeper = self.clone();
        Arc::new(move |target| {
            let keeper = keeper.clone();
            Box::pin(async move { keeper.advance_to(target).await })
        })
    }

    /// Passes are run and messages sent at each moment on the way at which there is something to
    /// do; ready when all is done at `target`.
    async fn advance_to(&self, target: DateTime<Utc>) -> Result<(), String> {
        let _one = self.one.lock().await;
        if target < self.clock.now() {
            return Err("时钟只能向前拨动，不能退回".into());
        }
        loop {
            let now = self.clock.now();
            self.settle(now).await?;
            let due = self.driver.next_after(now);
            let sending = self.outbox.next_due(now);
            match [due, sending].into_iter().flatten().min() {
                Some(next) if next <= target => self.clock.advance_to(next),
                _ if now < target => self.clock.advance_to(target),
                _ => return Ok(()),
            }
        }
    }

    async fn settle(&self, now: DateTime<Utc>) -> Result<(), String> {
        self.driver
            .pass(now)
            .await
            .map_err(|error| error.to_string())?;
        self.wait_idle().await?;
        if self.driver.look(now).await {
            self.wait_idle().await?;
        }
        Ok(())
    }

    async fn wait_idle(&self) -> Result<(), String> {
        tokio::time::timeout(REST, self.outbox.wait_idle())
            .await
            .map_err(|_| "消息在规定时间内没有发完，请稍后再试".to_owned())
    }
}
