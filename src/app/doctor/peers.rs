//! Who is asked over the network, and what came of it.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use crate::channel::email::tls::Connector;
use crate::channel::email::{self, EmailChannel};
use crate::channel::wecom_app::AppChannel;
use crate::channel::{certificate, mask, spool};
use crate::config::Config;
use crate::desk::StoppedChannel;
use crate::domain::causes;
use crate::domain::checkup::{Answer, Distrust, Page, Tried, Way};
use crate::domain::people::ChannelKind;
use crate::reply::imap::{ImapBox, ImapError};

/// Longest wait for one peer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The ways out. A robot cannot be asked without the group seeing it, and a file is written only
/// where it would be `ours`.
pub(super) async fn out(config: &Config, stopped: &[StoppedChannel], ours: bool) -> Vec<Way> {
    let (mail, app) = tokio::join!(mail_server(config), application(config));
    let mut out: Vec<Way> = mail.into_iter().chain(app).collect();
    for robot in &config.wecom.robots {
        let kind = ChannelKind::WecomRobot;
        let is_it = |one: &&StoppedChannel| {
            one.kind == kind && one.name.as_ref().is_none_or(|name| *name == robot.name)
        };
        out.push(Way {
            name: format!("{}“{}”", kind.chinese(), robot.name),
            key: "wecom.base_url",
            tried: match stopped.iter().find(is_it) {
                Some(stopped) => Tried::Failed(stopped.detail.clone()),
                None => Tried::SetUp,
            },
        });
    }
    if out.is_empty() {
        out.push(files(config, ours));
    }
    out
}

fn files(config: &Config, ours: bool) -> Way {
    let path = &config.spool.path;
    let tried = match ours.then(|| spool::can_write(path)) {
        None | Some(Ok(())) => Tried::SetUp,
        Some(Err(error)) => Tried::Failed(format!("不能写入 {}：{}", path.display(), error.kind())),
    };
    Way {
        name: ChannelKind::Spool.chinese().to_owned(),
        key: "spool.path",
        tried,
    }
}

async fn mail_server(config: &Config) -> Option<Way> {
    let settings = email::Settings::from(config.email.as_ref()?);
    let asked = async {
        if let Some(unknown) = unresolved(&settings.host, settings.port).await {
            return unknown;
        }
        match EmailChannel::new(settings) {
            Ok(channel) => channel.try_out().await,
            Err(error) => Tried::Failed(causes::told(&error)),
        }
    };
    Some(Way {
        name: ChannelKind::Email.chinese().to_owned(),
        key: "email.host",
        tried: within(asked).await,
    })
}

async fn application(config: &Config) -> Option<Way> {
    let settings = config.wecom.app.clone()?;
    let (key, server) = match &settings.way.proxy {
        Some(proxy) => ("wecom.proxy", proxy.clone()),
        None => ("wecom.base_url", settings.base_url.clone()),
    };
    let asked = async {
        if let Some((host, port)) = host_of(&server)
            && let Some(unknown) = unresolved(&host, port).await
        {
            return unknown;
        }
        match AppChannel::new(settings) {
            Ok(channel) => channel.try_out().await,
            Err(error) => Tried::Failed(causes::told(&error)),
        }
    };
    Some(Way {
        name: ChannelKind::WecomApp.chinese().to_owned(),
        key,
        tried: within(asked).await,
    })
}

/// The mailbox that answers are read from.
pub(super) async fn mailbox(config: &Config) -> Option<Tried> {
    let settings = config.imap.as_ref()?;
    let asked = async {
        if let Some(unknown) = unresolved(&settings.host, settings.port).await {
            return unknown;
        }
        match ImapBox::open(settings).await {
            Ok(opened) => Tried::Works(opened.certificate_until()),
            Err(ImapError::Distrusted(host, why)) => Tried::Distrusted(host, why),
            // What the server says of a wrong password may repeat it.
            Err(error @ ImapError::Login(_)) => Tried::Failed(error.to_string()),
            Err(error) => Tried::Failed(mask::told(&causes::told(&error))),
        }
    };
    Some(within(asked).await)
}

/// The owners' pages, as links lead to them.
pub(super) async fn page(config: &Config, running: bool) -> Page {
    let server = &config.server;
    let url = server.link_base(server.listen);
    let mut page = Page {
        named: server.public_url.is_some(),
        local: is_local(&url),
        answer: None,
        url,
    };
    if running && !page.local {
        page.answer = Some(opened(&page.url).await);
    }
    page
}

async fn opened(base: &str) -> Answer {
    let Some((host, port)) = host_of(base) else {
        return Answer::None("网址无法识别".into());
    };
    if let Some(Tried::Unresolved(host)) = unresolved(&host, port).await {
        return Answer::Unresolved(host);
    }
    let until = match base.starts_with("https://") {
        false => None,
        true => match shown_by(&host, port).await {
            Ok(connector) => connector.certificate_until(),
            Err(Some(why)) => return Answer::Distrusted(host, why),
            // What is in the way is told by the next try.
            Err(None) => None,
        },
    };
    match healthz(base).await {
        Answer::Ours(_) => Answer::Ours(until),
        other => other,
    }
}

/// A handshake for the sake of the certificate; the reason where it is not believed.
async fn shown_by(host: &str, port: u16) -> Result<Connector, Option<Distrust>> {
    let asked = async {
        let connector = Connector::new(host, None).map_err(|_| None)?;
        let tcp = TcpStream::connect((host, port)).await.map_err(|_| None)?;
        match connector.connect(tcp).await {
            Ok(_) => Ok(connector),
            Err(error) => Err(certificate::distrust(&error)),
        }
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or(Err(None))
}

async fn healthz(base: &str) -> Answer {
    let asked = async {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let answer = client.get(format!("{base}/healthz")).send().await?;
        let status = answer.status().as_u16();
        Ok::<_, reqwest::Error>((status, answer.text().await?))
    };
    match asked.await {
        Ok((200, text)) if text.trim() == "ok" => Answer::Ours(None),
        Ok((status, _)) => Answer::Other(status),
        Err(error) if error.is_timeout() => Answer::None("长时间不应答".into()),
        Err(error) => Answer::None(causes::told(&error.without_url())),
    }
}

/// Where this name leads nowhere; what else may be wrong is found out by connecting.
async fn unresolved(host: &str, port: u16) -> Option<Tried> {
    let found = lookup_host((host, port)).await;
    let none = found.map_or(true, |mut addresses| addresses.next().is_none());
    none.then(|| Tried::Unresolved(host.to_owned()))
}

/// Host and port of an address of the configuration.
fn host_of(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

fn is_local(url: &str) -> bool {
    host_of(url).is_some_and(|(host, _)| {
        let ip = host.parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
    })
}

async fn within(asked: impl Future<Output = Tried>) -> Tried {
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| Tried::Failed(format!("{}秒内没有连上或没有应答", PATIENCE.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    #[tokio::test]
    async fn a_page_whose_certificate_nobody_believes_is_not_called_away() {
        let chain = CertificateDer::pem_slice_iter(include_bytes!(
            "../../../tests/fixtures/tls/server.pem"
        ));
        let key = include_bytes!("../../../tests/fixtures/tls/server.key");
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                chain.map(Result::unwrap).collect(),
                PrivateKeyDer::from_pem_slice(key).unwrap(),
            )
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let _ = acceptor.accept(tcp).await;
            }
        });
        let host = "127.0.0.1".to_owned();
        let wanted = Answer::Distrusted(host, Distrust::UnknownIssuer);
        assert_eq!(opened(&base).await, wanted);
        let nowhere = opened("https://duban.nirgends.invalid").await;
        let host = "duban.nirgends.invalid".to_owned();
        assert_eq!(nowhere, Answer::Unresolved(host));
    }

    #[test]
    fn only_this_machine_opens_what_leads_to_itself() {
        for local in [
            "http://127.0.0.1:8780",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(is_local(local), "{local}");
        }
        assert!(!is_local("https://duban.example.gov.cn"));
    }
}
