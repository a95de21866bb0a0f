//! A unit: its numbers over the quarters, its items, its people.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query as Fields, State};
use axum::response::Html;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::moment::{Moment, choose};
use super::rows::{Rows, in_query};
use super::{history, pages};
use crate::desk::Desk;
use crate::domain::board::{Filter, Found, Item, Query, Show, Sort, SortBy, Tally, find};
use crate::domain::book::Book;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::plan::PersonRef;
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// Items on the page; the list has them all.
const MOST: usize = 200;

/// What the page may be asked for; empty fields come from forms.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    plan: String,
    name: String,
    quarter: String,
    as_of: String,
}

/// `GET /unit`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Fields(asked): Fields<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let Some((plan, quarter)) = choose(&desk, &asked.plan, &asked.quarter)? else {
        return pages::empty(&desk, &caller);
    };
    let ask = Ask {
        plan,
        quarter,
        name: asked.name,
        sight: caller.sight(),
        moment: Moment::read(&desk, &asked.as_of)?,
    };
    let rules = desk.rules.now();
    let answer = history::ask(&desk, ask.moment.at, |book, at| {
        Answer::of(book, &rules, &ask, at)
    });
    let answer = answer.await??;
    page(&UnitPage {
        frame: Frame::new(&desk, &caller, "items"),
        now: format!(
            "/unit?plan={}&name={}&quarter={}",
            ask.plan,
            in_query(&ask.name),
            ask.quarter
        ),
        suffix: ask.moment.suffix(),
        may_urge: caller.may_write() && ask.moment.is_now() && answer.open > 0,
        ask,
        answer,
    })
}

/// What is asked, understood.
struct Ask {
    plan: PlanId,
    quarter: Quarter,
    name: String,
    sight: Sight,
    moment: Moment,
}

impl Ask {
    fn path(&self) -> &'static str {
        "/unit"
    }

    /// What the form for another moment carries on.
    fn kept(&self) -> [(&'static str, String); 3] {
        [
            ("plan", self.plan.to_string()),
            ("name", self.name.clone()),
            ("quarter", self.quarter.to_string()),
        ]
    }

    /// The unit's list in a quarter.
    fn list(&self, quarter: Quarter, show: Show) -> String {
        format!(
            "/items?plan={}&quarter={quarter}&state={}&unit={}{}",
            self.plan,
            show.as_str(),
            in_query(&self.name),
            self.moment.suffix()
        )
    }
}

struct Answer {
    title: String,
    quarters: Vec<QuarterLine>,
    rows: String,
    total: usize,
    open: usize,
    left_out: usize,
    people: Vec<PersonLine>,
}

struct QuarterLine {
    quarter: Quarter,
    here: bool,
    cells: Vec<(u32, String, &'static str)>,
}

struct PersonLine {
    id: PersonId,
    name: String,
    roles: &'static str,
    open: usize,
    all: usize,
    /// Nothing reaches them.
    unreached: bool,
}

impl Answer {
    fn of(book: &Book, rules: &RuleSet, ask: &Ask, at: DateTime<Utc>) -> Result<Self, WebError> {
        let query = Query {
            filter: Filter {
                unit: Some(ask.name.clone()),
                sight: ask.sight.clone(),
                ..Filter::default()
            },
            sort: Sort {
                by: SortBy::State,
                down: false,
            },
            ..Query::default()
        };
        let quarters = book.quarters_of(&ask.plan);
        let by_quarter: Vec<(Quarter, Found<'_>)> = quarters
            .into_iter()
            .map(|quarter| (quarter, find(book, &ask.plan, quarter, &query, at)))
            .collect();
        if by_quarter.iter().all(|(_, found)| found.items.is_empty()) {
            return Err(WebError::NotFound);
        }
        let here = by_quarter
            .iter()
            .find(|(quarter, _)| *quarter == ask.quarter);
        let items = here.map_or(&[][..], |(_, found)| found.items.as_slice());
        let suffix = ask.moment.suffix();
        let rows = Rows {
            book,
            calendar: &rules.calendar,
            items: items.get(..MOST.min(items.len())).unwrap_or_default(),
            boxes: None,
            suffix: &suffix,
        };
        let lines = by_quarter.iter().map(|(quarter, found)| QuarterLine {
            quarter: *quarter,
            here: *quarter == ask.quarter,
            cells: cells(ask, *quarter, &found.totals),
        });
        let world = rules.world(book);
        let all = by_quarter.iter().flat_map(|(_, found)| &found.items);
        let mut people = people(all, items);
        for person in &mut people {
            person.unreached = world.route(&person.id).is_empty();
        }
        let known = book.plans.get(&ask.plan);
        Ok(Self {
            title: known.map_or_else(String::new, |known| known.heading.title.clone()),
            quarters: lines.collect(),
            rows: rows.render()?,
            total: items.len(),
            open: items.iter().filter(|item| item.state.is_open()).count(),
            left_out: items.len().saturating_sub(MOST),
            people,
        })
    }
}

/// The columns of the numbers.
const COLUMNS: [Show; 8] = [
    Show::All,
    Show::Reported,
    Show::NotReported,
    Show::Overdue,
    Show::Late,
    Show::Returned,
    Show::ToReview,
    Show::Accepted,
];

fn cells(ask: &Ask, quarter: Quarter, tally: &Tally) -> Vec<(u32, String, &'static str)> {
    let numbers = [
        (tally.obligations, ""),
        (tally.reported, ""),
        (tally.not_reported, ""),
        (tally.overdue_unreported, "bad"),
        (tally.reported_late, "bad"),
        (tally.returned, "bad"),
        (tally.to_review(), ""),
        (tally.accepted, ""),
    ];
    let cells = COLUMNS.into_iter().zip(numbers);
    cells
        .map(|(show, (number, class))| {
            let class = if number > 0 { class } else { "quiet" };
            (number, ask.list(quarter, show), class)
        })
        .collect()
}

/// Those who answer for its items in the year, with what they owe in the quarter.
fn people<'a>(all: impl Iterator<Item = &'a Item<'a>>, items: &[Item<'_>]) -> Vec<PersonLine> {
    let mut people: Vec<PersonLine> = Vec::new();
    let mut known = std::collections::HashMap::new();
    let mut note = |person: &PersonRef, owns: bool| {
        let roles = if owns { "直接责任人" } else { "责任人" };
        let place = *known.entry(person.id.clone()).or_insert_with(|| {
            people.push(PersonLine {
                id: person.id.clone(),
                name: person.name.clone(),
                roles,
                open: 0,
                all: 0,
                unreached: false,
            });
            people.len() - 1
        });
        if let Some(line) = people.get_mut(place).filter(|line| line.roles != roles) {
            line.roles = "直接责任人、责任人";
        }
    };
    for item in all {
        item.group
            .owners
            .iter()
            .for_each(|person| note(person, true));
        item.group
            .responsible
            .iter()
            .for_each(|person| note(person, false));
    }
    for item in items {
        for owner in &item.group.owners {
            let place = known.get(&owner.id);
            if let Some(line) = place.and_then(|place| people.get_mut(*place)) {
                line.all += 1;
                line.open += usize::from(item.state.is_open());
            }
        }
    }
    people.sort_by_key(|line| std::cmp::Reverse((line.open, line.all)));
    people
}

#[derive(Template)]
#[template(path = "board/templates/unit.html", config = "src/web/askama.toml")]
struct UnitPage<'a> {
    frame: Frame<'a>,
    ask: Ask,
    answer: Answer,
    may_urge: bool,
    /// The page at present.
    now: String,
    suffix: String,
}
