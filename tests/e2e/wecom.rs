//! Group robots: what each answer of the platform leads to, the pace, and a key nobody ever reads.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::Value;

use crate::peers::smtp::SmtpPeer;
use crate::peers::wecom::{Answer, Posted, WecomPeer};
use crate::world::{CHANNELS, Daemon, EMAIL, MOBILE, UNIT, WECOM, World};

const KEY: &str = "693a1116-7a0c-4bc4-97a0-0ec20bfa5aaa";
const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";
const EVENING: &str = "2022-03-17T17:59:00+08:00";

/// `[wecom]` with one robot for all, its key in a file.
fn one_for_all(base_url: &str) -> String {
    format!(
        "[wecom]\nbase_url = \"{base_url}\"\n[[wecom.robot]]\nname = \"督查群\"\nkey_file = \"robot.key\"\n"
    )
}

/// A world whose robot's key is where the config says.
fn world(config: &str) -> World {
    let world = World::new(config);
    std::fs::write(world.path("robot.key"), KEY).unwrap();
    world
}

async fn unlimited() -> WecomPeer {
    WecomPeer::start(std::sync::Arc::new(|_, _| Answer::Usual), false).await
}

fn is_owner(row: &[String]) -> bool {
    row.iter().any(|cell| cell == "直接责任人")
}

/// All that anybody could come to read.
async fn everything_readable(world: &World, daemon: &Daemon) -> Vec<(String, String)> {
    let mut read = Vec::new();
    for page in ["/", "/deliveries", "/api/v1/deliveries", "/api/v1/board"] {
        read.push((page.to_owned(), daemon.page(page).await));
    }
    for path in ["/metrics", "/readyz", "/healthz"] {
        let url = format!("{}{path}", daemon.base);
        let text = daemon
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        read.push((path.to_owned(), text));
    }
    for args in [
        &["journal", "dump"][..],
        &["config", "show"],
        &["config", "check"],
        &["contacts", "check"],
        &["status", "--json"],
    ] {
        let output = world.cuiban(args);
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        read.push((args.join(" "), text));
    }
    read.push(("the log".into(), world.log()));
    read
}

async fn assert_unread(world: &World, daemon: &Daemon, secrets: &[String]) {
    for (place, text) in everything_readable(world, daemon).await {
        for secret in secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{place} shows a key:\n{text}"
            );
        }
    }
}

/// When messages left, by the office's clock.
fn departures(journal: &str, wanted: impl Fn(&Value) -> bool) -> Vec<DateTime<FixedOffset>> {
    let entries = journal.lines().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let fact = &entry["fact"];
        let intent = fact["kind"] == "send.intended" && wanted(&fact["key"]);
        intent.then(|| DateTime::parse_from_rfc3339(entry["at"].as_str().unwrap()).unwrap())
    });
    entries.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_by_one_robot_in_the_fewest_calls_and_minutes() {
    let peer = unlimited().await;
    let world = world(&one_for_all(&peer.base_url()));
    world.import(|_, _| "wecom_robot");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:30:00+08:00").await;

    let posted = peer.posted();
    let mentions: Vec<&str> = posted.iter().flat_map(Posted::mentions).collect();
    let mentioned: BTreeSet<&str> = mentions.iter().copied().collect();
    assert!(mentions.len() > 140, "{}", mentions.len());
    assert_eq!(mentioned.len(), mentions.len(), "each person once");
    let bytes: Vec<usize> = posted.iter().map(|one| one.content().len()).collect();
    assert!(bytes.iter().all(|bytes| *bytes <= 4096), "{bytes:?}");
    let least = bytes.iter().sum::<usize>().div_ceil(4096);
    assert!(
        posted.len() <= least + 1,
        "{} calls where {least} would hold it all",
        posted.len()
    );
    for one in &posted {
        let links = one.content().matches("/r/").count();
        assert_eq!(links, one.mentions().len(), "each with a link of their own");
    }

    // Each person's message has its own intent and outcome, those of a call in one step each.
    let journal = world.run(&["journal", "dump"]);
    let mut intents = departures(&journal, |_| true).into_iter();
    let mut left = Vec::new();
    for one in &posted {
        let of_call: BTreeSet<_> = intents.by_ref().take(one.mentions().len()).collect();
        assert_eq!(of_call.len(), 1, "the intents of a call are of one step");
        left.extend(of_call);
    }
    assert_eq!(intents.next(), None);
    let sent = daemon.get("/api/v1/deliveries?state=sent").await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), mentions.len());
    for (index, first) in left.iter().enumerate() {
        let minute = *first..=*first + TimeDelta::seconds(60);
        let within = left[index..]
            .iter()
            .filter(|at| minute.contains(at))
            .count();
        assert!(within <= 20, "{within} from {first} on");
    }
    let took = *left.last().unwrap() - left[0];
    let minutes = i32::try_from(posted.len().div_ceil(20)).unwrap();
    assert!(
        took <= TimeDelta::minutes(1) * (minutes - 1) + TimeDelta::seconds(5),
        "{} calls took {took}",
        posted.len()
    );

    // The second stage: the same people, once more, once each.
    daemon.advance("2022-03-28T17:59:00+08:00").await;
    let all = peer.posted();
    let second: Vec<&str> = all[posted.len()..]
        .iter()
        .flat_map(Posted::mentions)
        .collect();
    assert_eq!(second.len(), mentioned.len());
    assert_eq!(BTreeSet::from_iter(second), mentioned);
    assert_unread(&world, &daemon, &[KEY.into()]).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_markdown_where_it_is_configured() {
    let peer = unlimited().await;
    let section = one_for_all(&peer.base_url());
    let world = world(&format!("{section}format = \"markdown_v2\"\n"));
    world.import(|_, _| "wecom_robot");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:30:00+08:00").await;
    let posted = peer.posted();
    let bytes: Vec<usize> = posted.iter().map(|one| one.content().len()).collect();
    assert!(bytes.iter().all(|bytes| *bytes <= 4096), "{bytes:?}");
    let least = bytes.iter().sum::<usize>().div_ceil(4096);
    assert!(posted.len() <= least + 1, "{} for {least}", posted.len());
    for one in &posted {
        assert_eq!(one.body["msgtype"], "markdown_v2");
        // It knows neither; the words for them would stand there as they are.
        assert!(!one.content().contains("<@") && !one.content().contains("<font"));
    }
    let words = posted
        .iter()
        .map(|one| one.content().matches("/r/").count());
    let sent = daemon.get("/api/v1/deliveries?state=sent").await;
    let sent = sent["deliveries"].as_array().unwrap().len();
    assert!(sent > 140, "{sent}");
    assert_eq!(words.sum::<usize>(), sent, "each person's part once");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_telephone_alone_is_known_is_mentioned_by_it() {
    let peer = unlimited().await;
    let world = world(&one_for_all(&peer.base_url()));
    let mut filled = 0;
    world.import_filled(|_, row| {
        if is_owner(row) && filled < 2 {
            filled += 1;
            row[MOBILE] = format!("1380000000{filled}");
            row[CHANNELS] = "wecom_robot".into();
        }
    });
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(EVENING).await;
    let posted = peer.posted();
    let numbers: BTreeSet<&str> = posted
        .iter()
        .flat_map(|one| {
            one.body["text"]["mentioned_mobile_list"]
                .as_array()
                .unwrap()
        })
        .map(|number| number.as_str().unwrap())
        .collect();
    assert_eq!(numbers, BTreeSet::from(["13800000001", "13800000002"]));
    let words: usize = posted.iter().map(|one| one.content().len()).sum();
    assert!(posted.len() == 1 || words > 2048, "{words}");
    for one in &posted {
        assert!(one.content().len() <= 2048);
        assert!(one.content().contains("/r/"), "{}", one.content());
    }
    // Contacts are facts and so in the journal; in logs and pages nobody needs the number.
    let board = daemon.page("/deliveries").await;
    for text in [world.log(), board] {
        assert!(!text.contains("13800000001"), "{text}");
    }
    daemon.stop().await;
}

/// A robot with a unit of its own, and what the platform answers it.
struct Case {
    name: &'static str,
    /// To the how-manieth call with this key.
    answer: fn(usize) -> Answer,
    /// Calls with its key until evening.
    calls: usize,
    /// What became of the message.
    state: &'static str,
    /// What the deliveries page says of it.
    told: &'static str,
}

impl Case {
    fn answer_code(&self) -> Option<i64> {
        match (self.answer)(1) {
            Answer::Code(code) => Some(code),
            _ => None,
        }
    }
}

const fn case(
    name: &'static str,
    answer: fn(usize) -> Answer,
    calls: usize,
    state: &'static str,
    told: &'static str,
) -> Case {
    Case {
        name,
        answer,
        calls,
        state,
        told,
    }
}

fn first(nth: usize, code: i64) -> Answer {
    match nth {
        1 => Answer::Code(code),
        _ => Answer::Usual,
    }
}

/// wecom.md, section 6.
const CASES: [Case; 16] = [
    case("ok", |_| Answer::Usual, 1, "sent", ""),
    case(
        "warned",
        |_| Answer::Body(r#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#.into()),
        1,
        "sent",
        "",
    ),
    case("busy once", |nth| first(nth, -1), 2, "sent", ""),
    case(
        "busy for ever",
        |_| Answer::Code(-1),
        4,
        "dead",
        "对方服务器要求稍后再试",
    ),
    case("too fast", |nth| first(nth, 45009), 2, "sent", ""),
    case(
        "removed",
        |_| Answer::Code(93000),
        1,
        "waiting",
        "账号、密码或密钥无效",
    ),
    case("disabled", |_| Answer::Code(93004), 1, "waiting", "93004"),
    case(
        "not in the group",
        |_| Answer::Code(93008),
        1,
        "waiting",
        "93008",
    ),
    case(
        "parameter",
        |_| Answer::Code(40058),
        1,
        "dead",
        "消息格式不被接受",
    ),
    case("too long", |_| Answer::Code(45002), 1, "dead", "45002"),
    case("empty", |_| Answer::Code(44004), 1, "dead", "44004"),
    case(
        "unknown code",
        |_| Answer::Code(987_654),
        1,
        "dead",
        "987654",
    ),
    case("http 500", |_| Answer::Http(500), 1, "held", "HTTP 500"),
    case(
        "no json",
        |_| Answer::Body("<html>".into()),
        1,
        "held",
        "不是规定的格式",
    ),
    case(
        "silence",
        |_| Answer::Silence,
        1,
        "held",
        "未收到企业微信应答",
    ),
    case("other way", |_| Answer::Code(93000), 1, "sent", ""),
];

fn key_of(index: usize) -> String {
    format!("00000000-0000-4000-8000-{index:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_leads_to_what_the_table_says() {
    let peer = unlimited().await;
    let mail = SmtpPeer::good().await;
    let calls = std::sync::Mutex::new(BTreeMap::<String, usize>::new());
    peer.set_script(move |key, _| {
        let nth = {
            let mut calls = calls.lock().unwrap();
            let nth = calls.entry(key.to_owned()).or_default();
            *nth += 1;
            *nth
        };
        let index: usize = key.rsplit('-').next().unwrap().parse().unwrap();
        (CASES[index].answer)(nth)
    });

    let units = units(CASES.len());
    let mut config = format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"duban@example.invalid\"\n\
         [wecom]\nbase_url = \"{}\"\n",
        mail.addr.port(),
        peer.base_url()
    );
    for (index, unit) in units.iter().enumerate() {
        config.push_str(&format!(
            "[[wecom.robot]]\nname = \"{unit}群\"\nkey = \"{}\"\nunits = [\"{unit}\"]\n",
            key_of(index)
        ));
    }
    let world = World::new(&config);
    let mut filled = BTreeSet::new();
    world.import_filled(|_, row| {
        let index = units.iter().position(|unit| *unit == row[UNIT]);
        if let (true, Some(index)) = (is_owner(row), index)
            && filled.insert(index)
        {
            row[WECOM] = format!("wx{index}");
            row[CHANNELS] = "wecom_robot".into();
            if CASES[index].name == "other way" {
                row[EMAIL] = "other@example.invalid".into();
                row[CHANNELS] = "wecom_robot,email".into();
            }
        }
    });
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(EVENING).await;

    let answer = daemon.get("/api/v1/deliveries").await;
    let deliveries = answer["deliveries"].as_array().unwrap();
    let page = daemon.page("/deliveries").await;
    let heard = peer.calls_by_key();
    let journal = world.run(&["journal", "dump"]);
    for (index, case) in CASES.iter().enumerate() {
        let of_unit = |one: &&Value| one["person"]["unit"] == units[index].as_str();
        let found = deliveries.iter().find(of_unit).unwrap();
        assert_eq!(found["state"], case.state, "{}: {found}", case.name);
        let calls = heard.get(&key_of(index)).copied().unwrap_or_default();
        assert_eq!(calls, case.calls, "{}: {found}", case.name);
        assert!(page.contains(case.told), "{}: {page}", case.name);
        let pauses = pauses(&journal, &found["key"]);
        match case.name {
            "busy for ever" => {
                assert_eq!(pauses.len(), 3);
                assert!(pauses.is_sorted_by(|a, b| a < b), "growing: {pauses:?}");
            }
            "too fast" => assert!(pauses[0] >= 65, "{pauses:?}"),
            _ => {}
        }
    }
    assert_eq!(mail.mails().len(), 1, "whose robot is gone gets it by mail");
    let board = daemon.page("/").await;
    for words in [
        "5条消息发送失败",
        "3条消息不能确定是否送达",
        "3条消息超过一小时仍未发出",
    ] {
        assert!(board.contains(words), "{words}: {board}");
    }
    for (index, case) in CASES.iter().enumerate() {
        let stopped = format!("企业微信群“{}群”已停止发送", units[index]);
        let gone = matches!(case.answer_code(), Some(93000 | 93004 | 93008));
        assert_eq!(board.contains(&stopped), gone, "{}: {board}", case.name);
    }
    let warned = "not all of its JSON";
    assert!(world.log().contains(warned), "a defect of ours is logged");
    let keys: Vec<String> = (0..CASES.len()).map(key_of).collect();
    assert_unread(&world, &daemon, &keys).await;

    // What is held stays so; what waits for a robot that was put back leaves the next morning.
    peer.set_script(|_, _| Answer::Usual);
    daemon.advance("2022-03-18T17:59:00+08:00").await;
    let sent = daemon.get("/api/v1/deliveries?state=sent").await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), 5 + 3);
    let held = daemon.get("/api/v1/deliveries?state=held").await;
    assert_eq!(held["deliveries"].as_array().unwrap().len(), 3);
    daemon.stop().await;
}

/// Seconds between the tries of this message.
fn pauses(journal: &str, message: &Value) -> Vec<i64> {
    let left = departures(journal, |key| key == message);
    left.windows(2)
        .map(|pair| (pair[1] - pair[0]).num_seconds())
        .collect()
}

/// Units of the table with an owner who has something to report in the first quarter.
fn units(count: usize) -> Vec<String> {
    let world = World::new("");
    world.import(|_, _| "");
    let text = world.run(&["status", "--quarter", "2022Q1", "--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    let mut units = Vec::new();
    for row in status["rows"].as_array().unwrap() {
        let unit = row["unit"].as_str().unwrap().to_owned();
        if !unit.contains('、') && !units.contains(&unit) && units.len() < count {
            units.push(unit);
        }
    }
    units
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_key_where_the_platform_cannot_be_reached() {
    // A webhook pasted whole, to a port where nobody listens; the log tells all it can.
    let port = crate::world::free_port();
    let url = format!("http://127.0.0.1:{port}/cgi-bin/webhook/send?key={KEY}");
    let mut world = World::new(&format!(
        "[[wecom.robot]]\nname = \"督查群\"\nkey = \"{url}\"\n"
    ));
    world.log_level = "trace";
    let mut filled = 0;
    world.import_filled(|_, row| {
        if is_owner(row) && filled < 2 {
            filled += 1;
            row[WECOM] = format!("wx{filled}");
            row[CHANNELS] = "wecom_robot".into();
        }
    });
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T11:00:00+08:00").await;
    let page = daemon.page("/deliveries?state=waiting").await;
    assert!(page.contains("连接不上企业微信"), "{page}");
    assert_unread(&world, &daemon, &[KEY.into(), url]).await;

    // And where the config is wrong, the message says where without saying what.
    daemon.stop().await;
    let wrong = World::new(&format!(
        "[[wecom.robot]]\nname = \"督查群\"\nkey = \"{KEY} 督查\"\n"
    ));
    let output = wrong.cuiban(&["config", "check"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains(KEY), "{said}");
    assert!(said.contains("key"), "{said}");
}

/// A world where these many owners are in one robot's group.
fn small_group(config: &str, count: usize) -> World {
    let world = world(config);
    let mut filled = 0;
    world.import_filled(|_, row| {
        if is_owner(row) && filled < count {
            filled += 1;
            row[WECOM] = format!("wx{filled}");
            row[CHANNELS] = "wecom_robot".into();
        }
    });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_one_call_is_held_and_released_person_by_person() {
    let peer = unlimited().await;
    let world = small_group(&one_for_all(&peer.base_url()), 6);
    peer.set_script(|_, _| Answer::Http(502));
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(EVENING).await;
    let calls = peer.calls();
    assert!((1..6).contains(&calls), "{calls}");
    let held = daemon.get("/api/v1/deliveries?state=held").await;
    let held = held["deliveries"].as_array().unwrap();
    let told: BTreeSet<&str> = held
        .iter()
        .map(|one| one["person"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), held.len());
    assert!(held.len() > calls, "{} in {calls} calls", held.len());
    daemon.advance("2022-03-18T17:59:00+08:00").await;
    assert_eq!(peer.calls(), calls, "a group would see it twice");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_one_persons_words_the_others_do_not_go_without() {
    let peer = unlimited().await;
    let world = small_group(&one_for_all(&peer.base_url()), 6);
    // The platform dislikes a word in what the fourth is told.
    let bad = std::sync::Arc::new(std::sync::Mutex::new(0));
    let count = std::sync::Arc::clone(&bad);
    peer.set_body_script(move |body| {
        let disliked = body.to_string().contains("<@wx4>");
        *count.lock().unwrap() += usize::from(disliked);
        disliked.then_some(85002)
    });
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(EVENING).await;
    let mentions: BTreeSet<String> = peer
        .posted()
        .iter()
        .flat_map(|one| {
            one.mentions()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let dead = daemon.get("/api/v1/deliveries?state=dead").await;
    let dead = dead["deliveries"].as_array().unwrap();
    let sent = daemon.get("/api/v1/deliveries?state=sent").await;
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(*bad.lock().unwrap(), 2, "with the others, then alone");
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), mentions.len());
    assert!(
        !mentions.contains("wx4") && mentions.len() >= 4,
        "{mentions:?}"
    );
    daemon.stop().await;
}
