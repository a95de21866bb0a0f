//! `[log]`: what is logged and in which form.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// A filter as `tracing` reads it, such as `info` or `info,cuiban::outbox=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people and the system's journal.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl LogConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let level = r.parsed(
            "level",
            "日志级别，如 \"info\" 或 \"info,cuiban::outbox=debug\"",
            |text| EnvFilter::try_new(text).ok().map(|_| text.to_owned()),
        );
        let format = r.parsed("format", " \"text\" 或 \"json\"", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        Some(Self {
            level: level?,
            format: format?,
        })
    }
}
