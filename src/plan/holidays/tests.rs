use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;
use crate::desk::fixture::*;
use crate::domain::user::{Role, Sight};
use crate::plan::uploads::Uploads;

const TABLE: &str = r#"{"2022": {"holidays": {"2022-03-30": "停电检修", "2022-03-31": "停电检修"},
    "workdays": {"2022-04-02": "调休"}}}"#;

fn coordinator(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Caller::User {
        name: "wang".into(),
        role: Role::Coordinator,
        sight: Sight::Everything,
        csrf: "token".into(),
    });
    request
}

fn upload(csrf: &str, file: &str) -> Request<Body> {
    let body = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"2022.json\"\r\n\r\n{file}\r\n--edge--\r\n"
    );
    let request = Request::post("/settings/holidays/import")
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(Body::from(body));
    coordinator(request.unwrap())
}

#[tokio::test]
async fn a_notice_that_is_brought_moves_the_deadlines_and_says_whose_before_it_counts() {
    let desk = planned().await;
    let dir = tempfile::tempdir().unwrap();
    let uploads = Uploads::new(dir.path().join("imports"));
    let app = router(Room {
        desk: Arc::clone(&desk),
        uploads,
        wake: Arc::new(|| ()),
    });
    let deadline = || desk.ledger.book().deadline(&plan(), quarter("2022Q1"));
    assert_eq!(deadline(), Some(at("2022-03-31T18:00")));

    let (status, _) = send(&app, upload("", TABLE)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, headers, _) = send_whole(
        &app,
        upload("token", "{\"2022\": {\"holidays\": {\"x\": \"\"}}}"),
    )
    .await;
    let to = headers["location"].to_str().unwrap().to_owned();
    let (_, html) = send(&app, coordinator(fetch(&to))).await;
    assert!(html.contains("“x”不是日期"), "{html}");

    let (_, headers, _) = send_whole(&app, upload("token", TABLE)).await;
    let to = headers["location"].to_str().unwrap().to_owned();
    let (_, html) = send(&app, coordinator(fetch(&to))).await;
    assert!(
        html.contains("30日至31日（停电检修）") && html.contains("2日（周六）"),
        "{html}"
    );
    assert!(html.contains("报送截止和提醒日期将重新推算"), "{html}");
    assert_eq!(
        deadline(),
        Some(at("2022-03-31T18:00")),
        "a look changes nothing"
    );

    let store = to.split_once('?').unwrap().0.to_owned();
    let accept = [("csrf", "token"), ("name", "2022.json")];
    let (status, _) = send(&app, coordinator(post_form(&store, &accept))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(deadline(), Some(at("2022-03-29T18:00")));
    assert!(desk.calendar().is_working("2022-04-02".parse().unwrap()));
    let (_, html) = send(&app, coordinator(fetch("/settings/holidays?year=2022"))).await;
    assert!(html.contains("在看板导入的“2022.json”"), "{html}");
}
