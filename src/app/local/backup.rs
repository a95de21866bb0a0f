//! `GET /api/v1/backup` and `POST /api/v1/resume`: everything in one file, and going on after it
//! was read back.

use std::io::{self, Write};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Fault, Operator};
use crate::app::answers::ResumeAnswer;
use crate::app::nightly::produce;
use crate::domain::due;
use crate::domain::fact::Fact;
use crate::store::{self, Decision};
use crate::web::format::long_moment;

/// Pieces on their way to a slow reader.
const UNDER_WAY: usize = 16;

/// All of the store, as it is read.
pub(super) async fn give(State(operator): State<Arc<Operator>>) -> Response {
    let (to, pieces) = channel(UNDER_WAY);
    let made_at = operator.desk.clock.now();
    let folder = operator.config.store.path.clone();
    let reader = operator.desk.ledger.reader();
    tokio::task::spawn_blocking(move || {
        let mut pieces = io::BufWriter::with_capacity(1 << 18, Pieces(to.clone()));
        let made = produce(&*reader, &folder, made_at, &mut pieces);
        let made = made.and_then(|()| pieces.flush().map_err(store::unwritten));
        if let Err(error) = made {
            tracing::error!(%error, "a backup was not written to its end");
            // Ends the answer in the middle, so that nobody takes it for whole.
            let _ = to.blocking_send(Err(io::Error::other(error.to_string())));
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, body(pieces)).into_response()
}

fn body(pieces: Receiver<io::Result<Bytes>>) -> Body {
    Body::from_stream(futures_util::stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    }))
}

/// Hands what is written to whoever reads the answer.
struct Pieces(Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        match self.0.blocking_send(Ok(piece)) {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Deserialize)]
pub(super) struct From {
    not_before: DateTime<Utc>,
}

/// Goes on after a restore.
pub(super) async fn resume(
    State(operator): State<Arc<Operator>>,
    Json(From { not_before }): Json<From>,
) -> Result<Json<ResumeAnswer>, Fault> {
    let now = operator.desk.clock.now();
    let rules = operator.rules.now();
    let shown = long_moment(&rules.calendar, not_before);
    if not_before > now {
        return Err(Fault::usage(format!(
            "{shown}还没有到：请写原服务最后运行到的时间"
        )));
    }
    let answer = operator
        .commit(now, move |book| {
            let Some(backed_up) = book.restored else {
                let text = "没有因恢复备份而暂停，无需执行".into();
                return Ok(Decision::nothing(ResumeAnswer { withdrawn: 0, text }));
            };
            let facts = due::resume(&rules.world(book), not_before);
            let withdrawn = facts
                .iter()
                .filter(|fact| matches!(fact, Fact::MessageWithdrawn { .. }))
                .count();
            let from = long_moment(&rules.calendar, backed_up);
            let text = match withdrawn {
                0 => format!("已恢复提醒和发送。{from}至{shown}之间没有应发的消息"),
                _ => format!(
                    "已恢复提醒和发送。{from}的备份之后至{shown}应发的{withdrawn}条消息视为已由原服务发出，不再重发；\
                     名单见看板“消息”，需要补发的请用“催办”"
                ),
            };
            let value = ResumeAnswer { withdrawn, text };
            Ok(Decision { facts, value })
        })
        .await?;
    Ok(Json(answer))
}
