//! Quarters by number, as they are said.

use chrono::NaiveDate;

use super::super::ids::Quarter;
use super::cursor::Cursor;
use super::number::digit;
use super::span;

/// `前三季度`, `前两个季度`.
pub(super) fn read_first_quarters(cursor: &mut Cursor<'_>) -> Option<(u8, u8)> {
    let mut ahead = *cursor;
    if !ahead.eat("前") {
        return None;
    }
    let last = if ahead.eat("两") {
        2
    } else {
        number(ahead.next()?)?
    };
    ahead.eat("个");
    if !ahead.eat("季度") {
        return None;
    }
    *cursor = ahead;
    Some((1, last))
}

/// Quarters by number: `一季度`, `第一、二季度`, `二季度、三季度`, `二至三季度`, `三四季度`, `Q3-Q4`.
///
/// Stops after the last word that completes a quarter, so that `一季度、三农工作` is one quarter.
pub(super) fn read_quarters(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut ahead = *cursor;
    let mut numbers: Vec<u8> = Vec::new();
    let mut complete = None;
    let mut range = false;
    // Each number is 1 to 4; a text of many thousand numerals is no schedule.
    for _ in 0..16 {
        let Some((number, whole)) = read_quarter_number(&mut ahead) else {
            break;
        };
        match numbers.last() {
            Some(&from) if range && from >= number => break,
            Some(&from) if range => numbers.extend(from + 1..=number),
            _ => numbers.push(number),
        }
        if whole {
            complete = Some((ahead, numbers.len()));
        }
        let mut next = ahead;
        // `一季度末、三季度末各一次`
        let ended = whole && next.eat("末");
        range = match read_joiner(&mut next) {
            Joiner::Range => true,
            Joiner::List => false,
            Joiner::None if whole => break,
            Joiner::None => false,
        };
        if !(ended && range) {
            ahead = next;
        }
    }
    let (end, count) = complete?;
    *cursor = end;
    numbers.truncate(count);
    Some(numbers)
}

/// A number, and whether it is a whole quarter (`二季度`, `Q2`) or waits for one (`二、三季度`).
fn read_quarter_number(cursor: &mut Cursor<'_>) -> Option<(u8, bool)> {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    if ahead.eat_any(&["Q", "q", "Ｑ"]) {
        let found = number(ahead.next()?)?;
        // `Q12` is something else.
        if ahead
            .peek()
            .is_some_and(|next| next.is_alphanumeric() && next.is_ascii())
        {
            return None;
        }
        *cursor = ahead;
        return Some((found, true));
    }
    ahead.eat("第");
    ahead.skip_blanks();
    let found = number(ahead.next()?)?;
    let mut unit = ahead;
    unit.skip_blanks();
    unit.eat("个");
    let whole = unit.eat("季度");
    *cursor = if whole { unit } else { ahead };
    Some((found, whole))
}

/// The ends of quarters named by number, for `每年一季度`.
pub(super) fn read_quarter_ends(cursor: &mut Cursor<'_>, year: i32) -> Option<Vec<NaiveDate>> {
    let named = read_quarters(cursor)?;
    let ends = named
        .into_iter()
        .filter_map(|number| span::quarter(year, number));
    Some(ends.map(Quarter::last_day).collect())
}

enum Joiner {
    List,
    Range,
    None,
}

fn read_joiner(cursor: &mut Cursor<'_>) -> Joiner {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    let joiner = if ahead.eat_any(&["、", "和", "及", "与"]) {
        Joiner::List
    } else if ahead.eat_any(&["至", "到", "—", "–", "-", "～", "~", "－"]) {
        ahead.eat("—");
        Joiner::Range
    } else {
        return Joiner::None;
    };
    *cursor = ahead;
    joiner
}

/// Quarters as runs without gaps, in order.
pub(super) fn runs(mut numbers: Vec<u8>) -> Vec<(u8, u8)> {
    numbers.sort_unstable();
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if number <= *last + 1 => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// The number of a quarter.
pub(super) fn number(character: char) -> Option<u8> {
    match character {
        '一' | '首' | 'Ⅰ' => Some(1),
        '二' | 'Ⅱ' => Some(2),
        '三' | 'Ⅲ' => Some(3),
        '四' | 'Ⅳ' => Some(4),
        _ => digit(character).filter(|number| (1..=4).contains(number)),
    }
}
