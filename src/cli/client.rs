//! The way from a command to the data: the running daemon over its socket, or, when no daemon has
//! the store, the same interface in this process.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::Sender;
use tower::ServiceExt as _;

use super::owner::{self, Host};
use super::{Exit, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, ConfigFaults, Loaded};
use crate::store;

/// Largest answer read into memory.
const LARGEST_ANSWER: usize = 512 << 20;

/// A way to the data.
pub(super) struct Client {
    door: Door,
}

enum Door {
    Daemon(reqwest::Client),
    /// A process of the store's owner, for root.
    Owner(reqwest::Client, Host),
    Here(Box<App>),
}

/// Reads the config for a command that sends nothing: files with secrets stay closed.
pub(super) fn load_without_secrets(config: Option<&Path>) -> anyhow::Result<Config> {
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

/// Runs `work` on the data that is there, and closes the store behind it.
pub(super) fn with_client<R>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<R>,
) -> anyhow::Result<R> {
    let settings = load_without_secrets(config)?;
    serve::runtime()?.block_on(async {
        let client = match Client::of_daemon(&settings).await? {
            Some(client) => client,
            None => {
                must_exist(&settings)?;
                Client::without_daemon(config, settings).await?
            }
        };
        client.run(work).await
    })
}

/// The same for a command that a new office begins with: it makes the store where there is none.
pub(super) fn with_new_client<R>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<R>,
) -> anyhow::Result<R> {
    let settings = load_without_secrets(config)?;
    serve::runtime()?.block_on(async {
        let client = match Client::of_daemon(&settings).await? {
            Some(client) => client,
            None => Client::without_daemon(config, settings).await?,
        };
        client.run(work).await
    })
}

/// Asks the running daemon, or has `look` at the store as it lies: to open it would heal it first.
pub(super) fn with_daemon_or<R>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<R>,
    look: impl FnOnce(&Config) -> anyhow::Result<R>,
) -> anyhow::Result<R> {
    let config = load_without_secrets(config)?;
    serve::runtime()?.block_on(async {
        match Client::of_daemon(&config).await? {
            Some(client) => client.run(work).await,
            None => {
                may_enter(&config)?;
                must_exist(&config)?;
                look(&config)
            }
        }
    })
}

/// A question put in the wrong folder must not leave an empty store behind.
fn must_exist(config: &Config) -> anyhow::Result<()> {
    let folder = &config.store.path;
    anyhow::ensure!(
        store::exists(folder),
        "存储目录“{}”里还没有数据：请用 --config 指定服务所用的配置文件；第一次使用请先执行 cuiban plan import 分解表文件",
        folder.display()
    );
    Ok(())
}

/// The store is its owner's alone: a member of the group reaches it through the service.
fn may_enter(config: &Config) -> anyhow::Result<()> {
    let folder = &config.store.path;
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(
            "服务没有运行，而存储目录“{}”只有它能打开：请管理员执行 systemctl start cuiban，再执行本命令",
            folder.display()
        ),
        _ => Ok(()),
    }
}

impl Client {
    /// None where nobody listens; a socket left behind by a killed daemon refuses.
    pub(super) async fn of_daemon(config: &Config) -> anyhow::Result<Option<Self>> {
        let socket = &config.server.socket;
        match tokio::net::UnixStream::connect(socket).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(
                "没有权限使用命令接口“{}”：只有管理员（root）和 cuiban 用户组的成员可以使用。请在命令前加上 sudo，或请管理员执行 usermod --append --groups cuiban 账号，再重新登录",
                socket.display()
            ),
            Err(_) => return Ok(None),
        }
        let door = Door::Daemon(over(socket)?);
        Ok(Some(Self { door }))
    }

    /// Where nobody has the store open.
    async fn without_daemon(path: Option<&Path>, config: Config) -> anyhow::Result<Self> {
        may_enter(&config)?;
        let door = match owner::other(&config) {
            Some(owner) => {
                let host = Host::start(owner, path)?;
                Door::Owner(over(&host.socket())?, host)
            }
            None => Door::Here(Box::new(App::open(config, Clock::System).await?)),
        };
        Ok(Self { door })
    }

    async fn run<R>(self, work: impl AsyncFnOnce(&Self) -> anyhow::Result<R>) -> anyhow::Result<R> {
        let result = work(&self).await;
        self.close().await?;
        result
    }

    async fn close(self) -> anyhow::Result<()> {
        match self.door {
            Door::Daemon(_) => Ok(()),
            Door::Owner(_, host) => host.end(),
            Door::Here(app) => app.close().await,
        }
    }

    /// Asks for `path` and gives the answer's bytes.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Bytes> {
        self.call(Method::GET, path, "text/plain", Bytes::new())
            .await
    }

    /// Asks the daemon for `path` and hands the answer on as it comes.
    pub(super) async fn stream(&self, path: &str, to: Sender<Bytes>) -> anyhow::Result<()> {
        let (Door::Daemon(client) | Door::Owner(client, _)) = &self.door else {
            let _ = to.send(self.get(path).await?).await;
            return Ok(());
        };
        let asked = client.get(format!("http://cuiban.invalid{path}")).send();
        let answer = asked.await.and_then(reqwest::Response::error_for_status);
        let mut answer = answer
            .map_err(|error| anyhow!(error.without_url()))
            .context("正在运行的服务没有应答")?;
        while let Some(piece) = answer.chunk().await.context("服务的回答中断了")? {
            if to.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
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

    /// Sends a form and gives the answer's bytes.
    pub(super) async fn post_form(&self, path: &str, fields: &str) -> anyhow::Result<Bytes> {
        let kind = "application/x-www-form-urlencoded";
        let body = Bytes::from(fields.to_owned());
        self.call(Method::POST, path, kind, body).await
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
            Door::Daemon(client) | Door::Owner(client, _) => {
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
            .and_then(|value| {
                let told = value.get("message");
                let told = told.or_else(|| value.pointer("/error/message"))?;
                Some(told.as_str()?.to_owned())
            })
            .unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
        if status == StatusCode::BAD_REQUEST {
            bail!(Exit::Usage(message));
        }
        bail!("{message}")
    }
}

fn over(socket: &Path) -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .unix_socket(socket)
        .build()
        .context("无法连接正在运行的服务")
}
