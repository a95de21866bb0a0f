//! Small words between and after times.

use super::cursor::Cursor;

/// What joins two numbers or times.
pub(super) enum Joiner {
    List,
    Range,
    None,
}

/// Reads `、`, `至` and the like.
pub(super) fn read_joiner(cursor: &mut Cursor<'_>) -> Joiner {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    let joiner = if ahead.eat_any(&["、", "和", "及", "与"]) {
        Joiner::List
    } else if ahead.eat_any(&[
        "至", "到", "—", "–", "-", "～", "~", "－", "―", "─", "‐", "−", "〜", "∼",
    ]) {
        ahead.eat_any(&["—", "-", "―", "─"]);
        Joiner::Range
    } else {
        return Joiner::None;
    };
    ahead.skip_blanks();
    *cursor = ahead;
    joiner
}

/// Reads `word` unless one of `others` follows, with which it is another word (`前期`, `内部`).
pub(super) fn eat_unless(cursor: &mut Cursor<'_>, word: &str, others: &str) -> bool {
    let mut ahead = *cursor;
    let found = ahead.eat(word) && !ahead.peek().is_some_and(|next| others.contains(next));
    if found {
        *cursor = ahead;
    }
    found
}
