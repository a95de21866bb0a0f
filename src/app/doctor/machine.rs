//! What is seen on the machine itself.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::domain::checkup::{Disk, Kept, Owned, Rights};
use crate::store::{self, Room};

/// Room where the store lies.
pub(super) fn disk(config: &Config) -> Option<Disk> {
    let found = store::free_in(&config.store.path, Room::default());
    let (free, enough) = found.ok()?;
    Some(Disk {
        free,
        full: !enough,
    })
}

/// Who may do what. None where there is no folder yet.
pub(super) fn rights(config: &Config) -> Option<Rights> {
    let folder = &config.store.path;
    let about = fs::metadata(folder).ok()?;
    let mut walk = Walk {
        owner: about.uid(),
        backups: config.backup.as_ref().map(|backup| backup.folder.as_path()),
        root: folder,
        strange: None,
        unseen: None,
    };
    walk.folder(folder);
    let Walk {
        strange, unseen, ..
    } = walk;
    let socket = &config.server.socket;
    let open_socket = is_for_all(socket, 0o006);
    Some(Rights {
        folder: folder.display().to_string(),
        owner: user(about.uid()),
        open: is_for_all(folder, 0o001),
        strange,
        unseen,
        open_socket: open_socket.then(|| socket.display().to_string()),
    })
}

/// Whether time servers keep the clock right. `adjtimex` is not for a service that may not touch the
/// clock; systemd's own service asks it for whoever wants to know.
pub(super) fn clock() -> Kept {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    let signed = Path::new("/run/systemd/timesync/synchronized").exists();
    Kept::seen(said(command, SHORT).as_deref(), signed)
}

/// What was put aside when the store was mended, and is there still.
pub(super) fn put_aside(config: &Config) -> Vec<String> {
    let entries = fs::read_dir(&config.store.path).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.contains(".quarantine-")).collect();
    names.sort();
    names
}

/// Whether everybody has these rights to a file or folder, and may go through all folders above.
pub(crate) fn is_for_all(path: &Path, bits: u32) -> bool {
    let mode = |path: &Path| fs::metadata(path).map(|about| about.permissions().mode());
    let above = path
        .ancestors()
        .skip(1)
        .filter(|above| !above.as_os_str().is_empty());
    let mut above = above.filter_map(|above| mode(above).ok());
    mode(path).is_ok_and(|mode| mode & bits == bits) && above.all(|mode| mode & 0o001 != 0)
}

/// Looks for what belongs to others.
struct Walk<'a> {
    owner: u32,
    /// Files that may be anybody's.
    backups: Option<&'a Path>,
    root: &'a Path,
    strange: Option<Owned>,
    unseen: Option<String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.unseen = Some(format!("{}：{}", folder.display(), told(&error)));
                return;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            // Gone meanwhile, as files of the engine are.
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if about.uid() != self.owner {
                self.found(&path, about.uid());
            }
            if about.is_dir() && Some(path.as_path()) != self.backups {
                self.folder(&path);
            }
        }
    }

    fn found(&mut self, path: &Path, owner: u32) {
        let root = self.root;
        let strange = self.strange.get_or_insert_with(|| Owned {
            count: 0,
            example: path
                .strip_prefix(root)
                .unwrap_or(path)
                .display()
                .to_string(),
            owner: user(owner),
        });
        strange.count += 1;
    }
}

/// Longest wait for a command on this machine.
const SHORT: Duration = Duration::from_secs(3);

/// What a command says, a line or two, where it does so in time and ends well. It gets nothing of
/// our surroundings: they may hold secrets.
fn said(mut command: Command, limit: Duration) -> Option<String> {
    let mut child = command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    let mut text = String::new();
    child.stdout?.take(1000).read_to_string(&mut text).ok()?;
    status.success().then_some(text)
}

fn told(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "没有权限",
        _ => "读不出来",
    }
}

/// The name of a user, or the number where this machine knows none.
fn user(id: u32) -> String {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    #[test]
    fn a_command_is_believed_where_it_ends_well_and_in_time() {
        assert_eq!(said(sh("echo yes"), SHORT).as_deref(), Some("yes\n"));
        assert_eq!(said(sh("echo yes; exit 1"), SHORT), None);
        assert_eq!(said(Command::new("nirgends-timedatectl"), SHORT), None);
        let begun = Instant::now();
        assert_eq!(said(sh("exec sleep 600"), Duration::from_millis(50)), None);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
