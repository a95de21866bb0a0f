//! Those who sign in to the board.

use std::fmt;

use chrono::{DateTime, Utc};

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

/// Somebody who may sign in, as whoever adds or changes them says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What they may do.
    pub role: Role,
    /// What they may see; a limit is for viewers only.
    pub sight: Sight,
    /// Who they are at the office's own sign-in service.
    pub subject: Option<String>,
}

impl Profile {
    /// One who sees all and signs in with a password.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            sight: Sight::Everything,
            subject: None,
        }
    }

    /// Whether the sight fits the role: the office's work cannot be done on a part of it.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.sight == Sight::Everything || self.role == Role::Viewer
    }
}

/// A user as the book knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Sign-in name.
    pub name: String,
    /// What they may do and see.
    pub profile: Profile,
    /// Argon2id in PHC form; empty for one who has no password.
    pub password_hash: String,
    /// Whether the password was made for them and has to be changed before anything else.
    pub temporary: bool,
    /// Disabled users cannot sign in.
    pub disabled: bool,
    /// Raised with whatever ends the sessions that are open.
    pub epoch: u32,
    /// The second factor, where they have one.
    pub second: Option<SecondFactor>,
    /// When they signed in last.
    pub signed_in: Option<DateTime<Utc>>,
}

/// What the second step of signing in is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, sealed; only the server's own key opens it.
    pub sealed: String,
    /// The time step of the last code that was taken: it and those before are used up.
    pub used: u64,
    /// SHA-256 of the recovery codes that are left, in hex.
    pub recovery: Vec<String>,
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecondFactor(used: {})", self.used)
    }
}

/// A code that was taken at the second step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsedCode {
    /// One of the moment: its time step.
    Step(u64),
    /// One of the recovery codes: its SHA-256, in hex.
    Recovery(String),
}
