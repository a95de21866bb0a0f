//! Whether a file is taken: how large it may be, how many there may be, and what one person's may
//! come to in a quarter.

use std::collections::BTreeMap;

use super::{Evidence, FileHash, told_size};
use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};

/// Largest file.
pub const LARGEST_FILE: u64 = 20 << 20;

/// Most bytes that stand beside what one person reports in a quarter.
pub const MOST_SHOWN: u64 = 100 << 20;

/// Most bytes kept for one person and quarter, with what was taken away again: the disk is not for
/// filling up.
pub const MOST_KEPT: u64 = 3 * MOST_SHOWN;

/// Most files beside one item.
pub const MOST_FILES: usize = 20;

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
