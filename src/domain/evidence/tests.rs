//! What is taken and what is not, and what names become.

use super::*;
use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::fixture::{DU, ZHANG, apply, id, key, plan_facts, report};
use crate::domain::report::{ReportStatus, Review};

fn file(n: u8, megabytes: u64) -> Evidence {
    Evidence {
        sha256: FileHash::new(&format!("{n:02x}").repeat(32)).unwrap(),
        name: format!("照片{n}.jpg"),
        kind: FileKind::Jpeg,
        bytes: megabytes << 20,
    }
}

fn founded() -> Book {
    let mut book = Book::default();
    apply(&mut book, "2022-01-28T10:00", plan_facts());
    book
}

fn bring(book: &mut Book, item: (u32, u8), file: &Evidence) -> Result<bool, NotTaken> {
    let fact = add(book, &key(item.0, item.1), &id(ZHANG), file)?;
    let is_new = fact.is_some();
    apply(book, "2022-03-20T10:00", fact.into_iter().collect());
    Ok(is_new)
}

#[test]
fn the_same_file_counts_once_and_room_is_counted_by_person_and_quarter() {
    let mut book = founded();
    assert_eq!(bring(&mut book, (2, 0), &file(1, 20)), Ok(true));
    assert_eq!(bring(&mut book, (2, 0), &file(1, 20)), Ok(false));
    assert_eq!(
        bring(&mut book, (4, 0), &file(1, 20)),
        Ok(true),
        "another item"
    );
    for n in 2..=5 {
        assert_eq!(bring(&mut book, (2, 0), &file(n, 20)), Ok(true));
    }
    let full = NotTaken::OverQuota(100 << 20);
    assert_eq!(bring(&mut book, (2, 0), &file(6, 1)), Err(full.clone()));
    assert_eq!(
        full.to_string(),
        "没有收下：您本季度的材料合计不能超过100MB，已有100.0MB"
    );
    let other = add(&book, &key(16, 0), &id(DU), &file(6, 1));
    assert!(
        other.unwrap().is_some(),
        "another person's room is their own"
    );
}

#[test]
fn taking_away_makes_room_but_not_for_ever() {
    let mut book = founded();
    for n in 1..=15 {
        assert_eq!(bring(&mut book, (2, 0), &file(n, 20)), Ok(true), "{n}");
        let gone = remove(&book, &key(2, 0), &id(ZHANG), &file(n, 20).sha256);
        apply(
            &mut book,
            "2022-03-20T10:01",
            gone.unwrap().into_iter().collect(),
        );
    }
    assert_eq!(
        bring(&mut book, (2, 0), &file(16, 20)),
        Err(NotTaken::OverQuota(0))
    );
}

#[test]
fn a_report_keeps_which_files_stood_beside_it() {
    let mut book = founded();
    let say = |text| vec![report(ZHANG, key(2, 0), ReportStatus::OnSchedule, text)];
    bring(&mut book, (2, 0), &file(1, 1)).unwrap();
    apply(&mut book, "2022-03-21T10:00", say("一"));
    let gone = remove(&book, &key(2, 0), &id(ZHANG), &file(1, 1).sha256).unwrap();
    apply(&mut book, "2022-03-21T11:00", gone.into_iter().collect());
    bring(&mut book, (2, 0), &file(2, 1)).unwrap();
    apply(&mut book, "2022-03-21T12:00", say("二"));
    let known = &book.obligations[&key(2, 0)];
    let beside: Vec<_> = known.reports.iter().map(|one| &one.evidence).collect();
    assert_eq!(beside[0], &[file(1, 1).sha256]);
    assert_eq!(beside[1], &[file(2, 1).sha256]);
    assert_eq!(known.evidence.len(), 2, "nothing is forgotten");
}

#[test]
fn what_was_accepted_is_closed() {
    let mut book = founded();
    bring(&mut book, (2, 0), &file(1, 1)).unwrap();
    let accepted = Fact::ReviewGiven {
        obligation: key(2, 0),
        review: Review::Accepted,
    };
    let said = report(ZHANG, key(2, 0), ReportStatus::Completed, "已完成");
    apply(&mut book, "2022-03-21T10:00", vec![said, accepted]);
    let one = file(1, 1).sha256;
    assert_eq!(
        bring(&mut book, (2, 0), &file(2, 1)),
        Err(NotTaken::Accepted)
    );
    let gone = remove(&book, &key(2, 0), &id(ZHANG), &one);
    assert_eq!(gone, Err(NotTaken::Accepted));
}

#[test]
fn names_do_no_harm_and_end_as_what_they_are() {
    let cases = [
        ("现场照片.JPG", FileKind::Jpeg, "现场照片.JPG"),
        ("../../etc/证明.pdf", FileKind::Pdf, "证明.pdf"),
        ("C:\\资料\\表.et", FileKind::Xls, "表.et"),
        ("报告\u{202e}fdp.exe", FileKind::Pdf, "报告fdp.exe.pdf"),
        ("佐证", FileKind::Docx, "佐证.docx"),
        (".pdf", FileKind::Pdf, "pdf.pdf"),
        ("", FileKind::Png, "材料.png"),
        ("a\r\nb\".png", FileKind::Png, "ab_.png"),
    ];
    for (said, kind, name) in cases {
        assert_eq!(name_of(said, kind), name, "{said}");
    }
    assert!(FileHash::new("../../etc/passwd").is_err());
    assert!(FileHash::new(&"A".repeat(64)).is_err());
}
