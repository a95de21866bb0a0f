//! The pages over https, as a reverse proxy brings them: what owners get of them, and what doctor says
//! of the certificate that they are shown.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::doctor::line;
use crate::peers::smtp::{EXPIRED, GOOD, Identity, OTHER};
use crate::world::{Smtp, World};

/// One of the names that [`OTHER`] is for.
const SITE: &str = "duban.b.example";
const AUTHORITIES: &str = concat!(
    include_str!("../fixtures/tls/ca.pem"),
    include_str!("../fixtures/tls/others-ca.pem")
);

/// TLS outside, the daemon's port inside.
struct Proxy {
    address: SocketAddr,
    shown: Arc<Mutex<Option<Identity>>>,
}

impl Proxy {
    async fn before(inside: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            shown: Arc::new(Mutex::new(Some(OTHER))),
        };
        let shown = Arc::clone(&proxy.shown);
        tokio::spawn(async move {
            while let Ok((outside, _)) = listener.accept().await {
                let shown = *shown.lock().unwrap();
                tokio::spawn(pass(outside, inside, shown));
            }
        });
        proxy
    }

    /// This certificate from now on; none for no TLS at all.
    fn show(&self, identity: Option<Identity>) {
        *self.shown.lock().unwrap() = identity;
    }
}

async fn pass(mut outside: TcpStream, inside: u16, shown: Option<Identity>) -> std::io::Result<()> {
    let mut inside = TcpStream::connect(("127.0.0.1", inside)).await?;
    match shown {
        None => copy_bidirectional(&mut outside, &mut inside).await?,
        Some(identity) => {
            let mut outside = identity.acceptor().accept(outside).await?;
            copy_bidirectional(&mut outside, &mut inside).await?
        }
    };
    Ok(())
}

/// A browser that trusts both authorities and knows where the site is.
fn browser(proxy: &Proxy) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = reqwest::Certificate::from_pem_bundle(AUTHORITIES.as_bytes()).unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(authorities)
        .resolve(SITE, proxy.address)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_owners_get_their_pages_and_doctor_sees_the_certificate_they_are_shown() {
    let own_hosts = Command::new("unshare")
        .args(["--mount", "true"])
        .stderr(Stdio::null())
        .status();
    if !own_hosts.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: needs root to give the daemon an /etc/hosts of its own");
    }
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let mut world = World::new(&smtp.section());
    let proxy = Proxy::before(world.port).await;
    let site = format!("https://{SITE}:{}", proxy.address.port());
    let authorities = world.path("authorities.pem");
    std::fs::write(&authorities, AUTHORITIES).unwrap();
    world.env = vec![
        ("SSL_CERT_FILE", authorities.display().to_string()),
        ("CUIBAN__SERVER__PUBLIC_URL", site.clone()),
    ];
    world.import(|_, _| "email");
    let hosts = world.path("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost {SITE}\n")).unwrap();
    let there = format!(
        "mount --bind {} /etc/hosts && exec \"$0\" \"$@\"",
        hosts.display()
    );
    let runner = ["unshare", "--mount", "sh", "-c", &there].map(ToOwned::to_owned);
    let daemon = world.spawn_under(&runner, "2022-03-17T09:00:00+08:00", 0.0);
    daemon.ready().await;
    daemon.advance("2022-03-17T09:10:00+08:00").await;

    let browser = browser(&proxy);
    for path in ["/healthz", "/readyz"] {
        let answer = browser.get(format!("{site}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let mails = smtp.mails();
    let text = &mails.first().unwrap().text;
    let link = text.split_whitespace().find(|word| word.contains(&site));
    let link = &link.unwrap()[link.unwrap().find("https").unwrap()..];
    let page = browser.get(link).send().await.unwrap();
    assert_eq!(page.status(), 200, "{link}");
    assert_eq!(
        page.headers()["strict-transport-security"],
        "max-age=31536000"
    );
    assert!(page.text().await.unwrap().contains("<form"));

    // Put there one after the other, while the daemon runs: the next look sees the next one.
    let cases = [
        (Some(OTHER), "ok", "可以打开，证书有效至2120年1月1日"),
        (Some(EXPIRED), "fail", "的证书已于2020年2月1日到期"),
        (Some(GOOD), "fail", "证书不是签发给 duban.b.example 的"),
        (None, "warn", "从本机打不开"),
        (Some(OTHER), "ok", "可以打开，证书有效至2120年1月1日"),
    ];
    for (shown, wanted, said) in cases {
        proxy.show(shown);
        let (state, text) = line(&world, "接收·填报网页");
        assert_eq!(state, wanted, "{said}: {text}");
        assert!(text.contains(said) && text.contains(SITE), "{text}");
    }
    // Nobody is left behind by a proxy that was wrong for a while.
    let page = browser.get(link).send().await.unwrap();
    assert_eq!(page.status(), 200);
    daemon.stop().await;
}
