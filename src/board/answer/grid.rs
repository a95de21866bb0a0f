//! A year's tasks by quarters, a cell each.

use super::place::{Pick, Place};
use crate::board::cells;
use crate::board::charts::grid::short;
use crate::domain::board::grid::{Cell, Grid, GridRow};
use crate::domain::book::Book;

/// The grid, in blocks that stand beside each other.
pub(super) struct GridView {
    /// What addresses of its cells begin and end with.
    pub(super) mark: String,
    pub(super) tail: String,
    pub(super) columns: Vec<Column>,
    pub(super) blocks: Vec<Vec<GridRow>>,
    /// How many tasks stand how in this quarter; nothing where they are on several pages.
    pub(super) legend: Vec<(Cell, usize)>,
    pub(super) pages: Vec<Pick>,
    /// The address of its picture, to be ended with `svg` or `png`.
    pub(super) picture: String,
}

pub(super) struct Column {
    pub(super) short: &'static str,
    pub(super) mark: String,
    pub(super) here: bool,
}

pub(super) fn grid_view(book: &Book, place: &Place<'_>, grid: Grid) -> GridView {
    const BLOCKS: usize = 10;
    const SHORTEST: usize = 5;
    const LONGEST: usize = 25;
    let Place {
        plan,
        quarter,
        moment,
        as_of,
    } = place;
    let counts = grid.counts(*quarter);
    let legend = Cell::ASKED.into_iter().zip(counts);
    // Of many pages, the ends and those around this one.
    let near = |page: &usize| *page == 1 || *page == grid.pages || page.abs_diff(grid.page) <= 4;
    let pages = (1..=grid.pages).filter(near).map(|page| Pick {
        href: format!("{}&page={page}#grid", place.screen(plan, *quarter)),
        label: page.to_string(),
        here: page == grid.page,
    });
    let columns = grid.quarters.iter().map(|one| Column {
        short: short(*one),
        mark: cells::quarter_mark(book, plan, *one),
        here: one == quarter,
    });
    let block = grid.rows.len().div_ceil(BLOCKS).clamp(SHORTEST, LONGEST);
    let mut rows = grid.rows.into_iter();
    let mut blocks = Vec::new();
    loop {
        let next: Vec<GridRow> = rows.by_ref().take(block).collect();
        if next.is_empty() {
            break;
        }
        blocks.push(next);
    }
    let several = grid.pages > 1;
    GridView {
        mark: cells::mark(book, plan),
        tail: as_of.map_or(String::new(), |at| format!("/{at}")),
        columns: columns.collect(),
        blocks,
        legend: legend
            .map(|(cell, count)| (cell, if several { 0 } else { count }))
            .collect(),
        pages: if several { pages.collect() } else { Vec::new() },
        picture: format!("?plan={plan}&quarter={quarter}&page={}{moment}", grid.page),
    }
}
