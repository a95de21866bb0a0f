//! What differs in two texts, marked, with some of what stands around it.

use std::fmt;

use super::CellChange;

/// Texts up to this many characters are shown whole.
pub(super) const SHORT: usize = 48;

/// Characters shown before and after what changed.
pub(super) const AROUND: usize = 14;

/// Characters shown of what changed.
pub(super) const MOST: usize = 80;

impl CellChange {
    /// Both texts with what differs marked: short ones whole, of long ones the part that changed
    /// with some characters of its surroundings.
    #[must_use]
    pub fn marked(&self) -> (Excerpt, Excerpt) {
        marked(&self.before, &self.after)
    }
}

/// A text, or a part of it, in which something stands out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// What stands before.
    pub before: String,
    /// What differs; empty where only the other text has more.
    pub words: String,
    /// What stands behind.
    pub after: String,
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (
            self.before.is_empty() && self.after.is_empty(),
            &*self.words,
        ) {
            (true, "") => f.write_str("（空）"),
            (false, "") => write!(f, "{}{}", self.before, self.after),
            (_, words) => write!(f, "{}「{words}」{}", self.before, self.after),
        }
    }
}

pub(super) fn marked(before: &str, after: &str) -> (Excerpt, Excerpt) {
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let alike = |pairs: &mut dyn Iterator<Item = (&char, &char)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let head = alike(&mut old.iter().zip(&new));
    let rest = old.len().min(new.len()) - head;
    let tail = alike(&mut old.iter().rev().zip(new.iter().rev()).take(rest));
    (part(&old, head, tail), part(&new, head, tail))
}

fn part(text: &[char], head: usize, tail: usize) -> Excerpt {
    let slice = |from: usize, to: usize| -> String {
        text.get(from..to).unwrap_or_default().iter().collect()
    };
    let end = text.len().saturating_sub(tail);
    let whole = text.len() <= SHORT;
    let (from, to) = match whole {
        true => (0, text.len()),
        false => (head.saturating_sub(AROUND), text.len().min(end + AROUND)),
    };
    let dots = |there: bool| if there { "…" } else { "" };
    let words = match end - head > MOST {
        true => format!(
            "{}…{}",
            slice(head, head + MOST / 2),
            slice(end - MOST / 2, end)
        ),
        false => slice(head, end),
    };
    Excerpt {
        before: format!("{}{}", dots(from > 0), slice(from, head)),
        words,
        after: format!("{}{}", slice(end, to), dots(to < text.len())),
    }
}
