//! A table comes in: over the page, with corrections, and again after a revision.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::browser::Browser;
use crate::world::{Daemon, Smtp, TABLE, World};

pub const PASSWORD: &str = "lamp-heron-78-tidal";
/// Item 32's owner, and who answers for it after the revision.
const FORMER: &str = "钟靖平";
const NEW: &str = "欧阳明";

/// The real table, revised: item 32 has another owner, item 4's text another figure, item 2 is gone.
fn revised(world: &World) -> PathBuf {
    let table = fs::read_to_string(TABLE).unwrap();
    let lines = table
        .lines()
        .filter(|line| !line.contains("2. 实施数字化普及工程"));
    let lines: Vec<String> = lines
        .map(|line| {
            if line.contains("32. ") {
                line.replace(FORMER, NEW)
            } else {
                line.replace("组建专业化新型研发机构", "组建专业化研发机构")
            }
        })
        .collect();
    let path = world.path("修订.txt");
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

pub fn add_user(world: &World) {
    let args = ["user", "add", "duban", "--role", "coordinator"];
    let output = world.cuiban_told(&args, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{output:?}");
}

pub async fn sign_in(browser: &Browser, daemon: &Daemon) {
    browser.goto(&format!("{}/login", daemon.base)).await;
    browser.type_into("input[name=name]", "duban").await;
    browser.type_into("input[name=password]", PASSWORD).await;
    browser.click("button.primary").await;
    browser.says("待办").await;
}

/// The page fits, and what it looks like is kept where `CUIBAN_PICTURES` says.
pub async fn fits(browser: &Browser, name: &str) {
    for width in [390, 1280] {
        browser.resize(width, 900).await;
        assert_eq!(browser.overflow().await, 0, "{name} at {width} px");
        if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
            let file = Path::new(&folder).join(format!("{name}-{width}.png"));
            browser.screenshot(&file).await;
        }
    }
}

async fn upload(browser: &Browser, daemon: &Daemon, file: &Path) {
    browser.goto(&format!("{}/import", daemon.base)).await;
    browser.attach("input[name=file]", file).await;
    browser.type_into("input[name=id]", "dongguan-2022").await;
    browser.click(".upload button").await;
    browser.says("需要核对的地方").await;
}

fn facts(world: &World) -> Vec<Value> {
    let dump = world.run(&["journal", "dump"]);
    dump.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_uploaded_looked_at_corrected_and_accepted() {
    let world = World::new("");
    let daemon = world.serve("2022-02-07T10:00:00+08:00", 0.0).await;
    add_user(&world);
    let browser = Browser::open(1280, 900).await;
    browser.goto(&format!("{}/import", daemon.base)).await;
    browser.says("登录").await;
    sign_in(&browser, &daemon).await;

    let picture = world.path("分解表.png");
    fs::write(&picture, b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    browser.goto(&format!("{}/import", daemon.base)).await;
    fits(&browser, "upload").await;
    browser.attach("input[name=file]", &picture).await;
    browser.click(".upload button").await;
    browser.says("分解表.png").await;
    assert_eq!(browser.count(".notice.bad").await, 1);

    upload(&browser, &daemon, Path::new(TABLE)).await;
    browser.says("首次导入").await;
    browser.says("第122、130项有错误").await;
    fits(&browser, "look").await;
    assert!(!browser.text().await.contains("已按您的改正读取"));
    browser
        .type_into("input[name=\"189-direct_owners\"]", "张苑南")
        .await;
    browser.click("input[name=\"201-sure\"]").await;
    browser.click("button[value=look]").await;
    browser.says("其中1项已按您的改正读取").await;
    assert!(!browser.text().await.contains("有错误，暂不入库"));
    fits(&browser, "corrected").await;

    // The file waits for this program only.
    let waiting: Vec<_> = fs::read_dir(world.path("data/imports"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(waiting.len(), 1);
    browser.click("button[value=store]").await;
    browser.says("已入库，共250项任务").await;
    browser.says("操作人：duban").await;
    fits(&browser, "done").await;
    assert_eq!(
        fs::read_dir(world.path("data/imports")).unwrap().count(),
        0,
        "accepted, so not kept"
    );
    let imported: Vec<Value> = facts(&world)
        .into_iter()
        .filter(|line| line["fact"]["kind"] == "plan.imported")
        .collect();
    assert_eq!(imported.len(), 1);
    assert_eq!(imported[0]["by"], "user:duban");
    let board = daemon.get("/api/v1/plans/dongguan-2022?format=json").await;
    let tasks = board["tasks"].as_array().unwrap();
    let owner = |no: u64| {
        let task = tasks.iter().find(|task| task["no"] == no).unwrap();
        task["direct_owners"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(owner(122), "张苑南");
    assert_eq!(owner(130), "詹向辉");

    // A revision, seen before it is stored.
    upload(&browser, &daemon, &revised(&world)).await;
    browser.says("删去1项").await;
    browser.says(&format!("{FORMER} → ")).await;
    fits(&browser, "revised").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revised_table_is_shown_before_it_is_stored_and_those_it_moves_are_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let count = facts(&world).len();
    let args = ["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"];
    let again = world.run(&args);
    assert!(again.contains("没有改动"), "{again}");
    assert!(again.contains("没有需要入库的改动"), "{again}");
    assert_eq!(facts(&world).len(), count, "the same file adds no fact");

    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T09:10:00+08:00").await;
    daemon.advance("2022-03-21T10:00:00+08:00").await;
    let before = smtp.mails().len();
    let file = revised(&world);
    let file = file.to_str().unwrap();
    let args = ["plan", "import", file, "--id", "dongguan-2022", "--accept"];
    let count = facts(&world).len();
    let seen = world.run(&[&args[..], &["--dry-run"]].concat());
    assert!(seen.contains("改动 第32项"), "{seen}");
    assert!(seen.contains("删去 第2项"), "{seen}");
    assert!(seen.contains("没有入库"), "{seen}");
    assert_eq!(facts(&world).len(), count, "only looked at");
    let stored = world.run(&args);
    assert!(stored.contains("以上内容已入库"), "{stored}");

    // The new owner's address comes with the next sheet.
    let sheet = world.run(&["contacts", "template"]);
    let line = sheet.lines().find(|line| line.starts_with(NEW)).unwrap();
    let mut cells: Vec<&str> = line.split(',').collect();
    cells[4] = "new@example.invalid";
    cells[6] = "email";
    let header = sheet.lines().next().unwrap();
    let path = world.path("new.csv");
    fs::write(&path, format!("{header}\n{}\n", cells.join(","))).unwrap();
    world.run(&["contacts", "import", path.to_str().unwrap()]);
    daemon.advance("2022-03-21T10:30:00+08:00").await;
    daemon.advance("2022-03-23T10:30:00+08:00").await;
    let told = smtp.mails().split_off(before);
    let to_new: Vec<_> = told
        .iter()
        .filter(|mail| mail.to == "new@example.invalid")
        .collect();
    assert_eq!(to_new.len(), 1, "told once");
    assert!(to_new[0].text.contains("第32项"), "{}", to_new[0].text);
    assert!(to_new[0].text.contains("现由您直接负责"));
    let thanks: Vec<_> = told
        .iter()
        .filter(|mail| mail.text.contains("感谢您一直以来"))
        .collect();
    let names: Vec<&str> = thanks
        .iter()
        .map(|mail| mail.text.split("同志").next().unwrap())
        .collect();
    assert!(names.contains(&FORMER), "{names:?}");
    assert_eq!(told.len(), to_new.len() + thanks.len());
    let board = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = board["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["task"] != 2));
    daemon.stop().await;
}
