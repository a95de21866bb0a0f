//! A raw SMTP server on loopback that answers as its script says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A moment in a session at which the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
    Rset,
    Noop,
    Quit,
}

/// What it says then.
#[derive(Debug, Clone)]
pub enum Say {
    /// What a good server says.
    Usual,
    /// These bytes, with a line end.
    Line(Vec<u8>),
    /// These bytes, with a line end, and then it hangs up.
    Last(Vec<u8>),
    /// The usual, but only after this long.
    Late(Duration),
    /// Nothing, for ever.
    Silence,
    /// It hangs up.
    HangUp,
}

impl Say {
    pub fn line(text: &str) -> Self {
        Self::Line(text.as_bytes().to_vec())
    }

    /// A line in GBK, as old Chinese servers answer.
    pub fn gbk(code: &str, text: &str) -> Self {
        let (bytes, _, _) = encoding_rs::GBK.encode(text);
        let mut line = format!("{code} ").into_bytes();
        line.extend_from_slice(&bytes);
        Self::Line(line)
    }
}

/// Asked at each step: which step, the how-manieth of its kind over all sessions (from 1), and
/// what the client said.
pub type Script = Arc<dyn Fn(Step, usize, &str) -> Say + Send + Sync>;

/// A mail the server was given whole; `accepted` where it said 250 to it.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: Vec<u8>,
    pub accepted: bool,
}

/// How the peer protects its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protection {
    #[default]
    None,
    /// STARTTLS, and nothing but it before.
    Starttls,
    /// TLS from the first byte.
    Implicit,
}

/// The authority that signed the peer's certificate for `localhost`, PEM.
pub const CA: &[u8] = include_bytes!("../fixtures/tls/ca.pem");

/// What the peer shows: certificate and key, PEM.
#[derive(Debug, Clone, Copy)]
pub struct Identity(&'static [u8], &'static [u8]);

/// For `localhost` and 127.0.0.1, for a hundred years.
pub const GOOD: Identity = Identity(
    include_bytes!("../fixtures/tls/server.pem"),
    include_bytes!("../fixtures/tls/server.key"),
);
/// The same names, until 1 February 2020, signed by another authority.
pub const EXPIRED: Identity = Identity(
    include_bytes!("../fixtures/tls/expired.pem"),
    include_bytes!("../fixtures/tls/expired.key"),
);
/// For `mail.example.com` and `*.b.example`, signed by that other authority.
pub const OTHER: Identity = Identity(
    include_bytes!("../fixtures/tls/other.pem"),
    include_bytes!("../fixtures/tls/other.key"),
);

impl Identity {
    /// Takes connections as this one.
    pub fn acceptor(self) -> tokio_rustls::TlsAcceptor {
        let Self(chain, key) = self;
        let chain = CertificateDer::pem_slice_iter(chain);
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        Arc::new(config).into()
    }
}

impl Default for Identity {
    fn default() -> Self {
        GOOD
    }
}

pub struct SmtpPeer {
    pub addr: SocketAddr,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    script: Mutex<Option<Script>>,
    offers: Vec<String>,
    protection: Protection,
    identity: Identity,
    mails: Mutex<Vec<Mail>>,
    steps: Mutex<std::collections::HashMap<Step, usize>>,
    said: Mutex<Vec<String>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    sessions: AtomicUsize,
}

impl SmtpPeer {
    /// A good server.
    pub async fn good() -> Self {
        Self::start(Arc::new(|_, _, _| Say::Usual), &[]).await
    }

    pub async fn scripted(
        script: impl Fn(Step, usize, &str) -> Say + Send + Sync + 'static,
    ) -> Self {
        Self::start(Arc::new(script), &[]).await
    }

    /// `offers` are further EHLO lines, such as `AUTH PLAIN LOGIN`.
    pub async fn start(script: Script, offers: &[&str]) -> Self {
        Self::protected(script, offers, Protection::None).await
    }

    /// With TLS under the certificate that [`CA`] signed.
    pub async fn protected(script: Script, offers: &[&str], protection: Protection) -> Self {
        Self::showing(GOOD, script, offers, protection).await
    }

    /// With TLS under this certificate.
    pub async fn showing(
        identity: Identity,
        script: Script,
        offers: &[&str],
        protection: Protection,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            script: Mutex::new(Some(script)),
            offers: offers.iter().map(|offer| (*offer).to_owned()).collect(),
            protection,
            identity,
            ..State::default()
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tcp.set_nodelay(true).unwrap();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    state.sessions.fetch_add(1, Ordering::SeqCst);
                    let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
                    state.most_open.fetch_max(open, Ordering::SeqCst);
                    let _ = serve(tcp, &state).await;
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { addr, state, task }
    }

    /// Changes what it answers from now on.
    pub fn set_script(&self, script: impl Fn(Step, usize, &str) -> Say + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Some(Arc::new(script));
    }

    /// What it was given whole.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// What it was given whole after the first `seen`.
    pub fn mails_from(&self, seen: usize) -> Vec<Mail> {
        let mails = self.state.mails.lock().unwrap();
        mails.get(seen..).unwrap_or_default().to_vec()
    }

    /// Every command it heard, and `AUTH` with what followed.
    pub fn heard(&self) -> Vec<String> {
        self.state.said.lock().unwrap().clone()
    }

    /// Sessions opened so far.
    pub fn sessions(&self) -> usize {
        self.state.sessions.load(Ordering::SeqCst)
    }

    /// The most sessions open at once.
    pub fn most_open(&self) -> usize {
        self.state.most_open.load(Ordering::SeqCst)
    }
}

impl Drop for SmtpPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Stream = BufReader<Box<dyn Duplex>>;

async fn protect(stream: Stream, identity: Identity) -> std::io::Result<Stream> {
    let stream = identity.acceptor().accept(stream.into_inner()).await?;
    Ok(BufReader::new(Box::new(stream)))
}

async fn serve(tcp: TcpStream, state: &State) -> std::io::Result<()> {
    let mut stream: Stream = BufReader::new(Box::new(tcp));
    if state.protection == Protection::Implicit {
        stream = protect(stream, state.identity).await?;
    }
    let mut plain = state.protection == Protection::Starttls;
    if say(state, &mut stream, Step::Greeting, "").await?.is_none() {
        return Ok(());
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        state.said.lock().unwrap().push(line.clone());
        let upper = line.to_ascii_uppercase();
        let step = match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" | "HELO" => Step::Ehlo,
            "STARTTLS" => Step::StartTls,
            "AUTH" => Step::Auth,
            "MAIL" => Step::Mail,
            "RCPT" => Step::Rcpt,
            "DATA" => Step::Data,
            "RSET" => Step::Rset,
            "NOOP" => Step::Noop,
            _ => Step::Quit,
        };
        match step {
            Step::Mail => (from, to) = (address(&line), Vec::new()),
            Step::Rcpt => to.push(address(&line)),
            _ => {}
        }
        let said = say(state, &mut stream, step, &line).await?;
        let Some(said) = said.filter(|said| !said.last && step != Step::Quit) else {
            return Ok(());
        };
        if step == Step::StartTls && said.code == 220 {
            stream = protect(stream, state.identity).await?;
            plain = false;
        }
        assert!(!plain || step != Step::Mail, "a mail without protection");
        if step == Step::Data && said.code == 354 {
            let mut data = Vec::new();
            while !data.ends_with(b"\r\n.\r\n") {
                if stream.read_until(b'\n', &mut data).await? == 0 {
                    return Ok(());
                }
            }
            let index = {
                let mut mails = state.mails.lock().unwrap();
                mails.push(Mail {
                    from: from.clone(),
                    to: to.clone(),
                    data,
                    accepted: false,
                });
                mails.len() - 1
            };
            let Some(said) = say(state, &mut stream, Step::Dot, "").await? else {
                return Ok(());
            };
            if said.code / 100 == 2 {
                state.mails.lock().unwrap()[index].accepted = true;
            }
            if said.last {
                return Ok(());
            }
        }
    }
}

/// What was said, and whether the session ends with it.
struct Said {
    code: u16,
    last: bool,
}

/// Speaks; none where nothing was said and the session is over.
async fn say(
    state: &State,
    write: &mut (impl AsyncWrite + Unpin),
    step: Step,
    heard: &str,
) -> std::io::Result<Option<Said>> {
    let nth = {
        let mut steps = state.steps.lock().unwrap();
        let nth = steps.entry(step).or_default();
        *nth += 1;
        *nth
    };
    let script = state.script.lock().unwrap().clone().unwrap();
    let answer = script(step, nth, heard);
    let last = matches!(answer, Say::Last(_));
    let mut bytes = match answer {
        Say::Usual => usual(state, step),
        Say::Late(wait) => {
            tokio::time::sleep(wait).await;
            usual(state, step)
        }
        Say::Line(line) | Say::Last(line) => line,
        Say::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            return Ok(None);
        }
        Say::HangUp => return Ok(None),
    };
    state
        .said
        .lock()
        .unwrap()
        .push(format!("< {}", String::from_utf8_lossy(&bytes)));
    bytes.extend_from_slice(b"\r\n");
    write.write_all(&bytes).await?;
    let code = bytes
        .get(..3)
        .and_then(|code| std::str::from_utf8(code).ok());
    let code = code.and_then(|code| code.parse().ok()).unwrap_or(0);
    Ok(Some(Said { code, last }))
}

fn usual(state: &State, step: Step) -> Vec<u8> {
    let text = match step {
        Step::Greeting => "220 peer.test ESMTP".to_owned(),
        Step::Ehlo => {
            let mut lines = vec!["250-peer.test".to_owned()];
            lines.extend(state.offers.iter().map(|offer| format!("250-{offer}")));
            lines.push("250 8BITMIME".into());
            lines.join("\r\n")
        }
        Step::StartTls => "220 go ahead".into(),
        Step::Auth => "235 2.7.0 welcome".into(),
        Step::Mail | Step::Rcpt | Step::Rset | Step::Noop => "250 2.0.0 ok".into(),
        Step::Data => "354 go on".into(),
        Step::Dot => "250 2.0.0 Ok: queued as 4F1A2B".into(),
        Step::Quit => "221 bye".into(),
    };
    text.into_bytes()
}

fn address(line: &str) -> String {
    let inner = line.split_once('<').map_or("", |(_, rest)| rest);
    inner
        .split_once('>')
        .map_or("", |(address, _)| address)
        .to_owned()
}
