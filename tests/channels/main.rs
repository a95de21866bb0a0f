//! What people read, what peers are told, and what becomes of a message.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it is"
)]

#[path = "../peers/mod.rs"]
mod peers;

mod cards;
mod email;
mod letters;
mod outbox;
mod secrets;
mod spool;
mod wecom;
mod wecom_app;
