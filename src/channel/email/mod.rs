//! Mail by SMTP submission.
//!
//! lettre speaks the protocol and builds the message; the stream under it is ours ([`wire`]), and
//! so is the set of sessions: never more open than configured, kept between messages, each step
//! with its own time limit, so that it is known how far a failed attempt got.

pub mod answer;
pub mod compose;
mod mime;
mod session;
pub mod tls;
mod wire;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::pace::Pace;
use super::{Attempted, Channel, Sending, mask};
use crate::config::EmailConfig;
pub use crate::config::email::{Login, Tls};
use crate::domain::brief::Brief;
use crate::domain::checkup::Tried;
use crate::domain::delivery::{FailReason, Next};
use crate::domain::people::ChannelKind;

use answer::Stage;
use compose::Composer;
use session::{Session, Trouble, What};

/// How mail leaves. The section `[email]` of the config becomes one of these.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected. There is never a fall back to a weaker way.
    pub tls: Tls,
    /// Account and password, or 授权码.
    pub login: Option<Login>,
    /// The name shown as sender.
    pub from_name: Option<String>,
    /// The sender's address; MAIL FROM as well, as Chinese providers demand.
    pub from_address: String,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<String>,
    /// Sessions open at once.
    pub max_connections: usize,
    /// Longest wait for one step; the answer to the whole message may take five times as long.
    pub timeout: Duration,
    /// Whether MAIL, RCPT and DATA go in one write to a server that offers it: half the CPU and the
    /// time. A refused recipient costs a wrong command then, and some providers count those.
    pub pipelining: bool,
    /// Messages in one connection; 0 is no limit. A server that says MI:DMC is given a new
    /// connection by itself.
    pub messages_per_connection: usize,
    /// Messages a minute; 0 is no limit.
    pub per_minute: usize,
    /// Messages an hour; 0 is no limit.
    pub per_hour: usize,
    /// A further certificate authority, PEM.
    pub extra_ca: Option<Vec<u8>>,
}

/// What makes the settings unusable.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An address that is none.
    #[error("“{0}” 不是邮件地址")]
    Address(String),
    /// Certificates that cannot be read.
    #[error("证书文件无法读取：请检查是否为 PEM 格式")]
    Certificate(#[source] rustls::pki_types::pem::Error),
    /// TLS does not come up.
    #[error("无法准备加密连接")]
    Tls(#[source] rustls::Error),
}

/// Mail by SMTP.
pub struct EmailChannel {
    shared: Arc<Shared>,
}

struct Shared {
    /// Server and account.
    peer: String,
    settings: Settings,
    composer: Composer,
    tls: Option<tls::Connector>,
    places: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    sessions: Vec<(Session, Instant)>,
    /// Whether someone will close those that stay idle.
    watched: bool,
}

/// Sessions idle longer than this are closed: servers do so after one to five minutes.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

impl EmailChannel {
    /// Checks the settings; connects to nobody.
    ///
    /// # Errors
    /// [`SettingsError`] says what is unusable.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let account = settings.login.as_ref().map(|login| &login.username);
        let account = account.unwrap_or(&settings.from_address);
        let shared = Shared {
            peer: format!("{}:{} {account}", settings.host, settings.port),
            composer: Composer::new(&settings)?,
            tls: match settings.tls {
                Tls::None => None,
                Tls::Starttls | Tls::Implicit => Some(tls::Connector::new(
                    &settings.host,
                    settings.extra_ca.as_deref(),
                )?),
            },
            places: Semaphore::new(settings.max_connections.max(1)),
            idle: Mutex::default(),
            settings,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl EmailChannel {
    /// Connects, signs in and takes leave; sends nothing. Says how far it got, in the server's
    /// words, masked.
    pub async fn try_out(&self) -> Tried {
        match self.shared.connect().await {
            Ok(session) => {
                session.quit().await;
                let tls = self.shared.tls.as_ref();
                Tried::Works(tls.and_then(tls::Connector::certificate_until))
            }
            Err(trouble) => match trouble.what {
                What::Distrusted(host, why) => Tried::Distrusted(host, why),
                _ => Tried::Failed(mask::told(&trouble.to_string())),
            },
        }
    }
}

impl Channel for EmailChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn name(&self) -> &str {
        "email"
    }

    fn peer(&self) -> &str {
        &self.shared.peer
    }

    fn sessions(&self) -> usize {
        self.shared.settings.max_connections.max(1)
    }

    fn pace(&self) -> Pace {
        let settings = &self.shared.settings;
        Pace::per_minute_and_hour(settings.per_minute, settings.per_hour)
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        Box::pin(self.shared.send(brief, nth))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let sessions = std::mem::take(&mut self.shared.idle().sessions);
            for (session, _) in sessions {
                session.quit().await;
            }
        })
    }
}

impl Shared {
    async fn send(self: &Arc<Self>, brief: &Brief, nth: u32) -> Attempted {
        let mail = match self.composer.compose(brief) {
            Ok(mail) => mail,
            Err(attempted) => return *attempted,
        };
        let Ok(_place) = self.places.acquire().await else {
            return Attempted::failed(FailReason::Unreachable, Next::Again { after: None }, "停止");
        };
        let (mut session, mut kept) = match self.take_idle() {
            Some(session) => (session, true),
            None => match self.connect().await {
                Ok(session) => (session, false),
                Err(trouble) => return self.judge(&trouble, nth),
            },
        };
        loop {
            let result = session.send(&mail).await;
            let again = match &result {
                // A kept session may have been closed while nobody looked: that is no failed try.
                Err(trouble) => {
                    (kept && trouble.stage == Stage::Mail && trouble.is_lost())
                        || (!trouble.reconnected && answer::wants_new_connection(trouble))
                }
                Ok(_) => false,
            };
            if again {
                session.quit().await;
                match self.connect().await {
                    Ok(new) => (session, kept) = (new.after_reconnect(), false),
                    Err(trouble) => return self.judge(&trouble, nth),
                }
                continue;
            }
            return match result {
                Ok(answer) => {
                    self.keep(session).await;
                    Attempted::sent(&answer)
                }
                Err(trouble) => {
                    if session.reset_after(&trouble).await {
                        self.keep(session).await;
                    }
                    self.judge(&trouble, nth)
                }
            };
        }
    }

    async fn connect(&self) -> Result<Session, Trouble> {
        Session::open(&self.settings, self.tls.as_ref()).await
    }

    fn judge(&self, trouble: &Trouble, nth: u32) -> Attempted {
        let attempted = answer::judge(trouble, nth);
        tracing::debug!(
            channel = "email",
            stage = trouble.stage.as_str(),
            detail = %mask::told(&trouble.to_string()),
            "the mail server did not take a message"
        );
        attempted
    }

    fn take_idle(&self) -> Option<Session> {
        // The one used last is the least likely to be closed.
        let (session, since) = self.idle().sessions.pop()?;
        (since.elapsed() < LONGEST_IDLE).then_some(session)
    }

    async fn keep(self: &Arc<Self>, session: Session) {
        let limit = self.settings.messages_per_connection;
        if limit > 0 && session.messages >= limit {
            session.quit().await;
            return;
        }
        let watch = {
            let mut idle = self.idle();
            idle.sessions.push((session, Instant::now()));
            !std::mem::replace(&mut idle.watched, true)
        };
        if watch {
            tokio::spawn(close_idle(Arc::downgrade(self)));
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes sessions nobody used for a while, and ends when none is left.
async fn close_idle(shared: std::sync::Weak<Shared>) {
    loop {
        tokio::time::sleep(LONGEST_IDLE / 2).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let old: Vec<Session> = {
            let mut idle = shared.idle();
            let (old, young) = std::mem::take(&mut idle.sessions)
                .into_iter()
                .partition(|(_, since)| since.elapsed() >= LONGEST_IDLE);
            idle.sessions = young;
            // Sessions in use come back to a new watch.
            idle.watched = !idle.sessions.is_empty();
            let old: Vec<(Session, Instant)> = old;
            old.into_iter().map(|(session, _)| session).collect()
        };
        for session in old {
            session.quit().await;
        }
        if !shared.idle().watched {
            return;
        }
    }
}

impl From<&EmailConfig> for Settings {
    /// Without limits on the rate: the session count and the peer's own answers pace it. 155 people
    /// are no burst for any server; who needs a limit sets one here first.
    fn from(config: &EmailConfig) -> Self {
        Self {
            host: config.host.clone(),
            port: config.port,
            tls: config.tls,
            login: config.login.clone(),
            from_name: config.from.name.clone(),
            from_address: config.from.address.clone(),
            reply_to: config.reply_to.as_ref().map(|to| to.address.clone()),
            max_connections: config.max_connections,
            timeout: config.timeout,
            // Who allows several sessions has a relay of their own.
            pipelining: config.max_connections > 1,
            messages_per_connection: 0,
            per_minute: 0,
            per_hour: 0,
            extra_ca: None,
        }
    }
}

/// How long the channel rests when the server cannot be reached.
pub(crate) const UNREACHABLE_REST: TimeDelta = TimeDelta::seconds(30);
