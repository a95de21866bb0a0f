//! `doctor`: beside the daemon and without one, with ways that work and ways that do not.

use std::fs;

use serde_json::Value;

use crate::world::{Smtp, World};

/// The lines by name.
fn lines(world: &World, code: i32) -> Vec<(String, String, String)> {
    let output = world.cuiban(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let all = found.iter();
    all.map(|line| (text(line, "name"), text(line, "state"), text(line, "text")))
        .collect()
}

fn state<'a>(lines: &'a [(String, String, String)], name: &str) -> &'a str {
    let found = lines.iter().find(|(known, ..)| known == name);
    &found.unwrap_or_else(|| panic!("{name}: {lines:?}")).1
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_works_and_what_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let mut world = World::new(&smtp.section());
    let new = lines(&world, 0);
    assert_eq!(state(&new, "存储"), "warn", "nothing yet");
    assert_eq!(state(&new, "服务"), "warn");
    assert!(
        !world.path("data/db").exists(),
        "a look leaves no store behind"
    );

    world.import(|_, _| "email");
    let alone = lines(&world, 0);
    for name in ["配置", "存储", "发送·电子邮件", "通讯录"] {
        assert_eq!(state(&alone, name), "ok", "{alone:?}");
    }
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    let beside = lines(&world, 0);
    assert_eq!(state(&beside, "服务"), "ok");
    assert_eq!(state(&beside, "发送·电子邮件"), "ok");
    assert_eq!(state(&beside, "接收·填报网页"), "warn", "{beside:?}");
    assert_eq!(state(&beside, "时钟"), "warn", "simulated");
    assert_eq!(smtp.mails().len(), 0, "nothing was sent");
    daemon.stop().await;

    // A server that is gone, and a password that nobody may read.
    let password = "geheim-7f3k";
    fs::write(world.path("password"), password).unwrap();
    let imap = "[imap]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nusername = \"duban\"\npassword_file = \"password\"\n";
    world.reconfigure(&format!("{}{imap}", smtp.section()));
    let ill = lines(&world, 1);
    assert_eq!(state(&ill, "接收·邮件回复"), "fail");
    let shown = world.cuiban(&["doctor"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("故障  接收·邮件回复："), "{text}");
    assert!(!text.contains(password));
    fs::write(world.config(), "[email]\nprot = 25\n").unwrap();
    let wrong = lines(&world, 1);
    assert_eq!(state(&wrong, "配置"), "fail");
}
