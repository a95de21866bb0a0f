//! What an owner is told of the mail they answered with.

use crate::domain::book::Book;
use crate::domain::ids::TaskNo;
use crate::domain::mail::MailOutcome;
use crate::domain::message::{MessageKey, Occasion};

/// What was understood of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its Message-ID, to answer in its thread.
    pub answers: Option<String>,
    /// What was put on record, in the order of the mail.
    pub said: Vec<SaidItem>,
    /// Files that were not taken, each with why.
    pub unkept: Vec<(String, String)>,
    /// Why a part, or all of it, is looked at by a coordinator.
    pub left: Option<String>,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidItem {
    /// The task.
    pub task: TaskNo,
    /// Its short name.
    pub name: String,
    /// How it stands.
    pub status: &'static str,
    /// 完成情况.
    pub progress: String,
}

pub(super) fn receipt(book: &Book, key: &MessageKey) -> Option<Receipt> {
    let Occasion::Receipt(nth) = key.occasion else {
        return None;
    };
    let known = book.mails.values().rev().find(|known| {
        let of_person = known
            .mail
            .thread
            .as_ref()
            .is_some_and(|thread| thread.person == key.person);
        of_person && known.mail.receipt == Some(nth)
    })?;
    let mail = &known.mail;
    let (items, left) = match &mail.outcome {
        MailOutcome::Reported { items, left } => (items.as_slice(), left.clone()),
        MailOutcome::Unclear { why } => (&[][..], Some(why.clone())),
        _ => (&[][..], None),
    };
    let said = items.iter().filter_map(|item| {
        let (task, _) = book.task_and_group(item)?;
        let obligation = book.obligations.get(item)?;
        let mut reports = obligation.reports.iter().rev();
        let report = &reports.find(|received| received.at <= known.at)?.report;
        Some(SaidItem {
            task: item.task,
            name: task.short_name(),
            status: report.status.chinese(),
            progress: report.progress.clone(),
        })
    });
    Some(Receipt {
        answers: mail.message_id.clone(),
        said: said.collect(),
        unkept: mail.unkept.clone(),
        left,
    })
}
