//! Durable reports over HTTP: the real daemon beside one writer that appends and syncs, and beside a
//! Django form that stores one row in SQLite.
//!
//! `cargo bench --bench replies`; for the second base `pip install django gunicorn` in the Python
//! that `CUIBAN_DJANGO` names (a row says so where there is none). A report counts once its
//! receipt has come back.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

mod kit;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cuiban::channel::spool;
use kit::http::{Connection, Peer, django, free_port, wait_for};

const CUIBAN: &str = env!("CARGO_BIN_EXE_cuiban");
/// Owners, each with a link of their own; a link takes thirty answers at once.
const OWNERS: usize = 1_500;
const REPORTS: usize = 15_000;
const CONNECTIONS: usize = 64;
const PROGRESS: &str = "已按计划推进，完成阶段性目标，正在落实下一步工作。";

fn main() {
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ours = Ours::start(folder.path());
    let writer = Writer::run(folder.path(), Duration::from_secs(3));
    let lone = ours.peer.lone(&ours.requests(1_000, 0));
    let many = ours.peer.many(&ours.requests(REPORTS, 1), CONNECTIONS);
    println!(
        "| what | base | ours | ours/base | must | aim |\n| --- | --- | --- | --- | --- | --- |"
    );
    row(
        "reports a second, 64 connections; base one fdatasync writer",
        writer.rate,
        many.rate,
        "1.5",
        "3",
    );
    row(
        "a lone report, median ms; base one fdatasync",
        writer.median.as_secs_f64() * 1e3,
        lone.as_secs_f64() * 1e3,
        "≤ 5",
        "",
    );
    match django(folder.path(), include_str!("peers/django_form.py")) {
        None => println!(
            "| Django: not installed (CUIBAN_DJANGO) | | {:.0}/s, {:.3} CPU s per 1,000 | | | |",
            many.rate, many.cpu
        ),
        Some(peer) => {
            let requests = vec![
                peer.request(
                    "/report",
                    "application/x-www-form-urlencoded",
                    &format!("task=1&status=on_schedule&progress={PROGRESS}")
                );
                REPORTS / 10
            ];
            let theirs = peer.many(&requests, CONNECTIONS);
            row(
                "reports a second; base Django form, one row",
                theirs.rate,
                many.rate,
                "10",
                "",
            );
            row(
                "CPU s per 1,000 reports; base Django form",
                theirs.cpu,
                many.cpu,
                "≤ 0.083",
                "≤ 0.05",
            );
        }
    }
}

fn row(what: &str, base: f64, ours: f64, must: &str, aim: &str) {
    println!(
        "| {what} | {base:.3} | {ours:.3} | {:.3} | {must} | {aim} |",
        ours / base
    );
}

/// One writer that appends a report's bytes and syncs them.
struct Writer {
    rate: f64,
    median: Duration,
}

impl Writer {
    fn run(folder: &Path, length: Duration) -> Self {
        let mut file = File::create(folder.join("writer")).unwrap();
        let mut taken = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < length {
            let one = Instant::now();
            file.write_all(&[b'x'; 600]).unwrap();
            file.sync_data().unwrap();
            taken.push(one.elapsed());
        }
        let rate = taken.len() as f64 / begun.elapsed().as_secs_f64();
        taken.sort();
        Self {
            rate,
            median: taken[taken.len() / 2],
        }
    }
}

/// The daemon with a table of so many owners, after its first notices.
struct Ours {
    peer: Peer,
    /// Of each owner, the link's token and the task.
    links: Vec<(String, usize)>,
}

impl Ours {
    fn start(folder: &Path) -> Self {
        let port = free_port();
        let dir = folder.display();
        let config = folder.join("cuiban.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nsocket = \"{dir}/cuiban.sock\"\n\
             [store]\npath = \"{dir}/data\"\n[log]\nlevel = \"warn\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let cuiban = |args: &[&str]| {
            let mut command = Command::new(CUIBAN);
            command
                .args(args)
                .arg("--config")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            command
        };
        let clock = [
            "serve",
            "--clock",
            "2022-01-04T09:00:00+08:00",
            "--speed",
            "0",
        ];
        let peer = Peer {
            child: cuiban(&clock).spawn().unwrap(),
            port,
        };
        wait_for(port);
        let table = folder.join("table-2022.csv");
        std::fs::write(&table, self::table()).unwrap();
        let import = [
            "plan",
            "import",
            table.to_str().unwrap(),
            "--year",
            "2022",
            "--accept",
        ];
        assert!(cuiban(&import).status().unwrap().success());
        let contacts = folder.join("contacts.csv");
        std::fs::write(&contacts, self::contacts()).unwrap();
        assert!(
            cuiban(&["contacts", "import", contacts.to_str().unwrap()])
                .status()
                .unwrap()
                .success()
        );
        let body = r#"{"advance_to":"2022-03-18T17:00:00+08:00"}"#;
        Connection::open(port).call(&peer.request("/api/v1/clock", "application/json", body));
        let sent = spool::read_all(&folder.join("data/spool")).unwrap();
        let links: Vec<_> = sent
            .into_iter()
            .filter_map(|message| {
                let link = message.link?;
                let (name, _) = message.to.split_once('（')?;
                let nth: String = name.chars().filter(char::is_ascii_digit).collect();
                Some((link.rsplit('/').next()?.to_owned(), nth.parse().ok()?))
            })
            .collect();
        assert!(links.len() >= OWNERS, "{} links", links.len());
        Self { peer, links }
    }

    /// So many reports, no two the same, from one owner after another.
    fn requests(&self, count: usize, round: usize) -> Vec<Vec<u8>> {
        let links = self.links.iter().cycle().take(count).enumerate();
        links
            .map(|(nth, (token, task))| {
                let body = format!(
                    r#"{{"reports":[{{"task":{task},"status":"on_schedule","progress":"{PROGRESS}第{round}轮第{nth}次","problems":"","next_steps":"继续推进","percent":60}}]}}"#
                );
                self.peer.request(&format!("/api/v1/reply/{token}"), "application/json", &body)
            })
            .collect()
    }
}

fn table() -> String {
    let mut table = String::from(
        "2022年目标任务分解表\n序号,年度目标及工作内容,季度进度安排,牵头单位,责任人,直接责任人\n",
    );
    for nth in 1..=OWNERS {
        let unit = nth % 50;
        writeln!(table, "{nth},推进第{nth}号重点项目建设。,一季度，完成前期工作；二季度，开工建设；四季度，完成主体工程。,市第{unit}建设中心,主任{unit},经办{nth}").unwrap();
    }
    table
}

fn contacts() -> String {
    let mut sheet = String::from("姓名,单位,职务,手机,邮箱,企业微信账号,渠道,备注\n");
    for nth in 1..=OWNERS {
        writeln!(
            sheet,
            "经办{nth},市第{}建设中心,,,u{nth}@example.invalid,,,",
            nth % 50
        )
        .unwrap();
    }
    sheet
}
