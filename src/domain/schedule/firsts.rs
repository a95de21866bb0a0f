//! What may begin with a character: spares trying some two hundred words at every place.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::cursor::Cursor;
use super::festival::{FESTIVALS, SEASONS};
use super::number::digit;
use super::repeat::{ONE_EACH, STEPS};
use super::{lead, phrase, scan, year};

/// The lists of words in which some begin with the same character.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Firsts(u8);

const YEAR: u8 = 1;
const REPEAT: u8 = 2;
const FESTIVAL: u8 = 4;
const SEASON: u8 = 8;
const LEAD: u8 = 16;
const OTHER: u8 = 32;
const INSIDE: u8 = 64;
const BREAK: u8 = 128;

/// By the next character, which words may come.
pub(super) fn of(cursor: Cursor<'_>) -> Firsts {
    cursor.peek().map_or(Firsts::default(), at)
}

/// Which words this character may begin.
pub(super) fn at(character: char) -> Firsts {
    KNOWN.get(place(character)).copied().unwrap_or_default()
}

impl Firsts {
    pub(super) fn year(self) -> bool {
        self.0 & YEAR != 0
    }

    pub(super) fn repeat(self) -> bool {
        self.0 & REPEAT != 0
    }

    pub(super) fn festival(self) -> bool {
        self.0 & FESTIVAL != 0
    }

    pub(super) fn season(self) -> bool {
        self.0 & SEASON != 0
    }

    /// Whether any time may begin so, but one that hangs on an event.
    pub(super) fn time(self) -> bool {
        self.0 & (YEAR | REPEAT | FESTIVAL | SEASON | OTHER) != 0
    }

    pub(super) fn lead(self) -> bool {
        self.0 & LEAD != 0
    }

    /// Whether a time may begin so amid a clause.
    pub(super) fn inside(self) -> bool {
        self.0 & INSIDE != 0
    }

    /// Whether it neither may open anything amid a clause nor parts one clause from another.
    pub(super) fn plain(self) -> bool {
        self.0 & (INSIDE | BREAK) == 0
    }
}

fn place(character: char) -> usize {
    usize::try_from(u32::from(character)).unwrap_or(usize::MAX)
}

/// Where Unicode has all its blanks and the digits that are read; not asked of every character there
/// is, at each start.
const PLACES: [RangeInclusive<char>; 5] = [
    '\0'..='\u{ff}',
    '\u{1680}'..='\u{1680}',
    '\u{2000}'..='\u{205f}',
    '\u{3000}'..='\u{3000}',
    '０'..='９',
];

/// By character, as far as those reach that words begin with.
static KNOWN: LazyLock<Vec<Firsts>> = LazyLock::new(|| {
    let mut known = vec![Firsts::default(); 1 << 16];
    let mut add = |kind, words: &[&str]| {
        for first in words.iter().filter_map(|word| word.chars().next()) {
            if let Some(found) = known.get_mut(place(first)) {
                found.0 |= kind;
            }
        }
    };
    for (words, _) in year::WORDS {
        add(YEAR, words);
    }
    for (words, _) in STEPS.iter().chain(&ONE_EACH) {
        add(REPEAT, words);
    }
    for (words, ..) in FESTIVALS {
        add(FESTIVAL, words);
    }
    add(SEASON, &SEASONS);
    for words in lead::WORDS {
        add(LEAD, words);
    }
    add(OTHER, &phrase::NO_MONTH);
    add(OTHER, phrase::OTHERS);
    add(INSIDE, phrase::INSIDE);
    add(BREAK, scan::BREAKS);
    for character in PLACES.into_iter().flatten() {
        if let Some(found) = known.get_mut(place(character)) {
            found.0 |= match digit(character) {
                Some(_) => OTHER | INSIDE,
                None if character.is_whitespace() => OTHER | BREAK,
                None => 0,
            };
        }
    }
    known
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_blank_and_no_digit_is_elsewhere() {
        for c in '\0'..='\u{ffff}' {
            let blank = c.is_whitespace();
            let digit = digit(c).is_some();
            assert!(!blank && !digit || at(c).time() && !at(c).plain(), "{c:?}");
            assert!(!digit || at(c).inside(), "{c:?}");
        }
    }
}
