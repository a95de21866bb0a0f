//! What people read, what peers are told, and what becomes of a message.

#[path = "../peers/mod.rs"]
mod peers;

mod email;
mod letters;
mod outbox;
mod secrets;
mod spool;
mod wecom;
