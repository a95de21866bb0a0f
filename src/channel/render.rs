//! From a [`Brief`] to words. The templates hold all wording; this file brings the values into the
//! form they want, and keeps texts within a peer's limit of bytes.

mod view;

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use crate::domain::brief::{Brief, Letter};

use view::{View, item_count};

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

/// Renders subject, text and HTML.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn letter(brief: &Brief) -> Result<Rendered, RenderError> {
    let view = view_of(brief, item_count(brief), usize::MAX)?;
    let render = |part| render(brief.letter, part, &view);
    Ok(Rendered {
        subject: render("subject.txt")?,
        text: render("body.txt")?,
        html: render("body.html")?,
    })
}

/// Renders the subject alone.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn subject(brief: &Brief) -> Result<String, RenderError> {
    render(brief.letter, "subject.txt", &view_of(brief, 0, 0)?)
}

/// Which form a short message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// WeCom's markdown.
    Markdown,
    /// Plain text.
    Plain,
}

/// Renders a short message of at most `most` bytes: shortens the milestones first, then leaves
/// whole items out and says how many.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn short(brief: &Brief, form: Short, most: usize) -> Result<String, RenderError> {
    /// Characters of a milestone that still say what it is.
    const GIST: usize = 40;
    let part = match form {
        Short::Markdown => "wecom.md",
        Short::Plain => "wecom.txt",
    };
    let all = item_count(brief);
    let tries = std::iter::once((all, usize::MAX)).chain((0..=all).rev().map(|n| (n, GIST)));
    let mut text = String::new();
    for (shown, gist) in tries {
        text = render(brief.letter, part, &view_of(brief, shown, gist)?)?;
        if text.len() <= most {
            return Ok(text);
        }
    }
    Ok(cut(&text, most).to_owned())
}

/// The longest beginning of at most `most` bytes that ends at a character's edge.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or(text)
}

fn view_of(brief: &Brief, shown: usize, gist: usize) -> Result<Value, RenderError> {
    let view = Value::from(Serde(&View::new(brief, shown, gist)));
    let opening = render(brief.letter, "opening.txt", &view)?;
    Ok(context! { opening, ..view })
}

fn render(letter: Letter, part: &str, view: &Value) -> Result<String, RenderError> {
    let name = format!("{}/{part}", letter.as_str());
    environment()
        .get_template(&name)
        .and_then(|template| template.render(view))
        .map_err(|source| RenderError {
            template: name,
            source,
        })
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

/// Every template, by name.
const TEMPLATES: [(&str, &str); 42] = templates![
    "reminder/opening.txt",
    "reminder/subject.txt",
    "reminder/body.txt",
    "reminder/body.html",
    "reminder/wecom.md",
    "reminder/wecom.txt",
    "copied/opening.txt",
    "copied/subject.txt",
    "copied/body.txt",
    "copied/body.html",
    "copied/wecom.md",
    "copied/wecom.txt",
    "settled/opening.txt",
    "settled/subject.txt",
    "settled/body.txt",
    "settled/body.html",
    "settled/wecom.md",
    "settled/wecom.txt",
    "digest/opening.txt",
    "digest/subject.txt",
    "digest/body.txt",
    "digest/body.html",
    "digest/wecom.md",
    "digest/wecom.txt",
    "test/opening.txt",
    "test/subject.txt",
    "test/body.txt",
    "test/body.html",
    "test/wecom.md",
    "test/wecom.txt",
    "alarm/opening.txt",
    "alarm/subject.txt",
    "alarm/body.txt",
    "alarm/body.html",
    "alarm/wecom.md",
    "alarm/wecom.txt",
    "thanks/opening.txt",
    "thanks/subject.txt",
    "thanks/body.txt",
    "thanks/body.html",
    "thanks/wecom.md",
    "thanks/wecom.txt",
];

/// Compiled once.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        // A line that holds only a block leaves no empty line behind.
        let mut syntax = SyntaxConfig::builder();
        match syntax.trim_blocks(true).lstrip_blocks(true).build() {
            Ok(syntax) => env.set_syntax(syntax),
            Err(error) => tracing::error!(error = %error, "templates keep their empty lines"),
        }
        env.set_auto_escape_callback(|name| match name.rsplit_once('.') {
            Some((_, "html")) => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        env.add_filter("plain", plain);
        env.add_filter("url", url);
        for (name, source) in TEMPLATES {
            if let Err(error) = env.add_template(name, source) {
                // A test compiles them all; a template missing here is told when it is rendered.
                tracing::error!(template = name, error = %error, "a message template is broken");
            }
        }
        env
    })
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
    fn every_template_compiles() {
        let names: Vec<&str> = environment().templates().map(|(name, _)| name).collect();
        assert_eq!(names.len(), TEMPLATES.len());
    }

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
