//! Values in addresses.

use crate::domain::hex::digit;

/// Percent-encoded for a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The same for an address in a page, where Chinese may stay Chinese: a browser sends it encoded.
#[must_use]
pub fn readable(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() || !letter.is_ascii() => out.push(letter),
            '-' | '_' | '.' | '~' => out.push(letter),
            letter => out.push_str(&encoded(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// Decoded; what is no escape stays as it is, and a `+` stays one.
#[must_use]
pub fn decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, tail @ ..] = rest {
        let escape = match (byte, tail) {
            (b'%', [high, low, after @ ..]) => digit(*high).zip(digit(*low)).zip(Some(after)),
            _ => None,
        };
        match escape {
            Some(((high, low), after)) => {
                out.push(high << 4 | low);
                rest = after;
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(encoded("市 a-1+%"), "%E5%B8%82%20a-1%2B%25");
        assert_eq!(readable("市 a-1+%&"), "市%20a-1%2B%25%26");
        assert_eq!(decoded(b"%41+%4g%%42%"), b"A+%4g%B%");
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(value in ".*") {
            prop_assert_eq!(decoded(encoded(&value).as_bytes()), value.as_bytes());
        }
    }
}
