//! Of which quarter whom to urge: as a page asks for it, and as it is found in the book.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::board::pages::bad;
use crate::domain::board::{Show, items_in};
use crate::domain::book::Book;
use crate::domain::due::{UrgeFilter, Urging, urge};
use crate::domain::ids::{PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::web::{WebError, percent};

/// Whom the page or its form is about; empty fields come from forms.
#[derive(Deserialize)]
pub(in crate::board) struct Asked {
    pub(super) plan: String,
    pub(super) quarter: String,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) owner: String,
    /// Only these, such as `2/0,16/1`.
    #[serde(default)]
    pub(super) items: String,
    /// Up to which fact the page has seen.
    #[serde(default)]
    pub(super) seen: Option<Position>,
    #[serde(default)]
    pub(super) csrf: String,
}

/// A quarter of a plan, and whom of it.
pub(super) struct Scope {
    pub(super) plan: PlanId,
    pub(super) quarter: Quarter,
    pub(super) filter: UrgeFilter,
    /// What the one who urges may see: of nothing else is anybody urged.
    pub(super) sight: Sight,
}

impl Scope {
    pub(super) fn read(asked: &Asked, sight: Sight) -> Result<Self, WebError> {
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

    pub(super) fn urging(&self, book: &Book, rules: &RuleSet, now: DateTime<Utc>) -> Vec<Urging> {
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
    pub(super) fn about(&self, book: &Book) -> String {
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
    pub(super) fn back(&self) -> String {
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

/// An item as forms name it: `16/0`.
pub(in crate::board) fn read_item(text: &str) -> Result<(TaskNo, u8), WebError> {
    let read = |text: &str| {
        let (task, group) = text.trim().split_once('/')?;
        Some((task.parse().ok()?, group.parse().ok()?))
    };
    read(text).ok_or_else(|| WebError::BadRequest(format!("“{text}”不是事项的编号")))
}
