//! One fact at a time into the book.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Book, Delivery, DeliveryState, Effect, Obligation, PlanBook, QueueKey, Trouble};
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::{Entry, Fact};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::message::{Message, MessageKey, Occasion};
use crate::domain::people::Person;
use crate::domain::plan::{Heading, Task};
use crate::domain::user::User;

/// A fact that does not fit what is known: a defect of ours or a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// Positions have no gaps.
    #[error("第{found}号记录接在第{last}号之后，次序不对")]
    Position {
        /// The last one applied.
        last: Position,
        /// The one that came.
        found: Position,
    },
    /// It speaks of something that is not there.
    #[error("第{position}号记录提到的{what}不存在")]
    Unknown {
        /// Of the fact.
        position: Position,
        /// What is missing.
        what: String,
    },
    /// It makes something that is there already.
    #[error("第{position}号记录与已有的{what}重复")]
    Twice {
        /// Of the fact.
        position: Position,
        /// What is there.
        what: String,
    },
    /// The message is not in a state in which this can happen to it.
    #[error("第{position}号记录与消息 {key} 的状态不符")]
    State {
        /// Of the fact.
        position: Position,
        /// The message.
        key: String,
    },
}

impl Book {
    /// Takes one more fact in.
    ///
    /// # Errors
    /// [`Inconsistent`] where the fact does not fit. The book may then be half changed: fold it anew.
    pub fn apply(&mut self, entry: &Entry) -> Result<Vec<Effect>, Inconsistent> {
        if entry.position != self.position + 1 {
            return Err(Inconsistent::Position {
                last: self.position,
                found: entry.position,
            });
        }
        let effects = self.take(entry)?;
        self.position = entry.position;
        self.at = Some(entry.at);
        Ok(effects)
    }

    fn take(&mut self, entry: &Entry) -> Result<Vec<Effect>, Inconsistent> {
        let at = entry.at;
        let here = entry.position;
        match &entry.fact {
            Fact::PlanImported {
                plan,
                heading,
                source,
                sha256,
                ..
            } => self.import(plan, heading, source, sha256, at),
            Fact::PersonSet { plan, person } => self.set_person(here, plan.as_ref(), person)?,
            Fact::TaskSet { plan, task } => return self.set_task(here, plan, task),
            Fact::TaskRemoved { plan, task } => return self.remove_task(here, plan, *task),
            Fact::DeadlinesSet {
                plan,
                deadlines,
                assumed_years,
            } => return self.set_deadlines(here, plan, deadlines, assumed_years),
            Fact::ContactSet { contact } => {
                self.contacts
                    .insert(contact.person.clone(), contact.clone());
            }
            Fact::StageRun {
                plan,
                quarter,
                stage,
                outcome,
            } => {
                let key = (plan.clone(), *quarter, *stage);
                self.stages.insert(key, (at, outcome.clone()));
            }
            Fact::MessageQueued { message } => return self.enqueue(here, at, message),
            Fact::MessageSkipped { key, why } => {
                self.skipped.insert(key.clone(), *why);
            }
            Fact::MessageDeferred { key, until, .. } => return self.defer(here, key, *until),
            Fact::MessageWithdrawn { key, why } => {
                let state = DeliveryState::Withdrawn { at, why: *why };
                return self.leave_queue(here, key, state);
            }
            Fact::SendIntended {
                key,
                leg,
                channel,
                items,
            } => {
                let state = DeliveryState::Sending {
                    since: at,
                    channel: *channel,
                    items: items.clone(),
                };
                let effects = self.leave_queue(here, key, state)?;
                let delivery = self.delivery(here, key)?;
                delivery.attempts += 1;
                delivery.tries_on_leg = if delivery.leg == *leg {
                    delivery.tries_on_leg + 1
                } else {
                    1
                };
                delivery.leg = *leg;
                return Ok(effects);
            }
            Fact::SendConcluded {
                key,
                outcome,
                verdict,
            } => return self.conclude(here, at, key, outcome, verdict),
            Fact::MessageRevived { key, at: until } => {
                let delivery = self.delivery(here, key)?;
                if !matches!(
                    delivery.state,
                    DeliveryState::Held { .. } | DeliveryState::Dead { .. }
                ) {
                    return Err(state_error(here, key));
                }
                delivery.leg = 0;
                delivery.tries_on_leg = 0;
                return self.wait(here, key, *until);
            }
            Fact::ReportReceived { report } => {
                let obligation = self.obligation(here, &report.obligation)?;
                obligation.reports.push(crate::domain::report::Received {
                    at,
                    report: (**report).clone(),
                });
                obligation.review = None;
            }
            Fact::ReviewGiven { obligation, review } => {
                self.obligation(here, obligation)?.review = Some((at, review.clone()));
            }
            Fact::LinksRevoked {
                plan,
                quarter,
                person,
            } => {
                self.revoked
                    .insert((plan.clone(), *quarter, person.clone()), at);
            }
            Fact::UserAdded {
                name,
                role,
                password_hash,
            } => {
                if self.users.contains_key(name) {
                    return Err(Inconsistent::Twice {
                        position: here,
                        what: format!("用户“{name}”"),
                    });
                }
                let user = User {
                    name: name.clone(),
                    role: *role,
                    password_hash: password_hash.clone(),
                    disabled: false,
                    epoch: 0,
                };
                self.users.insert(name.clone(), user);
            }
            Fact::PasswordSet {
                name,
                password_hash,
            } => {
                let user = self.user(here, name)?;
                user.password_hash.clone_from(password_hash);
                user.epoch += 1;
            }
            Fact::UserDisabled { name } => {
                let user = self.user(here, name)?;
                user.disabled = true;
                user.epoch += 1;
            }
            Fact::SignedIn { name } => {
                self.user(here, name)?;
            }
        }
        Ok(Vec::new())
    }

    fn import(
        &mut self,
        plan: &PlanId,
        heading: &Heading,
        source: &str,
        sha256: &str,
        at: DateTime<Utc>,
    ) {
        let known = self.plans.entry(plan.clone()).or_insert_with(|| PlanBook {
            heading: heading.clone(),
            source: String::new(),
            sha256: String::new(),
            imported_at: at,
            tasks: BTreeMap::new(),
            people: Vec::new(),
            deadlines: BTreeMap::new(),
            assumed_years: Default::default(),
        });
        known.heading = heading.clone();
        source.clone_into(&mut known.source);
        sha256.clone_into(&mut known.sha256);
        known.imported_at = at;
    }

    fn set_person(
        &mut self,
        here: Position,
        plan: Option<&PlanId>,
        person: &Person,
    ) -> Result<(), Inconsistent> {
        if let Some(plan) = plan {
            let known = self.plan(here, plan)?;
            if !known.people.contains(&person.id) {
                known.people.push(person.id.clone());
            }
        }
        self.people.insert(person.id.clone(), person.clone());
        Ok(())
    }

    fn set_task(
        &mut self,
        here: Position,
        plan: &PlanId,
        task: &Task,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let mut effects = match self.plan(here, plan)?.tasks.contains_key(&task.no) {
            true => self.remove_task(here, plan, task.no)?,
            false => Vec::new(),
        };
        let known = self.plan(here, plan)?;
        effects.extend(milestone_effects(plan, task, &known.deadlines));
        known.tasks.insert(task.no, task.clone());
        for key in obligations_of(plan, task) {
            // Reports already given stay with the obligation when a plan is imported anew.
            self.obligations.entry(key).or_default();
        }
        Ok(effects)
    }

    fn remove_task(
        &mut self,
        here: Position,
        plan: &PlanId,
        no: TaskNo,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let known = self.plan(here, plan)?;
        let Some(task) = known.tasks.remove(&no) else {
            return Err(Inconsistent::Unknown {
                position: here,
                what: format!("第{no}项任务"),
            });
        };
        for key in obligations_of(plan, &task) {
            if self
                .obligations
                .get(&key)
                .is_some_and(|known| known.reports.is_empty())
            {
                self.obligations.remove(&key);
            }
        }
        let gone = (0..task.milestones.len()).map(|index| Effect::MilestoneRemoved {
            plan: plan.clone(),
            task: no,
            index: u16::try_from(index).unwrap_or(u16::MAX),
        });
        Ok(gone.collect())
    }

    fn set_deadlines(
        &mut self,
        here: Position,
        plan: &PlanId,
        deadlines: &[(NaiveDate, DateTime<Utc>)],
        assumed_years: &[i32],
    ) -> Result<Vec<Effect>, Inconsistent> {
        let known = self.plan(here, plan)?;
        known.deadlines = deadlines.iter().copied().collect();
        known.assumed_years = assumed_years.iter().copied().collect();
        let effects = known
            .tasks
            .values()
            .flat_map(|task| milestone_effects(plan, task, &known.deadlines));
        Ok(effects.collect())
    }

    fn enqueue(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        message: &Message,
    ) -> Result<Vec<Effect>, Inconsistent> {
        if self.messages.contains_key(&message.key) || message.route.is_empty() {
            return Err(Inconsistent::Twice {
                position: here,
                what: format!("消息 {}", message.key),
            });
        }
        let delivery = Delivery {
            message: message.clone(),
            queued_at: at,
            queued_in: here,
            state: DeliveryState::Withdrawn {
                at,
                why: crate::domain::fact::WithdrawWhy::NoLongerTheirs,
            },
            attempts: 0,
            leg: 0,
            tries_on_leg: 0,
            last_trouble: None,
        };
        self.messages.insert(message.key.clone(), delivery);
        self.messages_of
            .entry(message.key.person.clone())
            .or_default()
            .push(message.key.clone());
        self.wait(here, &message.key, message.not_before)
    }

    fn defer(
        &mut self,
        here: Position,
        key: &MessageKey,
        until: DateTime<Utc>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let mut effects = self.unqueue(here, key)?;
        effects.extend(self.wait(here, key, until)?);
        Ok(effects)
    }

    fn leave_queue(
        &mut self,
        here: Position,
        key: &MessageKey,
        state: DeliveryState,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let effects = self.unqueue(here, key)?;
        self.delivery(here, key)?.state = state;
        Ok(effects)
    }

    fn conclude(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        key: &MessageKey,
        outcome: &SendOutcome,
        verdict: &Verdict,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        let DeliveryState::Sending { channel, items, .. } = &delivery.state else {
            return Err(state_error(here, key));
        };
        let (channel, items) = (*channel, items.clone());
        delivery.last_trouble = trouble(at, channel, outcome).or(delivery.last_trouble.take());
        match verdict {
            Verdict::Done => {
                let occasion = key.occasion;
                let about = delivery.message.about.clone();
                delivery.state = DeliveryState::Sent {
                    at,
                    channel,
                    items: items.clone(),
                };
                self.note_told(at, occasion, &key.person, &items, &about);
            }
            Verdict::Again { at: until, leg } => {
                if *leg != delivery.leg {
                    delivery.leg = *leg;
                    delivery.tries_on_leg = 0;
                }
                return self.wait(here, key, *until);
            }
            Verdict::Dead => delivery.state = DeliveryState::Dead { at },
            Verdict::Held => delivery.state = DeliveryState::Held { at },
        }
        Ok(Vec::new())
    }

    fn note_told(
        &mut self,
        at: DateTime<Utc>,
        occasion: Occasion,
        person: &PersonId,
        items: &[ObligationKey],
        about: &[ObligationKey],
    ) {
        for key in items {
            if let Some(obligation) = self.obligations.get_mut(key) {
                obligation.last_reminded = Some((at, occasion));
            }
        }
        let settled = match occasion {
            Occasion::Stage(_) | Occasion::Urge(_) => false,
            Occasion::Settled(_) => true,
            Occasion::Digest(_) => return,
        };
        for key in about {
            if let Some(obligation) = self.obligations.get_mut(key) {
                obligation.copied.insert(person.clone(), settled);
            }
        }
    }

    /// Puts the message into the queue at the channel of its present leg.
    fn wait(
        &mut self,
        here: Position,
        key: &MessageKey,
        until: DateTime<Utc>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        delivery.state = DeliveryState::Waiting { until };
        let place = place(delivery, until).ok_or_else(|| state_error(here, key))?;
        self.queue.insert(place, key.clone());
        Ok(vec![Effect::QueueAdded {
            at: place,
            key: key.clone(),
        }])
    }

    fn unqueue(&mut self, here: Position, key: &MessageKey) -> Result<Vec<Effect>, Inconsistent> {
        let delivery = self.delivery(here, key)?;
        let DeliveryState::Waiting { until } = delivery.state else {
            return Err(state_error(here, key));
        };
        let place = place(delivery, until).ok_or_else(|| state_error(here, key))?;
        self.queue.remove(&place);
        Ok(vec![Effect::QueueRemoved { at: place }])
    }

    fn plan(&mut self, here: Position, plan: &PlanId) -> Result<&mut PlanBook, Inconsistent> {
        self.plans
            .get_mut(plan)
            .ok_or_else(|| Inconsistent::Unknown {
                position: here,
                what: format!("分解表 {plan}"),
            })
    }

    fn delivery(
        &mut self,
        here: Position,
        key: &MessageKey,
    ) -> Result<&mut Delivery, Inconsistent> {
        self.messages
            .get_mut(key)
            .ok_or_else(|| Inconsistent::Unknown {
                position: here,
                what: format!("消息 {key}"),
            })
    }

    fn obligation(
        &mut self,
        here: Position,
        key: &ObligationKey,
    ) -> Result<&mut Obligation, Inconsistent> {
        self.obligations
            .get_mut(key)
            .ok_or_else(|| Inconsistent::Unknown {
                position: here,
                what: format!("应报事项 {key}"),
            })
    }

    fn user(&mut self, here: Position, name: &str) -> Result<&mut User, Inconsistent> {
        self.users
            .get_mut(name)
            .ok_or_else(|| Inconsistent::Unknown {
                position: here,
                what: format!("用户“{name}”"),
            })
    }
}

/// The obligations a task makes: each group in each quarter in which something of it runs.
pub(super) fn obligations_of(plan: &PlanId, task: &Task) -> Vec<ObligationKey> {
    let mut keys = Vec::new();
    let first = task.milestones.iter().map(|m| m.first_quarter).min();
    let last = task.milestones.iter().map(|m| m.last_quarter).max();
    let (Some(first), Some(last)) = (first, last) else {
        return keys;
    };
    let quarters = std::iter::successors(Some(first), |q: &Quarter| Some(q.next()))
        .take_while(|quarter| *quarter <= last);
    for quarter in quarters {
        for (index, group) in (0_u8..=u8::MAX).zip(&task.groups) {
            if task.milestones_in(group, quarter).next().is_some() {
                keys.push(ObligationKey {
                    plan: plan.clone(),
                    quarter,
                    task: task.no,
                    group: index,
                });
            }
        }
    }
    keys
}

fn milestone_effects<'a>(
    plan: &'a PlanId,
    task: &'a Task,
    deadlines: &'a BTreeMap<NaiveDate, DateTime<Utc>>,
) -> impl Iterator<Item = Effect> + 'a {
    (0_u16..=u16::MAX)
        .zip(&task.milestones)
        .map(|(index, milestone)| Effect::MilestoneSet {
            plan: plan.clone(),
            task: task.no,
            index,
            milestone: milestone.clone(),
            deadline: deadlines.get(&milestone.due).copied(),
        })
}

fn place(delivery: &Delivery, until: DateTime<Utc>) -> Option<QueueKey> {
    let channel = delivery.message.route.get(usize::from(delivery.leg))?;
    Some((*channel, until, delivery.queued_in))
}

fn trouble(
    at: DateTime<Utc>,
    channel: crate::domain::people::ChannelKind,
    outcome: &SendOutcome,
) -> Option<Trouble> {
    match outcome {
        SendOutcome::Sent { .. } => None,
        SendOutcome::Failed(failure) => Some(Trouble {
            at,
            channel,
            reason: Some(failure.reason),
            detail: failure.detail.clone(),
        }),
        SendOutcome::InDoubt { detail } => Some(Trouble {
            at,
            channel,
            reason: None,
            detail: detail.clone(),
        }),
    }
}

fn state_error(here: Position, key: &MessageKey) -> Inconsistent {
    Inconsistent::State {
        position: here,
        key: key.to_string(),
    }
}
