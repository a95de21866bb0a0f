//! Cuts what a client quotes from what the person wrote (mail.md 4.7).
//!
//! In order: the earliest separator ends the answer; lines with `>` and the line that says who
//! wrote them go wherever they stand, so that answers between them stay; then the client's own
//! lines and a signature after `-- `.

mod attribution;
mod closing;
mod labels;
mod ruled;

use super::charset::tidy;
use super::html::BREAK;
use attribution::attribution;
use closing::{card_cut, is_client_line, is_signature_mark};
use labels::header_block;
use ruled::{is_labelled_rule, is_rule, rule_before};

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
