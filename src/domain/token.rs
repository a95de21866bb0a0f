//! Tokens by which other systems read, and enter reports, without a person at the keyboard.

use chrono::{DateTime, Utc};

use super::user::Sight;

/// What a token is good for; each opens a few routes and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Who has reported and who has not.
    BoardRead,
    /// What became of each message.
    DeliveriesRead,
    /// Reports entered on owners' behalf.
    ReportsWrite,
    /// Files: the table with progress, lists.
    Export,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::BoardRead,
        Self::DeliveriesRead,
        Self::ReportsWrite,
        Self::Export,
    ];

    /// The name used on the command line, in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BoardRead => "board:read",
            Self::DeliveriesRead => "deliveries:read",
            Self::ReportsWrite => "reports:write",
            Self::Export => "export",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::BoardRead => "查看报送情况",
            Self::DeliveriesRead => "查看消息发送情况",
            Self::ReportsWrite => "代为登记报送",
            Self::Export => "导出文件",
        }
    }
}

/// A token as the book knows it: not the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The part of it that is no secret, and by which it is found.
    pub id: String,
    /// Which system has it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// What it shows.
    pub sight: Sight,
    /// SHA-256 of the secret part, in hex.
    pub sha256: String,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// It works until then.
    pub expires: DateTime<Utc>,
    /// When it was used last, to the hour or so.
    pub used: Option<DateTime<Utc>>,
    /// Since when it works no more.
    pub revoked: Option<DateTime<Utc>>,
}

impl Token {
    /// Whether it opens anything at `now`.
    #[must_use]
    pub fn works(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}
