//! The layers laid over each other, and every section read from what comes of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::gathered::{Gathered, Secrets};
use super::layers::Table;
use super::together::check_together;
use super::{
    BackupConfig, Config, ConfigFaults, DEFAULT_TOML, EmailConfig, Fault, ImapConfig, Loaded,
    LogConfig, OfficeConfig, OidcConfig, Origin, SITE_FILE, ServerConfig, Shown, SpoolConfig,
    StoreConfig, TemplatesConfig, TimeConfig, WecomConfig, remind, report,
};
use crate::domain::report::rules::ReportRules;

pub(super) fn load(
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
pub(super) fn site_file(path: Option<&Path>) -> Result<Option<(PathBuf, String)>, Fault> {
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
