//! The share reported by working day, against the deadline and the quarter before.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::{Escaped, Num};
use crate::domain::board::curve::{Curve, Step};
use crate::web::format::month_day;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 176.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 348.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 138.0;

/// What is drawn.
pub(in crate::board) struct CurveChart<'a> {
    pub now: &'a Curve,
    /// The quarter before, over the same days around its own deadline.
    pub before: Option<&'a Curve>,
    /// Working days from the deadline, from the left edge to the right.
    pub span: RangeInclusive<i32>,
    /// What the days below the axis are called.
    pub days: &'a [(i32, chrono::NaiveDate)],
    /// Whether the quarter is still going on, so that its last step is today's.
    pub today: bool,
}

impl CurveChart<'_> {
    /// The picture, to stand in a page.
    pub(in crate::board) fn svg(&self) -> String {
        let mut out = String::with_capacity(4096);
        self.draw(&mut out);
        out
    }

    /// What it shows, in a sentence.
    pub(in crate::board) fn words(&self) -> String {
        let Some(last) = self.now.steps.last() else {
            return String::new();
        };
        let mut words = format!(
            "{}已报{}（{}/{}）",
            self.place_of(last),
            last.percent(),
            last.reported,
            last.wanted
        );
        if let Some(before) = self.before
            && let Some(then) = before.at(last.offset)
        {
            let short = before.quarter.chinese_short();
            let _ = write!(words, "，{short}同期{}", then.percent());
        }
        words.push('。');
        words
    }

    fn place_of(&self, last: &Step) -> String {
        match (self.today, last.offset) {
            (true, _) => "目前".to_owned(),
            // It has not begun, or it is long over.
            (false, at) if at == *self.span.start() => "目前".to_owned(),
            // Later reports still come in.
            (false, _) => format!("截至{}", month_day(last.day)),
        }
    }

    fn draw(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<svg class=curve viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-labelledby=\"ct cd\">\
             <title id=ct>报送进度</title><desc id=cd>{}</desc>",
            Escaped(&self.words())
        );
        self.axes(out);
        if let Some(before) = self.before {
            self.line(out, before, "before");
        }
        self.line(out, self.now, "now");
        self.last_point(out);
        out.push_str("</svg>");
    }

    fn axes(&self, out: &mut String) {
        for percent in [0, 50, 100] {
            let y = Num(y(f64::from(percent) / 100.0));
            let _ = write!(
                out,
                "<path class=rule d=\"M{LEFT} {y}H{RIGHT}\"/>\
                 <text class=e x=\"{}\" y=\"{y}\" dy=4>{percent}%</text>",
                LEFT - 5.0
            );
        }
        for (offset, day) in self.days {
            let x = Num(self.x(*offset));
            let class = match *offset {
                0 => "m due",
                at if at == *self.span.end() => "e",
                at if at == *self.span.start() => "s",
                _ => "m",
            };
            let _ = write!(
                out,
                "<path class=rule d=\"M{x} {BOTTOM}v4\"/>\
                 <text class=\"{class}\" x=\"{x}\" y=\"{}\">{}</text>",
                BOTTOM + 17.0,
                month_day(*day)
            );
        }
        let x = Num(self.x(0));
        let _ = write!(
            out,
            "<path class=due d=\"M{x} {TOP}V{BOTTOM}\"/>\
             <text class=\"m due\" x=\"{x}\" y=\"{}\">截止</text>",
            BOTTOM + 31.0
        );
    }

    fn line(&self, out: &mut String, curve: &Curve, class: &str) {
        let mut path = String::new();
        for step in &curve.steps {
            let mark = if path.is_empty() { 'M' } else { 'L' };
            let (x, y) = (Num(self.x(step.offset)), Num(y(step.share())));
            let _ = write!(path, "{mark}{x} {y}");
        }
        let _ = write!(out, "<path class={class} d=\"{path}\"/>");
    }

    fn last_point(&self, out: &mut String) {
        let Some(last) = self.now.steps.last() else {
            return;
        };
        let (x, y) = (self.x(last.offset), y(last.share()));
        // The number keeps clear of the edges, and of the line of the deadline where there is room.
        let to_deadline = self.x(0) - x;
        let near = (0.0..70.0).contains(&to_deadline) && x > LEFT + 80.0;
        let (side, dx) = match near || x > RIGHT - 60.0 {
            true => ("e", -6.0),
            false => ("s", 6.0),
        };
        let dy = if y < TOP + 22.0 { 24.0 } else { -7.0 };
        if self.today {
            let _ = write!(out, "<path class=today d=\"M{} {TOP}V{BOTTOM}\"/>", Num(x));
        }
        let _ = write!(
            out,
            "<circle class=now cx=\"{}\" cy=\"{}\" r=3.5 /><text class=\"{side} big\" x=\"{}\" y=\"{}\">{}{}</text>",
            Num(x),
            Num(y),
            Num(x + dx),
            Num(y + dy),
            if self.today { "今天" } else { "" },
            last.percent()
        );
    }

    fn x(&self, offset: i32) -> f64 {
        let (first, last) = (f64::from(*self.span.start()), f64::from(*self.span.end()));
        let share = (f64::from(offset) - first) / (last - first).max(1.0);
        LEFT + share * (RIGHT - LEFT)
    }
}

fn y(share: f64) -> f64 {
    BOTTOM - share * (BOTTOM - TOP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Quarter;

    fn of(quarter: &str, steps: &[(i32, u32)]) -> Curve {
        let quarter: Quarter = quarter.parse().unwrap();
        let steps = steps.iter().map(|(offset, reported)| Step {
            offset: *offset,
            day: quarter.last_day(),
            reported: *reported,
            wanted: 40,
        });
        Curve {
            quarter,
            steps: steps.collect(),
        }
    }

    #[test]
    fn it_says_in_words_what_it_draws() {
        let (now, before) = (
            of("2022Q2", &[(-2, 3), (-1, 13)]),
            of("2022Q1", &[(-2, 0), (-1, 8), (0, 40), (1, 40)]),
        );
        let mut chart = CurveChart {
            now: &now,
            before: Some(&before),
            span: -2..=1,
            days: &[(0, "2022-06-30".parse().unwrap())],
            today: true,
        };
        assert_eq!(chart.words(), "目前已报32.5%（13/40），第一季度同期20.0%。");
        insta::assert_snapshot!("curve", chart.svg().replace("><", ">\n<"));
        chart.before = None;
        chart.today = false;
        assert_eq!(chart.words(), "截至6月30日已报32.5%（13/40）。");
    }
}
