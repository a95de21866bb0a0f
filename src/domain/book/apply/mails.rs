//! What mails say, beside the reports they make.

use chrono::{DateTime, Utc};

use super::Inconsistent;
use crate::domain::book::{Book, KnownMail};
use crate::domain::ids::Position;
use crate::domain::mail::{MailOutcome, TakenMail};
use crate::domain::people::ChannelKind;

impl Book {
    pub(super) fn take_mail(&mut self, here: Position, at: DateTime<Utc>, mail: &TakenMail) {
        if let Some(place) = mail.place {
            let before = self
                .mailbox
                .filter(|known| known.validity == place.validity);
            self.mailbox = before.max(Some(place));
        }
        if let MailOutcome::Bounced {
            person,
            detail,
            bad: true,
        } = &mail.outcome
        {
            let address = (person.clone(), ChannelKind::Email);
            let address = self.addresses.entry(address).or_default();
            address.confirmed = None;
            address.refused = Some((at, detail.clone()));
        }
        self.know_mail(
            here,
            KnownMail {
                at,
                mail: mail.clone(),
                settled: None,
            },
        );
    }

    /// Keeps it and its names.
    pub fn know_mail(&mut self, here: Position, known: KnownMail) {
        let names = [Some(&known.mail.sha256), known.mail.message_id.as_ref()];
        for name in names.into_iter().flatten() {
            self.mail_names.entry(name.clone()).or_insert(here);
        }
        self.mails.insert(here, known);
    }

    pub(super) fn settle_mail(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        (mail, unkept): (&str, &[(String, String)]),
    ) -> Result<(), Inconsistent> {
        let known = self
            .mail_names
            .get(mail)
            .and_then(|place| self.mails.get_mut(place));
        let known = known.ok_or_else(|| Inconsistent::Unknown {
            position: here,
            what: format!("邮件 {mail}"),
        })?;
        known.settled = Some(at);
        for refused in unkept {
            if !known.mail.unkept.contains(refused) {
                known.mail.unkept.push(refused.clone());
            }
        }
        Ok(())
    }
}
