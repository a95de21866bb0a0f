//! `GET /api/v1/doctor`: how everything is, asked by the daemon itself, which has the passwords.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Operator;
use crate::app::answers::DoctorLine;
use crate::app::doctor;

pub(super) async fn look(State(operator): State<Arc<Operator>>) -> Json<Vec<DoctorLine>> {
    let rules = operator.rules.now();
    let lines = doctor::running(&operator.config, &operator.desk, &rules).await;
    Json(lines.iter().map(DoctorLine::of).collect())
}
