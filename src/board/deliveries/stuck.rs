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

/// `POST /deliveries/revive`: one more try, at the next hour at which messages may leave.
pub(in crate::board) async fn revive(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = find(&desk, &form.key)?;
    let now = desk.clock.now();
    let at = desk.rules.now().next_open(now);
    let decide = move |book: &Book| match book.messages.get(&key).map(|known| &known.state) {
        Some(state) if state.is_stuck() => Ok(Decision {
            facts: vec![Fact::MessageRevived { key, at }],
            value: (),
        }),
        // A second click: it is on its way already.
        Some(DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }) => {
            Ok(Decision::nothing(()))
        }
        Some(_) => Err(WebError::Conflict(
            "这条消息已经发出或撤回，不需要重发。".into(),
        )),
        None => Err(WebError::NotFound),
    };
    desk.ledger.commit(by, now, decide).await?;
    Ok(Redirect::to("/deliveries?state=waiting"))
}

/// `POST /deliveries/handled`: the person was told by telephone.
pub(in crate::board) async fn handled(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Revive>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = find(&desk, &form.key)?;
    let decide = move |book: &Book| match book.messages.get(&key).map(|known| &known.state) {
        Some(state) if state.is_stuck() => Ok(Decision {
            facts: vec![Fact::MessageHandled { key }],
            value: (),
        }),
        // A second click.
        Some(DeliveryState::Handled { .. }) => Ok(Decision::nothing(())),
        Some(_) => Err(WebError::Conflict(
            "这条消息刚刚已由他人重发或处理，请返回刷新。".into(),
        )),
        None => Err(WebError::NotFound),
    };
    desk.ledger.commit(by, desk.clock.now(), decide).await?;
    Ok(Redirect::to("/deliveries?state=handled"))
}

fn find(desk: &Desk, text: &str) -> Result<MessageKey, WebError> {
    let book = desk.ledger.book();
    let found = book.messages.keys().find(|key| key.to_string() == text);
    found.cloned().ok_or(WebError::NotFound)
}
