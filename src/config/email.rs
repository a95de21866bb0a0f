//! `[email]`: the SMTP server messages leave by.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::reader::{Reader, Told};
use super::secret::Secret;
use crate::domain::address;
use crate::domain::delivery::Doubt;

/// `[email]`; there is one where `host` is set.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; none where the server wants nobody to.
    pub login: Option<Login>,
    /// Who the messages come from.
    pub from: MailAddress,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<MailAddress>,
    /// Sessions open at once. Chinese providers refuse parallel ones, so the default is 1.
    pub max_connections: usize,
    /// Longest wait for one step of the conversation.
    pub timeout: Duration,
    /// What is done about a mail that may or may not have arrived.
    pub in_doubt: Doubt,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// Plain first, then STARTTLS, which must be offered.
    Starttls,
    /// From the first byte.
    Implicit,
}

/// Account and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account.
    pub username: String,
    /// Its password, or 授权码.
    pub password: Secret,
}

/// An address with the name shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// Such as 市政府督查科.
    pub name: Option<String>,
    /// Such as `duban@dg.gov.cn`.
    pub address: String,
}

impl Tls {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "starttls" => Some(Self::Starttls),
            "implicit" => Some(Self::Implicit),
            _ => None,
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::Starttls => 587,
            Self::Implicit => 465,
        }
    }
}

impl MailAddress {
    /// Reads `督查科 <duban@dg.gov.cn>` or the address alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, inner) = match text.split_once('<') {
            Some((name, rest)) => (name, rest.trim_end().strip_suffix('>')?),
            None => ("", text),
        };
        let name = name.trim().trim_matches('"').trim();
        let clean = !name.contains(['<', '>', '"', '\r', '\n']);
        let address = address::email(inner).filter(|_| clean)?;
        Some(Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            address: address.to_owned(),
        })
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl EmailConfig {
    /// None where the section is not used; also where it has faults, which are then gathered.
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let host = r.parsed("host", "服务器的域名或 IP 地址，不带端口", host);
        let tls = r.parsed(
            "tls",
            " \"none\"、\"starttls\" 或 \"implicit\"",
            Tls::from_name,
        );
        let port = port(r, tls.map(Tls::usual_port));
        let login = login(r);
        let from = mail_address(r, "from");
        let reply_to = mail_address(r, "reply_to");
        let max_connections = r.number("max_connections", 1..=64);
        let timeout = r.number("timeout_seconds", 1..=600);
        let in_doubt = super::doubt(r);
        if host.is_none() {
            tell_host_missing(r);
        }
        let host = host?;
        if !r.is_written("from") {
            r.fault(
                "from",
                "请填写发件地址，如 \"市政府督查科 <duban@example.gov.cn>\"",
            );
        }
        let tls = tls?;
        if tls == Tls::None && matches!(login, Ok(Some(_))) && !is_loopback(&host) {
            warn_of_clear_text(r);
        }
        Some(Self {
            host,
            port: port?,
            tls,
            login: login.ok()?,
            from: from?,
            reply_to,
            max_connections: usize::try_from(max_connections?).ok()?,
            timeout: Duration::from_secs(u64::try_from(timeout?).ok()?),
            in_doubt: in_doubt?,
        })
    }
}

/// A host's name or address.
pub(super) fn host(text: &str) -> Option<String> {
    let fits = text.parse::<IpAddr>().is_ok()
        || text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    fits.then(|| text.to_owned())
}

/// The port, or the usual one.
pub(super) fn port(r: &mut Reader<'_>, usual: Option<u16>) -> Option<u16> {
    let port = r.number("port", 1..=65535);
    if port.is_none() && !r.is_written("port") {
        let usual = usual?;
        r.derived_number("port", usual.into());
        return Some(usual);
    }
    port.and_then(|port| u16::try_from(port).ok())
}

/// None where nobody signs in.
pub(super) fn login(r: &mut Reader<'_>) -> Result<Option<Login>, Told> {
    let username = r.text("username");
    let secret_written = r.is_written("password") || r.is_written("password_file");
    let password = r.secret("password", "password_file");
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(Login { username, password })),
        (Some(_), None) if !secret_written => {
            r.fault(
                "username",
                "填写了账号，还需填写 password_file（存放口令或授权码的文件）",
            );
            Err(Told)
        }
        (None, Some(_)) => {
            r.fault(
                "username",
                "填写了口令却没有账号，请补上 username，或删去口令",
            );
            Err(Told)
        }
        (None, None) if !secret_written => Ok(None),
        _ => Err(Told),
    }
}

fn mail_address(r: &mut Reader<'_>, key: &'static str) -> Option<MailAddress> {
    r.parsed(
        key,
        "邮件地址，如 \"市政府督查科 <duban@example.gov.cn>\"",
        MailAddress::parse,
    )
}

/// A section half filled is a slip, not a wish to send no mail.
fn tell_host_missing(r: &mut Reader<'_>) {
    let written = [
        "port",
        "tls",
        "username",
        "password",
        "password_file",
        "from",
        "reply_to",
    ]
    .into_iter()
    .find(|key| r.is_written(key));
    if let (Some(key), false) = (written, r.is_written("host")) {
        r.fault(key, "填写了这一项，却没有填写 email.host（邮件服务器）");
    }
}

/// A password in clear over a network: said, not forbidden.
pub(super) fn warn_of_clear_text(r: &mut Reader<'_>) {
    r.warn(
        "tls",
        "口令将不加密地经过网络；如邮件服务器支持，请改为 \"implicit\" 或 \"starttls\"",
    );
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
