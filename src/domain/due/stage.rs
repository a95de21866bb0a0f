//! The stages of one quarter: which one is due, and whom it tells.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::docket::Outlook;
use super::{World, recipients};
use crate::domain::book::Obligation;
use crate::domain::fact::{Fact, SkipWhy, StageOutcome};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::ladder::StageRule;
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage};
use crate::domain::plan::Group;

/// Stages that are run together: those of a quarter, or those of what was put off to a day.
#[derive(Clone, Copy)]
struct Round<'a> {
    plan: &'a PlanId,
    quarter: Quarter,
    put_off: Option<NaiveDate>,
}

/// A stage whose time has come or will come.
type Timed<'a> = (&'a StageRule, DateTime<Utc>);

impl<'a> Round<'a> {
    /// The quarter's own, and one for each day to which something open was put off.
    fn all(world: &World<'_>, plan: &'a PlanId, quarter: Quarter) -> Vec<Self> {
        let case = world.book.case(plan, quarter);
        let days = case.into_iter().flat_map(|case| case.put_off.keys());
        let days = std::iter::once(None).chain(days.copied().map(Some));
        days.map(|put_off| Self {
            plan,
            quarter,
            put_off,
        })
        .collect()
    }

    fn time(self, world: &World<'_>, stage: Stage) -> Option<DateTime<Utc>> {
        match self.put_off {
            None => world.stage_time(self.plan, self.quarter, stage),
            Some(day) => {
                let ladder = world.ladder(self.plan, self.quarter);
                ladder.time_around(world.calendar, day, stage)
            }
        }
    }

    fn has_run(self, world: &World<'_>, stage: Stage) -> bool {
        match self.put_off {
            None => world.has_run(self.plan, self.quarter, stage),
            Some(day) => {
                let key = (self.plan.clone(), self.quarter, day, stage);
                world.book.put_off_stages.contains_key(&key)
            }
        }
    }

    /// The stages that have not run. What was put off has only those after the word: an extension
    /// brings no reminder forward.
    fn ahead<'w>(self, world: &'w World<'_>) -> Vec<Timed<'w>> {
        let rules = world.ladder(self.plan, self.quarter).stages.iter();
        rules
            .filter(|rule| !self.has_run(world, rule.stage))
            .filter_map(|rule| Some((rule, self.time(world, rule.stage)?)))
            .filter(|(_, at)| self.put_off.is_none() || self.concerns_any(world, *at))
            .collect()
    }

    fn concerns_any(self, world: &World<'_>, at: DateTime<Utc>) -> bool {
        let case = world.book.case(self.plan, self.quarter);
        let keys = case
            .zip(self.put_off)
            .and_then(|(case, day)| case.put_off.get(&day));
        let mut keys = keys.into_iter().flatten();
        keys.any(|key| {
            let known = world.book.obligations.get(key);
            known.is_some_and(|known| self.concerns(known, at))
        })
    }

    /// Whether a stage of this round at that time speaks of this.
    fn concerns(self, obligation: &Obligation, at: DateTime<Utc>) -> bool {
        match (self.put_off, obligation.granted()) {
            (None, None) => true,
            (Some(day), Some(granted)) => granted.day == day && granted.at < at,
            _ => false,
        }
    }

    fn occasion(self, stage: Stage) -> Occasion {
        match self.put_off {
            None => Occasion::Stage(stage),
            Some(day) => Occasion::PutOff(stage, day),
        }
    }

    fn ran(self, stage: Stage, outcome: StageOutcome) -> Fact {
        let (plan, quarter) = (self.plan.clone(), self.quarter);
        match self.put_off {
            None => Fact::StageRun {
                plan,
                quarter,
                stage,
                outcome,
            },
            Some(day) => Fact::PutOffStageRun {
                plan,
                quarter,
                day,
                stage,
                outcome,
            },
        }
    }
}

/// When the next stage comes, and whether one has.
pub(super) fn outlook(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
) -> Outlook {
    if world.book.case(plan, quarter).is_none() {
        return Outlook::default();
    }
    Round::all(world, plan, quarter)
        .into_iter()
        .flat_map(|round| round.ahead(world))
        .map(|(_, at)| Outlook::at(at, now))
        .fold(Outlook::default(), Outlook::and)
}

/// Runs the latest stage whose time has come, and says of the earlier ones why they are left out:
/// for the quarter, and for each day to which something was put off.
pub(super) fn run_due(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let mut begun = false;
    for round in Round::all(world, plan, quarter) {
        let mut pending = round.ahead(world);
        pending.retain(|(_, at)| *at <= now);
        if pending.is_empty() {
            continue;
        }
        if !begun {
            facts.extend(begin(world, plan, quarter));
            begun = true;
        }
        run(world, round, &pending, now, facts);
    }
}

fn run<'a>(
    world: &World<'a>,
    round: Round<'a>,
    pending: &[Timed<'_>],
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let speaker = speaker(world, round, pending, now);
    let latest = pending.iter().map(|(_, at)| *at).max().unwrap_or(now);
    let told = Telling::of(world, round, latest, now);
    for (rule, at) in pending {
        let stage = rule.stage;
        let late = world.working_days_since(*at, now);
        let why = match speaker {
            Some(speaker) if speaker == stage => None,
            _ if late > world.policy.too_late_days => Some(SkipWhy::TooLate { working_days: late }),
            Some(speaker) => Some(SkipWhy::FoldedInto { stage: speaker }),
            None => Some(SkipWhy::TooLate { working_days: late }),
        };
        let outcome = match why {
            None => told.run(world, rule, *at, now, facts),
            Some(why) => StageOutcome::Skipped {
                why,
                expected: u32::try_from(told.items.len()).unwrap_or(u32::MAX),
            },
        };
        facts.push(round.ran(stage, outcome));
    }
}

/// A case that begins writes down the ladder it will keep; so does one that began before ladders
/// were written down.
fn begin(world: &World<'_>, plan: &PlanId, quarter: Quarter) -> Option<Fact> {
    let begun = world.book.ladder(plan, quarter).is_some();
    (!begun).then(|| Fact::LadderSet {
        plan: plan.clone(),
        quarter,
        ladder: Box::new(world.policy.ladder.clone()),
    })
}

/// The stage that speaks for all that are due: the latest, unless a later one has run already or
/// it is too late itself.
fn speaker(
    world: &World<'_>,
    round: Round<'_>,
    pending: &[Timed<'_>],
    now: DateTime<Utc>,
) -> Option<Stage> {
    let (latest, at) = pending.iter().max_by_key(|(_, at)| *at)?;
    let (latest, at) = (latest.stage, *at);
    let later = Stage::ALL
        .into_iter()
        .rev()
        .find(|stage| *stage > latest && round.has_run(world, *stage));
    match later {
        Some(later) => Some(later),
        None if world.working_days_since(at, now) > world.policy.too_late_days => None,
        None => Some(latest),
    }
}

/// What is open in a round, by the people it concerns.
struct Telling<'a> {
    round: Round<'a>,
    /// The open obligations of each owner, or of who fills in.
    items: BTreeMap<PersonId, Vec<ObligationKey>>,
    /// Open obligations with those who answer, and whether a message has reached an owner. Not
    /// those on which the office owes its owners an answer: nobody is complained of for them.
    open: Vec<(&'a ObligationKey, &'a Group, bool)>,
}

impl<'a> Telling<'a> {
    fn of(world: &World<'a>, round: Round<'a>, at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let mut items: BTreeMap<PersonId, Vec<ObligationKey>> = BTreeMap::new();
        let mut open = Vec::new();
        for (key, obligation) in world.book.obligations_in(round.plan, round.quarter) {
            if !obligation.is_open() || !round.concerns(obligation, at) {
                continue;
            }
            let Some((_, group)) = world.book.task_and_group(key) else {
                continue;
            };
            for owner in &group.owners {
                for person in recipients(world, &owner.id, key, now) {
                    let own = items.entry(person).or_default();
                    if own.last() != Some(key) {
                        own.push(key.clone());
                    }
                }
            }
            if !obligation.is_owed_word() {
                open.push((key, group, obligation.last_reminded.is_some()));
            }
        }
        for own in items.values_mut() {
            own.sort_by_key(|key| urgency(world, key));
        }
        Self { round, items, open }
    }

    fn run(
        &self,
        world: &World<'_>,
        rule: &StageRule,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
        facts: &mut Vec<Fact>,
    ) -> StageOutcome {
        let stage = rule.stage;
        let about = self.about(world, rule);
        let people: BTreeSet<&PersonId> = self.items.keys().chain(about.keys()).collect();
        let (mut queued, mut skipped) = (0, 0);
        for person in &people {
            let key = MessageKey {
                plan: self.round.plan.clone(),
                quarter: self.round.quarter,
                occasion: self.round.occasion(stage),
                person: (*person).clone(),
            };
            if world.book.knows_message(&key) {
                queued += 1;
                continue;
            }
            let route = world.route_by(person, &rule.channels);
            let why = if route.is_empty() {
                Some(SkipWhy::Unreachable)
            } else if !world.within_budget(person, now, 0) {
                Some(SkipWhy::OverBudget)
            } else {
                None
            };
            if let Some(why) = why {
                skipped += 1;
                facts.push(Fact::MessageSkipped { key, why });
                continue;
            }
            queued += 1;
            let items = self.items.get(*person).cloned().unwrap_or_default();
            let message = Message {
                reason: reason(stage, items.is_empty()),
                copied: copied_on(&items, &about, person),
                about: about.get(*person).cloned().unwrap_or_default(),
                items,
                catch_up: now > at + world.policy.catch_up_after,
                route,
                not_before: world.policy.next_open(world.calendar, now),
                explicit: false,
                key,
            };
            facts.push(Fact::MessageQueued {
                message: Box::new(message),
            });
        }
        StageOutcome::Ran {
            expected: u32::try_from(people.len()).unwrap_or(u32::MAX),
            queued,
            skipped,
        }
    }

    /// Who is told of others' obligations at this stage, and of which.
    ///
    /// Nobody is complained of whom we could not reach ourselves; before the deadline it is no
    /// complaint yet, and to be about to reach them is enough. Where a complaint would go up, the
    /// coordinators hear of those out of reach instead.
    fn about(&self, world: &World<'_>, rule: &StageRule) -> BTreeMap<PersonId, Vec<ObligationKey>> {
        let mut about: BTreeMap<PersonId, Vec<ObligationKey>> = BTreeMap::new();
        if !rule.copied.any() {
            return about;
        }
        let ahead = rule.working_days <= 0;
        let escalates = !ahead && (rule.copied.leaders || rule.copied.coordinators);
        let in_reach = |group: &Group| {
            let mut owners = group.owners.iter();
            owners.any(|owner| !world.route(&owner.id).is_empty())
        };
        for (key, group, reached) in &self.open {
            let told = *reached || (ahead && in_reach(group));
            let copied = match told {
                true => copied_with(world, rule, group),
                // Those who can telephone, where all else is in vain.
                false
                    if escalates
                        && is_out_of_reach(world, self.round.plan, self.round.quarter, group) =>
                {
                    world.coordinators.iter().collect()
                }
                false => continue,
            };
            for person in copied {
                // Who answers for it has it among the own items already.
                if !group.owners.iter().any(|owner| owner.id == *person) {
                    about
                        .entry(person.clone())
                        .or_default()
                        .push((*key).clone());
                }
            }
        }
        about
    }
}

/// Whether every owner has no working address, or was written to in vain.
fn is_out_of_reach(world: &World<'_>, plan: &PlanId, quarter: Quarter, group: &Group) -> bool {
    group.owners.iter().all(|owner| {
        world.route(&owner.id).is_empty() || world.book.was_told_in_vain(&owner.id, plan, quarter)
    })
}

/// Who is told beside the owners of this group.
fn copied_with<'a>(
    world: &World<'a>,
    rule: &StageRule,
    group: &'a Group,
) -> BTreeSet<&'a PersonId> {
    let mut people = BTreeSet::new();
    if rule.copied.responsible {
        people.extend(group.responsible.iter().map(|person| &person.id));
    }
    if rule.copied.leaders {
        people.extend(group.leaders.iter().map(|person| &person.id));
    }
    if rule.copied.coordinators {
        people.extend(world.coordinators);
    }
    people
}

fn copied_on(
    items: &[ObligationKey],
    about: &BTreeMap<PersonId, Vec<ObligationKey>>,
    person: &PersonId,
) -> Vec<PersonId> {
    about
        .iter()
        .filter(|(other, _)| *other != person)
        .filter(|(_, told)| told.iter().any(|key| items.contains(key)))
        .map(|(other, _)| other.clone())
        .collect()
}

fn reason(stage: Stage, only_copied: bool) -> Reason {
    if only_copied {
        return Reason::CopiedIn;
    }
    match stage {
        Stage::Notice => Reason::FirstNotice,
        Stage::Reminder => Reason::NotReported,
        Stage::Due => Reason::DueToday,
        Stage::Overdue => Reason::Overdue,
        Stage::Escalation => Reason::Escalated,
    }
}

/// Most urgent first: returned, then what ends this quarter by its date, then what only needs a
/// word of progress; the table's order within.
pub(super) fn urgency(
    world: &World<'_>,
    key: &ObligationKey,
) -> (bool, bool, Option<chrono::NaiveDate>, u32) {
    let returned = world
        .book
        .obligations
        .get(key)
        .and_then(Obligation::returned_for)
        .is_some();
    let ends = world.book.task_and_group(key).and_then(|(task, group)| {
        task.milestones_in(group, key.quarter)
            .filter(|milestone| milestone.ends_in(key.quarter))
            .map(|milestone| milestone.due.min(key.quarter.last_day()))
            .min()
    });
    (!returned, ends.is_none(), ends, key.task)
}
