//! `GET /api/v1/simulate`: the rules run ahead.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Fault, Operator};
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::due::{self, Simulated};
use crate::domain::ids::{PersonId, PlanId};
use crate::domain::message::{Occasion, Stage};
use crate::rules::RuleSet;

#[derive(Debug, Deserialize)]
pub(super) struct SimulateQuery {
    plan: Option<String>,
    from: Option<String>,
    to: Option<String>,
    format: Option<String>,
}

/// Every message that would leave. Sends nothing, stores nothing.
pub(super) async fn simulate(
    State(operator): State<Arc<Operator>>,
    Query(query): Query<SimulateQuery>,
) -> Result<Response, Fault> {
    let rules = operator.rules.now();
    let now = operator.desk.clock.now();
    let from = match &query.from {
        Some(text) => moment(&rules.calendar, text, NaiveTime::MIN)?,
        None => now,
    };
    let end_of_day = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN);
    let to = match &query.to {
        Some(text) => Some(moment(&rules.calendar, text, end_of_day)?),
        None => None,
    };
    let plan = query.plan.as_deref().map(PlanId::new).transpose()?;
    let book = operator.desk.ledger.book().clone();
    let json = query.format.as_deref() == Some("json");
    let text = tokio::task::spawn_blocking(move || ahead(&rules, &book, from, to, plan, json))
        .await
        .map_err(|_| Fault::failed("预演没有完成"))??;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn ahead(
    rules: &RuleSet,
    book: &Book,
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
    plan: Option<PlanId>,
    json: bool,
) -> Result<String, Fault> {
    let world = rules.world(book);
    let to = to.unwrap_or_else(|| end_of_plans(rules, book));
    let messages =
        due::simulate(&world, from, to).map_err(|error| Fault::failed(error.to_string()))?;
    let chosen = messages.iter().filter(|one| {
        plan.as_ref()
            .is_none_or(|plan| one.message.key.plan == *plan)
    });
    let mut text = String::new();
    let mut count = 0;
    for one in chosen {
        count += 1;
        let line = SimulatedJson::of(one, book, &rules.calendar);
        if json {
            let line =
                serde_json::to_string(&line).map_err(|error| Fault::failed(error.to_string()))?;
            let _ = writeln!(text, "{line}");
        } else {
            let _ = writeln!(text, "{}", line.words(one.message.key.occasion));
        }
    }
    if !json {
        let _ = writeln!(text, "共{count}条消息；以上仅为预演，没有发送");
    }
    Ok(text)
}

/// A stage and the daily digests after the last quarter's escalation.
fn end_of_plans(rules: &RuleSet, book: &Book) -> DateTime<Utc> {
    let world = rules.world(book);
    let last = book.plans.keys().filter_map(|plan| {
        let quarter = book.quarters_of(plan).last().copied()?;
        let mut stages = Stage::ALL.into_iter().rev();
        stages.find_map(|stage| world.stage_time(plan, quarter, stage))
    });
    let end = last.max();
    end.map_or(DateTime::<Utc>::MIN_UTC, |at| {
        at + chrono::TimeDelta::days(30)
    })
}

#[derive(Debug, Serialize)]
struct SimulatedJson<'a> {
    at: String,
    stage: &'static str,
    quarter: String,
    person: PersonJson<'a>,
    channel: &'static str,
    tasks: Vec<u32>,
    copied: Vec<PersonJson<'a>>,
    reason: &'static str,
    about: Vec<u32>,
    catch_up: bool,
}

#[derive(Debug, Serialize)]
struct PersonJson<'a> {
    id: &'a str,
    name: &'a str,
    unit: &'a str,
}

impl<'a> PersonJson<'a> {
    fn of(id: &'a PersonId, book: &'a Book) -> Self {
        let person = book.people.get(id);
        Self {
            id: id.as_str(),
            name: person.map_or("", |person| &person.name),
            unit: person.map_or("", |person| &person.unit),
        }
    }
}

impl<'a> SimulatedJson<'a> {
    fn of(one: &'a Simulated, book: &'a Book, calendar: &Calendar) -> Self {
        let message = &one.message;
        let numbers = |keys: &[crate::domain::ids::ObligationKey]| {
            let mut numbers: Vec<u32> = keys.iter().map(|key| key.task).collect();
            numbers.dedup();
            numbers
        };
        Self {
            at: one.at.with_timezone(&calendar.zone()).to_rfc3339(),
            stage: message.key.occasion.kind(),
            quarter: message.key.quarter.to_string(),
            person: PersonJson::of(&message.key.person, book),
            channel: one.channel.as_str(),
            tasks: numbers(&message.items),
            copied: message
                .copied
                .iter()
                .map(|id| PersonJson::of(id, book))
                .collect(),
            reason: message.reason.as_str(),
            about: numbers(&message.about),
            catch_up: message.catch_up,
        }
    }

    fn words(&self, occasion: Occasion) -> String {
        let numbers = |numbers: &[u32]| {
            let all: Vec<String> = numbers.iter().map(u32::to_string).collect();
            all.join("、")
        };
        let what = match (self.tasks.as_slice(), self.about.as_slice()) {
            ([], about) => format!("知会第{}项", numbers(about)),
            (own, []) => format!("第{}项", numbers(own)),
            (own, about) => format!("第{}项；知会第{}项", numbers(own), numbers(about)),
        };
        format!(
            "{} {} {} {}{} {what}",
            self.at.replace('T', " "),
            self.quarter,
            occasion.chinese(),
            self.person.unit,
            self.person.name,
        )
    }
}

/// A date (at `time`) or an RFC 3339 instant.
fn moment(calendar: &Calendar, text: &str, time: NaiveTime) -> Result<DateTime<Utc>, Fault> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(calendar.instant(day, time));
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| {
            Fault::usage(format!(
                "“{text}”不是日期或时刻：请写成 2022-03-31 或 2022-03-31T18:00:00+08:00"
            ))
        })
}
