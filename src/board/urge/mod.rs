//! 催办 by a coordinator's word: first who would get what, over which channel, and how much they
//! had this week; then, on the same terms, done. As a page, and as JSON for `cuiban urge`.

mod answer;
mod order;
mod page;
mod person;
mod scope;

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::due::Urging;
use crate::domain::fact::Actor;
use crate::store::Decision;
use crate::web::WebError;
use answer::answer;
pub use answer::{UrgeAnswer, UrgeLine};
pub(super) use order::order;
pub(super) use page::{preview, show, submit};
use scope::Scope;
pub(super) use scope::read_item;

/// Decides and appends in one step, so that who has reported a moment ago is not urged.
async fn commit(
    desk: &Desk,
    by: Actor,
    scopes: impl FnOnce(&Book) -> Result<Vec<Scope>, WebError> + Send + 'static,
    dry: bool,
) -> Result<UrgeAnswer, WebError> {
    let now = desk.clock.now();
    let rules = desk.rules.now();
    let decide = move |book: &Book| {
        let scopes = scopes(book)?;
        let all: Vec<Urging> = scopes
            .iter()
            .flat_map(|scope| scope.urging(book, &rules, now))
            .collect();
        let value = answer(book, &all, &rules, dry);
        let facts = match dry {
            true => Vec::new(),
            false => all.into_iter().filter_map(|one| one.fact(now)).collect(),
        };
        Ok(Decision { facts, value })
    };
    Ok(desk.ledger.commit(by, now, decide).await?)
}
