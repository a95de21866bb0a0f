//! The list against one made by going to each item by itself.

use proptest::prelude::*;

use super::order::urgency;
use super::*;
use crate::domain::board::Show;
use crate::domain::book::Obligation;
use crate::domain::fact::Fact;
use crate::domain::fixture::*;
use crate::domain::ids::TaskNo;
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
