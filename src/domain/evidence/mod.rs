//! Files that owners hand in beside their words (佐证材料).
//!
//! A file belongs to an obligation from the moment it is there, whoever of the group brought it;
//! each report keeps which files stood beside it when it was given. Taking one away hides it: what
//! an earlier report stood on stays on record, bytes and all.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

use super::book::{Book, Obligation};
use super::fact::Fact;
use super::ids::{ObligationKey, PersonId, PlanId, Quarter};

/// Largest file.
pub const LARGEST_FILE: u64 = 20 << 20;
/// Most bytes that stand beside what one person reports in a quarter.
pub const MOST_SHOWN: u64 = 100 << 20;
/// Most bytes kept for one person and quarter, with what was taken away again: the disk is not for
/// filling up.
pub const MOST_KEPT: u64 = 3 * MOST_SHOWN;
/// Most files beside one item.
pub const MOST_FILES: usize = 20;

/// SHA-256 of a file in lower-case hex: names it wherever it lies, and never more than that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileHash(String);

impl FileHash {
    /// Reads 64 hex digits; nothing else is ever made part of a path.
    ///
    /// # Errors
    /// What was found instead.
    pub fn new(text: &str) -> Result<Self, String> {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("not a SHA-256: {}", text.escape_default()))
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A picture.
    Jpeg,
    /// A picture.
    Png,
    /// A picture.
    Gif,
    /// A picture.
    Webp,
    /// A picture as telephones take them.
    Heic,
    /// PDF.
    Pdf,
    /// Word.
    Docx,
    /// Excel.
    Xlsx,
    /// PowerPoint.
    Pptx,
    /// Word before 2007, and WPS.
    Doc,
    /// Excel before 2007, and WPS.
    Xls,
    /// PowerPoint before 2007, and WPS.
    Ppt,
    /// 版式文档, GB/T 33190.
    Ofd,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Heic,
        Self::Pdf,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Doc,
        Self::Xls,
        Self::Ppt,
        Self::Ofd,
    ];

    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.endings().first().copied().unwrap_or_default()
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How names of such files end; the first is given to those that end otherwise.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Heic => &["heic", "heif"],
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Doc => &["doc", "wps"],
            Self::Xls => &["xls", "et"],
            Self::Ppt => &["ppt", "dps"],
            Self::Ofd => &["ofd"],
        }
    }

    /// The media type it is served under.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Doc => "application/msword",
            Self::Xls => "application/vnd.ms-excel",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Ofd => "application/ofd",
        }
    }
}

/// A file beside a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Names its bytes.
    pub sha256: FileHash,
    /// As its owner called it, made harmless; for people, never for a path.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its size.
    pub bytes: u64,
}

impl Evidence {
    /// The size for people: `1.2MB`.
    #[must_use]
    pub fn size(&self) -> String {
        told_size(self.bytes)
    }
}

/// A file in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// The file.
    pub evidence: Evidence,
    /// Who brought it.
    pub person: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// When it was taken away again.
    pub removed: Option<DateTime<Utc>>,
}

/// Why a file is not taken; the name stands in front of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It has no bytes.
    #[error("是空文件，没有收下")]
    Empty,
    /// Too large.
    #[error("超过{}MB，没有收下，请压缩或拆分后再传", LARGEST_FILE >> 20)]
    TooLarge,
    /// Not a kind that is taken.
    #[error("不是可以接收的文件，没有收下：请传图片、PDF、Word、Excel、PPT、WPS 或 OFD 文件")]
    Kind,
    /// It opens with a password only.
    #[error("设有打开密码，审核时打不开，没有收下：请去掉密码后再传")]
    Locked,
    /// A document with macros.
    #[error("带有宏，没有收下：请另存为不带宏的文件后再传")]
    Macros,
    /// The person's room is used up.
    #[error("没有收下：您本季度的材料合计不能超过{}MB，已有{}", MOST_SHOWN >> 20, told_size(*.0))]
    OverQuota(u64),
    /// As many as one item may have.
    #[error("没有收下：每项最多{MOST_FILES}个文件，请合并后再传")]
    TooMany,
    /// The report was accepted.
    #[error("没有收下：该项已审核通过，不再接收材料")]
    Accepted,
    /// The disk or the store takes nothing now.
    #[error("暂时无法保存，没有收下，请过几分钟再传")]
    Unavailable,
}

/// The fact by which a file comes to stand beside an item; none where it stands there already.
///
/// # Errors
/// Why it may not.
pub fn add(
    book: &Book,
    obligation: &ObligationKey,
    person: &PersonId,
    evidence: &Evidence,
) -> Result<Option<Fact>, NotTaken> {
    let mut used = used(book, person, &obligation.plan, obligation.quarter);
    add_within(book, &mut used, obligation, person, evidence)
}

/// The same for a file that comes for several items at once, with others before it in the same
/// append.
pub struct Adding<'a> {
    book: &'a Book,
    person: &'a PersonId,
    used: Used<'a>,
}

impl<'a> Adding<'a> {
    /// By this person, to items of this quarter.
    #[must_use]
    pub fn new(book: &'a Book, person: &'a PersonId, plan: &PlanId, quarter: Quarter) -> Self {
        let used = used(book, person, plan, quarter);
        Self { book, person, used }
    }

    /// The facts for one more file: beside every one of these items, or none.
    ///
    /// # Errors
    /// Why it may not.
    pub fn add(
        &mut self,
        obligations: &[ObligationKey],
        evidence: &'a Evidence,
    ) -> Result<Vec<Fact>, NotTaken> {
        let mut facts = Vec::new();
        for obligation in obligations {
            let fact = add_within(self.book, &mut self.used, obligation, self.person, evidence)?;
            facts.extend(fact);
        }
        Ok(facts)
    }
}

fn add_within<'a>(
    book: &Book,
    used: &mut Used<'a>,
    obligation: &ObligationKey,
    person: &PersonId,
    evidence: &'a Evidence,
) -> Result<Option<Fact>, NotTaken> {
    let known = book
        .obligations
        .get(obligation)
        .ok_or(NotTaken::Unavailable)?;
    let mut shown = known.shown();
    if shown.any(|filed| filed.evidence.sha256 == evidence.sha256) {
        return Ok(None);
    }
    if known.is_accepted() {
        return Err(NotTaken::Accepted);
    }
    if known.shown().count() >= MOST_FILES {
        return Err(NotTaken::TooMany);
    }
    used.take(evidence)?;
    Ok(Some(Fact::EvidenceAdded {
        obligation: obligation.clone(),
        person: person.clone(),
        evidence: evidence.clone(),
    }))
}

/// The fact by which a file no longer stands beside an item; none where it does not.
///
/// # Errors
/// Where the report that it stands beside was accepted.
pub fn remove(
    book: &Book,
    obligation: &ObligationKey,
    person: &PersonId,
    sha256: &FileHash,
) -> Result<Option<Fact>, NotTaken> {
    let known = book
        .obligations
        .get(obligation)
        .ok_or(NotTaken::Unavailable)?;
    if known.is_accepted() {
        return Err(NotTaken::Accepted);
    }
    let stands = known.shown().any(|filed| filed.evidence.sha256 == *sha256);
    Ok(stands.then(|| Fact::EvidenceRemoved {
        obligation: obligation.clone(),
        person: person.clone(),
        sha256: sha256.clone(),
    }))
}

impl Obligation {
    /// The files that stand beside it now.
    pub fn shown(&self) -> impl Iterator<Item = &Filed> {
        self.evidence.iter().filter(|filed| filed.removed.is_none())
    }
}

/// Bytes by file: the same one counts once, however many items it stands beside.
#[derive(Default)]
struct Used<'a> {
    shown: BTreeMap<&'a FileHash, u64>,
    kept: BTreeMap<&'a FileHash, u64>,
}

impl<'a> Used<'a> {
    /// Counts one more file, where there is room for it.
    fn take(&mut self, evidence: &'a Evidence) -> Result<(), NotTaken> {
        let (sha256, bytes) = (&evidence.sha256, evidence.bytes);
        let with = |room: &BTreeMap<&FileHash, u64>| {
            let more = if room.contains_key(sha256) { 0 } else { bytes };
            room.values().sum::<u64>() + more
        };
        if with(&self.shown) > MOST_SHOWN || with(&self.kept) > MOST_KEPT {
            return Err(NotTaken::OverQuota(self.shown.values().sum()));
        }
        self.shown.insert(sha256, bytes);
        self.kept.insert(sha256, bytes);
        Ok(())
    }
}

fn used<'a>(book: &'a Book, person: &PersonId, plan: &PlanId, quarter: Quarter) -> Used<'a> {
    let mut used = Used::default();
    for (_, obligation) in book.obligations_in(plan, quarter) {
        let own = obligation.evidence.iter();
        for filed in own.filter(|filed| filed.person == *person) {
            let (sha256, bytes) = (&filed.evidence.sha256, filed.evidence.bytes);
            used.kept.insert(sha256, bytes);
            if filed.removed.is_none() {
                used.shown.insert(sha256, bytes);
            }
        }
    }
    used
}

fn told_size(bytes: u64) -> String {
    const MB: u64 = 1 << 20;
    match bytes {
        0..MB => format!("{}KB", bytes.div_ceil(1024)),
        _ => format!("{}.{}MB", bytes / MB, bytes % MB * 10 / MB),
    }
}

/// A name that does no harm where it is shown or saved: without folders, control characters and
/// marks of direction; at most 200 bytes, the ending kept.
#[must_use]
pub fn safe_name(name: &str) -> String {
    const LONGEST: usize = 200;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let marks = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !marks(c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    if clean.len() <= LONGEST {
        return clean.to_owned();
    }
    // What it is stands at the end.
    let end = clean
        .rsplit_once('.')
        .map(|(_, end)| end)
        .filter(|end| end.len() <= 10);
    let room = LONGEST - end.map_or(0, |end| end.len() + 1);
    let mut short = String::new();
    for c in clean.chars() {
        if short.len() + c.len_utf8() > room {
            break;
        }
        short.push(c);
    }
    match end {
        Some(end) => format!("{short}.{end}"),
        None => short,
    }
}

/// The same for a file of this kind: the ending is that of its content.
#[must_use]
pub fn name_of(said: &str, kind: FileKind) -> String {
    let name = safe_name(said);
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    let true_end = |end: &str| {
        let known = kind.endings().iter();
        known
            .into_iter()
            .any(|known| known.eq_ignore_ascii_case(end))
    };
    match (stem, true_end(end)) {
        ("", _) => format!("材料.{}", kind.as_str()),
        (_, true) => name,
        (_, false) => format!("{name}.{}", kind.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
