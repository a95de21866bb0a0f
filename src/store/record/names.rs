//! Ids and keys, each as one text.

use chrono::NaiveDate;
use serde::{Deserializer, Serializer};

use super::wire::{Wire, from_text, named};
use crate::domain::access::{Export, Page};
use crate::domain::book::{ClosedWhy, Hand};
use crate::domain::delivery::FailReason;
use crate::domain::evidence::{FileHash, FileKind};
use crate::domain::fact::Actor;
use crate::domain::heard::Meaning;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{MessageKey, Occasion, Reason, Stage};
use crate::domain::paper::PaperKind;
use crate::domain::people::ChannelKind;
use crate::domain::plan::MilestoneKind;
use crate::domain::report::{ReportStatus, Via};
use crate::domain::target::{Bound, Decimal};
use crate::domain::token::Scope;
use crate::domain::user::Role;

named!(
    Stage,
    ChannelKind,
    Reason,
    FailReason,
    ReportStatus,
    Via,
    Role,
    MilestoneKind,
    Bound,
    ClosedWhy,
    Hand,
    Meaning,
    FileKind,
    Page,
    Export,
    Scope,
    PaperKind,
);

/// A type that is written by `Display` and read back by the function given.
macro_rules! text {
    ($($type:ty, $read:expr);* $(;)?) => {$(
        impl Wire for $type {
            fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }

            fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from_text(from, stringify!($type), $read)
            }
        }
    )*};
}

text!(
    PlanId, PlanId::new;
    PersonId, PersonId::new;
    Quarter, |text: &str| text.parse::<Quarter>();
    FileHash, FileHash::new;
    ObligationKey, |text: &str| obligation_key(text).ok_or_else(|| bad("obligation", text));
    MessageKey, |text: &str| message_key(text).ok_or_else(|| bad("message", text));
    Decimal, |text: &str| Decimal::parse(text).ok_or_else(|| bad("number", text));
    Occasion, |text: &str| occasion(text).ok_or_else(|| bad("occasion", text));
);

impl Wire for Actor {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::System => to.serialize_str("system"),
            Self::Operator => to.serialize_str("operator"),
            Self::User(name) => to.collect_str(&format_args!("user:{name}")),
            Self::Token(name) => to.collect_str(&format_args!("token:{name}")),
            Self::Owner(person) => to.collect_str(&format_args!("owner:{person}")),
        }
    }

    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from_text(from, "who did it", |text| match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            None if text == "operator" => Ok(Self::Operator),
            Some(("user", name)) => Ok(Self::User(name.to_owned())),
            Some(("token", name)) => Ok(Self::Token(name.to_owned())),
            Some(("owner", person)) => PersonId::new(person)
                .map(Self::Owner)
                .map_err(|error| error.to_string()),
            _ => Err(bad("actor", text)),
        })
    }
}

fn obligation_key(text: &str) -> Option<ObligationKey> {
    let mut parts = text.split('/');
    let key = ObligationKey {
        plan: PlanId::new(parts.next()?).ok()?,
        quarter: parts.next()?.parse().ok()?,
        task: parts.next()?.parse().ok()?,
        group: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(key)
}

fn message_key(text: &str) -> Option<MessageKey> {
    let mut parts = text.split('/');
    let key = MessageKey {
        plan: PlanId::new(parts.next()?).ok()?,
        quarter: parts.next()?.parse().ok()?,
        occasion: occasion(parts.next()?)?,
        person: PersonId::new(parts.next()?).ok()?,
    };
    parts.next().is_none().then_some(key)
}

fn occasion(text: &str) -> Option<Occasion> {
    if let Some(stage) = Stage::from_name(text) {
        return Some(Occasion::Stage(stage));
    }
    let put_off = |(stage, day): (&str, &str)| {
        let stage = Stage::from_name(stage)?;
        Some(Occasion::PutOff(stage, day.parse().ok()?))
    };
    if let Some(put_off) = text.split_once('-').and_then(put_off) {
        return Some(put_off);
    }
    match text.split_once('-')? {
        ("digest", day) => day.parse::<NaiveDate>().ok().map(Occasion::Digest),
        ("settled", day) => day.parse::<NaiveDate>().ok().map(Occasion::Settled),
        ("urge", nth) => nth.parse().ok().map(Occasion::Urge),
        ("test", nth) => nth.parse().ok().map(Occasion::Test),
        ("alarm", nth) => nth.parse().ok().map(Occasion::Alarm),
        ("taken_over", version) => version.parse().ok().map(Occasion::TakenOver),
        ("returned", nth) => nth.parse().ok().map(Occasion::Returned),
        ("decided", nth) => nth.parse().ok().map(Occasion::Decided),
        ("entrusted", nth) => nth.parse().ok().map(Occasion::Entrusted),
        ("receipt", nth) => nth.parse().ok().map(Occasion::Receipt),
        ("handed_over", version) => version.parse().ok().map(Occasion::HandedOver),
        _ => None,
    }
}

fn bad(what: &str, text: &str) -> String {
    format!("not a name of {what}: {text}")
}
