//! Puts on record who has looked at what and who has taken what along.
//!
//! A view is written down beside the answer, and a page that is opened again and again within some
//! minutes counts once: reading must not wait for a disk. An export waits: a copy that could not be
//! put on record is not given out.
//!
//! Example: `audit::viewed(&desk, &caller, Page::Person, id.as_str());`

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Caller, WebError};
use crate::desk::Desk;
use crate::domain::access::{Export, Page};
use crate::domain::fact::{Actor, Fact};

/// Views of the same by the same within this time are one.
const ONE_VIEW: Duration = Duration::from_secs(600);
/// Views remembered at the most; then all are forgotten, and the next of each counts anew.
const MOST: usize = 10_000;

/// The views of the last minutes.
#[derive(Debug, Default)]
pub struct Views(Mutex<HashMap<(String, Page, String), Instant>>);

impl Views {
    /// Whether this is a view of its own.
    fn is_new(&self, who: &Actor, page: Page, subject: &str, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, at| now.duration_since(*at) < ONE_VIEW);
        }
        if known.len() >= MOST {
            known.clear();
        }
        let key = (format!("{who:?}"), page, subject.to_owned());
        let recent = known.get(&key);
        let recent = recent.is_some_and(|at| now.duration_since(*at) < ONE_VIEW);
        if !recent {
            known.insert(key, now);
        }
        !recent
    }
}

/// The caller sees a page with something about persons: of whom, or of which plan and quarter, is
/// `subject`. Called once it is known that they may.
pub fn viewed(desk: &Desk, caller: &Caller, page: Page, subject: &str) {
    let Some(by) = caller.actor() else { return };
    if !desk.views.is_new(&by, page, subject, Instant::now()) {
        return;
    }
    let (ledger, now) = (desk.ledger.clone(), desk.clock.now());
    let fact = Fact::Viewed {
        page,
        subject: subject.to_owned(),
    };
    tokio::spawn(async move {
        // While the store takes nothing the board can still be read.
        if let Err(error) = ledger.append(by, now, vec![fact]).await {
            tracing::warn!(%error, page = page.as_str(), "a view was not put on record");
        }
    });
}

/// The caller takes a copy along, of what is `subject`. Called before the answer begins.
///
/// # Errors
/// Where it cannot be put on record: the copy is not given out then.
pub async fn exported(
    desk: &Desk,
    caller: &Caller,
    export: Export,
    subject: &str,
) -> Result<(), WebError> {
    let by = caller.actor().ok_or(WebError::SignIn)?;
    let fact = Fact::Exported {
        export,
        subject: subject.to_owned(),
    };
    let appended = desk.ledger.append(by, desk.clock.now(), vec![fact]).await;
    appended.map_err(|_| WebError::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_page_opened_again_within_minutes_is_one_view() {
        let views = Views::default();
        let start = Instant::now();
        let wang = Actor::User("王科长".into());
        let view = |who: &Actor, subject, seconds| {
            let now = start + Duration::from_secs(seconds);
            views.is_new(who, Page::Person, subject, now)
        };
        assert!(view(&wang, "杜江", 0));
        assert!(!view(&wang, "杜江", 599));
        assert!(view(&wang, "张玉成", 599), "another person");
        assert!(view(&Actor::Operator, "杜江", 599), "somebody else");
        assert!(view(&wang, "杜江", 601));
    }

    #[test]
    fn memory_is_bounded() {
        let views = Views::default();
        let now = Instant::now();
        for n in 0..MOST + 10 {
            views.is_new(&Actor::Operator, Page::Person, &n.to_string(), now);
        }
        assert!(views.0.lock().unwrap().len() <= MOST);
    }
}
