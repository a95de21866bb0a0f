//! The peers: Prometheus' Alertmanager from Debian's package, one group a person, and nodemailer
//! with its pool.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::Runtime;

use crate::ours::Cost;
use crate::sinks::{Sink, Speaks};
use crate::{SESSIONS, await_all, kit};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
/// Alerts in one request, as Prometheus sends them.
const BATCH: usize = 64;

/// A letter as long as ours.
pub fn letter() -> String {
    let item =
        "组建专业化新型研发机构管理服务团队，提升规范化管理能力；修改完善新型研发机构管理办法。";
    item.repeat(24)
}

/// A running Alertmanager; ends with it.
pub struct Alertmanager {
    child: Child,
    port: u16,
}

impl Alertmanager {
    /// None where it is not installed.
    pub fn start(folder: &Path, speaks: Speaks, sink: u16) -> Option<Self> {
        if !Path::new(ALERTMANAGER).exists() {
            return None;
        }
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, settings(speaks, sink)).unwrap();
        let port = free_port();
        let child = Command::new(ALERTMANAGER)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { child, port })
    }

    /// Raises an alert for each; again and again is how Prometheus does it.
    pub async fn raise(&self, http: &reqwest::Client, persons: &[String]) {
        let url = format!("http://127.0.0.1:{}/api/v2/alerts", self.port);
        let text = letter();
        for batch in persons.chunks(BATCH) {
            let alerts: Vec<_> = batch
                .iter()
                .map(|person| {
                    let labels = json!({ "alertname": "催办", "person": person });
                    json!({ "labels": labels, "annotations": { "text": text } })
                })
                .collect();
            while http.post(&url).json(&alerts).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn cost(&self, took: Duration) -> Cost {
        Cost {
            took,
            cpu: kit::cpu_of(self.child.id()),
            resident: kit::resident(self.child.id()).1,
        }
    }

    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.end();
    }
}

/// Everybody is told once by Alertmanager; its whole process counts.
pub fn alertmanager(
    runtime: &Runtime,
    sink: &Sink,
    speaks: Speaks,
    persons: &[String],
) -> Option<Cost> {
    let folder = tempfile::tempdir().unwrap();
    let manager = Alertmanager::start(folder.path(), speaks, sink.port)?;
    let http = reqwest::Client::new();
    // Ready when it takes nothing.
    runtime.block_on(manager.raise(&http, &persons[..0]));
    let began = Instant::now();
    runtime.block_on(manager.raise(&http, persons));
    await_all(sink, persons.len());
    Some(manager.cost(began.elapsed()))
}

fn settings(speaks: Speaks, sink: u16) -> String {
    let receiver = match speaks {
        Speaks::Http => format!(
            "  webhook_configs:\n  - url: http://127.0.0.1:{sink}/\n    send_resolved: false\n"
        ),
        _ => format!(
            "  email_configs:\n  - to: '{{{{ .GroupLabels.person }}}}@bureau.example'\n    \
             from: duban@agency.example\n    smarthost: 127.0.0.1:{sink}\n    \
             require_tls: false\n    send_resolved: false\n    \
             text: '{{{{ .CommonAnnotations.text }}}}'\n    \
             html: '<p>{{{{ .CommonAnnotations.text }}}}</p>'\n"
        ),
    };
    format!(
        "route:\n  receiver: sink\n  group_by: [person]\n  group_wait: 0s\n  \
         group_interval: 12h\n  repeat_interval: 24h\nreceivers:\n- name: sink\n{receiver}"
    )
}

const SCRIPT: &str = r#"
const nodemailer = require(process.argv[2]);
const fs = require('fs');
const [port, sessions, list, text] = process.argv.slice(3);
const persons = fs.readFileSync(list, 'utf8').split('\n').filter(Boolean);
const letter = fs.readFileSync(text, 'utf8');
const transport = nodemailer.createTransport({ host: '127.0.0.1', port: Number(port), secure: false,
  ignoreTLS: true, pool: true, maxConnections: Number(sessions), maxMessages: Infinity });
Promise.all(persons.map((person) => transport.sendMail({ from: 'duban@agency.example',
  to: person + '@bureau.example', subject: '催办', text: letter, html: '<p>' + letter + '</p>' })))
  .then(() => transport.close());
"#;

/// Everybody is told once by nodemailer; its whole process counts. None where it is not to be had.
pub fn nodemailer(sink: &Sink, persons: &[String]) -> Option<Cost> {
    let folder = tempfile::tempdir().unwrap();
    let module = module(folder.path())?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (began, before) = (Instant::now(), kit::children_cpu());
    let mut child = Command::new("node")
        .arg(write("send.js", SCRIPT))
        .arg(module)
        .args([sink.port.to_string(), SESSIONS.to_string()])
        .arg(write("persons", &persons.join("\n")))
        .arg(write("letter", &letter()))
        .spawn()
        .ok()?;
    let mut resident = 0.0_f64;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        if status.is_ok_and(|status| status.contains("VmHWM")) {
            resident = resident.max(kit::resident(child.id()).1);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    await_all(sink, persons.len());
    Some(Cost {
        took: began.elapsed(),
        cpu: kit::children_cpu() - before,
        resident,
    })
}

/// Where nodemailer is: Debian's, or fetched into this folder.
fn module(folder: &Path) -> Option<PathBuf> {
    let packaged = PathBuf::from("/usr/share/nodejs/nodemailer");
    if packaged.exists() {
        return Some(packaged);
    }
    let fetched = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .arg("nodemailer")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let module = folder.join("node_modules/nodemailer");
    (fetched.is_ok_and(|status| status.success()) && module.exists()).then_some(module)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
