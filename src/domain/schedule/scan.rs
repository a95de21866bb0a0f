//! Where clauses and sections open in the text.

use super::cursor::Cursor;
use super::phrase::{self, Phrase, When};

/// A place where something opens, with the bytes its own words take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: MarkKind,
}

impl Mark {
    pub(super) fn is_time(&self) -> bool {
        matches!(self.kind, MarkKind::Time { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// `市市场监管局：`, `①集体农用地收地工作：`.
    Heading { label: String, enumerated: bool },
    /// A time phrase, and how clearly it stands apart from the text before it.
    Time { phrase: Phrase, boundary: Boundary },
}

/// What stands before a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Boundary {
    /// A word.
    None,
    /// A comma or a blank.
    Weak,
    /// The end of a sentence or of a heading.
    Strong,
    /// The beginning of a paragraph.
    Paragraph,
}

/// All marks of the text, in order, never overlapping.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let mut scan = Scan {
        cursor: Cursor::new(text),
        boundary: Boundary::Paragraph,
        boundary_at: 0,
        depth: 0,
        previous: ' ',
        marks: Vec::new(),
    };
    while scan.cursor.peek().is_some() {
        if scan.depth > 0 || !(scan.heading() || scan.time() || scan.trailing_time()) {
            scan.step();
        }
    }
    scan.marks
}

struct Scan<'a> {
    cursor: Cursor<'a>,
    boundary: Boundary,
    /// Where the clause began that the cursor stands in.
    boundary_at: usize,
    /// Brackets and quotation marks that are open.
    depth: u32,
    previous: char,
    marks: Vec<Mark>,
}

impl Scan<'_> {
    /// Moves on by one character.
    fn step(&mut self) {
        let Some(character) = self.cursor.next() else {
            return;
        };
        match character {
            '（' | '(' | '《' | '“' | '【' | '〔' => self.depth += 1,
            '）' | ')' | '》' | '”' | '】' | '〕' => {
                self.depth = self.depth.saturating_sub(1)
            }
            // A mark left open must not swallow the rest of the cell.
            '。' | '\n' => self.depth = 0,
            _ => {}
        }
        let after_sentence = matches!(self.previous, '。' | '；' | ';');
        self.boundary = match character {
            '\n' => Boundary::Paragraph,
            // Where a page was converted, a blank after a full stop is what is left of a new line.
            c if c.is_whitespace() && after_sentence => Boundary::Paragraph,
            c if c.is_whitespace() => self.boundary.max(Boundary::Weak),
            '。' | '；' | ';' | '：' | ':' => Boundary::Strong,
            '，' | ',' => Boundary::Weak,
            _ => Boundary::None,
        };
        if self.boundary != Boundary::None {
            self.boundary_at = self.cursor.at();
        }
        self.previous = character;
    }

    /// Reads a heading if one opens here.
    fn heading(&mut self) -> bool {
        if self.boundary < Boundary::Strong || self.previous.is_whitespace() && self.at_blank() {
            return false;
        }
        let Some(heading) = Heading::read(self.cursor) else {
            return false;
        };
        let follows_heading = self
            .marks
            .last()
            .is_some_and(|mark| !mark.is_time() && mark.end == self.cursor.at());
        let opens = if heading.is_time {
            heading.leads_to_time
        } else if follows_heading {
            heading.enumerated
        } else {
            heading.leads_to_time || heading.enumerated || self.boundary == Boundary::Paragraph
        };
        if opens {
            self.mark(
                heading.end,
                MarkKind::Heading {
                    label: heading.label,
                    enumerated: heading.enumerated,
                },
            );
        }
        opens
    }

    /// Reads a time phrase if one opens a clause here.
    fn time(&mut self) -> bool {
        let mut ahead = self.cursor;
        if self.boundary > Boundary::None {
            read_lead_in(&mut ahead);
        } else if !ahead.peek().is_some_and(phrase::may_open_quarters) {
            return false;
        }
        let Some(phrase) = phrase::read(&mut ahead) else {
            return false;
        };
        // Without a boundary only `…方案三季度，…` is taken, where the words before do not
        // claim the time for themselves; whether it goes on in order the reader checks.
        let opens = self.boundary > Boundary::None
            || phrase.heads && matches!(phrase.when, When::Quarters(_)) && !self.claims_time();
        if opens {
            let boundary = self.boundary;
            self.mark(ahead, MarkKind::Time { phrase, boundary });
        }
        opens
    }

    /// `…宣传报道贯穿全年。`: the time at the end of its clause.
    fn trailing_time(&mut self) -> bool {
        let mut ahead = self.cursor;
        let ends =
            ahead.eat("贯穿全年") && ahead.peek().is_none_or(|next| "。；;，,\n".contains(next));
        if !ends || self.boundary != Boundary::None {
            return false;
        }
        let phrase = Phrase {
            year: None,
            when: When::AllYear,
            heads: true,
            before: false,
        };
        let last_end = self.marks.last().map_or(0, |mark| mark.end);
        let start = self.boundary_at.max(last_end);
        self.marks.push(Mark {
            start,
            end: start,
            kind: MarkKind::Time {
                phrase,
                boundary: Boundary::Strong,
            },
        });
        self.cursor = ahead;
        self.boundary = Boundary::None;
        true
    }

    fn mark(&mut self, end: Cursor<'_>, kind: MarkKind) {
        let start = self.cursor.at();
        while self.cursor.at() < end.at() {
            self.step();
        }
        self.boundary = Boundary::Strong;
        self.boundary_at = self.cursor.at();
        self.marks.push(Mark {
            start,
            end: end.at(),
            kind,
        });
    }

    fn at_blank(&self) -> bool {
        self.cursor.peek().is_some_and(char::is_whitespace)
    }

    /// Whether the character before takes the time as its object: `争取三季度`, `于一季度`.
    fn claims_time(&self) -> bool {
        "取争在于到至自从年第、和及与保对各每前后".contains(self.previous)
    }
}

/// A run of words that ends in a colon.
struct Heading<'a> {
    label: String,
    enumerated: bool,
    /// It begins with a time phrase itself.
    is_time: bool,
    /// A time phrase follows it at once.
    leads_to_time: bool,
    end: Cursor<'a>,
}

impl<'a> Heading<'a> {
    fn read(from: Cursor<'a>) -> Option<Self> {
        const LONGEST: usize = 40;
        let mut ahead = from;
        let mut label = String::new();
        for _ in 0..LONGEST {
            match ahead.next()? {
                '：' | ':' => return Self::of(from, label.trim(), ahead),
                '。' | '；' | ';' | '，' | ',' | '\n' | '！' | '？' => return None,
                other => label.push(other),
            }
        }
        None
    }

    fn of(from: Cursor<'a>, label: &str, end: Cursor<'a>) -> Option<Self> {
        let first = label.chars().next()?;
        let mut after = end;
        after.skip_blanks();
        let mut own = from;
        own.skip_blanks();
        let own_time = phrase::read(&mut own);
        // `全年：`, `一季度：` are times with a colon, no headings.
        if own_time.is_some() && own.at() >= end.at() {
            return None;
        }
        Some(Self {
            label: label.to_owned(),
            enumerated: ('①'..='⑳').contains(&first) || ('㈠'..='㈩').contains(&first),
            is_time: own_time.is_some(),
            leads_to_time: phrase::read(&mut after).is_some(),
            end,
        })
    }
}

/// Words between a boundary and the time that open nothing themselves.
fn read_lead_in(cursor: &mut Cursor<'_>) {
    if cursor.eat("其中") {
        cursor.eat_any(&["，", ",", "：", ":"]);
        cursor.skip_blanks();
    } else if cursor.peek().is_some_and(|c| ('①'..='⑳').contains(&c)) {
        cursor.next();
    }
}
