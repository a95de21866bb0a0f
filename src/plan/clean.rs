//! Takes out of a cell what page layout and conversion put in.

use std::borrow::Cow;

/// A cell's prose without markup: paragraphs on lines of their own, no stray blanks.
///
/// A blank between two characters, or between a character and a digit, is left over from the page;
/// beside Latin letters (`OPPO 芯片`) it is meant. One blank after a full stop stays: it is all
/// that is left of a paragraph's end.
pub(super) fn prose(cell: &str) -> String {
    let plain = without_marks(cell);
    let mut prose = String::with_capacity(plain.len());
    for paragraph in plain.split('\n') {
        let end = prose.len();
        if end > 0 {
            prose.push('\n');
        }
        let begin = prose.len();
        push_without_stray_blanks(&mut prose, paragraph);
        if prose.len() == begin {
            prose.truncate(end);
        }
    }
    prose
}

/// The names in a cell: people or units parted by blanks, commas or lines.
pub(super) fn names(cell: &str) -> Vec<String> {
    let plain = without_marks(cell);
    split_outside_brackets(&plain, |c| c.is_whitespace() || is_list_mark(c))
}

/// The units in a cell that parts them by marks; blanks inside are then stray.
pub(super) fn listed_units(cell: &str) -> Vec<String> {
    if !cell.contains(is_list_mark) {
        return names(cell);
    }
    split_outside_brackets(&without_marks(cell), is_list_mark)
}

/// The people in a cell. A name set wide (`王  健`) is one name: nobody has one character only.
/// Telephone numbers beside a name are no part of it.
pub(super) fn people(cell: &str) -> Vec<String> {
    const SURNAMES_OF_TWO: [&str; 10] = [
        "欧阳", "司徒", "上官", "诸葛", "司马", "东方", "皇甫", "慕容", "尉迟", "令狐",
    ];
    let mut people: Vec<String> = Vec::new();
    // A single character waits for the rest of its name.
    let mut half = false;
    for mut name in names(cell) {
        let length = without_telephone(&name).len();
        if length == 0 {
            continue;
        }
        name.truncate(length);
        let single = name.chars().nth(1).is_none();
        match people.last_mut() {
            Some(last) if single && (half || SURNAMES_OF_TWO.contains(&last.as_str())) => {
                last.push_str(&name);
                half = false;
            }
            _ => {
                people.push(name);
                half = single;
            }
        }
    }
    people
}

/// `李强13800000000` or `李强（0769-22830000）` is 李强.
fn without_telephone(name: &str) -> &str {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '—' | '+');
    let bare = name.strip_suffix(['）', ')']).unwrap_or(name);
    let rest = bare.trim_end_matches(is_number);
    if bare.len() - rest.len() < 7 {
        return name;
    }
    let rest = rest.trim_end_matches(['（', '(', '：', ':']);
    rest.strip_suffix("电话").unwrap_or(rest)
}

/// Whether nothing is said in a cell, blank or marked so.
pub(super) fn is_blank(cell: &str) -> bool {
    cell.is_empty() || without_marks(cell).trim().is_empty()
}

/// Whether a word only says that there is nothing: `—`, `/`, `无`.
pub(super) fn is_nothing(text: &str) -> bool {
    let text = text.trim_end_matches('。');
    text.chars().all(is_dash) || matches!(text, "无" | "暂无" | "无安排" | "不涉及")
}

fn is_dash(c: char) -> bool {
    matches!(
        c,
        '—' | '–' | '-' | '－' | '_' | '/' | '／' | '\\' | '＼' | '~' | '～'
    ) || matches!(c, '×' | 'x' | 'X' | '·' | '.' | '…')
}

/// All blanks out: for headings and titles.
pub(super) fn without_blanks(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_whitespace());
    shown.map(plain_digit).collect()
}

fn is_list_mark(c: char) -> bool {
    matches!(c, '、' | '，' | ',' | '；' | ';' | '。' | '/' | '／' | '\\')
}

/// `<p>` marks become lines; `_{2.5}` loses its marks.
fn without_marks(cell: &str) -> Cow<'_, str> {
    const TAGS: [&str; 8] = ["p>", "/p>", "P>", "/P>", "br>", "br/>", "br />", "BR>"];
    if !cell.contains('<') && !cell.contains('_') {
        return Cow::Borrowed(cell);
    }
    let mut plain = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let behind = TAGS.iter().find_map(|tag| after.strip_prefix(tag));
        plain.push(if behind.is_some() { '\n' } else { '<' });
        rest = behind.unwrap_or(after);
    }
    plain.push_str(rest);
    Cow::Owned(without_subscripts(&plain))
}

/// `PM _{2.5}` was `PM2.5`, with the figure set low.
fn without_subscripts(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_{") {
        let Some((low, after)) = after.split_once('}') else {
            break;
        };
        plain.push_str(before.trim_end_matches(' '));
        plain.push_str(low.trim());
        rest = after;
    }
    plain.push_str(rest);
    plain
}

fn push_without_stray_blanks(clean: &mut String, text: &str) {
    // Where the blanks began that were read last.
    let mut blank: Option<usize> = None;
    let mut quoted = false;
    // What is taken as it stands begins here.
    let mut begin = 0;
    for (at, c) in text.char_indices() {
        // Nearly all characters of a table.
        if blank.is_none() && is_common_han(c) {
            continue;
        }
        if c.is_whitespace() {
            if blank.is_none() {
                clean.push_str(text.get(begin..at).unwrap_or_default());
                blank = Some(at);
            }
            begin = at + c.len_utf8();
            continue;
        }
        let before = blank.take().and_then(|at| last_of(text, at));
        let meant = |before| blank_is_meant(before, c) || quoted && is_han(before) && is_han(c);
        if before.is_some_and(meant) {
            clean.push(' ');
        }
        // `“治违禁 控药残 保提升”` is written so.
        quoted = c == '“' || quoted && !matches!(c, '”' | '。');
        let plain = plain_digit(c);
        if plain != c {
            clean.push_str(text.get(begin..at).unwrap_or_default());
            clean.push(plain);
            begin = at + c.len_utf8();
        }
    }
    clean.push_str(text.get(begin..).unwrap_or_default());
}

/// The character before this place.
fn last_of(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back().map(plain_digit)
}

fn is_common_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// A digit of full width as the usual one: `１２月` is 12月.
fn plain_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

fn blank_is_meant(before: char, after: char) -> bool {
    let latin = |c: char| c.is_alphabetic() && !is_han(c);
    let ascii = before.is_ascii() && after.is_ascii();
    let word = |c: char| latin(c) || is_han(c) || c.is_ascii_digit();
    let beside_latin = (latin(before) || latin(after)) && word(before) && word(after);
    let paragraph_end = matches!(before, '。' | '；' | ';') && !matches!(after, '）' | ')' | '”');
    ascii || beside_latin || paragraph_end
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '〇')
}

/// Splits at `mark`, but not inside brackets: `松山湖（甲基地、乙基地）` is one.
fn split_outside_brackets(text: &str, mark: impl Fn(char) -> bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '（' | '(' => depth += 1,
            '）' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && mark(c) {
            parts.extend(text.get(begin..at).and_then(part));
            begin = at + c.len_utf8();
        }
    }
    parts.extend(text.get(begin..).and_then(part));
    parts
}

/// A part without blanks, if it says anything.
fn part(text: &str) -> Option<String> {
    let part = if text.contains(char::is_whitespace) {
        let shown = text.chars().filter(|c| !c.is_whitespace());
        Cow::Owned(shown.collect::<String>())
    } else {
        Cow::Borrowed(text)
    };
    (!is_nothing(&part)).then(|| part.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_the_page_go_and_blanks_of_the_language_stay() {
        for (cell, clean) in [
            (
                "新增打造各类示范项目 40 个，带动 3 万家",
                "新增打造各类示范项目40个，带动3万家",
            ),
            ("推进 OPPO 芯片中心项目", "推进 OPPO 芯片中心项目"),
            ("以跨境电商 B2B 出口监管", "以跨境电商 B2B 出口监管"),
            ("市委 宣传部、市 教育局", "市委宣传部、市教育局"),
            ("市市场监管局： 一季度，", "市市场监管局：一季度，"),
            ("质量奖。 市工信局： 一季度", "质量奖。 市工信局：一季度"),
            ("立 2 号桥，完成 80%", "立2号桥，完成80%"),
            ("抓好PM _{2.5} 协同防治", "抓好PM2.5协同防治"),
            ("<p>甲：一季度。</p> <p>乙</p>", "甲：一季度。\n乙"),
            ("“治违禁 控药残”三年 行动", "“治违禁 控药残”三年行动"),
            ("a < b", "a < b"),
        ] {
            assert_eq!(prose(cell), clean, "{cell}");
        }
    }

    #[test]
    fn a_name_set_wide_is_one_name() {
        assert_eq!(people("王  健 李树峰"), ["王健", "李树峰"]);
        assert_eq!(people("张琦、彭燕"), ["张琦", "彭燕"]);
        assert_eq!(people("王 健 李 强"), ["王健", "李强"]);
        assert_eq!(people("欧阳 娜\n张琦/彭燕"), ["欧阳娜", "张琦", "彭燕"]);
        assert_eq!(people("李强 13800000000"), ["李强"]);
        assert_eq!(people("李强（0769-22830000）"), ["李强"]);
        assert!(people("——").is_empty() && people("/").is_empty() && people("无").is_empty());
    }

    #[test]
    fn names_are_parted_by_blanks_and_lists_by_marks() {
        assert_eq!(names("市科技局 市财政局"), ["市科技局", "市财政局"]);
        assert_eq!(
            listed_units("市委 宣传部、市 教育局，"),
            ["市委宣传部", "市教育局"]
        );
        assert_eq!(
            listed_units("松山湖（东部基地、新基地）、塘厦镇"),
            ["松山湖（东部基地、新基地）", "塘厦镇"]
        );
        assert_eq!(listed_units("市财政局 市司法局"), ["市财政局", "市司法局"]);
        assert!(names(" <p></p> ").is_empty());
    }
}
