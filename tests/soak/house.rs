//! The daemon's lives: started, killed, stopped, restored, and measured on the way.

use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::world::{Daemon, World, client_over, eventually};

/// Longest time for anything: a laden machine is no fault of the daemon's.
const PATIENCE: Duration = Duration::from_secs(180);

pub type Moment = DateTime<FixedOffset>;

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Killed,
    KilledAmidSending,
    Stopped,
    StoppedAmidSending,
    ClockSetBack,
    ClockFarAhead,
    MachineClockLeapt,
    Restored,
}

/// What a process takes of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    pub facts: u64,
    pub memory: u64,
    pub files: u64,
    pub threads: u64,
}

/// One life of the daemon.
#[derive(Debug, Clone)]
pub struct Life {
    pub begun: Sample,
    pub ended: Sample,
    /// Every few seconds.
    pub on_the_way: Vec<Sample>,
    pub seconds: u64,
    pub start_took: Duration,
}

pub struct House {
    pub world: World,
    pub dice: Dice,
    pub now: Moment,
    pub lives: Vec<Life>,
    pub ends: Vec<End>,
    /// Faults of the machine put into system calls.
    pub disk_faults: usize,
    /// From the end of such a fault until the store took facts again.
    pub slowest_recovery: Duration,
    /// Journals of stores that were replaced by a backup, each with how many of its first facts
    /// are in the next one too.
    pub lost: Vec<(String, usize)>,
    pub wrong: Vec<String>,
    daemon: Option<Daemon>,
    began: (Instant, Duration, Sample),
    on_the_way: Vec<Sample>,
    /// What else is to happen to it before anything happens again.
    deck: Vec<Happening>,
}

/// What may happen to a daemon at rest.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    SetBack,
    FarAhead,
    MachineClock,
    Restore,
    Stop,
    Kill,
}

impl House {
    pub fn new(world: World, dice: Dice, now: Moment) -> Self {
        Self {
            world,
            dice,
            now,
            lives: Vec::new(),
            ends: Vec::new(),
            disk_faults: 0,
            slowest_recovery: Duration::ZERO,
            lost: Vec::new(),
            wrong: Vec::new(),
            daemon: None,
            began: (Instant::now(), Duration::ZERO, Sample::default()),
            on_the_way: Vec::new(),
            deck: Vec::new(),
        }
    }

    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    /// Starts it with the clock at `now`.
    pub async fn start(&mut self) {
        let daemon = self.world.spawn(&self.now.to_rfc3339(), 0.0);
        self.begin(daemon).await;
    }

    async fn begin(&mut self, daemon: Daemon) {
        let begun = Instant::now();
        let url = format!("{}/readyz", daemon.base);
        let ready = eventually(PATIENCE, || async {
            let answer = daemon.http.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        });
        if ready.await.is_none() {
            panic!("it does not start:\n{}", tail(&self.world.log()));
        }
        let took = begun.elapsed();
        self.daemon = Some(daemon);
        let sample = self.sample().await;
        self.began = (Instant::now(), took, sample);
        self.on_the_way = vec![sample];
        self.audit("after a start").await;
    }

    /// Moves the clock; none where the daemon died on the way.
    pub async fn advance(&self, to: Moment) -> Option<Result<(), String>> {
        let daemon = self.daemon();
        let url = format!("{}/api/v1/clock", daemon.base);
        let asked = daemon.http.post(url).timeout(PATIENCE);
        let body = json!({ "advance_to": to.to_rfc3339() });
        match asked.json(&body).send().await {
            Ok(answer) if answer.status().is_success() => Some(Ok(())),
            Ok(answer) => Some(Err(answer.text().await.unwrap_or_default())),
            Err(error) if error.is_timeout() => Some(Err("no answer in time".into())),
            Err(_) => None,
        }
    }

    /// Asks over the command socket.
    pub async fn ask(&self, path: &str) -> Option<String> {
        let socket = client_over(&self.world.path("cuiban.sock"));
        let url = format!("http://cuiban.invalid{path}");
        let answer = socket.get(url).timeout(PATIENCE).send().await.ok()?;
        answer.status().is_success().then_some(())?;
        answer.text().await.ok()
    }

    pub async fn ask_json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.ask(path).await?).ok()
    }

    /// A number of `/metrics`.
    pub async fn metric(&self, name: &str) -> Option<u64> {
        let url = format!("{}/metrics", self.daemon().base);
        let asked = self.daemon().http.get(url).send().await.ok()?;
        let text = asked.text().await.ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Every stage's people are accounted for.
    pub async fn audit(&mut self, when: &str) {
        match self.metric("cuiban_stage_unbalanced ").await {
            Some(0) => {}
            found => self.wrong.push(format!(
                "{} {when}: stages that do not add up: {found:?}",
                self.now
            )),
        }
    }

    pub async fn sample(&self) -> Sample {
        let pid = self.daemon().pid();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let word = line.and_then(|line| line.split_whitespace().nth(1));
            word.and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        Sample {
            facts: self.metric("cuiban_journal_position ").await.unwrap_or(0),
            memory: of("VmRSS:"),
            files: files as u64,
            threads: of("Threads:"),
        }
    }

    /// Measures it, if some seconds have passed.
    pub async fn look(&mut self) {
        let wanted = self.began.0.elapsed().as_secs() / 5;
        if self.on_the_way.len() as u64 <= wanted {
            let sample = self.sample().await;
            self.on_the_way.push(sample);
        }
    }

    /// Something that happens to it at rest: each kind once before any comes again.
    pub async fn happen(&mut self) {
        use Happening::{FarAhead, Kill, MachineClock, Restore, SetBack, Stop};
        if self.deck.is_empty() {
            self.deck = vec![SetBack, FarAhead, MachineClock, Restore, Stop, Stop, Kill];
        }
        let place = self.dice.roll(self.deck.len());
        match self.deck.swap_remove(place) {
            SetBack => self.set_back().await,
            FarAhead => self.far_ahead().await,
            MachineClock => self.machine_clock().await,
            Restore => self.restore().await,
            Stop => {
                self.stop(End::Stopped).await;
                self.verify();
                self.start().await;
            }
            Kill => {
                self.kill(End::Killed).await;
                self.start().await;
            }
        }
    }

    async fn end(&mut self, how: End) -> Daemon {
        let ended = self.sample().await;
        let (since, start_took, begun) = self.began;
        self.lives.push(Life {
            begun,
            ended,
            on_the_way: std::mem::take(&mut self.on_the_way),
            seconds: since.elapsed().as_secs(),
            start_took,
        });
        self.ends.push(how);
        self.daemon.take().unwrap()
    }

    /// SIGKILL. What the clock shows at the next start is somebody's else's business.
    pub async fn kill(&mut self, how: End) {
        self.end(how).await.kill();
    }

    /// SIGTERM, and a stop in good order.
    pub async fn stop(&mut self, how: End) {
        let mut daemon = self.end(how).await;
        let begun = Instant::now();
        let pid = rustix::process::Pid::from_raw(daemon.pid().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let ended = eventually(PATIENCE, || {
            let ended = daemon.ended().then_some(());
            async move { ended }
        });
        assert!(ended.await.is_some(), "it does not stop");
        if begun.elapsed() > Duration::from_secs(40) {
            let told = format!("{}: a stop took {:?}", self.now, begun.elapsed());
            self.wrong.push(told);
        }
    }

    /// Reads the whole journal, both copies, while nobody has it open.
    pub fn verify(&mut self) {
        let output = self.world.cuiban(&["journal", "verify"]);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            self.wrong
                .push(format!("{}: journal verify: {said}", self.now));
        }
    }

    /// Its clock shows a time before that of the last fact.
    async fn set_back(&mut self) {
        self.stop(End::ClockSetBack).await;
        self.now -= TimeDelta::minutes(self.dice.between(1, 60 * 48) as i64);
        self.start().await;
    }

    /// The machine's clock is far ahead when it starts: nothing is decided by it, and once it is
    /// right again, everything goes on.
    async fn far_ahead(&mut self) {
        self.stop(End::ClockFarAhead).await;
        let offset = self.world.path("offset");
        for (days, doubted) in [(400, 1), (0, 0)] {
            set_machine(&offset, self.now + TimeDelta::days(days));
            let daemon = self.world.spawn_by_machine_clock(&offset);
            self.begin(daemon).await;
            let found = self.metric("cuiban_clock_in_doubt ").await;
            if found != Some(doubted) {
                let told = format!("{}: a clock {days} days ahead: {found:?}", self.now);
                self.wrong.push(told);
            }
            self.kill(End::ClockFarAhead).await;
        }
        self.now += TimeDelta::minutes(2);
        self.start().await;
    }

    /// Runs by the machine's clock for some seconds, which leaps under it.
    async fn machine_clock(&mut self) {
        self.stop(End::MachineClockLeapt).await;
        let offset = self.world.path("offset");
        set_machine(&offset, self.now);
        let daemon = self.world.spawn_by_machine_clock(&offset);
        self.begin(daemon).await;
        let (mut shown, mut highest) = (self.now, self.now);
        for _ in 0..4 {
            let minutes = self.dice.between(0, 60 * 20) as i64;
            shown += match self.dice.one_in(3) {
                true => TimeDelta::minutes(-minutes / 4),
                false => TimeDelta::minutes(minutes),
            };
            highest = highest.max(shown);
            set_machine(&offset, shown);
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        self.stop(End::MachineClockLeapt).await;
        self.now = highest + TimeDelta::minutes(2);
        self.start().await;
        // Where leaps came to more than a day, a person has to agree.
        if self.metric("cuiban_clock_in_doubt ").await == Some(1) {
            self.world.run(&["clock", "confirm"]);
        }
    }

    /// The store is lost, and last night's backup takes its place.
    async fn restore(&mut self) {
        let nights = self.world.path("nights");
        let mut names: Vec<_> = std::fs::read_dir(&nights)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        names.sort();
        let Some(newest) = names.pop() else {
            return;
        };
        self.stop(End::Restored).await;
        let lost = self.world.run(&["journal", "dump"]);
        let newest = newest.to_str().unwrap();
        self.world.run(&["restore", newest, "--replace"]);
        let kept = self.world.run(&["journal", "dump"]).lines().count() - 1;
        self.lost.push((lost, kept));
        self.start().await;
        self.world
            .run(&["resume", "--not-before", &self.now.to_rfc3339()]);
    }

    /// The disk takes no writes for a moment: strace puts it into the running daemon's calls.
    pub async fn disk(&mut self) {
        let mirror = self.world.path("data/mirror");
        let segments = std::fs::read_dir(mirror).unwrap();
        let newest = segments.map(|entry| entry.unwrap().path()).max().unwrap();
        let error = *self.dice.pick(&["ENOSPC", "EIO"]).unwrap();
        let call = *self.dice.pick(&["write", "fdatasync"]).unwrap();
        let pid = self.daemon().pid().to_string();
        let tracer = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-P"])
            .arg(newest.canonicalize().unwrap())
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:error={error}")])
            .args(["-p", &pid])
            .spawn();
        let Ok(mut tracer) = tracer else {
            return;
        };
        self.disk_faults += 1;
        let moment = self.dice.between(500, 2500) as u64;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        let strace = rustix::process::Pid::from_child(&tracer);
        let _ = rustix::process::kill_process(strace, rustix::process::Signal::INT);
        let gone = eventually(Duration::from_secs(3), || {
            let gone = tracer.try_wait().unwrap().map(drop);
            async move { gone }
        });
        if gone.await.is_none() {
            // It waits for a child of the daemon that waits for it; without it both go on.
            let _ = tracer.kill();
            let _ = tracer.wait();
        }
        // It opens the store anew by itself.
        let (begun, url) = (Instant::now(), format!("{}/readyz", self.daemon().base));
        let ready = eventually(PATIENCE, || async {
            let answer = self.daemon().http.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        });
        match ready.await {
            Some(()) => self.slowest_recovery = self.slowest_recovery.max(begun.elapsed()),
            None => {
                let told = format!("{}: read-only since the disk failed", self.now);
                self.wrong.push(told);
            }
        }
    }

    /// The time of the last fact, as the mirror has it.
    pub fn last_fact(&self) -> Option<Moment> {
        let mirror = self.world.path("data/mirror");
        let segments = std::fs::read_dir(mirror).ok()?;
        let newest = segments.flatten().map(|entry| entry.path()).max()?;
        let bytes = std::fs::read(newest).ok()?;
        let lines = bytes.split(|byte| *byte == b'\n').rev();
        lines
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .find_map(|line| line["at"].as_str()?.parse().ok())
    }
}

/// How far the machine's clock is off, for the daemon that reads it from this file.
fn set_machine(file: &std::path::Path, to: Moment) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how far the machine's clock is off is told against the real one"
    )]
    let off = (to.to_utc() - chrono::Utc::now()).num_seconds();
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{off} 0")).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// The last lines of a log.
pub fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(30).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
