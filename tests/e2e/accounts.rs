//! Signing in to the real program: a second factor, the office's own sign-in service, tokens, and
//! what the journal says of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cuiban::domain::totp;
use reqwest::{Client, Response, StatusCode, Url};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::World;

const CLOCK: &str = "2022-03-17T10:00:00+08:00";
const PASSWORD: &str = "督查科的长密码不外传";

/// A browser that keeps its cookies and follows nothing by itself.
struct Browser {
    client: Client,
    base: String,
    cookies: HashMap<String, String>,
}

impl Browser {
    fn new(world: &World) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            client: client.build().unwrap(),
            base: format!("http://127.0.0.1:{}", world.port),
            cookies: HashMap::new(),
        }
    }

    async fn get(&mut self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.base));
        self.send(request).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut form = Url::parse("http://form.invalid").unwrap();
        form.query_pairs_mut().extend_pairs(fields);
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned());
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies.map(|(k, v)| format!("{k}={v}")).collect();
        let request = request.header("cookie", cookies.join("; "));
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

fn field(html: &str, name: &str) -> String {
    let (_, rest) = html
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name} in {html}"));
    rest.split('"').next().unwrap().to_owned()
}

fn add_user(world: &World, args: &[&str]) {
    let args: Vec<&str> = ["user", "add"].iter().chain(args).copied().collect();
    let output = world.cuiban_told(&args, &format!("{PASSWORD}\n"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

fn facts(world: &World, kind: &str) -> Vec<Value> {
    let dump = world.run(&["journal", "dump"]);
    let lines = dump
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    lines.filter(|line| line["fact"]["kind"] == kind).collect()
}

fn seconds() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// As an authenticator reads what a person types in.
fn base32(text: &str) -> Vec<u8> {
    let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b' ') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        held = (held << 5 | u32::from(value)) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 255) as u8);
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_holds_across_a_restart_and_is_reset_from_the_command_line() {
    let world = World::new("");
    let daemon = world.serve(CLOCK, 0.0).await;
    add_user(&world, &["wang", "--role", "admin"]);
    let mut browser = Browser::new(&world);
    let sign_in = [("name", "wang"), ("password", PASSWORD)];
    assert_eq!(location(&browser.post("/login", &sign_in).await), "/");
    let html = browser.get("/account").await.text().await.unwrap();
    let csrf = field(&html, "csrf");
    let ask = [("csrf", csrf.as_str()), ("password", PASSWORD)];
    let html = browser
        .post("/account/second", &ask)
        .await
        .text()
        .await
        .unwrap();
    let (_, rest) = html.split_once("密钥：<code>").unwrap();
    let secret = base32(rest.split('<').next().unwrap());
    let sealed = field(&html, "sealed");
    let code = totp::code(&secret, totp::step_at(seconds()));
    let confirm = [
        ("csrf", csrf.as_str()),
        ("sealed", sealed.as_str()),
        ("code", code.as_str()),
    ];
    let answer = browser.post("/account/second/confirm", &confirm).await;
    assert_eq!(answer.status(), StatusCode::OK);
    drop(daemon);

    // The code that confirmed it is used up, also for a program that has just started.
    let daemon = world.serve(CLOCK, 0.0).await;
    let mut other = Browser::new(&world);
    let html = other.post("/login", &sign_in).await.text().await.unwrap();
    let pending = field(&html, "pending");
    let again = [("pending", pending.as_str()), ("code", code.as_str())];
    let answer = other.post("/login/code", &again).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let next = totp::code(&secret, totp::step_at(seconds()) + 1);
    let next = [("pending", pending.as_str()), ("code", next.as_str())];
    assert_eq!(location(&other.post("/login/code", &next).await), "/");

    let dump = world.run(&["journal", "dump"]);
    assert!(!dump.contains(&totp::base32(&secret)));
    world.run(&["user", "totp-reset", "wang"]);
    assert_eq!(location(&other.get("/").await), "/login");
    assert_eq!(location(&other.post("/login", &sign_in).await), "/");
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_the_command_line_opens_its_scopes_until_it_is_revoked() {
    let world = World::new("");
    let daemon = world.serve(CLOCK, 0.0).await;
    world.run(&[
        "plan",
        "import",
        crate::world::TABLE,
        "--id",
        "dongguan-2022",
        "--accept",
    ]);
    let made = world.run(&["token", "add", "OA系统", "--scope", "board:read"]);
    let token = made.trim();
    let base = format!("http://127.0.0.1:{}", world.port);
    let client = Client::new();
    let ask = async |path: &str| {
        let request = client.get(format!("{base}{path}")).bearer_auth(token);
        request.send().await.unwrap().status()
    };
    assert_eq!(ask("/api/v1/board?quarter=2022Q1").await, StatusCode::OK);
    assert_eq!(ask("/api/v1/deliveries").await, StatusCode::FORBIDDEN);
    let id = token.split('_').nth(1).unwrap();
    world.run(&["token", "revoke", id]);
    assert_eq!(ask("/api/v1/board").await, StatusCode::UNAUTHORIZED);
    assert!(world.run(&["token", "list"]).contains("OA系统（无效）"));
    let secret = token.rsplit('_').next().unwrap();
    assert!(!world.run(&["journal", "dump"]).contains(secret));
    assert_eq!(facts(&world, "token.used").len(), 1);
    drop(daemon);
}

/// A stand-in for the office's sign-in service.
struct Issuer {
    base: String,
    key: EcdsaKeyPair,
    /// Codes given out, each with challenge, nonce and who signed in.
    codes: Mutex<HashMap<String, (String, String, String)>>,
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let issuer = Arc::new(Self {
            base: format!("http://{}", listener.local_addr().unwrap()),
            key: EcdsaKeyPair::from_pkcs8(how, document.as_ref(), &random).unwrap(),
            codes: Mutex::default(),
        });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(redeem))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        issuer
    }

    /// Somebody signs in there: the way back that their browser is sent.
    fn sign_in(&self, to: &str, subject: &str) -> String {
        let to = Url::parse(to).unwrap();
        assert!(
            to.as_str()
                .starts_with(&format!("{}/authorize?", self.base))
        );
        let asked: HashMap<_, _> = to.query_pairs().into_owned().collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["client_id"], "cuiban");
        let code = format!("code-{subject}");
        let given = (
            asked["code_challenge"].clone(),
            asked["nonce"].clone(),
            subject.to_owned(),
        );
        self.codes.lock().unwrap().insert(code.clone(), given);
        format!("/login/oidc/callback?code={code}&state={}", asked["state"])
    }
}

async fn discovery(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let base = &issuer.base;
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
    }))
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let point = issuer.key.public_key().as_ref();
    let half = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    Json(json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "1",
        "x": half(1..33), "y": half(33..65) }] }))
}

async fn redeem(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, axum::http::StatusCode> {
    let refused = axum::http::StatusCode::BAD_REQUEST;
    let basic = format!("Basic {}", STANDARD.encode("cuiban:geheim"));
    assert_eq!(headers["authorization"], basic.as_str());
    let form = Url::parse(&format!("http://form.invalid/?{body}")).unwrap();
    let form: HashMap<_, _> = form.query_pairs().into_owned().collect();
    // A code is good once.
    let given = issuer.codes.lock().unwrap().remove(&form["code"]);
    let (challenge, nonce, subject) = given.ok_or(refused)?;
    let verifier = Sha256::digest(form["code_verifier"].as_bytes());
    if URL_SAFE_NO_PAD.encode(verifier) != challenge {
        return Err(refused);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": issuer.base, "aud": "cuiban", "sub": subject, "nonce": nonce,
        "exp": seconds() + 60, "preferred_username": subject.trim_start_matches("sub-") });
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "ES256", "kid": "1" })),
        part(&claims)
    );
    let signature = issuer
        .key
        .sign(&SystemRandom::new(), signed.as_bytes())
        .unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Ok(Json(
        json!({ "access_token": "none", "token_type": "Bearer", "id_token": token }),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offices_own_service_lets_known_people_in() {
    let issuer = Issuer::start().await;
    let world = World::new(&format!(
        "[oidc]\nissuer = \"{}\"\nclient_id = \"cuiban\"\nclient_secret_file = \"oidc-secret\"\n\
         name_claim = \"preferred_username\"\n",
        issuer.base
    ));
    std::fs::write(world.path("oidc-secret"), "geheim\n").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(world.path("oidc-secret"), private).unwrap();
    let daemon = world.serve(CLOCK, 0.0).await;
    world.run(&[
        "user",
        "add",
        "刘市长",
        "--role",
        "viewer",
        "--oidc-sub",
        "sub-8f14",
        "--no-password",
    ]);
    add_user(&world, &["wang", "--role", "coordinator"]);

    let mut browser = Browser::new(&world);
    let html = browser.get("/login").await.text().await.unwrap();
    assert!(html.contains("用统一身份认证登录"));
    let away = browser.get("/login/oidc").await;
    let back = issuer.sign_in(location(&away), "sub-8f14");
    // Somebody else's browser cannot come back with it.
    let stolen = Browser::new(&world).get(&back).await;
    assert_eq!(stolen.status(), StatusCode::UNAUTHORIZED);
    let other_state = back.replace("state=", "state=x");
    let forged = browser.get(&other_state).await;
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);
    let away = browser.get("/login/oidc").await;
    let back = issuer.sign_in(location(&away), "sub-8f14");
    assert_eq!(location(&browser.get(&back).await), "/");
    let html = browser.get("/account").await.text().await.unwrap();
    assert!(html.contains("刘市长"));
    let again = browser.get(&back).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "good once");

    // Matched by name once; from then on by what does not change.
    let mut browser = Browser::new(&world);
    let away = browser.get("/login/oidc").await;
    let back = issuer.sign_in(location(&away), "sub-wang");
    assert_eq!(location(&browser.get(&back).await), "/");
    let changed = facts(&world, "user.changed");
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["fact"]["subject"], "sub-wang");

    let mut browser = Browser::new(&world);
    let away = browser.get("/login/oidc").await;
    let back = issuer.sign_in(location(&away), "sub-stranger");
    let answer = browser.get(&back).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.text().await.unwrap().contains("sub-stranger"));
    drop(daemon);
}
