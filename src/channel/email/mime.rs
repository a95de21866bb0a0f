//! A mail as text (RFC 5322, 2045 to 2047): lines of headers, and parts in base64, written one after
//! the other into one buffer.

use std::fmt::{Display, Write as _};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{Header, HeaderName, HeaderValue, Headers};

/// A mail in the making.
pub(super) struct Writer(String);

impl Writer {
    pub(super) fn new() -> Self {
        // Most mails are shorter; a longer one grows once.
        Self(String::with_capacity(16 << 10))
    }

    /// Headers, ready made.
    pub(super) fn lines(&mut self, headers: &str) {
        self.0.push_str(headers);
    }

    /// A header of a few ASCII words.
    pub(super) fn fixed(&mut self, name: &str, value: impl Display) {
        // Writing to a text does not fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
    }

    /// A header with whatever words, encoded and folded.
    pub(super) fn worded(&mut self, name: &'static str, value: String) {
        let name = HeaderName::new_from_ascii_str(name);
        let mut headers = Headers::new();
        headers.insert_raw(HeaderValue::new(name, value));
        self.0.push_str(&headers.to_string());
    }

    /// Begins a body, or a part, of several parts.
    pub(super) fn parts(&mut self, kind: &str, boundary: &str) {
        let head = format!("multipart/{kind};\r\n boundary=\"{boundary}\"\r\n");
        self.fixed("Content-Type", head);
    }

    /// Where the next part begins.
    pub(super) fn next(&mut self, boundary: &str) {
        let _ = write!(self.0, "--{boundary}\r\n");
    }

    /// A part of this type, with further headers.
    pub(super) fn part(&mut self, headers: &str, text: &str) {
        self.0.push_str(headers);
        self.fixed("Content-Transfer-Encoding", "base64\r\n");
        self.base64(text);
        self.0.push_str("\r\n");
    }

    /// The end of several parts.
    pub(super) fn end(&mut self, boundary: &str) {
        let _ = write!(self.0, "--{boundary}--\r\n");
    }

    /// The mail.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// With the line ends of mail within and 76 characters a line without.
    fn base64(&mut self, text: &str) {
        const LINE: usize = 76;
        let mut plain = Vec::with_capacity(text.len() + text.len() / 16);
        for line in text.lines() {
            plain.extend_from_slice(line.as_bytes());
            plain.extend_from_slice(b"\r\n");
        }
        let coded = BASE64.encode(&plain);
        self.0.reserve(coded.len() + coded.len() / LINE * 2 + 2);
        let mut rest = coded.as_str();
        while let Some((line, further)) = rest.split_at_checked(LINE) {
            self.0.push_str(line);
            self.0.push_str("\r\n");
            rest = further;
        }
        if !rest.is_empty() {
            self.0.push_str(rest);
            self.0.push_str("\r\n");
        }
    }
}

/// A header as a line, encoded and folded.
pub(super) fn line(header: impl Header) -> String {
    let mut headers = Headers::new();
    headers.set(header);
    headers.to_string()
}
