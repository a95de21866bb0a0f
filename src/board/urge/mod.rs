//! 催办 by a coordinator's word: first who would get what, over which channel, and how much they
//! had this week; then, on the same terms, done. As a page, and as JSON for `cuiban urge`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};
use axum::{Form, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::api::read_quarter;
use super::pages::bad;
use crate::desk::Desk;
use crate::domain::board::{Show, items_in};
use crate::domain::book::Book;
use crate::domain::due::{UrgeFate, UrgeFilter, Urging, urge};
use crate::domain::fact::Actor;
use crate::domain::ids::{PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::percent;
use crate::web::{ApiError, Caller, WebError};

/// What became of a 催办, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgeAnswer {
    /// Who gets a message.
    pub urged: Vec<UrgeLine>,
    /// How many have an earlier 催办 on its way still.
    pub on_its_way: usize,
    /// How many nothing reaches.
    pub unreachable: usize,
    /// All of it in words.
    pub text: String,
}

/// One person urged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgeLine {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// How many items are open.
    pub items: usize,
    /// Their numbers, most urgent first.
    pub tasks: Vec<u32>,
    /// First channel.
    pub channel: String,
    /// All channels, in the order they are tried.
    pub channels: Vec<String>,
    /// Messages in the last days of the budget's window, seven by default.
    pub this_week: usize,
}

/// Whom the page or its form is about; empty fields come from forms.
#[derive(Deserialize)]
pub(super) struct Asked {
    plan: String,
    quarter: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    owner: String,
    /// Only these, such as `2/0,16/1`.
    #[serde(default)]
    items: String,
    /// Up to which fact the page has seen.
    #[serde(default)]
    seen: Option<Position>,
    #[serde(default)]
    csrf: String,
}

/// `GET /urge`: who would get what.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let scope = Scope::read(&asked, caller.sight())?;
    let back = scope.back();
    preview_of(&desk, &caller, scope, asked, back)
}

/// The same page for items picked from a list; `back` leads to the list.
pub(super) fn preview(
    desk: &Desk,
    caller: &Caller,
    (plan, quarter): (PlanId, Quarter),
    items: BTreeSet<(TaskNo, u8)>,
    back: String,
) -> Result<Html<String>, WebError> {
    let picked = items.iter().map(|(task, group)| format!("{task}/{group}"));
    let asked = Asked {
        plan: plan.to_string(),
        quarter: quarter.to_string(),
        unit: String::new(),
        owner: String::new(),
        items: picked.collect::<Vec<_>>().join(","),
        seen: None,
        csrf: String::new(),
    };
    let scope = Scope::read(&asked, caller.sight())?;
    preview_of(desk, caller, scope, asked, back)
}

/// An item as forms name it: `16/0`.
pub(super) fn read_item(text: &str) -> Result<(TaskNo, u8), WebError> {
    let read = |text: &str| {
        let (task, group) = text.trim().split_once('/')?;
        Some((task.parse().ok()?, group.parse().ok()?))
    };
    read(text).ok_or_else(|| WebError::BadRequest(format!("“{text}”不是事项的编号")))
}

fn preview_of(
    desk: &Desk,
    caller: &Caller,
    scope: Scope,
    asked: Asked,
    back: String,
) -> Result<Html<String>, WebError> {
    let rules = desk.rules.now();
    let (lines, seen, about, title) = {
        let book = desk.ledger.book();
        let known = book.plans.get(&scope.plan).ok_or(WebError::NotFound)?;
        let title = known.heading.title.clone();
        let lines = scope.urging(&book, &rules, desk.clock.now());
        let lines: Vec<Line> = lines.iter().map(|one| line(&book, &rules, one)).collect();
        (lines, book.position, scope.about(&book), title)
    };
    page(&UrgePage {
        frame: Frame::new(desk, caller, "items"),
        title,
        quarter: scope.quarter.chinese(),
        about,
        going: lines.iter().filter(|line| line.goes).count(),
        lines,
        days: rules.policy.budget_window.num_days(),
        seen,
        back,
        asked,
    })
}

/// `POST /urge`: done, to those who were on the page and still owe something.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(asked): Form<Asked>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&asked.csrf)?;
    let scope = Scope::read(&asked, caller.sight())?;
    let to = format!("/deliveries?quarter={}", scope.quarter);
    commit(&desk, by, move |_| Ok(vec![scope]), false).await?;
    Ok(Redirect::to(&to))
}

/// What `cuiban urge` asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    quarter: String,
    plan: Option<String>,
    unit: Option<String>,
    person: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/v1/urge`: 催办 now in every plan that has this quarter, or who would be urged.
pub(super) async fn order(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    body: Result<Json<Order>, JsonRejection>,
) -> Result<Json<UrgeAnswer>, ApiError> {
    let by = caller.writer()?;
    let Json(order) = body.map_err(|error| WebError::BadRequest(error.body_text()))?;
    let quarter = read_quarter(&order.quarter)?;
    let sight = caller.sight();
    let plan = order.plan.as_deref().map(PlanId::new);
    let plan = plan.transpose().map_err(bad)?;
    let dry = order.dry_run;
    let scopes = move |book: &Book| {
        let filter = UrgeFilter {
            person: match &order.person {
                Some(who) => Some(
                    book.find_person(who)
                        .map_err(|error| WebError::BadRequest(error.to_string()))?,
                ),
                None => None,
            },
            unit: order.unit.clone(),
            items: None,
            seen: None,
        };
        if let Some(unit) = &filter.unit {
            must_know_unit(book, unit)?;
        }
        let plans = book
            .plans
            .keys()
            .filter(|known| plan.as_ref().is_none_or(|plan| plan == *known));
        let scope = |plan: &PlanId| Scope {
            plan: plan.clone(),
            quarter,
            filter: filter.clone(),
            sight: sight.clone(),
        };
        Ok(plans.map(scope).collect())
    };
    Ok(Json(commit(&desk, by, scopes, dry).await?))
}

/// A quarter of a plan, and whom of it.
struct Scope {
    plan: PlanId,
    quarter: Quarter,
    filter: UrgeFilter,
    /// What the one who urges may see: of nothing else is anybody urged.
    sight: Sight,
}

impl Scope {
    fn read(asked: &Asked, sight: Sight) -> Result<Self, WebError> {
        let items = asked.items.split(',').filter(|item| !item.is_empty());
        let items: BTreeSet<_> = items.map(read_item).collect::<Result<_, _>>()?;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let person = some(&asked.owner).map(|id| PersonId::new(&id));
        Ok(Self {
            plan: PlanId::new(&asked.plan).map_err(bad)?,
            quarter: asked.quarter.parse().map_err(bad)?,
            filter: UrgeFilter {
                unit: some(&asked.unit),
                person: person.transpose().map_err(bad)?,
                items: Some(items).filter(|items| !items.is_empty()),
                seen: asked.seen,
            },
            sight,
        })
    }

    fn urging(&self, book: &Book, rules: &RuleSet, now: DateTime<Utc>) -> Vec<Urging> {
        let (plan, quarter) = (&self.plan, self.quarter);
        let mut filter = self.filter.clone();
        if self.sight != Sight::Everything {
            let seen = items_in(book, plan, quarter, now, &self.sight);
            let seen: BTreeSet<_> = seen.map(|item| (item.key.task, item.key.group)).collect();
            filter.items = Some(match filter.items {
                Some(items) => &items & &seen,
                None => seen,
            });
        }
        urge(&rules.world(book), plan, quarter, &filter, now)
    }

    /// Whom it is about, in words.
    fn about(&self, book: &Book) -> String {
        let person = self.filter.person.as_ref();
        let person = person.and_then(|id| book.people.get(id));
        match (person, &self.filter.unit) {
            (Some(person), _) => format!("{}（{}）", person.name, person.unit),
            (None, Some(unit)) => unit.clone(),
            (None, None) => match &self.filter.items {
                Some(items) => format!("所选{}项", items.len()),
                None => "全部单位".into(),
            },
        }
    }

    /// The list it is about.
    fn back(&self) -> String {
        let state = Show::NotReported.as_str();
        let mut href = format!(
            "/items?plan={}&quarter={}&state={state}",
            self.plan, self.quarter
        );
        if let Some(unit) = &self.filter.unit {
            href.push_str(&format!("&unit={}", percent::encoded(unit)));
        }
        if let Some(person) = &self.filter.person {
            href.push_str(&format!("&owner={person}"));
        }
        href
    }
}

/// Decides and appends in one step, so that who has reported a moment ago is not urged.
async fn commit(
    desk: &Desk,
    by: Actor,
    scopes: impl FnOnce(&Book) -> Result<Vec<Scope>, WebError> + Send + 'static,
    dry: bool,
) -> Result<UrgeAnswer, WebError> {
    let now = desk.clock.now();
    let rules = desk.rules.now();
    let decide = move |book: &Book| {
        let scopes = scopes(book)?;
        let all: Vec<Urging> = scopes
            .iter()
            .flat_map(|scope| scope.urging(book, &rules, now))
            .collect();
        let value = answer(book, &all, &rules, dry);
        let facts = match dry {
            true => Vec::new(),
            false => all.into_iter().filter_map(|one| one.fact(now)).collect(),
        };
        Ok(Decision { facts, value })
    };
    Ok(desk.ledger.commit(by, now, decide).await?)
}

fn answer(book: &Book, all: &[Urging], rules: &RuleSet, dry: bool) -> UrgeAnswer {
    let days = rules.policy.budget_window.num_days();
    let count = |fate| all.iter().filter(|one| one.fate == fate).count();
    let (on_its_way, unreachable) = (count(UrgeFate::OnItsWay), count(UrgeFate::Unreachable));
    let mut urged = Vec::new();
    let mut text = String::new();
    for one in all.iter().filter(|one| one.fate == UrgeFate::Goes) {
        let line = line(book, rules, one);
        let _ = writeln!(
            text,
            "{} {}：第{}项未报；渠道：{}；近{days}日已收到{}条消息",
            line.unit, line.name, line.tasks, line.channels, line.already
        );
        urged.push(UrgeLine {
            items: one.items.len(),
            tasks: tasks(one),
            channel: one.route.first().map_or("", |c| c.as_str()).to_owned(),
            channels: one.route.iter().map(|c| c.as_str().to_owned()).collect(),
            this_week: one.already,
            name: line.name,
            unit: line.unit,
        });
    }
    let verb = if dry { "将催办" } else { "已催办" };
    let _ = write!(text, "{verb}{}人", urged.len());
    if on_its_way > 0 {
        let _ = write!(text, "；{on_its_way}人的上一次催办还在发送，不再重复");
    }
    if unreachable > 0 {
        let _ = write!(text, "；另有{unreachable}人没有可用的联系方式");
    }
    UrgeAnswer {
        urged,
        on_its_way,
        unreachable,
        text,
    }
}

#[derive(Template)]
#[template(path = "board/templates/urge.html", config = "src/web/askama.toml")]
struct UrgePage<'a> {
    frame: Frame<'a>,
    title: String,
    quarter: String,
    about: String,
    lines: Vec<Line>,
    /// How many messages leave.
    going: usize,
    days: i64,
    seen: Position,
    back: String,
    asked: Asked,
}

/// One person, as read.
struct Line {
    id: PersonId,
    name: String,
    unit: String,
    tasks: String,
    channels: String,
    already: usize,
    /// As many as anyone may get without a coordinator's word.
    plenty: bool,
    goes: bool,
    note: &'static str,
}

fn line(book: &Book, rules: &RuleSet, one: &Urging) -> Line {
    let person = book.people.get(&one.key.person);
    let tasks: Vec<String> = tasks(one).iter().map(u32::to_string).collect();
    let channels: Vec<&str> = one.route.iter().map(|kind| kind.chinese()).collect();
    Line {
        id: one.key.person.clone(),
        name: person.map_or_else(String::new, |person| person.name.clone()),
        unit: person.map_or_else(String::new, |person| person.unit.clone()),
        tasks: tasks.join("、"),
        channels: match channels.as_slice() {
            [] => "无".into(),
            [one] => (*one).into(),
            [first, others @ ..] => format!("{first}（发不出时{}）", others.join("、")),
        },
        already: one.already,
        plenty: one.already >= rules.policy.budget,
        goes: one.fate == UrgeFate::Goes,
        note: match one.fate {
            UrgeFate::Goes => "",
            UrgeFate::OnItsWay => "上一次催办还在发送，不再重复",
            UrgeFate::Unreachable => "没有可用的联系方式，请另行通知本人",
        },
    }
}

fn tasks(one: &Urging) -> Vec<u32> {
    let mut tasks: Vec<u32> = one.items.iter().map(|key| key.task).collect();
    tasks.dedup();
    tasks
}

fn must_know_unit(book: &Book, unit: &str) -> Result<(), WebError> {
    let mut groups = book
        .plans
        .values()
        .flat_map(|plan| plan.tasks.values())
        .flat_map(|task| &task.groups);
    let known =
        groups.any(|group| group.unit == unit || group.unit.split('、').any(|one| one == unit));
    match known {
        true => Ok(()),
        false => Err(WebError::BadRequest(format!(
            "没有找到单位“{unit}”，请按分解表“牵头单位”一栏填写"
        ))),
    }
}
