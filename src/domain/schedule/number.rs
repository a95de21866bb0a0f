//! Numbers as a table writes them: ASCII, full width, Chinese.

use super::cursor::Cursor;

/// A digit, also of full width.
pub(super) fn digit(character: char) -> Option<u8> {
    let zero = if character.is_ascii() { '0' } else { '０' };
    let value = u32::from(character).checked_sub(u32::from(zero))?;
    u8::try_from(value).ok().filter(|value| *value <= 9)
}

/// A digit of a year: `2023`, `２０２３`, `二〇二三`.
pub(super) fn year_digit(character: char) -> Option<u8> {
    match character {
        '〇' | '零' | '○' | 'Ｏ' => Some(0),
        _ => chinese(character).or_else(|| digit(character)),
    }
}

fn chinese(character: char) -> Option<u8> {
    Some(match character {
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// A number of at most two digits, 1 to `most`: `6`, `06`, `１０`, `十二`, `二十五`, `廿五`.
pub(super) fn read_small(cursor: &mut Cursor<'_>, most: u32) -> Option<u32> {
    let mut ahead = *cursor;
    let value = read_arabic(&mut ahead).or_else(|| read_chinese(&mut ahead))?;
    if value == 0 || value > most {
        return None;
    }
    *cursor = ahead;
    Some(value)
}

/// A number of at most three digits; one that goes on, or has a point, is something else.
fn read_arabic(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut ahead = *cursor;
    let mut value = u32::from(digit(ahead.next()?)?);
    for _ in 0..2 {
        let Some(next) = ahead.peek().and_then(digit) else {
            break;
        };
        value = value * 10 + u32::from(next);
        ahead.next();
    }
    if ahead.peek().and_then(digit).is_some() {
        return None;
    }
    *cursor = ahead;
    Some(value)
}

fn read_chinese(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut ahead = *cursor;
    let mut value = if ahead.eat("廿") {
        20
    } else {
        let first = ahead.peek().and_then(chinese).map(u32::from);
        if first.is_some() {
            ahead.next();
        }
        match (first, ahead.eat("十")) {
            (tens, true) => tens.unwrap_or(1) * 10,
            (Some(units), false) => {
                *cursor = ahead;
                return Some(units);
            }
            (None, false) => return None,
        }
    };
    if let Some(units) = ahead.peek().and_then(chinese) {
        ahead.next();
        value += u32::from(units);
    }
    *cursor = ahead;
    Some(value)
}

/// A number of exactly `digits` ASCII or full-width digits.
pub(super) fn read_fixed(cursor: &mut Cursor<'_>, digits: u32) -> Option<u32> {
    let mut ahead = *cursor;
    let mut value = 0;
    for _ in 0..digits {
        value = value * 10 + u32::from(digit(ahead.next()?)?);
    }
    *cursor = ahead;
    Some(value)
}
