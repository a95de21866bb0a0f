//! The configuration: defaults inside the program, then the site's file, then the environment.
//!
//! Every section checks itself; all faults are gathered, each with its place, so that one run
//! tells everything there is to mend. An unknown key is a fault: a misspelt one must not be
//! silently without effect.
//!
//! It never acts on what it reads, and no secret is ever shown: not in a fault, not by `config show`.
//!
//! Example: `[email] prot = 25` is the fault "cuiban.toml, line 2: unknown key", and nothing starts.

pub mod backup;
pub mod email;
pub mod fault;
pub mod holidays;
pub mod imap;
pub mod log;
pub mod network;
pub mod office;
pub mod oidc;
pub mod secret;
pub mod server;
pub mod spool;
pub mod store;
pub mod templates;
pub mod time;
pub mod units;
pub mod wecom;

mod certificates;
mod gathered;
mod layers;
mod load;
mod reader;
mod remind;
mod report;
mod show;
mod together;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::delivery::Doubt;
use crate::domain::people::ChannelKind;
use crate::domain::policy::Policy;
use crate::domain::report::rules::ReportRules;

pub use backup::BackupConfig;
pub use email::EmailConfig;
pub use fault::{ConfigFaults, Fault, Origin};
pub use gathered::Setting;
pub use imap::ImapConfig;
pub use log::LogConfig;
pub use office::OfficeConfig;
pub use oidc::OidcConfig;
pub use secret::Secret;
pub use server::ServerConfig;
pub use show::{Check, Show};
pub use spool::SpoolConfig;
pub use store::StoreConfig;
pub use templates::TemplatesConfig;
pub use time::TimeConfig;
pub use wecom::WecomConfig;

use gathered::Secrets;
use load::{load, site_file};

/// The defaults, commented; also the sample for a site's file.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The site's file where none is named on the command line; it need not exist.
pub const SITE_FILE: &str = "/etc/cuiban/cuiban.toml";

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`.
    pub server: ServerConfig,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[time]`, with the calendar.
    pub time: TimeConfig,
    /// `[office]`.
    pub office: OfficeConfig,
    /// `[remind]`.
    pub policy: Policy,
    /// `[report]`, and `[review]`.
    pub report: ReportRules,
    /// `[email]`, where it is used.
    pub email: Option<EmailConfig>,
    /// `[imap]`, where it is used.
    pub imap: Option<ImapConfig>,
    /// `[wecom]`; without robots and application it sends nothing.
    pub wecom: WecomConfig,
    /// `[oidc]`, where it is used.
    pub oidc: Option<OidcConfig>,
    /// `[templates]`.
    pub templates: TemplatesConfig,
    /// `[spool]`.
    pub spool: SpoolConfig,
    /// `[backup]`, where the daemon is to make one every night.
    pub backup: Option<BackupConfig>,
    /// `[log]`.
    pub log: LogConfig,
    /// All of it as it is shown.
    pub shown: Arc<Shown>,
}

/// The settings as people may see them: secrets as stars.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Every setting with its effective value and where it comes from.
    pub settings: Vec<Setting>,
    /// Not wrong, but worth a look.
    pub warnings: Vec<String>,
    /// The files read.
    pub sources: Vec<PathBuf>,
}

/// A configuration with what there is to say about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Not wrong, but worth a look.
    pub warnings: Vec<Fault>,
    /// Every setting with its effective value and where it comes from, secrets as stars.
    pub settings: Vec<Setting>,
    /// The files read.
    pub sources: Vec<PathBuf>,
}

impl Config {
    /// Reads and checks everything. `path` is the file named on the command line; without one
    /// [`SITE_FILE`] is read if it exists.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigFaults> {
        load(site_file(path), env, Secrets::All)
    }

    /// The defaults and the environment alone, without any site's file.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load_bare(env: impl Iterator<Item = (String, String)>) -> Result<Loaded, ConfigFaults> {
        load(Ok(None), env, Secrets::All)
    }

    /// As [`Self::load`], for commands that send nothing: files with secrets stay closed, since
    /// systemd shows its credentials to the daemon only, and who types a command may not be
    /// allowed to read them.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load_without_secrets(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigFaults> {
        load(site_file(path), env, Secrets::Closed)
    }

    /// As [`Self::load`], for who only looks: a secret that is not theirs to read is a warning.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load_readable(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigFaults> {
        load(site_file(path), env, Secrets::Readable)
    }

    /// The ways out of this machine that are set up; where there is none, the spool.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelKind> {
        let mut channels = Vec::new();
        if self.email.is_some() {
            channels.push(ChannelKind::Email);
        }
        if self.wecom.app.is_some() {
            channels.push(ChannelKind::WecomApp);
        }
        if !self.wecom.robots.is_empty() {
            channels.push(ChannelKind::WecomRobot);
        }
        if channels.is_empty() {
            channels.push(ChannelKind::Spool);
        }
        channels
    }

    /// The ways in by which people can answer, as people read them.
    #[must_use]
    pub fn ways_in(&self) -> Vec<&'static str> {
        let app = self.wecom.app.as_ref();
        let callback = app.and_then(|app| app.callback.as_ref());
        std::iter::once("填报页面")
            .chain(self.imap.as_ref().map(|_| "邮件"))
            .chain(callback.map(|_| "企业微信应用"))
            .collect()
    }
}

/// `in_doubt` of a way out.
fn doubt(r: &mut reader::Reader<'_>) -> Option<Doubt> {
    let form = " \"retry\"（重发）或 \"hold\"（等人处理）";
    r.parsed("in_doubt", form, |text| match text {
        "retry" => Some(Doubt::Retry),
        "hold" => Some(Doubt::Hold),
        _ => None,
    })
}
