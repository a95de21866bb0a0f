//! `GET /requests`: all that waits for a word, and who fills in for whom.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};

use crate::desk::Desk;
use crate::domain::access;
use crate::domain::book::{Book, Obligation};
use crate::domain::calendar::Calendar;
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::ids::{ObligationKey, PersonId, Position, TaskNo, told};
use crate::web::error::page;
use crate::web::format::{moment, short_day};
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, audit};

/// `GET /requests`.
pub(in crate::board) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Response, WebError> {
    caller.office()?;
    audit::viewed(&desk, &caller, access::Page::Requests, "");
    let calendar = desk.calendar();
    // Before the book is held: the frame reads it too, and two holds at once wait for each other
    // as soon as the writer stands between them.
    let frame = Frame::new(&desk, &caller, "requests").live(None, None);
    let book = desk.ledger.book();
    let mut dates = Vec::new();
    let mut others = Vec::new();
    for (key, known) in &book.obligations {
        dates.extend(date_line(&book, &calendar, key, known));
        others.extend(other_line(&book, &calendar, key, known));
    }
    let delegations = book.delegations.iter();
    let plans = book.plans.iter().rev();
    let unclear = book.words.values().filter(|word| word.is_unclear());
    let html = page(&RequestsPage {
        frame,
        may_write: caller.may_write(),
        dates,
        others,
        delegations: delegations
            .map(|(at, one)| filling_line(&book, &calendar, *at, one))
            .collect(),
        plans: plans
            .map(|(id, plan)| (id.as_str().to_owned(), plan.heading.title.clone()))
            .collect(),
        mails: book.mails_waiting().count(),
        words: unclear.count(),
        today: calendar.date_of(desk.clock.now()).to_string(),
    })?;
    Ok(with_script(html))
}

#[derive(Template)]
#[template(path = "board/templates/requests.html", config = "src/web/askama.toml")]
struct RequestsPage<'a> {
    frame: Frame<'a>,
    may_write: bool,
    dates: Vec<DateLine>,
    others: Vec<OtherLine>,
    delegations: Vec<FillingLine>,
    /// Id and title.
    plans: Vec<(String, String)>,
    mails: usize,
    words: usize,
    today: String,
}

/// A later date that was asked for.
struct DateLine {
    key: ObligationKey,
    who: PersonId,
    name: String,
    unit: String,
    by: String,
    at: String,
    due: String,
    wanted: String,
    day: NaiveDate,
    late: bool,
    reason: String,
}

/// Somebody says that it is not theirs.
struct OtherLine {
    key: ObligationKey,
    who: PersonId,
    name: String,
    unit: String,
    by: String,
    at: String,
    other_name: String,
    other_unit: String,
    telephone: Option<String>,
    note: String,
}

/// Somebody fills in.
struct FillingLine {
    at: Position,
    kind: &'static str,
    from: (PersonId, String),
    to: (PersonId, String),
    what: String,
}

fn date_line(
    book: &Book,
    calendar: &Calendar,
    key: &ObligationKey,
    known: &Obligation,
) -> Option<DateLine> {
    let asked = known.asked().filter(|_| known.is_open())?;
    let (task, group) = book.task_and_group(key)?;
    let due = book.due(key);
    Some(DateLine {
        key: key.clone(),
        name: task.short_name(),
        unit: group.unit.clone(),
        who: asked.person.clone(),
        by: person(book, &asked.person),
        at: moment(calendar, asked.at),
        due: due.map_or("尚未推算".into(), |at| moment(calendar, at)),
        wanted: short_day(asked.ask.day),
        day: asked.ask.day,
        late: asked.ask.late,
        reason: asked.ask.reason.clone(),
    })
}

fn other_line(
    book: &Book,
    calendar: &Calendar,
    key: &ObligationKey,
    known: &Obligation,
) -> Option<OtherLine> {
    let said = known.disowned().filter(|_| known.closed.is_none())?;
    let (task, group) = book.task_and_group(key)?;
    Some(OtherLine {
        key: key.clone(),
        name: task.short_name(),
        unit: group.unit.clone(),
        who: said.person.clone(),
        by: person(book, &said.person),
        at: moment(calendar, said.at),
        other_name: said.other.name.clone(),
        other_unit: said.other.unit.clone(),
        telephone: said.other.telephone.clone(),
        note: said.other.note.clone(),
    })
}

fn filling_line(book: &Book, calendar: &Calendar, at: Position, one: &Delegation) -> FillingLine {
    let day = |at: DateTime<Utc>| short_day(calendar.date_of(at));
    FillingLine {
        at,
        kind: one.chinese(),
        from: (one.from.clone(), person(book, &one.from)),
        to: (one.to.clone(), person(book, &one.to)),
        what: match &one.scope {
            Scope::Items { duties, .. } => {
                let mut tasks: Vec<TaskNo> = duties.iter().map(|(task, _)| *task).collect();
                tasks.dedup();
                format!("第{}项", told(&tasks))
            }
            Scope::Acting { begins, ends } => format!(
                "{}至{}，全部事项",
                day(*begins),
                day(*ends - chrono::TimeDelta::seconds(1))
            ),
        },
    }
}

fn person(book: &Book, id: &PersonId) -> String {
    let known = book.people.get(id);
    known.map_or_else(String::new, |known| match known.unit.as_str() {
        "" => known.name.clone(),
        unit => format!("{}（{unit}）", known.name),
    })
}
