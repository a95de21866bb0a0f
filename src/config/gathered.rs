//! What reading the sections gathers beside their values: faults, warnings, what to show.

use std::path::PathBuf;

use super::fault::{Fault, Origin};
use super::layers::{Node, Table};
use super::reader::Reader;

/// What reading gathers beside the values.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
    pub(super) settings: Vec<Setting>,
    /// Folder of the site's file: relative names are looked for there first.
    pub(super) folder: Option<PathBuf>,
    /// Which files with secrets are opened.
    pub(super) secrets: Secrets,
    /// `$CREDENTIALS_DIRECTORY`.
    pub(super) credentials: Option<PathBuf>,
}

/// Which files with secrets are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Secrets {
    /// All: one that cannot be read is a fault.
    #[default]
    All,
    /// Those that whoever asks may read; of the others there is a warning.
    Readable,
    /// None.
    Closed,
}

/// An effective value, as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Such as `email` or `wecom.robot[1]`.
    pub section: String,
    /// Such as `host`.
    pub key: String,
    /// As TOML; none where it is not set. Secrets are stars.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Gathered {
    /// Reads the section of this name with `read`, and tells of keys it did not ask for.
    pub(super) fn section<T>(
        &mut self,
        root: &Table,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let table = match root.entries.get(name) {
            Some(Node::Table(table)) => Some(table),
            Some(other) => {
                self.fault(other.origin(), name, format!("应写成一节：[{name}]"));
                None
            }
            None => None,
        };
        Reader::over(name.to_owned(), table, self, read)
    }

    pub(super) fn fault(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        self.faults.push(Fault {
            origin: origin.clone(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn warn(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        self.warnings.push(Fault {
            origin: origin.clone(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// Where a file named in the configuration is: a path, a name beside the site's file, or one
    /// in the working folder.
    pub(super) fn find(&self, name: &str) -> PathBuf {
        let beside = self.folder.as_ref().map(|folder| folder.join(name));
        match beside {
            // In a folder that is not for us to look into it may well be.
            Some(path) if path.try_exists().unwrap_or(true) => path,
            _ => PathBuf::from(name),
        }
    }

    /// Of the folder `secrets`, systemd makes the file `mail` the credential `secrets_mail`.
    pub(super) fn find_secret(&self, name: &str) -> PathBuf {
        let flat = name.replace('/', "_");
        let credential = self.credentials.as_ref().map(|folder| folder.join(flat));
        match credential {
            Some(path) if path.exists() => path,
            _ => self.find(name),
        }
    }
}
