//! From a [`Brief`] to a message on the wire (mail.md, section 1).

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{
    ContentDisposition, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::session::Ready;
use super::{Settings, SettingsError};
use crate::channel::ics::{self, Head, Organizer};
use crate::channel::{Attempted, render};
use crate::domain::brief::{Brief, Letter, Receipt};
use crate::domain::delivery::{FailReason, Next};

/// Makes messages under one sender.
pub struct Composer {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    domain: String,
}

/// Why a message cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The contact has no address, or none that is one.
    #[error("联系表中没有可用的邮箱")]
    Address,
    /// A template failed.
    #[error(transparent)]
    Render(#[from] render::RenderError),
    /// The message does not come together.
    #[error("邮件无法组成")]
    Build(#[from] lettre::error::Error),
    /// Something in it is no text.
    #[error("邮件中有无法识别的字符")]
    Charset,
}

impl Composer {
    /// Checks the sender's addresses.
    ///
    /// # Errors
    /// [`SettingsError::Address`] names the one that is none.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let parse = |address: &str| {
            address
                .parse::<Address>()
                .map_err(|_| SettingsError::Address(address.to_owned()))
        };
        let from = parse(&settings.from_address)?;
        let reply_to = settings.reply_to.as_deref().map(parse).transpose()?;
        Ok(Self {
            domain: from.domain().to_owned(),
            reply_to: reply_to.map(|address| Mailbox::new(None, address)),
            from: Mailbox::new(settings.from_name.clone(), from),
        })
    }

    /// The message, the same at every try but for what has changed meanwhile.
    ///
    /// # Errors
    /// [`ComposeError`] says what is missing.
    pub fn message(&self, brief: &Brief) -> Result<String, ComposeError> {
        let to = address_of(brief)?;
        self.build(brief, to)
    }

    pub(super) fn compose(&self, brief: &Brief) -> Result<Ready, Box<Attempted>> {
        let made = address_of(brief).and_then(|to| Ok((to.clone(), self.build(brief, to)?)));
        match made {
            Ok((to, text)) => Ok(Ready {
                from: self.from.email.clone(),
                to,
                text,
            }),
            Err(error) => {
                let reason = match error {
                    ComposeError::Address => FailReason::NoChannel,
                    ComposeError::Render(_) | ComposeError::Build(_) | ComposeError::Charset => {
                        FailReason::OurDefect
                    }
                };
                let detail = chain(&error);
                Err(Box::new(Attempted::failed(
                    reason,
                    Next::NextChannel,
                    &detail,
                )))
            }
        }
    }

    fn build(&self, brief: &Brief, to: Address) -> Result<String, ComposeError> {
        let rendered = render::letter(brief)?;
        let name = (!brief.name.is_empty()).then(|| brief.name.clone());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, to))
            .subject(rendered.subject)
            .date(SystemTime::from(brief.at))
            .message_id(Some(self.message_id(&brief.id)));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if let Some(answers) = brief.receipt.as_ref().and_then(answered) {
            builder = builder.in_reply_to(answers.clone()).references(answers);
        } else if let Some(last) = brief.earlier.last() {
            let all: Vec<String> = brief.earlier.iter().map(|id| self.message_id(id)).collect();
            builder = builder
                .in_reply_to(self.message_id(last))
                .references(all.join(" "));
        }
        let builder = match brief.letter {
            Letter::Receipt => builder.header(AutoReplied),
            _ => builder.header(AutoSubmitted),
        };
        let builder = builder.header(NoAutoResponse);
        let part = |kind, text: &str| SinglePart::builder().header(kind).body(base64(text));
        let letter = MultiPart::alternative()
            .boundary(format!("cuiban-{}", brief.id))
            .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
            .singlepart(part(ContentType::TEXT_HTML, &rendered.html));
        // Beside the letter, not among its alternatives: Outlook would show the entry instead.
        let message = builder.multipart(match self.calendar_file(brief) {
            Some(file) => MultiPart::mixed()
                .boundary(format!("cuiban-mixed-{}", brief.id))
                .multipart(letter)
                .singlepart(file),
            None => letter,
        })?;
        let mut bytes = message.formatted();
        set_date(&mut bytes, brief);
        String::from_utf8(bytes).map_err(|_| ComposeError::Charset)
    }

    /// The deadline for the reader's calendar.
    fn calendar_file(&self, brief: &Brief) -> Option<SinglePart> {
        const TYPE: &str = "text/calendar; charset=utf-8; method=PUBLISH; name=\"deadline.ics\"";
        let event = brief.event.as_ref()?;
        let head = Head {
            name: "",
            office: &brief.office.name,
            telephone: brief.office.telephone.as_deref(),
        };
        let organizer = Organizer {
            name: &brief.office.name,
            address: self.from.email.as_ref(),
        };
        let file = ics::attachment(head, event, organizer);
        let part = SinglePart::builder()
            .header(ContentType::parse(TYPE).ok()?)
            .header(ContentDisposition::attachment("deadline.ics"))
            .body(base64(&file));
        Some(part)
    }

    fn message_id(&self, id: &str) -> String {
        format!("<cuiban-{id}@{}>", self.domain)
    }
}

/// The id of the mail that a receipt answers, if it can stand in a header.
fn answered(receipt: &Receipt) -> Option<String> {
    let id = receipt.answers.as_deref()?;
    let fits = id.len() <= 250
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte));
    fits.then(|| format!("<{id}>"))
}

fn address_of(brief: &Brief) -> Result<Address, ComposeError> {
    let address = brief.contact.email.as_deref();
    address
        .and_then(|address| address.parse().ok())
        .ok_or(ComposeError::Address)
}

/// The office's own zone: lettre can only write +0000, and some clients show it as it is.
fn set_date(bytes: &mut [u8], brief: &Brief) {
    const NAME: &[u8] = b"\r\nDate: ";
    let date = brief.at.format("%a, %d %b %Y %H:%M:%S %z").to_string();
    let start = bytes
        .windows(NAME.len())
        .position(|window| window == NAME)
        .map_or(0, |at| at + NAME.len());
    if let Some(line) = bytes.get_mut(start..start + date.len())
        && line.ends_with(b" +0000")
    {
        line.copy_from_slice(date.as_bytes());
    }
}

/// A body in base64, with the line ends of mail within and 76 characters a line without.
fn base64(text: &str) -> Body {
    /// Makes a line of 76 characters.
    const BYTES: usize = 57;
    let mut plain = Vec::with_capacity(text.len() + 128);
    for line in text.lines() {
        plain.extend_from_slice(line.as_bytes());
        plain.extend_from_slice(b"\r\n");
    }
    let mut coded = String::with_capacity(plain.len() / 3 * 4 + plain.len() / BYTES * 2 + 8);
    for line in plain.chunks(BYTES) {
        BASE64.encode_string(line, &mut coded);
        coded.push_str("\r\n");
    }
    Body::dangerous_pre_encoded(coded.into_bytes(), ContentTransferEncoding::Base64)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push('：');
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

macro_rules! fixed_header {
    ($type:ident, $name:literal, $value:literal) => {
        #[derive(Clone)]
        struct $type;

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value.to_owned())
            }
        }
    };
}

// RFC 3834: keeps responders from answering a machine.
fixed_header!(AutoSubmitted, "Auto-Submitted", "auto-generated");
fixed_header!(AutoReplied, "Auto-Submitted", "auto-replied");
// Not OOF: that somebody is away is worth knowing.
fixed_header!(
    NoAutoResponse,
    "X-Auto-Response-Suppress",
    "DR, RN, NRN, AutoReply"
);
