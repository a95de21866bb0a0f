//! Accounts: what signing in asks for, and what ends it.

use super::*;
use crate::domain::token::Scope;
use crate::domain::totp;
use crate::domain::user::{Profile, Sight, UsedCode};
use crate::web::session::real_time;

const OTHER: &str = "紫荆花开在三月的雨里";

/// The facts of a desk's journal that `pick` takes something of.
fn facts<T>(desk: &Desk, pick: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
    let entries = desk.ledger.reader().read(1, 10_000).unwrap();
    entries
        .iter()
        .filter_map(|entry| pick(&entry.fact))
        .collect()
}

fn cookies(headers: &HeaderMap) -> String {
    let all = headers.get_all("set-cookie").iter();
    let pairs = all.map(|set| set.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

async fn login(app: &Router, name: &str, password: &str) -> (StatusCode, HeaderMap, String) {
    let fields = [("name", name), ("password", password)];
    send_whole(app, post_form("/login", &fields)).await
}

async fn get(app: &Router, path: &str, cookie: &str) -> (StatusCode, HeaderMap, String) {
    send_whole(app, with_cookie(fetch(path), cookie)).await
}

async fn post(
    app: &Router,
    path: &str,
    cookie: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let (_, _, html) = get(app, "/account", cookie).await;
    let csrf = csrf_of(&html);
    let fields: Vec<_> = [("csrf", csrf.as_str())]
        .into_iter()
        .chain(fields.iter().copied())
        .collect();
    send_whole(app, with_cookie(post_form(path, &fields), cookie)).await
}

fn hidden(html: &str, name: &str) -> String {
    let (_, rest) = html
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The secret as the page shows it.
fn secret(html: &str) -> Vec<u8> {
    let (_, rest) = html.split_once("密钥：<code>").unwrap();
    let text = rest.split_once('<').unwrap().0;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.chars().filter(|letter| *letter != ' ') {
        held = held << 5 | u32::try_from(alphabet.find(letter).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 255).unwrap());
        }
    }
    bytes
}

fn now_step() -> u64 {
    totp::step_at(real_time().timestamp())
}

/// Sets a second factor up; the secret and the recovery codes.
async fn enrolled(app: &Router, cookie: &str) -> (Vec<u8>, Vec<String>) {
    let (status, _, html) = post(app, "/account/second", cookie, &[("password", PASSWORD)]).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    assert!(html.contains("<svg class=\"qr\""));
    let (secret, sealed) = (secret(&html), hidden(&html, "sealed"));
    let wrong = [("sealed", sealed.as_str()), ("code", "000000")];
    let (status, _, html) = post(app, "/account/second/confirm", cookie, &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let sealed = hidden(&html, "sealed");
    // An older one, so that those of the moment are still to be used.
    let code = totp::code(&secret, now_step() - 1);
    let right = [("sealed", sealed.as_str()), ("code", code.as_str())];
    let (status, _, html) = post(app, "/account/second/confirm", cookie, &right).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    let codes = html.split("<li><code>").skip(1);
    let codes = codes.map(|rest| rest.split('<').next().unwrap().to_owned());
    (secret, codes.collect())
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_a_code_counts_once() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (secret, recovery) = enrolled(&app, &session).await;
    assert_eq!(recovery.len(), 10);

    let (status, headers, html) = login(&app, "wang", PASSWORD).await;
    assert_eq!(status, StatusCode::OK, "the password alone is not enough");
    assert!(headers.get("set-cookie").is_none());
    let pending = hidden(&html, "pending");
    let step = async |code: &str| {
        let fields = [("pending", pending.as_str()), ("code", code)];
        let (status, headers, _) = send_whole(&app, post_form("/login/code", &fields)).await;
        (status, cookies(&headers))
    };
    let code = totp::code(&secret, now_step());
    assert_eq!(step("123456").await.0, StatusCode::UNAUTHORIZED);
    let (status, cookie) = step(&code).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(get(&app, "/", &cookie).await.0, StatusCode::OK);
    assert_eq!(step(&code).await.0, StatusCode::UNAUTHORIZED, "used");
    assert_eq!(step(&recovery[3]).await.0, StatusCode::SEE_OTHER);
    assert_eq!(step(&recovery[3]).await.0, StatusCode::UNAUTHORIZED);
    let forged = [("pending", "AAAA"), ("code", code.as_str())];
    let (status, _) = send(&app, post_form("/login/code", &forged)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let used = facts(&desk, |fact| match fact {
        Fact::CodeUsed { code, .. } => Some(code.clone()),
        _ => None,
    });
    assert!(matches!(
        used[..],
        [UsedCode::Step(_), UsedCode::Recovery(_)]
    ));
    let mut dump = Vec::new();
    desk.ledger.reader().dump(&mut dump).unwrap();
    let dump = String::from_utf8(dump).unwrap();
    assert!(!dump.contains(&totp::base32(&secret)));
    assert!(!dump.contains(&crate::domain::hex::hex(&secret)));
    assert!(recovery.iter().all(|code| !dump.contains(code)));

    users::reset_second(&desk, Actor::Operator, "wang")
        .await
        .unwrap();
    assert_eq!(get(&app, "/", &cookie).await.0, StatusCode::SEE_OTHER);
    let (status, _, _) = login(&app, "wang", PASSWORD).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "the password will do again");
}

#[tokio::test]
async fn guessing_codes_is_slowed() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    enrolled(&app, &session).await;
    let (_, _, html) = login(&app, "wang", PASSWORD).await;
    let pending = hidden(&html, "pending");
    let fields = [("pending", pending.as_str()), ("code", "000000")];
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(send(&app, post_form("/login/code", &fields)).await.0);
    }
    assert_eq!(statuses[9], StatusCode::UNAUTHORIZED);
    assert_eq!(statuses[10], StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn whoever_must_have_a_second_factor_gets_nowhere_without() {
    let desk = desk_with(Default::default(), |desk| {
        desk.second_for = vec![Role::Admin];
    });
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "admin", Role::Admin).await;
    for path in ["/", "/users", "/deliveries"] {
        let (status, headers, _) = get(&app, path, &session).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(headers["location"], "/account");
    }
    let (status, _, _) = get(&app, "/api/v1/users", &session).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, _, html) = get(&app, "/account", &session).await;
    assert!(html.contains("必须使用验证器登录"));
    enrolled(&app, &session).await;
    assert_eq!(get(&app, "/users", &session).await.0, StatusCode::OK);
    let remove = [("password", PASSWORD)];
    let (status, _, _) = post(&app, "/account/second/remove", &session, &remove).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let wang = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    assert_eq!(get(&app, "/", &wang).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_temporary_password_is_changed_before_anything_else() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let password = users::reset_password(&desk, Actor::Operator, "wang").await;
    assert!(matches!(password, Err(users::UserError::Unknown(_))));
    let old = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let password = users::reset_password(&desk, Actor::Operator, "wang")
        .await
        .unwrap();
    assert_eq!(get(&app, "/account", &old).await.0, StatusCode::SEE_OTHER);
    let (_, headers, _) = login(&app, "wang", &password).await;
    assert_eq!(headers["location"], "/account");
    let session = cookies(&headers);
    assert_eq!(get(&app, "/", &session).await.1["location"], "/account");
    let change = |old: &str, new: &str, again: &str| {
        let fields = [("old", old), ("new", new), ("again", again)];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    for (fields, why) in [
        (change("wrong password", OTHER, OTHER), "当前密码不正确"),
        (change(&password, OTHER, "another"), "不一致"),
        (change(&password, &password, &password), "与原密码相同"),
        (
            change(&password, "wangwang2022", "wangwang2022"),
            "容易猜到",
        ),
    ] {
        let fields: Vec<_> = fields
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let (status, _, html) = post(&app, "/account/password", &session, &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(html.contains(why), "{html}");
    }
    let fields = [("old", password.as_str()), ("new", OTHER), ("again", OTHER)];
    let (status, headers, _) = post(&app, "/account/password", &session, &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let fresh = cookies(&headers);
    assert_eq!(get(&app, "/", &fresh).await.0, StatusCode::OK);
    assert_eq!(get(&app, "/", &session).await.1["location"], "/login");
}

#[tokio::test]
async fn signing_out_is_for_good_and_can_be_done_everywhere() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let one = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (_, headers, _) = login(&app, "wang", PASSWORD).await;
    let other = cookies(&headers);
    let (status, _, _) = post(&app, "/logout", &one, &[]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let copied = get(&app, "/", &one).await;
    assert_eq!(copied.1["location"], "/login", "a copy of the cookie");
    assert_eq!(get(&app, "/", &other).await.0, StatusCode::OK);
    let (_, headers, _) = login(&app, "wang", PASSWORD).await;
    let third = cookies(&headers);
    let (status, _, _) = post(&app, "/account/sessions/end", &third, &[]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    for session in [&other, &third] {
        assert_eq!(get(&app, "/", session).await.1["location"], "/login");
    }
}

#[tokio::test]
async fn a_known_browser_is_not_locked_out_by_its_neighbour() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (_, headers, _) = login(&app, "wang", PASSWORD).await;
    let known = cookies(&headers);
    let from_here = |password: &str, cookie: Option<&str>| {
        let request = post_form("/login", &[("name", "wang"), ("password", password)]);
        let request = match cookie {
            Some(cookie) => with_cookie(request, cookie),
            None => request,
        };
        let (mut parts, body) = request.into_parts();
        let peer: std::net::SocketAddr = "10.0.0.1:4000".parse().unwrap();
        parts.extensions.insert(axum::extract::ConnectInfo(peer));
        Request::from_parts(parts, body)
    };
    for _ in 0..6 {
        send(&app, from_here("wrong password", None)).await;
    }
    let (status, _) = send(&app, from_here(PASSWORD, None)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let (status, _) = send(&app, from_here(PASSWORD, Some(&known))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let failed = facts(&desk, |fact| match fact {
        Fact::SignInFailed { name, times } => Some((name.clone(), *times)),
        _ => None,
    });
    let wang = Some("wang".to_owned());
    assert_eq!(failed, [(wang.clone(), 1), (wang, 4)], "one, then the rest");
    login(&app, "a password typed here", "x").await;
    let named = facts(&desk, |fact| match fact {
        Fact::SignInFailed { name: None, .. } => Some(()),
        _ => None,
    });
    assert_eq!(named.len(), 1, "names that are nobody's are not kept");
}

#[tokio::test]
async fn administrators_manage_accounts_on_their_page() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let admin = signed_in(&desk, &app, "admin", Role::Admin).await;
    let order = async |fields: &[(&str, &str)]| post(&app, "/users", &admin, fields).await;
    let add = [
        ("do", "add"),
        ("name", "liu"),
        ("role", "viewer"),
        ("leader", "刘光滨"),
    ];
    let (status, _, html) = order(&add).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    let (_, rest) = html.split_once("<code class=\"token\">").unwrap();
    let password = rest.split('<').next().unwrap();
    let (_, headers, _) = login(&app, "liu", password).await;
    assert_eq!(headers["location"], "/account");
    let profile = desk.ledger.book().users["liu"].profile.clone();
    assert_eq!(profile.sight, Sight::Leader("刘光滨".into()));
    for (fields, why) in [
        (
            [("name", "liu2"), ("role", "viewer"), ("leader", "无此人")],
            "没有责任领导“无此人”",
        ),
        (
            [
                ("name", "liu2"),
                ("role", "coordinator"),
                ("leader", "刘光滨"),
            ],
            "只有只读",
        ),
        (
            [("name", "liu"), ("role", "viewer"), ("leader", "")],
            "已经存在",
        ),
    ] {
        let fields: Vec<_> = [("do", "add")].into_iter().chain(fields).collect();
        let (status, _, html) = order(&fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(html.contains(why), "{html}");
    }
    let (_, _, html) = order(&[("do", "disable"), ("name", "admin")]).await;
    assert!(html.contains("不能停用自己的账号"));
    order(&[("do", "disable"), ("name", "liu")]).await;
    assert!(desk.ledger.book().users["liu"].disabled);
    order(&[("do", "enable"), ("name", "liu")]).await;
    assert!(!desk.ledger.book().users["liu"].disabled);
    let (_, _, html) = get(&app, "/users", &admin).await;
    let (_, main) = html.split_once("<main").unwrap();
    insta::assert_snapshot!("users", seen(&format!("<body{main}")));
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say_until_it_is_revoked() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let admin = signed_in(&desk, &app, "admin", Role::Admin).await;
    let add = [
        ("do", "add"),
        ("name", "OA系统"),
        ("days", "30"),
        ("scope", Scope::BoardRead.as_str()),
    ];
    let (status, _, html) = post(&app, "/tokens", &admin, &add).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    let (_, rest) = html.split_once("<code class=\"token\">").unwrap();
    let token = rest.split('<').next().unwrap().to_owned();
    let ask = async |path: &str, token: &str| {
        let (mut parts, body) = fetch(path).into_parts();
        let value = format!("Bearer {token}").parse().unwrap();
        parts.headers.insert("authorization", value);
        send(&app, Request::from_parts(parts, body)).await.0
    };
    assert_eq!(ask("/api/v1/board", &token).await, StatusCode::OK);
    assert_eq!(ask("/api/v1/board", &token).await, StatusCode::OK);
    let others = ask("/api/v1/deliveries", &token).await;
    assert_eq!(others, StatusCode::FORBIDDEN);
    assert_eq!(ask("/deliveries", &token).await, StatusCode::FORBIDDEN);
    assert_eq!(ask("/", &token).await, StatusCode::FORBIDDEN);
    let wrong = format!("{token}x");
    assert_eq!(ask("/api/v1/board", &wrong).await, StatusCode::UNAUTHORIZED);
    // A bad token is not made good by a session beside it.
    let (mut parts, body) = with_cookie(fetch("/api/v1/board"), &admin).into_parts();
    parts
        .headers
        .insert("authorization", "Bearer x".parse().unwrap());
    let (status, _) = send(&app, Request::from_parts(parts, body)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let id = desk.ledger.book().tokens.keys().next().unwrap().clone();
    let mut dump = Vec::new();
    desk.ledger.reader().dump(&mut dump).unwrap();
    let secret = token.splitn(3, '_').last().unwrap();
    assert!(!String::from_utf8(dump).unwrap().contains(secret));
    // Two uses within the hour are one fact; it is written beside the answers.
    let mut changes = desk.ledger.changes();
    while desk.ledger.book().tokens[&id].used.is_none() {
        changes.changed().await.unwrap();
    }
    let uses = facts(&desk, |fact| match fact {
        Fact::TokenUsed { id } => Some(id.clone()),
        _ => None,
    });
    assert_eq!(uses, std::slice::from_ref(&id));
    let (_, _, html) = get(&app, "/tokens", &admin).await;
    assert!(!html.contains(secret), "shown once");
    post(&app, "/tokens", &admin, &[("do", "revoke"), ("id", &id)]).await;
    assert_eq!(ask("/api/v1/board", &token).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_taken_along_is_on_record_or_not_given() {
    let desk = lively().await;
    let caller = Caller::User {
        name: "wang".into(),
        role: Role::Coordinator,
        sight: Sight::Everything,
        csrf: String::new(),
    };
    use crate::domain::access::{Export, Page};
    use crate::web::audit;
    audit::exported(&desk, &caller, Export::Bulletin, "dongguan-2022 2022Q1")
        .await
        .unwrap();
    let last = desk.ledger.book().position;
    let entry = desk.ledger.reader().read(last, 1).unwrap().remove(0);
    assert_eq!(entry.by, Actor::User("wang".into()));
    let mut changes = desk.ledger.changes();
    audit::viewed(&desk, &caller, Page::Person, "杜江");
    audit::viewed(&desk, &caller, Page::Person, "杜江");
    changes.changed().await.unwrap();
    let entry = desk.ledger.reader().read(last + 1, 10).unwrap();
    assert_eq!(entry.len(), 1, "the same page within minutes is one view");

    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let reopen = || Err(crate::store::StoreError::Engine("full".into()));
    let (ledger, _) = crate::store::Ledger::start(
        Box::new(Failing::new(broken)),
        crate::domain::book::Book::default(),
        Box::new(reopen),
    );
    let desk = desk_with(Default::default(), |desk| desk.ledger = ledger);
    let refused = audit::exported(&desk, &caller, Export::Csv, "").await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_changed_sight_ends_the_session_that_showed_more() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "li", Role::Viewer).await;
    assert_eq!(get(&app, "/deliveries", &session).await.0, StatusCode::OK);
    let limited = Profile {
        sight: Sight::Leader("刘光滨".into()),
        ..Profile::new(Role::Viewer)
    };
    users::change(&desk, Actor::Operator, "li", limited)
        .await
        .unwrap();
    assert_eq!(get(&app, "/", &session).await.1["location"], "/login");
    let (_, headers, _) = login(&app, "li", PASSWORD).await;
    let session = cookies(&headers);
    assert_eq!(get(&app, "/", &session).await.0, StatusCode::OK);
    let office = get(&app, "/deliveries", &session).await.0;
    assert_eq!(office, StatusCode::FORBIDDEN);
}
