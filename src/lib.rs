//! 催办 cuiban: reads a city's yearly task table, reminds its owners before each quarter ends, and
//! shows who has not reported.

pub mod channel;
pub mod clock;
pub mod config;
pub mod domain;
pub mod outbox;
pub mod plan;
pub mod store;
pub mod telemetry;
