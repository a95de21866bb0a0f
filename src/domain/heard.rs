//! What people say in the WeCom application: first written down as it came in, then decided on,
//! then answered. Each step is a fact, so that a crash between two of them loses nothing.

use chrono::{DateTime, Utc};

use super::message::Thread;

/// Something a member said, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The same at every redelivery, and of nothing else.
    pub name: String,
    /// The member's account.
    pub account: String,
    /// What.
    pub said: Said,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Typed words.
    Typed {
        /// As they were typed.
        text: String,
    },
    /// A button of a card.
    Tapped {
        /// The card's name, as we gave it.
        card: String,
        /// The button's name.
        button: String,
        /// What was chosen in the list beside the buttons.
        chosen: Option<String>,
        /// The code by which the card can be changed, once.
        code: String,
    },
    /// What is not read: a picture, a voice message.
    Other {
        /// The platform's name for it.
        kind: String,
    },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Reports; they stand in the same append.
    Reported,
    /// 已知悉.
    Acknowledged,
    /// 帮助, or a thing that is not read: the member was told how to answer.
    Helped,
    /// Understood, but not taken: something is missing or closed. The member was told what.
    Refused,
    /// Not understood: a coordinator has to look at it.
    Unclear,
    /// Nobody of the contact sheet has this account.
    Stranger,
}

impl Meaning {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Reported,
        Self::Acknowledged,
        Self::Helped,
        Self::Refused,
        Self::Unclear,
        Self::Stranger,
    ];

    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Acknowledged => "acknowledged",
            Self::Helped => "helped",
            Self::Refused => "refused",
            Self::Unclear => "unclear",
            Self::Stranger => "stranger",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The words. Where [`PAGE`] stands comes the address of the page: it opens without a password,
    /// so the journal does not hold it.
    pub text: String,
    /// Whose page, of which quarter.
    pub page: Option<Thread>,
}

/// Stands in an [`Answer`] where the page's address comes; people cannot type it.
pub const PAGE: char = '\u{fffc}';

/// Something heard that is not done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// When it came in.
    pub at: DateTime<Utc>,
    /// What.
    pub heard: Heard,
    /// What became of it; none before it was decided on.
    pub settled: Option<Meaning>,
    /// What the member still has to be told.
    pub answer: Option<Answer>,
}

impl Word {
    /// Whether a coordinator has to look at it.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.settled == Some(Meaning::Unclear)
    }

    /// Whether nothing is left to be done about it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.settled.is_some() && self.answer.is_none() && !self.is_unclear()
    }
}
