//! What every page and interface stands on: the ledger, the clock, the rules, the key. `app` fills
//! it in; rooms get it in an `Arc` and never build one.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::OfficeConfig;
use crate::config::Shown;
use crate::domain::book::{Book, ClockDoubt};
use crate::domain::calendar::Calendar;
use crate::domain::delivery::FailReason;
use crate::domain::holidays::GivenYears;
use crate::domain::link::LinkKey;
use crate::domain::people::ChannelKind;
use crate::domain::user::Role;
use crate::rules::Rules;
use crate::store::{Ledger, Vault};
use crate::web::audit::Views;
use crate::web::format::{brief, long_moment};
use crate::web::marks::Counted;
use crate::web::oidc::Service;
use crate::web::session::Ended;

/// Shared by all who answer requests. When the config is read anew, new requests get another one;
/// those under way keep theirs.
pub struct Desk {
    /// The one door to the facts.
    pub ledger: Ledger,
    /// Where files lie that were handed in.
    pub vault: Vault,
    /// The office's time.
    pub clock: Clock,
    /// Working days, and when and how much people are reminded.
    pub rules: Rules,
    /// Signs links; sessions are signed under a key that follows from it.
    pub link_key: LinkKey,
    /// Who asks.
    pub office: Office,
    /// How the world reaches this server, without a slash at the end.
    pub public_url: String,
    /// The inbox of a trial run: where there is one, nobody has to sign in.
    pub inbox: Option<Arc<dyn Inbox>>,
    /// Moves a simulated clock; none where time is the system's.
    pub advance: Option<Advance>,
    /// How the loops are.
    pub vitals: Arc<Vitals>,
    /// The ways out that do not work.
    pub stopped: Arc<dyn Fn() -> Vec<StoppedChannel> + Send + Sync>,
    /// Notices of days off that were there at the start, by year.
    pub given_years: Arc<GivenYears>,
    /// The configuration, as it is shown.
    pub shown: Arc<Shown>,
    /// Who has looked at what lately.
    pub views: Arc<Views>,
    /// Sessions that were signed out of.
    pub ended: Arc<Ended>,
    /// The office's own sign-in service, where there is one.
    pub service: Option<Service>,
    /// Who must have a second factor.
    pub second_for: Vec<Role>,
    /// What the navigation shows, counted once for each new fact.
    pub counted: Arc<Counted>,
    /// Cancelled when the program is asked to stop: answers without an end, end.
    pub closing: CancellationToken,
}

/// A way out that does not work: its peer has closed it (a wrong password, a robot that was
/// removed), or it has been out of reach for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedChannel {
    /// Which way.
    pub kind: ChannelKind,
    /// The robot's name, where there are several of one kind.
    pub name: Option<String>,
    /// Why, as a class.
    pub reason: FailReason,
    /// The peer's words, masked.
    pub detail: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether a person has to mend something; else it is tried again by itself.
    pub closed: bool,
    /// Whether no other of its kind works.
    pub none_left: bool,
}

impl StoppedChannel {
    /// Names it: its kind, and the robot's name.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.name {
            Some(name) => format!("{}/{name}", self.kind),
            None => self.kind.to_string(),
        }
    }

    /// What is wrong with it and what to do, in a sentence or two.
    #[must_use]
    pub fn words(&self, calendar: &Calendar) -> String {
        let name = self.name.as_ref();
        let name = name.map_or(String::new(), |name| format!("“{name}”"));
        let (kind, reason) = (self.kind.chinese(), self.reason.chinese());
        let detail = &self.detail;
        if self.closed {
            return format!(
                "{kind}{name}已停止发送：{reason}（{detail}）。请服务器管理员检查设置并改正，未发的消息之后会自动发出。"
            );
        }
        format!(
            "{kind}{name}自{}起发不出去：{reason}（{detail}）。系统会不断重试，有其他渠道的先走其他渠道；请服务器管理员查看网络和对方服务器。",
            brief(calendar, self.since)
        )
    }
}

/// A clock this far behind the last fact has been set back.
const BEHIND: TimeDelta = TimeDelta::hours(1);

/// What a clock that leapt means, and what to do.
#[must_use]
pub fn doubt_words(doubt: ClockDoubt, calendar: &Calendar) -> String {
    format!(
        "系统时钟由{}跳到了{}，相差过大，已暂停提醒和发送。请核对服务器时间：时间有误的，改正后自动恢复；\
         时间无误的，请在看板上点“时间无误，恢复发送”，或执行 cuiban clock confirm。",
        long_moment(calendar, doubt.expected),
        long_moment(calendar, doubt.found)
    )
}

/// What it means that all this was read back from a backup, and what to do.
#[must_use]
pub fn restored_words(backed_up: DateTime<Utc>, calendar: &Calendar) -> String {
    format!(
        "本服务由{}的备份恢复，其后收发的内容不在其中，已暂停提醒和发送。请服务器管理员确认原服务最后运行到什么时候，\
         执行 cuiban resume --not-before 该时间：此前应发的视为已发，不再重发。",
        long_moment(calendar, backed_up)
    )
}

/// The same of a clock that was set back. A simulated one is moved on purpose.
#[must_use]
pub fn behind_words(
    book: &Book,
    calendar: &Calendar,
    simulated: bool,
    now: DateTime<Utc>,
) -> Option<String> {
    let last = book.at.filter(|last| !simulated && now + BEHIND < *last)?;
    Some(format!(
        "系统时钟比最后一条记录（{}）还早，可能被拨慢了。已发过的不会再发，但提醒会推迟，报送时间会记早。\
         请核对服务器时间。",
        long_moment(calendar, last)
    ))
}

/// The office that asks for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Such as `市政府督查室`.
    pub name: String,
    /// The number to call.
    pub phone: Option<String>,
    /// What stands on its papers.
    pub letterhead: Letterhead,
}

/// What stands on papers with a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// 发文机关, such as `某某市人民政府办公室`.
    pub issuer: String,
    /// 发文机关标志, in red.
    pub head: String,
    /// 发文机关代字.
    pub code: String,
    /// 主送机关 of a 通报.
    pub addressee: String,
    /// 抄送机关 of a 通报.
    pub copied: Vec<String>,
}

impl Letterhead {
    /// As the configuration has it: the office's own name where no other is given.
    #[must_use]
    pub fn of(config: &OfficeConfig) -> Self {
        let issuer = config.issuer.clone().unwrap_or_else(|| config.name.clone());
        Self {
            head: config.head.clone().unwrap_or_else(|| issuer.clone()),
            issuer,
            code: config.code.clone(),
            addressee: config.addressee.clone(),
            copied: config.copied.clone(),
        }
    }
}

/// Moves the simulated clock to a moment, through every stage on the way; ready when all passes
/// are done and the outbox is idle. The error is for the person who asked.
pub type Advance = Arc<
    dyn Fn(DateTime<Utc>) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync,
>;

/// Messages that were written to files instead of being sent. Calls block.
pub trait Inbox: Send + Sync {
    /// All of them, newest first.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    fn list(&self) -> io::Result<Vec<InboxEntry>>;

    /// One, whole; none where there is no such message.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn get(&self, id: &str) -> io::Result<Option<InboxMessage>>;
}

/// A line of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// Names the message in an address: letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// When it was sent, by the office's clock.
    pub at: DateTime<Utc>,
    /// To whom, and of which unit.
    pub person: String,
    /// The unit; may be empty.
    pub unit: String,
    /// 预告, 提醒 …
    pub stage: String,
    /// Subject.
    pub subject: String,
}

/// A message of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxMessage {
    /// Its line.
    pub entry: InboxEntry,
    /// The plain text.
    pub text: String,
    /// The HTML, where the channel made one.
    pub html: Option<String>,
    /// The owner's page it leads to, where there is one.
    pub link: Option<String>,
}

impl Desk {
    /// The calendar as it stands.
    #[must_use]
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.rules.now().calendar)
    }

    /// Whether this is a trial run in which nobody signs in.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.inbox.is_some()
    }

    /// Whether people reach this server over TLS, so that cookies may insist on it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Signs of life, for health and metrics. Counted in real time, whatever the office's clock says.
#[derive(Debug, Default)]
pub struct Vitals {
    ticks: AtomicU64,
    passes: AtomicU64,
    healed: AtomicU64,
    last_pass: Mutex<Option<Instant>>,
    last_answer: Mutex<Option<Instant>>,
    last_backup: Mutex<Option<DateTime<Utc>>>,
}

impl Vitals {
    /// The heartbeat rang.
    pub fn ticked(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// A pass ended well.
    pub fn passed(&self) {
        self.passes.fetch_add(1, Ordering::Relaxed);
        *self
            .last_pass
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The store has answered a pass, whatever it said.
    pub fn answered(&self) {
        let mut last = self
            .last_answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(Instant::now());
    }

    /// Time since then; none before the first.
    #[must_use]
    pub fn since_answer(&self) -> Option<Duration> {
        let last = self
            .last_answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.map(|at| at.elapsed())
    }

    /// A nightly backup was written and checked.
    pub fn backed_up(&self, at: DateTime<Utc>) {
        *self.lock_backup() = Some(at);
    }

    /// When the last one was; none since the start.
    #[must_use]
    pub fn last_backup(&self) -> Option<DateTime<Utc>> {
        *self.lock_backup()
    }

    fn lock_backup(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        self.last_backup
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A half of the store was restored from the other.
    pub fn healed(&self) {
        self.healed.fetch_add(1, Ordering::Relaxed);
    }

    /// Time since the last pass; none before the first.
    #[must_use]
    pub fn since_pass(&self) -> Option<Duration> {
        let last = self
            .last_pass
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.map(|at| at.elapsed())
    }

    /// Heartbeats, passes, healings so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        (
            self.ticks.load(Ordering::Relaxed),
            self.passes.load(Ordering::Relaxed),
            self.healed.load(Ordering::Relaxed),
        )
    }
}

#[cfg(test)]
pub(crate) mod fixture;
