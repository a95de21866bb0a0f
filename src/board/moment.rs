//! Which plan, which quarter, and as of when: what the addresses of all lists have in common.

use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::domain::ids::{PlanId, Quarter};
use crate::web::chosen::{self, NotChosen};
use crate::web::format::long_moment;
use crate::web::{WebError, as_of};

/// The moment a page is asked for: the present one, or one in the past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// None for the present.
    pub at: Option<DateTime<Utc>>,
    /// `2022-03-31T18:00`, for fields and links; empty for the present.
    pub text: String,
    /// What people read.
    pub words: String,
}

impl Moment {
    /// Reads `as_of`: RFC 3339, or a time at the office. One still ahead is the present one.
    pub(super) fn read(desk: &Desk, asked: &str) -> Result<Self, WebError> {
        if asked.trim().is_empty() {
            return Ok(Self::default());
        }
        let calendar = desk.calendar();
        let at = as_of::read(&calendar, asked)?;
        if at >= desk.clock.now() {
            return Ok(Self::default());
        }
        let local = at.with_timezone(&calendar.zone()).naive_local();
        let text = local.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        Ok(Self {
            at: Some(at),
            text: text.strip_suffix(":00").unwrap_or(&text).to_owned(),
            words: long_moment(&calendar, at),
        })
    }

    /// What links carry on.
    pub(super) fn suffix(&self) -> String {
        match self.at {
            Some(_) => format!("&as_of={}", self.text),
            None => String::new(),
        }
    }

    /// The same where it is all that a link carries.
    pub(super) fn only(&self) -> String {
        self.suffix().replacen('&', "?", 1)
    }

    /// Whether the present is shown, in which alone something can be changed.
    pub(super) fn is_now(&self) -> bool {
        self.at.is_none()
    }
}

/// The plan and quarter asked for; where nothing was, those to show by themselves. None where
/// there is no plan at all.
pub(super) fn choose(
    desk: &Desk,
    plan: &str,
    quarter: &str,
) -> Result<Option<(PlanId, Quarter)>, WebError> {
    match chosen::choose(desk, &desk.ledger.book(), plan, quarter) {
        Ok(found) => Ok(Some(found)),
        Err(NotChosen::Empty) => Ok(None),
        Err(NotChosen::Unknown(_)) => Err(WebError::NotFound),
        Err(error @ NotChosen::Unreadable(_)) => Err(error.into()),
    }
}
