//! What the people on duty rely on: who can be reached, who is told when something is wrong, what
//! a doubt leads to.

use std::time::Duration;

use serde_json::Value;

use crate::peers::smtp::{Say, SmtpPeer, Step};
use crate::peers::wecom::{Answer, WecomPeer};
use crate::world::{CHANNELS, Daemon, EMAIL, SOON, UNIT, WECOM, World, eventually, free_port};

const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";

fn mail(port: u16, more: &str) -> String {
    format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = \"督查科 <duban@example.invalid>\"\ntimeout_seconds = 1\n{more}"
    )
}

fn robot(peer: &WecomPeer, more: &str) -> String {
    format!(
        "[wecom]\nbase_url = \"{}\"\n{more}\n[[wecom.robot]]\nname = \"督查群\"\nkey = \"group\"\n",
        peer.base_url()
    )
}

/// `[[office.…]]` must stand before the other sections of `extra`, which [`World`] puts behind
/// `[office]`.
const COORDINATOR: &str = "[[office.coordinator]]\nname = \"陈志强\"\nemail = \"chen@example.invalid\"\nchannels = [\"email\"]\n";
const OPERATOR: &str = "[[office.operator]]\nname = \"李四\"\nemail = \"lisi@example.invalid\"\nwecom_user = \"lisi\"\nchannels = [\"email\", \"wecom_robot\"]\n";

fn is_owner(row: &[String]) -> bool {
    row.iter().any(|cell| cell == "直接责任人")
}

/// Contacts for the first so many owners, over these channels.
fn owners(world: &World, count: usize, channels: &'static str) {
    let mut filled = 0;
    world.import_filled(|_, row| {
        if is_owner(row) && filled < count {
            filled += 1;
            if channels.contains("email") {
                row[EMAIL] = format!("u{filled}@example.invalid");
            }
            if channels.contains("wecom") {
                row[WECOM] = format!("wx{filled}");
            }
            row[CHANNELS] = channels.into();
        }
    });
}

async fn deliveries(daemon: &Daemon, state: &str) -> Vec<Value> {
    let answer = daemon
        .get(&format!("/api/v1/deliveries?state={state}"))
        .await;
    answer["deliveries"].as_array().unwrap().clone()
}

fn text_of(mail: &crate::peers::smtp::Mail) -> String {
    let message = mail_parser::MessageParser::default()
        .parse(&mail.data)
        .unwrap();
    format!(
        "{}\n{}",
        message.subject().unwrap(),
        message.body_text(0).unwrap()
    )
}

fn mails_to(peer: &SmtpPeer, address: &str) -> Vec<String> {
    let mails = peer.mails().into_iter();
    mails
        .filter(|mail| mail.to[0] == address)
        .map(|mail| text_of(&mail))
        .collect()
}

async fn metric(daemon: &Daemon, name: &str) -> String {
    let url = format!("{}/metrics", daemon.base);
    let text = daemon.http.get(url).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("{name}: {text}"))
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_be_reached_is_known_before_the_first_notice_and_tested() {
    let peer = SmtpPeer::scripted(|step, _, heard| match step {
        Step::Rcpt if heard.contains("u2@") => Say::line("550 5.1.1 User unknown"),
        _ => Say::Usual,
    })
    .await;
    let world = World::new(&mail(peer.addr.port(), ""));
    let daemon = world.serve("2022-02-10T10:00:00+08:00", 0.0).await;
    owners(&world, 3, "email");

    // From the import on.
    let check = |words: &[&str]| -> Value {
        serde_json::from_str(&world.run(&[words, &["--json"]].concat())).unwrap()
    };
    let ready = check(&["contacts", "check"]);
    assert_eq!(ready["doubtful"].as_array().unwrap().len(), 3, "{ready}");
    let missing = ready["unreachable"].as_array().unwrap().len();
    assert_eq!(ready["people"], missing + 3);
    let page = daemon.page("/readiness").await;
    for words in ["没有填写联系方式", "没有试过", "3人"] {
        assert!(page.contains(words), "{words}: {page}");
    }

    // One person, from the terminal; then everybody of whom it is not known, from the board.
    let first = ready["doubtful"][0]["id"].as_str().unwrap().to_owned();
    world.run(&["contacts", "test", "--person", &first]);
    let to_first = || mails_to(&peer, "u1@example.invalid");
    eventually(SOON, || async { (to_first().len() == 1).then_some(()) })
        .await
        .expect("a test outside the office hours too");
    let letter = to_first().remove(0);
    assert!(letter.contains("不是催报"), "{letter}");
    let form = [("csrf", String::new()), ("to", "unproved".to_owned())];
    let answer = daemon.submit("/readiness/test", &form).await;
    assert_eq!(answer.headers()["location"], "/readiness?sent=3");
    eventually(SOON, || async {
        (deliveries(&daemon, "waiting").await.is_empty()
            && deliveries(&daemon, "in_doubt").await.is_empty())
        .then_some(())
    })
    .await
    .unwrap();

    // Opening the link says nothing, pressing the button does.
    let start = letter.find("http://").unwrap();
    let link = letter[start..].lines().next().unwrap().trim();
    let page = daemon.http.get(link).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("我已收到"));
    let path = link.strip_prefix(&daemon.base).unwrap().to_owned();
    assert_eq!(
        check(&["contacts", "check"])["doubtful"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "one is refused, one unanswered, one only opened"
    );
    let answer = daemon.fill_in(&path, &[]).await;
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let page = daemon.http.get(link).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("已确认收到"));
    let ready = check(&["contacts", "check"]);
    assert_eq!(ready["doubtful"].as_array().unwrap().len(), 1, "{ready}");
    assert_eq!(
        ready["unreachable"].as_array().unwrap().len(),
        missing + 1,
        "whose address does not exist cannot be reached"
    );
    let page = daemon.page("/readiness").await;
    assert!(page.contains("电子邮件地址无效"), "{page}");

    // To everybody from the terminal, to one from the board, whatever is known of the address.
    let said = world.run(&["contacts", "test", "--all"]);
    assert!(said.contains('3'), "{said}");
    eventually(SOON, || async { (to_first().len() == 3).then_some(()) })
        .await
        .expect("a third one");
    let form = [("csrf", String::new()), ("person", first.clone())];
    let answer = daemon.submit("/readiness/test", &form).await;
    assert_eq!(answer.headers()["location"], "/readiness?sent=1");
    eventually(SOON, || async { (to_first().len() == 4).then_some(()) })
        .await
        .expect("a fourth one");

    // Nothing is sent to an address that nobody has; the notice counts them as not reached.
    let asked = || {
        let heard = peer.heard();
        heard
            .iter()
            .filter(|line| line.starts_with("RCPT") && line.contains("u2@"))
            .count()
    };
    let before = asked();
    daemon.advance("2022-03-17T17:00:00+08:00").await;
    assert_eq!(asked(), before);
    assert_eq!(deliveries(&daemon, "sent").await.len(), 6 + 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_escalated_against_whom_nothing_reached_and_the_coordinator_hears_of_it() {
    let peer = SmtpPeer::scripted(|step, _, heard| match step {
        Step::Rcpt if heard.contains("owner") => Say::line("550 5.1.1 User unknown"),
        _ => Say::Usual,
    })
    .await;
    let config = format!("{COORDINATOR}{}", mail(peer.addr.port(), ""));
    let world = World::new(&config);
    let mut owner = None;
    world.import_filled(|index, row| {
        if is_owner(row) && owner.is_none() {
            owner = Some(row.to_vec());
            row[EMAIL] = "owner@example.invalid".into();
            row[CHANNELS] = "email".into();
        } else if !is_owner(row) {
            row[EMAIL] = format!("leader{index}@example.invalid");
            row[CHANNELS] = "email".into();
        }
    });
    let name = owner.unwrap()[0].clone();
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-04-08T12:00:00+08:00").await;

    let complained: Vec<String> = peer
        .mails()
        .iter()
        .filter(|mail| mail.to[0].starts_with("leader"))
        .map(text_of)
        .collect();
    assert!(complained.is_empty(), "{complained:?}");
    let letters = mails_to(&peer, "chen@example.invalid");
    let told: Vec<&String> = letters
        .iter()
        .filter(|letter| letter.contains("系统未能联系上，没有向责任领导抄告"))
        .collect();
    assert_eq!(told.len(), 1, "{letters:?}");
    assert!(told[0].contains(&name), "{}", told[0]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_hears_by_what_still_works_that_the_mail_is_shut_and_the_mail_finds_its_way() {
    let refuse = |step: Step, _: usize, _: &str| match step {
        Step::Auth => Say::line("535 5.7.8 authentication failed"),
        _ => Say::Usual,
    };
    let smtp = SmtpPeer::start(std::sync::Arc::new(refuse), &["AUTH PLAIN LOGIN"]).await;
    let group = WecomPeer::start(std::sync::Arc::new(|_, _| Answer::Usual), false).await;
    let login = "username = \"duban\"\npassword = \"wrong\"\nmax_connections = 8\n";
    let config = format!(
        "{OPERATOR}{}{}",
        mail(smtp.addr.port(), login),
        robot(&group, "")
    );
    let world = World::new(&config);
    owners(&world, 20, "email,wecom_robot");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:20:00+08:00").await;

    let logins = || {
        let heard = smtp.heard();
        heard.iter().filter(|line| line.starts_with("AUTH")).count()
    };
    assert_eq!(logins(), 1, "eight sessions, one login");
    let said: Vec<String> = group
        .posted()
        .iter()
        .map(|one| one.content().to_owned())
        .collect();
    let alarms: Vec<&String> = said
        .iter()
        .filter(|text| text.contains("【运行告警】"))
        .collect();
    assert_eq!(alarms.len(), 1, "{said:?}");
    for words in ["<@lisi>", "电子邮件已停止发送", "账号、密码或密钥无效"] {
        assert!(alarms[0].contains(words), "{words}: {}", alarms[0]);
    }
    // Several may share a call.
    let told = said.concat().matches("<@wx").count();
    assert_eq!(told, 20, "all others by the other way: {said:?}");
    assert_eq!(deliveries(&daemon, "sent").await.len(), 1 + 20);
    assert_eq!(metric(&daemon, "cuiban_alarms ").await, "1");

    // Told again the next day while it lasts, and no more when it is over.
    daemon.advance("2022-03-18T10:00:00+08:00").await;
    assert_eq!(deliveries(&daemon, "sent").await.len(), 2 + 20);
    smtp.set_script(|_, _, _| Say::Usual);
    daemon.advance("2022-03-28T17:00:00+08:00").await;
    assert_eq!(metric(&daemon, "cuiban_alarms ").await, "0");
    let reminders = smtp.mails().len();
    assert!(reminders >= 20, "by mail again: {reminders}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_out_of_reach_holds_nobody_up_who_has_another_way() {
    let group = WecomPeer::start(std::sync::Arc::new(|_, _| Answer::Usual), false).await;
    let config = format!("{OPERATOR}{}{}", mail(free_port(), ""), robot(&group, ""));
    let world = World::new(&config);
    owners(&world, 5, "email,wecom_robot");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:20:00+08:00").await;
    assert!(group.posted().is_empty(), "a short trouble is waited out");
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    let said: Vec<String> = group
        .posted()
        .iter()
        .map(|one| one.content().to_owned())
        .collect();
    assert_eq!(said.concat().matches("<@wx").count(), 5, "{said:?}");
    let told = "电子邮件自03-17 09:10起发不出去：连接不上对方服务器";
    assert!(said.iter().any(|text| text.contains(told)), "{said:?}");
    assert!(daemon.page("/").await.contains(told));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_again_or_told_by_telephone() {
    let peer = SmtpPeer::scripted(|step, _, _| match step {
        Step::Rcpt => Say::line("550 5.7.1 mail content denied"),
        _ => Say::Usual,
    })
    .await;
    let world = World::new(&mail(peer.addr.port(), ""));
    owners(&world, 2, "email");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance("2022-03-17T09:20:00+08:00").await;
    let dead = deliveries(&daemon, "dead").await;
    assert_eq!(dead.len(), 2);
    let page = daemon.page("/deliveries?state=dead").await;
    for words in ["被对方拒收", "mail content denied", "重发", "已电话通知"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let form = |letter: &Value| {
        let key = letter["key"].as_str().unwrap().to_owned();
        [("csrf", String::new()), ("key", key)]
    };
    let answer = daemon.submit("/deliveries/handled", &form(&dead[0])).await;
    assert!(answer.status().is_redirection());
    let again = daemon.submit("/deliveries/handled", &form(&dead[0])).await;
    assert!(again.status().is_redirection(), "a second click");
    peer.set_script(|_, _, _| Say::Usual);
    daemon.submit("/deliveries/revive", &form(&dead[1])).await;
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    assert_eq!(deliveries(&daemon, "handled").await.len(), 1);
    assert_eq!(deliveries(&daemon, "sent").await.len(), 1);
    assert_eq!(peer.mails().len(), 1);
    let late = daemon.submit("/deliveries/handled", &form(&dead[1])).await;
    assert_eq!(late.status().as_u16(), 409, "it was sent after all");
    let people = |outcome| {
        format!(
            "cuiban_stage_people{{plan=\"dongguan-2022\",quarter=\"2022Q1\",stage=\"notice\",outcome=\"{outcome}\"}}"
        )
    };
    assert_eq!(metric(&daemon, &people("sent")).await, "2");
    assert_eq!(metric(&daemon, "cuiban_stage_unbalanced").await, "0");
    daemon.stop().await;
}

/// One owner over the group; the daemon is killed while the platform has not answered.
async fn killed_in_the_middle(rule: &str) -> (WecomPeer, World, Daemon) {
    let group = WecomPeer::start(std::sync::Arc::new(|_, _| Answer::Silence), false).await;
    let world = World::new(&robot(&group, rule));
    owners(&world, 1, "wecom_robot");
    let mut daemon = world.serve("2022-03-17T09:10:00+08:00", 1.0).await;
    eventually(SOON, || async { (group.calls() == 1).then_some(()) })
        .await
        .expect("a call");
    daemon.kill();
    group.set_script(|_, _| Answer::Usual);
    let daemon = world.serve("2022-03-17T09:30:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T17:00:00+08:00").await;
    (group, world, daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_doubt_is_held_for_a_group_or_repeated_where_the_office_says_so() {
    let (group, _world, daemon) = killed_in_the_middle("").await;
    assert!(group.posted().is_empty(), "not said twice by itself");
    assert_eq!(deliveries(&daemon, "held").await.len(), 1);
    let board = daemon.page("/").await;
    assert!(
        board.contains("1条消息不能确定是否送达，等待处理"),
        "{board}"
    );
    let doubts = "cuiban_doubts_total{channel=\"wecom_robot\"}";
    assert_eq!(metric(&daemon, doubts).await, "1");
    daemon.stop().await;

    let (group, _world, daemon) = killed_in_the_middle("in_doubt = \"retry\"").await;
    assert_eq!(group.posted().len(), 1);
    assert_eq!(deliveries(&daemon, "sent").await.len(), 1);
    assert_eq!(metric(&daemon, doubts).await, "1", "counted all the same");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_and_a_lying_peer_delay_no_other() {
    let smtp = SmtpPeer::scripted(|_, _, _| Say::Silence).await;
    let group = WecomPeer::start(
        std::sync::Arc::new(|key, _| match key {
            "lying" => Answer::Body("<html>please sign in</html>".into()),
            "silent" => Answer::Silence,
            _ => Answer::Usual,
        }),
        false,
    )
    .await;
    let mut config =
        mail(smtp.addr.port(), "").replace("timeout_seconds = 1", "timeout_seconds = 60");
    config.push_str(&format!("[wecom]\nbase_url = \"{}\"\n", group.base_url()));
    let units = ["市工业和信息化局", "市市场监管局", "市财政局"];
    for (unit, key) in units.iter().zip(["lying", "silent", "good"]) {
        config.push_str(&format!(
            "[[wecom.robot]]\nname = \"{key}\"\nkey = \"{key}\"\nunits = [\"{unit}\"]\n"
        ));
    }
    let world = World::new(&config);
    let mut mails = 0;
    world.import_filled(|index, row| {
        if !is_owner(row) {
            return;
        }
        if units.contains(&row[UNIT].as_str()) {
            row[WECOM] = format!("wx{index}");
            row[CHANNELS] = "wecom_robot".into();
        } else if mails < 10 {
            mails += 1;
            row[EMAIL] = format!("u{mails}@example.invalid");
            row[CHANNELS] = "email".into();
        }
    });
    let daemon = world.serve("2022-03-17T09:10:00+08:00", 1.0).await;
    let of = |rows: &[Value], unit: &str| {
        rows.iter()
            .filter(|one| one["person"]["unit"] == unit)
            .count()
    };
    let wanted = {
        let all = deliveries(&daemon, "").await;
        of(&all, units[2])
    };
    assert!(wanted > 0);
    // One robot message in three seconds is the platform's pace; nothing else may take time.
    let pace = Duration::from_secs(3 * wanted as u64 + 5);
    let done = eventually(pace, || async {
        let sent = deliveries(&daemon, "sent").await;
        (of(&sent, units[2]) == wanted).then_some(())
    })
    .await;
    assert!(done.is_some(), "{wanted} messages of the good robot");
    assert_eq!(of(&deliveries(&daemon, "sent").await, units[0]), 0);
    assert!(of(&deliveries(&daemon, "held").await, units[0]) > 0);
}
