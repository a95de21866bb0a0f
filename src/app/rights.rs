//! What each may: every route of every room, asked by everybody. A route that is not in the table
//! fails the test, so that nobody adds one without saying who may open it.

use std::collections::BTreeSet;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use chrono::DateTime;
use tower::ServiceExt as _;

use super::{App, demo};
use crate::board::users;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::fact::Actor;
use crate::domain::token::Scope;
use crate::domain::user::{Profile, Role, Sight};
use crate::web::bearer;

const PASSWORD: &str = "督查科的长密码不外传";
const LEADER: &str = "刘光滨";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    /// A viewer of one leader's tasks.
    Limited,
    Viewer,
    Coordinator,
    Admin,
    /// A token of one scope.
    Token(Scope),
}

const EVERYBODY: [Who; 9] = [
    Who::Nobody,
    Who::Limited,
    Who::Viewer,
    Who::Coordinator,
    Who::Admin,
    Who::Token(Scope::BoardRead),
    Who::Token(Scope::DeliveriesRead),
    Who::Token(Scope::ReportsWrite),
    Who::Token(Scope::Export),
];

/// Whose a route is.
#[derive(Debug, Clone, Copy)]
enum May {
    /// Everybody's, or it has a key of its own in its address.
    Open,
    /// Whoever has signed in; what it shows keeps to what they may see.
    Reader,
    /// The same, and tokens of this scope.
    ReaderOr(Scope),
    /// The same without those who see a part only.
    OfficeOr(Scope),
    /// Those who see all of the office's work.
    Office,
    /// Those who do it.
    Writer,
    /// The same, and tokens of this scope.
    WriterOr(Scope),
    Admin,
    /// Not there except in a trial run.
    Demo,
}

impl May {
    fn lets(self, who: Who) -> bool {
        use Who::{Admin, Coordinator, Limited, Token, Viewer};
        let all = matches!(who, Viewer | Coordinator | Admin);
        let writes = matches!(who, Coordinator | Admin);
        match self {
            Self::Open => true,
            Self::Reader => all || who == Limited,
            Self::ReaderOr(scope) => all || who == Limited || who == Token(scope),
            Self::OfficeOr(scope) => all || who == Token(scope),
            Self::Office => all,
            Self::Writer => writes,
            Self::WriterOr(scope) => writes || who == Token(scope),
            Self::Admin => who == Admin,
            Self::Demo => false,
        }
    }
}

/// Every route, as it is written in the sources, with an address to try it at.
const ROUTES: &[(&str, &str, May)] = &[
    ("GET /", "/", May::Reader),
    ("GET /grid.svg", "/grid.svg", May::ReaderOr(Scope::Export)),
    ("GET /grid.png", "/grid.png", May::ReaderOr(Scope::Export)),
    (
        "GET /g/{plan}/{quarter}/{task}",
        "/g/dongguan-2022/1/16",
        May::Reader,
    ),
    (
        "GET /g/{plan}/{quarter}/{task}/{as_of}",
        "/g/dongguan-2022/1/16/2022-03-31T18:00",
        May::Reader,
    ),
    (
        "GET /task/{plan}/{quarter}/{task}/{group}",
        "/task/dongguan-2022/2022Q1/16/0",
        May::Reader,
    ),
    (
        "GET /task/{plan}/{quarter}/{task}/{group}/evidence/{hash}",
        "/task/dongguan-2022/2022Q1/16/0/evidence/0",
        May::Reader,
    ),
    ("GET /events", "/events", May::Reader),
    ("GET /review", "/review", May::Office),
    ("POST /review", "/review", May::Writer),
    ("POST /review/list", "/review/list", May::Writer),
    ("GET /items", "/items", May::Reader),
    ("GET /papers", "/papers", May::Reader),
    (
        "GET /bulletin.docx",
        "/bulletin.docx",
        May::ReaderOr(Scope::Export),
    ),
    ("POST /bulletin.docx", "/bulletin.docx", May::Writer),
    ("POST /urge-slip.docx", "/urge-slip.docx", May::Writer),
    (
        "POST /supervision-notice.docx",
        "/supervision-notice.docx",
        May::Writer,
    ),
    ("GET /items.csv", "/items.csv", May::ReaderOr(Scope::Export)),
    ("POST /items/urge", "/items/urge", May::Writer),
    (
        "GET /task/{plan}/{task}",
        "/task/dongguan-2022/16",
        May::Reader,
    ),
    ("GET /unit", "/unit?name=x", May::Reader),
    ("GET /person/{id}", "/person/p0", May::Reader),
    (
        "GET /person/{id}/history.csv",
        "/person/p0/history.csv",
        May::ReaderOr(Scope::Export),
    ),
    ("GET /deliveries", "/deliveries", May::Office),
    (
        "GET /deliveries.csv",
        "/deliveries.csv",
        May::OfficeOr(Scope::Export),
    ),
    ("POST /deliveries/revive", "/deliveries/revive", May::Writer),
    (
        "POST /deliveries/handled",
        "/deliveries/handled",
        May::Writer,
    ),
    ("GET /mails", "/mails", May::Office),
    ("POST /mails", "/mails", May::Writer),
    ("GET /mails/{mail}/{hash}", "/mails/0/0", May::Office),
    ("GET /requests", "/requests", May::Office),
    (
        "POST /requests/extension",
        "/requests/extension",
        May::Writer,
    ),
    ("POST /requests/not-mine", "/requests/not-mine", May::Writer),
    ("POST /requests/people", "/requests/people", May::Writer),
    (
        "POST /requests/people/end",
        "/requests/people/end",
        May::Writer,
    ),
    ("GET /readiness", "/readiness", May::Office),
    ("POST /readiness/test", "/readiness/test", May::Writer),
    ("POST /clock/confirm", "/clock/confirm", May::Writer),
    ("GET /settings/contacts", "/settings/contacts", May::Writer),
    (
        "POST /settings/contacts/edit",
        "/settings/contacts/edit",
        May::Writer,
    ),
    ("GET /templates", "/templates", May::Office),
    (
        "GET /templates/{name}/html",
        "/templates/default/html?stage=notice",
        May::Office,
    ),
    (
        "GET /urge",
        "/urge?plan=dongguan-2022&quarter=2022Q1",
        May::Writer,
    ),
    ("POST /urge", "/urge", May::Writer),
    ("POST /api/v1/urge", "/api/v1/urge", May::Writer),
    (
        "GET /api/v1/board",
        "/api/v1/board",
        May::ReaderOr(Scope::BoardRead),
    ),
    (
        "GET /api/v1/deliveries",
        "/api/v1/deliveries",
        May::OfficeOr(Scope::DeliveriesRead),
    ),
    (
        "GET /api/v1/openapi.json",
        "/api/v1/openapi.json",
        May::Open,
    ),
    // Waits for loops that do not run here. Time is simulated or it cannot be moved.
    ("POST /api/v1/clock", "", May::Open),
    ("GET /login", "/login", May::Open),
    ("POST /login", "/login", May::Open),
    ("POST /login/code", "/login/code", May::Open),
    ("GET /login/oidc", "/login/oidc", May::Open),
    (
        "GET /login/oidc/callback",
        "/login/oidc/callback",
        May::Open,
    ),
    ("POST /logout", "/logout", May::Reader),
    ("GET /account", "/account", May::Reader),
    ("POST /account/password", "/account/password", May::Reader),
    ("POST /account/second", "/account/second", May::Reader),
    (
        "POST /account/second/confirm",
        "/account/second/confirm",
        May::Reader,
    ),
    (
        "POST /account/second/remove",
        "/account/second/remove",
        May::Reader,
    ),
    // Ends what the others ask with; who may is tried in board/tests/accounts.rs.
    ("POST /account/sessions/end", "", May::Reader),
    ("GET /users", "/users", May::Admin),
    ("POST /users", "/users", May::Admin),
    ("GET /tokens", "/tokens", May::Admin),
    ("POST /tokens", "/tokens", May::Admin),
    ("GET /api/v1/users", "/api/v1/users", May::Admin),
    ("POST /api/v1/users", "/api/v1/users", May::Admin),
    (
        "POST /api/v1/users/{name}/profile",
        "/api/v1/users/none/profile",
        May::Admin,
    ),
    (
        "POST /api/v1/users/{name}/password",
        "/api/v1/users/none/password",
        May::Admin,
    ),
    (
        "POST /api/v1/users/{name}/disable",
        "/api/v1/users/none/disable",
        May::Admin,
    ),
    (
        "POST /api/v1/users/{name}/enable",
        "/api/v1/users/none/enable",
        May::Admin,
    ),
    (
        "POST /api/v1/users/{name}/totp-reset",
        "/api/v1/users/none/totp-reset",
        May::Admin,
    ),
    ("GET /api/v1/tokens", "/api/v1/tokens", May::Admin),
    ("POST /api/v1/tokens", "/api/v1/tokens", May::Admin),
    (
        "POST /api/v1/tokens/{id}/revoke",
        "/api/v1/tokens/none/revoke",
        May::Admin,
    ),
    ("GET /inbox", "/inbox", May::Demo),
    ("GET /inbox/{id}", "/inbox/0", May::Demo),
    ("GET /inbox/{id}/html", "/inbox/0/html", May::Demo),
    ("POST /inbox/advance", "/inbox/advance", May::Demo),
    ("GET /unclear", "/unclear", May::Office),
    ("POST /unclear/report", "/unclear/report", May::Writer),
    ("POST /unclear/aside", "/unclear/aside", May::Writer),
    ("POST /on-behalf", "/on-behalf", May::Writer),
    (
        "POST /api/v1/report",
        "/api/v1/report",
        May::WriterOr(Scope::ReportsWrite),
    ),
    ("GET /events", "/events", May::Reader),
    ("GET /settings", "/settings", May::Writer),
    ("GET /settings/config", "/settings/config", May::Writer),
    ("GET /settings/contacts", "/settings/contacts", May::Writer),
    (
        "GET /settings/contacts/edit",
        "/settings/contacts/edit?person=none",
        May::Writer,
    ),
    (
        "POST /settings/contacts/edit",
        "/settings/contacts/edit",
        May::Writer,
    ),
    (
        "GET /settings/contacts/template.xlsx",
        "/settings/contacts/template.xlsx",
        May::Writer,
    ),
    (
        "POST /settings/contacts/import",
        "/settings/contacts/import",
        May::Writer,
    ),
    (
        "GET /settings/contacts/import/{hash}",
        "/settings/contacts/import/0",
        May::Writer,
    ),
    (
        "POST /settings/contacts/import/{hash}",
        "/settings/contacts/import/0",
        May::Writer,
    ),
    ("GET /settings/holidays", "/settings/holidays", May::Writer),
    (
        "POST /settings/holidays/import",
        "/settings/holidays/import",
        May::Writer,
    ),
    (
        "GET /settings/holidays/import/{hash}",
        "/settings/holidays/import/0",
        May::Writer,
    ),
    (
        "POST /settings/holidays/import/{hash}",
        "/settings/holidays/import/0",
        May::Writer,
    ),
    ("GET /import", "/import", May::Writer),
    ("POST /import", "/import", May::Writer),
    ("GET /import/{hash}", "/import/0", May::Writer),
    ("POST /import/{hash}", "/import/0", May::Writer),
    // Owners', calendars' and machines' own doors: a signed address or nothing to hide.
    ("GET /r/{token}", "/r/0", May::Open),
    ("POST /r/{token}", "/r/0", May::Open),
    ("POST /r/{token}/draft", "/r/0/draft", May::Open),
    ("POST /r/{token}/evidence", "/r/0/evidence", May::Open),
    (
        "GET /r/{token}/evidence/{hash}",
        "/r/0/evidence/0",
        May::Open,
    ),
    ("GET /r/{token}/receipt", "/r/0/receipt", May::Open),
    (
        "GET /r/{token}/received/{channel}",
        "/r/0/received/email",
        May::Open,
    ),
    (
        "POST /r/{token}/received/{channel}",
        "/r/0/received/email",
        May::Open,
    ),
    (
        "GET /r/{token}/extension/{task}/{group}",
        "/r/0/extension/1/0",
        May::Open,
    ),
    (
        "POST /r/{token}/extension/{task}/{group}",
        "/r/0/extension/1/0",
        May::Open,
    ),
    (
        "GET /r/{token}/not-mine/{task}/{group}",
        "/r/0/not-mine/1/0",
        May::Open,
    ),
    (
        "POST /r/{token}/not-mine/{task}/{group}",
        "/r/0/not-mine/1/0",
        May::Open,
    ),
    ("GET /r/{token}/summary/{task}", "/r/0/summary/1", May::Open),
    (
        "POST /r/{token}/summary/{task}",
        "/r/0/summary/1",
        May::Open,
    ),
    ("GET /api/v1/reply/{token}", "/api/v1/reply/0", May::Open),
    ("POST /api/v1/reply/{token}", "/api/v1/reply/0", May::Open),
    ("GET /calendar/{file}", "/calendar/0.ics", May::Open),
    ("GET /healthz", "/healthz", May::Open),
    ("GET /readyz", "/readyz", May::Open),
    ("GET /metrics", "/metrics", May::Open),
];

/// Rooms that are not part of this table: style sheets, and WeCom's own door, which has its keys.
const ELSEWHERE: [&str; 2] = ["src/web/assets.rs", "src/reply/wecom/mod.rs"];

#[tokio::test]
async fn everybody_may_what_is_theirs_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let app = office(folder.path()).await;
    let router = app.public_router();
    let mut keys = Vec::new();
    for who in EVERYBODY {
        keys.push((who, Key::of(&app, &router, who).await));
    }
    for (route, path, may) in ROUTES.iter().filter(|(_, path, _)| !path.is_empty()) {
        let (method, _) = route.split_once(' ').unwrap();
        for (who, key) in keys.iter().filter(|_| *route != "POST /logout") {
            let before = app.desk().ledger.book().position;
            let (status, to) = key.ask(&router, method, path).await;
            let turned_away = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
                || to == "/login";
            let here = format!("{who:?} {route}: {status} {to}");
            match may {
                May::Demo => assert_eq!(status, StatusCode::NOT_FOUND, "{here}"),
                May::Open => assert_ne!(to, "/login", "{here}"),
                _ if may.lets(*who) => assert!(!turned_away, "{here}"),
                _ => {
                    assert!(turned_away, "{here}");
                    let wrote = app.desk().ledger.book().position - before;
                    assert_eq!(wrote, 0, "{here}");
                }
            }
            // No loop runs here, so it is not ready.
            let broken = status.is_server_error() && *path != "/readyz";
            assert!(!broken, "{here}");
        }
    }
    drop(router);
    app.close().await.unwrap();
}

#[tokio::test]
async fn a_leaders_viewer_sees_that_leaders_tasks_alone() {
    let folder = tempfile::tempdir().unwrap();
    let app = office(folder.path()).await;
    let router = app.public_router();
    let limited = Key::of(&app, &router, Who::Limited).await;
    let (own, others): (Vec<_>, Vec<_>) = {
        let book = app.desk().ledger.book();
        let all = book.obligations.keys().cloned();
        let sight = Sight::Leader(LEADER.into());
        all.partition(|key| sight.sees(book.task_and_group(key).unwrap().0))
    };
    assert!(own.len() > 5 && others.len() > own.len());
    for (keys, wanted) in [(&own, StatusCode::OK), (&others, StatusCode::NOT_FOUND)] {
        for key in keys.iter().step_by(9) {
            let path = format!("/task/{key}");
            let (status, _) = limited.ask(&router, "GET", &path).await;
            assert_eq!(status, wanted, "{path}");
        }
    }
    let in_quarter = |keys: &[crate::domain::ids::ObligationKey]| -> BTreeSet<u32> {
        let keys = keys
            .iter()
            .filter(|key| key.quarter.to_string() == "2022Q1");
        keys.map(|key| key.task).collect()
    };
    let request = limited.request("GET", "/api/v1/board?quarter=2022Q1&state=all");
    let answer = router.clone().oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    let board: serde_json::Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
    let rows = board["rows"].as_array().unwrap().iter();
    let seen: BTreeSet<u32> = rows
        .map(|row| u32::try_from(row["task"].as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(seen, in_quarter(&own));
    drop(router);
    app.close().await.unwrap();
}

#[test]
fn every_route_of_the_sources_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written = BTreeSet::new();
    for room in ["board", "reply", "plan", "feed", "web"] {
        collect(&root.join("src").join(room), root, &mut written);
    }
    let path = |route: &str| route.split_once(' ').unwrap().1.to_owned();
    let known: BTreeSet<String> = ROUTES.iter().map(|(route, _, _)| path(route)).collect();
    assert_eq!(written, known);
}

fn collect(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, found);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        if !name.ends_with(".rs") || ELSEWHERE.contains(&name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for after in text.split(".route(").skip(1) {
            if let Some(route) = after.trim_start().strip_prefix('"') {
                found.insert(route.split('"').next().unwrap().to_owned());
            }
        }
    }
}

/// An office with the bundled table, nobody in a trial run.
async fn office(folder: &Path) -> App {
    let env = [
        ("CUIBAN__STORE__PATH", folder.display().to_string()),
        ("CUIBAN__SERVER__PUBLIC_URL", "http://127.0.0.1:8780".into()),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value));
    let config = Config::load_bare(env.into_iter()).unwrap().config;
    let start = DateTime::parse_from_rfc3339("2022-03-28T10:00:00+08:00").unwrap();
    let clock = Clock::simulated(start.to_utc(), 0.0);
    let app = App::open(config, clock).await.unwrap();
    demo::fill(&app).await.unwrap();
    app
}

/// What somebody asks with.
#[derive(Default)]
struct Key {
    cookie: Option<String>,
    csrf: String,
    bearer: Option<String>,
}

impl Key {
    async fn of(app: &App, router: &Router, who: Who) -> Self {
        let profile = match who {
            Who::Nobody => return Self::default(),
            Who::Token(scope) => return Self::token(app, scope).await,
            Who::Limited => Profile {
                sight: Sight::Leader(LEADER.into()),
                ..Profile::new(Role::Viewer)
            },
            Who::Viewer => Profile::new(Role::Viewer),
            Who::Coordinator => Profile::new(Role::Coordinator),
            Who::Admin => Profile::new(Role::Admin),
        };
        let name = format!("{who:?}");
        let password = users::Credential::Password(PASSWORD);
        users::create(app.desk(), Actor::Operator, &name, profile, password)
            .await
            .unwrap();
        Self::signed_in(router, &name).await
    }

    async fn signed_in(router: &Router, name: &str) -> Self {
        let encode = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
        let body = format!("name={name}&password={}", encode(PASSWORD));
        let request = Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let mut key = Self {
            cookie: Some(cookie.split(';').next().unwrap().to_owned()),
            ..Self::default()
        };
        let page = router.clone().oneshot(key.request("GET", "/account")).await;
        let bytes = axum::body::to_bytes(page.unwrap().into_body(), usize::MAX).await;
        let html = String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        let (_, rest) = html.split_once("name=\"csrf\" value=\"").unwrap();
        key.csrf = rest.split('"').next().unwrap().to_owned();
        key
    }

    async fn token(app: &App, scope: Scope) -> Self {
        use crate::domain::fact::Fact;
        let made = bearer::make().unwrap();
        let now = app.desk().clock.now();
        let fact = Fact::TokenMade {
            id: made.id,
            name: "OA系统".into(),
            scopes: vec![scope],
            sight: Sight::Everything,
            sha256: made.sha256,
            expires: now + chrono::TimeDelta::days(1),
        };
        let appended = app.desk().ledger.append(Actor::Operator, now, vec![fact]);
        appended.await.unwrap();
        Self {
            bearer: Some(made.text),
            ..Self::default()
        }
    }

    fn request(&self, method: &str, path: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if method == "GET" {
            return request.body(Body::empty()).unwrap();
        }
        let (kind, body) = match path {
            "/import" | "/settings/contacts/import" | "/settings/holidays/import" => (
                "multipart/form-data; boundary=x",
                format!(
                    "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--x--\r\n",
                    self.csrf
                ),
            ),
            path if path.starts_with("/api/") => ("application/json", JSON.to_owned()),
            _ => (
                "application/x-www-form-urlencoded",
                format!("csrf={}&{FORM}", self.csrf),
            ),
        };
        let request = request.header("content-type", kind);
        request.body(Body::from(body)).unwrap()
    }

    async fn ask(&self, router: &Router, method: &str, path: &str) -> (StatusCode, String) {
        let answer = router.clone().oneshot(self.request(method, path)).await;
        let answer = answer.unwrap();
        let to = answer.headers().get("location");
        let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
        (answer.status(), to)
    }
}

/// Every field that any form reads; of things that are not there, so that nothing is done.
const FORM: &str = "plan=none&quarter=2022Q1&task=1&group=0&seen=0&word=accept&key=none&do=none\
    &item=none/2022Q1/1/0&day=2022-04-30&note=none&person=none&to=none&name=none&unit=none\
    &mail=none&heard=1&status=&delegation=1&from=none&old=none&new=none&again=none&password=none\
    &sealed=none&code=0&pending=none&one=none&advance=none&reason=none&role=viewer";

const JSON: &str = r#"{"plan":"none","quarter":"2022Q1","task":1,"person":"none","status":"completed",
    "advance_to":"2022-03-28T10:00:00+08:00","name":"","role":"viewer","password":"none","scopes":[],
    "reports":[]}"#;
