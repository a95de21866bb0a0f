//! The whole process as an administrator meets it: reading the table, an idle daemon, a start with
//! a year's journal, the board. Each figure stands beside a base row of the same run.
//!
//! `cargo bench --bench process [-- SECONDS]`: how long the idle daemon is watched, 20 by default.
//! The bases are `/bin/true`, Python reading the same file, and Python's own `http.server`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cuiban::channel::spool;
use reqwest::Client;
use serde_json::{Value, json};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/dongguan-2022.txt");
const PYTHON: &str = "/usr/bin/python3";
const CUIBAN: &str = env!("CARGO_BIN_EXE_cuiban");
/// Linux counts CPU time for user space in hundredths of a second.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() {
    let watched = std::env::args().find_map(|arg| arg.parse().ok());
    let watched = Duration::from_secs(watched.unwrap_or(20));
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("| what | base | ours | ratio | goal |\n| --- | --- | --- | --- | --- |");
    inspect();
    let year = Year::run().await;
    starts(&year).await;
    idle(&year, watched).await;
    pages(&year).await;
}

/// (a) Reading the table, whole process.
fn inspect() {
    let nothing = median(20, || run(&mut Command::new("/bin/true")));
    let python = median(20, || {
        let read = "import sys; open(sys.argv[1], encoding='utf-8').read()";
        run(Command::new(PYTHON).args(["-c", read, TABLE]))
    });
    let ours = median(20, || {
        run(Command::new(CUIBAN).args(["plan", "inspect", TABLE, "--json"]))
    });
    row("`plan inspect --json`, base /bin/true", nothing, ours, "");
    row(
        "`plan inspect --json`, base python3 reading the file",
        python,
        ours,
        "< 100 ms",
    );
}

/// (c) From the start of the process to the first 200 of `/readyz`.
async fn starts(year: &Year) {
    let mut base = Vec::new();
    for _ in 0..5 {
        base.push(year.python().await.started);
    }
    let (mut clean, mut killed) = (Vec::new(), Vec::new());
    year.start().await.stop();
    for _ in 0..5 {
        let daemon = year.start().await;
        clean.push(daemon.started);
        daemon.kill();
        let daemon = year.start().await;
        killed.push(daemon.started);
        daemon.stop();
    }
    let facts = year.facts();
    let base = middle(&mut base);
    row(
        &format!("start with {facts} facts, after a clean stop; base http.server"),
        base,
        middle(&mut clean),
        "< 300 ms",
    );
    row(
        &format!("start with {facts} facts, after SIGKILL; base http.server"),
        base,
        middle(&mut killed),
        "< 300 ms",
    );
}

/// (b) Memory and wake-ups of a daemon with nothing to do.
async fn idle(year: &Year, watched: Duration) {
    let (base, daemon) = (year.python().await, year.start().await);
    // What a start leaves behind (a checkpoint, a first pass) is over.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = (base.wake_ups(), daemon.wake_ups());
    tokio::time::sleep(watched).await;
    let seconds = watched.as_secs_f64();
    let (theirs, ours) = (
        (base.wake_ups() - before.0) / seconds,
        (daemon.wake_ups() - before.1) / seconds,
    );
    let (their_rss, our_rss) = (base.resident(), daemon.resident());
    println!(
        "| idle: resident, base http.server | {their_rss:.1} MB | {our_rss:.1} MB | {:.2} | < 40 MB |",
        our_rss / their_rss
    );
    println!(
        "| idle: wake-ups a second, base http.server | {theirs:.1} | {ours:.1} | {:.2} | ≤ 6 |",
        ours / theirs
    );
    for (thread, count) in daemon.busiest_threads() {
        println!("| idle: switches of `{thread}` since its start | | {count} | | |");
    }
    daemon.stop();
}

/// (d) The board, over the command socket, beside a static file of the page's size.
async fn pages(year: &Year) {
    const TIMES: usize = 200;
    let daemon = year.start().await;
    let socket = Client::builder()
        .unix_socket(year.folder.path().join("cuiban.sock"))
        .build()
        .unwrap();
    for (name, path) in [
        ("board page", "/?quarter=2022Q2"),
        ("status JSON", "/api/v1/board?quarter=2022Q2"),
        (
            "status JSON of a past moment",
            "/api/v1/board?quarter=2022Q2&as_of=2022-06-30T18:00:00%2B08:00",
        ),
    ] {
        let url = format!("http://cuiban.invalid{path}");
        let body = fetch(&socket, &url).await;
        std::fs::write(year.folder.path().join("page"), &body).unwrap();
        let base = year.python().await;
        let http = plain_client();
        let static_url = format!("http://127.0.0.1:{}/page", base.port);
        let theirs = timed(&base, &http, &static_url, TIMES).await;
        let ours = timed(&daemon, &socket, &url, TIMES).await;
        let size = body.len() / 1024;
        row(
            &format!("{name}, {size} KB: latency; base http.server, the same bytes from a file"),
            theirs.0,
            ours.0,
            "",
        );
        println!(
            "| {name}: CPU ms a request | {:.2} | {:.2} | {:.2} | |",
            theirs.1,
            ours.1,
            ours.1 / theirs.1
        );
    }
    daemon.stop();
}

/// Median latency, and CPU milliseconds a request in the process that answers.
async fn timed(process: &Process, client: &Client, url: &str, times: usize) -> (Duration, f64) {
    let before = process.cpu();
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        fetch(client, url).await;
        taken.push(begun.elapsed());
    }
    let cpu = (process.cpu() - before) * 1000.0 / times as f64;
    (middle(&mut taken), cpu)
}

/// A folder with the journal of the whole of 2022, lived through on a simulated clock: a report
/// from one owner of three at each reminder, from the others only after the 督办.
struct Year {
    folder: tempfile::TempDir,
    port: u16,
}

impl Year {
    async fn run() -> Self {
        let port = free_port();
        let year = Self {
            folder: tempfile::tempdir().unwrap(),
            port,
        };
        let dir = year.folder.path().display();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nsocket = \"{dir}/cuiban.sock\"\n\
             [store]\npath = \"{dir}/data\"\n[log]\nlevel = \"warn\"\n"
        );
        std::fs::write(year.folder.path().join("cuiban.toml"), config).unwrap();
        let daemon = year.spawn(&["--clock", "2022-01-04T09:00:00+08:00", "--speed", "0"]);
        let daemon = daemon.ready(port).await;
        let import = ["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"];
        assert!(year.cuiban(&import).output().unwrap().status.success());
        year.fill_contacts();
        let http = plain_client();
        let stops = [
            ("2022-03-28T12:00:00+08:00", "2022Q1", 0),
            ("2022-04-11T12:00:00+08:00", "2022Q1", 2),
            ("2022-06-27T12:00:00+08:00", "2022Q2", 0),
            ("2022-07-11T12:00:00+08:00", "2022Q2", 2),
            ("2022-09-27T12:00:00+08:00", "2022Q3", 0),
            ("2022-10-13T12:00:00+08:00", "2022Q3", 2),
            ("2022-12-27T12:00:00+08:00", "2022Q4", 0),
            ("2023-01-10T12:00:00+08:00", "2022Q4", 2),
            ("2023-01-31T12:00:00+08:00", "2022Q4", 3),
        ];
        for (moment, quarter, part) in stops {
            let moved = http
                .post(format!("http://127.0.0.1:{port}/api/v1/clock"))
                .timeout(Duration::from_secs(300))
                .json(&json!({ "advance_to": moment }))
                .send();
            assert!(moved.await.unwrap().status().is_success());
            year.report(&http, quarter, part).await;
        }
        daemon.stop();
        year
    }

    /// Everyone has an address, so that nobody is left out; the spool takes what is sent.
    fn fill_contacts(&self) {
        let sheet = self.cuiban(&["contacts", "template"]).output().unwrap();
        let sheet = String::from_utf8(sheet.stdout).unwrap();
        let mut filled = String::new();
        for (number, line) in sheet.trim_start_matches('\u{feff}').lines().enumerate() {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if number > 0 {
                cells[4] = format!("u{number}@example.invalid");
            }
            filled.push_str(&cells.join(","));
            filled.push('\n');
        }
        let path = self.folder.path().join("contacts.csv");
        std::fs::write(&path, filled).unwrap();
        let import = ["contacts", "import", path.to_str().unwrap()];
        assert!(self.cuiban(&import).output().unwrap().status.success());
    }

    /// Owners report by the links they were sent: `part` 0 is one of three, 2 the others.
    async fn report(&self, http: &Client, quarter: &str, part: usize) {
        let mut links: Vec<String> = spool::read_all(&self.folder.path().join("data/spool"))
            .unwrap()
            .into_iter()
            .filter(|message| message.quarter == quarter)
            .filter_map(|message| message.link)
            .collect();
        links.sort();
        links.dedup();
        for (number, link) in links.iter().enumerate() {
            if (part == 0) != (number % 3 == 2) || part > 2 {
                continue;
            }
            let token = link.rsplit('/').next().unwrap();
            let url = format!("http://127.0.0.1:{}/api/v1/reply/{token}", self.port);
            let sheet: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
            let reports: Vec<Value> = sheet["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|item| item["state"] != "reported")
                .map(|item| {
                    json!({ "task": item["task"], "unit": item["unit"], "status": "on_schedule",
                        "progress": "已按计划推进，完成阶段性目标，正在落实下一步工作。",
                        "problems": "", "next_steps": "继续推进", "percent": 60 })
                })
                .collect();
            if !reports.is_empty() {
                let body = json!({ "reports": reports });
                http.post(&url).json(&body).send().await.unwrap();
            }
        }
    }

    fn facts(&self) -> usize {
        let dump = self.cuiban(&["journal", "dump"]).output().unwrap();
        dump.stdout.iter().filter(|byte| **byte == b'\n').count()
    }

    fn cuiban(&self, args: &[&str]) -> Command {
        let mut command = Command::new(CUIBAN);
        command
            .args(args)
            .arg("--config")
            .arg(self.folder.path().join("cuiban.toml"))
            .stdin(Stdio::null());
        command
    }

    fn spawn(&self, more: &[&str]) -> Starting {
        let mut args = vec!["serve"];
        args.extend(more);
        Starting::new(
            self.cuiban(&args)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    }

    /// The daemon on the real clock.
    async fn start(&self) -> Process {
        self.spawn(&[]).ready(self.port).await
    }

    /// Python's own server, which serves this folder.
    async fn python(&self) -> Process {
        let port = free_port();
        let mut command = Command::new(PYTHON);
        command
            .args(["-m", "http.server", "--bind", "127.0.0.1"])
            .arg(port.to_string())
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        std::fs::write(self.folder.path().join("readyz"), "ok").unwrap();
        Starting::new(&mut command).ready(port).await
    }
}

struct Starting {
    child: Child,
    begun: Instant,
}

impl Starting {
    fn new(command: &mut Command) -> Self {
        Self {
            begun: Instant::now(),
            child: command.spawn().unwrap(),
        }
    }

    async fn ready(self, port: u16) -> Process {
        let (http, url) = (plain_client(), format!("http://127.0.0.1:{port}/readyz"));
        loop {
            let answer = http.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            assert!(self.begun.elapsed() < Duration::from_secs(60), "not ready");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Process {
            started: self.begun.elapsed(),
            child: self.child,
            port,
        }
    }
}

/// A process that is ready.
struct Process {
    child: Child,
    port: u16,
    started: Duration,
}

impl Process {
    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(file)
    }

    /// Resident memory in MB.
    fn resident(&self) -> f64 {
        field(&self.proc("status"), "VmRSS:") / 1024.0
    }

    /// CPU seconds, of all threads.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(self.proc("stat")).unwrap();
        let behind_name = stat.rsplit(") ").next().unwrap();
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
    }

    fn wake_ups(&self) -> f64 {
        self.threads().iter().map(|(_, count)| count).sum()
    }

    fn busiest_threads(&self) -> Vec<(String, f64)> {
        let mut threads = self.threads();
        threads.sort_by(|a, b| b.1.total_cmp(&a.1));
        threads.truncate(3);
        threads
    }

    fn threads(&self) -> Vec<(String, f64)> {
        let tasks = std::fs::read_dir(self.proc("task")).unwrap();
        tasks
            .map(|task| {
                let task = task.unwrap().path();
                let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
                let count = field(&task.join("status"), "voluntary_ctxt_switches:");
                (name.trim().to_owned(), count)
            })
            .collect()
    }

    /// SIGTERM, and waits for a stop in good order.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first number behind `name` in a file of /proc; 0 where the thread has gone meanwhile.
fn field(path: &Path, name: &str) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0.0)
}

async fn fetch(client: &Client, url: &str) -> Vec<u8> {
    let answer = client.get(url).send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {}", answer.status());
    answer.bytes().await.unwrap().to_vec()
}

fn plain_client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn run(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code().is_some());
    begun.elapsed()
}

fn median(times: usize, mut one: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..times).map(|_| one()).collect();
    middle(&mut all)
}

fn middle(all: &mut [Duration]) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn row(what: &str, base: Duration, ours: Duration, goal: &str) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "| {what} | {:.2} ms | {:.2} ms | {:.2} | {goal} |",
        ms(base),
        ms(ours),
        ms(ours) / ms(base)
    );
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
