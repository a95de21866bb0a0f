//! What a pass has to know of each case without going through its obligations: sums, and which
//! case changed last. Both follow from the facts and are kept up with each; neither is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::{Book, Obligation};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter};

/// A quarter of a plan, in sums over its obligations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    /// All of them, also those withdrawn.
    pub obligations: usize,
    /// Those for which a report is awaited.
    pub open: usize,
    /// Who was told of something as overdue, and not yet that it has been reported since.
    pub untold: BTreeSet<(PersonId, ObligationKey)>,
    /// What is open and was put off, by the day to which.
    pub put_off: BTreeMap<NaiveDate, BTreeSet<ObligationKey>>,
}

/// What a pass looks at by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Matter {
    /// A quarter of a plan.
    Case(PlanId, Quarter),
    /// Who took over a duty of a plan or gave it up.
    Handovers(PlanId),
}

/// All cases that have obligations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cases {
    sums: BTreeMap<(PlanId, Quarter), Case>,
    touched: Touched,
}

/// The matters in the order in which they changed last.
#[derive(Debug, Clone, Default)]
struct Touched {
    order: BTreeMap<Position, BTreeSet<Matter>>,
    last: HashMap<Matter, Position>,
    /// What changed up to here is not in it.
    since: Position,
}

/// Books that know the same are equal, however they came to know it.
impl PartialEq for Touched {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Touched {
    fn note(&mut self, at: Position, matter: Matter) {
        if let Some(before) = self.last.insert(matter.clone(), at)
            && let Some(then) = self.order.get_mut(&before)
        {
            then.remove(&matter);
            if then.is_empty() {
                self.order.remove(&before);
            }
        }
        self.order.entry(at).or_default().insert(matter);
    }
}

/// What one obligation adds to the sums.
#[derive(PartialEq)]
struct Share {
    open: bool,
    put_off: Option<NaiveDate>,
    untold: Vec<PersonId>,
}

impl Share {
    fn of(obligation: &Obligation) -> Self {
        let open = obligation.is_open();
        let settled = !open && !obligation.is_withdrawn();
        let copied = obligation.copied.iter();
        let untold = copied.filter(|(_, told)| settled && !**told);
        Self {
            open,
            put_off: obligation
                .granted()
                .filter(|_| open)
                .map(|granted| granted.day),
            untold: untold.map(|(person, _)| person.clone()).collect(),
        }
    }
}

impl Case {
    /// How many are open whose date is the quarter's.
    #[must_use]
    pub fn open_as_planned(&self) -> usize {
        let put_off: usize = self.put_off.values().map(BTreeSet::len).sum();
        self.open - put_off
    }

    fn add(&mut self, key: &ObligationKey, share: Share) {
        self.obligations += 1;
        self.open += usize::from(share.open);
        if let Some(day) = share.put_off {
            self.put_off.entry(day).or_default().insert(key.clone());
        }
        let untold = share.untold.into_iter().map(|person| (person, key.clone()));
        self.untold.extend(untold);
    }

    fn take_out(&mut self, key: &ObligationKey, share: Share) {
        self.obligations -= 1;
        self.open -= usize::from(share.open);
        if let Some(day) = share.put_off
            && let Some(keys) = self.put_off.get_mut(&day)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.put_off.remove(&day);
            }
        }
        for person in share.untold {
            self.untold.remove(&(person, key.clone()));
        }
    }
}

impl Book {
    /// A case; none where it has no obligations.
    #[must_use]
    pub fn case(&self, plan: &PlanId, quarter: Quarter) -> Option<&Case> {
        self.cases.sums.get(&(plan.clone(), quarter))
    }

    /// The quarters in which a plan has obligations, in order.
    #[must_use]
    pub fn quarters_of(&self, plan: &PlanId) -> Vec<Quarter> {
        let from = self.cases.sums.range((plan.clone(), Quarter::FIRST)..);
        let own = from.take_while(|((of, _), _)| of == plan);
        own.map(|((_, quarter), _)| *quarter).collect()
    }

    /// Everything there is for a pass to look at.
    pub fn matters(&self) -> impl Iterator<Item = Matter> {
        let cases = self.cases.sums.keys();
        let cases = cases.map(|(plan, quarter)| Matter::Case(plan.clone(), *quarter));
        cases.chain(self.plans.keys().cloned().map(Matter::Handovers))
    }

    /// What facts after this position changed; none where that is not known any more.
    #[must_use]
    pub fn touched_since(&self, position: Position) -> Option<impl Iterator<Item = &Matter>> {
        let touched = &self.cases.touched;
        let known = touched.since <= position && position <= self.position;
        known.then(|| touched.order.range(position + 1..).flat_map(|(_, all)| all))
    }

    /// Counts anew, where the book was not made by its facts alone.
    pub fn sum_up(&mut self) {
        self.cases = Cases::default();
        self.cases.touched.since = self.position;
        for (key, obligation) in &self.obligations {
            let case = (key.plan.clone(), key.quarter);
            let case = self.cases.sums.entry(case).or_default();
            case.add(key, Share::of(obligation));
        }
        self.note_all_owners();
        self.tally_up();
    }

    /// Changes an obligation that is there, and the sums with it; says whether it is there.
    pub(super) fn change(
        &mut self,
        key: &ObligationKey,
        change: impl FnOnce(&mut Obligation),
    ) -> bool {
        let Some(known) = self.obligations.get_mut(key) else {
            return false;
        };
        let before = Share::of(known);
        change(known);
        let after = Share::of(known);
        if before != after {
            self.move_share(key, Some(before), Some(after));
        }
        true
    }

    /// Makes an obligation wanted, whether it was there before or not.
    pub(super) fn want(&mut self, key: ObligationKey) {
        if !self.change(&key, |known| known.closed = None) {
            let fresh = Obligation::default();
            self.move_share(&key, None, Some(Share::of(&fresh)));
            self.obligations.insert(key, fresh);
        }
    }

    /// Takes an obligation away without a trace.
    pub(super) fn forget(&mut self, key: &ObligationKey) {
        if let Some(known) = self.obligations.remove(key) {
            self.move_share(key, Some(Share::of(&known)), None);
        }
    }

    /// Notes that the fact being applied changes this matter.
    pub(super) fn touch(&mut self, matter: Matter) {
        self.cases.touched.note(self.position + 1, matter);
    }

    fn move_share(&mut self, key: &ObligationKey, before: Option<Share>, after: Option<Share>) {
        let name = (key.plan.clone(), key.quarter);
        self.touch(Matter::Case(name.0.clone(), name.1));
        let case = self.cases.sums.entry(name.clone()).or_default();
        if let Some(share) = before {
            case.take_out(key, share);
        }
        if let Some(share) = after {
            case.add(key, share);
        }
        if case.obligations == 0 {
            self.cases.sums.remove(&name);
        }
    }
}
