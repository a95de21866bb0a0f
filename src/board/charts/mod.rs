//! Charts as SVG text, drawn here and by nobody else: pure functions from a view to a picture.
//!
//! What stands in a page takes its colours from the style sheet, by class; what is downloaded
//! ([`grid`]) brings its own. Each says in words what it shows, and says nothing by colour alone.

pub(super) mod bars;
pub(super) mod curve;
pub(super) mod grid;
pub(super) mod png;

use std::fmt::{self, Write as _};

/// Text in SVG.
pub(super) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                // What XML has no place for.
                letter if letter < ' ' && !matches!(letter, '\n' | '\t') => {}
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// A length or place, to a tenth, without what says nothing.
pub(super) struct Num(pub f64);

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.1}", self.0);
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_become_marks_and_numbers_are_short() {
        let told = Escaped("<a href=\"x\">&\u{1}甲").to_string();
        assert_eq!(told, "&lt;a href=&quot;x&quot;&gt;&amp;甲");
        let numbers = [0.04, 12.0, 3.25, -1.5].map(|number| Num(number).to_string());
        assert_eq!(numbers, ["0", "12", "3.2", "-1.5"]);
    }
}
