//! Places in the text where something opens.

use super::phrase::Phrase;

/// A place where something opens, with the bytes its own words take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: MarkKind,
}

impl Mark {
    pub(super) fn is_time(&self) -> bool {
        matches!(self.kind, MarkKind::Time { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// `市市场监管局：`, `①集体农用地收地工作：`.
    Heading { label: String, enumerated: bool },
    /// A time phrase, and how clearly it stands apart from the text before it.
    ///
    /// `lead` is what stands before it in its own clause: `主体工程` of `主体工程6月底前封顶`.
    Time {
        phrase: Phrase,
        boundary: Boundary,
        lead: String,
    },
}

/// What stands before a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Boundary {
    /// A word.
    None,
    /// A comma or a blank.
    Weak,
    /// The end of a sentence or of a heading.
    Strong,
    /// The beginning of a paragraph.
    Paragraph,
}
