//! The server dies after its nightly backup, and another takes its place.

use std::path::Path;

use rustix::process::Signal;

use crate::world::{Daemon, SOON, Smtp, World, eventually};

const NOTICES: u64 = 155;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_after_the_backup_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve("2022-03-16T02:00:00+08:00", 0.0).await;
    let file = world.path("night.jsonl");
    let file = file.to_str().unwrap();
    let said = world.run(&["backup", file]);
    assert!(
        said.starts_with("备份完成并已核对：2022年3月16日"),
        "{said}"
    );
    let again = world.cuiban(&["backup", file]);
    assert!(!again.status.success(), "never over another one");
    daemon.advance("2022-03-17T12:00:00+08:00").await;
    let sent = smtp.taken();
    assert!(sent >= NOTICES, "{sent}");
    let running = world.cuiban(&["restore", file, "--replace"]);
    let told = String::from_utf8(running.stderr).unwrap();
    assert!(told.contains("systemctl stop cuiban"), "{told}");
    daemon.stop().await;

    std::fs::remove_dir_all(world.path("data")).unwrap();
    assert!(
        world
            .run(&["restore", file, "--check"])
            .starts_with("备份完好：")
    );
    let said = world.run(&["restore", file]);
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(first.starts_with("已恢复并核对：2022年3月16日"), "{said}");
    assert_eq!(
        rest,
        "启动服务后暂不提醒、不发送，以免重发备份之后已发过的消息。\
         请确认原服务最后运行到什么时候，再执行：\ncuiban resume --not-before 时间\n"
    );
    // The new server's clock says that hours have passed; everything that was due meanwhile waits.
    let daemon = world.serve("2022-03-17T15:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-18T12:00:00+08:00").await;
    assert_eq!(
        smtp.taken(),
        sent,
        "nothing leaves before a person has spoken"
    );
    assert!(
        daemon
            .page("/")
            .await
            .contains("cuiban resume --not-before")
    );
    let doctor = world.cuiban(&["doctor"]);
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("由2022年3月16日"), "{doctor}");
    let early = world.cuiban(&["resume", "--not-before", "2022-03-19T12:00:00+08:00"]);
    assert_eq!(early.status.code(), Some(2));
    let said = world.run(&["resume", "--not-before", "2022-03-17T14:00:00+08:00"]);
    assert_eq!(
        said,
        "已恢复提醒和发送。2022年3月16日（周三）02:00的备份之后至2022年3月17日（周四）14:00应发的155条消息\
         视为已由原服务发出，不再重发；名单见看板“消息”，需要补发的请用“催办”\n"
    );
    daemon.advance("2022-03-24T08:00:00+08:00").await;
    assert_eq!(smtp.taken(), sent, "the notices are taken as sent");
    daemon.advance("2022-03-28T12:00:00+08:00").await;
    assert!(smtp.taken() >= sent + NOTICES, "the reminders leave");
    let first = world.run(&["resume", "--not-before", "2022-03-17T14:00:00+08:00"]);
    assert!(first.contains("无需执行"), "{first}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_makes_one_a_night_and_keeps_as_many_as_it_is_told() {
    let mut world = World::new("");
    let nights = world.path("nights");
    world.reconfigure(&format!(
        "[backup]\nfolder = \"{}\"\nkeep = 2\n",
        nights.display()
    ));
    world.import(|_, _| "");
    let daemon = world.serve("2022-03-16T20:00:00+08:00", 0.0).await;
    let names = || {
        let entries = std::fs::read_dir(&nights).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".jsonl"))
            .collect();
        names.sort();
        names
    };
    let until = async |wanted: &[&str]| {
        let reached = eventually(crate::world::SOON, || async {
            (names() == wanted).then_some(())
        })
        .await;
        assert!(reached.is_some(), "{:?}", names());
    };
    until(&["cuiban-20220316T120000Z.jsonl"]).await;
    daemon.advance("2022-03-17T03:00:00+08:00").await;
    until(&[
        "cuiban-20220316T120000Z.jsonl",
        "cuiban-20220316T190000Z.jsonl",
    ])
    .await;
    daemon.advance("2022-03-18T03:00:00+08:00").await;
    until(&[
        "cuiban-20220316T190000Z.jsonl",
        "cuiban-20220317T190000Z.jsonl",
    ])
    .await;
    let newest = nights.join("cuiban-20220317T190000Z.jsonl");
    world.run(&["restore", "--check", newest.to_str().unwrap()]);
    let metrics = daemon
        .http
        .get(format!("{}/metrics", daemon.base))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("cuiban_last_backup_timestamp_seconds"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_has_the_key_can_open_an_encrypted_one() {
    let world = World::new("");
    world.import(|_, _| "");
    let key = world.path("key.txt");
    let made = std::process::Command::new("age-keygen")
        .arg("-o")
        .arg(&key)
        .output()
        .unwrap();
    let said = String::from_utf8(made.stderr).unwrap();
    let recipient = said.trim().rsplit(' ').next().unwrap();
    let file = world.path("night.jsonl.age");
    let file = file.to_str().unwrap();
    world.run(&["backup", file, "--recipient", recipient]);
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/"));
    let without = world.cuiban(&["restore", "--check", file]);
    let told = String::from_utf8(without.stderr).unwrap();
    assert!(told.contains("--identity"), "{told}");
    let key = key.to_str().unwrap();
    let with = world.run(&["restore", "--check", file, "--identity", key]);
    assert!(with.starts_with("备份完好："), "{with}");
    std::fs::write(file, &bytes[..bytes.len() - 100]).unwrap();
    let cut = world.cuiban(&["restore", "--check", file, "--identity", key]);
    assert!(!cut.status.success());
}

/// A world that makes a backup every night and keeps two, with the first one made.
async fn with_a_backup() -> World {
    let mut world = World::new("");
    let nights = world.path("nights");
    world.reconfigure(&format!(
        "[backup]\nfolder = \"{}\"\nkeep = 2\n",
        nights.display()
    ));
    world.import(|_, _| "");
    let daemon = world.serve("2022-03-16T20:00:00+08:00", 0.0).await;
    until(&world, &[FIRST]).await;
    daemon.stop().await;
    world
}

const FIRST: &str = "cuiban-20220316T120000Z.jsonl";
/// The next one's name, where the clock is moved to [`NIGHT`].
const SECOND: &str = "cuiban-20220316T190000Z.jsonl";
const NIGHT: &str = "2022-03-17T03:00:00+08:00";
const AN_HOUR_LATER: &str = "2022-03-17T04:10:00+08:00";
const THIRD: &str = "cuiban-20220316T201000Z.jsonl";

/// All that lies in the folder.
fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.path("nights"))
        .into_iter()
        .flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn until(world: &World, wanted: &[&str]) {
    let reached = eventually(SOON, || async { (names(world) == wanted).then_some(()) });
    let reached = reached.await;
    assert!(reached.is_some(), "{:?}\n{}", names(world), world.log());
}

/// The daemon with a fault in the system calls on the second backup while it is written.
fn with_fault(world: &World, call: &str, fault: &str) -> Daemon {
    let part = world.path("nights").canonicalize().unwrap();
    let part = part.join(format!("{SECOND}.part"));
    let tracer = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        part.to_str().unwrap(),
        "-e",
        &format!("trace={call}"),
        "-e",
        &format!("inject={call}:{fault}"),
    ]
    .map(str::to_owned);
    world.spawn_under(&tracer, "2022-03-16T21:00:00+08:00", 0.0)
}

fn check(world: &World, name: &str) {
    let file = world.path("nights").join(name);
    world.run(&["restore", "--check", file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_or_dead_costs_one_backup_and_none_of_those_before() {
    let faults = [
        ("write", "error=ENOSPC", "磁盘已满"),
        ("openat", "error=EROFS", "磁盘是只读的"),
        ("fsync", "error=EIO", "读写"),
        ("rename,renameat,renameat2", "error=EIO", "读写"),
    ];
    for (call, fault, words) in faults {
        let world = with_a_backup().await;
        let daemon = with_fault(&world, call, fault);
        daemon.ready().await;
        daemon.advance(NIGHT).await;
        let told = eventually(SOON, || async {
            let found = world.log().contains("no backup was made");
            found.then_some(())
        });
        assert!(told.await.is_some(), "{call}:\n{}", world.log());
        assert_eq!(names(&world), [FIRST], "{call}: no half file");
        daemon.advance("2022-03-17T03:10:00+08:00").await;
        let told = world.log();
        let told = told.lines().find(|line| line.contains("每日备份没有完成"));
        assert!(
            told.is_some_and(|line| line.contains(words)),
            "{call}: {told:?}"
        );
        daemon.advance(AN_HOUR_LATER).await;
        until(&world, &[FIRST, THIRD]).await;
        let mut minutes = 11..50;
        while !world.log().contains("an alarm is over") {
            let minute = minutes
                .next()
                .unwrap_or_else(|| panic!("{call}: not told so"));
            daemon
                .advance(&format!("2022-03-17T04:{minute}:00+08:00"))
                .await;
        }
        check(&world, THIRD);
        daemon.end_inner(Signal::TERM).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_a_kill_cut_short_counts_for_nothing_and_is_cleared_away() {
    let world = with_a_backup().await;
    let mut daemon = with_fault(&world, "write", "signal=KILL");
    daemon.ready().await;
    let moved = daemon.http.post(format!("{}/api/v1/clock", daemon.base));
    let _ = moved
        .json(&serde_json::json!({ "advance_to": NIGHT }))
        .send()
        .await;
    let killed = eventually(SOON, || {
        let ended = daemon.ended().then_some(());
        async move { ended }
    });
    assert!(killed.await.is_some());
    assert_eq!(names(&world), [FIRST, &format!("{SECOND}.part")]);
    let daemon = world.serve(AN_HOUR_LATER, 0.0).await;
    until(&world, &[FIRST, THIRD]).await;
    check(&world, THIRD);
    daemon.stop().await;
}

/// What stands in the way is a program that takes nothing: for the daemon a write that never ends,
/// as to a mount that is dead.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_hangs_does_not_keep_the_daemon_from_stopping() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::new("");
    let (nights, programs) = (world.path("nights"), world.path("programs"));
    world.reconfigure(&format!(
        "[backup]\nfolder = \"{}\"\nrecipients = [\"age1{}\"]\n",
        nights.display(),
        "q".repeat(58)
    ));
    world.import(|_, _| "");
    std::fs::create_dir(&programs).unwrap();
    let age = programs.join("age");
    std::fs::write(&age, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&age, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    world.env.push(("PATH", path));
    let daemon = world.serve("2022-03-16T20:00:00+08:00", 0.0).await;
    let half = FIRST.replace(".jsonl", ".jsonl.age.part");
    until(&world, &[&half]).await;
    daemon.advance(NIGHT).await;
    let begun = std::time::Instant::now();
    daemon.stop().await;
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    assert!(world.log().contains("stopped in good order"));
    assert!(world.path("data/CLEAN").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_tried_by_the_hour() {
    let world = with_a_backup().await;
    std::fs::remove_dir_all(world.path("nights")).unwrap();
    std::fs::write(world.path("nights"), "").unwrap();
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 1.0).await;
    let failed = || world.log().matches("no backup was made").count();
    let once = eventually(SOON, || async { (failed() > 0).then_some(()) });
    assert!(once.await.is_some());
    // By the clock this was a second, where an hour was meant.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(failed(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_in_the_middle_of_a_burst_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 15);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    let facts = |said: &str| -> u64 {
        let (_, rest) = said.split_once('共').unwrap();
        rest.split_once('条').unwrap().0.parse().unwrap()
    };
    let burst = daemon.advance("2022-03-17T10:00:00+08:00");
    let backups = async {
        let mut counts = Vec::new();
        for number in 0..4 {
            let file = world.path(&format!("{number}.jsonl"));
            let said = made(&world, &file).await;
            counts.push(facts(&said));
        }
        counts
    };
    let ((), counts) = tokio::join!(burst, backups);
    assert!(counts.is_sorted(), "{counts:?}");
    daemon.stop().await;
    let journal = world.run(&["journal", "dump"]);
    let lines: Vec<&str> = journal.lines().collect();
    for (number, count) in counts.into_iter().enumerate() {
        let other = World::new("");
        let file = world.path(&format!("{number}.jsonl"));
        other.run(&["restore", file.to_str().unwrap()]);
        other.run(&["journal", "verify"]);
        let dump = other.run(&["journal", "dump"]);
        let kept: Vec<&str> = dump.lines().collect();
        // The last one says that it was restored.
        let count = usize::try_from(count).unwrap();
        assert_eq!(kept[..count], lines[..count], "{number}");
        assert_eq!(kept.len(), count + 1);
    }
}

/// Makes a backup while the test goes on.
async fn made(world: &World, file: &Path) -> String {
    let mut command = world.command(&["backup", file.to_str().unwrap()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
