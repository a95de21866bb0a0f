//! The Prometheus text, computed from the book each time it is asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Utc};

use crate::desk::Vitals;
use crate::domain::board;
use crate::domain::book::{Book, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::people::ChannelKind;

/// All metrics. `stopped` are channels that wait for a person.
#[must_use]
pub fn metrics_text(
    book: &Book,
    calendar: &Calendar,
    now: DateTime<Utc>,
    vitals: &Vitals,
    store_good: bool,
    stopped: usize,
) -> String {
    let mut out = Text::default();
    let (ticks, passes, healed) = vitals.counts();
    out.head(
        "cuiban_ticks_total",
        "counter",
        "Heartbeats since the start.",
    );
    out.line("cuiban_ticks_total", &[], ticks);
    out.head("cuiban_passes_total", "counter", "Passes since the start.");
    out.line("cuiban_passes_total", &[], passes);
    out.head(
        "cuiban_store_healed_total",
        "counter",
        "Times one half of the store was restored from the other.",
    );
    out.line("cuiban_store_healed_total", &[], healed);
    out.head("cuiban_store_up", "gauge", "1 while the store takes facts.");
    out.line("cuiban_store_up", &[], u64::from(store_good));
    let name = "cuiban_channels_stopped";
    out.head(
        name,
        "gauge",
        "Ways out that send nothing until a person has mended something.",
    );
    out.line(name, &[], stopped as u64);
    if let Some(at) = vitals.last_backup() {
        let name = "cuiban_last_backup_timestamp_seconds";
        out.head(name, "gauge", "When the last nightly backup was made.");
        out.line(name, &[], u64::try_from(at.timestamp()).unwrap_or(0));
    }
    out.head("cuiban_journal_position", "gauge", "Facts in the journal.");
    out.line("cuiban_journal_position", &[], book.position);
    duty(&mut out, book, now);
    obligations(&mut out, book, now);
    messages(&mut out, book);
    stages(&mut out, book);
    holidays(&mut out, book, calendar, now);
    out.0
}

/// How the program itself is.
fn duty(out: &mut Text, book: &Book, now: DateTime<Utc>) {
    let name = "cuiban_oldest_unsent_seconds";
    out.head(
        name,
        "gauge",
        "Age of the oldest message that is due and not sent.",
    );
    let due = board::oldest_unsent(book, now);
    let age = due.map_or(0, |due| (now - due).num_seconds());
    out.line(name, &[], u64::try_from(age).unwrap_or(0));
    let name = "cuiban_doubts_total";
    out.head(
        name,
        "counter",
        "Attempts whose outcome stayed unknown, over all time.",
    );
    for kind in ChannelKind::ALL {
        let count = book.doubts.get(&kind).copied().unwrap_or(0);
        out.line(name, &[("channel", kind.as_str())], count);
    }
    let name = "cuiban_alarms";
    out.head(name, "gauge", "Troubles the operator is told of.");
    out.line(name, &[], book.alarms.len() as u64);
    let name = "cuiban_clock_in_doubt";
    out.head(
        name,
        "gauge",
        "1 while nothing is sent because the clock has leapt.",
    );
    out.line(name, &[], u64::from(book.clock_doubt.is_some()));
    let name = "cuiban_restored_waiting";
    out.head(
        name,
        "gauge",
        "1 while nothing is sent because the store was restored from a backup.",
    );
    out.line(name, &[], u64::from(book.restored.is_some()));
    let name = "cuiban_addresses_refused";
    out.head(name, "gauge", "Addresses that their peer says nobody has.");
    let addresses = book.addresses.values();
    let refused = addresses.filter(|address| address.refused.is_some());
    out.line(name, &[], refused.count() as u64);
}

fn obligations(out: &mut Text, book: &Book, now: DateTime<Utc>) {
    let name = "cuiban_obligations";
    out.head(name, "gauge", "Obligations by quarter and state.");
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for (key, obligation) in &book.obligations {
        let state = obligation.state(book.due(key), now);
        *counts.entry((&key.plan, key.quarter, state)).or_default() += 1;
    }
    let mut quarters: Vec<_> = counts.keys().map(|(plan, q, _)| (*plan, *q)).collect();
    quarters.dedup();
    for (plan, quarter) in quarters {
        for state in ObligationState::ALL {
            let labels = [
                ("plan", plan.as_str()),
                ("quarter", &quarter.to_string()),
                ("state", state.as_str()),
            ];
            let count = counts.get(&(plan, quarter, state)).copied();
            out.line(name, &labels, count.unwrap_or(0));
        }
    }
}

fn messages(out: &mut Text, book: &Book) {
    let name = "cuiban_messages";
    out.head(
        name,
        "gauge",
        "Messages by occasion, state and the channel in use.",
    );
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for (key, delivery) in &book.messages {
        let leg = usize::from(delivery.leg);
        let channel = delivery.message.route.get(leg).map_or("", |c| c.as_str());
        let place = (key.occasion.kind(), delivery.state.as_str(), channel);
        *counts.entry(place).or_default() += 1;
    }
    for ((stage, state, channel), count) in counts {
        let labels = [("stage", stage), ("state", state), ("channel", channel)];
        out.line(name, &labels, count);
    }
}

fn stages(out: &mut Text, book: &Book) {
    let mut quarters: Vec<_> = book.stages.keys().map(|(p, q, _)| (p, *q)).collect();
    quarters.dedup();
    let audits: Vec<_> = quarters
        .into_iter()
        .flat_map(|(plan, quarter)| {
            let audits = board::audit(book, plan, quarter).into_iter();
            audits.map(move |audit| (plan, quarter.to_string(), audit))
        })
        .collect();
    let name = "cuiban_stage_people";
    out.head(
        name,
        "gauge",
        "expected = sent + deferred + skipped + failed + in_doubt, for each stage.",
    );
    for (plan, quarter, audit) in &audits {
        let parts = [
            ("expected", audit.expected),
            ("sent", audit.told.sent),
            ("deferred", audit.told.deferred),
            ("skipped", audit.told.skipped),
            ("failed", audit.told.failed),
            ("in_doubt", audit.told.in_doubt),
        ];
        for (outcome, count) in parts {
            let labels = [
                ("plan", plan.as_str()),
                ("quarter", quarter),
                ("stage", audit.stage.as_str()),
                ("outcome", outcome),
            ];
            out.line(name, &labels, u64::from(count));
        }
    }
    let name = "cuiban_stage_unbalanced";
    out.head(
        name,
        "gauge",
        "Stages whose numbers do not add up; always 0.",
    );
    let wrong = audits.iter().filter(|(_, _, audit)| !audit.adds_up());
    out.line(name, &[], wrong.count() as u64);
}

fn holidays(out: &mut Text, book: &Book, calendar: &Calendar, now: DateTime<Utc>) {
    let name = "cuiban_holiday_year_assumed";
    out.head(
        name,
        "gauge",
        "1 where no holiday table is known and Monday to Friday is assumed.",
    );
    let this_year = calendar.date_of(now).year();
    let mut years: Vec<_> = book
        .plans
        .values()
        .flat_map(|plan| plan.assumed_years.iter().copied())
        .filter(|year| *year >= this_year)
        .chain([this_year])
        .collect();
    years.sort_unstable();
    years.dedup();
    for year in years {
        let assumed = u64::from(!calendar.knows(year));
        out.line(name, &[("year", &year.to_string())], assumed);
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Label values are names of ours: letters, digits, `-` and `_`.
    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
