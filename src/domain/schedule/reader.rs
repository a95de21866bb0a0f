//! Puts the pieces between the marks together: clauses, sections, what waits for a time.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDate};

use super::super::ids::Quarter;
use super::lead::AFTERWARDS;
use super::mark::{Boundary, Mark, MarkKind};
use super::node::{Node, Time};
use super::phrase::{self, Phrase};
use super::when::When;
use super::{Doubt, Schedule, pairs, span, tidy};

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
        match &self.phrase.when {
            When::Day(day) => Quarter::of(day.due).number() == 4,
            when => when.last_quarter() >= 4,
        }
    }

    fn is_bare(&self) -> bool {
        matches!(self.phrase.when, When::AllYear) && phrase::only_carries_on(&tidy(&self.content))
    }
}

pub(super) struct Reader<'a> {
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
    pub(super) fn new(text: &'a str, year: i32, first: usize) -> Self {
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
    pub(super) fn take(&mut self, mark: &Mark, rest: &[Mark], after: &str) {
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
        if self.is_closer(phrase, lead) {
            self.clauses.pop();
        }
        let words = self.text.get(mark.start..mark.end).unwrap_or_default();
        let mut content = lead_in(&std::mem::take(&mut self.waiting));
        content.push_str(lead.trim_start());
        // `3月—方案设计`
        content.push_str(after.trim_start().trim_start_matches(['—', '－', '–']));
        self.clauses.push(Clause {
            section: self.section(),
            phrase: self.begun(words, phrase),
            words: tidy(words),
            content,
        });
        if phrase.before {
            self.doubts.push(Doubt::Before(tidy(words)));
        }
        let taken = match &phrase.when {
            When::Day(day) => Some(day.due),
            When::Quarters(_) => self.last_day(phrase),
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

    /// `3月启动，此后每月通报`: what recurs begins after the time before it.
    fn begun(&self, words: &str, phrase: &Phrase) -> Phrase {
        let mut phrase = phrase.clone();
        let afterwards = AFTERWARDS.iter().any(|word| words.contains(word));
        let open = self.open_clause_of_section().filter(|_| afterwards);
        let from = open.and_then(|open| match &open.phrase.when {
            When::Day(day) => Some(day.due),
            _ => self.last_day(&open.phrase),
        });
        if let (When::Recurring(repeat), Some(from)) = (&mut phrase.when, from) {
            repeat.dates.retain(|day| *day > from);
        }
        phrase
    }

    fn last_day(&self, phrase: &Phrase) -> Option<NaiveDate> {
        let year = phrase.year.unwrap_or(self.year);
        let end = phrase
            .when
            .is_quarters()
            .then(|| phrase.when.last_quarter())?;
        span::quarter(year, end).map(Quarter::last_day)
    }

    /// Whether a time that stands where a clause could open is only part of the text.
    fn is_only_text(&self, phrase: &Phrase, boundary: Boundary, lead: &str, after: &str) -> bool {
        let Some(open) = self.open_clause_of_section() else {
            return boundary == Boundary::None && lead.is_empty()
                || phrase.when == When::AllYear && !lead.is_empty();
        };
        let headed = open.phrase.when.is_quarters() || open.phrase.when.is_recurring();
        if self.is_closer(phrase, lead) {
            return false;
        }
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
                boundary == Boundary::None && !open.phrase.when.is_before(&phrase.when)
            }
            When::AllYear => {
                !phrase.heads && open.reaches_year_end() && after.contains(char::is_numeric)
            }
            When::Recurring(_) => {
                boundary == Boundary::Weak && open.phrase.heads && open.phrase.when.is_long()
            }
        }
    }

    /// `二季度，4月底前…，6月底前…`: the days within a quarter that says nothing else stand for it.
    fn is_closer(&self, phrase: &Phrase, lead: &str) -> bool {
        let bare = self.open_clause_of_section().filter(|open| {
            open.phrase.when.is_quarters() && open.content.trim().is_empty() && lead.is_empty()
        });
        let dated = matches!(phrase.when, When::Day(_));
        dated && bare.is_some_and(|open| !self.goes_beyond(open, phrase))
    }

    /// Whether a quarter is being told: `二季度，按季度统计…` is told in it.
    fn in_quarters(&self) -> bool {
        self.open_clause_of_section()
            .is_some_and(|open| open.phrase.when.is_quarters())
    }

    /// Whether the day lies outside the quarters of the clause it stands in.
    fn goes_beyond(&self, open: &Clause, phrase: &Phrase) -> bool {
        let end = self.last_day(&open.phrase);
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

    pub(super) fn finish(mut self) -> Schedule {
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
