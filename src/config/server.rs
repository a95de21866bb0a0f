//! `[server]`: where the board and the owners' pages are served.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::network::Network;
use super::reader::Reader;
use crate::domain::user::Role;

/// `[server]`.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port of the HTTP server.
    pub listen: SocketAddr,
    /// What owners' links begin with, without a slash at the end; none where nobody said.
    pub public_url: Option<String>,
    /// The Unix socket on which the daemon answers its own commands.
    pub socket: PathBuf,
    /// Whose accounts must have a second factor.
    pub require_totp: Vec<Role>,
    /// Reverse proxies: what they say of where a request came from is believed.
    pub trusted_proxies: Vec<Network>,
}

impl ServerConfig {
    /// What links begin with, when the server listens on `actual`.
    #[must_use]
    pub fn link_base(&self, actual: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None if actual.ip().is_unspecified() => format!("http://127.0.0.1:{}", actual.port()),
            None => format!("http://{actual}"),
        }
    }

    pub(super) fn read(r: &mut Reader<'_>, store: Option<&Path>) -> Option<Self> {
        // Asked for before anything can end the reading: a key nobody asks for is a fault.
        let require_totp = roles(r);
        let listen = r.parsed(
            "listen",
            "地址和端口，如 \"127.0.0.1:8780\"",
            |text| text.parse().ok(),
        );
        let public_url = r
            .text("public_url")
            .map(|text| site_url(&text).map_err(|why| r.fault("public_url", why)));
        let trusted_proxies = read_proxies(r);
        let socket = match (r.text("socket"), store) {
            (Some(path), _) => PathBuf::from(path),
            (None, Some(store)) => {
                let path = store.join("cuiban.sock");
                r.derived("socket", &path.to_string_lossy());
                path
            }
            (None, None) => return None,
        };
        check_socket(r, &socket);
        Some(Self {
            listen: listen?,
            public_url: public_url.transpose().ok()?,
            socket,
            require_totp,
            trusted_proxies: trusted_proxies?,
        })
    }
}

fn roles(r: &mut Reader<'_>) -> Vec<Role> {
    let names = r.texts("require_totp").unwrap_or_default();
    let mut roles = Vec::new();
    for name in names {
        match Role::from_name(&name) {
            Some(role) => roles.push(role),
            None => r.fault(
                "require_totp",
                "应为 \"admin\"、\"coordinator\"、\"viewer\" 中的几个，如 [\"admin\"]",
            ),
        }
    }
    roles
}

fn read_proxies(r: &mut Reader<'_>) -> Option<Vec<Network>> {
    const KEY: &str = "trusted_proxies";
    let mut networks = Vec::new();
    for text in r.texts(KEY)? {
        let Some(network) = Network::parse(&text) else {
            let form = "应为反向代理的地址或网段，如 \"10.1.2.3\"、\"10.0.0.0/8\"";
            r.fault(KEY, format!("{form}，现在写的是“{text}”"));
            return None;
        };
        if network.is_everywhere() {
            r.warn(
                KEY,
                "等于相信任何人自报的来源地址，按来源限制的输错次数形同虚设；请只写反向代理的地址",
            );
        }
        networks.push(network);
    }
    Some(networks)
}

/// A kernel's limit: a longer name cannot be bound.
fn check_socket(r: &mut Reader<'_>, socket: &Path) {
    const LONGEST: usize = 107;
    if socket.as_os_str().len() > LONGEST {
        r.fault(
            "socket",
            format!("套接字的路径超过 {LONGEST} 字节，系统不允许，请另指定一个短些的路径，如 \"/run/cuiban/cuiban.sock\""),
        );
    }
}

/// `https://host` or `http://host:port`, as links will begin; or why it is not one.
pub(super) fn site_url(text: &str) -> Result<String, String> {
    let form = "应为 http:// 或 https:// 开头的网址，如 \"https://duban.example.gov.cn\"";
    let url = reqwest::Url::parse(text).map_err(|_| form.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(form.to_owned());
    }
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err("只写到主机名和端口为止，后面不要带路径、参数或账号".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
