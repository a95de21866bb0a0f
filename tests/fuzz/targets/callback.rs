//! A call to the WeCom callback: whatever query and body, whatever is inside a signed envelope.
#![no_main]

use cuiban::config::wecom::AesKey;
use cuiban::reply::wecom::crypt::{Crypt, Refused, Signed};
use cuiban::reply::wecom::event;
use cuiban::reply::words::{OpenItem, understand};
use cuiban::domain::heard::Said;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let key = AesKey::read("Oc84J1tqSU4Xfcsk3rWzAS7ccZ75reMvxa8cVnGcQfy").expect("a key");
    let crypt = Crypt::new("gNAIBbWwuO9", key, "ww1");

    // As a forger would have it: the first line is the query.
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (query, body) = data.split_at(cut);
    let call = Signed::of_query(&String::from_utf8_lossy(query));
    assert!(crypt.verify(&call).is_err());
    assert!(crypt.message(&call, body).is_err());

    // Noise under a good signature, and the noise itself as a message.
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let sealed = crypt.seal(text, [0; 16], "1", "2");
    let call = Signed::of_query(&sealed.query());
    let opened = crypt.message(&call, sealed.envelope().as_bytes());
    // A long one is over the bounds of what is read at all.
    match opened {
        Ok(opened) => assert_eq!(opened, text),
        Err(refused) => assert_eq!(refused, Refused::Xml),
    }
    if let Ok(event::Incoming::Heard(heard)) = event::read(text) {
        assert!(!heard.account.is_empty() && !heard.name.is_empty());
        if let Said::Typed { text } = heard.said {
            let item = |task| OpenItem {
                task,
                name: "老旧小区改造".into(),
                awaited: true,
            };
            let _ = understand(&text, &[item(14), item(16)]);
        }
    }
});
