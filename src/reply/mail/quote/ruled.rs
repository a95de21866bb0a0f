//! Lines of dashes, alone or around the words that say what follows.

use super::Line;
use super::attribution::has_address;

const WORDS: [&str; 22] = [
    "原始邮件",
    "邮件原件",
    "原邮件",
    "邮件原文",
    "原始消息",
    "原始信件",
    "原信件",
    "回复的原邮件",
    "回复邮件",
    "转发的原邮件",
    "转发邮件",
    "转发的邮件",
    "转发的消息",
    "被转发邮件",
    "转发邮件信息",
    "原始郵件",
    "original",
    "original message",
    "replied message",
    "forwarded message",
    "original mail",
    "原始邮件信息",
];

/// Nothing but dashes or underscores, at least four.
pub(super) fn is_rule(line: &str) -> bool {
    line.chars().filter(|c| is_rule_char(*c)).count() >= 4
        && line.chars().all(|c| is_rule_char(c) || c.is_whitespace())
}

/// A rule directly before a header, or DingTalk's advertisement glued to one.
pub(super) fn rule_before(lines: &[Line<'_>], nth: usize) -> bool {
    lines.get(nth).is_some_and(|line| {
        let line = line.bare.trim();
        let dashes = line.chars().filter(|c| is_rule_char(*c)).count();
        is_rule(line) || (line.starts_with("来自钉钉") && dashes >= 8)
    })
}

/// `------------------ 原始邮件 ------------------` and the like.
pub(super) fn is_labelled_rule(line: &str) -> bool {
    const LONGEST: usize = 200;
    if line.len() > LONGEST {
        return false;
    }
    let line = line.replace("&nbsp;", " ");
    let rules = |c: char| is_rule_char(c) || c.is_whitespace();
    let before = line
        .chars()
        .take_while(|c| rules(*c))
        .filter(|c| is_rule_char(*c))
        .count();
    let after = line
        .chars()
        .rev()
        .take_while(|c| rules(*c))
        .filter(|c| is_rule_char(*c))
        .count();
    let core = line
        .trim_matches(|c: char| rules(c) || ":：".contains(c))
        .to_lowercase();
    let ruled = (before >= 2 && after >= 2) || before >= 4;
    // Notes: `-----张三 <a@b> 写道: -----`.
    let notes = before >= 2 && after >= 2 && has_address(&core);
    let wrote = ["写道", "写", "wrote"]
        .iter()
        .any(|word| core.ends_with(word));
    (notes && wrote)
        || (ruled && WORDS.contains(&core.as_str()))
        || core == "begin forwarded message"
}

fn is_rule_char(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '=' | '—' | '－' | '─' | '━' | '*' | '﹍' | '＿'
    )
}
