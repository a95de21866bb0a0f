//! The pages that owners and coordinators work on beside the owner's form, as axe-core sees them in
//! a real browser: nothing serious or critical is in anybody's way, nothing is wider than a phone.
//! Where `CUIBAN_PICTURES` names a folder, they are put there as pictures too.

use std::path::Path;

use serde_json::json;

use crate::browser::Browser;
use crate::owner::{PNG, upload};
use crate::page::{PASSWORD, add_user, get, noticed, places, token};
use crate::world::{Daemon, Mail};

/// A mail of somebody who may sum up a task, and the values of the buttons on that task.
async fn who_sums_up(daemon: &Daemon, mails: &[Mail]) -> (Mail, String, String) {
    for mail in mails {
        let (_, html) = get(daemon, &format!("/r/{}", token(mail))).await;
        let Some((before, rest)) = html.split_once("value=\"summary-") else {
            continue;
        };
        let task = rest.split_once('"').unwrap().0.to_owned();
        let (_, place) = before.rsplit_once("value=\"extension-").unwrap();
        let place = place.split_once('"').unwrap().0.to_owned();
        return (mail.clone(), task, place);
    }
    panic!("nobody sums up");
}

async fn look(browser: &Browser, name: &str) {
    let mut found = browser.barriers().await;
    browser.unfold().await;
    found.extend(browser.barriers().await);
    if browser.overflow().await != 0 {
        found.push("wider than its window".into());
    }
    if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
        let file = Path::new(&folder).join(format!("{name}.png"));
        browser.screenshot(&file).await;
    }
    assert_eq!(found, Vec::<String>::new(), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_that_people_work_on_is_in_anybodys_way() {
    let (_dir, smtp, world, daemon) = noticed().await;
    let (mail, task, place) = who_sums_up(&daemon, &smtp.mails()).await;
    owners_pages(&daemon, &mail, (&task, &place)).await;

    // An item asked for and not reported stays on the coordinator's list.
    let (_, html) = get(&daemon, &format!("/r/{}", token(&mail))).await;
    let other = places(&html).into_values().find(|one| *one != place);
    ask_later(&daemon, &mail, &other.unwrap()).await;

    // Said, amended, with a file: the task's page shows both versions.
    let (link, file) = (format!("/r/{}", token(&mail)), format!("file-{place}"));
    let file = [(file.as_str(), "现场照片.png", PNG)];
    let sent = upload(&daemon, &link, &[("go", "upload")], &file).await;
    assert_eq!(sent.0, 303);
    for progress in ["已完成招标。", "已完成招标，正在办理用地手续。"] {
        let reports = json!({"reports": [{"task": task.parse::<u64>().unwrap(), "status": "behind",
            "progress": progress, "problems": "用地未落实。", "next_steps": "五月底前办结。", "percent": 60}]});
        let path = format!("/api/v1/reply/{}", token(&mail));
        assert_eq!(daemon.post(&path, &reports).await.0, 200);
    }
    let list = daemon.page("/review?quarter=2022Q1").await;
    assert!(list.contains("现场照片.png"), "{list}");
    add_user(&world);
    let (no, group) = place.split_once('-').unwrap();
    let pages = [
        ("review", "/review?quarter=2022Q1".to_owned()),
        ("requests", "/requests".to_owned()),
        ("task", format!("/task/dongguan-2022/2022Q1/{no}/{group}")),
        ("board", "/?quarter=2022Q1".to_owned()),
        ("mails", "/mails".to_owned()),
        ("unclear", "/unclear".to_owned()),
    ];
    for (width, height) in [(1280, 900), (390, 844)] {
        let desk = Browser::open(width, height).await;
        desk.goto(&format!("{}/login", daemon.base)).await;
        look(&desk, &format!("login-{width}")).await;
        desk.type_into("input[name=name]", "duban").await;
        desk.type_into("input[name=password]", PASSWORD).await;
        desk.click("form button").await;
        desk.says("报送情况").await;
        for (name, path) in &pages {
            desk.goto(&format!("{}{path}", daemon.base)).await;
            look(&desk, &format!("{name}-{width}")).await;
        }
    }
    daemon.stop().await;
}

/// Asks for a later date; gives the page on which that was asked.
async fn ask_later(daemon: &Daemon, mail: &Mail, place: &str) -> String {
    let form = [
        ("day", "2022-04-15".to_owned()),
        ("reason", "评审会推迟".to_owned()),
    ];
    let path = format!("/r/{}/extension/{}", token(mail), place.replace('-', "/"));
    assert_eq!(daemon.fill_in(&path, &form).await.status(), 303);
    path
}

async fn owners_pages(daemon: &Daemon, mail: &Mail, (task, place): (&str, &str)) {
    let phone = Browser::open(390, 844).await;
    let progress = format!("textarea[name=\"progress-{place}\"]");
    let button = |go: &str| format!("button[name=go][value=\"{go}\"]");
    phone.goto(&mail.link()).await;
    for width in [320, 390, 1280] {
        phone.resize(width, 844).await;
        look(&phone, &format!("owner-{width}")).await;
    }
    phone.resize(390, 844).await;

    phone.type_into(&progress, "写到一半").await;
    phone.click(&button(&format!("extension-{place}"))).await;
    phone.says("希望延至").await;
    look(&phone, "extension").await;
    phone.click(".submit button").await;
    phone.says("请选择希望延至的日期").await;
    look(&phone, "extension-fault").await;
    let path = ask_later(daemon, mail, place).await;
    phone.goto(&format!("{}{path}", daemon.base)).await;
    phone.says("正在审批").await;
    look(&phone, "extension-asked").await;
    phone.click("header a").await;
    phone.says("工作进展报送").await;
    assert_eq!(phone.value(&progress).await, "写到一半", "kept meanwhile");

    phone.click(&button(&format!("notmine-{place}"))).await;
    phone.says("应由谁负责").await;
    look(&phone, "not-mine").await;
    phone.click(".submit button").await;
    phone.says("请写明应由谁负责").await;
    look(&phone, "not-mine-fault").await;
    phone.type_into("input[name=name]", "王建国").await;
    phone.type_into("input[name=unit]", "市交通运输局").await;
    phone.click(".submit button").await;
    phone.says("正在核实").await;
    look(&phone, "not-mine-said").await;

    phone.goto(&mail.link()).await;
    phone.click(&button(&format!("summary-{task}"))).await;
    phone.says("汇总").await;
    look(&phone, "summary").await;
    phone
        .type_into("textarea[name=text]", "各单位按计划推进。")
        .await;
    phone.click(".submit button").await;
    phone.says("可随时修改").await;
    look(&phone, "summary-written").await;
}
