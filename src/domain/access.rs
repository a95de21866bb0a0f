//! Who has looked at what, and who has taken what along: what kinds of pages and papers there are
//! for which that is a fact.
//!
//! A view is of something about a person; an export is a copy that leaves the program's hands.
//! What the administrator does with the store's own files on the server is neither.

/// A page with something about persons on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Page {
    /// Everything sent to a person and said by them.
    Person,
    /// Telephone numbers and addresses.
    Contacts,
    /// Mails that were not understood, with their text.
    Mails,
    /// Words from WeCom that were not understood.
    Words,
    /// What owners ask for, with telephone numbers of others.
    Requests,
    /// The accounts of the board.
    Users,
}

impl Page {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Person,
        Self::Contacts,
        Self::Mails,
        Self::Words,
        Self::Requests,
        Self::Users,
    ];

    /// The name used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Contacts => "contacts",
            Self::Mails => "mails",
            Self::Words => "words",
            Self::Requests => "requests",
            Self::Users => "users",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == name)
    }
}

/// A copy that somebody takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Export {
    /// The table with progress, .xlsx.
    Table,
    /// 通报.
    Bulletin,
    /// 催办单.
    UrgeSlip,
    /// 督办通知单.
    SupervisionNotice,
    /// A list as CSV.
    Csv,
    /// The grid as a picture.
    Picture,
    /// A file beside a report.
    Evidence,
    /// A file that came with a mail.
    MailFile,
    /// The contact sheet.
    Contacts,
}

impl Export {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Table,
        Self::Bulletin,
        Self::UrgeSlip,
        Self::SupervisionNotice,
        Self::Csv,
        Self::Picture,
        Self::Evidence,
        Self::MailFile,
        Self::Contacts,
    ];

    /// The name used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Bulletin => "bulletin",
            Self::UrgeSlip => "urge_slip",
            Self::SupervisionNotice => "supervision_notice",
            Self::Csv => "csv",
            Self::Picture => "picture",
            Self::Evidence => "evidence",
            Self::MailFile => "mail_file",
            Self::Contacts => "contacts",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|export| export.as_str() == name)
    }
}
