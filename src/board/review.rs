//! One obligation with all that was said on it, and the coordinator's word.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use serde::Deserialize;

use super::pages::bad;
use crate::desk::Desk;
use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, PlanId, TaskNo};
use crate::domain::report::{ReportStatus, Review};
use crate::domain::target::{Target, actual::targets_in};
use crate::store::{CommitError, Decision};
use crate::web::error::page;
use crate::web::format::{long_moment, moment};
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// `GET /task/{plan}/{quarter}/{task}/{group}`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(path): Path<(String, String, TaskNo, u8)>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let key = key(path)?;
    let detail = {
        let book = desk.ledger.book();
        detail(&desk, &book, &key).ok_or(WebError::NotFound)?
    };
    page(&TaskPage {
        frame: Frame::new(&desk, &caller, "board"),
        may_review: caller.may_write(),
        key,
        detail,
    })
}

#[derive(Deserialize)]
pub(super) struct Word {
    csrf: String,
    plan: String,
    quarter: String,
    task: TaskNo,
    group: u8,
    /// The report that was on the page, so that no other one is judged unseen.
    seen: i64,
    /// `accept` or `return`.
    word: String,
    #[serde(default)]
    reason: String,
}

/// `POST /review`.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Word>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let review = read_word(&form)?;
    let key = key((form.plan, form.quarter, form.task, form.group))?;
    let to = format!("/task/{key}");
    let seen = form.seen;
    let decide = move |book: &Book| decide(book, key, seen, review);
    match desk.ledger.commit(by, desk.clock.now(), decide).await {
        Ok(()) => Ok(Redirect::to(&to)),
        Err(CommitError::Refused(error)) => Err(error),
        Err(CommitError::Unavailable) => Err(WebError::Unavailable),
    }
}

#[derive(Template)]
#[template(path = "board/templates/task.html", config = "src/web/askama.toml")]
struct TaskPage<'a> {
    frame: Frame<'a>,
    may_review: bool,
    key: ObligationKey,
    detail: Detail,
}

struct Detail {
    name: String,
    goal: String,
    requirement: Option<String>,
    unit: String,
    owners: String,
    responsible: String,
    leaders: String,
    milestones: Vec<(Option<String>, String)>,
    targets: Vec<Target>,
    schedule: String,
    state: ObligationState,
    deadline: String,
    reminded: Option<String>,
    /// Who has said that they have seen it, and when.
    acknowledged: Option<String>,
    /// Newest first.
    reports: Vec<Told>,
    review: Option<String>,
    /// Of the latest report, where a word can be given on it.
    seen: Option<i64>,
    accepted: bool,
}

struct Told {
    at: String,
    by: String,
    via: &'static str,
    /// Whether another report was there before it.
    amends: bool,
    status: ReportStatus,
    percent: Option<u8>,
    figures: Vec<(String, String)>,
    texts: Vec<(&'static str, String)>,
}

fn detail(desk: &Desk, book: &Book, key: &ObligationKey) -> Option<Detail> {
    let (task, group) = book.task_and_group(key)?;
    let obligation = book.obligations.get(key)?;
    let calendar = desk.calendar();
    let deadline = book.deadline(&key.plan, key.quarter);
    let names = |people: &[crate::domain::plan::PersonRef]| {
        let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
        names.join("、")
    };
    let state = obligation.state(deadline, desk.clock.now());
    let judged = matches!(
        state,
        ObligationState::NotReported
            | ObligationState::OverdueUnreported
            | ObligationState::Returned
            | ObligationState::Withdrawn
    );
    let latest = obligation.latest();
    Some(Detail {
        name: task.short_name(),
        goal: task.goal.clone(),
        requirement: task.requirement.clone(),
        unit: group.unit.clone(),
        owners: names(&group.owners),
        responsible: names(&group.responsible),
        leaders: names(&group.leaders),
        milestones: task
            .milestones_in(group, key.quarter)
            .map(|node| (node.section.clone(), node.content.clone()))
            .collect(),
        targets: targets_in(task, group, key.quarter),
        schedule: task.schedule.clone(),
        state,
        deadline: deadline.map_or("尚未推算".into(), |at| moment(&calendar, at)),
        reminded: obligation
            .last_reminded
            .map(|(at, occasion)| format!("{}（{}）", moment(&calendar, at), occasion.chinese())),
        acknowledged: obligation.acknowledged.as_deref().map(|(at, person)| {
            let by = book.people.get(person);
            let name = by.map_or("", |by| by.name.as_str());
            format!("{name} {}", moment(&calendar, *at))
        }),
        reports: told(book, obligation, |at| long_moment(&calendar, at)),
        review: review_line(obligation, |at| moment(&calendar, at)),
        seen: latest
            .filter(|_| !judged)
            .map(|received| received.at.timestamp_millis()),
        accepted: state == ObligationState::Accepted,
    })
}

fn told(
    book: &Book,
    obligation: &Obligation,
    time: impl Fn(chrono::DateTime<chrono::Utc>) -> String,
) -> Vec<Told> {
    let reports = obligation.reports.iter().enumerate().rev();
    reports
        .map(|(place, received)| {
            let report = &received.report;
            let texts = [
                ("完成情况", &report.progress),
                ("存在问题", &report.problems),
                ("下一步措施", &report.next_steps),
            ];
            let by = book.people.get(&report.person);
            Told {
                at: time(received.at),
                by: by.map(|person| person.name.clone()).unwrap_or_default(),
                via: report.via.chinese(),
                amends: place > 0,
                status: report.status,
                percent: report.percent,
                figures: report
                    .actuals
                    .iter()
                    .map(|actual| (actual.target.name().to_owned(), actual.told()))
                    .collect(),
                texts: texts
                    .into_iter()
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(name, text)| (name, text.clone()))
                    .collect(),
            }
        })
        .collect()
}

fn review_line(
    obligation: &Obligation,
    time: impl Fn(chrono::DateTime<chrono::Utc>) -> String,
) -> Option<String> {
    if let Some((at, why)) = obligation.closed.filter(|_| obligation.is_withdrawn()) {
        return Some(format!("{}撤销：{}，不再催报。", time(at), why.chinese()));
    }
    let (at, review) = obligation.review.as_deref()?;
    Some(match review {
        Review::Accepted => format!("{}审核通过", time(*at)),
        Review::Returned { reason } => format!("{}退回：{reason}", time(*at)),
    })
}

fn read_word(form: &Word) -> Result<Review, WebError> {
    match form.word.as_str() {
        "accept" => Ok(Review::Accepted),
        "return" => {
            let reason = form.reason.trim();
            let length = reason.chars().count();
            if length == 0 || length > LONGEST_REASON {
                let message = format!("退回时请写明原因，不超过{LONGEST_REASON}字，责任人会看到。");
                return Err(WebError::BadRequest(message));
            }
            Ok(Review::Returned {
                reason: reason.replace("\r\n", "\n"),
            })
        }
        _ => Err(WebError::BadRequest("请选择通过或退回。".into())),
    }
}

fn decide(
    book: &Book,
    obligation: ObligationKey,
    seen: i64,
    review: Review,
) -> Result<Decision<()>, WebError> {
    let known = book
        .obligations
        .get(&obligation)
        .ok_or(WebError::NotFound)?;
    let latest = known
        .latest()
        .map(|received| received.at.timestamp_millis());
    if latest != Some(seen) {
        let message = "责任人刚刚更新了报送内容，请返回刷新后再审核。";
        return Err(WebError::Conflict(message.into()));
    }
    // The same word twice, from a second click or a colleague, counts once.
    if known
        .review
        .as_deref()
        .is_some_and(|(_, word)| *word == review)
    {
        return Ok(Decision::nothing(()));
    }
    if known.is_open() {
        let message = "该项已经退回，请等责任人重新报送后再审核。";
        return Err(WebError::Conflict(message.into()));
    }
    Ok(Decision {
        facts: vec![Fact::ReviewGiven { obligation, review }],
        value: (),
    })
}

fn key(
    (plan, quarter, task, group): (String, String, TaskNo, u8),
) -> Result<ObligationKey, WebError> {
    Ok(ObligationKey {
        plan: PlanId::new(&plan).map_err(bad)?,
        quarter: quarter.parse().map_err(bad)?,
        task,
        group,
    })
}
