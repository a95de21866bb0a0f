mod asks;

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::desk::fixture::*;
use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::report::rules::Field;
use crate::domain::report::{ReportStatus, Review};
use crate::store::Ledger;

async fn page_for(desk: &Arc<Desk>, person: (&str, &str)) -> String {
    let (status, html) = send(
        &router(Arc::clone(desk)),
        fetch(&format!("/r/{}", token(desk, person))),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    html
}

fn post_json(path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn returned(reason: &str) -> Fact {
    Fact::ReviewGiven {
        obligation: key(4, 0),
        review: Review::Returned {
            reason: reason.into(),
        },
    }
}

#[tokio::test]
async fn an_owner_sees_what_is_theirs_and_nothing_else() {
    let desk = planned().await;
    let say = |key, text| report(ZHANG, key, ReportStatus::OnSchedule, text);
    let first = vec![
        say(key(2, 0), "已走访30家企业。"),
        say(key(4, 0), "已为3家企业提供咨询。"),
    ];
    append(&desk, "2022-03-21T15:20", first).await;
    append(
        &desk,
        "2022-03-22T10:00",
        vec![returned("请补充企业名单。")],
    )
    .await;
    let html = page_for(&desk, ZHANG).await;
    insta::assert_snapshot!("owner_page", seen(&html));
    assert!(!html.contains("新型研发机构"), "another owner's task");
    assert_eq!(html.matches("<script").count(), 1, "ours, from a file");
    assert!(html.contains("<script src=\"/static/owner-"));
}

#[tokio::test]
async fn colleagues_answer_once_for_all_of_them() {
    let desk = planned().await;
    let said = report(LI, key(14, 0), ReportStatus::Behind, "已走访12家企业。");
    append(&desk, "2022-03-21T15:20", vec![said]).await;
    let text = seen(&page_for(&desk, YAO).await);
    assert!(
        text.contains("黎玲东已于3月21日（周一）15:20报送"),
        "{text}"
    );
    assert!(text.contains("均已报送"), "{text}");
}

#[tokio::test]
async fn what_was_sent_in_is_durable_and_gets_a_receipt() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let token = token(&desk, ZHANG);
    let fields = [
        ("status-2-0", "completed"),
        ("progress-2-0", "已走访30家企业，形成<调研报告>。"),
        ("percent-2-0", "100%"),
        ("status-16-1", "behind"),
        ("progress-4-0", ""),
    ];
    let post = || post_form(&format!("/r/{token}"), &fields);
    let (status, headers, _) = send_whole(&app, post()).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let to = headers["location"].to_str().unwrap().to_owned();
    let at = at("2022-03-28T10:00").timestamp_millis();
    assert_eq!(to, format!("/r/{token}/receipt?items=2-0,16-1&at={at}"));
    let (status, html) = send(&app, fetch(&to)).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!("receipt", seen(&html));

    let before = desk.ledger.book().position;
    let (_, headers, _) = send_whole(&app, post()).await;
    assert_eq!(headers["location"].to_str().unwrap(), to);
    assert_eq!(desk.ledger.book().position, before, "the same answer twice");
    let (_, again) = send(&app, fetch(&to)).await;
    assert_eq!(again, html);

    // What is said later does not change what was thanked for.
    let later = report(ZHANG, key(2, 0), ReportStatus::Behind, "更正的话。");
    append(&desk, "2022-03-28T11:00", vec![later]).await;
    let (_, kept) = send(&app, fetch(&to)).await;
    let number = |page: &str| {
        seen(page)
            .lines()
            .find(|line| line.contains("回执编号"))
            .map(str::to_owned)
    };
    assert_eq!(number(&kept), number(&html));
    assert!(kept.contains("该项此后已更正") && !kept.contains("更正的话。"));
}

#[tokio::test]
async fn faults_stand_beside_their_fields_and_nothing_typed_is_lost() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let before = desk.ledger.book().position;
    let fields = [
        ("progress-2-0", "没有选状态的一段话"),
        ("status-4-0", "completed"),
        ("progress-4-0", "</textarea><script>alert(1)</script>"),
        ("percent-4-0", "130"),
    ];
    let path = format!("/r/{}", token(&desk, ZHANG));
    let (status, html) = send(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!html.contains("<script>"), "what was typed is escaped");
    insta::assert_snapshot!("faults", seen(&html));
    let (status, html) = send(&app, post_form(&path, &[("progress-2-0", "  ")])).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("没有收到新的内容"));
    assert_eq!(desk.ledger.book().position, before);
}

#[tokio::test]
async fn the_figure_reached_is_asked_for_and_shown_against_its_target() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = format!("/r/{}", token(&desk, ZHANG));
    let fields = [("status-4-0", "on_schedule"), ("actual.0-4-0", "三家")];
    let (status, html) = send(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        html.contains("的实际数请填数字（单位：家），也可以不填"),
        "{html}"
    );
    assert!(html.contains("value=\"三家\""), "nothing typed is lost");

    let fields = [("status-4-0", "on_schedule"), ("actual.0-4-0", "4 家")];
    let (status, headers, _) = send_whole(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, html) = send(&app, fetch(headers["location"].to_str().unwrap())).await;
    insta::assert_snapshot!("receipt_with_figures", seen(&html));
    let page = page_for(&desk, ZHANG).await;
    assert!(
        seen(&page).contains("[actual.0-4-0: 4家]"),
        "{}",
        seen(&page)
    );

    let (_, rest) = page.split_once("name=\"seen-4-0\" value=\"").unwrap();
    let (mark, _) = rest.split_once('"').unwrap();
    let again = [
        ("status-4-0", "on_schedule"),
        ("actual.0-4-0", "4家"),
        ("seen-4-0", mark),
    ];
    let (status, _) = send(&app, post_form(&path, &again)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "nothing new");
    let more = [
        ("status-4-0", "on_schedule"),
        ("actual.0-4-0", "5"),
        ("seen-4-0", mark),
    ];
    let (status, _) = send(&app, post_form(&path, &more)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "a new figure is an answer");
}

#[tokio::test]
async fn the_interface_takes_figures_and_refuses_nonsense() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = format!("/api/v1/reply/{}", token(&desk, ZHANG));
    let answer = |actuals: Value| json!({ "reports": [{ "task": 4, "status": "completed", "actuals": actuals }] });
    let nonsense = [
        json!([{ "target": 0, "value": "很多" }]),
        json!([{ "target": 0, "value": -1 }]),
        json!([{ "target": 0, "value": "6000" }]),
        json!([{ "target": 1, "value": "5" }]),
        json!([{ "target": 0, "value": 5 }, { "target": 0, "value": 6 }]),
        json!([{ "target": 0, "value": [5] }]),
    ];
    let before = desk.ledger.book().position;
    let mut told = Vec::new();
    for bad in nonsense {
        let (status, text) = send(&app, post_json(&path, &answer(bad))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        told.push(text);
    }
    assert_eq!(desk.ledger.book().position, before);
    insta::assert_snapshot!("api_figure_faults", told.join("\n"));

    let (status, text) = send(
        &app,
        post_json(&path, &answer(json!([{ "target": 0, "value": 5 }]))),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let receipt: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_figure_receipt", receipt);
    let (status, _) = send(&app, post_json(&path, &answer(json!([])))).await;
    assert_eq!(status, StatusCode::OK, "figures may be left out");
}

#[tokio::test]
async fn an_old_page_does_not_undo_what_a_colleague_said_since() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let said = report(YAO, key(14, 0), ReportStatus::Behind, "旧话");
    append(&desk, "2022-03-21T15:20", vec![said]).await;
    let html = page_for(&desk, YAO).await;
    let (_, rest) = html.split_once("name=\"seen-14-0\" value=\"").unwrap();
    let (mark, _) = rest.split_once('"').unwrap();
    let newer = report(LI, key(14, 0), ReportStatus::OnSchedule, "新话");
    append(&desk, "2022-03-22T15:20", vec![newer]).await;
    let unchanged = [
        ("status-14-0", "behind"),
        ("progress-14-0", "旧话"),
        ("seen-14-0", mark),
    ];
    let path = format!("/r/{}", token(&desk, YAO));
    let (status, _) = send(&app, post_form(&path, &unchanged)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let amended = [
        ("status-14-0", "completed"),
        ("progress-14-0", "旧话"),
        ("seen-14-0", mark),
    ];
    let (status, _) = send(&app, post_form(&path, &amended)).await;
    assert_eq!(
        status,
        StatusCode::SEE_OTHER,
        "what was changed is an answer"
    );
}

#[tokio::test]
async fn a_returned_report_is_open_again_and_an_accepted_one_is_closed() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = format!("/api/v1/reply/{}", token(&desk, ZHANG));
    let answer = |progress: &str| json!({ "reports": [{ "task": 4, "status": "completed", "progress": progress }] });
    let (status, _) = send(&app, post_json(&path, &answer("一"))).await;
    assert_eq!(status, StatusCode::OK);
    append(&desk, "2022-03-28T11:00", vec![returned("请补充")]).await;
    let before = desk.ledger.book().position;
    let (status, _) = send(&app, post_json(&path, &answer("一"))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        desk.ledger.book().position,
        before + 1,
        "who repeats it stands by it"
    );
    let accept = Fact::ReviewGiven {
        obligation: key(4, 0),
        review: Review::Accepted,
    };
    append(&desk, "2022-03-28T12:00", vec![accept]).await;
    let (status, _) = send(&app, post_json(&path, &answer("一"))).await;
    assert_eq!(status, StatusCode::OK, "nothing new, the same receipt");
    let (status, text) = send(&app, post_json(&path, &answer("二"))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("第4项已审核通过"), "{text}");
    assert!(
        page_for(&desk, ZHANG)
            .await
            .contains("已审核通过，不再修改")
    );
}

#[tokio::test]
async fn the_json_is_as_promised() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = format!("/api/v1/reply/{}", token(&desk, ZHANG));
    let (status, text) = send(&app, fetch(&path)).await;
    assert_eq!(status, StatusCode::OK);
    let shown: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_reply", shown);

    let body = json!({ "reports": [
        { "task": 16, "status": "completed", "progress": "已调研", "problems": "",
          "next_steps": "", "percent": 100 } ] });
    let (status, text) = send(&app, post_json(&path, &body)).await;
    assert_eq!(status, StatusCode::OK);
    let receipt: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_receipt", receipt);

    let bad = json!({ "reports": [
        { "task": 16, "status": "done" },
        { "task": 32, "status": "completed" },
        { "task": 2, "status": "completed", "percent": 101 },
        { "task": 2, "status": "behind" } ] });
    let (status, text) = send(&app, post_json(&path, &bad)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let faults: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!("api_faults", faults);
    for broken in ["", "[]", "{\"reports\":3}", "{\"reports\":[]}"] {
        let request = Request::post(&path)
            .header("content-type", "application/json")
            .body(Body::from(broken))
            .unwrap();
        let (status, text) = send(&app, request).await;
        assert!(status.is_client_error(), "{broken}: {status}");
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_link_is_not_found_an_old_one_is_gone_and_guessing_is_slowed() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let good = token(&desk, ZHANG);
    let wrong = token(&desk, DU).replace('A', "B");
    let status = async |path: String| send(&app, fetch(&path)).await.0;
    assert_eq!(status(format!("/r/{wrong}")).await, StatusCode::NOT_FOUND);
    let api = format!("/api/v1/reply/{wrong}");
    assert_eq!(status(api).await, StatusCode::NOT_FOUND);
    for _ in 0..30 {
        status(format!("/r/{wrong}")).await;
    }
    let slowed = status(format!("/api/v1/reply/{wrong}")).await;
    assert_eq!(slowed, StatusCode::TOO_MANY_REQUESTS);
    let own = status(format!("/r/{good}")).await;
    assert_eq!(own, StatusCode::OK, "a neighbour with a good link gets in");

    let revoked = Fact::LinksRevoked {
        plan: plan(),
        quarter: quarter("2022Q1"),
        person: id(ZHANG),
    };
    append(&desk, "2022-03-28T10:00", vec![revoked]).await;
    assert_eq!(status(format!("/r/{good}")).await, StatusCode::GONE);
    let api = format!("/api/v1/reply/{good}");
    assert_eq!(status(api).await, StatusCode::GONE);
    desk.clock.advance_to(at("2022-06-30T10:00"));
    let old = token(&desk, DU);
    assert_eq!(status(format!("/r/{old}")).await, StatusCode::GONE);
}

#[tokio::test]
async fn a_full_stop_behind_the_link_does_no_harm() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = format!("/r/{}%E3%80%82", token(&desk, ZHANG));
    let (status, html) = send(&app, fetch(&path)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains(&format!("action=\"/r/{}\"", token(&desk, ZHANG))));
    let (status, _) = send(&app, post_form(&path, &[("status-2-0", "completed")])).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let desk = planned().await;
    let before = desk.ledger.book().position;
    page_for(&desk, ZHANG).await;
    assert_eq!(desk.ledger.book().position, before);
}

#[tokio::test]
async fn when_nothing_can_be_stored_there_is_no_receipt_and_nothing_typed_is_lost() {
    let broken = Arc::new(AtomicBool::new(false));
    let store = Failing::new(Arc::clone(&broken));
    let reopen = || Err(crate::store::StoreError::Engine("still full".into()));
    let (ledger, _) = Ledger::start(Box::new(store), Book::default(), Box::new(reopen));
    let desk = desk_with(Default::default(), |desk| desk.ledger = ledger);
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    broken.store(true, Ordering::SeqCst);
    let app = router(Arc::clone(&desk));
    let fields = [
        ("status-2-0", "completed"),
        ("progress-2-0", "写了很久的一段话"),
    ];
    let path = format!("/r/{}", token(&desk, ZHANG));
    let (status, html) = send(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(html.contains("写了很久的一段话"));
    assert!(html.contains("value=\"completed\" checked"));
    let body = json!({ "reports": [{ "task": 2, "status": "completed" }] });
    let api = format!("/api/v1/reply/{}", token(&desk, ZHANG));
    let (status, _) = send(&app, post_json(&api, &body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn two_of_a_group_who_answer_at_once_are_both_kept_and_the_same_words_count_once() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let answer = |progress: &str| json!({ "reports": [{ "task": 14, "status": "completed", "progress": progress }] });
    let path = |person| format!("/api/v1/reply/{}", token(&desk, person));
    let (yao, li) = (
        post_json(&path(YAO), &answer("甲")),
        post_json(&path(LI), &answer("乙")),
    );
    let (yao, li) = tokio::join!(send(&app, yao), send(&app, li));
    assert_eq!((yao.0, li.0), (StatusCode::OK, StatusCode::OK));
    let told = |desk: &Desk| -> Vec<String> {
        let book = desk.ledger.book();
        let reports = book.obligations[&key(14, 0)].reports.iter();
        reports
            .map(|received| received.report.progress.clone())
            .collect()
    };
    let mut both = told(&desk);
    let latest = both[1].clone();
    both.sort();
    assert_eq!(both, ["乙", "甲"]);
    // The other one of the group says what stands already: nothing new.
    let same = send(&app, post_json(&path(YAO), &answer(&latest))).await;
    assert_eq!(same.0, StatusCode::OK);
    assert_eq!(told(&desk).len(), 2);
}

#[tokio::test]
async fn what_the_office_asks_for_stands_on_the_page_and_what_lacks_it_comes_back() {
    let desk = planned().await;
    let mut rules = (*desk.rules.now()).clone();
    rules.report.behind.required = vec![Field::Problems, Field::NextSteps];
    rules.report.completed.shortest = 5;
    desk.rules.replace(rules);
    let page = page_for(&desk, ZHANG).await;
    assert!(
        seen(&page).contains("进展情况为“进度滞后”的请填写存在问题、下一步措施。"),
        "{}",
        seen(&page)
    );
    assert!(
        !page.contains("maxlength"),
        "a browser would cut what is pasted"
    );
    let app = router(Arc::clone(&desk));
    let fields = [
        ("status-4-0", "behind"),
        ("progress-4-0", "场地未落实"),
        ("status-2-0", "completed"),
        ("progress-2-0", "已办"),
    ];
    let path = format!("/r/{}", token(&desk, ZHANG));
    let (status, html) = send(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = seen(&html);
    for said in ["请填写“存在问题”", "请填写“下一步措施”", "不少于5字"] {
        assert!(told.contains(said), "{told}");
    }
    assert!(html.contains("场地未落实"), "nothing typed is lost");
}
