//! One SMTP session, driven step by step, so that it is known where it failed.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Stage;
use super::tls::Connector;
use super::wire::{self, Pipe, Watch, Wire};
use super::{Login, Settings, Tls};
use crate::channel::certificate;
use crate::domain::checkup::Distrust;

/// A mail ready to go.
pub(super) struct Ready {
    pub(super) from: Address,
    pub(super) to: Address,
    /// All of it ASCII, with the line ends of mail.
    pub(super) text: String,
}

/// An open session.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    watch: Watch,
    timeout: Duration,
    /// Messages given so far.
    pub(super) messages: usize,
    reconnected: bool,
    /// Whether several commands may go at once, where the server takes them.
    pipelining: bool,
    /// The server is not where we are in the conversation.
    astray: bool,
}

/// The beginning of a mail, all at once.
struct Opening<'a>(&'a Address, &'a Address);

impl fmt::Display for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n",
            self.0, self.1
        )
    }
}

/// A mail and the closing dot.
struct Whole<'a>(&'a str);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        let end = if self.0.ends_with("\r\n") {
            ".\r\n"
        } else {
            "\r\n.\r\n"
        };
        f.write_str(end)
    }
}

/// What went wrong, and how far it had got.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// The step.
    pub(crate) stage: Stage,
    /// In what way.
    pub(crate) what: What,
    /// Whether this session was opened to try the same message a second time.
    pub(crate) reconnected: bool,
}

/// In what way.
#[derive(Debug)]
pub(crate) enum What {
    /// The server said so.
    Said {
        /// The code.
        code: u16,
        /// The text.
        text: String,
    },
    /// The connection broke or never came up.
    Lost(String),
    /// No answer in time.
    Silent,
    /// The answer was no SMTP.
    Unreadable(String),
    /// TLS, or what the server offers, does not fit the settings.
    Unfit(String),
    /// The certificate shown by this host is not believed.
    Distrusted(String, Distrust),
}

impl Trouble {
    pub(super) fn new(stage: Stage, what: What) -> Self {
        Self {
            stage,
            what,
            reconnected: false,
        }
    }

    /// Some servers repeat what they were told; the password is not to be repeated further.
    fn without(mut self, login: &Login) -> Self {
        let password = login.password.expose();
        let plain = format!("\0{}\0{password}", login.username);
        let hide = |text: &mut String| {
            for secret in [&BASE64.encode(&plain), &BASE64.encode(password), password] {
                *text = text.replace(secret, "***");
            }
        };
        match &mut self.what {
            What::Said { text, .. } => hide(text),
            What::Lost(why) | What::Unreadable(why) | What::Unfit(why) => hide(why),
            What::Silent | What::Distrusted(..) => {}
        }
        self
    }

    /// Whether the session itself is gone.
    pub(super) fn is_lost(&self) -> bool {
        match &self.what {
            What::Lost(_) | What::Silent | What::Unreadable(_) => true,
            What::Said { code, .. } => *code == 421,
            What::Unfit(_) | What::Distrusted(..) => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.chinese();
        match &self.what {
            What::Said { code, text } => write!(f, "{stage}：{code} {text}"),
            What::Lost(why) => write!(f, "{stage}：连接中断（{why}）"),
            What::Silent => write!(f, "{stage}：服务器长时间不应答"),
            What::Unreadable(why) => write!(f, "{stage}：应答无法识别（{why}）"),
            What::Unfit(why) => write!(f, "{stage}：{why}"),
            What::Distrusted(host, why) => write!(f, "{stage}：{}", why.chinese(host)),
        }
    }
}

impl Session {
    /// Connects, protects, introduces itself and signs in.
    pub(super) async fn open(
        settings: &Settings,
        tls: Option<&Connector>,
    ) -> Result<Self, Trouble> {
        let limit = settings.timeout;
        let tcp = within(limit, Stage::Connect, connect(settings)).await?;
        let peer = tcp
            .peer_addr()
            .map_err(|error| lost(Stage::Connect, &error))?;
        let (pipe, said): (Pipe, &[u8]) = match (settings.tls, tls) {
            (Tls::Implicit, Some(tls)) => (protect(limit, tls, tcp).await?, b""),
            (Tls::Starttls, Some(tls)) => {
                let tcp = starttls(limit, tcp).await?;
                // lettre expects a greeting, and after STARTTLS there is none.
                (protect(limit, tls, tcp).await?, b"220 ready\r\n")
            }
            _ => (Pipe::Plain(tcp), b""),
        };
        let (wire, watch) = Wire::new(pipe, peer, said);
        let me = hello();
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &me);
        let smtp = step(limit, Stage::Greeting, greeted).await?;
        let mut session = Self {
            smtp,
            watch,
            timeout: limit,
            messages: 0,
            reconnected: false,
            pipelining: settings.pipelining,
            astray: false,
        };
        if let Some(login) = &settings.login {
            session.sign_in(login).await?;
        }
        Ok(session)
    }

    async fn sign_in(&mut self, login: &Login) -> Result<(), Trouble> {
        let known = [Mechanism::Plain, Mechanism::Login];
        let credentials =
            Credentials::new(login.username.clone(), login.password.expose().to_owned());
        let auth = self.smtp.auth(&known, &credentials);
        match step(self.timeout, Stage::Auth, auth).await {
            Ok(_) => Ok(()),
            Err(trouble) => Err(trouble.without(login)),
        }
    }

    /// Marks a session as opened for a second try of the same message.
    pub(super) fn after_reconnect(mut self) -> Self {
        self.reconnected = true;
        self
    }

    /// Gives one mail to the server: its answer after the final dot.
    pub(super) async fn send(&mut self, mail: &Ready) -> Result<String, Trouble> {
        let result = self.transact(mail).await;
        let reconnected = std::mem::take(&mut self.reconnected);
        result.map_err(|trouble| Trouble {
            reconnected,
            ..trouble
        })
    }

    async fn transact(&mut self, mail: &Ready) -> Result<String, Trouble> {
        if self.pipelining && self.watch.pipelining() {
            self.open_at_once(mail).await?;
        } else {
            self.open_by_steps(mail).await?;
        }
        // RFC 5321 asks for ten minutes here; five times a step's limit is ours.
        let limit = self.timeout * 5;
        let given = if mail.text.contains("\r\n.") {
            timeout(limit, self.smtp.message(mail.text.as_bytes())).await
        } else {
            // Nothing to stuff: what lettre would do byte by byte is one copy.
            timeout(limit, self.smtp.command(Whole(&mail.text))).await
        };
        let answer = match given {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(trouble(self.body_stage(), &error)),
            Err(_) => return Err(Trouble::new(self.body_stage(), What::Silent)),
        };
        self.messages += 1;
        Ok(said(&answer))
    }

    async fn open_by_steps(&mut self, mail: &Ready) -> Result<(), Trouble> {
        let limit = self.timeout;
        let from = Mail::new(Some(mail.from.clone()), Vec::new());
        step(limit, Stage::Mail, self.smtp.command(from)).await?;
        let to = Rcpt::new(mail.to.clone(), Vec::new());
        step(limit, Stage::Rcpt, self.smtp.command(to)).await?;
        step(limit, Stage::Data, self.smtp.command(Data)).await?;
        Ok(())
    }

    /// MAIL, RCPT and DATA in one write, three answers.
    async fn open_at_once(&mut self, mail: &Ready) -> Result<(), Trouble> {
        let limit = self.timeout;
        let opening = Opening(&mail.from, &mail.to);
        let from = step(limit, Stage::Mail, self.smtp.command(opening)).await;
        if let Err(trouble) = &from
            && trouble.is_lost()
        {
            return from.map(|_| ());
        }
        let to = step(limit, Stage::Rcpt, self.smtp.read_response()).await;
        if let Err(trouble) = &to
            && trouble.is_lost()
        {
            return from.and(to).map(|_| ());
        }
        let data = step(limit, Stage::Data, self.smtp.read_response()).await;
        // It waits for a message although it refused its sender or its recipient.
        self.astray = data.is_ok() && (from.is_err() || to.is_err());
        from.and(to).and(data).map(|_| ())
    }

    /// Body and dot leave together: while a byte is held, the dot has not left.
    fn body_stage(&self) -> Stage {
        if self.watch.all_left() {
            Stage::Dot
        } else {
            Stage::Body
        }
    }

    /// Makes the session ready for another message; false where it is of no more use.
    pub(super) async fn reset_after(&mut self, trouble: &Trouble) -> bool {
        let usable = matches!(trouble.what, What::Said { code, .. } if code != 421)
            && !self.smtp.has_broken()
            && !self.astray;
        usable
            && step(self.timeout, Stage::Reset, self.smtp.command(Rset))
                .await
                .is_ok()
    }

    /// Says good-bye, without waiting long for an answer.
    pub(super) async fn quit(mut self) {
        let _ = timeout(Duration::from_millis(500), self.smtp.quit()).await;
    }
}

async fn connect(settings: &Settings) -> Result<TcpStream, Trouble> {
    let tcp = TcpStream::connect((settings.host.as_str(), settings.port))
        .await
        .map_err(|error| lost(Stage::Connect, &error))?;
    tcp.set_nodelay(true)
        .map_err(|error| lost(Stage::Connect, &error))?;
    Ok(tcp)
}

async fn protect(limit: Duration, tls: &Connector, tcp: TcpStream) -> Result<Pipe, Trouble> {
    let handshake = async {
        tls.connect(tcp).await.map_err(|error| {
            if let Some(why) = certificate::distrust(&error) {
                return Trouble::new(Stage::Tls, What::Distrusted(tls.host(), why));
            }
            let is_tls = error
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>());
            if is_tls {
                let what = format!("加密连接未能建立，请检查证书和 tls 设置（{error}）");
                Trouble::new(Stage::Tls, What::Unfit(what))
            } else {
                lost(Stage::Tls, &error)
            }
        })
    };
    let stream = within(limit, Stage::Tls, handshake).await?;
    Ok(Pipe::Tls(Box::new(stream)))
}

/// The plain beginning of a STARTTLS session.
async fn starttls(limit: Duration, mut tcp: TcpStream) -> Result<TcpStream, Trouble> {
    let hello = format!("EHLO {}\r\n", hello());
    let talk = async {
        expect(wire::ask(&mut tcp, "").await, 220)?;
        let offers = expect(wire::ask(&mut tcp, &hello).await, 250)?;
        let offered = offers
            .lines()
            .any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
        if !offered {
            let what = "服务器不支持 STARTTLS；不会改用不加密的连接，请检查 tls 设置";
            return Err(Trouble::new(Stage::Tls, What::Unfit(what.into())));
        }
        let answer = expect(wire::ask(&mut tcp, "STARTTLS\r\n").await, 220);
        answer.map_err(|trouble| Trouble {
            stage: Stage::Tls,
            ..trouble
        })?;
        Ok(tcp)
    };
    within(limit, Stage::Greeting, talk).await
}

fn expect(said: io::Result<wire::Said>, code: u16) -> Result<String, Trouble> {
    let said = said.map_err(|error| lost(Stage::Greeting, &error))?;
    if said.code == code {
        return Ok(said.text);
    }
    let what = What::Said {
        code: said.code,
        text: said.text,
    };
    Err(Trouble::new(Stage::Greeting, what))
}

fn hello() -> ClientId {
    ClientId::default()
}

async fn within<T>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(Trouble::new(stage, What::Silent)))
}

async fn step<T>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Trouble> {
    match timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(trouble(stage, &error)),
        Err(_) => Err(Trouble::new(stage, What::Silent)),
    }
}

fn trouble(stage: Stage, error: &lettre::transport::smtp::Error) -> Trouble {
    let why = || {
        error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string)
    };
    let what = if let Some(code) = error.status() {
        What::Said {
            code: u16::from(code),
            text: why(),
        }
    } else if error.is_client() {
        What::Unfit(why())
    } else if error.is_response() && why() != "incomplete response" {
        What::Unreadable(why())
    } else {
        // lettre says "incomplete response" when the server hangs up.
        What::Lost(why())
    };
    Trouble::new(stage, what)
}

fn lost(stage: Stage, error: &io::Error) -> Trouble {
    Trouble::new(stage, What::Lost(error.to_string()))
}

fn said(answer: &Response) -> String {
    let mut text = answer.code().to_string();
    for line in answer.message() {
        text.push(' ');
        text.push_str(line);
    }
    text
}
