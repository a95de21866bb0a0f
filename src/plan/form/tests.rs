//! The same table in every form, the layouts of other offices, and files that mean harm.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::super::{Mapping, Reading, Source, TableError, read};
use crate::domain::plan::{FindingCode, Severity};

pub(in crate::plan) const SEED: &str = include_str!("../../../seeds/dongguan-2022.txt");

const HEADINGS: [&str; 8] = [
    "总体要求",
    "年度目标及工作内容",
    "季度进度安排",
    "责任领导",
    "牵头单位",
    "责任人",
    "直接责任人",
    "协助单位",
];

pub(in crate::plan) type Rows = Vec<Vec<String>>;

pub(in crate::plan) fn source(file_name: &str) -> Source {
    Source {
        file_name: file_name.into(),
        ..Source::default()
    }
}

fn rows(text: &str) -> Rows {
    let lines = text.lines().map(|line| line.trim_end_matches('\n'));
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect();
    lines.map(cells).collect()
}

/// The seed as a program would write it: paragraphs as lines of a cell, no marks.
pub(in crate::plan) fn seed_rows() -> Rows {
    let unmarked = |cell: &String| {
        let paragraphs = cell.replace("</p>", "\n").replace("<p>", "");
        let lines = paragraphs.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let marked = rows(SEED);
    marked
        .iter()
        .map(|row| row.iter().map(unmarked).collect())
        .collect()
}

pub(in crate::plan) fn xlsx(rows: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

fn document(body: &str) -> Vec<u8> {
    let xml = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}<w:sectPr/></w:body></w:document>"#
    );
    zipped(&[("_rels/.rels", RELATIONS), ("word/document.xml", &xml)])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn paragraph(text: &str) -> String {
    format!(
        "<w:p><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
        escaped(text)
    )
}

fn cell(text: &str) -> String {
    let paragraphs: String = text.split('\n').map(paragraph).collect();
    format!("<w:tc><w:tcPr/>{paragraphs}</w:tc>")
}

fn table(rows: &[Vec<String>]) -> String {
    let row = |row: &Vec<String>| {
        let cells: String = row.iter().map(|text| cell(text)).collect();
        format!("<w:tr>{cells}</w:tr>")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<w:tbl><w:tblPr/>{rows}</w:tbl>")
}

/// Lines of one cell as paragraphs, the rest as one table.
pub(in crate::plan) fn docx(rows: &[Vec<String>]) -> Vec<u8> {
    let (text, cells): (Rows, Rows) = rows.iter().cloned().partition(|row| row.len() < 2);
    let above: String = text.iter().map(|row| paragraph(&row[0])).collect();
    document(&(above + &table(&cells)))
}

pub(in crate::plan) fn csv(rows: &[Vec<String>]) -> String {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let mut text = String::new();
    for row in rows {
        writeln!(
            text,
            "{}\r",
            row.iter().map(quoted).collect::<Vec<_>>().join(",")
        )
        .unwrap();
    }
    text
}

fn in_gb18030(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::GB18030.encode(text);
    assert!(!lost);
    bytes.into_owned()
}

pub(in crate::plan) fn codes(reading: &Reading) -> Vec<(Option<u32>, FindingCode)> {
    let mut codes: Vec<_> = reading.findings.iter().map(|f| (f.task, f.code)).collect();
    codes.sort();
    codes
}

/// A small table: title and rows, cells parted by `|`.
pub(in crate::plan) fn small(lines: &[&str]) -> Rows {
    let cells = |line: &&str| {
        line.split('|')
            .map(|cell| cell.replace('⏎', "\n"))
            .collect()
    };
    lines.iter().map(cells).collect()
}

fn told(rows: &[Vec<String>]) -> String {
    told_bytes(&xlsx(rows), &source("table.xlsx"))
}

/// What was read, for people: each task, its schedule's text, then the findings.
/// What the schedule means is for the tests of its reader.
fn told_bytes(bytes: &[u8], source: &Source) -> String {
    match read(bytes, source) {
        Ok(reading) => told_reading(&reading),
        Err(error) => error.to_string(),
    }
}

fn told_reading(reading: &Reading) -> String {
    let mut text = format!(
        "{} {}\n",
        reading.plan.heading.year, reading.plan.heading.title
    );
    for task in &reading.plan.tasks {
        let list = |names: &[String]| names.join("、");
        writeln!(
            text,
            "{}. {} [{}] 领导 {} 牵头 {} 责任人 {} 直接 {} 协助 {}",
            task.no,
            task.goal.replace('\n', "⏎"),
            task.requirement
                .as_deref()
                .unwrap_or("-")
                .replace('\n', "⏎"),
            list(&task.leaders),
            list(&task.lead_units),
            list(&task.responsible),
            list(&task.direct_owners),
            list(&task.assisting_units)
        )
        .unwrap();
        writeln!(text, "   {}", task.schedule.replace('\n', "⏎")).unwrap();
    }
    let noise = [
        FindingCode::MissingLeader,
        FindingCode::MissingResponsible,
        FindingCode::Unscheduled,
        FindingCode::AmbiguousTime,
    ];
    let no_columns = |f: &&crate::domain::plan::Finding| {
        !noise.contains(&f.code)
            && (f.code != FindingCode::MissingColumn || f.severity == Severity::Error)
    };
    for f in reading.findings.iter().filter(no_columns) {
        let row = f.row.unwrap_or_default();
        let repair = f.repair.as_deref().unwrap_or_default();
        writeln!(
            text,
            "{} {} 第{row}行 {} → {repair}",
            f.severity.as_str(),
            f.code.as_str(),
            f.message
        )
        .unwrap();
    }
    text
}

#[test]
fn the_seed_is_the_same_plan_in_every_form() {
    let plain = read(SEED.as_bytes(), &source("dongguan-2022.txt")).unwrap();
    let rows = seed_rows();
    let comma = csv(&rows);
    let tabs: String = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
                .collect::<Vec<_>>()
        })
        .map(|row| row.join("\t") + "\n")
        .collect();
    for (form, bytes) in [
        ("xlsx", xlsx(&rows)),
        ("docx", docx(&rows)),
        ("csv", format!("\u{feff}{comma}").into_bytes()),
        ("csv", comma.clone().into_bytes()),
        ("csv", in_gb18030(&comma)),
        ("tsv", tabs.into_bytes()),
        ("txt", in_gb18030(SEED)),
        ("ods", ods(&rows)),
        ("xls", xls(&rows, None)),
    ] {
        let reading = read(&bytes, &source(&format!("dongguan-2022.{form}"))).unwrap();
        for (before, now) in plain.plan.tasks.iter().zip(&reading.plan.tasks) {
            assert_eq!(before, now, "{form}");
        }
        assert_eq!(plain.plan, reading.plan, "{form}");
        assert_eq!(codes(&plain), codes(&reading), "{form}");
    }
    let xlsx = read(&xlsx(&rows), &source("dongguan-2022.xlsx")).unwrap();
    let places = |reading: &Reading| reading.findings.iter().map(|f| f.row).collect::<Vec<_>>();
    assert_eq!(places(&plain), places(&xlsx), "rows as Excel numbers them");
    let hidden = read(&xls(&rows, Some(200)), &source("dongguan-2022.xls")).unwrap();
    let told = hidden
        .findings
        .iter()
        .find(|f| f.code == FindingCode::HiddenRows);
    assert_eq!(told.unwrap().row, Some(201));
}

pub(in crate::plan) fn ods(rows: &[Vec<String>]) -> Vec<u8> {
    let cell = |text: &String| {
        let lines: String = text
            .split('\n')
            .map(|line| format!("<text:p>{}</text:p>", escaped(line)))
            .collect();
        match text.is_empty() {
            true => "<table:table-cell/>".to_owned(),
            false => {
                format!("<table:table-cell office:value-type=\"string\">{lines}</table:table-cell>")
            }
        }
    };
    let row = |row: &Vec<String>| {
        let cells: String = row.iter().map(cell).collect();
        format!("<table:table-row>{cells}</table:table-row>")
    };
    let rows: String = rows.iter().map(row).collect();
    ods_of(&format!(
        "<table:table table:name=\"表\">{rows}</table:table>"
    ))
}

fn ods_of(tables: &str) -> Vec<u8> {
    let xml = format!(
        "<office:document-content><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    );
    zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &xml),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn columns_may_stand_in_any_order(order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
        let rows: Rows = seed_rows().into_iter().take(60).collect();
        let moved: Rows = rows
            .iter()
            .map(|row| match row.len() {
                0..2 => row.clone(),
                _ => order.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect(),
            })
            .collect();
        let plain = read(&xlsx(&rows), &source("t-2022.xlsx")).unwrap();
        let moved = read(&xlsx(&moved), &source("t-2022.xlsx")).unwrap();
        prop_assert_eq!(plain.plan, moved.plan);
    }

    #[test]
    fn a_cell_cut_at_a_page_break_is_whole_again(task in 0_usize..40, cut in 1_usize..400) {
        let rows: Rows = seed_rows().into_iter().take(70).collect();
        let plain = read(&xlsx(&rows), &source("t-2022.xlsx")).unwrap();
        let tasks: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].len() > 4 && rows[*at][1].contains(". ")).collect();
        let at = tasks[task % tasks.len()];
        let schedule: Vec<char> = rows[at][2].chars().collect();
        let cut = 1 + cut % (schedule.len() - 1);
        let mut parted = rows.clone();
        parted[at][2] = schedule[..cut].iter().collect();
        let mut rest = vec![String::new(); 8];
        rest[2] = schedule[cut..].iter().collect();
        parted.insert(at + 1, HEADINGS.map(str::to_owned).to_vec());
        parted.insert(at + 2, rest);
        let joined = read(&xlsx(&parted), &source("t-2022.xlsx")).unwrap();
        // A cut through the blanks between two sentences takes them along.
        let words = |reading: &Reading| {
            let mut tasks = reading.plan.tasks.clone();
            for task in &mut tasks {
                task.schedule.retain(|c| !c.is_whitespace());
                for one in &mut task.milestones {
                    one.content.retain(|c| !c.is_whitespace());
                }
            }
            tasks
        };
        prop_assert_eq!(words(&plain), words(&joined));
    }
}

#[test]
fn headings_go_by_other_names_under_titles_and_over_notes() {
    insta::assert_snapshot!(told(&small(&[
        "附件1",
        "２０２３年度市政府重点工作分解表",
        "制表单位：|市政府督查室||||制表时间：|2023年2月3日",
        "",
        "序号|重点工作|具体举措|工作进度|责任单位|配合单位|经办人|备注",
        "一、经济发展",
        "1|扩大投资|推进项目 10 个|一季度，立项。二季度，开工|市发展改革局|市财政局、市统计局|王  健|",
        "２|促进消费|发放消费券|６月底前，发放|市商务局/市财政局|—|李强 13800000000⏎赵小明|重点",
        "二、民生保障",
        "3|新增学位|/|四季度，完成|市教育局|无|张琦/彭燕|",
        "合计|3项||||||",
        "注：1.本表按季度报送。",
        "2.联系电话：12345678",
        "填表人：王五||审核：赵六||||",
    ])));
}

#[test]
fn a_column_for_each_quarter_makes_one_schedule() {
    insta::assert_snapshot!(told(&small(&[
        "2023年重点任务台账",
        "序号|目标任务|季度进度安排||||牵头单位|联络员",
        "||第一季度|第二季度|第三季度|第四季度||",
        "1|建设示范园区|开展调研|同左|—|⏎1.印发方案；⏎2.召开推进会|市工业和信息化局|张三",
        "2|改造老旧小区|完成立项|开工建设|/|6月底前完成招标，12月底竣工|市住房城乡建设局|李四",
    ])));
}

#[test]
fn columns_of_quarters_are_milestones_in_their_quarters() {
    let rows = small(&[
        "2023年重点任务台账",
        "序号|目标任务|一季度目标|二季度目标|三季度目标|四季度目标|牵头单位|联络员",
        "1|建设示范园区|开展调研|同左|—|印发方案；召开推进会|市工业和信息化局|张三",
    ]);
    let reading = read(&xlsx(&rows), &source("t.xlsx")).unwrap();
    let told = reading.plan.tasks[0].milestones.iter();
    let told: Vec<_> = told
        .map(|one| {
            (
                one.first_quarter.number(),
                one.last_quarter.number(),
                one.content.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, 1, "开展调研"),
            (2, 2, "开展调研"),
            (4, 4, "印发方案；召开推进会")
        ]
    );
}

#[test]
fn a_date_is_a_schedule_and_none_is_every_quarter() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    sheet.write(0, 0, "2023年督办事项").unwrap();
    for (column, heading) in (0..).zip(["序号", "督办事项", "完成时限", "主办单位", "具体责任人"])
    {
        sheet.write(1, column, heading).unwrap();
    }
    for (row, no, goal) in [
        (2, 1, "建成体育公园"),
        (3, 2, "修订管理办法"),
        (4, 3, "完成验收"),
    ] {
        sheet.write(row, 0, no).unwrap();
        sheet.write(row, 1, goal).unwrap();
        sheet.write(row, 3, "市文化局").unwrap();
        sheet.write(row, 4, "王五").unwrap();
    }
    let date = ExcelDateTime::from_ymd(2023, 6, 30).unwrap();
    sheet.write_with_format(2, 2, date, &day).unwrap();
    sheet.write(3, 2, "2023/9/30").unwrap();
    sheet.write(4, 2, "第三季度末").unwrap();
    let dated = told_bytes(&book.save_to_buffer().unwrap(), &source("t.xlsx"));
    let none = told(&small(&[
        "2023年重点工作",
        "任务|责任单位|责任人",
        "办好运动会|市体育局|王五",
        "修好路|市交通局|赵六",
    ]));
    insta::assert_snapshot!(dated + &none);
}

#[test]
fn sections_with_numbers_and_items_of_several_rows_are_put_together() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Format::new();
    let rows = small(&[
        "重点任务清单",
        "序号|2023年工作任务|时间节点|责任部门|联系人及电话",
        "一|经济发展||",
        "1|扩大有效投资|第一季度|市发展改革局|王健（0769-22830000）",
        "||第三季度|市财政局|王健",
        "2|促进消费恢复和|第四季度|市商务局|李强",
        "|扩大||||",
        "二|社会民生||",
        "3|新增学位|第四季度|市教育局|张琦",
    ]);
    for (row, cells) in (0..).zip(&rows) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    sheet.merge_range(3, 0, 4, 0, "1", &plain).unwrap();
    sheet
        .merge_range(3, 1, 4, 1, "扩大有效投资", &plain)
        .unwrap();
    insta::assert_snapshot!(told_bytes(
        &book.save_to_buffer().unwrap(),
        &source("t.xlsx")
    ));
}

#[test]
fn merged_hidden_and_other_sheets_are_read_as_meant() {
    let mut book = Workbook::new();
    let cover = book.add_worksheet();
    cover.set_name("封面").unwrap();
    cover.write(0, 0, "2023年").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("分解表").unwrap();
    let plain = Format::new();
    sheet
        .merge_range(0, 0, 0, 5, "2023年任务分解表", &plain)
        .unwrap();
    for (column, heading) in (0..).zip([
        "类别",
        "序号",
        "目标任务",
        "上半年",
        "下半年",
        "牵头单位",
        "直接责任人",
    ]) {
        sheet.write(1, column, heading).unwrap();
    }
    sheet.merge_range(2, 0, 4, 0, "经济", &plain).unwrap();
    for (row, no) in [(2, 1), (3, 2), (4, 3), (5, 4)] {
        sheet.write(row, 1, no).unwrap();
        sheet.write(row, 2, format!("任务{no}")).unwrap();
    }
    sheet
        .merge_range(2, 3, 2, 4, "每季度召开一次推进会", &plain)
        .unwrap();
    sheet.write(3, 3, "完成方案").unwrap();
    sheet.write(4, 4, "完成建设").unwrap();
    sheet.write(5, 3, "立项").unwrap();
    sheet.merge_range(2, 5, 3, 5, "市财政局", &plain).unwrap();
    sheet.write(4, 5, "市教育局").unwrap();
    sheet.write(5, 0, "民生").unwrap();
    sheet.write(5, 5, "市教育局").unwrap();
    sheet.merge_range(2, 6, 3, 6, "王健", &plain).unwrap();
    sheet.write(4, 6, "李强").unwrap();
    sheet.write(5, 6, "李强").unwrap();
    sheet.set_row_hidden(4).unwrap();
    sheet.set_column_hidden(5).unwrap();
    let copy = book.add_worksheet();
    copy.set_name("旧表").unwrap();
    for (column, heading) in (0..).zip(["目标任务", "牵头单位", "直接责任人"]) {
        copy.write(0, column, heading).unwrap();
    }
    insta::assert_snapshot!(told_bytes(
        &book.save_to_buffer().unwrap(),
        &source("t.xlsx")
    ));
}

#[test]
fn word_tables_are_read_as_they_print() {
    let head = |names: &[&str]| table(&[names.iter().map(|n| (*n).to_owned()).collect()]);
    let merged = |text: &str| {
        format!(
            "<w:tc><w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>{}</w:tc>",
            paragraph(text)
        )
    };
    let below = "<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>";
    let names = [
        "总体要求",
        "年度目标及工作内容",
        "一季度",
        "二季度",
        "牵头单位",
        "直接责任人",
    ];
    let heading: String = names.iter().map(|name| cell(name)).collect();
    let heading = format!("<w:tr><w:trPr><w:tblHeader/></w:trPr>{heading}</w:tr>");
    // Runs parted anywhere, tracked changes, hidden text, a field, a tab, a content control.
    let nested = "<w:tc><w:p><w:r><w:t>1. 推进</w:t></w:r><w:ins><w:r><w:t>“一网</w:t></w:r></w:ins><w:del><w:r><w:delText>旧</w:delText><w:t>旧</w:t></w:r></w:del><w:sdt><w:sdtPr><w:t>提示</w:t></w:sdtPr><w:sdtContent><w:r><w:t>统管&#8221;</w:t></w:r></w:sdtContent></w:sdt><w:r><w:rPr><w:vanish/></w:rPr><w:t>隐藏</w:t></w:r></w:p><w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>建设</w:t></w:r></w:p><w:p><w:r><w:t>平台</w:t><w:br/><w:t>二期</w:t></w:r></w:p></w:tc>";
    let spanned = format!(
        "<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>{}</w:tc>",
        paragraph("完成招标")
    );
    let inner = format!(
        "<w:tc>{}{}<w:p/></w:tc>",
        paragraph("完成"),
        table(&small(&["甲|乙"]))
    );
    let rows = [
        heading.clone(),
        format!(
            "<w:tr>{}{nested}{}{}{}{}</w:tr>",
            merged("(一)数字政府。"),
            cell("立项"),
            cell("建成"),
            cell("市政数局"),
            cell("王健\n李强")
        ),
        format!(
            "<w:tr>{below}{}{spanned}{}{}</w:tr>",
            cell("2. 开放数据"),
            cell("市政数局"),
            cell("王健")
        ),
        format!(
            "<w:tr><w:trPr><w:del/></w:trPr>{}</w:tr>",
            "删".repeat(0)
                + &cell("")
                + &cell("9. 删去")
                + &cell("")
                + &cell("")
                + &cell("市政数局")
                + &cell("王健")
        ),
    ]
    .concat();
    let second = [
        heading,
        format!(
            "<w:tr>{}{}{}{inner}{}{}</w:tr>",
            cell("(二)民生。"),
            cell("3. 修路"),
            cell(""),
            cell("市交通局"),
            cell("赵六")
        ),
    ]
    .concat();
    let body = paragraph("2023年任务分解表")
        + &format!("<w:tbl>{rows}</w:tbl>")
        + &paragraph("")
        + &format!("<w:tbl>{second}</w:tbl>")
        + &head(&["签发", "日期"]);
    insta::assert_snapshot!(told_bytes(&document(&body), &source("t.docx")));
}

#[test]
fn a_heading_that_is_not_known_is_asked_for_and_said_once() {
    let table = small(&[
        "2023年分解表",
        "序号|干什么|进度安排|谁牵头|负责同志",
        "1|修路|一季度，开工|市交通局|王健",
    ]);
    let unknown = told(&table);
    let mapping = Mapping::parse(&["干什么=目标任务", "谁牵头=牵头单位"]).unwrap();
    let asked = |columns: &Mapping| {
        let source = Source {
            columns: columns.clone(),
            ..source("t.xlsx")
        };
        told_bytes(&xlsx(&table), &source)
    };
    let still = asked(&mapping);
    let later = Mapping::parse(&["负责同志=direct_owners", "谁牵头＝ 牵头单位"]).unwrap();
    let mapping = mapping.with(later);
    assert_eq!(Mapping::parse(&mapping.entries()).unwrap(), mapping);
    let wrong = ["负责同志", "=牵头单位", "负责同志=负责"];
    let wrong = wrong.map(|entry| Mapping::parse(&[entry]).unwrap_err().to_string());
    insta::assert_snapshot!([unknown, still, asked(&mapping), wrong.join("\n")].join("\n----\n"));
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let whole = xlsx(&seed_rows());
    let mut told = String::new();
    let mut tell = |file: &str, bytes: &[u8]| {
        let error = read(bytes, &source(file)).unwrap_err();
        writeln!(told, "{error}").unwrap();
    };
    tell("断.xlsx", &whole[..whole.len() / 2]);
    tell("断.docx", &docx(&seed_rows())[..20_000]);
    tell("空.xlsx", &zipped(&[("x.txt", "")]));
    tell(
        "半.docx",
        &zipped(&[("word/document.xml", "<w:document><w:body><w:p>")]),
    );
    tell(
        "坏.xlsx",
        &zipped(&[("xl/workbook.xml", "<workbook><sheets>")]),
    );
    tell("旧.doc", &compound("WordDocument"));
    tell("密.xlsx", &compound("EncryptedPackage"));
    tell("坏.xls", &compound("Workbook"));
    tell("其他.msg", &compound("__properties_version1.0"));
    tell("a.pdf", b"%PDF-1.7\n");
    tell("a.png", b"\x89PNG\r\n\x1a\n");
    tell("a.jpg", b"\xff\xd8\xff\xe0\0");
    tell("a.rtf", b"{\\rtf1 ");
    tell("导出.xls", "\u{feff}<html><table>".as_bytes());
    tell(
        "a.odt",
        &zipped(&[
            ("mimetype", "application/vnd.oasis.opendocument.text"),
            ("content.xml", "<x/>"),
        ]),
    );
    tell("a.xlsb", &zipped(&[("xl/workbook.bin", "")]));
    tell("a.rar", b"Rar!\x1a\x07");
    tell("通知.docx", &document(&paragraph("各单位：")));
    insta::assert_snapshot!(told);
}

const LAST: u32 = 0xffff_fffe;

/// An old workbook: a compound file of one stream, which is a list of records.
pub(in crate::plan) fn xls(rows: &[Vec<String>], hidden: Option<u16>) -> Vec<u8> {
    let record = |kind: u16, data: &[u8]| {
        let length = u16::try_from(data.len()).unwrap();
        [&kind.to_le_bytes(), &length.to_le_bytes(), data].concat()
    };
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let begin = |kind: u8| record(0x0809, &[&[0, 6, kind, 0][..], &[0; 12]].concat());
    let end = record(0x000a, &[]);
    let head = begin(5);
    let name = utf16("表");
    let at = u32::try_from(head.len() + 4 + 8 + name.len() + end.len()).unwrap();
    let listed = record(
        0x0085,
        &[&at.to_le_bytes()[..], &[0, 0, 1, 1], &name].concat(),
    );
    let mut stream = [head, listed, end.clone(), begin(0x10)].concat();
    for (row, cells) in (0_u16..).zip(rows) {
        if hidden == Some(row) {
            let data = [&row.to_le_bytes()[..], &[0; 10], &[0x20, 0, 0, 0]].concat();
            stream.extend(record(0x0208, &data));
        }
        for (column, cell) in (0_u16..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            let length = u16::try_from(cell.encode_utf16().count()).unwrap();
            let place = [row, column, 0, length].map(u16::to_le_bytes).concat();
            stream.extend(record(0x0204, &[&place[..], &[1], &utf16(cell)].concat()));
        }
    }
    stream.extend(end);
    stream.resize(stream.len().next_multiple_of(512), 0);
    of_stream("Workbook", &stream)
}

/// A compound file with one stream of this name: header, folder, stream, chains.
fn of_stream(name: &str, stream: &[u8]) -> Vec<u8> {
    let sectors = u32::try_from(stream.len() / 512).unwrap();
    let chains = (sectors + 1).div_ceil(127);
    let mut bytes = compound(name);
    let folder = bytes.split_off(1024);
    bytes.truncate(512);
    bytes[24] = 0x3e;
    bytes[26] = 3;
    bytes[28..30].copy_from_slice(&[0xfe, 0xff]);
    bytes[32] = 6;
    bytes[44..48].copy_from_slice(&chains.to_le_bytes());
    bytes[48..52].copy_from_slice(&0_u32.to_le_bytes());
    bytes[56..60].copy_from_slice(&4096_u32.to_le_bytes());
    bytes[60..64].copy_from_slice(&LAST.to_le_bytes());
    for chain in 0..chains {
        let at = 76 + usize::try_from(chain).unwrap() * 4;
        bytes[at..at + 4].copy_from_slice(&(1 + sectors + chain).to_le_bytes());
    }
    let mut folder = folder;
    folder[66] = 2;
    folder[116..120].copy_from_slice(&1_u32.to_le_bytes());
    folder[120..124].copy_from_slice(&u32::try_from(stream.len()).unwrap().to_le_bytes());
    bytes.extend(folder);
    bytes.extend(stream);
    let mut next: Vec<u32> = vec![LAST];
    next.extend((1..sectors).map(|sector| sector + 1));
    next.push(LAST);
    next.extend(std::iter::repeat_n(
        0xffff_fffd,
        usize::try_from(chains).unwrap(),
    ));
    next.resize(usize::try_from(chains).unwrap() * 128, 0xffff_ffff);
    bytes.extend(next.into_iter().flat_map(u32::to_le_bytes));
    bytes
}

/// A compound file with one entry of this name and nothing in it.
fn compound(name: &str) -> Vec<u8> {
    let mut bytes = vec![0_u8; 512 * 3];
    bytes[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    bytes[30] = 9;
    bytes[48] = 1;
    bytes[68..72].copy_from_slice(&LAST.to_le_bytes());
    bytes[76..512].fill(0xff);
    bytes[76..80].fill(0);
    bytes[512..1024].fill(0xff);
    for (at, unit) in name.encode_utf16().enumerate() {
        bytes[1024 + at * 2..1026 + at * 2].copy_from_slice(&unit.to_le_bytes());
    }
    bytes[1024 + 64] = u8::try_from(name.len() * 2 + 2).unwrap();
    bytes
}

fn worksheet(rows: &str) -> Vec<u8> {
    worksheets(&[rows])
}

fn worksheets(sheets: &[&str]) -> Vec<u8> {
    let numbers = 1..=sheets.len();
    let list: String = numbers
        .clone()
        .map(|n| format!("<sheet name=\"表{n}\" sheetId=\"{n}\" r:id=\"r{n}\"/>"))
        .collect();
    let relations: String = numbers
        .clone()
        .map(|n| format!("<Relationship Id=\"r{n}\" Type=\"x/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"))
        .collect();
    let workbook = format!("<workbook><sheets>{list}</sheets></workbook>");
    let relations = format!("<Relationships>{relations}</Relationships>");
    let xml: Vec<(String, String)> = numbers
        .zip(sheets)
        .map(|(n, rows)| {
            (
                format!("xl/worksheets/sheet{n}.xml"),
                format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
            )
        })
        .collect();
    let mut parts = vec![
        ("xl/workbook.xml", workbook.as_str()),
        ("xl/_rels/workbook.xml.rels", relations.as_str()),
    ];
    parts.extend(
        xml.iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    zipped(&parts)
}

fn row(cells: &[&str]) -> String {
    let cell = |text: &&str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    format!("<row>{}</row>", cells.iter().map(cell).collect::<String>())
}

#[test]
fn files_that_mean_harm_are_refused_in_good_time() {
    let begun = std::time::Instant::now();
    let head = row(&["目标任务", "进度安排", "牵头单位", "直接责任人"]);
    let refused = |bytes: &[u8], what: &str| {
        let error = read(bytes, &source("t-2022.xlsx")).unwrap_err();
        let fits = matches!(
            error,
            TableError::TooMuch { .. } | TableError::TooManyTasks { .. }
        );
        assert!(fits, "{what}: {error}");
    };
    // Sixty megabytes of nothing in sixty thousand bytes.
    refused(
        &worksheet(&(head.clone() + &" ".repeat(60 << 20))),
        "a bomb",
    );
    let million = row(&["任务"]).repeat(1_000_000);
    refused(&worksheet(&(head.clone() + &million)), "a million rows");
    let text = "任".repeat(10_000);
    let merged = format!(
        "{head}{}{}",
        row(&[&text]),
        "<row><c t=\"inlineStr\"><is><t>一</t></is></c></row>".repeat(20_000)
    );
    let merged = format!(
        "<worksheet><sheetData>{merged}</sheetData><mergeCells><mergeCell ref=\"A2:A20000\"/></mergeCells></worksheet>"
    );
    let bytes = zipped(&[
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"表\" r:id=\"r1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"s.xml\"/></Relationships>",
        ),
        ("xl/s.xml", &merged),
    ]);
    refused(&bytes, "text merged over all rows");
    let cell =
        "<table:table-cell office:value-type=\"string\"><text:p>一</text:p></table:table-cell>";
    let rows = format!(
        "<table:table><table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row></table:table>"
    );
    refused(&ods_of(&rows), "a row repeated a million times");
    let csv = "目标任务,进度安排,牵头单位,直接责任人\n".to_owned()
        + &"甲,一季度,乙,丙\n".repeat(1_000_000);
    refused(csv.as_bytes(), "a million lines");
    let many = "<table:table><table:table-row table:number-rows-repeated=\"40000\"><table:table-cell><text:p>一</text:p></table:table-cell></table:table-row></table:table>".repeat(500);
    refused(&ods_of(&many), "rows repeated in many tables");
    // Each would be copied for every task, or joined to the one before again and again.
    let head = "总体要求\t目标任务\t进度安排\t牵头单位\t直接责任人\n";
    let long = format!("{head}{}", "任".repeat(300_000)) + &"\t1. 甲\t一季度\t乙\t丙\n".repeat(100);
    refused(long.as_bytes(), "a long requirement over many tasks");
    let rest = format!(
        "{head}\t1. 甲\t一季度\t乙\t丙\n{}",
        "\t\t一季度，开工\t\t\n".repeat(45_000)
    );
    let reading = read(rest.as_bytes(), &source("t-2022.txt")).unwrap();
    assert_eq!(reading.plan.tasks.len(), 1);
    let head = row(&["目标任务", "进度安排", "牵头单位", "直接责任人"]);
    // A hundred worksheets, the table on the last.
    let other = row(&["姓名", "电话"]).repeat(100);
    let table = head + &row(&["1. 修路", "一季度，开工", "市交通局", "王健"]);
    let mut sheets = vec![other.as_str(); 99];
    sheets.push(&table);
    let reading = read(&worksheets(&sheets), &source("t-2022.xlsx")).unwrap();
    assert_eq!(reading.plan.tasks.len(), 1);
    assert!(begun.elapsed().as_secs() < 100, "{:?}", begun.elapsed());
}

proptest! {
    #[test]
    fn any_part_is_read_or_refused(xml in "(<row r=\"[0-9]{1,6}\">|</row>|<c r=\"[A-Z]{1,4}[0-9]{1,7}\" t=\"(s|n|d|str)\">|</c>|<v>|</v>|[0-9.]{1,9}|目标任务|<mergeCell ref=\"A1:C[0-9]{1,9}\"/>|<col min=\"[0-9]\" max=\"[0-9]{1,20}\" hidden=\"1\"/>|&#x?[0-9a-f]{1,8};|<|>){0,40}") {
        let _ = read(&worksheet(&xml), &source("t-2022.xlsx"));
    }

    #[test]
    fn any_document_is_read_or_refused(xml in "(<w:tbl>|</w:tbl>|<w:tr>|</w:tr>|<w:tc>|</w:tc>|<w:gridSpan w:val=\"[0-9]{1,12}\"/>|<w:vMerge/>|<w:trPr>|</w:trPr>|<w:gridBefore w:val=\"[0-9]{1,9}\"/>|<w:p>|</w:p>|<w:r>|</w:r>|<w:del>|</w:del>|<w:t>目标任务</w:t>|<w:t>牵头单位</w:t>){0,60}") {
        let _ = read(&document(&xml), &source("t-2022.docx"));
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0_usize..4000, with in any::<u8>(), name in "(Workbook|WordDocument|Book)") {
        let table = small(&["2023年表", "目标任务|进度安排|牵头单位|直接责任人", "1. 甲|一季度|乙|丙"]);
        for mut bytes in [xlsx(&table), docx(&table), ods(&table), compound(&name)] {
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = read(&bytes, &source("t-2022.x"));
        }
    }
}
