//! The one place that names concrete adapters, wires the rooms together, and joins their routers.
//!
//! What lasts as long as the process is the [`Core`]; what follows from the config is a [`Setup`],
//! and another one takes its place when the config is read anew.

pub mod answers;
mod channels;
mod crew;
pub mod demo;
pub(crate) mod doctor;
mod export;
mod inbox;
mod listen;
mod local;
mod nightly;
mod reload;
#[cfg(test)]
mod rights;
mod serve;
mod setup;
mod time;
mod trouble;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use axum::Router;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::channel::render::{TemplateFaults, Templates};
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Advance, Desk, Vitals};
use crate::domain::book::Book;
use crate::domain::checkup;
use crate::domain::due::{Reach, Robots};
use crate::domain::fact::Fact;
use crate::domain::holidays::{self, BroughtYears};
use crate::domain::ids::PersonId;
use crate::domain::link::LinkKey;
use crate::domain::people::{Contact, Person};
use crate::driver::Driver;
use crate::outbox::Outbox;
use crate::plan::{contacts, import};
use crate::reply::mail::Ours;
use crate::reply::mailbox;
use crate::rules::{RuleSet, Rules};
use crate::store::{self, CommitError, Ledger, Vault};
use crate::watch::{Troubled, Watch};
use crate::web::audit::Views;
use crate::web::marks::Counted;
use crate::web::session::Ended;

pub use reload::Source;

use setup::{Prepared, Setup};
use time::Timekeeper;
use trouble::Trouble;

/// Everything a running cuiban consists of.
pub struct App {
    core: Core,
    setup: Setup,
}

/// What lasts as long as the process.
struct Core {
    ledger: Ledger,
    vault: Vault,
    clock: Clock,
    rules: Rules,
    link_key: LinkKey,
    vitals: Arc<Vitals>,
    driver: Driver,
    outbox: Arc<Outbox>,
    stopped: Troubled,
    advance: Option<Advance>,
    /// Shared by the reader of mails and the watch.
    mail_trouble: mailbox::Trouble,
    /// Shared by the nightly backup and the watch.
    backup_trouble: Trouble,
    /// Why the config was not read anew the last time; shared with the watch and the doctor.
    config_trouble: Trouble,
    views: Arc<Views>,
    ended: Arc<Ended>,
    counted: Arc<Counted>,
    closing: CancellationToken,
    /// An inbox to look into, and nobody has to sign in.
    demo: bool,
    /// Where the config comes from, where it can be read anew.
    source: Option<Source>,
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

    /// Reads the config there anew when it is told to by SIGHUP.
    #[must_use]
    pub fn reloading(mut self, source: Source) -> Self {
        self.core.source = Some(source);
        self
    }

    async fn build(config: Config, clock: Clock, demo: bool) -> anyhow::Result<Self> {
        let templates = wording(&config)?;
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
        let ground = (&ledger, &clock, &rules, &link_key);
        let (prepared, ways) = Prepared::of(config, templates, ground, None)?;
        let outbox = Outbox::new(ledger.clone(), clock.clone(), rules.clone(), ways);
        let outbox = Arc::new(outbox);
        let stopped: Troubled = {
            let (outbox, clock) = (Arc::clone(&outbox), clock.clone());
            Arc::new(move || channels::stopped(&outbox, clock.now()))
        };
        let mail_trouble = mailbox::Trouble::default();
        let (backup_trouble, config_trouble) = (Trouble::default(), Trouble::default());
        let (unread, unsaved) = (mail_trouble.clone(), backup_trouble.clone());
        let refused = config_trouble.clone();
        let not_taken = move |_| {
            let words = refused.words()?;
            Some(format!("{words}请服务器管理员{}。", checkup::READ_ANEW))
        };
        let (books, time) = (ledger.clone(), clock.clone());
        let watch = Watch::new(books, time, rules.clone(), Arc::clone(&stopped))
            .with("mailbox", Arc::new(move |now| unread.words(now)))
            .with("backup", Arc::new(move |_| unsaved.words()))
            .with("config", Arc::new(not_taken));
        let vitals = Arc::new(Vitals::default());
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
        let vault = Vault::new(prepared.config.store.path.join("evidence"));
        vault.sweep();
        let last_fact = ledger.book().at;
        let core = Core {
            ledger,
            vault,
            advance: clock.is_simulated().then(|| timekeeper.handle()),
            clock,
            rules,
            link_key,
            vitals,
            driver,
            outbox,
            stopped,
            mail_trouble,
            backup_trouble,
            config_trouble,
            views: Arc::default(),
            ended: Arc::default(),
            counted: Arc::default(),
            closing: CancellationToken::new(),
            demo,
            source: None,
            last_fact,
            ledger_thread,
        };
        core.go_by(&prepared.config)
            .await
            .context("配置的变动没有记下")?;
        prepared.templates.clone().put_in_force();
        let setup = Setup::new(&core, prepared);
        Ok(Self { core, setup })
    }

    /// The operator's interface, for the commands.
    pub fn local_router(&self) -> Router {
        self.setup.local_router(&self.core)
    }

    /// What the world sees.
    #[cfg(test)]
    fn public_router(&self) -> Router {
        self.setup.public_router(&self.core)
    }

    fn desk(&self) -> &Desk {
        &self.setup.desk
    }

    /// Closes the store in good order.
    ///
    /// # Errors
    /// When the writer did not end.
    pub async fn close(self) -> anyhow::Result<()> {
        drop(self.setup);
        self.core.close().await
    }
}

impl Core {
    /// From now on the rules are those of this config; what follows from that is appended: the
    /// office's own people, and deadlines where the holiday table or the rules are other than
    /// before. Where it cannot be, the rules stay.
    async fn go_by(&self, config: &Config) -> Result<(), CommitError<std::convert::Infallible>> {
        let (rules, facts) = {
            let book = self.ledger.book();
            let rules = rules_of(config, &book.holidays);
            let facts = follows(&book, config, &rules);
            (rules, facts)
        };
        self.driver.change_rules(rules, facts).await
    }

    async fn close(self) -> anyhow::Result<()> {
        let thread = self.ledger_thread;
        drop((
            self.ledger,
            self.driver,
            self.outbox,
            self.stopped,
            self.advance,
        ));
        tokio::task::spawn_blocking(move || thread.join())
            .await?
            .map_err(|_| anyhow::anyhow!("存储没有正常关闭"))
    }
}

/// What follows from a config that is other than before.
fn follows(book: &Book, config: &Config, rules: &RuleSet) -> Vec<Fact> {
    let mut facts = contacts::office_changes(book, &config.office.coordinators);
    facts.extend(contacts::office_changes(book, &config.office.operators));
    let redated = import::redate(book, &rules.policy, &rules.calendar);
    if !redated.is_empty() {
        tracing::warn!(
            plans = redated.len(),
            "deadlines are others than before: the holidays, the zone or the hours in the config \
             have changed"
        );
    }
    facts.extend(redated);
    facts
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
        probe: Some(store::ProbeCommand::new(own_program()?, crate::cli::PROBE)),
        room: store::Room::default(),
        // Real time, whatever the office's clock shows: it names what is put aside.
        clock: Clock::System,
    })
}

/// This program's file. Without /proc, as in a bare root, the name it was called by.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe()
        .or_else(|error| {
            let called = std::env::args_os().next().map(PathBuf::from);
            called.filter(|path| path.is_absolute()).ok_or(error)
        })
        .context("找不到本程序的文件")
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
        operators: ids_of(&config.office.operators),
    }
}

fn ids_of(people: &[(Person, Contact)]) -> Vec<PersonId> {
    people.iter().map(|(person, _)| person.id.clone()).collect()
}
