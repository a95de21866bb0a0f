//! WeCom's envelope (WXBizMsgCrypt): a signature over the cipher text, AES-256-CBC inside, padded
//! to 32 bytes.
//!
//! The signature is checked before anything is decrypted, so that nobody without the token gets as
//! far as the cipher. Every length that comes from outside is checked before it is used.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::xml;
use crate::config::wecom::AesKey;
use crate::domain::hex::hex;
use crate::domain::link::same;
use crate::web::percent;

/// What opens and seals envelopes of one application.
#[derive(Clone)]
pub struct Crypt {
    token: String,
    key: AesKey,
    receive_id: String,
}

/// Why an envelope was not opened, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The body is not the XML of an envelope.
    #[error("请求内容不是企业微信的消息格式")]
    Xml,
    /// Not signed with our token.
    #[error("签名不符，请核对 wecom.app.callback_token_file 与管理后台的 Token 是否一致")]
    Signature,
    /// The cipher text is not base64.
    #[error("密文不是 base64")]
    Base64,
    /// It is not made of whole blocks.
    #[error("密文长度不对")]
    CipherLength,
    /// Nobody pads like that: most likely another key.
    #[error("解密后的填充不对，请核对 wecom.app.callback_aes_key_file 与管理后台的 EncodingAESKey")]
    Padding,
    /// The message is longer than what it stands in.
    #[error("消息长度与内容不符")]
    Length,
    /// Meant for somebody else.
    #[error("消息不是发给本企业的，请核对 wecom.app.corp_id")]
    ReceiveId,
    /// The message is not UTF-8.
    #[error("消息不是 UTF-8 编码")]
    Utf8,
}

impl Refused {
    /// The class, for logs and tests.
    #[must_use]
    pub fn stage(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Signature => "signature",
            Self::Base64 => "base64",
            Self::CipherLength => "cipher_len",
            Self::Padding => "padding",
            Self::Length => "length",
            Self::ReceiveId => "receiveid",
            Self::Utf8 => "utf8",
        }
    }
}

/// What stands in the address of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    signature: String,
    timestamp: String,
    nonce: String,
    echo: String,
}

/// An answer in its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The cipher text.
    pub encrypt: String,
    /// Over token, time, nonce and cipher text.
    pub signature: String,
    timestamp: String,
    nonce: String,
}

const BLOCK: usize = 16;
const PAD_TO: usize = 32;
/// Random bytes, then the length.
const HEAD: usize = 20;

impl Crypt {
    /// For the application of this token, key and corporation.
    #[must_use]
    pub fn new(token: impl Into<String>, key: AesKey, receive_id: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            key,
            receive_id: receive_id.into(),
        }
    }

    /// What to answer when the platform verifies the address.
    ///
    /// # Errors
    /// Where it is not the platform, or not for us.
    pub fn verify(&self, call: &Signed) -> Result<String, Refused> {
        self.open(call, &call.echo)
    }

    /// The message in a call's body.
    ///
    /// # Errors
    /// Where it is not the platform's, or not for us.
    pub fn message(&self, call: &Signed, body: &[u8]) -> Result<String, Refused> {
        let envelope = xml::read(body).map_err(|_| Refused::Xml)?;
        let encrypt = envelope.only("Encrypt").ok_or(Refused::Xml)?;
        self.open(call, encrypt.text.trim())
    }

    /// Puts an answer into its envelope. `random` must be 16 fresh bytes.
    #[must_use]
    pub fn seal(&self, message: &str, random: [u8; 16], timestamp: &str, nonce: &str) -> Sealed {
        let said = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut plain = random.to_vec();
        plain.extend(said.to_be_bytes());
        plain.extend(message.as_bytes());
        plain.extend(self.receive_id.as_bytes());
        let pad = PAD_TO - plain.len() % PAD_TO;
        plain.extend(std::iter::repeat_n(u8::try_from(pad).unwrap_or(0), pad));
        let length = plain.len();
        let cipher =
            cbc::Encryptor::<Aes256>::new(self.key.bytes().into(), (&self.key.start()).into());
        let sealed = cipher.encrypt_padded::<NoPadding>(&mut plain, length);
        // Whole blocks need no room beside them.
        let encrypt = STANDARD.encode(sealed.unwrap_or_default());
        Sealed {
            signature: self.signature(timestamp, nonce, &encrypt),
            encrypt,
            timestamp: timestamp.to_owned(),
            nonce: nonce.to_owned(),
        }
    }

    fn open(&self, call: &Signed, encrypt: &str) -> Result<String, Refused> {
        let wanted = self.signature(&call.timestamp, &call.nonce, encrypt);
        if !same(wanted.as_bytes(), call.signature.as_bytes()) {
            return Err(Refused::Signature);
        }
        let mut bytes = STANDARD.decode(encrypt).map_err(|_| Refused::Base64)?;
        if bytes.is_empty() {
            return Err(Refused::Base64);
        }
        if !bytes.len().is_multiple_of(BLOCK) {
            return Err(Refused::CipherLength);
        }
        let cipher =
            cbc::Decryptor::<Aes256>::new(self.key.bytes().into(), (&self.key.start()).into());
        let plain = cipher.decrypt_padded::<NoPadding>(&mut bytes);
        let plain = plain.map_err(|_| Refused::CipherLength)?;
        self.unwrap(unpadded(plain)?)
    }

    /// Random bytes, length, message, receive id.
    fn unwrap(&self, plain: &[u8]) -> Result<String, Refused> {
        let (head, rest) = plain.split_at_checked(HEAD).ok_or(Refused::Length)?;
        let (_, length) = head.split_last_chunk::<4>().ok_or(Refused::Length)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Refused::Length)?;
        let (message, receive_id) = rest.split_at_checked(length).ok_or(Refused::Length)?;
        if !same(receive_id, self.receive_id.as_bytes()) {
            return Err(Refused::ReceiveId);
        }
        String::from_utf8(message.to_vec()).map_err(|_| Refused::Utf8)
    }

    fn signature(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        hex(Sha1::digest(parts.concat().as_bytes()).iter())
    }
}

impl Signed {
    /// Reads the query of a call as it came: decoded once, and a `+` stays one. What is missing, or
    /// stands there twice, is empty and so agrees with no signature.
    #[must_use]
    pub fn of_query(query: &str) -> Self {
        let value = |name: &str| {
            let mut found = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .filter(|(key, _)| *key == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => {
                    String::from_utf8_lossy(&percent::decoded(value.as_bytes())).into_owned()
                }
                _ => String::new(),
            }
        };
        Self {
            signature: value("msg_signature"),
            timestamp: value("timestamp"),
            nonce: value("nonce"),
            echo: value("echostr"),
        }
    }
}

impl Sealed {
    /// The body of the answer.
    #[must_use]
    pub fn envelope(&self) -> String {
        format!(
            "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{}</TimeStamp><Nonce>{}</Nonce></xml>",
            xml::cdata(&self.encrypt),
            xml::cdata(&self.signature),
            self.timestamp,
            xml::cdata(&self.nonce),
        )
    }

    /// The query under which the platform would send this to us.
    #[must_use]
    pub fn query(&self) -> String {
        format!(
            "msg_signature={}&timestamp={}&nonce={}",
            self.signature, self.timestamp, self.nonce
        )
    }
}

/// PKCS#7 to 32 bytes: between 1 and 32 of them, all alike.
fn unpadded(plain: &[u8]) -> Result<&[u8], Refused> {
    let pad = usize::from(*plain.last().ok_or(Refused::Padding)?);
    if !(1..=PAD_TO).contains(&pad) {
        return Err(Refused::Padding);
    }
    let end = plain.len().checked_sub(pad).ok_or(Refused::Padding)?;
    let (kept, padding) = plain.split_at_checked(end).ok_or(Refused::Padding)?;
    let alike = padding.iter().all(|byte| usize::from(*byte) == pad);
    alike.then_some(kept).ok_or(Refused::Padding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const KEY: &str = "Oc84J1tqSU4Xfcsk3rWzAS7ccZ75reMvxa8cVnGcQfy";

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/fixtures/wecom-vectors.json")).unwrap()
    }

    fn text<'a>(case: &'a Value, field: &str) -> &'a str {
        case[field].as_str().unwrap_or_default()
    }

    fn crypt(case: &Value) -> Option<Crypt> {
        let key = AesKey::read(text(case, "encoding_aes_key"))?;
        Some(Crypt::new(
            text(case, "token"),
            key,
            text(case, "receiveid"),
        ))
    }

    #[test]
    fn every_vector_is_opened_or_refused_at_its_stage() {
        let vectors = vectors();
        let cases = vectors["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 59);
        for case in cases {
            let call = Signed::of_query(text(case, "query"));
            let opened = match (crypt(case), text(case, "kind")) {
                (None, _) => Err("key"),
                (Some(crypt), "url_verify") => crypt.verify(&call).map_err(Refused::stage),
                (Some(crypt), "callback") => crypt
                    .message(&call, text(case, "body").as_bytes())
                    .map_err(Refused::stage),
                (Some(_), _) => Ok(String::new()),
            };
            let expect = &case["expect"];
            let wanted = match expect["ok"].as_bool().unwrap() {
                true => Ok(text(expect, "plaintext").to_owned()),
                false => Err(text(expect, "stage")),
            };
            let id = text(case, "id");
            // The vectors leave the stage open where a wrong key makes noise of everything.
            let open = text(case, "note").contains("any stage but success");
            match (opened, wanted) {
                (Err(_), Err(_)) if open => {}
                (opened, wanted) => assert_eq!(opened, wanted, "{id}"),
            }
        }
    }

    #[test]
    fn an_answer_is_sealed_as_the_vectors_say() {
        for case in vectors()["seal"].as_array().unwrap() {
            let crypt = crypt(case).unwrap();
            let random = text(case, "random16").as_bytes().try_into().unwrap();
            let (at, nonce) = (text(case, "timestamp"), text(case, "nonce"));
            let sealed = crypt.seal(text(case, "plaintext"), random, at, nonce);
            assert_eq!(sealed.encrypt, text(case, "encrypt"));
            assert_eq!(sealed.signature, text(case, "msg_signature"));
            let ours = xml::read(sealed.envelope().as_bytes()).unwrap();
            let theirs = xml::read(text(case, "reply_xml").as_bytes()).unwrap();
            for name in ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"] {
                assert_eq!(
                    ours.only(name).unwrap().text,
                    theirs.only(name).unwrap().text
                );
            }
        }
    }

    #[test]
    fn a_signature_that_stands_twice_is_none() {
        let call = Signed::of_query("msg_signature=a&nonce=1%2B+&timestamp=2&msg_signature=a");
        let wanted = Signed {
            timestamp: "2".into(),
            nonce: "1++".into(),
            ..Signed::default()
        };
        assert_eq!(call, wanted);
    }

    fn ours() -> Crypt {
        Crypt::new("gNAIBbWwuO9", AesKey::read(KEY).unwrap(), "ww1")
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_one_changed_byte_does_not(
            message in ".{0,200}", random: [u8; 16], at in 0u64..1 << 40, change: (usize, u8)
        ) {
            let crypt = ours();
            let sealed = crypt.seal(&message, random, &at.to_string(), "n");
            let call = Signed::of_query(&sealed.query());
            let body = sealed.envelope();
            prop_assert_eq!(crypt.message(&call, body.as_bytes()), Ok(message));

            let mut bytes = sealed.encrypt.into_bytes();
            let place = change.0 % bytes.len();
            let letter = b'A' + change.1 % 26;
            prop_assume!(bytes[place] != letter);
            bytes[place] = letter;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(crypt.open(&call, &changed), Err(Refused::Signature));
        }

        #[test]
        fn whatever_is_signed_is_opened_or_refused_without_a_panic(
            blocks in proptest::collection::vec(any::<u8>(), 0..200), whole: bool
        ) {
            let crypt = ours();
            let cut = if whole { blocks.len() / BLOCK * BLOCK } else { blocks.len() };
            let encrypt = STANDARD.encode(&blocks[..cut]);
            let call = Signed {
                signature: crypt.signature("1", "2", &encrypt),
                timestamp: "1".into(),
                nonce: "2".into(),
                echo: encrypt.clone(),
            };
            let _ = crypt.verify(&call);
            let _ = crypt.unwrap(&blocks);
            let _ = crypt.message(&call, &blocks);
            let _ = Signed::of_query(&String::from_utf8_lossy(&blocks));
        }
    }
}
