//! A store of another user, met by root while no daemon runs.
//!
//! What root makes there the service could not open, and files that another user lays out are not
//! root's to follow. So the store is opened by a process of its owner, which answers on a socket of
//! its own as the daemon would; root's command reads and writes its files as root, and ends it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use super::serve;
use crate::app::{self, App};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::causes;

/// The hidden command that opens the store for root's.
pub(super) const HOST: &str = "__host-store";
/// What it says once it answers.
const READY: &str = "ready";
const READY_LINE: &[u8] = b"ready\n";

/// Whom the store belongs to, where that is not whoever runs this.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
}

/// Only root can act for somebody else; others meet the file permissions.
pub(super) fn other(config: &Config) -> Option<Owner> {
    let about = std::fs::metadata(&config.store.path).ok()?;
    let other = rustix::process::geteuid().is_root() && about.uid() != 0;
    other.then(|| Owner {
        uid: about.uid(),
        gid: about.gid(),
    })
}

impl Owner {
    /// This program, as the owner, with the same configuration.
    pub(super) fn command(self, config: Option<&Path>) -> anyhow::Result<Command> {
        let mut command = Command::new(app::own_program()?);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        // The groups of root are left behind with it.
        command.uid(self.uid).gid(self.gid);
        Ok(command)
    }

    /// This very command line again, as the owner; ends this process.
    pub(super) fn instead(self) -> anyhow::Error {
        let program = match app::own_program() {
            Ok(program) => program,
            Err(error) => return error,
        };
        let error = Command::new(program)
            .args(std::env::args_os().skip(1))
            .uid(self.uid)
            .gid(self.gid)
            .exec();
        anyhow::Error::new(error).context(START_FIRST)
    }
}

const START_FIRST: &str =
    "存储目录属于运行服务的账号，不能以它的身份打开：请先执行 systemctl start cuiban，再执行本命令";

/// The owner's process, while root's command runs.
pub(super) struct Host {
    child: Child,
    folder: PathBuf,
}

impl Host {
    /// Starts it, and waits until it answers.
    pub(super) fn start(owner: Owner, config: Option<&Path>) -> anyhow::Result<Self> {
        let folder = meeting_place(owner).context("无法建立临时目录")?;
        let child = owner.command(config).and_then(|mut command| {
            command
                .arg(HOST)
                .arg(folder.join("s"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .context(START_FIRST)
        });
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                return Err(error);
            }
        };
        let mut host = Self { child, folder };
        let said = host.first_words();
        if said.trim() != READY {
            let _ = host.end();
            bail!(
                match said.trim() {
                    "" => "存储没有打开，原因不明：请执行 cuiban doctor",
                    said => said,
                }
                .to_owned()
            );
        }
        Ok(host)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// All that it says, or the one line that it is ready.
    fn first_words(&mut self) -> String {
        let Some(out) = self.child.stdout.take() else {
            return String::new();
        };
        let mut out = BufReader::new(out);
        let mut said = String::new();
        let _ = out.read_line(&mut said);
        if said.trim() != READY {
            let _ = out.read_to_string(&mut said);
        }
        said
    }

    /// Has it close the store.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let ended = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
        let well = ended.is_ok_and(|status| status.success());
        anyhow::ensure!(well, "存储没有正常关闭");
        Ok(())
    }
}

/// A folder that only the owner and root may enter.
fn meeting_place(owner: Owner) -> std::io::Result<PathBuf> {
    let run = Path::new("/run");
    let base = match run.is_dir() {
        true => run.to_owned(),
        false => std::env::temp_dir(),
    };
    let folder = base.join(format!("cuiban-command-{}", std::process::id()));
    // Of a command that was killed, and had this number; a link is removed, not followed.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    std::os::unix::fs::lchown(&folder, Some(owner.uid), Some(owner.gid))?;
    Ok(folder)
}

/// The owner's process: opens the store, answers until its standard input ends, closes it. Why it
/// could not begin is said to root's command, which tells it.
pub(super) fn host(config: Option<&Path>, socket: &Path) -> anyhow::Result<()> {
    serve::runtime()?.block_on(async {
        let app = match open(config).await {
            Ok(app) => app,
            Err(error) => return super::print(causes::told(error.as_ref()).as_bytes()),
        };
        let ended = tokio::task::spawn_blocking(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        });
        app.answer_commands(socket, || super::print(READY_LINE), ended)
            .await
    })
}

async fn open(config: Option<&Path>) -> anyhow::Result<App> {
    let loaded = Config::load_without_secrets(config, std::env::vars())?;
    App::open(loaded.config, Clock::System).await
}
