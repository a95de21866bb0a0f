//! Reads a schedule cell (季度进度安排) into milestones.
//!
//! The cell is prose with time phrases in it. Three steps, each with a file of its own:
//! [`phrase`] knows how a time is said (`二、三季度`, `前三季度`, `全年`); [`scan`] finds where in
//! the text a phrase *opens* a clause, and where a heading opens a section; [`reader`] puts the
//! pieces between those marks together. A new way to say a time goes into `phrase` alone.
//!
//! What a careful coordinator would do, and so does this:
//! - A time named inside a sentence (`争取三季度成立公司`) opens nothing.
//! - Text before the first time of a section leads its first clause: it is never lost.
//! - A year's total after the last quarter (`全年力争引进5-6家`) is that quarter's target; any other
//!   全年 clause is asked about all year. A bare `全年推进` beside quarters says nothing more.

mod context;
mod cursor;
mod dated;
mod festival;
mod firsts;
mod heading;
mod lead;
mod mark;
mod node;
mod number;
mod pairs;
mod phrase;
mod quarters;
mod reader;
mod relative;
mod repeat;
mod scan;
mod span;
mod spot;
mod when;
mod words;
mod year;

use chrono::NaiveDate;

use super::ids::Quarter;
use super::plan::{Milestone, MilestoneKind};
use reader::Reader;

pub use context::{Almanac, Festival, Season, TimeContext};
pub use node::{Day, Every, Node, Repeat, Time};
pub use when::Why;

/// What a schedule was read to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// In the order of the text; empty where it names no usable time.
    pub nodes: Vec<Node>,
    /// What a person should look at.
    pub doubts: Vec<Doubt>,
}

/// How many characters of a cell are searched for times. A long one has two thousand; what is
/// longer was pasted by mistake, and must not keep the office waiting.
pub const LONGEST: usize = 10_000;

/// Words of a schedule that can be taken in more than one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// `三季度前`: before it begins, or before it ends? Read as before it ends.
    Before(String),
    /// Longer than [`LONGEST`]: what comes after was not searched for times.
    TooLong,
    /// A time in another year than the table's.
    OtherYear(String),
    /// Words that a person should be asked about, and the day they were taken for.
    Unclear {
        /// The words.
        words: String,
        /// Why.
        why: Why,
        /// The day taken.
        taken: Option<NaiveDate>,
    },
}

/// Reads the schedule of a table for `year`.
///
/// `text` is the cell without markup, its paragraphs parted by newlines. Milestones come without a
/// [`Milestone::unit`]: whose section it is only the row can tell.
#[must_use]
pub fn read(text: &str, ctx: &TimeContext) -> Schedule {
    let Some((end, _)) = text.char_indices().nth(LONGEST) else {
        return read_whole(text, ctx);
    };
    let (text, rest) = text.split_at(end);
    let mut schedule = read_whole(text, ctx);
    if let Some(last) = schedule.nodes.last_mut() {
        last.content.push_str(&tidy(rest));
    }
    schedule.doubts.push(Doubt::TooLong);
    schedule
}

fn read_whole(text: &str, ctx: &TimeContext) -> Schedule {
    let strict = read_marks(text, ctx, false);
    if !strict.nodes.is_empty() {
        return strict;
    }
    let loose = read_marks(text, ctx, true);
    if loose.nodes.is_empty() && phrase::goes_on_for_good(text) {
        return Schedule {
            nodes: vec![Node {
                section: None,
                content: tidy(text),
                time: Time::AllYear(ctx.year),
            }],
            doubts: Vec::new(),
        };
    }
    loose
}

fn read_marks(text: &str, ctx: &TimeContext, loose: bool) -> Schedule {
    let year = ctx.year;
    let marks = scan::marks(text, ctx, loose);
    let first = marks.first().map_or(text.len(), |mark| mark.start);
    let mut reader = Reader::new(text, year, first);
    for (index, mark) in marks.iter().enumerate() {
        let rest = marks.get(index + 1..).unwrap_or_default();
        let end = rest.first().map_or(text.len(), |next| next.start);
        reader.take(mark, rest, text.get(mark.end..end).unwrap_or_default());
    }
    reader.finish()
}

impl Schedule {
    /// Whether `text` only says in passing that it waits for something: as good as no time at all.
    #[must_use]
    pub fn only_waits(&self, text: &str) -> bool {
        let hangs = |doubt: &Doubt| match doubt {
            Doubt::Unclear { words, why, .. } => *why == Why::Hangs && !text.starts_with(words),
            _ => false,
        };
        self.nodes.iter().all(|node| node.time == Time::Unknown) && self.doubts.iter().all(hangs)
    }

    /// What is stored of it, for a table of `year`, each with the time as the words tell it.
    #[must_use]
    pub fn milestones(&self, year: i32) -> Vec<(Milestone, Time)> {
        let stored = self
            .nodes
            .iter()
            .map(|node| Some((node.milestone(year)?, node.time.clone())));
        stored.flatten().collect()
    }
}

/// What stands for a schedule that names no usable time: reported every quarter, by assumption.
#[must_use]
pub fn unscheduled(content: &str, year: i32) -> Option<Milestone> {
    let (first, last) = whole_year(year)?;
    Some(Milestone {
        section: None,
        unit: None,
        kind: MilestoneKind::Unscheduled,
        first_quarter: first,
        last_quarter: last,
        due: last.last_day(),
        content: tidy(content),
    })
}

/// Without blanks and marks at the ends, on one line.
fn tidy(text: &str) -> String {
    const ENDS: [char; 9] = ['。', '；', ';', '，', ',', '、', '：', ':', '.'];
    text.trim_matches(|c: char| c.is_whitespace() || ENDS.contains(&c))
        .replace('\n', " ")
}

fn whole_year(year: i32) -> Option<(Quarter, Quarter)> {
    Some((Quarter::new(year, 1)?, Quarter::new(year, 4)?))
}

#[cfg(test)]
mod tests;
