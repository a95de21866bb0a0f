use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;
use crate::desk::Desk;
use crate::desk::fixture::*;
use crate::domain::fact::Fact;
use crate::domain::people::Contact;
use crate::domain::user::{Role, Sight};
use crate::plan::uploads::Uploads;
use crate::web::Caller;

fn by(role: Role, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Caller::User {
        name: "wang".into(),
        role,
        sight: Sight::Everything,
        csrf: "token".into(),
    });
    request
}

fn coordinator(request: Request<Body>) -> Request<Body> {
    by(Role::Coordinator, request)
}

async fn room() -> (tempfile::TempDir, Arc<Desk>, Router) {
    let desk = planned().await;
    let known = Contact {
        email: Some("zhangyucheng@example.gov.cn".into()),
        mobile: Some("13812345678".into()),
        ..Contact::none(id(ZHANG))
    };
    append(
        &desk,
        "2022-02-08T09:00",
        vec![Fact::ContactSet { contact: known }],
    )
    .await;
    let dir = tempfile::tempdir().unwrap();
    let uploads = Uploads::new(dir.path().join("imports"));
    let app = router(Room {
        desk: Arc::clone(&desk),
        uploads,
        wake: Arc::new(|| ()),
    });
    (dir, desk, app)
}

fn upload(csrf: &str, file: &[u8]) -> Request<Body> {
    let mut body = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\\\表\\\\联系人.csv\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    Request::post("/settings/contacts/import")
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_list_shows_no_address_whole_and_finds_people() {
    let (_dir, _desk, app) = room().await;
    let (status, html) = send(&app, coordinator(fetch("/settings/contacts"))).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("z***@example.gov.cn") && html.contains("138****5678"));
    assert!(!html.contains("zhangyucheng") && !html.contains("13812345678"));
    let (_, html) = send(
        &app,
        coordinator(fetch("/settings/contacts?q=%E5%BC%A0%E7%8E%89%E6%88%90")),
    )
    .await;
    assert!(html.contains("张玉成") && !html.contains("钟靖平"));
    let (_, html) = send(&app, coordinator(fetch("/settings/contacts?only=none"))).await;
    assert!(!html.contains("138****5678") && html.contains("钟靖平"));
}

#[tokio::test]
async fn the_form_holds_a_contact_to_the_rules_of_the_sheet() {
    let (_dir, desk, app) = room().await;
    let person = id(ZHANG).to_string();
    let path = format!("/settings/contacts/edit?person={person}");
    let (_, html) = send(&app, coordinator(fetch(&path))).await;
    assert!(html.contains("zhangyucheng@example.gov.cn"));
    let fields = |mobile: &'static str, csrf: &'static str| {
        vec![
            ("csrf", csrf),
            ("person", person.as_str()),
            ("email", "zhang@example.gov.cn"),
            ("mobile", mobile),
            ("way1", "wecom_robot"),
            ("way2", "email"),
        ]
    };
    let save =
        |fields: Vec<(&str, &str)>| coordinator(post_form("/settings/contacts/edit", &fields));
    let (status, _) = send(&app, save(fields("13900001111", ""))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, html) = send(&app, save(fields("12345", "token"))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("手机：不是11位手机号码"));
    assert!(html.contains("value=\"12345\""), "what was typed stays");
    let (status, _) = send(&app, save(fields("13900001111", "token"))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let contact = desk.ledger.book().contact(&id(ZHANG));
    assert_eq!(contact.mobile.as_deref(), Some("13900001111"));
    let ways: Vec<_> = contact.channels.iter().map(|way| way.as_str()).collect();
    assert_eq!(ways, ["wecom_robot", "email"]);
}

#[tokio::test]
async fn a_sheet_is_looked_at_before_it_is_stored() {
    let (_dir, desk, app) = room().await;
    let sheet = "姓名,单位,邮箱,手机\n张玉成,市工业和信息化局,new@example.gov.cn,13812345678\n\
                 钟靖平,市科技局,坏地址,\n没有这人,市科技局,a@example.gov.cn,\n";
    let (status, _) = send(&app, coordinator(upload("", sheet.as_bytes()))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, headers, _) =
        send_whole(&app, coordinator(upload("token", sheet.as_bytes()))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let look = headers["location"].to_str().unwrap();
    let (_, html) = send(&app, coordinator(fetch(look))).await;
    insta::assert_snapshot!("look", crate::desk::fixture::seen(&html));
    assert!(!html.contains("new@example.gov.cn"));
    let before = desk.ledger.book().contact(&id(ZHANG)).email;
    assert_eq!(before.as_deref(), Some("zhangyucheng@example.gov.cn"));
    let store = look.split_once('?').unwrap().0;
    let accept = |csrf| coordinator(post_form(store, &[("csrf", csrf)]));
    assert_eq!(send(&app, accept("")).await.0, StatusCode::FORBIDDEN);
    let (status, headers, _) = send_whole(&app, accept("token")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/settings/contacts?imported=1");
    let after = desk.ledger.book().contact(&id(ZHANG)).email;
    assert_eq!(after.as_deref(), Some("new@example.gov.cn"));
    let (status, _) = send(&app, accept("token")).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is gone once it is stored");
}

#[tokio::test]
async fn what_is_no_sheet_is_refused_in_words() {
    let (_dir, _desk, app) = room().await;
    let (_, headers, _) =
        send_whole(&app, coordinator(upload("token", b"PK\x03\x04nonsense"))).await;
    let to = headers["location"].to_str().unwrap();
    let (_, html) = send(&app, coordinator(fetch(to))).await;
    assert!(html.contains("无法按 Excel（.xlsx）文件读取"), "{html}");
    let large = vec![b'a'; SHEET.largest + 2 * AROUND];
    let (status, _) = send(&app, coordinator(upload("token", &large))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_viewer_sees_nothing_of_it() {
    let (_dir, _desk, app) = room().await;
    let edit = format!("/settings/contacts/edit?person={}", id(ZHANG));
    for path in [
        "/settings/contacts",
        "/settings/contacts/template.xlsx",
        &edit,
    ] {
        let (status, _) = send(&app, by(Role::Viewer, fetch(path))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        let (status, _) = send(&app, fetch(path)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
    }
}
