//! A file that somebody handed in, on its way to a reader: never shown in place, never run.

use std::fs::File;
use std::io::Read as _;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::attachment::disposition;
use super::{WebError, blocking};
use crate::desk::Desk;
use crate::domain::evidence::Evidence;

/// As much as is in memory at a time.
const PIECE: usize = 64 * 1024;

/// The file as a download, piece by piece.
///
/// # Errors
/// Where its bytes cannot be read: a fact that speaks of them says that they are there.
pub async fn download(desk: &Desk, evidence: &Evidence) -> Result<Response, WebError> {
    let (vault, hash) = (desk.vault.clone(), evidence.sha256.clone());
    let opened = blocking(move || vault.open(&hash)).await?;
    let file = opened.map_err(WebError::internal)?;
    let missing = || WebError::internal(format!("the file {} is not there", evidence.sha256));
    let file = file.ok_or_else(missing)?;
    let pieces = stream::unfold(Some(file), |file| async move { piece(file?).await });
    let ending = evidence.kind.as_str();
    let plain_name = format!("evidence.{ending}");
    let headers: [(HeaderName, HeaderValue); 5] = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static(evidence.kind.media_type()),
        ),
        (CONTENT_LENGTH, HeaderValue::from(evidence.bytes)),
        (
            CONTENT_DISPOSITION,
            disposition(&plain_name, &evidence.name)?,
        ),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The next piece and the file to go on with; none at the end or after an error.
async fn piece(mut file: File) -> Option<(std::io::Result<Bytes>, Option<File>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; PIECE];
        let count = file.read(&mut buffer)?;
        buffer.truncate(count);
        Ok((Bytes::from(buffer), file))
    });
    match read
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
    {
        Ok((bytes, _)) if bytes.is_empty() => None,
        Ok((bytes, file)) => Some((Ok(bytes), Some(file))),
        Err(error) => Some((Err(error), None)),
    }
}
