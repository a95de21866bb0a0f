//! `systemctl reload`: the config, its secrets, templates and holidays are read anew while messages
//! leave and people read pages; what is wrong changes nothing.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::peers::smtp::{Mail, Say, SmtpPeer, Step};
use crate::world::{CHANNELS, Daemon, EMAIL, SOON, World, eventually, free_port};

/// When the notice of the first quarter leaves.
const NOTICE: &str = "2022-03-17T09:10:00+08:00";
const PEOPLE: usize = 40;

/// Mails under way at once.
const SESSIONS: usize = 4;

fn mail(peer: &SmtpPeer) -> String {
    format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"督查科 <duban@example.invalid>\"\nmax_connections = {SESSIONS}\ntimeout_seconds = 5\n",
        peer.addr.port()
    )
}

/// Contacts for the first so many owners.
fn owners(world: &World, count: usize) {
    let mut filled = 0;
    world.import_filled(|_, row| {
        if row.iter().any(|cell| cell == "直接责任人") && filled < count {
            filled += 1;
            row[EMAIL] = format!("u{filled}@example.invalid");
            row[CHANNELS] = "email".into();
        }
    });
}

/// SIGHUP, and waits until the log says so once more.
async fn reload(world: &World, daemon: &Daemon, says: &str) {
    let times = || world.log().matches(says).count();
    let before = times();
    daemon.hang_up();
    let told = eventually(SOON, || async { (times() > before).then_some(()) }).await;
    assert!(told.is_some(), "{says}: {}", world.log());
}

const TAKEN: &str = "the configuration was read anew";
const REFUSED: &str = "the configuration was not taken";

async fn waiting(daemon: &Daemon) -> usize {
    let answer = daemon.get("/api/v1/deliveries?state=waiting").await;
    answer["deliveries"].as_array().unwrap().len()
}

async fn metric(daemon: &Daemon, name: &str) -> String {
    let url = format!("{}/metrics", daemon.base);
    let text = daemon.http.get(url).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

fn text_of(mail: &Mail) -> String {
    let message = MessageParser::default().parse(&mail.data).unwrap();
    message.body_text(0).unwrap().into_owned()
}

fn accepted(peer: &SmtpPeer) -> Vec<Mail> {
    let mails = peer.mails().into_iter();
    mails.filter(|mail| mail.accepted).collect()
}

fn message_id(mail: &Mail) -> String {
    let message = MessageParser::default().parse(&mail.data).unwrap();
    message.message_id().unwrap().to_owned()
}

/// What systemd was told next.
fn heard(socket: &UnixDatagram) -> Option<String> {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).ok()?;
    Some(String::from_utf8(bytes[..length].to_vec()).unwrap())
}

/// A request on a connection that stays open.
async fn ask(connection: &mut TcpStream) -> String {
    let request = b"GET /healthz HTTP/1.1\r\nhost: cuiban.invalid\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut answer = [0; 1024];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_burst_each_message_arrives_once_the_later_ones_with_new_words_by_the_new_server()
 {
    let late = |step: Step, _: usize, _: &str| match step {
        Step::Dot => Say::Late(Duration::from_millis(150)),
        _ => Say::Usual,
    };
    let old = SmtpPeer::scripted(late).await;
    let new = SmtpPeer::good().await;
    let mut world = World::new(&mail(&old));
    owners(&world, PEOPLE);
    let daemon = world.serve(NOTICE, 1.0).await;
    let mut page = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    assert!(ask(&mut page).await.starts_with("HTTP/1.1 200"));
    let under_way = || async { (accepted(&old).len() >= 5).then_some(()) };
    eventually(SOON, under_way).await.expect("mails");

    // Another server, other words, and the last day of March is off.
    std::fs::create_dir_all(world.path("words/notice")).unwrap();
    let opening = "新的首段，请于{% if deadline %}{{ deadline.day }}前{% endif %}报送。\n";
    std::fs::write(world.path("words/notice/opening.txt"), opening).unwrap();
    let holiday = "{\"2022\": {\"holidays\": {\"2022-03-31\": \"市庆\"}, \"workdays\": {}}}";
    std::fs::write(world.path("extra.json"), holiday).unwrap();
    let more = "[templates]\npath = \"words\"\n[time]\nholidays = [\"extra.json\"]\n";
    world.reconfigure(&format!("{}{more}", mail(&new)));
    reload(&world, &daemon, TAKEN).await;
    let done = eventually(SOON, || async {
        (waiting(&daemon).await == 0).then_some(())
    })
    .await;
    assert!(done.is_some(), "{}", waiting(&daemon).await);
    let all = || async { (accepted(&old).len() + accepted(&new).len() >= PEOPLE).then_some(()) };
    eventually(SOON, all).await.expect("what was in hand, too");

    let (before, after) = (accepted(&old), accepted(&new));
    assert!(before.len() < PEOPLE && !after.is_empty());
    assert_eq!(before.len() + after.len(), PEOPLE, "none twice");
    let reached: BTreeSet<&str> = before
        .iter()
        .chain(&after)
        .map(|mail| &*mail.to[0])
        .collect();
    assert_eq!(reached.len(), PEOPLE, "none lost");
    // Whoever had just taken a message when the words changed goes the old way with the new ones.
    let new_words = before
        .iter()
        .filter(|mail| text_of(mail).contains("新的首段"));
    assert!(new_words.count() <= SESSIONS);
    for mail in &after {
        let text = text_of(mail);
        assert!(
            text.contains("新的首段，请于3月30日（周三）前报送"),
            "{text}"
        );
    }
    assert!(!world.run(&["journal", "dump"]).contains("\"in_doubt\""));
    assert!(world.log().contains("deadlines are others than before"));
    let answer = ask(&mut page).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the same connection");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_changes_nothing_and_says_where_and_the_mended_is_taken() {
    let peer = SmtpPeer::good().await;
    let mut world = World::new(&mail(&peer));
    owners(&world, 3);
    // As systemd would hear it.
    let systemd = UnixDatagram::bind(world.path("notify")).unwrap();
    systemd.set_nonblocking(true).unwrap();
    let socket = world.path("notify").display().to_string();
    world.env.push(("NOTIFY_SOCKET", socket));
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    let broken = mail(&peer).replace(
        &format!("port = {}", peer.addr.port()),
        &format!("prot = {}", free_port()),
    );

    // An unknown key, at the line where it stands.
    world.reconfigure(&broken);
    reload(&world, &daemon, REFUSED).await;
    let log = world.log();
    assert!(log.contains("cuiban.toml 第12行，email.prot"), "{log}");
    let told = || async { (metric(&daemon, "cuiban_alarms ").await == "1").then_some(()) };
    eventually(SOON, told).await.expect("an alarm");
    let doctor = String::from_utf8(world.cuiban(&["doctor"]).stdout).unwrap();
    assert!(doctor.contains("email.prot"), "{doctor}");

    // A broken template: the server beside it is not taken either.
    std::fs::create_dir_all(world.path("words/notice")).unwrap();
    std::fs::write(world.path("words/notice/opening.txt"), "请{{ nmae }}\n").unwrap();
    let elsewhere = mail(&peer).replace(
        &format!("port = {}", peer.addr.port()),
        &format!("port = {}", free_port()),
    );
    world.reconfigure(&format!("{elsewhere}[templates]\npath = \"words\"\n"));
    reload(&world, &daemon, REFUSED).await;
    let log = world.log();
    assert!(log.contains("notice/opening.txt 第1行"), "{log}");
    let doctor = String::from_utf8(world.cuiban(&["doctor"]).stdout).unwrap();
    let line = "注意  运行中的配置：改过的配置没有生效，服务仍按原来的配置运行";
    assert!(doctor.contains(line), "{doctor}");
    daemon.advance("2022-03-17T09:20:00+08:00").await;
    assert_eq!(accepted(&peer).len(), 3, "all goes on");

    // What needs a restart is named and stays as it was; the rest is taken.
    let usual = mail(&peer);
    let config = std::fs::read_to_string(world.config()).unwrap();
    let port = world.port;
    world.reconfigure(&usual);
    let config = config
        .replace(&elsewhere, &usual)
        .replace("[templates]\npath = \"words\"\n", "");
    let config = config.replace(
        &format!("listen = \"127.0.0.1:{port}\""),
        &format!("listen = \"127.0.0.1:{}\"", free_port()),
    );
    std::fs::write(world.config(), config.replace("市政府督查科", "市督查办")).unwrap();
    reload(&world, &daemon, TAKEN).await;
    assert!(
        world.log().contains("keys=\"server.listen\""),
        "{}",
        world.log()
    );
    assert!(
        daemon
            .page("/settings/config")
            .await
            .contains("server.listen 的改动要等下次启动")
    );
    assert!(
        daemon.page("/").await.contains("市督查办"),
        "the office's new name"
    );
    let over = || async { (metric(&daemon, "cuiban_alarms ").await == "0").then_some(()) };
    eventually(SOON, over).await.expect("the alarm is over");
    let told = std::iter::repeat_with(|| heard(&systemd)).map_while(|one| one);
    let told: Vec<String> = told.collect();
    let [ready, begun, refused, .., again, done] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(ready, "READY=1\nSTATUS=正在运行\n");
    assert!(begun.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{begun}");
    let status = "READY=1\nSTATUS=仍按原来的配置运行，改过的没有生效。配置有误：";
    assert!(refused.starts_with(status), "{refused}");
    assert!(
        again.starts_with("RELOADING=1\n") && done == ready,
        "{told:?}"
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_is_tried_at_once() {
    let auth = |step: Step, _: usize, heard: &str| match step {
        // AUTH PLAIN with "right" in it.
        Step::Auth if !heard.contains("AGR1YmFuAHJpZ2h0") => Say::line("535 5.7.8 refused"),
        _ => Say::Usual,
    };
    let smtp = SmtpPeer::start(Arc::new(auth), &["AUTH PLAIN"]).await;
    let login = "username = \"duban\"\npassword_file = \"password\"\n";
    let world = World::new(&format!("{}{login}", mail(&smtp)));
    std::fs::write(world.path("password"), "wrong").unwrap();
    owners(&world, 1);
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T09:10:00+08:00").await;
    assert!(accepted(&smtp).is_empty());
    assert!(daemon.page("/").await.contains("电子邮件已停止发送"));

    // Nothing is wrong with it yet: it is still known as stopped, and is tried again, in vain.
    let logins = || {
        smtp.heard()
            .iter()
            .filter(|line| line.starts_with("AUTH"))
            .count()
    };
    assert_eq!(logins(), 1);
    reload(&world, &daemon, TAKEN).await;
    eventually(SOON, || async { (logins() == 2).then_some(()) })
        .await
        .expect("a second login");
    assert!(daemon.page("/").await.contains("电子邮件已停止发送"));

    // The clock stands still.
    std::fs::write(world.path("password"), "right").unwrap();
    reload(&world, &daemon, TAKEN).await;
    eventually(SOON, || async {
        (accepted(&smtp).len() == 1).then_some(())
    })
    .await
    .expect("the mail");
    assert!(!world.log().contains("AGR1YmFuAHJpZ2h0"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_twenty_seconds_for_a_peer_that_hangs_and_loses_nothing() {
    let hangs = |step: Step, _: usize, _: &str| match step {
        Step::Dot => Say::Silence,
        _ => Say::Usual,
    };
    let peer = SmtpPeer::scripted(hangs).await;
    let patient = mail(&peer).replace("timeout_seconds = 5", "timeout_seconds = 300");
    let world = World::new(&patient);
    owners(&world, 12);
    let daemon = world.serve(NOTICE, 1.0).await;
    let given = || async { (!peer.mails().is_empty()).then_some(()) };
    eventually(SOON, given).await.expect("a mail in hand");
    let begun = Instant::now();
    daemon.stop().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(world.log().contains("stopped in good order"));

    let in_hand: BTreeSet<String> = peer.mails().iter().map(message_id).collect();
    peer.set_script(|_, _, _| Say::Usual);
    let daemon = world.serve("2022-03-17T09:20:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    let arrived: Vec<String> = accepted(&peer).iter().map(message_id).collect();
    let names: BTreeSet<&String> = arrived.iter().collect();
    assert_eq!(
        (arrived.len(), names.len()),
        (12, 12),
        "none lost, none twice"
    );
    assert!(in_hand.iter().all(|id| names.contains(id)), "the same name");
    daemon.stop().await;
}
