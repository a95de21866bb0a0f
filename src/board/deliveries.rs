//! What became of each message, and a second try for those that were given up.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::pages::bad;
use super::readiness::answered;
use super::wire::standing;
use crate::desk::Desk;
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Fact, WithdrawWhy};
use crate::domain::ids::Quarter;
use crate::domain::message::MessageKey;
use crate::domain::people::ChannelKind;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::{brief, moment};
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError};

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

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    quarter: String,
}

/// `GET /deliveries`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.office()?;
    let quarter: Option<Quarter> = match asked.quarter.as_str() {
        "" => None,
        text => Some(text.parse().map_err(bad)?),
    };
    let calendar = desk.calendar();
    let (tabs, rows, total) = {
        let book = desk.ledger.book();
        let tabs = tabs(&book, quarter, &asked.state);
        let state = Some(asked.state.as_str()).filter(|state| !state.is_empty());
        let found = select(&book, quarter, state);
        let rows = found.iter().take(MOST);
        let rows: Vec<_> = rows.map(|one| line(&book, one, &calendar)).collect();
        (tabs, rows, found.len())
    };
    let html = page(&DeliveriesPage {
        frame: Frame::new(&desk, &caller, "deliveries").live(None, quarter),
        may_revive: caller.may_write(),
        quarter: quarter.map(Quarter::chinese),
        tabs,
        left_out: total.saturating_sub(rows.len()),
        rows,
    })?;
    Ok(with_script(html))
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
    answered(desk.ledger.commit(by, desk.clock.now(), decide).await)?;
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
    answered(desk.ledger.commit(by, now, decide).await)?;
    Ok(Redirect::to("/deliveries?state=waiting"))
}

/// The messages of a quarter in a state, or of all, newest first.
pub(super) fn select<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    state: Option<&str>,
) -> Vec<&'a Delivery> {
    let mut found: Vec<_> = matching(book, quarter, state).collect();
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
}

struct Tab {
    href: String,
    label: &'static str,
    count: usize,
    here: bool,
}

struct Line {
    key: String,
    name: String,
    unit: String,
    occasion: &'static str,
    quarter: String,
    catch_up: bool,
    state: &'static str,
    state_chinese: &'static str,
    channel: &'static str,
    at: String,
    attempts: u32,
    note: String,
    can_revive: bool,
}

fn matching<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    state: Option<&str>,
) -> impl Iterator<Item = &'a Delivery> {
    book.messages
        .values()
        .filter(move |one| quarter.is_none_or(|quarter| one.message.key.quarter == quarter))
        .filter(move |one| state.is_none_or(|state| one.state.as_str() == state))
}

fn tabs(book: &Book, quarter: Option<Quarter>, state: &str) -> Vec<Tab> {
    let suffix = quarter.map_or(String::new(), |quarter| format!("&quarter={quarter}"));
    let count = |state: Option<&str>| matching(book, quarter, state).count();
    let all = Tab {
        href: format!("/deliveries?state={suffix}"),
        label: "全部",
        count: count(None),
        here: state.is_empty(),
    };
    let each = STATES.iter().map(|(name, label)| Tab {
        href: format!("/deliveries?state={name}{suffix}"),
        label,
        count: count(Some(name)),
        here: state == *name,
    });
    std::iter::once(all).chain(each).collect()
}

fn line(book: &Book, delivery: &Delivery, calendar: &Calendar) -> Line {
    let key = &delivery.message.key;
    let person = book.people.get(&key.person);
    let (at, channel) = standing(delivery);
    let state = delivery.state.as_str();
    let named = STATES.iter().find(|(name, _)| *name == state);
    Line {
        key: key.to_string(),
        name: person.map(|person| person.name.clone()).unwrap_or_default(),
        unit: person.map(|person| person.unit.clone()).unwrap_or_default(),
        occasion: key.occasion.chinese(),
        quarter: key.quarter.chinese(),
        catch_up: delivery.message.catch_up,
        state,
        state_chinese: named.map_or("", |(_, label)| label),
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
fn note(delivery: &Delivery, time: impl Fn(DateTime<Utc>) -> String) -> String {
    match &delivery.state {
        DeliveryState::Sent { .. } | DeliveryState::Handled { .. } => String::new(),
        DeliveryState::Withdrawn { why, .. } => match why {
            WithdrawWhy::Reported => "所提事项已全部报送，不再发送".into(),
            WithdrawWhy::Superseded { by } => format!("已并入后来的{}", by.chinese()),
            WithdrawWhy::NoLongerTheirs => "所提事项已不由其负责".into(),
            WithdrawWhy::PutOff => "所提事项已获准延期，按新的日期另行提醒".into(),
            WithdrawWhy::AlarmOver => "发出之前已恢复正常".into(),
            WithdrawWhy::Restored => "从备份恢复之前可能已经发出，不再补发".into(),
        },
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
