//! Questions to the book that several rooms ask.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Book, Card, Delivery, DeliveryState, KnownMail, Obligation, PlanBook};
use crate::domain::fact::SkipWhy;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::ladder::Ladder;
use crate::domain::message::{MessageKey, Occasion, Stage};
use crate::domain::paper::PaperKind;
use crate::domain::people::{ChannelKind, Contact};
use crate::domain::plan::{Group, Task};
use crate::domain::report::{Received, Report, Review};
use crate::domain::request::{Asked, Granted, SaidNotMine};

/// Where an obligation stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObligationState {
    /// 未报, the deadline still ahead.
    NotReported,
    /// 超期未报.
    OverdueUnreported,
    /// 退回: open again.
    Returned,
    /// 已报, in time, to be looked at.
    Reported,
    /// 迟报: reported after the deadline.
    ReportedLate,
    /// 通过.
    Accepted,
    /// 撤销: a revised table took it away before it was reported.
    Withdrawn,
}

impl ObligationState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotReported,
        Self::OverdueUnreported,
        Self::Returned,
        Self::Reported,
        Self::ReportedLate,
        Self::Accepted,
        Self::Withdrawn,
    ];

    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReported => "not_reported",
            Self::OverdueUnreported => "overdue_unreported",
            Self::Returned => "returned",
            Self::Reported => "reported",
            Self::ReportedLate => "reported_late",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NotReported => "未报",
            Self::OverdueUnreported => "超期未报",
            Self::Returned => "退回",
            Self::Reported => "已报",
            Self::ReportedLate => "迟报",
            Self::Accepted => "通过",
            Self::Withdrawn => "撤销",
        }
    }

    /// Whether a report is still awaited.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::NotReported | Self::OverdueUnreported | Self::Returned
        )
    }
}

impl Obligation {
    /// Whether a report is still awaited: none yet, or the last one was returned.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && self.lacks_report()
    }

    /// Whether it was taken away before it was reported.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.closed.is_some() && self.lacks_report()
    }

    fn lacks_report(&self) -> bool {
        self.reports.is_empty() || matches!(self.word(), Some(Review::Returned { .. }))
    }

    fn word(&self) -> Option<&Review> {
        self.review.as_deref().map(|(_, word)| word)
    }

    /// Whether the last report was accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.word(), Some(Review::Accepted))
    }

    /// The report that counts.
    #[must_use]
    pub fn latest(&self) -> Option<&Received> {
        self.reports.last()
    }

    /// Why the last report was returned, while it is.
    #[must_use]
    pub fn returned_for(&self) -> Option<&str> {
        match self.word() {
            Some(Review::Returned { reason }) => Some(reason),
            _ => None,
        }
    }

    /// The later date in force.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        self.extension.as_ref()?.granted.as_ref()
    }

    /// A later date that waits for a coordinator's word.
    #[must_use]
    pub fn asked(&self) -> Option<&Asked> {
        self.extension.as_ref()?.asked.as_ref()
    }

    /// An owner's word that it is not theirs, until a coordinator has settled it.
    #[must_use]
    pub fn disowned(&self) -> Option<&SaidNotMine> {
        self.not_mine.as_ref()?.said.as_ref()
    }

    /// Whether the office owes an answer: nobody is complained of meanwhile. What was asked after
    /// the date had passed holds nothing up.
    #[must_use]
    pub fn is_owed_word(&self) -> bool {
        let asked = self.asked().is_some_and(|asked| !asked.ask.late);
        asked || self.disowned().is_some()
    }

    /// Where it stands at `now`, its deadline being `deadline`.
    ///
    /// Late is who first reported after the deadline: an amendment of a report given in time is
    /// not late.
    #[must_use]
    pub fn state(&self, deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> ObligationState {
        if self.is_withdrawn() {
            return ObligationState::Withdrawn;
        }
        match (self.word(), self.reports.first()) {
            (Some(Review::Accepted), Some(_)) => ObligationState::Accepted,
            (Some(Review::Returned { .. }), Some(_)) => ObligationState::Returned,
            (_, Some(first)) if deadline.is_some_and(|deadline| first.at > deadline) => {
                ObligationState::ReportedLate
            }
            (_, Some(_)) => ObligationState::Reported,
            (_, None) if deadline.is_some_and(|deadline| now > deadline) => {
                ObligationState::OverdueUnreported
            }
            (_, None) => ObligationState::NotReported,
        }
    }
}

impl Book {
    /// Whether nothing is decided or sent before a person has spoken; the operator is told why.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.clock_doubt.is_some() || self.restored.is_some()
    }

    /// The task of an obligation and the group that answers for it; of one that was closed, as
    /// they last stood.
    #[must_use]
    pub fn task_and_group(&self, key: &ObligationKey) -> Option<(&Task, &Group)> {
        let plan = self.plans.get(&key.plan)?;
        plan.duty(key.task, key.group).or_else(|| {
            let closed = plan.closed.get(&(key.task, key.group))?;
            Some((&closed.task, &closed.group))
        })
    }

    /// The obligations of a plan's quarter, in the order of the table.
    pub fn obligations_in(
        &self,
        plan: &PlanId,
        quarter: Quarter,
    ) -> impl Iterator<Item = (&ObligationKey, &Obligation)> {
        let at = |task: TaskNo, group: u8| ObligationKey {
            plan: plan.clone(),
            quarter,
            task,
            group,
        };
        self.obligations.range(at(0, 0)..=at(TaskNo::MAX, u8::MAX))
    }

    /// The next number of a series.
    #[must_use]
    pub fn next_number(&self, kind: PaperKind, year: i32) -> u32 {
        let of_series = self.papers.iter().filter(|(paper, _)| paper.kind == kind);
        let taken = of_series.filter(|(_, issued)| issued.year == year);
        let last = taken.map(|(_, issued)| issued.number).max();
        last.unwrap_or(0).saturating_add(1)
    }

    /// The ladder that a case began with; none before it begins.
    #[must_use]
    pub fn ladder(&self, plan: &PlanId, quarter: Quarter) -> Option<&Ladder> {
        self.ladders.get(&(plan.clone(), quarter))
    }

    /// When reports for a plan's quarter are due.
    #[must_use]
    pub fn deadline(&self, plan: &PlanId, quarter: Quarter) -> Option<DateTime<Utc>> {
        let known = self.plans.get(plan)?;
        known.deadlines.get(&quarter.last_day()).copied()
    }

    /// When this obligation is due: the quarter's deadline, or the later date that was granted.
    #[must_use]
    pub fn due(&self, key: &ObligationKey) -> Option<DateTime<Utc>> {
        let granted = self.obligations.get(key).and_then(Obligation::granted);
        match granted {
            Some(granted) => Some(granted.until),
            None => self.deadline(&key.plan, key.quarter),
        }
    }

    /// Where an obligation stands at `now` by its own date; none where it is not known.
    #[must_use]
    pub fn state(&self, key: &ObligationKey, now: DateTime<Utc>) -> Option<ObligationState> {
        let known = self.obligations.get(key)?;
        Some(known.state(self.due(key), now))
    }

    /// Whether a message of this occasion still speaks for this: the stages of another date do not.
    #[must_use]
    pub fn is_spoken_for(&self, occasion: Occasion, key: &ObligationKey) -> bool {
        let granted = self.obligations.get(key).and_then(Obligation::granted);
        let day = granted.map(|granted| granted.day);
        match occasion {
            Occasion::Stage(_) => day.is_none(),
            Occasion::PutOff(_, on) => day == Some(on),
            _ => true,
        }
    }

    /// Who said what a report says: the owner, or `由王某代李某填报`.
    #[must_use]
    pub fn told_by(&self, report: &Report) -> String {
        let name = |id| self.people.get(id).map_or("", |known| known.name.as_str());
        let owner = name(&report.person);
        match &report.delegate {
            Some(delegate) => format!("由{}代{owner}填报", name(delegate)),
            None => owner.to_owned(),
        }
    }

    /// How a person is reached: the contact sheet's row, with the account that was looked up where
    /// the sheet has none.
    #[must_use]
    pub fn contact(&self, person: &PersonId) -> Contact {
        let mut contact = match self.contacts.get(person) {
            Some(contact) => contact.clone(),
            None => Contact::none(person.clone()),
        };
        if contact.wecom_user.is_none()
            && let Some(known) = self.accounts.get(person)
        {
            contact.wecom_user.clone_from(&known.user);
        }
        contact
    }

    /// Whether the platform said lately that it knows nobody by this person's telephone or e-mail
    /// address. It counts such questions, so they are not asked over and over.
    #[must_use]
    pub fn is_without_account(&self, person: &PersonId) -> bool {
        const ASK_AGAIN: TimeDelta = TimeDelta::days(7);
        let known = self.accounts.get(person);
        known.is_some_and(|known| {
            let age = self.at.map(|now| now - known.asked_at);
            known.user.is_none() && age.is_none_or(|age| age < ASK_AGAIN)
        })
    }

    /// Cards that can still be changed and have to be: a button was tapped, or their message asks
    /// for nothing any more.
    pub fn cards_to_settle(
        &self,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (&MessageKey, &Card)> {
        // The platform takes a change for 72 hours; a little less, for clocks that differ.
        const CHANGEABLE: TimeDelta = TimeDelta::hours(71);
        let changeable = move |card: &Card| now - card.sent_at < CHANGEABLE;
        self.cards
            .iter()
            .filter(move |(key, card)| changeable(card) && (card.tapped || self.is_answered(key)))
    }

    /// Whether a message asked for something, and nothing of it is open any more.
    #[must_use]
    pub fn is_answered(&self, key: &MessageKey) -> bool {
        self.messages.get(key).is_some_and(|delivery| {
            let items = &delivery.message.items;
            let open = |item| self.obligations.get(item).is_some_and(Obligation::is_open);
            !items.is_empty() && !items.iter().any(open)
        })
    }

    /// Everyone whose account in the WeCom application this is. One person who answers for two
    /// units is two.
    #[must_use]
    pub fn people_of_account(&self, account: &str) -> Vec<PersonId> {
        let same = |user: &Option<String>| {
            let user = user.as_deref();
            user.is_some_and(|user| user.eq_ignore_ascii_case(account))
        };
        let on_sheet = self.contacts.values();
        let on_sheet = on_sheet.filter(|contact| same(&contact.wecom_user));
        let has_none = |person: &PersonId| {
            let contact = self.contacts.get(person);
            contact.is_none_or(|contact| contact.wecom_user.is_none())
        };
        let looked_up = self.accounts.iter();
        let looked_up = looked_up.filter(|(person, known)| same(&known.user) && has_none(person));
        let mut people: Vec<PersonId> = on_sheet
            .map(|contact| contact.person.clone())
            .chain(looked_up.map(|(person, _)| person.clone()))
            .collect();
        people.sort();
        people.dedup();
        people
    }

    /// Messages waiting on this channel whose time has come, earliest first.
    pub fn ready(
        &self,
        channel: ChannelKind,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &Delivery> {
        let from = (channel, DateTime::<Utc>::MIN_UTC, 0);
        let to = (channel, now, u64::MAX);
        self.queue
            .range(from..=to)
            .filter_map(|(_, key)| self.messages.get(key))
    }

    /// The next instant after `now` at which a waiting message's time comes.
    #[must_use]
    pub fn next_waiting(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        ChannelKind::ALL
            .into_iter()
            .filter_map(|channel| {
                let from = (channel, now, u64::MAX);
                let to = (channel, DateTime::<Utc>::MAX_UTC, u64::MAX);
                self.queue
                    .range(from..=to)
                    .next()
                    .map(|((_, at, _), _)| *at)
            })
            .min()
    }

    /// Messages with an intent and no outcome.
    pub fn in_doubt(&self) -> impl Iterator<Item = &Delivery> {
        self.messages
            .values()
            .filter(|delivery| matches!(delivery.state, DeliveryState::Sending { .. }))
    }

    /// Messages of a person about a plan's quarter, in the order they were queued.
    pub fn messages_about<'a>(
        &'a self,
        person: &'a PersonId,
        plan: &'a PlanId,
        quarter: Quarter,
    ) -> impl Iterator<Item = &'a Delivery> + 'a {
        self.messages_of
            .get(person)
            .into_iter()
            .flatten()
            .filter(move |key| key.plan == *plan && key.quarter == quarter)
            .filter_map(|key| self.messages.get(key))
    }

    /// Mails that wait for a coordinator, oldest first.
    pub fn mails_waiting(&self) -> impl Iterator<Item = (&Position, &KnownMail)> {
        let waits = |known: &KnownMail| known.settled.is_none() && known.mail.waits();
        self.mails.iter().filter(move |(_, known)| waits(known))
    }

    /// How many messages not asked for by a coordinator this person was sent, or is about to be
    /// sent, after `since`.
    #[must_use]
    pub fn burden(&self, person: &PersonId, since: DateTime<Utc>) -> usize {
        let Some(keys) = self.messages_of.get(person) else {
            return 0;
        };
        keys.iter()
            .rev()
            .filter_map(|key| self.messages.get(key))
            .take_while(|delivery| delivery.queued_at > since - chrono::TimeDelta::days(30))
            .filter(|delivery| {
                // A coordinator's own digest is ordered work, not a burden.
                !delivery.message.explicit
                    && !matches!(delivery.message.key.occasion, Occasion::Digest(_))
            })
            .filter(|delivery| match &delivery.state {
                DeliveryState::Sent { at, .. } | DeliveryState::Held { at } => *at > since,
                DeliveryState::Waiting { .. } | DeliveryState::Sending { .. } => true,
                DeliveryState::Dead { .. }
                | DeliveryState::Handled { .. }
                | DeliveryState::Withdrawn { .. } => false,
            })
            .count()
    }

    /// How many messages this person was sent after `since`, from all causes.
    #[must_use]
    pub fn received(&self, person: &PersonId, since: DateTime<Utc>) -> usize {
        let keys = self.messages_of.get(person).into_iter().flatten();
        keys.filter_map(|key| self.messages.get(key))
            .filter(|delivery| match delivery.state {
                DeliveryState::Sent { at, .. } | DeliveryState::Held { at } => at > since,
                _ => false,
            })
            .count()
    }

    /// Which of these the person still has to be told of at this moment: still theirs, or still
    /// filled in by them, and still open.
    #[must_use]
    pub fn still_open(
        &self,
        person: &PersonId,
        items: &[ObligationKey],
        now: DateTime<Utc>,
    ) -> Vec<ObligationKey> {
        items
            .iter()
            .filter(|key| {
                self.obligations.get(key).is_some_and(Obligation::is_open)
                    && (self.is_owner(person, key) || self.behalf_of(person, key, now).is_some())
            })
            .cloned()
            .collect()
    }

    /// Whether messages of this quarter were given up or are held, or none could be made for want
    /// of an address.
    #[must_use]
    pub fn was_told_in_vain(&self, person: &PersonId, plan: &PlanId, quarter: Quarter) -> bool {
        let stuck = |delivery: &Delivery| {
            matches!(
                delivery.state,
                DeliveryState::Dead { .. } | DeliveryState::Held { .. }
            )
        };
        let key = |stage| MessageKey {
            plan: plan.clone(),
            quarter,
            occasion: Occasion::Stage(stage),
            person: person.clone(),
        };
        let skipped = |stage| self.skipped.get(&key(stage)) == Some(&SkipWhy::Unreachable);
        self.messages_about(person, plan, quarter).any(stuck) || Stage::ALL.into_iter().any(skipped)
    }

    /// Whether the peer has said that there is nobody at this person's address on the channel.
    #[must_use]
    pub fn is_refused(&self, person: &PersonId, channel: ChannelKind) -> bool {
        self.addresses
            .get(&(person.clone(), channel))
            .is_some_and(|address| address.refused.is_some())
    }

    /// The next free number for a message of this kind to a person, over all plans and quarters.
    #[must_use]
    pub fn next_of(&self, person: &PersonId, is: fn(Occasion) -> Option<u32>) -> u32 {
        let keys = self.messages_of.get(person).into_iter().flatten();
        let last = keys.filter_map(|key| is(key.occasion)).max();
        last.unwrap_or(0) + 1
    }

    /// Whether the person is an owner in the group that answers for this.
    #[must_use]
    pub fn is_owner(&self, person: &PersonId, key: &ObligationKey) -> bool {
        self.task_and_group(key)
            .is_some_and(|(_, group)| group.owners.iter().any(|owner| owner.id == *person))
    }

    /// Whether a message of this name is known.
    #[must_use]
    pub fn knows_message(&self, key: &MessageKey) -> bool {
        self.messages.contains_key(key)
    }

    /// The next free number for an explicit 催办 to this person about this quarter.
    #[must_use]
    pub fn next_urge(&self, person: &PersonId, plan: &PlanId, quarter: Quarter) -> u32 {
        let count = self
            .messages_about(person, plan, quarter)
            .filter(|delivery| matches!(delivery.message.key.occasion, Occasion::Urge(_)))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
    }
}

impl PlanBook {
    /// The task and that one of its groups that has this number.
    #[must_use]
    pub fn duty(&self, task: TaskNo, slot: u8) -> Option<(&Task, &Group)> {
        let slots = self.slots.get(&task)?;
        let place = slots.iter().position(|known| *known == slot)?;
        let task = self.tasks.get(&task)?;
        Some((task, task.groups.get(place)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::Book;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::{ZHONG, apply, id, plan, plan_facts, quarter};

    #[test]
    fn a_miss_is_believed_for_a_week_and_a_found_account_until_the_sheet_changes() {
        let mut book = Book::default();
        apply(&mut book, "2022-03-17T09:10", plan_facts());
        let person = id(ZHONG);
        let learned = |account: Option<&str>| {
            vec![Fact::AccountLearned {
                person: person.clone(),
                account: account.map(str::to_owned),
            }]
        };
        let sheet = |user: Option<&str>| {
            vec![Fact::ContactSet {
                contact: Contact {
                    mobile: Some("13800000001".into()),
                    wecom_user: user.map(str::to_owned),
                    ..Contact::none(person.clone())
                },
            }]
        };
        apply(&mut book, "2022-03-17T09:10", sheet(None));
        apply(&mut book, "2022-03-17T09:11", learned(None));
        assert!(book.is_without_account(&person));
        let something = Fact::LinksRevoked {
            plan: plan(),
            quarter: quarter("2022Q1"),
            person: person.clone(),
        };
        apply(&mut book, "2022-03-25T09:11", vec![something]);
        assert!(
            !book.is_without_account(&person),
            "asked again after a week"
        );
        apply(&mut book, "2022-03-25T09:12", learned(Some("zjp")));
        assert_eq!(book.contact(&person).wecom_user.as_deref(), Some("zjp"));
        apply(&mut book, "2022-03-25T09:13", sheet(Some("other")));
        assert_eq!(book.contact(&person).wecom_user.as_deref(), Some("other"));
        apply(&mut book, "2022-03-25T09:14", sheet(None));
        assert_eq!(book.contact(&person).wecom_user, None);
        assert!(book.accounts.is_empty());
    }
}
