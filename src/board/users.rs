//! Users of the board, for the command line: add, change the password, list, disable.

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::user::{Role, User};
use crate::store::{CommitError, Decision};
use crate::web::password::{self, PasswordError};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Not a name.
    #[error("“{0}”不能作为账号名：请用1至32个汉字、字母、数字、点、连字符或下划线")]
    Name(String),
    /// There is one already.
    #[error("账号“{0}”已经存在；如需更换密码，请用 cuiban user passwd")]
    Exists(String),
    /// There is none.
    #[error("没有名为“{0}”的账号；cuiban user list 列出全部账号")]
    Unknown(String),
    /// Not a good password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Nothing can be stored now.
    #[error("存储暂时不可写入，账号没有变更，请稍后再试")]
    Unavailable,
}

/// Adds a user.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn add(
    desk: &Desk,
    by: Actor,
    name: &str,
    role: Role,
    password: &str,
) -> Result<(), UserError> {
    check_name(name)?;
    let password_hash = password::hash(name, password).await?;
    let fact = Fact::UserAdded {
        name: name.into(),
        role,
        password_hash,
    };
    let name = name.to_owned();
    commit(desk, by, fact, move |book| {
        match book.users.contains_key(&name) {
            true => Err(UserError::Exists(name)),
            false => Ok(()),
        }
    })
    .await
}

/// Gives a user another password; sessions that are open end.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn set_password(
    desk: &Desk,
    by: Actor,
    name: &str,
    password: &str,
) -> Result<(), UserError> {
    let password_hash = password::hash(name, password).await?;
    let fact = Fact::PasswordSet {
        name: name.into(),
        password_hash,
    };
    let name = name.to_owned();
    commit(desk, by, fact, move |book| known(book, name)).await
}

/// Shuts a user out, at once.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn disable(desk: &Desk, by: Actor, name: &str) -> Result<(), UserError> {
    let fact = Fact::UserDisabled { name: name.into() };
    let name = name.to_owned();
    commit(desk, by, fact, move |book| known(book, name)).await
}

/// All users, by name. The hashes are not for showing.
#[must_use]
pub fn list(book: &Book) -> Vec<&User> {
    book.users.values().collect()
}

async fn commit(
    desk: &Desk,
    by: Actor,
    fact: Fact,
    check: impl FnOnce(&Book) -> Result<(), UserError> + Send + 'static,
) -> Result<(), UserError> {
    let decide = move |book: &Book| {
        check(book)?;
        Ok(Decision {
            facts: vec![fact],
            value: (),
        })
    };
    match desk.ledger.commit(by, desk.clock.now(), decide).await {
        Ok(()) => Ok(()),
        Err(CommitError::Refused(error)) => Err(error),
        Err(CommitError::Unavailable) => Err(UserError::Unavailable),
    }
}

fn known(book: &Book, name: String) -> Result<(), UserError> {
    match book.users.contains_key(&name) {
        true => Ok(()),
        false => Err(UserError::Unknown(name)),
    }
}

fn check_name(name: &str) -> Result<(), UserError> {
    let fits = (1..=32).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    fits.then_some(())
        .ok_or_else(|| UserError::Name(name.into()))
}
