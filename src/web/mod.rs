//! The kit that pages and interfaces are made with. It knows no room and no fact's meaning: who
//! is calling, what they see when something is wrong, headers, limits, health.
//!
//! How a router is put together: a room's router, then [`guard::guard`] around all of them. A
//! request over the command socket carries [`Caller::Operator`] as an extension before it gets
//! here; every other one is known by its session, or is nobody.
//!
//! Example: `WebError::NotFound` becomes a page with a sentence that helps, or a line of JSON.

pub mod as_of;
pub mod assets;
pub mod attachment;
pub mod audit;
pub mod bearer;
pub mod caller;
pub mod chosen;
pub mod csv;
pub mod download;
pub mod error;
pub mod format;
pub mod frame;
pub mod guard;
pub mod health;
pub mod limit;
pub mod marks;
pub mod mask;
pub mod metrics;
pub mod oidc;
pub mod password;
pub mod percent;
pub mod said;
pub mod seal;
pub mod session;

pub use caller::{Caller, Peer, Proxies};
pub use error::{ApiError, WebError};

/// Does what blocks beside the loop that answers.
///
/// # Errors
/// Where the work panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WebError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(WebError::internal)
}
