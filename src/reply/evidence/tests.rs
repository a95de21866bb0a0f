use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;

use crate::desk::fixture::*;
use crate::domain::fact::Fact;
use crate::domain::report::Review;
use crate::reply::router;
use crate::store::{StoreError, Vault, memory::MemoryStore};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture of the site";

/// A part of a form: a field, or a file with its name.
enum Part<'a> {
    Field(&'a str, &'a str),
    File(&'a str, &'a str, &'a [u8]),
}

use Part::{Field, File};

fn multipart(path: &str, parts: &[Part]) -> Request<Body> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(b"--edge\r\n");
        let (head, content) = match part {
            Field(name, value) => (format!("name=\"{name}\""), value.as_bytes()),
            File(name, file, bytes) => {
                let kind = "\r\nContent-Type: image/png";
                (
                    format!("name=\"{name}\"; filename=\"{file}\"{kind}"),
                    *bytes,
                )
            }
        };
        body.extend(format!("Content-Disposition: form-data; {head}\r\n\r\n").bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    Request::post(path)
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .unwrap()
}

/// A desk whose files lie in a folder of their own.
async fn desk_with_vault() -> (tempfile::TempDir, std::sync::Arc<crate::desk::Desk>) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(dir.path().join("evidence"));
    let desk = desk_with(MemoryStore::default(), |desk| desk.vault = vault);
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    (dir, desk)
}

async fn bytes_of(app: &Router, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    use tower::ServiceExt as _;
    let response = app.clone().oneshot(fetch(path)).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, headers, bytes.to_vec())
}

/// The addresses of the files that a page lists.
fn listed(html: &str) -> Vec<String> {
    let links = html.split("<li><a href=\"").skip(1);
    links
        .map(|rest| rest.split_once('"').unwrap().0.to_owned())
        .collect()
}

#[tokio::test]
async fn a_file_stands_beside_its_item_for_all_of_the_group_and_nobody_else() {
    let (_dir, desk) = desk_with_vault().await;
    let app = router(desk.clone());
    let link = |person| format!("/r/{}", token(&desk, person));
    let parts = [
        Field("progress-14-0", "已走访12家企业。"),
        Field("seen-14-0", ""),
        File("file-14-0", "..\\现场 照片.jpg", PNG),
        File("file-14-0", "", b""),
        Field("go", "upload"),
    ];
    let post = multipart(&link(YAO), &parts);
    let (status, headers, html) = send_whole(&app, post).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{}", seen(&html));
    assert_eq!(headers["location"], format!("{}?done=uploaded", link(YAO)));

    let (_, page) = send(&app, fetch(&format!("{}?done=uploaded", link(YAO)))).await;
    assert!(page.contains("材料已上传。填写的内容已暂存，尚未提交。"));
    assert!(
        page.contains("已走访12家企业。</textarea>"),
        "nothing typed is lost"
    );
    let files = listed(&page);
    assert_eq!(files.len(), 1);
    let (status, headers, bytes) = bytes_of(&app, &files[0]).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PNG));
    assert_eq!(headers["content-type"], "image/png", "by its content");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"evidence.png\"; \
         filename*=UTF-8''%E7%8E%B0%E5%9C%BA%20%E7%85%A7%E7%89%87.jpg.png"
    );

    let hash = files[0].rsplit('/').next().unwrap();
    let by = async |person| {
        let path = format!("{}/evidence/{hash}", link(person));
        bytes_of(&app, &path).await.0
    };
    assert_eq!(by(LI).await, StatusCode::OK, "a colleague of the group");
    assert_eq!(by(ZHONG).await, StatusCode::NOT_FOUND, "anybody else");
    let (_, colleagues) = send(&app, fetch(&link(LI))).await;
    assert_eq!(listed(&colleagues).len(), 1);
    let elsewhere = [File("file-14-0", "a.png", PNG), Field("go", "upload")];
    let foreign = multipart(&link(ZHONG), &elsewhere);
    assert_eq!(send(&app, foreign).await.0, StatusCode::NOT_FOUND);

    // The same again is the same; taken away, it is gone for both.
    let before = desk.ledger.book().position;
    let again = multipart(&link(LI), &elsewhere);
    assert_eq!(send(&app, again).await.0, StatusCode::SEE_OTHER);
    assert_eq!(desk.ledger.book().position, before, "the same file twice");
    let which = format!("remove-14-0.{hash}");
    let remove = |person| post_form(&link(person), &[("go", &which)]);
    assert_eq!(send(&app, remove(ZHONG)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(send(&app, remove(LI)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(by(YAO).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_taken_is_named_with_the_reason_and_nothing_typed_is_lost() {
    let (dir, desk) = desk_with_vault().await;
    let app = router(desk.clone());
    let before = desk.ledger.book().position;
    let large = vec![0xff; (20 << 20) + 1];
    let parts = [
        Field("status-2-0", "completed"),
        Field("progress-2-0", "写了很久的一段话"),
        File("file-2-0", "run.exe", b"MZ\x90\0"),
        File("file-2-0", "录像.jpg", &large),
        File("file-4-0", "空.pdf", b""),
    ];
    let post = multipart(&format!("/r/{}", token(&desk, ZHANG)), &parts);
    let (status, html) = send(&app, post).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = seen(&html);
    let told: Vec<_> = page
        .lines()
        .filter(|line| line.contains("没有收下"))
        .collect();
    insta::assert_snapshot!("files_not_taken", told.join("\n"));
    assert!(html.contains("写了很久的一段话</textarea>"));
    assert_eq!(desk.ledger.book().position, before, "and no report either");
    let parts = std::fs::read_dir(dir.path().join("evidence/part")).unwrap();
    assert_eq!(parts.count(), 0, "nothing is left of them");
}

#[tokio::test]
async fn a_report_stands_on_the_files_that_come_with_it() {
    let (_dir, desk) = desk_with_vault().await;
    let app = router(desk.clone());
    let path = format!("/r/{}", token(&desk, ZHANG));
    let parts = [
        Field("status-2-0", "completed"),
        Field("progress-2-0", "已走访30家企业。"),
        File("file-2-0", "走访记录.png", PNG),
    ];
    let (status, headers, _) = send_whole(&app, multipart(&path, &parts)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, receipt) = send(&app, fetch(headers["location"].to_str().unwrap())).await;
    assert!(
        seen(&receipt).contains("走访记录.png 1KB"),
        "{}",
        seen(&receipt)
    );
    let beside = desk.ledger.book().obligations[&key(2, 0)].reports[0]
        .evidence
        .len();
    assert_eq!(beside, 1);

    let accepted = Fact::ReviewGiven {
        obligation: key(2, 0),
        review: Review::Accepted,
    };
    append(&desk, "2022-03-28T11:00", vec![accepted]).await;
    let more = [File("file-2-0", "补充.png", b"\x89PNG\r\n\x1a\n more")];
    let post = multipart(&format!("{path}/evidence"), &more);
    let (status, text) = send(&app, post).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        answer["faults"][0],
        "“补充.png”没有收下：该项已审核通过，不再接收材料"
    );
    assert!(answer["list"].as_str().unwrap().contains("走访记录.png"));
}

#[tokio::test]
async fn a_disk_that_takes_nothing_costs_the_file_and_not_the_words() {
    // The fixture's vault cannot be written.
    let desk = planned().await;
    assert!(matches!(desk.vault.begin(), Err(StoreError::Io { .. })));
    let app = router(desk.clone());
    let parts = [
        Field("progress-2-0", "写了很久的一段话"),
        File("file-2-0", "照片.png", PNG),
        Field("go", "upload"),
    ];
    let path = format!("/r/{}", token(&desk, ZHANG));
    let (status, html) = send(&app, multipart(&path, &parts)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("“照片.png”暂时无法保存，没有收下，请过几分钟再传"));
    assert!(html.contains("写了很久的一段话</textarea>"));
}
