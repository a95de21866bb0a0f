//! Users of the board: add, change, passwords, disable; for the command line and `/users`.

use std::collections::BTreeSet;

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::fact::{Actor, Fact};
use crate::domain::user::{Profile, Role, Sight, User};
use crate::store::Decision;
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
    /// No task is under that leader.
    #[error("已导入的分解表中没有责任领导“{0}”，请按表中的写法填写姓名")]
    Leader(String),
    /// The office's work cannot be done on a part of it.
    #[error("只有只读（viewer）账号可以限定责任领导")]
    Limited,
    /// Somebody else has it.
    #[error("统一身份认证标识已由账号“{0}”使用")]
    Subject(String),
    /// Nobody could let them in again.
    #[error("不能停用自己的账号，也不能取消自己的管理员权限，请由另一位管理员办理")]
    Oneself,
    /// Not a good password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Nothing can be stored now.
    #[error("存储暂时不可写入，账号没有变更，请稍后再试")]
    Unavailable,
}

/// With what a new user signs in.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A password.
    Password(&'a str),
    /// One that was made for them and has to be changed at once.
    Temporary(&'a str),
    /// None: only through the office's sign-in service.
    Service,
}

/// Adds a user who sees everything.
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
    let password = Credential::Password(password);
    create(desk, by, name, Profile::new(role), password).await
}

/// Adds a user.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn create(
    desk: &Desk,
    by: Actor,
    name: &str,
    profile: Profile,
    credential: Credential<'_>,
) -> Result<(), UserError> {
    check_name(name)?;
    let (password_hash, temporary) = match credential {
        Credential::Password(password) => (password::hash(name, password).await?, false),
        Credential::Temporary(password) => (password::hash(name, password).await?, true),
        Credential::Service => (String::new(), false),
    };
    let fact = Fact::UserAdded {
        name: name.into(),
        profile: profile.clone(),
        password_hash,
        temporary,
    };
    let name = name.to_owned();
    commit(desk, by, fact, move |book| {
        if book.users.contains_key(&name) {
            return Err(UserError::Exists(name));
        }
        check_profile(book, &name, &profile)
    })
    .await
}

/// Changes what a user may do and see; sessions that are open end.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn change(desk: &Desk, by: Actor, name: &str, profile: Profile) -> Result<(), UserError> {
    if is_oneself(&by, name) && profile.role != Role::Admin {
        return Err(UserError::Oneself);
    }
    let fact = Fact::UserChanged {
        name: name.into(),
        profile: profile.clone(),
    };
    let name = name.to_owned();
    commit(desk, by, fact, move |book| {
        known(book, &name)?;
        check_profile(book, &name, &profile)
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
    replace_password(desk, by, name, password, false).await
}

/// Gives a user a password that they have to change at once, and returns it.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn reset_password(desk: &Desk, by: Actor, name: &str) -> Result<String, UserError> {
    let password = password::temporary()?;
    replace_password(desk, by, name, &password, true).await?;
    Ok(password)
}

/// Shuts a user out, at once.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn disable(desk: &Desk, by: Actor, name: &str) -> Result<(), UserError> {
    if is_oneself(&by, name) {
        return Err(UserError::Oneself);
    }
    simple(desk, by, name, |name| Fact::UserDisabled { name }).await
}

/// Lets a disabled user in again.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn enable(desk: &Desk, by: Actor, name: &str) -> Result<(), UserError> {
    simple(desk, by, name, |name| Fact::UserEnabled { name }).await
}

/// Takes a user's second factor away: the telephone is lost.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn reset_second(desk: &Desk, by: Actor, name: &str) -> Result<(), UserError> {
    simple(desk, by, name, |name| Fact::SecondFactorReset { name }).await
}

/// Ends all of a user's sessions.
///
/// # Errors
/// [`UserError`] says what to do.
pub async fn end_sessions(desk: &Desk, by: Actor, name: &str) -> Result<(), UserError> {
    simple(desk, by, name, |name| Fact::SessionsEnded { name }).await
}

/// All users, by name. The hashes are not for showing.
#[must_use]
pub fn list(book: &Book) -> Vec<&User> {
    book.users.values().collect()
}

/// The 责任领导 of all plans.
#[must_use]
pub fn leaders(book: &Book) -> BTreeSet<&str> {
    let tasks = book.plans.values().flat_map(|plan| plan.tasks.values());
    let leaders = tasks.flat_map(|task| &task.leaders);
    leaders.map(String::as_str).collect()
}

async fn simple(
    desk: &Desk,
    by: Actor,
    name: &str,
    fact: impl FnOnce(String) -> Fact,
) -> Result<(), UserError> {
    let name = name.to_owned();
    commit(desk, by, fact(name.clone()), move |book| known(book, &name)).await
}

async fn replace_password(
    desk: &Desk,
    by: Actor,
    name: &str,
    password: &str,
    temporary: bool,
) -> Result<(), UserError> {
    known(&desk.ledger.book(), name)?;
    let password_hash = password::hash(name, password).await?;
    simple(desk, by, name, |name| Fact::PasswordSet {
        name,
        password_hash,
        temporary,
    })
    .await
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
    let done = desk.ledger.commit(by, desk.clock.now(), decide).await;
    done.map_err(|error| error.refusal_or(UserError::Unavailable))
}

fn is_oneself(by: &Actor, name: &str) -> bool {
    matches!(by, Actor::User(user) if user == name)
}

fn known(book: &Book, name: &str) -> Result<(), UserError> {
    match book.users.contains_key(name) {
        true => Ok(()),
        false => Err(UserError::Unknown(name.to_owned())),
    }
}

fn check_profile(book: &Book, name: &str, profile: &Profile) -> Result<(), UserError> {
    if !profile.fits() {
        return Err(UserError::Limited);
    }
    if let Sight::Leader(leader) = &profile.sight {
        check_leader(book, leader)?;
    }
    let Some(subject) = &profile.subject else {
        return Ok(());
    };
    let mut others = book.users.values().filter(|user| user.name != name);
    match others.find(|user| user.profile.subject.as_ref() == Some(subject)) {
        Some(other) => Err(UserError::Subject(other.name.clone())),
        None => Ok(()),
    }
}

/// A misspelt leader would see nothing; before the first import nobody can be known.
pub(super) fn check_leader(book: &Book, leader: &str) -> Result<(), UserError> {
    let known = book.plans.is_empty() || leaders(book).contains(leader);
    known
        .then_some(())
        .ok_or_else(|| UserError::Leader(leader.to_owned()))
}

pub(super) fn check_name(name: &str) -> Result<(), UserError> {
    let fits = (1..=32).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    fits.then_some(())
        .ok_or_else(|| UserError::Name(name.into()))
}
