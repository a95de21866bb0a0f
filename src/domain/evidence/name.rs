//! The names of files, made harmless.

use super::FileKind;

/// A name that does no harm where it is shown or saved: without folders, control characters and
/// marks of direction; at most 200 bytes, the ending kept.
#[must_use]
pub fn safe_name(name: &str) -> String {
    const LONGEST: usize = 200;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let marks = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !marks(c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    if clean.len() <= LONGEST {
        return clean.to_owned();
    }
    // What it is stands at the end.
    let end = clean
        .rsplit_once('.')
        .map(|(_, end)| end)
        .filter(|end| end.len() <= 10);
    let room = LONGEST - end.map_or(0, |end| end.len() + 1);
    let mut short = String::new();
    for c in clean.chars() {
        if short.len() + c.len_utf8() > room {
            break;
        }
        short.push(c);
    }
    match end {
        Some(end) => format!("{short}.{end}"),
        None => short,
    }
}

/// The same for a file of this kind: the ending is that of its content.
#[must_use]
pub fn name_of(said: &str, kind: FileKind) -> String {
    let name = safe_name(said);
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    let true_end = |end: &str| {
        let known = kind.endings().iter();
        known
            .into_iter()
            .any(|known| known.eq_ignore_ascii_case(end))
    };
    match (stem, true_end(end)) {
        ("", _) => format!("材料.{}", kind.as_str()),
        (_, true) => name,
        (_, false) => format!("{name}.{}", kind.as_str()),
    }
}
