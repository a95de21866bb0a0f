//! What facts mean to somebody who has a page of the board open: that it no longer shows how things
//! stand, and, where a person would want to look up, in how many words.
//!
//! Nothing of what was said is in it: only which kinds of thing happened, and how often.

use std::collections::BTreeMap;

use super::fact::{Actor, Entry, Fact};
use super::ids::{ObligationKey, PlanId, Quarter};

/// A kind of thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An owner reported.
    Report,
    /// An owner asks for something: a later date, or says 不是我.
    Ask,
    /// Something else about an item: reviewed, acknowledged, a file, another owner.
    Item,
    /// A message was queued, sent, lost.
    Message,
    /// Something came in that a person may have to read.
    Heard,
    /// The plan, its people, dates and contacts.
    Plan,
}

impl Kind {
    /// The name in the stream.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Ask => "ask",
            Self::Item => "item",
            Self::Message => "message",
            Self::Heard => "heard",
            Self::Plan => "plan",
        }
    }
}

/// What a page is about: a plan, a quarter, both, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The plan; none for all.
    pub plan: Option<PlanId>,
    /// The quarter; none for all.
    pub quarter: Option<Quarter>,
}

/// What happened since somebody last looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// How often, by kind. What the reader did themselves counts as happened, but not as news.
    counts: BTreeMap<Kind, u32>,
}

/// What a fact is about.
enum About<'a> {
    Item(&'a ObligationKey),
    Items(&'a [ObligationKey]),
    Case(&'a PlanId, Quarter),
    Plan(&'a PlanId),
    Office,
}

impl News {
    /// Takes a fact in, if it is within the scope and `sees` its item; `reader` is who reads.
    pub fn add(
        &mut self,
        entry: &Entry,
        scope: &Scope,
        reader: &Actor,
        sees: impl Fn(&ObligationKey) -> bool,
    ) {
        let Some((kind, about)) = meaning(&entry.fact) else {
            return;
        };
        let has_item = |key: &ObligationKey| scope.has(&key.plan, Some(key.quarter)) && sees(key);
        let concerned = match about {
            About::Item(key) => has_item(key),
            About::Items(keys) => keys.iter().any(has_item),
            About::Case(plan, quarter) => scope.has(plan, Some(quarter)),
            About::Plan(plan) => scope.has(plan, None),
            About::Office => true,
        };
        if concerned {
            *self.counts.entry(kind).or_default() += u32::from(entry.by != *reader);
        }
    }

    /// Too much to be told apart: everything may have changed.
    #[must_use]
    pub fn of_everything() -> Self {
        Self {
            counts: [(Kind::Plan, 0)].into(),
        }
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.counts.keys().copied()
    }

    /// What is said aloud; empty where nobody need look up.
    #[must_use]
    pub fn words(&self) -> String {
        let told = |kind, unit: &str| {
            let count = self.counts.get(&kind).copied().unwrap_or(0);
            (count > 0).then(|| format!("{count}{unit}"))
        };
        let parts: Vec<String> = [told(Kind::Report, "份报送"), told(Kind::Ask, "件申请")]
            .into_iter()
            .flatten()
            .collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!("新到{}", parts.join("、")),
        }
    }
}

impl Scope {
    fn has(&self, plan: &PlanId, quarter: Option<Quarter>) -> bool {
        let of_plan = self.plan.as_ref().is_none_or(|wanted| wanted == plan);
        let of_quarter = match (self.quarter, quarter) {
            (Some(wanted), Some(quarter)) => wanted == quarter,
            _ => true,
        };
        of_plan && of_quarter
    }
}

/// None for what no page shows as it stands: who signed in, how an attempt began.
fn meaning(fact: &Fact) -> Option<(Kind, About<'_>)> {
    let found = match fact {
        Fact::ReportReceived { report } => (Kind::Report, About::Item(&report.obligation)),
        Fact::ExtensionAsked { obligation, .. } | Fact::NotMineSaid { obligation, .. } => {
            (Kind::Ask, About::Item(obligation))
        }
        Fact::EvidenceAdded { obligation, .. }
        | Fact::EvidenceRemoved { obligation, .. }
        | Fact::ReviewGiven { obligation, .. }
        | Fact::ExtensionDecided { obligation, .. }
        | Fact::NotMineSettled { obligation, .. } => (Kind::Item, About::Item(obligation)),
        Fact::Acknowledged { obligations, .. } => (Kind::Item, About::Items(obligations)),
        Fact::SummaryWritten { plan, quarter, .. } => (Kind::Item, About::Case(plan, *quarter)),
        Fact::MessageQueued { message } => {
            let key = &message.key;
            (Kind::Message, About::Case(&key.plan, key.quarter))
        }
        Fact::MessageSkipped { key, .. }
        | Fact::MessageDeferred { key, .. }
        | Fact::MessageWithdrawn { key, .. }
        | Fact::SendConcluded { key, .. }
        | Fact::MessageRevived { key, .. }
        | Fact::MessageHandled { key } => (Kind::Message, About::Case(&key.plan, key.quarter)),
        Fact::StageRun { plan, quarter, .. } | Fact::PutOffStageRun { plan, quarter, .. } => {
            (Kind::Message, About::Case(plan, *quarter))
        }
        Fact::WordSettled { .. }
        | Fact::WordResolved { .. }
        | Fact::MailTaken { .. }
        | Fact::MailSettled { .. } => (Kind::Heard, About::Office),
        Fact::PlanImported { plan, .. }
        | Fact::TaskSet { plan, .. }
        | Fact::TaskRemoved { plan, .. }
        | Fact::DeadlinesSet { plan, .. }
        | Fact::OwnerChanged { plan, .. } => (Kind::Plan, About::Plan(plan)),
        Fact::PersonSet { .. }
        | Fact::ContactSet { .. }
        | Fact::AddressConfirmed { .. }
        | Fact::Delegated { .. }
        | Fact::DelegationEnded { .. }
        | Fact::AlarmRaised { .. }
        | Fact::AlarmCleared { .. }
        | Fact::ClockDoubted { .. }
        | Fact::ClockAgreed => (Kind::Plan, About::Office),
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::*;
    use crate::domain::report::Review;

    fn entry(by: Actor, fact: Fact) -> Entry {
        Entry {
            position: 1,
            at: at("2022-03-28T10:00"),
            by,
            fact,
        }
    }

    fn accepted(key: &ObligationKey) -> Fact {
        Fact::ReviewGiven {
            obligation: key.clone(),
            review: Review::Accepted,
        }
    }

    fn not_mine(key: &ObligationKey) -> Fact {
        Fact::NotMineSaid {
            obligation: key.clone(),
            person: id(ZHANG),
            other: Default::default(),
        }
    }

    #[test]
    fn only_what_the_reader_may_see_and_looks_at_is_told() {
        let key = key(16, 0);
        let reader = Actor::User("wang".into());
        let told = |by: &Actor, fact: Fact, scope: &Scope, sees: bool| {
            let mut news = News::default();
            news.add(&entry(by.clone(), fact), scope, &reader, |_| sees);
            (
                news.kinds().map(Kind::as_str).collect::<Vec<_>>(),
                news.words(),
            )
        };
        let all = Scope::default();
        let owner = Actor::Owner(id(ZHANG));
        let (kinds, words) = told(&owner, not_mine(&key), &all, true);
        assert_eq!((kinds, words.as_str()), (vec!["ask"], "新到1件申请"));
        assert!(told(&owner, not_mine(&key), &all, false).0.is_empty());
        let other = Scope {
            plan: None,
            quarter: Some(quarter("2022Q2")),
        };
        assert!(told(&owner, not_mine(&key), &other, true).0.is_empty());
        // Their own doing changes the page, but is no news to them.
        let (kinds, words) = told(&reader, not_mine(&key), &all, true);
        assert_eq!((kinds, words.as_str()), (vec!["ask"], ""));
        let (kinds, words) = told(&owner, accepted(&key), &all, true);
        assert_eq!((kinds, words.as_str()), (vec!["item"], ""));
        let signed_in = Fact::SignedIn { name: "li".into() };
        assert!(told(&owner, signed_in, &all, true).0.is_empty());
    }
}
