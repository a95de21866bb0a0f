//! The walls of the house (architecture.md), read off the sources.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test reads its own sources"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(ROOT).join(folder), &mut found);
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Lines of code that name one of `words`, without comments.
fn naming<'a>(folder: &str, words: &'a [&'a str]) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                lines.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    lines
}

#[test]
fn the_domain_is_pure() {
    let outside = [
        "tokio",
        "sled::",
        "axum",
        "lettre",
        "reqwest",
        "serde",
        "tracing",
        "std::fs",
        "std::net",
        "std::env",
        "async fn",
        ".await",
        "Utc::now",
        "SystemTime",
        "Instant::now",
        "getrandom",
        "crate::store",
        "crate::config",
        "crate::channel",
        "crate::plan",
        "crate::outbox",
        "crate::reply",
        "crate::board",
        "crate::web",
        "crate::app",
        "crate::clock",
    ];
    assert_eq!(naming("src/domain", &outside), Vec::<String>::new());
}

#[test]
fn the_rooms_of_the_middle_row_never_name_each_other() {
    let rooms = ["plan", "outbox", "reply", "board", "feed"];
    for room in rooms {
        let others: Vec<String> = rooms
            .iter()
            .filter(|other| **other != room)
            .map(|other| format!("crate::{other}"))
            .chain(["crate::app".into(), "crate::cli".into()])
            .collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        assert_eq!(
            naming(&format!("src/{room}"), &others),
            Vec::<String>::new(),
            "{room}"
        );
    }
}

#[test]
fn knowledge_runs_one_way() {
    let above =
        |names: &[&str]| -> Vec<String> { names.iter().map(|n| format!("crate::{n}")).collect() };
    let walls = [
        (
            "config",
            above(&[
                "store", "channel", "web", "plan", "outbox", "reply", "board", "app", "cli",
            ]),
        ),
        (
            "store",
            above(&[
                "channel", "web", "plan", "outbox", "reply", "board", "app", "cli",
            ]),
        ),
        (
            "channel",
            above(&[
                "store", "web", "plan", "outbox", "reply", "board", "app", "cli",
            ]),
        ),
        (
            "web",
            above(&["channel", "plan", "outbox", "reply", "board", "app", "cli"]),
        ),
    ];
    for (room, above) in walls {
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        assert_eq!(
            naming(&format!("src/{room}"), &above),
            Vec::<String>::new(),
            "{room}"
        );
    }
}

/// No address that a visitor gave is ever called: whoever opens a connection takes its address from
/// the configuration, and stands here. A new file is let in with its reason, or not at all.
#[test]
fn only_these_open_connections() {
    const CALLERS: [&str; 6] = [
        // [wecom]: base_url, and no redirects.
        "src/channel/wecom_http.rs",
        // [email]: host.
        "src/channel/email/session.rs",
        // [imap]: host.
        "src/reply/imap.rs",
        // [oidc]: the issuer and what lies at the same place, and no redirects.
        "src/web/oidc/mod.rs",
        // The hosts of all these and [server]: public_url, as the operator asks `doctor`.
        "src/app/doctor/peers.rs",
        // The daemon's own socket.
        "src/cli/client.rs",
    ];
    let opening = [
        "Client::builder(",
        "Client::new(",
        "reqwest::get(",
        "reqwest::blocking",
        "TcpStream::connect(",
        "UnixStream::connect(",
        "UdpSocket::",
        "lookup_host(",
        "to_socket_addrs(",
        "hyper_util::client",
    ];
    let strangers: Vec<String> = naming("src", &opening)
        .into_iter()
        .filter(|line| {
            !CALLERS
                .iter()
                .any(|caller| line.contains(&format!("{caller}:")))
        })
        // Its tests play the client.
        .filter(|line| !line.contains("/src/app/listen.rs:"))
        .collect();
    assert_eq!(strangers, Vec::<String>::new());
}

/// A URL out of a request would have to be read first; only the configuration's are.
#[test]
fn only_the_configuration_reads_urls() {
    let readers = [
        "src/config/",
        "src/channel/wecom_app/api.rs",
        "src/app/doctor/peers.rs",
        // What the configured issuer's own document names; another origin is refused.
        "src/web/oidc/mod.rs",
    ];
    let others: Vec<String> = naming("src", &["Url::parse", ".parse::<Url>"])
        .into_iter()
        .filter(|line| !readers.iter().any(|reader| line.contains(reader)))
        .collect();
    assert_eq!(others, Vec::<String>::new());
}

/// Pages, whatever is in them, are made by templates that escape; nothing goes round it.
#[test]
fn no_template_lets_text_through_unescaped() {
    const READY: [&str; 4] = [".files", ".rows", ".svg", "grid.tail"];
    let mut found = Vec::new();
    for folder in ["src/board", "src/web", "src/plan", "src/reply", "src/feed"] {
        for (path, text) in templates(folder) {
            let loose = [
                "|safe",
                "| safe",
                "escape(\"none\")",
                "<script>",
                " style=\"",
                " onclick=",
            ];
            for (number, line) in text.lines().enumerate() {
                // Parts of a page that are templates of their own, already escaped, and charts.
                let line = READY.iter().fold(line.to_owned(), |line, ready| {
                    line.replace(&format!("{ready}|safe"), ready)
                });
                if loose.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{}: {line}", path.display(), number + 1));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

fn templates(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "html") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(ROOT).join(folder), &mut found);
    found
}

#[test]
fn only_the_store_names_sled() {
    let named: Vec<String> = naming("src", &["sled::"])
        .into_iter()
        .filter(|line| !line.contains("/src/store/"))
        .collect();
    assert_eq!(named, Vec::<String>::new());
}

#[test]
fn one_tls_library_and_no_openssl() {
    for package in ["aws-lc-rs", "openssl-sys", "native-tls"] {
        let output = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--locked",
                "--offline",
                "-i",
                package,
                "--edges",
                "normal,build",
            ])
            .current_dir(ROOT)
            .output()
            .unwrap();
        let tree = String::from_utf8_lossy(&output.stdout);
        assert!(
            !tree.contains("cuiban"),
            "{package} is in the tree:\n{tree}"
        );
    }
}
