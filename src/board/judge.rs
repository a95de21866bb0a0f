//! The coordinator's word on reports. The report that was on the page is the one judged: what was
//! amended since is left alone and named.

use chrono::{DateTime, Utc};

use super::pages::bad;
use crate::domain::book::Book;
use crate::domain::due::word;
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, PlanId};
use crate::domain::report::Review;
use crate::domain::request::LONGEST_NOTE;
use crate::rules::RuleSet;
use crate::web::WebError;

/// An obligation, and the moment of the report that was on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) key: ObligationKey,
    pub(super) at: i64,
}

impl Seen {
    /// As the forms carry it: `dongguan-2022/2022Q1/16/0@1648519200000`.
    pub(super) fn read(text: &str) -> Result<Self, WebError> {
        let wrong = || WebError::BadRequest("提交的内容不完整，请返回刷新后再试。".into());
        let (key, at) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self {
            key: read_key(key)?,
            at: at.parse().map_err(|_| wrong())?,
        })
    }
}

/// `dongguan-2022/2022Q1/16/0`.
pub(super) fn read_key(text: &str) -> Result<ObligationKey, WebError> {
    let parts: Vec<&str> = text.split('/').collect();
    let &[plan, quarter, task, group] = parts.as_slice() else {
        return Err(WebError::NotFound);
    };
    Ok(ObligationKey {
        plan: PlanId::new(plan).map_err(bad)?,
        quarter: quarter.parse().map_err(bad)?,
        task: task.parse().map_err(|_| WebError::NotFound)?,
        group: group.parse().map_err(|_| WebError::NotFound)?,
    })
}

/// What follows from a word on several reports.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) facts: Vec<Fact>,
    /// Those on which the word was given, or the same one before.
    pub(super) judged: Vec<ObligationKey>,
    /// Amended since the page was made.
    pub(super) amended: Vec<ObligationKey>,
    /// Returned already, by somebody else.
    pub(super) open: Vec<ObligationKey>,
}

/// Gives the word on each report that is still the one that was seen; who is concerned by a return
/// is told in the same append.
pub(super) fn judge(
    book: &Book,
    rules: &RuleSet,
    items: &[Seen],
    review: &Review,
    now: DateTime<Utc>,
) -> Result<Judgement, WebError> {
    let mut judgement = Judgement::default();
    let mut fresh = Vec::new();
    for Seen { key, at } in items {
        let known = book.obligations.get(key).ok_or(WebError::NotFound)?;
        let latest = known
            .latest()
            .map(|received| received.at.timestamp_millis());
        let same = known
            .review
            .as_deref()
            .is_some_and(|(_, word)| word == review);
        if latest != Some(*at) {
            judgement.amended.push(key.clone());
        } else if same {
            // The same word twice, from a second click or a colleague, counts once.
            judgement.judged.push(key.clone());
        } else if known.is_open() {
            judgement.open.push(key.clone());
        } else {
            judgement.judged.push(key.clone());
            fresh.push(key.clone());
        }
    }
    if matches!(review, Review::Returned { .. }) {
        judgement.facts = word::returned(&rules.world(book), &fresh, now);
    }
    let given = fresh.into_iter().map(|obligation| Fact::ReviewGiven {
        obligation,
        review: review.clone(),
    });
    judgement.facts.extend(given);
    Ok(judgement)
}

/// The reason to return a report: one that was picked, and what was written beside it.
pub(super) fn reason(picked: &str, written: &str) -> Result<String, WebError> {
    let parts = [picked.trim(), written.trim()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let reason = parts.join("。").replace("\r\n", "\n");
    let length = reason.chars().count();
    if length == 0 || length > LONGEST_NOTE {
        let message = format!("退回时请写明原因，不超过{LONGEST_NOTE}字，责任人会看到。");
        return Err(WebError::BadRequest(message));
    }
    Ok(reason)
}
