//! What goes to the log, in which form, and how personal data is masked on the way.
//!
//! The log is read by more people than the board: telephone numbers, addresses and keys go through
//! the functions below first, wherever they are named.

use std::error::Error;
use std::fmt::Write as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::LogConfig;
use crate::config::log::LogFormat;

/// Starts logging to stderr; `rust_log` is the environment's word, which goes first. Once a
/// process: later calls change nothing.
///
/// # Errors
/// Where `rust_log` is no filter; the configuration's own was checked when it was read.
pub fn start(config: &LogConfig, rust_log: Option<&str>) -> Result<(), ParseError> {
    let level = rust_log.filter(|level| !level.is_empty());
    let filter = EnvFilter::try_new(level.unwrap_or(&config.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start, as in tests, is not worth an error.
    let _started = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// An error and all its causes on one line, each said once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            let _written = write!(text, "：{said}");
        }
        cause = inner.source();
    }
    text
}

/// `zhong@b.example` as `z***@b.example`.
#[must_use]
pub fn mask_email(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".to_owned(),
    }
}

/// `13800001234` as `138****1234`; anything shorter as stars.
#[must_use]
pub fn mask_mobile(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    match (
        characters.get(..3),
        characters.get(characters.len().saturating_sub(4)..),
    ) {
        (Some(head), Some(tail)) if characters.len() >= 11 => {
            let (head, tail): (String, String) = (head.iter().collect(), tail.iter().collect());
            format!("{head}****{tail}")
        }
        _ => "***".to_owned(),
    }
}

/// A key as its last four characters, enough to tell two apart: `…c3d4`. A short one as stars.
#[must_use]
pub fn mask_key(key: &str) -> String {
    /// Four characters of less than this would be too much of it.
    const LEAST: usize = 16;
    let length = key.chars().count();
    if length < LEAST {
        return "***".to_owned();
    }
    let tail: String = key.chars().skip(length - 4).collect();
    format!("…{tail}")
}

/// A peer's words with every e-mail address and mobile number in them masked.
#[must_use]
pub fn mask_text(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if belongs(c) {
            word.push(c);
        } else {
            masked.push_str(&mask_word(&word));
            word.clear();
            masked.push(c);
        }
    }
    masked.push_str(&mask_word(&word));
    masked
}

fn mask_word(word: &str) -> String {
    let bare = word.trim_end_matches('.');
    if bare.contains('@') && !bare.starts_with('@') {
        let dots = word.len() - bare.len();
        return format!("{}{}", mask_email(bare), ".".repeat(dots));
    }
    if crate::domain::address::mobile(bare).is_some() {
        return mask_mobile(bare);
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("读写“{0}”时出错")]
    struct Outer(&'static str, #[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("磁盘已满")]
    struct Inner;

    #[test]
    fn a_chain_of_errors_is_one_line() {
        assert_eq!(
            chain(&Outer("journal", Inner)),
            "读写“journal”时出错：磁盘已满"
        );
        assert_eq!(chain(&Inner), "磁盘已满");
    }

    #[test]
    fn personal_data_is_masked() {
        assert_eq!(mask_email("zhong@b.example"), "z***@b.example");
        assert_eq!(mask_email("钟@b.example"), "钟***@b.example");
        assert_eq!(mask_email("nonsense"), "***");
        assert_eq!(mask_mobile("13800001234"), "138****1234");
        assert_eq!(mask_mobile("1234567"), "***");
        assert_eq!(mask_mobile(""), "***");
        assert_eq!(mask_key("693a91f6-7abc-4bc4-97a0-0ec2sifa5c3d4"), "…c3d4");
        assert_eq!(mask_key("short"), "***");
    }

    #[test]
    fn a_peers_words_keep_their_sense() {
        for (said, kept) in [
            (
                "550 5.1.1 <zhong.jp@b.example>: Recipient address rejected.",
                "550 5.1.1 <z***@b.example>: Recipient address rejected.",
            ),
            ("用户 13800001234 不存在", "用户 138****1234 不存在"),
            ("no user a@b.cn.", "no user a***@b.cn."),
            (
                "250 ok queued as 4Xyz123, 93000 at 1700000000123456789012345",
                "250 ok queued as 4Xyz123, 93000 at 1700000000123456789012345",
            ),
            ("", ""),
        ] {
            assert_eq!(mask_text(said), kept);
        }
    }
}
