//! The round trip by mail: a reminder out over SMTP, an answer in from a mail client over a real
//! Dovecot, the report on the board, a receipt back in the thread.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::browser::Browser;
use crate::dovecot::Dovecot;
use crate::world::{Daemon, Mail, SOON, Smtp, World, eventually};

async fn rows_by_mail(daemon: &Daemon) -> Vec<Value> {
    let board = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = board["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["via"] == "mail").cloned().collect()
}

/// The numbers of tasks in a mail of ours, in order.
fn tasks(mail: &Mail) -> Vec<u32> {
    let parts = mail.text.split("第").skip(1);
    parts
        .filter_map(|part| part.split_once('项')?.0.parse().ok())
        .collect()
}

fn receipts(smtp: &Smtp) -> Vec<Mail> {
    let mails = smtp.mails().into_iter();
    mails
        .filter(|mail| mail.raw.contains("Auto-Submitted: auto-replied"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_goes_out_an_answer_comes_in_and_a_receipt_goes_back() {
    let (dovecot, folder) = (Dovecot::start(), tempfile::tempdir().unwrap());
    dovecot.ready().await;
    let smtp = Smtp::start(folder.path(), 0);
    let world = World::new("");
    let sections = smtp.section() + &dovecot.section(world.dir.path(), dovecot.port);
    let mut world = world;
    world.reconfigure(&sections);
    world.import(|_, _| "email");
    let mut daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    let sent = smtp.mails();
    let several = sent
        .iter()
        .find(|mail| tasks(mail).len() > 2)
        .expect("somebody with several tasks");
    let wanted = tasks(several);

    let text = format!(
        "您好！\n{} 已完成，现场照片已报。\n{} 进度滞后，存在问题：用地未落实；下一步措施：正在协调用地。",
        wanted[0], wanted[1]
    );
    let id = dovecot.answer(several, &text, &[]);
    let rows = eventually(SOON, || async {
        let rows = rows_by_mail(&daemon).await;
        (rows.len() >= 2).then_some(rows)
    });
    let rows = rows
        .await
        .unwrap_or_else(|| panic!("no report:\n{}", world.log()));
    let of = |task: u32| rows.iter().find(|row| row["task"] == task).unwrap();
    assert_eq!(of(wanted[0])["status"], "completed");
    assert_eq!(of(wanted[1])["status"], "behind");

    let receipt = eventually(SOON, || async { receipts(&smtp).pop() })
        .await
        .expect("a receipt");
    assert_eq!(receipt.to, several.to);
    assert!(
        receipt.raw.contains(&format!("In-Reply-To: {id}")),
        "{}",
        receipt.raw
    );
    for task in &wanted[..2] {
        assert!(tasks(&receipt).contains(task), "{}", receipt.text);
    }

    // A machine's answer sets nothing and gets none; one nobody understands waits and is thanked.
    dovecot.answer(
        several,
        &format!("{} 已完成", wanted[2]),
        &["Auto-Submitted: auto-replied"],
    );
    dovecot.answer(several, "情况比较复杂，面报。", &[]);
    let two = eventually(SOON, || async {
        (receipts(&smtp).len() == 2).then_some(())
    })
    .await;
    assert!(two.is_some(), "{}", world.log());
    assert!(
        rows_by_mail(&daemon)
            .await
            .iter()
            .all(|row| row["task"] != wanted[2])
    );

    resolved_by_two_clicks(&world, &daemon).await;

    // Killed and started again, it reads nothing twice.
    daemon.kill();
    drop(daemon);
    let daemon = world.serve("2022-03-17T10:00:00+08:00", 0.0).await;
    dovecot.answer(several, &format!("{} 正常推进", wanted[2]), &[]);
    let third = eventually(SOON, || async {
        rows_by_mail(&daemon)
            .await
            .iter()
            .any(|row| row["task"] == wanted[2])
            .then_some(())
    });
    assert!(third.await.is_some(), "{}", world.log());
    let three = eventually(SOON, || async {
        (receipts(&smtp).len() >= 3).then_some(())
    })
    .await;
    assert!(three.is_some());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receipts(&smtp).len(), 3);
    let log = world.log();
    assert!(
        !log.contains("secret") && !log.contains("@example.invalid"),
        "{log}"
    );
    daemon.stop().await;
}

/// The coordinator reads the mail that waits and says what it means.
async fn resolved_by_two_clicks(world: &World, daemon: &Daemon) {
    const PASSWORD: &str = "dongguan-2022-q1";
    let added = world.cuiban_told(
        &["user", "add", "duban", "--role", "coordinator"],
        &format!("{PASSWORD}\n"),
    );
    assert!(added.status.success(), "{added:?}");
    for (width, height) in [(390, 844), (1280, 900)] {
        let browser = Browser::open(width, height).await;
        browser.goto(&format!("{}/login", daemon.base)).await;
        browser.type_into("input[name=name]", "duban").await;
        browser.type_into("input[name=password]", PASSWORD).await;
        browser.click("form button").await;
        browser.says("1封邮件回复需要人工处理").await;
        browser.goto(&format!("{}/mails", daemon.base)).await;
        browser.says("情况比较复杂，面报。").await;
        assert_eq!(browser.overflow().await, 0, "{width}");
        if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
            let file = Path::new(&folder).join(format!("mails-{width}.png"));
            browser.screenshot(&file).await;
        }
        if width > 1000 {
            said_by_the_coordinator(&browser, daemon).await;
        }
    }
}

async fn said_by_the_coordinator(browser: &Browser, daemon: &Daemon) {
    let before = rows_by_mail(daemon).await.len();
    // What is open comes first.
    browser.click(".mail input[value=on_schedule]").await;
    browser.click(".mail button.primary").await;
    browser.says("没有需要人工处理的邮件").await;
    assert_eq!(rows_by_mail(daemon).await.len(), before + 1);
}
