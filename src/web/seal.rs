//! What must not be read in the journal or by the browser that carries it: sealed under a key that
//! follows from the link key, for one purpose and one bearer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::WebError;
use crate::domain::link::LinkKey;

/// Seals bytes; only [`open`] with the same purpose and bearer reads them again.
///
/// # Errors
/// Where the system gives no randomness.
pub fn seal(key: &LinkKey, purpose: &str, bearer: &str, clear: &[u8]) -> Result<String, WebError> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(WebError::internal)?;
    let failed = || WebError::internal("sealing failed");
    let sealer = sealer(key, purpose).ok_or_else(failed)?;
    let mut bytes = clear.to_vec();
    sealer
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bearer.as_bytes()),
            &mut bytes,
        )
        .map_err(|_| failed())?;
    Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &bytes].concat()))
}

/// What was sealed; none where it was for something else, or is not ours.
#[must_use]
pub fn open(key: &LinkKey, purpose: &str, bearer: &str, sealed: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, content) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let clear = sealer(key, purpose)?
        .open_in_place(nonce, Aad::from(bearer.as_bytes()), content)
        .ok()?;
    Some(clear.to_vec())
}

fn sealer(key: &LinkKey, purpose: &str) -> Option<LessSafeKey> {
    let derived = key.mac("seal", purpose.as_bytes());
    UnboundKey::new(&AES_256_GCM, &derived)
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_bearer_only() {
        let key = LinkKey::new([3; 32]);
        let sealed = seal(&key, "totp", "wang", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(open(&key, "totp", "wang", &sealed).unwrap(), b"secret");
        assert_eq!(open(&key, "totp", "li", &sealed), None);
        assert_eq!(open(&key, "oidc", "wang", &sealed), None);
        assert_eq!(open(&LinkKey::new([4; 32]), "totp", "wang", &sealed), None);
        assert_eq!(open(&key, "totp", "wang", "AAAA"), None);
        assert_ne!(sealed, seal(&key, "totp", "wang", b"secret").unwrap());
    }
}
