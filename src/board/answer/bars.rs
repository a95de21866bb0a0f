//! Who stands how, the worst first.

use super::place::Place;
use crate::board::charts::bars::bar;
use crate::domain::board::Tally;
use crate::domain::board::bars::Bar;

/// Who stands how, the worst first: a few with bars, the others by name.
pub(super) struct Bars {
    pub(super) first: Vec<BarView>,
    pub(super) more: Vec<BarView>,
    /// How many owe nothing.
    pub(super) done: usize,
}

pub(super) struct BarView {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) tally: Tally,
    pub(super) svg: String,
}

impl Bars {
    pub(super) fn new(place: &Place<'_>, field: &str, bars: Vec<Bar>) -> Self {
        const FIRST: usize = 15;
        let longest = bars.iter().map(|bar| bar.tally.obligations).max();
        let longest = longest.unwrap_or_default();
        let done = |bar: &&Bar| bar.tally.not_reported == 0;
        let view = |(nth, one): (usize, &Bar)| BarView {
            href: place.items(field, &one.name),
            name: one.name.clone(),
            tally: one.tally,
            svg: match nth < FIRST {
                true => bar(one, longest),
                false => String::new(),
            },
        };
        let mut first: Vec<BarView> = bars.iter().enumerate().map(view).collect();
        Self {
            more: first.split_off(first.len().min(FIRST)),
            first,
            done: bars.iter().filter(done).count(),
        }
    }

    pub(super) fn owing(&self) -> usize {
        self.first.len() + self.more.len() - self.done
    }
}
