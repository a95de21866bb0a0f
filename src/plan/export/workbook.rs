//! The grid as a worksheet that prints: landscape, as wide as the page, headings on every page.

use std::collections::HashSet;

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::super::columns::Field;
use super::grid::{Area, Grid, Kind};
use crate::domain::formula::is_formula;

/// What Excel takes in a cell.
const LONGEST: usize = 32_000;

/// The grid as the bytes of an .xlsx.
pub(super) fn write(grid: &Grid) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    if page.set_name(name(grid)).is_err() {
        page.set_name("分解表")?;
    }
    let widths: Vec<f64> = (0..grid.width()).map(|at| width(grid, at)).collect();
    for (at, width) in (0_u16..).zip(&widths) {
        page.set_column_width(at, *width)?;
    }
    set_page(page, grid, &widths)?;
    write_cells(page, grid)?;
    set_heights(page, grid, &widths)?;
    book.save_to_buffer()
}

fn name(grid: &Grid) -> String {
    let name = grid.worksheet.as_deref().unwrap_or("分解表");
    // Thirty-one characters as Excel counts them.
    let mut units = 0;
    let fits = name.chars().take_while(|c| {
        units += c.len_utf16();
        units <= 31
    });
    fits.collect()
}

/// A sheet of paper in landscape: A3 where the table has more columns than A4 takes.
fn set_page(page: &mut Worksheet, grid: &Grid, widths: &[f64]) -> Result<(), XlsxError> {
    const A3: u8 = 8;
    const A4: u8 = 9;
    /// As many characters as A4 has room for without becoming hard to read.
    const ROOM: f64 = 150.0;
    let wide = widths.iter().sum::<f64>() > ROOM;
    page.set_landscape()
        .set_paper_size(if wide { A3 } else { A4 })
        .set_print_fit_to_pages(1, 0)
        .set_print_center_horizontally(true)
        .set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3)
        .set_header(format!("&R&9 {}", grid.caption.replace('&', "&&")))
        .set_footer("&C&9第 &P 页，共 &N 页");
    if let Some((first, last)) = grid.headings() {
        let (first, last) = (row(first), row(last));
        page.set_repeat_rows(first, last)?;
        page.set_freeze_panes(last + 1, 0)?;
        let end = row(grid.rows.len().saturating_sub(1));
        if end > last {
            page.autofilter(last, 0, end, column(grid.width() - 1))?;
        }
    }
    Ok(())
}

struct Looks {
    title: Format,
    above: Format,
    heading: Format,
    prose: Format,
    name: Format,
}

impl Looks {
    fn new() -> Self {
        let cell = Format::new()
            .set_font_name("宋体")
            .set_font_size(10)
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_border(FormatBorder::Thin);
        Self {
            title: Format::new()
                .set_font_name("方正小标宋简体")
                .set_font_size(20)
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter),
            above: Format::new()
                .set_font_name("仿宋")
                .set_font_size(12)
                .set_align(FormatAlign::VerticalCenter),
            heading: cell
                .clone()
                .set_font_name("黑体")
                .set_font_size(11)
                .set_align(FormatAlign::Center),
            name: cell.clone().set_align(FormatAlign::Center),
            prose: cell.set_align(FormatAlign::Left),
        }
    }

    fn of(&self, kind: Kind, field: Option<Place>) -> &Format {
        match (kind, field) {
            (Kind::Title, _) => &self.title,
            (Kind::Above, _) => &self.above,
            (Kind::Heading, _) => &self.heading,
            (_, Some(Place::Name)) => &self.name,
            _ => &self.prose,
        }
    }
}

/// How a column's text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Prose,
    Name,
}

fn place(grid: &Grid, at: usize) -> Option<Place> {
    let width = grid.columns.len();
    if at >= width {
        return Some(if at == width {
            Place::Prose
        } else {
            Place::Name
        });
    }
    let field = grid.columns.get(at).copied().flatten()?;
    Some(match field {
        Field::Leader
        | Field::LeadUnit
        | Field::Responsible
        | Field::DirectOwner
        | Field::Number
        | Field::Deadline => Place::Name,
        _ => Place::Prose,
    })
}

fn write_cells(page: &mut Worksheet, grid: &Grid) -> Result<(), XlsxError> {
    let looks = Looks::new();
    for (at, line) in grid.rows.iter().enumerate() {
        let framed = !matches!(line.kind, Kind::Title | Kind::Above);
        for to in 0..grid.width() {
            let text = grid.cell(at, to);
            if framed || !text.is_empty() {
                let look = looks.of(line.kind, place(grid, to));
                write_text(page, (at, to), text, look)?;
            }
        }
    }
    for area in &grid.merged {
        let kind = grid
            .rows
            .get(area.rows.0)
            .map_or(Kind::Other, |row| row.kind);
        let look = looks.of(kind, place(grid, area.columns.0));
        let Area { rows, columns } = *area;
        let merged = page.merge_range(
            row(rows.0),
            column(columns.0),
            row(rows.1),
            column(columns.1),
            "",
            look,
        );
        match merged {
            // A damaged file may have them one over the other: the first counts.
            Err(XlsxError::MergeRangeOverlaps(..)) => continue,
            other => other?,
        };
        let text = grid.cell(rows.0, columns.0);
        write_text(page, (rows.0, columns.0), text, look)?;
    }
    Ok(())
}

/// Always as a string; what Excel would take for a formula when it is edited says that it is none.
fn write_text(
    page: &mut Worksheet,
    (at, to): (usize, usize),
    text: &str,
    look: &Format,
) -> Result<(), XlsxError> {
    let (at, to) = (row(at), column(to));
    let shown = cut(text);
    match () {
        () if text.is_empty() => page.write_blank(at, to, look)?,
        () if is_formula(text) => {
            page.write_string_with_format(at, to, shown, &look.clone().set_quote_prefix())?
        }
        () => page.write_string_with_format(at, to, shown, look)?,
    };
    Ok(())
}

fn cut(text: &str) -> String {
    // As Excel counts them; a control character is no text.
    let mut units = 0;
    let plain = text.chars().filter(|c| !c.is_control() || *c == '\n');
    let fits = plain.take_while(|c| {
        units += c.len_utf16();
        units <= LONGEST
    });
    fits.collect()
}

/// A column's width in characters, by what it holds; wider where a cell would be higher than a row
/// can be.
fn width(grid: &Grid, at: usize) -> f64 {
    let file = grid.columns.len();
    let usual = match at.checked_sub(file) {
        Some(0) => 42,
        Some(1 | 3) => 12,
        Some(_) => 10,
        None => match grid.columns.get(at).copied().flatten() {
            Some(Field::Requirement) => 26,
            Some(Field::Goal) => 40,
            Some(Field::Schedule) => 46,
            Some(Field::Period(..)) => 26,
            Some(Field::LeadUnit) => 16,
            Some(Field::AssistingUnit) => 18,
            Some(Field::Leader | Field::Responsible | Field::DirectOwner | Field::Deadline) => 9,
            Some(Field::Number) => 6,
            Some(Field::Ignored) | None => 14,
        },
    };
    let is_task = |row: &usize| {
        let kind = grid.rows.get(*row).map(|row| row.kind);
        matches!(kind, Some(Kind::Task(_)))
    };
    let tasks = (0..grid.rows.len()).filter(is_task);
    let own = grid.merged.iter().filter(|area| area.columns.0 == at);
    let spread: HashSet<usize> = own.map(|area| area.rows.0).collect();
    let highest = tasks
        .filter(|row| !spread.contains(row))
        .map(|row| lines(grid.cell(row, at), usual))
        .max();
    let highest = highest.unwrap_or(0);
    let factor = if highest > MOST_LINES {
        highest.div_ceil(MOST_LINES)
    } else {
        1
    };
    f64::from(u32::try_from(usual * factor.min(4)).unwrap_or(200))
}

/// Lines of ten points that the highest row takes.
const MOST_LINES: usize = 29;
/// The height of one, in points.
const LINE: usize = 14;

/// How many lines a text takes in a column of so many characters.
fn lines(text: &str, width: usize) -> usize {
    let width = width.saturating_sub(2).max(2);
    let of = |line: &str| {
        let units: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        units.div_ceil(width).max(1)
    };
    text.split('\n').map(of).sum()
}

/// Every row is as high as its cells want, since not every program works that out by itself; what a
/// cell merged over several rows wants beyond them, the last of them gets.
fn set_heights(page: &mut Worksheet, grid: &Grid, widths: &[f64]) -> Result<(), XlsxError> {
    const HIGHEST: usize = 400;
    const TITLE: usize = 34;
    let wide = |at: usize| widths.get(at).map_or(9, |width| *width as usize);
    let tall = || grid.merged.iter().filter(|area| area.rows.0 < area.rows.1);
    let over: HashSet<(usize, usize)> = tall()
        .flat_map(|area| (area.rows.0..=area.rows.1).map(|row| (row, area.columns.0)))
        .collect();
    let own = |at: usize, kind: Kind| {
        let cells = (0..grid.width()).filter(|to| !over.contains(&(at, *to)));
        let high = cells.map(|to| lines(grid.cell(at, to), wide(to))).max();
        match kind {
            Kind::Title => TITLE,
            Kind::Above => LINE + 6,
            _ => high.unwrap_or(1) * LINE + 6,
        }
    };
    let rows = grid.rows.iter().enumerate();
    let mut heights: Vec<usize> = rows.map(|(at, line)| own(at, line.kind)).collect();
    for area in tall() {
        let width = (area.columns.0..=area.columns.1).map(wide).sum();
        let wanted = lines(grid.cell(area.rows.0, area.columns.0), width) * LINE + 6;
        let there = heights.get(area.rows.0..=area.rows.1).unwrap_or_default();
        let missing = wanted.saturating_sub(there.iter().sum());
        if let Some(last) = heights.get_mut(area.rows.1) {
            *last += missing;
        }
    }
    for (at, height) in heights.into_iter().enumerate() {
        let height = u32::try_from(height.min(HIGHEST)).unwrap_or(400);
        page.set_row_height(row(at), height)?;
    }
    Ok(())
}

fn row(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn column(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}
