//! Where clauses and sections open in the text.

use super::context::TimeContext;
use super::cursor::Cursor;
use super::firsts;
use super::heading::Heading;
use super::lead::{LABELS, read_assured, read_lead_in};
use super::mark::{Boundary, Mark, MarkKind};
use super::number::read_small;
use super::phrase::{self, Phrase};
use super::spot::Base;
use super::when::{When, Why};
use chrono::Datelike;

/// All marks of the text, in order, never overlapping.
pub(super) fn marks(text: &str, ctx: &TimeContext, loose: bool) -> Vec<Mark> {
    let mut scan = Scan {
        text,
        ctx,
        base: Base {
            year: ctx.year,
            month: None,
        },
        loose,
        sentence_at: 0,
        cursor: Cursor::new(text),
        boundary: Boundary::Paragraph,
        boundary_at: 0,
        depth: 0,
        previous: ' ',
        items: 0,
        listed: has_second_item(text),
        item: None,
        marks: Vec::new(),
    };
    loop {
        scan.pass_plain();
        if scan.cursor.peek().is_none() {
            break;
        }
        scan.item();
        if !(scan.may_open() && scan.opens()) {
            scan.step();
        }
    }
    scan.marks
}

/// Characters that part clauses or open and close brackets, beside blanks; and what else may open
/// amid a clause: a time in brackets, `贯穿全年`.
pub(super) const BREAKS: &[&str] = &[
    "。", "；", ";", "：", ":", "，", ",", "、", "（", "(", "《", "“", "【", "〔", "）", ")", "》",
    "”", "】", "〕", "贯",
];

struct Scan<'a> {
    text: &'a str,
    ctx: &'a TimeContext,
    /// Year and month that a time without one takes over from the last.
    base: Base,
    /// No time was found by the strict rules: also one inside a sentence will do.
    loose: bool,
    /// Where the sentence began that the cursor stands in.
    sentence_at: usize,
    cursor: Cursor<'a>,
    boundary: Boundary,
    /// Where the clause began that the cursor stands in.
    boundary_at: usize,
    /// Brackets and quotation marks that are open.
    depth: u32,
    previous: char,
    /// Items of an enumeration so far: `1、…；2、…`.
    items: u32,
    /// Whether there is a second item.
    listed: bool,
    /// The bytes of the number of the item that begins.
    item: Option<(usize, usize)>,
    marks: Vec<Mark>,
}

impl<'a> Scan<'a> {
    /// Passes over characters that can neither open nor end anything where they stand: most of the
    /// text, one after the other.
    fn pass_plain(&mut self) {
        while self.boundary == Boundary::None
            && let Some(next) = self.cursor.peek()
            && firsts::at(next).plain()
        {
            self.cursor.next();
            self.previous = next;
        }
    }

    /// Whether it is worth looking here, as it is at few characters.
    fn may_open(&self) -> bool {
        self.depth == 0 && (self.boundary != Boundary::None || !firsts::of(self.cursor).plain())
    }

    /// Takes what opens here.
    fn opens(&mut self) -> bool {
        self.heading() || self.time() || self.bracket() || self.trailing_time()
    }

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
            '、' if self.goes_on_with_time() => Boundary::Weak,
            _ => Boundary::None,
        };
        if self.boundary != Boundary::None {
            self.boundary_at = self.cursor.at();
        }
        if self.boundary >= Boundary::Strong && !character.is_whitespace() || character == '\n' {
            self.sentence_at = self.cursor.at();
        }
        self.previous = character;
    }

    /// Passes over the number of an item, which is no month and no word of the work before it:
    /// `1、3月底前…；2、6月底前…`, `（一）一季度…；（二）…`, `一是3月…；二是…`.
    fn item(&mut self) {
        if self.boundary < Boundary::Strong || self.at_blank() {
            return;
        }
        let mut ahead = self.cursor;
        if !self.read_item(&mut ahead) {
            return;
        }
        let (start, boundary) = (self.cursor.at(), self.boundary);
        while self.cursor.at() < ahead.at() {
            self.step();
        }
        self.boundary = boundary;
        self.boundary_at = self.cursor.at();
        self.sentence_at = self.cursor.at();
        self.item = Some((start, self.cursor.at()));
    }

    fn read_item(&mut self, ahead: &mut Cursor<'_>) -> bool {
        if ahead.eat_any(&["（", "("]) {
            return read_small(ahead, 99).is_some() && ahead.eat_any(&["）", ")"]);
        }
        let ordinal = ahead.eat("第");
        let Some(number) = read_small(ahead, 99) else {
            return false;
        };
        if ordinal {
            return ahead.eat_any(&["，", ","]);
        }
        if ahead.eat("是") {
            return true;
        }
        let counts = self.listed && number == self.items + 1 && ahead.eat_any(&["、", ".", "．"]);
        self.items += u32::from(counts);
        counts
    }

    /// Reads a heading if one opens here.
    fn heading(&mut self) -> bool {
        if self.boundary < Boundary::Strong || self.previous.is_whitespace() && self.at_blank() {
            return false;
        }
        let Some(heading) = Heading::read(self.cursor, self.ctx, self.base) else {
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
        if self.at_blank() {
            return false;
        }
        let mut ahead = self.cursor;
        let mut lead = "";
        let middle = self.boundary == Boundary::None;
        if !middle {
            lead = read_lead_in(&mut ahead);
        } else if !self.may_open_inside() {
            return false;
        }
        let Some(mut phrase) = phrase::read(&mut ahead, self.ctx, self.base) else {
            return false;
        };
        // `一季度已完成…` tells what was done.
        let done = ahead
            .rest()
            .trim_start_matches(['，', '就'])
            .starts_with('已');
        let loose = phrase.loose && !self.loose;
        if self.is_past(&phrase) || done || loose {
            return false;
        }
        if self.boundary == Boundary::Weak && lead.is_empty() && self.closes_sentence(ahead) {
            let start = self.sentence_at.max(self.last_end());
            let text = self.text;
            let before = text.get(start..self.cursor.at()).unwrap_or_default();
            let before = before.trim_end_matches([' ', '，', ',']);
            self.mark_time(start, ahead, phrase, Boundary::Strong, before);
            return true;
        }
        if lead.starts_with(['力', '争', '计', '预', '拟', '确'])
            && read_assured(&mut ahead, self.ctx, self.base, lead, &mut phrase)
        {
            lead = "";
        }
        // Without a boundary only `…方案三季度，…` is taken, where the words before do not
        // claim the time for themselves; whether it goes on in order the reader checks.
        let in_order = phrase.heads && phrase.when.is_quarters() && !self.claims_time();
        if !middle || in_order {
            self.mark_time(self.cursor.at(), ahead, phrase, self.boundary, lead);
            return true;
        }
        let start = self.boundary_at.max(self.last_end());
        let before = self.text.get(start..self.cursor.at()).unwrap_or_default();
        let clear = phrase.deadline || self.loose && phrase.when != When::AllYear;
        let opens = clear
            && !self.previous.is_numeric()
            && !"第每近年月".contains(self.previous)
            && phrase.why != Some(Why::Early)
            && !before.contains('已')
            && !before.contains("计划");
        if opens {
            let lead = before.trim_end_matches(['于', '在', '到', '至', '自', '从']);
            self.mark_time(start, ahead, phrase, Boundary::None, lead);
        }
        opens
    }

    /// `完成方案编制，3月底前；`: nothing but a time behind a sentence that has none.
    fn closes_sentence(&self, mut after: Cursor<'_>) -> bool {
        after.eat_any(&["完成", "办结", "到位"]);
        let told = self.text.get(self.sentence_at..self.cursor.at());
        self.last_end() <= self.sentence_at
            && at_end(after)
            && told.is_some_and(|told| told.chars().any(char::is_alphanumeric))
    }

    /// `完成主体施工（9月底前）`: a time in brackets behind its work.
    fn bracket(&mut self) -> bool {
        let mut ahead = self.cursor;
        if !ahead.eat_any(&["（", "(", "【"]) {
            return false;
        }
        let labelled = ahead.eat_any(&LABELS);
        if labelled {
            ahead.eat_any(&["：", ":", "为"]);
        }
        read_lead_in(&mut ahead);
        let Some(phrase) = phrase::read(&mut ahead, self.ctx, self.base) else {
            return false;
        };
        ahead.eat_any(&["完成", "开展", "进行"]);
        let spoken_for = self.marks.last().is_some_and(|mark| {
            mark.end > self.sentence_at
                && matches!(&mark.kind, MarkKind::Time { lead, .. } if lead.is_empty())
        });
        if !ahead.eat_any(&["）", ")", "】"]) || spoken_for {
            return false;
        }
        let start = self.sentence_at.max(self.last_end()).min(self.cursor.at());
        let lead = self.text.get(start..self.cursor.at()).unwrap_or_default();
        self.mark_time(start, ahead, phrase, Boundary::Weak, lead);
        true
    }

    /// Whether it is worth reading on for a time: not at every digit of a long number.
    fn may_open_inside(&self) -> bool {
        let next = self.cursor.peek();
        next.is_some_and(|next| {
            firsts::at(next).inside() && !(next.is_numeric() && self.previous.is_numeric())
        })
    }

    /// Whether a time with its own work follows a list mark: `3月底前启动、6月底前见效`.
    ///
    /// Only behind another time that has its work, and not in a list of times.
    fn goes_on_with_time(&self) -> bool {
        let Some(last) = self.marks.last().filter(|mark| mark.is_time()) else {
            return false;
        };
        let opens = self.cursor.peek();
        if last.end < self.sentence_at && !self.recurs()
            || "月日号旬末底前年季".contains(self.previous)
            || self
                .text
                .get(..self.cursor.at())
                .is_some_and(|before| before.ends_with("季度、"))
            || !opens.is_some_and(|first| firsts::at(first).inside() || "每半按逐".contains(first))
        {
            return false;
        }
        let mut ahead = self.cursor;
        let between = self.text.get(last.end..ahead.at()).unwrap_or_default();
        if between.trim_matches('、').trim().is_empty() {
            return false;
        }
        let at = read_lead_in(&mut ahead);
        phrase::read(&mut ahead, self.ctx, self.base).is_some_and(|phrase| {
            let clear = phrase.deadline
                || !at.is_empty()
                || !phrase.when.is_dated()
                || !ahead.rest().starts_with(['份', '的', '工', '数', '任']);
            clear && phrase.when != When::AllYear && !at_end(ahead)
        })
    }

    /// Whether the clause being read recurs: `每周调度、每月通报`.
    fn recurs(&self) -> bool {
        self.marks.last().is_some_and(|mark| {
            matches!(&mark.kind, MarkKind::Time { phrase, .. } if phrase.when.is_recurring())
        })
    }

    /// A day of a past year that nothing is to be done by: `2021年12月1日报送了…`.
    fn is_past(&self, phrase: &Phrase) -> bool {
        let year = self.ctx.year;
        let past = matches!(&phrase.when, When::Day(day) if day.due.year() < year);
        past && !phrase.deadline
    }

    fn last_end(&self) -> usize {
        self.marks.last().map_or(0, |mark| mark.end)
    }

    fn mark_time(
        &mut self,
        start: usize,
        end: Cursor<'_>,
        phrase: Phrase,
        boundary: Boundary,
        lead: &str,
    ) {
        if let Some(base) = phrase.base {
            self.base = base;
        }
        let kind = MarkKind::Time {
            phrase,
            boundary,
            lead: lead.to_owned(),
        };
        self.mark_from(start, end, kind);
    }

    /// `…宣传报道贯穿全年。`: the time at the end of its clause.
    fn trailing_time(&mut self) -> bool {
        let mut ahead = self.cursor;
        let ends =
            ahead.eat("贯穿全年") && ahead.peek().is_none_or(|next| "。；;，,\n".contains(next));
        if !ends || self.boundary != Boundary::None {
            return false;
        }
        let last_end = self.last_end();
        let start = self.boundary_at.max(last_end);
        self.marks.push(Mark {
            start,
            end: start,
            kind: MarkKind::Time {
                phrase: Phrase::all_year(),
                boundary: Boundary::Strong,
                lead: String::new(),
            },
        });
        self.cursor = ahead;
        self.boundary = Boundary::None;
        true
    }

    fn mark(&mut self, end: Cursor<'_>, kind: MarkKind) {
        self.base = Base {
            year: self.ctx.year,
            month: None,
        };
        self.mark_from(self.cursor.at(), end, kind);
    }

    fn mark_from(&mut self, start: usize, end: Cursor<'_>, kind: MarkKind) {
        while self.cursor.at() < end.at() {
            self.step();
        }
        self.boundary = Boundary::Strong;
        self.boundary_at = self.cursor.at();
        let number = self.item.filter(|(_, end)| *end == start);
        self.marks.push(Mark {
            start: number.map_or(start, |(start, _)| start),
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

/// Whether items are numbered without brackets.
fn has_second_item(text: &str) -> bool {
    let before = ['；', '。', '\n', ';', ' '];
    text.match_indices('2').any(|(at, two)| {
        let told = text.get(..at).unwrap_or_default();
        let behind = text.get(at + two.len()..).unwrap_or_default();
        behind.starts_with(['、', '.', '．']) && told.ends_with(before)
    })
}

/// Whether a sentence ends here.
fn at_end(cursor: Cursor<'_>) -> bool {
    cursor.peek().is_none_or(|next| "。；;.\n".contains(next))
}
