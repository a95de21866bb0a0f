//! Header fields as they are really written (mail.md 4.3, 4.6, 4.9): encoded words broken inside a
//! character or glued to text, raw GBK, parameters in three notations, ids separated by commas.

use super::charset::{base64, decode, tidy};
use crate::domain::hex::digit;
use crate::web::percent;

/// The fields of a mail or part, in order, unfolded.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// The first field of this name, as it stands.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        let named = |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
        self.0.iter().find(named).map(|(_, value)| value.as_slice())
    }

    /// Every field of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.0.iter();
        fields
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The first field of this name, decoded to one line.
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(text)
    }
}

/// An address and the name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub name: String,
    pub address: String,
}

/// A value with parameters, such as Content-Type.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters {
    /// In lower case.
    pub value: String,
    pairs: Vec<(String, Vec<u8>)>,
}

/// Decodes a field: encoded words, raw UTF-8 or GBK; a line break becomes one space.
pub(super) fn text(raw: &[u8]) -> String {
    let mut out = String::new();
    let mut run: (String, Vec<u8>) = Default::default();
    let mut rest = raw;
    let mut after_word = false;
    while let Some(at) = find(rest, b"=?") {
        let (plain, from) = rest.split_at(at);
        let Some((charset, bytes, after)) = encoded_word(from) else {
            let (both, tail) = from.split_at(2.min(from.len()));
            spill(&mut run, &mut out);
            out.push_str(&decode(None, plain));
            out.push_str(&decode(None, both));
            (rest, after_word) = (tail, false);
            continue;
        };
        let blank = plain.iter().all(u8::is_ascii_whitespace);
        if !(after_word && blank) {
            spill(&mut run, &mut out);
            out.push_str(&decode(None, plain));
        }
        if run.0 != charset {
            spill(&mut run, &mut out);
            run.0 = charset;
        }
        run.1.extend(bytes);
        (rest, after_word) = (after, true);
    }
    spill(&mut run, &mut out);
    out.push_str(&decode(None, rest));
    one_line(&out)
}

fn spill((charset, bytes): &mut (String, Vec<u8>), out: &mut String) {
    if !bytes.is_empty() {
        out.push_str(&decode(Some(charset), bytes));
        bytes.clear();
    }
}

/// Charset, bytes, and what follows.
fn encoded_word(from: &[u8]) -> Option<(String, Vec<u8>, &[u8])> {
    const LONGEST_CHARSET: usize = 40;
    // The standard says 75; some write a whole subject as one.
    const LONGEST_WORD: usize = 4096;
    let from = from.strip_prefix(b"=?")?;
    let mark = from
        .iter()
        .take(LONGEST_CHARSET)
        .position(|byte| *byte == b'?')?;
    let (charset, rest) = from.split_at(mark);
    let [b'?', kind, b'?', coded @ ..] = rest else {
        return None;
    };
    let end = find(coded.get(..coded.len().min(LONGEST_WORD))?, b"?=")?;
    let (word, after) = (coded.get(..end)?, coded.get(end + 2..)?);
    let bytes = match kind {
        b'B' | b'b' => base64(word),
        b'Q' | b'q' => q_word(word),
        _ => return None,
    };
    let charset = String::from_utf8_lossy(charset).to_ascii_lowercase();
    Some((charset, bytes, after))
}

fn q_word(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    loop {
        rest = match rest {
            [] => return out,
            [b'_', tail @ ..] => {
                out.push(b' ');
                tail
            }
            [b'=', high, low, tail @ ..] if digit(*high).is_some() && digit(*low).is_some() => {
                let (high, low) = (digit(*high).unwrap_or(0), digit(*low).unwrap_or(0));
                out.push(high << 4 | low);
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

fn one_line(text: &str) -> String {
    let text = tidy(text);
    let mut out = String::with_capacity(text.len());
    let mut broken = false;
    for c in text.chars() {
        match c {
            '\r' | '\n' => broken = true,
            c if broken && c.is_whitespace() => {}
            c => {
                if broken && !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
                broken = false;
                out.push(if c.is_control() { ' ' } else { c });
            }
        }
    }
    out.trim().to_owned()
}

/// The ids in a field: in `<…>`, separated by anything; bare ones where there is no bracket.
pub(super) fn ids(raw: &[u8]) -> Vec<String> {
    const MOST: usize = 100;
    let text = String::from_utf8_lossy(raw);
    let squeeze = |id: &str| {
        id.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let mut ids = Vec::new();
    if !text.contains('<') {
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        return words
            .filter(|word| word.contains('@'))
            .map(squeeze)
            .take(MOST)
            .collect();
    }
    for part in text.split('<').skip(1) {
        let Some((id, _)) = part.split_once('>') else {
            continue;
        };
        let id = squeeze(id);
        if !id.is_empty() && !ids.contains(&id) && ids.len() < MOST {
            ids.push(id);
        }
    }
    ids
}

/// The addresses of a field; none where it has a group, which nobody is.
pub(super) fn addresses(raw: &[u8]) -> Vec<Address> {
    let Some(pieces) = mailboxes(&decode(None, raw)) else {
        return Vec::new();
    };
    pieces.iter().filter_map(|piece| address(piece)).collect()
}

fn address(piece: &str) -> Option<Address> {
    let (name, address) = match piece.rsplit_once('<') {
        Some((name, rest)) => (name, rest.split('>').next().unwrap_or_default()),
        None => ("", piece),
    };
    let address: String = address.chars().filter(|c| !c.is_whitespace()).collect();
    let address = address.to_lowercase();
    let name = text(name.trim().trim_matches('"').as_bytes());
    let fits = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    fits.then_some(Address { name, address })
}

/// Splits at commas and semicolons outside quotes, brackets and comments, which go.
fn mailboxes(text: &str) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    let (mut quoted, mut depth, mut angle) = (false, 0_u32, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = all.last_mut()?;
        match c {
            '\\' if quoted => last.extend(chars.next()),
            '"' if depth == 0 => {
                quoted = !quoted;
                last.push(c);
            }
            _ if quoted => last.push(c),
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '<' => {
                angle = true;
                last.push(c);
            }
            '>' => {
                angle = false;
                last.push(c);
            }
            ',' | ';' if !angle => all.push(String::new()),
            ':' if !angle => return None,
            c => last.push(c),
        }
    }
    all.retain(|piece| !piece.trim().is_empty());
    Some(all)
}

impl Parameters {
    /// Reads `value; name=…; name*0*=…`.
    pub fn read(raw: &[u8]) -> Self {
        let mut pieces = split_parameters(raw).into_iter();
        let value = pieces.next().unwrap_or_default();
        let value = String::from_utf8_lossy(&value).trim().to_ascii_lowercase();
        let pair = |piece: Vec<u8>| {
            let at = piece.iter().position(|byte| *byte == b'=')?;
            let (name, value) = piece.split_at(at);
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            Some((name, unquote(value.get(1..)?.trim_ascii())))
        };
        Self {
            value,
            pairs: pieces.filter_map(pair).collect(),
        }
    }

    /// A parameter as it stands, for boundaries and charsets.
    pub fn plain(&self, name: &str) -> Option<String> {
        let (_, value) = self.pairs.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// A parameter for people, in whichever notation: RFC 2231, or an encoded word or raw bytes.
    pub fn decoded(&self, name: &str) -> Option<String> {
        let extended = self.extended(name).filter(|text| !text.trim().is_empty());
        extended.or_else(|| {
            let (_, value) = self.pairs.iter().find(|(known, _)| known == name)?;
            Some(text(value))
        })
    }

    /// RFC 2231: pieces joined as bytes before they are decoded.
    fn extended(&self, name: &str) -> Option<String> {
        const MOST: usize = 100;
        let mut bytes = Vec::new();
        let mut charset = None;
        let mut any = false;
        let whole = (format!("{name}*"), None);
        let parts = (0..MOST).map(|nth| (format!("{name}*{nth}*"), Some(format!("{name}*{nth}"))));
        for (coded, plain) in std::iter::once(whole).chain(parts) {
            let is = |wanted: &str| self.pairs.iter().find(|(known, _)| known == wanted);
            if let Some((_, value)) = is(&coded) {
                let value = match (any, find(value, b"'")) {
                    (false, Some(at)) => {
                        charset = value
                            .get(..at)
                            .map(|name| String::from_utf8_lossy(name).into_owned());
                        let rest = value.get(at + 1..).unwrap_or_default();
                        let text = find(rest, b"'").and_then(|at| rest.get(at + 1..));
                        text.unwrap_or(rest)
                    }
                    _ => value.as_slice(),
                };
                bytes.extend(percent::decoded(value));
                any = true;
                if plain.is_none() {
                    break;
                }
            } else if let Some((_, value)) = plain.as_deref().and_then(is) {
                bytes.extend_from_slice(value);
                any = true;
            } else if plain.is_some() {
                break;
            }
        }
        any.then(|| match charset {
            Some(charset) => one_line(&decode(Some(&charset), &bytes)),
            None => text(&bytes),
        })
    }
}

/// Pieces between semicolons outside quotes. In raw GBK a second byte may look like `\` or `"`.
fn split_parameters(raw: &[u8]) -> Vec<Vec<u8>> {
    let gbk = std::str::from_utf8(raw).is_err();
    let mut pieces = vec![Vec::new()];
    let mut quoted = false;
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b';' && !quoted {
            pieces.push(Vec::new());
            continue;
        }
        if byte == b'"' {
            quoted = !quoted;
        }
        let Some(last) = pieces.last_mut() else { break };
        last.push(byte);
        if (gbk && byte >= 0x81) || (quoted && byte == b'\\') {
            last.extend(bytes.next());
        }
    }
    pieces
}

/// Without the quotes; only `\"` and `\\` are escapes, for paths of Windows come in names.
fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let gbk = std::str::from_utf8(inner).is_err();
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        rest = match rest {
            [] => return out,
            [lead, second, tail @ ..] if gbk && *lead >= 0x81 => {
                out.extend([*lead, *second]);
                tail
            }
            [b'\\', escaped @ (b'"' | b'\\'), tail @ ..] => {
                out.push(*escaped);
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
