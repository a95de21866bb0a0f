//! From a [`Brief`] to a message on the wire (mail.md, section 1).

use lettre::Address;
use lettre::message::header::{From, ReplyTo, To};
use lettre::message::{Mailbox, Mailboxes};

use super::mime::{self, Writer};
use super::session::Ready;
use super::{Settings, SettingsError};
use crate::channel::ics::{self, Head, Organizer};
use crate::channel::{Attempted, render};
use crate::domain::brief::{Brief, Letter, Receipt};
use crate::domain::causes;
use crate::domain::delivery::{FailReason, Next};

/// Makes messages under one sender.
pub struct Composer {
    from: Address,
    /// The headers that name the office, ready made.
    from_line: String,
    reply_to_line: String,
}

const CALENDAR: &str = concat!(
    "Content-Type: text/calendar; charset=utf-8; method=PUBLISH;\r\n name=\"deadline.ics\"\r\n",
    "Content-Disposition: attachment; filename=\"deadline.ics\"\r\n",
);

/// Why a message cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The contact has no address, or none that is one.
    #[error("联系表中没有可用的邮箱")]
    Address,
    /// A template failed.
    #[error(transparent)]
    Render(#[from] render::RenderError),
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
        let mailbox = Mailbox::new(settings.from_name.clone(), from.clone());
        Ok(Self {
            from,
            from_line: mime::line(From::from(Mailboxes::from(mailbox))),
            reply_to_line: reply_to.map_or_else(String::new, |address| {
                mime::line(ReplyTo::from(Mailboxes::from(Mailbox::new(None, address))))
            }),
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
                from: self.from.clone(),
                to,
                text,
            }),
            Err(error) => {
                let reason = match error {
                    ComposeError::Address => FailReason::NoChannel,
                    ComposeError::Render(_) => FailReason::OurDefect,
                };
                let detail = causes::told(&error);
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
        let calendar = self.calendar_file(brief);
        let mut mail = self.head(brief, to, rendered.subject);
        let letter = format!("cuiban-{}", brief.id);
        let mixed = format!("cuiban-mixed-{}", brief.id);
        // Beside the letter, not among its alternatives: Outlook would show the entry instead.
        if calendar.is_some() {
            mail.parts("mixed", &mixed);
            mail.next(&mixed);
        }
        mail.parts("alternative", &letter);
        mail.next(&letter);
        mail.part(
            "Content-Type: text/plain; charset=utf-8\r\n",
            &rendered.text,
        );
        mail.next(&letter);
        mail.part("Content-Type: text/html; charset=utf-8\r\n", &rendered.html);
        mail.end(&letter);
        if let Some(calendar) = calendar {
            mail.next(&mixed);
            mail.part(CALENDAR, &calendar);
            mail.end(&mixed);
        }
        Ok(mail.finish())
    }

    fn head(&self, brief: &Brief, to: Address, subject: String) -> Writer {
        let mut mail = Writer::new();
        mail.lines(&self.from_line);
        let name = (!brief.name.is_empty()).then(|| brief.name.clone());
        let to = To::from(Mailboxes::from(Mailbox::new(name, to)));
        mail.lines(&mime::line(to));
        mail.worded("Subject", subject);
        mail.fixed("Date", brief.at.format("%a, %d %b %Y %H:%M:%S %z"));
        mail.fixed("Message-ID", self.message_id(&brief.id));
        mail.lines(&self.reply_to_line);
        if let Some(answers) = brief.receipt.as_ref().and_then(answered) {
            mail.fixed("In-Reply-To", &answers);
            mail.fixed("References", answers);
        } else if let Some(last) = brief.earlier.last() {
            let all: Vec<String> = brief.earlier.iter().map(|id| self.message_id(id)).collect();
            mail.fixed("In-Reply-To", self.message_id(last));
            mail.worded("References", all.join(" "));
        }
        // RFC 3834: keeps responders from answering a machine.
        mail.fixed(
            "Auto-Submitted",
            match brief.letter {
                Letter::Receipt => "auto-replied",
                _ => "auto-generated",
            },
        );
        // Not OOF: that somebody is away is worth knowing.
        mail.fixed("X-Auto-Response-Suppress", "DR, RN, NRN, AutoReply");
        mail.fixed("MIME-Version", "1.0");
        mail
    }

    /// The deadline for the reader's calendar.
    fn calendar_file(&self, brief: &Brief) -> Option<String> {
        let event = brief.event.as_ref()?;
        let head = Head {
            name: "",
            office: &brief.office.name,
            telephone: brief.office.telephone.as_deref(),
        };
        let organizer = Organizer {
            name: &brief.office.name,
            address: self.from.as_ref(),
        };
        Some(ics::attachment(head, event, organizer))
    }

    fn message_id(&self, id: &str) -> String {
        format!("<cuiban-{id}@{}>", self.from.domain())
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
