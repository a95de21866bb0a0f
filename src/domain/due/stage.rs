//! The stages of one quarter: which one is due, and whom it tells.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::World;
use crate::domain::book::{DeliveryState, Obligation};
use crate::domain::fact::{Fact, SkipWhy, StageOutcome};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage};
use crate::domain::plan::Group;

/// Runs the latest stage whose time has come, and says of the earlier ones why they are left out.
pub(super) fn run_due(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let pending: Vec<(Stage, DateTime<Utc>)> = Stage::ALL
        .into_iter()
        .filter(|stage| !world.has_run(plan, quarter, *stage))
        .filter_map(|stage| Some((stage, world.stage_time(quarter, stage)?)))
        .filter(|(_, at)| *at <= now)
        .collect();
    if pending.is_empty() {
        return;
    }
    let speaker = speaker(world, plan, quarter, &pending, now);
    let told = Telling::of(world, plan, quarter);
    for (stage, at) in pending {
        let late = world.working_days_since(at, now);
        let why = match speaker {
            Some(speaker) if speaker == stage => None,
            _ if late > world.policy.too_late_days => Some(SkipWhy::TooLate { working_days: late }),
            Some(speaker) => Some(SkipWhy::FoldedInto { stage: speaker }),
            None => Some(SkipWhy::TooLate { working_days: late }),
        };
        let outcome = match why {
            None => told.run(world, stage, at, now, facts),
            Some(why) => StageOutcome::Skipped {
                why,
                expected: u32::try_from(told.items.len()).unwrap_or(u32::MAX),
            },
        };
        facts.push(Fact::StageRun {
            plan: plan.clone(),
            quarter,
            stage,
            outcome,
        });
    }
}

/// The stage that speaks for all that are due: the latest, unless a later one has run already or
/// it is too late itself.
fn speaker(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    pending: &[(Stage, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Option<Stage> {
    let (latest, at) = *pending.iter().max_by_key(|(_, at)| *at)?;
    let later = Stage::ALL
        .into_iter()
        .rev()
        .find(|stage| *stage > latest && world.has_run(plan, quarter, *stage));
    match later {
        Some(later) => Some(later),
        None if world.working_days_since(at, now) > world.policy.too_late_days => None,
        None => Some(latest),
    }
}

/// What is open in a quarter, by the people it concerns.
struct Telling<'a> {
    plan: &'a PlanId,
    quarter: Quarter,
    /// Each owner's own open obligations.
    items: BTreeMap<PersonId, Vec<ObligationKey>>,
    /// Open obligations whose owners have been reached: only these are told to others.
    reached: Vec<(&'a ObligationKey, &'a Group)>,
    /// Those whose owners nothing reaches are told to the coordinators, who can telephone.
    unreached: Vec<&'a ObligationKey>,
}

impl<'a> Telling<'a> {
    fn of(world: &World<'a>, plan: &'a PlanId, quarter: Quarter) -> Self {
        let mut items: BTreeMap<PersonId, Vec<ObligationKey>> = BTreeMap::new();
        let (mut reached, mut unreached) = (Vec::new(), Vec::new());
        for (key, obligation) in world.book.obligations_in(plan, quarter) {
            if !obligation.is_open() {
                continue;
            }
            let Some((_, group)) = world.book.task_and_group(key) else {
                continue;
            };
            for owner in &group.owners {
                let own = items.entry(owner.id.clone()).or_default();
                if own.last() != Some(key) {
                    own.push(key.clone());
                }
            }
            match obligation.last_reminded {
                Some(_) => reached.push((key, group)),
                None if is_out_of_reach(world, plan, quarter, group) => unreached.push(key),
                // Nobody has tried yet.
                None => {}
            }
        }
        for own in items.values_mut() {
            own.sort_by_key(|key| urgency(world, key));
        }
        Self {
            plan,
            quarter,
            items,
            reached,
            unreached,
        }
    }

    fn run(
        &self,
        world: &World<'_>,
        stage: Stage,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
        facts: &mut Vec<Fact>,
    ) -> StageOutcome {
        let about = self.about(world, stage);
        let people: BTreeSet<&PersonId> = self.items.keys().chain(about.keys()).collect();
        let (mut queued, mut skipped) = (0, 0);
        for person in &people {
            let key = MessageKey {
                plan: self.plan.clone(),
                quarter: self.quarter,
                occasion: Occasion::Stage(stage),
                person: (*person).clone(),
            };
            if world.book.knows_message(&key) {
                queued += 1;
                continue;
            }
            let route = world.route(person);
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
    /// Nobody is complained of whom we could not reach ourselves: the coordinators hear of it
    /// instead.
    fn about(&self, world: &World<'_>, stage: Stage) -> BTreeMap<PersonId, Vec<ObligationKey>> {
        let mut about: BTreeMap<PersonId, Vec<ObligationKey>> = BTreeMap::new();
        if !stage.copies() {
            return about;
        }
        for (key, group) in &self.reached {
            let leaders = group.leaders.iter().map(|leader| &leader.id);
            let others: BTreeSet<&PersonId> = match stage {
                Stage::Escalation => group
                    .responsible
                    .iter()
                    .map(|person| &person.id)
                    .chain(leaders)
                    .chain(world.coordinators)
                    .collect(),
                _ => group.responsible.iter().map(|person| &person.id).collect(),
            };
            for person in others {
                // Who answers for it has it among the own items already.
                if !group.owners.iter().any(|owner| owner.id == *person) {
                    about
                        .entry(person.clone())
                        .or_default()
                        .push((*key).clone());
                }
            }
        }
        if stage == Stage::Escalation {
            for person in world.coordinators {
                let told = self.unreached.iter().map(|key| (*key).clone());
                about.entry(person.clone()).or_default().extend(told);
            }
            about.retain(|_, told| !told.is_empty());
        }
        about
    }
}

/// Whether every owner has no working address, or was written to in vain.
fn is_out_of_reach(world: &World<'_>, plan: &PlanId, quarter: Quarter, group: &Group) -> bool {
    group.owners.iter().all(|owner| {
        let mut tried = world.book.messages_about(&owner.id, plan, quarter);
        world.route(&owner.id).is_empty()
            || tried.any(|delivery| {
                matches!(
                    delivery.state,
                    DeliveryState::Dead { .. } | DeliveryState::Held { .. }
                )
            })
    })
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
