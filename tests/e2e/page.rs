//! The owner's page, the receipt and the board in a real browser on a phone, without script; and
//! the same doors in JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{Daemon, Mail, Smtp, World};

const BEFORE_NOTICE: &str = "2022-03-17T09:00:00+08:00";
const NOTICE: &str = "2022-03-17T09:10:00+08:00";
const REMINDER: &str = "2022-03-28T09:10:00+08:00";
pub const PASSWORD: &str = "dongguan-2022-q1";

/// Everybody has the notice of the first quarter in the mailbox.
pub async fn noticed() -> (tempfile::TempDir, Smtp, World, Daemon) {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve(BEFORE_NOTICE, 0.0).await;
    daemon.advance(NOTICE).await;
    (dir, smtp, world, daemon)
}

/// A coordinator, made on the command line.
pub fn add_user(world: &World) {
    let output = world.cuiban_told(
        &["user", "add", "duban", "--role", "coordinator"],
        &format!("{PASSWORD}\n"),
    );
    assert!(output.status.success(), "{output:?}");
}

pub fn token(mail: &Mail) -> String {
    mail.link().rsplit('/').next().unwrap().to_owned()
}

/// What the link's page lists.
pub async fn sheet(daemon: &Daemon, mail: &Mail) -> Value {
    let url = format!("{}/api/v1/reply/{}", daemon.base, token(mail));
    let answer = daemon.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

pub fn tasks(sheet: &Value) -> Vec<u64> {
    let items = sheet["items"].as_array().unwrap().iter();
    items.map(|item| item["task"].as_u64().unwrap()).collect()
}

/// A mail whose link lists this many items or more, all of them different tasks.
pub async fn mail_with(daemon: &Daemon, mails: &[Mail], least: usize) -> (Mail, Value) {
    for mail in mails {
        let sheet = sheet(daemon, mail).await;
        let tasks = tasks(&sheet);
        let distinct: BTreeSet<_> = tasks.iter().collect();
        if distinct.len() >= least && distinct.len() == tasks.len() {
            return (mail.clone(), sheet);
        }
    }
    panic!("nobody has {least} items");
}

/// The item numbers a mail lists.
fn listed(mail: &Mail) -> BTreeSet<u64> {
    let parts = mail.text.split('第').skip(1);
    let numbers = parts.filter_map(|part| part.split_once('项')?.0.parse().ok());
    numbers.collect()
}

/// The names of the form's fields end in these: `16-0`, by task.
pub fn places(html: &str) -> BTreeMap<u64, String> {
    let fields = html.split("name=\"seen-").skip(1);
    let places = fields.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    places
        .map(|place| (place.split_once('-').unwrap().0.parse().unwrap(), place))
        .collect()
}

/// A page, which forbids all script but our own file: nothing here runs it.
pub async fn get(daemon: &Daemon, path: &str) -> (u16, String) {
    let url = format!("{}{path}", daemon.base);
    let answer = daemon.http.get(url).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    (answer.status().as_u16(), answer.text().await.unwrap())
}

pub async fn fits(browser: &Browser, url: &str) {
    for width in [390, 360, 320] {
        browser.resize(width, 844).await;
        browser.goto(url).await;
        assert_eq!(browser.overflow().await, 0, "{url} at {width} px");
    }
    browser.resize(390, 844).await;
    browser.goto(url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_reports_on_a_phone_and_the_next_stage_goes_to_the_others() {
    let (_dir, smtp, world, daemon) = noticed().await;
    let first = smtp.mails();
    let (mail, sheet_before) = mail_with(&daemon, &first, 4).await;
    let all = tasks(&sheet_before);
    assert_eq!(
        listed(&mail),
        all.iter().copied().collect(),
        "{}",
        mail.text
    );
    let (_, html) = get(&daemon, &format!("/r/{}", token(&mail))).await;
    let places = places(&html);

    let phone = Browser::open(390, 844).await;
    fits(&phone, &mail.link()).await;
    phone
        .says(sheet_before["person"]["name"].as_str().unwrap())
        .await;

    // A slip first: words without a status come back with the fault beside them.
    let reported = [
        (all[0], "completed", "已印发实施方案，首轮绩效评估已完成。"),
        (all[1], "on_schedule", "正按计划推进，完成前期工作。"),
        (all[2], "behind", "用地手续尚未办结。"),
    ];
    let progress = |task: u64| format!("textarea[name=\"progress-{}\"]", places[&task]);
    phone.type_into(&progress(all[0]), reported[0].2).await;
    phone.click(".submit button").await;
    phone.says("请选择进展情况").await;
    assert_eq!(
        phone.value(&progress(all[0])).await,
        reported[0].2,
        "what was typed is kept"
    );
    assert_eq!(phone.count(".fault").await, 1);
    assert_eq!(phone.overflow().await, 0);

    for (task, status, words) in reported {
        let place = &places[&task];
        phone
            .click(&format!(
                "label:has(> input[name=\"status-{place}\"][value=\"{status}\"])"
            ))
            .await;
        phone.type_into(&progress(task), words).await;
        if status == "behind" {
            // The script has unfolded them.
            let field = |name| format!("textarea[name=\"{name}-{place}\"]");
            phone
                .type_into(&field("problems"), "林地指标未落实。")
                .await;
            phone
                .type_into(&field("next_steps"), "五月底前办结。")
                .await;
        }
    }
    phone.click(".submit button").await;
    phone.says("报送回执").await;
    let receipt = phone.text().await;
    for (task, _, words) in reported {
        assert!(receipt.contains(&format!("第{task}项")), "{receipt}");
        assert!(receipt.contains(words), "{receipt}");
    }
    let left = all.len() - 3;
    assert!(receipt.contains(&format!("还有{left}项未报")), "{receipt}");
    let receipt_url = phone.url().await;
    fits(&phone, &receipt_url).await;
    phone.click(".submit .button").await;
    phone.says("已报送（3项）").await;

    // The board, signed in to.
    add_user(&world);
    fits(&phone, &format!("{}/login", daemon.base)).await;
    phone.type_into("input[name=name]", "duban").await;
    phone
        .type_into("input[name=password]", "wrong password")
        .await;
    phone.click("button.primary").await;
    phone.says("账号或密码不正确").await;
    assert_eq!(phone.value("input[name=name]").await, "duban");
    phone.type_into("input[name=password]", PASSWORD).await;
    phone.click("button.primary").await;
    phone.says("2022年第一季度报送情况").await;
    let person = sheet_before["person"]["id"].as_str().unwrap();
    // An older address of the list leads to it.
    let theirs = format!("{}/?quarter=2022Q1&owner={person}&state=", daemon.base);
    fits(&phone, &format!("{theirs}reported")).await;
    assert!(phone.url().await.contains("/items?"));
    let list = phone.text().await;
    for words in ["已完成", "正常推进", "进度滞后"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    // The first screen, whole, on a telephone and on a desk.
    fits(&phone, &format!("{}/", daemon.base)).await;
    assert_eq!(phone.count(".grid tbody tr").await, 250);
    let told = ".grid td.c a, .grid td.p a, .grid td.b a";
    // Of a task that others have yet to report on, too, the worst counts.
    assert!((1..=3).contains(&phone.count(told).await));
    assert_eq!(phone.count("svg.curve").await, 1);
    let board = phone.text().await;
    for (number, name) in [(3, "已报"), (3, "待审"), (0, "超期未报")] {
        assert!(
            board.contains(&format!("{number}\n{name}")),
            "{name}: {board}"
        );
    }
    // A cell leads to its item.
    phone.click(told).await;
    phone.says("报送记录").await;
    assert!(phone.url().await.contains("/task/dongguan-2022/"));
    fits(&phone, &format!("{}/deliveries", daemon.base)).await;
    let status = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = status["rows"].as_array().unwrap();
    for (task, status, _) in reported {
        let of_task = |row: &&&Value| row["task"] == task && row["state"] == "reported";
        let found: Vec<_> = rows.iter().filter(|row| of_task(&row)).collect();
        assert_eq!(found.len(), 1, "{task}");
        assert_eq!(found[0]["status"], status);
        assert_eq!(found[0]["via"], "form");
    }

    // Another owner reports on everything.
    let others: Vec<Mail> = first
        .iter()
        .filter(|one| one.to != mail.to)
        .cloned()
        .collect();
    let (done, sheet_of_done) = mail_with(&daemon, &others, 2).await;
    let reports: Vec<Value> = tasks(&sheet_of_done)
        .into_iter()
        .map(|task| json!({"task": task, "status": "completed", "progress": "已完成。"}))
        .collect();
    let path = format!("/api/v1/reply/{}", token(&done));
    let (status, receipt) = daemon.post(&path, &json!({ "reports": reports })).await;
    assert_eq!(status, 200, "{receipt}");

    // The next stage goes to the others only, with what is left only.
    daemon.advance(REMINDER).await;
    let mut second: BTreeMap<String, Vec<Mail>> = BTreeMap::new();
    for one in smtp.mails().into_iter().skip(first.len()) {
        second.entry(one.to.clone()).or_default().push(one);
    }
    assert!(
        !second.contains_key(&done.to),
        "who has reported is left alone"
    );
    let theirs = &second[&mail.to];
    assert_eq!(theirs.len(), 1);
    let rest: BTreeSet<u64> = all.iter().skip(3).copied().collect();
    assert_eq!(listed(&theirs[0]), rest, "{}", theirs[0].text);
    assert!(second.len() > 100);
    assert!(second.values().all(|mails| mails.len() == 1));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_in_json_and_links_that_open_nothing() {
    let (_dir, smtp, world, daemon) = noticed().await;
    let mails = smtp.mails();
    let (mail, sheet) = mail_with(&daemon, &mails, 2).await;
    let all = tasks(&sheet);
    let path = format!("/api/v1/reply/{}", token(&mail));
    let report = |task: u64, words: &str| json!({"reports": [{"task": task, "status": "on_schedule", "progress": words, "percent": 40}]});
    assert_eq!(sheet["quarter"], "2022Q1");
    assert_eq!(sheet["items"][0]["state"], "not_reported");

    // The same answer twice, even at once, is one answer.
    let body = report(all[0], "进展顺利。");
    let (one, two) = tokio::join!(daemon.post(&path, &body), daemon.post(&path, &body));
    assert_eq!((one.0, two.0), (200, 200));
    assert_eq!(one.1, two.1, "and one receipt");
    let task_page = daemon
        .page(&format!("/task/dongguan-2022/2022Q1/{}/0", all[0]))
        .await;
    assert!(
        task_page.contains("报送记录<span class=\"count\">1次"),
        "{task_page}"
    );

    // The button pressed twice likewise.
    let (_, html) = get(&daemon, &format!("/r/{}", token(&mail))).await;
    let place = &places(&html)[&all[1]];
    let form = [
        (format!("status-{place}"), "behind".to_owned()),
        (format!("progress-{place}"), "设备未到货。".to_owned()),
        (format!("problems-{place}"), "运力紧张。".to_owned()),
        (format!("next_steps-{place}"), "改走铁路。".to_owned()),
        (format!("seen-{place}"), String::new()),
    ];
    let form: Vec<(&str, String)> = form.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let form_path = format!("/r/{}", token(&mail));
    let (one, two) = tokio::join!(
        daemon.fill_in(&form_path, &form),
        daemon.fill_in(&form_path, &form)
    );
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (303, 303));
    let receipt = one.headers()["location"].to_str().unwrap();
    assert_eq!(receipt, two.headers()["location"].to_str().unwrap());
    let (status, page) = get(&daemon, receipt).await;
    assert_eq!(status, 200);
    assert!(page.contains("设备未到货。"), "{page}");
    let journal = world.run(&["journal", "dump"]);
    assert_eq!(journal.matches("设备未到货。").count(), 1);

    // Faults, all of them, by name.
    let faulty = json!({"reports": [
        {"task": all[1], "status": "nearly", "percent": 140},
        {"task": 999, "status": "completed"},
    ]});
    let (status, faults) = daemon.post(&path, &faulty).await;
    assert_eq!(status, 422);
    let mut found: Vec<(u64, &str)> = faults
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["task"].as_u64().unwrap(),
                fault["field"].as_str().unwrap(),
            )
        })
        .collect();
    found.sort_unstable();
    let mut wanted = vec![(all[1], "percent"), (all[1], "status"), (999, "task")];
    wanted.sort_unstable();
    assert_eq!(found, wanted);

    // Accepted is final.
    review(
        &daemon,
        &format!("dongguan-2022/2022Q1/{}/0", all[0]),
        "accept",
    )
    .await;
    let (status, said) = daemon.post(&path, &report(all[0], "再改一下。")).await;
    assert_eq!(status, 409, "{said}");
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("已审核通过"), "{message}");

    // Too many, through one link; a neighbour is let in.
    let mut limited = None;
    for _ in 0..40 {
        let url = format!("{}{path}", daemon.base);
        let body = report(all[1], "进展顺利。");
        let answer = daemon.http.post(url).json(&body).send().await.unwrap();
        if answer.status() == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 200);
    }
    let limited = limited.expect("forty answers in a row are too many");
    assert!(limited.headers().contains_key("retry-after"));
    let neighbour = mails.iter().find(|other| other.to != mail.to).unwrap();
    self::sheet(&daemon, neighbour).await;

    // Forged: another person's name under a true signature is no signature.
    let genuine = token(&mail);
    let middle = genuine.len() / 2;
    let turned = if genuine.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut forged = genuine.clone();
    forged.replace_range(middle..=middle, turned);
    for wrong in [forged.as_str(), "x", "..%2F..%2Fetc%2Fpasswd"] {
        let (status, page) = get(&daemon, &format!("/r/{wrong}")).await;
        assert_eq!(status, 404, "{page}");
        assert!(page.contains("链接无效"), "{page}");
        let (status, json) = get(&daemon, &format!("/api/v1/reply/{wrong}")).await;
        assert_eq!(status, 404, "{json}");
    }

    // Sixty days after the deadline a link has had its time.
    daemon.advance("2022-05-31T10:00:00+08:00").await;
    let (status, page) = get(&daemon, &format!("/r/{genuine}")).await;
    assert_eq!(status, 410);
    assert!(page.contains("链接已失效"), "{page}");
    let (status, _) = daemon.post(&path, &report(all[1], "迟到的话。")).await;
    assert_eq!(status, 410);
    daemon.stop().await;
}

/// A coordinator's word on a report, by the form of the task's page.
async fn review(daemon: &Daemon, key: &str, word: &str) {
    let page = daemon.page(&format!("/task/{key}")).await;
    let field = |name: &str| {
        let (_, rest) = page
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let names = ["csrf", "plan", "quarter", "task", "group", "seen"];
    let mut form: Vec<(&str, String)> = names.map(|name| (name, field(name))).into();
    form.push(("word", word.to_owned()));
    form.push(("reason", "请补充完成情况和下一步措施。".to_owned()));
    assert_eq!(daemon.submit("/review", &form).await.status(), 303);
}

/// The picture in README.md, made anew where `CUIBAN_PICTURES` asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_the_board() {
    if std::env::var_os("CUIBAN_PICTURES").is_none() {
        return;
    }
    let (_dir, smtp, world, daemon) = noticed().await;
    let statuses = [
        "completed",
        "on_schedule",
        "completed",
        "behind",
        "on_schedule",
        "not_started",
    ];
    // Sessions run side by side: by address it is the same picture each time.
    let mut mails = smtp.mails();
    mails.sort_by(|one, other| one.to.cmp(&other.to));
    for (index, mail) in mails.iter().enumerate() {
        if index % 3 == 0 {
            continue;
        }
        if index == 100 {
            daemon.advance(REMINDER).await;
        }
        let reports: Vec<Value> = tasks(&sheet(&daemon, mail).await)
            .into_iter()
            .map(|task| json!({"task": task, "status": statuses[(index + task as usize) % 6], "progress": "按计划推进。", "problems": "进度偏慢。", "next_steps": "加派人手。"}))
            .collect();
        let path = format!("/api/v1/reply/{}", token(mail));
        daemon.post(&path, &json!({ "reports": reports })).await;
    }
    daemon.advance("2022-04-01T10:00:00+08:00").await;
    let late = &mails[0];
    let reports: Vec<Value> = tasks(&sheet(&daemon, late).await)
        .into_iter()
        .map(|task| json!({"task": task, "status": "completed", "progress": "已办结。"}))
        .collect();
    let path = format!("/api/v1/reply/{}", token(late));
    daemon.post(&path, &json!({ "reports": reports })).await;
    let status = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = status["rows"].as_array().unwrap();
    let alone = |row: &&Value| rows.iter().filter(|one| one["task"] == row["task"]).count() == 1;
    let to_review = rows.iter().filter(|row| row["state"] == "reported");
    for (index, row) in to_review.filter(alone).enumerate() {
        let key = format!("dongguan-2022/2022Q1/{}/0", row["task"]);
        match index % 7 {
            2 => review(&daemon, &key, "return").await,
            3..=5 => review(&daemon, &key, "accept").await,
            _ => {}
        }
    }
    add_user(&world);
    let desk = Browser::open(1280, 900).await;
    desk.goto(&format!("{}/login", daemon.base)).await;
    desk.type_into("input[name=name]", "duban").await;
    desk.type_into("input[name=password]", PASSWORD).await;
    desk.click("button.primary").await;
    desk.says("报送情况").await;
    desk.goto(&format!("{}/?quarter=2022Q1", daemon.base)).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    std::fs::create_dir_all(&folder).unwrap();
    desk.screenshot(&folder.join("board.png")).await;
    daemon.stop().await;
}
