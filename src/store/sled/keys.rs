//! The keys of the trees, whose order as bytes is the order they are read in.

use chrono::{DateTime, Utc};

use crate::domain::book::QueueKey;
use crate::domain::ids::{PlanId, Position, TaskNo};
use crate::domain::people::ChannelKind;

/// The position that the bytes begin with.
pub(super) fn position_in(bytes: &[u8]) -> Option<Position> {
    bytes.first_chunk().copied().map(Position::from_be_bytes)
}

/// Where a further piece of a row stands: right behind it.
pub(super) fn piece_key(position: Position, number: u16) -> [u8; 10] {
    let mut key = [0; 10];
    let parts = position
        .to_be_bytes()
        .into_iter()
        .chain(number.to_be_bytes());
    for (to, from) in key.iter_mut().zip(parts) {
        *to = from;
    }
    key
}

/// Due time in milliseconds, ordered as bytes.
pub(super) fn due(at: DateTime<Utc>) -> [u8; 8] {
    (at.timestamp_millis() ^ i64::MIN).to_be_bytes()
}

pub(super) fn queue_key((channel, at, position): &QueueKey) -> [u8; 17] {
    let number = ChannelKind::ALL.iter().position(|kind| kind == channel);
    let mut key = [0; 17];
    let parts = due(*at)
        .into_iter()
        .chain(number.and_then(|number| u8::try_from(number).ok()))
        .chain(position.to_be_bytes());
    for (to, from) in key.iter_mut().zip(parts) {
        *to = from;
    }
    key
}

pub(super) fn milestone_key(plan: &PlanId, task: TaskNo, index: u16) -> Vec<u8> {
    let mut key = plan.as_str().as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&task.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}
