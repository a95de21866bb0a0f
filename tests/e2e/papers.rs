//! What goes out: made by the real binary, opened by LibreOffice, looked at as it prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::world::{Daemon, TABLE, World};

const OFFICE: &str = "issuer = \"某某市人民政府办公室\"\nhead = \"某某市人民政府办公室文件\"\ncode = \"某府办督\"\ncopied = [\"市委办公室\", \"市人大常委会办公室\", \"市政协办公室\"]\n";

fn office() -> World {
    let world = World::new(OFFICE);
    let args = ["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"];
    let output = world.cuiban(&args);
    assert!(output.status.success(), "{output:?}");
    world
}

/// What somebody who prints the file sees: its pages' text, and their size in points.
fn printed(world: &World, file: &Path) -> (Vec<String>, String) {
    let folder = world.path("pdf");
    let home = format!(
        "-env:UserInstallation=file://{}",
        world.path("lo").display()
    );
    let done = Command::new("soffice")
        .args(["--headless", &home, "--convert-to", "pdf", "--outdir"])
        .arg(&folder)
        .arg(file)
        .output()
        .expect("LibreOffice is needed: tests/run installs it");
    assert!(done.status.success(), "{done:?}");
    let pdf = folder.join(file.with_extension("pdf").file_name().unwrap());
    let tell = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .output()
            .expect("poppler-utils is needed: tests/run installs it");
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let path = pdf.to_str().unwrap();
    let text = tell("pdftotext", &["-layout", path, "-"]);
    let pages = text.split('\u{c}').map(squeezed);
    let pages = pages.filter(|page| !page.is_empty()).collect();
    if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
        let to = Path::new(&folder).join(file.file_stem().unwrap());
        tell(
            "pdftoppm",
            &["-r", "70", "-png", path, to.to_str().unwrap()],
        );
    }
    let info = tell("pdfinfo", &[path]);
    let size = info.lines().find(|line| line.starts_with("Page size"));
    (pages, size.unwrap_or_default().to_owned())
}

/// Without the blanks that setting in lines and beside Latin letters puts in.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn report(world: &World, task: &str, person: &str, status: &str, text: &str) {
    let args = [
        "report",
        "--task",
        task,
        "--person",
        person,
        "--quarter",
        "2022Q1",
        "--status",
        status,
        "--text",
        text,
    ];
    world.run(&args);
}

fn file(world: &World, name: &str) -> (PathBuf, String) {
    let path = world.path(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

async fn after_the_quarter(world: &World) -> Daemon {
    let daemon = world.serve("2022-03-28T10:00:00+08:00", 0.0).await;
    report(
        world,
        "1",
        "李树峰",
        "completed",
        "已完成资金统计填报计划。",
    );
    report(world, "2", "张玉成", "on_schedule", "=已走访30家企业");
    daemon.advance("2022-04-07T10:00:00+08:00").await;
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_goes_out_and_comes_back_with_the_daemon_and_without() {
    let world = office();
    let (alone, path) = file(&world, "alone.xlsx");
    world.run(&["export", "--quarter", "2022Q1", "-o", &path]);
    assert!(fs::read(&alone).unwrap().starts_with(b"PK"));
    let daemon = after_the_quarter(&world).await;
    let (beside, path) = file(&world, "beside.xlsx");
    world.run(&["export", "--quarter", "2022Q1", "-o", &path]);
    let (pages, size) = printed(&world, &beside);
    assert!(size.contains("1190") && size.contains("841"), "A3: {size}");
    let first = &pages[0];
    assert!(
        first.contains("2022年第一季度进展情况（截至2022年4月7日10:00）"),
        "{first}"
    );
    for words in [
        "分解表",
        "进展情况",
        "已完成资金统计填报计划。",
        "=已走访30家企业",
        "第1页，共",
    ] {
        assert!(first.contains(words), "{words}: {first}");
    }
    assert!(
        pages[1].contains("年度目标及工作内容"),
        "headings on every page"
    );
    let back = world.run(&[
        "plan",
        "import",
        &path,
        "--id",
        "dongguan-2022",
        "--accept",
        "--json",
    ]);
    let back: Value = serde_json::from_str(&back).unwrap();
    for changed in ["new", "changed", "removed"] {
        assert_eq!(back[changed], 0, "{back}");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_prints_as_an_official_document() {
    let world = office();
    let daemon = after_the_quarter(&world).await;
    let (draft, path) = file(&world, "draft.docx");
    world.run(&["bulletin", "--quarter", "2022Q1", "--draft", "-o", &path]);
    let (pages, _) = printed(&world, &draft);
    assert!(pages[0].contains("某府办督〔2022〕号"), "{}", pages[0]);
    let (bulletin, path) = file(&world, "bulletin.docx");
    for _ in 0..2 {
        world.run(&["bulletin", "--quarter", "2022Q1", "-o", &path]);
    }
    let (pages, size) = printed(&world, &bulletin);
    assert!(size.contains("A4"), "{size}");
    for words in [
        "某某市人民政府办公室文件",
        "某府办督〔2022〕1号",
        "关于2022年第一季度市政府主要目标任务（含十件民生实事）进展情况的通报",
        "—1—",
    ] {
        assert!(pages[0].contains(words), "{words}: {}", pages[0]);
    }
    let whole = pages.concat();
    for words in [
        "一、总体情况",
        "按进展情况分，已完成1项，占",
        "逾期4个工作日",
        "附件：1.2022年第一季度未报送事项清单",
        "某某市人民政府办公室2022年4月7日",
        "各责任领导分管任务进展情况汇总表",
    ] {
        assert!(whole.contains(words), "{words}: {whole}");
    }
    let last = pages.last().unwrap();
    assert!(
        last.contains("抄送：市委办公室，市人大常委会办公室，市政协办公室。"),
        "{last}"
    );
    assert!(last.contains("2022年4月7日印发"), "{last}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_print_a_unit_a_page_and_keep_their_numbers() {
    let world = office();
    let daemon = after_the_quarter(&world).await;
    let page = daemon.page("/papers?quarter=2022Q1").await;
    assert!(page.contains("生成督办通知单"), "{page}");
    let units = [
        ("unit", "市水务局".to_owned()),
        ("unit", "市教育局".to_owned()),
    ];
    let mut made = Vec::new();
    for _ in 0..2 {
        let answer = daemon.submit("/supervision-notice.docx", &units).await;
        assert_eq!(answer.status(), 200);
        made.push(answer.bytes().await.unwrap());
    }
    assert_eq!(made[0], made[1]);
    let (notices, _) = file(&world, "notices.docx");
    fs::write(&notices, &made[0]).unwrap();
    let (pages, size) = printed(&world, &notices);
    assert!(size.contains("A4"), "{size}");
    for (unit, number) in [("市水务局", 1), ("市教育局", 2)] {
        let page = pages
            .iter()
            .find(|page| page.contains(&format!("{unit}：")));
        let page = page.unwrap();
        assert!(
            page.contains(&format!("某府办督办〔2022〕{number}号")),
            "{page}"
        );
        assert!(page.starts_with("督办通知单"), "{page}");
    }
    assert!(pages.concat().contains("签收回执"));
    daemon.stop().await;
}
