//! The program as its users have it: the real binary, real protocol peers, a simulated clock.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

/// Stand-ins for the world outside, shared with tests/channels.
#[path = "../peers"]
#[expect(dead_code, reason = "each test binary uses its own part of them")]
mod peers {
    pub mod smtp;
    pub mod wecom;
    pub mod wecom_app;
    pub mod wecom_callback;
}

mod accounts;
mod backup;
mod barriers;
mod bell;
mod browser;
mod callback;
mod clock;
mod crowd;
mod doctor;
mod dovecot;
mod duty;
mod faults;
mod guards;
mod https;
mod import;
mod inspect;
mod kill;
mod ladder;
mod mail_in;
mod old_plan;
mod owner;
mod page;
mod papers;
mod reload;
mod review;
mod smtp_faults;
mod stores;
mod wecom;
mod wecom_app;
mod world;
mod year;
