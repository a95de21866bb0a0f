//! The review list, and what owners ask.

use super::*;
use crate::domain::book::ObligationState;
use crate::domain::message::Occasion;
use crate::domain::request::{ExtensionAsk, OtherOwner};

async fn post(app: &Router, session: &str, path: &str, fields: &[(&str, &str)]) -> StatusCode {
    let (status, _) = send(app, with_cookie(post_form(path, fields), session)).await;
    status
}

fn seen_of(html: &str, task: u32) -> String {
    let mark = format!("name=\"item\" value=\"dongguan-2022/2022Q1/{task}/");
    let (_, rest) = html.split_once(&mark).unwrap();
    let group_on = rest.split_once('"').unwrap().0;
    format!("dongguan-2022/2022Q1/{task}/{group_on}")
}

#[tokio::test]
async fn what_was_amended_since_the_list_was_made_is_not_judged_and_is_named() {
    let desk = lively().await;
    let more = vec![report(
        ZHONG,
        key(32, 0),
        ReportStatus::Completed,
        "办法已印发。",
    )];
    append(&desk, "2022-03-22T11:00", more).await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let request = with_cookie(fetch("/review"), &session);
    let (status, html) = send(&app, request).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!("review", seen(&html));
    assert!(
        html.contains("<script src=\"/static/review-"),
        "no inline script"
    );
    let csrf = csrf_of(&html);
    let items = [seen_of(&html, 14), seen_of(&html, 32)];
    let amended = vec![report(LI, key(14, 0), ReportStatus::Completed, "已补齐。")];
    append(&desk, "2022-03-23T09:00", amended).await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("plan", "dongguan-2022"),
        ("quarter", "2022Q1"),
        ("item", &items[0]),
        ("item", &items[1]),
        ("do", "accept"),
    ];
    let request = with_cookie(post_form("/review/list", &fields), &session);
    let (status, headers, _) = send_whole(&app, request).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let to = headers["location"].to_str().unwrap();
    let (_, html) = send(&app, with_cookie(fetch(to), &session)).await;
    let text = seen(&html);
    assert!(text.contains("已通过1项"), "{text}");
    assert!(text.contains("第14项刚刚由责任人更正"), "{text}");
    let book = desk.ledger.book();
    assert!(book.obligations[&key(14, 0)].review.is_none());
    assert!(book.obligations[&key(32, 0)].review.is_some());
}

#[tokio::test]
async fn several_returned_at_once_make_one_message_and_a_reason_is_owed() {
    let desk = lively().await;
    let more = vec![
        report(ZHANG, key(4, 0), ReportStatus::Completed, "好"),
        report(ZHANG, key(16, 1), ReportStatus::Completed, "好"),
    ];
    append(&desk, "2022-03-22T11:00", more).await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (_, html) = send(&app, with_cookie(fetch("/review"), &session)).await;
    let csrf = csrf_of(&html);
    let items = [seen_of(&html, 4), seen_of(&html, 16)];
    let with = |pick: &'static str| {
        [
            ("csrf", csrf.as_str()),
            ("plan", "dongguan-2022"),
            ("quarter", "2022Q1"),
            ("item", items[0].as_str()),
            ("item", items[1].as_str()),
            ("do", "return"),
            ("pick", pick),
            ("reason", ""),
        ]
    };
    let path = "/review/list";
    let silent = post(&app, &session, path, &with("")).await;
    assert_eq!(silent, StatusCode::BAD_REQUEST);
    let done = post(&app, &session, path, &with("内容过于笼统")).await;
    assert_eq!(done, StatusCode::SEE_OTHER);
    let book = desk.ledger.book();
    let told: Vec<_> = book
        .messages
        .values()
        .filter(|one| matches!(one.message.key.occasion, Occasion::Returned(_)))
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.items, [key(4, 0), key(16, 1)]);
    assert_eq!(told[0].message.not_before, at("2022-03-28T10:05"));
}

#[tokio::test]
async fn a_coordinator_decides_on_dates_and_owners() {
    let desk = lively().await;
    let day = "2022-04-15".parse().unwrap();
    let reason = "评审推迟".to_owned();
    let asked = vec![
        Fact::ExtensionAsked {
            obligation: key(32, 0),
            person: id(ZHONG),
            ask: ExtensionAsk {
                day,
                reason,
                late: false,
            },
        },
        Fact::NotMineSaid {
            obligation: key(4, 0),
            person: id(ZHANG),
            other: OtherOwner {
                name: "王五".into(),
                unit: "市工业和信息化局".into(),
                telephone: Some("0769-1".into()),
                note: "已调岗".into(),
            },
        },
    ];
    append(&desk, "2022-03-25T10:00", asked).await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (_, html) = send(&app, with_cookie(fetch("/requests"), &session)).await;
    insta::assert_snapshot!("requests", seen(&html));
    let csrf = csrf_of(&html);
    let csrf = ("csrf", csrf.as_str());
    let item = ("item", "dongguan-2022/2022Q1/32/0");
    let path = "/requests/extension";
    let refusal = [csrf, item, ("do", "refuse"), ("note", "")];
    assert_eq!(
        post(&app, &session, path, &refusal).await,
        StatusCode::BAD_REQUEST
    );
    let grant = [
        csrf,
        item,
        ("do", "grant"),
        ("day", "2022-04-15"),
        ("note", "请抓紧"),
    ];
    assert_eq!(
        post(&app, &session, path, &grant).await,
        StatusCode::SEE_OTHER
    );
    let again = post(&app, &session, path, &grant).await;
    assert_eq!(again, StatusCode::CONFLICT, "a second click is told so");
    {
        let book = desk.ledger.book();
        let state = book.state(&key(32, 0), at("2022-04-10T10:00"));
        assert_eq!(state, Some(ObligationState::NotReported));
    }
    let item = ("item", "dongguan-2022/2022Q1/4/0");
    let moved = [
        csrf,
        item,
        ("do", "move"),
        ("name", "王五"),
        ("unit", "市工业和信息化局"),
        ("address", "wang@gx.example"),
    ];
    let path = "/requests/not-mine";
    assert_eq!(
        post(&app, &session, path, &moved).await,
        StatusCode::SEE_OTHER
    );
    let wang = crate::domain::ids::PersonId::of("市工业和信息化局", "王五");
    assert!(desk.ledger.book().is_owner(&wang, &key(4, 0)));
    let acting = [
        csrf,
        ("plan", "dongguan-2022"),
        ("do", "acting"),
        ("from", "市市场监管局/杜江"),
        ("name", "王五"),
        ("unit", "市工业和信息化局"),
        ("begins", "2022-03-28"),
        ("ends", "2022-04-08"),
    ];
    let path = "/requests/people";
    assert_eq!(
        post(&app, &session, path, &acting).await,
        StatusCode::SEE_OTHER
    );
    let (_, html) = send(&app, with_cookie(fetch("/requests"), &session)).await;
    let text = seen(&html);
    assert!(
        text.contains("3月28日（周一）至4月8日（周五），全部事项"),
        "{text}"
    );
    let path = "/task/dongguan-2022/2022Q1/32/0";
    let (_, html) = send(&app, with_cookie(fetch(path), &session)).await;
    let text = seen(&html);
    assert!(
        text.contains("延至4月15日（周五）18:00（原定3月31日（周四）18:00"),
        "{text}"
    );
}
