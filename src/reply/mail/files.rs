//! The files that came with a mail.

use super::header::{Parameters, text};
use super::mime::Part;
use crate::domain::evidence::safe_name;

/// A file of a mail. Its name is for people: nothing is ever stored under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Without folders, control characters and marks of direction; at most 200 bytes.
    pub name: String,
    /// As the mail says; the bytes have the last word.
    pub kind: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Shown inside the text: a logo more often than evidence.
    pub inline: bool,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .field("inline", &self.inline)
            .finish()
    }
}

/// All of them, in order.
pub(super) fn list(root: &Part<'_>) -> Vec<Attachment> {
    let mut files = Vec::new();
    root.walk(&mut |part| {
        let readable = part.is_text() && !part.is_attached();
        let report = part.kind.value.starts_with("message/") && part.kind.value != "message/rfc822";
        if part.parts.is_empty() && !readable && !report {
            files.push(attachment(part));
        }
    });
    files
}

fn attachment(part: &Part<'_>) -> Attachment {
    let bytes = part.bytes();
    let shown = part.headers.raw("Content-ID").is_some() && part.disposition.value != "attachment";
    Attachment {
        name: safe_name(&name(part)),
        kind: part.kind.value.clone(),
        inline: shown
            || (part.disposition.value == "inline" && part.kind.value.starts_with("image/")),
        bytes,
    }
}

fn name(part: &Part<'_>) -> String {
    if let Some(name) = part.file_name() {
        return name;
    }
    if part.is("message/rfc822") {
        let (inner, _) = super::mime::split_head(part.raw);
        let subject = inner.raw("Subject").map(text).unwrap_or_default();
        return format!("{subject}.eml");
    }
    // The last resort of some gateways.
    let located = part
        .headers
        .raw("Content-Description")
        .map(Parameters::read);
    located
        .map(|said| said.value)
        .filter(|said| said.contains('.'))
        .unwrap_or_default()
}
