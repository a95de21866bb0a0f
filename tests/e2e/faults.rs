//! Every fault that a send can meet, and what became of the messages: `tests/FAULTS.md` is what
//! this says. Faults of the machine are put into the system calls by strace, so the program that
//! is tried is the one that is shipped; faults of the peer come from a scripted server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use rustix::process::Signal;

use crate::peers::smtp::{CA, Protection, Say, SmtpPeer, Step};
use crate::world::{CHANNELS, Daemon, EMAIL, World, eventually};

/// Sessions to the mail server: as many may be in flight when the program dies.
const SESSIONS: usize = 4;
/// Owners who can be reached, each with one notice.
const PEOPLE: usize = 40;
const EVENING: &str = "2022-03-18T17:59:00+08:00";

/// How often something may happen.
#[derive(Clone, Copy)]
enum Times {
    Exactly(usize),
    UpTo(usize),
}
use Times::{Exactly, UpTo};

impl Times {
    fn hold(self, fault: &str, what: &str, count: usize) {
        let fits = match self {
            Exactly(times) => count == times,
            UpTo(most) => count <= most,
        };
        assert!(fits, "{fault}: {count} {what}, promised {self}");
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exactly(times) => write!(f, "{times}"),
            UpTo(most) => write!(f, "≤ {most}"),
        }
    }
}

/// What is promised for a fault.
struct Row {
    fault: &'static str,
    people: usize,
    arrived: Times,
    repeated: Times,
    in_doubt: Times,
    given_up: Times,
}

/// Promises in the order of the table; each is held to by the test that bears its name.
const ROWS: &[Row] = &[
    row(
        "killed while the intent is made durable",
        UpTo(SESSIONS * KILLS),
        UpTo(SESSIONS * KILLS),
    ),
    row(
        "killed while the engine writes",
        UpTo(SESSIONS * KILLS),
        UpTo(SESSIONS * KILLS),
    ),
    row(
        "killed while speaking to the mail server",
        UpTo(SESSIONS * KILLS),
        UpTo(SESSIONS * KILLS),
    ),
    row(
        "killed while hearing the mail server",
        UpTo(SESSIONS * KILLS),
        UpTo(SESSIONS * KILLS),
    ),
    row(
        "killed while a snapshot takes its place",
        Exactly(0),
        Exactly(0),
    ),
    row("disk full during an append", UpTo(SESSIONS), UpTo(SESSIONS)),
    row("disk full during a snapshot", Exactly(0), Exactly(0)),
    row("fsync fails", UpTo(SESSIONS), UpTo(SESSIONS)),
    row(
        "the engine's folder turns read-only",
        UpTo(SESSIONS),
        UpTo(SESSIONS),
    ),
    row(
        "server takes the connection and drops it",
        Exactly(0),
        Exactly(0),
    ),
    row(
        "server takes the connection and says nothing",
        Exactly(0),
        Exactly(0),
    ),
    row(
        "server hangs up before its answer to the mail",
        Exactly(3),
        Exactly(3),
    ),
    row(
        "server answers the mail after the time-out",
        Exactly(3),
        Exactly(3),
    ),
    row("half a TLS handshake", Exactly(0), Exactly(0)),
    row(
        "name of the server cannot be resolved",
        Exactly(0),
        Exactly(0),
    ),
    Row {
        fault: "one answer in a hundred of each kind of failure",
        people: MANY,
        arrived: Exactly(MANY),
        repeated: UpTo(MANY / 25),
        in_doubt: UpTo(MANY / 25),
        given_up: Exactly(0),
    },
];

/// Owners of the large trial.
const MANY: usize = 10_000;

/// Lives of the daemon that a fault of the machine ends.
const KILLS: usize = 3;

const fn row(fault: &'static str, repeated: Times, in_doubt: Times) -> Row {
    Row {
        fault,
        people: PEOPLE,
        arrived: Exactly(PEOPLE),
        repeated,
        in_doubt,
        given_up: Exactly(0),
    }
}

#[test]
fn the_table_is_what_the_tests_promise() {
    let mut text = String::from(
        "# Faults\n\nWritten by `tests/e2e/faults.rs`, which tries each of them on the real binary; \
         `FAULTS=write tests/run faults` writes it anew. ",
    );
    writeln!(
        text,
        "Faults of the machine are put into the system calls by strace: {KILLS} kills each, at \
         {SESSIONS} sessions. A mail is repeated only after a send in doubt, under the same \
         Message-ID.\n\n| fault | expected | arrived | repeated | in doubt | given up | lost |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    )
    .unwrap();
    for row in ROWS {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | 0 |",
            row.fault, row.people, row.arrived, row.repeated, row.in_doubt, row.given_up
        )
        .unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/FAULTS.md");
    if std::env::var("FAULTS").is_ok_and(|word| word == "write") {
        std::fs::write(path, text).unwrap();
    } else {
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}

/// A world, its mail server, and the hour.
struct Trial {
    world: World,
    peer: SmtpPeer,
    hour: u32,
}

impl Trial {
    async fn new() -> Self {
        Self::with(SmtpPeer::good().await, "none", "127.0.0.1")
    }

    fn with(peer: SmtpPeer, tls: &str, host: &str) -> Self {
        let trial = Self::empty(peer, tls, host);
        let mut rows = 0;
        trial.world.import_filled(|_, row| {
            if row.contains(&"直接责任人".to_owned()) && rows < PEOPLE {
                rows += 1;
                row[EMAIL] = format!("u{rows}@example.invalid");
                row[CHANNELS] = "email".into();
            }
        });
        trial
    }

    fn empty(peer: SmtpPeer, tls: &str, host: &str) -> Self {
        let mut world = World::new(&section(host, peer.addr.port(), tls));
        let authority = world.path("ca.pem");
        std::fs::write(&authority, CA).unwrap();
        world.env = vec![("SSL_CERT_FILE", authority.display().to_string())];
        Self {
            world,
            peer,
            hour: 9,
        }
    }

    /// Starts the daemon with a fault in its system calls, an hour after the last time.
    fn start_with(&mut self, call: &str, path: Option<&str>, fault: &str) -> Daemon {
        self.hour += 1;
        let mut tracer: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"]
            .map(str::to_owned)
            .to_vec();
        if let Some(path) = path {
            let path = self.world.dir.path().canonicalize().unwrap().join(path);
            tracer.extend(["-P".to_owned(), path.display().to_string()]);
        }
        tracer.extend(["-e".to_owned(), format!("trace={call}")]);
        tracer.extend(["-e".to_owned(), format!("inject={call}:{fault}")]);
        let clock = format!("2022-03-17T{:02}:00:00+08:00", self.hour);
        self.world.spawn_under(&tracer, &clock, 1.0)
    }

    /// Lives that end at the given passages through a system call. Returns how many did.
    async fn kill_at(&mut self, call: &str, path: Option<&str>, passages: [usize; KILLS]) -> usize {
        let mut killed = 0;
        for passage in passages {
            let mut daemon = self.start_with(call, path, &format!("signal=KILL:when={passage}"));
            let ended = eventually(Duration::from_secs(20), || {
                let over = daemon.ended() || self.peer.mails().len() >= PEOPLE;
                async move { over.then_some(()) }
            })
            .await;
            assert!(ended.is_some(), "{call}: neither killed nor done");
            killed += usize::from(daemon.ended());
            daemon.end_inner(Signal::KILL).await;
        }
        killed
    }

    /// Lets a sound daemon finish, and holds what came of it to the promise.
    async fn finish(mut self, fault: &str) {
        let row = ROWS.iter().find(|row| row.fault == fault).unwrap();
        self.hour += 1;
        let clock = format!("2022-03-17T{:02}:00:00+08:00", self.hour);
        let daemon = self.world.serve(&clock, 0.0).await;
        daemon.advance(EVENING).await;
        let mut states = BTreeMap::new();
        for state in ["waiting", "sent", "dead", "held", "in_doubt"] {
            let path = format!("/api/v1/deliveries?state={state}");
            let answer = daemon.get(&path).await;
            states.insert(state, answer["deliveries"].as_array().unwrap().len());
        }
        daemon.stop().await;
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        // Given whole counts, with or without an answer: the server may well have kept it.
        for mail in self.peer.mails() {
            *copies.entry(message_id(&mail.data)).or_default() += 1;
        }
        let journal = self.world.run(&["journal", "dump"]);
        let expected = journal.matches("\"message.queued\"").count();
        assert_eq!(expected, row.people, "{fault}: one notice each");
        let repeated = copies.values().map(|count| count - 1).sum();
        let given_up = states["dead"] + states["held"];
        row.arrived.hold(fault, "arrived", copies.len());
        row.repeated.hold(fault, "repeated", repeated);
        row.in_doubt
            .hold(fault, "in doubt", journal.matches("\"in_doubt\"").count());
        row.given_up.hold(fault, "given up", given_up);
        assert_eq!(states["waiting"], 0, "{fault}: {states:?}");
        assert!(expected <= copies.len() + given_up, "{fault}: lost");
        let verified = self.world.run(&["journal", "verify"]);
        assert!(!verified.is_empty());
    }
}

fn section(host: &str, port: u16, tls: &str) -> String {
    format!(
        "[email]\nhost = \"{host}\"\nport = {port}\ntls = \"{tls}\"\n\
         from = \"督查科 <duban@example.invalid>\"\nmax_connections = {SESSIONS}\n\
         timeout_seconds = 1\n"
    )
}

fn message_id(data: &[u8]) -> String {
    let message = mail_parser::MessageParser::default().parse(data).unwrap();
    message.message_id().unwrap().to_owned()
}

/// Three lives killed at passages through a system call, then one in peace.
async fn killed(fault: &str, call: &str, path: Option<&str>, passages: [usize; KILLS]) {
    let mut trial = Trial::new().await;
    let killed = trial.kill_at(call, path, passages).await;
    assert!(killed > 0, "{fault}: no passage was reached");
    trial.finish(fault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_durable_step() {
    let fault = "killed while the intent is made durable";
    killed(fault, "fdatasync", None, [2, 3, 5]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_engine() {
    killed(
        "killed while the engine writes",
        "pwrite64",
        Some("data/db/db"),
        [1, 2, 3],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_speaking() {
    killed(
        "killed while speaking to the mail server",
        "sendto",
        None,
        [12, 25, 40],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_hearing() {
    killed(
        "killed while hearing the mail server",
        "recvfrom",
        None,
        [12, 25, 40],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_snapshot_takes_its_place() {
    let mut trial = Trial::new().await;
    let mut daemon = trial.start_with("rename", Some("data/snapshot.part"), "signal=KILL");
    let sent = eventually(Duration::from_secs(30), || {
        let over = daemon.ended() || trial.peer.mails().len() >= PEOPLE;
        async move { over.then_some(()) }
    })
    .await;
    assert!(sent.is_some());
    // A snapshot is made on the way out.
    daemon.end_inner(Signal::TERM).await;
    let left = trial.world.path("data/snapshot.part");
    assert!(left.exists(), "it was killed before the rename");
    trial
        .finish("killed while a snapshot takes its place")
        .await;
}

/// One life with an error from a system call, until it has sent all it can, then one in peace.
async fn erring(fault: &str, call: &str, path: Option<&str>, error: &str, told: &str) {
    let mut trial = Trial::new().await;
    let daemon = trial.start_with(call, path, error);
    let _ = eventually(Duration::from_secs(10), || {
        let all = trial.peer.mails().len() >= PEOPLE;
        async move { all.then_some(()) }
    })
    .await;
    daemon.end_inner(Signal::TERM).await;
    let log = trial.world.log();
    assert!(log.contains(told), "{fault}: nothing told of it:\n{log}");
    trial.finish(fault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_during_an_append() {
    let mirror = Some("data/mirror/000001.jsonl");
    let full = "error=ENOSPC:when=3..5";
    let fault = "disk full during an append";
    erring(fault, "write", mirror, full, "a write to the mirror failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_during_a_snapshot() {
    let snapshot = Some("data/snapshot.part");
    let fault = "disk full during a snapshot";
    erring(fault, "write", snapshot, "error=ENOSPC", "snapshot").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fsync_that_fails() {
    let error = "error=EIO:when=3";
    erring(
        "fsync fails",
        "fdatasync",
        None,
        error,
        "a write to the mirror failed",
    )
    .await;
}

/// The tracer comes to a daemon that runs: at its start such a folder is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_write() {
    let mut trial = Trial::new().await;
    let mut daemon = trial.world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    let pid = daemon.pid();
    let engine = trial.world.dir.path().canonicalize().unwrap();
    let mut tracer = std::process::Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(engine.join("data/db/db"))
        .args(["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EROFS"])
        .args(["-p", &pid.to_string()])
        .spawn()
        .unwrap();
    let traced = eventually(Duration::from_secs(10), || async {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        (!status.contains("TracerPid:\t0\n")).then_some(())
    })
    .await;
    assert!(traced.is_some());
    let advance = daemon.http.post(format!("{}/api/v1/clock", daemon.base));
    let _ = advance
        .json(&serde_json::json!({ "advance_to": "2022-03-17T09:30:00+08:00" }))
        .timeout(Duration::from_secs(8))
        .send()
        .await;
    let told = eventually(Duration::from_secs(20), || async {
        let asked = daemon.http.get(format!("{}/readyz", daemon.base)).send();
        (asked.await.ok()?.status() == 503).then_some(())
    })
    .await;
    assert!(told.is_some(), "{}", trial.world.log());
    daemon.kill();
    tracer.wait().unwrap();
    trial.hour += 1;
    trial.finish("the engine's folder turns read-only").await;
}

/// A server that behaves badly in its first few answers.
async fn misbehaving(
    fault: &str,
    script: impl Fn(Step, usize, &str) -> Say + Send + Sync + 'static,
) {
    let peer = SmtpPeer::scripted(script).await;
    Trial::with(peer, "none", "127.0.0.1").finish(fault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drops_connections() {
    misbehaving(
        "server takes the connection and drops it",
        |step, nth, _| match step {
            Step::Greeting if nth <= 20 => Say::HangUp,
            _ => Say::Usual,
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing() {
    let fault = "server takes the connection and says nothing";
    misbehaving(fault, |step, nth, _| match step {
        Step::Greeting if nth <= 6 => Say::Silence,
        _ => Say::Usual,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_before_its_answer() {
    let fault = "server hangs up before its answer to the mail";
    misbehaving(fault, |step, nth, _| match step {
        Step::Dot if nth <= 3 => Say::HangUp,
        _ => Say::Usual,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_late() {
    let fault = "server answers the mail after the time-out";
    misbehaving(fault, |step, nth, _| match step {
        Step::Dot if nth <= 3 => Say::Late(Duration::from_millis(6_500)),
        _ => Say::Usual,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_tls_handshake() {
    let script = |step, nth, _: &str| match step {
        Step::StartTls if nth <= 6 => Say::Last(b"220 2.0.0 go ahead".to_vec()),
        _ => Say::Usual,
    };
    let offers = ["STARTTLS"];
    let peer =
        SmtpPeer::protected(std::sync::Arc::new(script), &offers, Protection::Starttls).await;
    let trial = Trial::with(peer, "starttls", "localhost");
    trial.finish("half a TLS handshake").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_resolved() {
    let peer = SmtpPeer::good().await;
    let port = peer.addr.port();
    let mut trial = Trial::with(peer, "none", "mail.cuiban.invalid");
    let daemon = trial.world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T09:40:00+08:00").await;
    let waiting = daemon.get("/api/v1/deliveries?state=waiting").await;
    assert_eq!(waiting["deliveries"].as_array().unwrap().len(), PEOPLE);
    daemon.stop().await;
    trial.world.reconfigure(&section("127.0.0.1", port, "none"));
    trial.finish("name of the server cannot be resolved").await;
}

/// A table of as many tasks as owners, each each with a name of its own.
fn large_table() -> String {
    let mut table = String::from(
        "2022年市政府主要目标任务分解表\n总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t\
         牵头单位\t责任人\t直接责任人\t协助单位\n",
    );
    let given: Vec<char> = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"
        .chars()
        .collect();
    for n in 0..MANY {
        let [a, b, c] = [n / 24 / 24, n / 24, n].map(|digit| given[digit % 24]);
        let name: String = ['赵', a, b, c].iter().collect();
        writeln!(
            table,
            "(一)稳增长\t{}.推进第{}号工程。\t一季度，完成前期工作；二季度，开工建设。\t王志平\t市{}局\t李明辉\t{name}\t市财政局",
            n + 1,
            n + 1,
            given[n % 24],
        )
        .unwrap();
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_in_a_hundred_of_each_kind_of_failure() {
    let peer = SmtpPeer::scripted(|step, nth, _| match (step, nth % 100) {
        (Step::Rcpt, 7) => Say::line("451 4.3.0 local error in processing"),
        (Step::Rcpt, 19) => Say::gbk("452", "系统繁忙"),
        (Step::Mail, 31) => Say::Last(b"421 4.7.0 too many messages".to_vec()),
        (Step::Mail, 43) => Say::HangUp,
        (Step::Data, 57) => Say::HangUp,
        (Step::Dot, 61) => Say::HangUp,
        (Step::Dot, 73) => Say::Last(b"250 2.0.0 taken".to_vec()),
        (Step::Dot, 87) => Say::gbk("250", "已接收"),
        _ => Say::Usual,
    })
    .await;
    let mut trial = Trial::empty(peer, "none", "127.0.0.1");
    trial.world.log_level = "error";
    let table = trial.world.path("large.txt");
    std::fs::write(&table, large_table()).unwrap();
    trial
        .world
        .import_table(table.to_str().unwrap(), |index, row| {
            if row.contains(&"直接责任人".to_owned()) {
                row[EMAIL] = format!("u{index}@example.invalid");
                row[CHANNELS] = "email".into();
            }
        });
    trial
        .finish("one answer in a hundred of each kind of failure")
        .await;
}
