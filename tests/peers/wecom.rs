//! A stand-in for WeCom's group robots: answers as the platform does, holds its limit of 20
//! messages a minute and robot, and remembers what was posted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

/// What it answers instead of the usual.
#[derive(Debug, Clone)]
pub enum Answer {
    /// By its rules.
    Usual,
    /// This errcode.
    Code(i64),
    /// This HTTP status, with a page.
    Http(u16),
    /// This body with HTTP 200.
    Body(String),
    /// Nothing, for ever.
    Silence,
}

/// Asked at each call: the robot's key and the how-manieth call over all (from 1).
pub type Script = Arc<dyn Fn(&str, usize) -> Answer + Send + Sync>;

type BodyScript = Box<dyn Fn(&serde_json::Value) -> Option<i64> + Send + Sync>;

/// A message a robot brought into its group.
#[derive(Debug, Clone)]
pub struct Posted {
    pub key: String,
    pub body: serde_json::Value,
    pub at: Instant,
}

impl Posted {
    /// The accounts mentioned in it.
    pub fn mentions(&self) -> Vec<&str> {
        let parts = self.content().split("<@").skip(1);
        parts.map(|part| part.split('>').next().unwrap()).collect()
    }

    /// The words, of either kind.
    pub fn content(&self) -> &str {
        let kind = self.body["msgtype"].as_str().unwrap_or_default();
        self.body[kind]["content"].as_str().unwrap_or_default()
    }
}

pub struct WecomPeer {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    script: Mutex<Script>,
    by_body: Mutex<Option<BodyScript>>,
    posted: Mutex<Vec<Posted>>,
    calls: Mutex<Vec<(String, Instant)>>,
    /// 20 a minute; off where a simulated clock runs faster than the peer's.
    limited: bool,
}

impl WecomPeer {
    pub async fn good() -> Self {
        Self::start(Arc::new(|_, _| Answer::Usual), true).await
    }

    pub async fn start(script: Script, limited: bool) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            by_body: Mutex::default(),
            posted: Mutex::default(),
            calls: Mutex::default(),
            limited,
        });
        let app = Router::new()
            .route("/cgi-bin/webhook/send", post(send))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { addr, shared, task }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn set_script(&self, script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// An errcode for what is said, where there is one.
    pub fn set_body_script(
        &self,
        script: impl Fn(&serde_json::Value) -> Option<i64> + Send + Sync + 'static,
    ) {
        *self.shared.by_body.lock().unwrap() = Some(Box::new(script));
    }

    /// What arrived in the groups.
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.posted.lock().unwrap().clone()
    }

    /// Every call, also those refused.
    pub fn calls(&self) -> usize {
        self.shared.calls.lock().unwrap().len()
    }

    /// How often each robot called, also where it was refused.
    pub fn calls_by_key(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for (key, _) in self.shared.calls.lock().unwrap().iter() {
            *counts.entry(key.clone()).or_default() += 1;
        }
        counts
    }
}

impl Drop for WecomPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn send(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let key = query.get("key").cloned().unwrap_or_default();
    let now = Instant::now();
    let (nth, recent) = {
        let mut calls = shared.calls.lock().unwrap();
        calls.push((key.clone(), now));
        let recent = calls
            .iter()
            .filter(|(robot, at)| *robot == key && now - *at < Duration::from_secs(60));
        (calls.len(), recent.count())
    };
    let script = Arc::clone(&shared.script.lock().unwrap());
    match scripted(script(&key, nth)).await {
        Some(answer) => answer,
        None => usual(&shared, key, recent, &body, now),
    }
}

/// The answer of a script; none where it wants the usual.
pub async fn scripted(answer: Answer) -> Option<Response> {
    let answer = match answer {
        Answer::Usual => return None,
        Answer::Code(code) => verdict(code, "scripted"),
        Answer::Http(status) => (
            StatusCode::from_u16(status).unwrap(),
            "<html>sorry</html>".to_owned(),
        )
            .into_response(),
        Answer::Body(body) => body.into_response(),
        Answer::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            verdict(0, "ok")
        }
    };
    Some(answer)
}

fn usual(shared: &Shared, key: String, recent: usize, body: &[u8], at: Instant) -> Response {
    if shared.limited && recent > 20 {
        return verdict(45009, "api freq out of limit");
    }
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else {
        return verdict(40035, "invalid json");
    };
    let by_body = shared.by_body.lock().unwrap();
    if let Some(code) = by_body.as_ref().and_then(|script| script(&body)) {
        return verdict(code, "scripted");
    }
    let posted = Posted { key, body, at };
    let limit = match posted.body["msgtype"].as_str() {
        Some("markdown" | "markdown_v2") => 4096,
        Some("text") => 2048,
        _ => return verdict(40008, "invalid message type"),
    };
    if posted.content().is_empty() {
        return verdict(44004, "empty content");
    }
    if posted.content().len() > limit {
        return verdict(40058, "markdown.content exceed max length 4096");
    }
    shared.posted.lock().unwrap().push(posted);
    verdict(0, "ok")
}

pub fn verdict(code: i64, message: &str) -> Response {
    let message = if code == 0 {
        message.to_owned()
    } else {
        format!(
            "{message}, hint: [1700000000123456789012345], from ip: 203.0.113.9, more info at \
             https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    };
    let body = serde_json::json!({"errcode": code, "errmsg": message}).to_string();
    ([("content-type", "application/json")], body).into_response()
}
