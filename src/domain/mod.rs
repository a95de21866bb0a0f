//! What cuiban knows and decides, without I/O, clock, randomness, serde or logging.

pub mod board;
pub mod book;
pub mod calendar;
pub mod delivery;
pub mod fact;
pub mod ids;
pub mod link;
pub mod message;
pub mod people;
pub mod plan;
pub mod policy;
pub mod report;
pub mod user;

#[cfg(test)]
pub(crate) mod fixture;
