//! The numbers on top, each with the list behind it.

use super::place::Place;
use crate::domain::board::{Show, Tally};

pub(super) struct Tile {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) count: u32,
    pub(super) class: &'static str,
}

pub(super) fn tiles(place: &Place<'_>, totals: &Tally) -> Vec<Tile> {
    vec![
        place.tile(Show::All, totals.obligations, "all"),
        place.tile(Show::Reported, totals.reported, "good"),
        place.tile(Show::NotReported, totals.not_reported, "open"),
        place.tile(Show::Overdue, totals.overdue_unreported, "bad"),
        place.tile(Show::Returned, totals.returned, "warn"),
        place.tile(Show::ToReview, totals.to_review(), "open"),
    ]
}

pub(super) fn small(place: &Place<'_>, totals: &Tally) -> Vec<Tile> {
    let mut small = vec![
        place.tile(Show::Late, totals.reported_late, "warn"),
        place.tile(Show::Accepted, totals.accepted, "good"),
    ];
    if totals.withdrawn > 0 {
        small.push(place.tile(Show::Withdrawn, totals.withdrawn, "all"));
    }
    small
}

impl Place<'_> {
    fn tile(&self, show: Show, count: u32, class: &'static str) -> Tile {
        Tile {
            href: self.items("state", show.as_str()),
            label: show.chinese(),
            count,
            class: if count == 0 { "zero" } else { class },
        }
    }
}
