//! `GET /api/v1/doctor`: how everything is, asked by the daemon itself, which has the passwords.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Operator;
use crate::app::answers::DoctorLine;
use crate::app::doctor;
use crate::domain::checkup;

pub(super) async fn look(State(operator): State<Arc<Operator>>) -> Json<Vec<DoctorLine>> {
    let rules = operator.rules.now();
    let mut lines = doctor::running(&operator.config, &operator.desk, &rules).await;
    let refused = operator.config_trouble.words();
    lines.splice(0..0, refused.map(|words| checkup::not_taken(&words)));
    Json(lines.iter().map(DoctorLine::of).collect())
}
