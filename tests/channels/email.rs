//! Mail against a server that answers as it is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cuiban::channel::email::{EmailChannel, Login, Settings, Tls};
use cuiban::channel::{Attempted, Channel};
use cuiban::config::Secret;
use cuiban::domain::brief::Brief;
use cuiban::domain::checkup::{Distrust, Tried};
use cuiban::domain::delivery::{FailReason, Next, SendOutcome};
use cuiban::domain::message::{Occasion, Stage};
use cuiban::domain::people::ChannelKind;
use mail_parser::MessageParser;

use crate::letters::brief_of;
use crate::peers::smtp::{CA, EXPIRED, GOOD, OTHER, Protection, Say, SmtpPeer, Step};
use crate::peers::world::{self, at, zhong};

pub fn settings(peer: &SmtpPeer) -> Settings {
    Settings {
        host: peer.addr.ip().to_string(),
        port: peer.addr.port(),
        tls: Tls::None,
        login: None,
        from_name: Some("市政府督查科(催办), 东莞".into()),
        from_address: "duban@agency.example".into(),
        reply_to: Some("reply@agency.example".into()),
        max_connections: 1,
        timeout: Duration::from_millis(200),
        pipelining: false,
        messages_per_connection: 0,
        per_minute: 0,
        per_hour: 0,
        extra_ca: None,
    }
}

fn channel(peer: &SmtpPeer) -> EmailChannel {
    EmailChannel::new(settings(peer)).unwrap()
}

pub fn brief() -> Brief {
    let now = at("2022-03-28", "09:10");
    let message = world::message(
        Occasion::Stage(Stage::Reminder),
        zhong(),
        &[ChannelKind::Email],
        now,
    );
    brief_of(&world::book(now, world::founding()), &message, now)
}

fn failed(attempted: &Attempted) -> (FailReason, Next) {
    match &attempted.outcome {
        SendOutcome::Failed(failure) => (failure.reason, failure.next),
        other => panic!("{other:?}"),
    }
}

const AGAIN: Next = Next::Again { after: None };

#[tokio::test]
async fn a_mail_is_whole_and_its_headers_are_as_the_rules_say() {
    let peer = SmtpPeer::good().await;
    let mut brief = brief();
    brief.earlier = vec!["aaaa".into(), "bbbb".into()];
    brief.name = "张三(科长), 兼".into();
    let sent = channel(&peer).send(&brief, 1).await;
    assert_eq!(
        sent,
        Attempted::sent("250 2.0.0 Ok: queued as 4F1A2B"),
        "{:?}",
        peer.heard()
    );
    let mails = peer.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].from, "duban@agency.example");
    assert_eq!(mails[0].to, [brief.contact.email.clone().unwrap()]);
    let raw = String::from_utf8(mails[0].data.clone()).unwrap();
    assert!(raw.is_ascii(), "nothing that needs 8BITMIME");
    assert!(raw.lines().all(|line| line.len() <= 998));
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']));
    let headers = raw.split("\r\n\r\n").next().unwrap();
    for line in [
        format!("Message-ID: <cuiban-{}@agency.example>", brief.id),
        "In-Reply-To: <cuiban-bbbb@agency.example>".into(),
        "References: <cuiban-aaaa@agency.example> <cuiban-bbbb@agency.example>".into(),
        "Date: Mon, 28 Mar 2022 09:10:00 +0800".into(),
        "Auto-Submitted: auto-generated".into(),
        "X-Auto-Response-Suppress: DR, RN, NRN, AutoReply".into(),
        "Reply-To: reply@agency.example".into(),
    ] {
        let found = headers.lines().filter(|header| **header == line).count();
        assert_eq!(found, 1, "{line}\n{headers}");
    }
    let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
    let subject = "【催报】2022年第一季度重点工作进展（3月31日截止）[#R88mrx]";
    assert_eq!(mail.subject(), Some(subject));
    let to = mail.to().unwrap().first().unwrap();
    assert_eq!(to.name(), Some("张三(科长), 兼"));
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!(from.name(), Some("市政府督查科(催办), 东莞"));
    let text = mail.body_text(0).unwrap();
    let html = mail.body_html(0).unwrap();
    for body in [text, html] {
        assert!(body.contains("https://duban.example.gov.cn/r/7f3kQm2ZpX"));
        assert!(body.contains("第31项　争取材料实验室成为国家级研发机构"));
    }
}

#[tokio::test]
async fn the_same_message_has_the_same_bytes_at_every_try() {
    let peer = SmtpPeer::good().await;
    let channel = channel(&peer);
    let brief = brief();
    channel.send(&brief, 1).await;
    channel.send(&brief, 2).await;
    let mails = peer.mails();
    assert_eq!(mails[0].data, mails[1].data);
}

#[tokio::test]
async fn sessions_are_kept_and_nothing_waits_forty_milliseconds() {
    let peer = SmtpPeer::good().await;
    let channel = channel(&peer);
    let brief = brief();
    channel.send(&brief, 1).await;
    let began = Instant::now();
    for _ in 0..50 {
        let sent = channel.send(&brief, 1).await;
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }));
    }
    // With Nagle and two writes this takes two seconds at the least.
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(peer.sessions(), 1);
    channel.close().await;
    assert!(peer.heard().contains(&"QUIT".to_owned()));
}

#[tokio::test]
async fn never_more_sessions_are_open_than_configured() {
    let peer = SmtpPeer::good().await;
    let mut settings = settings(&peer);
    settings.max_connections = 3;
    let channel = Arc::new(EmailChannel::new(settings).unwrap());
    let sends: Vec<_> = (0..40)
        .map(|_| {
            let channel = Arc::clone(&channel);
            tokio::spawn(async move { channel.send(&brief(), 1).await })
        })
        .collect();
    for send in sends {
        let sent = send.await.unwrap();
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    }
    assert_eq!(peer.mails().len(), 40);
    assert!(peer.most_open() <= 3, "{}", peer.most_open());
}

#[tokio::test]
async fn a_connection_is_renewed_after_its_share_of_messages() {
    let peer = SmtpPeer::good().await;
    let mut settings = settings(&peer);
    settings.messages_per_connection = 2;
    let channel = EmailChannel::new(settings).unwrap();
    for _ in 0..6 {
        channel.send(&brief(), 1).await;
    }
    assert_eq!((peer.mails().len(), peer.sessions()), (6, 3));
}

#[tokio::test]
async fn a_250_in_gbk_is_a_250() {
    let peer = SmtpPeer::scripted(|step, _, _| match step {
        Step::Dot => Say::gbk("250", "邮件已接收，排队编号 9527"),
        Step::Greeting => Say::gbk("220", "欢迎"),
        _ => Say::Usual,
    })
    .await;
    let sent = channel(&peer).send(&brief(), 1).await;
    assert_eq!(sent, Attempted::sent("250 邮件已接收，排队编号 9527"));
}

#[tokio::test]
async fn a_wrong_password_said_in_gbk_stops_the_channel() {
    let script = |step, _: usize, _: &str| match step {
        Step::Auth => Say::gbk("535", "请使用授权码登录"),
        _ => Say::Usual,
    };
    let peer = SmtpPeer::start(Arc::new(script), &["AUTH PLAIN LOGIN"]).await;
    let mut settings = settings(&peer);
    settings.login = Some(Login {
        username: "duban@agency.example".into(),
        password: Secret::new("hunter2".into()),
    });
    let told = EmailChannel::new(settings).unwrap().send(&brief(), 1).await;
    let (reason, next) = failed(&told);
    assert_eq!(reason, FailReason::Credentials);
    assert!(matches!(next, Next::StopChannel { .. }));
    assert!(told.rest.is_some());
    assert_eq!(
        peer.heard()
            .iter()
            .filter(|line| line.starts_with("AUTH"))
            .count(),
        1
    );
}

#[tokio::test]
async fn silence_at_each_stage_ends_in_time_and_means_what_it_must() {
    for step in [
        Step::Greeting,
        Step::Ehlo,
        Step::Mail,
        Step::Rcpt,
        Step::Data,
        Step::Dot,
    ] {
        for say in [Say::Silence, Say::HangUp] {
            let told = say.clone();
            let peer = SmtpPeer::scripted(move |now, _, _| {
                if now == step {
                    told.clone()
                } else {
                    Say::Usual
                }
            })
            .await;
            let began = Instant::now();
            let attempted = channel(&peer).send(&brief(), 1).await;
            assert!(began.elapsed() < Duration::from_secs(3), "{step:?}");
            match (step, &attempted.outcome) {
                (Step::Dot, SendOutcome::InDoubt { .. }) => {}
                (Step::Dot, other) => panic!("{other:?}"),
                _ => {
                    let (reason, next) = failed(&attempted);
                    let wanted = match say {
                        Say::Silence => FailReason::Timeout,
                        _ => FailReason::Unreachable,
                    };
                    assert_eq!((reason, next), (wanted, AGAIN), "{step:?} {say:?}");
                    assert!(attempted.rest.is_some(), "{step:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_session_to_the_next_message() {
    let peer = SmtpPeer::scripted(|step, nth, _| match (step, nth) {
        (Step::Rcpt, 1) => Say::line("550 5.1.1 <zhang@bureau.example>: User unknown"),
        _ => Say::Usual,
    })
    .await;
    let channel = channel(&peer);
    let first = channel.send(&brief(), 1).await;
    assert_eq!(failed(&first), (FailReason::BadAddress, Next::NextChannel));
    assert!(!format!("{first:?}").contains("zhang@"), "{first:?}");
    let second = channel.send(&brief(), 1).await;
    assert!(matches!(second.outcome, SendOutcome::Sent { .. }));
    assert_eq!(peer.sessions(), 1);
}

#[tokio::test]
async fn a_kept_session_closed_meanwhile_is_no_failed_try() {
    let peer = SmtpPeer::scripted(|step, nth, _| match (step, nth) {
        (Step::Mail, 2) => Say::HangUp,
        (Step::Mail, 4) => Say::line("421 4.4.2 idle too long"),
        _ => Say::Usual,
    })
    .await;
    let channel = channel(&peer);
    for _ in 0..3 {
        let sent = channel.send(&brief(), 1).await;
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    }
    assert_eq!((peer.mails().len(), peer.sessions()), (3, 3));
}

#[tokio::test]
async fn a_full_connection_is_replaced_and_the_message_goes() {
    let peer = SmtpPeer::scripted(|step, nth, _| match (step, nth) {
        (Step::Mail, 2) => Say::line("451 MI:DMC 163 smtp2,abc 1648000000"),
        _ => Say::Usual,
    })
    .await;
    let channel = channel(&peer);
    for _ in 0..2 {
        let sent = channel.send(&brief(), 1).await;
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    }
    assert_eq!(peer.sessions(), 2);
    // And a server that always says so is not asked for ever.
    peer.set_script(|step, _, _| match step {
        Step::Mail => Say::line("451 MI:DMC 163 smtp2,abc 1648000000"),
        _ => Say::Usual,
    });
    let told = channel.send(&brief(), 1).await;
    assert_eq!(failed(&told).0, FailReason::RateLimited);
    assert_eq!(peer.sessions(), 3);
}

#[tokio::test]
async fn starttls_that_is_not_offered_is_never_replaced_by_plain() {
    let peer = SmtpPeer::good().await;
    let mut settings = settings(&peer);
    settings.tls = Tls::Starttls;
    let told = EmailChannel::new(settings).unwrap().send(&brief(), 1).await;
    assert!(matches!(failed(&told).1, Next::StopChannel { .. }));
    assert!(peer.mails().is_empty());
    assert!(!peer.heard().iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn no_server_and_no_address_are_told_apart() {
    let peer = SmtpPeer::good().await;
    let settings = settings(&peer);
    drop(peer);
    let channel = EmailChannel::new(Settings {
        // Reserved, and nobody listens.
        port: 1,
        ..settings
    })
    .unwrap();
    let told = channel.send(&brief(), 1).await;
    assert_eq!(failed(&told), (FailReason::Unreachable, AGAIN));
    let mut nowhere = brief();
    nowhere.contact.email = None;
    let told = channel.send(&nowhere, 1).await;
    assert_eq!(failed(&told), (FailReason::NoChannel, Next::NextChannel));
}

async fn protected(
    protection: Protection,
    offers: &[&str],
    tls: Tls,
    ca: bool,
) -> (SmtpPeer, Attempted) {
    let script = |step, _: usize, _: &str| match step {
        Step::Dot => Say::gbk("250", "已收到"),
        _ => Say::Usual,
    };
    let peer = SmtpPeer::protected(Arc::new(script), offers, protection).await;
    let channel = EmailChannel::new(Settings {
        host: "localhost".into(),
        tls,
        timeout: Duration::from_secs(2),
        login: Some(Login {
            username: "duban@agency.example".into(),
            password: Secret::new("hunter2".into()),
        }),
        extra_ca: ca.then(|| CA.to_vec()),
        ..settings(&peer)
    });
    let told = channel.unwrap().send(&brief(), 1).await;
    (peer, told)
}

#[tokio::test]
async fn tls_from_the_first_byte_and_by_starttls() {
    let auth = "AUTH PLAIN LOGIN";
    let (peer, told) = protected(Protection::Implicit, &[auth], Tls::Implicit, true).await;
    assert_eq!(told, Attempted::sent("250 已收到"));
    assert_eq!(peer.mails().len(), 1);
    let offers = ["STARTTLS", auth];
    let (peer, told) = protected(Protection::Starttls, &offers, Tls::Starttls, true).await;
    assert_eq!(told, Attempted::sent("250 已收到"));
    let heard = peer.heard();
    let place = |what: &str| {
        heard
            .iter()
            .position(|line| line.starts_with(what))
            .unwrap()
    };
    assert!(place("STARTTLS") < place("AUTH"));
}

#[tokio::test]
async fn a_certificate_of_nobody_stops_the_channel_and_no_password_is_said() {
    for (protection, tls) in [
        (Protection::Implicit, Tls::Implicit),
        (Protection::Starttls, Tls::Starttls),
    ] {
        let offers = ["STARTTLS", "AUTH PLAIN LOGIN"];
        let (peer, told) = protected(protection, &offers, tls, false).await;
        let (reason, next) = failed(&told);
        assert_eq!(reason, FailReason::Credentials, "{told:?}");
        assert!(matches!(next, Next::StopChannel { .. }));
        assert!(!peer.heard().iter().any(|line| line.starts_with("AUTH")));
    }
}

/// A peer that offers pipelining, and a channel that may use it.
async fn pipelined(
    script: impl Fn(Step, usize, &str) -> Say + Send + Sync + 'static,
) -> (SmtpPeer, EmailChannel) {
    let peer = SmtpPeer::start(Arc::new(script), &["PIPELINING"]).await;
    let channel = EmailChannel::new(Settings {
        pipelining: true,
        ..settings(&peer)
    });
    (peer, channel.unwrap())
}

#[tokio::test]
async fn several_commands_at_once_mean_the_same() {
    let (peer, channel) = pipelined(|step, nth, _| match (step, nth) {
        (Step::Rcpt, 2) => Say::line("550 5.1.1 unknown"),
        (Step::Data, 2) => Say::line("554 no valid recipients"),
        (Step::Mail, 3) => Say::line("451 MI:SFQ 163"),
        (Step::Rcpt | Step::Data, 3) => Say::line("503 bad sequence"),
        (Step::Mail, 4) => Say::HangUp,
        _ => Say::Usual,
    })
    .await;
    let sent = channel.send(&brief(), 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    let told = channel.send(&brief(), 1).await;
    assert_eq!(failed(&told).0, FailReason::BadAddress);
    let told = channel.send(&brief(), 1).await;
    assert_eq!(failed(&told).0, FailReason::RateLimited);
    assert_eq!(peer.sessions(), 1);
    let sent = channel.send(&brief(), 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    assert_eq!((peer.mails().len(), peer.sessions()), (2, 2));
}

#[tokio::test]
async fn a_server_that_waits_for_a_message_it_refused_gets_a_new_session() {
    let (peer, channel) = pipelined(|step, nth, _| match (step, nth) {
        (Step::Rcpt, 1) => Say::line("550 5.1.1 unknown"),
        _ => Say::Usual,
    })
    .await;
    let told = channel.send(&brief(), 1).await;
    assert_eq!(failed(&told).0, FailReason::BadAddress);
    let sent = channel.send(&brief(), 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    assert_eq!(peer.sessions(), 2);
    let accepted = peer.mails().into_iter().filter(|mail| mail.accepted);
    assert_eq!(accepted.count(), 1);
}

/// Why a certificate is not believed, and how long it is good for, is told in so many words.
#[tokio::test]
async fn a_trial_tells_what_is_wrong_with_the_certificate() {
    const OTHERS_CA: &[u8] = include_bytes!("../fixtures/tls/others-ca.pem");
    let day = |y, m, d| chrono::NaiveDate::from_ymd_opt(y, m, d).unwrap();
    let named = |why| Tried::Distrusted("127.0.0.1".into(), why);
    let others = vec!["mail.example.com".into(), "*.b.example".into()];
    let cases = [
        (GOOD, Some(CA), Tried::Works(Some(day(2126, 10, 30)))),
        (GOOD, None, named(Distrust::UnknownIssuer)),
        (GOOD, Some(OTHERS_CA), named(Distrust::UnknownIssuer)),
        (
            EXPIRED,
            Some(OTHERS_CA),
            named(Distrust::Expired(Some(day(2020, 2, 1)))),
        ),
        (OTHER, Some(OTHERS_CA), named(Distrust::WrongName(others))),
    ];
    for (identity, ca, wanted) in cases {
        for (protection, tls, offers) in [
            (Protection::Implicit, Tls::Implicit, &[][..]),
            (Protection::Starttls, Tls::Starttls, &["STARTTLS"][..]),
        ] {
            let script = Arc::new(|_: Step, _: usize, _: &str| Say::Usual);
            let peer = SmtpPeer::showing(identity, script, offers, protection).await;
            let settings = Settings {
                tls,
                extra_ca: ca.map(<[u8]>::to_vec),
                timeout: Duration::from_secs(5),
                ..settings(&peer)
            };
            let channel = EmailChannel::new(settings).unwrap();
            assert_eq!(channel.try_out().await, wanted, "{tls:?}");
            assert_eq!(peer.mails().len(), 0);
        }
    }
}
