//! How the platform calls us: the token it proves itself with, and the key it encrypts with.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// How the platform proves itself when it calls, and what it encrypts with.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Token.
    pub token: Secret,
    /// EncodingAESKey.
    pub key: AesKey,
}

impl Callback {
    /// None where it is not used, or has faults, which are then gathered.
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let [token_file, key_file] = ["callback_token_file", "callback_aes_key_file"];
        let token = r.secret_in_file(token_file);
        let key = r.secret_in_file(key_file);
        for (one, other) in [(token_file, key_file), (key_file, token_file)] {
            if r.is_written(one) && !r.is_written(other) {
                r.fault(
                    other,
                    format!(
                        "接收消息要同时填写 {one} 和 {other}，内容与管理后台“接收消息”页面一致"
                    ),
                );
            }
        }
        let (token, key) = (token?, key?);
        if token.is_unread() || key.is_unread() {
            return None;
        }
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        let good_token = token.expose().len() <= 32 && letters(token.expose());
        if !good_token {
            r.fault(token_file, "里面的 Token 应为不超过32位的字母和数字");
        }
        let key = AesKey::read(key.expose());
        if key.is_none() {
            r.fault(
                key_file,
                "里面的 EncodingAESKey 应为43位字母和数字，请从管理后台重新复制",
            );
        }
        Some(Self { token, key: key? }).filter(|_| good_token)
    }
}

/// The 32 bytes behind an EncodingAESKey. They print as stars.
#[derive(Clone)]
pub struct AesKey([u8; 32]);

impl AesKey {
    /// Reads the 43 letters of the console; none where it is no such key.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let fits = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let bytes = KEY_LETTERS.decode(text).ok().filter(|_| fits)?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the cipher starts from: the key's first half.
    #[must_use]
    pub fn start(&self) -> [u8; 16] {
        let mut start = [0; 16];
        start
            .iter_mut()
            .zip(self.0)
            .for_each(|(to, from)| *to = from);
        start
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The platform's keys end in a letter whose spare bits are rarely zero.
const KEY_LETTERS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);
