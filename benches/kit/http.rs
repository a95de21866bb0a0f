//! Servers beside each other over HTTP: processes of their own, what they cost, and a plain client.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A server in a process of its own; ended when dropped.
pub struct Peer {
    pub child: Child,
    pub port: u16,
}

/// What many requests cost.
pub struct Cost {
    /// A second.
    pub rate: f64,
    /// CPU seconds per 1,000, in the server.
    pub cpu: f64,
}

impl Peer {
    /// One request after another over one connection; the median.
    pub fn lone(&self, requests: &[Vec<u8>]) -> Duration {
        let mut connection = Connection::open(self.port);
        let mut taken: Vec<Duration> = requests
            .iter()
            .map(|request| {
                let begun = Instant::now();
                connection.call(request);
                begun.elapsed()
            })
            .collect();
        taken.sort();
        taken[taken.len() / 2]
    }

    /// All of them, over so many connections.
    pub fn many(&self, requests: &[Vec<u8>], connections: usize) -> Cost {
        let next = AtomicUsize::new(0);
        let (begun, before) = (Instant::now(), self.cpu());
        thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let mut connection = Connection::open(self.port);
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        connection.call(request);
                    }
                });
            }
        });
        let took = begun.elapsed().as_secs_f64();
        let cpu = (self.cpu() - before).as_secs_f64();
        let count = requests.len() as f64;
        Cost {
            rate: count / took,
            cpu: cpu * 1000.0 / count,
        }
    }

    pub fn cpu(&self) -> Duration {
        let own = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        children.chain([own]).map(super::cpu_of).sum()
    }

    /// A form or a document.
    pub fn request(&self, path: &str, kind: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}", self.port).into_bytes()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A kept HTTP/1.1 connection, opened anew where the server closes it.
pub struct Connection {
    port: u16,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            port,
            stream: BufReader::new(stream),
        }
    }

    /// Sends a request and reads the whole answer, which must be a 2xx; the answer's bytes.
    pub fn call(&mut self, request: &[u8]) -> Vec<u8> {
        let (head, body) = self.exchange(request);
        let status = head.split(' ').nth(1).and_then(|status| status.get(..1));
        assert_eq!(status, Some("2"), "{head}");
        body
    }

    /// The same with any status: the head of the answer, and its bytes.
    pub fn exchange(&mut self, request: &[u8]) -> (String, Vec<u8>) {
        let (mut length, mut closes, mut line) = (0, false, String::new());
        // A server may have closed the connection after the last answer.
        while line.is_empty() {
            let sent = self.stream.get_mut().write_all(request);
            if sent.is_err() || self.stream.read_line(&mut line).is_err() || line.is_empty() {
                line.clear();
                *self = Self::open(self.port);
            }
        }
        let mut head = line.clone();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            head.push_str(&line);
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            closes |= header == "connection: close";
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        if closes {
            *self = Self::open(self.port);
        }
        (head, body)
    }
}

/// gunicorn with this application, where Django is installed.
pub fn django(folder: &Path, application: &str) -> Option<Peer> {
    let python = std::env::var("CUIBAN_DJANGO").unwrap_or_else(|_| "/usr/bin/python3".into());
    let has = Command::new(&python)
        .args(["-c", "import django, gunicorn"])
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        return None;
    }
    let port = free_port();
    std::fs::write(folder.join("app.py"), application).unwrap();
    let child = Command::new(&python)
        .args([
            "-m",
            "gunicorn",
            // Once, before the workers: two that make the table at once get in each other's way.
            "--preload",
            "--workers",
            "2",
            "--threads",
            "32",
            "--keep-alive",
            "60",
            "--bind",
        ])
        .arg(format!("127.0.0.1:{port}"))
        .arg("app:application")
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(port);
    Some(Peer { child, port })
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

pub fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "nothing listens"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
