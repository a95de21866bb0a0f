//! Passwords: argon2id, off the runtime's threads and only a few at a time, since each takes
//! 19 MB and a good part of a core.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::domain::password::{LONGEST, SHORTEST, Weak, check};

static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Why a password was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("密码太短：请至少用{SHORTEST}个字符")]
    TooShort,
    /// Too long.
    #[error("密码太长：请不要超过{LONGEST}字节")]
    TooLong,
    /// Among the first that are guessed.
    #[error(
        "密码太容易猜到：请不要用账号名、常见密码、连续或重复的字符；可以用几个不相干的词或一句话"
    )]
    TooPlain,
    /// No randomness or no memory.
    #[error("密码处理失败，请稍后再试")]
    Failed,
}

impl From<Weak> for PasswordError {
    fn from(weak: Weak) -> Self {
        match weak {
            Weak::Short => Self::TooShort,
            Weak::Long => Self::TooLong,
            Weak::Guessed => Self::TooPlain,
        }
    }
}

/// Hashes a new password of this user.
///
/// # Errors
/// Where it is no good password.
pub async fn hash(user: &str, password: &str) -> Result<String, PasswordError> {
    check(user, password)?;
    let password = password.to_owned();
    run(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).ok()
    })
    .await
    .ok_or(PasswordError::Failed)
}

/// A password for somebody who is to change it at once: to be read out and typed without mistakes.
///
/// # Errors
/// Where the system gives no randomness.
pub fn temporary() -> Result<String, PasswordError> {
    // 32 of them, so that every one is as likely; none that looks like another.
    const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789+";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| PasswordError::Failed)?;
    let sign = |byte: &u8| SIGNS.get(usize::from(byte & 31)).copied().map(char::from);
    let groups = bytes.chunks(4);
    let groups: Vec<String> = groups
        .map(|group| group.iter().filter_map(sign).collect())
        .collect();
    Ok(groups.join("-"))
}

/// Whether the password is the one of this hash. Without a hash it takes as long and says no, so
/// that nobody learns which names exist.
pub async fn matches(hash: Option<String>, password: &str) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let password = password.to_owned();
    run(move || {
        let Some(hash) = hash.filter(|hash| !hash.is_empty()) else {
            let _ = Argon2::default().hash_password(password.as_bytes());
            return None;
        };
        let known = PasswordHash::new(&hash).ok()?;
        Argon2::default()
            .verify_password(password.as_bytes(), &known)
            .ok()
    })
    .await
    .is_some()
}

async fn run<R: Send + 'static>(work: impl FnOnce() -> Option<R> + Send + 'static) -> Option<R> {
    let _turn = AT_ONCE.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let hash = hash("wang", "督查科的长密码不外传").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches(Some(hash.clone()), "督查科的长密码不外传").await);
        assert!(!matches(Some(hash), "督查科的长密码").await);
        assert!(!matches(None, "督查科的长密码不外传").await);
        assert!(!matches(Some("not a hash".into()), "").await);
    }

    #[tokio::test]
    async fn a_temporary_password_is_taken_and_never_the_same() {
        let (one, other) = (temporary().unwrap(), temporary().unwrap());
        assert_eq!(one.len(), 19);
        assert_ne!(one, other);
        assert!(hash("wang", &one).await.is_ok());
    }

    #[tokio::test]
    async fn poor_passwords_are_refused() {
        let refused = async |password: &str| hash("coordinator", password).await.unwrap_err();
        assert_eq!(refused("short").await, PasswordError::TooShort);
        assert_eq!(refused("aaaaaaaaaaaa").await, PasswordError::TooPlain);
        assert_eq!(refused("Coordinator2022").await, PasswordError::TooPlain);
        assert_eq!(refused(&"ab".repeat(600)).await, PasswordError::TooLong);
    }
}
