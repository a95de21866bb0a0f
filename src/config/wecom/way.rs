//! How the API is reached: its address, a proxy, a further certificate authority.

use crate::config::certificates::certificates;
use crate::config::reader::Reader;

/// How the API is reached.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// An HTTP proxy between here and there.
    pub proxy: Option<String>,
    /// A further certificate authority, PEM.
    pub ca: Option<Vec<u8>>,
}

impl Way {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let proxy = r
            .text("proxy")
            .and_then(|text| proxy_url(&text).map_err(|why| r.fault("proxy", why)).ok());
        let ca = r.text("ca_file").and_then(|name| {
            let path = r.find(&name);
            certificates(&path)
                .map_err(|why| r.fault("ca_file", why))
                .ok()
        });
        Self { proxy, ca }
    }
}

/// `https://host`, `https://host:port`, or with a path before `/cgi-bin`; or why it is not one.
pub(super) fn api_url(text: &str) -> Result<String, &'static str> {
    let form = "应为 http:// 或 https:// 开头的地址，如 \"https://qyapi.weixin.qq.com\"，后面不要带 /cgi-bin、参数或账号";
    let url = reqwest::Url::parse(text).map_err(|_| form)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !url.path().contains("/cgi-bin");
    if !plain {
        return Err(form);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn proxy_url(text: &str) -> Result<String, &'static str> {
    let form = "应为代理服务器的地址，如 \"http://10.1.2.3:8080\"，不带账号和路径";
    let url = reqwest::Url::parse(text).map_err(|_| form)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(form);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
