//! The journal: dump and verify, beside the running daemon.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{Fault, Operator};
use crate::app::answers::VerifyAnswer;

/// All facts, a line each, as the mirror has them.
pub(super) async fn dump(State(operator): State<Arc<Operator>>) -> Result<Response, Fault> {
    let reader = operator.desk.ledger.reader();
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        reader.dump(&mut bytes).map(|_| bytes)
    })
    .await
    .map_err(|_| Fault::failed("导出没有完成"))?
    .map_err(|error| Fault::failed(error.to_string()))?;
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from(bytes)).into_response())
}

/// Both copies read and compared.
pub(super) async fn verify(
    State(operator): State<Arc<Operator>>,
) -> Result<Json<VerifyAnswer>, Fault> {
    let reader = operator.desk.ledger.reader();
    let report = tokio::task::spawn_blocking(move || reader.verify())
        .await
        .map_err(|_| Fault::failed("校验没有完成"))?
        .map_err(|error| Fault::failed(error.to_string()))?;
    Ok(Json(VerifyAnswer::of(&report)))
}
