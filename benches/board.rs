//! The board over HTTP: the first screen of the real table, a list of a thousand tasks beside the
//! same list in Django with SQLite, and a table of a hundred thousand.
//!
//! `cargo bench --bench board`; for the base of the list `pip install django gunicorn` in the
//! Python that `CUIBAN_DJANGO` names (a row says so where there is none). The base of the others
//! is Python's own `http.server` with a file of the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

mod kit;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cuiban::clock::Clock;
use cuiban::domain::book::Book;
use cuiban::domain::fact::{Actor, Fact};
use cuiban::domain::ids::{PlanId, Quarter};
use cuiban::domain::report::{Report, ReportStatus, Via};
use cuiban::store::{Ledger, Opener, Room};
use kit::http::{Connection, Cost, Peer, django, free_port, wait_for};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/dongguan-2022.txt");
const CUIBAN: &str = env!("CARGO_BIN_EXE_cuiban");
const PASSWORD: &str = "bench-password-long-enough";
/// Two days before the first deadline.
const NOW: &str = "2022-03-29T10:00:00+08:00";

fn main() {
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!("| what | base | ours | ours/base | goal |\n| --- | --- | --- | --- | --- |");
    first_screen();
    list();
    hundred_thousand();
}

/// The real table, two of three having reported.
fn first_screen() {
    let office = Office::new();
    {
        let _daemon = office.serve(&["--clock", "2022-01-04T09:00:00+08:00", "--speed", "0"]);
        office.run(&["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"]);
    }
    office.append(|book| reports(book, &PlanId::example()));
    let daemon = office.serve(&["--clock", NOW, "--speed", "0"]);
    let session = office.sign_in(&daemon);
    let request = get(&daemon, "/", &session);
    let page = Connection::open(daemon.port).call(&request);
    println!(
        "| first screen, 250 tasks: KB | | {:.1} | | < 100 |",
        page.len() as f64 / 1000.0
    );
    let base = office.http_server(&page);
    let plain = get(&base, "/page", "");
    let lone = |peer: &Peer, request: &[u8]| {
        let requests = vec![request.to_vec(); 300];
        peer.lone(&requests).as_secs_f64() * 1e3
    };
    row(
        "first screen, median ms of a lone request; base http.server, the same bytes",
        lone(&base, &plain),
        lone(&daemon, &request),
        "< 5 ms",
    );
    let many = |peer: &Peer, request: &[u8], count| peer.many(&vec![request.to_vec(); count], 8);
    let (theirs, ours) = (many(&base, &plain, 500), many(&daemon, &request, 5_000));
    row(
        "first screen, CPU ms a request; base the same",
        theirs.cpu,
        ours.cpu,
        "≤ 2 ms",
    );
    drop(daemon);
    let pinned = office.pinned(&["--clock", NOW, "--speed", "0"]);
    let session = office.sign_in(&pinned);
    let request = get(&pinned, "/", &session);
    let one_core = many(&pinned, &request, 5_000);
    row(
        "first screen, requests a second, on one core; base the same, on as many as it likes",
        theirs.rate,
        one_core.rate,
        "≥ 500/s",
    );
}

/// A thousand tasks in a list, on one page or as many as it takes.
fn list() {
    let office = Office::new();
    office.append(|_| city(1_000));
    office.append(|book| reports(book, &plan()));
    let daemon = office.serve(&["--clock", NOW, "--speed", "0"]);
    let session = office.sign_in(&daemon);
    let path = "/items?plan=bench&quarter=2022Q1&state=all&per=1000&page=";
    let rows = |page: &[u8]| {
        let text = String::from_utf8_lossy(page).into_owned();
        text.matches("href=\"/task/").count()
    };
    let mut pages = Vec::new();
    let (mut shown, mut bytes) = (0, 0);
    while shown < 1_000 {
        let request = get(&daemon, &format!("{path}{}", pages.len() + 1), &session);
        let page = Connection::open(daemon.port).call(&request);
        let more = rows(&page);
        assert!(more > 0, "{shown} of 1,000 rows on {} pages", pages.len());
        shown += more;
        bytes += page.len();
        pages.push(request);
    }
    let rounds = 200;
    let requests: Vec<_> = pages
        .iter()
        .cycle()
        .take(rounds * pages.len())
        .cloned()
        .collect();
    let ours = per_list(&daemon.many(&requests, 8), pages.len());
    println!(
        "| list of 1,000 tasks: pages, KB in all | | {}, {:.0} | | |",
        pages.len(),
        bytes as f64 / 1000.0
    );
    let application = include_str!("peers/django_list.py");
    match django(office.folder.path(), application) {
        None => println!("| Django: not installed (CUIBAN_DJANGO) | | {ours:.3} CPU ms | | |"),
        Some(peer) => {
            let request = get(&peer, "/items", "");
            assert_eq!(rows(&Connection::open(peer.port).call(&request)), 1_000);
            let theirs = peer.many(&vec![request; 100], 8);
            row(
                "list of 1,000 tasks, CPU ms; base the same list in Django with SQLite",
                theirs.cpu,
                ours,
                "≤ 1/30, aim 1/100",
            );
        }
    }
}

/// CPU milliseconds for the whole list.
fn per_list(cost: &Cost, pages: usize) -> f64 {
    cost.cpu * pages as f64
}

/// Seconds a thousand are milliseconds each.
fn hundred_thousand() {
    let office = Office::new();
    office.append(|_| city(100_000));
    office.append(|book| reports(book, &plan()));
    let daemon = office.serve(&["--clock", NOW, "--speed", "0"]);
    let session = office.sign_in(&daemon);
    for (name, path) in [
        ("first screen", "/?plan=bench&quarter=2022Q1&page=1"),
        (
            "first screen, last page",
            "/?plan=bench&quarter=2022Q1&page=200",
        ),
        ("list", "/items?plan=bench&quarter=2022Q1&state=all"),
    ] {
        let request = get(&daemon, path, &session);
        let page = Connection::open(daemon.port).call(&request);
        let base = office.http_server(&page);
        let plain = vec![get(&base, "/page", ""); 30];
        row(
            &format!(
                "{name} of 100,000 tasks, {} KB, median ms",
                page.len() / 1000
            ),
            base.lone(&plain).as_secs_f64() * 1e3,
            daemon.lone(&vec![request; 30]).as_secs_f64() * 1e3,
            "< 100 ms",
        );
    }
}

fn row(what: &str, base: f64, ours: f64, goal: &str) {
    let ratio = ours / base;
    println!("| {what} | {base:.3} | {ours:.3} | {ratio:.3} | {goal} |");
}

fn get(peer: &Peer, path: &str, cookie: &str) -> Vec<u8> {
    let port = peer.port;
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n")
        .into_bytes()
}

/// A config and a store in a folder of their own.
struct Office {
    folder: tempfile::TempDir,
    config: PathBuf,
    port: u16,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (dir, port) = (folder.path().display(), free_port());
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nsocket = \"{dir}/cuiban.sock\"\n\
             [store]\npath = \"{dir}/data\"\n[log]\nlevel = \"warn\"\n"
        );
        let config = folder.path().join("cuiban.toml");
        std::fs::write(&config, text).unwrap();
        Self {
            folder,
            config,
            port,
        }
    }

    fn command(&self, program: &str, before: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(before)
            .args(args)
            .arg("--config")
            .arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) {
        assert!(self.command(CUIBAN, &[], args).status().unwrap().success());
    }

    fn serve(&self, clock: &[&str]) -> Peer {
        self.start(self.command(CUIBAN, &["serve"], clock))
    }

    /// On one core.
    fn pinned(&self, clock: &[&str]) -> Peer {
        self.start(self.command("taskset", &["-c", "0", CUIBAN, "serve"], clock))
    }

    fn start(&self, mut command: Command) -> Peer {
        let peer = Peer {
            child: command.spawn().unwrap(),
            port: self.port,
        };
        wait_for(peer.port);
        let ready = get(&peer, "/readyz", "");
        while !Connection::open(peer.port)
            .exchange(&ready)
            .0
            .contains(" 200 ")
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        peer
    }

    /// Appends facts while nothing has the store open.
    fn append(&self, facts: impl FnOnce(&Book) -> Vec<Fact>) {
        let path = self.folder.path().join("data");
        std::fs::create_dir_all(&path).unwrap();
        let opened = Ledger::open(Opener {
            path,
            probe: None,
            room: Room::default(),
            clock: Clock::System,
        });
        let (ledger, thread, _) = opened.unwrap();
        let facts = facts(&ledger.book());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for part in facts.chunks(10_000) {
            let at = kit::at("2022-03-21T15:20");
            let done = ledger.append(Actor::System, at, part.to_vec());
            runtime.block_on(done).unwrap();
        }
        drop(ledger);
        thread.join().unwrap();
    }

    /// A coordinator's session.
    fn sign_in(&self, daemon: &Peer) -> String {
        let mut add = self.command(
            CUIBAN,
            &["user", "add", "bench", "--role", "coordinator"],
            &[],
        );
        let mut child = add
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        // The second time the name is known.
        child.wait().unwrap();
        let form = format!("name=bench&password={PASSWORD}");
        let kind = "application/x-www-form-urlencoded";
        let sign_in = daemon.request("/login", kind, &form);
        let (head, _) = Connection::open(daemon.port).exchange(&sign_in);
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("set-cookie").then_some(value)
        });
        cookie.unwrap().split(';').next().unwrap().trim().to_owned()
    }

    /// Python's own server with a file of these bytes.
    fn http_server(&self, page: &[u8]) -> Peer {
        let folder = self.folder.path().join("static");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("page"), page).unwrap();
        let port = free_port();
        let child = python(&folder, port);
        let peer = Peer { child, port };
        wait_for(port);
        peer
    }
}

fn python(folder: &Path, port: u16) -> std::process::Child {
    let serve = format!(
        "import http.server as h; h.SimpleHTTPRequestHandler.protocol_version='HTTP/1.1'; \
         h.ThreadingHTTPServer(('127.0.0.1',{port}), h.SimpleHTTPRequestHandler).serve_forever()"
    );
    Command::new("/usr/bin/python3")
        .args(["-c", &serve])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn plan() -> PlanId {
    PlanId::new("bench").unwrap()
}

/// A table of so many tasks, of sixty units and twelve leaders, one owner for five tasks.
fn city(tasks: usize) -> Vec<Fact> {
    let plan = plan();
    let quarters: Vec<Quarter> = (1..=4).filter_map(|nth| Quarter::new(2022, nth)).collect();
    let mut facts = vec![kit::imported(&plan)];
    let owner = |nth: usize| kit::person_ref(format!("经办{}", nth / 5));
    let owners = (0..tasks).step_by(5).map(owner);
    facts.extend(owners.flat_map(|one| kit::reachable(&one)));
    for no in 1..=tasks {
        let mut task = kit::task(no, [owner(no - 1)].into_iter(), &quarters);
        let leader = format!("领导{}", no % 12);
        task.leaders.push(leader.clone());
        for group in &mut task.groups {
            group.unit = format!("市第{}建设中心", no % 60);
            group.leaders.push(kit::person_ref(leader.clone()));
        }
        facts.push(Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(task),
        });
    }
    facts.push(kit::deadlines(&plan, &quarters));
    facts
}

/// Reports on two of three obligations of the first quarter.
fn reports(book: &Book, plan: &PlanId) -> Vec<Fact> {
    let quarter = Quarter::new(2022, 1).unwrap();
    let owed = book.obligations_in(plan, quarter).enumerate();
    let reported = owed.filter(|(nth, _)| nth % 3 > 0);
    reported
        .filter_map(|(nth, (key, _))| {
            let owner = book.task_and_group(key)?.1.owners.first()?;
            Some(Fact::ReportReceived {
                report: Box::new(Report {
                    obligation: key.clone(),
                    person: owner.id.clone(),
                    delegate: None,
                    via: Via::Form,
                    status: ReportStatus::ALL[nth % 4],
                    progress: "已按计划推进，完成阶段性目标。".into(),
                    problems: String::new(),
                    next_steps: String::new(),
                    percent: None,
                    actuals: Vec::new(),
                }),
            })
        })
        .collect()
}
