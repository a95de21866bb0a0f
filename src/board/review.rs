//! One obligation with all that was said on it, and the coordinator's word.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::files::{self, FileLine};
use super::judge::{Seen, judge, reason};
use super::moment::Moment;
use super::pages::bad;
use super::{deliveries, history};
use crate::desk::Desk;
use crate::domain::board::names;
use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, PlanId, TaskNo};
use crate::domain::people::Person;
use crate::domain::plan::PersonRef;
use crate::domain::report::{ReportStatus, Review};
use crate::domain::target::{Target, actual::targets_in};
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::{long_moment, moment, short_day};
use crate::web::frame::Frame;
use crate::web::said::Said;
use crate::web::{Caller, WebError};

/// What the page may be asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    as_of: String,
}

/// `GET /task/{plan}/{quarter}/{task}/{group}`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(path): Path<(String, String, TaskNo, u8)>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let key = key(path)?;
    let ask = ItemAsk {
        key,
        moment: Moment::read(&desk, &asked.as_of)?,
    };
    let sight = caller.sight();
    let answer = history::ask(&desk, ask.moment.at, |book, at| {
        must_see(book, &caller, &ask.key)?;
        let detail = detail(&desk, book, &ask.key, at).ok_or(WebError::NotFound)?;
        let calendar = desk.calendar();
        let people = deliveries::concerned(book, &ask.key);
        let messages = deliveries::about(book, &people, |key| *key == ask.key);
        let messages = messages.into_iter();
        let messages: Vec<_> = messages
            .map(|one| deliveries::line(book, one, &calendar, &sight))
            .collect();
        Ok::<_, WebError>((detail, messages))
    });
    let (detail, messages) = answer.await??;
    page(&TaskPage {
        frame: Frame::new(&desk, &caller, "items"),
        may_review: caller.may_write() && ask.moment.is_now(),
        key: ask.key.clone(),
        suffix: ask.moment.suffix(),
        now: format!("/task/{}", ask.key),
        ask,
        detail,
        messages,
    })
}

/// What is asked, understood.
struct ItemAsk {
    key: ObligationKey,
    moment: Moment,
}

impl ItemAsk {
    fn path(&self) -> String {
        format!("/task/{}", self.key)
    }

    /// The form for another moment carries nothing on.
    fn kept(&self) -> [(&'static str, String); 0] {
        []
    }
}

/// What somebody may not see is not there for them.
pub(super) fn must_see(book: &Book, caller: &Caller, key: &ObligationKey) -> Result<(), WebError> {
    let (task, _) = book.task_and_group(key).ok_or(WebError::NotFound)?;
    let seen = caller.sight().sees(task);
    seen.then_some(()).ok_or(WebError::NotFound)
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
    /// A reason from the list.
    #[serde(default)]
    pick: String,
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
    let seen = Seen { key, at: form.seen };
    let (rules, now) = (desk.rules.now(), desk.clock.now());
    let decide = move |book: &Book| decide(book, &rules, seen, &review, now);
    desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to(&to))
}

#[derive(Template)]
#[template(path = "board/templates/task.html", config = "src/web/askama.toml")]
struct TaskPage<'a> {
    frame: Frame<'a>,
    may_review: bool,
    key: ObligationKey,
    ask: ItemAsk,
    suffix: String,
    /// The page at present.
    now: String,
    detail: Detail,
    messages: Vec<deliveries::Line>,
}

struct Detail {
    name: String,
    goal: String,
    requirement: Option<String>,
    unit: String,
    /// Each owner's id and name, for whom a report can be entered.
    speakers: Vec<(String, String)>,
    responsible: Vec<(String, String)>,
    leaders: String,
    milestones: Vec<(Option<String>, String)>,
    targets: Vec<Target>,
    schedule: String,
    state: ObligationState,
    deadline: String,
    reminded: Option<String>,
    /// Who has said that they have seen it, and when.
    acknowledged: Option<String>,
    /// The first date, where a later one was granted, and its note.
    first: Option<String>,
    /// What the lead unit wrote on the task, and who and when.
    summary: Option<(String, String)>,
    /// What its owners ask.
    asks: Vec<String>,
    /// Whether a later date can be granted.
    open: bool,
    today: String,
    reasons: Vec<String>,
    /// Newest first.
    reports: Vec<Told>,
    /// Files that came after the latest report, or before the first.
    files: Vec<FileLine>,
    review: Option<String>,
    /// Of the latest report, where a word can be given on it.
    seen: Option<i64>,
    accepted: bool,
}

pub(super) struct Told {
    pub at: String,
    pub by: String,
    pub via: &'static str,
    /// Whether another report was there before it.
    pub amends: bool,
    pub said: Said,
    pub files: Vec<FileLine>,
}

fn detail(desk: &Desk, book: &Book, key: &ObligationKey, now: DateTime<Utc>) -> Option<Detail> {
    let (task, group) = book.task_and_group(key)?;
    let obligation = book.obligations.get(key)?;
    let calendar = desk.calendar();
    let deadline = book.due(key);
    let linked = |people: &[PersonRef]| -> Vec<(String, String)> {
        let people = people.iter();
        people
            .map(|one| (one.id.to_string(), one.name.clone()))
            .collect()
    };
    let state = obligation.state(deadline, now);
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
        speakers: linked(&group.owners),
        responsible: linked(&group.responsible),
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
        first: obligation.granted().map(|granted| {
            let first = book.deadline(&key.plan, key.quarter);
            let first = first.map_or(String::new(), |at| moment(&calendar, at));
            let at = moment(&calendar, granted.at);
            match granted.note.as_str() {
                "" => format!("原定{first}，{at}同意延期"),
                note => format!("原定{first}，{at}同意延期：{note}"),
            }
        }),
        summary: book
            .summaries
            .get(&(key.plan.clone(), key.quarter, key.task))
            .map(|summary| {
                let by = book.people.get(&summary.person);
                let by = by.map_or("", |by| by.name.as_str());
                let at = moment(&calendar, summary.at);
                (summary.text.clone(), format!("{by}　{at}"))
            }),
        asks: asks(book, obligation, &calendar),
        open: obligation.is_open(),
        today: calendar.date_of(desk.clock.now()).to_string(),
        reasons: desk.rules.now().report.reasons.clone(),
        reports: told(book, (key, obligation), |at| long_moment(&calendar, at)),
        files: files::loose(key, obligation),
        review: review_line(obligation, |at| moment(&calendar, at)),
        seen: latest
            .filter(|_| !judged)
            .map(|received| received.at.timestamp_millis()),
        accepted: state == ObligationState::Accepted,
    })
}

/// What waits for a word, and the last word that was no.
fn asks(book: &Book, known: &Obligation, calendar: &Calendar) -> Vec<String> {
    let name = |id| {
        book.people
            .get(id)
            .map_or("", |one: &Person| one.name.as_str())
    };
    let mut asks = Vec::new();
    if let Some(asked) = known.asked() {
        let late = if asked.ask.late {
            "（逾期申请）"
        } else {
            ""
        };
        let (by, at) = (name(&asked.person), moment(calendar, asked.at));
        let day = short_day(asked.ask.day);
        let why = &asked.ask.reason;
        asks.push(format!("{by}于{at}申请延至{day}{late}：{why}"));
    }
    let extension = known.extension.as_deref();
    if let Some((at, why)) = extension.and_then(|extension| extension.refused.as_ref()) {
        let at = moment(calendar, *at);
        asks.push(format!("{at}不同意延期：{why}"));
    }
    if let Some(said) = known.disowned() {
        let (by, at) = (name(&said.person), moment(calendar, said.at));
        asks.push(format!("{by}于{at}反映此项不由其负责，待核实"));
    }
    asks
}

pub(super) fn told(
    book: &Book,
    (key, obligation): (&ObligationKey, &Obligation),
    time: impl Fn(chrono::DateTime<chrono::Utc>) -> String,
) -> Vec<Told> {
    let reports = obligation.reports.iter().enumerate().rev();
    reports
        .map(|(place, received)| {
            let report = &received.report;
            Told {
                at: time(received.at),
                by: book.told_by(report),
                via: report.via.chinese(),
                amends: place > 0,
                said: Said::new(report),
                files: files::beside(key, obligation, received),
            }
        })
        .collect()
}

pub(super) fn review_line(
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
        "return" => Ok(Review::Returned {
            reason: reason(&form.pick, &form.reason)?,
        }),
        _ => Err(WebError::BadRequest("请选择通过或退回。".into())),
    }
}

fn decide(
    book: &Book,
    rules: &RuleSet,
    seen: Seen,
    review: &Review,
    now: DateTime<Utc>,
) -> Result<Decision<()>, WebError> {
    let judgement = judge(book, rules, &[seen], review, now)?;
    if !judgement.amended.is_empty() {
        let message = "责任人刚刚更新了报送内容，请返回刷新后再审核。";
        return Err(WebError::Conflict(message.into()));
    }
    if !judgement.open.is_empty() {
        let message = "该项已经退回，请等责任人重新报送后再审核。";
        return Err(WebError::Conflict(message.into()));
    }
    Ok(Decision {
        facts: judgement.facts,
        value: (),
    })
}

pub(super) fn key(
    (plan, quarter, task, group): (String, String, TaskNo, u8),
) -> Result<ObligationKey, WebError> {
    Ok(ObligationKey {
        plan: PlanId::new(&plan).map_err(bad)?,
        quarter: quarter.parse().map_err(bad)?,
        task,
        group,
    })
}
