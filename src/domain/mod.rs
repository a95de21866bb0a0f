//! What cuiban knows and decides, without I/O, `async`, clock, randomness, serde or logging.
//!
//! Values come in, values go out: facts make the [`book`], the book and a moment make messages
//! ([`due`]), views ([`board`]) and texts ([`brief`]). Nothing here asks what time it is, so that
//! every odd date can be tried in a millisecond.
//!
//! Example: `due::pass(&world, now)` gives the facts that must be appended at `now`; run on the
//! book that has them, it gives none.

pub mod access;
pub mod address;
pub mod agenda;
pub mod alarm;
pub mod board;
pub mod book;
pub mod brief;
pub mod calendar;
pub mod causes;
pub mod checkup;
pub mod delegation;
pub mod delivery;
pub mod due;
pub mod duty;
pub mod evidence;
pub mod fact;
pub mod feed;
pub mod formula;
pub mod heard;
pub mod hex;
pub mod holidays;
pub mod ids;
pub mod ladder;
pub mod leap;
pub mod link;
pub mod mail;
pub mod message;
pub mod news;
pub mod packing;
pub mod paper;
pub mod password;
pub mod people;
pub mod plan;
pub mod plan_diff;
pub mod policy;
pub mod readiness;
pub mod report;
pub mod request;
pub mod schedule;
pub mod target;
pub mod token;
pub mod totp;
pub mod units;
pub mod user;

#[cfg(test)]
pub(crate) mod fixture;
