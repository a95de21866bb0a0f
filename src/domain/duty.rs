//! Whose a duty is, and who fills in: what a coordinator may decide, as facts.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::book::Book;
use super::delegation::{Delegation, Scope};
use super::fact::Fact;
use super::ids::{PersonId, PlanId, TaskNo};
use super::people::{Contact, Person, Roles};
use super::plan::PersonRef;

/// Why it cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DutyError {
    /// Neither name nor unit may be missing.
    #[error("请写明接手人的姓名和单位")]
    Nameless,
    /// Both are one.
    #[error("接手人就是本人，请核对")]
    SamePerson,
    /// There is nothing of theirs, or not what was named.
    #[error("所列事项中没有由该同志负责的，请核对序号")]
    NotTheirs,
    /// The time is over before it begins, or before now.
    #[error("代办的结束时间应晚于开始时间和现在")]
    BadSpan,
    /// There is such a word already.
    #[error("已有同样的安排，不必重复")]
    Already,
}

/// A person as a coordinator names them; they may be new.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// 姓名.
    pub name: String,
    /// 单位.
    pub unit: String,
    /// An address for who has none yet.
    pub email: Option<String>,
    /// A number for who has none yet.
    pub mobile: Option<String>,
}

impl Named {
    /// The person, and the facts that make them known where they are not. What the contact sheet
    /// has is not overwritten.
    fn known(&self, book: &Book, plan: &PlanId) -> Result<(PersonRef, Vec<Fact>), DutyError> {
        let (name, unit) = (self.name.trim(), self.unit.trim());
        if name.is_empty() || unit.is_empty() {
            return Err(DutyError::Nameless);
        }
        let id = PersonId::of(unit, name);
        let mut facts = Vec::new();
        let in_plan = book.plans.get(plan);
        if !in_plan.is_some_and(|plan| plan.people.contains(&id)) {
            let known = book.people.get(&id).cloned();
            let person = known.unwrap_or_else(|| Person {
                id: id.clone(),
                name: name.to_owned(),
                unit: unit.to_owned(),
                roles: Roles {
                    owner: true,
                    ..Roles::default()
                },
            });
            facts.push(Fact::PersonSet {
                plan: Some(plan.clone()),
                person,
            });
        }
        let given = self.email.is_some() || self.mobile.is_some();
        if given && !book.contacts.contains_key(&id) {
            facts.push(Fact::ContactSet {
                contact: Contact {
                    email: self.email.clone(),
                    mobile: self.mobile.clone(),
                    ..Contact::none(id.clone())
                },
            });
        }
        let name = name.to_owned();
        Ok((PersonRef { id, name }, facts))
    }
}

/// The duties of a person in a plan, in order: those of these tasks, or all.
#[must_use]
pub fn duties_of(
    book: &Book,
    plan: &PlanId,
    person: &PersonId,
    tasks: &BTreeSet<TaskNo>,
) -> Vec<(TaskNo, u8)> {
    let all = book.duties.get(person).into_iter().flatten();
    let own = all.filter(|(of, ..)| of == plan);
    let named = own.filter(|(_, task, _)| tasks.is_empty() || tasks.contains(task));
    named.map(|(_, task, group)| (*task, *group)).collect()
}

/// Duties are another's from now on.
///
/// # Errors
/// [`DutyError`] says why not.
pub fn change_owner(
    book: &Book,
    plan: &PlanId,
    duties: Vec<(TaskNo, u8)>,
    from: &PersonId,
    to: &Named,
) -> Result<Vec<Fact>, DutyError> {
    let (to, mut facts) = to.known(book, plan)?;
    if to.id == *from {
        return Err(DutyError::SamePerson);
    }
    let own = duties_of(book, plan, from, &BTreeSet::new());
    if duties.is_empty() || duties.iter().any(|duty| !own.contains(duty)) {
        return Err(DutyError::NotTheirs);
    }
    facts.push(Fact::OwnerChanged {
        plan: plan.clone(),
        duties,
        from: from.clone(),
        to,
    });
    Ok(facts)
}

/// How long somebody fills in, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    /// 转办: these tasks, all where none is named.
    Items(BTreeSet<TaskNo>),
    /// 代办: everything, from one instant to another.
    Acting(DateTime<Utc>, DateTime<Utc>),
}

/// Somebody fills in.
///
/// # Errors
/// [`DutyError`] says why not.
pub fn delegate(
    book: &Book,
    plan: &PlanId,
    from: &PersonId,
    to: &Named,
    filling: Filling,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, DutyError> {
    let (to, mut facts) = to.known(book, plan)?;
    if to.id == *from {
        return Err(DutyError::SamePerson);
    }
    let scope = match filling {
        Filling::Items(tasks) => Scope::Items {
            plan: plan.clone(),
            duties: duties_of(book, plan, from, &tasks),
        },
        Filling::Acting(begins, ends) => Scope::Acting { begins, ends },
    };
    match &scope {
        Scope::Items { duties, .. } if duties.is_empty() => return Err(DutyError::NotTheirs),
        Scope::Acting { begins, ends } if ends <= begins || *ends <= now => {
            return Err(DutyError::BadSpan);
        }
        _ => {}
    }
    let delegation = Delegation {
        from: from.clone(),
        to: to.id,
        scope,
    };
    if book.delegations.values().any(|known| *known == delegation) {
        return Err(DutyError::Already);
    }
    facts.push(Fact::Delegated { delegation });
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::*;

    fn named(name: &str, unit: &str) -> Named {
        Named {
            name: name.into(),
            unit: unit.into(),
            ..Named::default()
        }
    }

    #[test]
    fn a_new_owner_becomes_known_and_an_old_one_keeps_their_addresses() {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let new = Named {
            email: Some("wang@kj.example".into()),
            ..named(" 王五 ", "市科技局")
        };
        let duties = duties_of(&book, &plan(), &id(ZHONG), &BTreeSet::new());
        assert_eq!(duties, [(32, 0)]);
        let facts = change_owner(&book, &plan(), duties.clone(), &id(ZHONG), &new).unwrap();
        assert_eq!(facts.len(), 3);
        apply(&mut book, "2022-03-18T10:00", facts);
        let wang = PersonId::of("市科技局", "王五");
        assert!(book.is_owner(&wang, &key(32, 0)));
        assert!(book.contacts[&wang].email.is_some());
        let again = change_owner(&book, &plan(), duties, &id(ZHONG), &new);
        assert_eq!(again, Err(DutyError::NotTheirs));
        let back = change_owner(
            &book,
            &plan(),
            vec![(32, 0)],
            &wang,
            &named("王五", "市科技局"),
        );
        assert_eq!(back, Err(DutyError::SamePerson));
        let nobody = change_owner(&book, &plan(), vec![(32, 0)], &wang, &named("", "市科技局"));
        assert_eq!(nobody, Err(DutyError::Nameless));
    }

    #[test]
    fn who_fills_in_does_so_for_what_is_the_owners_and_for_a_time_ahead() {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let now = at("2022-03-18T10:00");
        let ask = |book: &Book, filling| {
            let to = named("钟靖平", "市科技局");
            delegate(book, &plan(), &id(ZHANG), &to, filling, now)
        };
        let items = |tasks: &[u32]| Filling::Items(tasks.iter().copied().collect());
        assert_eq!(ask(&book, items(&[32])), Err(DutyError::NotTheirs));
        let past = Filling::Acting(at("2022-03-01T00:00"), at("2022-03-08T00:00"));
        assert_eq!(ask(&book, past), Err(DutyError::BadSpan));
        let facts = ask(&book, items(&[2, 16])).unwrap();
        apply(&mut book, "2022-03-18T10:00", facts);
        assert_eq!(ask(&book, items(&[2, 16])), Err(DutyError::Already));
        let behalf = |task, group| book.behalf_of(&id(ZHONG), &key(task, group), now).cloned();
        assert_eq!(behalf(2, 0), Some(id(ZHANG)));
        assert_eq!(behalf(16, 1), Some(id(ZHANG)));
        assert_eq!((behalf(4, 0), behalf(16, 0)), (None, None));
    }
}
