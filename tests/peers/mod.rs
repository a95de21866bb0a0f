//! Stand-ins for the world outside: they speak the real protocols and remember what they were told.
#![allow(
    dead_code,
    missing_docs,
    reason = "each test binary uses its own part of these"
)]

pub mod smtp;
pub mod wecom;
pub mod world;
