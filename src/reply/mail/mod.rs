//! A mail as it came, read: who wrote what, in answer to which of our mails, and whether a person
//! wrote it at all (mail.md 4). Pure: bytes in, words out; never fails, never panics, bounded time.
//!
//! Example: a mail from QQ whose plain part is `已完成。`, a row of dashes with 原始邮件 and our own
//! letter gives the text `已完成。` and, from `References`, the id of our letter.

mod auth;
mod auto;
mod bounce;
mod charset;
mod files;
mod header;
mod html;
mod mime;
mod quote;
#[cfg(test)]
mod tests;

use chrono::{DateTime, FixedOffset};

use header::Headers;
use mime::Part;

pub use auth::Authenticity;
pub use auto::AutoKind;
pub use bounce::{Action, Bounce, Bounced};
pub use files::Attachment;

/// What tells our own mails and servers from others'.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ours {
    /// The addresses that reminders come from and answers go to, in lower case, without tags.
    pub addresses: Vec<String>,
    /// The first word of the `Authentication-Results` that our own receiving server writes.
    pub authserv_id: Option<String>,
}

/// A mail, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What it is.
    pub kind: MailKind,
    /// Its Message-ID, without brackets.
    pub id: Option<String>,
    /// The address in From, in lower case; none where there is not exactly one.
    pub from: Option<String>,
    /// The name beside it.
    pub from_name: String,
    /// The subject, in one line.
    pub subject: String,
    /// When it says it was written.
    pub date: Option<DateTime<FixedOffset>>,
    /// The first id in In-Reply-To.
    pub in_reply_to: Option<String>,
    /// The ids in References, in order.
    pub references: Vec<String>,
    /// Ids of the mail it answers, the likeliest first, with and without what relays put before.
    pub parents: Vec<String>,
    /// Tokens of threads: from the addresses it was sent to, from the subject, from the quote; the
    /// surest first.
    pub tokens: Vec<String>,
    /// What was written, without quotes and the client's own lines.
    pub text: String,
    /// What was cut away.
    pub quoted: String,
    /// The files with it, in order.
    pub attachments: Vec<Attachment>,
    /// Whether our own server vouches for From.
    pub authenticity: Authenticity,
}

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailKind {
    /// A person wrote something.
    Answer,
    /// A person sent it, but wrote nothing and attached nothing.
    Empty,
    /// A machine answered.
    Automatic(AutoKind),
    /// A mail of ours did not arrive, or not yet.
    Bounce(Bounce),
    /// One of our own, come back.
    Own,
}

impl Mail {
    /// Whether no answer may go to it: it was no person who sent it.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        !matches!(self.kind, MailKind::Answer | MailKind::Empty)
    }
}

/// Reads a mail.
#[must_use]
pub fn read(bytes: &[u8], ours: &Ours) -> Mail {
    let root = mime::parse(bytes);
    let headers = &root.headers;
    let (from, from_name) = sender(headers);
    let subject = headers.text("Subject").unwrap_or_default();
    let body = body(&root);
    let cut = quote::cut(&body);
    let in_reply_to = headers
        .raw("In-Reply-To")
        .map(header::ids)
        .unwrap_or_default();
    let references: Vec<String> = headers.all("References").flat_map(header::ids).collect();
    let bounce = bounce::read(&root, &subject, &body, ours, from.as_deref());
    let tokens = tokens(headers, &subject, &body, bounce.as_ref(), ours);
    let attachments = files::list(&root);
    let is_own = from.as_ref().is_some_and(|from| is_ours(from, ours));
    let kind = if let Some(bounce) = bounce {
        MailKind::Bounce(bounce)
    } else if is_own {
        MailKind::Own
    } else if let Some(kind) = auto::kind(&root, &subject, &cut.new) {
        MailKind::Automatic(kind)
    } else if cut.new.is_empty() && attachments.iter().all(|file| file.inline) {
        MailKind::Empty
    } else {
        MailKind::Answer
    };
    Mail {
        parents: parents(headers, &in_reply_to, &references, &kind),
        kind,
        id: headers
            .raw("Message-ID")
            .and_then(|raw| header::ids(raw).into_iter().next()),
        authenticity: auth::read(headers, ours, from.as_deref()),
        from,
        from_name,
        subject,
        date: headers.text("Date").and_then(|date| date_of(&date)),
        in_reply_to: in_reply_to.into_iter().next(),
        references,
        tokens,
        text: cut.new,
        quoted: cut.quoted,
        attachments,
    }
}

/// Whether an address is one of ours, tag or not.
fn is_ours(address: &str, ours: &Ours) -> bool {
    let plain = match (address.split_once('+'), address.split_once('@')) {
        (Some((local, rest)), Some(_)) => match rest.split_once('@') {
            Some((_, domain)) => format!("{local}@{domain}"),
            None => address.to_owned(),
        },
        _ => address.to_owned(),
    };
    ours.addresses
        .iter()
        .any(|own| own.eq_ignore_ascii_case(&plain))
}

/// Exactly one address in exactly one From, or nobody.
fn sender(headers: &Headers) -> (Option<String>, String) {
    let mut all = headers.all("From").map(header::addresses);
    match (all.next().as_deref(), all.next()) {
        (Some([one]), None) => (Some(one.address.clone()), one.name.clone()),
        _ => (None, String::new()),
    }
}

/// The plain part where it says anything, else the HTML as text.
fn body(root: &Part<'_>) -> String {
    let (mut plain, mut html) = (String::new(), String::new());
    gather(root, &mut plain, &mut html);
    let plain = unescaped(&plain);
    if plain.chars().any(|c| !c.is_whitespace() && c != '\u{feff}') {
        return plain;
    }
    html
}

fn gather(part: &Part<'_>, plain: &mut String, html: &mut String) {
    /// More text than this no person writes; the rest is a log or a machine's.
    const MOST: usize = 1024 * 1024;
    if part.is_attached() && part.disposition.value != "inline" {
        return;
    }
    let into = match part.kind.value.as_str() {
        "text/plain" | "text" | "" => &mut *plain,
        "text/html" => &mut *html,
        kind if kind.starts_with("multipart/") => {
            part.parts.iter().for_each(|part| gather(part, plain, html));
            return;
        }
        _ => return,
    };
    if into.len() > MOST || part.file_name().is_some() {
        return;
    }
    let mut text = part.text();
    if let Some((at, _)) = text.char_indices().find(|(at, _)| *at > MOST) {
        text.truncate(at);
    }
    if part.is("text/html") {
        text = html::to_text(&text);
    } else if part
        .kind
        .plain("format")
        .is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
    {
        let glued = part
            .kind
            .plain("delsp")
            .is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"));
        text = unflowed(&text, glued);
    }
    into.push_str(&text);
    into.push('\n');
}

/// RFC 3676: a line that ends with a blank goes on in the next, where both are quoted as deep.
fn unflowed(text: &str, glued: bool) -> String {
    let depth = |line: &str| line.chars().take_while(|c| *c == '>').count();
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let (marks, body) = line.split_at_checked(depth(line)).unwrap_or(("", line));
        let body = body.strip_prefix(' ').unwrap_or(body);
        let goes_on = body.ends_with(' ') && body != "-- ";
        if open != Some(marks.len()) {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(marks);
            if !marks.is_empty() {
                out.push(' ');
            }
        }
        out.push_str(if goes_on && glued {
            body.strip_suffix(' ').unwrap_or(body)
        } else {
            body
        });
        open = goes_on.then_some(marks.len());
    }
    out
}

/// QQ and Coremail leave entities standing in plain parts; no other plain mail has them.
fn unescaped(plain: &str) -> String {
    if !plain.contains("&nbsp;") && !plain.contains("&gt;") && !plain.contains("&lt;") {
        return plain.to_owned();
    }
    plain
        .replace("&nbsp;", " ")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
}

fn parents(
    headers: &Headers,
    reply_to: &[String],
    references: &[String],
    kind: &MailKind,
) -> Vec<String> {
    let exchange = headers
        .raw("x-ms-exchange-parent-message-id")
        .map(header::ids);
    let bounced = match kind {
        MailKind::Bounce(bounce) => bounce.original_id.clone(),
        _ => None,
    };
    let mut all = Vec::new();
    let ids = bounced.into_iter().chain(exchange.unwrap_or_default());
    let ids = ids
        .chain(reply_to.iter().cloned())
        .chain(references.iter().rev().cloned());
    for id in ids {
        let bare = unprefixed(&id).to_owned();
        for id in [id, bare] {
            if !all.contains(&id) {
                all.push(id);
            }
        }
    }
    all
}

/// An id without the 16 digits and the plus that Tencent's relays put before it.
#[must_use]
pub fn unprefixed(id: &str) -> &str {
    let mut id = id;
    while let Some((digits, rest)) = id.split_once('+') {
        let hex = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || rest.is_empty() {
            break;
        }
        id = rest;
    }
    id
}

fn tokens(
    headers: &Headers,
    subject: &str,
    body: &str,
    bounce: Option<&Bounce>,
    ours: &Ours,
) -> Vec<String> {
    const TO: [&str; 6] = [
        "To",
        "Cc",
        "Delivered-To",
        "X-Original-To",
        "Envelope-To",
        "X-Delivered-To",
    ];
    let mut all: Vec<String> = Vec::new();
    let mut add = |token: &str| {
        let token = token.to_owned();
        if !all.contains(&token) {
            all.push(token);
        }
    };
    for raw in TO.into_iter().flat_map(|name| headers.all(name)) {
        // Addresses are compared in lower case, tokens as they stand.
        let text = String::from_utf8_lossy(raw);
        text.split(|c: char| c.is_whitespace() || "<>,;\"".contains(c))
            .filter(|word| is_ours(&word.to_lowercase(), ours))
            .filter_map(|word| word.split_once('+')?.1.split_once('@'))
            .filter(|(tag, _)| is_token(tag) && *tag != "bounce")
            .for_each(|(tag, _)| add(tag));
    }
    marked(subject).for_each(&mut add);
    if let Some(bounce) = bounce {
        bounce.tokens.iter().for_each(|token| add(token));
    }
    marked(body).for_each(&mut add);
    all
}

/// Every `[#…]` in a text.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split("[#").skip(1).filter_map(|rest| {
        let (token, _) = rest.split_once(']')?;
        is_token(token).then_some(token)
    })
}

fn is_token(text: &str) -> bool {
    (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The date, with or without the comment that many clients put after the zone.
fn date_of(text: &str) -> Option<DateTime<FixedOffset>> {
    let plain = text.split('(').next().unwrap_or_default().trim();
    DateTime::parse_from_rfc2822(plain).ok()
}
