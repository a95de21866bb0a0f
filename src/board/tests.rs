mod accounts;
mod lists;
mod review;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;

use super::*;
use crate::desk::StoppedChannel;
use crate::desk::fixture::*;
use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome, Verdict};
use crate::domain::fact::{Actor, Fact, StageOutcome};
use crate::domain::message::{Message, Reason, Stage};
use crate::domain::people::ChannelKind;
use crate::domain::report::{ReportStatus, Review};
use crate::domain::user::Role;
use crate::web::Caller;

const PASSWORD: &str = "督查科的长密码不外传";

/// Two reported, one of them accepted; a notice sent to three, to a fourth it failed.
async fn lively() -> Arc<Desk> {
    let desk = planned().await;
    let people = [ZHANG, DU, ZHONG];
    let items = [key(2, 0), key(4, 0), key(16, 0), key(16, 1), key(32, 0)];
    append(&desk, "2022-03-17T09:10", notice(&people, &items)).await;
    append(&desk, "2022-03-17T09:11", failed()).await;
    let reports = vec![
        report(
            ZHANG,
            key(2, 0),
            ReportStatus::Completed,
            "已走访30家企业。",
        ),
        report(LI, key(14, 0), ReportStatus::Behind, "尚缺<两家>。"),
    ];
    append(&desk, "2022-03-21T15:20", reports).await;
    let accepted = Fact::ReviewGiven {
        obligation: key(2, 0),
        review: Review::Accepted,
    };
    append(&desk, "2022-03-22T10:00", vec![accepted]).await;
    desk
}

/// A notice to 姚铸锐 that no server wanted.
fn failed() -> Vec<Fact> {
    let message = Message {
        key: message_key(YAO),
        reason: Reason::FirstNotice,
        items: vec![key(14, 0)],
        about: Vec::new(),
        copied: Vec::new(),
        catch_up: false,
        route: vec![ChannelKind::Email],
        not_before: at("2022-03-17T09:10"),
        explicit: false,
    };
    let failure = Failure {
        reason: FailReason::BadAddress,
        detail: "550 mailbox unavailable".into(),
        next: Next::NextChannel,
    };
    let ran = Fact::StageRun {
        plan: plan(),
        quarter: quarter("2022Q1"),
        stage: Stage::Notice,
        outcome: StageOutcome::Ran {
            expected: 4,
            queued: 4,
            skipped: 0,
        },
    };
    vec![
        ran,
        Fact::MessageQueued {
            message: Box::new(message),
        },
        Fact::SendIntended {
            key: message_key(YAO),
            leg: 0,
            channel: ChannelKind::Email,
            items: vec![key(14, 0)],
        },
        Fact::SendConcluded {
            key: message_key(YAO),
            outcome: SendOutcome::Failed(failure),
            verdict: Verdict::Dead,
        },
    ]
}

fn by_operator(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Caller::Operator);
    Request::from_parts(parts, body)
}

fn with_cookie(request: Request<Body>, cookie: &str) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.insert("cookie", cookie.parse().unwrap());
    Request::from_parts(parts, body)
}

fn cookie(headers: &HeaderMap) -> String {
    let set = headers["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

async fn signed_in(desk: &Desk, app: &Router, name: &str, role: Role) -> String {
    users::add(desk, Actor::Operator, name, role, PASSWORD)
        .await
        .unwrap();
    let fields = [("name", name), ("password", PASSWORD)];
    let (status, headers, _) = send_whole(app, post_form("/login", &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    cookie(&headers)
}

fn csrf_of(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

async fn page(app: &Router, path: &str) -> String {
    let (status, html) = send(app, by_operator(fetch(path))).await;
    assert_eq!(status, StatusCode::OK, "{path}: {html}");
    html
}

#[tokio::test]
async fn the_board_answers_who_has_not_reported() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let html = page(&app, "/").await;
    assert!(!html.contains("<script>"), "no inline script");
    insta::assert_snapshot!("board", seen(&html));
    for number in [
        "state=not_reported\"><b>5</b><span>未报",
        "state=to_review\"><b>1</b><span>待审",
    ] {
        let link = format!("href=\"/items?plan=dongguan-2022&amp;quarter=2022Q1&amp;{number}");
        assert!(
            html.replace("&#38;", "&amp;").contains(&link),
            "{link}: {html}"
        );
    }
    let (status, _) = send(&app, by_operator(fetch("/?quarter=Q1"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let empty = router(crate::desk::fixture::desk());
    assert!(page(&empty, "/").await.contains("还没有分解表"));
}

#[tokio::test]
async fn an_address_of_a_list_leads_to_the_list() {
    let app = router(lively().await);
    let asked = "/?quarter=2022Q1&state=reported&unit=%E5%B8%82%E7%A7%91%E6%8A%80%E5%B1%80&at=2022-03-20T18:00";
    let (status, headers, _) = send_whole(&app, by_operator(fetch(asked))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        headers["location"],
        "/items?quarter=2022Q1&state=reported&unit=%E5%B8%82%E7%A7%91%E6%8A%80%E5%B1%80&as_of=2022-03-20T18%3A00"
    );
}

/// The first link in the grid whose row has this number.
fn cell_of(html: &str, task: u32) -> String {
    let (_, rest) = html.split_once(&format!("<tr><th>{task}<i>")).unwrap();
    let (_, rest) = rest.split_once("<a href=").unwrap();
    rest.split_once('>').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_cell_leads_to_its_item_or_where_there_are_several_to_the_task() {
    let app = router(lively().await);
    let html = page(&app, "/").await;
    for (task, to) in [
        (14, "/task/dongguan-2022/2022Q1/14/0"),
        (16, "/task/dongguan-2022/16"),
    ] {
        let cell = cell_of(&html, task);
        let (status, headers, _) = send_whole(&app, by_operator(fetch(&cell))).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{cell}");
        assert_eq!(headers["location"], to);
    }
    let past = page(&app, "/?as_of=2022-03-21T15:00").await;
    let cell = cell_of(&past, 14);
    let (_, headers, _) = send_whole(&app, by_operator(fetch(&cell))).await;
    let to = "/task/dongguan-2022/2022Q1/14/0?as_of=2022-03-21T15%3A00%3A00";
    assert_eq!(headers["location"], to);
    for nowhere in [
        "/g/none/1/14",
        "/g/dongguan-2022/9/14",
        "/g/dongguan-2022/1/15",
    ] {
        let (status, _) = send(&app, by_operator(fetch(nowhere))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{nowhere}");
    }
    let by_id = by_operator(fetch("/g/dongguan-2022/2022Q1/14"));
    assert_eq!(send(&app, by_id).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_leader_sees_their_own_tasks_in_every_part_of_the_screen() {
    let app = router(lively().await);
    let of = |leader: &str, path: &str| {
        let (mut parts, body) = fetch(path).into_parts();
        parts.extensions.insert(Caller::User {
            name: "li".into(),
            role: Role::Viewer,
            sight: crate::domain::user::Sight::Leader(leader.into()),
            csrf: String::new(),
        });
        Request::from_parts(parts, body)
    };
    let (_, own) = send(&app, of("刘光滨", "/")).await;
    assert!(own.contains("实施数字化普及工程") && own.contains("<b>7</b><span>应报"));
    let (status, other) = send(&app, of("喻丽君", "/")).await;
    assert_eq!(status, StatusCode::OK);
    let told = seen(&other);
    assert!(other.contains("<b>0</b><span>应报"), "{told}");
    for theirs in [
        "实施数字化普及工程",
        "刘光滨",
        "市科技局",
        "需要处理",
        "<svg",
    ] {
        assert!(!other.contains(theirs), "{theirs}: {told}");
    }
    let (_, picture) = send(&app, of("喻丽君", "/grid.svg")).await;
    assert!(!picture.contains(">122</text>"), "{picture}");
    let (status, _) = send(&app, of("喻丽君", "/g/dongguan-2022/1/14")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_grid_can_be_taken_away_as_a_picture() {
    let app = router(lively().await);
    let request = by_operator(fetch("/grid.svg?quarter=2022Q1"));
    let (status, headers, svg) = send_whole(&app, request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "image/svg+xml; charset=utf-8");
    insta::assert_snapshot!("grid_svg", svg.replace("><", ">\n<"));
    let request = by_operator(fetch("/grid.png?quarter=2022Q1"));
    let response = tower::ServiceExt::oneshot(app.clone(), request)
        .await
        .unwrap();
    let (status, kind) = (
        response.status(),
        response.headers()["content-type"].clone(),
    );
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    match status {
        StatusCode::OK => {
            assert_eq!(kind, "image/png");
            assert!(bytes.starts_with(b"\x89PNG"));
            // As wide as promised.
            assert_eq!(bytes[16..20], 1200_u32.to_be_bytes());
        }
        // A machine without Chinese fonts says so.
        _ => assert!(String::from_utf8_lossy(&bytes).contains("fonts-noto-cjk")),
    }
}

#[tokio::test]
async fn the_json_is_as_promised() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let text = page(&app, "/api/v1/board?quarter=2022Q1").await;
    let board: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_board", board);
    let text = page(&app, "/api/v1/deliveries?state=dead").await;
    let dead: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_deliveries", dead);
}

#[tokio::test]
async fn a_past_moment_can_be_asked_for() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let reported = async |as_of: &str| {
        let text = page(&app, &format!("/api/v1/board?as_of={as_of}")).await;
        let board: Value = serde_json::from_str(&text).unwrap();
        let totals = &board["totals"];
        (
            totals["reported"].as_u64().unwrap(),
            totals["accepted"].as_u64().unwrap(),
        )
    };
    assert_eq!(reported("2022-03-21T15:19:59%2B08:00").await, (0, 0));
    assert_eq!(reported("2022-03-21T15:20:00%2B08:00").await, (2, 0));
    assert_eq!(
        reported("2022-03-22T10:00:00+08:00").await,
        (2, 1),
        "a bare + too"
    );
    let html = page(&app, "/?at=2022-03-20T18:00").await;
    assert!(html.contains("以下为2022年3月20日（周日）18:00时的情况"));
}

#[tokio::test]
async fn the_terminal_shows_the_same() {
    let desk = lively().await;
    let told = {
        let book = desk.ledger.book();
        let filter = crate::domain::board::Filter::default();
        let now = desk.clock.now();
        let view = crate::domain::board::quarter_view(&book, quarter("2022Q1"), now, &filter);
        text::status(&view, &desk.calendar())
    };
    insta::assert_snapshot!("terminal", told);
    let app = router(Arc::clone(&desk));
    assert_eq!(page(&app, "/api/v1/board?format=text").await, told);
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_see() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    for path in ["/", "/deliveries", "/task/dongguan-2022/2022Q1/2/0"] {
        let (status, headers, _) = send_whole(&app, fetch(path)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(headers["location"], "/login");
    }
    for path in ["/api/v1/board", "/api/v1/deliveries"] {
        let (status, text) = send(&app, fetch(path)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!text.contains("张玉成"));
    }
    let (status, _) = send(&app, fetch("/inbox")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "only a trial run has one");
    let forged = with_cookie(fetch("/"), "cuiban=d2FuZw.0.99999999999.AAAA");
    let (status, _) = send(&app, forged).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_lasts_until_the_password_changes() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let status = async || send(&app, with_cookie(fetch("/"), &session)).await.0;
    assert_eq!(status().await, StatusCode::OK);
    let other = "另一个足够长的新密码";
    users::set_password(&desk, Actor::Operator, "wang", other)
        .await
        .unwrap();
    assert_eq!(status().await, StatusCode::SEE_OTHER);
    users::disable(&desk, Actor::Operator, "wang")
        .await
        .unwrap();
    let fields = [("name", "wang"), ("password", other)];
    let (status, _) = send(&app, post_form("/login", &fields)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let again = users::add(&desk, Actor::Operator, "wang", Role::Viewer, PASSWORD).await;
    assert!(matches!(again, Err(users::UserError::Exists(_))));
    let none = users::disable(&desk, Actor::Operator, "nobody").await;
    assert!(matches!(none, Err(users::UserError::Unknown(_))));
    assert_eq!(users::list(&desk.ledger.book()).len(), 1);
}

#[tokio::test]
async fn guessing_is_slowed_for_the_guesser_alone() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    users::add(&desk, Actor::Operator, "wang", Role::Coordinator, PASSWORD)
        .await
        .unwrap();
    let from = |address: &str, password: &str| {
        let request = post_form("/login", &[("name", "wang"), ("password", password)]);
        let (mut parts, body) = request.into_parts();
        let peer: std::net::SocketAddr = format!("{address}:4000").parse().unwrap();
        parts.extensions.insert(axum::extract::ConnectInfo(peer));
        Request::from_parts(parts, body)
    };
    for _ in 0..5 {
        let (status, _) = send(&app, from("10.0.0.1", "wrong password")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let (status, _) = send(&app, from("10.0.0.1", PASSWORD)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let (status, _) = send(&app, from("10.0.0.2", PASSWORD)).await;
    assert_eq!(
        status,
        StatusCode::SEE_OTHER,
        "wang's own desk is not locked out"
    );
}

#[tokio::test]
async fn a_coordinator_returns_and_accepts_what_they_have_seen() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let path = "/task/dongguan-2022/2022Q1/14/0";
    let (_, html) = send(&app, with_cookie(fetch(path), &session)).await;
    insta::assert_snapshot!("task", seen(&html));
    let csrf = csrf_of(&html);
    let (_, rest) = html.split_once("name=\"seen\" value=\"").unwrap();
    let seen = rest.split_once('"').unwrap().0.to_owned();
    let word = |csrf: &str, seen: &str, word: &str, reason: &str| {
        let fields = [
            ("csrf", csrf),
            ("plan", "dongguan-2022"),
            ("quarter", "2022Q1"),
            ("task", "14"),
            ("group", "0"),
            ("seen", seen),
            ("word", word),
            ("reason", reason),
        ];
        with_cookie(post_form("/review", &fields), &session)
    };
    let status = async |request| send(&app, request).await.0;
    let forbidden = status(word("wrong", &seen, "accept", "")).await;
    assert_eq!(forbidden, StatusCode::FORBIDDEN, "a form that is not ours");
    let unseen = status(word(&csrf, "1", "accept", "")).await;
    assert_eq!(
        unseen,
        StatusCode::CONFLICT,
        "another report than was shown"
    );
    let silent = status(word(&csrf, &seen, "return", " ")).await;
    assert_eq!(silent, StatusCode::BAD_REQUEST, "a reason is owed");
    let before = desk.ledger.book().position;
    let done = status(word(&csrf, &seen, "return", "请写明缺哪两家")).await;
    assert_eq!(done, StatusCode::SEE_OTHER);
    let twice = status(word(&csrf, &seen, "return", "请写明缺哪两家")).await;
    assert_eq!(twice, StatusCode::SEE_OTHER);
    let book = desk.ledger.book();
    // Both owners of the group are told, once.
    assert_eq!(book.position, before + 3, "a second click counts once");
    let reason = book.obligations[&key(14, 0)].returned_for();
    assert_eq!(reason, Some("请写明缺哪两家"));
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "li", Role::Viewer).await;
    let path = "/task/dongguan-2022/2022Q1/14/0";
    let (status, html) = send(&app, with_cookie(fetch(path), &session)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!html.contains("action=\"/review\""));
    let message = message_key(YAO).to_string();
    let fields = [("csrf", csrf_of(&html)), ("key", message)];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let request = with_cookie(post_form("/deliveries/revive", &fields), &session);
    let (status, _) = send(&app, request).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_mail_nobody_understood_is_put_on_record_by_a_person() {
    use crate::domain::evidence::{Evidence, FileHash, FileKind, NotTaken};
    use crate::domain::mail::{MailOutcome, TakenMail};
    use crate::domain::message::Thread;
    let desk = lively().await;
    let file = |n: u8, name: &str, megabytes: u64| Evidence {
        sha256: FileHash::new(&format!("{n:02x}").repeat(32)).unwrap(),
        name: name.into(),
        kind: FileKind::Pdf,
        bytes: megabytes << 20,
    };
    let before = (1..=5).map(|n| Fact::EvidenceAdded {
        obligation: key(2, 0),
        person: id(ZHANG),
        evidence: file(n, "旧.pdf", if n == 5 { 15 } else { 20 }),
    });
    append(&desk, "2022-03-28T09:50", before.collect()).await;
    let app = router(Arc::clone(&desk));
    let mail = TakenMail {
        sha256: "ab".repeat(32),
        message_id: None,
        place: None,
        from: "zhang@dg.example".into(),
        subject: "回复：重点工作进展".into(),
        text: "已为3家企业提供咨询，<其余>6月底前完成。".into(),
        files: ["台账.pdf", "全景.pdf", "现场.mp4"].map(Into::into).into(),
        unkept: vec![("现场.mp4".into(), NotTaken::Kind.to_string())],
        kept: vec![file(8, "台账.pdf", 3), file(9, "全景.pdf", 19)],
        thread: Some(Thread {
            plan: plan(),
            quarter: quarter("2022Q1"),
            person: id(ZHANG),
        }),
        outcome: MailOutcome::Unclear {
            why: "没有写明进展情况".into(),
        },
        receipt: None,
    };
    let taken = Fact::MailTaken {
        mail: Box::new(mail),
    };
    append(&desk, "2022-03-28T10:00", vec![taken]).await;
    assert!(page(&app, "/").await.contains("1封邮件回复需要人工处理"));
    let html = page(&app, "/mails").await;
    insta::assert_snapshot!("mails", seen(&html));
    let id = "ab".repeat(32);
    let settle = |what: &str, status: &str| {
        let fields = [
            ("csrf", ""),
            ("mail", id.as_str()),
            ("text", "已为3家企业提供咨询。"),
            ("status-4-0", status),
            ("do", what),
        ];
        by_operator(post_form("/mails", &fields))
    };
    let (status, _) = send(&app, settle("record", "")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "nothing was chosen");
    let (status, _) = send(&app, settle("record", "on_schedule")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    {
        let book = desk.ledger.book();
        let report = &book.obligations[&key(4, 0)].latest().unwrap().report;
        assert_eq!(report.via, crate::domain::report::Via::Mail);
        assert_eq!(book.mails_waiting().count(), 0);
        let latest = book.obligations[&key(4, 0)].latest().unwrap();
        let taken = file(8, "", 0).sha256;
        assert_eq!(latest.evidence, [taken], "as far as there is room");
    }
    let html = page(&app, &format!("/mails?settled={id}")).await;
    let told = seen(&html);
    assert!(told.contains("已登记，其余附件已列为佐证材料。"), "{told}");
    for refused in [
        "“现场.mp4”不是可以接收的文件",
        "“全景.pdf”没有收下：您本季度的材料合计不能超过100MB",
    ] {
        assert!(told.contains(refused), "{told}");
    }
    let (status, _) = send(&app, settle("record", "behind")).await;
    assert_eq!(status, StatusCode::CONFLICT, "a colleague was first");
}

#[tokio::test]
async fn a_dead_letter_is_shown_with_its_reason_and_sent_again_on_request() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let html = page(&app, "/deliveries?state=dead").await;
    insta::assert_snapshot!("deliveries", seen(&html));
    let message = message_key(YAO).to_string();
    let again = || {
        by_operator(post_form(
            "/deliveries/revive",
            &[("csrf", ""), ("key", &message)],
        ))
    };
    let (status, _) = send(&app, again()).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        desk.ledger.book().messages[&message_key(YAO)]
            .state
            .as_str(),
        "waiting"
    );
    let before = desk.ledger.book().position;
    let (status, _) = send(&app, again()).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        desk.ledger.book().position,
        before,
        "a second click counts once"
    );
    let sent = message_key(ZHANG).to_string();
    let fields = [("csrf", ""), ("key", sent.as_str())];
    let request = by_operator(post_form("/deliveries/revive", &fields));
    let (status, _) = send(&app, request).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_trial_run_needs_no_password_and_moves_its_clock() {
    let desk = desk_with(Default::default(), |desk| {
        let link = format!("/r/{}", token(desk, ZHANG));
        desk.inbox = Some(Arc::new(OneMessage(Some(link))));
        let clock = desk.clock.clone();
        desk.advance = Some(Arc::new(move |to| {
            let clock = clock.clone();
            Box::pin(async move {
                clock.advance_to(to);
                Ok(())
            })
        }));
    });
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    let app = router(Arc::clone(&desk));
    let (status, html) = send(&app, fetch("/inbox")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!html.contains("<3月31日"), "subjects are escaped");
    insta::assert_snapshot!("inbox", seen(&html));
    let (_, message) = send(&app, fetch("/inbox/0001-notice")).await;
    assert!(message.contains("打开报送页"));
    let (_, headers, _) = send_whole(&app, fetch("/inbox/0001-notice/html")).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    for climbing in ["/inbox/..%2f..%2fetc", "/inbox/none", "/inbox/a..b"] {
        assert_eq!(send(&app, fetch(climbing)).await.0, StatusCode::NOT_FOUND);
    }
    let csrf = csrf_of(&html);
    let to = |to: &str, csrf: &str| post_form("/inbox/advance", &[("csrf", csrf), ("to", to)]);
    let (status, _) = send(&app, to("2022-03-31T09:10:00+08:00", &csrf)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(desk.clock.now(), at("2022-03-31T09:10"));
    let (status, _) = send(&app, to("2022-04-01T18:30", &csrf)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(desk.clock.now(), at("2022-04-01T18:30"));
    let (status, _) = send(&app, to("2022-01-01T18:30", &csrf)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "never back");
    let (status, _) = send(&app, to("2022-05-01T18:30", "wrong")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let json = Request::post("/api/v1/clock")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"advance_to":"2022-04-02T09:00:00+08:00"}"#))
        .unwrap();
    let (status, text) = send(&app, json).await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::OK, r#"{"now":"2022-04-02T09:00:00+08:00"}"#)
    );
}

#[tokio::test]
async fn health_and_metrics_tell_how_it_is() {
    let desk = lively().await;
    let app = crate::web::health::router(Arc::clone(&desk));
    let status = async |path: &str| send(&app, fetch(path)).await.0;
    assert_eq!(status("/healthz").await, StatusCode::OK);
    assert_eq!(
        status("/readyz").await,
        StatusCode::SERVICE_UNAVAILABLE,
        "no pass yet"
    );
    desk.vitals.passed();
    desk.vitals.ticked();
    assert_eq!(status("/readyz").await, StatusCode::OK);
    let (_, text) = send(&app, fetch("/metrics")).await;
    assert!(!text.contains("张玉成"));
    insta::assert_snapshot!("metrics", text);
}

#[tokio::test]
async fn every_answer_carries_the_guards() {
    let desk = lively().await;
    let pages = router(Arc::clone(&desk)).merge(crate::web::assets::router());
    let app = crate::web::guard::guard(pages, Arc::clone(&desk), &[]);
    for path in ["/login", "/nowhere", "/api/v1/board"] {
        let (_, headers, _) = send_whole(&app, fetch(path)).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert_eq!(headers["cache-control"], "no-store");
    }
    let style = crate::web::assets::style_path();
    let (status, headers, _) = send_whole(&app, fetch(style)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let (status, html) = send(&app, fetch("/nowhere")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(html.contains("没有找到这个页面"));
    let (mut parts, body) = post_form("/login", &[]).into_parts();
    parts
        .headers
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    let (status, _) = send(&app, Request::from_parts(parts, body)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn users_are_managed_over_the_socket_and_by_administrators_alone() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let add = |name: &str| {
        let user = serde_json::json!({ "name": name, "role": "viewer", "password": PASSWORD });
        Request::post("/api/v1/users")
            .header("content-type", "application/json")
            .body(Body::from(user.to_string()))
            .unwrap()
    };
    let (status, _) = send(&app, by_operator(add("li"))).await;
    assert_eq!(status, StatusCode::OK);
    let (status, text) = send(&app, by_operator(add("li"))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("账号“li”已经存在"), "{text}");
    let text = page(&app, "/api/v1/users").await;
    assert_eq!(
        text,
        r#"{"users":[{"disabled":false,"leader":null,"name":"li","role":"viewer","second_factor":false,"signed_in":null,"subject":null}]}"#
    );
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (status, _) = send(&app, with_cookie(add("zhao"), &session)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = send(&app, add("zhao")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_board_says_which_way_out_is_stopped() {
    let robot = StoppedChannel {
        kind: ChannelKind::WecomRobot,
        name: Some("督查群".into()),
        reason: FailReason::Credentials,
        detail: "93000 invalid webhook url".into(),
        since: at("2022-03-29T10:00"),
        closed: true,
        none_left: true,
    };
    let desk = desk_with(Default::default(), |desk| {
        desk.stopped = Arc::new(move || vec![robot.clone()]);
    });
    let html = page(&router(desk), "/").await;
    let told = "企业微信群“督查群”已停止发送：账号、密码或密钥无效（93000 invalid webhook url）。\
                请服务器管理员检查设置并改正，未发的消息之后会自动发出。";
    assert!(html.contains(told), "{html}");

    let mail = StoppedChannel {
        kind: ChannelKind::Email,
        name: None,
        reason: FailReason::Unreachable,
        detail: "连接邮件服务器：连接中断（refused）".into(),
        since: at("2022-03-29T10:00"),
        closed: false,
        none_left: true,
    };
    let desk = desk_with(Default::default(), |desk| {
        desk.stopped = Arc::new(move || vec![mail.clone()]);
    });
    let html = page(&router(desk), "/").await;
    let told = "电子邮件自03-29 10:00起发不出去：连接不上对方服务器";
    assert!(html.contains(told), "{html}");
}

#[tokio::test]
async fn the_board_says_when_something_is_assumed_or_shut() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    assert!(!page(&app, "/").await.contains("role=\"alert\""));
    let unknown = crate::domain::calendar::Calendar::new(
        chrono_tz::Asia::Shanghai,
        std::collections::BTreeMap::new(),
    );
    let mut rules = (*desk.rules.now()).clone();
    rules.calendar = Arc::new(unknown);
    desk.rules.replace(rules);
    assert!(page(&app, "/").await.contains("没有2022年的节假日安排"));

    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let reopen = || Err(crate::store::StoreError::Engine("full".into()));
    let (ledger, _) = crate::store::Ledger::start(
        Box::new(Failing::new(broken)),
        crate::domain::book::Book::default(),
        Box::new(reopen),
    );
    let desk = desk_with(Default::default(), |desk| desk.ledger = ledger);
    let refused = desk
        .ledger
        .append(Actor::System, at("2022-02-07T09:00"), plan_facts());
    assert!(refused.await.is_err());
    let mut health = desk.ledger.health();
    while health == crate::store::Health::Good {
        tokio::task::yield_now().await;
        health = desk.ledger.health();
    }
    let app = router(Arc::clone(&desk));
    assert!(page(&app, "/").await.contains("存储暂时只读"));
}
