//! A small world around the real binary: a folder, a config, an SMTP server process, a clock that
//! stands until it is moved.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};
use mail_parser::MessageParser;
use serde_json::Value;

/// Longest wait for anything that should happen at once.
pub const SOON: Duration = Duration::from_secs(30);

/// The real table.
pub const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/dongguan-2022.txt");

/// Columns of the contact sheet.
pub const NAME: usize = 0;
pub const UNIT: usize = 1;
pub const MOBILE: usize = 3;
pub const EMAIL: usize = 4;
pub const WECOM: usize = 5;
pub const CHANNELS: usize = 6;

pub struct World {
    pub dir: tempfile::TempDir,
    pub port: u16,
    /// `RUST_LOG` of all that runs here.
    pub log_level: &'static str,
    /// More of its environment.
    pub env: Vec<(&'static str, String)>,
    extra: String,
}

impl World {
    /// A fresh folder; `extra` is TOML put behind the usual sections.
    pub fn new(extra: &str) -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            port: free_port(),
            log_level: "info",
            env: Vec::new(),
            extra: extra.to_owned(),
        };
        world.write_config();
        world
    }

    /// Puts other TOML behind the usual sections, for the next start.
    pub fn reconfigure(&mut self, extra: &str) {
        extra.clone_into(&mut self.extra);
        self.write_config();
    }

    fn write_config(&self) {
        let dir = self.dir.path().display();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"http://127.0.0.1:{}\"\n\
             socket = \"{dir}/cuiban.sock\"\n\
             [store]\npath = \"{dir}/data\"\n\
             [office]\nname = \"市政府督查科\"\nphone = \"0769-12345678\"\n{}",
            self.port, self.port, self.extra
        );
        std::fs::write(self.config(), config).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("cuiban.toml")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command to its end.
    pub fn cuiban(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command to its end and types `words` into it.
    pub fn cuiban_told(&self, args: &[&str], words: &str) -> Output {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(words.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must do what it says; gives stdout.
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.cuiban(args);
        assert!(
            output.status.success(),
            "{args:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// The program run by another one, such as a tracer with its arguments.
    fn command_under(&self, runner: &[String], args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_cuiban").to_owned();
        let mut words = runner.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(args)
            .arg("--config")
            .arg(self.config())
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("RUST_LOG", self.log_level)
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Starts the daemon with its clock at `clock`, standing still unless `speed` says otherwise,
    /// and waits until it is ready.
    pub async fn serve(&self, clock: &str, speed: f64) -> Daemon {
        let daemon = self.spawn(clock, speed);
        daemon.ready().await;
        daemon
    }

    /// Starts the daemon and does not wait.
    pub fn spawn(&self, clock: &str, speed: f64) -> Daemon {
        self.spawn_under(&[], clock, speed)
    }

    /// Starts the daemon by another program and does not wait.
    pub fn spawn_under(&self, runner: &[String], clock: &str, speed: f64) -> Daemon {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = self
            .command_under(
                runner,
                &["serve", "--clock", clock, "--speed", &speed.to_string()],
            )
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.daemon(child)
    }

    /// Starts the daemon by the machine's clock, which is off by the seconds in this file.
    pub fn spawn_by_machine_clock(&self, offset: &Path) -> Daemon {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = self
            .command(&["serve"])
            .env("CUIBAN_TEST_CLOCK", offset)
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.daemon(child)
    }

    fn daemon(&self, child: Child) -> Daemon {
        Daemon {
            child,
            base: format!("http://127.0.0.1:{}", self.port),
            http: client(),
            socket: client_over(&self.path("cuiban.sock")),
            log: self.path("log"),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Imports the real table as repaired, and a contact for everyone in it; `channel` says how
    /// each person is reached.
    pub fn import(&self, channel: impl Fn(usize, &str) -> &'static str) {
        self.import_filled(|index, row| {
            let kind = channel(index, &row[NAME]);
            if kind.contains("email") {
                row[EMAIL] = format!("u{}@example.invalid", index + 1);
            }
            if kind.contains("wecom") {
                row[WECOM] = format!("wx{}", index + 1);
            }
            row[CHANNELS] = kind.to_owned();
        });
    }

    /// Imports the real table as repaired, and the contact sheet as `fill` fills in its rows.
    pub fn import_filled(&self, fill: impl FnMut(usize, &mut [String])) {
        self.import_table(TABLE, fill);
    }

    /// The same with another table.
    pub fn import_table(&self, table: &str, mut fill: impl FnMut(usize, &mut [String])) {
        self.run(&["plan", "import", table, "--id", "dongguan-2022", "--accept"]);
        let sheet = self.run(&["contacts", "template"]);
        let mut filled = String::new();
        for (index, line) in sheet.trim_start_matches('\u{feff}').lines().enumerate() {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if let Some(index) = index.checked_sub(1) {
                fill(index, &mut cells);
                cells[CHANNELS] = format!("\"{}\"", cells[CHANNELS]);
            }
            filled.push_str(&cells.join(","));
            filled.push('\n');
        }
        let path = self.path("contacts.csv");
        std::fs::write(&path, filled).unwrap();
        self.run(&["contacts", "import", path.to_str().unwrap()]);
    }

    /// Names by address, from the sheet that was imported.
    pub fn names_by_address(&self) -> BTreeMap<String, (String, String)> {
        let sheet = std::fs::read_to_string(self.path("contacts.csv")).unwrap();
        sheet
            .lines()
            .skip(1)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (
                    cells[4].to_owned(),
                    (cells[0].to_owned(), cells[1].to_owned()),
                )
            })
            .collect()
    }
}

pub struct Daemon {
    child: Child,
    pub base: String,
    pub http: reqwest::Client,
    socket: reqwest::Client,
    log: PathBuf,
}

impl Daemon {
    pub async fn ready(&self) {
        let url = format!("{}/readyz", self.base);
        let ready = eventually(SOON, || async {
            let answer = self.http.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        if ready.is_none() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the daemon was not ready in time:\n{log}");
        }
    }

    /// Moves the clock through every stage on the way.
    pub async fn advance(&self, to: &str) {
        let answer = self
            .http
            .post(format!("{}/api/v1/clock", self.base))
            .json(&serde_json::json!({ "advance_to": to }))
            .timeout(Duration::from_secs(900))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        assert!(
            status.is_success(),
            "{status}: {}",
            answer.text().await.unwrap()
        );
    }

    /// Asks over the command socket, where nobody has to sign in.
    pub async fn get(&self, path: &str) -> Value {
        let url = format!("http://cuiban.invalid{path}");
        let answer = self.socket.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// A page as the operator sees it, over the command socket.
    pub async fn page(&self, path: &str) -> String {
        let url = format!("http://cuiban.invalid{path}");
        let answer = self.socket.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    /// Sends a form as the operator.
    pub async fn submit(&self, path: &str, form: &[(&str, String)]) -> reqwest::Response {
        submit(&self.socket, &format!("http://cuiban.invalid{path}"), form).await
    }

    /// Sends a form as anybody.
    pub async fn fill_in(&self, path: &str, form: &[(&str, String)]) -> reqwest::Response {
        submit(&self.http, &format!("{}{path}", self.base), form).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The daemon that runs under another program, where it still does.
    fn inner(&self) -> Option<rustix::process::Pid> {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let inner = children.split_whitespace().next()?.parse().ok()?;
        rustix::process::Pid::from_raw(inner)
    }

    /// SIGTERM or SIGKILL to the daemon that runs under another program; waits for both to end.
    pub async fn end_inner(mut self, signal: rustix::process::Signal) {
        if let Some(inner) = self.inner() {
            let _ = rustix::process::kill_process(inner, signal);
        }
        let ended = eventually(SOON, || {
            let ended = self.ended().then_some(());
            async move { ended }
        })
        .await;
        assert!(ended.is_some(), "it did not end in time");
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for a stop in good order.
    pub async fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = eventually(SOON, || {
            let status = self.child.try_wait().unwrap();
            async move { status }
        })
        .await;
        assert!(status.expect("it did not stop in time").success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An SMTP server in a process of its own.
pub struct Smtp {
    child: Child,
    pub port: u16,
    file: PathBuf,
}

/// A message it took.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub message_id: String,
    pub text: String,
    /// As it came.
    pub raw: String,
}

impl Mail {
    /// The link in its text.
    pub fn link(&self) -> String {
        let start = self.text.find("http://").expect("a link");
        let link = &self.text[start..];
        let end = link
            .find(|c: char| c.is_whitespace() || !c.is_ascii())
            .unwrap_or(link.len());
        link[..end].to_owned()
    }
}

impl Smtp {
    pub fn start(dir: &Path, milliseconds: u32) -> Self {
        Self::start_on(dir, free_port(), milliseconds)
    }

    pub fn start_on(dir: &Path, port: u16, milliseconds: u32) -> Self {
        let file = dir.join("mail.jsonl");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/smtp_server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(port.to_string())
            .arg(&file)
            .arg(milliseconds.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line.trim(), "ready");
        Self { child, port, file }
    }

    /// The config section that sends by it.
    pub fn section(&self) -> String {
        format!(
            "[email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"督查科 <duban@example.invalid>\"\nmax_connections = 4\ntimeout_seconds = 5\n",
            self.port
        )
    }

    /// How much was taken so far, in bytes of the sink's file.
    pub fn taken(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |file| file.len())
    }

    /// Everything taken so far.
    pub fn mails(&self) -> Vec<Mail> {
        let lines = std::fs::read_to_string(&self.file).unwrap_or_default();
        lines
            .lines()
            .map(|line| {
                let record: Value = serde_json::from_str(line).unwrap();
                let raw = record["raw"].as_str().unwrap().to_owned();
                let message = MessageParser::default().parse(raw.as_bytes()).unwrap();
                Mail {
                    to: record["to"][0].as_str().unwrap().to_owned(),
                    message_id: message.message_id().unwrap().to_owned(),
                    text: message.body_text(0).unwrap().into_owned(),
                    raw: raw.clone(),
                }
            })
            .collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn submit(client: &reqwest::Client, url: &str, form: &[(&str, String)]) -> reqwest::Response {
    try_submit(client, url, form).await.unwrap()
}

/// Sends a form; none where nobody answers.
pub async fn try_submit(
    client: &reqwest::Client,
    url: &str,
    form: &[(&str, String)],
) -> Option<reqwest::Response> {
    let fields = reqwest::Url::parse_with_params("http://cuiban.invalid", form).unwrap();
    let form = "application/x-www-form-urlencoded";
    let request = client.post(url).header("content-type", form);
    let body = fields.query().unwrap().to_owned();
    request.body(body).send().await.ok()
}

pub fn client_over(socket: &Path) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .unix_socket(socket)
        .build()
        .unwrap()
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks until there is an answer, within `bound`.
pub async fn eventually<T, F, Fut>(bound: Duration, mut ask: F) -> Option<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let until = Instant::now() + bound;
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if Instant::now() > until {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An instant at the office.
pub fn at(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("{text}:00+08:00")).unwrap()
}
