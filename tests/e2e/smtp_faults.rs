//! The mail server fails in every way it knows; what arrives, how often, and what people read.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::Value;

use crate::peers::smtp::{Mail, Say, SmtpPeer, Step};
use crate::world::{CHANNELS, Daemon, EMAIL, Smtp, World, at, free_port};

/// When the notice of the first quarter leaves.
const NOTICE: &str = "2022-03-17T09:10";

/// `[email]` for a server on this port.
fn section(port: u16, more: &str) -> String {
    format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = \"督查科 <duban@example.invalid>\"\ntimeout_seconds = 1\n{more}"
    )
}

/// The real table, of whose owners only the first few can be reached.
fn world(peer: &SmtpPeer, people: usize, more: &str) -> World {
    let world = World::new(&section(peer.addr.port(), more));
    let mut rows = 0;
    world.import_filled(|_, row| {
        if row.contains(&"直接责任人".to_owned()) && rows < people {
            rows += 1;
            row[EMAIL] = format!("u{rows}@example.invalid");
            row[CHANNELS] = "email".into();
        }
    });
    world
}

/// The daemon a moment before the notice.
async fn before_notice(world: &World) -> Daemon {
    world.serve("2022-03-17T09:00:00+08:00", 0.0).await
}

async fn advance(daemon: &Daemon, to: DateTime<FixedOffset>) {
    daemon.advance(&to.to_rfc3339()).await;
}

async fn deliveries(daemon: &Daemon, state: &str) -> Vec<Value> {
    let path = format!("/api/v1/deliveries?state={state}");
    let answer = daemon.get(&path).await;
    answer["deliveries"].as_array().unwrap().clone()
}

/// The one message there is in this state.
async fn only(daemon: &Daemon, state: &str) -> Value {
    let found = deliveries(daemon, state).await;
    assert_eq!(found.len(), 1, "{state}: {found:?}");
    found.into_iter().next().unwrap()
}

fn time(value: &Value) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
}

/// Lets the one waiting message have its next try, and not one more.
async fn next_try(daemon: &Daemon) {
    let mut waiting = only(daemon, "waiting").await;
    let tries = waiting["attempts"].clone();
    // A try that falls into the night waits for the morning.
    for _ in 0..2 {
        // Beyond the try itself: the channel may still rest for up to four minutes.
        advance(daemon, time(&waiting["at"]) + TimeDelta::minutes(4)).await;
        match deliveries(daemon, "waiting").await.pop() {
            Some(still) if still["attempts"] == tries => waiting = still,
            _ => return,
        }
    }
}

fn accepted(peer: &SmtpPeer) -> Vec<Mail> {
    let mails = peer.mails().into_iter();
    mails.filter(|mail| mail.accepted).collect()
}

fn message_id(mail: &Mail) -> String {
    let message = mail_parser::MessageParser::default()
        .parse(&mail.data)
        .unwrap();
    message.message_id().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn down_for_an_hour_delays_and_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let world = World::new(&section(port, "max_connections = 4\n"));
    world.import(|_, _| "email");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-17T10:11")).await;
    assert!(deliveries(&daemon, "sent").await.is_empty());
    let waiting = deliveries(&daemon, "waiting").await;
    assert!(waiting.len() > 100, "{}", waiting.len());
    let board = daemon.page("/").await;
    let told = format!("{}条消息超过一小时仍未发出", waiting.len());
    assert!(board.contains(&told), "{board}");
    let listed = daemon.page("/deliveries?state=waiting").await;
    assert!(listed.contains("连接不上对方服务器"), "{listed}");

    let smtp = Smtp::start_on(dir.path(), port, 0);
    advance(&daemon, at("2022-03-17T17:59")).await;
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in smtp.mails() {
        *copies.entry(mail.to).or_default() += 1;
    }
    assert_eq!(copies.len(), waiting.len(), "everyone got it");
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    assert_eq!(deliveries(&daemon, "sent").await.len(), waiting.len());
    assert!(!daemon.page("/").await.contains("仍未发出"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_451_is_tried_again_by_the_plan() {
    let peer = SmtpPeer::scripted(|step, nth, _| match step {
        Step::Rcpt if nth <= 4 => Say::line("451 4.3.0 local error in processing"),
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 1, "");
    let daemon = before_notice(&world).await;
    advance(&daemon, at(NOTICE)).await;
    for (tries, least, most) in [(1, 15, 15), (2, 15, 18), (3, 36, 54), (4, 96, 144)] {
        let waiting = only(&daemon, "waiting").await;
        assert_eq!(waiting["attempts"], tries);
        assert_eq!(waiting["trouble"]["reason"], "try_later");
        let pause = time(&waiting["at"]) - time(&waiting["trouble"]["at"]);
        let bounds = TimeDelta::minutes(least)..=TimeDelta::minutes(most);
        assert!(bounds.contains(&pause), "try {tries}: {pause}");
        next_try(&daemon).await;
    }
    let sent = only(&daemon, "sent").await;
    assert_eq!(sent["attempts"], 5);
    assert_eq!(accepted(&peer).len(), 1);
    let page = daemon.page("/deliveries?state=sent").await;
    assert!(page.contains("已试5次"), "{page}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_exist_is_shown_as_failed_with_the_servers_words() {
    let peer = SmtpPeer::scripted(|step, _, heard| match step {
        Step::Rcpt if heard.contains("u1@") => {
            Say::line("550 5.1.1 <u1@example.invalid>: User unknown")
        }
        Step::Rcpt if heard.contains("u2@") => Say::gbk("550", "用户不存在"),
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 3, "");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-18T17:00")).await;

    let dead = deliveries(&daemon, "dead").await;
    assert_eq!(dead.len(), 2);
    for letter in &dead {
        assert_eq!(letter["attempts"], 1, "a bad address is tried once");
        assert_eq!(letter["trouble"]["reason"], "bad_address");
    }
    assert!(daemon.page("/").await.contains("2条消息发送失败"));
    let page = daemon.page("/deliveries?state=dead").await;
    for words in ["地址无效", "User unknown", "用户不存在"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("u1@example.invalid"), "addresses are masked");
    assert_eq!(accepted(&peer).len(), 1, "the third is not held up");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_250_in_gbk_is_a_250() {
    let peer = SmtpPeer::scripted(|step, _, _| match step {
        Step::Dot => Say::gbk("250", "邮件已接收，排队号4F1A"),
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 3, "");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-25T17:00")).await;
    assert_eq!(deliveries(&daemon, "sent").await.len(), 3);
    assert_eq!(peer.mails().len(), 3, "never a second copy");
    assert!(!daemon.page("/").await.contains("条消息"), "nothing to do");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_right_after_its_250_has_the_mail() {
    let peer = SmtpPeer::scripted(|step, _, _| match step {
        Step::Dot => Say::Last(b"250 2.0.0 taken".to_vec()),
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 5, "");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-18T17:00")).await;
    assert_eq!(peer.mails().len(), 5, "each once");
    let sent = deliveries(&daemon, "sent").await;
    assert_eq!(sent.len(), 5);
    assert!(
        sent.iter().all(|letter| letter["attempts"] == 1),
        "{sent:?}"
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_at_any_step_is_waited_out() {
    let stages = [
        (Step::Dot, "等待服务器确认收妥"),
        (Step::Greeting, "与邮件服务器握手"),
        (Step::Ehlo, "与邮件服务器握手"),
        (Step::Mail, "提交发件人"),
        (Step::Rcpt, "提交收件人"),
        (Step::Data, "提交正文"),
    ];
    let peer = SmtpPeer::good().await;
    let world = world(&peer, 1, "");
    let daemon = before_notice(&world).await;
    for (index, (silent, words)) in stages.into_iter().enumerate() {
        peer.set_script(move |step, _, _| {
            if step == silent {
                Say::Silence
            } else {
                Say::Usual
            }
        });
        match index {
            0 => advance(&daemon, at(NOTICE)).await,
            _ => next_try(&daemon).await,
        }
        let waiting = only(&daemon, "waiting").await;
        assert_eq!(waiting["attempts"], index + 1, "{silent:?}: {waiting}");
        let page = daemon.page("/deliveries?state=waiting").await;
        assert!(page.contains(words), "{silent:?}: {page}");
        let known = if silent == Step::Dot {
            "结果未明"
        } else {
            "对方服务器长时间不应答"
        };
        assert!(page.contains(known), "{silent:?}: {page}");
    }
    peer.set_script(|_, _, _| Say::Usual);
    next_try(&daemon).await;
    only(&daemon, "sent").await;
    let ids: Vec<String> = peer.mails().iter().map(message_id).collect();
    assert_eq!(ids.len(), 2, "one in doubt, one taken");
    assert_eq!(ids[0], ids[1], "and both are the same message");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_confirms_gets_few_copies_and_a_person_is_asked() {
    let peer = SmtpPeer::scripted(|step, _, _| match step {
        Step::Dot => Say::HangUp,
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 1, "");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-24T17:00")).await;
    let ids: Vec<String> = peer.mails().iter().map(message_id).collect();
    assert!((1..=3).contains(&ids.len()), "{ids:?}");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    only(&daemon, "held").await;
    let board = daemon.page("/").await;
    assert!(
        board.contains("1条消息不能确定是否送达，等待处理"),
        "{board}"
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_stops_the_channel_and_is_not_tried_in_a_loop() {
    const PASSWORD: &str = "Sq8-authcode";
    let refuse = |step: Step, _: usize, _: &str| match step {
        Step::Auth => Say::gbk("535", "请使用授权码登录"),
        _ => Say::Usual,
    };
    let peer = SmtpPeer::start(std::sync::Arc::new(refuse), &["AUTH PLAIN LOGIN"]).await;
    let login = format!("username = \"duban\"\npassword = \"{PASSWORD}\"\nmax_connections = 2\n");
    let world = world(&peer, 20, &login);
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-17T17:59")).await;
    let logins = peer
        .heard()
        .iter()
        .filter(|line| line.starts_with("AUTH"))
        .count();
    // One session at first, and one that looks after 1, 2, 4 hours.
    assert!((1..=5).contains(&logins), "{logins} logins in a day");
    assert!(deliveries(&daemon, "dead").await.is_empty());
    assert_eq!(deliveries(&daemon, "waiting").await.len(), 20);
    let page = daemon.page("/deliveries?state=waiting").await;
    assert!(page.contains("账号、密码或密钥无效"), "{page}");
    assert!(page.contains("请使用授权码登录"), "{page}");
    let board = daemon.page("/").await;
    assert!(board.contains("20条消息超过一小时仍未发出"), "{board}");
    // Overnight nobody looks whether it works again, and nobody says it does.
    advance(&daemon, at("2022-03-18T08:00")).await;
    let board = daemon.page("/").await;
    assert!(
        board.contains("电子邮件已停止发送：账号、密码或密钥无效"),
        "{board}"
    );

    peer.set_script(|_, _, _| Say::Usual);
    advance(&daemon, at("2022-03-18T17:59")).await;
    assert_eq!(
        accepted(&peer).len(),
        20,
        "what waited leaves once it is mended"
    );
    assert!(!daemon.page("/").await.contains("已停止发送"));
    assert!(!page.contains(PASSWORD));
    assert!(!world.log().contains(PASSWORD));
    assert!(!world.run(&["journal", "dump"]).contains(PASSWORD));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_slow_recipient_delays_no_other() {
    let peer = SmtpPeer::scripted(|step, _, heard| match step {
        Step::Rcpt if heard.contains("u1@") => Say::Silence,
        _ => Say::Usual,
    })
    .await;
    let world = world(&peer, 40, "max_connections = 2\n");
    let daemon = before_notice(&world).await;
    advance(&daemon, at("2022-03-17T09:14")).await;
    let to: Vec<String> = accepted(&peer)
        .into_iter()
        .map(|mail| mail.to[0].clone())
        .collect();
    assert_eq!(to.len(), 39, "all others have it within minutes: {to:?}");
    only(&daemon, "waiting").await;
    daemon.stop().await;
}
