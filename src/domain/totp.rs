//! One-time codes of the moment (RFC 6238): six digits, SHA-1, a step of thirty seconds, as every
//! authenticator application makes them.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::link::same;

/// Seconds in which a code stays the same.
pub const STEP: u64 = 30;
/// Bytes of a secret, as RFC 4226 advises.
pub const SECRET_BYTES: usize = 20;
/// Steps before and after the present one whose codes count: clocks differ, and typing takes time.
const AROUND: u64 = 1;
const DIGITS: usize = 6;

/// The step that a moment lies in.
#[must_use]
pub fn step_at(unix_seconds: i64) -> u64 {
    u64::try_from(unix_seconds).unwrap_or(0) / STEP
}

/// The code of a step.
#[must_use]
pub fn code(secret: &[u8], step: u64) -> String {
    let number = truncated(secret, step) % 10_u32.pow(6);
    format!("{number:0DIGITS$}")
}

/// The step whose code was typed, where it is one of the present ones and later than `used`.
#[must_use]
pub fn matching(secret: &[u8], typed: &str, now: u64, used: u64) -> Option<u64> {
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    // All are compared, so that the time taken tells nothing.
    let mut found = None;
    for step in now.saturating_sub(AROUND)..=now + AROUND {
        if same(code(secret, step).as_bytes(), digits.as_bytes()) && step > used {
            found = Some(step);
        }
    }
    found
}

/// The secret as people copy it: base32 of RFC 4648 without padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(ALPHABET, held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(ALPHABET, held << (5 - bits)));
    }
    text
}

fn letter(alphabet: &[u8; 32], five_bits: u32) -> char {
    let index = usize::try_from(five_bits & 31).unwrap_or(0);
    alphabet.get(index).copied().map_or('A', char::from)
}

/// RFC 4226, 5.3.
fn truncated(secret: &[u8], step: u64) -> u32 {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        // HMAC takes a key of any length.
        return 0;
    };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = hash.last().map_or(0, |last| usize::from(last & 15));
    let four = hash.iter().skip(offset).take(4);
    four.fold(0, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B, SHA-1; ours are the last six of its eight digits.
    #[test]
    fn the_vectors_of_rfc_6238() {
        for (seconds, wanted) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let ours = code(SECRET, step_at(seconds));
            assert!(wanted.ends_with(&ours), "{seconds}: {ours}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_rfc_4226() {
        let wanted = ["755224", "287082", "359152", "969429", "338314"];
        for (count, wanted) in (0..).zip(wanted) {
            assert_eq!(code(SECRET, count), wanted);
        }
    }

    /// RFC 4648, section 10, without padding.
    #[test]
    fn the_vectors_of_base32() {
        for (plain, wanted) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), wanted);
        }
    }

    #[test]
    fn a_code_counts_once_and_only_around_its_time() {
        let now = 1000;
        let typed = |step| code(SECRET, step);
        assert_eq!(matching(SECRET, &typed(now), now, 0), Some(now));
        assert_eq!(matching(SECRET, &typed(now - 1), now, 0), Some(now - 1));
        assert_eq!(matching(SECRET, &typed(now + 1), now, 0), Some(now + 1));
        assert_eq!(matching(SECRET, &typed(now - 2), now, 0), None);
        assert_eq!(matching(SECRET, &typed(now), now, now), None, "used");
        assert_eq!(
            matching(SECRET, &typed(now - 1), now, now),
            None,
            "older than the one used"
        );
        let mut spaced = typed(now);
        spaced.insert(3, ' ');
        assert_eq!(matching(SECRET, &spaced, now, 0), Some(now));
        assert_eq!(matching(SECRET, "", now, 0), None);
    }
}
