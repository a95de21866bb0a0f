//! Headings inside a schedule: `市市场监管局：`, `①集体农用地收地工作：`.

use super::context::TimeContext;
use super::cursor::Cursor;
use super::lead::{LABELS, read_lead_in};
use super::phrase;
use super::spot::Base;

/// A run of words that ends in a colon.
pub(super) struct Heading<'a> {
    pub(super) label: String,
    pub(super) enumerated: bool,
    /// It begins with a time phrase itself.
    pub(super) is_time: bool,
    /// A time phrase follows it at once.
    pub(super) leads_to_time: bool,
    pub(super) end: Cursor<'a>,
}

impl<'a> Heading<'a> {
    pub(super) fn read(from: Cursor<'a>, ctx: &TimeContext, base: Base) -> Option<Self> {
        const LONGEST: usize = 40;
        let mut ahead = from;
        for _ in 0..LONGEST {
            let before = ahead.at();
            match ahead.next()? {
                '：' | ':' => {
                    let label = from.rest().get(..before - from.at())?;
                    return Self::of(from, label.trim(), ahead, ctx, base);
                }
                '。' | '；' | ';' | '，' | ',' | '\n' | '！' | '？' => return None,
                '（' | '(' if states_time(ahead, ctx, base) => return None,
                _ => {}
            }
        }
        None
    }

    fn of(
        from: Cursor<'a>,
        label: &str,
        end: Cursor<'a>,
        ctx: &TimeContext,
        base: Base,
    ) -> Option<Self> {
        let first = label.chars().next()?;
        // `完成时限：6月底前` is a time with its label.
        if LABELS.contains(&label) {
            return None;
        }
        let mut after = end;
        after.skip_blanks();
        let mut own = from;
        own.skip_blanks();
        let own_time = phrase::read(&mut own, ctx, base);
        // `全年：`, `一季度：` are times with a colon, no headings.
        if own_time.is_some() && own.at() >= end.at() {
            return None;
        }
        Some(Self {
            label: label.to_owned(),
            enumerated: ('①'..='⑳').contains(&first) || ('㈠'..='㈩').contains(&first),
            is_time: own_time.is_some(),
            leads_to_time: phrase::read(&mut after, ctx, base).is_some(),
            end,
        })
    }
}

/// `（完成时限：6月底前）`, `第一阶段（3—4月）` are no part of a heading.
fn states_time(mut inside: Cursor<'_>, ctx: &TimeContext, base: Base) -> bool {
    if inside.eat_any(&LABELS) && inside.eat_any(&["：", ":"]) {
        return true;
    }
    read_lead_in(&mut inside);
    phrase::read(&mut inside, ctx, base).is_some() && inside.eat_any(&["）", ")"])
}
