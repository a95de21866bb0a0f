//! A sender that does nothing but send: sessions under TLS that are kept, commands that go
//! together, the same bytes again and again, and nothing stored.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::ours::{self, Cost};
use crate::sinks::{CA, Sink};
use crate::{SESSIONS, kit};

/// Sends so many mails of so many bytes in a process of its own.
pub fn starttls(sink: &Sink, mails: usize, bytes: usize) -> Cost {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["raw", &sink.port.to_string()])
        .args([mails.to_string(), bytes.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ours::cost(child).unwrap()
}

/// In the process.
pub fn work(args: &[String]) {
    let numbers: Vec<usize> = args.iter().map(|arg| arg.parse().unwrap()).collect();
    let [port, mails, bytes] = numbers[..] else {
        return;
    };
    let line = "x".repeat(74) + "\r\n";
    let mail = Arc::new(line.repeat(bytes / line.len()) + ".\r\n");
    let (began, before) = (Instant::now(), kit::own_cpu());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sessions = (0..SESSIONS).map(|nth| {
            let own = mails / SESSIONS + usize::from(nth < mails % SESSIONS);
            tokio::spawn(session(port, own, Arc::clone(&mail)))
        });
        for session in sessions.collect::<Vec<_>>() {
            session.await.unwrap().unwrap();
        }
    });
    let (took, cpu) = (began.elapsed(), kit::own_cpu() - before);
    let (_, resident) = kit::resident(std::process::id());
    println!("{} {} {resident}", took.as_secs_f64(), cpu.as_secs_f64());
}

async fn session(port: usize, mails: usize, mail: Arc<String>) -> std::io::Result<()> {
    let tcp = TcpStream::connect(format!("127.0.0.1:{port}")).await?;
    tcp.set_nodelay(true)?;
    let mut plain = BufReader::new(tcp);
    answers(&mut plain, 1).await?;
    say(&mut plain, "EHLO raw.example\r\n").await?;
    answers(&mut plain, 1).await?;
    say(&mut plain, "STARTTLS\r\n").await?;
    answers(&mut plain, 1).await?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(CA).map(Result::unwrap));
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(Arc::new(config));
    let mut stream = BufReader::new(tls.connect(name, plain.into_inner()).await?);
    say(&mut stream, "EHLO raw.example\r\n").await?;
    answers(&mut stream, 1).await?;
    let opening = "MAIL FROM:<a@agency.example>\r\nRCPT TO:<b@bureau.example>\r\nDATA\r\n";
    for _ in 0..mails {
        say(&mut stream, opening).await?;
        answers(&mut stream, 3).await?;
        say(&mut stream, &mail).await?;
        answers(&mut stream, 1).await?;
    }
    say(&mut stream, "QUIT\r\n").await
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    text: &str,
) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

/// Reads so many answers; their last line has a blank after the code.
async fn answers<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    count: usize,
) -> std::io::Result<()> {
    let mut line = String::new();
    for _ in 0..count {
        line.clear();
        while line.as_bytes().get(3) != Some(&b' ') {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        assert!(line.starts_with(['2', '3']), "{line}");
    }
    Ok(())
}
