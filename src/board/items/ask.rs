//! What the list is asked for, read from an address and written into one.

use serde::Deserialize;

use crate::board::moment::{Moment, choose};
use crate::board::pages::bad;
use crate::desk::Desk;
use crate::domain::board::{Filter, Query, Reminded, Show, Sort, SortBy};
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;
use crate::web::WebError;
use crate::web::percent::encoded;

/// Rows on a page, where nothing else is asked for, and the most that can be.
pub(super) const PER: usize = 100;
const MOST: usize = 1000;

/// What the list may be asked for; empty fields come from forms.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::board) struct Asked {
    pub(super) plan: String,
    pub(super) quarter: String,
    pub(super) state: String,
    pub(super) unit: String,
    pub(super) leader: String,
    pub(super) owner: String,
    pub(super) status: String,
    pub(super) stage: String,
    pub(super) text: String,
    pub(super) sort: String,
    pub(super) page: String,
    pub(super) per: String,
    /// `page`: all boxes of the page are ticked.
    pub(super) pick: String,
    pub(super) as_of: String,
}

/// What is asked, understood.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) plan: PlanId,
    pub(super) quarter: Quarter,
    pub(super) query: Query,
    pub(super) page: usize,
    pub(super) per: usize,
    pub(super) ticked: bool,
    pub(super) moment: Moment,
}

impl Ask {
    pub(super) fn read(desk: &Desk, asked: &Asked, sight: Sight) -> Result<Option<Self>, WebError> {
        let Some((plan, quarter)) = choose(desk, &asked.plan, &asked.quarter)? else {
            return Ok(None);
        };
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let owner = some(&asked.owner).map(|id| PersonId::new(&id)).transpose();
        let number = |text: &str| text.parse().ok().filter(|number: &usize| *number > 0);
        Ok(Some(Self {
            query: Query {
                filter: Filter {
                    plan: Some(plan.clone()),
                    unit: some(&asked.unit),
                    owner: owner.map_err(bad)?,
                    show: named("state", &asked.state, Show::from_name)?.unwrap_or_default(),
                    sight,
                },
                leader: some(&asked.leader),
                status: named("status", &asked.status, ReportStatus::from_name)?,
                reminded: named("stage", &asked.stage, Reminded::from_name)?,
                text: some(&asked.text).unwrap_or_default(),
                sort: named("sort", &asked.sort, Sort::from_name)?.unwrap_or_default(),
            },
            plan,
            quarter,
            page: number(&asked.page).unwrap_or(1),
            per: number(&asked.per).unwrap_or(PER).min(MOST),
            ticked: asked.pick == "page",
            moment: Moment::read(desk, &asked.as_of)?,
        }))
    }

    /// All that the address says, but for what is as usual.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let query = &self.query;
        let named = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let unless = |usual: bool, text: String| if usual { String::new() } else { text };
        let show = query.filter.show;
        let fields = [
            ("plan", self.plan.to_string()),
            ("quarter", self.quarter.to_string()),
            ("state", unless(show == Show::All, show.as_str().into())),
            ("unit", named(query.filter.unit.as_deref())),
            ("leader", named(query.leader.as_deref())),
            (
                "owner",
                named(query.filter.owner.as_ref().map(PersonId::as_str)),
            ),
            ("status", named(query.status.map(ReportStatus::as_str))),
            ("stage", named(query.reminded.map(Reminded::as_str))),
            ("text", query.text.clone()),
            ("sort", self.order()),
            ("page", unless(self.page == 1, self.page.to_string())),
            ("per", unless(self.per == PER, self.per.to_string())),
            ("as_of", self.moment.text.clone()),
        ];
        let fields = fields.into_iter();
        fields.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The same list with these fields changed; an empty one falls away.
    pub(super) fn href(&self, path: &str, changed: &[(&'static str, &str)]) -> String {
        let mut fields = self.fields();
        fields.retain(|(name, _)| !changed.iter().any(|(other, _)| other == name));
        let changed = changed.iter().filter(|(_, value)| !value.is_empty());
        fields.extend(changed.map(|(name, value)| (*name, (*value).to_owned())));
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// The quarter's whole list.
    pub(super) fn plain(&self) -> String {
        let Self { plan, quarter, .. } = self;
        format!(
            "/items?plan={plan}&quarter={quarter}{}",
            self.moment.suffix()
        )
    }

    pub(super) fn headings(&self) -> Vec<Heading> {
        let columns = [
            ("序号", Some(SortBy::Number)),
            ("目标任务", None),
            ("牵头单位", Some(SortBy::Unit)),
            ("直接责任人", Some(SortBy::Owner)),
            ("状态", Some(SortBy::State)),
            ("报送", Some(SortBy::Reported)),
            ("最近提醒", Some(SortBy::Reminded)),
        ];
        let sort = self.query.sort;
        let columns = columns.into_iter();
        columns
            .map(|(title, by)| {
                let here = by == Some(sort.by);
                let next = by.map(|by| Sort {
                    by,
                    down: here && !sort.down,
                });
                let link = |next| self.href("/items", &[("sort", &name_of(next)), ("page", "")]);
                Heading {
                    title,
                    href: next.map(link),
                    mark: match (here, sort.down) {
                        (true, false) => "ascending",
                        (true, true) => "descending",
                        (false, _) => "",
                    },
                }
            })
            .collect()
    }

    /// The order as the address names it; empty for the usual one.
    pub(super) fn order(&self) -> String {
        match self.query.sort == Sort::default() {
            true => String::new(),
            false => name_of(self.query.sort),
        }
    }

    /// Whether more than the state narrows the list.
    pub(super) fn is_narrowed(&self) -> bool {
        let query = &self.query;
        let filter = &query.filter;
        filter.unit.is_some()
            || filter.owner.is_some()
            || query.leader.is_some()
            || query.status.is_some()
            || query.reminded.is_some()
            || !query.text.is_empty()
    }
}

fn name_of(sort: Sort) -> String {
    let down = if sort.down { "-" } else { "" };
    format!("{down}{}", sort.by.as_str())
}

/// A name out of a list; what is not in it is told, not passed over.
fn named<T>(
    field: &str,
    text: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, WebError> {
    match text {
        "" => Ok(None),
        text => match read(text) {
            Some(known) => Ok(Some(known)),
            None => Err(WebError::BadRequest(format!(
                "地址中的 {field}={text} 无法识别，请从看板重新进入"
            ))),
        },
    }
}

/// A column of the list.
pub(super) struct Heading {
    pub(super) title: &'static str,
    /// Sorts the list by this column; the other way round where it is so already.
    pub(super) href: Option<String>,
    /// As `aria-sort` says it; empty where the list is not sorted so.
    pub(super) mark: &'static str,
}
