//! Addresses within one quarter, at one moment.

use super::Question;
use crate::domain::book::Book;
use crate::domain::ids::{PlanId, Quarter};
use crate::web::percent;

pub(super) struct Place<'a> {
    pub(super) plan: &'a PlanId,
    pub(super) quarter: Quarter,
    pub(super) as_of: Option<&'a str>,
    /// `&as_of=…`, or nothing.
    pub(super) moment: String,
}

impl<'a> Place<'a> {
    pub(super) fn new(asked: &'a Question) -> Self {
        let as_of = asked.as_of.as_deref();
        Self {
            plan: &asked.plan,
            quarter: asked.quarter,
            as_of,
            moment: as_of.map_or(String::new(), |at| {
                format!("&as_of={}", percent::encoded(at))
            }),
        }
    }

    /// The first screen of a quarter.
    pub(super) fn screen(&self, plan: &PlanId, quarter: Quarter) -> String {
        format!("/?plan={plan}&quarter={quarter}{}", self.moment)
    }

    /// The list behind a number.
    pub(super) fn items(&self, field: &str, value: &str) -> String {
        let Self {
            plan,
            quarter,
            moment,
            ..
        } = self;
        let value = percent::readable(value);
        format!("/items?plan={plan}&quarter={quarter}&{field}={value}{moment}")
    }
}

/// A place to go to, among several.
pub(super) struct Pick {
    pub(super) href: String,
    pub(super) label: String,
    pub(super) here: bool,
}

/// All quarters of all plans.
pub(super) fn picks(book: &Book, place: &Place<'_>) -> Vec<Pick> {
    let several = book.plans.len() > 1;
    let all = book.plans.iter().flat_map(|(id, known)| {
        let title = &known.heading.title;
        let quarters = book.quarters_of(id).into_iter();
        quarters.map(move |quarter| (id, quarter, title))
    });
    all.map(|(id, one, title)| Pick {
        href: place.screen(id, one),
        label: match several {
            true => format!("{title} {}", one.chinese()),
            false => one.chinese_short().into(),
        },
        here: id == place.plan && one == place.quarter,
    })
    .collect()
}
