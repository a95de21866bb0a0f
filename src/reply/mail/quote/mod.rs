//! Cuts what a client quotes from what the person wrote (mail.md 4.7).
//!
//! In order: the earliest separator ends the answer; lines with `>` and the line that says who
//! wrote them go wherever they stand, so that answers between them stay; then the client's own
//! lines and a signature after `-- `.

use super::charset::tidy;
use super::html::BREAK;

/// The two halves of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// What the person wrote.
    pub new: String,
    /// The rest.
    pub quoted: String,
}

/// Cuts a plain text.
pub(super) fn cut(text: &str) -> Cut {
    let text = tidy(text).replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<Line<'_>> = text.lines().map(Line::of).collect();
    let mut keep = vec![true; lines.len()];
    let end = separator(&lines, &mut keep).unwrap_or(lines.len());
    for (nth, line) in lines.iter().enumerate() {
        if let Some(kept) = keep.get_mut(nth)
            && (nth >= end || line.quoted)
        {
            *kept = false;
        }
    }
    let (mut new, mut quoted) = (Vec::new(), Vec::new());
    for (line, kept) in lines.iter().zip(keep) {
        match kept {
            true => new.push(line.whole),
            false => quoted.push(line.bare),
        }
    }
    let mut new = card_cut(&new);
    if let Some(at) = new.iter().position(|line| is_signature_mark(line)) {
        new.truncate(at);
    }
    new.retain(|line| !is_client_line(line.trim()) && *line != BREAK);
    Cut {
        new: unpadded(&new),
        quoted: quoted.join("\n"),
    }
}

/// A line, with and without its marks of quoting.
struct Line<'a> {
    whole: &'a str,
    bare: &'a str,
    quoted: bool,
}

impl<'a> Line<'a> {
    fn of(whole: &'a str) -> Self {
        let mut bare = whole.trim_start();
        let mut quoted = false;
        loop {
            let inner = bare
                .strip_prefix('>')
                .or_else(|| bare.strip_prefix("&gt;"))
                .map(str::trim_start);
            match inner {
                Some(inner) => (bare, quoted) = (inner, true),
                None => break,
            }
        }
        Self {
            whole,
            bare,
            quoted,
        }
    }

    fn is_blank(&self) -> bool {
        self.bare.trim().is_empty()
    }
}

/// Where everything becomes the quote. Separators that only lead over to lines with `>` are struck
/// out instead, for something may be written under those.
fn separator(lines: &[Line<'_>], keep: &mut [bool]) -> Option<usize> {
    let mut nth = 0;
    while let Some(line) = lines.get(nth) {
        if line.quoted || line.is_blank() {
            nth += 1;
            continue;
        }
        let Some(block) = block(lines, nth) else {
            nth += 1;
            continue;
        };
        let leads_over = next_written(lines, block.end).is_some_and(|next| next.quoted);
        if !leads_over || block.hard {
            return Some(block.start);
        }
        for kept in keep.iter_mut().take(block.end).skip(block.start) {
            *kept = false;
        }
        nth = block.end.max(nth + 1);
    }
    None
}

/// Lines that stand between an answer and its quote.
struct Block {
    start: usize,
    /// The first line after it.
    end: usize,
    /// Whatever follows is the quote.
    hard: bool,
}

fn block(lines: &[Line<'_>], nth: usize) -> Option<Block> {
    let line = lines.get(nth)?.bare.trim();
    if line == BREAK || line.contains("请在此线以上回复") {
        return Some(Block {
            start: nth,
            end: nth + 1,
            hard: true,
        });
    }
    if is_labelled_rule(line) {
        let end = header_block(lines, nth + 1).unwrap_or(nth + 1);
        return Some(Block {
            start: nth,
            end,
            hard: false,
        });
    }
    if let Some(end) = header_block(lines, nth) {
        let start = nth - usize::from(nth > 0 && rule_before(lines, nth - 1));
        return Some(Block {
            start,
            end,
            hard: false,
        });
    }
    if let Some((start, end)) = attribution(lines, nth) {
        return Some(Block {
            start,
            end,
            hard: false,
        });
    }
    if is_rule(line) {
        return rule(lines, nth);
    }
    None
}

/// A rule alone is a separator where a header, or Foxmail's name and its `>` lines, follow.
fn rule(lines: &[Line<'_>], nth: usize) -> Option<Block> {
    let mut after = lines
        .iter()
        .enumerate()
        .skip(nth + 1)
        .filter(|(_, line)| !line.is_blank());
    let (first, line) = after.next()?;
    if let Some(end) = header_block(lines, first) {
        return Some(Block {
            start: nth,
            end,
            hard: false,
        });
    }
    let named = !line.quoted && line.bare.chars().count() <= 40;
    let (_, second) = after.next()?;
    (named && second.quoted).then_some(Block {
        start: nth,
        end: first + 1,
        hard: false,
    })
}

fn next_written<'a, 'b>(lines: &'a [Line<'b>], from: usize) -> Option<&'a Line<'b>> {
    lines.iter().skip(from).find(|line| !line.is_blank())
}

fn is_rule_char(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '=' | '—' | '－' | '─' | '━' | '*' | '﹍' | '＿'
    )
}

/// Nothing but dashes or underscores, at least four.
fn is_rule(line: &str) -> bool {
    line.chars().filter(|c| is_rule_char(*c)).count() >= 4
        && line.chars().all(|c| is_rule_char(c) || c.is_whitespace())
}

/// A rule directly before a header, or DingTalk's advertisement glued to one.
fn rule_before(lines: &[Line<'_>], nth: usize) -> bool {
    lines.get(nth).is_some_and(|line| {
        let line = line.bare.trim();
        let dashes = line.chars().filter(|c| is_rule_char(*c)).count();
        is_rule(line) || (line.starts_with("来自钉钉") && dashes >= 8)
    })
}

/// `------------------ 原始邮件 ------------------` and the like.
fn is_labelled_rule(line: &str) -> bool {
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

/// The line after a header block that begins here: two known labels in five lines, one of them of
/// sender or recipient.
fn header_block(lines: &[Line<'_>], nth: usize) -> Option<usize> {
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

/// "… 写道：" over one to three lines, the last of which is this one or begins here.
fn attribution(lines: &[Line<'_>], nth: usize) -> Option<(usize, usize)> {
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

fn has_address(text: &str) -> bool {
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

/// `-- ` alone (RFC 3676 4.3); trailing blanks get lost on the way.
fn is_signature_mark(line: &str) -> bool {
    line.trim_end() == "--"
}

/// Without the card of vertical bars that NetEase's client puts at the end.
fn card_cut<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    /// A card is no longer.
    const LONGEST: usize = 16;
    let bars = |line: &&str| {
        let line = line.trim();
        line.contains('|') && line.chars().all(|c| c == '|' || c.is_whitespace())
    };
    let card = lines.iter().position(bars);
    match card {
        Some(at) if lines.len() - at <= LONGEST => lines.get(..at).unwrap_or(lines).to_vec(),
        _ => lines.to_vec(),
    }
}

/// What a client writes of itself, in a line of its own.
fn is_client_line(line: &str) -> bool {
    const LONGEST: usize = 90;
    const STARTS: [&str; 24] = [
        "发自",
        "發自",
        "发送自",
        "從我的",
        "从我的",
        "来自我的",
        "來自我的",
        "获取 Outlook",
        "获取Outlook",
        "下载 Outlook",
        "Sent from",
        "Get Outlook",
        "Sent via",
        "从 Windows",
        "从Windows",
        "使用 Foxmail",
        "签名由",
        "本邮件由网易",
        "发件自",
        "通过 Outlook",
        "来自 Outlook",
        "下载 iOS",
        "下载 Android",
        "Download Outlook",
    ];
    let short = line.chars().count() <= LONGEST && !line.contains(['，', '。', '；']);
    let ends = |word: &str| line.ends_with(word);
    let from = line.starts_with("来自") && (ends("邮箱") || ends("手机") || ends("客户端"));
    short && (from || STARTS.iter().any(|start| line.starts_with(start)))
}

/// Without blank lines at both ends, and never more than one in between.
fn unpadded(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut gap = false;
    for line in lines {
        let line = line.trim_end();
        if line.trim().is_empty() {
            gap = true;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if gap { "\n\n" } else { "\n" });
        }
        gap = false;
        out.push_str(line.trim());
    }
    out
}
