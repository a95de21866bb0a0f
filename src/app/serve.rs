//! Runs the daemon: loops, listeners, and a stop in good order.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{App, listen};
use crate::life::{self, Stop};
use crate::reply::imap::ImapBox;

/// A pass at least this often, or the watchdog is not fed.
const STALE: Duration = Duration::from_secs(300);

impl App {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// Where an address cannot be bound, or a loop ended by itself.
    pub async fn serve(self) -> anyhow::Result<()> {
        self.serve_telling(|_| ()).await
    }

    /// The same; `tell` hears the bound address when everything is ready.
    ///
    /// # Errors
    /// As for [`Self::serve`].
    pub async fn serve_telling(self, tell: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
        let listen = self.config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("无法监听 {listen}（配置 server.listen）"))?;
        let address = listener.local_addr()?;
        let socket = bind_socket(&self.config.server.socket)?;
        let stop = Stop::on_signals()?;
        let tasks = TaskTracker::new();

        // What was heard before a crash is decided on before anybody is reminded of it.
        let clerk = self.clerk();
        if let Some(clerk) = &clerk {
            clerk.decide_all().await;
        }
        self.driver.begin(self.last_fact).await;
        self.driver
            .pass(self.desk.clock.now())
            .await
            .context("第一次检查没有完成")?;
        self.driver
            .start_bell(stop.soft.clone())
            .context("无法启动定时器")?;
        let driver = self.driver.clone();
        let ended = stop.soft.clone();
        let failed = CancellationToken::new();
        let guard = Guard::new("due", &stop, &failed);
        tasks.spawn(async move {
            driver.run(ended).await;
            guard.ended();
        });
        let (outbox, ways) = (Arc::clone(&self.outbox), stop.clone());
        let guard = Guard::new("outbox", &stop, &failed);
        tasks.spawn(async move {
            outbox.run(ways.soft, ways.hard).await;
            guard.ended();
        });
        if let Some(clerk) = clerk {
            let ended = stop.soft.clone();
            let guard = Guard::new("wecom", &stop, &failed);
            tasks.spawn(async move {
                clerk.run(ended).await;
                guard.ended();
            });
        }
        if let Some(config) = self.config.imap.clone() {
            let (reader, ended) = (self.mail_reader(), stop.soft.clone());
            let guard = Guard::new("mailbox", &stop, &failed);
            tasks.spawn(async move {
                reader.run(|| ImapBox::open(&config), ended).await;
                guard.ended();
            });
        }
        if let Some(nightly) = self.nightly() {
            let ended = stop.soft.clone();
            let guard = Guard::new("backup", &stop, &failed);
            tasks.spawn(async move {
                nightly.run(ended).await;
                guard.ended();
            });
        }
        let vitals = Arc::clone(&self.desk.vitals);
        let alive = move || vitals.since_pass().is_some_and(|age| age < STALE);
        tasks.spawn(life::feed_watchdog(alive, stop.soft.clone()));

        let closing = (stop.soft.clone(), self.desk.closing.clone());
        tasks.spawn(async move {
            closing.0.cancelled().await;
            closing.1.cancel();
        });
        let bounds = listen::Bounds::default();
        let public = listen::pages(listener, self.public_router(), bounds, stop.clone());
        tasks.spawn(public);
        tasks.spawn(listen::commands(socket, self.local_router(), stop.clone()));

        tracing::info!(%address, simulated = self.desk.clock.is_simulated(), "ready");
        life::tell(&[sd_notify::NotifyState::Ready]);
        tell(address);

        stop.soft.cancelled().await;
        tasks.close();
        tokio::select! {
            () = tasks.wait() => {}
            () = stop.hard.cancelled() => {}
        }
        let _ = std::fs::remove_file(&self.config.server.socket);
        self.close().await?;
        anyhow::ensure!(
            !failed.is_cancelled(),
            "内部循环意外中止，请查看日志；重新启动后会接着处理"
        );
        tracing::info!("stopped in good order");
        Ok(())
    }
}

/// A loop that ends without being asked, or panics, is an accident: everything stops, and systemd
/// starts it again. All state is in the store.
struct Guard {
    name: &'static str,
    stop: Stop,
    failed: CancellationToken,
}

impl Guard {
    fn new(name: &'static str, stop: &Stop, failed: &CancellationToken) -> Self {
        Self {
            name,
            stop: stop.clone(),
            failed: failed.clone(),
        }
    }

    /// It ended by itself; dropping the guard looks whether it should have.
    fn ended(self) {}
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.stop.soft.is_cancelled() {
            tracing::error!(r#loop = self.name, "a loop ended by itself");
            self.failed.cancel();
            self.stop.soft.cancel();
        }
    }
}

/// The socket for the commands: its owner and group may use it. One left behind by a daemon that
/// was killed is replaced; the store's lock tells whether one is still running.
fn bind_socket(path: &Path) -> anyhow::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("无法建立文件夹“{}”", folder.display()))?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("无法替换“{}”", path.display()));
        }
        _ => {}
    }
    let socket = UnixListener::bind(path)
        .with_context(|| format!("无法建立命令接口“{}”", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(socket)
}
