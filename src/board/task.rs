//! A task over the year: its text, its nodes and figures by quarter, all that was reported, said
//! and sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::deliveries;
use super::history::{self, View};
use super::moment::Moment;
use super::pages::bad;
use super::person::Line;
use super::review::{Told, review_line, told};
use super::story::{Telling, tell};
use crate::desk::Desk;
use crate::domain::board::names;
use crate::domain::book::{Book, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter, TaskNo};
use crate::domain::plan::{Group, PersonRef, Task};
use crate::domain::target::actual::targets_in;
use crate::domain::user::Sight;
use crate::web::error::page;
use crate::web::format::{long_moment, moment};
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// Facts of its people read for one page.
const MOST: usize = 5000;

/// What the page may be asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    as_of: String,
}

/// `GET /task/{plan}/{task}`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path((plan, task)): Path<(String, TaskNo)>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let ask = Ask {
        plan: Some(PlanId::new(&plan).map_err(bad)?),
        task,
        sight: caller.sight(),
        moment: Moment::read(&desk, &asked.as_of)?,
    };
    let view = View::open(&desk, ask.moment.at).await?;
    let whole = view.ask(&desk, |book, at| Whole::of(&desk, book, &ask, at));
    let whole = whole.ok_or(WebError::NotFound)?;
    let steps = steps(&desk, &view, &ask, &whole.owners).await?;
    page(&WholePage {
        frame: Frame::new(&desk, &caller, "items"),
        now: ask.path(),
        suffix: ask.moment.suffix(),
        ask,
        messages: whole.messages,
        whole: whole.text,
        parts: whole.parts,
        figures: whole.figures,
        quarters: whole.quarters,
        steps,
    })
}

/// What is asked, understood.
struct Ask {
    /// Always there: an event's line asks so.
    plan: Option<PlanId>,
    task: TaskNo,
    sight: Sight,
    moment: Moment,
}

impl Ask {
    fn plan(&self) -> &str {
        self.plan.as_ref().map_or("", PlanId::as_str)
    }

    fn path(&self) -> String {
        format!("/task/{}/{}", self.plan(), self.task)
    }

    /// The form for another moment carries nothing on.
    fn kept(&self) -> [(&'static str, String); 0] {
        []
    }
}

/// All that the book says of it.
struct Whole {
    text: Text,
    quarters: Vec<Quarter>,
    parts: Vec<Part>,
    figures: Vec<Figure>,
    messages: Vec<deliveries::Line>,
    /// Whose facts tell the rest.
    owners: Vec<PersonId>,
}

/// What the table says.
struct Text {
    name: String,
    goal: String,
    requirement: Option<String>,
    schedule: String,
    leaders: String,
    assisting: String,
    /// Whether a revised table has taken it away.
    closed: bool,
    groups: Vec<GroupLine>,
}

struct GroupLine {
    unit: String,
    responsible: Vec<PersonRef>,
    owners: Vec<PersonRef>,
}

/// One group's quarter.
struct Part {
    key: ObligationKey,
    quarter: String,
    /// Where several groups answer.
    unit: Option<String>,
    state: ObligationState,
    deadline: String,
    nodes: Vec<(Option<String>, String)>,
    review: Option<String>,
    summary: Option<(String, String)>,
    /// Newest first.
    reports: Vec<Told>,
}

/// A figure over the quarters.
struct Figure {
    name: String,
    cells: Vec<Option<Cell>>,
}

struct Cell {
    asked: String,
    actual: Option<String>,
    reached: bool,
}

impl Whole {
    fn of(desk: &Desk, book: &Book, ask: &Ask, now: DateTime<Utc>) -> Option<Self> {
        let plan = ask.plan.as_ref()?;
        let known = book.plans.get(plan)?;
        let closed = known
            .closed
            .range((ask.task, 0)..=(ask.task, u8::MAX))
            .next();
        let standing = known.tasks.get(&ask.task);
        let task = standing.or_else(|| closed.map(|(_, duty)| &duty.task))?;
        if !ask.sight.sees(task) {
            return None;
        }
        let calendar = desk.calendar();
        let quarters = book.quarters_of(plan);
        let keys: Vec<ObligationKey> = quarters
            .iter()
            .flat_map(|quarter| keys_in(book, plan, *quarter, ask.task))
            .collect();
        let people: BTreeSet<PersonId> = keys
            .iter()
            .flat_map(|key| deliveries::concerned(book, key))
            .collect();
        let messages = deliveries::about(book, &people, |key| {
            key.task == ask.task && key.plan == *plan
        });
        let several = task.groups.len() > 1;
        let parts = keys
            .iter()
            .filter_map(|key| Part::of(book, &calendar, key, several, now));
        let owners: BTreeSet<PersonId> = keys.iter().flat_map(|key| spoke(book, key)).collect();
        Some(Self {
            text: Text::of(task, standing.is_none()),
            parts: parts.collect(),
            figures: figures(book, &keys, &quarters, several),
            messages: messages
                .into_iter()
                .map(|one| deliveries::line(book, one, &calendar, &ask.sight))
                .collect(),
            owners: owners.into_iter().collect(),
            quarters,
        })
    }
}

impl Text {
    fn of(task: &Task, closed: bool) -> Self {
        let group = |group: &Group| GroupLine {
            unit: group.unit.clone(),
            responsible: group.responsible.clone(),
            owners: group.owners.clone(),
        };
        Self {
            name: task.short_name(),
            goal: task.goal.clone(),
            requirement: task.requirement.clone(),
            schedule: task.schedule.clone(),
            leaders: task.leaders.join("、"),
            assisting: task.assisting_units.join("、"),
            closed,
            groups: task.groups.iter().map(group).collect(),
        }
    }
}

impl Part {
    fn of(
        book: &Book,
        calendar: &Calendar,
        key: &ObligationKey,
        several: bool,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let (task, group) = book.task_and_group(key)?;
        let known = book.obligations.get(key)?;
        let deadline = book.due(key);
        let summary = book
            .summaries
            .get(&(key.plan.clone(), key.quarter, key.task));
        let nodes = task.milestones_in(group, key.quarter);
        Some(Self {
            quarter: key.quarter.chinese(),
            unit: several.then(|| format!("{}（{}）", group.unit, names(&group.owners))),
            state: known.state(deadline, now),
            deadline: deadline.map_or("尚未推算".into(), |at| moment(calendar, at)),
            nodes: nodes
                .map(|node| (node.section.clone(), node.content.clone()))
                .collect(),
            review: review_line(known, |at| moment(calendar, at)),
            summary: summary.filter(|_| key.group == 0).map(|summary| {
                let by = book.people.get(&summary.person);
                let by = by.map_or("", |by| by.name.as_str());
                (
                    summary.text.clone(),
                    format!("{by}　{}", moment(calendar, summary.at)),
                )
            }),
            reports: told(book, (key, known), |at| long_moment(calendar, at)),
            key: key.clone(),
        })
    }
}

/// The obligations of a task in a quarter, with those taken away.
fn keys_in(book: &Book, plan: &PlanId, quarter: Quarter, task: TaskNo) -> Vec<ObligationKey> {
    let key = |group| ObligationKey {
        plan: plan.clone(),
        quarter,
        task,
        group,
    };
    let found = book.obligations.range(key(0)..=key(u8::MAX));
    found.map(|(key, _)| key.clone()).collect()
}

/// The owners, then and now, and who reported: their facts tell what was asked and decided.
fn spoke(book: &Book, key: &ObligationKey) -> Vec<PersonId> {
    let group = book.task_and_group(key).map(|(_, group)| group);
    let owners = group.into_iter().flat_map(|group| &group.owners);
    let mut people: Vec<PersonId> = owners.map(|owner| owner.id.clone()).collect();
    let known = book.obligations.get(key);
    let reports = known.into_iter().flat_map(|known| &known.reports);
    people.extend(reports.map(|received| received.report.person.clone()));
    people
}

/// Targets against actuals: a line a figure, a column a quarter.
fn figures(
    book: &Book,
    keys: &[ObligationKey],
    quarters: &[Quarter],
    several: bool,
) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for key in keys {
        let Some((task, group)) = book.task_and_group(key) else {
            continue;
        };
        let known = book.obligations.get(key);
        let latest = known.and_then(|known| known.latest());
        let actuals = latest.map_or(&[][..], |latest| &latest.report.actuals);
        for target in targets_in(task, group, key.quarter) {
            let name = match several {
                true => format!("{}（{}）", target.name(), group.unit),
                false => target.name().to_owned(),
            };
            let place = figures.iter().position(|one| one.name == name);
            let place = place.unwrap_or_else(|| {
                let cells = quarters.iter().map(|_| None).collect();
                figures.push(Figure { name, cells });
                figures.len() - 1
            });
            let actual = actuals.iter().find(|actual| actual.target == target);
            let column = quarters.iter().position(|quarter| *quarter == key.quarter);
            let row = figures.get_mut(place);
            let cell = row
                .zip(column)
                .and_then(|(row, column)| row.cells.get_mut(column));
            if let Some(cell) = cell {
                let cumulative = if target.cumulative { "累计" } else { "" };
                *cell = Some(Cell {
                    asked: format!("{cumulative}{}", target.asked()),
                    actual: actual.map(|actual| actual.text.clone()),
                    reached: actual.is_some_and(|actual| actual.is_reached()),
                });
            }
        }
    }
    figures
}

/// What was asked and decided about it, oldest first.
async fn steps(
    desk: &Desk,
    view: &View,
    ask: &Ask,
    owners: &[PersonId],
) -> Result<Vec<Line>, WebError> {
    let (entries, _) = history::facts_of(desk, view, owners, MOST).await?;
    let calendar = desk.calendar();
    let mut events = view.ask(desk, |book, _| {
        let telling = Telling {
            book,
            calendar: &calendar,
            plan: ask.plan.as_ref(),
            sight: &ask.sight,
        };
        tell(&telling, None, &entries)
    });
    events.retain(|event| event.is_step() && event.tasks.contains(&ask.task));
    Ok(events.iter().map(|event| Line::of(event, desk)).collect())
}

#[derive(Template)]
#[template(path = "board/templates/whole.html", config = "src/web/askama.toml")]
struct WholePage<'a> {
    frame: Frame<'a>,
    ask: Ask,
    whole: Text,
    quarters: Vec<Quarter>,
    parts: Vec<Part>,
    figures: Vec<Figure>,
    messages: Vec<deliveries::Line>,
    steps: Vec<Line>,
    /// The page at present.
    now: String,
    suffix: String,
}
