//! A document that was made on demand, on its way to whoever asked.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::percent::encoded;
use super::{ApiError, Caller, WebError};

/// A document with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name, in whatever script.
    pub name: String,
    /// The same, for programs that know ASCII only.
    pub plain_name: String,
    /// What it is.
    pub kind: &'static str,
    /// The whole of it.
    pub bytes: Vec<u8>,
}

/// Excel.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Word.
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// The download, or what went wrong: a page for people, a line of JSON for a command.
#[must_use]
pub fn answer(caller: &Caller, made: Result<Attachment, WebError>) -> Response {
    match made.and_then(download) {
        Ok(response) => response,
        Err(error) if *caller == Caller::Operator => ApiError(error).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The download.
///
/// # Errors
/// Where the name cannot stand in a header, which no encoded one does.
pub fn download(made: Attachment) -> Result<Response, WebError> {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(made.kind)),
        (
            header::CONTENT_DISPOSITION,
            disposition(&made.plain_name, &made.name)?,
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, made.bytes).into_response())
}

/// The header by which a browser stores an answer under a name, or its ASCII one.
pub(super) fn disposition(plain_name: &str, name: &str) -> Result<HeaderValue, WebError> {
    let name = encoded(name);
    let header = format!("attachment; filename=\"{plain_name}\"; filename*=UTF-8''{name}");
    HeaderValue::try_from(header).map_err(WebError::internal)
}
