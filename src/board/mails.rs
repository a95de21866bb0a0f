//! Mails nobody understood, beside what their sender owes: a person reads and puts it on record.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::files::FileLine;
use crate::desk::Desk;
use crate::domain::access::{Export, Page};
use crate::domain::book::{Book, KnownMail, Obligation};
use crate::domain::evidence::{Adding, FileHash};
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::mail::{MailOutcome, TakenMail};
use crate::domain::report::rules::ReportRules;
use crate::domain::report::{Draft, Report, Via, read};
use crate::domain::target::actual::targets_in;
use crate::store::Decision;
use crate::web::download::download;
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, audit};

/// Mails on a page, oldest first; the rest come up as these are dealt with.
const MOST: usize = 50;

#[derive(Deserialize)]
pub(super) struct Done {
    /// The mail that was just put on record.
    #[serde(default)]
    settled: String,
}

/// `GET /mails`; with `?settled=`, what became of that mail's files stands on top.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(done): Query<Done>,
) -> Result<Html<String>, WebError> {
    caller.office()?;
    let calendar = desk.calendar();
    let now = desk.clock.now();
    let (total, mails, settled) = {
        let book = desk.ledger.book();
        let settled = find(&book, &done.settled).filter(|known| known.settled.is_some());
        let settled = settled.map(|known| became_of(&known.mail));
        let waiting = book.mails_waiting().take(MOST);
        let mails: Vec<_> = waiting
            .map(|(_, known)| entry(&book, known, &moment(&calendar, known.at), now))
            .collect();
        (book.mails_waiting().count(), mails, settled)
    };
    audit::viewed(&desk, &caller, Page::Mails, "");
    page(&MailsPage {
        frame: Frame::new(&desk, &caller, "requests"),
        may_write: caller.may_write(),
        total,
        mails,
        settled,
    })
}

/// `GET /mails/{mail}/{hash}`: a file of a mail that waits.
pub(super) async fn give(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path((mail, hash)): Path<(String, String)>,
) -> Result<Response, WebError> {
    caller.office()?;
    let hash = FileHash::new(&hash).map_err(|_| WebError::NotFound)?;
    let found = {
        let book = desk.ledger.book();
        let known = find(&book, &mail).ok_or(WebError::NotFound)?;
        let mut files = known.mail.kept.iter();
        files.find(|file| file.sha256 == hash).cloned()
    };
    let file = found.ok_or(WebError::NotFound)?;
    let subject = format!("{mail} {}", file.sha256);
    audit::exported(&desk, &caller, Export::MailFile, &subject).await?;
    download(&desk, &file).await
}

/// `POST /mails`: the csrf token, the mail, `do`, the words, and for items `status-16-0` = a status.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    caller.check_csrf(&field("csrf"))?;
    let order = Order {
        mail: field("mail"),
        text: field("text"),
        statuses: fields.iter().filter_map(status).collect(),
        record: field("do") == "record",
    };
    let to = match order.record {
        true => format!(
            "/mails?settled={}",
            crate::web::percent::encoded(&order.mail)
        ),
        false => "/mails".to_owned(),
    };
    let (rules, now) = (desk.rules.now(), desk.clock.now());
    let decide = move |book: &Book| decide(book, &order, &rules.report, now);
    desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to(&to))
}

/// What the coordinator says of a mail.
struct Order {
    mail: String,
    text: String,
    statuses: Vec<(TaskNo, u8, String)>,
    record: bool,
}

fn status((name, value): &(String, String)) -> Option<(TaskNo, u8, String)> {
    let (task, group) = name.strip_prefix("status-")?.split_once('-')?;
    let key = (task.parse().ok()?, group.parse().ok()?);
    (!value.is_empty()).then(|| (key.0, key.1, value.clone()))
}

fn decide(
    book: &Book,
    order: &Order,
    rules: &ReportRules,
    now: DateTime<Utc>,
) -> Result<Decision<()>, WebError> {
    let known = find(book, &order.mail).ok_or(WebError::NotFound)?;
    if known.settled.is_some() {
        let message = "这封邮件刚刚已由他人处理，请返回刷新。";
        return Err(WebError::Conflict(message.into()));
    }
    if order.record && order.statuses.is_empty() {
        let message = "请先选择事项的进展情况，再点“登记”。";
        return Err(WebError::BadRequest(message.into()));
    }
    let statuses = order.statuses.iter().filter(|_| order.record);
    let reports = statuses
        .map(|one| report(book, known, order, (one, rules, now)))
        .collect::<Result<Vec<_>, _>>()?;
    let items: Vec<_> = reports.iter().map(|one| one.obligation.clone()).collect();
    let (evidence, unkept) = beside(book, &known.mail, &items);
    let mut facts = vec![Fact::MailSettled {
        mail: known.mail.sha256.clone(),
        unkept,
    }];
    // Before the reports, which stand on them.
    facts.extend(evidence);
    facts.extend(reports.into_iter().map(|report| Fact::ReportReceived {
        report: Box::new(report),
    }));
    Ok(Decision { facts, value: () })
}

fn find<'a>(book: &'a Book, mail: &str) -> Option<&'a KnownMail> {
    let at = book.mail_names.get(mail)?;
    book.mails.get(at)
}

/// The mail's files beside every report entered for it, and those for which there is no room.
fn beside(
    book: &Book,
    mail: &TakenMail,
    items: &[ObligationKey],
) -> (Vec<Fact>, Vec<(String, String)>) {
    let (mut facts, mut unkept) = (Vec::new(), Vec::new());
    let Some(thread) = mail.thread.as_ref().filter(|_| !items.is_empty()) else {
        return (facts, unkept);
    };
    let mut adding = Adding::new(book, &thread.person, &thread.plan, thread.quarter);
    for file in &mail.kept {
        match adding.add(items, file) {
            Ok(added) => facts.extend(added),
            Err(why) => unkept.push((file.name.clone(), why.to_string())),
        }
    }
    (facts, unkept)
}

fn report(
    book: &Book,
    known: &KnownMail,
    order: &Order,
    ((task, group, status), rules, now): (&(TaskNo, u8, String), &ReportRules, DateTime<Utc>),
) -> Result<Report, WebError> {
    let bad = |message: String| WebError::BadRequest(message);
    let thread = known.mail.thread.as_ref().ok_or(WebError::NotFound)?;
    let key = ObligationKey {
        plan: thread.plan.clone(),
        quarter: thread.quarter,
        task: *task,
        group: *group,
    };
    let theirs = book.answerable(&thread.person, &thread.plan, thread.quarter, now);
    let found = theirs.into_iter().find(|one| *one.key == key);
    let found = found.ok_or(WebError::NotFound)?;
    let (person, delegate) = match found.behalf_of {
        Some(owner) => (owner.clone(), Some(thread.person.clone())),
        None => (thread.person.clone(), None),
    };
    if found.obligation.is_accepted() {
        return Err(WebError::Conflict(format!(
            "第{task}项已审核通过，不能再修改。"
        )));
    }
    let draft = Draft {
        task: *task,
        status: status.clone(),
        progress: order.text.clone(),
        ..Draft::default()
    };
    let told = |faults: Vec<crate::domain::report::FieldFault>| {
        let words: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        bad(words.join("；"))
    };
    let words = read(&draft, rules).map_err(told)?;
    let duty = book.task_and_group(&key);
    let targets = duty
        .map(|(task, group)| targets_in(task, group, key.quarter))
        .unwrap_or_default();
    let report = words
        .report(key, person, Via::Mail, &targets)
        .map_err(told)?;
    Ok(Report { delegate, ..report })
}

#[derive(Template)]
#[template(path = "board/templates/mails.html", config = "src/web/askama.toml")]
struct MailsPage<'a> {
    frame: Frame<'a>,
    may_write: bool,
    total: usize,
    mails: Vec<Entry>,
    settled: Option<Settled>,
}

/// What became of a mail that was just put on record.
struct Settled {
    text: &'static str,
    /// Its files that do not stand beside the reports, each with why.
    unkept: Vec<String>,
}

fn became_of(mail: &TakenMail) -> Settled {
    let all_refused = mail
        .kept
        .iter()
        .all(|file| mail.unkept.iter().any(|(name, _)| *name == file.name));
    Settled {
        text: match (mail.kept.is_empty() || all_refused, mail.unkept.is_empty()) {
            (true, true) => "已登记。",
            (false, true) => "已登记，附件已列为佐证材料。",
            (true, false) => "已登记。附件没有列为佐证材料：",
            (false, false) => "已登记，其余附件已列为佐证材料。以下附件没有收下：",
        },
        unkept: told(mail),
    }
}

/// The files that were not taken, each with why.
fn told(mail: &TakenMail) -> Vec<String> {
    let unkept = mail.unkept.iter();
    unkept.map(|(name, why)| format!("“{name}”{why}")).collect()
}

/// A mail and what its sender owes.
struct Entry {
    id: String,
    at: String,
    from: String,
    /// Whom the reminder went to; none where that is not known.
    person: Option<String>,
    quarter: Option<String>,
    subject: String,
    why: String,
    text: String,
    files: Vec<FileLine>,
    unkept: Vec<String>,
    items: Vec<Line>,
}

struct Line {
    field: String,
    no: TaskNo,
    name: String,
    state: &'static str,
    open: bool,
}

fn entry(book: &Book, known: &KnownMail, at: &str, now: DateTime<Utc>) -> Entry {
    let mail = &known.mail;
    let why = match &mail.outcome {
        MailOutcome::Unclear { why } => why.clone(),
        MailOutcome::Reported { left, .. } => {
            format!("其余部分已登记；{}", left.clone().unwrap_or_default())
        }
        _ => String::new(),
    };
    let thread = mail.thread.as_ref();
    let person = thread.and_then(|thread| book.people.get(&thread.person));
    let items = thread.map(|thread| {
        let theirs = book.answerable(&thread.person, &thread.plan, thread.quarter, now);
        let mut lines: Vec<Line> = theirs
            .into_iter()
            .filter_map(|one| line(book, one.key, one.obligation))
            .collect();
        lines.sort_by_key(|line| !line.open);
        lines
    });
    Entry {
        id: mail.sha256.clone(),
        at: at.to_owned(),
        from: mail.from.clone(),
        person: person.map(|person| format!("{}（{}）", person.name, person.unit)),
        quarter: thread.map(|thread| thread.quarter.chinese()),
        subject: mail.subject.clone(),
        why,
        text: mail.text.clone(),
        files: mail
            .kept
            .iter()
            .map(|file| FileLine {
                href: format!("/mails/{}/{}", mail.sha256, file.sha256),
                name: file.name.clone(),
                size: file.size(),
                removed: false,
            })
            .collect(),
        unkept: told(mail),
        items: items.unwrap_or_default(),
    }
}

fn line(book: &Book, key: &ObligationKey, obligation: &Obligation) -> Option<Line> {
    let (task, _) = book.task_and_group(key)?;
    if obligation.is_accepted() {
        return None;
    }
    Some(Line {
        field: format!("status-{}-{}", key.task, key.group),
        no: key.task,
        name: task.short_name(),
        state: if obligation.is_open() {
            "待报"
        } else {
            "已报"
        },
        open: obligation.is_open(),
    })
}
