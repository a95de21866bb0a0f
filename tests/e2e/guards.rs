//! Hard to break into: every form asks for its token, no secret is shown or logged, nothing that
//! stands in a table runs, and pages that stay open hear of what is new without holding a stop.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::import::{PASSWORD, add_user, sign_in};
use crate::world::{Daemon, SOON, Smtp, World};

/// Opened by a secret in the address, signed by the platform, or before anybody is signed in.
const NO_SESSION: [&str; 6] = [
    "/r/",
    "/api/v1/reply/",
    "/wecom/",
    "/calendar/",
    "/login",
    "/static/",
];

/// What any form reads, of things that are not there; and no token.
const FORM: &str = "csrf=&plan=none&quarter=2022Q1&task=1&group=0&seen=0&word=accept&key=none\
    &do=none&item=none/2022Q1/1/0&day=2022-04-30&note=none&person=none&to=none&name=none&unit=none\
    &mail=none&heard=1&status=&delegation=1&from=none&old=none&new=none&again=none&password=none\
    &sealed=none&code=0&pending=none&one=none&advance=none&reason=none&role=viewer&scope=none";

/// Every address that a source file gives to a router, with something in place of each `{…}`.
fn routes() -> BTreeSet<String> {
    fn walk(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for rest in text.split(".route(").skip(1) {
                    let quoted = rest.trim_start().strip_prefix('"');
                    let address = quoted.and_then(|rest| rest.split('"').next());
                    let address = address.filter(|address| address.starts_with('/'));
                    found.extend(address.map(filled));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    found
}

fn filled(route: &str) -> String {
    let part = |part: &str| match part {
        "{plan}" => "dongguan-2022".to_owned(),
        "{quarter}" => "2022Q1".into(),
        "{hash}" => "0".repeat(64),
        part if part.starts_with('{') => "1".into(),
        part => part.to_owned(),
    };
    let parts: Vec<String> = route.split('/').map(part).collect();
    parts.join("/")
}

/// The cookie of a user who has signed in.
async fn session(daemon: &Daemon) -> String {
    let form = [
        ("name", "duban".to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    let answer = daemon.fill_in("/login", &form).await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn get(
    daemon: &Daemon,
    cookie: &str,
    path: &str,
) -> (u16, reqwest::header::HeaderMap, String) {
    let request = daemon.http.get(format!("{}{path}", daemon.base));
    let answer = request.header("cookie", cookie).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    (
        status,
        headers,
        String::from_utf8_lossy(&bytes).into_owned(),
    )
}

/// Everything that can be reached by links from the first page, within reason.
async fn crawl(daemon: &Daemon, cookie: &str) -> Vec<(String, reqwest::header::HeaderMap, String)> {
    const MOST: usize = 150;
    let mut waiting: VecDeque<String> = ["/", "/settings/config", "/nowhere"]
        .map(str::to_owned)
        .into();
    let mut known: BTreeSet<String> = waiting.iter().cloned().collect();
    // Pages that differ in their numbers alone are looked at a few times.
    let mut kinds: std::collections::BTreeMap<String, usize> = Default::default();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop_front() {
        if found.len() >= MOST {
            break;
        }
        let (_, headers, html) = get(daemon, cookie, &path).await;
        for rest in html.split(" href=\"").skip(1) {
            let link = rest.split('"').next().unwrap().replace("&amp;", "&");
            let link = link.split('#').next().unwrap().to_owned();
            let kind: String = link
                .split('?')
                .next()
                .unwrap()
                .split('/')
                .take(3)
                .collect::<Vec<_>>()
                .join("/");
            let of_kind = kinds.entry(kind).or_default();
            if link.starts_with('/') && *of_kind < 12 && known.insert(link.clone()) {
                *of_kind += 1;
                waiting.push_back(link);
            }
        }
        found.push((path, headers, html));
    }
    assert!(found.len() > 30, "{}", found.len());
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_without_its_token_and_every_page_has_its_headers() {
    let world = World::new("");
    world.import(|_, _| "email");
    add_user(&world);
    let daemon = world.serve("2022-03-28T10:00:00+08:00", 0.0).await;
    let cookie = session(&daemon).await;
    let mut asked = 0;
    for path in routes() {
        if NO_SESSION.iter().any(|open| path.starts_with(open)) {
            continue;
        }
        let url = format!("{}{path}", daemon.base);
        let post = || daemon.http.post(&url).header("cookie", &cookie);
        let form = post()
            .header("content-type", "application/x-www-form-urlencoded")
            .body(FORM);
        let form = form.send().await.unwrap();
        let parts =
            "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n\r\n--edge--\r\n";
        let parts = post()
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(parts);
        let parts = parts.send().await.unwrap();
        for answer in [form, parts] {
            let status = answer.status().as_u16();
            // 405: not a form. 415, 422, 400: not even read. Never "done".
            assert!(
                [400, 401, 403, 404, 405, 413, 415, 422].contains(&status),
                "{path}: {status}"
            );
            asked += usize::from(status == 403);
        }
    }
    assert!(asked > 20, "{asked} forms said that the token is missing");
    let done = world.run(&["journal", "dump"]);
    for line in done.lines().filter(|line| line.contains("\"duban\"")) {
        let harmless = ["user.added", "user.signed_in"];
        let is = |kind: &&str| line.contains(&format!("\"kind\":\"{kind}\""));
        assert!(harmless.iter().any(is), "was done: {line}");
    }

    for (path, headers, html) in crawl(&daemon, &cookie).await {
        let header = |name: &str| {
            let value = headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned());
            value.unwrap_or_default()
        };
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") || header("x-frame-options") == "DENY",
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("permissions-policy").contains("camera=()"), "{path}");
        assert_eq!(
            header("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
        // Every form that changes something carries the token.
        for form in html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let changes = form.split('>').next().unwrap().contains("method=\"post\"");
            assert!(!changes || form.contains("name=\"csrf\""), "{path}: {form}");
        }
        let inline = html
            .split("<script")
            .skip(1)
            .any(|tag| !tag.starts_with(" src=\"/static/"));
        assert!(!inline, "{path} has a script of its own");
        assert!(
            !html.contains(" onclick=") && !html.contains(" style=\"")
                || policy.contains("sandbox"),
            "{path}"
        );
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_on_a_page_or_in_the_log() {
    const SECRETS: [&str; 6] = [
        "SeCrEtMaIl77",
        "SeCrEtImAp77",
        "SeCrEtApP77",
        "SeCrEtToKeN77",
        "5eC7e7bb-0000-4000-8000-00000000cafe",
        "SeCrEtAeSkEySeCrEtAeSkEySeCrEtAeSkEySeCrEtA",
    ];
    let [mail, imap, app, token, robot, aes] = SECRETS;
    let mut world = World::new("");
    let file = |name: &str, secret: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = world.path(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let config = format!(
        "[email]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nusername = \"duban@example.invalid\"\npassword = \"{mail}\"\n\
         from = \"督查科 <duban@example.invalid>\"\ntimeout_seconds = 5\n\
         [imap]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nusername = \"duban@example.invalid\"\npassword = \"{imap}\"\n\
         [wecom]\nbase_url = \"http://127.0.0.1:9\"\n\
         [[wecom.robot]]\nname = \"督查群\"\nkey = \"{robot}\"\n\
         [wecom.app]\ncorp_id = \"ww0123456789abcdef\"\nagent_id = 1000002\nsecret_file = \"{}\"\n\
         callback_token_file = \"{}\"\ncallback_aes_key_file = \"{}\"\n",
        file("app-secret", app),
        file("callback-token", token),
        file("callback-key", aes)
    );
    world.reconfigure(&config);
    world.log_level = "debug";
    world.import(|index, _| match index % 3 {
        0 => "email",
        1 => "wecom_robot,email",
        _ => "wecom_app",
    });
    add_user(&world);
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T10:30:00+08:00").await;
    let cookie = session(&daemon).await;
    let mut seen: Vec<(String, String)> = Vec::new();
    for (path, headers, html) in crawl(&daemon, &cookie).await {
        seen.push((path, format!("{headers:?}{html}")));
    }
    for path in [
        "/metrics",
        "/readyz",
        "/api/v1/deliveries",
        "/api/v1/board?quarter=2022Q1",
    ] {
        seen.push((path.into(), get(&daemon, &cookie, path).await.2));
    }
    assert!(
        seen.iter().any(
            |(path, text)| path == "/settings/config" && text.contains("callback_aes_key_file")
        )
    );
    daemon.stop().await;
    seen.push(("config show".into(), world.run(&["config", "show"])));
    seen.push(("journal dump".into(), world.run(&["journal", "dump"])));
    seen.push(("log".into(), world.log()));
    for (place, text) in &seen {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{place} shows {secret}");
        }
        // Links open without a password: none stands in a log.
        assert!(place != "log" || !text.contains("/r/"), "a link in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_hostile_table_is_text_everywhere() {
    let evil = "<script>window.evil=1</script><img src=x onerror=window.evil=2>\"'><b data-evil>&amp;\u{202e}{{7*7}}";
    let world = World::new("");
    let table = world.path("evil.csv");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut rows =
        String::from("序号,目标任务,责任领导,牵头单位,责任人,直接责任人,协助单位,季度进度安排\n");
    for no in 1..=6 {
        let cells = [
            no.to_string(),
            format!("任务{no}{evil}"),
            format!("刘领{evil}"),
            format!("市科技局{evil}"),
            format!("张责{evil}"),
            format!("钟直{evil}"),
            format!("市财政局{evil}"),
            format!("第一季度：完成{evil}。第二季度：=HYPERLINK(\"http://x\")"),
        ];
        rows.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        rows.push('\n');
    }
    std::fs::write(&table, rows).unwrap();
    let path = table.to_str().unwrap();
    world.run(&[
        "plan",
        "import",
        path,
        "--id",
        "dongguan-2022",
        "--year",
        "2022",
        "--accept",
    ]);
    add_user(&world);
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-18T09:00:00+08:00").await;
    let cookie = session(&daemon).await;
    let pages = crawl(&daemon, &cookie).await;
    let html = |headers: &reqwest::header::HeaderMap| {
        let kind = headers.get("content-type");
        kind.is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"))
    };
    let browser = Browser::open(1280, 900).await;
    sign_in(&browser, &daemon).await;
    let mut told = 0;
    for (path, headers, text) in &pages {
        if !html(headers) {
            continue;
        }
        assert!(
            !text.contains("<script>window") && !text.contains("<img src=x"),
            "{path}"
        );
        if text.contains("window.evil") || path == "/" {
            told += 1;
            browser.goto(&format!("{}{path}", daemon.base)).await;
            let ran = browser
                .run("return [typeof window.evil, document.querySelectorAll('[data-evil], img').length]", json!([]))
                .await;
            assert_eq!(ran, json!(["undefined", 0]), "{path}");
        }
    }
    assert!(told >= 5, "{told} pages show the table's words");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_hears_of_a_report_and_keeps_what_was_typed_and_a_stop_waits_for_no_stream() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    add_user(&world);
    let daemon = world.serve("2022-03-17T09:00:00+08:00", 0.0).await;
    daemon.advance("2022-03-17T09:30:00+08:00").await;
    let mut links = smtp.mails().into_iter().map(|mail| mail.link());
    let mut report = async || {
        let token = links.next().unwrap().rsplit('/').next().unwrap().to_owned();
        let url = format!("{}/api/v1/reply/{token}", daemon.base);
        let sheet: Value = daemon
            .http
            .get(&url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let task = &sheet["items"][0]["task"];
        let body = json!({"reports": [{"task": task, "status": "completed", "progress": "已完成全部建设内容。"}]});
        let answer = daemon.http.post(&url).json(&body).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    };
    report().await;

    let browser = Browser::open(1280, 900).await;
    sign_in(&browser, &daemon).await;
    browser
        .goto(&format!("{}/review?quarter=2022Q1", daemon.base))
        .await;
    assert_eq!(browser.count("article").await, 1);
    browser.type_into("input[name=reason]", "请补充数据").await;
    browser
        .run("window.mark = 7; scrollTo(0, 40)", json!([]))
        .await;
    // The stream is open before the report comes, or says so afterwards: both must do.
    report().await;
    report().await;
    browser.says("新到2份报送，已更新").await;
    assert_eq!(browser.count("article").await, 3);
    assert_eq!(browser.value("input[name=reason]").await, "请补充数据");
    assert_eq!(browser.focused().await, "reason");
    assert_eq!(
        browser.run("return window.mark", json!([])).await,
        7,
        "it was not loaded anew"
    );
    browser.says("审核3").await;

    // A stream says what kind of thing happened, nothing of what was said; nobody gets none.
    let cookie = session(&daemon).await;
    let url = format!("{}/events?plan=dongguan-2022&quarter=2022Q1", daemon.base);
    let nobody = daemon.http.get(&url).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let mut stream = daemon
        .http
        .get(&url)
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    report().await;
    let mut heard = String::new();
    while !heard.contains("\"words\"") {
        let piece = tokio::time::timeout(SOON, stream.chunk()).await;
        let piece = piece
            .unwrap_or_else(|_| panic!("{heard}"))
            .unwrap()
            .unwrap();
        heard.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(
        heard.contains("新到1份报送") && !heard.contains("已完成全部"),
        "{heard}"
    );

    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(
            daemon
                .http
                .get(&url)
                .header("cookie", &cookie)
                .send()
                .await
                .unwrap(),
        );
    }
    let begun = Instant::now();
    daemon.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    drop((others, browser));
}
