//! Bytes to text, as mail programs label them and as they really are (mail.md 4.6).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, GB18030, REPLACEMENT};

use crate::domain::hex::digit;

/// Takes any padding and any last bits: what old clients send is not to be refused.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text of these bytes under this label. What nobody can read becomes U+FFFD.
pub(super) fn decode(label: Option<&str>, bytes: &[u8]) -> String {
    let label = label.map_or(String::new(), |label| {
        // RFC 2231 allows a language after the name.
        let name = label.split('*').next().unwrap_or_default();
        let name = name.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
        name.to_ascii_lowercase()
    });
    match label.as_str() {
        "utf-8" | "utf8" | "unicode-1-1-utf-8" => utf8_or_gb(bytes),
        "hz-gb-2312" | "hz-gb2312" | "hz" => {
            GB18030.decode_without_bom_handling(&hz(bytes)).0.into()
        }
        name if is_gb(name) => gb_or_utf8(bytes),
        name => match Encoding::for_label(name.as_bytes()) {
            None => utf8_or_gb(bytes),
            Some(known) if known == REPLACEMENT => "\u{fffd}".to_owned(),
            // `us-ascii` is read as windows-1252 by the web's rules; mail with bytes above is Chinese.
            Some(_) if name == "us-ascii" || name == "ascii" => utf8_or_gb(bytes),
            Some(known) => known.decode(bytes).0.into(),
        },
    }
}

fn is_gb(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "gb2312",
        "gb_2312-80",
        "gb_2312",
        "gb-2312",
        "csgb2312",
        "gbk",
        "x-gbk",
        "cp936",
        "cp-936",
        "ms936",
        "windows-936",
        "936",
        "euc-cn",
        "gb18030",
        "gb-18030",
        "chinese",
    ];
    NAMES.contains(&name)
}

fn utf8_or_gb(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// One decoder for the whole family; a label on what is really UTF-8 is not believed.
fn gb_or_utf8(bytes: &[u8]) -> String {
    let (text, _, broken) = GB18030.decode(bytes);
    match std::str::from_utf8(bytes) {
        Ok(right) if broken => right.to_owned(),
        _ => text.into_owned(),
    }
}

/// HZ (RFC 1843) as the bytes of GB 2312 that it stands for.
fn hz(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut chinese = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return out,
            [b'~', b'{', tail @ ..] => {
                chinese = true;
                tail
            }
            [b'~', b'}', tail @ ..] => {
                chinese = false;
                tail
            }
            [b'~', b'~', tail @ ..] if !chinese => {
                out.push(b'~');
                tail
            }
            [b'~', b'\n', tail @ ..] => tail,
            [b'\n', tail @ ..] => {
                chinese = false;
                out.push(b'\n');
                tail
            }
            [one, two, tail @ ..] if chinese && (0x21..=0x7e).contains(one) => {
                out.extend([one | 0x80, two | 0x80]);
                tail
            }
            [one, tail @ ..] => {
                out.push(*one);
                tail
            }
        };
    }
}

/// Undoes the transfer encoding; whatever is broken is read as far as it goes.
pub(super) fn transfer(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64_lines(bytes),
        "quoted-printable" => quoted_printable(bytes),
        _ => bytes.to_vec(),
    }
}

/// Ends at the first line that is no base64: relays put notices after it.
fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut group = Vec::with_capacity(bytes.len());
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line
            .iter()
            .any(|byte| !is_base64(*byte) && !byte.is_ascii_whitespace())
        {
            break;
        }
        for byte in line.iter().filter(|byte| !byte.is_ascii_whitespace()) {
            if *byte == b'=' {
                flush(&mut group, &mut out);
            } else {
                group.push(*byte);
            }
        }
    }
    flush(&mut group, &mut out);
    out
}

pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut group: Vec<u8> = text
        .iter()
        .copied()
        .filter(|b| is_base64(*b) && *b != b'=')
        .collect();
    let mut out = Vec::new();
    flush(&mut group, &mut out);
    out
}

fn flush(group: &mut Vec<u8>, out: &mut Vec<u8>) {
    // A single character left over says nothing.
    if group.len() % 4 == 1 {
        group.pop();
    }
    if let Ok(bytes) = LENIENT.decode(&*group) {
        out.extend(bytes);
    }
    group.clear();
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return out,
            [b'=', tail @ ..] => match (soft_break(tail), tail) {
                (Some(after), _) => after,
                (None, [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        after
                    }
                    _ => {
                        out.push(b'=');
                        tail
                    }
                },
                _ => {
                    out.push(b'=');
                    tail
                }
            },
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// What stands after a soft line break, blanks before the line's end allowed.
fn soft_break(tail: &[u8]) -> Option<&[u8]> {
    let blanks = tail
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    match tail.get(blanks..)? {
        [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => Some(after),
        [] => Some(&[]),
        _ => None,
    }
}

/// What only confuses a comparison: no-break spaces become spaces, marks without width go.
pub(super) fn tidy(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\u{a0}' => Some(' '),
            '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}' => None,
            c => Some(c),
        })
        .collect()
}
