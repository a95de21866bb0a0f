//! From a [`Brief`] to words. The templates hold all wording; this file brings the values into the
//! form they want, and keeps texts within a peer's limit of bytes.

mod own;
pub mod pack;
mod sample;
mod templates;
mod view;

use minijinja::value::Value;

use crate::domain::brief::Brief;

pub use own::{TemplateFault, TemplateFaults};
pub use sample::Sample;
pub use templates::Templates;

/// A template failed: a defect of ours, or of an office's own wording.
#[derive(Debug, thiserror::Error)]
#[error("消息模板“{template}”有误，请检查")]
pub struct RenderError {
    /// Which.
    pub template: String,
    /// Why.
    #[source]
    pub source: minijinja::Error,
}

/// A letter for mail and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject; the same for all messages of a thread.
    pub subject: String,
    /// Complete by itself.
    pub text: String,
    /// The same, to look at.
    pub html: String,
}

/// Renders subject, text and HTML with the templates in force.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn letter(brief: &Brief) -> Result<Rendered, RenderError> {
    Templates::in_force().letter(brief)
}

/// The subject alone, likewise.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn subject(brief: &Brief) -> Result<String, RenderError> {
    Templates::in_force().subject(brief)
}

/// The words on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardWords {
    /// The first line.
    pub title: String,
    /// The line under it.
    pub desc: String,
    /// A sentence or two.
    pub text: String,
}

/// The words on a card, likewise: its template's first line, the second, and the rest. `taps`:
/// whether a button answers by itself.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn card(brief: &Brief, taps: bool) -> Result<CardWords, RenderError> {
    Templates::in_force().card(brief, taps)
}

/// Which form a short message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// WeCom's markdown.
    Markdown,
    /// Plain text.
    Plain,
}

impl Short {
    fn template(self) -> &'static str {
        match self {
            Self::Markdown => "wecom.md",
            Self::Plain => "wecom.txt",
        }
    }
}

/// A short message of at most `most` bytes, likewise.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn short(brief: &Brief, form: Short, most: usize) -> Result<String, RenderError> {
    Templates::in_force().short(brief, form, most)
}

/// The longest beginning of at most `most` bytes that ends at a character's edge.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or(text)
}

/// Takes WeCom's markdown the signs by which it would read a text as markup.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '*' => '＊',
            '[' => '［',
            ']' => '］',
            '`' => '｀',
            '#' => '＃',
            '\n' | '\r' => ' ',
            other => other,
        })
        .collect()
}

/// An address for HTML: its slashes stay, so that it can still be read and copied.
fn url(text: &str) -> Value {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    Value::from_safe_string(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_cannot_pass_for_markup() {
        assert_eq!(
            plain("<@all> [x](y) **b** `c`\n# d"),
            "＜@all＞ ［x］(y) ＊＊b＊＊ ｀c｀ ＃ d"
        );
    }

    proptest! {
        #[test]
        fn a_cut_is_within_its_bytes_and_never_inside_a_character(
            text in "[督查a1é😀（）]{0,80}", most in 0_usize..300
        ) {
            let short = cut(&text, most);
            prop_assert!(short.len() <= most);
            prop_assert!(text.starts_with(short));
            prop_assert!(short.len() == text.len() || short.len() + 4 > most);
        }
    }
}
