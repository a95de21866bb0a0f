//! The bytes of a text file as text.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8};

/// A file's text.
pub(in crate::plan) struct Decoded<'a> {
    pub(in crate::plan) text: Cow<'a, str>,
    pub(in crate::plan) encoding: &'static Encoding,
}

/// Reads UTF-8, UTF-16 with its mark, and what else is valid as GB18030; none for anything else.
///
/// Nearly any bytes without zeros are valid GB18030: whether the text makes sense the caller must see.
pub(in crate::plan) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    let marked = Encoding::for_bom(bytes);
    if marked.is_none() && bytes.contains(&0) {
        return None;
    }
    let (encoding, _) = marked.unwrap_or_else(|| match std::str::from_utf8(bytes) {
        Ok(_) => (UTF_8, 0),
        Err(_) => (GB18030, 0),
    });
    let (text, _, broken) = encoding.decode(bytes);
    (!broken).then_some(Decoded { text, encoding })
}
