//! The lines of what the office decided, and of who does what for whom.

use super::{About, Kind, Line, Teller, actor, line, of};
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::ObligationKey;
use crate::domain::report::Review;
use crate::domain::request::{ExtensionWord, NotMineWord};
use crate::web::format::short_day;

impl<'a> Teller<'a> {
    /// What the office did about an item.
    pub(super) fn of_office(&self, entry: &Entry) -> Option<Line> {
        let word = |what: &str, about| line(Kind::Word, what, about);
        let line = match &entry.fact {
            Fact::ReviewGiven { obligation, review } => match review {
                Review::Accepted => word("审核通过", of(obligation)),
                Review::Returned { reason } => word("退回", of(obligation)).words(reason),
            },
            Fact::ExtensionDecided {
                obligation,
                word: said,
            } => match said {
                ExtensionWord::Granted { day, note, .. } => {
                    let day = short_day(*day);
                    let note = if note.is_empty() {
                        String::new()
                    } else {
                        format!("：{note}")
                    };
                    word("同意延期", of(obligation)).words(format!("延至{day}{note}"))
                }
                ExtensionWord::Refused { reason } => {
                    word("不同意延期", of(obligation)).words(reason)
                }
            },
            Fact::NotMineSettled {
                obligation,
                word: said,
            } => match said {
                NotMineWord::Moved => word("改由他人负责", of(obligation)),
                NotMineWord::Theirs { note } => word("仍由本人负责", of(obligation)).words(note),
            },
            Fact::LinksRevoked { plan, quarter, .. } => {
                let whole = ObligationKey {
                    plan: plan.clone(),
                    quarter: *quarter,
                    task: 0,
                    group: 0,
                };
                word("停用旧链接", of(&whole))
            }
            Fact::ContactSet { .. } => word("登记联系方式", About::Person),
            _ => return None,
        };
        let by = actor(&entry.by).unwrap_or_default();
        Some(line.by(by))
    }

    /// Who does what for whom.
    pub(super) fn of_duty(&self, entry: &Entry) -> Option<Line> {
        let (what, delegation): (_, Option<&Delegation>) = match &entry.fact {
            Fact::OwnerChanged {
                plan,
                duties,
                from,
                to,
            } => {
                let tasks = duties.iter().map(|(task, _)| *task).collect();
                let words = format!("由{}改为{}", self.name(from), to.name);
                let changed = line(Kind::Word, "更换责任人", About::Duties(plan.clone(), tasks));
                return Some(
                    changed
                        .by(actor(&entry.by).unwrap_or_default())
                        .words(words),
                );
            }
            Fact::Delegated { delegation } => (delegation.chinese(), Some(delegation)),
            Fact::DelegationEnded { .. } => ("转办、代办结束", None),
            _ => return None,
        };
        let by = match &entry.by {
            Actor::Owner(person) => self.name(person).to_owned(),
            other => actor(other).unwrap_or_default(),
        };
        let Some(delegation) = delegation else {
            return Some(line(Kind::Word, what, About::Person).by(by));
        };
        let (from, to) = (self.name(&delegation.from), self.name(&delegation.to));
        let (about, time) = match &delegation.scope {
            Scope::Items { plan, duties } => {
                let tasks = duties.iter().map(|(task, _)| *task).collect();
                (About::Duties(plan.clone(), tasks), String::new())
            }
            Scope::Acting { begins, ends } => {
                let time = format!("，自{}至{}", self.time(*begins), self.time(*ends));
                (About::Person, time)
            }
        };
        let words = format!("{from}的事项由{to}代为填报{time}");
        Some(line(Kind::Word, what, about).by(by).words(words))
    }
}
