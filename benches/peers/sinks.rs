//! Where notifications go: a web server and a mail server that throw everything away and remember
//! who was told how often.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// The authority that signed the certificate of the mail server, `localhost`.
pub const CA: &[u8] = include_bytes!("../../tests/fixtures/tls/ca.pem");

/// What a sink speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP: WeCom's API, or a webhook.
    Http,
    /// SMTP as it is.
    Smtp,
    /// SMTP, STARTTLS offered.
    StartTls,
}

pub struct Sink {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What arrived.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How often each person was told.
    pub times: HashMap<String, usize>,
    /// All of it.
    pub total: usize,
    pub bytes: usize,
    pub last: Option<Instant>,
    pub most_open: usize,
    open: usize,
}

impl Seen {
    fn note(&mut self, person: &str, bytes: usize) {
        *self.times.entry(person.to_owned()).or_default() += 1;
        self.total += 1;
        self.bytes += bytes;
        self.last = Some(Instant::now());
    }

    pub fn repeated(&self) -> usize {
        self.total - self.times.len()
    }
}

type Shared = Arc<Mutex<Seen>>;

impl Sink {
    pub fn start(runtime: &Runtime, speaks: Speaks) -> Self {
        let seen = Shared::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = tcp.set_nodelay(true);
                    {
                        let mut seen = shared.lock().unwrap();
                        seen.open += 1;
                        seen.most_open = seen.most_open.max(seen.open);
                    }
                    // A peer that is killed breaks its connections off.
                    let _ = match speaks {
                        Speaks::Http => http(tcp, &shared).await,
                        Speaks::Smtp => smtp(tcp, &shared, None).await,
                        Speaks::StartTls => smtp(tcp, &shared, Some(acceptor())).await,
                    };
                    shared.lock().unwrap().open -= 1;
                });
            }
        });
        Self { port, seen }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

async fn http(tcp: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(tcp);
    loop {
        let (mut line, mut length, mut asks) = (String::new(), 0, false);
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let header = line.trim_end().to_ascii_lowercase();
            asks |= header.starts_with("get ");
            if let Some(given) = header.strip_prefix("content-length:") {
                length = given.trim().parse().unwrap();
            }
            if header.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let answer = if asks {
            r#"{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200}"#
        } else {
            let body = String::from_utf8_lossy(&body);
            shared.lock().unwrap().note(told(&body), length);
            r#"{"errcode":0,"errmsg":"ok","msgid":"m"}"#
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        let whole = format!("{head} {}\r\n\r\n{answer}", answer.len());
        stream.write_all(whole.as_bytes()).await?;
    }
}

/// Whom a webhook's body names: the application's addressee, or the group of an alert.
fn told(body: &str) -> &str {
    let of = |name: &str| {
        let (_, after) = body.split_once(name)?;
        after.split('"').next()
    };
    of("\"touser\":\"")
        .or_else(|| of("\"groupLabels\":{\"person\":\""))
        .unwrap_or("?")
}

fn acceptor() -> TlsAcceptor {
    let pem = include_bytes!("../../tests/fixtures/tls/server.pem");
    let chain = CertificateDer::pem_slice_iter(pem)
        .map(Result::unwrap)
        .collect();
    let key = include_bytes!("../../tests/fixtures/tls/server.key");
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn smtp(tcp: TcpStream, shared: &Shared, tls: Option<TlsAcceptor>) -> std::io::Result<()> {
    let mut plain = BufReader::new(tcp);
    plain.write_all(b"220 sink.example ESMTP\r\n").await?;
    if converse(&mut plain, shared, tls.is_some()).await? == Ends::Protect
        && let Some(tls) = tls
    {
        let stream = tls.accept(plain.into_inner()).await?;
        let mut stream = BufReader::new(stream);
        converse(&mut stream, shared, false).await?;
    }
    Ok(())
}

#[derive(PartialEq)]
enum Ends {
    Protect,
    Over,
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    shared: &Shared,
    protects: bool,
) -> std::io::Result<Ends> {
    let (mut line, mut to) = (Vec::new(), String::new());
    // Answers to commands that came together go together.
    let mut answers = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(Ends::Over);
        }
        let said = String::from_utf8_lossy(&line).to_ascii_uppercase();
        let answer = match said.get(..4).unwrap_or_default() {
            "EHLO" if protects => "250-sink.example\r\n250-STARTTLS\r\n250 PIPELINING",
            "EHLO" => "250-sink.example\r\n250-8BITMIME\r\n250 PIPELINING",
            "STAR" => "220 go on",
            "RCPT" => {
                let address = said.split(['<', '@']).nth(1).unwrap_or_default();
                to = address.to_lowercase();
                "250 2.1.5 Ok"
            }
            "DATA" => "354 End data with <CR><LF>.<CR><LF>",
            "QUIT" => "221 2.0.0 Bye",
            _ => "250 2.0.0 Ok",
        };
        answers.extend(answer.bytes().chain(*b"\r\n"));
        if answer.starts_with("354") {
            stream.write_all(&std::mem::take(&mut answers)).await?;
            stream.flush().await?;
            let mut data = Vec::new();
            while !data.ends_with(b"\r\n.\r\n") {
                if stream.read_until(b'\n', &mut data).await? == 0 {
                    return Ok(Ends::Over);
                }
            }
            shared.lock().unwrap().note(&to, data.len());
            answers.extend(b"250 2.0.0 Ok: queued\r\n");
        }
        if stream.buffer().is_empty() {
            stream.write_all(&std::mem::take(&mut answers)).await?;
            stream.flush().await?;
        }
        match said.get(..4) {
            Some("QUIT") => return Ok(Ends::Over),
            Some("STAR") => return Ok(Ends::Protect),
            _ => {}
        }
    }
}
