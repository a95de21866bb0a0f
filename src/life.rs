//! Start and stop: signals, two stages of stopping, and what systemd is told.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Longest wait for what is in hand, after the first signal.
pub const DRAIN: Duration = Duration::from_secs(20);

/// The two stages: `soft` takes nothing new and finishes what is in hand, `hard` drops it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Asked to stop.
    pub soft: CancellationToken,
    /// Insisted on: a second signal, or the time for what is in hand is over.
    pub hard: CancellationToken,
}

impl Stop {
    /// Stops on SIGTERM or SIGINT, at once on a second one or after [`DRAIN`].
    ///
    /// # Errors
    /// When signals cannot be listened for.
    pub fn on_signals() -> std::io::Result<Self> {
        let stop = Self::default();
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let (soft, hard) = (stop.soft.clone(), stop.hard.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            tracing::info!("stopping: what is in hand is finished first");
            tell(&[sd_notify::NotifyState::Stopping]);
            soft.cancel();
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
                () = tokio::time::sleep(DRAIN) => {}
            }
            tracing::warn!("stopping at once");
            hard.cancel();
        });
        Ok(stop)
    }
}

/// Each SIGHUP: the config is to be read anew. Those that come while it is read are one.
///
/// # Errors
/// When signals cannot be listened for.
pub fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Tells systemd that the config is being read; `READY` says when it is done.
pub fn tell_reloading() {
    let since = sd_notify::NotifyState::monotonic_usec_now();
    let mut states = vec![sd_notify::NotifyState::Reloading];
    states.extend(since);
    tell(&states);
}

/// Tells systemd, where it listens.
pub fn tell(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// Feeds systemd's watchdog as long as `alive` says that there is progress.
pub async fn feed_watchdog(alive: impl Fn() -> bool, stop: CancellationToken) {
    let mut microseconds = 0;
    if !sd_notify::watchdog_enabled(false, &mut microseconds) {
        return;
    }
    let pause = Duration::from_micros(microseconds / 3);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if alive() {
            tell(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}
