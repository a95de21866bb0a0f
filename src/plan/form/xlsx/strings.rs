//! The strings that cells share.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::xml::push_reference;

/// One behind the other.
#[derive(Default)]
pub(super) struct Strings {
    all: String,
    ends: Vec<u32>,
}

impl Strings {
    /// None where the XML is damaged.
    pub(super) fn read(xml: &[u8]) -> Option<Self> {
        let mut strings = Self::default();
        let mut reader = Reader::from_reader(xml);
        let (mut taking, mut phonetic) = (false, false);
        let mut begin = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "t" => taking = !phonetic,
                    "rPh" => phonetic = true,
                    "si" => begin = strings.all.len(),
                    _ => {}
                },
                Event::Empty(start) if start.local_name().as_ref() == "si" => {
                    begin = strings.all.len();
                    strings.end(begin)?;
                }
                Event::End(end) => match end.local_name().as_ref() {
                    "t" => taking = false,
                    "rPh" => phonetic = false,
                    "si" => strings.end(begin)?,
                    "sst" => return Some(strings),
                    _ => {}
                },
                Event::Text(text) if taking => strings.all.push_str(&text.xml10_content()),
                Event::CData(text) if taking => strings.all.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) if taking => {
                    push_reference(&mut strings.all, &reference);
                }
                // `<sst/>` has no end.
                Event::Eof => return strings.ends.is_empty().then_some(strings),
                _ => {}
            }
        }
    }

    fn end(&mut self, begin: usize) -> Option<()> {
        if self.all.get(begin..)?.contains("_x") {
            let text = unescaped(self.all.get(begin..)?);
            self.all.truncate(begin);
            self.all.push_str(&text);
        }
        self.ends.push(u32::try_from(self.all.len()).ok()?);
        Some(())
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let begin = match index.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.all.get(begin..end)
    }
}

/// `_x000D_` is how the file writes a character that XML cannot hold.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.get(4..5) == Some("_"));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                plain.extend((c != '\r').then_some(c));
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_read() {
        assert_eq!(
            unescaped("一季度_x000D_\n二_x季_x4E8C_"),
            "一季度\n二_x季二"
        );
    }
}
