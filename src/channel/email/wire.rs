//! The stream under lettre.
//!
//! What lettre writes is held back until it reads: body and closing dot leave in one write, without
//! the 40 ms that two writes cost. What the server says reaches lettre line by line, GBK turned
//! into UTF-8, so that a 250 in GBK is a 250. And it is known whether the last byte has left.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Longest line of an answer; more is no SMTP server.
const LONGEST_LINE: usize = 4096;
/// Above this a write goes out without waiting for a read.
const MOST_HELD: usize = 256 * 1024;

/// Plain or protected.
pub(super) enum Pipe {
    /// Plain.
    Plain(TcpStream),
    /// TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// What the session can ask about the stream it gave away.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Something written has not left yet.
    held: AtomicBool,
    /// The server offers to take several commands at once (RFC 2920).
    pipelining: AtomicBool,
}

impl Watch {
    /// Whether everything written so far has left.
    pub(super) fn all_left(&self) -> bool {
        !self.0.held.load(Ordering::Acquire)
    }

    /// Whether the server takes several commands at once; lettre does not say.
    pub(super) fn pipelining(&self) -> bool {
        self.0.pipelining.load(Ordering::Relaxed)
    }

    fn hold(&self, held: bool) {
        self.0.held.store(held, Ordering::Release);
    }

    fn look_at(&self, line: &[u8]) {
        let offer = line.get(4..).unwrap_or_default().trim_ascii_end();
        if line.starts_with(b"250") && offer.eq_ignore_ascii_case(b"PIPELINING") {
            self.0.pipelining.store(true, Ordering::Relaxed);
        }
    }
}

/// The stream lettre works on.
pub(super) struct Wire {
    pipe: Pipe,
    peer: SocketAddr,
    out: Vec<u8>,
    out_at: usize,
    watch: Watch,
    /// Bytes of a line that is not whole yet.
    line: Vec<u8>,
    /// Whole lines in UTF-8, for lettre.
    ready: Vec<u8>,
    ready_at: usize,
}

impl Wire {
    /// `said` is what the server is taken to have said already.
    pub(super) fn new(pipe: Pipe, peer: SocketAddr, said: &[u8]) -> (Self, Watch) {
        let watch = Watch::default();
        let wire = Self {
            pipe,
            peer,
            out: Vec::new(),
            out_at: 0,
            watch: watch.clone(),
            line: Vec::new(),
            ready: said.to_vec(),
            ready_at: 0,
        };
        (wire, watch)
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest) = self.out.get(self.out_at..)
            && !rest.is_empty()
        {
            let wrote = ready!(Pin::new(&mut self.pipe).poll_write(cx, rest))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out_at += wrote;
        }
        // From here on it cannot be told any more whether the server has it.
        self.watch.hold(false);
        ready!(Pin::new(&mut self.pipe).poll_flush(cx))?;
        self.out.clear();
        self.out_at = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes bytes from the server; gives whole lines on.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if part.ends_with(b"\n") && self.line.is_empty() {
                self.watch.look_at(part);
                give_on(&mut self.ready, part);
                continue;
            }
            self.line.extend_from_slice(part);
            if self.line.len() > LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
            }
            if self.line.ends_with(b"\n") {
                self.watch.look_at(&self.line);
                give_on(&mut self.ready, &self.line);
                self.line.clear();
            }
        }
        Ok(())
    }
}

/// UTF-8 as it is; anything else is taken for GBK, which GB18030 includes.
fn give_on(ready: &mut Vec<u8>, line: &[u8]) {
    if std::str::from_utf8(line).is_ok() {
        ready.extend_from_slice(line);
    } else {
        let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(line);
        ready.extend_from_slice(text.as_bytes());
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(cx))?;
        loop {
            if let Some(rest) = this.ready.get(this.ready_at..)
                && !rest.is_empty()
            {
                let count = rest.len().min(buf.remaining());
                buf.put_slice(rest.get(..count).unwrap_or_default());
                this.ready_at += count;
                if this.ready_at == this.ready.len() {
                    this.ready.clear();
                    this.ready_at = 0;
                }
                return Poll::Ready(Ok(()));
            }
            let mut space = [0_u8; 1024];
            let mut chunk = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.pipe).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                // The end; a line without its end is no answer.
                return Poll::Ready(Ok(()));
            }
            this.take(chunk.filled())?;
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.out.len() > MOST_HELD {
            ready!(this.poll_out(cx))?;
        }
        this.out.extend_from_slice(bytes);
        this.watch.hold(true);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Reading flushes; lettre flushes between body and dot, which is what must not happen.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(cx))?;
        Pin::new(&mut this.pipe).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }

    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

/// One answer read before lettre has the stream: its code and its lines.
pub(super) struct Said {
    /// The code.
    pub(super) code: u16,
    /// The text of all lines.
    pub(super) text: String,
}

/// Writes a command, where there is one, and reads the answer. Only for what comes before TLS: it
/// reads byte by byte, so that nothing said too early can pass for an answer under TLS.
pub(super) async fn ask(tcp: &mut TcpStream, command: &str) -> io::Result<Said> {
    if !command.is_empty() {
        tcp.write_all(command.as_bytes()).await?;
    }
    let mut said = Said {
        code: 0,
        text: String::new(),
    };
    loop {
        let line = read_line(tcp).await?;
        let mut text = Vec::new();
        give_on(&mut text, &line);
        let text = String::from_utf8_lossy(&text);
        let text = text.trim_end();
        let code = text.get(..3).and_then(|code| code.parse().ok());
        said.code = code.ok_or(io::ErrorKind::InvalidData)?;
        if !said.text.is_empty() {
            said.text.push('\n');
        }
        said.text.push_str(text.get(4..).unwrap_or_default());
        if text.as_bytes().get(3) != Some(&b'-') {
            return Ok(said);
        }
    }
}

async fn read_line(tcp: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        if line.len() > LONGEST_LINE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.push(tcp.read_u8().await?);
    }
    Ok(line)
}
