//! The server dies after its nightly backup, and another takes its place.

use crate::world::{Smtp, World, eventually};

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
