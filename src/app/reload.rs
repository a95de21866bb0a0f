//! SIGHUP: the config, its secrets, the templates and the holiday tables are read anew, and all of
//! it comes into force, or nothing. No listener closes, no page and no message is lost.

use std::sync::Arc;

use super::setup::{Prepared, Setup};
use super::{Core, wording};
use crate::channel::render::{TemplateFaults, Templates};
use crate::config::{Config, ConfigFaults, Loaded, Setting, Shown};
use crate::domain::causes;
use crate::telemetry;

/// Reads the config. Blocks.
pub type Source = Arc<dyn Fn() -> Result<Loaded, ConfigFaults> + Send + Sync>;

/// Why everything stays as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The config has faults.
    #[error("配置有误：{}", joined(&.0.0))]
    Config(ConfigFaults),
    /// The office's own templates have.
    #[error("消息模板有误：{}", joined(&.0.0))]
    Templates(TemplateFaults),
    /// Something that it names cannot be used.
    #[error("有的设置无法使用")]
    Unusable(#[source] anyhow::Error),
    /// What follows from it cannot be written down.
    #[error("存储暂时不可写入，请先执行 cuiban doctor 查看原因")]
    Store,
}

impl Refused {
    /// For the operator: what is wrong; what to do is always the same.
    fn words(&self) -> String {
        format!(
            "改过的配置没有生效，服务仍按原来的配置运行。{}。",
            causes::told(self).trim_end_matches('。')
        )
    }

    /// For `systemctl status`: a line.
    pub(super) fn status(&self) -> String {
        format!("仍按原来的配置运行，改过的没有生效。{}", causes::told(self))
    }
}

impl Core {
    /// Reads everything anew and brings it into force in place of `before`, which stays in force
    /// where anything is wrong.
    ///
    /// # Errors
    /// What is wrong, each with its file and line.
    pub(super) async fn reload(&self, source: &Source, before: &Setup) -> Result<Setup, Refused> {
        let taken = self.take(source, before).await;
        match &taken {
            Ok(setup) => {
                let changed = changed(&before.config.shown, &setup.config.shown);
                let changed = (!changed.is_empty()).then_some(changed.as_str());
                tracing::info!(changed, "the configuration was read anew");
                self.config_trouble.set(None);
            }
            Err(refused) => {
                let reason = causes::told(refused);
                tracing::error!(
                    reason,
                    "the configuration was not taken: all stays as it was"
                );
                self.config_trouble.set(Some(refused.words()));
            }
        }
        self.driver.wake();
        taken
    }

    async fn take(&self, source: &Source, before: &Setup) -> Result<Setup, Refused> {
        let (config, templates) = read(source, &before.config).await?;
        let ground = (&self.ledger, &self.clock, &self.rules, &self.link_key);
        let (prepared, ways) =
            Prepared::of(config, templates, ground, Some(before)).map_err(Refused::Unusable)?;
        self.go_by(&prepared.config)
            .await
            .map_err(|_| Refused::Store)?;
        // From here on nothing can fail.
        prepared.templates.clone().put_in_force();
        self.outbox.replace(ways).await;
        telemetry::set_level(&prepared.config.log);
        Ok(Setup::new(self, prepared))
    }
}

async fn read(source: &Source, before: &Config) -> Result<(Config, Templates), Refused> {
    let (source, before) = (Arc::clone(source), before.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let loaded = source().map_err(Refused::Config)?;
        for warning in &loaded.warnings {
            tracing::warn!(%warning, "in the configuration");
        }
        let mut config = loaded.config;
        settle(&mut config, &before);
        let templates = wording(&config).map_err(Refused::Templates)?;
        Ok((config, templates))
    });
    reading
        .await
        .map_err(|panicked| Refused::Unusable(panicked.into()))?
}

/// What cannot change while the program runs stays as it was, and is told.
fn settle(config: &mut Config, before: &Config) {
    let mut kept = Vec::new();
    let mut keep = |key: &'static str, changed: bool| {
        if changed {
            kept.push(key);
        }
        changed
    };
    if keep(
        "server.listen",
        config.server.listen != before.server.listen,
    ) {
        config.server.listen = before.server.listen;
    }
    if keep(
        "server.socket",
        config.server.socket != before.server.socket,
    ) {
        config.server.socket.clone_from(&before.server.socket);
    }
    if keep("store.path", config.store.path != before.store.path) {
        config.store.path.clone_from(&before.store.path);
    }
    if keep("spool.path", config.spool.path != before.spool.path) {
        config.spool.path.clone_from(&before.spool.path);
    }
    if keep("log.format", config.log.format != before.log.format) {
        config.log.format = before.log.format;
    }
    if kept.is_empty() {
        return;
    }
    let keys = kept.join(", ");
    tracing::warn!(keys, "these settings take effect at the next restart");
    let shown = Arc::make_mut(&mut config.shown);
    shown.warnings.push(format!(
        "{} 的改动要等下次启动（systemctl restart cuiban）才生效，现在仍用原来的值",
        kept.join("、")
    ));
}

/// The settings that are other than before, by name; what lies behind a file is not told.
fn changed(before: &Shown, now: &Shown) -> String {
    let same = |setting: &&Setting| {
        let is_it = |one: &&Setting| one.section == setting.section && one.key == setting.key;
        let other = before.settings.iter().find(is_it);
        other.is_none_or(|other| other.value != setting.value)
    };
    let changed = now.settings.iter().filter(same);
    let names: Vec<String> = changed
        .map(|setting| format!("{}.{}", setting.section, setting.key))
        .collect();
    names.join(" ")
}

/// The first ones, in one line.
fn joined(faults: &[impl ToString]) -> String {
    const MANY: usize = 5;
    let some: Vec<String> = faults.iter().take(MANY).map(ToString::to_string).collect();
    match faults.len() {
        0..=MANY => some.join("；"),
        all => format!("{}；等共{all}处", some.join("；")),
    }
}
