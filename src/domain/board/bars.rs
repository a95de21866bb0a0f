//! How a quarter stands: in all, by 牵头单位 and by 责任领导, worst first.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::tally::Tally;
use super::walk::Item;
use crate::domain::user::Sight;

/// The numbers of a quarter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Over everything.
    pub totals: Tally,
    /// By the reporting group's unit, as the table names it.
    pub units: Vec<Bar>,
    /// By leader. A task under two of them counts for each.
    pub leaders: Vec<Bar>,
}

/// One bar: a name and its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// A unit's or a leader's.
    pub name: String,
    /// What is withdrawn is no part of the bar.
    pub tally: Tally,
}

impl Bar {
    /// Not reported, the deadline still ahead, or returned.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.tally.not_reported - self.tally.overdue_unreported
    }
}

/// Counts a quarter's items, which are those that somebody with this sight sees.
#[must_use]
pub fn standing(items: &[Item<'_>], sight: &Sight) -> Standing {
    let mut totals = Tally::default();
    let (mut units, mut leaders) = (Bars::default(), Bars::default());
    for item in items {
        let (state, late) = (item.state, item.late);
        totals.add(state, late);
        units.of(&item.group.unit).add(state, late);
        for leader in &item.task.leaders {
            // Who sees one leader's tasks is not shown those of the others beside them.
            if *sight == Sight::Everything || *sight == Sight::Leader(leader.clone()) {
                leaders.of(leader).add(state, late);
            }
        }
    }
    Standing {
        totals,
        units: units.worst_first(),
        leaders: leaders.worst_first(),
    }
}

/// Bars in the order in which their names are met.
#[derive(Default)]
struct Bars<'a> {
    all: Vec<(&'a str, Tally)>,
    place: HashMap<&'a str, usize>,
}

impl<'a> Bars<'a> {
    fn of(&mut self, name: &'a str) -> &mut Tally {
        let next = self.all.len();
        let place = *self.place.entry(name).or_insert(next);
        if place == next {
            self.all.push((name, Tally::default()));
        }
        // The place is there: it was just made, or was made when it was noted.
        #[expect(clippy::indexing_slicing, reason = "places are noted as they are made")]
        &mut self.all[place].1
    }

    /// Most overdue, then most open, then most in all; else in the order of the table.
    fn worst_first(self) -> Vec<Bar> {
        let bars = self.all.into_iter().map(|(name, tally)| Bar {
            name: name.to_owned(),
            tally,
        });
        let mut bars: Vec<Bar> = bars.filter(|bar| bar.tally.obligations > 0).collect();
        bars.sort_by_key(|bar| {
            let tally = &bar.tally;
            Reverse((
                tally.overdue_unreported,
                tally.not_reported,
                tally.obligations,
            ))
        });
        bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::items_in;
    use crate::domain::book::Book;
    use crate::domain::fixture::*;
    use crate::domain::report::ReportStatus;

    fn counted(book: &Book, now: &str, sight: &Sight) -> Standing {
        let plan = plan();
        let items = items_in(book, &plan, quarter("2022Q1"), at(now), sight);
        standing(&items.collect::<Vec<_>>(), sight)
    }

    fn book() -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let done = report(
            ZHANG,
            key(2, 0),
            ReportStatus::Completed,
            "已走访30家企业。",
        );
        apply(&mut book, "2022-03-21T15:20", vec![done]);
        let late = report(DU, key(16, 0), ReportStatus::OnSchedule, "已建3个指导站。");
        apply(&mut book, "2022-04-01T09:30", vec![late]);
        book
    }

    #[test]
    fn whoever_is_overdue_with_most_stands_first_and_the_parts_make_the_whole() {
        let book = book();
        let all = counted(&book, "2022-04-01T10:00", &Sight::Everything);
        let told: Vec<_> = all
            .units
            .iter()
            .map(|bar| {
                let tally = bar.tally;
                (
                    bar.name.as_str(),
                    tally.overdue_unreported,
                    bar.open(),
                    tally.reported,
                )
            })
            .collect();
        let wanted = [
            ("市工业和信息化局", 3, 0, 1),
            ("市科技局", 1, 0, 0),
            ("市水务局", 1, 0, 0),
            ("市市场监管局", 0, 0, 1),
        ];
        assert_eq!(told, wanted);
        assert_eq!((all.totals.obligations, all.totals.reported_late), (7, 1));
        let leaders: Vec<_> = all.leaders.iter().map(|bar| bar.name.as_str()).collect();
        assert_eq!(leaders, ["刘光滨"]);
        assert_eq!(all.leaders[0].tally, all.totals);
    }

    #[test]
    fn it_counts_as_the_list_does_and_a_leader_only_their_own() {
        use crate::domain::board::{Filter, quarter_view};
        let book = book();
        let now = at("2022-04-01T10:00");
        let quarter = quarter("2022Q1");
        let view = quarter_view(&book, quarter, now, &Filter::default());
        let all = counted(&book, "2022-04-01T10:00", &Sight::Everything);
        assert_eq!(all.totals, view.totals);
        let other = Sight::Leader("喻丽君".into());
        let none = counted(&book, "2022-04-01T10:00", &other);
        assert_eq!(none, Standing::default());
    }
}
