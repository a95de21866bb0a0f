//! The list of a quarter's obligations: narrowed, sorted, and handed out by the page.

mod order;
mod reminded;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::Filter;
use super::tally::Tally;
use super::walk::{Item, items_in};
use crate::domain::book::Book;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::report::ReportStatus;
pub use order::{Sort, SortBy};
pub use reminded::Reminded;
use words::Words;

/// What the list is asked for. The plan of the filter does not count: the list is of one plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Unit, owner, state, sight.
    pub filter: Filter,
    /// Only tasks under this 责任领导.
    pub leader: Option<String>,
    /// Only what the report that counts says stands so.
    pub status: Option<ReportStatus>,
    /// Only what was last reminded so.
    pub reminded: Option<Reminded>,
    /// Words that all have to stand in it, or a task's number.
    pub text: String,
    /// In which order.
    pub sort: Sort,
}

/// What was found.
#[derive(Debug)]
pub struct Found<'a> {
    /// Over all that the query leaves but for its state.
    pub totals: Tally,
    /// All that it leaves, sorted.
    pub items: Vec<Item<'a>>,
    /// The units of the quarter, in the order of the table.
    pub units: Vec<&'a str>,
    /// Its 责任领导, likewise.
    pub leaders: Vec<&'a str>,
}

impl<'a> Found<'a> {
    /// How many pages of so many there are; never none.
    #[must_use]
    pub fn pages(&self, per: usize) -> usize {
        self.items.len().div_ceil(per.max(1)).max(1)
    }

    /// A page, the first being 1; the last one where there are not so many.
    #[must_use]
    pub fn page(&self, page: usize, per: usize) -> &[Item<'a>] {
        let page = page.clamp(1, self.pages(per));
        let pages = self.items.chunks(per.max(1));
        pages.into_iter().nth(page - 1).unwrap_or_default()
    }
}

/// Answers a query at `now`.
#[must_use]
pub fn find<'a>(
    book: &'a Book,
    plan: &PlanId,
    quarter: Quarter,
    query: &'a Query,
    now: DateTime<Utc>,
) -> Found<'a> {
    let words = Words::of(book, plan, &query.text);
    let mut found = Found {
        totals: Tally::default(),
        items: Vec::new(),
        units: Vec::new(),
        leaders: Vec::new(),
    };
    let (mut units, mut leaders) = (HashSet::new(), HashSet::new());
    for item in items_in(book, plan, quarter, now, &query.filter.sight) {
        if units.insert(item.group.unit.as_str()) {
            found.units.push(&item.group.unit);
        }
        for leader in &item.task.leaders {
            if leaders.insert(leader.as_str()) {
                found.leaders.push(leader);
            }
        }
        if query.leaves(&item) && words.are_in(&item) {
            found.totals.add(item.state, item.late);
            if query.filter.show.shows(item.state, item.late) {
                found.items.push(item);
            }
        }
    }
    order::sort(&mut found.items, query.sort);
    found
}

impl Query {
    /// Whether all but state and words leave it.
    fn leaves(&self, item: &Item<'_>) -> bool {
        let leader = self.leader.as_ref();
        let last = item.obligation.last_reminded.map(|(_, occasion)| occasion);
        self.filter.concerns(item)
            && leader.is_none_or(|leader| item.task.leaders.contains(leader))
            && self.status.is_none_or(|status| {
                let latest = item.obligation.latest();
                latest.is_some_and(|latest| latest.report.status == status)
            })
            && self.reminded.is_none_or(|reminded| reminded.is(last))
    }
}
