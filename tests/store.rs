//! One story and one set of races told to every back end; then what only the durable one promises:
//! kills, damage and a full disk. A kill or damage may cost time or a refusal, never a fact that
//! was acknowledged, and never a wrong answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program, helpers included"
)]

#[path = "fixtures/store_facts.rs"]
mod facts;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::TimeDelta;
use cuiban::clock::Clock;
use cuiban::domain::book::Book;
use cuiban::domain::fact::{Actor, Entry, Fact};
use cuiban::domain::ids::ObligationKey;
use cuiban::store::backup::{self, CheckOnly};
use cuiban::store::memory::MemoryStore;
use cuiban::store::{
    CommitError, Decision, Healed, Health, Ledger, OpenReport, Opener, PROBE_FAILED, ProbeCommand,
    Room, StoreError, Vault, dump, link_key, probe, restore, verify,
};

/// A back end that can be closed and opened again.
enum Kind {
    Memory(MemoryStore),
    Durable(tempfile::TempDir),
}

impl Kind {
    fn both() -> [Self; 2] {
        let folder = tempfile::tempdir().unwrap();
        [Self::Memory(MemoryStore::default()), Self::Durable(folder)]
    }

    fn open(&self) -> (Ledger, JoinHandle<()>) {
        match self {
            Self::Memory(store) => {
                let reopen = Box::new(|| Err(StoreError::Engine("never".into())));
                Ledger::start(Box::new(store.clone()), fold(store), reopen)
            }
            Self::Durable(folder) => {
                let (ledger, thread, _) = open(folder.path()).unwrap();
                (ledger, thread)
            }
        }
    }
}

fn fold(reader: &dyn cuiban::store::JournalReader) -> Book {
    let mut book = Book::default();
    for entry in reader.read(1, usize::MAX).unwrap() {
        book.apply(&entry).unwrap();
    }
    book
}

fn opener(path: &Path) -> Opener {
    Opener {
        path: path.to_owned(),
        probe: None,
        room: Room {
            to_write: 0,
            percent: 0,
            to_open: 0,
        },
        clock: Clock::System,
    }
}

/// As the daemon does it: a store that was not closed is looked at by a child first.
fn probing(path: &Path) -> Opener {
    Opener {
        probe: Some(ProbeCommand {
            program: std::env::current_exe().unwrap(),
            args: ["--exact", "child_probe", "--ignored", "--nocapture"]
                .map(Into::into)
                .to_vec(),
            limit: Duration::from_secs(3),
        }),
        ..opener(path)
    }
}

fn open(path: &Path) -> Result<(Ledger, JoinHandle<()>, OpenReport), StoreError> {
    Ledger::open(opener(path))
}

fn close(ledger: Ledger, thread: JoinHandle<()>) {
    drop(ledger);
    thread.join().unwrap();
}

async fn put(ledger: &Ledger, facts: Vec<Fact>) {
    ledger
        .append(Actor::System, facts::start(), facts)
        .await
        .unwrap();
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn the_story_of_a_message_and_a_report_survives_restarts() {
    for kind in Kind::both() {
        let (ledger, thread) = kind.open();
        block(async {
            put(&ledger, facts::import(3)).await;
            put(&ledger, (1..=3).map(facts::queued).collect()).await;
            put(&ledger, vec![facts::intended(1)]).await;
            put(&ledger, vec![facts::sent(1)]).await;
        });
        let before = ledger.book().clone();
        close(ledger, thread);

        let (ledger, thread) = kind.open();
        assert!(*ledger.book() == before);
        assert_eq!(ledger.book().queue.len(), 2);
        block(put(&ledger, vec![facts::reported(1, "已印发方案")]));
        let mut dumped = Vec::new();
        let head = ledger.reader().dump(&mut dumped).unwrap();
        assert_eq!(head, ledger.book().position);
        assert_eq!(dumped.iter().filter(|b| **b == b'\n').count() as u64, head);
        assert!(ledger.reader().verify().unwrap().is_sound());
        let after = ledger.book().clone();
        assert!(fold(&*ledger.reader()) == after);
        close(ledger, thread);

        let (ledger, thread) = kind.open();
        assert!(*ledger.book() == after);
        let report = ledger.book().obligations[&facts::item(1)].latest().cloned();
        assert_eq!(report.unwrap().report.progress, "已印发方案");
        close(ledger, thread);
    }
}

#[test]
fn what_people_are_writing_is_kept_beside_the_facts_and_forgotten_with_its_case() {
    let item = |task| ObligationKey {
        plan: facts::plan(),
        quarter: facts::quarter(),
        task,
        group: 0,
    };
    let (one, other) = (facts::person(1), facts::person(2));
    let long = "长".repeat(7000).into_bytes();
    for kind in Kind::both() {
        let (ledger, thread) = kind.open();
        block(put(&ledger, facts::import(3)));
        let before = ledger.book().position;
        let drafts = ledger.drafts();
        let two = [
            (item(1), Some(long.clone())),
            (item(12), Some(b"b".to_vec())),
        ];
        drafts.keep(&one, &two).unwrap();
        drafts
            .keep(&other, &[(item(1), Some(b"c".to_vec()))])
            .unwrap();
        drafts.keep(&one, &[(item(12), None)]).unwrap();
        drop(drafts);
        assert_eq!(ledger.book().position, before, "no facts");
        close(ledger, thread);
        let (ledger, thread) = kind.open();
        let drafts = ledger.drafts();
        let kept = |quarter| drafts.kept(&one, &facts::plan(), quarter).unwrap();
        assert_eq!(kept(facts::quarter()), [(item(1), long.clone())]);
        assert_eq!(kept(facts::quarter().next()), []);
        assert_eq!(
            drafts
                .forget(&|_, quarter| quarter == facts::quarter())
                .unwrap(),
            0
        );
        assert_eq!(drafts.forget(&|_, _| false).unwrap(), 2);
        assert_eq!(kept(facts::quarter()), []);
        drop(drafts);
        close(ledger, thread);
    }
}

#[test]
fn of_many_who_queue_the_same_message_one_wins_and_positions_have_no_gaps() {
    for kind in Kind::both() {
        let (ledger, thread) = kind.open();
        block(async {
            put(&ledger, facts::import(2)).await;
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let ledger = ledger.clone();
                tasks.spawn(async move {
                    let mut won = 0;
                    for n in 1..=40 {
                        let decide = move |book: &Book| -> Result<Decision<bool>, Infallible> {
                            if book.knows_message(&facts::key(n)) {
                                return Ok(Decision::nothing(false));
                            }
                            Ok(Decision {
                                facts: vec![facts::queued(n)],
                                value: true,
                            })
                        };
                        let at = facts::start();
                        won += u32::from(ledger.commit(Actor::System, at, decide).await.unwrap());
                    }
                    won
                });
            }
            assert_eq!(tasks.join_all().await.into_iter().sum::<u32>(), 40);
        });
        let entries = ledger.reader().read(1, usize::MAX).unwrap();
        let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, (1..=ledger.book().position).collect::<Vec<_>>());
        close(ledger, thread);
    }
}

#[test]
fn a_command_that_panics_or_spoils_the_book_harms_nobody_else() {
    for kind in Kind::both() {
        let (ledger, thread) = kind.open();
        block(async {
            put(&ledger, facts::import(2)).await;
            let at = facts::start();
            let mut tasks = tokio::task::JoinSet::new();
            for n in 1..=30_u32 {
                let ledger = ledger.clone();
                tasks.spawn(async move {
                    let good = ledger.append(Actor::System, at, vec![facts::queued(n)]);
                    let refused =
                        ledger.commit(Actor::System, at, |_| Err::<Decision<()>, _>("no"));
                    let panics =
                        ledger.commit(Actor::System, at, |_| -> Result<Decision<()>, Infallible> {
                            panic!("on purpose")
                        });
                    // Its first fact fits, its second does not.
                    let half = vec![facts::queued(1000 + n), facts::sent(1000 + n)];
                    let spoils = ledger.append(Actor::System, at, half);
                    let (good, refused, panics, spoils) =
                        tokio::join!(good, refused, panics, spoils);
                    good.unwrap();
                    assert!(matches!(refused, Err(CommitError::Refused("no"))));
                    assert!(matches!(panics, Err(CommitError::Unavailable)));
                    assert!(matches!(spoils, Err(CommitError::Unavailable)));
                });
            }
            tasks.join_all().await;
        });
        assert_eq!(ledger.book().messages.len(), 30);
        assert_eq!(ledger.health(), Health::Good);
        assert!(fold(&*ledger.reader()) == *ledger.book());
        let before = ledger.book().clone();
        close(ledger, thread);
        let (ledger, thread) = kind.open();
        assert!(*ledger.book() == before);
        close(ledger, thread);
    }
}

#[test]
fn times_are_kept_as_they_were_known() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path()).unwrap();
    let at = facts::start() + TimeDelta::nanoseconds(456_789);
    block(ledger.append(Actor::Operator, at, facts::import(1))).unwrap();
    let known = ledger.book().at;
    close(ledger, thread);
    let (ledger, thread, _) = open(folder.path()).unwrap();
    assert_eq!(ledger.book().at, known);
    close(ledger, thread);
}

#[test]
fn a_long_report_and_a_large_import_are_one_append_each() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path()).unwrap();
    let long = "长".repeat(6000);
    block(async {
        put(&ledger, facts::import(250)).await;
        put(&ledger, vec![facts::reported(1, &long)]).await;
        put(&ledger, (1..=2000).map(facts::queued).collect()).await;
    });
    let before = ledger.book().clone();
    assert!(ledger.reader().verify().unwrap().is_sound());
    close(ledger, thread);
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    let (ledger, thread, report) = open(folder.path()).unwrap();
    assert!(*ledger.book() == before);
    assert_eq!((report.milestones, report.clean), (500, true));
    assert_eq!(report.healed, []);
    close(ledger, thread);
}

#[test]
fn a_snapshot_and_the_rest_give_the_book_of_all_facts() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path()).unwrap();
    block(async {
        put(&ledger, facts::import(3)).await;
        put(&ledger, (1..=9).map(facts::queued).collect()).await;
        put(
            &ledger,
            vec![facts::intended(2), facts::sent(2), facts::intended(3)],
        )
        .await;
        put(&ledger, vec![facts::reported(1, "完成")]).await;
    });
    close(ledger, thread);
    let snapshot = std::fs::read(folder.path().join("snapshot.json")).unwrap();

    let (ledger, thread, report) = open(folder.path()).unwrap();
    assert_eq!(report.from_snapshot, report.facts);
    assert!(fold(&*ledger.reader()) == *ledger.book());
    block(put(
        &ledger,
        vec![facts::sent(3), facts::reported(1, "再报")],
    ));
    close(ledger, thread);

    // An older snapshot serves as well; a damaged one is left aside.
    let mut damaged = snapshot.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for (bytes, spared) in [(snapshot, true), (damaged, false)] {
        std::fs::write(folder.path().join("snapshot.json"), bytes).unwrap();
        let (ledger, thread, report) = open(folder.path()).unwrap();
        assert_eq!(report.from_snapshot > 0, spared);
        assert!(fold(&*ledger.reader()) == *ledger.book());
        assert_eq!(report.healed, []);
        close(ledger, thread);
    }
}

#[test]
fn a_folder_in_use_or_not_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, thread, _) = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::InUse(_))));
    assert!(matches!(
        verify(&opener(folder.path())),
        Err(StoreError::InUse(_))
    ));
    close(ledger, thread);

    std::fs::write(folder.path().join("FORMAT"), "cuiban sled-1 v9\n").unwrap();
    let refused = open(folder.path()).err().unwrap().to_string();
    assert!(refused.contains("cuiban sled-1 v9"), "{refused}");

    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("论文.docx"), "x").unwrap();
    let refused = open(other.path()).err().unwrap().to_string();
    assert!(refused.contains("论文.docx"), "{refused}");
    assert!(dump(other.path(), &mut Vec::new()).is_err());
}

#[test]
fn a_disk_with_little_room_stops_writing_before_it_is_full_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    close_with(folder.path(), 3);
    let greedy = Opener {
        room: Room {
            to_write: u64::MAX,
            percent: 0,
            to_open: 0,
        },
        ..opener(folder.path())
    };
    let (ledger, thread, _) = Ledger::open(greedy).unwrap();
    let refused = block(ledger.append(Actor::System, facts::start(), vec![facts::queued(99)]));
    assert!(matches!(refused, Err(CommitError::Unavailable)));
    let Health::Failed(why) = ledger.health() else {
        panic!("health says {:?}", ledger.health());
    };
    assert!(why.contains("请清理磁盘"), "{why}");
    assert!(!ledger.reader().read(1, 10).unwrap().is_empty());
    close(ledger, thread);
}

#[test]
fn the_link_key_is_made_once_and_refused_where_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let key = link_key(folder.path()).unwrap();
    assert_eq!(link_key(folder.path()).unwrap(), key);
    assert_eq!(format!("{key:?}"), "LinkKey(…)");
    let path = folder.path().join("link.key");
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    mode(0o640);
    let refused = link_key(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
    mode(0o600);
    std::fs::write(&path, [1; 31]).unwrap();
    let refused = link_key(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("31字节"), "{refused}");
}

/// Fills a store and closes it in good order.
fn close_with(path: &Path, messages: u32) {
    let (ledger, thread, _) = open(path).unwrap();
    block(async {
        put(&ledger, facts::import(5)).await;
        for n in 1..=messages {
            put(&ledger, vec![facts::queued(n)]).await;
        }
    });
    close(ledger, thread);
}

// Kills.

/// Opens the store named in the environment and writes until it is killed, telling each message
/// that was acknowledged.
#[test]
#[ignore = "run by the tests as a process of its own"]
fn child_writer() {
    let Some(path) = std::env::var_os("CUIBAN_STORE_CHILD") else {
        return;
    };
    let (ledger, _thread, _) = Ledger::open(probing(Path::new(&path))).unwrap();
    println!("open");
    block(async {
        if ledger.book().plans.is_empty() {
            put(&ledger, facts::import(5)).await;
        }
        if std::env::var_os("CUIBAN_STORE_QUIET").is_some() {
            let more = (50..90).map(facts::queued).collect();
            put(&ledger, more).await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            println!("quiet");
            std::future::pending::<()>().await;
        }
        let first = u32::try_from(ledger.book().messages.len()).unwrap() * 10;
        let mut tasks = tokio::task::JoinSet::new();
        for lane in 1..=4_u32 {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                for n in (first + lane..).step_by(4) {
                    put(&ledger, vec![facts::queued(n)]).await;
                    println!("ack {n}");
                    if n % 3 == 0 {
                        put(&ledger, vec![facts::intended(n)]).await;
                        put(&ledger, vec![facts::sent(n)]).await;
                    }
                }
            });
        }
        tasks.join_all().await;
    });
}

#[test]
#[ignore = "run by the tests as a process of its own"]
fn child_probe() {
    let path = PathBuf::from(std::env::args().next_back().unwrap());
    if path.is_dir() {
        let code = match probe(&path) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("{error}");
                i32::from(PROBE_FAILED)
            }
        };
        std::process::exit(code);
    }
}

fn spawn_writer(path: &Path, quiet: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if quiet {
        command.env("CUIBAN_STORE_QUIET", "1");
    }
    command
        .args(["--exact", "child_writer", "--ignored", "--nocapture"])
        .env("CUIBAN_STORE_CHILD", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child write for a while, or until it is quiet, kills it, and returns the messages it
/// told of.
fn write_and_kill(path: &Path, life: Option<Duration>, from_open: bool) -> BTreeSet<u32> {
    let quiet = life.is_none();
    let mut child = spawn_writer(path, quiet);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    if from_open {
        lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with("open")));
    }
    if quiet {
        // All that was written has been told; the engine brings it to disk twice a second.
        lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with("quiet")));
    }
    let killer = std::thread::spawn(move || {
        std::thread::sleep(life.unwrap_or_default());
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let told = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("ack ")?.parse().ok())
        .collect();
    killer.join().unwrap();
    told
}

#[test]
fn what_was_acknowledged_is_there_after_any_kill() {
    let rounds = std::env::var("CUIBAN_KILLS").map_or(20, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut told = BTreeSet::new();
    for round in 0..rounds {
        let mut dice = [0; 1];
        getrandom::fill(&mut dice).unwrap();
        // A third of the kills falls into the opening.
        let from_open = round % 3 != 0;
        let life = Some(Duration::from_millis(u64::from(dice[0])));
        told.extend(write_and_kill(folder.path(), life, from_open));
        let (ledger, thread, report) = Ledger::open(probing(folder.path())).unwrap();
        let lost: Vec<_> = told
            .iter()
            .filter(|n| !ledger.book().knows_message(&facts::key(**n)))
            .collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        assert_eq!(report.healed, [], "round {round}");
        assert!(fold(&*ledger.reader()) == *ledger.book(), "round {round}");
        close(ledger, thread);
    }
    assert!(told.len() > 20, "only {} were written", told.len());
}

// Damage.

/// A killed store with something in it, and the facts that an undamaged start finds there.
fn killed_store(life: Option<Duration>) -> (tempfile::TempDir, Vec<Entry>) {
    let folder = tempfile::tempdir().unwrap();
    close_with(folder.path(), 40);
    write_and_kill(folder.path(), life, true);
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), copy.path());
    let (ledger, thread, _) = open(copy.path()).unwrap();
    let entries = ledger.reader().read(1, usize::MAX).unwrap();
    close(ledger, thread);
    (folder, entries)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            // The ballast is empty space.
            false if entry.file_name() == "ballast" => {}
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Harm {
    Flip(f64),
    Zero(f64),
    Cut(f64),
    Delete,
}

impl Harm {
    fn apply(self, path: &Path) {
        let mut bytes = std::fs::read(path).unwrap();
        let at = |share: f64| (bytes.len().saturating_sub(1) as f64 * share) as usize;
        match self {
            Self::Flip(share) if !bytes.is_empty() => {
                let at = at(share);
                bytes[at] ^= 0x10;
            }
            Self::Zero(share) => {
                let from = at(share);
                let to = (from + 4096).min(bytes.len());
                bytes[from..to].fill(0);
            }
            Self::Cut(share) => {
                let length = at(share);
                bytes.truncate(length);
            }
            Self::Delete => return std::fs::remove_file(path).unwrap(),
            Self::Flip(_) => {}
        }
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn damage_after_a_kill_at_rest_is_healed_and_never_believed() {
    let (killed, entries) = killed_store(None);
    let outcome = harm_each_file(killed.path(), &entries);
    eprintln!("{outcome:?}");
    assert!(outcome.healed > 0);
    assert!(
        outcome.refused.iter().all(|case| case.ends_with("FORMAT")),
        "{outcome:?}"
    );
}

#[test]
fn damage_after_a_kill_while_writing_is_healed_or_refused_and_never_believed() {
    let (killed, entries) = killed_store(Some(Duration::from_millis(700)));
    let outcome = harm_each_file(killed.path(), &entries);
    eprintln!("{outcome:?}");
    assert!(outcome.right > 0);
}

#[derive(Debug, Default)]
struct Outcome {
    right: u32,
    healed: u32,
    refused: Vec<String>,
}

/// Each kind of damage to each file in turn: an open store must hold these facts, but for those at
/// the end that were still being written, of which nobody had been told.
fn harm_each_file(killed: &Path, entries: &[Entry]) -> Outcome {
    let noted = std::fs::read_to_string(killed.join("HEAD")).unwrap();
    let told: usize = noted.split_once(' ').unwrap().0.parse().unwrap();
    let mut files: Vec<PathBuf> = vec!["FORMAT".into(), "HEAD".into()];
    for folder in ["mirror", "db"] {
        for entry in std::fs::read_dir(killed.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                files.push(path.strip_prefix(killed).unwrap().to_owned());
            }
        }
    }
    let mut harms = vec![Harm::Delete];
    for share in [0.0, 0.2, 0.5, 0.97, 1.0] {
        harms.extend([Harm::Flip(share), Harm::Zero(share), Harm::Cut(share)]);
    }
    let mut outcome = Outcome::default();
    for (file, harm) in files
        .iter()
        .flat_map(|file| harms.iter().map(move |harm| (file, harm)))
    {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(killed, folder.path());
        harm.apply(&folder.path().join(file));
        let case = format!("{harm:?} in {}", file.display());
        match Ledger::open(probing(folder.path())) {
            Ok((ledger, thread, report)) => {
                let found = ledger.reader().read(1, usize::MAX).unwrap();
                assert!(found.len() >= told, "{case}: {report:?}");
                assert!(found == entries[..found.len()], "{case}: {report:?}");
                assert!(
                    fold(&*ledger.reader()) == *ledger.book(),
                    "{case}: {report:?}"
                );
                match report.healed.is_empty() {
                    true => outcome.right += 1,
                    false => outcome.healed += 1,
                }
                block(put(&ledger, vec![facts::reported(2, "恢复后照常")]));
                close(ledger, thread);
                let report = verify(&probing(folder.path())).unwrap();
                if !report.is_sound() {
                    heals_at_the_next_start(folder.path(), found.len() + 1, &case);
                    assert_eq!(report.mirror_flaw, None, "{case}: {report}");
                }
            }
            Err(StoreError::Refused(_)) => outcome.refused.push(case),
            Err(error) => panic!("{case}: {error}"),
        }
    }
    outcome
}

/// sled may break its own pages over a damage it did not notice, seldom and with a panic when it is
/// closed. The mirror has it all.
fn heals_at_the_next_start(folder: &Path, facts: usize, case: &str) {
    let (ledger, thread, report) = Ledger::open(probing(folder)).unwrap();
    assert!(!report.healed.is_empty(), "{case}: {report:?}");
    let found = ledger.reader().read(1, usize::MAX).unwrap();
    assert_eq!(found.len(), facts, "{case}: {report:?}");
    close(ledger, thread);
    let report = verify(&probing(folder)).unwrap();
    assert!(report.is_sound(), "{case}: {report}");
}

#[test]
fn damage_to_both_copies_is_refused_with_the_last_good_positions() {
    let (killed, _) = killed_store(None);
    Harm::Zero(0.5).apply(&killed.path().join("mirror/000001.jsonl"));
    std::fs::remove_dir_all(killed.path().join("db")).unwrap();
    let refused = open(killed.path()).err().unwrap().to_string();
    assert!(refused.contains("两份数据都有损坏"), "{refused}");
    assert!(refused.contains("000001.jsonl第"), "{refused}");
    let report = verify(&opener(killed.path())).unwrap();
    assert!(!report.is_sound() && report.mirror > 0, "{report}");
}

#[test]
fn a_mark_that_a_start_refuses_is_told_by_a_verification_with_the_line_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    close_with(folder.path(), 3);
    let facts = verify(&opener(folder.path())).unwrap().mirror;
    let format = folder.path().join("FORMAT");
    let marks = [
        (None, "FORMAT 不见了"),
        (Some(&b""[..]), "FORMAT 是空的"),
        (Some(b"cuiban sled-1 v9\n"), "“cuiban sled-1 v9”，应为“"),
        (
            Some(b"cuib\xe1n sled-0.34\x1bv1\n"),
            "“cuib\u{fffd}n sled-0.34\u{fffd}v1”，应为“",
        ),
    ];
    for (mark, told) in marks {
        match mark {
            None => std::fs::remove_file(&format).unwrap(),
            Some(bytes) => std::fs::write(&format, bytes).unwrap(),
        }
        assert!(open(folder.path()).is_err(), "{told}");
        let report = verify(&opener(folder.path())).unwrap();
        assert!(!report.is_sound() && report.can_be_healed(), "{report}");
        assert_eq!((report.mirror, report.store), (facts, facts), "{report}");
        assert!(report.to_string().contains(told), "{report}");
        assert_eq!(dump(folder.path(), &mut Vec::new()).unwrap(), facts);
        let line = report.mark_flaw.unwrap().rewrite.unwrap();
        let typed = Command::new("sh").args(["-c", &line]).status();
        assert!(typed.unwrap().success(), "{line}");
        let (ledger, thread, report) = open(folder.path()).unwrap();
        assert_eq!((report.facts, report.healed), (facts, vec![]));
        close(ledger, thread);
        assert!(verify(&opener(folder.path())).unwrap().is_sound());
    }
}

#[test]
fn damage_is_named_with_its_place_and_kept_aside_when_healed() {
    let folder = tempfile::tempdir().unwrap();
    close_with(folder.path(), 10);
    Harm::Flip(0.5).apply(&folder.path().join("mirror/000001.jsonl"));
    let report = verify(&opener(folder.path())).unwrap();
    assert!(report.to_string().contains("000001.jsonl第"), "{report}");
    assert!(dump(folder.path(), &mut Vec::new()).is_err());
    let (ledger, thread, report) = open(folder.path()).unwrap();
    let [Healed::MirrorRewritten { kept, .. }] = &report.healed[..] else {
        panic!("{report:?}");
    };
    assert!(kept.join("000001.jsonl").exists());
    close(ledger, thread);
    assert!(verify(&opener(folder.path())).unwrap().is_sound());
}

// A full disk.

#[test]
fn a_full_disk_loses_nothing_and_is_left_by_itself_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::tmpfs(folder.path(), 6) else {
        return eprintln!("skipped: needs root to mount a tmpfs");
    };
    let store = folder.path().join("data");
    let (ledger, thread, _) = open(&store).unwrap();
    let told = block(async {
        put(&ledger, facts::import(5)).await;
        let mut n = 0;
        loop {
            n += 1;
            let fact = vec![facts::queued(n)];
            if ledger
                .append(Actor::System, facts::start(), fact)
                .await
                .is_err()
            {
                break n - 1;
            }
        }
    });
    assert!(told > 100, "only {told}");
    // It may be open again for a moment, when its own first attempt found a little room.
    let failed = block(async {
        for n in 2_000_000..2_000_100 {
            if matches!(ledger.health(), Health::Failed(_)) {
                return true;
            }
            let fact = vec![facts::queued(n)];
            let _ = ledger.append(Actor::System, facts::start(), fact).await;
        }
        false
    });
    assert!(failed, "{:?}", ledger.health());
    Mounted::enlarge(folder.path(), 40);
    let more = block(async {
        let mut tries = 0;
        loop {
            let fact = vec![facts::queued(1_000_000)];
            if ledger
                .append(Actor::System, facts::start(), fact)
                .await
                .is_ok()
            {
                break true;
            }
            tries += 1;
            assert!(tries < 600, "did not open again: {:?}", ledger.health());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert!(more);
    for n in 1..=told {
        assert!(ledger.book().knows_message(&facts::key(n)), "lost {n}");
    }
    assert!(fold(&*ledger.reader()) == *ledger.book());
    close(ledger, thread);
    assert!(verify(&opener(&store)).unwrap().is_sound());
}

struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(path: &Path, megabytes: u32) -> Option<Self> {
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        done.is_ok_and(|status| status.success())
            .then(|| Self(path.to_owned()))
    }

    fn enlarge(path: &Path, megabytes: u32) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,size={megabytes}m")])
            .arg(path)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A store with facts, a key and files, and a backup of it made beside its writer.
fn backed_up(folder: &Path) -> (Book, Vec<u8>) {
    let (ledger, thread, _) = open(folder).unwrap();
    link_key(folder).unwrap();
    let vault = Vault::new(folder.join("evidence"));
    // None at all, one of exactly the length of a part, and one a little longer than two.
    for length in [0, 192 << 10, (384 << 10) + 7] {
        let mut part = vault.begin().unwrap();
        part.write(&vec![7; length]).unwrap();
        part.keep().unwrap();
    }
    block(async {
        put(&ledger, facts::import(20)).await;
        put(&ledger, (1..=50).map(facts::queued).collect()).await;
        put(&ledger, vec![facts::reported(1, "完成")]).await;
    });
    let mut bytes = Vec::new();
    let reader = ledger.reader();
    backup::write(folder, facts::start(), |to| reader.dump(to), &mut bytes).unwrap();
    let book = ledger.book().clone();
    close(ledger, thread);
    (book, bytes)
}

#[test]
fn a_backup_read_back_is_the_same_store_and_waits_for_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let (before, bytes) = backed_up(folder.path());
    let place = tempfile::tempdir().unwrap();
    let now = facts::start() + TimeDelta::hours(9);
    let done = restore(&opener(place.path()), &mut bytes.as_slice(), false, now).unwrap();
    assert_eq!(
        (done.content.facts, done.content.files),
        (before.position, 4)
    );
    assert_eq!(done.put_aside, None);
    assert!(verify(&opener(place.path())).unwrap().is_sound());
    let same = |name: &str| {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        read(folder.path()) == read(place.path())
    };
    assert!(same("link.key"));
    let files = |folder: &Path| {
        let homes = std::fs::read_dir(folder.join("evidence")).unwrap();
        let homes = homes.map(|home| home.unwrap().path());
        let files = homes.flat_map(|home| std::fs::read_dir(home).unwrap());
        let names = files.map(|file| file.unwrap().file_name());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(files(folder.path()), files(place.path()));
    let (ledger, thread, report) = open(place.path()).unwrap();
    assert!(report.clean && report.healed.is_empty());
    assert!(ledger.book().is_paused());
    assert_eq!(ledger.book().restored, Some(facts::start()));
    let after = Book {
        position: before.position,
        at: before.at,
        restored: None,
        ..ledger.book().clone()
    };
    assert!(after == before);
    close(ledger, thread);
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
    let left = left.into_iter().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| name != "restoring"));
}

#[test]
fn no_part_of_a_backup_can_change_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let (_, bytes) = backed_up(folder.path());
    let read = |bytes: &[u8]| backup::read(&mut &bytes[..], &mut CheckOnly);
    read(&bytes).unwrap();
    let step = bytes.len() / 97;
    for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 2]) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let found = read(&flipped);
        assert!(found.is_err(), "byte {at} of {}", bytes.len());
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
    }
    let twice = [bytes.clone(), bytes.clone()].concat();
    assert!(read(&twice).is_err());
}

#[test]
fn a_restore_touches_nothing_that_is_there_unless_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (before, bytes) = backed_up(folder.path());
    let now = facts::start();
    let into =
        |bytes: &[u8], replace| restore(&opener(folder.path()), &mut &bytes[..], replace, now);
    assert!(matches!(into(&bytes, false), Err(StoreError::Refused(_))));
    // Half a backup leaves what was there.
    assert!(into(&bytes[..bytes.len() / 2], true).is_err());
    let (ledger, thread, _) = open(folder.path()).unwrap();
    assert!(*ledger.book() == before);
    let busy = into(&bytes, true);
    assert!(matches!(busy, Err(StoreError::InUse(_))), "{busy:?}");
    close(ledger, thread);

    let aside = into(&bytes, true).unwrap().put_aside.unwrap();
    let (ledger, thread, _) = open(folder.path()).unwrap();
    assert_eq!(ledger.book().position, before.position + 1);
    close(ledger, thread);
    let (ledger, thread, _) = open(&aside).unwrap();
    assert!(*ledger.book() == before, "what was replaced is whole");
    close(ledger, thread);

    // Broken off after the mark of what was there had gone: it is still there, and still asked for.
    std::fs::remove_file(folder.path().join("FORMAT")).unwrap();
    std::fs::create_dir(folder.path().join("restoring")).unwrap();
    let report = verify(&opener(folder.path())).unwrap();
    assert_eq!(report.mark_flaw.unwrap().rewrite, None);
    assert!(matches!(into(&bytes, false), Err(StoreError::Refused(_))));
    let again = restore(
        &opener(folder.path()),
        &mut &bytes[..],
        true,
        now + TimeDelta::hours(1),
    );
    assert!(again.unwrap().put_aside.is_some());
    let (ledger, thread, _) = open(folder.path()).unwrap();
    assert_eq!(ledger.book().position, before.position + 1);
    close(ledger, thread);
}
