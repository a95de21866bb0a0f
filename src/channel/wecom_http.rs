//! The way to WeCom's API, for robots and the application alike: time-outs, proxy, a private
//! deployment's own certificate authority.

use std::time::Duration;

use super::certificate;
use crate::config::wecom::Way;
use crate::domain::causes::innermost;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(15);

/// Far less than any server keeps a connection that nobody uses.
const KEPT: Duration = Duration::from_secs(2);

/// A client by these settings, with a connection of its own for each call.
///
/// A kept one that the peer closes at the very moment of a call makes a doubt of what never arrived,
/// and a group has no way to recognise a repetition.
pub(super) fn client(way: &Way) -> Result<reqwest::Client, reqwest::Error> {
    builder(way)?.pool_max_idle_per_host(0).build()
}

/// A client whose connections are kept for the next call, if that comes soon: for a peer that
/// recognises a repetition. What was closed meanwhile is not written to; the call gets a new one.
pub(super) fn keeping_client(way: &Way) -> Result<reqwest::Client, reqwest::Error> {
    builder(way)?.pool_idle_timeout(KEPT).build()
}

fn builder(way: &Way) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .timeout(CALL_LIMIT)
        // Where the address is the secret, nobody else is told it.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if let Some(proxy) = &way.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy)?);
    }
    if let Some(pem) = &way.ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    Ok(builder)
}

/// Without the hint of that one request and our own address, which differ every time.
pub(super) fn without_hint(errmsg: &str) -> &str {
    let ends = [", hint", ",hint", ", from ip", ", more info"];
    let end = ends.iter().filter_map(|part| errmsg.find(part)).min();
    errmsg.get(..end.unwrap_or(errmsg.len())).unwrap_or(errmsg)
}

/// The innermost cause, which says most; an outer one may name the address. What is wrong with a
/// certificate is told in our own words.
pub(super) fn why(error: &reqwest::Error) -> String {
    match certificate::distrust(error) {
        Some(why) => why.chinese("对方"),
        None => innermost(error),
    }
}
