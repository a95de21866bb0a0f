//! Stores of earlier releases: each is opened by this one and says what it said then. And the way
//! back: a release that meets what a later one wrote refuses it, says which release can read it, and
//! touches nothing.
//!
//! `tests/fixtures/stores/VERSION/` holds `store.tar.xz`, a store's folder as that release left it,
//! `said.json`, what that release said of it, and `facts.jsonl`, every kind of fact as that release
//! wrote it (read by `src/store/record/tests.rs`). `tests/fixtures/stores/make` makes those of this
//! release.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::dovecot::Dovecot;
use crate::import::add_user;
use crate::world::{Daemon, Mail, SOON, Smtp, World, eventually};

const STORES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stores");
/// The office's clock when the store was left.
const LEFT: &str = "2022-04-08T11:00:00+08:00";

#[tokio::test(flavor = "multi_thread")]
async fn every_released_store_is_opened_and_says_what_it_said() {
    let mut releases = 0;
    for folder in std::fs::read_dir(STORES).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        releases += 1;
        let world = World::new("");
        unpack(&folder.join("store.tar.xz"), world.dir.path());
        let said: Value =
            serde_json::from_slice(&std::fs::read(folder.join("said.json")).unwrap()).unwrap();
        world.run(&["journal", "verify"]);
        // Twice: as it was left, and as this release left it.
        for _ in 0..2 {
            let daemon = world.serve(LEFT, 0.0).await;
            let says = says(&daemon).await;
            daemon.stop().await;
            for (what, then) in said.as_object().unwrap() {
                assert_eq!(&says[what], then, "{}: {what}", folder.display());
            }
            world.run(&["journal", "verify"]);
        }
        // What it says of the past does not rest on its snapshot.
        std::fs::remove_file(world.path("data/snapshot.json")).unwrap();
        let daemon = world.serve(LEFT, 0.0).await;
        assert_eq!(says(&daemon).await["rows"], said["rows"]);
        daemon.stop().await;
    }
    assert!(releases > 0);
    let ours = Path::new(STORES).join(env!("CARGO_PKG_VERSION"));
    assert!(
        ours.is_dir(),
        "tests/fixtures/stores/make makes the store of this release"
    );
}

/// What a later release will have to say as well: numbers, states, words; no layout.
async fn says(daemon: &Daemon) -> Value {
    let mut rows = BTreeMap::new();
    let mut totals = BTreeMap::new();
    for quarter in ["2022Q1", "2022Q2"] {
        let board = daemon
            .get(&format!("/api/v1/board?quarter={quarter}"))
            .await;
        totals.insert(quarter, board["totals"].clone());
        for row in board["rows"].as_array().unwrap() {
            let of_row = ["state", "status", "deadline", "reported_at", "via", "stage"];
            let kept = of_row.map(|name| row[name].as_str().unwrap_or("-").to_owned());
            let unit = row["unit"].as_str().unwrap();
            rows.insert(format!("{quarter} {} {unit}", row["task"]), kept.join(" "));
        }
    }
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    let all = daemon.get("/api/v1/deliveries").await;
    for one in all["deliveries"].as_array().unwrap() {
        let of = |name: &str| one[name].as_str().unwrap_or("none").to_owned();
        let kind = [of("stage"), of("state"), of("channel")].join(" ");
        *messages.entry(kind).or_default() += 1;
    }
    let past = daemon
        .get("/api/v1/board?quarter=2022Q1&as_of=2022-03-31T18:00:00%2B08:00")
        .await;
    let metrics = daemon.http.get(format!("{}/metrics", daemon.base));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let stages: Vec<&str> = metrics
        .lines()
        .filter(|line| line.starts_with("cuiban_stage_"))
        .collect();
    let waits = |page: &str, words: &str| page.matches(words).count();
    let requests = daemon.page("/requests").await;
    let mails = daemon.page("/mails").await;
    json!({
        "rows": rows, "totals": totals, "messages": messages, "stages": stages,
        "totals at the deadline": past["totals"],
        "asked for a later date": waits(&requests, "name=\"day\""),
        "mails that wait": waits(&mails, "class=\"mail"),
        "users": daemon.get("/api/v1/users").await,
    })
}

/// Makes the store of this release: a quarter in which people did what they may do.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/fixtures/stores/make runs it"]
async fn make_the_store_of_this_release() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 0);
    let dovecot = Dovecot::start();
    dovecot.ready().await;
    let mut world = World::new("");
    let imap = dovecot.section(world.dir.path(), dovecot.port);
    world.reconfigure(&(smtp.section() + &imap));
    world.import(|_, _| "email");
    add_user(&world);
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    let mails = smtp.mails();
    report(&daemon, &mails).await;
    ask(&daemon, &mails).await;
    let mail = mails
        .iter()
        .find(|mail| first_task(mail).is_some())
        .unwrap();
    let words = format!("{} 已完成，现场照片已报。", first_task(mail).unwrap());
    dovecot.answer(mail, &words, &[]);
    dovecot.answer(mail, "情况比较复杂，面报。", &[]);
    let read = eventually(SOON, || async {
        let journal = daemon.page("/api/v1/journal").await;
        (journal.matches("\"mail.taken\"").count() == 2).then_some(())
    });
    read.await.expect("the mails are read");
    judge(&world, &daemon).await;
    daemon.advance("2022-03-28T12:00:00+08:00").await;
    world.run(&["urge", "--quarter", "2022Q1", "--unit", "市科技局"]);
    world.run(&[
        "token",
        "add",
        "OA",
        "--scope",
        "board:read",
        "--days",
        "30",
    ]);
    daemon.advance(LEFT).await;
    let said = says(&daemon).await;
    let journal = daemon.page("/api/v1/journal").await;
    daemon.stop().await;

    let to = Path::new(STORES).join(env!("CARGO_PKG_VERSION"));
    std::fs::create_dir_all(&to).unwrap();
    let packed = Command::new("tar")
        .args([
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--exclude=ballast",
            "-cJf",
        ])
        .arg(to.join("store.tar.xz"))
        .arg("data")
        .current_dir(world.dir.path())
        .status();
    assert!(packed.unwrap().success());
    let said = serde_json::to_string_pretty(&said).unwrap();
    std::fs::write(to.join("said.json"), said + "\n").unwrap();
    let mut kinds = BTreeMap::new();
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let kind = line["fact"]["kind"].as_str().unwrap().to_owned();
        *kinds.entry(kind).or_insert(0) += 1;
    }
    eprintln!("{} kinds of facts: {kinds:?}", kinds.len());
}

async fn report(daemon: &Daemon, mails: &[Mail]) {
    for (index, mail) in mails.iter().enumerate().filter(|(index, _)| index % 3 == 0) {
        let token = mail.link().rsplit('/').next().unwrap().to_owned();
        let path = format!("/api/v1/reply/{token}");
        let page = daemon.http.get(format!("{}{path}", daemon.base)).send();
        let page: Value = page.await.unwrap().json().await.unwrap();
        let statuses = ["completed", "on_schedule", "behind", "not_started"];
        let items = page["items"].as_array().unwrap().iter();
        let reports: Vec<Value> = items
            .map(|item| {
                json!({"task": item["task"], "status": statuses[index / 3 % 4],
                "progress": "按计划推进，共12家。", "problems": "用地未落实", "next_steps": "正在协调用地", "percent": 60})
            })
            .collect();
        let (status, receipt) = daemon.post(&path, &json!({ "reports": reports })).await;
        assert_eq!(status, 200, "{receipt}");
    }
}

/// 申请延期, 不是我, 已知悉, another owner, 转办.
async fn ask(daemon: &Daemon, mails: &[Mail]) {
    let tokens = mails.iter().skip(1).step_by(9).take(4);
    for mail in tokens {
        let token = mail.link().rsplit('/').next().unwrap().to_owned();
        let task = first_task(mail).unwrap_or(1);
        let date = [
            ("day", "2022-04-15".to_owned()),
            ("reason", "评审会推迟".to_owned()),
        ];
        let other = [
            ("name", "李四".to_owned()),
            ("unit", "市财政局".to_owned()),
            ("note", "已转岗".to_owned()),
        ];
        for group in 0..2 {
            let path = format!("/r/{token}/extension/{task}/{group}");
            daemon.fill_in(&path, &date).await;
        }
        let path = format!("/r/{token}/not-mine/{task}/0");
        daemon.fill_in(&path, &other).await;
        let seen = [("go", "seen".to_owned())];
        daemon.fill_in(&format!("/r/{token}"), &seen).await;
    }
}

async fn judge(world: &World, daemon: &Daemon) {
    let list = daemon.page("/review?quarter=2022Q1").await;
    let seen: Vec<String> = list
        .split("value=\"dongguan-2022/")
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(value, _)| value))
        .filter(|value| value.contains('@'))
        .map(|value| format!("dongguan-2022/{value}"))
        .collect();
    for (index, item) in seen.into_iter().take(20).enumerate() {
        let word = if index % 4 == 0 { "return" } else { "accept" };
        let form = [
            ("csrf", String::new()),
            ("plan", "dongguan-2022".into()),
            ("quarter", "2022Q1".into()),
            ("item", item),
            ("do", word.into()),
            ("reason", "请写明具体数据".into()),
        ];
        daemon.submit("/review/list", &form).await;
    }
    let requests = daemon.page("/requests").await;
    let asked = requests.split("name=\"item\" value=\"").skip(1);
    for (index, rest) in asked.take(2).enumerate() {
        let word = if index == 0 { "grant" } else { "refuse" };
        let form = [
            ("csrf", String::new()),
            ("item", rest.split_once('"').unwrap().0.to_owned()),
            ("do", word.into()),
            ("day", "2022-04-15".into()),
            ("note", "请抓紧".into()),
        ];
        daemon.submit("/requests/extension", &form).await;
    }
    let names: Vec<_> = world.names_by_address().into_values().collect();
    for (kind, pair) in [("owner", 3), ("items", 5), ("acting", 7)] {
        let ((from, from_unit), (name, unit)) = (&names[pair], &names[pair + 20]);
        let form = [
            ("csrf", String::new()),
            ("plan", "dongguan-2022".into()),
            ("do", kind.into()),
            ("from", format!("{from_unit}/{from}")),
            ("name", name.clone()),
            ("unit", unit.clone()),
            ("begins", "2022-03-18".into()),
            ("ends", "2022-04-01".into()),
        ];
        daemon.submit("/requests/people", &form).await;
    }
}

fn first_task(mail: &Mail) -> Option<u32> {
    let parts = mail.text.split("第").skip(1);
    let mut numbers = parts.filter_map(|part| part.split_once('项')?.0.parse().ok());
    numbers.next()
}

fn unpack(archive: &Path, to: &Path) {
    let mut tar = Command::new("tar");
    let done = tar.arg("-xJf").arg(archive).arg("-C").arg(to).status();
    assert!(done.unwrap().success(), "{}", archive.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_release_wrote_is_refused_by_name_and_left_as_it_is() {
    let world = World::new("");
    world.import(|_, _| "");
    let daemon = world.serve("2022-03-01T09:00:00+08:00", 0.0).await;
    daemon.stop().await;
    // A later release adds a fact that this one does not know, and leaves in good order.
    let mirror = world.path("data/mirror/000001.jsonl");
    later_fact(&mirror);
    let format = world.path("data/FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    let later = text.replace(env!("CARGO_PKG_VERSION"), "9.4.0");
    assert_ne!(later, text);
    std::fs::write(&format, later).unwrap();

    let before = contents(&world.path("data"));
    let refused = world.cuiban(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    for words in ["更新版本的 cuiban", "9.4.0"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    insta::assert_snapshot!(
        told.lines()
            .last()
            .unwrap()
            .replace(&world.path("data").display().to_string(), "/var/lib/cuiban")
    );
    assert_eq!(contents(&world.path("data")), before, "nothing is touched");
    let verify = world.cuiban(&["journal", "verify"]);
    assert!(!verify.status.success());
    assert_eq!(contents(&world.path("data")), before, "nothing is touched");
}

/// Appends a record of a kind that no release knows, as the chain wants it.
fn later_fact(mirror: &Path) {
    use sha2::{Digest as _, Sha256};
    let text = std::fs::read_to_string(mirror).unwrap();
    let last = text.lines().last().unwrap();
    let known: Value = serde_json::from_str(last).unwrap();
    let prev = Sha256::digest(last.as_bytes());
    let prev: String = prev.iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!(
        "{{\"pos\":{},\"at\":{},\"by\":\"system\",\"prev\":\"{prev}\",\"fact\":{{\"v\":1,\"kind\":\"weather.seen\"}}",
        known["pos"].as_u64().unwrap() + 1,
        known["at"],
    );
    let crc = crc32fast::hash(line.as_bytes());
    std::fs::write(mirror, format!("{text}{line},\"crc\":\"{crc:08x}\"}}\n")).unwrap();
}

/// Every file of a folder with what is in it; the lock is everybody's.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else if path.file_name().is_some_and(|name| name != "LOCK") {
            let bytes = std::fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}
