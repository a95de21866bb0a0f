//! What goes wrong on the way to an answer. People see a sentence that helps; the log sees the
//! causes, under the same reference number.

use std::error::Error;
use std::time::Duration;

use askama::Template;
use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;

use super::assets;
use crate::store::CommitError;

/// The one error of all pages.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// No such page, task, message.
    #[error("没有找到这个页面")]
    NotFound,
    /// A link that is not ours.
    #[error("链接无效")]
    UnknownLink,
    /// A link whose time is over, or that was revoked.
    #[error("链接已失效")]
    LinkGone,
    /// Who is calling has to sign in first.
    #[error("请先登录")]
    SignIn,
    /// Not for this caller; the text says what to do.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The request makes no sense; the text says why.
    #[error("{0}")]
    BadRequest(String),
    /// Someone else was faster, or it is settled already; the text says what.
    #[error("{0}")]
    Conflict(String),
    /// Too often.
    #[error("操作过于频繁，请稍候再试")]
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// The store takes nothing now, or the answer took too long.
    #[error("系统暂时无法保存，请稍后再试")]
    Unavailable,
    /// A defect or a damaged store.
    #[error("系统出了点问题")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl From<CommitError<Self>> for WebError {
    fn from(error: CommitError<Self>) -> Self {
        error.refusal_or(Self::Unavailable)
    }
}

impl WebError {
    /// Wraps what nobody outside can do anything about.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownLink => StatusCode::NOT_FOUND,
            Self::LinkGone => StatusCode::GONE,
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What to do now, where the first sentence does not say it.
    fn advice(&self) -> &'static str {
        match self {
            Self::NotFound => "地址可能已变更，请从看板或消息中的链接重新进入。",
            Self::UnknownLink => {
                "请检查链接是否复制完整，或从最近收到的消息中重新打开。\
                 如仍无法打开，请与发送消息的督查部门联系。"
            }
            Self::LinkGone => {
                "该链接已过期或已停用。请从最近收到的消息中打开新的链接，\
                 或与发送消息的督查部门联系。"
            }
            Self::Unavailable => "本次操作没有保存。请稍等几分钟再试；如一直如此，请联系管理员。",
            Self::Internal(_) => "问题已记录。如需帮助，请将下面的编号告知管理员。",
            Self::SignIn
            | Self::Forbidden(_)
            | Self::BadRequest(_)
            | Self::Conflict(_)
            | Self::TooMany { .. } => "",
        }
    }

    /// The short name in JSON.
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::UnknownLink => "unknown_link",
            Self::LinkGone => "link_gone",
            Self::SignIn => "sign_in",
            Self::Forbidden(_) => "forbidden",
            Self::BadRequest(_) => "bad_request",
            Self::Conflict(_) => "conflict",
            Self::TooMany { .. } => "too_many_requests",
            Self::Unavailable => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Logs a defect and gives the number under which it stands in the log.
    fn reference(&self) -> Option<String> {
        let Self::Internal(source) = self else {
            return None;
        };
        let mut bytes = [0; 4];
        let _ = getrandom::fill(&mut bytes);
        let number: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
        let mut chain = source.to_string();
        let mut cause = source.source();
        while let Some(next) = cause {
            chain.push_str(": ");
            chain.push_str(&next.to_string());
            cause = next.source();
        }
        tracing::error!(reference = %number, error = %chain, "a request failed");
        Some(number)
    }

    fn finish(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status();
        if let Self::TooMany { wait } = self {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

#[derive(Template)]
#[template(path = "web/templates/error.html", config = "src/web/askama.toml")]
struct ErrorPage<'a> {
    style: &'a str,
    title: &'a str,
    advice: &'a str,
    reference: Option<String>,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if matches!(self, Self::SignIn) {
            return Redirect::to("/login").into_response();
        }
        let title = self.to_string();
        let page = ErrorPage {
            style: assets::style_path(),
            title: &title,
            advice: self.advice(),
            reference: self.reference(),
        };
        let text = page.render().unwrap_or_else(|_| title.clone());
        self.finish(Html(text).into_response())
    }
}

/// The same error where JSON is spoken.
#[derive(Debug)]
pub struct ApiError(pub WebError);

impl From<WebError> for ApiError {
    fn from(error: WebError) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.0.code(), "message": self.0.to_string() });
        if let (Some(reference), Some(error)) = (self.0.reference(), error.as_object_mut()) {
            error.insert("reference".into(), reference.into());
        }
        self.0
            .finish(Json(json!({ "error": error })).into_response())
    }
}

/// Renders a page.
///
/// # Errors
/// [`WebError::Internal`] where a template fails.
pub fn page(template: &impl Template) -> Result<Html<String>, WebError> {
    template.render().map(Html).map_err(WebError::internal)
}
