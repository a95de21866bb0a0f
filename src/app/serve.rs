//! Runs the daemon: loops, listeners, config read anew, and a stop in good order.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::crew::Crew;
use super::setup::Setup;
use super::{App, Core, listen};
use crate::in_force::InForce;
use crate::life::{self, Stop};

/// The store has to answer a pass at least this often, or the watchdog is not fed.
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
        let Self { core, setup } = self;
        let listen = setup.config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("无法监听 {listen}（配置 server.listen）"))?;
        let address = listener.local_addr()?;
        let path = setup.config.server.socket.clone();
        let socket = bind_socket(&path)?;
        let stop = Stop::on_signals()?;
        // Where there is nothing to read anew, a hang-up ends the program, as usual.
        let hangup = core.source.is_some().then(life::hangups).transpose()?;
        let tasks = TaskTracker::new();
        let failed = CancellationToken::new();
        let mut crew = Crew::new(&tasks, &stop, &failed);

        start_loops(&core, &setup, &mut crew, &stop).await?;
        tasks.spawn(life::feed_watchdog(alive(&core), stop.soft.clone()));
        let closing = (stop.soft.clone(), core.closing.clone());
        tasks.spawn(async move {
            closing.0.cancelled().await;
            closing.1.cancel();
        });
        let routes = Routes {
            public: InForce::new(setup.public_router(&core)),
            local: InForce::new(setup.local_router(&core)),
        };
        let bounds = listen::Bounds::default();
        let public = listen::pages(listener, routes.public.clone(), bounds, stop.clone());
        tasks.spawn(public);
        tasks.spawn(listen::commands(socket, routes.local.clone(), stop.clone()));

        tracing::info!(%address, simulated = core.clock.is_simulated(), "ready");
        life::tell(&[NotifyState::Ready, NotifyState::Status(RUNNING)]);
        tell(address);

        run(&core, setup, hangup, (&mut crew, routes), &stop).await;
        drop(crew);
        tasks.close();
        tokio::select! {
            () = tasks.wait() => {}
            () = stop.hard.cancelled() => {}
        }
        let _ = std::fs::remove_file(&path);
        core.close().await?;
        anyhow::ensure!(
            !failed.is_cancelled(),
            "内部循环意外中止，请查看日志；重新启动后会接着处理"
        );
        tracing::info!("stopped in good order");
        Ok(())
    }
}

impl App {
    /// Answers commands over this socket and runs nothing else, until `ended`.
    ///
    /// # Errors
    /// Where the socket cannot be made, or the store was not closed in good order.
    pub(crate) async fn answer_commands<E: Send + 'static>(
        self,
        socket: &Path,
        ready: impl FnOnce() -> anyhow::Result<()>,
        ended: impl Future<Output = E> + Send + 'static,
    ) -> anyhow::Result<()> {
        let listener = bind_socket(socket)?;
        let stop = Stop::default();
        let asked = stop.soft.clone();
        tokio::spawn(async move {
            let _ = ended.await;
            asked.cancel();
        });
        ready()?;
        let router = InForce::new(self.local_router());
        listen::commands(listener, router, stop).await;
        self.close().await
    }
}

/// What `systemctl status` says of a daemon that is well.
const RUNNING: &str = "正在运行";

/// What answers requests: another one after each reading of the config, on the same connections.
struct Routes {
    public: InForce<axum::Router>,
    local: InForce<axum::Router>,
}

async fn start_loops(
    core: &Core,
    setup: &Setup,
    crew: &mut Crew,
    stop: &Stop,
) -> anyhow::Result<()> {
    // What was heard before a crash is decided on before anybody is reminded of it.
    if let Some(clerk) = setup.clerk() {
        clerk.decide_all().await;
    }
    core.driver.begin(core.last_fact).await;
    core.driver
        .pass(core.clock.now())
        .await
        .context("第一次检查没有完成")?;
    core.driver
        .start_bell(stop.soft.clone())
        .context("无法启动定时器")?;
    let (driver, ended) = (core.driver.clone(), stop.soft.clone());
    crew.stay("due", async move { driver.run(ended).await });
    let (outbox, ways) = (Arc::clone(&core.outbox), stop.clone());
    crew.stay("outbox", outbox.run(ways.soft, ways.hard));
    crew.take_up(core, setup);
    Ok(())
}

/// Whether there is progress: passes are made and answered, and the outbox gets on. A store that
/// answers that it takes nothing now is asked again by itself; a restart would not help it.
fn alive(core: &Core) -> impl Fn() -> bool + use<> {
    let (vitals, outbox) = (Arc::clone(&core.vitals), Arc::clone(&core.outbox));
    move || vitals.since_answer().is_some_and(|age| age < STALE) && !outbox.is_stuck()
}

/// Until told to stop; reads the config anew at each hang-up.
async fn run(
    core: &Core,
    mut setup: Setup,
    mut hangup: Option<Signal>,
    (crew, routes): (&mut Crew, Routes),
    stop: &Stop,
) {
    loop {
        tokio::select! {
            () = stop.soft.cancelled() => return,
            () = hung_up(&mut hangup) => {}
        }
        let Some(source) = &core.source else { continue };
        life::tell_reloading();
        let read = core.reload(source, &setup);
        let Some(read) = stop.hard.run_until_cancelled(read).await else {
            return;
        };
        let status = match read {
            Ok(next) => {
                setup = next;
                routes.public.replace(setup.public_router(core));
                routes.local.replace(setup.local_router(core));
                crew.take_up(core, &setup);
                RUNNING.to_owned()
            }
            Err(refused) => refused.status(),
        };
        life::tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }
}

async fn hung_up(hangup: &mut Option<Signal>) {
    let heard = match hangup {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending().await
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
