//! The bytes of a fact: one line of JSON, the same in the mirror and in the store.
//!
//! `{"pos":7,"at":"…","by":"system","prev":"…","fact":{"v":1,"kind":"…",…},"crc":"1a2b3c4d"}`
//!
//! `crc` is the CRC-32 of all that stands before it, `prev` the SHA-256 of the line before. Since
//! the lines are ours, their frame is checked byte by byte and only the fact is read as JSON.

pub(super) mod book;
mod fact;
mod names;
mod wire;

use std::borrow::Cow;
use std::io::Write as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::StoreError;
use crate::domain::book::QueueKey;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{PlanId, Position, TaskNo};
use crate::domain::message::MessageKey;
use crate::domain::people::ChannelKind;
use crate::domain::plan::Milestone;
use wire::{Got, Put, Wire};

/// SHA-256 of a line; zeros before the first.
pub(super) type Hash = [u8; 32];

const FACT: &[u8] = b",\"fact\":";
const PREV: &[u8] = b",\"prev\":\"";
/// `,"crc":"1a2b3c4d"}`.
const CRC_TAIL: usize = 18;

/// Why bytes are no record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// Written by a later release.
    #[error("记录类型“{kind}”第{v}版不是本版本程序所能读取的")]
    Unknown { kind: String, v: u32 },
    /// Not what this program writes.
    #[error("{0}")]
    Bad(String),
}

/// A line whose checksum holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    pub position: Position,
    pub prev: Hash,
    pub hash: Hash,
}

/// Appends the entry's line to `to`, without a newline, and returns its hash.
pub(super) fn write_line(
    entry: &Entry,
    prev: &Hash,
    to: &mut Vec<u8>,
) -> Result<Hash, RecordError> {
    let start = to.len();
    let failed = |error: serde_json::Error| RecordError::Bad(error.to_string());
    to.extend_from_slice(b"{\"pos\":");
    write!(to, "{}", entry.position).map_err(|error| RecordError::Bad(error.to_string()))?;
    to.extend_from_slice(b",\"at\":");
    serde_json::to_writer(&mut *to, &entry.at).map_err(failed)?;
    to.extend_from_slice(b",\"by\":");
    serde_json::to_writer(&mut *to, &Put(&entry.by)).map_err(failed)?;
    to.extend_from_slice(PREV);
    push_hex(to, prev);
    to.extend_from_slice(b"\",\"fact\":");
    write_fact(&entry.fact, to)?;
    let crc = crc32fast::hash(to.get(start..).unwrap_or_default());
    to.extend_from_slice(b",\"crc\":\"");
    push_hex(to, &crc.to_be_bytes());
    to.extend_from_slice(b"\"}");
    Ok(hash_of(to.get(start..).unwrap_or_default()))
}

/// Checks frame and checksum of a line, and takes its place in the chain from it.
pub(super) fn check_line(line: &[u8]) -> Result<Checked, RecordError> {
    let bad = |why: &str| RecordError::Bad(why.to_owned());
    let (body, tail) = line
        .len()
        .checked_sub(CRC_TAIL)
        .and_then(|at| line.split_at_checked(at))
        .ok_or_else(|| bad("行不完整"))?;
    let crc = tail
        .strip_prefix(b",\"crc\":\"")
        .and_then(|rest| rest.strip_suffix(b"\"}"))
        .and_then(read_hex::<4>)
        .ok_or_else(|| bad("行尾没有校验码"))?;
    if u32::from_be_bytes(crc) != crc32fast::hash(body) {
        return Err(bad("校验码不符"));
    }
    let position = body
        .strip_prefix(b"{\"pos\":")
        .and_then(|rest| rest.split(|byte| *byte == b',').next())
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| bad("行首没有序号"))?;
    let prev = after(body, PREV)
        .and_then(|rest| rest.get(..64))
        .and_then(read_hex::<32>)
        .ok_or_else(|| bad("缺少上一行的摘要"))?;
    Ok(Checked {
        position,
        prev,
        hash: hash_of(line),
    })
}

/// Reads a line that was checked.
pub(super) fn read_line(line: &[u8]) -> Result<Entry, RecordError> {
    #[derive(Deserialize)]
    struct Head<'a> {
        pos: Position,
        at: DateTime<Utc>,
        #[serde(borrow)]
        by: Cow<'a, str>,
    }
    let cut = position_of(line, PREV).ok_or_else(|| RecordError::Bad("行首不完整".into()))?;
    let mut head = line.get(..cut).unwrap_or_default().to_vec();
    head.push(b'}');
    let head: Head<'_> =
        serde_json::from_slice(&head).map_err(|error| RecordError::Bad(error.to_string()))?;
    let by = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&head.by);
    let fact = after(line, FACT)
        .and_then(|rest| rest.get(..rest.len().checked_sub(CRC_TAIL)?))
        .ok_or_else(|| RecordError::Bad("行中没有记录内容".into()))?;
    Ok(Entry {
        position: head.pos,
        at: head.at,
        by: Actor::get(by).map_err(|error| RecordError::Bad(error.to_string()))?,
        fact: read_fact(fact)?,
    })
}

/// The record of a milestone with its deadline: JSON and a CRC-32.
pub(super) fn milestone(
    plan: &PlanId,
    task: TaskNo,
    index: u16,
    milestone: &Milestone,
    deadline: Option<DateTime<Utc>>,
) -> Result<Vec<u8>, RecordError> {
    #[derive(Serialize)]
    struct Record<'a> {
        v: u32,
        plan: Put<'a, PlanId>,
        task: TaskNo,
        index: u16,
        milestone: Put<'a, Milestone>,
        deadline: Option<DateTime<Utc>>,
    }
    sealed(&Record {
        v: 1,
        plan: Put(plan),
        task,
        index,
        milestone: Put(milestone),
        deadline,
    })
}

/// The record of a place in the queue: JSON and a CRC-32.
pub(super) fn queued(at: &QueueKey, key: &MessageKey) -> Result<Vec<u8>, RecordError> {
    #[derive(Serialize)]
    struct Record<'a> {
        v: u32,
        channel: Put<'a, ChannelKind>,
        at: DateTime<Utc>,
        pos: Position,
        key: Put<'a, MessageKey>,
    }
    sealed(&Record {
        v: 1,
        channel: Put(&at.0),
        at: at.1,
        pos: at.2,
        key: Put(key),
    })
}

/// Reads what [`queued`] wrote.
pub(super) fn read_queued(bytes: &[u8]) -> Result<(QueueKey, MessageKey), RecordError> {
    #[derive(Deserialize)]
    struct Record {
        channel: Got<ChannelKind>,
        at: DateTime<Utc>,
        pos: Position,
        key: Got<MessageKey>,
    }
    let record: Record = serde_json::from_slice(unsealed(bytes)?)
        .map_err(|error| RecordError::Bad(error.to_string()))?;
    Ok(((record.channel.0, record.at, record.pos), record.key.0))
}

/// The bytes without the CRC-32 at their end, where it holds.
pub(super) fn unsealed(bytes: &[u8]) -> Result<&[u8], RecordError> {
    bytes
        .split_last_chunk::<4>()
        .filter(|(body, crc)| crc32fast::hash(body).to_be_bytes() == **crc)
        .map(|(body, _)| body)
        .ok_or_else(|| RecordError::Bad("校验码不符".into()))
}

/// SHA-256.
pub(super) fn hash_of(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// In lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    push_hex(&mut text, bytes);
    String::from_utf8(text).unwrap_or_default()
}

/// Reads lower-case hex of exactly `N` bytes.
pub(super) fn read_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N * 2 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let (pairs, _) = text.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

impl RecordError {
    /// With the place, for the administrator.
    pub(super) fn at(self, what: impl Into<String>) -> StoreError {
        match self {
            Self::Unknown { .. } => StoreError::Refused(format!(
                "{}中的{self}：这些数据由更新版本的 cuiban 写成，请改用不低于该版本的程序",
                what.into()
            )),
            Self::Bad(detail) => StoreError::Corrupt {
                what: what.into(),
                detail,
            },
        }
    }
}

fn write_fact(fact: &Fact, to: &mut Vec<u8>) -> Result<(), RecordError> {
    to.extend_from_slice(b"{\"v\":1");
    let at = to.len();
    serde_json::to_writer(&mut *to, &Put(fact))
        .map_err(|error| RecordError::Bad(error.to_string()))?;
    // The object's own brace becomes the comma after the version.
    if let Some(brace) = to.get_mut(at) {
        *brace = b',';
    }
    Ok(())
}

fn read_fact(bytes: &[u8]) -> Result<Fact, RecordError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        v: u32,
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    let bad = |error: serde_json::Error| RecordError::Bad(error.to_string());
    let envelope: Envelope<'_> = serde_json::from_slice(bytes).map_err(bad)?;
    let known = fact::KINDS
        .iter()
        .any(|(kind, highest)| *kind == envelope.kind && envelope.v <= *highest);
    if !known {
        return Err(RecordError::Unknown {
            kind: envelope.kind.into_owned(),
            v: envelope.v,
        });
    }
    let fact: Got<Fact> = serde_json::from_slice(bytes).map_err(bad)?;
    Ok(fact.0)
}

fn sealed(record: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    let mut bytes =
        serde_json::to_vec(record).map_err(|error| RecordError::Bad(error.to_string()))?;
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    Ok(bytes)
}

fn push_hex(to: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    };
    for byte in bytes {
        to.extend([digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Where the frame's mark stands. Inside a text of the line its quotes would be escaped, so the
/// first one found is the frame's.
fn position_of(line: &[u8], mark: &[u8]) -> Option<usize> {
    line.windows(mark.len()).position(|window| window == mark)
}

fn after<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    line.get(position_of(line, mark)? + mark.len()..)
}

#[cfg(test)]
mod tests;
