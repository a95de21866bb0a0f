//! Names that follow from what they name, so that nothing has to be stored.

use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::message::MessageKey;

/// 24 hex digits that name a message: the same at every try, over restarts and channels.
#[must_use]
pub fn message_name(key: &MessageKey) -> String {
    let digest = Sha256::digest(key.to_string().as_bytes());
    hex(digest.iter().take(12))
}

/// Six characters that stand for person and quarter in a subject. A hint for finding the thread of
/// an answer, never a proof of who answers. Without characters that look alike.
#[must_use]
pub fn subject_token(plan: &PlanId, quarter: Quarter, person: &PersonId) -> String {
    const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz";
    let digest = Sha256::digest(format!("token/{plan}/{quarter}/{person}").as_bytes());
    let mut number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let base = ALPHABET.len() as u64;
    (0..6)
        .filter_map(|_| {
            let digit = usize::try_from(number % base).unwrap_or(0);
            number /= base;
            ALPHABET.get(digit).map(|byte| char::from(*byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Occasion, Stage};

    #[test]
    fn names_follow_from_what_they_name() {
        let key = |stage| MessageKey {
            plan: PlanId::new("dongguan-2022").unwrap(),
            quarter: "2022Q1".parse().unwrap(),
            occasion: Occasion::Stage(stage),
            person: PersonId::of("市科技局", "钟靖平"),
        };
        let (one, two) = (key(Stage::Notice), key(Stage::Reminder));
        // Both are in mails already sent: these values must never change.
        assert_eq!(message_name(&one), "8a915eeb890f3faca0e69d3e");
        assert_ne!(message_name(&one), message_name(&two));
        let token = subject_token(&one.plan, one.quarter, &one.person);
        assert_eq!(token, "R88mrx");
        assert!(!token.contains(['0', 'O', 'o', '1', 'l', 'I']));
    }
}
