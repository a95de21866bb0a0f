//! What goes to the log, and in which form; errors on one line with their causes.

use std::error::Error;
use std::fmt::Write as _;
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

/// An error and all its causes on one line, each said once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner
            .downcast_ref::<std::io::Error>()
            .and_then(the_systems_word)
            .map_or_else(|| inner.to_string(), str::to_owned);
        if !text.contains(&said) {
            let _written = write!(text, "：{said}");
        }
        cause = inner.source();
    }
    text
}

/// What the operating system said, for those who read no English; none where it is rare.
fn the_systems_word(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind;
    error.raw_os_error()?;
    Some(match error.kind() {
        ErrorKind::NotFound => "没有这个文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::IsADirectory => "这是一个文件夹",
        ErrorKind::NotADirectory => "路径中有一段不是文件夹",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "磁盘已满",
        ErrorKind::ReadOnlyFilesystem => "磁盘是只读的",
        ErrorKind::AddrInUse => "地址已被其他程序占用",
        ErrorKind::AddrNotAvailable => "本机没有这个地址",
        ErrorKind::ConnectionRefused => "对方没有接受连接",
        ErrorKind::TimedOut => "超时",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("读写“{0}”时出错")]
    struct Outer(&'static str, #[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("磁盘已满")]
    struct Inner;

    #[test]
    fn a_chain_of_errors_is_one_line() {
        assert_eq!(
            chain(&Outer("journal", Inner)),
            "读写“journal”时出错：磁盘已满"
        );
        assert_eq!(chain(&Inner), "磁盘已满");
    }

    #[test]
    fn the_system_speaks_the_readers_language() {
        #[derive(Debug, thiserror::Error)]
        #[error("无法写入“a.csv”")]
        struct Write(#[source] std::io::Error);
        let denied = std::io::Error::from_raw_os_error(13);
        assert_eq!(chain(&Write(denied)), "无法写入“a.csv”：没有权限");
        let ours = std::io::Error::other("第3行太长");
        assert_eq!(chain(&Write(ours)), "无法写入“a.csv”：第3行太长");
    }
}
