//! The list of a quarter's obligations: narrowed, sorted, and handed out by the page.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::Filter;
use super::tally::Tally;
use super::walk::{Item, items_in};
use crate::domain::book::{Book, ObligationState};
use crate::domain::ids::{PlanId, Quarter, TaskNo};
use crate::domain::message::{Occasion, Stage};
use crate::domain::report::ReportStatus;

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

/// By what its owners were last reminded of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminded {
    /// Not at all.
    Never,
    /// At this stage, of the quarter or of a date it was put off to.
    At(Stage),
    /// By a coordinator's 催办.
    Urged,
}

impl Reminded {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Never,
        Self::At(Stage::Notice),
        Self::At(Stage::Reminder),
        Self::At(Stage::Due),
        Self::At(Stage::Overdue),
        Self::At(Stage::Escalation),
        Self::Urged,
    ];

    /// The name used in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::At(stage) => stage.as_str(),
            Self::Urged => "urge",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Never => "尚未提醒",
            Self::At(stage) => stage.chinese(),
            Self::Urged => "人工催办",
        }
    }

    fn is(self, last: Option<Occasion>) -> bool {
        match self {
            Self::Never => last.is_none(),
            Self::At(stage) => last.and_then(Occasion::stage) == Some(stage),
            Self::Urged => matches!(last, Some(Occasion::Urge(_))),
        }
    }
}

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
    sort(&mut found.items, query.sort);
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

/// What is looked for in the texts.
enum Words<'a> {
    /// The task of this number, which there is.
    Number(TaskNo),
    /// All of these.
    All(Vec<&'a str>),
}

impl<'a> Words<'a> {
    fn of(book: &Book, plan: &PlanId, text: &'a str) -> Self {
        let text = text.trim();
        let bare = text.strip_prefix('第').unwrap_or(text);
        let bare = bare.strip_suffix('项').unwrap_or(bare);
        let tasks = book.plans.get(plan).map(|plan| &plan.tasks);
        match bare.parse() {
            Ok(no) if tasks.is_some_and(|tasks| tasks.contains_key(&no)) => Self::Number(no),
            _ => Self::All(text.split_whitespace().collect()),
        }
    }

    fn are_in(&self, item: &Item<'_>) -> bool {
        match self {
            Self::Number(no) => item.key.task == *no,
            Self::All(words) => words.iter().all(|word| says(item, word)),
        }
    }
}

/// Whether a word stands in the task, its milestones, its units and owners, or the report that
/// counts.
fn says(item: &Item<'_>, word: &str) -> bool {
    let (task, group) = (item.task, item.group);
    let owners = group.owners.iter().map(|owner| owner.name.as_str());
    let milestones = task.milestones.iter().map(|node| node.content.as_str());
    let report = item.obligation.latest().map(|latest| &latest.report);
    let said = report.into_iter().flat_map(|report| {
        let texts = [&report.progress, &report.problems, &report.next_steps];
        texts.map(String::as_str)
    });
    [task.goal.as_str(), group.unit.as_str()]
        .into_iter()
        .chain(owners)
        .chain(milestones)
        .chain(said)
        .any(|text| text.contains(word))
}

fn sort(items: &mut Vec<Item<'_>>, sort: Sort) {
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

fn urgency(state: ObligationState) -> i64 {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::board::Show;
    use crate::domain::book::Obligation;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::*;
    use crate::domain::report::Review;
    use crate::domain::user::Sight;

    const ITEMS: [(TaskNo, u8); 7] = [(2, 0), (4, 0), (14, 0), (16, 0), (16, 1), (32, 0), (122, 0)];
    const PEOPLE: [(&str, &str); 7] = [ZHANG, ZHANG, LI, DU, ZHANG, ZHONG, ZHONG];

    /// A book in which each item stands somehow.
    fn book(standing: &[u8]) -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let reminded = standing.iter().zip(ITEMS).filter(|(one, _)| **one % 3 == 1);
        let reminded: Vec<_> = reminded
            .map(|(_, (task, group))| key(task, group))
            .collect();
        apply(&mut book, "2022-03-17T09:10", notice(&[ZHANG], &reminded));
        for (at, ((task, group), one)) in ITEMS.into_iter().zip(standing).enumerate() {
            let status = ReportStatus::ALL[usize::from(*one) % 4];
            let said = report(PEOPLE[at], key(task, group), status, "已走访30家企业");
            let word = |review| Fact::ReviewGiven {
                obligation: key(task, group),
                review,
            };
            let returned = Review::Returned {
                reason: "请补充".into(),
            };
            let (when, facts) = match one / 3 {
                0 => continue,
                1 => ("2022-03-21T10:00", vec![said]),
                2 => ("2022-03-22T10:00", vec![said, word(Review::Accepted)]),
                3 => ("2022-03-23T10:00", vec![said, word(returned)]),
                _ => ("2022-04-06T10:00", vec![said]),
            };
            apply(&mut book, when, facts);
        }
        book
    }

    fn query() -> impl Strategy<Value = Query> {
        let some = |all: &[&str]| {
            let all: Vec<Option<String>> = all.iter().map(|one| Some((*one).to_owned())).collect();
            prop::option::weighted(0.3, prop::sample::select(all)).prop_map(Option::flatten)
        };
        let texts = [
            "",
            "",
            "企业",
            "16",
            "第14项",
            "商标 品牌",
            "张玉成",
            "30家",
            "9999",
            "市科技局",
        ];
        (
            prop::sample::select(Show::ALL.to_vec()),
            some(&["市工业和信息化局", "市市场监管局", "无"]),
            prop::option::weighted(0.3, prop::sample::select(vec![id(ZHANG), id(ZHONG)])),
            some(&["刘光滨", "无"]),
            prop::option::weighted(0.3, prop::sample::select(ReportStatus::ALL.to_vec())),
            prop::option::weighted(0.3, prop::sample::select(Reminded::ALL.to_vec())),
            prop::sample::select(texts.to_vec()),
            (prop::sample::select(SortBy::ALL.to_vec()), any::<bool>()),
            prop::sample::select(vec![
                Sight::Everything,
                Sight::Everything,
                Sight::Leader("刘光滨".into()),
                Sight::Leader("他人".into()),
            ]),
        )
            .prop_map(
                |(show, unit, owner, leader, status, reminded, text, (by, down), sight)| Query {
                    filter: Filter {
                        plan: None,
                        unit,
                        owner,
                        show,
                        sight,
                    },
                    leader,
                    status,
                    reminded,
                    text: text.into(),
                    sort: Sort { by, down },
                },
            )
    }

    /// The same by going to each item by itself.
    fn plainly(book: &Book, query: &Query, now: DateTime<Utc>) -> Vec<(TaskNo, u8)> {
        let number = query.text.trim_matches(['第', '项']).parse::<TaskNo>().ok();
        let number = number.filter(|no| ITEMS.iter().any(|(known, _)| known == no));
        let all = ITEMS.into_iter().filter(|(task, group)| {
            let key = key(*task, *group);
            let known = &book.obligations[&key];
            let (task, group) = book.task_and_group(&key).unwrap();
            let state = book.state(&key, now).unwrap();
            let late = known
                .reports
                .first()
                .is_some_and(|one| one.at > book.due(&key).unwrap());
            let latest = known.latest().map(|one| &one.report);
            let text = format!("{}{:?}{group:?}{latest:?}", task.goal, task.milestones);
            query.filter.sight.sees(task)
                && query
                    .filter
                    .unit
                    .as_ref()
                    .is_none_or(|unit| group.unit == *unit)
                && query
                    .filter
                    .owner
                    .as_ref()
                    .is_none_or(|owner| book.is_owner(owner, &key))
                && query
                    .leader
                    .as_ref()
                    .is_none_or(|leader| task.leaders.contains(leader))
                && query
                    .status
                    .is_none_or(|status| latest.is_some_and(|one| one.status == status))
                && query
                    .reminded
                    .is_none_or(|wanted| match known.last_reminded {
                        None => wanted == Reminded::Never,
                        Some((_, occasion)) => wanted.as_str() == occasion.kind(),
                    })
                && match number {
                    Some(no) => task.no == no,
                    None => query.text.split(' ').all(|word| text.contains(word)),
                }
                && query.filter.show.shows(state, late)
        });
        all.collect()
    }

    fn sorted(book: &Book, query: &Query, now: DateTime<Utc>) -> Vec<(TaskNo, u8)> {
        let mut rest = plainly(book, query, now);
        let table = rest.clone();
        let known = |one: &(TaskNo, u8)| -> &Obligation { &book.obligations[&key(one.0, one.1)] };
        let group = |one: &(TaskNo, u8)| book.task_and_group(&key(one.0, one.1)).unwrap().1;
        let place = |one: &(TaskNo, u8)| -> Option<i64> {
            let first = |same: &dyn Fn(&(TaskNo, u8)) -> bool| {
                i64::try_from(table.iter().position(same).unwrap()).unwrap()
            };
            match query.sort.by {
                SortBy::Number => Some(i64::from(one.0)),
                SortBy::Unit => Some(first(&|other| group(other).unit == group(one).unit)),
                SortBy::Owner => {
                    let owner = group(one).owners.first()?;
                    Some(first(&|other| group(other).owners.first() == Some(owner)))
                }
                SortBy::State => Some(urgency(book.state(&key(one.0, one.1), now).unwrap())),
                SortBy::Reported => known(one).latest().map(|one| one.at.timestamp()),
                SortBy::Reminded => known(one).last_reminded.map(|(at, _)| at.timestamp()),
                SortBy::Deadline => book.due(&key(one.0, one.1)).map(|at| at.timestamp()),
            }
        };
        // Picks the next one again and again: the first of those that none comes before.
        let mut out = Vec::new();
        while !rest.is_empty() {
            let before = |a: &(TaskNo, u8), b: &(TaskNo, u8)| match (place(a), place(b)) {
                (Some(a), Some(b)) if query.sort.down => a > b,
                (Some(a), Some(b)) => a < b,
                (a, b) => a.is_some() && b.is_none(),
            };
            let next = rest
                .iter()
                .position(|one| !rest.iter().any(|other| before(other, one)));
            out.push(rest.remove(next.unwrap()));
        }
        out
    }

    proptest! {
        #[test]
        fn filter_sort_and_pages_are_what_one_gets_by_hand(
            standing in prop::collection::vec(0_u8..15, 7),
            query in query(),
            per in 1_usize..5,
        ) {
            let book = book(&standing);
            let now = at("2022-04-06T12:00");
            let found = find(&book, &plan(), quarter("2022Q1"), &query, now);
            let numbers = |items: &[Item<'_>]| -> Vec<_> {
                items.iter().map(|item| (item.key.task, item.key.group)).collect()
            };
            let wanted = sorted(&book, &query, now);
            prop_assert_eq!(numbers(&found.items), wanted.clone());
            let pages = (1..=found.pages(per)).flat_map(|page| numbers(found.page(page, per)));
            prop_assert_eq!(pages.collect::<Vec<_>>(), wanted);
            let mut all = query.clone();
            all.filter.show = Show::All;
            let all = find(&book, &plan(), quarter("2022Q1"), &all, now);
            prop_assert_eq!(found.totals, all.totals);
            let count = u32::try_from(all.items.len()).unwrap();
            prop_assert_eq!(found.totals.obligations, count);
        }
    }

    #[test]
    fn a_number_that_is_a_task_means_the_task() {
        let book = book(&[0; 7]);
        let asked = |text: &str| {
            let query = Query {
                text: text.into(),
                ..Query::default()
            };
            let now = at("2022-03-20T12:00");
            let found = find(&book, &plan(), quarter("2022Q1"), &query, now);
            let tasks = found.items.iter().map(|item| item.key.task);
            tasks.collect::<Vec<_>>()
        };
        assert_eq!(asked(" 16 "), [16, 16]);
        assert_eq!(asked("第2项"), [2]);
        assert_eq!(asked("5"), [4], "no task, but a figure: 为 5 家企业");
        assert_eq!(asked("商标 张玉成"), [16]);
    }
}
