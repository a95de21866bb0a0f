//! A burst of mail: queued messages in a real store, over 16 sessions to postfix's `smtp-sink`,
//! beside postfix's `smtp-source` against the same sink in the same run.
//!
//! `cargo bench --bench burst [-- MESSAGES [SESSIONS]]`; wants the postfix package installed (its
//! programs, not its daemon) and says so where it is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

#[path = "kit/mod.rs"]
mod kit;

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use cuiban::channel::email::compose::Composer;
use cuiban::channel::email::{EmailChannel, Settings, Tls};
use cuiban::channel::{Attempted, Channel, Sending};
use cuiban::clock::Clock;
use cuiban::domain::book::DeliveryState;
use cuiban::domain::brief::Brief;
use cuiban::domain::due::Reach;
use cuiban::domain::fact::{Actor, Fact};
use cuiban::domain::ids::{ObligationKey, PlanId, Quarter};
use cuiban::domain::message::{Message, MessageKey, Occasion, Reason, Stage};
use cuiban::domain::people::ChannelKind;
use cuiban::outbox::{Outbox, Ways};
use cuiban::store::{Ledger, Opener, Room};
use tokio_util::sync::CancellationToken;

/// Owners of one task, each a group of its own.
const GROUPS: usize = 40;
/// Tasks of one owner.
const SHARE: usize = 2;

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let messages = numbers.first().copied().unwrap_or(10_000);
    let sessions = numbers.get(1).copied().unwrap_or(16);
    let Some(sink) = Sink::start() else {
        eprintln!("smtp-sink is missing: apt-get install postfix");
        return;
    };
    let base = source(&sink, messages, sessions, false);
    let kept = source(&sink, messages, sessions, true);
    let store = ours(&sink, messages, Arc::new(Nowhere(sessions, None)));
    let words = ours(
        &sink,
        messages,
        Arc::new(Nowhere(sessions, Some(composer()))),
    );
    let mail = EmailChannel::new(settings(sink.port, sessions)).unwrap();
    let mail = ours(&sink, messages, Arc::new(mail));
    println!(
        "| {messages} mails, {sessions} sessions | msg/s | ratio | CPU s per 1,000 | most connections |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (name, row) in [
        ("smtp-source (base)", &base),
        ("smtp-source, sessions kept (-d)", &kept),
        ("cuiban without channel: 2 durable facts each", &store),
        ("the same, and composed", &words),
        ("the same, and sent: the whole", &mail),
    ] {
        println!(
            "| {name} | {:.0} | {:.2} | {:.3} | {} |",
            row.rate(messages),
            row.rate(messages) / base.rate(messages),
            row.cpu.as_secs_f64() * 1000.0 / messages as f64,
            row.connections,
        );
    }
}

struct Row {
    took: Duration,
    cpu: Duration,
    connections: usize,
}

impl Row {
    fn rate(&self, messages: usize) -> f64 {
        messages as f64 / self.took.as_secs_f64()
    }
}

/// postfix's sink, which throws everything away.
struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .ok()?
            .local_addr()
            .ok()?
            .port();
        let mut command = Command::new("smtp-sink");
        // It will not run as root.
        let root = std::fs::metadata("/proc/self").ok()?.uid() == 0;
        if root {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .args([&format!("127.0.0.1:{port}"), "100"])
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        std::thread::sleep(Duration::from_millis(300));
        Some(Self { child, port })
    }

    /// Runs something, timing it and watching the connections to the sink.
    fn watch(&self, cpu: fn() -> Duration, run: impl FnOnce()) -> Row {
        let over = Arc::new(AtomicBool::new(false));
        let most = Arc::new(AtomicUsize::new(0));
        let watcher = {
            let (over, most, port) = (Arc::clone(&over), Arc::clone(&most), self.port);
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    // The table is not read at one moment, so a session that is renewed meanwhile
                    // shows twice; hardly ever three times running.
                    let seen = (0..3).map(|_| connections(port)).min();
                    most.fetch_max(seen.unwrap_or(0), Ordering::Relaxed);
                    // Reading the kernel's table is dear, and ours to pay.
                    std::thread::sleep(Duration::from_millis(500));
                }
            })
        };
        let (began, before) = (Instant::now(), cpu());
        run();
        let (took, after) = (began.elapsed(), cpu());
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        Row {
            took,
            cpu: after - before,
            connections: most.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn source(sink: &Sink, messages: usize, sessions: usize, keep: bool) -> Row {
    sink.watch(kit::children_cpu, || {
        let mut command = Command::new("smtp-source");
        command.env("PATH", "/usr/sbin:/usr/bin:/bin");
        if keep {
            command.arg("-d");
        }
        let status = command
            .args(["-s", &sessions.to_string(), "-m", &messages.to_string()])
            .args(["-l", "6000", &format!("127.0.0.1:{}", sink.port)])
            .status();
        assert!(status.expect("smtp-source runs").success());
    })
}

fn ours(sink: &Sink, messages: usize, channel: Arc<dyn Channel>) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::simulated(kit::at("2022-03-28T09:10"), 0.0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (ledger, writer, _) = Ledger::open(Opener {
        path: folder.path().join("data"),
        probe: None,
        room: Room::default(),
        clock: clock.clone(),
    })
    .unwrap();
    let facts = facts(messages, clock.now());
    runtime.block_on(async {
        for part in facts.chunks(5_000) {
            let part = part.to_vec();
            ledger
                .append(Actor::System, clock.now(), part)
                .await
                .unwrap();
        }
    });
    let outbox = Arc::new(Outbox::new(
        ledger.clone(),
        clock.clone(),
        kit::rules(Reach::default(), Vec::new()),
        Ways::new(
            kit::terms(),
            vec![channel],
            Arc::new(|_, quarter, person, _| {
                format!("https://duban.example.gov.cn/r/{quarter}-{person}-7f3kQm2ZpX7f3kQm2ZpX")
            }),
        ),
    ));
    let soft = CancellationToken::new();
    let mut running = None;
    let row = sink.watch(kit::own_cpu, || {
        runtime.block_on(async {
            let run = Arc::clone(&outbox).run(soft.clone(), CancellationToken::new());
            running = Some(tokio::spawn(run));
            outbox.wait_idle().await;
        });
    });
    let sent = {
        let book = ledger.book();
        let sent = book.messages.values();
        sent.filter(|delivery| matches!(delivery.state, DeliveryState::Sent { .. }))
            .count()
    };
    assert_eq!(sent, messages, "every message is sent");
    soft.cancel();
    runtime.block_on(running.unwrap()).unwrap();
    drop(outbox);
    drop(ledger);
    writer.join().unwrap();
    row
}

fn settings(port: u16, sessions: usize) -> Settings {
    Settings {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        login: None,
        from_name: Some("市政府办公室督查科".into()),
        from_address: "duban@agency.example".into(),
        reply_to: None,
        max_connections: sessions,
        timeout: Duration::from_secs(30),
        pipelining: true,
        messages_per_connection: 0,
        per_minute: 0,
        per_hour: 0,
        extra_ca: None,
    }
}

fn composer() -> Composer {
    Composer::new(&settings(25, 1)).unwrap()
}

/// Takes messages, composes them where it can, and sends them nowhere: what the rest costs.
struct Nowhere(usize, Option<Composer>);

impl Channel for Nowhere {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn name(&self) -> &str {
        "nowhere"
    }

    fn sessions(&self) -> usize {
        self.0
    }

    fn send<'a>(&'a self, brief: &'a Brief, _: u32) -> Sending<'a> {
        Box::pin(async move {
            if let Some(composer) = &self.1 {
                assert!(!composer.message(brief).unwrap().is_empty());
            }
            Attempted::sent("250 2.0.0 Ok")
        })
    }
}

/// A plan with one owner a message, two items each, in words as long as the real table's.
fn facts(messages: usize, now: DateTime<Utc>) -> Vec<Fact> {
    let plan = PlanId::new("burst-2022").unwrap();
    let quarter = Quarter::new(2022, 1).unwrap();
    let owner = |nth: usize| kit::person_ref(format!("责任人{nth}"));
    let mut facts = vec![kit::imported(&plan)];
    facts.extend((0..messages).flat_map(|nth| kit::reachable(&owner(nth))));
    facts.push(kit::deadlines(&plan, &[quarter]));
    let tasks = messages.div_ceil(GROUPS);
    for no in 0..tasks * SHARE {
        let owners = (0..GROUPS).map(|group| owner((no % tasks) * GROUPS + group));
        facts.push(Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(kit::task(no + 1, owners, &[quarter])),
        });
    }
    for nth in 0..messages {
        let item = |part: usize| ObligationKey {
            plan: plan.clone(),
            quarter,
            task: (nth / GROUPS + part * tasks + 1) as u32,
            group: (nth % GROUPS) as u8,
        };
        facts.push(Fact::MessageQueued {
            message: Box::new(Message {
                key: MessageKey {
                    plan: plan.clone(),
                    quarter,
                    occasion: Occasion::Stage(Stage::Reminder),
                    person: owner(nth).id,
                },
                reason: Reason::NotReported,
                items: (0..SHARE).map(item).collect(),
                about: Vec::new(),
                copied: Vec::new(),
                catch_up: false,
                route: vec![ChannelKind::Email],
                not_before: now - TimeDelta::minutes(1),
                explicit: false,
            }),
        });
    }
    facts
}

/// Our side's established connections to the sink.
fn connections(port: u16) -> usize {
    let remote = format!("0100007F:{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table
        .lines()
        .filter(|line| {
            let mut fields = line.split_whitespace();
            fields.nth(2) == Some(remote.as_str()) && fields.next() == Some("01")
        })
        .count()
}
