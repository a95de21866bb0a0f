//! The import page: upload, look, correct, accept. Without script.
//!
//! `GET /import` takes a file and keeps it; `GET /import/{hash}` shows what was read, what is odd
//! and what would change; `POST /import/{hash}` reads again with the corrections, or stores.

mod form;
mod look;

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use serde::Deserialize;

use self::form::{Asked, Corrected, read_form};
use self::look::{LookPage, Looked};
use super::correct::Correction;
use super::prepare::{self, prepare};
use super::uploads::{self, Kind, Upload, Uploads};
use super::{Lore, Reading, Source, contacts, export, holidays};
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::ids::PlanId;
use crate::store::{CommitError, Decision};
use crate::web::caller::identify;
use crate::web::error::page;
use crate::web::format::long_moment;
use crate::web::frame::Frame;
use crate::web::{Caller, WebError, blocking};

/// The table.
const TABLE: Kind = Kind {
    name: "分解表",
    largest: 20 * 1024 * 1024,
};
/// Largest form with corrections.
const LARGEST_FORM: usize = 8 * 1024 * 1024;

/// What these pages stand on.
struct Room {
    desk: Arc<Desk>,
    uploads: Uploads,
    lore: Lore,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// The routes. Files wait in `folder` until they are accepted; `wake` is called after an import.
pub fn router(
    desk: Arc<Desk>,
    folder: PathBuf,
    lore: Lore,
    wake: impl Fn() + Send + Sync + 'static,
) -> Router {
    let uploads = Uploads::new(folder);
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
    let beside = uploads::Room {
        desk: Arc::clone(&desk),
        uploads: uploads.clone(),
        wake: Arc::clone(&wake),
    };
    let room = Arc::new(Room {
        desk: Arc::clone(&desk),
        uploads,
        lore,
        wake,
    });
    // What was left by the day before a restart.
    room.uploads.sweep();
    let upload = get(show_upload).post(take_upload);
    let look = get(show_look).post(take_look);
    Router::new()
        .route(
            "/import",
            upload.layer(DefaultBodyLimit::max(TABLE.largest_form())),
        )
        .route(
            "/import/{hash}",
            look.layer(DefaultBodyLimit::max(LARGEST_FORM)),
        )
        .layer(from_fn_with_state(desk, identify))
        .with_state(room)
        .merge(contacts::page::router(beside.clone()))
        .merge(holidays::router(beside))
}

#[derive(Template)]
#[template(path = "plan/templates/upload.html", config = "src/web/askama.toml")]
struct UploadPage<'a> {
    frame: Frame<'a>,
    fault: Option<String>,
    done: Option<Done>,
    asked: Asked,
}

/// A plan that was just stored.
struct Done {
    title: String,
    tasks: usize,
    at: String,
    by: String,
    plan: PlanId,
}

#[derive(Deserialize, Default)]
struct Said {
    #[serde(default)]
    done: String,
}

/// `GET /import`.
async fn show_upload(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Query(said): Query<Said>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let done = PlanId::new(&said.done)
        .ok()
        .and_then(|id| done(&room.desk, &caller, id));
    page(&UploadPage {
        frame: Frame::new(&room.desk, &caller, "import"),
        fault: None,
        done,
        asked: Asked::default(),
    })
}

fn done(desk: &Desk, caller: &Caller, plan: PlanId) -> Option<Done> {
    let book = desk.ledger.book();
    let known = book.plans.get(&plan)?;
    Some(Done {
        title: known.heading.title.clone(),
        tasks: known.tasks.len(),
        at: long_moment(&desk.calendar(), known.imported_at),
        by: match caller {
            Caller::User { name, .. } => name.clone(),
            _ => "本机管理员".into(),
        },
        plan,
    })
}

/// `POST /import`.
async fn take_upload(
    State(room): State<Arc<Room>>,
    caller: Caller,
    parts: Multipart,
) -> Result<Response, WebError> {
    caller.writer()?;
    let mut upload = Upload::read(parts, TABLE).await?;
    caller.check_csrf(&upload.csrf)?;
    let asked = Asked {
        year: upload.take("year"),
        id: upload.take("id"),
        map: upload.take("map"),
        name: upload.name,
    };
    if let Some(fault) = fault_of(&room, &upload.bytes, &asked).await? {
        let page = page(&UploadPage {
            frame: Frame::new(&room.desk, &caller, "import"),
            fault: Some(fault),
            done: None,
            asked,
        })?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let hash = room.uploads.keep(upload.bytes).await?;
    let to = format!("/import/{hash}?{}", asked.query());
    Ok(Redirect::to(&to).into_response())
}

/// Why the file is not worth keeping.
async fn fault_of(room: &Room, bytes: &Bytes, asked: &Asked) -> Result<Option<String>, WebError> {
    if bytes.is_empty() {
        return Ok(Some("请先选择分解表文件。".to_owned()));
    }
    match asked.source(&room.lore.knowing(&room.desk)) {
        Err(fault) => Ok(Some(fault)),
        Ok(source) => {
            let read = read(room, bytes.clone(), source, Vec::new()).await?;
            Ok(read.err())
        }
    }
}

/// `GET /import/{hash}`.
async fn show_look(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.writer()?;
    let corrected = Corrected {
        asked,
        ..Corrected::default()
    };
    look(&room, &caller, &hash, corrected, None).await
}

/// `POST /import/{hash}`.
async fn take_look(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    caller.writer()?;
    let form = read_form(fields);
    caller.check_csrf(&form.csrf)?;
    if form.store {
        store(&room, &caller, &hash, form.corrected).await
    } else {
        look(&room, &caller, &hash, form.corrected, None).await
    }
}

async fn look(
    room: &Room,
    caller: &Caller,
    hash: &str,
    corrected: Corrected,
    notice: Option<&str>,
) -> Result<Response, WebError> {
    let (plain, reading, columns) = readings(room, hash, &corrected).await?;
    let rules = room.desk.rules.now();
    let now = room.desk.clock.now();
    // A copy, so that nobody waits for the look ahead.
    let book = room.desk.ledger.book().clone();
    let prepared = prepare(&book, &reading, &corrected.from(hash, &columns), &rules);
    let looked = Looked {
        hash,
        corrected: &corrected,
        plain: &plain,
        reading: &reading,
        prepared: &prepared,
        version: version(&book, &prepared.plan.id),
        outlook: prepare::outlook(&book, &prepared.facts, &rules, now),
        notice,
    };
    let frame = Frame::new(&room.desk, caller, "import");
    Ok(page(&LookPage::new(frame, looked))?.into_response())
}

async fn store(
    room: &Room,
    caller: &Caller,
    hash: &str,
    corrected: Corrected,
) -> Result<Response, WebError> {
    let by = caller.writer()?;
    let (_, reading, columns) = readings(room, hash, &corrected).await?;
    keep_file(room, hash).await?;
    let rules = room.desk.rules.now();
    let now = room.desk.clock.now();
    let (said, file) = (corrected.clone(), hash.to_owned());
    let decide = move |book: &Book| {
        let prepared = prepare(book, &reading, &said.from(&file, &columns), &rules);
        let plan = prepared.plan.id;
        // What was looked at is what is stored, or it is looked at again.
        if version(book, &plan) != said.seen {
            return Err(());
        }
        Ok(Decision {
            facts: prepared.facts,
            value: plan,
        })
    };
    match room.desk.ledger.commit(by, now, decide).await {
        Ok(plan) => {
            (room.wake)();
            room.uploads.forget(hash.to_owned()).await?;
            Ok(Redirect::to(&format!("/import?done={plan}")).into_response())
        }
        Err(CommitError::Refused(())) => {
            let notice = "核对期间，这份分解表有了新的导入，下面的差异已重新比对，请再核对一次。";
            look(room, caller, hash, corrected, Some(notice)).await
        }
        Err(CommitError::Unavailable) => Err(WebError::Unavailable),
    }
}

/// Keeps the file for exports before any fact speaks of it.
async fn keep_file(room: &Room, hash: &str) -> Result<(), WebError> {
    let vault = room.desk.vault.clone();
    let bytes = room.uploads.get(hash).await?;
    let kept = blocking(move || export::keep(&vault, &bytes)).await?;
    kept.map_err(WebError::internal)
}

fn version(book: &Book, plan: &PlanId) -> u32 {
    book.plans.get(plan).map_or(0, |known| known.version)
}

/// The file as it is, and with the corrections; and what was said about its headings.
async fn readings(
    room: &Room,
    hash: &str,
    corrected: &Corrected,
) -> Result<(Reading, Reading, Vec<String>), WebError> {
    let source = corrected
        .asked
        .source(&room.lore.knowing(&room.desk))
        .map_err(WebError::BadRequest)?;
    let bytes = Bytes::from(room.uploads.get(hash).await?);
    let plain = read(room, bytes.clone(), source.clone(), Vec::new()).await?;
    let (plain, columns) = plain.map_err(WebError::BadRequest)?;
    if corrected.rows.is_empty() {
        return Ok((plain.clone(), plain, columns));
    }
    let reading = read(room, bytes, source, corrected.rows.clone()).await?;
    let (reading, columns) = reading.map_err(WebError::BadRequest)?;
    Ok((plain, reading, columns))
}

/// Reads a table; the inner error is for the coordinator.
async fn read(
    room: &Room,
    bytes: Bytes,
    source: Source,
    corrections: Vec<Correction>,
) -> Result<Result<(Reading, Vec<String>), String>, WebError> {
    let ledger = room.desk.ledger.clone();
    blocking(move || {
        let said = |id: &PlanId| prepare::said_of_columns(&ledger.book(), id);
        prepare::read_as_before(said, &bytes, &source, &corrections)
            .map_err(|error| error.to_string())
    })
    .await
}
