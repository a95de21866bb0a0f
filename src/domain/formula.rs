//! Text in cells of a spreadsheet that must stay text: what people wrote may begin like a formula,
//! and Excel, WPS and LibreOffice run those of a CSV file when it is opened.
//!
//! Every CSV of ours writes its cells with [`csv_cell`]. In an .xlsx a string cell is text by its
//! type; where it may be edited, the quote prefix (`Format::set_quote_prefix`) keeps it so.

use std::borrow::Cow;

/// Whether a spreadsheet would take this text for a formula. Blanks before it, and the full-width
/// forms, which East Asian versions take as well, hide nothing.
#[must_use]
pub fn is_formula(text: &str) -> bool {
    let hides = |c: char| c == ' ' || matches!(c, '\u{a0}' | '\u{feff}' | '\u{3000}');
    text.trim_start_matches(hides)
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// The text, with an apostrophe before it where it would be taken for a formula.
#[must_use]
pub fn disarmed(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The way back: without the apostrophe that [`disarmed`] put there.
#[must_use]
pub fn rearmed(text: &str) -> &str {
    let inner = text.strip_prefix('\'');
    inner.filter(|rest| is_formula(rest)).unwrap_or(text)
}

/// A cell of a CSV file: disarmed, and in quotation marks where it needs them.
#[must_use]
pub fn csv_cell(text: &str) -> String {
    let text = disarmed(text);
    if text.contains([',', ';', '\t', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for armed in [
            "=1+1",
            "+86 769",
            "-5%",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{3000}＝HYPERLINK(1)",
            "＠x",
        ] {
            assert_eq!(disarmed(armed), format!("'{armed}"));
            assert_eq!(rearmed(&disarmed(armed)), armed);
        }
        for plain in ["", "已完成", "5-6月", "a=b", "'引号'", "1,000"] {
            assert_eq!(disarmed(plain), plain);
            assert_eq!(rearmed(plain), plain);
        }
    }

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(csv_cell("完成3项，进展顺利"), "完成3项，进展顺利");
        assert_eq!(csv_cell("1,000"), "\"1,000\"");
        assert_eq!(csv_cell("=cmd|'/c calc'!A0"), "'=cmd|'/c calc'!A0");
        assert_eq!(csv_cell("=\"a\"\r\nb"), "\"'=\"\"a\"\"\r\nb\"");
    }
}
