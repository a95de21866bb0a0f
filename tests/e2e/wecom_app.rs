//! A quarter through the application: every owner a card, tokens that end on the way, accounts
//! looked up, cards that say so once a report is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::peers::smtp::SmtpPeer;
use crate::peers::wecom::Answer;
use crate::peers::wecom_app::{AGENT, AppPeer, CORP, Delivered, SECRET};
use crate::world::{CHANNELS, Daemon, EMAIL, MOBILE, SOON, WECOM, World, eventually};

const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";
const AFTER_NOTICE: &str = "2022-03-17T09:30:00+08:00";

fn section(base_url: &str) -> String {
    format!(
        "[wecom]\nbase_url = \"{base_url}\"\n\
         [wecom.app]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\nsecret_file = \"app-secret\"\n"
    )
}

fn world(config: &str) -> World {
    let world = World::new(config);
    std::fs::write(world.path("app-secret"), SECRET).unwrap();
    world
}

fn is_owner(row: &[String]) -> bool {
    row.iter().any(|cell| cell == "直接责任人")
}

async fn deliveries(daemon: &Daemon, state: &str) -> Vec<Value> {
    let path = format!("/api/v1/deliveries?state={state}");
    let answer = daemon.get(&path).await;
    answer["deliveries"].as_array().unwrap().clone()
}

/// Answers for everything behind the card.
async fn report(daemon: &Daemon, card: &Delivered) {
    let link = card.link().unwrap();
    let token = link.rsplit('/').next().unwrap();
    let path = format!("/api/v1/reply/{token}");
    let url = format!("{}{path}", daemon.base);
    let page: Value = daemon
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let items = page["items"].as_array().unwrap().iter();
    let reports: Vec<Value> = items
        .map(|item| json!({"task": item["task"], "status": "on_schedule", "progress": "按计划推进", "problems": "", "next_steps": "", "percent": 60}))
        .collect();
    let (status, receipt) = daemon.post(&path, &json!({ "reports": reports })).await;
    assert_eq!(status, 200, "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_by_the_application() {
    let peer = AppPeer::start(false).await;
    let world = world(&section(&peer.base_url()));
    // A third by account, a third by telephone, a third by mail address.
    world.import_filled(|index, row| {
        row[CHANNELS] = "wecom_app".into();
        let user = format!("wx{index}");
        match index % 3 {
            0 => row[WECOM] = user,
            1 => {
                row[MOBILE] = format!("139{index:08}");
                peer.has_mobile(&row[MOBILE], &user);
            }
            _ => {
                row[EMAIL] = format!("u{index}@example.invalid");
                peer.has_email(&row[EMAIL], &user);
            }
        }
    });
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(AFTER_NOTICE).await;
    let notices = peer.delivered();
    let told: BTreeSet<&str> = notices.iter().map(|one| one.user.as_str()).collect();
    assert!(
        notices.len() > 140 && told.len() == notices.len(),
        "each once: {}",
        notices.len()
    );
    assert!(
        notices
            .iter()
            .all(|one| one.body["msgtype"] == "template_card")
    );
    assert_eq!(peer.tokens_given(), 1);

    // A button opens the page with its status chosen, and nothing is said by that alone.
    let buttons = notices[0].body["template_card"]["button_list"].clone();
    let labels: Vec<&str> = buttons
        .as_array()
        .unwrap()
        .iter()
        .map(|button| button["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        labels,
        ["已完成", "正常推进", "进度滞后", "未启动", "逐项填写"]
    );
    let page = daemon
        .http
        .get(buttons[1]["url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("value=\"on_schedule\" checked"), "{page}");
    assert!(page.contains("尚未提交") && !page.contains("value=\"completed\" checked"));

    // A third reports: their cards say so, whoever of them it was, and nobody else's.
    for card in notices.iter().step_by(3) {
        report(&daemon, card).await;
    }
    daemon.advance("2022-03-18T12:00:00+08:00").await;
    let settled: BTreeSet<String> = peer.settled().into_iter().map(|(user, _)| user).collect();
    assert_eq!(settled.len(), peer.settled().len(), "each card once");
    for card in notices.iter().step_by(3) {
        assert!(settled.contains(&card.user), "{}", card.user);
    }
    let open: BTreeSet<String> = open_owners(&world);
    let accounts = accounts(&world);
    for user in &settled {
        assert!(!open.contains(&accounts[user]), "{user} has something open");
    }

    // The token ends on the way, and the program is started anew.
    peer.end_token();
    daemon.stop().await;
    let daemon = world.serve("2022-03-28T09:00:00+08:00", 0.0).await;
    for day in ["2022-03-28", "2022-03-31", "2022-04-01", "2022-04-08"] {
        peer.end_token();
        daemon.advance(&format!("{day}T17:00:00+08:00")).await;
    }
    let all = peer.delivered();
    let mut heard: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &all[notices.len()..] {
        *heard.entry(&one.user).or_default() += 1;
    }
    assert!(heard.values().all(|count| *count <= 5), "{heard:?}");
    for card in notices.iter().step_by(3) {
        let more = all[notices.len()..]
            .iter()
            .filter(|one| one.user == card.user);
        assert!(
            more.clone().all(|one| one.body["msgtype"] == "text"),
            "who has reported is told of others' at most: {:?}",
            more.collect::<Vec<_>>()
        );
    }
    // What was learnt of accounts is kept over the restart: only new people were asked for.
    let by_mobile = peer.bodies_of("user/getuserid");
    let by_email = peer.bodies_of("user/get_userid_by_email");
    let asked = by_mobile.len() + by_email.len();
    let about: BTreeSet<String> = by_mobile
        .iter()
        .chain(&by_email)
        .map(Value::to_string)
        .collect();
    let known = world
        .run(&["journal", "dump"])
        .matches("account.learned")
        .count();
    assert_eq!(about.len(), known, "each asked for once");
    let refused = usize::try_from(peer.tokens_given()).unwrap();
    assert!(
        asked <= known + refused,
        "{asked} questions about {known} people"
    );
    assert_eq!(deliveries(&daemon, "waiting").await.len(), 0);
    assert_eq!(deliveries(&daemon, "dead").await.len(), 0);
    assert_eq!(deliveries(&daemon, "held").await.len(), 0);
    assert_eq!(deliveries(&daemon, "sent").await.len(), all.len());
    assert_eq!(peer.doubles(), 0);
    let said = [
        world.log(),
        world.run(&["config", "show"]),
        daemon.page("/deliveries").await,
        daemon.page("/").await,
    ];
    for text in said {
        assert!(
            !text.contains(SECRET) && !text.contains("token-1-") && !text.contains("13900000"),
            "{text}"
        );
    }
    let check = world.run(&["config", "check"]);
    assert!(check.contains("发送渠道：企业微信应用"), "{check}");
    daemon.stop().await;
}

/// Names of those who have something open, by `status`.
fn open_owners(world: &World) -> BTreeSet<String> {
    let text = world.run(&["status", "--quarter", "2022Q1", "--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    let rows = status["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["state"] == "not_reported")
        .flat_map(|row| row["owners"].as_array().unwrap())
        .map(|owner| owner.as_str().unwrap().to_owned())
        .collect()
}

/// Names by account.
fn accounts(world: &World) -> BTreeMap<String, String> {
    let sheet = std::fs::read_to_string(world.path("contacts.csv")).unwrap();
    let rows = sheet.lines().skip(1).enumerate();
    rows.map(|(index, line)| {
        (
            format!("wx{index}"),
            line.split(',').next().unwrap().to_owned(),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_leads_to_what_the_table_says_for_that_person() {
    let peer = AppPeer::start(false).await;
    let mail = SmtpPeer::good().await;
    let world = world(&format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"duban@example.invalid\"\n{}",
        mail.addr.port(),
        section(&peer.base_url())
    ));
    let mut filled = 0;
    world.import_filled(|_, row| {
        if is_owner(row) && filled < 8 {
            row[CHANNELS] = "wecom_app,email".into();
            row[EMAIL] = format!("u{filled}@example.invalid");
            if filled != 3 {
                row[WECOM] = format!("Wx{filled}");
            }
            filled += 1;
        }
    });
    peer.forget("wx1");
    peer.unlicense("wx2");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(AFTER_NOTICE).await;
    let expected = deliveries(&daemon, "sent").await.len();
    assert!(expected > 4, "{expected}");
    let mailed: BTreeSet<String> = mail.mails().into_iter().flat_map(|mail| mail.to).collect();
    for (n, by_mail) in [(0, false), (1, true), (2, true), (3, true), (4, false)] {
        let address = format!("u{n}@example.invalid");
        assert_eq!(mailed.contains(&address), by_mail, "{n}: {mailed:?}");
    }
    assert_eq!(peer.delivered().len() + mailed.len(), expected);

    // A wrong address here: the whole channel rests, mail speaks for it, the board says what to do.
    peer.set_script(|path, _| match path {
        "message/send" => Answer::Code(60020),
        _ => Answer::Usual,
    });
    let calls = peer.calls_of("message/send");
    daemon.advance("2022-03-28T09:40:00+08:00").await;
    let refused = peer.calls_of("message/send") - calls;
    assert!((1..=2).contains(&refused), "{refused}");
    let board = daemon.page("/").await;
    assert!(
        board.contains("企业微信应用") && board.contains("203.0.113.9"),
        "{board}"
    );
    assert_eq!(deliveries(&daemon, "waiting").await.len(), 0);
    assert_eq!(
        mail.mails().len() + peer.delivered().len(),
        deliveries(&daemon, "sent").await.len()
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_in_doubt_is_sent_again_and_read_once() {
    let peer = AppPeer::start(false).await;
    let world = world(&section(&peer.base_url()));
    let mut filled = 0;
    world.import_filled(|index, row| {
        if is_owner(row) && filled < 6 {
            filled += 1;
            row[CHANNELS] = "wecom_app".into();
            row[WECOM] = format!("wx{index}");
        }
    });
    // One goes first while nobody knows whether the channel works: it is delivered, and nobody is
    // told so before the kill.
    peer.answer_nobody(1);
    let mut daemon = world.spawn("2022-03-17T09:10:00+08:00", 1.0);
    let there = eventually(SOON, || async {
        (peer.delivered().len() == 1).then_some(())
    });
    there.await.unwrap();
    daemon.kill();

    let daemon = world.serve("2022-03-17T09:25:00+08:00", 0.0).await;
    daemon.advance(AFTER_NOTICE).await;
    let delivered = peer.delivered();
    let users: BTreeSet<&str> = delivered.iter().map(|one| one.user.as_str()).collect();
    assert_eq!(users.len(), delivered.len(), "nobody reads it twice");
    assert_eq!(peer.doubles(), 1, "the platform knew it again");
    let sent = deliveries(&daemon, "sent").await.len();
    assert_eq!(sent, delivered.len());
    assert_eq!(deliveries(&daemon, "held").await.len(), 0);
    let doubts = world
        .run(&["journal", "dump"])
        .matches("\"in_doubt\"")
        .count();
    assert_eq!(doubts, 1, "shown as what it was");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_deployment_is_reached_by_its_own_authority_and_through_a_proxy() {
    let mut peer = AppPeer::start(false).await;
    let behind = peer.behind_tls().await;
    let filled = |world: &World| {
        let mut filled = 0;
        world.import_filled(|index, row| {
            if is_owner(row) && filled < 1 {
                filled += 1;
                row[CHANNELS] = "wecom_app".into();
                row[WECOM] = format!("wx{index}");
            }
        });
    };
    // Without the authority's certificate nothing is said to whoever answers there.
    let mut world = world(&section(&behind));
    filled(&world);
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:12:00+08:00").await;
    assert_eq!(peer.calls_of("gettoken"), 0);
    daemon.stop().await;
    std::fs::write(world.path("ca.pem"), crate::peers::smtp::CA).unwrap();
    let with_ca = section(&behind).replace("[wecom.app]", "ca_file = \"ca.pem\"\n[wecom.app]");
    world.reconfigure(&with_ca);
    let daemon = world.serve("2022-03-17T09:12:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T12:00:00+08:00").await;
    let by_tls = peer.delivered().len();
    assert!(by_tls >= 1, "{}", world.log());
    daemon.stop().await;

    // The stand-in is the proxy: nobody else could find this host.
    let proxy = format!("proxy = \"{}\"\n[wecom.app]", peer.base_url());
    let by_proxy = section("http://zwwx.invalid:89").replace("[wecom.app]", &proxy);
    world.reconfigure(&by_proxy);
    let daemon = world.serve("2022-03-28T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-28T09:30:00+08:00").await;
    assert!(peer.delivered().len() > by_tls, "{}", world.log());
    daemon.stop().await;
}
