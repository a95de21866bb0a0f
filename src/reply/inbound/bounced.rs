//! A letter of ours that came back.

use super::{Answer, thread};
use crate::channel::mask;
use crate::domain::book::Book;
use crate::domain::mail::MailOutcome;
use crate::reply::mail::{Bounce, Mail};

pub(super) fn bounced(book: &Book, mail: &Mail, bounce: &Bounce) -> Answer {
    let Ok(Some(thread)) = thread(book, mail) else {
        return Answer::nothing(MailOutcome::Ignored);
    };
    let address = book.contact(&thread.person).email.unwrap_or_default();
    let one = bounce
        .recipients
        .iter()
        .find(|one| one.address.eq_ignore_ascii_case(&address));
    let Some(one) = one else {
        return Answer::nothing(MailOutcome::Ignored);
    };
    let outcome = MailOutcome::Bounced {
        person: thread.person.clone(),
        detail: mask::told(&one.words),
        bad: one.permanent && says_nobody(one.status.as_deref(), &one.words),
    };
    Answer {
        thread: Some(thread),
        ..Answer::nothing(outcome)
    }
}

/// Whether the peer says that there is no such address. Chinese relays answer 550 to much that
/// passes (mail.md 3.3, 3.4), so the class alone does not tell.
fn says_nobody(status: Option<&str>, words: &str) -> bool {
    const STATUS: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];
    const WORDS: [&str; 16] = [
        "user unknown",
        "unknown user",
        "no such user",
        "no such recipient",
        "user not found",
        "mailbox not found",
        "invalid user",
        "user suspended",
        "does not exist",
        "no mailbox here",
        "invalid recipient",
        "unknown recipient",
        "address rejected",
        "不存在",
        "无此用户",
        "用户已停用",
    ];
    let words = words.to_lowercase();
    status.is_some_and(|status| STATUS.contains(&status))
        || WORDS.iter().any(|word| words.contains(word))
}
