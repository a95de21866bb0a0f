//! 待审: all reports of a quarter that wait for a word, to be gone through by keyboard. Everything
//! is a plain form; the script only presses its buttons.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::files::{self, FileLine};
use super::judge::{Judgement, Seen, judge, reason};
use super::moment;
use super::pages::{self, Asked};
use crate::desk::Desk;
use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::domain::plan::PersonRef;
use crate::domain::report::Review;
use crate::domain::target::actual::targets_in;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::brief;
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::said::Said;
use crate::web::{Caller, WebError, assets};

/// Reports on a page; the rest come up as these are judged.
const MOST: usize = 100;

/// What the page may be asked for, beside the quarter.
#[derive(Deserialize, Default)]
pub(super) struct Outcome {
    /// How many were judged by the form before.
    #[serde(default)]
    done: usize,
    #[serde(default)]
    word: String,
    /// Tasks that were not, since they were amended meanwhile.
    #[serde(default)]
    amended: String,
    /// Tasks that somebody else had returned meanwhile.
    #[serde(default)]
    open: String,
}

/// `GET /review`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
    Query(outcome): Query<Outcome>,
) -> Result<Response, WebError> {
    caller.office()?;
    let calendar = desk.calendar();
    let chosen = moment::choose(&desk, &asked.plan, &asked.quarter)?;
    let Some((plan, quarter)) = chosen else {
        return Ok(pages::empty(&desk, &caller)?.into_response());
    };
    let rules = desk.rules.now();
    let (now, sight) = (desk.clock.now(), caller.sight());
    let (rows, total, title) = {
        let book = desk.ledger.book();
        let waiting = || {
            let all = book.obligations_in(&plan, quarter);
            all.filter(|(key, known)| {
                let state = known.state(book.due(key), now);
                let seen = book
                    .task_and_group(key)
                    .is_some_and(|(task, _)| sight.sees(task));
                matches!(
                    state,
                    ObligationState::Reported | ObligationState::ReportedLate
                ) && known.closed.is_none()
                    && seen
            })
        };
        let time = |at| brief(&calendar, at);
        let rows: Vec<Row> = waiting()
            .take(MOST)
            .filter_map(|(key, known)| {
                let late = known.state(book.due(key), now) == ObligationState::ReportedLate;
                row(&book, key, known, late, &time)
            })
            .collect();
        let title = book.plans.get(&plan);
        let title = title.map(|known| known.heading.title.clone());
        (rows, waiting().count(), title.unwrap_or_default())
    };
    let html = page(&ListPage {
        frame: Frame::new(&desk, &caller, "review").live(Some(&plan), Some(quarter)),
        script: assets::review_script(),
        may_review: caller.may_write(),
        title,
        plan,
        quarter,
        total,
        rows,
        reasons: &rules.report.reasons,
        notices: notices(&outcome),
    })?;
    Ok(with_script(html))
}

/// `POST /review/list`: `item` for each that was picked, or `one` for a single button; `do`.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    caller.check_csrf(field("csrf"))?;
    let single = Some(field("one")).filter(|one| !one.is_empty());
    let items: Vec<Seen> = match single {
        Some(one) => vec![Seen::read(one)?],
        None => {
            let picked = fields.iter().filter(|(name, _)| name == "item");
            picked
                .map(|(_, value)| Seen::read(value))
                .collect::<Result<_, _>>()?
        }
    };
    if items.is_empty() {
        let message = "请先勾选要审核的报送，再点“通过所选”或“退回所选”。";
        return Err(WebError::BadRequest(message.into()));
    }
    let review = match (single, field("do")) {
        (Some(_), _) | (None, "accept") => Review::Accepted,
        (None, "return") => Review::Returned {
            reason: reason(field("pick"), field("reason"))?,
        },
        _ => return Err(WebError::BadRequest("请选择通过或退回。".into())),
    };
    let word = match review {
        Review::Accepted => "accept",
        Review::Returned { .. } => "return",
    };
    let back = format!(
        "/review?plan={}&quarter={}&word={word}",
        PlanId::new(field("plan")).map_err(pages::bad)?,
        field("quarter").parse::<Quarter>().map_err(pages::bad)?,
    );
    let (rules, now) = (desk.rules.now(), desk.clock.now());
    let decide = move |book: &Book| {
        let mut judgement = judge(book, &rules, &items, &review, now)?;
        let facts = std::mem::take(&mut judgement.facts);
        Ok(Decision {
            facts,
            value: judgement,
        })
    };
    let judgement = desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to(&told(back, &judgement)))
}

fn told(mut back: String, judgement: &Judgement) -> String {
    let tasks = |keys: &[ObligationKey]| {
        let tasks: Vec<String> = keys.iter().map(|key| key.task.to_string()).collect();
        tasks.join("-")
    };
    back.push_str(&format!("&done={}", judgement.judged.len()));
    for (name, keys) in [("amended", &judgement.amended), ("open", &judgement.open)] {
        if !keys.is_empty() {
            back.push_str(&format!("&{name}={}", tasks(keys)));
        }
    }
    back
}

/// What became of the form before: good news, and what was left alone.
fn notices(outcome: &Outcome) -> Vec<(bool, String)> {
    let tasks = |text: &str| {
        let tasks: Vec<TaskNo> = text.split('-').filter_map(|one| one.parse().ok()).collect();
        (!tasks.is_empty()).then(|| crate::domain::ids::told(&tasks))
    };
    let mut notices = Vec::new();
    if outcome.done > 0 {
        let did = match outcome.word.as_str() {
            "return" => "已退回",
            _ => "已通过",
        };
        let mut text = format!("{did}{}项。", outcome.done);
        if outcome.word == "return" {
            text.push_str("退回原因稍后发给责任人，同一人的几项合为一条。");
        }
        notices.push((true, text));
    }
    if let Some(tasks) = tasks(&outcome.amended) {
        let text = format!("第{tasks}项刚刚由责任人更正，没有审核，请看过新的内容后再定。");
        notices.push((false, text));
    }
    if let Some(tasks) = tasks(&outcome.open) {
        let text = format!("第{tasks}项已由他人退回，请等责任人重新报送。");
        notices.push((false, text));
    }
    notices
}

#[derive(Template)]
#[template(path = "board/templates/review.html", config = "src/web/askama.toml")]
struct ListPage<'a> {
    frame: Frame<'a>,
    script: &'static str,
    may_review: bool,
    title: String,
    plan: PlanId,
    quarter: Quarter,
    total: usize,
    rows: Vec<Row>,
    reasons: &'a [String],
    notices: Vec<(bool, String)>,
}

struct Row {
    key: ObligationKey,
    /// Key and report, as the form carries them.
    seen: String,
    name: String,
    unit: String,
    owners: Vec<PersonRef>,
    late: bool,
    milestones: Vec<String>,
    said: Said,
    by: String,
    amends: bool,
    before: Option<Said>,
    /// What stands beside it.
    files: Vec<FileLine>,
    /// Targets for which no figure was given.
    missing: Vec<String>,
}

fn row(
    book: &Book,
    key: &ObligationKey,
    known: &Obligation,
    late: bool,
    time: &impl Fn(chrono::DateTime<chrono::Utc>) -> String,
) -> Option<Row> {
    let (task, group) = book.task_and_group(key)?;
    let latest = known.latest()?;
    let report = &latest.report;
    let before = ObligationKey {
        quarter: key.quarter.previous(),
        ..key.clone()
    };
    let before = book.obligations.get(&before).and_then(Obligation::latest);
    let targets = targets_in(task, group, key.quarter);
    let missing = targets.iter().filter(|target| {
        let mut said = report.actuals.iter();
        !said.any(|actual| actual.target == **target)
    });
    Some(Row {
        key: key.clone(),
        seen: format!("{key}@{}", latest.at.timestamp_millis()),
        name: task.short_name(),
        unit: group.unit.clone(),
        owners: group.owners.clone(),
        late,
        milestones: task
            .milestones_in(group, key.quarter)
            .map(|node| match &node.section {
                Some(section) => format!("{section}：{}", node.content),
                None => node.content.clone(),
            })
            .collect(),
        said: Said::new(report),
        by: format!(
            "{}　{}　{}",
            book.told_by(report),
            time(latest.at),
            report.via.chinese()
        ),
        amends: known.reports.len() > 1,
        before: before.map(|received| Said::new(&received.report)),
        files: files::beside(key, known, latest)
            .into_iter()
            .chain(files::loose(key, known))
            .collect(),
        missing: missing
            .map(|target| format!("{}：目标{}", target.name(), target.asked()))
            .collect(),
    })
}
