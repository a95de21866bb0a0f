//! What an owner may ask beside reporting, 延期 and 不是我, and the coordinator's word on it.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::ids::PersonId;

/// Longest reason or note, in characters.
pub const LONGEST_NOTE: usize = 500;

/// An owner asks for a later date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionAsk {
    /// The day they hope for.
    pub day: NaiveDate,
    /// Why.
    pub reason: String,
    /// 逾期申请: it was asked after the date had passed.
    pub late: bool,
}

/// The coordinator's word on a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionWord {
    /// It is put off; asked for or not.
    Granted {
        /// The working day on which it is due now.
        day: NaiveDate,
        /// The instant.
        until: DateTime<Utc>,
        /// Why, or what to mind; may be empty.
        note: String,
    },
    /// It stays as it was.
    Refused {
        /// Why, for the owner to read.
        reason: String,
    },
}

/// Who an owner says it is instead. Debug hides the telephone number: it must not reach a log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OtherOwner {
    /// The name.
    pub name: String,
    /// The unit.
    pub unit: String,
    /// A number to call.
    pub telephone: Option<String>,
    /// What else there is to say.
    pub note: String,
}

impl fmt::Debug for OtherOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherOwner")
            .field("name", &self.name)
            .field("unit", &self.unit)
            .finish_non_exhaustive()
    }
}

/// The coordinator's word on 不是我.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotMineWord {
    /// It has another owner now.
    Moved,
    /// It is still theirs.
    Theirs {
        /// Why, for the owner to read.
        note: String,
    },
}

/// An obligation's dates: what was asked, and what holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// Waits for a word.
    pub asked: Option<Asked>,
    /// The later date in force; the first one stands in the plan.
    pub granted: Option<Granted>,
    /// The last word, where it was no.
    pub refused: Option<(DateTime<Utc>, String)>,
}

/// Who asked for a date, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub person: PersonId,
    /// For what.
    pub ask: ExtensionAsk,
}

/// A later date in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// When it was granted.
    pub at: DateTime<Utc>,
    /// The working day on which it is due.
    pub day: NaiveDate,
    /// The instant.
    pub until: DateTime<Utc>,
    /// The coordinator's note.
    pub note: String,
}

/// What an owner said of whose it is, until and after it is settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotMine {
    /// Waits for a word.
    pub said: Option<SaidNotMine>,
    /// The last word.
    pub word: Option<(DateTime<Utc>, NotMineWord)>,
}

/// Who said that it is not theirs, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidNotMine {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub person: PersonId,
    /// Whose it is.
    pub other: OtherOwner,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_never_printed() {
        let other = OtherOwner {
            name: "王五".into(),
            unit: "市科技局".into(),
            telephone: Some("13800138000".into()),
            note: "电话13800138000".into(),
        };
        assert!(!format!("{other:?}").contains("138"));
    }
}
