//! A form as it comes in: plain, or with files. Files go to disk as they come, each a part that is
//! gone unless somebody keeps it.

use axum::Form;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use tokio::sync::mpsc;

use super::LARGEST_BODY;
use crate::domain::evidence::{LARGEST_FILE, MOST_FILES, NotTaken};
use crate::domain::ids::TaskNo;
use crate::store::{Part, Vault};
use crate::web::WebError;

/// The largest form with files. What is larger is cut off; what is smaller is read to its end, so
/// that the browser hears which file was too large.
const LARGEST: usize = 160 << 20;

/// What was filled in.
#[derive(Default)]
pub(super) struct Filled {
    /// In the order of the form.
    pub fields: Vec<(String, String)>,
    pub files: Vec<Brought>,
}

/// A file that was chosen.
pub(super) struct Brought {
    /// Beside which item, by task and group.
    pub place: (TaskNo, u8),
    /// As its owner calls it.
    pub name: String,
    pub content: Result<Part, NotTaken>,
}

impl Filled {
    /// Reads a form.
    ///
    /// # Errors
    /// Where it is too large or broken off.
    pub(super) async fn read(mut request: Request, vault: &Vault) -> Result<Self, WebError> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("multipart/form-data") {
            DefaultBodyLimit::max(LARGEST).apply(&mut request);
            let parts = Multipart::from_request(request, &()).await;
            return with_files(parts.map_err(|_| broken())?, vault).await;
        }
        DefaultBodyLimit::max(LARGEST_BODY).apply(&mut request);
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let Form(fields) = form.map_err(|_| broken())?;
        Ok(Self {
            fields,
            files: Vec::new(),
        })
    }

    /// The first field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// `16-0`.
pub(super) fn read_place(text: &str) -> Option<(TaskNo, u8)> {
    let (task, group) = text.split_once('-')?;
    Some((task.parse().ok()?, group.parse().ok()?))
}

async fn with_files(mut parts: Multipart, vault: &Vault) -> Result<Filled, WebError> {
    let mut filled = Filled::default();
    let mut room = LARGEST_BODY;
    while let Some(mut field) = parts.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file) = field.file_name().map(ToOwned::to_owned) else {
            let text = text_of(&mut field, &mut room).await?;
            filled.fields.push((name, text));
            continue;
        };
        let content = received(&mut field, vault, filled.files.len()).await;
        let content = content.map_err(|_| broken())?;
        let place = name.strip_prefix("file-").and_then(read_place);
        // A field in which nothing was chosen comes as a file without name and bytes.
        let nothing = file.is_empty() && matches!(content, Err(NotTaken::Empty));
        if let (Some(place), false) = (place, nothing) {
            filled.files.push(Brought {
                place,
                name: file,
                content,
            });
        }
    }
    Ok(filled)
}

async fn text_of(field: &mut Field<'_>, room: &mut usize) -> Result<String, WebError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
        *room = room.checked_sub(chunk.len()).ok_or_else(broken)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a file to its end, and to disk as far as it may be taken.
async fn received(
    field: &mut Field<'_>,
    vault: &Vault,
    before: usize,
) -> Result<Result<Part, NotTaken>, MultipartError> {
    let mut begun = None;
    let mut bytes = 0;
    while let Some(chunk) = field.chunk().await? {
        if chunk.is_empty() {
            continue;
        }
        bytes += chunk.len() as u64;
        if bytes > LARGEST_FILE || before >= MOST_FILES {
            begun = None;
            continue;
        }
        let writer = begun.get_or_insert_with(|| Writer::begin(vault.clone()));
        writer.write(chunk).await;
    }
    Ok(match begun {
        _ if before >= MOST_FILES => Err(NotTaken::TooMany),
        _ if bytes > LARGEST_FILE => Err(NotTaken::TooLarge),
        Some(writer) => writer.end().await,
        None => Err(NotTaken::Empty),
    })
}

/// Writes on a thread that may block, a few chunks behind. Dropped, it leaves nothing.
struct Writer {
    chunks: mpsc::Sender<Bytes>,
    part: tokio::task::JoinHandle<Result<Part, NotTaken>>,
}

impl Writer {
    fn begin(vault: Vault) -> Self {
        let (chunks, mut inbox) = mpsc::channel::<Bytes>(8);
        let part = tokio::task::spawn_blocking(move || {
            let mut write = || {
                let mut part = vault.begin()?;
                while let Some(chunk) = inbox.blocking_recv() {
                    part.write(&chunk)?;
                }
                Ok::<_, crate::store::StoreError>(part)
            };
            write().map_err(|error| {
                tracing::error!(%error, "an upload could not be written");
                NotTaken::Unavailable
            })
        });
        Self { chunks, part }
    }

    async fn write(&self, chunk: Bytes) {
        // A writer that failed says so at the end.
        let _ = self.chunks.send(chunk).await;
    }

    async fn end(self) -> Result<Part, NotTaken> {
        drop(self.chunks);
        self.part.await.unwrap_or(Err(NotTaken::Unavailable))
    }
}

fn broken() -> WebError {
    let message = "提交的内容过大或不完整，没有保存。请返回上一页，精简或分次提交。";
    WebError::BadRequest(message.into())
}
