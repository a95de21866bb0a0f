//! One test for every channel: whatever goes wrong, no key, password, address or telephone number
//! is in what is kept or logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use cuiban::channel::Channel;
use cuiban::channel::email::{EmailChannel, Login};
use cuiban::channel::spool::SpoolChannel;
use cuiban::config::Secret;
use tracing_subscriber::fmt::MakeWriter;

use crate::email::{brief, settings};
use crate::peers::smtp::{Say, SmtpPeer, Step};
use crate::peers::wecom::{Answer, WecomPeer};
use crate::peers::wecom_app::{AppPeer, SECRET};
use crate::wecom::{KEY, robot};
use crate::wecom_app::app;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const PASSWORD: &str = "hunter2-secret";

#[tokio::test]
async fn no_secret_is_in_any_outcome_or_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // This test's own thread only: the runtime has no other.
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut said = String::new();
    for channel in channels().await {
        for nth in 1..=2 {
            let told = channel.send(&brief(), nth).await;
            said.push_str(&format!("{} {told:?}\n", channel.name()));
        }
    }
    said.push_str(&String::from_utf8(log.0.lock().unwrap().clone()).unwrap());
    let address = brief().contact.email.unwrap();
    let encoded = base64_of(&format!("\0duban@agency.example\0{PASSWORD}"));
    for secret in [
        KEY,
        SECRET,
        "token-1-",
        PASSWORD,
        &encoded,
        &base64_of(PASSWORD),
        &address,
        "13800000001",
        "7f3kQm2ZpX",
    ] {
        assert!(!said.contains(secret), "{secret} in\n{said}");
    }
}

/// Every channel, in every kind of trouble that makes somebody say something.
async fn channels() -> Vec<Box<dyn Channel>> {
    let mut channels: Vec<Box<dyn Channel>> = Vec::new();
    let answers = [
        Answer::Code(93000),
        Answer::Code(-1),
        Answer::Http(500),
        Answer::Http(404),
        Answer::Body(format!("<html>{KEY}</html>")),
        Answer::Body(format!(
            r#"{{"errcode":40058,"errmsg":"bad {KEY} 13800000001"}}"#
        )),
    ];
    for answer in answers {
        let peer = WecomPeer::good().await;
        peer.set_script(move |_, _| answer.clone());
        channels.push(Box::new(robot(peer.base_url(), &[])));
        std::mem::forget(peer);
    }
    let answers = [
        ("gettoken", Answer::Code(40001)),
        ("gettoken", Answer::Http(502)),
        ("gettoken", Answer::Body(format!("<html>{SECRET}</html>"))),
        ("message/send", Answer::Code(60020)),
        ("message/send", Answer::Http(404)),
        ("message/send", Answer::Http(500)),
        (
            "message/send",
            Answer::Body(format!(
                r#"{{"errcode":40058,"errmsg":"bad 13800000001 {KEY}"}}"#
            )),
        ),
        ("none", Answer::Usual),
    ];
    for (place, answer) in answers {
        let peer = AppPeer::good().await;
        peer.set_script(move |path, _| match path == place {
            true => answer.clone(),
            false => Answer::Usual,
        });
        channels.push(Box::new(app(peer.base_url())));
        std::mem::forget(peer);
    }
    channels.push(Box::new(app("http://127.0.0.1:1".into())));
    channels.push(Box::new(robot("http://127.0.0.1:1".into(), &[])));
    channels.push(Box::new(robot("http://no-such-host.invalid".into(), &[])));
    for step in [Step::Greeting, Step::Auth, Step::Rcpt, Step::Dot] {
        for code in ["451", "550", "250-x\r\nnonsense", "999"] {
            let script = move |now, _: usize, heard: &str| {
                if now == step {
                    Say::line(&format!("{code} you said {heard} 13800000001"))
                } else {
                    Say::Usual
                }
            };
            let peer = SmtpPeer::start(Arc::new(script), &["AUTH PLAIN LOGIN"]).await;
            let mut settings = settings(&peer);
            settings.login = Some(Login {
                username: "duban@agency.example".into(),
                password: Secret::new(PASSWORD.into()),
            });
            assert!(!format!("{settings:?}").contains(PASSWORD));
            channels.push(Box::new(EmailChannel::new(settings).unwrap()));
            std::mem::forget(peer);
        }
    }
    channels.push(Box::new(SpoolChannel::new("/dev/null/spool".into())));
    channels
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
