//! 延期: a later date for one obligation, by a coordinator's word. The stages of the quarter have
//! nothing more to say of it; those of its own date begin after the word was given.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{World, word};
use crate::domain::book::{Delivery, Obligation};
use crate::domain::fact::{Fact, WithdrawWhy};
use crate::domain::ids::ObligationKey;
use crate::domain::message::Occasion;
use crate::domain::request::ExtensionWord;

/// Nobody puts a quarter's report off for longer, in days.
const LONGEST: u64 = 366;

/// Why a date cannot be another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// There is no such obligation, or it was closed.
    #[error("没有这一应报事项")]
    Unknown,
    /// Nothing is awaited any more.
    #[error("该项已经报送，无需延期")]
    Reported,
    /// It is due then or later already.
    #[error("新的日期按工作日推算为{0}，应晚于原定的截止时间和现在，请另选日期")]
    NotLater(NaiveDate),
    /// That far ahead it is no date for a quarter's report.
    #[error("新的日期过远，请选一年之内的日期")]
    TooFar,
}

/// The day and the instant at which something put off to `wanted` is due: the last working day up
/// to it.
///
/// # Errors
/// [`ExtensionError`] where the obligation cannot be put off to it.
pub fn date(
    world: &World<'_>,
    key: &ObligationKey,
    wanted: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(NaiveDate, DateTime<Utc>), ExtensionError> {
    let known = world.book.obligations.get(key);
    let known = known.filter(|known| known.closed.is_none());
    let known = known.ok_or(ExtensionError::Unknown)?;
    if !known.is_open() {
        return Err(ExtensionError::Reported);
    }
    let today = world.calendar.date_of(now);
    if wanted > today + Days::new(LONGEST) {
        return Err(ExtensionError::TooFar);
    }
    let until = world.policy.deadline(world.calendar, wanted);
    let day = world.calendar.date_of(until);
    let later = world.book.due(key).is_none_or(|due| until > due);
    match later && until > now {
        true => Ok((day, until)),
        false => Err(ExtensionError::NotLater(day)),
    }
}

/// The facts of a grant, in one append: the word, what is queued and no longer wanted, and the
/// message that tells it.
///
/// # Errors
/// As for [`date`].
pub fn grant(
    world: &World<'_>,
    key: &ObligationKey,
    wanted: NaiveDate,
    note: String,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, ExtensionError> {
    let (day, until) = date(world, key, wanted, now)?;
    let asked = world.book.obligations.get(key).and_then(Obligation::asked);
    let asker = asked.map(|asked| &asked.person);
    let mut facts = vec![Fact::ExtensionDecided {
        obligation: key.clone(),
        word: ExtensionWord::Granted { day, until, note },
    }];
    facts.extend(unwanted(world, key, now));
    facts.extend(word::decided(world, key, asker, true, now));
    Ok(facts)
}

/// The facts of a refusal.
#[must_use]
pub fn refuse(
    world: &World<'_>,
    key: &ObligationKey,
    reason: String,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let asked = world.book.obligations.get(key).and_then(Obligation::asked);
    let Some(asked) = asked else {
        return Vec::new();
    };
    let mut facts = vec![Fact::ExtensionDecided {
        obligation: key.clone(),
        word: ExtensionWord::Refused { reason },
    }];
    facts.extend(word::decided(world, key, Some(&asked.person), false, now));
    facts
}

/// Queued stages that speak of nothing else.
fn unwanted<'a>(
    world: &World<'a>,
    key: &'a ObligationKey,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Fact> + use<'a> {
    let book = world.book;
    let is_stage = |delivery: &&Delivery| {
        let occasion = delivery.message.key.occasion;
        matches!(occasion, Occasion::Stage(_) | Occasion::PutOff(..))
    };
    let queued = book
        .queue
        .values()
        .filter_map(|name| book.messages.get(name));
    queued
        .filter(is_stage)
        .filter(move |delivery| {
            let message = &delivery.message;
            let others =
                |one: &ObligationKey| one != key && book.is_spoken_for(message.key.occasion, one);
            let items = book.still_open(&message.key.person, &message.items, now);
            let speaks_of_it = message.items.contains(key) || message.about.contains(key);
            let is_open = |one: &&ObligationKey| {
                let known = book.obligations.get(one);
                known.is_some_and(Obligation::is_open)
            };
            let about = message.about.iter().filter(is_open);
            speaks_of_it && !items.iter().chain(about).any(others)
        })
        .map(|delivery| Fact::MessageWithdrawn {
            key: delivery.message.key.clone(),
            why: WithdrawWhy::PutOff,
        })
}
