//! A long title, broken into lines.

/// A long title in lines of about the same length, broken where the sense allows.
pub(in crate::board::papers) fn in_lines(title: &str) -> String {
    /// As many of its characters as a line of the page takes.
    const MOST: usize = 19;
    let chars: Vec<char> = title.chars().collect();
    let widths = chars.iter().map(|c| if c.is_ascii() { 1 } else { 2 });
    let whole: usize = widths.sum::<usize>().div_ceil(2);
    let count = whole.div_ceil(MOST);
    if count < 2 {
        return title.to_owned();
    }
    let mut lines = String::new();
    let mut begin = 0;
    for left in (2..=count).rev() {
        let aim = begin + (chars.len() - begin).div_ceil(left);
        // Behind these a reader pauses.
        let pauses = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
            let after = chars.get(at).copied();
            let good = matches!(before, Some('）' | '、' | '，' | '”' | '度' | '务' | '作'));
            let bad = matches!(after, Some('）' | '、' | '，' | '”'))
                || matches!(before, Some('（' | '“'));
            let inside = before.is_some_and(|c| c.is_ascii_digit());
            (good, bad || inside)
        };
        let cost = |at: &usize| {
            let (good, bad) = pauses(*at);
            at.abs_diff(aim) * 2 + if bad { 40 } else { 0 } + if good { 0 } else { 9 }
        };
        let near =
            aim.saturating_sub(5).max(begin + 1)..=(aim + 5).min(begin + MOST).min(chars.len());
        let at = near.min_by_key(cost).unwrap_or(aim);
        lines.extend(chars.get(begin..at).unwrap_or_default());
        lines.push('\n');
        begin = at;
    }
    lines.extend(chars.get(begin..).unwrap_or_default());
    lines
}
