//! What goes to the log, and in which form.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::LogConfig;
use crate::config::log::LogFormat;

/// Starts logging to stderr; `rust_log` is the environment's word, which goes first. Once a
/// process: later calls change nothing.
///
/// # Errors
/// Where `rust_log` is no filter; the configuration's own was checked when it was read.
pub fn start(config: &LogConfig, rust_log: Option<&str>) -> Result<(), ParseError> {
    let level = rust_log.filter(|level| !level.is_empty());
    let filter = EnvFilter::try_new(level.unwrap_or(&config.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start, as in tests, is not worth an error.
    let _started = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
