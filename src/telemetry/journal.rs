//! Lines for systemd's journal, in its own protocol: the text as everywhere, its level as
//! `PRIORITY`, and each field by itself, so that `journalctl -u cuiban CUIBAN_CHANNEL=email` finds
//! it.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";
/// A journal that hangs must not hang us.
const PATIENCE: Duration = Duration::from_secs(1);

/// The journal that our stderr goes to.
pub(super) struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    /// None where stderr goes elsewhere: to a terminal, a file, another program.
    pub(super) fn of_stderr() -> Option<Self> {
        let told = std::env::var("JOURNAL_STREAM").ok()?;
        let stderr = rustix::fs::fstat(std::io::stderr()).ok()?;
        if told != format!("{}:{}", stderr.st_dev, stderr.st_ino) {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        socket.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self { socket })
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let mut line = Line::default();
        event.record(&mut line);
        let entry = line.entry(level, target);
        if self.socket.send(&entry).is_err() {
            // The stream takes what the socket does not, such as a line that is too long.
            let text = format!("<{}>{}\n", priority(level), line.text());
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Line {
    /// On one line, as people read it.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.fields {
            let _written = write!(text, " {name}={value}");
        }
        text
    }

    fn entry(&self, level: &Level, target: &str) -> Vec<u8> {
        let mut entry = Vec::new();
        put(&mut entry, "MESSAGE", &self.text());
        put(&mut entry, "PRIORITY", priority(level));
        put(&mut entry, "SYSLOG_IDENTIFIER", "cuiban");
        put(&mut entry, "CUIBAN_TARGET", target);
        for (name, value) in &self.fields {
            put(&mut entry, &key(name), value);
        }
        entry
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// syslog's numbers.
fn priority(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// `message.key` becomes `CUIBAN_MESSAGE_KEY`.
fn key(name: &str) -> String {
    let letters = name.chars().map(|c| match c {
        'a'..='z' | '0'..='9' => c.to_ascii_uppercase(),
        _ => '_',
    });
    "CUIBAN_".chars().chain(letters).collect()
}

/// One field; a value of several lines goes with its length.
fn put(entry: &mut Vec<u8>, key: &str, value: &str) {
    entry.extend_from_slice(key.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut line = Line::default();
            event.record(&mut line);
            let entry = line.entry(event.metadata().level(), "cuiban::outbox");
            self.0.lock().unwrap().push(entry);
        }
    }

    #[test]
    fn an_event_has_its_text_its_level_and_its_fields_by_name() {
        let kept = Arc::default();
        let all = tracing_subscriber::registry().with(Kept(Arc::clone(&kept)));
        tracing::subscriber::with_default(all, || {
            tracing::info!(message.key = %"a/b", channel = "email", attempt = 2, "message sent");
            tracing::error!(reason = "两行\n文字", "refused");
        });
        let kept = kept.lock().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&kept[0]),
            "MESSAGE=message sent message.key=a/b channel=email attempt=2\nPRIORITY=6\n\
             SYSLOG_IDENTIFIER=cuiban\nCUIBAN_TARGET=cuiban::outbox\nCUIBAN_MESSAGE_KEY=a/b\n\
             CUIBAN_CHANNEL=email\nCUIBAN_ATTEMPT=2\n"
        );
        let second = &kept[1];
        let start = b"MESSAGE\n\x1c\0\0\0\0\0\0\0refused reason=".as_slice();
        assert_eq!(second[..start.len()], *start, "with its length");
        let field = "CUIBAN_REASON\n\u{d}\0\0\0\0\0\0\0两行\n文字\n".as_bytes();
        assert!(second.ends_with(field));
    }
}
