//! A person: what they owe, and everything that was sent to them and that they said, to be printed
//! for the file (什么时候提醒过他).

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::history::{self, View};
use super::moment::{Moment, choose};
use super::pages::bad;
use super::rows::Rows;
use super::sheet::full;
use super::story::{Event, Kind, Telling, tell};
use crate::channel::mask;
use crate::desk::Desk;
use crate::domain::access::{Export, Page};
use crate::domain::board::{Item, items_in};
use crate::domain::book::Book;
use crate::domain::ids::{PersonId, PlanId, Quarter, TaskNo};
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::web::csv::Csv;
use crate::web::error::page;
use crate::web::format::{long_moment, moment};
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, audit};

/// Facts read for one page; more than anybody has in years.
const MOST: usize = 5000;

/// What the page may be asked for; empty fields come from forms.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    plan: String,
    /// Only events about this quarter.
    quarter: String,
    as_of: String,
}

/// `GET /person/{id}`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let ask = Ask::read(&desk, &caller, &id, &asked)?;
    let view = View::open(&desk, ask.moment.at).await?;
    let told = story(&desk, &view, &ask).await?;
    let calendar = desk.calendar();
    let rules = desk.rules.now();
    let card = view.ask(&desk, |book, at| {
        Card::of(book, &rules, &ask, at, &told.events)
    })?;
    audit::viewed(&desk, &caller, Page::Person, ask.person.as_str());
    page(&PersonPage {
        frame: Frame::new(&desk, &caller, "items"),
        now: ask.href("", ask.quarter, ""),
        csv: ask.href("/history.csv", ask.quarter, &ask.moment.suffix()),
        printed: long_moment(&calendar, desk.clock.now()),
        printed_by: printed_by(&caller),
        may_urge: caller.may_write() && ask.moment.is_now() && card.owes,
        picks: ask.picks(&card.quarters),
        events: told
            .events
            .iter()
            .map(|event| Line::of(event, &desk))
            .collect(),
        cut: told.cut,
        ask,
        card,
    })
}

/// `GET /person/{id}/history.csv`: the same events for Excel.
pub(super) async fn table(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.may(Scope::Export)?;
    let ask = Ask::read(&desk, &caller, &id, &asked)?;
    let view = View::open(&desk, ask.moment.at).await?;
    let told = story(&desk, &view, &ask).await?;
    let rules = desk.rules.now();
    let card = view.ask(&desk, |book, at| {
        Card::of(book, &rules, &ask, at, &told.events)
    })?;
    let subject = ask.href("", ask.quarter, &ask.moment.suffix());
    audit::exported(&desk, &caller, Export::Csv, &subject).await?;
    let calendar = desk.calendar();
    let mut csv = Csv::new(&["时间", "类别", "事由", "季度", "事项", "方式", "情况"]);
    for event in &told.events {
        csv.line(&[
            full(&calendar, event.at),
            event.kind.chinese().to_owned(),
            event.what.clone(),
            event.quarter.map_or_else(String::new, Quarter::chinese),
            event.items(),
            event.by.clone(),
            event.words.clone(),
        ]);
    }
    csv.download(&format!("{}{}提醒和报送记录", card.unit, card.name))
}

/// What is asked, understood.
struct Ask {
    person: PersonId,
    plan: Option<PlanId>,
    quarter: Option<Quarter>,
    /// The quarter whose open items are shown.
    present: Quarter,
    sight: Sight,
    moment: Moment,
}

impl Ask {
    fn read(desk: &Desk, caller: &Caller, id: &str, asked: &Asked) -> Result<Self, WebError> {
        let chosen = choose(desk, &asked.plan, &asked.quarter)?;
        let (plan, present) = chosen.ok_or(WebError::NotFound)?;
        Ok(Self {
            person: PersonId::new(id).map_err(|_| WebError::NotFound)?,
            plan: Some(plan),
            quarter: match asked.quarter.as_str() {
                "" => None,
                text => Some(text.parse().map_err(bad)?),
            },
            present,
            sight: caller.sight(),
            moment: Moment::read(desk, &asked.as_of)?,
        })
    }

    fn plan(&self) -> &str {
        self.plan.as_ref().map_or("", PlanId::as_str)
    }

    fn href(&self, path: &str, quarter: Option<Quarter>, suffix: &str) -> String {
        let mut href = format!("/person/{}{path}?plan={}", self.person, self.plan());
        if let Some(quarter) = quarter {
            let _ = write!(href, "&quarter={quarter}");
        }
        href + suffix
    }

    fn path(&self) -> String {
        format!("/person/{}", self.person)
    }

    /// What the form for another moment carries on.
    fn kept(&self) -> Vec<(&'static str, String)> {
        let quarter = self.quarter.map(|quarter| ("quarter", quarter.to_string()));
        let plan = ("plan", self.plan().to_owned());
        std::iter::once(plan).chain(quarter).collect()
    }

    fn picks(&self, quarters: &[Quarter]) -> Vec<Pick> {
        let suffix = self.moment.suffix();
        let pick = |quarter: Option<Quarter>, label: &str| Pick {
            href: self.href("", quarter, &suffix),
            label: label.to_owned(),
            here: self.quarter == quarter,
        };
        let each = quarters.iter();
        let each = each.map(|quarter| pick(Some(*quarter), quarter.chinese_short()));
        std::iter::once(pick(None, "全年")).chain(each).collect()
    }
}

/// The events of the plan, and of the quarter where one is asked for, oldest first.
struct Story {
    events: Vec<Event>,
    /// Whether there are older ones.
    cut: bool,
}

async fn story(desk: &Desk, view: &View, ask: &Ask) -> Result<Story, WebError> {
    let people = [ask.person.clone()];
    let (entries, cut) = history::facts_of(desk, view, &people, MOST).await?;
    let calendar = desk.calendar();
    let mut events = view.ask(desk, |book, _| {
        let telling = Telling {
            book,
            calendar: &calendar,
            plan: ask.plan.as_ref(),
            sight: &ask.sight,
        };
        tell(&telling, Some(&ask.person), &entries)
    });
    if let Some(quarter) = ask.quarter {
        events.retain(|event| event.quarter == Some(quarter));
    }
    Ok(Story { events, cut })
}

/// Who it is and what they owe.
struct Card {
    name: String,
    unit: String,
    roles: String,
    title: String,
    contacts: Vec<(&'static str, String)>,
    quarters: Vec<Quarter>,
    rows: String,
    open: usize,
    owned: usize,
    /// Whether there is something to urge them for.
    owes: bool,
    reminded: usize,
    said: usize,
    /// The first and the last day of what is told.
    period: String,
}

impl Card {
    fn of(
        book: &Book,
        rules: &RuleSet,
        ask: &Ask,
        at: DateTime<Utc>,
        events: &[Event],
    ) -> Result<Self, WebError> {
        let person = book.people.get(&ask.person).ok_or(WebError::NotFound)?;
        let plan = ask.plan.as_ref().ok_or(WebError::NotFound)?;
        let known = book.plans.get(plan);
        // In the order of the table.
        let owned: Vec<Item<'_>> = items_in(book, plan, ask.present, at, &ask.sight)
            .filter(|item| item.group.owners.iter().any(|owner| owner.id == ask.person))
            .collect();
        if ask.sight != Sight::Everything && owned.is_empty() && events.is_empty() {
            return Err(WebError::NotFound);
        }
        let open: Vec<Item<'_>> = owned
            .iter()
            .copied()
            .filter(|item| item.state.is_open())
            .collect();
        let suffix = ask.moment.suffix();
        let calendar = &*rules.calendar;
        let rows = Rows {
            book,
            calendar,
            items: &open,
            boxes: None,
            suffix: &suffix,
        };
        let day = |event: Option<&Event>| event.map(|event| moment(calendar, event.at));
        let count = |kind| events.iter().filter(|event| event.kind == kind).count();
        let contact = book.contact(&ask.person);
        Ok(Self {
            name: person.name.clone(),
            unit: person.unit.clone(),
            roles: person.roles.chinese(),
            title: contact.title.clone().unwrap_or_default(),
            contacts: masked(&contact),
            quarters: known.map_or_else(Vec::new, |_| book.quarters_of(plan)),
            rows: rows.render()?,
            open: open.len(),
            owned: owned.len(),
            owes: !open.is_empty(),
            reminded: count(Kind::Sent),
            said: count(Kind::Said),
            period: match (day(events.first()), day(events.last())) {
                (Some(first), Some(last)) => format!("{first}至{last}"),
                _ => String::new(),
            },
        })
    }
}

/// Enough to recognise, not enough to write to or to call.
fn masked(contact: &crate::domain::people::Contact) -> Vec<(&'static str, String)> {
    let hidden = |text: &String| mask::told(text);
    let mobile = contact.mobile.as_ref().map(|number| {
        let digits: Vec<char> = number.chars().collect();
        match digits.as_slice() {
            [a, b, c, .., x, y] if digits.len() >= 7 => format!("{a}{b}{c}******{x}{y}"),
            _ => "***".to_owned(),
        }
    });
    let account = contact.wecom_user.as_ref().map(|account| {
        let first: String = account.chars().take(1).collect();
        format!("{first}***")
    });
    let all = [
        ("手机", mobile),
        ("邮箱", contact.email.as_ref().map(hidden)),
        ("企业微信", account),
    ];
    let all = all.into_iter();
    all.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn printed_by(caller: &Caller) -> String {
    match caller {
        Caller::User { name, .. } => name.clone(),
        Caller::Operator => "本机管理员".into(),
        Caller::Token { name, .. } => name.clone(),
        Caller::Nobody => String::new(),
    }
}

#[derive(Template)]
#[template(path = "board/templates/person.html", config = "src/web/askama.toml")]
struct PersonPage<'a> {
    frame: Frame<'a>,
    ask: Ask,
    card: Card,
    picks: Vec<Pick>,
    events: Vec<Line>,
    cut: bool,
    may_urge: bool,
    /// The page at present.
    now: String,
    csv: String,
    printed: String,
    printed_by: String,
}

pub(super) struct Pick {
    pub href: String,
    pub label: String,
    pub here: bool,
}

/// An event, as read.
pub(super) struct Line {
    pub at: String,
    pub event: Event,
    pub items: String,
}

impl Line {
    pub(super) fn of(event: &Event, desk: &Desk) -> Self {
        Self {
            at: full(&desk.calendar(), event.at),
            items: event.items(),
            event: event.clone(),
        }
    }

    /// The only task it is about.
    pub(super) fn task(&self) -> Option<TaskNo> {
        match self.event.tasks.as_slice() {
            [task] if *task > 0 => Some(*task),
            _ => None,
        }
    }
}
