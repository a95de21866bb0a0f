//! The owner's page in full: drafts, files, last quarter's words; with script in a real browser, and
//! without.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::{get, mail_with, noticed, places, sheet, tasks, token};
use crate::world::{Daemon, Mail, World};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture of the site";
const AFTER_NOTICE: &str = "2022-03-17T09:30:00+08:00";

/// Sends files as a browser without script does: with the whole form.
pub async fn upload(
    daemon: &Daemon,
    path: &str,
    fields: &[(&str, &str)],
    files: &[(&str, &str, &[u8])],
) -> (u16, String) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend(head.bytes().chain(value.bytes()).chain(*b"\r\n"));
    }
    for (name, file, bytes) in files {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend_from_slice(bytes);
        body.extend(*b"\r\n");
    }
    body.extend(*b"--edge--\r\n");
    let request = daemon.http.post(format!("{}{path}", daemon.base));
    let request = request.header("content-type", "multipart/form-data; boundary=edge");
    let answer = request.body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The addresses of the files that a page lists.
fn files(html: &str) -> Vec<String> {
    let links = html.split("/evidence/").skip(1);
    let hashes = links.filter_map(|rest| rest.get(..64));
    let mut hashes: Vec<String> = hashes
        .filter(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(ToOwned::to_owned)
        .collect();
    hashes.dedup();
    hashes
}

/// Two owners of one group, and somebody of none of theirs: their mails, and the place of the item
/// that the two share.
async fn two_of_a_group(daemon: &Daemon, mails: &[Mail]) -> (Mail, Mail, Mail, String) {
    let mut holders: BTreeMap<String, Vec<&Mail>> = BTreeMap::new();
    for mail in mails {
        let (_, html) = get(daemon, &format!("/r/{}", token(mail))).await;
        for place in places(&html).into_values() {
            holders.entry(place).or_default().push(mail);
        }
    }
    let (place, both) = holders
        .iter()
        .find(|(_, both)| both.len() == 2)
        .expect("a group of two");
    let strangers = mails
        .iter()
        .find(|mail| both.iter().all(|one| one.to != mail.to))
        .unwrap();
    (
        both[0].clone(),
        both[1].clone(),
        strangers.clone(),
        place.clone(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_drafts_survive_a_kill_and_are_seen_by_the_group_and_the_board_only() {
    let (_dir, smtp, world, mut daemon) = noticed().await;
    let (one, other, stranger, place) = two_of_a_group(&daemon, &smtp.mails()).await;
    let path = |mail: &Mail| format!("/r/{}", token(mail));
    let (progress, seen, file) = (
        format!("progress-{place}"),
        format!("seen-{place}"),
        format!("file-{place}"),
    );
    let typed = [
        (progress.as_str(), "写了一半"),
        (seen.as_str(), ""),
        ("go", "upload"),
    ];
    let (status, _) = upload(
        &daemon,
        &path(&one),
        &typed,
        &[(&file, "现场照片.jpg", PNG)],
    )
    .await;
    assert_eq!(status, 303);
    daemon.kill();

    let daemon = world.serve(AFTER_NOTICE, 0.0).await;
    let (_, page) = get(&daemon, &path(&one)).await;
    assert!(page.contains("写了一半</textarea>"), "the draft");
    assert!(page.contains("现场照片.jpg.png"), "the file");
    let hash = files(&page)[0].clone();
    let fetched = async |mail: &Mail| {
        let url = format!("{}{}/evidence/{hash}", daemon.base, path(mail));
        let answer = daemon.http.get(url).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.bytes().await.unwrap().to_vec())
    };
    assert_eq!(fetched(&one).await, (200, PNG.to_vec()));
    assert_eq!(fetched(&other).await, (200, PNG.to_vec()));
    assert_eq!(fetched(&stranger).await.0, 404);
    let (_, theirs) = get(&daemon, &path(&other)).await;
    assert!(!theirs.contains("写了一半"), "a draft is its owner's alone");

    // What is not taken is named; nothing typed is lost.
    let to = path(&one);
    let (status, page) = upload(&daemon, &to, &typed, &[(&file, "a.exe", b"MZ\x90\0")]).await;
    assert_eq!(status, 422);
    assert!(page.contains("“a.exe”不是可以接收的文件"), "{page}");
    assert!(page.contains("写了一半</textarea>"));
    let mut large = PNG.to_vec();
    large.resize((20 << 20) + 1, 7);
    let (status, page) = upload(&daemon, &to, &typed, &[(&file, "大.png", &large)]).await;
    assert_eq!(status, 422);
    assert!(page.contains("“大.png”超过20MB"), "{page}");
    large.truncate(20 << 20);
    for n in 1..=5_u8 {
        large[100] = n;
        let name = format!("{n}.png");
        let (status, page) = upload(&daemon, &to, &typed, &[(&file, &name, &large)]).await;
        let full = n == 5;
        assert_eq!(status, if full { 422 } else { 303 }, "{n}");
        assert_eq!(page.contains("合计不能超过100MB"), full);
    }

    // The report stands on them, and the board gives them out to who has signed in.
    let status_field = format!("status-{place}");
    let report = [
        (status_field.as_str(), "completed".to_owned()),
        (progress.as_str(), "已办结。".to_owned()),
    ];
    let answer = daemon.fill_in(&path(&one), &report).await;
    assert_eq!(answer.status().as_u16(), 303);
    let receipt = answer.headers()["location"].to_str().unwrap().to_owned();
    let (_, receipt) = get(&daemon, &receipt).await;
    assert!(receipt.contains("现场照片.jpg.png"), "{receipt}");
    let (task, group) = place.split_once('-').unwrap();
    let task_page = format!("/task/dongguan-2022/2022Q1/{task}/{group}");
    let board = daemon.page(&task_page).await;
    assert!(board.contains("现场照片.jpg.png"), "{board}");
    let download = format!("{task_page}/evidence/{hash}");
    let anybody = daemon.http.get(format!("{}{download}", daemon.base));
    let anybody = anybody.send().await.unwrap();
    assert_ne!(anybody.status().as_u16(), 200);
    assert!(
        daemon
            .page(&download)
            .await
            .contains("a picture of the site")
    );
    let sheet = sheet(&daemon, &one).await;
    let items = sheet["items"].as_array().unwrap();
    let item = items
        .iter()
        .find(|item| item["task"] == task.parse::<u64>().unwrap());
    assert_eq!(item.unwrap()["draft"], Value::Null);
    daemon.stop().await;
    let journal = world.run(&["journal", "dump"]);
    assert_eq!(journal.matches("\"evidence.added\"").count(), 5);
    world.run(&["journal", "verify"]);
}

/// A phone with a file on it.
fn picture(world: &World) -> std::path::PathBuf {
    let path = world.path("现场.png");
    std::fs::write(&path, PNG).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_kept_as_one_types_and_files_go_at_once() {
    let (_dir, smtp, world, daemon) = noticed().await;
    let (mail, sheet) = mail_with(&daemon, &smtp.mails(), 2).await;
    let (_, html) = get(&daemon, &format!("/r/{}", token(&mail))).await;
    let places = places(&html);
    let [first, second] = [0, 1].map(|n| places[&tasks(&sheet)[n]].clone());
    let progress = |place: &str| format!("textarea[name=\"progress-{place}\"]");
    let phone = Browser::open(390, 844).await;
    phone.goto(&mail.link()).await;
    phone.type_into(&progress(&first), "写到一半").await;
    phone.says("已暂存 ").await;
    phone.goto(&mail.link()).await;
    assert_eq!(phone.value(&progress(&first)).await, "写到一半");
    phone.says("暂存的内容尚未提交").await;

    // In a lift: the words wait in the telephone.
    phone.offline(true).await;
    phone.type_into(&progress(&second), "电梯里写的").await;
    phone.says("网络不通，已存在本机").await;
    phone.offline(false).await;
    phone.goto(&mail.link()).await;
    assert_eq!(phone.value(&progress(&second)).await, "电梯里写的");

    phone
        .attach(&format!("input[name=\"file-{first}\"]"), &picture(&world))
        .await;
    phone.says("移除").await;
    assert_eq!(phone.value(&progress(&first)).await, "写到一半");
    phone.click(&format!("#files-{first} button")).await;
    phone.says("材料已移除").await;
    assert_eq!(phone.value(&progress(&second)).await, "电梯里写的");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_quarters_words_can_be_taken_over() {
    let (_dir, smtp, _world, daemon) = noticed().await;
    let first = smtp.mails();
    for mail in &first {
        let reports: Vec<Value> = tasks(&sheet(&daemon, mail).await)
            .into_iter()
            .map(|task| json!({"task": task, "status": "on_schedule", "progress": "一季度的话。"}))
            .collect();
        let path = format!("/api/v1/reply/{}", token(mail));
        daemon.post(&path, &json!({ "reports": reports })).await;
    }
    daemon.advance("2022-06-20T09:00:00+08:00").await;
    let later: Vec<Mail> = smtp.mails().into_iter().skip(first.len()).collect();
    let phone = Browser::open(390, 844).await;
    for mail in &later {
        let (_, html) = get(&daemon, &format!("/r/{}", token(mail))).await;
        let Some((_, rest)) = html.split_once("class=\"reuse\" data-item=\"") else {
            continue;
        };
        let place = rest.split_once('"').unwrap().0.to_owned();
        phone.goto(&mail.link()).await;
        let shown = format!("details:has(button[data-item=\"{place}\"]) > summary");
        phone.click(&shown).await;
        phone.click(&format!("button[data-item=\"{place}\"]")).await;
        let field = format!("textarea[name=\"progress-{place}\"]");
        assert_eq!(phone.value(&field).await, "一季度的话。");
        phone.says("已暂存 ").await;
        daemon.stop().await;
        return;
    }
    panic!("nobody reports on the same item in both quarters");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_on_the_page_is_in_anybodys_way_and_it_loads_fast() {
    let (_dir, smtp, _world, daemon) = noticed().await;
    let (mail, sheet) = mail_with(&daemon, &smtp.mails(), 4).await;
    let path = format!("/r/{}", token(&mail));
    let (_, html) = get(&daemon, &path).await;
    let mut bytes = 0;
    for ending in [".css", ".js"] {
        let (before, _) = html.split_once(&format!("{ending}\"")).unwrap();
        let (_, name) = before.rsplit_once('"').unwrap();
        let (status, asset) = get(&daemon, &format!("{name}{ending}")).await;
        assert_eq!(status, 200);
        bytes += asset.len();
    }
    let items = tasks(&sheet).len();
    let (from, to) = (html.find("<article"), html.rfind("</article>"));
    let of_items = to.unwrap() - from.unwrap();
    let of_twelve = html.len() - of_items + of_items * 12 / items + bytes;
    println!("{of_twelve} bytes for twelve items, {bytes} of them style and script");
    assert!(of_twelve < 50_000, "{of_twelve} bytes");

    let places = places(&html);
    let place = places.values().next().unwrap();
    let phone = Browser::open(390, 844).await;
    crate::page::fits(&phone, &mail.link()).await;
    assert_eq!(phone.barriers().await, Vec::<String>::new(), "open");
    let behind = format!("label:has(> input[name=\"status-{place}\"][value=\"behind\"])");
    phone.click(&behind).await;
    phone.click(".submit button").await;
    phone.says("请填写“存在问题”").await;
    assert_eq!(phone.barriers().await, Vec::<String>::new(), "with faults");
    phone.click(&format!("a[href=\"#problems-{place}\"]")).await;
    for (name, words) in [("problems", "场地未落实。"), ("next_steps", "协调场地。")] {
        let field = format!("textarea[name=\"{name}-{place}\"]");
        phone.type_into(&field, words).await;
    }
    phone.click(".submit button").await;
    phone.says("报送回执").await;
    assert_eq!(phone.barriers().await, Vec::<String>::new(), "receipt");
    daemon.stop().await;
}
