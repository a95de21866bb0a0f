//! The way to WeCom's API, for robots and the application alike: time-outs, proxy, a private
//! deployment's own certificate authority.

use std::time::Duration;

use crate::config::wecom::Way;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(15);

/// A client by these settings.
pub(super) fn client(way: &Way) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .timeout(CALL_LIMIT)
        // A kept connection that was closed meanwhile would make a doubt of what never arrived.
        .pool_max_idle_per_host(0)
        // Where the address is the secret, nobody else is told it.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if let Some(proxy) = &way.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy)?);
    }
    if let Some(pem) = &way.ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    builder.build()
}

/// Without the hint of that one request and our own address, which differ every time.
pub(super) fn without_hint(errmsg: &str) -> &str {
    let ends = [", hint", ",hint", ", from ip", ", more info"];
    let end = ends.iter().filter_map(|part| errmsg.find(part)).min();
    errmsg.get(..end.unwrap_or(errmsg.len())).unwrap_or(errmsg)
}

/// The innermost cause, which says most; an outer one may name the address.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        last = inner.to_string();
        source = inner.source();
    }
    last
}
