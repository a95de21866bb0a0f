use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use serde_json::Value;

use crate::desk::Desk;
use crate::desk::fixture::*;
use crate::domain::report::ReportStatus;
use crate::reply::router;

/// As the page's script sends it.
async fn typed(app: &Router, link: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    let (status, text) = send(app, post_form(&format!("{link}/draft"), fields)).await;
    (status, serde_json::from_str(&text).unwrap_or_default())
}

async fn kept(app: &Router, desk: &Desk, person: (&str, &str), task: u32) -> Value {
    let path = format!("/api/v1/reply/{}", token(desk, person));
    let (_, text) = send(app, fetch(&path)).await;
    let sheet: Value = serde_json::from_str(&text).unwrap();
    let mut items = sheet["items"].as_array().unwrap().iter();
    let item = items.find(|item| item["task"] == task).unwrap();
    item["draft"].clone()
}

async fn world() -> (Arc<Desk>, Router, String) {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let link = format!("/r/{}", token(&desk, ZHANG));
    (desk, app, link)
}

#[tokio::test]
async fn what_was_typed_is_there_again_until_it_is_sent_or_emptied() {
    let (desk, app, link) = world().await;
    let before = desk.ledger.book().position;
    let fields = [
        ("progress-4-0", "已为3家企业"),
        ("actual.0-4-0", "3"),
        ("seen-4-0", ""),
    ];
    let (status, answer) = typed(&app, &link, &fields).await;
    assert_eq!(
        (status, &answer["saved_at"]),
        (StatusCode::OK, &"10:00".into())
    );
    assert_eq!(desk.ledger.book().position, before, "nothing was said");
    insta::assert_json_snapshot!("api_draft", kept(&app, &desk, ZHANG, 4).await);
    let (_, page) = send(&app, fetch(&link)).await;
    assert!(page.contains("已为3家企业</textarea>"), "{page}");
    assert!(page.contains("3月28日（周一）10:00暂存的内容尚未提交"));

    let emptied = [
        ("progress-4-0", " "),
        ("actual.0-4-0", ""),
        ("seen-4-0", ""),
    ];
    typed(&app, &link, &emptied).await;
    assert_eq!(kept(&app, &desk, ZHANG, 4).await, Value::Null);

    typed(&app, &link, &fields).await;
    let sent = [
        ("status-4-0", "completed"),
        ("progress-4-0", "已为3家企业办结。"),
    ];
    let (status, _) = send(&app, post_form(&link, &sent)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(kept(&app, &desk, ZHANG, 4).await, Value::Null);
    // What was still on its way when the report came says nothing new.
    let late = [sent[0], sent[1], ("seen-4-0", "")];
    typed(&app, &link, &late).await;
    assert_eq!(kept(&app, &desk, ZHANG, 4).await, Value::Null);
}

#[tokio::test]
async fn without_script_the_button_keeps_all_and_says_so() {
    let (desk, app, link) = world().await;
    let fields = [
        ("progress-2-0", "写了一半"),
        ("seen-2-0", ""),
        ("progress-16-1", "另一项"),
        ("seen-16-1", ""),
        ("go", "keep"),
    ];
    let (status, headers, _) = send_whole(&app, post_form(&link, &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = send(&app, fetch(headers["location"].to_str().unwrap())).await;
    assert!(page.contains("已暂存，尚未提交。"));
    assert!(page.contains("写了一半</textarea>") && page.contains("另一项</textarea>"));
    assert_ne!(kept(&app, &desk, ZHANG, 16).await, Value::Null);
}

#[tokio::test]
async fn whoever_leaves_to_ask_for_something_finds_what_was_typed_on_coming_back() {
    let (desk, app, link) = world().await;
    let before = desk.ledger.book().position;
    let pages = [
        ("extension-2-0", "/extension/2/0", "申请延期"),
        ("notmine-2-0", "/not-mine/2/0", "此项不由我负责"),
    ];
    for (go, leads, title) in pages {
        let typed = format!("写了一半 {go}");
        let fields = [
            ("status-2-0", "completed"),
            ("progress-2-0", typed.as_str()),
            ("seen-2-0", ""),
            ("go", go),
        ];
        let (status, headers, _) = send_whole(&app, post_form(&link, &fields)).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(headers["location"], format!("{link}{leads}"));
        let (status, page) = send(&app, fetch(headers["location"].to_str().unwrap())).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(title));
        let (_, page) = send(&app, fetch(&link)).await;
        assert!(page.contains(&format!("{typed}</textarea>")));
    }
    assert_eq!(desk.ledger.book().position, before, "it is no report");
    let unknown = [("progress-2-0", "写了一半"), ("go", "elsewhere")];
    let (status, _) = send(&app, post_form(&link, &unknown)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_draft_never_undoes_what_a_colleague_said_since() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let link = format!("/r/{}", token(&desk, YAO));
    let mine = [
        ("status-14-0", "behind"),
        ("progress-14-0", "我写了一半"),
        ("seen-14-0", ""),
    ];
    typed(&app, &link, &mine).await;
    let said = report(LI, key(14, 0), ReportStatus::OnSchedule, "同事的话");
    append(&desk, "2022-03-28T10:30", vec![said]).await;
    let (_, page) = send(&app, fetch(&link)).await;
    assert!(
        page.contains("同事的话</textarea>"),
        "the fields hold what stands"
    );
    assert!(page.contains("暂存的内容没有提交，此后该项已有报送"));
    assert!(page.contains("我写了一半"), "and the draft is beside them");
    // Sending the page as it is changes nothing, and does not lose the draft.
    let (_, rest) = page.split_once("name=\"seen-14-0\" value=\"").unwrap();
    let (mark, _) = rest.split_once('"').unwrap();
    let as_shown = [
        ("status-14-0", "on_schedule"),
        ("progress-14-0", "同事的话"),
        ("seen-14-0", mark),
    ];
    let before = desk.ledger.book().position;
    let (status, _) = send(&app, post_form(&link, &as_shown)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    typed(&app, &link, &as_shown).await;
    assert_eq!(desk.ledger.book().position, before);
    assert_eq!(kept(&app, &desk, YAO, 14).await["progress"], "我写了一半");
    assert_eq!(
        kept(&app, &desk, LI, 14).await,
        Value::Null,
        "nobody else's"
    );
}

#[tokio::test]
async fn drafts_are_bounded_in_size_and_number() {
    let (desk, app, link) = world().await;
    let long = "长".repeat(20_000);
    let fields = [("progress-4-0", long.as_str()), ("seen-4-0", "")];
    let (status, answer) = typed(&app, &link, &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer["message"], "内容过长，没有暂存，请精简");
    let foreign = [("progress-32-0", "别人的事项"), ("seen-32-0", "")];
    assert_eq!(typed(&app, &link, &foreign).await.0, StatusCode::OK);
    assert_eq!(kept(&app, &desk, ZHONG, 32).await, Value::Null);
    for _ in 0..80 {
        typed(&app, &link, &foreign).await;
    }
    let (status, _) = typed(&app, &link, &foreign).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn drafts_of_a_case_whose_links_have_ended_are_forgotten() {
    let (desk, app, link) = world().await;
    let fields = [("progress-4-0", "写了一半"), ("seen-4-0", "")];
    typed(&app, &link, &fields).await;
    let left = || {
        let drafts = desk.ledger.drafts();
        drafts
            .kept(&id(ZHANG), &plan(), quarter("2022Q1"))
            .unwrap()
            .len()
    };
    assert_eq!(left(), 1);
    desk.clock.advance_to(at("2022-06-15T10:00"));
    let link = crate::domain::link::Link::new(
        (plan(), quarter("2022Q2"), id(ZHANG)),
        at("2022-06-10T09:10"),
        "2022-06-10".parse().unwrap(),
        "2022-06-30".parse().unwrap(),
    );
    let later = format!("/r/{}", desk.link_key.sign(&link));
    let (_, page) = send(&app, fetch(&later)).await;
    let (_, rest) = page.split_once("name=\"seen-").expect("something is open");
    let (place, _) = rest.split_once('"').unwrap();
    let progress = format!("progress-{place}");
    typed(&app, &later, &[(progress.as_str(), "二季度")]).await;
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn known_is_on_record_once_and_stops_nothing() {
    let (desk, app, link) = world().await;
    let (_, page) = send(&app, fetch(&link)).await;
    assert!(page.contains("已知悉，稍后报送"));
    let press = || post_form(&link, &[("progress-2-0", "写了一半"), ("go", "seen")]);
    let before = desk.ledger.book().position;
    let (status, _) = send(&app, press()).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    send(&app, press()).await;
    assert_eq!(desk.ledger.book().position, before + 1);
    let (_, page) = send(&app, fetch(&link)).await;
    assert!(page.contains("您已确认知悉") && page.contains("写了一半</textarea>"));
    assert!(desk.ledger.book().obligations[&key(2, 0)].is_open());
}
