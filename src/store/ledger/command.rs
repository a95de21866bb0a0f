//! A command on its way to the writer: who gives it, what it decides, and whom to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::oneshot;

use crate::domain::book::Book;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::store::Step;

/// What a command decided: facts to append, and what to tell the caller once they are durable.
#[derive(Debug)]
pub struct Decision<R> {
    /// In order; may be empty.
    pub facts: Vec<Fact>,
    /// The answer.
    pub value: R,
}

impl<R> Decision<R> {
    /// Nothing to append.
    pub fn nothing(value: R) -> Self {
        Self {
            facts: Vec::new(),
            value,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// The command itself decided against it.
    #[error(transparent)]
    Refused(E),
    /// The store cannot take anything now; nothing was done.
    #[error("存储暂时不可写入，请稍后再试")]
    Unavailable,
}

impl<E> CommitError<E> {
    /// Why the command itself decided against it, or `unavailable`.
    pub fn refusal_or(self, unavailable: E) -> E {
        match self {
            Self::Refused(error) => error,
            Self::Unavailable => unavailable,
        }
    }
}

/// What the writer does with a command of any type.
pub(super) trait Command: Send {
    fn decide(&mut self, book: &Book) -> Vec<Fact>;
    fn stamp(&self) -> (DateTime<Utc>, Actor);
    fn answer(self: Box<Self>, durable: bool);
}

pub(super) struct Typed<F, R, E> {
    by: Actor,
    at: DateTime<Utc>,
    decide: Option<F>,
    decided: Option<Result<R, E>>,
    reply: oneshot::Sender<Result<R, CommitError<E>>>,
}

type Answer<R, E> = oneshot::Receiver<Result<R, CommitError<E>>>;

impl<F, R, E> Typed<F, R, E> {
    /// The command, and where its answer comes.
    pub(super) fn new(by: Actor, at: DateTime<Utc>, decide: F) -> (Self, Answer<R, E>) {
        let (reply, answer) = oneshot::channel();
        let command = Self {
            by,
            at,
            decide: Some(decide),
            decided: None,
            reply,
        };
        (command, answer)
    }
}

impl<F, R, E> Command for Typed<F, R, E>
where
    F: FnOnce(&Book) -> Result<Decision<R>, E> + Send,
    R: Send,
    E: Send,
{
    fn decide(&mut self, book: &Book) -> Vec<Fact> {
        match self.decide.take().map(|decide| decide(book)) {
            Some(Ok(decision)) => {
                self.decided = Some(Ok(decision.value));
                decision.facts
            }
            Some(Err(refusal)) => {
                self.decided = Some(Err(refusal));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn stamp(&self) -> (DateTime<Utc>, Actor) {
        (self.at, self.by.clone())
    }

    fn answer(self: Box<Self>, durable: bool) {
        let answer = match self.decided {
            Some(Err(refusal)) => Err(CommitError::Refused(refusal)),
            Some(Ok(value)) if durable => Ok(value),
            _ => Err(CommitError::Unavailable),
        };
        // The caller may have gone away; the facts stand all the same.
        let _ = self.reply.send(answer);
    }
}

pub(super) type Waiting = Box<dyn Command>;

/// What became of one command's turn.
pub(super) enum Turn {
    Decided,
    /// The command failed by itself; the book is as it was before it.
    Failed,
    /// The command failed half way: the book has to be folded anew.
    Spoiled,
}

/// Lets one command decide, and takes its facts into the book: all or none.
pub(super) fn turn(command: &mut dyn Command, book: &mut Book, steps: &mut Vec<Step>) -> Turn {
    let before = steps.len();
    let (at, by) = command.stamp();
    // Records and `as of` speak in milliseconds: what is known now must equal what is read back.
    let at = at.trunc_subsecs(3);
    let Ok(facts) = catch_unwind(AssertUnwindSafe(|| command.decide(book))) else {
        tracing::error!("a command panicked; nothing of it was done");
        return Turn::Failed;
    };
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at,
            by: by.clone(),
            fact,
        };
        match catch_unwind(AssertUnwindSafe(|| book.apply(&entry))) {
            Ok(Ok(effects)) => steps.push(Step { entry, effects }),
            Ok(Err(error)) => {
                tracing::error!(%error, "a command decided what does not fit the book");
                steps.truncate(before);
                return Turn::Spoiled;
            }
            Err(_) => {
                tracing::error!(position = entry.position, "the book panicked over a fact");
                steps.truncate(before);
                return Turn::Spoiled;
            }
        }
    }
    Turn::Decided
}
