//! A coordinator's words: a later date moves the reminders, a returned report is heard of with its
//! reason, another person fills in.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::import::{add_user, fits, sign_in};
use crate::world::{Daemon, Mail, SOON, Smtp, TABLE, World, eventually};

const NOTICE: &str = "2022-03-17T09:10:00+08:00";

fn token(mail: &Mail) -> String {
    mail.link().rsplit('/').next().unwrap().to_owned()
}

async fn sheet(daemon: &Daemon, token: &str) -> Value {
    let url = format!("{}/api/v1/reply/{token}", daemon.base);
    let answer = daemon.http.get(url).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn row(daemon: &Daemon, task: u64, unit: &str) -> Value {
    let status = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = status["rows"].as_array().unwrap();
    let found = rows
        .iter()
        .find(|row| row["task"] == task && row["unit"] == unit);
    found.unwrap().clone()
}

fn to<'a>(mails: &'a [Mail], address: &str) -> Vec<&'a Mail> {
    mails.iter().filter(|mail| mail.to == address).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_date_moves_the_reminders_and_a_returned_report_comes_back_better() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance(NOTICE).await;
    let notices = smtp.mails();

    // Somebody with one item alone, so that what follows is theirs only.
    let mut one = None;
    for mail in &notices {
        let token = token(mail);
        let sheet = sheet(&daemon, &token).await;
        let items = sheet["items"].as_array().unwrap();
        if let [item] = items.as_slice() {
            one = Some((mail.to.clone(), token, item.clone()));
            break;
        }
    }
    let (address, token, item) = one.expect("an owner with one item");
    let (task, unit) = (
        item["task"].as_u64().unwrap(),
        item["unit"].as_str().unwrap(),
    );
    let first = row(&daemon, task, unit).await;
    assert_eq!(first["deadline"], "2022-03-31T18:00:00+08:00");

    // Asked by the owner, granted by the coordinator.
    let mut group = None;
    for place in 0..4 {
        let path = format!("/r/{token}/extension/{task}/{place}");
        let form = [
            ("day", "2022-04-15".to_owned()),
            ("reason", "评审会推迟".to_owned()),
        ];
        if daemon.fill_in(&path, &form).await.status() == 303 {
            group = Some(place);
            break;
        }
    }
    let group = group.expect("the owner's group");
    let key = format!("dongguan-2022/2022Q1/{task}/{group}");
    let requests = daemon.page("/requests").await;
    assert!(requests.contains("评审会推迟"), "{requests}");
    let form = [
        ("csrf", String::new()),
        ("item", key.clone()),
        ("do", "grant".into()),
        ("day", "2022-04-15".into()),
        ("note", "请抓紧".into()),
    ];
    assert_eq!(
        daemon.submit("/requests/extension", &form).await.status(),
        303
    );
    assert_eq!(
        row(&daemon, task, unit).await["deadline"],
        "2022-04-15T18:00:00+08:00"
    );
    daemon.advance("2022-03-17T09:30:00+08:00").await;
    let told = smtp.mails();
    let answer = to(&told[notices.len()..], &address);
    assert_eq!(answer.len(), 1, "the word, once");
    assert!(
        answer[0].text.contains("同意延期至4月15日"),
        "{}",
        answer[0].text
    );

    // The quarter's own stages pass them by; on the first date they are not overdue.
    daemon.advance("2022-04-08T17:00:00+08:00").await;
    let mails = smtp.mails();
    let since = to(&mails[told.len()..], &address);
    assert_eq!(since.len(), 1, "only the notice of the new date");
    assert!(since[0].text.contains("4月15日"), "{}", since[0].text);
    assert_eq!(row(&daemon, task, unit).await["state"], "not_reported");
    daemon.advance("2022-04-18T09:15:00+08:00").await;
    let late = row(&daemon, task, unit).await;
    assert_eq!(
        (&late["state"], &late["stage"]),
        (&json!("overdue_unreported"), &json!("overdue"))
    );

    // Reported by telephone, returned, amended by the owner, accepted.
    let names = world.names_by_address();
    let (owner, home) = &names[&address];
    let whole = format!("{home}/{owner}");
    let number = task.to_string();
    let said = world.run(&[
        "report",
        "--task",
        &number,
        "--person",
        &whole,
        "--quarter",
        "2022Q1",
        "--status",
        "completed",
        "--text",
        "好",
    ]);
    assert!(said.contains("已代"), "{said}");
    let page = daemon.page(&format!("/task/{key}")).await;
    assert!(page.contains("督查科代录"), "{page}");
    let list = daemon.page("/review?quarter=2022Q1").await;
    let (_, rest) = list.split_once(&format!("value=\"{key}@")).unwrap();
    let seen = format!("{key}@{}", rest.split_once('"').unwrap().0);
    let before = smtp.mails().len();
    let judge = |word: &str| {
        [
            ("csrf", String::new()),
            ("plan", "dongguan-2022".into()),
            ("quarter", "2022Q1".into()),
            ("item", seen.clone()),
            ("do", word.into()),
            ("reason", "请写明具体数据".into()),
        ]
    };
    let answer = daemon.submit("/review/list", &judge("return")).await;
    assert_eq!(answer.status(), 303);
    daemon.advance("2022-04-18T09:30:00+08:00").await;
    let mails = smtp.mails();
    let returned = to(&mails[before..], &address);
    assert_eq!(returned.len(), 1);
    assert!(
        returned[0].text.contains("退回原因：请写明具体数据"),
        "{}",
        returned[0].text
    );
    let report = json!({"reports": [{"task": task, "status": "completed",
        "progress": "已完成，共12家。", "problems": "", "next_steps": "", "percent": 100}]});
    let path = format!("/api/v1/reply/{token}");
    assert_eq!(daemon.post(&path, &report).await.0, 200);
    // What was on the page is not the report any more.
    let answer = daemon.submit("/review/list", &judge("accept")).await;
    let to_page = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(to_page.contains(&format!("amended={task}")), "{to_page}");
    let list = daemon.page("/review?quarter=2022Q1").await;
    let (_, rest) = list.split_once(&format!("value=\"{key}@")).unwrap();
    let form = [
        ("csrf", String::new()),
        ("plan", "dongguan-2022".into()),
        ("quarter", "2022Q1".into()),
        ("one", format!("{key}@{}", rest.split_once('"').unwrap().0)),
    ];
    assert_eq!(daemon.submit("/review/list", &form).await.status(), 303);
    assert_eq!(row(&daemon, task, unit).await["state"], "accepted");
    let page = daemon.page(&format!("/task/{key}")).await;
    assert!(
        page.contains("好") && page.contains("已完成，共12家。"),
        "every version"
    );

    // Another owner's items are filled in by this one, who sees them on a page of their own.
    let other = notices.iter().find(|mail| mail.to != address).unwrap();
    let (from, from_unit) = &names[&other.to];
    let form = [
        ("csrf", String::new()),
        ("plan", "dongguan-2022".into()),
        ("do", "items".into()),
        ("from", format!("{from_unit}/{from}")),
        ("name", owner.clone()),
        ("unit", home.clone()),
    ];
    assert_eq!(daemon.submit("/requests/people", &form).await.status(), 303);
    let filled_in = sheet(&daemon, &token).await;
    assert!(
        filled_in["items"].as_array().unwrap().len() > 1,
        "{filled_in}"
    );
    let before = smtp.mails().len();
    daemon.advance("2022-04-18T09:45:00+08:00").await;
    let told = smtp.mails().split_off(before);
    assert_eq!(told.len(), 1, "who fills in, and nobody else");
    assert_eq!(told[0].to, address);
    assert!(told[0].text.contains("请您代为报送"), "{}", told[0].text);

    // Then they are theirs, whatever the table says that is imported again.
    let form = [("do", "owner".to_owned())]
        .into_iter()
        .chain(form.into_iter().filter(|(name, _)| *name != "do"));
    let form: Vec<_> = form.collect();
    assert_eq!(daemon.submit("/requests/people", &form).await.status(), 303);
    // The letters to both are facts too.
    let imports = || {
        let dump = world.run(&["journal", "dump"]);
        dump.matches("plan.imported").count() + dump.matches("task.set").count()
    };
    let count = imports();
    let args = ["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"];
    let again = world.run(&args);
    assert!(again.contains("没有需要入库的改动"), "{again}");
    assert_eq!(imports(), count);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_worked_off_by_keyboard_and_the_owners_other_pages_fit_a_phone() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance(NOTICE).await;
    for task in ["31", "32", "37"] {
        world.run(&[
            "report",
            "--task",
            task,
            "--person",
            "市科技局/钟靖平",
            "--quarter",
            "2022Q1",
            "--status",
            "completed",
            "--text",
            "已完成，方案已批复。",
        ]);
    }
    add_user(&world);
    let browser = Browser::open(1280, 900).await;
    sign_in(&browser, &daemon).await;
    browser
        .goto(&format!("{}/review?quarter=2022Q1", daemon.base))
        .await;
    at_hand(&browser).await;
    browser.press("j").await;
    assert_eq!(browser.count("article").await, 3);
    assert_eq!(browser.count("article.here").await, 1);
    assert_eq!(browser.count("article:nth-of-type(2).here").await, 1);
    fits(&browser, "review").await;
    browser.resize(1280, 900).await;
    browser.press("a").await;
    browser.says("已通过1项").await;
    at_hand(&browser).await;
    assert_eq!(row(&daemon, 32, "市科技局").await["state"], "accepted");
    browser.press("r").await;
    let field = browser.focused().await;
    assert!(["pick", "reason"].contains(&field.as_str()), "{field}");
    browser
        .type_into("input[name=reason]", "请写明具体数据")
        .await;
    browser.click("button[value=return]").await;
    browser.says("已退回1项").await;
    assert_eq!(
        row(&daemon, 31, "市发展改革局、市科技局").await["state"],
        "returned"
    );

    let names = world.names_by_address();
    let mails = smtp.mails();
    let of_two = mails.iter().find(|mail| names[&mail.to].0 == "杜江");
    let base = format!("{}/r/{}", daemon.base, token(of_two.unwrap()));
    for (name, path) in [
        ("not-mine", "not-mine/16/0"),
        ("summary", "summary/16"),
        ("extension", "extension/16/0"),
    ] {
        browser.goto(&format!("{base}/{path}")).await;
        browser.says("第16项").await;
        fits(&browser, name).await;
        browser.resize(320, 700).await;
        assert_eq!(browser.overflow().await, 0, "{name} at 320 px");
    }
    daemon.stop().await;
}

/// Waits until the list's script has taken the first row in hand.
async fn at_hand(browser: &Browser) {
    let first = eventually(SOON, || async {
        (browser.count("article:first-of-type.here").await == 1).then_some(())
    });
    assert!(first.await.is_some(), "no row is in hand");
}
