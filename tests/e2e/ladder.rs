//! An office's own ladder and words, a coordinator's 催办, and the deadline in people's calendars.

use std::collections::BTreeSet;

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use crate::world::{Daemon, Mail, Smtp, World};

const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";
const NOTICE: &str = "2022-03-17T09:10:00+08:00";

fn write(world: &World, name: &str, text: &str) {
    let path = world.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn subject(mail: &Mail) -> String {
    let message = MessageParser::default().parse(mail.raw.as_bytes()).unwrap();
    message.subject().unwrap().to_owned()
}

fn token(mail: &Mail) -> String {
    mail.link().rsplit('/').next().unwrap().to_owned()
}

/// Reports on everything the mail's link lists.
async fn report_all(daemon: &Daemon, mail: &Mail) {
    let path = format!("/api/v1/reply/{}", token(mail));
    let answer = daemon.http.get(format!("{}{path}", daemon.base)).send();
    let sheet: Value = answer.await.unwrap().json().await.unwrap();
    let tasks: BTreeSet<u64> = sheet["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["task"].as_u64().unwrap())
        .collect();
    let report = |task| {
        json!({"task": task, "status": "completed", "progress": "已按计划完成本季度任务。",
            "problems": "", "next_steps": "", "percent": 100})
    };
    let reports: Vec<Value> = tasks.into_iter().map(report).collect();
    let (status, answer) = daemon.post(&path, &json!({ "reports": reports })).await;
    assert_eq!(status, 200, "{answer}");
}

/// Who got a mail after the first `seen`, by name.
fn told<'a>(world: &World, mails: &'a [Mail], seen: usize) -> Vec<(String, &'a Mail)> {
    let names = world.names_by_address();
    let fresh = mails.iter().skip(seen);
    fresh
        .map(|mail| (names[&mail.to].0.clone(), mail))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_sets_its_own_ladder_and_words_and_a_case_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let ladder = "[templates]\npath = \"templates\"\n\
         [remind.reminder]\nenabled = false\n\
         [remind.overdue]\ncopy = [\"responsible\", \"leader\"]\ntemplate = \"strict\"\n";
    let world = World::new(&format!("{}{ladder}", smtp.section()));

    // A fault in the office's words is told with its place, and nothing starts with it.
    write(
        &world,
        "templates/strict/subject.txt",
        "【严肃催报】{{ quarter }}[#{{ token }}]",
    );
    write(
        &world,
        "templates/strict/body.txt",
        "{{ name }}同志：\n{{ opening }}\n{{ lnk }}\n",
    );
    for command in [&["config", "check"][..], &["serve"][..]] {
        let output = world.cuiban(command);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {words}");
        assert!(words.contains("templates/strict/body.txt 第3行"), "{words}");
        assert!(words.contains("{{ lnk }}"), "{words}");
    }
    write(
        &world,
        "templates/strict/body.txt",
        "{{ name }}同志：\n{{ opening }}\n{{ link }}\n",
    );
    let check = world.run(&["config", "check"]);
    assert!(check.contains("2个文件"), "{check}");

    world.import(|_, _| "email");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(NOTICE).await;
    let notices = smtp.mails();
    let samples = daemon.page("/templates").await;
    let letters = samples.split("/templates?letter=").skip(1);
    let letters: Vec<&str> = letters.filter_map(|rest| rest.split('"').next()).collect();
    assert!(letters.len() > 8, "{letters:?}");
    for letter in letters {
        let page = daemon.page(&format!("/templates?letter={letter}")).await;
        assert!(page.contains("单独发送"), "{letter}: {page}");
    }
    assert!(samples.contains("合并发送") && samples.contains("卡片上的文字"));
    daemon.stop().await;
    let journal = world.run(&["journal", "dump"]);
    let begun: Vec<&str> = journal
        .lines()
        .filter(|line| line.contains("ladder.set"))
        .collect();
    assert_eq!(begun.len(), 1, "one case has begun");
    assert!(begun[0].contains("\"template\":\"strict\""), "{}", begun[0]);

    // The office changes its mind; the case does not.
    let text = std::fs::read_to_string(world.config()).unwrap();
    let changed = text.replace(
        "[remind.overdue]\ncopy = [\"responsible\", \"leader\"]\ntemplate = \"strict\"\n",
        "[remind.overdue]\nworking_days = 2\ncopy = []\n",
    );
    assert_ne!(text, changed);
    std::fs::write(world.config(), changed).unwrap();
    let daemon = world.serve(NOTICE, 0.0).await;
    let one = notices
        .iter()
        .find(|mail| mail.text.contains("第31项"))
        .unwrap();
    daemon.advance("2022-03-31T09:00:00+08:00").await;
    let names = world.names_by_address();
    let owner_of = |mail: &Mail| names[&mail.to].clone();
    let reminded = smtp.mails();
    assert!(
        reminded[notices.len()..]
            .iter()
            .all(|mail| subject(mail).contains("汇总")),
        "the reminder is switched off"
    );
    daemon.advance("2022-04-01T09:10:00+08:00").await;
    let mails = smtp.mails();
    let overdue = told(&world, &mails, reminded.len());
    let strict: Vec<_> = overdue
        .iter()
        .filter(|(_, mail)| subject(mail).starts_with("【严肃催报】2022年第一季度"))
        .collect();
    assert!(strict.len() > 100, "{}", strict.len());
    let (name, unit) = owner_of(one);
    let own = strict.iter().find(|(_, mail)| mail.to == one.to).unwrap().1;
    assert!(
        own.text.starts_with(&format!("{name}同志：")),
        "{unit}: {}",
        own.text
    );
    let copied: Vec<_> = overdue
        .iter()
        .filter(|(_, mail)| subject(mail).starts_with("【抄告】"))
        .collect();
    let leader = copied.iter().find(|(_, mail)| names[&mail.to].1.is_empty());
    let (_, leader) = leader.expect("a leader of the city is copied in");
    let board = daemon.page("/?quarter=2022Q1").await;
    assert!(board.contains("本季度已按此开始，不随配置改变"), "{board}");

    // Who was copied in hears that it is settled, though the quarter is over.
    let seen = mails.len();
    for (_, mail) in &strict {
        report_all(&daemon, mail).await;
    }
    daemon.advance("2022-04-01T17:00:00+08:00").await;
    let mails = smtp.mails();
    let settled: Vec<_> = mails[seen..]
        .iter()
        .filter(|mail| mail.to == leader.to)
        .collect();
    assert_eq!(settled.len(), 1, "once");
    assert!(
        settled[0].text.contains("现已报送进展"),
        "{}",
        settled[0].text
    );
    assert!(!settled[0].text.contains("/r/"), "{}", settled[0].text);

    // The second quarter begins with what the office wants now.
    let ahead = world.run(&["simulate", "--json", "--to", "2022-07-06T12:00:00+08:00"]);
    let overdue: BTreeSet<String> = ahead
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["stage"] == "overdue")
        .map(|line| line["at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        overdue,
        BTreeSet::from(["2022-07-04T09:10:00+08:00".to_owned()])
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_sees_who_gets_what_and_then_urges_once() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(NOTICE).await;
    daemon.advance("2022-03-19T20:00:00+08:00").await;
    let notices = smtp.mails();

    // First who would get what, on which channel, and what they had this week; nothing leaves.
    let order = ["urge", "--quarter", "2022Q1", "--unit", "市科技局"];
    let dry = || -> Vec<Value> {
        let answer = world.run(&[&order[..], &["--dry-run", "--json"]].concat());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["urged"].as_array().unwrap().clone()
    };
    let urged = dry();
    assert!(urged.len() > 1, "{urged:?}");
    for line in &urged {
        assert_eq!(line["channel"], "email");
        assert_eq!(line["this_week"], 1);
        let tasks = line["tasks"].as_array().unwrap().len();
        assert!(tasks > 0 && tasks as u64 <= line["items"].as_u64().unwrap());
    }
    let words = world.run(&[&order[..], &["--dry-run"]].concat());
    assert!(words.contains("市科技局 钟靖平：第"), "{words}");
    assert!(
        words.contains("项未报；渠道：电子邮件；近7日已收到1条消息"),
        "{words}"
    );
    assert!(
        words.contains(&format!("将催办{}人", urged.len())),
        "{words}"
    );
    assert_eq!(smtp.mails().len(), notices.len(), "nothing has left");

    // One of them reports; the page shows the others.
    let names = world.names_by_address();
    let zhong = notices
        .iter()
        .find(|mail| names[&mail.to].0 == "钟靖平")
        .unwrap();
    report_all(&daemon, zhong).await;
    let left = dry().len();
    assert!(left < urged.len());
    let board = daemon.page("/?quarter=2022Q1").await;
    assert!(board.contains("催办全部未报的"), "{board}");
    let page = daemon
        .page("/urge?plan=dongguan-2022&quarter=2022Q1&unit=%E5%B8%82%E7%A7%91%E6%8A%80%E5%B1%80")
        .await;
    assert!(
        page.contains(&format!("以下{}人将立即收到", left)),
        "{page}"
    );
    assert!(!page.contains("钟靖平"));
    let seen = page.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap().to_owned();
    let form = [
        ("csrf", String::new()),
        ("plan", "dongguan-2022".into()),
        ("quarter", "2022Q1".into()),
        ("unit", "市科技局".into()),
        ("owner", String::new()),
        ("seen", seen),
    ];
    // Saturday evening, and pressed twice.
    for _ in 0..2 {
        let answer = daemon.submit("/urge", &form).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        daemon.advance("2022-03-19T20:00:00+08:00").await;
    }
    let mails = smtp.mails();
    let urges = told(&world, &mails, notices.len());
    let who: BTreeSet<_> = urges.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!((urges.len(), who.len()), (left, left), "{who:?}");
    assert!(urges.iter().all(|(_, mail)| mail.text.contains("【催办】")));

    // The command line does the same, and a wrong name is told.
    let again: Value =
        serde_json::from_str(&world.run(&[&order[..], &["--json"]].concat())).unwrap();
    assert_eq!(again["urged"][0]["this_week"], 2, "{again}");
    let output = world.cuiban(&["urge", "--quarter", "2022Q1", "--unit", "市科技厅"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("没有找到单位“市科技厅”"), "{words}");
    daemon.stop().await;
}

/// The value of a property in the file's first entry.
fn property(file: &str, name: &str) -> String {
    let unfolded = file.replace("\r\n ", "");
    let entry = unfolded.split("BEGIN:VEVENT").nth(1).expect("an entry");
    let line = entry.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name}: {entry}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_stands_in_the_owners_calendar_until_it_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(NOTICE).await;
    let notices = smtp.mails();
    let notice = notices
        .iter()
        .find(|mail| mail.text.contains("第31项"))
        .unwrap();

    // The file in the mail.
    let message = MessageParser::default()
        .parse(notice.raw.as_bytes())
        .unwrap();
    let file = message.attachment(0).expect("an attachment");
    assert_eq!(file.attachment_name(), Some("deadline.ics"));
    let kind = file.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("text", Some("calendar")));
    assert_eq!(kind.attribute("method"), Some("PUBLISH"));
    let file = file.text_contents().unwrap().to_owned();
    assert!(file.contains("METHOD:PUBLISH\r\n"), "{file}");
    assert!(file.lines().all(|line| line.len() <= 75), "{file}");
    assert_eq!(property(&file, "DTEND:"), "20220331T100000Z");
    assert_eq!(property(&file, "STATUS:"), "CONFIRMED");
    assert!(property(&file, "ORGANIZER;").contains("mailto:duban@example.invalid"));

    // The feed that the mail names.
    let address = notice
        .text
        .lines()
        .find(|line| line.contains("/calendar/"))
        .unwrap();
    let get = async |tag: Option<&str>| {
        let request = daemon.http.get(address.trim());
        let request = match tag {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        };
        request.send().await.unwrap()
    };
    let answer = get(None).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/calendar; charset=utf-8"
    );
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let feed = answer.text().await.unwrap();
    let entry_of = |feed: &str| {
        let unfolded = feed.replace("\r\n ", "");
        let uid = property(&file, "UID:");
        let entry = unfolded
            .split("BEGIN:VEVENT")
            .find(|entry| entry.contains(&uid));
        format!("BEGIN:VEVENT{}", entry.expect("under the mail's UID"))
    };
    let begun = entry_of(&feed);
    assert_eq!(property(&begun, "SEQUENCE:"), property(&file, "SEQUENCE:"));
    assert!(
        !feed.contains("/r/"),
        "whoever sees the calendar cannot report"
    );
    assert_eq!(get(Some(&tag)).await.status(), 304);

    // Reported: cancelled under the same name and a higher number.
    report_all(&daemon, notice).await;
    let answer = get(Some(&tag)).await;
    assert_eq!(answer.status(), 200);
    let settled = entry_of(&answer.text().await.unwrap());
    assert_eq!(property(&settled, "STATUS:"), "CANCELLED");
    let number = |entry: &str| property(entry, "SEQUENCE:").parse::<u64>().unwrap();
    assert!(number(&settled) > number(&begun));

    // Follow-ups carry no file, and nobody guesses an address.
    daemon.advance("2022-03-28T09:10:00+08:00").await;
    let later = smtp.mails();
    let reminder = later[notices.len()..]
        .iter()
        .find(|mail| mail.text.contains("/r/"))
        .unwrap();
    assert!(!reminder.raw.contains("deadline.ics"));
    let forged = format!("{}/calendar/{}.ics", daemon.base, "A".repeat(60));
    assert_eq!(daemon.http.get(forged).send().await.unwrap().status(), 404);
    daemon.stop().await;
}
