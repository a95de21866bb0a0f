//! `GET /papers`: what can go out of a quarter, and what has.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;

use super::result::{Classes, Item, QuarterResult};
use super::{Asked, number, slip};
use crate::board::history;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::paper::{Issued, Paper, PaperKind};
use crate::web::as_of::read_as_of;
use crate::web::chosen::choose;
use crate::web::error::page;
use crate::web::format::{long_moment, moment};
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

#[derive(Template)]
#[template(path = "board/templates/papers.html", config = "src/web/askama.toml")]
struct PapersPage<'a> {
    frame: Frame<'a>,
    title: String,
    quarter: Quarter,
    quarters: Vec<(String, &'static str, bool)>,
    /// Plan, quarter and moment, as an address has them.
    query: String,
    plan: PlanId,
    as_of: String,
    past: Option<String>,
    may_issue: bool,
    tasks: usize,
    /// The five classes.
    classes: [(&'static str, u32); 5],
    all: u32,
    late: u32,
    deadline: Option<String>,
    /// The 通报's number, and when it was given.
    issued: Option<(String, String)>,
    units: Vec<UnitLine>,
    /// Papers to units that have nothing open any more.
    settled: Vec<UnitLine>,
}

/// A unit with something open.
struct UnitLine {
    unit: String,
    open: usize,
    faults: usize,
    numbers: String,
    slip: Option<Given>,
    notice: Option<Given>,
}

/// A number, and when it was given.
struct Given {
    number: String,
    at: String,
}

pub(in crate::board) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    if desk.ledger.book().plans.is_empty() {
        return crate::board::pages::empty(&desk, &caller);
    }
    let (plan, quarter) = choose(&desk, &desk.ledger.book(), &asked.plan, &asked.quarter)?;
    let calendar = desk.calendar();
    let at = read_as_of(&calendar, &asked.as_of)?;
    let past = at.filter(|at| *at < desk.clock.now());
    let (of, sight, calendar) = (plan.clone(), caller.sight(), Arc::clone(&calendar));
    let (result, tasks, quarters) = history::ask(&desk, at, {
        let calendar = Arc::clone(&calendar);
        move |book, now| {
            let result = QuarterResult::of(book, (&of, quarter), now, &sight, &calendar)?;
            let tasks = book.plans.get(&of)?.tasks.values();
            let tasks = tasks.filter(|task| sight.sees(task)).count();
            Some((result, tasks, book.quarters_of(&of)))
        }
    })
    .await?
    .ok_or(WebError::NotFound)?;
    let may_issue = caller.may_write() && past.is_none();
    let query = match past {
        Some(_) => format!(
            "plan={plan}&quarter={quarter}&as_of={}",
            crate::web::percent::encoded(&asked.as_of)
        ),
        None => format!("plan={plan}&quarter={quarter}"),
    };
    let quarters = quarters.into_iter().map(|one| {
        let href = format!("/papers?plan={plan}&quarter={one}");
        (href, one.chinese_short(), one == quarter)
    });
    let classes = Classes::of(&result.items);
    let (units, settled, issued) = {
        let book = desk.ledger.book();
        let lines = Lines {
            desk: &desk,
            book: &book,
            place: (&plan, quarter),
        };
        let (units, settled) = match may_issue {
            true => lines.of(&result),
            false => (Vec::new(), Vec::new()),
        };
        (units, settled, lines.given(PaperKind::Bulletin, ""))
    };
    page(&PapersPage {
        frame: Frame::new(&desk, &caller, "papers"),
        title: result.title.clone(),
        quarter,
        quarters: quarters.collect(),
        query,
        as_of: if past.is_some() {
            asked.as_of
        } else {
            String::new()
        },
        past: past.map(|at| long_moment(&calendar, at)),
        may_issue,
        tasks,
        classes: classes.named(),
        all: classes.all,
        late: classes.late,
        deadline: result.deadline.map(|at| long_moment(&calendar, at)),
        issued: issued.map(|given| (given.number, given.at)),
        units,
        settled,
        plan,
    })
}

struct Lines<'a> {
    desk: &'a Desk,
    book: &'a Book,
    place: (&'a PlanId, Quarter),
}

impl Lines<'_> {
    /// Units with something open, and those that were written to and have nothing open now.
    fn of(&self, result: &QuarterResult) -> (Vec<UnitLine>, Vec<UnitLine>) {
        let units = result.by_unit().into_iter();
        let lines = units.map(|(unit, items)| self.line(unit, &items));
        let (mut open, rest): (Vec<_>, Vec<_>) = lines.partition(|line| line.open > 0);
        open.sort_by_key(|line| std::cmp::Reverse((line.faults, line.open)));
        let rest = rest.into_iter();
        let written = rest.filter(|line| line.slip.is_some() || line.notice.is_some());
        (open, written.collect())
    }

    fn line(&self, unit: String, items: &[&Item]) -> UnitLine {
        let of = |kind| -> Vec<&Item> {
            let items = items.iter().copied();
            items.filter(|item| slip::belongs(kind, item)).collect()
        };
        let open = of(PaperKind::UrgeSlip);
        UnitLine {
            faults: of(PaperKind::SupervisionNotice).len(),
            numbers: match open.is_empty() {
                true => String::new(),
                false => super::words::numbers(&open),
            },
            open: open.len(),
            slip: self.given(PaperKind::UrgeSlip, &unit),
            notice: self.given(PaperKind::SupervisionNotice, &unit),
            unit,
        }
    }

    fn given(&self, kind: PaperKind, to: &str) -> Option<Given> {
        let (plan, quarter) = self.place;
        let paper = Paper {
            kind,
            plan: plan.clone(),
            quarter,
            to: to.to_owned(),
        };
        let issued: &Issued = self.book.papers.get(&paper)?;
        Some(Given {
            number: number(self.desk, kind, issued),
            at: moment(&self.desk.calendar(), issued.at),
        })
    }
}
