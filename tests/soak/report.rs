//! What came of it, in figures.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::books::{Books, Compared};
use crate::house::{House, Life};
use crate::people::People;
use crate::weather::{Peers, Suffered};

/// Bytes of memory that a fact may cost: the book keeps all of them.
const PER_FACT: f64 = 3_000.0;
/// Memory that a life may gain beyond its facts, in kB: buffers, the engine's cache.
const GAIN: f64 = 64_000.0;
/// Books that a life may once have needed room for beside its own: an import looks ahead on a copy,
/// a snapshot is put into words whole, and what they needed the heaps keep for the next one.
const COPIES: f64 = 3.0;
/// Bytes that a fact costs in a book.
const IN_A_BOOK: f64 = 1_100.0;
/// Files that may be open at the end of a life beyond those at its start: connections kept for a
/// moment.
const FILES: u64 = 40;
/// What an `ERROR` in the log may be about: the faults that were put in.
const EXPECTED: [&str; 8] = [
    "message given up",
    "channel stopped",
    "the operator is told",
    "a write to the mirror failed",
    "the store failed and is read-only until it opens again",
    "no backup was made",
    "the system clock has leapt ahead",
    "the engine did not take what the mirror has",
];

pub struct Report {
    pub wrong: Vec<String>,
    text: String,
}

impl Report {
    pub fn of(
        house: House,
        people: People,
        peers: &Peers,
        suffered: Suffered,
        took: Duration,
    ) -> Self {
        let journal = house.world.run(&["journal", "dump"]);
        let books = Books::read(&house.lost, &journal);
        let app = peers.app.delivered().into_iter().map(|one| one.user);
        let accounts = people.accounts();
        let robot = peers.robot.posted();
        let mentioned = robot
            .iter()
            .flat_map(|post| post.mentions().into_iter().map(str::to_owned));
        let channels = [
            ("email", books.mails(peers)),
            (
                "wecom_app",
                books.people(&accounts, "wecom_app", app.collect(), peers.app.doubled()),
            ),
            (
                "wecom_robot",
                books.people(&accounts, "wecom_robot", mentioned.collect(), Vec::new()),
            ),
        ];
        let errors = errors(&house.world.log());
        let mut report = Self {
            wrong: house.wrong.clone(),
            text: String::new(),
        };
        report.course(&house, took, &books);
        report.channels(&channels);
        report.people(&people, &books);
        report.machine(&house.lives);
        report.lists(&house, &people, &suffered, &errors);
        report
    }

    fn line(&mut self, text: impl fmt::Display) {
        self.text.push_str(&format!("{text}\n"));
    }

    fn hold(&mut self, holds: bool, otherwise: String) {
        if !holds {
            self.wrong.push(otherwise);
        }
    }

    fn course(&mut self, house: &House, took: Duration, books: &Books) {
        self.line(format!(
            "took {} s; the clock shows {}; {} facts; {} lives; {} restores; disk refused {} times, the slowest recovery {:?}",
            took.as_secs(),
            house.now,
            books.facts,
            house.lives.len(),
            house.lost.len(),
            house.disk_faults,
            house.slowest_recovery,
        ));
        self.line(format!("messages: {:?}", books.ends));
        let under_way = books.ends.get("under way").copied().unwrap_or(0);
        self.hold(
            under_way == 0,
            format!("{under_way} messages are under way"),
        );
    }

    fn channels(&mut self, channels: &[(&str, Compared)]) {
        self.line(
            "| channel | journal: sent | in doubt | arrived | repeated | not shown | unexplained |",
        );
        self.line("| --- | --- | --- | --- | --- | --- | --- |");
        for (channel, one) in channels {
            self.line(format!(
                "| {channel} | {} | {} | {} | {} | {} | {} |",
                one.sent,
                one.in_doubt,
                one.arrived,
                one.repeated,
                one.hidden,
                one.wrong.len()
            ));
            self.wrong.extend(one.wrong.iter().take(20).cloned());
        }
    }

    fn people(&mut self, people: &People, books: &Books) {
        let reports = books.lost_reports(&people.said);
        let mails = books.lost_mails(&people.mailed);
        self.line(format!(
            "reports acknowledged {}, lost {}; mails answered {}, never read {}",
            people.said.len(),
            reports.len(),
            people.mailed.len(),
            mails.len()
        ));
        self.hold(reports.is_empty(), format!("lost reports: {reports:?}"));
        self.hold(mails.is_empty(), format!("mails never read: {mails:?}"));
    }

    /// Memory and files: what a life gained beyond the facts that it added, and what a fresh
    /// process takes by the number of facts.
    fn machine(&mut self, lives: &[Life]) {
        let (Some(first), Some(last)) = (lives.first(), lives.last()) else {
            return;
        };
        let points: Vec<(f64, f64)> = lives
            .iter()
            .map(|life| (life.begun.facts as f64, life.begun.memory as f64))
            .collect();
        let (base, slope) = line_through(&points);
        self.line(format!(
            "memory at a start: {base:.0} kB and {:.0} bytes a fact; from {} kB at {} facts to {} kB at {}",
            slope * 1024.0,
            first.begun.memory,
            first.begun.facts,
            last.begun.memory,
            last.begun.facts
        ));
        let gain = |life: &Life| life.ended.memory as f64 - life.begun.memory as f64;
        let own = |life: &Life| {
            let added = life.ended.facts.saturating_sub(life.begun.facts) as f64;
            gain(life) - added * PER_FACT / 1024.0
        };
        let seconds: u64 = lives.iter().map(|life| life.seconds).sum();
        let most = lives.iter().max_by(|a, b| own(a).total_cmp(&own(b)));
        let peak = lives.iter().map(|life| life.ended.memory).max();
        if let Some(most) = most {
            self.line(format!(
                "a life of {} s on the average, {} s the longest; it gained {:.0} kB on the average; the most beyond its facts: {:.0} kB in {} s with {} facts; highest end {} kB",
                seconds / lives.len() as u64,
                lives.iter().map(|life| life.seconds).max().unwrap_or(0),
                lives.iter().map(gain).sum::<f64>() / lives.len() as f64,
                own(most),
                most.seconds,
                most.ended.facts.saturating_sub(most.begun.facts),
                peak.unwrap_or(0),
            ));
            let books = |life: &Life| life.ended.facts as f64 * IN_A_BOOK * COPIES / 1024.0;
            for life in lives.iter().filter(|life| own(life) > GAIN + books(life)) {
                self.wrong.push(format!("memory grows: {life:?}"));
            }
        }
        if let Some(longest) = lives.iter().max_by_key(|life| life.seconds) {
            let quarters = (0..=4).filter_map(|n| {
                longest
                    .on_the_way
                    .get(n * longest.on_the_way.len().saturating_sub(1) / 4)
            });
            let quarters = quarters.map(|one| format!("{} kB at {}", one.memory, one.facts));
            let quarters: Vec<String> = quarters.collect();
            self.line(format!(
                "the longest life on its way: {}",
                quarters.join(", ")
            ));
        }
        let files = |life: &Life| life.ended.files.saturating_sub(life.begun.files);
        self.line(format!(
            "open files: {} at a start, {} at the most in the end of a life; threads {}; the slowest start {:?}",
            first.begun.files,
            lives.iter().map(|life| life.ended.files).max().unwrap_or(0),
            lives.iter().map(|life| life.ended.threads).max().unwrap_or(0),
            lives.iter().map(|life| life.start_took).max().unwrap_or_default(),
        ));
        for life in lives.iter().filter(|life| files(life) > FILES) {
            self.wrong.push(format!("files stay open: {life:?}"));
        }
    }

    fn lists(
        &mut self,
        house: &House,
        people: &People,
        suffered: &Suffered,
        errors: &BTreeMap<String, usize>,
    ) {
        let mut ends = BTreeMap::new();
        for end in &house.ends {
            *ends.entry(end).or_insert(0) += 1;
        }
        self.line(format!("ends: {ends:?}"));
        self.line(format!("faults: {suffered:?}"));
        self.line("deeds:");
        for ((deed, answer), count) in &people.deeds {
            self.line(format!("  {count:6} {deed}: {answer}"));
            self.hold(answer != "500", format!("{deed}: {answer}, {count} times"));
        }
        self.line("errors in the log:");
        for (words, count) in errors {
            self.line(format!("  {count:6} {words}"));
            let expected = EXPECTED.iter().any(|known| words.contains(known));
            self.hold(expected, format!("{count} errors in the log: {words}"));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.wrong.as_slice() {
            [] => f.write_str("nothing was wrong"),
            wrong => write!(f, "WRONG:\n{}", wrong.join("\n")),
        }
    }
}

/// Errors in the log by their words, without what differs from one to the next.
fn errors(log: &str) -> BTreeMap<String, usize> {
    let mut errors = BTreeMap::new();
    let lines = log.lines().filter_map(|line| line.split_once(" ERROR "));
    for (_, words) in lines.map(|(at, words)| (at, words.trim())) {
        let words: String = words
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .take(110)
            .collect();
        *errors.entry(words).or_default() += 1;
    }
    errors
}

/// The line that lies nearest to all points: where it begins, and how steep it is.
fn line_through(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let both: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    let slope = if spread > 0.0 { both / spread } else { 0.0 };
    (y - slope * x, slope)
}
