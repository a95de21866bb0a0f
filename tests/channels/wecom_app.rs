//! The application against a platform that answers as wecom.md says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cuiban::channel::wecom_app::{AppChannel, Settings};
use cuiban::channel::{Attempted, Channel, Learned, Settled, Shown};
use cuiban::config::Secret;
use cuiban::config::wecom::Way;
use cuiban::domain::brief::{Brief, Letter};
use cuiban::domain::checkup::Tried;
use cuiban::domain::delivery::{FailReason, Next, SendOutcome};
use cuiban::domain::report::ReportStatus;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::email::brief;
use crate::peers::wecom::Answer;
use crate::peers::wecom_app::{AGENT, AppPeer, CORP, SECRET};

pub fn settings(base_url: String) -> Settings {
    Settings {
        corp_id: CORP.into(),
        agent_id: AGENT,
        secret: Secret::new(SECRET.into()),
        base_url,
        way: Way::default(),
        cards: true,
        callback: None,
    }
}

pub fn app(base_url: String) -> AppChannel {
    let _ = rustls::crypto::ring::default_provider().install_default();
    AppChannel::new(settings(base_url)).unwrap()
}

fn is_sent(attempted: &Attempted) -> bool {
    matches!(attempted.outcome, SendOutcome::Sent { .. })
}

fn failed(attempted: &Attempted) -> (FailReason, Next, &str) {
    match &attempted.outcome {
        SendOutcome::Failed(failure) => (failure.reason, failure.next, &failure.detail),
        other => panic!("{other:?}"),
    }
}

/// Another message to the same person.
fn another(n: usize) -> Brief {
    let mut brief = brief();
    brief.id = format!("{n:024x}");
    brief
}

#[tokio::test]
async fn a_reminder_is_a_card_with_the_four_statuses_and_a_link() {
    let peer = AppPeer::good().await;
    let sent = app(peer.base_url()).send(&brief(), 1).await;
    assert!(is_sent(&sent), "{sent:?}");
    assert!(matches!(sent.learned.as_slice(), [Learned::Card(_)]));
    let delivered = peer.delivered().pop().unwrap();
    assert_eq!(delivered.user, "ZhongJingPing");
    assert_eq!(delivered.body["enable_duplicate_check"], 1);
    assert_eq!(delivered.body["duplicate_check_interval"], 14_400);
    let mut card = delivered.body["template_card"].clone();
    card["task_id"] = "…".into();
    insta::assert_json_snapshot!("card_reminder", card);
}

#[tokio::test]
async fn where_the_platform_can_call_us_a_tap_answers_and_what_wants_words_opens_the_page() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url()).with_taps(vec![
        ReportStatus::Completed,
        ReportStatus::OnSchedule,
        ReportStatus::NotStarted,
    ]);
    assert!(is_sent(&channel.send(&brief(), 1).await));
    let mut card = peer.delivered().pop().unwrap().body["template_card"].clone();
    card["task_id"] = "…".into();
    insta::assert_json_snapshot!("card_taps", card);
    let mut one = another(1);
    one.items.truncate(1);
    assert!(is_sent(&channel.send(&one, 1).await));
    let card = peer.delivered().pop().unwrap().body["template_card"].clone();
    assert!(
        card["button_selection"].is_null(),
        "there is nothing to choose"
    );
    let told = card["sub_title_text"].as_str().unwrap();
    assert!(told.contains("点进展情况即为报送"), "{told}");
}

#[tokio::test]
async fn whoever_is_told_of_others_reads_text_and_so_does_everybody_without_cards() {
    let peer = AppPeer::good().await;
    let mut settled = brief();
    settled.letter = Letter::Copied;
    settled.items.clear();
    let sent = app(peer.base_url()).send(&settled, 1).await;
    assert!(is_sent(&sent) && sent.learned.is_empty(), "{sent:?}");
    let plain = AppChannel::new(Settings {
        cards: false,
        ..settings(peer.base_url())
    });
    let mut long = brief();
    long.items = std::iter::repeat_n(long.items.clone(), 20)
        .flatten()
        .collect();
    assert!(is_sent(&plain.unwrap().send(&long, 1).await));
    let delivered = peer.delivered();
    assert!(delivered.iter().all(|one| one.body["msgtype"] == "text"));
    assert!(delivered[1].link().unwrap().ends_with("/r/7f3kQm2ZpX"));
}

#[tokio::test]
async fn one_token_serves_many_and_is_renewed_before_its_end_and_when_it_is_refused() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    let briefs: Vec<Brief> = (0..8).map(another).collect();
    let sends = briefs.iter().map(|brief| channel.send(brief, 1));
    for sent in join_all(sends).await {
        assert!(is_sent(&sent), "{sent:?}");
    }
    assert_eq!(peer.tokens_given(), 1, "asked for once, by all at once");
    peer.end_token();
    assert!(is_sent(&channel.send(&another(20), 1).await));
    assert_eq!(peer.tokens_given(), 2);
    assert_eq!(
        peer.calls_of("message/send"),
        10,
        "refused once, repeated once"
    );

    peer.end_token();
    peer.token_life(0);
    let sent = channel.send(&another(21), 1).await;
    assert!(
        matches!(failed(&sent).1, Next::StopChannel { .. }),
        "{sent:?}"
    );
    assert_eq!(peer.tokens_given(), 3, "fetched again once, no more");
    peer.token_life(7200);
    assert!(is_sent(&channel.send(&another(22), 1).await));
}

#[tokio::test]
async fn a_wrong_secret_stops_the_channel_and_is_not_tried_over_and_over() {
    let peer = AppPeer::good().await;
    let channel = AppChannel::new(Settings {
        secret: Secret::new("wrong".into()),
        ..settings(peer.base_url())
    });
    let sent = channel.unwrap().send(&brief(), 1).await;
    let (reason, next, detail) = failed(&sent);
    assert_eq!(reason, FailReason::Credentials);
    assert!(matches!(next, Next::StopChannel { pause } if pause.num_hours() >= 12));
    assert!(
        detail.starts_with("应用的 Secret 无效，请核对 wecom.app.secret_file"),
        "{detail}"
    );
    assert_eq!(peer.calls_of("gettoken"), 1);
}

#[tokio::test]
async fn an_account_that_is_not_there_is_that_persons_outcome() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    peer.unlicense("zhongjingping");
    let sent = channel.send(&brief(), 1).await;
    assert_eq!(failed(&sent).0, FailReason::BadAddress);
    peer.forget("ZHONGJINGPING");
    let sent = channel.send(&another(2), 1).await;
    assert_eq!(
        (failed(&sent).0, failed(&sent).1),
        (FailReason::BadAddress, Next::NextChannel)
    );
    assert_eq!(peer.delivered().len(), 0);
    // Named beside errcode 0, in lower case.
    peer.set_script(|path, _| match path {
        "message/send" => Answer::Body(
            r#"{"errcode":0,"errmsg":"ok","invaliduser":"zhongjingping","msgid":"m"}"#.into(),
        ),
        _ => Answer::Usual,
    });
    let sent = channel.send(&another(3), 1).await;
    assert_eq!(failed(&sent).0, FailReason::BadAddress);
}

#[tokio::test]
async fn an_account_the_sheet_lacks_is_asked_for_once_by_telephone_then_by_mail() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    let without = |n| {
        let mut brief = another(n);
        brief.contact.wecom_user = None;
        brief
    };
    peer.has_email(&without(1).contact.email.unwrap(), "zjp");
    for n in 1..4 {
        let sent = channel.send(&without(n), 1).await;
        assert!(is_sent(&sent), "{sent:?}");
        assert!(sent.learned.contains(&Learned::Account(Some("zjp".into()))));
    }
    assert_eq!(peer.bodies_of("user/getuserid")[0]["mobile"], "13800000001");
    assert_eq!(peer.calls_of("user/getuserid"), 1);
    assert_eq!(peer.calls_of("user/get_userid_by_email"), 1);
    assert!(peer.delivered().iter().all(|one| one.user == "zjp"));

    // A miss counts with the platform, so it is asked once as well.
    for n in 5..8 {
        let mut nobody = without(n);
        nobody.contact.mobile = Some("13900000009".into());
        nobody.contact.email = None;
        let sent = channel.send(&nobody, 1).await;
        assert_eq!(failed(&sent).0, FailReason::BadAddress);
        assert_eq!(failed(&sent).1, Next::NextChannel);
        assert_eq!(sent.learned, [Learned::Account(None)]);
    }
    assert_eq!(peer.calls_of("user/getuserid"), 2);
    assert_eq!(peer.calls_of("message/send"), 3);
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_and_nothing_refused() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    peer.token_life(6);
    assert!(is_sent(&channel.send(&another(1), 1).await));
    // Half its life: the other half is there for a slow machine.
    tokio::time::sleep(std::time::Duration::from_millis(3_050)).await;
    assert!(is_sent(&channel.send(&another(2), 1).await));
    assert_eq!(peer.tokens_given(), 2);
    assert_eq!(peer.calls_of("message/send"), 2, "none was refused");
}

#[tokio::test]
async fn the_same_moment_gives_the_same_bytes_and_another_another_card() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    let mut brief = brief();
    assert!(is_sent(&channel.send(&brief, 1).await));
    brief.tried_at += chrono::TimeDelta::minutes(5);
    assert!(is_sent(&channel.send(&brief, 2).await));
    assert_eq!((peer.delivered().len(), peer.doubles()), (1, 1));
    brief.at += chrono::TimeDelta::minutes(5);
    assert!(is_sent(&channel.send(&brief, 3).await));
    assert_eq!((peer.delivered().len(), peer.doubles()), (2, 1));
}

#[tokio::test]
async fn one_member_never_gets_more_than_the_platform_delivers() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    let mut refused = 0;
    for n in 0..40 {
        let sent = channel.send(&another(n), 1).await;
        if !is_sent(&sent) {
            let (reason, next, _) = failed(&sent);
            assert_eq!(reason, FailReason::RateLimited);
            assert!(matches!(next, Next::Again { after: Some(_) }));
            refused += 1;
        }
    }
    assert_eq!(peer.delivered().len() + refused, 40);
    assert_eq!(
        peer.delivered().len(),
        peer.calls_of("message/send"),
        "none was dropped"
    );
    assert!(peer.delivered().len() <= 30);
}

#[tokio::test]
async fn a_card_is_changed_once() {
    let peer = AppPeer::good().await;
    let channel = app(peer.base_url());
    let sent = channel.send(&brief(), 1).await;
    let [Learned::Card(code)] = sent.learned.as_slice() else {
        panic!("{sent:?}")
    };
    let cards = channel.cards().unwrap();
    let answered = Shown::Answered("已报送：已完成");
    assert_eq!(
        cards.settle(code, "ZhongJingPing", answered).await,
        Settled::Done
    );
    let (user, body) = peer.settled().pop().unwrap();
    assert_eq!(user, "ZhongJingPing");
    assert_eq!(body["button"]["replace_name"], "已报送：已完成");
    assert!(matches!(
        cards.settle(code, "ZhongJingPing", answered).await,
        Settled::Failed(_)
    ));
    peer.set_script(|_, _| Answer::Code(-1));
    assert_eq!(
        cards.settle(code, "ZhongJingPing", answered).await,
        Settled::Later
    );
}

#[tokio::test]
async fn a_private_deployment_has_its_own_host_authority_and_proxy() {
    let mut peer = AppPeer::good().await;
    let behind = peer.behind_tls().await;
    let stranger = app(behind.clone()).send(&brief(), 1).await;
    assert_eq!(
        failed(&stranger).0,
        FailReason::Unreachable,
        "not signed by whom we know"
    );
    let with = |base_url: String, way: Way| {
        AppChannel::new(Settings {
            way,
            ..settings(base_url)
        })
        .unwrap()
    };
    let ca = Way {
        ca: Some(crate::peers::smtp::CA.to_vec()),
        proxy: None,
    };
    assert!(is_sent(&with(behind, ca).send(&another(1), 1).await));
    // The stand-in is the proxy here: the name is resolved by nobody else.
    let proxy = Way {
        ca: None,
        proxy: Some(peer.base_url()),
    };
    let sent = with("http://zwwx.invalid:89".into(), proxy)
        .send(&another(2), 1)
        .await;
    assert!(is_sent(&sent), "{sent:?}");
}

/// What a platform does with a connection once it has answered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Keeps,
    SaysThatItCloses,
    Closes,
}

/// A platform that only says yes; its address, and the connections it has seen.
async fn yes(then: Then) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(tcp, then));
        }
    });
    (base, seen)
}

async fn answer(tcp: TcpStream, then: Then) -> std::io::Result<()> {
    let body = r#"{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200,"msgid":"m"}"#;
    let close = match then {
        Then::SaysThatItCloses => "Connection: close\r\n",
        Then::Keeps | Then::Closes => "",
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\n{close}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = BufReader::new(tcp);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(given) = line.to_lowercase().strip_prefix("content-length:") {
                length = given.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        stream.write_all(answer.as_bytes()).await?;
        if then != Then::Keeps {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn a_connection_serves_many_calls_and_one_closed_meanwhile_makes_no_doubt() {
    for (then, wanted) in [
        (Then::Keeps, 1),
        (Then::SaysThatItCloses, 9),
        (Then::Closes, 9),
    ] {
        let (base, seen) = yes(then).await;
        let channel = app(base);
        for n in 0..8 {
            let sent = channel.send(&another(n), 1).await;
            assert!(is_sent(&sent), "{then:?}: {sent:?}");
            // As the durable step between two calls: time for the word that it is closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let seen = seen.load(Ordering::SeqCst);
        // The token was the first call.
        assert!(seen == wanted || seen == wanted + 1, "{then:?}: {seen}");
    }
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut waiting = false;
        for (future, done) in &mut futures {
            if done.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        match waiting {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(()),
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn a_trial_tells_whose_the_fault_is_and_sends_nothing() {
    let peer = AppPeer::good().await;
    assert_eq!(app(peer.base_url()).try_out().await, Tried::Works(None));
    // A token is given to any address; only what is asked with it tells.
    peer.set_script(|path, _| match path {
        "gettoken" => Answer::Usual,
        _ => Answer::Code(60020),
    });
    let tried = app(peer.base_url()).try_out().await;
    assert_eq!(tried, Tried::NotListed(Some("203.0.113.9".into())));
    peer.set_script(|_, _| Answer::Usual);
    let elsewhere = Settings {
        agent_id: AGENT + 1,
        ..settings(peer.base_url())
    };
    match AppChannel::new(elsewhere).unwrap().try_out().await {
        Tried::Failed(why) => assert!(why.contains("wecom.app.agent_id"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.calls_of("message/send"), 0);
}
