//! The soak: years of quarters in minutes, with everything going wrong that may go wrong, and a
//! report in the end. `tests/soak/run` runs the long one; without words this is the short one that
//! `cargo test` runs.
//!
//! The clock stands and is moved a day or so at a time. Meanwhile people report, ask and judge;
//! peers and disk misbehave for moments; the daemon is killed, stopped, put at a wrong time, and
//! restored from last night's backup.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and prints its report"
)]

#[path = "../peers"]
#[expect(dead_code, reason = "each test binary uses its own part of them")]
mod peers {
    pub mod smtp;
    pub mod wecom;
    pub mod wecom_app;
}
#[path = "../e2e/dovecot.rs"]
mod dovecot;
#[path = "../e2e/world.rs"]
#[expect(dead_code, reason = "each test binary uses its own part of it")]
mod world;

mod books;
mod dice;
mod house;
mod people;
mod report;
mod weather;
mod wire;

use std::time::{Duration, Instant};

use chrono::{Datelike as _, TimeDelta};

use dice::Dice;
use house::{End, House, Moment};
use people::People;
use report::Report;
use weather::{Peers, Suffered};
use world::{World, eventually};

/// Days of the whole soak, and the minutes they take.
const DAYS: i64 = 2000;
const MINUTES: f64 = 30.0;
/// Of the short one: over the end of a quarter.
const SHORT: f64 = 1.2;

/// What was asked for.
struct Asked {
    minutes: f64,
    days: i64,
    seed: u64,
    begin: Moment,
}

impl Asked {
    /// From `SOAK_MINUTES` and `SOAK_SEED`. The machine gives a seed where none is named.
    fn read() -> Self {
        let number = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let minutes = number("SOAK_MINUTES").map_or(SHORT, |text| text.parse().unwrap());
        let seed = number("SOAK_SEED").map_or_else(
            || {
                let mut bytes = [0; 4];
                getrandom::fill(&mut bytes).unwrap();
                u32::from_le_bytes(bytes).into()
            },
            |text| text.parse().unwrap(),
        );
        let days = (DAYS as f64 * minutes / MINUTES) as i64;
        // Years whose holidays are known, 2,000 days before the last of them ends; a short one
        // begins where it passes all stages of a quarter.
        let begin = match days < 366 {
            true => "2021-03-08T08:00:00+08:00",
            false => "2021-01-04T08:00:00+08:00",
        };
        Self {
            minutes,
            days,
            seed,
            begin: begin.parse().unwrap(),
        }
    }
}

fn main() {
    // As a test among others: a word that names another one is none for this.
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"));
    if words.any(|word| !"soak".contains(&word)) || std::env::args().any(|word| word == "--list") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(soak(Asked::read()));
    println!("{report}");
    if !report.wrong.is_empty() {
        std::process::exit(1);
    }
}

async fn soak(asked: Asked) -> Report {
    println!(
        "soak: {} days in {} minutes, SOAK_SEED={}",
        asked.days, asked.minutes, asked.seed
    );
    let peers = Peers::start().await;
    let mut house = House::new(world(&peers), Dice::new(asked.seed), asked.begin);
    let mut people = People::default();
    let mut suffered = Suffered::new();
    house.start().await;
    people.new_year(&house, asked.begin.year());

    let (begun, end) = (Instant::now(), asked.begin + TimeDelta::days(asked.days));
    let long = Duration::from_secs_f64(asked.minutes * 60.0);
    let mut next_end = begun + life(&house.dice, long);
    while house.now < end {
        if house.now.year() != people.year {
            people.new_year(&house, house.now.year());
        }
        let to = (house.now + TimeDelta::minutes(house.dice.between(60, 60 * 48) as i64)).min(end);
        let ends_here = Instant::now() >= next_end;
        day(
            &mut house,
            &mut people,
            &peers,
            &mut suffered,
            to,
            ends_here,
        )
        .await;
        if ends_here {
            next_end = Instant::now() + life(&house.dice, long);
        }
        // As fast as was asked for, and no faster.
        let done = (house.now - asked.begin).num_minutes() as f64 / (asked.days * 24 * 60) as f64;
        while begun.elapsed() < long.mul_f64(done.min(1.0)) {
            people.act(&house, &peers).await;
        }
        house.look().await;
    }
    finish(house, people, peers, suffered, begun).await
}

/// How long until something happens to the daemon.
fn life(dice: &Dice, whole: Duration) -> Duration {
    // Some lives are long, so that what a life gathers can be seen.
    let share = match dice.one_in(6) {
        true => dice.between(150, 220),
        false => dice.between(10, 60),
    };
    let share = share as f64 / 1000.0;
    whole.mul_f64(share).max(Duration::from_secs(6))
}

fn world(peers: &Peers) -> World {
    use peers::wecom_app::{AGENT, CORP, SECRET};
    let mut world = World::new("");
    // What is not worth a warning would make a log of gigabytes.
    world.log_level = "warn";
    // For trials, such as of the allocator.
    if let Ok(arenas) = std::env::var("MALLOC_ARENA_MAX") {
        world.env.push(("MALLOC_ARENA_MAX", arenas));
    }
    let imap = peers
        .dovecot
        .section(world.dir.path(), peers.imap_wire.port);
    std::fs::write(world.path("app-secret"), SECRET).unwrap();
    let nights = world.path("nights").display().to_string();
    world.reconfigure(&format!(
        "[[office.coordinator]]\nname = \"督查一\"\nemail = \"duban1@example.invalid\"\n\
         [email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"督查科 <duban@example.invalid>\"\nmax_connections = 4\ntimeout_seconds = 2\n\
         {imap}[wecom]\nbase_url = \"http://127.0.0.1:{}\"\n\
         [wecom.app]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\nsecret_file = \"app-secret\"\n\
         [[wecom.robot]]\nname = \"全市\"\nkey = \"01234567-89ab-cdef-0123-456789abcdef\"\n\
         [backup]\nfolder = \"{nights}\"\nkeep = 3\n",
        peers.mail_wire.port, peers.robot_wire.port,
    ));
    world
}

/// The clock goes to `to`, people do what they do, something goes wrong; where the life ends here,
/// it ends on the way or at the end of it.
async fn day(
    house: &mut House,
    people: &mut People,
    peers: &Peers,
    suffered: &mut Suffered,
    to: Moment,
    ends_here: bool,
) {
    let amid = ends_here && house.dice.one_in(2);
    let gentle = house.dice.one_in(3);
    let patience = Duration::from_millis(house.dice.between(5, 700) as u64);
    let (acts, bad) = (house.dice.roll(4), house.dice.one_in(3));
    let disk = !ends_here && house.dice.one_in(60);
    let moved = {
        let house = &*house;
        let weather = async {
            if bad {
                peers.suffer(&house.dice, suffered).await;
            }
        };
        let doings = async {
            for _ in 0..acts {
                people.act(house, peers).await;
            }
        };
        let clock = async {
            let advance = house.advance(to);
            match amid {
                true => tokio::time::timeout(patience, advance).await.ok(),
                false => Some(advance.await),
            }
        };
        match amid {
            // Whoever was at it when the daemon died gets no answer.
            true => {
                let others = async {
                    tokio::join!(weather, doings);
                    std::future::pending().await
                };
                tokio::select! {
                    moved = clock => moved,
                    moved = others => moved,
                }
            }
            false => tokio::join!(clock, weather, doings).0,
        }
    };
    match moved {
        Some(Some(Err(why))) if !disk => {
            let told = format!("{}: the clock did not move: {why}", house.now);
            house.wrong.push(told);
        }
        Some(None) => {
            let log = house::tail(&house.world.log());
            panic!("{}: the daemon is gone\n{log}", house.now);
        }
        _ => {}
    }
    if amid {
        match gentle {
            true => house.stop(End::StoppedAmidSending).await,
            false => house.kill(End::KilledAmidSending).await,
        }
        peers.clear();
        again(house, to).await;
        return;
    }
    house.now = to;
    if disk {
        house.disk().await;
    }
    if ends_here {
        house.happen().await;
    }
}

/// It starts again: where it was, or after it was off until then.
async fn again(house: &mut House, to: Moment) {
    let last = house.last_fact().unwrap_or(house.now).max(house.now);
    house.now = match house.dice.one_in(2) {
        true => last.min(to),
        false => to,
    };
    if house.dice.one_in(3) {
        house.verify();
    }
    house.start().await;
}

/// Everything that waits gets its time, and what the journal says is held against the peers.
async fn finish(
    mut house: House,
    people: People,
    peers: Peers,
    suffered: Suffered,
    begun: Instant,
) -> Report {
    peers.clear();
    for _ in 0..3 {
        house.now += TimeDelta::days(2);
        if let Some(Err(why)) = house.advance(house.now).await {
            let told = format!("{}: the clock did not move: {why}", house.now);
            house.wrong.push(told);
        }
    }
    // After a failure the mailbox is left alone for minutes of real time, but not by a new start.
    house.stop(End::Stopped).await;
    house.start().await;
    let read = eventually(Duration::from_secs(60), || async {
        let journal = house.ask("/api/v1/journal").await?;
        let last = people.mailed.iter().rev().take(50);
        last.into_iter()
            .all(|mark| journal.contains(mark.as_str()))
            .then_some(())
    });
    if read.await.is_none() {
        house.wrong.push("the last mails are not read".into());
    }
    house.audit("at the end").await;
    let unsent = house.metric("cuiban_oldest_unsent_seconds ").await;
    if unsent.is_none_or(|seconds| seconds > 24 * 3600) {
        let told = format!("something has waited for {unsent:?} s in good weather");
        house.wrong.push(told);
    }
    let took = begun.elapsed();
    house.stop(End::Stopped).await;
    house.verify();
    Report::of(house, people, &peers, suffered, took)
}
