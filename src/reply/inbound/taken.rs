//! What is kept of a mail: the fact that it was taken, and that names it for ever.

use super::{Answer, Incoming, Offered};
use crate::domain::evidence::{Evidence, MOST_FILES, NotTaken};
use crate::domain::fact::Fact;
use crate::domain::mail::{MailOutcome, TakenMail};

pub(super) fn taken(incoming: &Incoming, answer: Answer, receipt: Option<u32>) -> Fact {
    /// As much as a coordinator needs; the whole is in its file.
    const LONGEST: usize = 8000;
    let mail = &incoming.mail;
    let (kept, mut unkept) = set_by(&answer, &incoming.files);
    unkept.retain(|refused| !answer.unkept.contains(refused));
    unkept.splice(..0, answer.unkept);
    let quiet = matches!(
        answer.outcome,
        MailOutcome::Ignored | MailOutcome::Automatic | MailOutcome::Bounced { .. }
    );
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    Fact::MailTaken {
        mail: Box::new(TakenMail {
            sha256: incoming.sha256.clone(),
            message_id: mail.id.as_deref().map(|id| short(id, 500)),
            place: incoming.place,
            from: short(mail.from.as_deref().unwrap_or_default(), 254),
            subject: short(&mail.subject, 500),
            text: if quiet {
                String::new()
            } else {
                short(&mail.text, LONGEST)
            },
            files: mail
                .attachments
                .iter()
                .filter(|file| !file.inline)
                .map(|file| file.name.clone())
                .take(50)
                .collect(),
            unkept,
            kept,
            thread: answer.thread,
            outcome: answer.outcome,
            receipt,
        }),
    }
}

/// The files of a mail that waits for a coordinator: those that may come to stand beside what is
/// entered for it, and the others, each with why.
fn set_by(answer: &Answer, files: &[Offered]) -> (Vec<Evidence>, Vec<(String, String)>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    if answer.thread.is_none() || !answer.outcome.waits() {
        return (kept, refused);
    }
    for offered in files {
        let why = match &offered.file {
            Ok(evidence) if kept.len() < MOST_FILES => {
                kept.push(evidence.clone());
                continue;
            }
            Ok(_) => &NotTaken::TooMany,
            Err(why) => why,
        };
        refused.push((offered.name.clone(), why.to_string()));
    }
    (kept, refused)
}
