//! One fact at a time into the book.

mod addresses;
mod deliveries;
mod mails;
mod papers;
mod plans;
mod requests;
mod users;
mod words;

use chrono::TimeDelta;

use super::{
    Account, Alarm, Book, Card, ClockDoubt, Delivery, DeliveryState, Effect, Matter, Obligation,
    PlanBook,
};
use crate::domain::evidence::Filed;
use crate::domain::fact::{Entry, Fact};
use crate::domain::heard::Meaning;
use crate::domain::holidays::Brought;
use crate::domain::ids::{ObligationKey, PlanId, Position};
use crate::domain::message::MessageKey;
use crate::domain::report::Received;

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

/// Facts that wait for their turn may be a little older than the one before them.
const STEP_BACK: TimeDelta = TimeDelta::minutes(1);
/// Longer than any card can be changed.
const CARDS_KEPT: TimeDelta = TimeDelta::days(4);

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
        let before = self.at.replace(entry.at);
        let concerned = self.concerned(&entry.fact);
        let effects = self.take(entry)?;
        self.note_trail(entry, concerned);
        if before.is_some_and(|before| entry.at < before - STEP_BACK) {
            self.stepped_back = entry.position;
        }
        self.position = entry.position;
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
            } => self.import(plan, heading, source, sha256, (here, at)),
            Fact::ColumnsMapped { plan, columns } => self.map_columns(here, plan, columns)?,
            Fact::PersonSet { plan, person } => self.set_person(here, plan.as_ref(), person)?,
            Fact::TaskSet { plan, task } => return self.set_task(here, at, plan, task),
            Fact::TaskRemoved { plan, task } => return self.remove_task(here, at, plan, *task),
            Fact::DeadlinesSet {
                plan,
                deadlines,
                assumed_years,
            } => return self.set_deadlines(here, plan, deadlines, assumed_years),
            Fact::ContactSet { contact } => self.set_contact(contact),
            Fact::AccountLearned { person, account } => {
                let account = Account {
                    user: account.clone(),
                    asked_at: at,
                };
                self.accounts.insert(person.clone(), account);
            }
            Fact::CardSent { key, code } => {
                let card = Card {
                    code: code.clone(),
                    sent_at: at,
                    tapped: false,
                };
                self.cards
                    .retain(|_, known| at - known.sent_at < CARDS_KEPT);
                self.cards.insert(key.clone(), card);
            }
            Fact::CardTapped { key, code } => {
                let card = Card {
                    code: code.clone(),
                    sent_at: at,
                    tapped: true,
                };
                self.cards.insert(key.clone(), card);
            }
            Fact::CardSettled { key, .. } => {
                self.cards.remove(key);
            }
            Fact::LadderSet {
                plan,
                quarter,
                ladder,
            } => {
                let case = (plan.clone(), *quarter);
                self.ladders.insert(case, (**ladder).clone());
                self.touch(Matter::Case(plan.clone(), *quarter));
            }
            Fact::StageRun {
                plan,
                quarter,
                stage,
                outcome,
            } => {
                let key = (plan.clone(), *quarter, *stage);
                self.stages.insert(key, (at, outcome.clone()));
                self.touch(Matter::Case(plan.clone(), *quarter));
            }
            Fact::PutOffStageRun {
                plan,
                quarter,
                day,
                stage,
                outcome,
            } => {
                let key = (plan.clone(), *quarter, *day, *stage);
                self.put_off_stages.insert(key, (at, outcome.clone()));
                self.touch(Matter::Case(plan.clone(), *quarter));
            }
            Fact::MessageQueued { message } => return self.enqueue(here, at, message),
            Fact::MessageSkipped { key, why } => {
                self.skip(key, *why);
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
            } => return self.intend(here, at, key, (*leg, *channel), items),
            Fact::SendConcluded {
                key,
                outcome,
                verdict,
            } => return self.conclude(here, at, key, outcome, verdict),
            Fact::MessageRevived { key, at: until } => return self.revive(here, key, *until),
            Fact::MessageHandled { key } => return self.handled(here, at, key),
            Fact::AddressConfirmed { person, channel } => {
                let address = self.addresses.entry((person.clone(), *channel));
                let address = address.or_default();
                address.confirmed = Some(at);
                address.refused = None;
            }
            Fact::AlarmRaised { alarm, words } => {
                let words = words.clone();
                let since = self.alarms.get(alarm).map_or(at, |known| known.since);
                self.alarms.insert(alarm.clone(), Alarm { since, words });
            }
            Fact::AlarmCleared { alarm } => {
                self.alarms.remove(alarm);
            }
            Fact::ClockDoubted { expected, found } => {
                self.clock_doubt = Some(ClockDoubt {
                    expected: *expected,
                    found: *found,
                });
            }
            Fact::ClockAgreed => self.clock_doubt = None,
            Fact::StoreRestored { backed_up } => self.restored = Some(*backed_up),
            Fact::SendingResumed { not_before } => {
                self.restored = None;
                self.resumed_from = Some(*not_before);
            }
            Fact::ReportReceived { report } => {
                self.note_answer(at, &report.person, report.via);
                let report = (**report).clone();
                let on = report.obligation.clone();
                self.said(here, &on, |obligation| {
                    let beside = obligation.shown();
                    let evidence = beside.map(|filed| filed.evidence.sha256.clone()).collect();
                    let received = Received {
                        at,
                        report,
                        evidence,
                    };
                    // Most have one; room for four is what a list begins with otherwise.
                    obligation.reports.reserve_exact(1);
                    obligation.reports.push(received);
                    obligation.review = None;
                })?;
            }
            Fact::EvidenceAdded {
                obligation,
                person,
                evidence,
            } => {
                let filed = Filed {
                    evidence: evidence.clone(),
                    person: person.clone(),
                    at,
                    removed: None,
                };
                self.said(here, obligation, |known| known.evidence.push(filed))?;
            }
            Fact::EvidenceRemoved {
                obligation, sha256, ..
            } => self.said(here, obligation, |known| {
                let shown = known.evidence.iter_mut();
                let shown = shown.filter(|filed| filed.removed.is_none());
                shown
                    .filter(|filed| filed.evidence.sha256 == *sha256)
                    .for_each(|filed| filed.removed = Some(at));
            })?,
            Fact::Acknowledged {
                obligations,
                person,
            } => {
                for key in obligations {
                    let seen = Some(Box::new((at, person.clone())));
                    self.said(here, key, |known| known.acknowledged = seen)?;
                }
            }
            Fact::WordHeard { heard } => self.hear(here, at, heard),
            Fact::WordSettled {
                heard,
                meaning,
                answer,
            } => self.settle_word(here, *heard, *meaning, answer.as_ref())?,
            Fact::WordAnswered { heard, .. } => {
                self.word(here, *heard)?.answer = None;
                self.lay_by(*heard);
            }
            Fact::WordResolved { heard } => {
                let word = self.word(here, *heard)?;
                word.settled = Some(Meaning::Refused);
                self.lay_by(*heard);
            }
            Fact::MailTaken { mail } => self.take_mail(here, at, mail),
            Fact::MailSettled { mail, unkept } => self.settle_mail(here, at, (mail, unkept))?,
            Fact::ReviewGiven { obligation, review } => {
                let review = Some(Box::new((at, review.clone())));
                self.said(here, obligation, |known| known.review = review)?;
            }
            Fact::ExtensionAsked {
                obligation,
                person,
                ask,
            } => self.ask_extension((here, at), obligation, person, ask)?,
            Fact::ExtensionDecided { obligation, word } => {
                self.decide_extension((here, at), obligation, word)?;
            }
            Fact::NotMineSaid {
                obligation,
                person,
                other,
            } => self.say_not_mine((here, at), obligation, person, other)?,
            Fact::NotMineSettled { obligation, word } => {
                self.settle_not_mine((here, at), obligation, word)?;
            }
            Fact::OwnerChanged {
                plan,
                duties,
                from,
                to,
            } => return self.change_owner((here, at), plan, duties, from, to),
            Fact::Delegated { delegation } => {
                self.delegations.insert(here, delegation.clone());
            }
            Fact::DelegationEnded { delegation } => self.end_delegation(here, *delegation)?,
            Fact::SummaryWritten {
                plan,
                quarter,
                task,
                person,
                text,
            } => self.sum_task_up((here, at), (plan, *quarter, *task), person, text)?,
            Fact::PaperIssued {
                paper,
                year,
                number,
            } => self.issue((here, at), paper, *year, *number)?,
            Fact::LinksRevoked {
                plan,
                quarter,
                person,
            } => {
                self.revoked
                    .insert((plan.clone(), *quarter, person.clone()), at);
            }
            Fact::UserAdded { .. }
            | Fact::UserChanged { .. }
            | Fact::PasswordSet { .. }
            | Fact::UserDisabled { .. }
            | Fact::UserEnabled { .. }
            | Fact::SessionsEnded { .. }
            | Fact::SecondFactorSet { .. }
            | Fact::SecondFactorReset { .. }
            | Fact::CodeUsed { .. }
            | Fact::SignedIn { .. } => self.take_user(entry)?,
            Fact::TokenMade { .. } | Fact::TokenUsed { .. } | Fact::TokenRevoked { .. } => {
                self.take_token(entry)?;
            }
            Fact::HolidaysSet { year, file, notice } => {
                let brought = Brought {
                    file: file.clone(),
                    at,
                    notice: (**notice).clone(),
                };
                self.holidays.insert(*year, brought);
            }
            // For the journal's readers only.
            Fact::Viewed { .. } | Fact::Exported { .. } | Fact::SignInFailed { .. } => {}
        }
        Ok(Vec::new())
    }

    /// To be changed by the fact at `here`.
    fn plan(&mut self, here: Position, plan: &PlanId) -> Result<&mut PlanBook, Inconsistent> {
        let known = self.plans.get_mut(plan);
        let known = known.ok_or_else(|| Inconsistent::Unknown {
            position: here,
            what: format!("分解表 {plan}"),
        })?;
        known.changed = (here, self.at.unwrap_or(known.changed.1));
        Ok(known)
    }

    pub(super) fn delivery(
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

    /// Changes an obligation by what somebody says of it in the fact at `here`.
    fn said(
        &mut self,
        here: Position,
        key: &ObligationKey,
        change: impl FnOnce(&mut Obligation),
    ) -> Result<(), Inconsistent> {
        let touched = self.at.map(|at| (here, at));
        let known = self.change(key, |obligation| {
            change(obligation);
            obligation.touched = touched;
        });
        let unknown = || Inconsistent::Unknown {
            position: here,
            what: format!("应报事项 {key}"),
        };
        known.then_some(()).ok_or_else(unknown)
    }
}

fn state_error(here: Position, key: &MessageKey) -> Inconsistent {
    Inconsistent::State {
        position: here,
        key: key.to_string(),
    }
}
