//! Reads a schedule cell (季度进度安排) into milestones.
//!
//! The cell is prose with time phrases in it. Three steps, each with a file of its own:
//! [`phrase`] knows how a time is said (`二、三季度`, `前三季度`, `全年`); [`scan`] finds where in
//! the text a phrase *opens* a clause, and where a heading opens a section; this file puts the
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
mod heading;
mod lead;
mod node;
mod number;
mod pairs;
mod phrase;
mod relative;
mod repeat;
mod scan;
mod span;
mod spot;
mod when;
mod words;
mod year;

use std::collections::HashSet;

use chrono::{Datelike, NaiveDate};

use super::ids::Quarter;
use super::plan::{Milestone, MilestoneKind};
use phrase::Phrase;
use scan::{Boundary, Mark, MarkKind};
use when::When;

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

/// A clause on the way: a time phrase and the text collected for it.
struct Clause {
    section: Option<String>,
    phrase: Phrase,
    /// The phrase in the table's words, for a clause that says nothing else.
    words: String,
    content: String,
}

impl Clause {
    fn reaches_year_end(&self) -> bool {
        self.phrase.when.last_quarter() >= 4
    }

    fn is_bare(&self) -> bool {
        matches!(self.phrase.when, When::AllYear) && phrase::only_carries_on(&tidy(&self.content))
    }
}

struct Reader<'a> {
    text: &'a str,
    year: i32,
    clauses: Vec<Clause>,
    /// Index of the first clause of the section being read.
    section_start: usize,
    /// Paragraph heading, then enumerated heading.
    headings: [Option<String>; 2],
    /// Text that waits for the first clause of its section.
    waiting: String,
    doubts: Vec<Doubt>,
}

impl<'a> Reader<'a> {
    /// Begins with the text up to the first mark waiting.
    fn new(text: &'a str, year: i32, first: usize) -> Self {
        Self {
            text,
            year,
            clauses: Vec::new(),
            section_start: 0,
            headings: [None, None],
            waiting: text.get(..first).unwrap_or_default().to_owned(),
            doubts: Vec::new(),
        }
    }

    /// Takes a mark and the text from it to the next.
    fn take(&mut self, mark: &Mark, rest: &[Mark], after: &str) {
        match &mark.kind {
            MarkKind::Heading { label, enumerated } => {
                if opens_section(*enumerated, rest) {
                    self.open_section(label, *enumerated);
                    self.append(after);
                } else {
                    self.append_raw(mark, after);
                }
            }
            MarkKind::Time {
                phrase,
                boundary,
                lead,
            } => {
                let by_step = self.text.get(mark.start..mark.end);
                let inside =
                    by_step.is_some_and(|words| words.starts_with('按')) && self.in_quarters();
                if inside || self.is_only_text(phrase, *boundary, lead, after) {
                    self.append_raw(mark, after);
                } else {
                    self.open_clause(mark, phrase, lead, after);
                }
            }
        }
    }

    fn open_section(&mut self, label: &str, enumerated: bool) {
        if enumerated {
            self.headings[1] = Some(label.to_owned());
        } else {
            self.headings = [Some(label.to_owned()), None];
        }
        self.section_start = self.clauses.len();
    }

    fn open_clause(&mut self, mark: &Mark, phrase: &Phrase, lead: &str, after: &str) {
        let words = self.text.get(mark.start..mark.end).unwrap_or_default();
        let mut content = lead_in(&std::mem::take(&mut self.waiting));
        content.push_str(lead.trim_start());
        content.push_str(after.trim_start());
        self.clauses.push(Clause {
            section: self.section(),
            phrase: phrase.clone(),
            words: tidy(words),
            content,
        });
        if phrase.before {
            self.doubts.push(Doubt::Before(tidy(words)));
        }
        let taken = match &phrase.when {
            When::Day(day) => Some(day.due),
            _ => None,
        };
        let year = phrase.year.or(taken.map(|day| day.year()));
        if year.is_some_and(|year| year != self.year) {
            self.doubts.push(Doubt::OtherYear(tidy(words)));
        }
        if let Some(why) = phrase.why {
            let words = tidy(words);
            self.doubts.push(Doubt::Unclear { words, why, taken });
        }
    }

    /// Whether a time that stands where a clause could open is only part of the text.
    fn is_only_text(&self, phrase: &Phrase, boundary: Boundary, lead: &str, after: &str) -> bool {
        let Some(open) = self.open_clause_of_section() else {
            return boundary == Boundary::None && lead.is_empty()
                || phrase.when == When::AllYear && !lead.is_empty();
        };
        let headed = open.phrase.when.is_quarters() || open.phrase.when.is_recurring();
        if headed && open.phrase.heads && !phrase.when.is_recurring() {
            // `四季度，…，年底前…`: what stands under a quarter is told in it.
            if phrase.when.is_dated() || !lead.is_empty() {
                return !self.goes_beyond(open, phrase) || !lead.is_empty();
            }
        }
        match &phrase.when {
            When::Unknown if open.phrase.when == When::AllYear => true,
            When::Day(_) | When::Unknown => {
                boundary == Boundary::None && open.phrase.when.is_quarters()
            }
            When::Quarters(_) => {
                boundary == Boundary::None && !open.phrase.when.is_followed_by(&phrase.when)
            }
            When::AllYear => {
                !phrase.heads && open.reaches_year_end() && after.contains(char::is_numeric)
            }
            When::Recurring(_) => {
                boundary == Boundary::Weak && open.phrase.heads && open.phrase.when.is_long()
            }
        }
    }

    /// Whether a quarter is being told: `二季度，按季度统计…` is told in it.
    fn in_quarters(&self) -> bool {
        self.open_clause_of_section()
            .is_some_and(|open| open.phrase.when.is_quarters())
    }

    /// Whether the day lies outside the quarters of the clause it stands in.
    fn goes_beyond(&self, open: &Clause, phrase: &Phrase) -> bool {
        let year = open.phrase.year.unwrap_or(self.year);
        let end = span::quarter(year, open.phrase.when.last_quarter()).map(Quarter::last_day);
        matches!(&phrase.when, When::Day(day) if end.is_some_and(|end| day.due > end))
    }

    fn open_clause_of_section(&self) -> Option<&Clause> {
        self.clauses.get(self.section_start..)?.last()
    }

    fn append_raw(&mut self, mark: &Mark, after: &str) {
        let words = self.text.get(mark.start..mark.end).unwrap_or_default();
        self.append(words);
        self.append(after);
    }

    fn append(&mut self, text: &str) {
        let in_section = self.clauses.get_mut(self.section_start..);
        match in_section.and_then(<[_]>::last_mut) {
            Some(clause) => clause.content.push_str(text),
            None => self.waiting.push_str(text),
        }
    }

    fn section(&self) -> Option<String> {
        match &self.headings {
            [Some(over), Some(under)] => Some(format!("{over}：{under}")),
            [one, other] => one.clone().or_else(|| other.clone()),
        }
    }

    fn finish(mut self) -> Schedule {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(last) = self.clauses.last_mut() {
            last.content.push_str(&waiting);
        }
        // A bare `全年推进` beside other times of its section says nothing more.
        let telling: HashSet<Option<&str>> = self
            .clauses
            .iter()
            .filter(|clause| !clause.is_bare())
            .map(|clause| clause.section.as_deref())
            .collect();
        let nodes = self
            .clauses
            .iter()
            .filter(|clause| !clause.is_bare() || !telling.contains(&clause.section.as_deref()))
            .flat_map(|clause| nodes_of(clause, self.year))
            .flat_map(pairs::apart)
            .collect();
        Schedule {
            nodes,
            doubts: self.doubts,
        }
    }
}

/// A heading opens a section if a time follows before the next heading, or its own parts do.
fn opens_section(enumerated: bool, rest: &[Mark]) -> bool {
    /// How far to look, so that a text of nothing but headings is read in one go.
    const FAR: usize = 64;
    match rest.first().map(|next| &next.kind) {
        Some(MarkKind::Time { .. }) => true,
        Some(MarkKind::Heading {
            enumerated: next, ..
        }) => !enumerated && *next && rest.iter().take(FAR).any(Mark::is_time),
        None => false,
    }
}

fn nodes_of(clause: &Clause, year: i32) -> Vec<Node> {
    let year = clause.phrase.year.unwrap_or(year);
    let node = |time| Node {
        section: clause.section.clone(),
        content: content_of(clause),
        time,
    };
    match &clause.phrase.when {
        When::Quarters(runs) => runs
            .iter()
            .filter_map(|&(first, last)| {
                let (first, last) = (span::quarter(year, first)?, span::quarter(year, last)?);
                Some(node(Time::Quarters { first, last }))
            })
            .collect(),
        When::AllYear => vec![node(Time::AllYear(year))],
        When::Recurring(repeat) => vec![node(Time::Recurring(repeat.clone()))],
        When::Day(day) => vec![node(Time::Day(day.clone()))],
        When::Unknown => vec![node(Time::Unknown)],
    }
}

/// The clause's text; where it says nothing beside the time, the time's own words.
fn content_of(clause: &Clause) -> String {
    let content = tidy(&clause.content);
    if clause.is_bare() {
        return tidy(&format!("{}{content}", clause.words));
    }
    if content.is_empty() {
        return clause
            .section
            .clone()
            .unwrap_or_else(|| clause.words.clone());
    }
    content
}

/// Text before a time, made to lead on into the clause: `…收地 969 亩。其中，` loses its 其中.
fn lead_in(waiting: &str) -> String {
    let text = waiting.trim();
    let text = text.trim_end_matches(['，', ',']);
    match text.strip_suffix("其中") {
        Some(before) => before.trim_end().to_owned(),
        None => waiting.trim().to_owned(),
    }
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
