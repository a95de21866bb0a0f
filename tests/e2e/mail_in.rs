//! The round trip by mail: a reminder out over SMTP, an answer in from a mail client over a real
//! Dovecot, the report on the board, a receipt back in the thread.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::browser::Browser;
use crate::world::{Daemon, Mail, SOON, Smtp, World, eventually, free_port};

/// A Dovecot of one mailbox, in a folder of its own, on loopback only.
struct Dovecot {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Dovecot {
    fn start() -> Self {
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

    fn section(&self, dir: &Path) -> String {
        std::fs::write(dir.join("imap-password"), "secret\n").unwrap();
        format!(
            "[imap]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nusername = \"duban\"\n\
             password_file = \"imap-password\"\npoll_seconds = 1\n",
            self.port
        )
    }

    async fn ready(&self) {
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
    fn answer(&self, mail: &Mail, text: &str, headers: &[&str]) -> String {
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

async fn rows_by_mail(daemon: &Daemon) -> Vec<Value> {
    let board = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let rows = board["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["via"] == "mail").cloned().collect()
}

/// The numbers of tasks in a mail of ours, in order.
fn tasks(mail: &Mail) -> Vec<u32> {
    let parts = mail.text.split("第").skip(1);
    parts
        .filter_map(|part| part.split_once('项')?.0.parse().ok())
        .collect()
}

fn receipts(smtp: &Smtp) -> Vec<Mail> {
    let mails = smtp.mails().into_iter();
    mails
        .filter(|mail| mail.raw.contains("Auto-Submitted: auto-replied"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_goes_out_an_answer_comes_in_and_a_receipt_goes_back() {
    let (dovecot, folder) = (Dovecot::start(), tempfile::tempdir().unwrap());
    dovecot.ready().await;
    let smtp = Smtp::start(folder.path(), 0);
    let world = World::new("");
    let sections = smtp.section() + &dovecot.section(world.dir.path());
    let mut world = world;
    world.reconfigure(&sections);
    world.import(|_, _| "email");
    let mut daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T10:00:00+08:00").await;
    let sent = smtp.mails();
    let several = sent
        .iter()
        .find(|mail| tasks(mail).len() > 2)
        .expect("somebody with several tasks");
    let wanted = tasks(several);

    let text = format!(
        "您好！\n{} 已完成，现场照片已报。\n{} 进度滞后，存在问题：用地未落实；下一步措施：正在协调用地。",
        wanted[0], wanted[1]
    );
    let id = dovecot.answer(several, &text, &[]);
    let rows = eventually(SOON, || async {
        let rows = rows_by_mail(&daemon).await;
        (rows.len() >= 2).then_some(rows)
    });
    let rows = rows
        .await
        .unwrap_or_else(|| panic!("no report:\n{}", world.log()));
    let of = |task: u32| rows.iter().find(|row| row["task"] == task).unwrap();
    assert_eq!(of(wanted[0])["status"], "completed");
    assert_eq!(of(wanted[1])["status"], "behind");

    let receipt = eventually(SOON, || async { receipts(&smtp).pop() })
        .await
        .expect("a receipt");
    assert_eq!(receipt.to, several.to);
    assert!(
        receipt.raw.contains(&format!("In-Reply-To: {id}")),
        "{}",
        receipt.raw
    );
    for task in &wanted[..2] {
        assert!(tasks(&receipt).contains(task), "{}", receipt.text);
    }

    // A machine's answer sets nothing and gets none; one nobody understands waits and is thanked.
    dovecot.answer(
        several,
        &format!("{} 已完成", wanted[2]),
        &["Auto-Submitted: auto-replied"],
    );
    dovecot.answer(several, "情况比较复杂，面报。", &[]);
    let two = eventually(SOON, || async {
        (receipts(&smtp).len() == 2).then_some(())
    })
    .await;
    assert!(two.is_some(), "{}", world.log());
    assert!(
        rows_by_mail(&daemon)
            .await
            .iter()
            .all(|row| row["task"] != wanted[2])
    );

    resolved_by_two_clicks(&world, &daemon).await;

    // Killed and started again, it reads nothing twice.
    daemon.kill();
    drop(daemon);
    let daemon = world.serve("2022-03-17T10:00:00+08:00", 0.0).await;
    dovecot.answer(several, &format!("{} 正常推进", wanted[2]), &[]);
    let third = eventually(SOON, || async {
        rows_by_mail(&daemon)
            .await
            .iter()
            .any(|row| row["task"] == wanted[2])
            .then_some(())
    });
    assert!(third.await.is_some(), "{}", world.log());
    let three = eventually(SOON, || async {
        (receipts(&smtp).len() >= 3).then_some(())
    })
    .await;
    assert!(three.is_some());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receipts(&smtp).len(), 3);
    let log = world.log();
    assert!(
        !log.contains("secret") && !log.contains("@example.invalid"),
        "{log}"
    );
    daemon.stop().await;
}

/// The coordinator reads the mail that waits and says what it means.
async fn resolved_by_two_clicks(world: &World, daemon: &Daemon) {
    const PASSWORD: &str = "dongguan-2022-q1";
    let added = world.cuiban_told(
        &["user", "add", "duban", "--role", "coordinator"],
        &format!("{PASSWORD}\n"),
    );
    assert!(added.status.success(), "{added:?}");
    for (width, height) in [(390, 844), (1280, 900)] {
        let browser = Browser::open(width, height).await;
        browser.goto(&format!("{}/login", daemon.base)).await;
        browser.type_into("input[name=name]", "duban").await;
        browser.type_into("input[name=password]", PASSWORD).await;
        browser.click("form button").await;
        browser.says("1封邮件回复需要人工处理").await;
        browser.goto(&format!("{}/mails", daemon.base)).await;
        browser.says("情况比较复杂，面报。").await;
        assert_eq!(browser.overflow().await, 0, "{width}");
        if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
            let file = Path::new(&folder).join(format!("mails-{width}.png"));
            browser.screenshot(&file).await;
        }
        if width > 1000 {
            said_by_the_coordinator(&browser, daemon).await;
        }
    }
}

async fn said_by_the_coordinator(browser: &Browser, daemon: &Daemon) {
    let before = rows_by_mail(daemon).await.len();
    // What is open comes first.
    browser.click(".mail input[value=on_schedule]").await;
    browser.click(".mail button.primary").await;
    browser.says("没有需要人工处理的邮件").await;
    assert_eq!(rows_by_mail(daemon).await.len(), before + 1);
}
