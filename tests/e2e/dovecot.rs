//! A real mail server to read from, and a mail client that answers into it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::{Mail, SOON, eventually, free_port};

/// A Dovecot of one mailbox, in a folder of its own, on loopback only.
pub struct Dovecot {
    child: Child,
    pub port: u16,
    dir: tempfile::TempDir,
}

impl Dovecot {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = dir.path().display();
        let root = rustix::process::getuid().is_root();
        // Dovecot lets nobody read mail as root; the packages come with users of its own.
        let (user, group, internal, login) = match root {
            true => (
                "65534".to_owned(),
                "65534".to_owned(),
                "dovecot".to_owned(),
                "dovenull".to_owned(),
            ),
            false => {
                let uid = rustix::process::getuid().as_raw().to_string();
                let gid = rustix::process::getgid().as_raw().to_string();
                let name = std::env::var("USER").unwrap();
                (uid, gid, name.clone(), name)
            }
        };
        let config = format!(
            "base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = {path}/dovecot.log\nprotocols = imap\n\
             listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nfirst_valid_uid = 1\n\
             default_internal_user = {internal}\ndefault_login_user = {login}\n\
             mail_location = maildir:{path}/mail/Maildir\n\
             service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
             service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n\
             passdb {{\n  driver = static\n  args = password=secret\n}}\n\
             userdb {{\n  driver = static\n  args = uid={user} gid={group} home={path}/mail\n}}\n"
        );
        std::fs::create_dir(dir.path().join("mail")).unwrap();
        std::fs::write(dir.path().join("dovecot.conf"), config).unwrap();
        if root {
            use std::os::unix::fs::{PermissionsExt as _, chown};
            chown(dir.path().join("mail"), Some(65534), Some(65534)).unwrap();
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let child = Command::new("/usr/sbin/dovecot")
            .args(["-F", "-c"])
            .arg(dir.path().join("dovecot.conf"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port, dir }
    }

    /// The config section that reads it by this port.
    pub fn section(&self, dir: &Path, port: u16) -> String {
        std::fs::write(dir.join("imap-password"), "secret\n").unwrap();
        format!(
            "[imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nusername = \"duban\"\n\
             password_file = \"imap-password\"\npoll_seconds = 1\n"
        )
    }

    pub async fn ready(&self) {
        let ready = eventually(SOON, || async {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .ok()
        });
        let log =
            || std::fs::read_to_string(self.dir.path().join("dovecot.log")).unwrap_or_default();
        assert!(ready.await.is_some(), "{}", log());
    }

    /// Answers this mail with a mail client; gives the answer's Message-ID.
    pub fn answer(&self, mail: &Mail, text: &str, headers: &[&str]) -> String {
        let original: PathBuf = self.dir.path().join("original.eml");
        std::fs::write(&original, &mail.raw).unwrap();
        let output = Command::new("/usr/bin/python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/e2e/mail_client.py"
            ))
            .arg(self.port.to_string())
            .arg(&original)
            .arg(text)
            .args(headers)
            .output()
            .unwrap();
        let log = std::fs::read_to_string(self.dir.path().join("dovecot.log")).unwrap_or_default();
        assert!(
            output.status.success(),
            "{}\n{log}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
