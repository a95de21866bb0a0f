//! What the store costs, as ratios to a bare append and fdatasync in the same run, and per fact.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measuring program"
)]

#[path = "../tests/fixtures/store_facts.rs"]
mod facts;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use cuiban::clock::Clock;
use cuiban::domain::fact::{Actor, Fact};
use cuiban::store::{Ledger, OpenReport, Opener, Room};

fn main() {
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    if std::env::args().any(|arg| arg == "mails") {
        return show_mails();
    }
    println!("a bare append of 400 bytes and fdatasync is 1.00");
    let bare = bare(Duration::from_secs(2));
    println!("  bare append                      {bare:8.0}/s   1.00");
    for writers in [1, 4, 16, 64] {
        let (rate, cpu) = commits(writers, Duration::from_secs(3));
        println!(
            "  {writers:3} writers, a fact a commit    {rate:8.0}/s {:6.2}   cpu {:5.1} µs a fact",
            rate / bare,
            cpu * 1e6
        );
    }
    show_mails();
    println!("one append of 10,000 messages");
    stage(10_000);
    println!("opening");
    for facts in [12_000, 100_000] {
        opening(facts);
    }
}

fn show_mails() {
    println!("an e-mail's three facts, 16 sessions");
    let (rate, cpu) = mails(16, 10_000);
    println!("  {rate:8.0} mails/s, cpu {:5.1} µs a mail", cpu * 1e6);
}

fn bare(length: Duration) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut file = std::fs::File::create(folder.path().join("x")).unwrap();
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < length {
        file.write_all(&[b'x'; 400]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn commits(writers: u32, length: Duration) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path());
    let runtime = runtime();
    runtime.block_on(put(&ledger, facts::import(250)));
    let (begun, cpu) = (Instant::now(), cpu());
    let before = ledger.book().position;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..writers {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                for n in (writer + 1..).step_by(writers as usize) {
                    if begun.elapsed() > length {
                        break;
                    }
                    put(&ledger, vec![facts::queued(n)]).await;
                }
            });
        }
        tasks.join_all().await;
    });
    let done = (ledger.book().position - before) as f64;
    let used = self::cpu() - cpu;
    let rate = done / begun.elapsed().as_secs_f64();
    drop(ledger);
    thread.join().unwrap();
    (rate, used / done)
}

fn mails(sessions: u32, count: u32) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path());
    let runtime = runtime();
    runtime.block_on(put(&ledger, facts::import(250)));
    let (begun, cpu) = (Instant::now(), cpu());
    runtime.block_on(async {
        put(&ledger, (1..=count).map(facts::queued).collect()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for session in 0..sessions {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                for n in (session + 1..=count).step_by(sessions as usize) {
                    put(&ledger, vec![facts::intended(n)]).await;
                    put(&ledger, vec![facts::sent(n)]).await;
                }
            });
        }
        tasks.join_all().await;
    });
    let used = self::cpu() - cpu;
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    drop(ledger);
    thread.join().unwrap();
    (rate, used / f64::from(count))
}

fn stage(count: u32) {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path());
    let runtime = runtime();
    runtime.block_on(put(&ledger, facts::import(250)));
    let queued = (1..=count).map(facts::queued).collect();
    let (begun, cpu) = (Instant::now(), cpu());
    runtime.block_on(put(&ledger, queued));
    println!(
        "  {:?}, cpu {:.1} µs a fact",
        begun.elapsed(),
        (self::cpu() - cpu) / f64::from(count) * 1e6
    );
    drop(ledger);
    thread.join().unwrap();
}

fn opening(count: u32) {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path());
    let runtime = runtime();
    runtime.block_on(async {
        put(&ledger, facts::import(250)).await;
        for from in (0..count / 3).step_by(500) {
            let of = || from + 1..=(from + 500).min(count / 3);
            put(&ledger, of().map(facts::queued).collect()).await;
            put(&ledger, of().map(facts::intended).collect()).await;
            put(&ledger, of().map(facts::sent).collect()).await;
        }
    });
    let begun = Instant::now();
    drop(ledger);
    thread.join().unwrap();
    let stop = begun.elapsed();
    let show = |what: &str, report: &OpenReport| {
        println!("  {:7} facts, {what}: {:?}", report.facts, report.took);
    };
    let again = |what: &str| {
        let (ledger, thread, report) = open(folder.path());
        show(what, &report);
        drop(ledger);
        thread.join().unwrap();
    };
    println!("  {count:7} facts, stop: {stop:?}");
    again("start with the snapshot");
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    again("start without it");
    std::fs::remove_file(folder.path().join("snapshot.json")).ok();
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    again("the engine's data built anew");
}

fn open(path: &Path) -> (Ledger, std::thread::JoinHandle<()>, OpenReport) {
    Ledger::open(Opener {
        path: path.to_owned(),
        probe: None,
        room: Room::default(),
        clock: Clock::System,
    })
    .unwrap()
}

async fn put(ledger: &Ledger, facts: Vec<Fact>) {
    let done = ledger.append(Actor::System, facts::start(), facts).await;
    done.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
}

/// Seconds of processor time this process has used.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
