//! What a mail from the mailbox means for the book: whom it is from, what it answers, what follows.
//!
//! A report is taken only where everything fits: the mail belongs to one reminder, its sender is
//! who that reminder went to or a colleague of the same group, our own server does not say that
//! the sender is forged, and the words are understood. Whatever does not fit waits for a
//! coordinator; nothing is dropped, nothing guessed, and nothing counts twice.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::accept::{self, Refusal, Submission};
use super::mail::{Authenticity, Bounce, Mail, MailKind};
use super::words::{self, OpenItem, Understood};
use crate::channel::mask;
use crate::domain::book::{Book, KnownMail};
use crate::domain::brief::{message_name, subject_token};
use crate::domain::evidence::{Adding, Evidence, MOST_FILES, NotTaken};
use crate::domain::fact::{Actor, Fact, WithdrawWhy};
use crate::domain::ids::{ObligationKey, PersonId, TaskNo};
use crate::domain::mail::{MailOutcome, Place, TakenMail, Thread};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};
use crate::domain::people::ChannelKind;
use crate::domain::report::Via;
use crate::rules::RuleSet;

/// A mail from the mailbox.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// As read.
    pub mail: Mail,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Where it lay.
    pub place: Option<Place>,
    /// When it came there.
    pub arrived: Option<DateTime<Utc>>,
    /// Whether a mail counts only where our own server vouches for its sender.
    pub vouched: bool,
    /// Its files, looked at; those with a name of their own are on disk.
    pub files: Vec<Offered>,
}

/// A file of a mail.
#[derive(Debug, Clone)]
pub struct Offered {
    /// As the mail calls it.
    pub name: String,
    /// What it is, or why it cannot stand beside a report.
    pub file: Result<Evidence, NotTaken>,
}

/// The facts to append for a mail; none where it was taken before.
#[must_use]
pub fn decide(book: &Book, incoming: &Incoming, at: DateTime<Utc>, rules: &RuleSet) -> Vec<Fact> {
    if book.mail_names.contains_key(&incoming.sha256) {
        let is_further = |place: &Place| {
            let known = book
                .mailbox
                .filter(|known| known.validity == place.validity);
            known < Some(*place)
        };
        let again = incoming.place.filter(is_further);
        let ignored = again.map(|_| taken(incoming, Answer::nothing(MailOutcome::Ignored), None));
        return ignored.into_iter().collect();
    }
    let twice = |id: &String| book.mail_names.contains_key(id);
    let mut answer = match &incoming.mail.kind {
        _ if incoming.mail.id.as_ref().is_some_and(twice) => Answer::nothing(MailOutcome::Ignored),
        MailKind::Own => Answer::nothing(MailOutcome::Ignored),
        MailKind::Automatic(_) => Answer {
            thread: thread(book, &incoming.mail).ok().flatten(),
            ..Answer::nothing(MailOutcome::Automatic)
        },
        MailKind::Bounce(bounce) => bounced(book, &incoming.mail, bounce),
        MailKind::Answer | MailKind::Empty => answered(book, incoming, at, rules),
    };
    let receipt = receipt(book, &answer, at);
    let nth = receipt.as_ref().map(|(nth, _)| *nth);
    let (evidence, reports) = (
        std::mem::take(&mut answer.evidence),
        std::mem::take(&mut answer.reports),
    );
    let mut facts = vec![taken(incoming, answer, nth)];
    // Before the reports, which stand on them.
    facts.extend(evidence);
    facts.extend(reports);
    facts.extend(
        receipt
            .into_iter()
            .flat_map(|(_, message)| thanks(book, incoming, message)),
    );
    facts
}

/// The receipt. To a mail that came before the store was restored from a backup, the server that
/// was lost may have sent one: it keeps its number and does not leave.
fn thanks(book: &Book, incoming: &Incoming, message: Message) -> Vec<Fact> {
    let is_old = book.resumed_from.zip(incoming.arrived);
    let key = message.key.clone();
    let queued = Fact::MessageQueued {
        message: Box::new(message),
    };
    let withdrawn = Fact::MessageWithdrawn {
        key,
        why: WithdrawWhy::Restored,
    };
    match is_old.is_some_and(|(resumed, arrived)| arrived < resumed) {
        true => vec![queued, withdrawn],
        false => vec![queued],
    }
}

/// What a mail comes to.
struct Answer {
    thread: Option<Thread>,
    outcome: MailOutcome,
    reports: Vec<Fact>,
    /// The files that come to stand beside the reports, and those that do not.
    evidence: Vec<Fact>,
    unkept: Vec<(String, String)>,
    /// Whether who wrote it is known well enough to write back.
    sure: bool,
}

impl Answer {
    fn nothing(outcome: MailOutcome) -> Self {
        Self {
            thread: None,
            outcome,
            reports: Vec::new(),
            evidence: Vec::new(),
            unkept: Vec::new(),
            sure: false,
        }
    }

    fn unclear(thread: Option<Thread>, why: impl Into<String>) -> Self {
        Self {
            thread,
            ..Self::nothing(MailOutcome::Unclear { why: why.into() })
        }
    }
}

fn taken(incoming: &Incoming, answer: Answer, receipt: Option<u32>) -> Fact {
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

/// The reminders of ours that a mail names, by id and by token.
fn thread(book: &Book, mail: &Mail) -> Result<Option<Thread>, &'static str> {
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
    let by_id = mail.parents.iter().find_map(name).map(thread_of);
    let by_token = mail
        .tokens
        .iter()
        .find_map(|token| tokens.get(token).copied())
        .map(thread_of);
    match (by_id, by_token) {
        (Some(one), Some(other)) if one != other => Err("邮件的主题与所回复的邮件指向不同的提醒"),
        (one, other) => Ok(one.or(other)),
    }
}

/// Before the name of a message in a Message-ID of ours.
const ID: &str = "cuiban-";

fn thread_of(key: &MessageKey) -> Thread {
    Thread {
        plan: key.plan.clone(),
        quarter: key.quarter,
        person: key.person.clone(),
    }
}

fn bounced(book: &Book, mail: &Mail, bounce: &Bounce) -> Answer {
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

fn answered(book: &Book, incoming: &Incoming, at: DateTime<Utc>, rules: &RuleSet) -> Answer {
    let mail = &incoming.mail;
    let known = |person: &PersonId| {
        let address = book
            .contacts
            .get(person)
            .and_then(|contact| contact.email.as_deref());
        matches!((address, &mail.from), (Some(address), Some(from)) if address.eq_ignore_ascii_case(from))
    };
    let asked = match thread(book, mail) {
        Ok(Some(asked)) => asked,
        Ok(None) => return without_thread(book, known),
        Err(why) => return Answer::unclear(None, why),
    };
    let Some(thread) = writer(book, &asked, known) else {
        return Answer::unclear(Some(asked), "发件地址不是被提醒人的，也不是同组责任人的");
    };
    match (mail.authenticity, incoming.vouched) {
        (Authenticity::Fail, _) => {
            return Answer::unclear(Some(thread), "发件人未通过收信服务器的身份验证，可能是冒名");
        }
        (Authenticity::None, true) => {
            return Answer::unclear(Some(thread), "收信服务器没有验证发件人身份");
        }
        _ => {}
    }
    Answer {
        sure: true,
        ..said(book, incoming, (thread, &asked), at, rules)
    }
}

/// A mail that names none of ours: of someone we know it waits, of others it is none of ours.
fn without_thread(book: &Book, known: impl Fn(&PersonId) -> bool) -> Answer {
    let mut senders: Vec<&PersonId> = book
        .contacts
        .keys()
        .filter(|person| known(person))
        .collect();
    senders.sort();
    let keys = senders
        .iter()
        .filter_map(|person| book.messages_of.get(*person)?.last());
    let last = keys.max_by_key(|key| key.quarter).map(thread_of);
    match last {
        Some(thread) => Answer::unclear(
            Some(thread),
            "没有引用提醒邮件，不能确定是对哪一次提醒的回复",
        ),
        None => Answer::nothing(MailOutcome::Ignored),
    }
}

/// Who answers: the person asked, or a colleague who answers for some of the same.
fn writer(book: &Book, asked: &Thread, known: impl Fn(&PersonId) -> bool) -> Option<Thread> {
    if known(&asked.person) {
        return Some(asked.clone());
    }
    let of_asked = book.obligations_of(&asked.person, &asked.plan, asked.quarter);
    let groups = of_asked.filter_map(|(key, _)| book.task_and_group(key));
    let mut others = groups
        .flat_map(|(_, group)| &group.owners)
        .filter(|owner| known(&owner.id));
    let person = others.next()?.id.clone();
    Some(Thread {
        person,
        ..asked.clone()
    })
}

fn said(
    book: &Book,
    incoming: &Incoming,
    (thread, asked): (Thread, &Thread),
    at: DateTime<Utc>,
    rules: &RuleSet,
) -> Answer {
    let mail = &incoming.mail;
    // Every letter of ours names its thread: where that is still in the text, the quote is too.
    if mail
        .text
        .contains(&subject_token(&thread.plan, thread.quarter, &asked.person))
    {
        return Answer::unclear(Some(thread), "正文里夹有原邮件，不能确定哪些是新写的");
    }
    let items = items(book, &thread, at);
    let reading = match words::understand(&mail.text, &items) {
        Understood::Reports(reading) => reading,
        Understood::Acknowledged => {
            let reports = seen(book, &thread, at).into_iter().collect();
            return Answer {
                thread: Some(thread),
                reports,
                ..Answer::nothing(MailOutcome::Acknowledged)
            };
        }
        Understood::NotMine { tasks } => {
            let which = numbers(&tasks);
            return Answer::unclear(Some(thread), format!("本人称{which}不由其负责"));
        }
        Understood::Help => return Answer::unclear(Some(thread), "询问如何填报"),
        Understood::Unclear(why) => return Answer::unclear(Some(thread), why.chinese()),
    };
    let submission = Submission {
        plan: thread.plan.clone(),
        quarter: thread.quarter,
        person: thread.person.clone(),
        via: Via::Mail,
        by: Actor::Owner(thread.person.clone()),
        drafts: reading.said.iter().map(words::Said::draft).collect(),
    };
    let left: Vec<String> = reading
        .left
        .iter()
        .map(|(part, why)| format!("“{}”{}", gist(part), why.chinese()))
        .collect();
    match accept::decide(book, &submission, at, rules) {
        Ok(decision) => {
            let reports = decision.value.reports.iter();
            let items: Vec<_> = reports
                .map(|received| received.report.obligation.clone())
                .collect();
            let (evidence, unkept) = beside(book, &thread, &items, &incoming.files);
            let left = (!left.is_empty()).then(|| left.join("；"));
            Answer {
                thread: Some(thread),
                outcome: MailOutcome::Reported { items, left },
                reports: decision.facts,
                evidence,
                unkept,
                sure: true,
            }
        }
        Err(refusal) => Answer::unclear(Some(thread), told(&refusal)),
    }
}

/// The files beside every report that their mail made.
fn beside(
    book: &Book,
    thread: &Thread,
    items: &[ObligationKey],
    files: &[Offered],
) -> (Vec<Fact>, Vec<(String, String)>) {
    let (mut facts, mut unkept) = (Vec::new(), Vec::new());
    let mut adding = Adding::new(book, &thread.person, &thread.plan, thread.quarter);
    for offered in files {
        let added = match &offered.file {
            Ok(evidence) => adding.add(items, evidence),
            Err(why) => Err(why.clone()),
        };
        match added {
            Ok(added) => facts.extend(added),
            Err(why) => unkept.push((offered.name.clone(), why.to_string())),
        }
    }
    (facts, unkept)
}

/// That all this person has open in the quarter is known to them.
fn seen(book: &Book, thread: &Thread, at: DateTime<Utc>) -> Option<Fact> {
    let open: Vec<_> = book
        .answerable(&thread.person, &thread.plan, thread.quarter, at)
        .into_iter()
        .filter(|one| one.obligation.is_open())
        .map(|one| one.key.clone())
        .collect();
    (!open.is_empty()).then(|| Fact::Acknowledged {
        obligations: open,
        person: thread.person.clone(),
    })
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Faults(faults) => faults
            .iter()
            .map(|fault| fault.message.clone())
            .collect::<Vec<_>>()
            .join("；"),
        Refusal::Accepted(_) => refusal.to_string(),
    }
}

fn gist(text: &str) -> String {
    const MOST: usize = 30;
    let mut chars = text.chars().map(|c| if c == '\n' { ' ' } else { c });
    let mut short: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

fn numbers(tasks: &[TaskNo]) -> String {
    match tasks {
        [] => "这些事项".into(),
        tasks => format!("第{}项", crate::domain::ids::told(tasks)),
    }
}

/// The items this owner may speak of, each task once.
#[must_use]
pub fn items(book: &Book, thread: &Thread, at: DateTime<Utc>) -> Vec<OpenItem> {
    let mut items: Vec<OpenItem> = Vec::new();
    for one in book.answerable(&thread.person, &thread.plan, thread.quarter, at) {
        let (key, obligation) = (one.key, one.obligation);
        let name = book
            .task_and_group(key)
            .map(|(task, _)| task.short_name())
            .unwrap_or_default();
        match items.iter_mut().find(|item| item.task == key.task) {
            Some(item) => item.awaited |= obligation.is_open(),
            None => items.push(OpenItem {
                task: key.task,
                name,
                awaited: obligation.is_open(),
            }),
        }
    }
    items
}

/// The courteous answer, once a mail. To nobody who is not sure to be who they say, and few a day
/// to the same person: two machines can never keep each other busy.
fn receipt(book: &Book, answer: &Answer, at: DateTime<Utc>) -> Option<(u32, Message)> {
    const MOST_A_DAY: usize = 5;
    let thread = answer.thread.as_ref().filter(|_| answer.sure)?;
    if answer.outcome == MailOutcome::Acknowledged {
        return None;
    }
    let of_person = |known: &&KnownMail| {
        known
            .mail
            .thread
            .as_ref()
            .is_some_and(|other| other.person == thread.person)
            && known.mail.receipt.is_some()
    };
    let before: Vec<&KnownMail> = book.mails.values().filter(of_person).collect();
    let today = before
        .iter()
        .filter(|known| known.at > at - TimeDelta::days(1))
        .count();
    if today >= MOST_A_DAY {
        return None;
    }
    let nth = before
        .iter()
        .filter_map(|known| known.mail.receipt)
        .max()
        .unwrap_or(0)
        .checked_add(1)?;
    let message = Message {
        key: MessageKey {
            plan: thread.plan.clone(),
            quarter: thread.quarter,
            occasion: Occasion::Receipt(nth),
            person: thread.person.clone(),
        },
        reason: Reason::Answered,
        items: Vec::new(),
        about: Vec::new(),
        copied: Vec::new(),
        catch_up: false,
        route: vec![ChannelKind::Email],
        not_before: at,
        explicit: true,
    };
    Some((nth, message))
}

#[cfg(test)]
mod tests;
