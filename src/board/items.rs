//! The list of a quarter's obligations: narrowed, sorted, by the page, at any moment; with boxes to
//! tick for a 催办, and as a table for Excel.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query as Fields, State};
use axum::response::{Html, Response};
use serde::Deserialize;

use super::moment::{Moment, choose};
use super::pages::bad;
use super::rows::Rows;
use super::{history, sheet, urge};
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::board::{Filter, Found, Item, Query, Reminded, Show, Sort, SortBy, Tally, find};
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;
use crate::web::error::page;
use crate::web::format::moment;
use crate::web::frame::Frame;
use crate::web::percent::encoded;
use crate::web::{Caller, WebError, audit};

/// Rows on a page, where nothing else is asked for, and the most that can be.
const PER: usize = 100;
const MOST: usize = 1000;

/// More units than this are typed, not chosen.
const MOST_UNITS: usize = 300;

/// What the list may be asked for; empty fields come from forms.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Asked {
    plan: String,
    quarter: String,
    state: String,
    unit: String,
    leader: String,
    owner: String,
    status: String,
    stage: String,
    text: String,
    sort: String,
    page: String,
    per: String,
    /// `page`: all boxes of the page are ticked.
    pick: String,
    as_of: String,
}

/// `GET /items`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Fields(asked): Fields<Asked>,
) -> Result<Html<String>, WebError> {
    caller.reader()?;
    let Some(ask) = Ask::read(&desk, &asked, caller.sight())? else {
        return super::pages::empty(&desk, &caller);
    };
    let may_urge = caller.may_write() && ask.moment.is_now();
    let (calendar, question) = (desk.calendar(), ask.clone());
    let list = history::ask(&desk, ask.moment.at, move |book, at| {
        let found = find(book, &question.plan, question.quarter, &question.query, at);
        List::of(book, &calendar, &question, &found, may_urge)
    })
    .await??;
    page(&ItemsPage {
        frame: Frame::new(&desk, &caller, "items"),
        headings: ask.headings(),
        sorts: SORTS,
        csv: ask.href("/items.csv", &[("page", "")]),
        clear: ask.plain(),
        now: ask.href("/items", &[("as_of", "")]),
        tick_all: ask.href("/items", &[("pick", "page")]),
        tick_none: ask.href("/items", &[]),
        ticked: ask.ticked,
        may_urge,
        hidden: ask.fields(),
        ask,
        list,
    })
}

/// `GET /items.csv`: all that the list finds, on whichever page.
pub(super) async fn table(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Fields(asked): Fields<Asked>,
) -> Result<Response, WebError> {
    caller.reader()?;
    let ask = Ask::read(&desk, &asked, caller.sight())?.ok_or(WebError::NotFound)?;
    let subject = format!("{} {}", ask.plan, ask.quarter);
    audit::exported(&desk, &caller, Export::Csv, &subject).await?;
    let calendar = desk.calendar();
    let mut name = format!(
        "{}{}清单",
        ask.quarter.chinese(),
        ask.query.filter.show.chinese()
    );
    if !ask.moment.is_now() {
        let _ = write!(name, "（截至{}）", ask.moment.words);
    }
    let at = ask.moment.at;
    let csv = history::ask(&desk, at, move |book, at| {
        let found = find(book, &ask.plan, ask.quarter, &ask.query, at);
        sheet::items(book, &calendar, &found.items)
    });
    csv.await?.download(&name)
}

/// `POST /items/urge`: who would get what, for the items ticked (`i`), or for all that the list
/// finds and that are open. Nothing is queued by this.
pub(super) async fn preview(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    caller.check_csrf(&field("csrf"))?;
    let asked = Asked {
        plan: field("plan"),
        quarter: field("quarter"),
        state: field("state"),
        unit: field("unit"),
        leader: field("leader"),
        owner: field("owner"),
        status: field("status"),
        stage: field("stage"),
        text: field("text"),
        sort: field("sort"),
        page: field("page"),
        per: field("per"),
        ..Asked::default()
    };
    let ask = Ask::read(&desk, &asked, caller.sight())?.ok_or(WebError::NotFound)?;
    let items = match field("do").as_str() {
        "all" => {
            let book = desk.ledger.book();
            let found = find(&book, &ask.plan, ask.quarter, &ask.query, desk.clock.now());
            let open = found.items.iter().filter(|item| item.state.is_open());
            open.map(|item| (item.key.task, item.key.group)).collect()
        }
        _ => {
            let ticked = fields.iter().filter(|(name, _)| name == "i");
            ticked
                .map(|(_, value)| urge::read_item(value))
                .collect::<Result<BTreeSet<_>, _>>()?
        }
    };
    if items.is_empty() {
        let message = "请先勾选要催办的事项，再点“催办所选”。";
        return Err(WebError::BadRequest(message.into()));
    }
    let back = ask.href("/items", &[]);
    urge::preview(&desk, &caller, (ask.plan, ask.quarter), items, back)
}

/// What is asked, understood.
#[derive(Clone)]
struct Ask {
    plan: PlanId,
    quarter: Quarter,
    query: Query,
    page: usize,
    per: usize,
    ticked: bool,
    moment: Moment,
}

impl Ask {
    fn read(desk: &Desk, asked: &Asked, sight: Sight) -> Result<Option<Self>, WebError> {
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
    fn fields(&self) -> Vec<(&'static str, String)> {
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
    fn href(&self, path: &str, changed: &[(&'static str, &str)]) -> String {
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
    fn plain(&self) -> String {
        let Self { plan, quarter, .. } = self;
        format!(
            "/items?plan={plan}&quarter={quarter}{}",
            self.moment.suffix()
        )
    }

    fn headings(&self) -> Vec<Heading> {
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
    fn order(&self) -> String {
        match self.query.sort == Sort::default() {
            true => String::new(),
            false => name_of(self.query.sort),
        }
    }

    /// Whether more than the state narrows the list.
    fn is_narrowed(&self) -> bool {
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

#[derive(Template)]
#[template(path = "board/templates/items.html", config = "src/web/askama.toml")]
struct ItemsPage<'a> {
    frame: Frame<'a>,
    ask: Ask,
    list: List,
    headings: Vec<Heading>,
    sorts: [(&'static str, &'static str); 9],
    csv: String,
    clear: String,
    now: String,
    tick_all: String,
    tick_none: String,
    ticked: bool,
    may_urge: bool,
    /// What the forms carry.
    hidden: Vec<(&'static str, String)>,
}

struct Heading {
    title: &'static str,
    /// Sorts the list by this column; the other way round where it is so already.
    href: Option<String>,
    /// As `aria-sort` says it; empty where the list is not sorted so.
    mark: &'static str,
}

/// The orders to choose from, where there is no heading to press.
const SORTS: [(&str, &str); 9] = [
    ("", "序号"),
    ("unit", "牵头单位"),
    ("owner", "直接责任人"),
    ("state", "状态（先急后缓）"),
    ("deadline", "报送截止（先早后晚）"),
    ("reported", "报送时间（先早后晚）"),
    ("-reported", "报送时间（先晚后早）"),
    ("reminded", "最近提醒（先早后晚）"),
    ("-reminded", "最近提醒（先晚后早）"),
];

/// What the book says, as read.
struct List {
    title: String,
    deadline: String,
    /// By title; none where there is only one.
    plans: Vec<(PlanId, String)>,
    quarters: Vec<Quarter>,
    tabs: Vec<Tab>,
    units: Vec<String>,
    leaders: Vec<String>,
    /// The owner to whom the list is narrowed.
    owner: Option<String>,
    total: usize,
    /// Of those found, how many somebody can be urged for.
    open: usize,
    rows: String,
    from: usize,
    to: usize,
    pages: Vec<PageLink>,
    before: Option<String>,
    after: Option<String>,
}

struct Tab {
    href: String,
    label: &'static str,
    count: u32,
    here: bool,
}

/// A page of the list; without an address it is the present one, without a number a gap.
struct PageLink {
    href: Option<String>,
    number: Option<usize>,
}

impl List {
    fn of(
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
