//! Group robots against a platform that answers as it is told.

use cuiban::channel::wecom_robot::{RobotChannel, Settings};
use cuiban::channel::{Channel, Measure, Serves};
use cuiban::config::Secret;
use cuiban::config::wecom::{Format, Way};
use cuiban::domain::brief::Brief;
use cuiban::domain::delivery::{FailReason, Next, SendOutcome};

use crate::email::brief;
use crate::peers::wecom::{Answer, WecomPeer};

pub const KEY: &str = "693a1116-7a0c-4bc4-97a0-0ec20bfa5aaa";

pub fn robot(base_url: String, units: &[&str]) -> RobotChannel {
    let _ = rustls::crypto::ring::default_provider().install_default();
    RobotChannel::new(Settings {
        name: "督查群".into(),
        key: Secret::new(KEY.into()),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        base_url,
        format: Format::Markdown,
        way: Way::default(),
    })
    .unwrap()
}

/// Several people's briefs that share a call.
fn briefs(count: usize) -> Vec<Brief> {
    (1..=count)
        .map(|n| {
            let mut one = brief();
            one.name = format!("第{n}位");
            one.contact.wecom_user = Some(format!("wx{n}"));
            one.link = format!("https://duban.example.gov.cn/r/link-{n}");
            one
        })
        .collect()
}

#[tokio::test]
async fn what_was_measured_to_fit_goes_in_one_call_whole_and_mentions_everybody() {
    let peer = WecomPeer::good().await;
    let mut v2 = Settings {
        name: "督查群".into(),
        key: Secret::new(KEY.into()),
        units: Vec::new(),
        base_url: peer.base_url(),
        format: Format::MarkdownV2,
        way: Way::default(),
    };
    let second = RobotChannel::new(v2.clone()).unwrap();
    v2.format = Format::Markdown;
    let first = RobotChannel::new(v2).unwrap();
    for (channel, kind) in [
        (first, "markdown"),
        (second, "markdown_v2"),
        (robot(peer.base_url(), &[]), "text"),
    ] {
        let packing = channel.packing().unwrap();
        let mut all = briefs(9);
        if kind == "text" {
            for (n, one) in all.iter_mut().enumerate() {
                one.contact.wecom_user = None;
                one.contact.mobile = Some(format!("1380000000{n}"));
            }
        }
        let measures: Vec<Measure> = all
            .iter()
            .map(|one| packing.measure(one).unwrap())
            .collect();
        assert!(
            measures
                .iter()
                .all(|measure| measure.kind == measures[0].kind)
        );
        let mut sum = 0;
        let fitting = measures.iter().take_while(|measure| {
            sum += measure.bytes;
            sum <= measure.room
        });
        let count = fitting.count();
        assert!((2..9).contains(&count), "{kind}: {count}");
        let sent = packing.send_together(&all[..count], 1).await;
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
        let posted = peer.posted().pop().unwrap();
        assert_eq!(posted.body["msgtype"], kind);
        for (n, one) in all[..count].iter().enumerate() {
            assert!(posted.content().contains(&one.link), "{}", posted.content());
            assert!(
                posted
                    .content()
                    .contains(&one.items[2].milestones[0].content)
            );
            match kind {
                "markdown" => assert_eq!(posted.mentions()[n], format!("wx{}", n + 1)),
                "text" => assert_eq!(
                    posted.body["text"]["mentioned_mobile_list"][n],
                    one.contact.mobile.clone().unwrap()
                ),
                _ => {
                    assert!(!posted.content().contains(['<', '>']) || posted.mentions().is_empty())
                }
            }
        }
        assert!(!(kind == "markdown_v2" && posted.content().contains("<font")));
        // Nothing is wasted either: one more would not have fitted.
        let limit = if kind == "text" { 2048 } else { 4096 };
        let one_more = posted.content().len() + measures[0].bytes;
        assert!(one_more > limit, "{kind}: {one_more}");
    }
}

#[tokio::test]
async fn what_grew_meanwhile_gives_way_before_a_person_does() {
    let peer = WecomPeer::good().await;
    let channel = robot(peer.base_url(), &[]);
    let packing = channel.packing().unwrap();
    let all = briefs(12);
    let sent = packing.send_together(&all, 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    let posted = &peer.posted()[0];
    assert!(posted.content().len() <= 4096);
    assert_eq!(posted.mentions().len(), 12);
    for one in &all {
        assert!(posted.content().contains(&one.link));
    }
    // So many that even their bare names do not fit are refused, not cut.
    let sent = packing.send_together(&briefs(200), 1).await;
    let SendOutcome::Failed(failure) = sent.outcome else {
        panic!("{sent:?}")
    };
    assert_eq!(failure.reason, FailReason::OurDefect);
    assert_eq!(peer.calls(), 1);
}

#[tokio::test]
async fn the_owner_is_mentioned_by_account() {
    let peer = WecomPeer::good().await;
    let sent = robot(peer.base_url(), &[]).send(&brief(), 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    let posted = peer.posted();
    assert_eq!(posted[0].body["msgtype"], "markdown");
    assert!(posted[0].content().starts_with("<@ZhongJingPing>"));
    assert!(posted[0].content().contains("/r/7f3kQm2ZpX)"));
}

#[tokio::test]
async fn whose_account_is_not_known_is_mentioned_by_telephone_in_plain_text() {
    let peer = WecomPeer::good().await;
    let mut brief = brief();
    brief.contact.wecom_user = None;
    robot(peer.base_url(), &[]).send(&brief, 1).await;
    let posted = &peer.posted()[0];
    assert_eq!(posted.body["msgtype"], "text");
    assert_eq!(
        posted.body["text"]["mentioned_mobile_list"][0],
        "13800000001"
    );
    assert!(posted.content().len() <= 2048);
    assert!(!posted.content().contains("<font"));
}

#[tokio::test]
async fn a_long_list_keeps_within_what_the_platform_takes() {
    let peer = WecomPeer::good().await;
    let mut brief = brief();
    brief.items = std::iter::repeat_n(brief.items.clone(), 20)
        .flatten()
        .collect();
    let channel = robot(peer.base_url(), &[]);
    let sent = channel.send(&brief, 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    brief.contact.wecom_user = None;
    let sent = channel.send(&brief, 1).await;
    assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    for posted in peer.posted() {
        assert!(posted.content().contains("项，请点链接查看"));
    }
}

#[tokio::test]
async fn the_peers_word_is_kept_without_hint_and_address() {
    let peer = WecomPeer::good().await;
    peer.set_script(|_, _| Answer::Code(93000));
    let told = robot(peer.base_url(), &[]).send(&brief(), 1).await;
    let SendOutcome::Failed(failure) = told.outcome else {
        panic!("{told:?}")
    };
    assert_eq!(failure.reason, FailReason::Credentials);
    assert!(matches!(failure.next, Next::StopChannel { .. }));
    assert_eq!(failure.detail, "93000 scripted");
}

#[tokio::test]
async fn who_cannot_be_reached_has_not_got_it() {
    let told = robot("http://127.0.0.1:1".into(), &[])
        .send(&brief(), 1)
        .await;
    let SendOutcome::Failed(failure) = &told.outcome else {
        panic!("{told:?}")
    };
    assert_eq!(failure.reason, FailReason::Unreachable);
    assert_eq!(failure.next, Next::Again { after: None });
}

#[tokio::test]
async fn after_the_request_is_out_no_answer_is_a_doubt() {
    // A platform that takes the request and hangs up.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut space = [0; 16 * 1024];
            let _ = tcp.read(&mut space).await;
        }
    });
    let told = robot(format!("http://{address}"), &[])
        .send(&brief(), 1)
        .await;
    assert!(
        matches!(told.outcome, SendOutcome::InDoubt { .. }),
        "{told:?}"
    );
    let peer = WecomPeer::good().await;
    peer.set_script(|_, _| Answer::Http(502));
    let told = robot(peer.base_url(), &[]).send(&brief(), 1).await;
    assert!(
        matches!(told.outcome, SendOutcome::InDoubt { .. }),
        "{told:?}"
    );
}

#[test]
fn a_robot_knows_whom_it_is_for() {
    let own = robot("http://127.0.0.1:1".into(), &["市科技局"]);
    assert_eq!(own.serves("市科技局"), Serves::ThisUnit);
    assert_eq!(own.serves("市财政局"), Serves::Others);
    let all = robot("http://127.0.0.1:1".into(), &[]);
    assert_eq!(all.serves("市财政局"), Serves::Everyone);
}
