//! The parts of a mail, within bounds: at most 200, at most 20 deep. Whatever is broken is read as
//! far as it goes; nothing is refused.
//!
//! mail-parser does this too, but it decodes as it goes: bytes of an unlabelled GBK body, of an
//! unknown charset or of a character split over two pieces are lost there (mail.md 4.10).

use super::charset::{decode, transfer};
use super::header::{Headers, Parameters};

const MOST_PARTS: usize = 200;
const DEEPEST: usize = 20;

/// A part and what is in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Part<'a> {
    pub headers: Headers,
    pub kind: Parameters,
    pub disposition: Parameters,
    /// As it stands, before the transfer encoding is undone.
    pub raw: &'a [u8],
    /// Of a multipart.
    pub parts: Vec<Part<'a>>,
}

/// Reads a whole mail.
pub(super) fn parse(bytes: &[u8]) -> Part<'_> {
    let mut budget = MOST_PARTS;
    part(bytes, 0, &mut budget, "text/plain")
}

impl Part<'_> {
    pub fn is(&self, kind: &str) -> bool {
        self.kind.value == kind
    }

    pub fn is_text(&self) -> bool {
        self.is("text/plain") || self.is("text/html") || self.kind.value == "text"
    }

    /// Whether it is there to be kept, not to be read in place.
    pub fn is_attached(&self) -> bool {
        self.disposition.value == "attachment" || self.file_name().is_some()
    }

    pub fn file_name(&self) -> Option<String> {
        let name = self.disposition.decoded("filename");
        name.or_else(|| self.kind.decoded("name"))
            .filter(|name| !name.trim().is_empty())
    }

    pub fn bytes(&self) -> Vec<u8> {
        let encoding = self.headers.text("Content-Transfer-Encoding");
        transfer(&encoding.unwrap_or_default(), self.raw)
    }

    pub fn text(&self) -> String {
        let bytes = self.bytes();
        let charset = self.kind.plain("charset");
        decode(charset.as_deref(), &bytes)
    }

    /// This part and all in it, outermost first.
    pub fn walk<'s>(&'s self, see: &mut impl FnMut(&'s Self)) {
        see(self);
        for part in &self.parts {
            part.walk(see);
        }
    }
}

fn part<'a>(bytes: &'a [u8], depth: usize, budget: &mut usize, usual: &str) -> Part<'a> {
    *budget = budget.saturating_sub(1);
    let (headers, raw) = split_head(bytes);
    let mut kind = Parameters::read(headers.raw("Content-Type").unwrap_or_default());
    if kind.value.is_empty() {
        kind.value = usual.to_owned();
    }
    let disposition = Parameters::read(headers.raw("Content-Disposition").unwrap_or_default());
    let mut parts = Vec::new();
    let boundary = kind
        .plain("boundary")
        .filter(|boundary| !boundary.is_empty());
    if let (true, Some(boundary)) = (
        kind.value.starts_with("multipart/") && depth < DEEPEST,
        boundary,
    ) {
        let usual = match kind.value.as_str() {
            "multipart/digest" => "message/rfc822",
            _ => "text/plain",
        };
        for inner in between(raw, boundary.trim_end().as_bytes()) {
            if *budget == 0 {
                break;
            }
            parts.push(part(inner, depth + 1, budget, usual));
        }
    }
    if parts.is_empty() && kind.value.starts_with("multipart/") {
        kind.value = "text/plain".into();
    }
    Part {
        headers,
        kind,
        disposition,
        raw,
        parts,
    }
}

/// The fields up to the first empty line, unfolded, and the rest.
pub(super) fn split_head(bytes: &[u8]) -> (Headers, &[u8]) {
    const MOST: usize = 1000;
    const LONGEST: usize = 32 * 1024;
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    let mut rest = bytes;
    loop {
        let (line, after) = line(rest);
        if line.is_empty() || fields.len() > MOST {
            return (Headers(fields), after);
        }
        rest = after;
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some((_, value)) = fields.last_mut().filter(|(_, value)| value.len() < LONGEST) {
                value.extend_from_slice(b"\r\n");
                value.extend_from_slice(line);
            }
        } else if let Some(at) = line.iter().position(|byte| *byte == b':') {
            let (name, value) = line.split_at(at);
            let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
            fields.push((
                name,
                value.get(1..).unwrap_or_default().trim_ascii().to_vec(),
            ));
        }
        // Any other line is none of the mail's: the `From ` of a mailbox file, or a scanner's.
    }
}

/// A line without its end, and what follows.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = match end {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at + 1..).unwrap_or_default(),
        ),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// What stands between the lines of a boundary; the last part may lack its end.
fn between<'a>(bytes: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    while at < bytes.len() && parts.len() < MOST_PARTS {
        let (this, rest) = line(bytes.get(at..).unwrap_or_default());
        let mark = this
            .strip_prefix(b"--")
            .and_then(|mark| mark.strip_prefix(boundary));
        let next = bytes.len() - rest.len();
        let is_end = mark.is_some_and(|tail| tail.trim_ascii() == b"--");
        if is_end || mark.is_some_and(|tail| tail.trim_ascii().is_empty()) {
            if let Some(start) = start {
                // The line end before a boundary belongs to it.
                let part = bytes.get(start..at).unwrap_or_default();
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                parts.push(part.strip_suffix(b"\r").unwrap_or(part));
            }
            start = (!is_end).then_some(next);
            if is_end {
                break;
            }
        }
        at = next;
    }
    if let Some(part) = start.and_then(|start| bytes.get(start..)) {
        parts.push(part);
    }
    parts
}
