//! A mail as it comes from anybody, and what it says.
#![no_main]

use cuiban::reply::{mail, words};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let ours = mail::Ours {
        addresses: vec!["remind@agency.example".into()],
        authserv_id: Some("mx.agency.example".into()),
    };
    let read = mail::read(bytes, &ours);
    let item = |task| words::OpenItem {
        task,
        name: "老旧小区改造".into(),
        awaited: true,
    };
    let _ = words::understand(&read.text, &[item(1), item(14), item(15)]);
});
