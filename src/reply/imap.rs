//! The mailbox over IMAP (mail.md 4.1, 4.2), as little of it as every Chinese provider does right:
//! no SEARCH, no ENVELOPE; UIDs ascending, BODY.PEEK, `ID` after the login for 163. async-imap
//! knows no time limits: every step has one here.

use std::fmt;
use std::time::Duration;

use async_imap::error::Error as Protocol;
use async_imap::{Client, Session};
use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::mailbox::{Listed, Mailbox};
use crate::channel::certificate;
use crate::channel::email::SettingsError;
use crate::channel::email::tls::Connector;
use crate::config::email::Tls;
use crate::config::imap::ImapConfig;
use crate::domain::checkup::Distrust;
use crate::domain::mail::Place;

/// Why the mailbox cannot be read, for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// No connection.
    #[error("连接不上收信服务器")]
    Connect(#[source] std::io::Error),
    /// No TLS.
    #[error("收信服务器的加密连接无法建立")]
    Tls(#[source] SettingsError),
    /// Its certificate is not believed.
    #[error("{}", .1.chinese(.0))]
    Distrusted(String, Distrust),
    /// The server does not answer.
    #[error("收信服务器长时间不应答（{0}）")]
    Slow(&'static str),
    /// The account is not let in.
    #[error("收信邮箱登录失败，请检查 imap.username 和授权码，并确认邮箱已开通 IMAP")]
    Login(#[source] Protocol),
    /// A step went wrong.
    #[error("收信服务器拒绝了{step}")]
    Step {
        /// Which.
        step: &'static str,
        /// What it said.
        source: Protocol,
    },
    /// Without UIDVALIDITY no mail can be told from another.
    #[error("收信服务器没有给出邮件夹的 UIDVALIDITY")]
    NoValidity,
}

/// An open mailbox.
pub struct ImapBox {
    /// Taken only while it idles.
    session: Option<Session<Line>>,
    validity: u32,
    idles: bool,
    poll: Duration,
    /// The last day of the server's certificate.
    certificate_until: Option<NaiveDate>,
}

/// Plain or protected.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug> Stream for T {}

type Line = Box<dyn Stream>;

/// Longest wait for one step.
const STEP: Duration = Duration::from_secs(60);
/// Longest wait for one mail.
const BODY: Duration = Duration::from_secs(300);

impl ImapBox {
    /// Connects, signs in, says who it is, and opens the folder.
    ///
    /// # Errors
    /// [`ImapError`] says what to mend.
    pub async fn open(config: &ImapConfig) -> Result<Self, ImapError> {
        let (client, certificate_until) = connect(config).await?;
        let (username, password) = (&config.login.username, config.login.password.expose());
        let login = within(STEP, "登录", client.login(username, password)).await?;
        let mut session = login.map_err(|(error, _)| ImapError::Login(error))?;
        let offers = step("能力查询", session.capabilities()).await?;
        if offers.has_str("ID") {
            let id = [
                ("name", Some("cuiban")),
                ("version", Some(env!("CARGO_PKG_VERSION"))),
            ];
            step("身份说明", session.id(id)).await?;
        }
        // Read-only: nobody's unread mail becomes read by us.
        let folder = step("打开邮件夹", session.examine(&config.mailbox)).await?;
        Ok(Self {
            validity: folder.uid_validity.ok_or(ImapError::NoValidity)?,
            idles: offers.has_str("IDLE"),
            session: Some(session),
            poll: config.poll,
            certificate_until,
        })
    }

    /// The last day of the server's certificate, where it has one.
    #[must_use]
    pub fn certificate_until(&self) -> Option<NaiveDate> {
        self.certificate_until
    }

    fn session(&mut self) -> Result<&mut Session<Line>, ImapError> {
        self.session.as_mut().ok_or(ImapError::Slow("即时通知"))
    }

    /// A hint that something came, or `most` has passed.
    async fn idle(&mut self, most: Duration) -> Result<(), ImapError> {
        let session = self.session.take().ok_or(ImapError::Slow("即时通知"))?;
        let mut idle = session.idle();
        step("即时通知", idle.init()).await?;
        {
            let (news, _stop) = idle.wait_with_timeout(most);
            // Keep-alives start its own time anew: ours is the whole wait.
            if let Ok(news) = tokio::time::timeout(most, news).await {
                news.map_err(|source| ImapError::Step {
                    step: "即时通知",
                    source,
                })?;
            }
        }
        self.session = Some(step("结束即时通知", idle.done()).await?);
        Ok(())
    }
}

impl Mailbox for ImapBox {
    type Error = ImapError;

    async fn list(&mut self, last: Option<Place>) -> Result<Vec<Listed>, ImapError> {
        let validity = self.validity;
        let after = last
            .filter(|last| last.validity == validity)
            .map_or(0, |last| last.uid);
        let Some(first) = after.checked_add(1) else {
            return Ok(Vec::new());
        };
        let session = self.session()?;
        let listing = async {
            let found = session
                .uid_fetch(format!("{first}:*"), "(UID INTERNALDATE RFC822.SIZE)")
                .await?;
            found.try_collect::<Vec<_>>().await
        };
        let found = step("邮件列表", listing).await?;
        let listed = found.iter().filter_map(|mail| {
            // `n:*` names the last mail even where its UID is smaller.
            let uid = mail.uid.filter(|uid| *uid > after)?;
            Some(Listed {
                place: Place { validity, uid },
                arrived: mail.internal_date().map(|at| at.to_utc()),
                size: mail.size.unwrap_or(0),
            })
        });
        Ok(listed.collect())
    }

    async fn fetch(&mut self, mail: &Listed) -> Result<Option<Vec<u8>>, ImapError> {
        /// A larger one is read as far as its words go.
        const LARGEST: u32 = 40 * 1024 * 1024;
        let what = match mail.size {
            0..=LARGEST => "(UID BODY.PEEK[])",
            _ => "(UID BODY.PEEK[]<0.4194304>)",
        };
        let uid = mail.place.uid;
        let session = self.session()?;
        let fetching = async {
            let found = session.uid_fetch(uid.to_string(), what).await?;
            found.try_collect::<Vec<_>>().await
        };
        let found = within(BODY, "取邮件", fetching).await?;
        let found = found.map_err(|source| ImapError::Step {
            step: "取邮件",
            source,
        })?;
        let of_mail = found.iter().filter(|one| one.uid == Some(uid));
        Ok(of_mail
            .filter_map(|one| one.body())
            .next()
            .map(<[u8]>::to_vec))
    }

    async fn wait(&mut self) -> Result<(), ImapError> {
        /// Routers forget a silent connection sooner than the standard's 29 minutes.
        const IDLE: Duration = Duration::from_secs(300);
        if self.idles {
            return self.idle(self.poll.max(IDLE)).await;
        }
        tokio::time::sleep(self.poll).await;
        step("保持连接", self.session()?.noop()).await
    }
}

async fn connect(config: &ImapConfig) -> Result<(Client<Line>, Option<NaiveDate>), ImapError> {
    let address = (config.host.as_str(), config.port);
    let tcp = within(STEP, "连接", TcpStream::connect(address)).await?;
    let tcp = tcp.map_err(ImapError::Connect)?;
    match config.tls {
        Tls::None => Ok((greeted(Box::new(tcp)).await?, None)),
        Tls::Implicit => {
            let (line, until) = protected(config, tcp).await?;
            Ok((greeted(line).await?, until))
        }
        Tls::Starttls => {
            let mut client = hello(Client::new(tcp)).await?;
            step(
                "STARTTLS",
                client.run_command_and_check_ok("STARTTLS", None),
            )
            .await?;
            let (line, until) = protected(config, client.into_inner()).await?;
            Ok((Client::new(line), until))
        }
    }
}

/// The handshake; with the last day of the certificate that was shown.
async fn protected(
    config: &ImapConfig,
    tcp: TcpStream,
) -> Result<(Line, Option<NaiveDate>), ImapError> {
    let connector = Connector::new(&config.host, None).map_err(ImapError::Tls)?;
    let secured = within(STEP, "加密", connector.connect(tcp)).await?;
    let secured = secured.map_err(|error| match certificate::distrust(&error) {
        Some(why) => ImapError::Distrusted(config.host.clone(), why),
        None => ImapError::Connect(error),
    })?;
    Ok((Box::new(secured), connector.certificate_until()))
}

async fn greeted(line: Line) -> Result<Client<Line>, ImapError> {
    hello(Client::new(line)).await
}

/// The server speaks first.
async fn hello<T>(mut client: Client<T>) -> Result<Client<T>, ImapError>
where
    T: AsyncRead + AsyncWrite + Unpin + fmt::Debug + Send,
{
    let greeting = within(STEP, "问候", client.read_response()).await?;
    match greeting.map_err(ImapError::Connect)? {
        Some(_) => Ok(client),
        None => Err(ImapError::Slow("问候")),
    }
}

async fn step<T>(
    name: &'static str,
    what: impl Future<Output = Result<T, Protocol>>,
) -> Result<T, ImapError> {
    let done = within(STEP, name, what).await?;
    done.map_err(|source| ImapError::Step { step: name, source })
}

async fn within<T>(
    most: Duration,
    name: &'static str,
    what: impl Future<Output = T>,
) -> Result<T, ImapError> {
    let done = tokio::time::timeout(most, what).await;
    done.map_err(|_| ImapError::Slow(name))
}
