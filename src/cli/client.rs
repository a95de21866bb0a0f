//! The way from a command to the data: the running daemon over its socket, or, when no daemon has
//! the store, the same interface in this process.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use super::Exit;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, ConfigFaults, Loaded};

/// Largest answer read into memory.
const LARGEST_ANSWER: usize = 512 << 20;

/// A way to the data.
pub(super) struct Client {
    door: Door,
}

enum Door {
    Daemon(reqwest::Client),
    Here(Box<App>),
}

/// Reads the config for a command that sends nothing: files with secrets stay closed.
fn load_without_secrets(config: Option<&Path>) -> anyhow::Result<Config> {
    let loaded = Config::load_without_secrets(config, std::env::vars());
    checked(loaded)
}

/// Reads the config, tells of its warnings, and exits with 2 where it is wrong.
pub(super) fn load(config: Option<&Path>) -> anyhow::Result<Config> {
    checked(Config::load(config, std::env::vars()))
}

fn checked(loaded: Result<Loaded, ConfigFaults>) -> anyhow::Result<Config> {
    let loaded = loaded.map_err(|faults| Exit::Usage(faults.to_string()))?;
    for warning in &loaded.warnings {
        super::say(&format!("注意：{warning}"));
    }
    Ok(loaded.config)
}

/// Runs `work` with a client, on a runtime of its own, and closes the store behind it.
pub(super) fn with_client<R>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<R>,
) -> anyhow::Result<R> {
    let config = load_without_secrets(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = Client::connect(config).await?;
        let result = work(&client).await;
        client.close().await?;
        result
    })
}

impl Client {
    async fn connect(config: Config) -> anyhow::Result<Self> {
        let socket = &config.server.socket;
        // Someone listens: a daemon has the store. A socket left behind by a killed one refuses.
        let door = if tokio::net::UnixStream::connect(socket).await.is_ok() {
            let client = reqwest::Client::builder()
                .unix_socket(socket.as_path())
                .build()
                .context("无法连接正在运行的服务")?;
            Door::Daemon(client)
        } else {
            Door::Here(Box::new(App::open(config, Clock::System).await?))
        };
        Ok(Self { door })
    }

    async fn close(self) -> anyhow::Result<()> {
        match self.door {
            Door::Daemon(_) => Ok(()),
            Door::Here(app) => app.close().await,
        }
    }

    /// Asks for `path` and gives the answer's bytes.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Bytes> {
        self.call(Method::GET, path, "text/plain", Bytes::new())
            .await
    }

    /// Asks for `path` and reads the answer as JSON.
    pub(super) async fn get_json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let bytes = self.get(path).await?;
        serde_json::from_slice(&bytes).context("服务的回答无法识别")
    }

    /// Sends a file's bytes.
    pub(super) async fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: Vec<u8>,
    ) -> anyhow::Result<T> {
        let kind = "application/octet-stream";
        let answer = self.call(Method::POST, path, kind, bytes.into()).await?;
        serde_json::from_slice(&answer).context("服务的回答无法识别")
    }

    /// Sends JSON.
    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<T> {
        let bytes = serde_json::to_vec(body)?.into();
        let answer = self
            .call(Method::POST, path, "application/json", bytes)
            .await?;
        serde_json::from_slice(&answer).context("服务的回答无法识别")
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        let (status, bytes) = match &self.door {
            Door::Daemon(client) => {
                let answer = client
                    .request(method, format!("http://cuiban.invalid{path}"))
                    .header(header::CONTENT_TYPE, kind)
                    .body(body)
                    .send()
                    .await
                    .map_err(|error| anyhow!(error.without_url()))
                    .context("正在运行的服务没有应答")?;
                (answer.status(), answer.bytes().await?)
            }
            Door::Here(app) => {
                let request = Request::builder()
                    .method(method)
                    .uri(path)
                    .header(header::CONTENT_TYPE, kind)
                    .body(Body::from(body))?;
                let answer = app.local_router().oneshot(request).await?;
                let status = answer.status();
                let bytes = axum::body::to_bytes(answer.into_body(), LARGEST_ANSWER).await?;
                (status, bytes)
            }
        };
        if status.is_success() {
            return Ok(bytes);
        }
        let message = serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()))
            .unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
        if status == StatusCode::BAD_REQUEST {
            bail!(Exit::Usage(message));
        }
        bail!("{message}")
    }
}

/// A value for a query string.
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
