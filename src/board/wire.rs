//! The board in JSON, for `status --json` and `/api/v1/board`. These names are promised
//! (interfaces.md): fields are added, never renamed.

use serde::Serialize;

use crate::domain::board::{QuarterView, Row, Tally};
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::calendar::Calendar;
use crate::domain::target::actual::{Actual, Reached};
use crate::web::format::rfc3339;

/// A quarter.
#[derive(Debug, Serialize)]
pub struct Status {
    /// `2022Q1`.
    pub quarter: String,
    /// RFC 3339, with the office's offset.
    pub as_of: String,
    /// The numbers.
    pub totals: Totals,
    /// The obligations.
    pub rows: Vec<StatusRow>,
}

/// Numbers of obligations.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "as in domain::board::Tally")]
pub struct Totals {
    pub obligations: u32,
    pub reported: u32,
    pub not_reported: u32,
    pub overdue_unreported: u32,
    pub reported_late: u32,
    pub returned: u32,
    pub accepted: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub withdrawn: u32,
}

/// An obligation.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "as in domain::board::Row")]
pub struct StatusRow {
    pub plan: String,
    pub task: u32,
    pub name: String,
    pub unit: String,
    pub owners: Vec<String>,
    pub state: &'static str,
    pub status: Option<&'static str>,
    pub actuals: Vec<WireActual>,
    pub deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_deadline: Option<String>,
    pub reported_at: Option<String>,
    pub via: Option<&'static str>,
    pub last_reminded_at: Option<String>,
    pub stage: Option<&'static str>,
}

/// A figure reached, against its target: numbers exact and in `unit`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "as in domain::target")]
pub struct WireActual {
    pub what: String,
    pub target: String,
    pub actual: String,
    pub target_quantity: String,
    pub actual_quantity: String,
    pub unit: String,
    pub bound: &'static str,
    pub cumulative: bool,
    /// How many percent of the target; none for rates and limits.
    pub percent: Option<f64>,
    /// Whether the target is reached or the limit kept.
    pub reached: bool,
}

/// A message and what became of it.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each says itself")]
pub struct DeliveryRow {
    pub key: String,
    pub plan: String,
    pub quarter: String,
    pub stage: String,
    pub person: WirePerson,
    pub state: &'static str,
    pub channel: Option<&'static str>,
    pub queued_at: String,
    pub at: String,
    pub attempts: u32,
    pub reason: &'static str,
    pub trouble: Option<WireTrouble>,
}

/// A person, without any address.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each says itself")]
pub struct WirePerson {
    pub id: String,
    pub name: String,
    pub unit: String,
}

/// The last failure.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each says itself")]
pub struct WireTrouble {
    pub at: String,
    pub channel: &'static str,
    pub reason: Option<&'static str>,
    pub detail: String,
}

/// The board of a quarter.
#[must_use]
pub fn status(view: &QuarterView, calendar: &Calendar) -> Status {
    Status {
        quarter: view.quarter.to_string(),
        as_of: rfc3339(calendar, view.as_of),
        totals: totals(&view.totals),
        rows: view
            .rows
            .iter()
            .map(|row| status_row(row, calendar))
            .collect(),
    }
}

/// A message.
#[must_use]
pub fn delivery(book: &Book, delivery: &Delivery, calendar: &Calendar) -> DeliveryRow {
    let key = &delivery.message.key;
    let person = book.people.get(&key.person);
    let (at, channel) = standing(delivery);
    let time = |at| rfc3339(calendar, at);
    DeliveryRow {
        key: key.to_string(),
        plan: key.plan.to_string(),
        quarter: key.quarter.to_string(),
        stage: key.occasion.kind().into(),
        person: WirePerson {
            id: key.person.to_string(),
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            unit: person.map(|person| person.unit.clone()).unwrap_or_default(),
        },
        state: delivery.state.as_str(),
        channel,
        queued_at: time(delivery.queued_at),
        at: time(at),
        attempts: delivery.attempts,
        reason: delivery.message.reason.as_str(),
        trouble: delivery.last_trouble.as_ref().map(|trouble| WireTrouble {
            at: time(trouble.at),
            channel: trouble.channel.as_str(),
            reason: trouble.reason.map(|reason| reason.as_str()),
            detail: trouble.detail.clone(),
        }),
    }
}

/// Since when, or until when, the message stands as it does, and over which channel.
pub(super) fn standing(
    delivery: &Delivery,
) -> (chrono::DateTime<chrono::Utc>, Option<&'static str>) {
    let leg = delivery.message.route.get(usize::from(delivery.leg));
    let leg = leg.map(|channel| channel.as_str());
    match &delivery.state {
        DeliveryState::Waiting { until } => (*until, leg),
        DeliveryState::Sending { since, channel, .. } => (*since, Some(channel.as_str())),
        DeliveryState::Sent { at, channel, .. } => (*at, Some(channel.as_str())),
        DeliveryState::Held { at }
        | DeliveryState::Dead { at }
        | DeliveryState::Handled { at }
        | DeliveryState::Withdrawn { at, .. } => (*at, leg),
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn totals(tally: &Tally) -> Totals {
    Totals {
        obligations: tally.obligations,
        reported: tally.reported,
        not_reported: tally.not_reported,
        overdue_unreported: tally.overdue_unreported,
        reported_late: tally.reported_late,
        returned: tally.returned,
        accepted: tally.accepted,
        withdrawn: tally.withdrawn,
    }
}

fn status_row(row: &Row, calendar: &Calendar) -> StatusRow {
    let time = |at| rfc3339(calendar, at);
    StatusRow {
        plan: row.key.plan.to_string(),
        task: row.key.task,
        name: row.name.clone(),
        unit: row.unit.clone(),
        owners: row.owners.iter().map(|owner| owner.name.clone()).collect(),
        state: row.state.as_str(),
        status: row.status.map(|status| status.as_str()),
        actuals: row.actuals.iter().map(actual).collect(),
        deadline: row.deadline.map(time),
        first_deadline: row.first_deadline.map(time),
        reported_at: row.reported_at.map(time),
        via: row.via.map(|via| via.as_str()),
        last_reminded_at: row.last_reminded.map(|(at, _)| time(at)),
        stage: row.last_reminded.map(|(_, occasion)| occasion.kind()),
    }
}

fn actual(actual: &Actual) -> WireActual {
    let target = &actual.target;
    let percent = match actual.reached() {
        Reached::Share(percent) => percent.to_string().parse::<f64>().ok(),
        Reached::Kept | Reached::Missed => None,
    };
    WireActual {
        what: target.what.clone(),
        target: target.asked(),
        actual: actual.text.clone(),
        target_quantity: target.quantity.to_string(),
        actual_quantity: actual.quantity.to_string(),
        unit: target.unit.clone(),
        bound: target.bound.as_str(),
        cumulative: target.cumulative,
        percent,
        reached: actual.is_reached(),
    }
}
