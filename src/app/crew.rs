//! The loops that go by the config. When another config comes into force each gives way to its
//! successor, which begins once what was in hand is done: no mail is read twice at a time.

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Core;
use super::setup::Setup;
use crate::life::Stop;
use crate::reply::imap::ImapBox;

/// Whoever works until the program stops, or another config comes.
pub(super) struct Crew {
    tasks: TaskTracker,
    stop: Stop,
    failed: CancellationToken,
    /// Over for those at work.
    over: CancellationToken,
    /// Cancelled when the last of each name has gone.
    gone: HashMap<&'static str, CancellationToken>,
}

impl Crew {
    /// Nobody yet. A loop that ends by itself cancels `failed`, and stops everything.
    pub(super) fn new(tasks: &TaskTracker, stop: &Stop, failed: &CancellationToken) -> Self {
        Self {
            tasks: tasks.clone(),
            stop: stop.clone(),
            failed: failed.clone(),
            over: stop.soft.child_token(),
            gone: HashMap::new(),
        }
    }

    /// A loop that no config changes.
    pub(super) fn stay<F>(&self, name: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guard = Guard::new(name, self, self.stop.soft.clone());
        self.tasks.spawn(async move {
            work.await;
            drop(guard);
        });
    }

    /// The loops of this config, in place of those of the one before.
    pub(super) fn take_up(&mut self, core: &Core, setup: &Setup) {
        self.over.cancel();
        self.over = self.stop.soft.child_token();
        if let Some(clerk) = setup.clerk() {
            self.follow("wecom", |over| clerk.run(over));
        }
        match setup.config.imap.clone() {
            Some(config) => {
                let reader = setup.mail_reader(core);
                self.follow("mailbox", |over| async move {
                    reader.run(|| ImapBox::open(&config), over).await;
                });
            }
            None => core.mail_trouble.end(),
        }
        match setup.nightly(core) {
            Some(nightly) => self.follow("backup", |over| nightly.run(over)),
            None => core.backup_trouble.set(None),
        }
    }

    fn follow<F>(&mut self, name: &'static str, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let over = self.over.clone();
        let guard = Guard::new(name, self, over.clone());
        let work = work(over.clone());
        let gone = CancellationToken::new();
        let before = self.gone.insert(name, gone.clone());
        self.tasks.spawn(async move {
            let _gone = gone.drop_guard();
            if let Some(before) = before {
                before.cancelled().await;
            }
            if !over.is_cancelled() {
                work.await;
            }
            drop(guard);
        });
    }
}

/// A loop that ends without being asked, or panics, is an accident: everything stops, and systemd
/// starts it again. All state is in the store.
struct Guard {
    name: &'static str,
    over: CancellationToken,
    soft: CancellationToken,
    failed: CancellationToken,
}

impl Guard {
    fn new(name: &'static str, crew: &Crew, over: CancellationToken) -> Self {
        Self {
            name,
            over,
            soft: crew.stop.soft.clone(),
            failed: crew.failed.clone(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.over.is_cancelled() {
            tracing::error!(r#loop = self.name, "a loop ended by itself");
            self.failed.cancel();
            self.soft.cancel();
        }
    }
}
