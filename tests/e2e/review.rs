//! A coordinator's words: a later date moves the reminders, a returned report is heard of with its
//! reason, another person fills in.

use serde_json::{Value, json};

use crate::world::{Daemon, Mail, Smtp, World};

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
    let sheet = sheet(&daemon, &token).await;
    assert!(sheet["items"].as_array().unwrap().len() > 1, "{sheet}");
    daemon.stop().await;
}
