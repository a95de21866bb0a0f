//! `doctor`: beside the daemon and without one, with ways that work and ways that do not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::Value;

use crate::peers::smtp::{EXPIRED, GOOD, Identity, OTHER, Protection, Say, SmtpPeer, Step};
use crate::peers::wecom::Answer;
use crate::peers::wecom_app::{AGENT, AppPeer, CORP, SECRET};
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
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(world.config(), private).unwrap();
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

/// What stands in the line of this name: state and text.
pub fn line(world: &World, name: &str) -> (String, String) {
    let output = world.cuiban(&["doctor", "--json"]);
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let line = found.iter().find(|line| line["name"] == name);
    let line = line.unwrap_or_else(|| panic!("{name}: {found:?}"));
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    (
        text("state"),
        format!("{} → {}", text("text"), text("next")),
    )
}

async fn protected(identity: Identity) -> SmtpPeer {
    let script = Arc::new(|_: Step, _: usize, _: &str| Say::Usual);
    SmtpPeer::showing(identity, script, &[], Protection::Implicit).await
}

fn mail_at(host: &str, port: u16) -> String {
    format!(
        "[email]\nhost = \"{host}\"\nport = {port}\ntls = \"implicit\"\nfrom = \"d@b.example\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_a_wrong_name_from_a_wrong_certificate_from_a_closed_door() {
    const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
    const OTHERS: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/tls/others-ca.pem"
    );
    let mail = "发送·电子邮件";
    let mut world = World::new(&mail_at("smtp.nirgends.invalid", 465));
    let (state, text) = line(&world, mail);
    assert_eq!(state, "fail");
    assert!(
        text.contains("域名 smtp.nirgends.invalid 解析不到地址"),
        "{text}"
    );
    assert!(text.contains("email.host"), "{text}");

    let cases = [
        (GOOD, CA, "ok", "证书有效至2126年10月30日"),
        (GOOD, OTHERS, "fail", "不是本机信任的机构签发的"),
        (EXPIRED, OTHERS, "fail", "证书已于2020年2月1日到期"),
        (
            OTHER,
            OTHERS,
            "fail",
            "而是给 mail.example.com、*.b.example 的",
        ),
    ];
    for (identity, trusted, wanted, said) in cases {
        let peer = protected(identity).await;
        world.env = vec![("SSL_CERT_FILE", trusted.to_owned())];
        world.reconfigure(&mail_at("127.0.0.1", peer.addr.port()));
        let (state, text) = line(&world, mail);
        assert_eq!(state, wanted, "{text}");
        assert!(text.contains(said), "{text}");
    }

    // The mailbox is asked the same way: the handshake comes first.
    let peer = protected(EXPIRED).await;
    fs::write(world.path("password"), "geheim").unwrap();
    let imap = format!(
        "[email]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"d@b.example\"\n[imap]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"implicit\"\nusername = \"d\"\npassword_file = \"password\"\n",
        peer.addr.port()
    );
    world.reconfigure(&imap);
    let (state, text) = line(&world, "接收·邮件回复");
    assert_eq!(state, "fail");
    assert!(text.contains("证书已于2020年2月1日到期"), "{text}");

    let wecom = AppPeer::good().await;
    wecom.set_script(|path, _| match path {
        "gettoken" => Answer::Usual,
        _ => Answer::Code(60020),
    });
    fs::write(world.path("app-secret"), SECRET).unwrap();
    world.reconfigure(&format!(
        "[wecom]\nbase_url = \"{}\"\n[wecom.app]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\nsecret_file = \"app-secret\"\n",
        wecom.base_url()
    ));
    let (state, text) = line(&world, "发送·企业微信应用");
    assert_eq!(state, "fail");
    assert!(
        text.contains("在“企业可信IP”中添加 203.0.113.9，"),
        "{text}"
    );
}

/// Its certificate lasts for a hundred years; the office's clock says that they are nearly over.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_that_a_certificate_ends_before_it_does() {
    const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
    let peer = protected(GOOD).await;
    let mut world = World::new(&mail_at("127.0.0.1", peer.addr.port()));
    world.env = vec![("SSL_CERT_FILE", CA.to_owned())];
    let daemon = world.serve("2126-10-25T09:00:00+08:00", 0.0).await;
    let (state, text) = line(&world, "发送·电子邮件");
    assert_eq!(state, "warn", "{text}");
    assert!(text.contains("证书5天后到期（2126年10月30日）"), "{text}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_who_may_look_into_what_and_what_was_put_aside() {
    let world = World::new("");
    world.import(|_, _| "email");
    assert_eq!(line(&world, "权限").0, "ok");
    assert_eq!(line(&world, "磁盘").0, "ok");
    let data = world.path("data");
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(world.dir.path(), 0o755);
    open(&data, 0o755);
    let (state, text) = line(&world, "配置");
    assert_eq!(state, "warn");
    let config = format!("chmod o= {}", world.config().display());
    assert!(text.contains(&config), "{text}");
    let (state, text) = line(&world, "权限");
    assert_eq!(state, "warn");
    let wanted = format!("chmod 700 {}", data.display());
    assert!(text.contains(&wanted), "{text}");
    open(&data, 0o700);
    open(world.dir.path(), 0o700);
    assert_eq!(line(&world, "权限").0, "ok");

    // One copy is damaged: where, and that the next start mends it; and then what is left of it.
    let mirror = data.join("mirror/000001.jsonl");
    let mut bytes = fs::read(&mirror).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&mirror, bytes).unwrap();
    let verified = world.cuiban(&["journal", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let said = String::from_utf8(verified.stderr).unwrap();
    assert!(said.contains("服务会按完好的一份修复另一份"), "{said}");
    let (state, text) = line(&world, "存储");
    assert_eq!(state, "fail");
    assert!(text.contains("000001.jsonl第"), "{text}");
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    let (state, text) = line(&world, "存储");
    assert_eq!(state, "warn");
    assert!(text.contains("mirror.quarantine-"), "{text}");
    daemon.stop().await;
    assert!(
        world.log().contains("镜像已损坏（000001.jsonl第"),
        "{}",
        world.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_mark_is_told_by_verify_and_doctor_with_the_line_that_mends_it() {
    let world = World::new("");
    world.import(|_, _| "email");
    let mark = world.path("data/FORMAT");
    let verify = || {
        let output = world.cuiban(&["journal", "verify"]);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let whole = verify();
    assert_eq!(whole.0, Some(0));
    fs::remove_file(&mark).unwrap();
    let refused = world.cuiban(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    let (code, found, next) = verify();
    assert_eq!(code, Some(1));
    assert_eq!(found, format!("标记：故障，FORMAT 不见了\n{}", whole.1));
    let line = "echo 'cuiban sled-0.34 v1' >";
    assert!(next.contains("没有完好的标记，服务启动不了"), "{next}");
    assert!(next.contains(line), "{next}");
    let (state, text) = self::line(&world, "存储");
    assert_eq!(state, "fail");
    assert!(
        text.contains("FORMAT 不见了") && text.contains(line),
        "{text}"
    );

    // As it says.
    let start = next.find("echo ").unwrap();
    let typed = next[start..].split('，').next().unwrap();
    let typed = std::process::Command::new("sh")
        .args(["-c", typed])
        .status();
    assert!(typed.unwrap().success());
    assert_eq!(verify(), whole);
    assert_eq!(self::line(&world, "存储").0, "ok");
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    assert_eq!(verify().0, Some(0));
    // Under the daemon's feet: it goes on, and would not start again.
    fs::write(&mark, "cuiban sled").unwrap();
    let (code, found, _) = verify();
    assert_eq!(code, Some(1));
    assert!(found.contains("FORMAT 的内容是“cuiban sled”"), "{found}");
    daemon.stop().await;
}
