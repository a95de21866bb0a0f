//! What cuiban knows and decides, without I/O, clock, randomness, serde or logging.

pub mod ids;
pub mod people;
pub mod plan;
pub mod schedule;
