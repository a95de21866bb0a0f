//! A stand-in for WeCom's application API: tokens that end, one message a person, accounts it does
//! not know, doubles it does not deliver, cards that can be changed once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::wecom::{Answer, scripted, verdict};

pub const CORP: &str = "ww0123456789abcdef";
pub const SECRET: &str = "q7Hn-0secret0of0the0application0Zk3";
pub const AGENT: i64 = 1_000_002;

/// Asked at each call: what comes after `/cgi-bin/`, and the how-manieth call of that (from 1).
pub type AppScript = Arc<dyn Fn(&str, usize) -> Answer + Send + Sync>;

/// A message that reached a person.
#[derive(Debug, Clone)]
pub struct Delivered {
    pub user: String,
    pub body: Value,
    pub at: Instant,
}

impl Delivered {
    /// The page its buttons or its text lead to.
    pub fn link(&self) -> Option<String> {
        let card = &self.body["template_card"]["card_action"]["url"];
        let text = self.body["text"]["content"].as_str().unwrap_or_default();
        let from_text = || {
            let (_, rest) = text.split_once("http")?;
            let end = |c: char| c.is_whitespace() || !c.is_ascii();
            Some(format!("http{}", rest.split(end).next()?))
        };
        card.as_str().map(str::to_owned).or_else(from_text)
    }
}

pub struct AppPeer {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

struct Shared {
    script: Mutex<AppScript>,
    state: Mutex<Office>,
}

#[derive(Default)]
struct Office {
    calls: Vec<(String, Value)>,
    /// Seconds a token lives.
    token_life: u64,
    tokens: u32,
    token: Option<(String, Instant)>,
    ended: BTreeSet<String>,
    /// Accounts that are not there, in lower case.
    unknown: BTreeSet<String>,
    unlicensed: BTreeSet<String>,
    by_mobile: BTreeMap<String, String>,
    by_email: BTreeMap<String, String>,
    task_ids: BTreeSet<String>,
    requests: Vec<(Vec<u8>, Instant, String)>,
    delivered: Vec<Delivered>,
    /// Whose messages were the same as one before.
    doubles: Vec<String>,
    cards: BTreeMap<String, (String, Instant, bool)>,
    settled: Vec<(String, Value)>,
    /// Messages that are delivered yet and never answered.
    unanswered: usize,
    /// Whether a member's limits are held; off where a simulated clock runs faster.
    limited: bool,
}

impl AppPeer {
    pub async fn good() -> Self {
        Self::start(true).await
    }

    pub async fn start(limited: bool) -> Self {
        let state = Office {
            token_life: 7200,
            limited,
            ..Office::default()
        };
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(|_, _| Answer::Usual)),
            state: Mutex::new(state),
        });
        let app = Router::new()
            .route("/cgi-bin/gettoken", get(gettoken))
            .route("/cgi-bin/agent/get", get(about))
            .route("/cgi-bin/message/send", post(send))
            .route("/cgi-bin/message/update_template_card", post(update))
            .route("/cgi-bin/user/getuserid", post(by_mobile))
            .route("/cgi-bin/user/get_userid_by_email", post(by_email))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self {
            addr,
            shared,
            tasks: vec![task],
        }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The same behind TLS, under a certificate that only the tests' own authority signed.
    pub async fn behind_tls(&mut self) -> String {
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../fixtures/tls/server.key"));
        let chain = CertificateDer::pem_slice_iter(include_bytes!("../fixtures/tls/server.pem"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key.unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let inside = self.addr;
        self.tasks.push(tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut outer) = acceptor.accept(tcp).await else {
                        return;
                    };
                    let mut inner = tokio::net::TcpStream::connect(inside).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                });
            }
        }));
        base
    }

    pub fn set_script(&self, script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Office> {
        self.shared.state.lock().unwrap()
    }

    /// Delivers so many and never says so.
    pub fn answer_nobody(&self, count: usize) {
        self.state().unanswered = count;
    }

    pub fn forget(&self, user: &str) {
        self.state().unknown.insert(user.to_lowercase());
    }

    pub fn unlicense(&self, user: &str) {
        self.state().unlicensed.insert(user.to_lowercase());
    }

    pub fn has_mobile(&self, mobile: &str, user: &str) {
        self.state().by_mobile.insert(mobile.into(), user.into());
    }

    pub fn has_email(&self, email: &str, user: &str) {
        self.state().by_email.insert(email.into(), user.into());
    }

    /// Tokens given from now on live so many seconds.
    pub fn token_life(&self, seconds: u64) {
        self.state().token_life = seconds;
    }

    /// The token given last is good no more, before its time.
    pub fn end_token(&self) {
        let mut state = self.state();
        if let Some((token, _)) = state.token.take() {
            state.ended.insert(token);
        }
    }

    pub fn tokens_given(&self) -> u32 {
        self.state().tokens
    }

    /// A code as it comes with a tap: it changes a card of this user, once.
    pub fn fresh_code(&self, user: &str) -> String {
        let mut state = self.state();
        let code = format!("tap-code-{}", state.cards.len() + 1);
        let card = (user.to_owned(), Instant::now(), false);
        state.cards.insert(code.clone(), card);
        code
    }

    /// How often this was called, also where it was refused.
    pub fn calls_of(&self, path: &str) -> usize {
        self.state().calls.iter().filter(|(p, _)| p == path).count()
    }

    pub fn bodies_of(&self, path: &str) -> Vec<Value> {
        let state = self.state();
        let calls = state.calls.iter().filter(|(p, _)| p == path);
        calls.map(|(_, body)| body.clone()).collect()
    }

    pub fn delivered(&self) -> Vec<Delivered> {
        self.state().delivered.clone()
    }

    /// Requests that were the same as one before.
    pub fn doubles(&self) -> usize {
        self.state().doubles.len()
    }

    /// Whom they were for.
    pub fn doubled(&self) -> Vec<String> {
        self.state().doubles.clone()
    }

    /// Changes to cards, with the account.
    pub fn settled(&self) -> Vec<(String, Value)> {
        self.state().settled.clone()
    }
}

impl Drop for AppPeer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

type Params = Query<BTreeMap<String, String>>;

async fn gettoken(State(shared): State<Arc<Shared>>, Query(query): Params) -> Response {
    if let Some(answer) = noted(&shared, "gettoken", Value::Null).await {
        return answer;
    }
    if query.get("corpid").map(String::as_str) != Some(CORP) {
        return verdict(40013, "invalid corpid");
    }
    if query.get("corpsecret").map(String::as_str) != Some(SECRET) {
        return verdict(40001, "invalid credential");
    }
    let mut state = shared.state.lock().unwrap();
    state.tokens += 1;
    let life = state.token_life;
    let token = format!("token-{}-{}", state.tokens, "x".repeat(200));
    state.token = Some((token.clone(), Instant::now() + Duration::from_secs(life)));
    json_of(json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": life}))
}

async fn about(State(shared): State<Arc<Shared>>, Query(query): Params) -> Response {
    let asked = json!(query.get("agentid"));
    if let Some(answer) = noted(&shared, "agent/get", asked).await {
        return answer;
    }
    if let Err((code, why)) = shared.state.lock().unwrap().know(&query) {
        return verdict(code, why);
    }
    match query.get("agentid") == Some(&AGENT.to_string()) {
        true => json_of(json!({"errcode": 0, "errmsg": "ok", "agentid": AGENT, "close": 0})),
        false => verdict(
            301_002,
            "not allow operate another agent with this accesstoken",
        ),
    }
}

async fn send(State(shared): State<Arc<Shared>>, Query(query): Params, body: Bytes) -> Response {
    let read = serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null);
    if let Some(answer) = noted(&shared, "message/send", read.clone()).await {
        return answer;
    }
    let (answer, said) = {
        let mut state = shared.state.lock().unwrap();
        if let Err((code, why)) = state.know(&query) {
            return verdict(code, why);
        }
        let answer = state.deliver(&read, &body);
        let said = state.unanswered == 0;
        state.unanswered = state.unanswered.saturating_sub(1);
        (answer, said)
    };
    if !said {
        std::future::pending::<()>().await;
    }
    match answer {
        Ok(answer) => json_of(answer),
        Err((code, why)) => verdict(code, why),
    }
}

async fn update(State(shared): State<Arc<Shared>>, Query(query): Params, body: Bytes) -> Response {
    let read = serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null);
    if let Some(answer) = noted(&shared, "message/update_template_card", read.clone()).await {
        return answer;
    }
    let mut state = shared.state.lock().unwrap();
    if let Err((code, why)) = state.know(&query) {
        return verdict(code, why);
    }
    if read["agentid"] != AGENT {
        return verdict(40056, "invalid agentid");
    }
    let Some(user) = read["userids"][0].as_str().map(str::to_owned) else {
        return verdict(82001, "no receivers");
    };
    let code = read["response_code"].as_str().unwrap_or_default();
    match state.cards.get_mut(code) {
        Some((owner, sent, used))
            if owner.eq_ignore_ascii_case(&user)
                && !*used
                && sent.elapsed() < Duration::from_secs(72 * 3600) =>
        {
            *used = true;
        }
        _ => return verdict(40058, "invalid response_code"),
    }
    if read["template_card"].is_object() {
        if let Err((code, why)) = state.check_card(&read["template_card"]) {
            return verdict(code, why);
        }
    } else if read["button"]["replace_name"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        return verdict(40058, "nothing to change it to");
    }
    state.settled.push((user, read));
    json_of(json!({"errcode": 0, "errmsg": "ok", "invaliduser": []}))
}

async fn by_mobile(
    State(shared): State<Arc<Shared>>,
    Query(query): Params,
    body: Bytes,
) -> Response {
    found(&shared, "user/getuserid", "mobile", &query, &body).await
}

async fn by_email(
    State(shared): State<Arc<Shared>>,
    Query(query): Params,
    body: Bytes,
) -> Response {
    found(&shared, "user/get_userid_by_email", "email", &query, &body).await
}

async fn found(
    shared: &Shared,
    path: &str,
    field: &str,
    query: &BTreeMap<String, String>,
    body: &[u8],
) -> Response {
    let read = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    if let Some(answer) = noted(shared, path, read.clone()).await {
        return answer;
    }
    let state = shared.state.lock().unwrap();
    if let Err((code, why)) = state.know(query) {
        return verdict(code, why);
    }
    let asked = read[field].as_str().unwrap_or_default();
    let known = if field == "mobile" {
        state.by_mobile.get(asked)
    } else {
        state.by_email.get(asked)
    };
    match known {
        Some(user) => json_of(json!({"errcode": 0, "errmsg": "ok", "userid": user})),
        None => verdict(46004, "user not exist"),
    }
}

/// Writes the call down and gives the script's answer, if it has one.
async fn noted(shared: &Shared, path: &str, body: Value) -> Option<Response> {
    let nth = {
        let mut state = shared.state.lock().unwrap();
        state.calls.push((path.to_owned(), body));
        state.calls.iter().filter(|(p, _)| p == path).count()
    };
    let script = Arc::clone(&shared.script.lock().unwrap());
    scripted(script(path, nth)).await
}

type Refused = (i64, &'static str);

impl Office {
    fn know(&self, query: &BTreeMap<String, String>) -> Result<(), Refused> {
        let given = query.get("access_token").map_or("", String::as_str);
        match &self.token {
            _ if given.is_empty() => Err((41001, "access_token missing")),
            Some((token, until)) if token == given => match *until > Instant::now() {
                true => Ok(()),
                false => Err((42001, "access_token expired")),
            },
            _ if self.ended.contains(given) => Err((42001, "access_token expired")),
            _ => Err((40014, "invalid access_token")),
        }
    }

    fn deliver(&mut self, body: &Value, bytes: &[u8]) -> Result<Value, Refused> {
        if !body["agentid"].is_i64() || body["agentid"] != AGENT {
            return Err((40056, "invalid agentid"));
        }
        let users: Vec<String> = body["touser"]
            .as_str()
            .unwrap_or_default()
            .split('|')
            .filter(|user| !user.is_empty())
            .map(str::to_owned)
            .collect();
        if users.is_empty() {
            return Err((82001, "no receivers"));
        }
        let now = Instant::now();
        if body["enable_duplicate_check"] == 1 {
            let interval = body["duplicate_check_interval"].as_u64().unwrap_or(1800);
            let same = self.requests.iter().find(|(known, at, _)| {
                known == bytes && now - *at < Duration::from_secs(interval.min(14400))
            });
            if let Some((_, _, msgid)) = same {
                self.doubles.extend(users);
                return Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": msgid}));
            }
        }
        let interactive = self.check(body)?;
        let (bad, good): (Vec<String>, Vec<String>) = users
            .into_iter()
            .partition(|user| self.unknown.contains(&user.to_lowercase()));
        if good.is_empty() {
            return Err((81013, "user & party & tag all invalid"));
        }
        let mut unlicensed = Vec::new();
        let msgid = format!("msg-{}", self.requests.len() + 1);
        let code = format!("code-{}", self.requests.len() + 1);
        for user in good {
            if self.unlicensed.contains(&user.to_lowercase()) {
                unlicensed.push(user.to_lowercase());
                continue;
            }
            let recent = self.delivered.iter().filter(|one| {
                one.user.eq_ignore_ascii_case(&user) && now - one.at < Duration::from_secs(60)
            });
            if self.limited && recent.count() >= 30 {
                continue; // Dropped without an error.
            }
            if interactive {
                self.cards.insert(code.clone(), (user.clone(), now, false));
            }
            self.delivered.push(Delivered {
                user,
                body: body.clone(),
                at: now,
            });
        }
        self.requests.push((bytes.to_vec(), now, msgid.clone()));
        let mut answer = json!({
            "errcode": 0, "errmsg": "ok", "msgid": msgid,
            "invaliduser": bad.join("|").to_lowercase(),
            "invalidparty": "", "invalidtag": "", "unlicenseduser": unlicensed.join("|"),
        });
        if interactive {
            answer["response_code"] = code.into();
        }
        Ok(answer)
    }

    /// Whether the message is an interactive card; or what is wrong with it.
    fn check(&mut self, body: &Value) -> Result<bool, Refused> {
        match body["msgtype"].as_str() {
            Some("text") => match body["text"]["content"].as_str().unwrap_or_default() {
                "" => Err((44004, "empty content")),
                // The platform would cut it without a word; a test should hear of it.
                long if long.len() > 2048 => Err((45002, "content too long")),
                _ => Ok(false),
            },
            Some("template_card") => self.check_card(&body["template_card"]).map(|()| true),
            _ => Err((40008, "invalid message type")),
        }
    }

    fn check_card(&mut self, card: &Value) -> Result<(), Refused> {
        let chars = |value: &Value| value.as_str().unwrap_or_default().chars().count();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        if card["card_type"] != "button_interaction" {
            return Err((40058, "card_type not known to these tests"));
        }
        let action = &card["card_action"];
        if action["type"] != 1 || chars(&action["url"]) == 0 {
            return Err((42045, "template_card.card_action missing"));
        }
        let title = &card["main_title"];
        let buttons = list(&card["button_list"]);
        let good_button = |button: &Value| {
            let has_way = match button["type"].as_i64() {
                Some(1) => chars(&button["url"]) > 0,
                _ => chars(&button["key"]) > 0,
            };
            has_way && (1..=10).contains(&chars(&button["text"]))
        };
        let rows = list(&card["horizontal_content_list"]);
        let good_row =
            |row: &Value| (1..=5).contains(&chars(&row["keyname"])) && chars(&row["value"]) <= 26;
        let choices = &card["button_selection"];
        let options = list(&choices["option_list"]);
        let good_option = |option: &Value| {
            (1..=128).contains(&option["id"].as_str().unwrap_or_default().len())
                && (1..=16).contains(&chars(&option["text"]))
        };
        let chosen = options
            .iter()
            .any(|one| one["id"] == choices["selected_id"]);
        let good_choices = choices.is_null()
            || (1..=10).contains(&options.len())
                && options.iter().all(good_option)
                && chosen
                && chars(&choices["question_key"]) > 0;
        let fits = good_choices
            && (1..=26).contains(&chars(&title["title"]))
            && chars(&title["desc"]) <= 30
            && chars(&card["source"]["desc"]) <= 13
            && chars(&card["sub_title_text"]) <= 112
            && (1..=6).contains(&buttons.len())
            && buttons.iter().all(good_button)
            && rows.len() <= 6
            && rows.iter().all(good_row);
        if !fits {
            return Err((40058, "a part of the card is missing or too long"));
        }
        let task = card["task_id"].as_str().unwrap_or_default();
        let good = (1..=128).contains(&task.len())
            && task
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-@".contains(&b));
        if !good || !self.task_ids.insert(task.to_owned()) {
            return Err((42014, "invalid task_id"));
        }
        Ok(())
    }
}

fn json_of(value: Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}
