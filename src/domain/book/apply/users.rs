//! Users and tokens: who gets in, and with what.

use chrono::{DateTime, Utc};

use super::Inconsistent;
use crate::domain::book::Book;
use crate::domain::fact::{Entry, Fact};
use crate::domain::ids::Position;
use crate::domain::token::Token;
use crate::domain::user::{SecondFactor, UsedCode, User};

impl Book {
    pub(super) fn take_user(&mut self, entry: &Entry) -> Result<(), Inconsistent> {
        let here = entry.position;
        match &entry.fact {
            Fact::UserAdded {
                name,
                profile,
                password_hash,
                temporary,
            } => {
                let user = User {
                    name: name.clone(),
                    profile: profile.clone(),
                    password_hash: password_hash.clone(),
                    temporary: *temporary,
                    disabled: false,
                    epoch: 0,
                    second: None,
                    signed_in: None,
                };
                return self.add_user(here, user);
            }
            Fact::UserChanged { name, profile } => {
                let user = self.user(here, name)?;
                // Somebody who may see less must not go on in a session that shows more.
                user.epoch += 1;
                user.profile = profile.clone();
            }
            Fact::PasswordSet {
                name,
                password_hash,
                temporary,
            } => {
                let user = self.user(here, name)?;
                user.password_hash.clone_from(password_hash);
                user.temporary = *temporary;
                user.epoch += 1;
            }
            Fact::UserDisabled { name } => {
                let user = self.user(here, name)?;
                user.disabled = true;
                user.epoch += 1;
            }
            Fact::UserEnabled { name } => self.user(here, name)?.disabled = false,
            Fact::SessionsEnded { name } => self.user(here, name)?.epoch += 1,
            Fact::SecondFactorSet {
                name,
                sealed,
                used,
                recovery,
            } => {
                let second = SecondFactor {
                    sealed: sealed.clone(),
                    used: *used,
                    recovery: recovery.clone(),
                };
                self.user(here, name)?.second = Some(second);
            }
            Fact::SecondFactorReset { name } => {
                let user = self.user(here, name)?;
                user.second = None;
                user.epoch += 1;
            }
            Fact::CodeUsed { name, code } => self.use_code(here, name, code)?,
            Fact::SignedIn { name } => self.user(here, name)?.signed_in = Some(entry.at),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn take_token(&mut self, entry: &Entry) -> Result<(), Inconsistent> {
        let (here, at) = (entry.position, entry.at);
        match &entry.fact {
            Fact::TokenMade {
                id,
                name,
                scopes,
                sight,
                sha256,
                expires,
            } => {
                let token = Token {
                    id: id.clone(),
                    name: name.clone(),
                    scopes: scopes.clone(),
                    sight: sight.clone(),
                    sha256: sha256.clone(),
                    made: at,
                    expires: *expires,
                    used: None,
                    revoked: None,
                };
                match self.tokens.insert(id.clone(), token) {
                    None => Ok(()),
                    Some(_) => Err(twice(here, format!("令牌 {id}"))),
                }
            }
            Fact::TokenUsed { id } => self.token(here, id, |token| token.used = Some(at)),
            Fact::TokenRevoked { id } => self.token(here, id, |token| revoke(token, at)),
            _ => Ok(()),
        }
    }

    fn add_user(&mut self, here: Position, user: User) -> Result<(), Inconsistent> {
        if self.users.contains_key(&user.name) {
            return Err(twice(here, format!("用户“{}”", user.name)));
        }
        self.users.insert(user.name.clone(), user);
        Ok(())
    }

    fn use_code(
        &mut self,
        here: Position,
        name: &str,
        code: &UsedCode,
    ) -> Result<(), Inconsistent> {
        // One who has none any more has nothing to be used up.
        let Some(second) = &mut self.user(here, name)?.second else {
            return Ok(());
        };
        match code {
            UsedCode::Step(step) => second.used = second.used.max(*step),
            UsedCode::Recovery(hash) => second.recovery.retain(|known| known != hash),
        }
        Ok(())
    }

    fn user(&mut self, here: Position, name: &str) -> Result<&mut User, Inconsistent> {
        let unknown = || unknown(here, format!("用户“{name}”"));
        self.users.get_mut(name).ok_or_else(unknown)
    }

    fn token(
        &mut self,
        here: Position,
        id: &str,
        change: impl FnOnce(&mut Token),
    ) -> Result<(), Inconsistent> {
        let token = self.tokens.get_mut(id);
        let token = token.ok_or_else(|| unknown(here, format!("令牌 {id}")))?;
        change(token);
        Ok(())
    }
}

/// The first word counts.
fn revoke(token: &mut Token, at: DateTime<Utc>) {
    token.revoked.get_or_insert(at);
}

fn unknown(position: Position, what: String) -> Inconsistent {
    Inconsistent::Unknown { position, what }
}

fn twice(position: Position, what: String) -> Inconsistent {
    Inconsistent::Twice { position, what }
}
