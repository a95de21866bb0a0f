//! What is wrong with a configuration: all of it at once, each with its place.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The defaults inside the program.
    Default,
    /// The site's file.
    File {
        /// Its path as given.
        path: PathBuf,
        /// Line, from 1.
        line: Option<usize>,
    },
    /// An environment variable.
    Env(String),
    /// Computed from other values.
    Derived,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("默认值"),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{} 第{line}行", path.display()),
            Self::Env(name) => write!(f, "环境变量 {name}"),
            Self::Derived => f.write_str("自动得出"),
        }
    }
}

/// One thing that is wrong, or worth a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it was written.
    pub origin: Origin,
    /// Section and key, such as `email.host`; empty for a whole file.
    pub key: String,
    /// What is wrong and what to do, in Chinese, without any secret.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.key.as_str()) {
            (origin, "") => write!(f, "{origin}")?,
            // What nobody wrote has no place but its key.
            (Origin::Default | Origin::Derived, key) => f.write_str(key)?,
            (origin, key) => write!(f, "{origin}，{key}")?,
        }
        write!(f, "：{}", self.message)
    }
}

/// The configuration cannot be used. Holds every fault found, never none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults(pub Vec<Fault>);

impl ConfigFaults {
    /// In the order of the file's lines, then the environment.
    pub(super) fn in_order(mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| match &fault.origin {
            Origin::Default => (0, None),
            Origin::File { line, .. } => (1, *line),
            Origin::Derived => (2, None),
            Origin::Env(_) => (3, None),
        });
        Self(faults)
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "配置有{}处错误，请改正后再运行：", self.0.len())?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}
