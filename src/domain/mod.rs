//! What cuiban knows and decides, without I/O, clock, randomness, serde or logging.

pub mod address;
pub mod board;
pub mod book;
pub mod brief;
pub mod calendar;
pub mod delivery;
pub mod due;
pub mod fact;
pub mod ids;
pub mod link;
pub mod message;
pub mod people;
pub mod plan;
pub mod policy;
pub mod report;
pub mod schedule;
pub mod user;

#[cfg(test)]
pub(crate) mod fixture;
