//! The same work beside its peers: 10,000 persons, one notification each, to a sink on this
//! machine. Alertmanager (one group a person), nodemailer (pooled) and a raw sender over STARTTLS
//! stand beside ours in one run; what is not installed is said to be so.
//!
//! `cargo bench --bench peers [-- PERSONS]`; wants `apt-get install prometheus-alertmanager nodejs
//! npm`, and fetches nodemailer into a temporary folder. Each side is a process of its own; the
//! sinks are in this one and count for nobody. Ours is the pass, the durable outbox, composing and
//! sending; theirs the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

#[path = "../kit/mod.rs"]
mod kit;
mod ours;
mod raw;
mod sinks;
mod theirs;

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use ours::{Cost, Job};
use sinks::{Sink, Speaks};
use theirs::Alertmanager;

/// Connections of each side.
pub const SESSIONS: usize = 16;
/// Longer than any peer takes.
const PATIENCE: Duration = Duration::from_secs(180);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("ours") => return Job::of(&args[1..]).work(),
        Some("raw") => return raw::work(&args[1..]),
        _ => {}
    }
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let persons = args
        .iter()
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(10_000);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new().unwrap();
    println!("| {persons} persons, {SESSIONS} sessions | base | ours | ratio | goal |");
    println!("| --- | --- | --- | --- | --- |");
    let webhook = Side::measure(&runtime, Speaks::Http, persons);
    webhook.rows("webhook", 5.0, 8.0);
    let mail = Side::measure(&runtime, Speaks::Smtp, persons);
    mail.rows("e-mail", 15.0, 25.0);
    nodemailer(&runtime, &mail, persons);
    growth(&runtime, "webhook", Speaks::Http, persons);
    growth(&runtime, "e-mail", Speaks::Smtp, persons);
    starttls(&runtime, persons);
    crash(&runtime, "webhook", Speaks::Http, persons);
    crash(&runtime, "e-mail", Speaks::Smtp, persons);
}

/// Both sides of one kind of notification.
struct Side {
    persons: usize,
    theirs: Option<(Cost, usize)>,
    ours: Cost,
    open: usize,
}

impl Side {
    fn measure(runtime: &Runtime, speaks: Speaks, persons: usize) -> Self {
        let sink = Sink::start(runtime, speaks);
        let cost = theirs::alertmanager(runtime, &sink, speaks, &ours::ids(persons));
        let open = sink.seen().most_open;
        let theirs = cost.map(|cost| (cost, open));
        let (ours, sink) = notify(runtime, speaks, persons);
        let open = sink.seen().most_open;
        Self {
            persons,
            theirs,
            ours,
            open,
        }
    }

    fn rows(&self, what: &str, must: f64, aim: f64) {
        let persons = self.persons as f64;
        let per_cpu = |cost: &Cost| persons / cost.cpu.as_secs_f64();
        let rate = |cost: &Cost| persons / cost.took.as_secs_f64();
        let theirs = self.theirs.as_ref().map(|(cost, _)| cost);
        row(
            &format!("{what}: notifications per CPU second; base Alertmanager"),
            theirs.map(per_cpu),
            per_cpu(&self.ours),
            &format!("{must} ×, aim {aim} ×"),
        );
        row(
            &format!("{what}: notifications a second; base Alertmanager"),
            theirs.map(rate),
            rate(&self.ours),
            "",
        );
        row(
            &format!("{what}: peak RSS, MiB; base Alertmanager"),
            theirs.map(|cost| cost.resident),
            self.ours.resident,
            "0.1, aim 0.05",
        );
        row(
            &format!("{what}: connections at once; base Alertmanager"),
            self.theirs.as_ref().map(|(_, open)| *open as f64),
            self.open as f64,
            &format!("≤ {SESSIONS}"),
        );
    }
}

/// Our side alone, to a fresh sink.
fn notify(runtime: &Runtime, speaks: Speaks, persons: usize) -> (Cost, Sink) {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(runtime, speaks);
    let job = job(folder.path(), speaks, persons, sink.port);
    assert!(ours::cost(job.spawn()).is_none(), "the plan is imported");
    let cost = ours::cost(job.spawn()).unwrap();
    let arrived = sink.seen().clone();
    assert_eq!((arrived.total, arrived.times.len()), (persons, persons));
    (cost, sink)
}

fn job(folder: &Path, speaks: Speaks, persons: usize, port: u16) -> Job {
    Job {
        speaks,
        persons,
        folder: folder.into(),
        port,
        minute: 0,
        fast: false,
    }
}

fn nodemailer(runtime: &Runtime, mail: &Side, persons: usize) {
    let sink = Sink::start(runtime, Speaks::Smtp);
    let base = theirs::nodemailer(&sink, &ours::ids(persons));
    let rate = |cost: &Cost| persons as f64 / cost.took.as_secs_f64();
    let per_cpu = |cost: &Cost| persons as f64 / cost.cpu.as_secs_f64();
    let what = "e-mail: notifications per CPU second; base nodemailer pooled";
    row(what, base.as_ref().map(per_cpu), per_cpu(&mail.ours), "");
    let what = "e-mail: notifications a second; base nodemailer pooled";
    row(what, base.as_ref().map(rate), rate(&mail.ours), "");
    let what = "e-mail: peak RSS, MiB; base nodemailer pooled";
    let resident = base.as_ref().map(|cost| cost.resident);
    row(what, resident, mail.ours.resident, "");
}

/// What a notification costs a big city against a small one: the middle one of three runs each, one
/// beside the other, since a run of a small city is over in a blink and the machine is never the
/// same for two.
fn growth(runtime: &Runtime, what: &str, speaks: Speaks, persons: usize) {
    const RUNS: usize = 3;
    let few = persons / 10;
    let each = |persons: usize| {
        let (cost, _) = notify(runtime, speaks, persons);
        cost.cpu.as_secs_f64() * 1e6 / persons as f64
    };
    let mut costs: [Vec<f64>; 2] = Default::default();
    for _ in 0..RUNS {
        costs[0].push(each(few));
        costs[1].push(each(persons));
    }
    let [small, big] = costs.map(|mut costs| {
        costs.sort_by(f64::total_cmp);
        costs[RUNS / 2]
    });
    row(
        &format!("{what}: CPU µs of a notification, {persons} persons; base ours with {few}"),
        Some(small),
        big,
        "≤ 1.2, aim 1.05",
    );
}

fn starttls(runtime: &Runtime, persons: usize) {
    let (ours, sink) = notify(runtime, Speaks::StartTls, persons);
    let bytes = sink.seen().bytes / persons;
    let raw = raw::starttls(&sink, persons, bytes);
    let rate = |cost: &Cost| persons as f64 / cost.took.as_secs_f64();
    let what = format!("STARTTLS, mails of {bytes} bytes a second; base raw sender, kept sessions");
    row(&what, Some(rate(&raw)), rate(&ours), "≥ 0.4");
    let cpu = |cost: &Cost| cost.cpu.as_secs_f64() * 1e6 / persons as f64;
    row(
        "STARTTLS: CPU µs a mail; base raw sender",
        Some(cpu(&raw)),
        cpu(&ours),
        "",
    );
}

/// Killed half way and started again.
fn crash(runtime: &Runtime, what: &str, speaks: Speaks, persons: usize) {
    let theirs = crash_theirs(runtime, speaks, persons);
    let ours = crash_ours(runtime, speaks, persons);
    let of = |get: Get| (theirs.as_ref().map(get), get(&ours));
    let rows: [(&str, Get, &str); 3] = [
        ("told twice", |after| after.repeated as f64, "≤ 16"),
        ("lost", |after| after.lost as f64, "0"),
        (
            "s from the start to the next one",
            |after| after.pause.as_secs_f64(),
            "≤ 2, aim 1",
        ),
    ];
    for (name, get, goal) in rows {
        let (base, ours) = of(get);
        row(
            &format!("{what}, SIGKILL half way: {name}; base Alertmanager"),
            base,
            ours,
            goal,
        );
    }
}

/// One figure of what came after a crash.
type Get = fn(&After) -> f64;

struct After {
    repeated: usize,
    lost: usize,
    pause: Duration,
}

impl After {
    fn of(sink: &Sink, persons: usize, pause: Duration) -> Self {
        let seen = sink.seen();
        Self {
            repeated: seen.repeated(),
            lost: persons - seen.times.len(),
            pause,
        }
    }
}

fn crash_ours(runtime: &Runtime, speaks: Speaks, persons: usize) -> After {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(runtime, speaks);
    let mut job = job(folder.path(), speaks, persons, sink.port);
    assert!(ours::cost(job.spawn()).is_none(), "the plan is imported");
    job.fast = true;
    let began = Instant::now();
    let mut child = job.spawn();
    await_some(&sink, persons / 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let (before, again) = (settled(&sink), Instant::now());
    job.minute = ours::minutes(began.elapsed());
    let child = job.spawn();
    await_some(&sink, before + 1);
    let pause = again.elapsed();
    ours::cost(child).unwrap();
    After::of(&sink, persons, pause)
}

fn crash_theirs(runtime: &Runtime, speaks: Speaks, persons: usize) -> Option<After> {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(runtime, speaks);
    let http = reqwest::Client::new();
    let ids = ours::ids(persons);
    let manager = Alertmanager::start(folder.path(), speaks, sink.port)?;
    runtime.block_on(async {
        let raise = manager.raise(&http, &ids);
        let half = async {
            while sink.seen().total < persons / 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // It may be half way before it has heard of all.
        let _ = tokio::join!(tokio::time::timeout(PATIENCE, half), raise);
    });
    manager.kill();
    let (before, again) = (settled(&sink), Instant::now());
    let manager = Alertmanager::start(folder.path(), speaks, sink.port)?;
    let raise = runtime.spawn(async move {
        manager.raise(&http, &ids).await;
        manager
    });
    await_some(&sink, before + 1);
    let pause = again.elapsed();
    let _manager = runtime.block_on(raise).unwrap();
    // It is over when everybody is told and nothing more comes.
    await_all(&sink, persons);
    settled(&sink);
    Some(After::of(&sink, persons, pause))
}

/// Waits until everybody is told.
pub fn await_all(sink: &Sink, persons: usize) {
    wait(|| sink.seen().times.len() >= persons);
}

fn await_some(sink: &Sink, total: usize) {
    wait(|| sink.seen().total >= total);
}

fn wait(until: impl Fn() -> bool) {
    let began = Instant::now();
    while !until() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until nothing more comes; gives how many came.
fn settled(sink: &Sink) -> usize {
    const QUIET: Duration = Duration::from_millis(500);
    wait(|| sink.seen().last.is_none_or(|last| last.elapsed() > QUIET));
    sink.seen().total
}

fn row(what: &str, base: Option<f64>, ours: f64, goal: &str) {
    let number = |number: f64| match number {
        n if n >= 100.0 || n.fract() == 0.0 => format!("{n:.0}"),
        n => format!("{n:.2}"),
    };
    let (base, ratio) = match base {
        Some(base) if base > 0.0 => (number(base), format!("{:.3}", ours / base)),
        Some(base) => (number(base), String::new()),
        None => ("not installed".to_owned(), String::new()),
    };
    println!("| {what} | {base} | {} | {ratio} | {goal} |", number(ours));
}
