//! The order of the list.

use std::collections::HashMap;

use crate::domain::board::walk::Item;
use crate::domain::book::ObligationState;

/// The order of the list. What has no such thing stands last either way; the rest keeps the order
/// of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The other way round.
    pub down: bool,
}

/// By what the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The task's number.
    #[default]
    Number,
    /// The unit, in the order in which the table first names them: offices have one.
    Unit,
    /// The first owner, likewise.
    Owner,
    /// The state: what wants most stands first.
    State,
    /// When the report that counts came.
    Reported,
    /// When its owners were last reminded.
    Reminded,
    /// When it is due.
    Deadline,
}

impl SortBy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Number,
        Self::Unit,
        Self::Owner,
        Self::State,
        Self::Reported,
        Self::Reminded,
        Self::Deadline,
    ];

    /// The name used in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Unit => "unit",
            Self::Owner => "owner",
            Self::State => "state",
            Self::Reported => "reported",
            Self::Reminded => "reminded",
            Self::Deadline => "deadline",
        }
    }
}

impl Sort {
    /// Reads `unit`, or `-unit` for the other way round.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (down, name) = match name.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let mut all = SortBy::ALL.into_iter();
        let by = all.find(|by| by.as_str() == name)?;
        Some(Self { by, down })
    }
}

pub(super) fn sort(items: &mut Vec<Item<'_>>, sort: Sort) {
    if sort == Sort::default() {
        return;
    }
    let places = places(items, sort.by);
    let place = |item: &Item<'_>| -> Option<i64> {
        match sort.by {
            SortBy::Number => Some(i64::from(item.key.task)),
            SortBy::Unit | SortBy::Owner => places.get(name(item, sort.by)?).copied(),
            SortBy::State => Some(urgency(item.state)),
            SortBy::Reported => Some(item.obligation.latest()?.at.timestamp_millis()),
            SortBy::Reminded => Some(item.obligation.last_reminded?.0.timestamp_millis()),
            SortBy::Deadline => Some(item.deadline?.timestamp_millis()),
        }
    };
    let mut placed: Vec<_> = items.drain(..).map(|item| (place(&item), item)).collect();
    placed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) if sort.down => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    items.extend(placed.into_iter().map(|(_, item)| item));
}

/// Each name's place, by where it stands first.
fn places<'a>(items: &[Item<'a>], by: SortBy) -> HashMap<&'a str, i64> {
    let mut places = HashMap::new();
    for (place, item) in (0..).zip(items) {
        if let Some(name) = name(item, by) {
            places.entry(name).or_insert(place);
        }
    }
    places
}

fn name<'a>(item: &Item<'a>, by: SortBy) -> Option<&'a str> {
    match by {
        SortBy::Unit => Some(&item.group.unit),
        SortBy::Owner => item.group.owners.first().map(|owner| owner.id.as_str()),
        _ => None,
    }
}

pub(super) fn urgency(state: ObligationState) -> i64 {
    match state {
        ObligationState::OverdueUnreported => 0,
        ObligationState::Returned => 1,
        ObligationState::NotReported => 2,
        ObligationState::ReportedLate => 3,
        ObligationState::Reported => 4,
        ObligationState::Accepted => 5,
        ObligationState::Withdrawn => 6,
    }
}
