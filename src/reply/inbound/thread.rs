//! Which reminder of ours a mail answers.

use std::collections::HashMap;

use crate::domain::book::Book;
use crate::domain::brief::{message_name, subject_token};
use crate::domain::message::{MessageKey, Thread};
use crate::reply::mail::Mail;

/// Before the name of a message in a Message-ID of ours.
const ID: &str = "cuiban-";

/// The reminders of ours that a mail names, by id and by token.
pub(super) fn thread(book: &Book, mail: &Mail) -> Result<Option<Thread>, &'static str> {
    let ours = mail.parents.iter().any(|id| id.starts_with(ID)) || !mail.tokens.is_empty();
    if !ours {
        return Ok(None);
    }
    let (mut names, mut tokens) = (HashMap::new(), HashMap::new());
    for key in book.messages.keys() {
        names.insert(message_name(key), key);
        tokens
            .entry(subject_token(&key.plan, key.quarter, &key.person))
            .or_insert(key);
    }
    let name = |id: &String| {
        let (name, _) = id.strip_prefix(ID)?.split_once('@')?;
        names.get(name).copied()
    };
    let by_id = mail.parents.iter().find_map(name).map(MessageKey::thread);
    let by_token = mail
        .tokens
        .iter()
        .find_map(|token| tokens.get(token).copied())
        .map(MessageKey::thread);
    match (by_id, by_token) {
        (Some(one), Some(other)) if one != other => Err("邮件的主题与所回复的邮件指向不同的提醒"),
        (one, other) => Ok(one.or(other)),
    }
}
