//! The little XML the platform speaks, read within bounds: no DOCTYPE, no entity but the five and
//! character numbers, so many elements, so deep.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Longer bodies are not the platform's: a text has 2048 bytes.
pub const LONGEST: usize = 256 << 10;
const MOST_ELEMENTS: usize = 1000;
const DEEPEST: usize = 16;

/// An element: its text, or what stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// All text directly in it, marked as CDATA or not.
    pub text: String,
    /// Elements directly in it.
    pub children: Vec<Element>,
}

/// It is not XML within the bounds, rooted in `<xml>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("不是规定格式的 XML")]
pub struct NotXml;

impl Element {
    /// The child of this name, where there is exactly one.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&Self> {
        let mut found = self.all(name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The text of the one child of this name, without blanks around it; empty where there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.only(name).map_or("", |child| child.text.trim())
    }

    /// All children of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document.
///
/// # Errors
/// [`NotXml`].
pub fn read(bytes: &[u8]) -> Result<Element, NotXml> {
    if bytes.len() > LONGEST {
        return Err(NotXml);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NotXml)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    // What stands around everything; the root is its only child.
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|_| NotXml)? {
            Event::Start(start) => {
                elements += 1;
                if elements > MOST_ELEMENTS || open.len() > DEEPEST {
                    return Err(NotXml);
                }
                open.push(named(start.name().as_ref()));
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MOST_ELEMENTS {
                    return Err(NotXml);
                }
                let inside = open.last_mut().ok_or(NotXml)?;
                inside.children.push(named(start.name().as_ref()));
            }
            Event::End(_) => {
                let closed = open.pop().ok_or(NotXml)?;
                let inside = open.last_mut().ok_or(NotXml)?;
                inside.children.push(closed);
            }
            Event::Text(piece) => append(&mut open, &piece.xml10_content())?,
            Event::CData(piece) => append(&mut open, &piece.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, &character(&reference)?)?,
            Event::Eof => break,
            Event::DocType(_) => return Err(NotXml),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    root(open)
}

/// Marks text so that it stands for itself.
#[must_use]
pub fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn named(name: &str) -> Element {
    Element {
        name: name.to_owned(),
        ..Element::default()
    }
}

fn append(open: &mut [Element], piece: &str) -> Result<(), NotXml> {
    let inside = open.last_mut().ok_or(NotXml)?;
    inside.text.push_str(piece);
    Ok(())
}

/// `&amp;`, `&#20013;`; whatever else would have to be declared.
fn character(reference: &BytesRef<'_>) -> Result<String, NotXml> {
    let number = reference.resolve_char_ref().map_err(|_| NotXml)?;
    if let Some(character) = number {
        return Ok(character.to_string());
    }
    let known = quick_xml::escape::resolve_predefined_entity(reference);
    known.map(str::to_owned).ok_or(NotXml)
}

fn root(mut open: Vec<Element>) -> Result<Element, NotXml> {
    let around = open.pop().filter(|_| open.is_empty()).ok_or(NotXml)?;
    let alone = around.text.trim().is_empty() && around.children.len() == 1;
    let root = around.children.into_iter().next().filter(|_| alone);
    root.filter(|root| root.name == "xml").ok_or(NotXml)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(body: &str) -> Option<String> {
        let read = read(body.as_bytes()).ok()?;
        Some(read.only("Content")?.text.clone())
    }

    #[test]
    fn text_is_read_however_it_is_marked() {
        for (inner, wanted) in [
            ("<![CDATA[14 已完成]]>", "14 已完成"),
            ("14 已完成", "14 已完成"),
            ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
            ("&lt;14&gt; &amp; &#24050;&#x5B8C;&quot;", "<14> & 已完\""),
            ("<![CDATA[&lt;不是转义&gt;]]>", "&lt;不是转义&gt;"),
            ("<!-- 注 -->一<!-- 二 -->二", "一二"),
            ("", ""),
        ] {
            let body = format!(
                "\u{feff}<?xml version=\"1.0\"?>\n<xml><A/><Content>{inner}</Content>\n</xml>\n"
            );
            assert_eq!(content(&body).as_deref(), Some(wanted), "{inner}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(20), "</a>".repeat(20));
        let wide = format!("<xml>{}</xml>", "<a/>".repeat(1001));
        let long = format!("<xml>{}</xml>", "中".repeat(LONGEST / 3));
        for body in [
            "",
            "7",
            "{}",
            "<xml>",
            "<xml></yml>",
            "<xml></xml><xml></xml>",
            "<xml/>尾",
            "<a/>",
            "<xml><a></xml></a>",
            "<xml>&a;</xml>",
            "<xml>&#xD800;</xml>",
            "<xml>&amp</xml>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><xml>&a;</xml>",
            "<!DOCTYPE xml><xml></xml>",
            &deep,
            &wide,
            &long,
        ] {
            let shown: String = body.chars().take(60).collect();
            assert_eq!(read(body.as_bytes()), Err(NotXml), "{shown}");
        }
        assert_eq!(read(b"<xml>\xff</xml>"), Err(NotXml));
    }

    #[test]
    fn what_stands_twice_is_not_chosen_from() {
        assert_eq!(
            content("<xml><Content>a</Content><Content>b</Content></xml>"),
            None
        );
    }

    proptest! {
        #[test]
        fn marked_text_comes_back(text in "[^\u{0}-\u{8}\u{b}-\u{1f}]{0,60}") {
            let body = format!("<xml><Content>{}</Content></xml>", cdata(&text));
            prop_assert_eq!(content(&body), Some(text));
        }

        #[test]
        fn nothing_makes_it_panic(text in "(<|>|/|xml|Content|&|;|#|!|\\[|\\]|CDATA|DOCTYPE|a|中| |\"|=|\\?|-){0,40}") {
            let _ = read(text.as_bytes());
        }
    }
}
