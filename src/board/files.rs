//! The files beside reports, as the board shows and gives them out.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::review::key;
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::book::Obligation;
use crate::domain::evidence::{FileHash, Filed};
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::report::Received;
use crate::web::download::download;
use crate::web::{Caller, WebError, audit};

/// A file in a list.
pub(super) struct FileLine {
    pub href: String,
    pub name: String,
    pub size: String,
    /// Whether its owner has taken it away since.
    pub removed: bool,
}

/// `GET /task/{plan}/{quarter}/{task}/{group}/evidence/{hash}`: what was taken away too, since a
/// report stood on it.
pub(super) async fn give(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path((plan, quarter, task, group, hash)): Path<(String, String, TaskNo, u8, String)>,
) -> Result<Response, WebError> {
    caller.reader()?;
    let key = key((plan, quarter, task, group))?;
    let hash = FileHash::new(&hash).map_err(|_| WebError::NotFound)?;
    let found = {
        let book = desk.ledger.book();
        let known = book.obligations.get(&key).ok_or(WebError::NotFound)?;
        let (task, _) = book.task_and_group(&key).ok_or(WebError::NotFound)?;
        if !caller.sight().sees(task) {
            return Err(WebError::NotFound);
        }
        find(known, &hash).map(|filed| filed.evidence.clone())
    };
    let evidence = found.ok_or(WebError::NotFound)?;
    let subject = format!("{key} {}", evidence.sha256);
    audit::exported(&desk, &caller, Export::Evidence, &subject).await?;
    download(&desk, &evidence).await
}

/// The files that stood beside a report.
pub(super) fn beside(
    key: &ObligationKey,
    known: &Obligation,
    received: &Received,
) -> Vec<FileLine> {
    let files = received.evidence.iter();
    files
        .filter_map(|hash| Some(line(key, find(known, hash)?)))
        .collect()
}

/// The files that came after the latest report, or before the first.
pub(super) fn loose(key: &ObligationKey, known: &Obligation) -> Vec<FileLine> {
    let latest = known.latest().map(|latest| latest.evidence.as_slice());
    let latest = latest.unwrap_or_default();
    known
        .shown()
        .filter(|filed| !latest.contains(&filed.evidence.sha256))
        .map(|filed| line(key, filed))
        .collect()
}

/// As it stands now: one that was taken away and brought again is there.
fn find<'a>(known: &'a Obligation, hash: &FileHash) -> Option<&'a Filed> {
    let mut all = known.evidence.iter().rev();
    all.find(|filed| filed.evidence.sha256 == *hash)
}

fn line(key: &ObligationKey, filed: &Filed) -> FileLine {
    let evidence = &filed.evidence;
    FileLine {
        href: format!("/task/{key}/evidence/{}", evidence.sha256),
        name: evidence.name.clone(),
        size: evidence.size(),
        removed: filed.removed.is_some(),
    }
}
