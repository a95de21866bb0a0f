//! Stand-ins for the world outside: they speak the real protocols and remember what they were told.
#![allow(
    dead_code,
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests; each test binary uses its own part of them"
)]

pub mod smtp;
pub mod wecom;
pub mod wecom_app;
pub mod world;
