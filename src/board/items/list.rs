//! What the list shows, as read from the book.

use super::ask::Ask;
use crate::board::rows::Rows;
use crate::domain::board::{Found, Item, Show, Tally};
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{PlanId, Quarter};
use crate::web::WebError;
use crate::web::format::moment;

/// More units than this are typed, not chosen.
const MOST_UNITS: usize = 300;

/// What the book says, as read.
pub(super) struct List {
    pub(super) title: String,
    pub(super) deadline: String,
    /// By title; none where there is only one.
    pub(super) plans: Vec<(PlanId, String)>,
    pub(super) quarters: Vec<Quarter>,
    pub(super) tabs: Vec<Tab>,
    pub(super) units: Vec<String>,
    pub(super) leaders: Vec<String>,
    /// The owner to whom the list is narrowed.
    pub(super) owner: Option<String>,
    pub(super) total: usize,
    /// Of those found, how many somebody can be urged for.
    pub(super) open: usize,
    pub(super) rows: String,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) pages: Vec<PageLink>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

pub(super) struct Tab {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) count: u32,
    pub(super) here: bool,
}

/// A page of the list; without an address it is the present one, without a number a gap.
pub(super) struct PageLink {
    pub(super) href: Option<String>,
    pub(super) number: Option<usize>,
}

impl List {
    pub(super) fn of(
        book: &Book,
        calendar: &Calendar,
        ask: &Ask,
        found: &Found<'_>,
        boxes: bool,
    ) -> Result<Self, WebError> {
        let known = book.plans.get(&ask.plan);
        let count = found.pages(ask.per);
        let page = ask.page.min(count);
        let items = found.page(page, ask.per);
        let rows = Rows {
            book,
            calendar,
            items,
            boxes: boxes.then_some(ask.ticked),
            suffix: &ask.moment.suffix(),
        };
        let link = |page: usize| ask.href("/items", &[("page", &page.to_string())]);
        let from = (page - 1) * ask.per;
        let owner = ask.query.filter.owner.as_ref();
        let plans = book.plans.iter();
        let urgent = |item: &&Item<'_>| item.state.is_open() && !item.group.owners.is_empty();
        Ok(Self {
            title: known.map_or_else(String::new, |known| known.heading.title.clone()),
            deadline: book
                .deadline(&ask.plan, ask.quarter)
                .map_or("尚未推算".into(), |at| moment(calendar, at)),
            plans: plans
                .map(|(id, plan)| (id.clone(), plan.heading.title.clone()))
                .collect(),
            quarters: book.quarters_of(&ask.plan),
            tabs: tabs(ask, &found.totals),
            units: match found.units.len() {
                0..=MOST_UNITS => found.units.iter().map(|unit| (*unit).to_owned()).collect(),
                _ => Vec::new(),
            },
            leaders: found
                .leaders
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            owner: owner.map(|id| match book.people.get(id) {
                Some(person) => format!("{}（{}）", person.name, person.unit),
                None => id.to_string(),
            }),
            total: found.items.len(),
            open: found.items.iter().filter(urgent).count(),
            rows: rows.render()?,
            from: from + 1,
            to: from + items.len(),
            pages: page_links(page, count, link),
            before: (page > 1).then(|| link(page - 1)),
            after: (page < count).then(|| link(page + 1)),
        })
    }
}

fn tabs(ask: &Ask, totals: &Tally) -> Vec<Tab> {
    let count = |show| match show {
        Show::All => totals.obligations,
        Show::NotReported => totals.not_reported,
        Show::Overdue => totals.overdue_unreported,
        Show::Returned => totals.returned,
        Show::Reported => totals.reported,
        Show::Late => totals.reported_late,
        Show::ToReview => totals.to_review(),
        Show::Accepted => totals.accepted,
        Show::Withdrawn => totals.withdrawn,
    };
    let shown = ask.query.filter.show;
    let all = Show::ALL.into_iter();
    all.filter(|show| *show != Show::Withdrawn || totals.withdrawn > 0 || shown == *show)
        .map(|show| Tab {
            href: ask.href("/items", &[("state", show.as_str()), ("page", "")]),
            label: show.chinese(),
            count: count(show),
            here: shown == show,
        })
        .collect()
}

/// The first, the last, and those about the present one.
fn page_links(page: usize, count: usize, link: impl Fn(usize) -> String) -> Vec<PageLink> {
    if count < 2 {
        return Vec::new();
    }
    let shown = |number: &usize| *number == 1 || *number == count || number.abs_diff(page) <= 2;
    let mut links = Vec::new();
    let mut last = 0;
    for number in (1..=count).filter(shown) {
        if number > last + 1 {
            links.push(PageLink {
                href: None,
                number: None,
            });
        }
        last = number;
        links.push(PageLink {
            href: (number != page).then(|| link(number)),
            number: Some(number),
        });
    }
    links
}
