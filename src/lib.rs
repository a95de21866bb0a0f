//! 催办 cuiban: reads a city's yearly task table, reminds its owners before each quarter ends, and
//! shows who has not reported.

pub mod app;
pub mod board;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod desk;
pub mod domain;
pub mod driver;
pub mod life;
pub mod outbox;
pub mod plan;
pub mod reply;
pub mod rules;
pub mod store;
pub mod telemetry;
pub mod web;
