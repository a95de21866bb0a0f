//! `/healthz`: the process answers. `/readyz`: it can do its work. `/metrics`: numbers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::metrics::metrics_text;
use crate::desk::{Desk, doubt_words, restored_words};
use crate::store::Health;

/// A pass at least this often, or something hangs: the heartbeat's time-out rings each minute.
const PASS_EVERY: Duration = Duration::from_secs(300);

/// The three routes; open to whoever reaches the port, and without any name in them.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(desk)
}

/// What has to be well for the program to do its work, and how it is.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    store: Check,
    passes: Check,
    /// Whether anything leaves; what holds it back waits for a person and not for a restart.
    sending: Check,
}

#[derive(Serialize)]
struct Check {
    ok: bool,
    text: String,
}

impl Check {
    fn of(check: Result<String, String>) -> Self {
        Self {
            ok: check.is_ok(),
            text: check.unwrap_or_else(|fault| fault),
        }
    }
}

async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let store = Check::of(match desk.ledger.health() {
        _ if desk.closing.is_cancelled() => Err("服务正在停止".to_owned()),
        Health::Good => Ok("可以读写".to_owned()),
        // Why may name a place on the disk: for the doctor, not for whoever asks here.
        Health::Failed(_) => {
            Err("只能读、不能写，请服务器管理员执行 cuiban doctor 查看原因".to_owned())
        }
        Health::Closed => Err("已关闭".to_owned()),
    });
    let passes = Check::of(match desk.vitals.since_pass() {
        Some(age) if age <= PASS_EVERY => Ok(format!("上次检查在{}秒前", age.as_secs())),
        Some(age) => Err(format!("已有{}秒没有完成检查，请查看日志", age.as_secs())),
        None => Err("启动后还没有完成第一次检查".to_owned()),
    });
    let (doubt, restored) = {
        let book = desk.ledger.book();
        (book.clock_doubt, book.restored)
    };
    let calendar = desk.calendar();
    let held = doubt.map(|doubt| doubt_words(doubt, &calendar));
    let held = held.or_else(|| restored.map(|at| restored_words(at, &calendar)));
    let sending = Check::of(held.map_or_else(|| Ok("没有暂停".to_owned()), Err));
    let readiness = Readiness {
        ready: store.ok && passes.ok,
        store,
        passes,
        sending,
    };
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    let good = desk.ledger.health() == Health::Good;
    let now = desk.clock.now();
    let calendar = desk.calendar();
    let text = metrics_text(
        &desk.ledger.book(),
        &calendar,
        now,
        &desk.vitals,
        good,
        (desk.stopped)().len(),
    );
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::fixture::{append, at, desk, fetch, send};
    use crate::domain::fact::Fact;

    #[tokio::test]
    async fn who_is_not_ready_says_why_in_words_for_the_office() {
        let desk = desk();
        let app = router(Arc::clone(&desk));
        let (status, text) = send(&app, fetch("/readyz")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("启动后还没有完成第一次检查"), "{text}");

        // Held back for a person to look: the pages are there all the same.
        desk.vitals.passed();
        let doubt = Fact::ClockDoubted {
            expected: at("2022-03-28T10:00"),
            found: at("2023-03-28T10:00"),
        };
        append(&desk, "2022-03-28T10:00", vec![doubt]).await;
        let (status, text) = send(&app, fetch("/readyz")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.starts_with(r#"{"ready":true,"#), "{text}");
        assert!(text.contains("已暂停提醒和发送"), "{text}");

        desk.closing.cancel();
        let (status, text) = send(&app, fetch("/readyz")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("服务正在停止"), "{text}");
    }
}
