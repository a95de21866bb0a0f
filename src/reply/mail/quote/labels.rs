//! The block of `发件人：…`, `主题：…` that clients put before a quote.

use super::Line;

const WORDS: [(Label, &[&str]); 5] = [
    (
        Label::From,
        &[
            "发件人",
            "寄件人",
            "寄件者",
            "發件人",
            "发信人",
            "发送人",
            "from",
        ],
    ),
    (Label::To, &["收件人", "收件者", "收信人", "to"]),
    (
        Label::Date,
        &[
            "发送时间",
            "发送日期",
            "发件时间",
            "发送于",
            "日期",
            "寄件日期",
            "發送時間",
            "傳送時間",
            "sent",
            "date",
        ],
    ),
    (
        Label::Copy,
        &[
            "抄送",
            "抄送人",
            "副本",
            "密送",
            "cc",
            "bcc",
            "附件",
            "attachments",
            "回复地址",
            "reply-to",
        ],
    ),
    (Label::Subject, &["主题", "主旨", "主題", "标题", "subject"]),
];

/// The line after a header block that begins here: two known labels in five lines, one of them of
/// sender or recipient.
pub(super) fn header_block(lines: &[Line<'_>], nth: usize) -> Option<usize> {
    /// 收件人 may list many, over many lines; the labels come one after another.
    const LABELLED: usize = 5;
    const MOST: usize = 60;
    label(lines.get(nth)?.bare)?;
    let (mut kinds, mut end, mut misses) = (Vec::new(), nth, 0);
    for (at, line) in lines.iter().enumerate().skip(nth).take(MOST) {
        match label(line.bare) {
            Some(kind) => {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
                (end, misses) = (at + 1, 0);
            }
            None if line.is_blank() && kinds.len() >= 2 => break,
            None => misses += 1,
        }
        if misses > LABELLED.saturating_sub(2) {
            break;
        }
    }
    let of_people = kinds
        .iter()
        .any(|kind| matches!(kind, Label::From | Label::To));
    (kinds.len() >= 2 && of_people).then_some(end)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    To,
    Date,
    Copy,
    Subject,
}

/// The label that a line begins with; `主　题：`, `*发件人:*` and `| 发件人 | …` count.
fn label(line: &str) -> Option<Label> {
    const LONGEST: usize = 16;
    let mut word = String::new();
    let mut ended = false;
    let line = line.trim_start().trim_start_matches('|');
    for c in line.chars().take(LONGEST * 2) {
        match c {
            ':' | '：' => {
                ended = true;
                break;
            }
            '|' if !word.is_empty() => {
                ended = true;
                break;
            }
            '*' | '|' => {}
            c if c.is_whitespace() => {}
            c => word.extend(c.to_lowercase()),
        }
        if word.chars().count() > LONGEST {
            return None;
        }
    }
    let (label, _) = WORDS
        .iter()
        .find(|(_, words)| words.contains(&word.as_str()))?;
    ended.then_some(*label)
}
