//! Answers in the WeCom application: a card out, a tap or a word in, a report on the board, the card
//! changed, the member told.

use std::time::Duration;

use serde_json::Value;

use crate::peers::wecom_app::{AGENT, AppPeer, CORP, Delivered, SECRET};
use crate::peers::wecom_callback::{AES_KEY, Caller, TOKEN};
use crate::world::{CHANNELS, Daemon, SOON, WECOM, World, eventually};

const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";
const AFTER_NOTICE: &str = "2022-03-17T09:30:00+08:00";

/// Every owner has the application.
fn world(peer: &AppPeer) -> World {
    let world = World::new(&format!(
        "[wecom]\nbase_url = \"{}\"\n[wecom.app]\ncorp_id = \"{CORP}\"\nagent_id = {AGENT}\n\
         secret_file = \"app-secret\"\ncallback_token_file = \"token\"\ncallback_aes_key_file = \"aes\"\n",
        peer.base_url()
    ));
    for (file, text) in [("app-secret", SECRET), ("token", TOKEN), ("aes", AES_KEY)] {
        std::fs::write(world.path(file), text).unwrap();
    }
    world.import_filled(|index, row| {
        row[CHANNELS] = "wecom_app".into();
        row[WECOM] = format!("wx{index}");
    });
    world
}

struct Card {
    user: String,
    name: String,
    /// The items to choose from, by number; none where there is only one.
    choices: Vec<String>,
}

impl Card {
    fn of(one: &Delivered) -> Self {
        let card = &one.body["template_card"];
        let options = card["button_selection"]["option_list"].as_array();
        let ids = options.into_iter().flatten();
        let ids = ids.map(|option| option["id"].as_str().unwrap().to_owned());
        Self {
            user: one.user.clone(),
            name: card["task_id"].as_str().unwrap().to_owned(),
            choices: ids.filter(|id| id != "all").collect(),
        }
    }
}

/// Rows of `status` that came in by the application.
fn by_wecom(world: &World) -> Vec<Value> {
    let text = world.run(&["status", "--quarter", "2022Q1", "--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    let rows = status["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["via"] == "wecom").cloned().collect()
}

fn count(world: &World, kind: &str) -> usize {
    world
        .run(&["journal", "dump"])
        .matches(&format!("\"{kind}\""))
        .count()
}

/// What this user was told after the card.
fn told(peer: &AppPeer, user: &str) -> Vec<String> {
    let all = peer.delivered().into_iter();
    all.filter(|one| one.user == user && one.body["msgtype"] == "text")
        .map(|one| one.body["text"]["content"].as_str().unwrap().to_owned())
        .collect()
}

async fn settled(peer: &AppPeer, user: &str, wanted: usize) -> Vec<Value> {
    let found = eventually(SOON, || async {
        let of_user = peer
            .settled()
            .into_iter()
            .filter(|(whose, _)| whose == user);
        let found: Vec<Value> = of_user.map(|(_, body)| body).collect();
        (found.len() >= wanted).then_some(found)
    });
    found
        .await
        .unwrap_or_else(|| panic!("{user}: {:?}", peer.settled()))
}

async fn begin(peer: &AppPeer, world: &World) -> (Daemon, Caller, Vec<Card>) {
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(AFTER_NOTICE).await;
    let cards = peer.delivered().iter().map(Card::of).collect();
    let caller = Caller::new(&daemon.base);
    (daemon, caller, cards)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_and_a_word_become_reports_and_the_card_shows_them() {
    let peer = AppPeer::start(false).await;
    let world = world(&peer);
    let (daemon, caller, cards) = begin(&peer, &world).await;
    assert!(caller.verify().await);

    // One item: the tap is the report, and the card says so.
    let one = cards.iter().find(|card| card.choices.is_empty()).unwrap();
    let code = peer.fresh_code(&one.user);
    let tap = caller.tapped(&one.user, &one.name, "completed", None, &code);
    let begun = std::time::Instant::now();
    assert_eq!(caller.bring(&tap).await, Some(200));
    assert!(begun.elapsed() < Duration::from_secs(1));
    let changed = settled(&peer, &one.user, 1).await;
    assert_eq!(changed[0]["button"]["replace_name"], "已报送：已完成");
    assert_eq!(changed[0]["response_code"], code);
    let rows = by_wecom(&world);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["status"], "completed");
    let answered = eventually(SOON, || async { told(&peer, &one.user).pop() })
        .await
        .unwrap();
    assert!(
        answered.contains("已收到：第") && answered.contains("回执编号"),
        "{answered}"
    );

    // Several: the one that was chosen, and the card asks for the rest.
    let many = cards.iter().find(|card| card.choices.len() == 3).unwrap();
    let code = peer.fresh_code(&many.user);
    let first = many.choices[0].as_str();
    let tap = caller.tapped(&many.user, &many.name, "on_schedule", Some(first), &code);
    assert_eq!(caller.bring(&tap).await, Some(200));
    let changed = settled(&peer, &many.user, 1).await;
    let options = &changed[0]["template_card"]["button_selection"]["option_list"];
    assert_eq!(
        options.as_array().unwrap().len(),
        3,
        "two and all of them: {options}"
    );
    assert!(!options.to_string().contains(&format!("\"{first}\"")));

    // The rest in words, and once more the same tap, over a restart too.
    let second = &many.choices[1];
    let words = caller.typed(&many.user, &format!("{second} 已完成，材料已报送市府办"));
    assert_eq!(caller.bring(&words).await, Some(200));
    let heard = eventually(SOON, || async {
        (told(&peer, &many.user).len() == 2).then_some(())
    });
    heard.await.unwrap();
    let before = count(&world, "report.received");
    assert_eq!(before, 3);
    assert_eq!(caller.bring(&tap).await, Some(200));
    assert_eq!(caller.bring(&words).await, Some(200));
    daemon.stop().await;
    let daemon = world.serve(AFTER_NOTICE, 0.0).await;
    assert_eq!(caller.bring(&tap).await, Some(200));
    assert_eq!(caller.bring(&words).await, Some(200));
    let last = caller.typed(
        &many.user,
        &format!(
            "{} 进度滞后，存在问题：场地未落实；下一步措施：协调场地",
            many.choices[2]
        ),
    );
    assert_eq!(caller.bring(&last).await, Some(200));
    let heard = eventually(SOON, || async {
        told(&peer, &many.user).into_iter().nth(2)
    });
    let heard = heard.await.unwrap();
    assert!(heard.contains("没有待报送的事项了"), "{heard}");
    assert_eq!(count(&world, "report.received"), 4, "each counts once");
    let board = daemon.page("/?quarter=2022Q1").await;
    assert!(board.contains("<b>4</b><span>已报</span>"), "{board}");

    // Whoever is on no sheet is answered, once; forgers are not.
    for _ in 0..2 {
        let stranger = caller.typed("nobody", "帮助");
        assert_eq!(caller.bring(&stranger).await, Some(200));
    }
    let mut forged = caller.typed("nobody", "帮助");
    forged.query = forged.query.replace("msg_signature=", "msg_signature=0");
    assert_eq!(caller.bring(&forged).await, Some(403));
    let decided = eventually(SOON, || async {
        (count(&world, "word.settled") == count(&world, "word.heard")).then_some(())
    });
    decided.await.unwrap();
    daemon.stop().await;
    assert_eq!(told(&peer, "nobody").len(), 1);
    assert!(!world.log().contains(TOKEN) && !world.log().contains(AES_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_never_lost_whenever_the_program_dies() {
    let peer = AppPeer::start(false).await;
    let world = world(&peer);
    let (daemon, caller, cards) = begin(&peer, &world).await;
    daemon.stop().await;
    let mut acknowledged = Vec::new();
    for (round, card) in cards
        .iter()
        .filter(|card| card.choices.is_empty())
        .take(8)
        .enumerate()
    {
        let mut daemon = world.serve(AFTER_NOTICE, 0.0).await;
        let code = peer.fresh_code(&card.user);
        let tap = caller.tapped(&card.user, &card.name, "completed", None, &code);
        let wait = Duration::from_millis(3 * round as u64);
        let (answer, ()) = tokio::join!(caller.bring(&tap), async {
            tokio::time::sleep(wait).await;
            daemon.kill();
        });
        if answer == Some(200) {
            acknowledged.push(card.user.clone());
        }
    }
    let daemon = world.serve(AFTER_NOTICE, 0.0).await;
    let all_told = eventually(SOON, || async {
        let told = acknowledged
            .iter()
            .all(|user| !told(&peer, user).is_empty());
        told.then_some(())
    });
    all_told.await.unwrap();
    daemon.stop().await;
    assert!(!acknowledged.is_empty(), "the kills came too early");
    let rows = by_wecom(&world);
    assert!(
        rows.len() >= acknowledged.len(),
        "{} of {}",
        rows.len(),
        acknowledged.len()
    );
    assert_eq!(count(&world, "report.received"), rows.len(), "each once");
    for user in &acknowledged {
        assert_eq!(told(&peer, user).len(), 1, "{user} reads it once");
    }
}
