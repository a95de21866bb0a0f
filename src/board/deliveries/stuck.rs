//! What a coordinator does about a message that was given up or is in doubt.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use serde::Deserialize;

use crate::desk::Desk;
use crate::domain::book::{Book, DeliveryState};
use crate::domain::fact::Fact;
use crate::domain::message::MessageKey;
use crate::store::Decision;
use crate::web::{Caller, WebError};

#[derive(Deserialize)]
pub(in crate::board) struct Revive {
    csrf: String,
    key: String,
}

/// `POST /deliveries/handled`: the person was told by telephone.
pub(in crate::board) async fn handled(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let word = Word {
        fact: |key| Fact::MessageHandled { key },
        is_said: |state| matches!(state, DeliveryState::Handled { .. }),
        too_late: "这条消息刚刚已由他人重发或处理，请返回刷新。",
    };
    say(&desk, &caller, form, word).await?;
    Ok(Redirect::to("/deliveries?state=handled"))
}

/// `POST /deliveries/revive`: one more try, at the next hour at which messages may leave.
pub(in crate::board) async fn revive(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let at = desk.rules.now().next_open(desk.clock.now());
    let word = Word {
        fact: move |key| Fact::MessageRevived { key, at },
        // It is on its way already.
        is_said: |state| {
            matches!(
                state,
                DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }
            )
        },
        too_late: "这条消息已经发出或撤回，不需要重发。",
    };
    say(&desk, &caller, form, word).await?;
    Ok(Redirect::to("/deliveries?state=waiting"))
}

/// A coordinator's word on a message that is stuck.
struct Word<F> {
    fact: F,
    /// In which state a message is after it: a second click says nothing more.
    is_said: fn(&DeliveryState) -> bool,
    /// What is answered where the message is neither stuck nor in that state.
    too_late: &'static str,
}

async fn say<F>(desk: &Desk, caller: &Caller, form: Revive, word: Word<F>) -> Result<(), WebError>
where
    F: FnOnce(MessageKey) -> Fact + Send + 'static,
{
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = find(desk, &form.key)?;
    let decide = move |book: &Book| match book.messages.get(&key).map(|known| &known.state) {
        Some(state) if state.is_stuck() => Ok(Decision {
            facts: vec![(word.fact)(key)],
            value: (),
        }),
        Some(state) if (word.is_said)(state) => Ok(Decision::nothing(())),
        Some(_) => Err(WebError::Conflict(word.too_late.into())),
        None => Err(WebError::NotFound),
    };
    desk.ledger.commit(by, desk.clock.now(), decide).await?;
    Ok(())
}

fn find(desk: &Desk, text: &str) -> Result<MessageKey, WebError> {
    let book = desk.ledger.book();
    let found = book.messages.keys().find(|key| key.to_string() == text);
    found.cloned().ok_or(WebError::NotFound)
}
