//! The table as .xlsx and .docx, beside the usual Python readers and beside calamine alone.
//!
//! `cargo bench --bench forms`, after `apt-get install python3-openpyxl python3-docx`; a row says
//! so where one is missing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench may stop where it is"
)]

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use calamine::{Reader as _, Xlsx};
use cuiban::plan::{self, Source};
use rust_xlsxwriter::Workbook;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const SEED: &str = include_str!("../seeds/dongguan-2022.txt");
const PYTHON: &str = "/usr/bin/python3";
const CUIBAN: &str = env!("CARGO_BIN_EXE_cuiban");

const OPENPYXL: &str = "
import sys, openpyxl
for sheet in openpyxl.load_workbook(sys.argv[1]):
    for row in sheet.iter_rows(values_only=True):
        for cell in row: cell
";

const PYTHON_DOCX: &str = "
import sys, docx
for table in docx.Document(sys.argv[1]).tables:
    for row in table.rows:
        for cell in row.cells: cell.text
";

fn main() {
    // The same process for both, started anew: calamine by itself, reading all cells.
    if let [_, word, file] = std::env::args().collect::<Vec<_>>().as_slice()
        && word == "calamine"
    {
        calamine(&std::fs::read(file).unwrap());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let rows = seed();
    println!("| what | base | ours | ours/base | goal |\n| --- | --- | --- | --- | --- |");
    let sheet = file("table-2022.xlsx", &xlsx(&rows));
    beside("250 tasks .xlsx, process; base openpyxl", OPENPYXL, &sheet);
    let document = file("table-2022.docx", &docx(&rows));
    beside(
        "250 tasks .docx, process; base python-docx",
        PYTHON_DOCX,
        &document,
    );
    let bytes = xlsx(&many(&rows, 10_000));
    let large = file("large-2022.xlsx", &bytes);
    let base = median(15, || timed(|| calamine(&bytes)));
    let source = Source {
        file_name: "large-2022.xlsx".into(),
        ..Source::default()
    };
    let ours = median(15, || {
        timed(|| assert!(plan::count_cells(&bytes, &source).unwrap() > 70_000))
    });
    row(
        "10,000 tasks .xlsx to cells, in process; base calamine to cells",
        base,
        ours,
        "1.2",
    );
    let ours = median(15, || {
        timed(|| {
            let reading = plan::read(&bytes, &source).unwrap();
            assert_eq!(reading.plan.tasks.len(), 10_000);
        })
    });
    row(
        "10,000 tasks .xlsx to a plan, in process; base calamine to cells",
        base,
        ours,
        "",
    );
    let this = std::env::current_exe().unwrap();
    let base = median(9, || run(Command::new(&this).arg("calamine").arg(&large)));
    let ours = median(9, || inspect(&large));
    row(
        "10,000 tasks .xlsx, process with JSON; base calamine to cells",
        base,
        ours,
        "",
    );
}

fn beside(what: &str, script: &str, file: &Path) {
    let python = || {
        let mut command = Command::new(PYTHON);
        command.args(["-c", script]).arg(file).stderr(Stdio::null());
        command
    };
    if !python().status().is_ok_and(|status| status.success()) {
        println!(
            "| {what} | not installed | {:?} | | 0.067 |",
            median(20, || inspect(file))
        );
        return;
    }
    // python-docx takes ten seconds and more each time.
    let base = median(3, || run(&mut python()));
    row(
        what,
        base,
        median(30, || inspect(file)),
        "0.067, better 0.025",
    );
}

fn calamine(bytes: &[u8]) {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_range(&name).unwrap().height() > 250);
}

fn inspect(file: &Path) -> Duration {
    run(Command::new(CUIBAN)
        .args(["plan", "inspect", "--json"])
        .arg(file))
}

fn run(command: &mut Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    timed(|| {
        command.status().unwrap();
    })
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(times: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut measured: Vec<Duration> = (0..times).map(|_| measure()).collect();
    measured.sort();
    measured[times / 2]
}

fn row(what: &str, base: Duration, ours: Duration, goal: &str) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let ratio = ms(ours) / ms(base);
    println!(
        "| {what} | {:.1} ms | {:.1} ms | {ratio:.3} | {goal} |",
        ms(base),
        ms(ours)
    );
}

type Rows = Vec<Vec<String>>;

/// The table without the marks its text form has.
fn seed() -> Rows {
    let plain = |cell: &str| {
        cell.replace("</p>", "\n")
            .replace("<p>", "")
            .trim()
            .to_owned()
    };
    let lines = SEED.lines();
    lines
        .map(|line| line.split('\t').map(plain).collect())
        .collect()
}

/// The tasks again and again, each with a number of its own.
fn many(rows: &Rows, tasks: usize) -> Rows {
    let is_task = |row: &&Vec<String>| row.get(1).is_some_and(|goal| goal.contains(". "));
    let head = rows.iter().take_while(|row| !is_task(row)).cloned();
    let mut all: Rows = head.collect();
    for (row, number) in rows.iter().filter(is_task).cycle().zip(1..=tasks) {
        let mut row = row.clone();
        let (_, goal) = row[1].split_once(". ").unwrap();
        row[1] = format!("{number}. {goal}");
        all.push(row);
    }
    all
}

fn xlsx(rows: &Rows) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// A package that python-docx opens too.
fn docx(rows: &Rows) -> Vec<u8> {
    const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let paragraph = |text: &str| {
        format!(
            "<w:p><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
            escaped(text)
        )
    };
    let cell = |text: &String| {
        let paragraphs: String = text.split('\n').map(paragraph).collect();
        format!("<w:tc><w:tcPr><w:tcW w:w=\"0\" w:type=\"auto\"/></w:tcPr>{paragraphs}</w:tc>")
    };
    let mut body = String::new();
    let mut table = String::new();
    for row in rows {
        match row.as_slice() {
            [line] => body.push_str(&paragraph(line)),
            cells => {
                let cells: String = cells.iter().map(cell).collect();
                table.push_str(&format!("<w:tr>{cells}</w:tr>"));
            }
        }
    }
    let grid = "<w:gridCol/>".repeat(8);
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{table}</w:tbl><w:p/><w:sectPr/></w:body></w:document>"
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/document.xml", &xml),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
