//! The platform's side of the callback: verifies the address, brings what members say, and brings
//! it again.

use std::sync::atomic::{AtomicU64, Ordering};

use cuiban::config::wecom::AesKey;
use cuiban::reply::wecom::crypt::{Crypt, Sealed};

use super::wecom_app::CORP;

pub const TOKEN: &str = "gNAIBbWwuO9";
pub const AES_KEY: &str = "Oc84J1tqSU4Xfcsk3rWzAS7ccZ75reMvxa8cVnGcQfy";

/// One of the platform's machines.
pub struct Caller {
    http: reqwest::Client,
    url: String,
    crypt: Crypt,
    count: AtomicU64,
}

/// Something said, that can be brought again as it was.
#[derive(Clone)]
pub struct Call {
    pub query: String,
    pub body: String,
}

impl Caller {
    pub fn new(base: &str) -> Self {
        let key = AesKey::read(AES_KEY).unwrap();
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("{base}/wecom/callback"),
            crypt: Crypt::new(TOKEN, key, CORP),
            count: AtomicU64::new(std::process::id().into()),
        }
    }

    /// Enters the address in the console: what comes back has to be the echo itself.
    pub async fn verify(&self) -> bool {
        let sealed = self.seal("7741322657574589491");
        let echo: String = sealed
            .encrypt
            .bytes()
            .map(|b| format!("%{b:02X}"))
            .collect();
        let url = format!("{}?{}&echostr={echo}", self.url, sealed.query());
        let answer = self.http.get(url).send().await.unwrap();
        answer.status() == 200 && answer.text().await.unwrap() == "7741322657574589491"
    }

    pub fn typed(&self, user: &str, text: &str) -> Call {
        let number = self.next();
        self.call(&format!(
            "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName><CreateTime>1648432800</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content><MsgId>{number}</MsgId><AgentID>1000002</AgentID></xml>"
        ))
    }

    pub fn tapped(
        &self,
        user: &str,
        card: &str,
        button: &str,
        chosen: Option<&str>,
        code: &str,
    ) -> Call {
        let chosen = chosen.map_or(String::new(), |id| {
            format!("<SelectedItems><SelectedItem><QuestionKey><![CDATA[item]]></QuestionKey><OptionIds><OptionId><![CDATA[{id}]]></OptionId></OptionIds></SelectedItem></SelectedItems>")
        });
        self.call(&format!(
            "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName><CreateTime>1648432800</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{button}]]></EventKey><TaskId><![CDATA[{card}]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[{code}]]></ResponseCode><AgentID>1000002</AgentID>{chosen}</xml>"
        ))
    }

    /// Brings it; the status, or none where nobody answered.
    pub async fn bring(&self, call: &Call) -> Option<u16> {
        let url = format!("{}?{}", self.url, call.query);
        let sent = self.http.post(url).body(call.body.clone()).send().await;
        Some(sent.ok()?.status().as_u16())
    }

    fn call(&self, message: &str) -> Call {
        let sealed = self.seal(message);
        Call {
            query: sealed.query(),
            body: sealed.envelope(),
        }
    }

    fn seal(&self, message: &str) -> Sealed {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.next().to_be_bytes());
        let nonce = self.next().to_string();
        self.crypt.seal(message, random, "1648432800", &nonce)
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 7_000_000_000_000_000_000
    }
}
