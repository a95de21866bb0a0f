//! `POST /api/v1/clock/confirm`: a person says that the clock is right.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::{Fault, Operator};
use crate::app::answers::ClockAnswer;
use crate::domain::fact::Fact;
use crate::store::Decision;
use crate::web::format::long_moment;

/// What was held back goes on.
pub(super) async fn confirm(
    State(operator): State<Arc<Operator>>,
) -> Result<Json<ClockAnswer>, Fault> {
    let now = operator.desk.clock.now();
    let shown = long_moment(&operator.rules.now().calendar, now);
    let answer = operator
        .commit(now, move |book| {
            let (facts, text) = match book.clock_doubt {
                Some(_) => (
                    vec![Fact::ClockAgreed],
                    format!("已确认时间为{shown}，恢复提醒和发送"),
                ),
                None => (Vec::new(), format!("时间为{shown}，没有暂停，无需确认")),
            };
            let value = ClockAnswer { text };
            Ok(Decision { facts, value })
        })
        .await?;
    Ok(Json(answer))
}
