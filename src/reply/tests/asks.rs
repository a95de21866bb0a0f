//! What owners ask, who fills in, and who sums up.

use super::*;
use crate::domain::delegation::{Delegation, Scope};

fn ask(desk: &Desk, what: &str, fields: &[(&str, &str)]) -> Request<Body> {
    post_form(&format!("/r/{}/{what}", token(desk, ZHONG)), fields)
}

#[tokio::test]
async fn a_later_date_is_asked_for_with_a_reason_and_shown_until_it_is_decided() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = "extension/32/0";
    let (status, html) = send(&app, ask(&desk, path, &[("day", "2022-04-15")])).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        html.contains("value=\"2022-04-15\""),
        "what was typed is kept"
    );
    let early = [("day", "2022-03-30"), ("reason", "评审推迟")];
    let (status, html) = send(&app, ask(&desk, path, &early)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("应晚于原定的截止时间"), "{html}");
    let fields = [("day", "2022-04-15"), ("reason", "评审推迟")];
    let (status, _) = send(&app, ask(&desk, path, &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, html) = send(&app, fetch(&format!("/r/{}/{path}", token(&desk, ZHONG)))).await;
    insta::assert_snapshot!("extension", seen(&html));
    let text = seen(&page_for(&desk, ZHONG).await);
    assert!(
        text.contains("延期至4月15日（周五）的申请正在审批。"),
        "{text}"
    );
    assert!(
        desk.ledger.book().obligations[&key(32, 0)]
            .asked()
            .is_some()
    );
    let foreign = post_form(&format!("/r/{}/extension/32/0", token(&desk, DU)), &fields);
    assert_eq!(send(&app, foreign).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_says_it_is_not_theirs_says_whose_it_is() {
    let desk = planned().await;
    let app = router(Arc::clone(&desk));
    let path = "not-mine/32/0";
    let (status, _) = send(&app, ask(&desk, path, &[("unit", "市科技局")])).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [
        ("name", "王五"),
        ("unit", "市科技局"),
        ("telephone", "0769-1"),
    ];
    let (status, _) = send(&app, ask(&desk, path, &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, html) = send(&app, fetch(&format!("/r/{}/{path}", token(&desk, ZHONG)))).await;
    insta::assert_snapshot!("not_mine", seen(&html));
}

#[tokio::test]
async fn who_fills_in_reports_in_the_owners_place_and_it_shows() {
    let desk = planned().await;
    let delegated = Fact::Delegated {
        delegation: Delegation {
            from: id(ZHANG),
            to: id(ZHONG),
            scope: Scope::Items {
                plan: plan(),
                duties: vec![(2, 0)],
            },
        },
    };
    append(&desk, "2022-03-21T15:20", vec![delegated]).await;
    let text = seen(&page_for(&desk, ZHONG).await);
    assert!(text.contains("此项由张玉成负责，请您代为填报。"), "{text}");
    assert!(!text.contains("第4项"), "only what was delegated");
    let app = router(Arc::clone(&desk));
    let fields = [
        ("status-2-0", "completed"),
        ("progress-2-0", "已走访30家企业。"),
    ];
    let path = format!("/r/{}", token(&desk, ZHONG));
    let (status, _) = send(&app, post_form(&path, &fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    {
        let book = desk.ledger.book();
        let report = &book.obligations[&key(2, 0)].latest().unwrap().report;
        assert_eq!(report.person, id(ZHANG));
        assert_eq!(book.told_by(report), "由钟靖平代张玉成填报");
    }
    let text = seen(&page_for(&desk, ZHANG).await);
    assert!(text.contains("由钟靖平代张玉成填报"), "{text}");
}

#[tokio::test]
async fn the_lead_unit_sees_all_reports_and_sums_them_up() {
    let desk = planned().await;
    let said = report(ZHANG, key(16, 1), ReportStatus::OnSchedule, "已走访12家。");
    append(&desk, "2022-03-21T15:20", vec![said]).await;
    let app = router(Arc::clone(&desk));
    let path = format!("/r/{}/summary/16", token(&desk, DU));
    let (status, html) = send(&app, fetch(&path)).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!("summary", seen(&html));
    let (status, _) = send(
        &app,
        post_form(&path, &[("text", "两家单位均按进度推进。")]),
    )
    .await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(desk.ledger.book().summaries.len(), 1);
    let other = format!("/r/{}/summary/16", token(&desk, ZHANG));
    assert_eq!(send(&app, fetch(&other)).await.0, StatusCode::NOT_FOUND);
    assert!(page_for(&desk, DU).await.contains("value=\"summary-16\""));
    assert!(
        !page_for(&desk, ZHANG)
            .await
            .contains("value=\"summary-16\"")
    );
}
