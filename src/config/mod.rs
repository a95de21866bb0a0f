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

mod gathered;
mod layers;
mod reader;
mod remind;
mod report;
mod show;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Timelike;

use crate::domain::delivery::Doubt;
use crate::domain::ladder::StageRule;
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

use gathered::{Gathered, Secrets};
use layers::Table;

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
}

impl Config {
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

fn load(
    site: Result<Option<(PathBuf, String)>, Fault>,
    env: impl Iterator<Item = (String, String)>,
    secrets: Secrets,
) -> Result<Loaded, ConfigFaults> {
    let env: Vec<(String, String)> = env.collect();
    let one = |fault| ConfigFaults(vec![fault]);
    let mut root = Table::parse(DEFAULT_TOML, None).map_err(one)?;
    let site = site.map_err(one)?;
    if let Some((path, text)) = &site {
        root.lay(Table::parse(text, Some(path)).map_err(one)?);
    }
    let credentials = env.iter().find(|(name, _)| name == "CREDENTIALS_DIRECTORY");
    let mut gathered = Gathered {
        folder: site
            .as_ref()
            .and_then(|(path, _)| path.parent())
            .map(Path::to_path_buf),
        secrets,
        credentials: credentials.map(|(_, folder)| PathBuf::from(folder)),
        ..Gathered::default()
    };
    root.lay_env(env.into_iter());
    let config = read_sections(&root, &mut gathered);
    match config {
        Some(mut config) if gathered.faults.is_empty() => {
            let warnings = gathered.warnings.iter();
            let sources: Vec<PathBuf> = site.into_iter().map(|(path, _)| path).collect();
            config.shown = Arc::new(Shown {
                settings: gathered.settings.clone(),
                warnings: warnings.map(ToString::to_string).collect(),
                sources: sources.clone(),
            });
            Ok(Loaded {
                config,
                warnings: gathered.warnings,
                settings: gathered.settings,
                sources,
            })
        }
        _ => Err(ConfigFaults::in_order(gathered.faults)),
    }
}

/// The site's file and its text; none where no file was named and the usual one is not there.
fn site_file(path: Option<&Path>) -> Result<Option<(PathBuf, String)>, Fault> {
    let named = path.unwrap_or(Path::new(SITE_FILE));
    match std::fs::read_to_string(named) {
        Ok(text) => Ok(Some((named.to_path_buf(), text))),
        Err(error) if path.is_none() && error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault {
            origin: Origin::File {
                path: named.to_path_buf(),
                line: None,
            },
            key: String::new(),
            message: match error.kind() {
                ErrorKind::NotFound => "找不到这个配置文件，请检查路径".to_owned(),
                ErrorKind::PermissionDenied => {
                    "没有读取这个配置文件的权限，请在命令前加上 sudo；不是管理员的，请管理员执行 \
                     usermod --append --groups cuiban 账号，再重新登录"
                        .to_owned()
                }
                ErrorKind::InvalidData => "不是 UTF-8 编码，请另存为 UTF-8 编码".to_owned(),
                _ => format!("无法读取（{error}）"),
            },
        }),
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

fn read_sections(root: &Table, gathered: &mut Gathered) -> Option<Config> {
    let store = gathered.section(root, "store", StoreConfig::read);
    let folder = store.as_ref().map(|store| store.path.as_path());
    let server = gathered.section(root, "server", |r| ServerConfig::read(r, folder));
    let time = gathered.section(root, "time", TimeConfig::read);
    let office = gathered.section(root, "office", OfficeConfig::read);
    let policy = gathered.section(root, "remind", remind::read);
    let report = gathered.section(root, "report", report::read);
    let reasons = gathered.section(root, "review", report::read_reasons);
    let email = gathered.section(root, "email", EmailConfig::read);
    let imap = gathered.section(root, "imap", ImapConfig::read);
    let wecom = gathered.section(root, "wecom", WecomConfig::read);
    let oidc = gathered.section(root, "oidc", OidcConfig::read);
    let templates = gathered.section(root, "templates", TemplatesConfig::read);
    let spool = gathered.section(root, "spool", |r| SpoolConfig::read(r, folder));
    let backup = gathered.section(root, "backup", BackupConfig::read);
    let log = gathered.section(root, "log", LogConfig::read);
    tell_unknown_sections(root, gathered);
    let config = Config {
        server: server?,
        store: store?,
        time: time?,
        office: office?,
        policy: policy?,
        report: ReportRules {
            reasons: reasons?,
            ..report?
        },
        email,
        imap,
        wecom: wecom?,
        oidc,
        templates,
        spool: spool?,
        backup,
        log: log?,
        shown: Arc::default(),
    };
    check_together(&config, root, gathered);
    Some(config)
}

fn tell_unknown_sections(root: &Table, gathered: &mut Gathered) {
    const KNOWN: [&str; 15] = [
        "server",
        "store",
        "time",
        "office",
        "remind",
        "report",
        "review",
        "templates",
        "email",
        "imap",
        "wecom",
        "oidc",
        "spool",
        "backup",
        "log",
    ];
    for (name, node) in &root.entries {
        if KNOWN.contains(&name.as_str()) {
            continue;
        }
        let message = format!("没有这一节；可用的有 {}", KNOWN.join("、"));
        gathered.fault(node.origin(), name, message);
    }
}

/// What only shows when sections are seen side by side.
fn check_together(config: &Config, root: &Table, gathered: &mut Gathered) {
    let place = |name: &str| {
        root.entries
            .get(name)
            .map_or(Origin::Default, |node| node.origin().clone())
    };
    let by_wecom = config.wecom.app.is_some() || !config.wecom.robots.is_empty();
    let sends_out = config.email.is_some() || by_wecom;
    if sends_out && config.server.public_url.is_none() {
        gathered.warn(
            &place("server"),
            "server.public_url",
            "还没有填写，消息里的填报链接在别的电脑和手机上打不开；请填写对外的网址",
        );
    }
    if sends_out && config.office.phone.is_none() {
        gathered.warn(
            &place("office"),
            "office.phone",
            "还没有填写，收到消息的人不知道有疑问打给谁；请填写科室电话",
        );
    }
    if config.imap.is_some() && config.email.is_none() {
        gathered.fault(
            &place("imap"),
            "imap.host",
            "填写了收信服务器，却没有填写 email.host（发信服务器）：没有发出提醒，就没有回复可收",
        );
    }
    let on_the_half_hour = |rule: &&StageRule| rule.time.minute().is_multiple_of(30);
    let stages = &config.policy.ladder.stages;
    let busy = stages.iter().find(on_the_half_hour);
    if let (Some(rule), true) = (busy, by_wecom) {
        gathered.warn(
            &place("remind"),
            &format!("remind.{}.time", rule.stage.as_str()),
            "整点和半点企业微信最繁忙，请错开几分钟，如 09:10",
        );
    }
    let due = stages.iter().find(|rule| rule.working_days == 0);
    if let Some(due) = due
        && due.time >= config.policy.deadline_time
    {
        gathered.fault(
            &place("remind"),
            &format!("remind.{}.time", due.stage.as_str()),
            "应早于 remind.deadline_time：当天的提醒要在截止之前发出",
        );
    }
}

#[cfg(test)]
mod tests;
