//! What an answer means. Every door ends here, and a person's word entered by a coordinator too.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};

use crate::desk::Desk;
use crate::domain::book::{Book, Obligation};
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::{self, PersonId, PlanId, Quarter, TaskNo};
use crate::domain::report::rules::ReportRules;
use crate::domain::report::{Draft, FieldFault, Received, Report, Via, read};
use crate::domain::target::actual::targets_in;
use crate::rules::RuleSet;
use crate::store::{CommitError, Decision};

/// Answers of one owner on one quarter.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The plan.
    pub plan: PlanId,
    /// The quarter.
    pub quarter: Quarter,
    /// Who answers.
    pub person: PersonId,
    /// By which door.
    pub via: Via,
    /// Who brought it in: the owner, or who entered it for them.
    pub by: Actor,
    /// The answers; never empty.
    pub drafts: Vec<Draft>,
}

/// What was received: all of it durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The same for the same answers.
    pub number: String,
    /// When the last of them came.
    pub received_at: DateTime<Utc>,
    /// Each report, as it counts now.
    pub reports: Vec<Received>,
}

/// Why nothing was taken. Nothing at all: an answer with one fault is given back whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something is wrong with these fields.
    #[error("有{}处需要修改", .0.len())]
    Faults(Vec<Fault>),
    /// These are accepted already and cannot be changed.
    #[error("第{}项已审核通过，不能再修改", ids::told(.0))]
    Accepted(Vec<TaskNo>),
}

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The task.
    pub task: TaskNo,
    /// The group, where the door told them apart.
    pub group: Option<u8>,
    /// The field.
    pub field: &'static str,
    /// For the owner, in Chinese.
    pub message: String,
}

/// Takes the answers in, durably, or says why not.
///
/// # Errors
/// [`CommitError::Refused`] with the reason; [`CommitError::Unavailable`] where nothing can be
/// stored now.
pub async fn accept(desk: &Desk, submission: Submission) -> Result<Receipt, CommitError<Refusal>> {
    let at = desk.clock.now();
    let by = submission.by.clone();
    let rules = desk.rules.now();
    let decide = move |book: &Book| decide(book, &submission, at, &rules);
    desk.ledger.commit(by, at, decide).await
}

/// The receipt for reports that are on record.
#[must_use]
pub fn receipt(reports: Vec<Received>, calendar: &Calendar) -> Option<Receipt> {
    let received_at = reports.iter().map(|received| received.at).max()?;
    Some(Receipt {
        number: number(&reports, calendar.date_of(received_at)),
        received_at,
        reports,
    })
}

/// The same without storing: what follows from the answers on this book.
///
/// # Errors
/// As for [`accept`].
pub(super) fn decide(
    book: &Book,
    submission: &Submission,
    at: DateTime<Utc>,
    rules: &RuleSet,
) -> Result<Decision<Receipt>, Refusal> {
    let answered = understand(book, submission, at, &rules.report)?;
    let mut facts = Vec::new();
    let mut reports = Vec::new();
    let mut accepted = BTreeSet::new();
    for report in answered {
        let known = book.obligations.get(&report.obligation);
        if let Some(same) = known.and_then(|known| on_record(known, &report)) {
            reports.push(same.clone());
        } else if known.is_some_and(Obligation::is_accepted) {
            accepted.insert(report.obligation.task);
        } else {
            let beside = known.into_iter().flat_map(Obligation::shown);
            reports.push(Received {
                at,
                report: report.clone(),
                evidence: beside.map(|filed| filed.evidence.sha256.clone()).collect(),
            });
            facts.push(Fact::ReportReceived {
                report: Box::new(report),
            });
        }
    }
    if !accepted.is_empty() {
        return Err(Refusal::Accepted(accepted.into_iter().collect()));
    }
    match receipt(reports, &rules.calendar) {
        Some(value) => Ok(Decision { facts, value }),
        None => Err(Refusal::Faults(Vec::new())),
    }
}

/// The reports that the answers make on the obligations of their tasks that are this person's, or
/// that they fill in for somebody else.
fn understand(
    book: &Book,
    submission: &Submission,
    at: DateTime<Utc>,
    rules: &ReportRules,
) -> Result<Vec<Report>, Refusal> {
    let mut reports = Vec::new();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for draft in &submission.drafts {
        let fault = |field, message: String| Fault {
            task: draft.task,
            group: draft.group,
            field,
            message,
        };
        let keys: Vec<_> = book
            .answerable(&submission.person, &submission.plan, submission.quarter, at)
            .into_iter()
            .filter(|one| one.key.task == draft.task)
            .filter(|one| draft.group.is_none_or(|group| group == one.key.group))
            .map(|one| (one.key.clone(), one.behalf_of.cloned()))
            .collect();
        if keys.is_empty() {
            let message = format!("第{}项不在您本季度的应报事项之内", draft.task);
            faults.push(fault("task", message));
        }
        if keys.iter().any(|(key, _)| !seen.insert(key.clone())) {
            let message = format!("第{}项在本次提交中出现了两次", draft.task);
            faults.push(fault("task", message));
        }
        let told = |found: FieldFault| fault(found.field, found.message);
        match read(draft, rules) {
            Err(found) => faults.extend(found.into_iter().map(told)),
            Ok(words) => {
                for (key, behalf_of) in keys {
                    let task = book.task_and_group(&key);
                    let targets = task
                        .map(|(task, group)| targets_in(task, group, key.quarter))
                        .unwrap_or_default();
                    let by = submission.person.clone();
                    let (person, delegate) = match behalf_of {
                        Some(owner) => (owner, Some(by)),
                        None => (by, None),
                    };
                    match words.report(key, person, submission.via, &targets) {
                        Ok(report) => reports.push(Report { delegate, ..report }),
                        Err(found) => faults.extend(found.into_iter().map(told)),
                    }
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(reports)
    } else {
        Err(Refusal::Faults(faults))
    }
}

/// The report that says the same already. A returned one does not count: whoever sends it again
/// stands by it, and that is an answer.
fn on_record<'a>(known: &'a Obligation, report: &Report) -> Option<&'a Received> {
    let latest = known.latest()?;
    (!known.is_open() && latest.report.same_answer(report)).then_some(latest)
}

/// The day, and eight hex digits of what was received and when.
fn number(reports: &[Received], day: NaiveDate) -> String {
    let mut lines: Vec<_> = reports
        .iter()
        .map(|received| {
            let at = received.at.timestamp_millis();
            format!("{} {at}\n", received.report.obligation)
        })
        .collect();
    lines.sort();
    let digest = Sha256::digest(lines.concat().as_bytes());
    let hash: String = digest.iter().take(4).map(|b| format!("{b:02X}")).collect();
    format!("{}-{hash}", day.format("%Y%m%d"))
}
