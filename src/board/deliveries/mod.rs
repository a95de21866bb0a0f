//! What became of each message, and a second try for those that were given up.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::moment::Moment;
use super::pages::bad;
use super::wire::standing;
use super::{history, sheet};
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Fact, WithdrawWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter, told};
use crate::domain::message::MessageKey;
use crate::domain::people::ChannelKind;
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::{brief, moment};
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, audit};

/// Rows on a page; the JSON has them all.
const MOST: usize = 500;

/// The states by name, and what people read.
pub(super) const STATES: [(&str, &str); 7] = [
    ("dead", "发送失败"),
    ("held", "待确认"),
    ("in_doubt", "结果未明"),
    ("waiting", "待发送"),
    ("sent", "已发出"),
    ("handled", "已电话通知"),
    ("withdrawn", "已撤回"),
];

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    quarter: String,
    as_of: String,
}

/// `GET /deliveries`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.office()?;
    let ask = Ask::read(&desk, &caller, &asked)?;
    let (calendar, question) = (desk.calendar(), ask.clone());
    let answer = history::ask(&desk, ask.moment.at, move |book, _| {
        let found = question.select(book);
        let rows = found.iter().take(MOST);
        let rows: Vec<_> = rows
            .map(|one| line(book, one, &calendar, &question.sight))
            .collect();
        (tabs(book, &question), rows, found.len())
    });
    let (tabs, rows, total) = answer.await?;
    let frame = Frame::new(&desk, &caller, "deliveries");
    let html = page(&DeliveriesPage {
        frame: match ask.moment.is_now() {
            true => frame.live(None, ask.quarter),
            false => frame,
        },
        may_revive: caller.may_write() && ask.moment.is_now(),
        quarter: ask.quarter.map(Quarter::chinese),
        tabs,
        left_out: total.saturating_sub(rows.len()),
        rows,
        now: ask.href("/deliveries", ask.state.as_deref(), ""),
        all: ask.moment.only(),
        csv: ask.href(
            "/deliveries.csv",
            ask.state.as_deref(),
            &ask.moment.suffix(),
        ),
        suffix: ask.moment.suffix(),
        moment: ask.moment,
    })?;
    Ok(with_script(html))
}

/// `GET /deliveries.csv`: all of them.
pub(super) async fn table(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.may(Scope::Export)?;
    caller.unlimited()?;
    let ask = Ask::read(&desk, &caller, &asked)?;
    let subject = ask.href("/deliveries", ask.state.as_deref(), &ask.moment.suffix());
    audit::exported(&desk, &caller, Export::Csv, &subject).await?;
    let calendar = desk.calendar();
    let quarter = ask.quarter.map_or_else(String::new, Quarter::chinese);
    let csv = history::ask(&desk, ask.moment.at, move |book, _| {
        sheet::deliveries(book, &calendar, &ask.select(book), &ask.sight)
    });
    csv.await?.download(&format!("{quarter}消息清单"))
}

/// What is asked, understood.
#[derive(Clone)]
struct Ask {
    state: Option<String>,
    quarter: Option<Quarter>,
    sight: Sight,
    moment: Moment,
}

impl Ask {
    fn read(desk: &Desk, caller: &Caller, asked: &Asked) -> Result<Self, WebError> {
        Ok(Self {
            state: Some(asked.state.clone()).filter(|state| !state.is_empty()),
            quarter: match asked.quarter.as_str() {
                "" => None,
                text => Some(text.parse().map_err(bad)?),
            },
            sight: caller.sight(),
            moment: Moment::read(desk, &asked.as_of)?,
        })
    }

    fn select<'a>(&'a self, book: &'a Book) -> Vec<&'a Delivery> {
        select(book, self.quarter, self.state.as_deref(), &self.sight)
    }

    fn href(&self, path: &str, state: Option<&str>, suffix: &str) -> String {
        let quarter = self.quarter.map(|quarter| format!("&quarter={quarter}"));
        let (state, quarter) = (state.unwrap_or_default(), quarter.unwrap_or_default());
        format!("{path}?state={state}{quarter}{suffix}")
    }
}

#[derive(Deserialize)]
pub(super) struct Revive {
    csrf: String,
    key: String,
}

/// `POST /deliveries/handled`: the person was told by telephone.
pub(super) async fn handled(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = find(&desk, &form.key)?;
    let decide = move |book: &Book| match book.messages.get(&key).map(|known| &known.state) {
        Some(state) if state.is_stuck() => Ok(Decision {
            facts: vec![Fact::MessageHandled { key }],
            value: (),
        }),
        // A second click.
        Some(DeliveryState::Handled { .. }) => Ok(Decision::nothing(())),
        Some(_) => Err(WebError::Conflict(
            "这条消息刚刚已由他人重发或处理，请返回刷新。".into(),
        )),
        None => Err(WebError::NotFound),
    };
    desk.ledger.commit(by, desk.clock.now(), decide).await?;
    Ok(Redirect::to("/deliveries?state=handled"))
}

fn find(desk: &Desk, text: &str) -> Result<MessageKey, WebError> {
    let book = desk.ledger.book();
    let found = book.messages.keys().find(|key| key.to_string() == text);
    found.cloned().ok_or(WebError::NotFound)
}

/// `POST /deliveries/revive`: one more try, at the next hour at which messages may leave.
pub(super) async fn revive(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = find(&desk, &form.key)?;
    let now = desk.clock.now();
    let at = desk.rules.now().next_open(now);
    let decide = move |book: &Book| match book.messages.get(&key).map(|known| &known.state) {
        Some(state) if state.is_stuck() => Ok(Decision {
            facts: vec![Fact::MessageRevived { key, at }],
            value: (),
        }),
        // A second click: it is on its way already.
        Some(DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }) => {
            Ok(Decision::nothing(()))
        }
        Some(_) => Err(WebError::Conflict(
            "这条消息已经发出或撤回，不需要重发。".into(),
        )),
        None => Err(WebError::NotFound),
    };
    desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to("/deliveries?state=waiting"))
}

/// The messages of a quarter in a state, or of all, newest first.
pub(super) fn select<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    state: Option<&str>,
    sight: &'a Sight,
) -> Vec<&'a Delivery> {
    let mut found: Vec<_> = matching(book, quarter, sight)
        .filter(|one| state.is_none_or(|state| one.state.as_str() == state))
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse((standing(one).0, one.queued_in)));
    found
}

#[derive(Template)]
#[template(
    path = "board/templates/deliveries.html",
    config = "src/web/askama.toml"
)]
struct DeliveriesPage<'a> {
    frame: Frame<'a>,
    may_revive: bool,
    quarter: Option<String>,
    tabs: Vec<Tab>,
    rows: Vec<Line>,
    left_out: usize,
    moment: Moment,
    /// The same list at present.
    now: String,
    /// `?as_of=…`: all quarters.
    all: String,
    csv: String,
    suffix: String,
}

struct Tab {
    href: String,
    label: &'static str,
    count: usize,
    here: bool,
}

/// A message, as read.
pub(super) struct Line {
    pub key: String,
    pub person: PersonId,
    pub plan: PlanId,
    pub name: String,
    /// What it speaks of.
    pub tasks: String,
    pub unit: String,
    pub occasion: &'static str,
    pub quarter: String,
    pub catch_up: bool,
    pub state: &'static str,
    pub state_chinese: &'static str,
    pub channel: &'static str,
    pub at: String,
    pub attempts: u32,
    pub note: String,
    pub can_revive: bool,
}

fn matching<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    sight: &'a Sight,
) -> impl Iterator<Item = &'a Delivery> {
    book.messages
        .values()
        .filter(move |one| quarter.is_none_or(|quarter| one.message.key.quarter == quarter))
        .filter(move |one| is_seen(book, one, sight))
}

/// Whether a message speaks of something that may be seen.
pub(super) fn is_seen(book: &Book, delivery: &Delivery, sight: &Sight) -> bool {
    if *sight == Sight::Everything {
        return true;
    }
    let message = &delivery.message;
    let mut keys = message.items.iter().chain(&message.about);
    keys.any(|key| {
        let known = book.task_and_group(key);
        known.is_some_and(|(task, _)| sight.sees(task))
    })
}

/// The numbers of the tasks a message speaks of, as far as they may be seen: its person's own, else
/// those of others.
pub(super) fn tasks(book: &Book, delivery: &Delivery, sight: &Sight) -> String {
    let message = &delivery.message;
    let keys = match message.items.as_slice() {
        [] => &message.about,
        items => items,
    };
    let seen = |key: &&ObligationKey| {
        let known = book.task_and_group(key);
        *sight == Sight::Everything || known.is_some_and(|(task, _)| sight.sees(task))
    };
    let mut tasks: Vec<_> = keys.iter().filter(seen).map(|key| key.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    told(&tasks)
}

/// What people read of a state.
pub(super) fn state_chinese(state: &DeliveryState) -> &'static str {
    let name = state.as_str();
    let named = STATES.iter().find(|(known, _)| *known == name);
    named.map_or("", |(_, label)| label)
}

fn tabs(book: &Book, ask: &Ask) -> Vec<Tab> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for one in matching(book, ask.quarter, &ask.sight) {
        *counts.entry(one.state.as_str()).or_default() += 1;
    }
    let tab = |state: Option<&str>, label, count| Tab {
        href: ask.href("/deliveries", state, &ask.moment.suffix()),
        label,
        count,
        here: ask.state.as_deref() == state,
    };
    let all = tab(None, "全部", counts.values().sum());
    let each = STATES.iter().map(|(name, label)| {
        let count = counts.get(name).copied().unwrap_or_default();
        tab(Some(name), label, count)
    });
    std::iter::once(all).chain(each).collect()
}

pub(super) fn line(book: &Book, delivery: &Delivery, calendar: &Calendar, sight: &Sight) -> Line {
    let key = &delivery.message.key;
    let person = book.people.get(&key.person);
    let (at, channel) = standing(delivery);
    Line {
        key: key.to_string(),
        person: key.person.clone(),
        plan: key.plan.clone(),
        tasks: tasks(book, delivery, sight),
        name: person.map(|person| person.name.clone()).unwrap_or_default(),
        unit: person.map(|person| person.unit.clone()).unwrap_or_default(),
        occasion: key.occasion.chinese(),
        quarter: key.quarter.chinese(),
        catch_up: delivery.message.catch_up,
        state: delivery.state.as_str(),
        state_chinese: state_chinese(&delivery.state),
        channel: channel
            .and_then(ChannelKind::from_name)
            .map_or("", ChannelKind::chinese),
        at: brief(calendar, at),
        attempts: delivery.attempts,
        note: note(delivery, |at| moment(calendar, at)),
        can_revive: delivery.state.is_stuck(),
    }
}

/// Why it stands as it does, in a sentence.
pub(super) fn note(delivery: &Delivery, time: impl Fn(DateTime<Utc>) -> String) -> String {
    match &delivery.state {
        DeliveryState::Sent { .. } | DeliveryState::Handled { .. } => String::new(),
        DeliveryState::Withdrawn { why, .. } => withdrawn_why(*why),
        DeliveryState::Waiting { until } if delivery.last_trouble.is_none() => {
            format!("将于{}后发送", time(*until))
        }
        _ => match &delivery.last_trouble {
            Some(trouble) => match trouble.reason {
                Some(reason) => format!("{}（{}）", reason.chinese(), trouble.detail),
                None => format!("结果未明（{}）", trouble.detail),
            },
            None => String::new(),
        },
    }
}

/// Why a message was not sent after all.
pub(super) fn withdrawn_why(why: WithdrawWhy) -> String {
    match why {
        WithdrawWhy::Reported => "所提事项已全部报送，不再发送".into(),
        WithdrawWhy::Superseded { by } => format!("已并入后来的{}", by.chinese()),
        WithdrawWhy::NoLongerTheirs => "所提事项已不由其负责".into(),
        WithdrawWhy::PutOff => "所提事项已获准延期，按新的日期另行提醒".into(),
        WithdrawWhy::AlarmOver => "发出之前已恢复正常".into(),
        WithdrawWhy::Restored => "从备份恢复之前可能已经发出，不再补发".into(),
    }
}

/// The messages to these people that speak of such obligations, oldest first.
pub(super) fn about<'a>(
    book: &'a Book,
    people: &BTreeSet<PersonId>,
    is_meant: impl Fn(&ObligationKey) -> bool,
) -> Vec<&'a Delivery> {
    let keys = people
        .iter()
        .filter_map(|person| book.messages_of.get(person));
    let all = keys.flatten().filter_map(|key| book.messages.get(key));
    let mut found: Vec<&Delivery> = all
        .filter(|delivery| {
            let message = &delivery.message;
            message.items.iter().chain(&message.about).any(&is_meant)
        })
        .collect();
    found.sort_by_key(|delivery| (standing(delivery).0, delivery.queued_in));
    found
}

/// Everyone who may have been written to about an obligation.
pub(super) fn concerned(book: &Book, key: &ObligationKey) -> BTreeSet<PersonId> {
    let mut people = BTreeSet::new();
    if let Some((_, group)) = book.task_and_group(key) {
        let named = group.owners.iter().chain(&group.responsible);
        people.extend(named.chain(&group.leaders).map(|person| person.id.clone()));
    }
    if let Some(known) = book.obligations.get(key) {
        people.extend(known.copied.keys().cloned());
        people.extend(known.reports.iter().flat_map(|received| {
            let report = &received.report;
            report.delegate.iter().chain([&report.person]).cloned()
        }));
    }
    if let Some(plan) = book.plans.get(&key.plan) {
        let moved = plan.handovers.iter();
        let moved = moved.filter(|one| (one.task, one.group) == (key.task, key.group));
        people.extend(moved.map(|one| one.person.clone()));
    }
    for delegation in book.delegations.values() {
        if people.contains(&delegation.from) {
            people.insert(delegation.to.clone());
        }
    }
    people
}
