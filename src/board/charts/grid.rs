//! The grid as one picture, for a group of people who have no account here.

use std::fmt::Write as _;

use super::{Escaped, Num};
use crate::domain::board::grid::{Cell, Grid, GridRow};
use crate::domain::ids::Quarter;

/// As wide as a telephone shows sharply.
pub(in crate::board) const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 30.0;
/// Blocks of rows beside each other.
const BLOCKS: usize = 10;
const ROW: f64 = 20.0;
const TOP: f64 = 196.0;
/// Of a row's number.
const NUMBER: f64 = 29.0;
const INK: &str = "#1d2530";
const QUIET: &str = "#5c6673";

/// What is drawn.
pub(in crate::board) struct Picture<'a> {
    pub quarter: Quarter,
    /// `2022年市政府主要目标任务分解表`.
    pub plan: &'a str,
    /// `市政府督查室`.
    pub office: &'a str,
    /// `2022年3月28日（周一）10:00`.
    pub as_of: &'a str,
    /// 应报 and its kind, with their numbers; the worse ones in red.
    pub numbers: &'a [(&'static str, u32, bool)],
    pub grid: &'a Grid,
}

/// How a cell is styled in a page; what is not reported is as plain as what is not asked for.
pub(in crate::board) trait Look {
    /// The class, or nothing.
    fn class(&self) -> &'static str;
}

impl Look for Cell {
    fn class(&self) -> &'static str {
        match self {
            Self::NotAsked | Self::NotReported => "",
            Self::Completed => "c",
            Self::OnSchedule => "p",
            Self::Behind => "b",
            Self::NotStarted => "s",
            Self::Returned => "r",
            Self::Overdue => "x",
        }
    }
}

/// What a cell looks like in a picture: its ground and its sign.
fn paint(cell: Cell) -> (&'static str, &'static str) {
    match cell {
        Cell::NotAsked => ("none", "none"),
        Cell::Completed => ("#bfe5cc", "#0f5a31"),
        Cell::OnSchedule => ("#dcebfb", "#1a56a8"),
        Cell::NotReported => ("#f0f2f5", "#5c6673"),
        Cell::Behind => ("#ffdf8f", "#6b4200"),
        Cell::NotStarted => ("#e3d7f3", "#56358a"),
        Cell::Returned => ("#f9c9b6", "#8a2b06"),
        Cell::Overdue => ("#b3201a", "#ffffff"),
    }
}

impl Picture<'_> {
    /// How high it is.
    pub(in crate::board) fn height(&self) -> f64 {
        TOP + ROW * (self.block() as f64 + 1.0) + 34.0
    }

    /// The whole picture.
    pub(in crate::board) fn svg(&self) -> String {
        let mut out = String::with_capacity(128 * 1024);
        let height = Num(self.height());
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"t d\" \
             width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif\" fill=\"{INK}\">\
             <title id=\"t\">{}</title><desc id=\"d\">{}</desc>\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>",
            Escaped(&self.title()),
            Escaped(&self.words())
        );
        self.heading(&mut out);
        self.legend(&mut out);
        for (place, rows) in self.grid.rows.chunks(self.block()).enumerate() {
            self.rows(&mut out, place, rows);
        }
        let _ = write!(
            out,
            "<text x=\"{MARGIN}\" y=\"{}\" font-size=\"12\" fill=\"{QUIET}\">每行为一项任务，左侧为序号，右侧各格依次为{}；一项任务由几个单位分别负责的，按进度最差的一家显示。</text></svg>",
            Num(self.height() - 14.0),
            self.columns()
        );
        out
    }

    fn title(&self) -> String {
        format!("{}重点工作报送情况", self.quarter.chinese())
    }

    /// The numbers in a sentence.
    fn words(&self) -> String {
        let numbers = self.numbers.iter();
        let numbers: Vec<_> = numbers
            .map(|(label, count, _)| format!("{label}{count}项"))
            .collect();
        format!("截至{}：{}。", self.as_of, numbers.join("，"))
    }

    fn columns(&self) -> String {
        let quarters = self.grid.quarters.iter();
        let quarters: Vec<_> = quarters.map(|one| one.chinese_short()).collect();
        quarters.join("、")
    }

    /// Rows of one block.
    fn block(&self) -> usize {
        self.grid.rows.len().div_ceil(BLOCKS).max(5)
    }

    fn heading(&self, out: &mut String) {
        let _ = write!(
            out,
            "<text x=\"{MARGIN}\" y=\"50\" font-size=\"27\" font-weight=\"700\">{}</text>\
             <text x=\"{MARGIN}\" y=\"78\" font-size=\"15\" fill=\"{QUIET}\">{}</text>\
             <text x=\"{}\" y=\"50\" font-size=\"15\" text-anchor=\"end\" fill=\"{QUIET}\">{}</text>\
             <text x=\"{}\" y=\"78\" font-size=\"15\" text-anchor=\"end\">截至{}</text>",
            Escaped(&self.title()),
            Escaped(self.plan),
            WIDTH - MARGIN,
            Escaped(self.office),
            WIDTH - MARGIN,
            Escaped(self.as_of)
        );
        let step = (WIDTH - 2.0 * MARGIN) / self.numbers.len().max(1) as f64;
        for (place, (label, count, bad)) in self.numbers.iter().enumerate() {
            let x = MARGIN + step * place as f64;
            let ink = if *bad && *count > 0 { "#b3201a" } else { INK };
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"122\" font-size=\"15\" fill=\"{QUIET}\">{label}<tspan dx=\"8\" font-size=\"28\" font-weight=\"700\" fill=\"{ink}\">{count}</tspan></text>",
                Num(x)
            );
        }
    }

    fn legend(&self, out: &mut String) {
        let counts = self.grid.counts(self.quarter);
        let step = (WIDTH - 2.0 * MARGIN) / Cell::ASKED.len() as f64;
        for (place, (cell, count)) in Cell::ASKED.into_iter().zip(counts).enumerate() {
            let x = MARGIN + step * place as f64;
            let (ground, ink) = paint(cell);
            let _ = write!(
                out,
                "<rect x=\"{0}\" y=\"146\" width=\"22\" height=\"18\" rx=\"2\" fill=\"{ground}\"/>\
                 <text x=\"{1}\" y=\"160\" font-size=\"13\" text-anchor=\"middle\" fill=\"{ink}\">{2}</text>\
                 <text x=\"{3}\" y=\"160\" font-size=\"14\">{4}<tspan dx=\"5\" fill=\"{QUIET}\">{count}</tspan></text>",
                Num(x),
                Num(x + 11.0),
                cell.sign(),
                Num(x + 29.0),
                cell.chinese()
            );
        }
    }

    fn rows(&self, out: &mut String, place: usize, rows: &[GridRow]) {
        let pitch = (WIDTH - 2.0 * MARGIN) / BLOCKS as f64;
        let left = MARGIN + pitch * place as f64;
        let columns = self.grid.quarters.len().max(1) as f64;
        let width = ((pitch - NUMBER - 9.0) / columns).min(22.0);
        let x = |column: usize| left + NUMBER + 4.0 + width * column as f64;
        out.push_str("<g font-size=\"12\" text-anchor=\"middle\">");
        for (column, quarter) in self.grid.quarters.iter().enumerate() {
            let (weight, ink) = match *quarter == self.quarter {
                true => ("700", INK),
                false => ("400", QUIET),
            };
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\" font-weight=\"{weight}\" fill=\"{ink}\">{}</text>",
                Num(x(column) + width / 2.0),
                Num(TOP - 3.0),
                short(*quarter)
            );
        }
        for (line, row) in rows.iter().enumerate() {
            let y = TOP + 4.0 + ROW * line as f64;
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{QUIET}\">{}</text>",
                Num(left + NUMBER),
                Num(y + 13.5),
                row.no
            );
            let asked = row.cells.iter().enumerate();
            for (column, cell) in asked.filter(|(_, cell)| **cell != Cell::NotAsked) {
                let (ground, ink) = paint(*cell);
                let _ = write!(
                    out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{ground}\"/>\
                     <text x=\"{}\" y=\"{}\" fill=\"{ink}\">{}</text>",
                    Num(x(column)),
                    Num(y),
                    Num(width - 1.0),
                    ROW - 1.0,
                    Num(x(column) + (width - 1.0) / 2.0),
                    Num(y + 13.5),
                    cell.sign()
                );
            }
        }
        out.push_str("</g>");
    }
}

/// `一`.
pub(in crate::board) fn short(quarter: Quarter) -> &'static str {
    match quarter.number() {
        1 => "一",
        2 => "二",
        3 => "三",
        _ => "四",
    }
}
