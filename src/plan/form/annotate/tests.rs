//! Workbooks commented and read again.

use std::io::{Cursor, Read as _};

use rust_xlsxwriter::{Note, Workbook};
use zip::ZipArchive;

use super::comments::references;
use super::package::COMMENTS_PART;
use super::*;
use crate::plan::read;

const TABLE: &[u8] = include_bytes!("../../../../seeds/dongguan-2022.txt");

fn source(name: &str) -> Source {
    Source {
        file_name: name.into(),
        ..Source::default()
    }
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// The real table's beginning and item 130 as a workbook, with an office's own note or not.
fn workbook(with_note: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(TABLE);
    let mut book = Workbook::new();
    let page = book.add_worksheet().set_name("分解表").unwrap();
    page.write_string(0, 0, "2022年市政府主要目标任务分解表")
        .unwrap();
    let header = text
        .lines()
        .find(|line| line.starts_with("总体要求"))
        .unwrap();
    let rows = text
        .lines()
        .filter(|line| line.contains("130. ") || line.contains("122. "));
    for (row, line) in (1..).zip([header].into_iter().chain(rows)) {
        for (column, cell) in (0..).zip(line.split('\t')) {
            page.write_string(row, column, cell).unwrap();
        }
    }
    if with_note {
        page.insert_note(2, 6, &Note::new("请李科长补")).unwrap();
    }
    page.set_freeze_panes(2, 0).unwrap();
    book.add_worksheet().set_name("说明").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_stays_what_it_is_but_for_the_comments() {
    for with_note in [false, true] {
        let before = workbook(with_note);
        let source = source("分解表.xlsx");
        let reading = read(&before, &source).unwrap();
        let (after, cells) = annotate(&before, &source, &reading.findings).unwrap();
        assert!(cells >= 2, "{cells}");
        assert_eq!(read(&after, &source).unwrap(), reading);
        let (old, new) = (parts(&before), parts(&after));
        let changed: Vec<&str> = old
            .iter()
            .filter(|(name, bytes)| new.get(*name) != Some(*bytes))
            .map(|(name, _)| name.as_str())
            .collect();
        let expected: &[&str] = match with_note {
            false => &["[Content_Types].xml", "xl/worksheets/sheet1.xml"],
            true => &["xl/comments1.xml", "xl/drawings/vmlDrawing1.vml"],
        };
        assert_eq!(changed, expected);
        let comments = match with_note {
            true => &new["xl/comments1.xml"],
            false => &new[COMMENTS_PART],
        };
        let comments = String::from_utf8_lossy(comments);
        assert!(comments.contains("疑似整行错开一列"), "{comments}");
        assert_eq!(comments.contains("请李科长补"), with_note);
        let names = references(&comments);
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "one comment a cell");
        if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
            let name = format!("annotated-{with_note}.xlsx");
            std::fs::write(std::path::Path::new(&folder).join(name), after).unwrap();
        }
    }
}

#[test]
fn another_form_becomes_a_workbook_with_notes() {
    let source = source("dongguan-2022.txt");
    let reading = read(TABLE, &source).unwrap();
    let (copy, cells) = annotate(TABLE, &source, &reading.findings).unwrap();
    let comments = parts(&copy).remove("xl/comments1.xml").unwrap();
    let comments = String::from_utf8(comments).unwrap();
    assert_eq!(references(&comments).len(), cells);
    assert!(comments.contains("疑似整行错开一列"));
    let again = read(&copy, &self::source("copy.xlsx")).unwrap();
    assert_eq!(again.plan.tasks.len(), reading.plan.tasks.len());
    if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
        std::fs::write(
            std::path::Path::new(&folder).join("annotated-txt.xlsx"),
            copy,
        )
        .unwrap();
    }
}
