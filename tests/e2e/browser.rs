//! A real headless Chromium, driven over the WebDriver protocol.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::world::{SOON, client, eventually, free_port};

pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A window of this many pixels.
    pub async fn open(width: u32, height: u32) -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver; tests/run installs it");
        let profile = tempfile::tempdir().unwrap();
        let http = client();
        let base = format!("http://127.0.0.1:{port}");
        let up = eventually(SOON, || async {
            http.get(format!("{base}/status")).send().await.ok()
        });
        up.await.expect("chromedriver answers");
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--hide-scrollbars".into(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {
                "args": arguments,
                "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1.0}},
            },
        }}});
        let answer: Value = http
            .post(format!("{base}/session"))
            .json(&wanted)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let id = answer["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        Self {
            driver,
            session: format!("{base}/session/{id}"),
            http,
            _profile: profile,
        }
    }

    pub async fn goto(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.post("goog/cdp/execute", command).await;
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        self.get("url").await.as_str().unwrap().to_owned()
    }

    /// What stands in a field.
    pub async fn value(&self, css: &str) -> String {
        let element = self.find(css).await;
        let value = self.get(&format!("element/{element}/property/value")).await;
        value.as_str().unwrap().to_owned()
    }

    /// All that can be read on the page; nothing while it is being left.
    pub async fn text(&self) -> String {
        let text = self
            .run(
                "return document.body ? document.body.innerText : ''",
                json!([]),
            )
            .await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Scrolls to it, as a thumb would, and taps it.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let it = json!([{ "element-6066-11e4-a52e-4f735466cecf": element }]);
        self.run("arguments[0].scrollIntoView({block: 'center'})", it)
            .await;
        self.post(&format!("element/{element}/click"), json!({}))
            .await;
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(&format!("element/{element}/clear"), json!({}))
            .await;
        self.post(&format!("element/{element}/value"), json!({ "text": text }))
            .await;
    }

    /// Presses a key, wherever the cursor is.
    pub async fn press(&self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keys = json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]});
        self.post("actions", keys).await;
    }

    /// The name of the field the cursor is in.
    pub async fn focused(&self) -> String {
        let name = self
            .run("return document.activeElement.name || ''", json!([]))
            .await;
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Chooses a file in a field for files.
    pub async fn attach(&self, css: &str, file: &Path) {
        let element = self.find(css).await;
        let path = json!({ "text": file.to_str().unwrap() });
        self.post(&format!("element/{element}/value"), path).await;
    }

    /// How many elements there are.
    pub async fn count(&self, css: &str) -> usize {
        let found = self
            .post("elements", json!({"using": "css selector", "value": css}))
            .await;
        found.as_array().unwrap().len()
    }

    /// Waits until the page says `words`.
    pub async fn says(&self, words: &str) {
        let found = eventually(Duration::from_secs(10), || async {
            self.text().await.contains(words).then_some(())
        })
        .await;
        assert!(
            found.is_some(),
            "the page does not say “{words}”:\n{}",
            self.text().await
        );
    }

    /// How far the page is wider than its window, in pixels.
    pub async fn overflow(&self) -> i64 {
        let root = "document.documentElement";
        let script = format!("return {root}.scrollWidth - {root}.clientWidth");
        self.run(&script, json!([])).await.as_i64().unwrap()
    }

    /// Cuts the page off from the network, or lets it back.
    pub async fn offline(&self, offline: bool) {
        let conditions = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        let command = json!({"cmd": "Network.emulateNetworkConditions", "params": conditions});
        self.post(
            "goog/cdp/execute",
            json!({"cmd": "Network.enable", "params": {}}),
        )
        .await;
        self.post("goog/cdp/execute", command).await;
    }

    /// Opens all that is folded.
    pub async fn unfold(&self) {
        let script = "document.querySelectorAll('details').forEach(one => { one.open = true; })";
        self.run(script, json!([])).await;
    }

    /// What axe-core finds on the page that is serious or critical, each in a line.
    pub async fn barriers(&self) -> Vec<String> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/axe/node_modules/axe-core/axe.min.js"
        );
        let axe = std::fs::read_to_string(path).expect("axe-core; tests/run installs it");
        let script = format!(
            "{axe};\nconst done = arguments[arguments.length - 1];\n\
             axe.run(document, {{resultTypes: ['violations']}}).then(found => done(found.violations\n\
             .filter(one => one.impact === 'serious' || one.impact === 'critical')\n\
             .map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | '))),\n\
             error => done(['axe: ' + error]));"
        );
        let call = json!({"script": script, "args": []});
        let found = self.post("execute/async", call).await;
        let found = found.as_array().expect("a list").iter();
        found.map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    pub async fn screenshot(&self, path: &Path) {
        let picture = self.get("screenshot").await;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap())
            .unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn find(&self, css: &str) -> String {
        let found = self
            .post("element", json!({"using": "css selector", "value": css}))
            .await;
        let id = found.as_object().and_then(|object| object.values().next());
        id.and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {css} on the page: {found}"))
            .to_owned()
    }

    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        let call = json!({"script": script, "args": arguments});
        self.post("execute/sync", call).await
    }

    async fn get(&self, command: &str) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer: Value = self
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["value"].clone()
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer: Value = self
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Killing the driver alone would leave the browser behind.
        let _ = Command::new("pkill")
            .arg("-P")
            .arg(self.driver.id().to_string())
            .status();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
