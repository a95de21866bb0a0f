//! Bytes as hex digits.

use sha2::{Digest as _, Sha256};

/// In lower-case hex.
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let halves = |byte: &u8| [byte >> 4, byte & 15];
    let digits = bytes.into_iter().flat_map(halves);
    digits
        .filter_map(|half| DIGITS.get(usize::from(half)))
        .collect()
}

/// The value of a hexadecimal digit.
#[must_use]
pub fn digit(character: u8) -> Option<u8> {
    char::from(character)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digits_of_each_byte() {
        assert_eq!(hex(&[0, 9, 10, 0xa5, 255]), "00090aa5ff");
        assert!(sha256(b"").starts_with("e3b0c442"));
    }
}
