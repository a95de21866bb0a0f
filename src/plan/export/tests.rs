//! What goes out comes back as the same plan, looks like what came in, and says what was reported.

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx, open_workbook_from_rs};
use chrono::DateTime;
use rust_xlsxwriter::{Format, Workbook};

use super::*;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{ObligationKey, PersonId, TaskNo};
use crate::domain::plan::{FindingCode, PersonRef, Severity};
use crate::domain::policy::Policy;
use crate::domain::report::{Report, ReportStatus, Review, Via};
use crate::plan::form::tests::{Rows, SEED, csv, docx, ods, seed_rows, small, source, xls, xlsx};
use crate::plan::prepare::{From, prepare};
use crate::plan::{Reading, import, read};
use crate::rules::RuleSet;

fn at(text: &str) -> DateTime<Utc> {
    let at: DateTime<chrono::FixedOffset> = format!("{text}:00+08:00").parse().unwrap();
    at.with_timezone(&Utc)
}

fn calendar() -> Calendar {
    Calendar::new(chrono_tz::Asia::Shanghai, Default::default())
}

fn apply(book: &mut Book, when: &str, facts: Vec<Fact>) {
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at: at(when),
            by: Actor::System,
            fact,
        };
        book.apply(&entry).unwrap();
    }
}

/// A book with this file's plan, everything accepted.
fn imported(bytes: &[u8], name: &str) -> (Book, Reading) {
    let reading = read(bytes, &source(name)).unwrap();
    let mut book = Book::default();
    let file = import::TableFile {
        name: name.into(),
        sha256: hex::sha256(bytes),
        accepted: 0,
        units: Vec::new(),
    };
    let facts = import::facts(&book, &reading.plan, &file, &Policy::default(), &calendar());
    apply(&mut book, "2022-02-07T09:00", facts);
    (book, reading)
}

fn grid_of(book: &Book, file: Option<&[u8]>, sight: &Sight) -> Grid {
    let (id, known) = book.plans.first_key_value().unwrap();
    let calendar = calendar();
    let asked = Asked {
        book,
        plan: id,
        quarter: Quarter::new(2022, 1).unwrap(),
        now: at("2022-04-01T10:00"),
        calendar: &calendar,
    };
    let grid = table(id, known, file, &Lore::default(), sight);
    with_progress(grid, &asked)
}

/// What would change if the export were imported over the plan.
fn back(book: &Book, exported: &[u8]) -> (Reading, bool) {
    let (id, _) = book.plans.first_key_value().unwrap();
    let reading = read(exported, &source(&format!("{id}.2022Q1.xlsx"))).unwrap();
    let rules = RuleSet {
        calendar: std::sync::Arc::new(calendar()),
        policy: Policy::default(),
        report: Default::default(),
        reach: Default::default(),
        coordinators: Vec::new(),
        operators: Vec::new(),
    };
    let from = From {
        name: "x.xlsx",
        sha256: "",
        accept: true,
        columns: &[],
    };
    let prepared = prepare(book, &reading, &from, &rules);
    let same = prepared.difference.is_empty();
    (reading, same)
}

fn tabs(rows: &Rows) -> Vec<u8> {
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        cells.collect::<Vec<_>>().join("\t") + "\n"
    });
    lines.collect::<String>().into_bytes()
}

#[test]
fn the_seed_comes_back_as_the_same_plan_from_every_form() {
    let rows = seed_rows();
    for (form, bytes) in [
        ("txt", SEED.as_bytes().to_vec()),
        ("xlsx", xlsx(&rows)),
        ("docx", docx(&rows)),
        ("csv", csv(&rows).into_bytes()),
        ("tsv", tabs(&rows)),
        ("ods", ods(&rows)),
        ("xls", xls(&rows, None)),
    ] {
        let (book, before) = imported(&bytes, &format!("dongguan-2022.{form}"));
        let grid = grid_of(&book, Some(&bytes), &Sight::Everything);
        let (after, same) = back(&book, &workbook(&grid).unwrap());
        for (before, after) in before.plan.tasks.iter().zip(&after.plan.tasks) {
            assert_eq!(before, after, "{form}");
        }
        assert_eq!(before.plan, after.plan, "{form}");
        assert!(same, "{form}");
        let unknown = after.findings.iter().filter(|one| {
            matches!(
                one.code,
                FindingCode::UnknownColumn | FindingCode::MissingColumn
            )
        });
        assert_eq!(unknown.count(), 0, "{form}");
        let fresh = after.findings.iter().filter(|one| {
            let known = before
                .findings
                .iter()
                .any(|old| (old.task, old.code) == (one.task, one.code));
            !known
        });
        assert_eq!(
            fresh.collect::<Vec<_>>(),
            Vec::<&crate::domain::plan::Finding>::new(),
            "{form}"
        );
    }
}

#[test]
fn a_plan_whose_file_was_not_kept_has_the_usual_columns_and_comes_back_too() {
    let (book, before) = imported(SEED.as_bytes(), "dongguan-2022.txt");
    let grid = grid_of(&book, None, &Sight::Everything);
    let (after, same) = back(&book, &workbook(&grid).unwrap());
    assert_eq!(before.plan, after.plan);
    assert!(same);
    let errors = after
        .findings
        .iter()
        .filter(|one| one.severity == Severity::Error);
    let errors: BTreeSet<_> = errors.map(|one| one.code).collect();
    assert_eq!(
        errors,
        BTreeSet::from([FindingCode::MissingOwner]),
        "only what nobody repaired"
    );
}

/// As an office keeps it: title merged, 总体要求 merged down, an item of two rows, a total.
fn office() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("督查台账").unwrap();
    let plain = Format::new();
    let rows = small(&[
        "2022年重点工作分解表",
        "",
        "序号|总体要求|目标任务|季度进度安排|牵头单位|直接责任人|备注",
        "1|（一）抓项目。|建成产业园一期|一季度动工。四季度建成。|市发展改革局|王华|=1+1",
        "2||办好招商大会|二季度举办。|市商务局|李明|-2",
        "3||推进两个平台|一季度立项。|市工业和信息化局|张伟|",
        "||||市科技局|赵强|",
        "4|（二）抓民生。|新增学位 2 万个|一季度、三季度完成。|市教育局|孙丽|@",
        "合计||4项||||",
    ]);
    for (row, cells) in (0..).zip(&rows) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    for (from, to) in [
        ((0, 0), (0, 6)),
        ((3, 1), (6, 1)),
        ((5, 0), (6, 0)),
        ((5, 2), (6, 2)),
        ((5, 3), (6, 3)),
    ] {
        let text = rows[from.0][from.1].clone();
        let column = |at: usize| u16::try_from(at).unwrap();
        let row = |at: usize| u32::try_from(at).unwrap();
        sheet
            .merge_range(
                row(from.0),
                column(from.1),
                row(to.0),
                column(to.1),
                &text,
                &plain,
            )
            .unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn key(task: TaskNo, group: u8) -> ObligationKey {
    ObligationKey {
        plan: PlanId::new("office").unwrap(),
        quarter: Quarter::new(2022, 1).unwrap(),
        task,
        group,
    }
}

fn report(key: ObligationKey, who: (&str, &str), status: ReportStatus, words: [&str; 3]) -> Fact {
    let [progress, problems, next_steps] = words.map(str::to_owned);
    Fact::ReportReceived {
        report: Box::new(Report {
            obligation: key,
            person: PersonId::of(who.0, who.1),
            delegate: None,
            via: Via::Form,
            status,
            progress,
            problems,
            next_steps,
            percent: None,
            actuals: Vec::new(),
        }),
    }
}

fn reported() -> (Vec<u8>, Book) {
    let bytes = office();
    let (mut book, _) = imported(&bytes, "office.xlsx");
    let done = report(
        key(1, 0),
        ("市发展改革局", "王华"),
        ReportStatus::OnSchedule,
        ["=HYPERLINK(\"http://x\")", "", ""],
    );
    apply(&mut book, "2022-03-30T17:00", vec![done]);
    let late = vec![
        report(
            key(3, 1),
            ("市科技局", "赵强"),
            ReportStatus::Behind,
            ["已完成选址。", "用地未批", "4月底前报批"],
        ),
        report(
            key(4, 0),
            ("市教育局", "孙丽"),
            ReportStatus::Completed,
            ["已完成", "", ""],
        ),
    ];
    apply(&mut book, "2022-04-01T09:30", late);
    let returned = Fact::ReviewGiven {
        obligation: key(4, 0),
        review: Review::Returned {
            reason: "请列明新增学位数".into(),
        },
    };
    apply(&mut book, "2022-04-01T09:40", vec![returned]);
    (bytes, book)
}

#[test]
fn an_office_s_own_table_keeps_its_columns_and_merges_and_gets_four_columns() {
    let (bytes, book) = reported();
    let grid = grid_of(&book, Some(&bytes), &Sight::Everything);
    insta::assert_snapshot!(grid);
}

#[test]
fn merged_cells_and_texts_are_in_the_workbook_as_in_the_file() {
    let (bytes, book) = reported();
    let written = workbook(&grid_of(&book, Some(&bytes), &Sight::Everything)).unwrap();
    let open = |bytes: Vec<u8>| -> (String, BTreeSet<_>, calamine::Range<Data>, usize) {
        let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let name = book.sheet_names()[0].clone();
        let merged = book.merge_cells_by_sheet_name(&name).unwrap();
        let merged = merged.iter().map(|area| (area.start, area.end)).collect();
        let cells = book.worksheet_range(&name).unwrap();
        let formulas = book.worksheet_formula(&name).unwrap();
        (name, merged, cells, formulas.used_cells().count())
    };
    let (name, before, cells, _) = open(bytes.clone());
    let (same_name, mut after, out, formulas) = open(written.clone());
    assert_eq!(name, same_name);
    assert_eq!(formulas, 0, "what looks like a formula is text");
    assert_eq!(
        out.get_value((3, 7)).unwrap().to_string(),
        "=HYPERLINK(\"http://x\")"
    );
    assert!(
        after.remove(&((0, 0), (0, 10))),
        "the title stands over all columns"
    );
    for column in 7..=10 {
        assert!(after.remove(&((5, column), (6, column))), "{column}");
    }
    let rest: BTreeSet<_> = before.into_iter().filter(|area| area.0.0 > 0).collect();
    assert_eq!(after, rest);
    for (row, column, cell) in cells.used_cells() {
        assert_eq!(out.get_value((row as u32, column as u32)), Some(cell));
    }
    // What was exported is exported again with the same columns.
    let (after, same) = back(&book, &written);
    assert!(same, "{:?}", after.findings);
    let (book, _) = imported(&written, "office.xlsx");
    let again = grid_of(&book, Some(&written), &Sight::Everything);
    assert_eq!(again.width(), 11);
}

#[test]
fn a_new_owner_stands_in_the_cell_and_the_table_comes_back_the_same() {
    let (bytes, mut book) = reported();
    let person = |unit: &str, name: &str| PersonRef {
        id: PersonId::of(unit, name),
        name: name.into(),
    };
    let changed = Fact::OwnerChanged {
        plan: PlanId::new("office").unwrap(),
        duties: vec![(3, 1)],
        from: PersonId::of("市科技局", "赵强"),
        to: person("市科技局", "周敏"),
    };
    let new = Fact::PersonSet {
        plan: Some(PlanId::new("office").unwrap()),
        person: crate::domain::people::Person {
            id: PersonId::of("市科技局", "周敏"),
            name: "周敏".into(),
            unit: "市科技局".into(),
            roles: crate::domain::people::Roles {
                owner: true,
                ..Default::default()
            },
        },
    };
    apply(&mut book, "2022-04-01T10:00", vec![new, changed]);
    let grid = grid_of(&book, Some(&bytes), &Sight::Everything);
    let text = grid.to_string();
    assert!(
        text.contains("张伟⏎周敏") && !text.contains("│赵强│"),
        "{text}"
    );
    let (after, same) = back(&book, &workbook(&grid).unwrap());
    assert!(same, "{:?}", after.plan.tasks);
}

#[test]
fn who_sees_one_leader_s_tasks_gets_those_and_their_headings() {
    let (book, _) = imported(SEED.as_bytes(), "dongguan-2022.txt");
    let sight = Sight::Leader("刘光滨".into());
    let known = book.plans.values().next().unwrap();
    let theirs = known.tasks.values().filter(|task| sight.sees(task)).count();
    assert!(theirs > 3 && theirs < 100, "{theirs}");
    for file in [Some(SEED.as_bytes()), None] {
        let grid = grid_of(&book, file, &sight);
        let reading = read(&workbook(&grid).unwrap(), &source("x-2022.xlsx")).unwrap();
        let tasks = &reading.plan.tasks;
        assert_eq!(tasks.len(), theirs);
        for task in tasks {
            let stored = &known.tasks[&task.no];
            assert_eq!(task.requirement, stored.requirement);
            assert_eq!(task.goal, stored.goal);
        }
    }
}

#[test]
fn the_seed_s_beginning_reads_as_a_table() {
    let (book, _) = imported(SEED.as_bytes(), "dongguan-2022.txt");
    let grid = grid_of(&book, Some(SEED.as_bytes()), &Sight::Everything);
    let text = grid.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let merged = lines.iter().filter(|line| line.starts_with("合并"));
    let merged: Vec<_> = merged.take(8).copied().collect();
    insta::assert_snapshot!([&lines[..12], &merged].concat().join("\n"));
}
