//! What goes to the log, and in which form.

use std::sync::OnceLock;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::LogConfig;
use crate::config::log::LogFormat;

mod journal;

use journal::Journal;

/// Starts logging: to systemd's journal where stderr goes there, else to stderr. `rust_log` is the
/// environment's word, which goes first. Once a process: later calls change nothing.
///
/// # Errors
/// Where `rust_log` is no filter; the configuration's own was checked when it was read.
pub fn start(config: &LogConfig, rust_log: Option<&str>) -> Result<(), ParseError> {
    let level = rust_log.filter(|level| !level.is_empty());
    let (filter, handle) = reload::Layer::new(filter(level.unwrap_or(&config.level))?);
    let all = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let started = match (config.format, Journal::of_stderr()) {
        (LogFormat::Text, Some(journal)) => all.with(journal).try_init(),
        (LogFormat::Text, None) => all.with(lines.with_ansi(false)).try_init(),
        (LogFormat::Json, _) => all.with(lines.json().flatten_event(true)).try_init(),
    };
    // A second start, as in tests, is not worth an error.
    if started.is_ok() && level.is_none() {
        let _first = LEVEL.set(handle);
    }
    Ok(())
}

/// What is logged from now on; nothing changes where the environment has said it.
pub fn set_level(config: &LogConfig) {
    if let (Some(handle), Ok(filter)) = (LEVEL.get(), filter(&config.level)) {
        let _changed = handle.reload(filter);
    }
}

/// The cron's own comings and goings are of no use to anybody who does not ask for them by name.
fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(format!("tokio_cron_scheduler=warn,{level}"))
}

/// The level, where the configuration sets it.
static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();
