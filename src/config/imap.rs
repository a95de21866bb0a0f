//! `[imap]`: the mailbox that answers to reminders arrive in.

use std::time::Duration;

use super::email::{self, Login, Tls};
use super::reader::Reader;

/// `[imap]`; there is one where `host` is set.
#[derive(Debug, Clone)]
pub struct ImapConfig {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in.
    pub login: Login,
    /// The folder, as the server names it.
    pub mailbox: String,
    /// Longest time between two looks.
    pub poll: Duration,
    /// The first word of the `Authentication-Results` of the receiving server; with it only mails
    /// that the server vouches for count.
    pub authserv_id: Option<String>,
}

impl ImapConfig {
    /// None where the section is not used; also where it has faults, which are then gathered.
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let host = r.parsed("host", "服务器的域名或 IP 地址，不带端口", email::host);
        let form = " \"none\"、\"starttls\" 或 \"implicit\"";
        let tls = r.parsed("tls", form, Tls::from_name);
        let usual = tls.map(|tls| if tls == Tls::Implicit { 993 } else { 143 });
        let port = email::port(r, usual);
        let login = email::login(r);
        let mailbox = r.text("mailbox");
        let poll = r.number("poll_seconds", 1..=3600);
        let authserv_id = r.text("authserv_id");
        if host.is_none() {
            let keys = [
                "port",
                "username",
                "password",
                "password_file",
                "authserv_id",
            ];
            if let Some(key) = keys.into_iter().find(|key| r.is_written(key)) {
                r.fault(key, "填写了这一项，却没有填写 imap.host（收信服务器）");
            }
        }
        let (host, tls) = (host?, tls?);
        let login = login.ok()?;
        if login.is_none() {
            r.fault(
                "username",
                "收取邮件回复需要账号，请填写 username 和 password_file",
            );
        }
        if tls == Tls::None && !email::is_loopback(&host) {
            email::warn_of_clear_text(r);
        }
        Some(Self {
            host,
            port: port?,
            tls,
            login: login?,
            mailbox: mailbox?,
            poll: Duration::from_secs(u64::try_from(poll?).ok()?),
            authserv_id,
        })
    }
}
