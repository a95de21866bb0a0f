//! What a written answer says: a mail's text or a line typed in WeCom, read the same way.
//!
//! A report needs a status and an item. Both are taken from what is written, never supposed: a
//! text that speaks of part of an item ("第一阶段已完成"), contradicts itself ("已完成，剩余3栋")
//! or names no item where several are open comes back as [`Understood::Unclear`] or in
//! [`Reading::left`], for a person to look at. No I/O, no book.
//!
//! Example: `understand("14、15 已完成；16 滞后", &items)` says 已完成 of 14 and 15, 进度滞后 of 16.

mod number;
mod status;
#[cfg(test)]
mod tests;

use crate::domain::ids::TaskNo;
use crate::domain::report::{Draft, LONGEST_TEXT, ReportStatus};

use number::Piece;

/// An item that the writer may speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItem {
    /// Its number in the table.
    pub task: TaskNo,
    /// Its short name, such as 老旧小区改造; a text may name it so.
    pub name: String,
    /// Whether a report is still awaited. One that is reported already is spoken of by number only.
    pub awaited: bool,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Understood {
    /// At least one report.
    Reports(Reading),
    /// 已知悉, 收到, and no more.
    Acknowledged,
    /// 不是我: it is not theirs.
    NotMine {
        /// Which; all that are open where none is named.
        tasks: Vec<TaskNo>,
    },
    /// 帮助: how to answer.
    Help,
    /// A person has to read it.
    Unclear(Unclear),
}

/// Reports read from a text, and what could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is said, in the order of the text; each item at most once.
    pub said: Vec<Said>,
    /// Parts of the text nobody understood, for a person.
    pub left: Vec<(String, Unclear)>,
}

/// What is said of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Of which.
    pub task: TaskNo,
    /// How it stands.
    pub status: ReportStatus,
    /// 完成情况: the words themselves, without the number.
    pub progress: String,
    /// 存在问题, where the text names it so.
    pub problems: String,
    /// 下一步措施, where the text names it so.
    pub next_steps: String,
    /// A single 百分比, where there is one.
    pub percent: Option<u8>,
}

impl Said {
    /// The same as an answer for [`super::accept`].
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft {
            task: self.task,
            status: self.status.as_str().to_owned(),
            progress: self.progress.clone(),
            problems: self.problems.clone(),
            next_steps: self.next_steps.clone(),
            percent: self.percent.map_or(String::new(), |n| n.to_string()),
            ..Draft::default()
        }
    }
}

/// Why a text is put before a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unclear {
    /// Nothing was written.
    Empty,
    /// No status is said, or only of a part.
    NoStatus,
    /// More than one status is said of the same item.
    Contradiction,
    /// Several items are open and none is named.
    WhichItem,
    /// The number is none of this person's.
    NotTheirs,
    /// Nothing is open for this person.
    NothingOpen,
    /// Longer than a report may be.
    TooLong,
}

impl Unclear {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::NoStatus,
        Self::Contradiction,
        Self::WhichItem,
        Self::NotTheirs,
        Self::NothingOpen,
        Self::TooLong,
    ];

    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoStatus => "no_status",
            Self::Contradiction => "contradiction",
            Self::WhichItem => "which_item",
            Self::NotTheirs => "not_theirs",
            Self::NothingOpen => "nothing_open",
            Self::TooLong => "too_long",
        }
    }

    /// What a coordinator reads.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Empty => "没有写内容",
            Self::NoStatus => "没有写明进展情况",
            Self::Contradiction => "进展情况前后不一致",
            Self::WhichItem => "没有写明是哪一项",
            Self::NotTheirs => "写到的序号不在本人应报事项之内",
            Self::NothingOpen => "本人没有待报事项",
            Self::TooLong => "篇幅超出上限",
        }
    }
}

/// Reads a text against the items its writer answers for.
#[must_use]
pub fn understand(text: &str, items: &[OpenItem]) -> Understood {
    /// No answer is this long; what is longer is for a person's eyes.
    const LONGEST: usize = 64 * 1024;
    if text.len() > LONGEST {
        return Understood::Unclear(Unclear::TooLong);
    }
    let text = plain(text);
    let text = text.trim();
    if text.is_empty() {
        return Understood::Unclear(Unclear::Empty);
    }
    if status::asks_for_help(text) {
        return Understood::Help;
    }
    if status::acknowledges(text) {
        return Understood::Acknowledged;
    }
    let pieces = number::pieces(text, items);
    let named: Vec<TaskNo> = pieces
        .iter()
        .flat_map(|piece| piece.tasks.clone())
        .collect();
    if status::disowns(text) {
        return Understood::NotMine { tasks: named };
    }
    if items.is_empty() {
        return Understood::Unclear(Unclear::NothingOpen);
    }
    if named.is_empty() {
        return unnumbered(text, items);
    }
    numbered(pieces, items)
}

/// A text that names no number: of the one open item, or of all in so many words.
fn unnumbered(text: &str, items: &[OpenItem]) -> Understood {
    let open: Vec<&OpenItem> = items.iter().filter(|item| item.awaited).collect();
    let about: Vec<&OpenItem> = match open.as_slice() {
        [] => return Understood::Unclear(Unclear::NothingOpen),
        [one] => vec![*one],
        all if status::speaks_of_all(text) => all.to_vec(),
        all => {
            let named = |item: &&&OpenItem| named_whole(text, &item.name);
            match all.iter().filter(named).collect::<Vec<_>>().as_slice() {
                [one] => vec![**one],
                _ => return Understood::Unclear(Unclear::WhichItem),
            }
        }
    };
    let mut said = Vec::with_capacity(about.len());
    for item in about {
        match say(item, text) {
            Ok(one) => said.push(one),
            Err(why) => return Understood::Unclear(why),
        }
    }
    let left = Vec::new();
    Understood::Reports(Reading { said, left })
}

/// A name of two characters stands in too many texts by chance.
fn named_whole(text: &str, name: &str) -> bool {
    name.chars().count() >= 4 && text.contains(name)
}

fn numbered(pieces: Vec<Piece<'_>>, items: &[OpenItem]) -> Understood {
    let mut left = Vec::new();
    // What stands at two places about one item is read together, so that it may contradict itself.
    let mut texts: Vec<(TaskNo, String)> = Vec::new();
    for piece in &pieces {
        if piece.tasks.is_empty() && !status::is_courtesy(piece.text) {
            left.push((piece.text.to_owned(), Unclear::WhichItem));
        }
        for task in &piece.tasks {
            match texts.iter_mut().find(|(known, _)| known == task) {
                Some((_, text)) => *text = format!("{text}\n{}", piece.text),
                None => texts.push((*task, piece.text.to_owned())),
            }
        }
    }
    let mut said: Vec<Said> = Vec::new();
    for (task, text) in texts {
        let item = items.iter().find(|item| item.task == task);
        match item
            .ok_or(Unclear::NotTheirs)
            .and_then(|item| say(item, &text))
        {
            Ok(one) => said.push(one),
            Err(why) => left.push((format!("{task} {text}"), why)),
        }
    }
    match (said.is_empty(), left.first()) {
        (true, Some((_, why))) => Understood::Unclear(*why),
        (true, None) => Understood::Unclear(Unclear::NoStatus),
        (false, _) => Understood::Reports(Reading { said, left }),
    }
}

fn say(item: &OpenItem, text: &str) -> Result<Said, Unclear> {
    let status = status::of(text, &item.name)?;
    let parts = status::parts(text);
    let longest = [&parts.progress, &parts.problems, &parts.next_steps]
        .into_iter()
        .map(|text| text.chars().count())
        .max();
    if longest.is_some_and(|length| length > LONGEST_TEXT) {
        return Err(Unclear::TooLong);
    }
    Ok(Said {
        task: item.task,
        status,
        progress: parts.progress,
        problems: parts.problems,
        next_steps: parts.next_steps,
        percent: status::percent(text),
    })
}

/// Half-width digits, one kind of line end, no blanks of other kinds.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(|c| match c {
            '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')),
            '％' => Some('%'),
            '\u{a0}' | '\u{3000}' | '\t' => Some(' '),
            '\r' => Some('\n'),
            '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}' => None,
            c => Some(c),
        })
        .collect()
}
