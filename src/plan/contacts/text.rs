//! Cells as people type them, made comparable.

use crate::domain::formula::rearmed;

/// Full-width letters made plain, control characters and outer blanks gone, and the apostrophe
/// taken off that disarms a formula.
pub(super) fn cleaned(cell: &str) -> String {
    let plain: String = cell
        .chars()
        .filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{202a}'..='\u{202e}'))
        .map(|c| match c {
            // Chinese punctuation is right where it stands.
            '，' | '；' | '（' | '）' | '：' | '！' | '？' => c,
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        })
        .collect();
    rearmed(plain.trim()).to_owned()
}

/// As [`cleaned`], without any blanks: names and units are compared so.
pub(super) fn squeezed(cell: &str) -> String {
    cleaned(cell).split_whitespace().collect()
}
