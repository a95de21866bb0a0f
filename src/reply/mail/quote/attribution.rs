//! "… 写道：": the line that says who wrote what is quoted.

use super::Line;

/// "… 写道：" over one to three lines, the last of which is this one or begins here.
pub(super) fn attribution(lines: &[Line<'_>], nth: usize) -> Option<(usize, usize)> {
    /// Clients break it where they like.
    const MOST: usize = 3;
    let first = lines.get(nth)?.bare.trim();
    if !opens_attribution(first) {
        return None;
    }
    let mut joined = String::new();
    for (at, line) in lines.iter().enumerate().skip(nth).take(MOST) {
        if line.is_blank() || line.quoted {
            return None;
        }
        joined.push_str(line.bare.trim());
        if says_wrote(line.bare.trim()) {
            return (has_address(&joined) || has_date(&joined)).then_some((nth, at + 1));
        }
        // The next line begins one of its own.
        if lines
            .get(at + 1)
            .is_some_and(|next| at > nth && opens_attribution(next.bare.trim()))
        {
            return None;
        }
    }
    None
}

fn says_wrote(line: &str) -> bool {
    const ENDINGS: [&str; 12] = [
        "写道:",
        "写道：",
        "寫道:",
        "寫道：",
        "写到:",
        "写到：",
        "写入:",
        "写入：",
        "wrote:",
        "wrote：",
        "writes:",
        "编写:",
    ];
    ENDINGS.iter().any(|ending| line.ends_with(ending))
}

fn opens_attribution(line: &str) -> bool {
    const STARTS: [&str; 6] = ["在", "于", "於", "At ", "On ", "at "];
    STARTS.iter().any(|start| line.starts_with(start))
        || line.starts_with(|c: char| c.is_ascii_digit())
        || has_address(line)
}

pub(super) fn has_address(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + 1..).and_then(|text| text.chars().next());
        let fits =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
        fits(before) && fits(after)
    })
}

/// `2026-03-27`, `2026/3/27`, `2026年3月27日`, `9/26/26`, `Sep 28, 2026`.
fn has_date(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let numbers = text
        .match_indices(['-', '/', '.', '年', '月'])
        .filter(|(at, mark)| {
            let before = text.get(..*at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + mark.len()..)
                .and_then(|text| text.trim_start().chars().next());
            digit(before) && digit(after)
        })
        .count();
    let chinese = text.contains('年') && text.contains('月');
    numbers >= 2
        || chinese
        || (text.contains('月') && text.contains('日'))
        || MONTHS.iter().any(|month| text.contains(month))
}
