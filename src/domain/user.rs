//! Those who sign in to the board.

use super::plan::Task;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, users included.
    Admin,
    /// The daily work: import, urge, review.
    Coordinator,
    /// Reads.
    Viewer,
}

impl Role {
    /// The name used on the command line, in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Coordinator => "coordinator",
            Self::Viewer => "viewer",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Admin, Self::Coordinator, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Admin => "管理员",
            Self::Coordinator => "督查员",
            Self::Viewer => "只读",
        }
    }

    /// Whether this role may change anything.
    #[must_use]
    pub fn may_write(self) -> bool {
        !matches!(self, Self::Viewer)
    }
}

/// How much of the office's work somebody sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sight {
    /// All of it.
    #[default]
    Everything,
    /// The tasks under this 责任领导, named as in the table.
    Leader(String),
}

impl Sight {
    /// Whether this task is among it.
    #[must_use]
    pub fn sees(&self, task: &Task) -> bool {
        match self {
            Self::Everything => true,
            Self::Leader(name) => task.leaders.contains(name),
        }
    }
}

/// A user as the book knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Sign-in name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Disabled users cannot sign in.
    pub disabled: bool,
    /// Raised with each new password or disabling: older sessions end.
    pub epoch: u32,
}
