//! The one place that names concrete adapters, wires the rooms together, and joins their routers.

pub mod answers;
mod channels;
pub mod demo;
pub(crate) mod doctor;
mod export;
mod inbox;
mod listen;
mod local;
mod nightly;
#[cfg(test)]
mod rights;
mod serve;
mod time;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use axum::{Extension, Router};
use chrono::{DateTime, Utc};

use crate::channel::render::{TemplateFaults, Templates};
use crate::channel::wecom_app::AppChannel;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Desk, Letterhead, Office, Vitals};
use crate::domain::due::{Reach, Robots};
use crate::domain::fact::Actor;
use crate::domain::holidays::{self, BroughtYears};
use crate::domain::ids::PersonId;
use crate::domain::link::LinkKey;
use crate::domain::people::{Contact, Person};
use crate::driver::Driver;
use crate::outbox::Outbox;
use crate::plan::Lore;
use crate::plan::{contacts, import};
use crate::reply::mail::Ours;
use crate::reply::mailbox::{Reader, Trouble};
use crate::reply::wecom::Clerk;
use crate::reply::wecom::crypt::Crypt;
use crate::rules::{RuleSet, Rules};
use crate::store::{self, Ledger, Vault};
use crate::watch::{Troubled, Watch};
use crate::web::oidc::Service;

use local::Operator;
use time::Timekeeper;

/// Everything a running cuiban consists of.
pub struct App {
    config: Config,
    pub(crate) desk: Arc<Desk>,
    pub(crate) rules: Rules,
    driver: Driver,
    outbox: Arc<Outbox>,
    /// Shared by the reader of mails and the watch.
    mail_trouble: Trouble,
    /// Shared by the nightly backup and the watch.
    backup_trouble: nightly::Trouble,
    application: Option<Arc<AppChannel>>,
    /// When the last fact was that an earlier run left: what tells whether the clock has leapt since.
    last_fact: Option<DateTime<Utc>>,
    ledger_thread: JoinHandle<()>,
}

impl App {
    /// Opens the store and wires everything; nothing runs yet.
    ///
    /// # Errors
    /// Where the store does not open, or a channel's settings cannot be used.
    pub async fn open(config: Config, clock: Clock) -> anyhow::Result<Self> {
        Self::build(config, clock, false).await
    }

    /// The same, with an inbox to look into, and nobody has to sign in.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_demo(config: Config, clock: Clock) -> anyhow::Result<Self> {
        Self::build(config, clock, true).await
    }

    async fn build(config: Config, clock: Clock, demo: bool) -> anyhow::Result<Self> {
        wording(&config)?.put_in_force();
        let folder = config.store.path.clone();
        let opener = opener(&folder)?;
        let (ledger, ledger_thread, report) =
            tokio::task::spawn_blocking(move || Ledger::open(opener))
                .await?
                .with_context(|| format!("无法打开存储“{}”", folder.display()))?;
        let link_key = LinkKey::new(
            *store::link_key(&folder)
                .context("无法读取签名密钥")?
                .bytes(),
        );
        let rules = Rules::new(rules_of(&config, &ledger.book().holidays));
        let vitals = Arc::new(Vitals::default());
        let base = config.server.link_base(config.server.listen);
        let application = channels::application(&config)?;
        let ways = (base.as_str(), application.clone());
        let outbox = Arc::new(channels::outbox(
            &config, &ledger, &clock, &rules, &link_key, ways,
        )?);
        let stopped: Troubled = {
            let (outbox, clock) = (Arc::clone(&outbox), clock.clone());
            Arc::new(move || channels::stopped(&outbox, clock.now()))
        };
        let watch = Watch::new(
            ledger.clone(),
            clock.clone(),
            rules.clone(),
            ids_of(&config.office.operators),
            Arc::clone(&stopped),
        );
        let mail_trouble = Trouble::default();
        let unread = mail_trouble.clone();
        let watch = watch.with("mailbox", Arc::new(move |now| unread.words(now)));
        let backup_trouble = nightly::Trouble::default();
        let unsaved = backup_trouble.clone();
        let watch = watch.with("backup", Arc::new(move |_| unsaved.words()));
        let driver = Driver::new(
            ledger.clone(),
            clock.clone(),
            rules.clone(),
            Arc::clone(&vitals),
            Arc::new(watch),
            Arc::clone(&outbox),
        );
        let timekeeper = Timekeeper::new(clock.clone(), driver.clone(), Arc::clone(&outbox));
        for _ in 0..report.healed.len() {
            vitals.healed();
        }
        let service = config.oidc.clone();
        let service = service
            .map(|config| Service::new(config, &base))
            .transpose();
        let service = service.context("无法使用统一身份认证的设置（oidc.ca_file）")?;
        let vault = Vault::new(config.store.path.join("evidence"));
        vault.sweep();
        let desk = Arc::new(Desk {
            ledger: ledger.clone(),
            vault,
            clock: clock.clone(),
            rules: rules.clone(),
            link_key,
            office: Office {
                name: config.office.name.clone(),
                phone: config.office.phone.clone(),
                letterhead: Letterhead::of(&config.office),
            },
            public_url: base,
            inbox: demo.then(|| inbox::SpoolInbox::shared(&config.spool.path)),
            advance: clock.is_simulated().then(|| timekeeper.handle()),
            vitals,
            stopped,
            given_years: Arc::clone(&config.time.given),
            shown: Arc::clone(&config.shown),
            views: Default::default(),
            ended: Default::default(),
            service,
            second_for: config.server.require_totp.clone(),
            counted: Default::default(),
            closing: Default::default(),
        });
        let app = Self {
            config,
            desk,
            rules,
            driver,
            outbox,
            mail_trouble,
            backup_trouble,
            application,
            last_fact: ledger.book().at,
            ledger_thread,
        };
        app.catch_up_with_config().await?;
        Ok(app)
    }

    /// Appends what follows from a changed config: the office's own people, and deadlines where
    /// the holiday table or the rules are other than before.
    async fn catch_up_with_config(&self) -> anyhow::Result<()> {
        let rules = self.rules.now();
        let facts = {
            let book = self.desk.ledger.book();
            let mut facts = contacts::office_changes(&book, &self.config.office.coordinators);
            let operators = &self.config.office.operators;
            facts.extend(contacts::office_changes(&book, operators));
            let redated = import::redate(&book, &rules.policy, &rules.calendar);
            if !redated.is_empty() {
                tracing::warn!(
                    plans = redated.len(),
                    "deadlines are others than before: the holidays, the zone or the hours in the \
                     config have changed"
                );
            }
            facts.extend(redated);
            facts
        };
        if !facts.is_empty() {
            let now = self.desk.clock.now();
            self.desk.ledger.append(Actor::System, now, facts).await?;
        }
        Ok(())
    }

    /// The operator's interface, for the commands.
    pub fn local_router(&self) -> Router {
        let operator = Arc::new(Operator {
            desk: Arc::clone(&self.desk),
            rules: self.rules.clone(),
            driver: self.driver.clone(),
            config: self.config.clone(),
            lore: Lore::of(&self.config),
        });
        local::router(operator)
            .merge(crate::board::router(Arc::clone(&self.desk)))
            .merge(export::router(
                Arc::clone(&self.desk),
                Lore::of(&self.config),
            ))
            .merge(crate::reply::coordinators(Arc::clone(&self.desk)))
            .layer(axum::Extension(crate::web::Caller::Operator))
    }

    /// What the world sees.
    fn public_router(&self) -> Router {
        let desk = || Arc::clone(&self.desk);
        let driver = self.driver.clone();
        let imports = crate::plan::page::router(
            desk(),
            self.config.store.path.join("imports"),
            Lore::of(&self.config),
            move || driver.wake(),
        );
        let pages = crate::reply::router(desk())
            .merge(crate::feed::router(desk()))
            .merge(crate::board::router(desk()))
            .merge(imports)
            .merge(export::router(desk(), Lore::of(&self.config)))
            .merge(crate::web::health::router(desk()))
            .merge(crate::web::assets::router());
        let pages = match self.callback() {
            Some(crypt) => pages.merge(crate::reply::wecom::router(desk(), crypt)),
            None => pages,
        };
        let proxies: Arc<[_]> = self.config.server.trusted_proxies.as_slice().into();
        crate::web::guard::guard(pages, desk(), &self.framed_by())
            .layer(Extension(crate::web::Proxies(proxies)))
    }

    /// Where WeCom shows what is opened in it; nobody else puts our pages into a frame.
    fn framed_by(&self) -> Vec<String> {
        let wecom = &self.config.wecom;
        if wecom.app.is_none() && wecom.robots.is_empty() {
            return Vec::new();
        }
        let mut origins = vec![
            "https://work.weixin.qq.com".to_owned(),
            "https://*.work.weixin.qq.com".to_owned(),
        ];
        // A WeCom of the office's own has its own host.
        let own = wecom.base_url.trim_end_matches('/');
        if own.starts_with("https://") && !own.ends_with(".weixin.qq.com") {
            origins.push(own.to_owned());
        }
        origins
    }

    /// What opens the calls of WeCom, where it can call us.
    fn callback(&self) -> Option<Crypt> {
        let app = self.config.wecom.app.as_ref()?;
        let callback = app.callback.as_ref()?;
        let token = callback.token.expose();
        Some(Crypt::new(token, callback.key.clone(), app.corp_id.clone()))
    }

    /// Who decides on what comes in that way, and answers.
    fn clerk(&self) -> Option<Clerk> {
        let voice = self.application.clone()?;
        self.callback()?;
        Some(Clerk::new(Arc::clone(&self.desk), voice))
    }

    /// Reads the answers that come by mail.
    fn mail_reader(&self) -> Reader {
        let folder = self.config.store.path.join("mail");
        let reader = Reader::new(Arc::clone(&self.desk), folder, ours(&self.config));
        reader.telling(self.mail_trouble.clone())
    }

    /// Makes a backup every night, where the config says where.
    fn nightly(&self) -> Option<nightly::Nightly> {
        Some(nightly::Nightly {
            desk: Arc::clone(&self.desk),
            config: self.config.backup.clone()?,
            store: self.config.store.path.clone(),
            trouble: self.backup_trouble.clone(),
        })
    }

    /// Closes the store in good order.
    ///
    /// # Errors
    /// When the writer did not end.
    pub async fn close(self) -> anyhow::Result<()> {
        let thread = self.ledger_thread;
        drop((self.desk, self.driver, self.outbox, self.application));
        tokio::task::spawn_blocking(move || thread.join())
            .await?
            .map_err(|_| anyhow::anyhow!("存储没有正常关闭"))
    }
}

/// The templates of the config, tried out.
///
/// # Errors
/// Every fault in the office's own, each with its place.
pub(crate) fn wording(config: &Config) -> Result<Templates, TemplateFaults> {
    let Some(folder) = &config.templates.path else {
        return Ok(Templates::builtin());
    };
    let (templates, warnings) = Templates::load(folder, &config.policy.ladder)?;
    for warning in warnings {
        tracing::warn!(%warning, "a folder of templates is not used");
    }
    Ok(templates)
}

/// What tells our own mails and servers from others'.
pub(crate) fn ours(config: &Config) -> Ours {
    let addresses = config.email.iter().flat_map(|email| {
        let both = std::iter::once(&email.from).chain(&email.reply_to);
        both.map(|address| address.address.to_lowercase())
    });
    Ours {
        addresses: addresses.collect(),
        authserv_id: config
            .imap
            .as_ref()
            .and_then(|imap| imap.authserv_id.clone()),
    }
}

/// How to open the store in this folder, with a first look by this same program.
///
/// # Errors
/// Where the program's own file cannot be found.
pub(crate) fn opener(folder: &Path) -> anyhow::Result<store::Opener> {
    Ok(store::Opener {
        path: folder.to_owned(),
        probe: Some(store::ProbeCommand::new(
            std::env::current_exe().context("找不到本程序的文件")?,
            crate::cli::PROBE,
        )),
        room: store::Room::default(),
        // Real time, whatever the office's clock shows: it names what is put aside.
        clock: Clock::System,
    })
}

fn rules_of(config: &Config, brought: &BroughtYears) -> RuleSet {
    let units = config.wecom.robots.iter().flat_map(|robot| &robot.units);
    RuleSet {
        calendar: Arc::new(holidays::calendar(
            config.time.zone,
            &config.time.given,
            brought,
        )),
        policy: config.policy.clone(),
        report: config.report.clone(),
        reach: Reach {
            email: config.email.is_some(),
            app: config.wecom.app.is_some(),
            robots: Robots {
                for_all: config
                    .wecom
                    .robots
                    .iter()
                    .any(|robot| robot.units.is_empty()),
                units: units.cloned().collect(),
            },
        },
        coordinators: ids_of(&config.office.coordinators),
    }
}

fn ids_of(people: &[(Person, Contact)]) -> Vec<PersonId> {
    people.iter().map(|(person, _)| person.id.clone()).collect()
}
