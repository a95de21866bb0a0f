//! Who is meant by what somebody typed.

use super::Book;
use crate::domain::ids::PersonId;

/// Why nobody can be told by these words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhoError {
    /// Nobody has it.
    #[error("没有找到“{0}”，请核对姓名")]
    Unknown(String),
    /// Several have this name.
    #[error("有多人叫“{0}”，请写成“单位/姓名”")]
    Several(String),
}

impl Book {
    /// A person by id, by `单位/姓名`, or by name where only one has it.
    ///
    /// # Errors
    /// Nobody, or more than one.
    pub fn find_person(&self, who: &str) -> Result<PersonId, WhoError> {
        if let Ok(id) = PersonId::new(who)
            && self.people.contains_key(&id)
        {
            return Ok(id);
        }
        let (unit, name) = match who.split_once('/') {
            Some((unit, name)) => (Some(unit), name),
            None => (None, who),
        };
        let mut found = self
            .people
            .values()
            .filter(|person| person.name == name && unit.is_none_or(|unit| person.unit == unit));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.id.clone()),
            (None, _) => Err(WhoError::Unknown(who.to_owned())),
            (Some(_), Some(_)) => Err(WhoError::Several(name.to_owned())),
        }
    }
}
