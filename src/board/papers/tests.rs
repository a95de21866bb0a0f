//! What the papers say, and that a number is given once.

use std::io::{Cursor, Read as _};

use axum::http::{Request, StatusCode};
use axum::{Router, body::Body};

use super::result::Classes;
use super::*;
use crate::board::router;
use crate::desk::fixture::*;
use crate::domain::fact::Fact;
use crate::domain::report::{ReportStatus, Review};
use crate::domain::request::ExtensionAsk;
use crate::domain::user::Role;

/// One late, one behind, one returned, one completed, one whose owner asks for a later date; the
/// rest is overdue. Two working days after the deadline.
async fn after_the_deadline() -> Arc<Desk> {
    let desk = planned().await;
    let mut behind = report(
        ZHANG,
        key(4, 0),
        ReportStatus::Behind,
        "已为3家企业提供咨询服务。",
    );
    if let Fact::ReportReceived { report } = &mut behind {
        report.problems = "两家企业尚未签订服务协议；".into();
        report.next_steps = "4月中旬前完成签约".into();
    }
    let in_time = vec![
        behind,
        report(DU, key(16, 0), ReportStatus::OnSchedule, "正在推进。"),
        report(
            ZHONG,
            key(32, 0),
            ReportStatus::Completed,
            "已印发管理办法。",
        ),
        Fact::ExtensionAsked {
            obligation: key(14, 0),
            person: id(YAO),
            ask: ExtensionAsk {
                day: "2022-04-15".parse().unwrap(),
                reason: "调研未完成".into(),
                late: false,
            },
        },
    ];
    append(&desk, "2022-03-30T17:00", in_time).await;
    let late = report(ZHANG, key(16, 1), ReportStatus::OnSchedule, "已走访12家。");
    append(&desk, "2022-04-01T09:30", vec![late]).await;
    let returned = Fact::ReviewGiven {
        obligation: key(16, 0),
        review: Review::Returned {
            reason: "请列明区域品牌建设的具体进展".into(),
        },
    };
    append(&desk, "2022-04-01T09:40", vec![returned]).await;
    desk.clock.advance_to(at("2022-04-02T10:00"));
    desk
}

async fn asked(app: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    use tower::ServiceExt as _;
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Caller::Operator);
    let response = app.clone().oneshot(Request::from_parts(parts, body));
    let response = response.await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX);
    (status, bytes.await.unwrap().to_vec())
}

/// The text of a .docx, a paragraph a line.
fn text(docx: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(docx)).unwrap();
    let mut xml = String::new();
    let mut part = zip.by_name("word/document.xml").unwrap();
    part.read_to_string(&mut xml).unwrap();
    let mut text = String::new();
    for part in xml.split('<') {
        if let Some((_, words)) = part.split_once('>') {
            text.push_str(words);
        }
        if part.starts_with("/w:p>") {
            text.push('\n');
        }
    }
    text.replace("&quot;", "\"").replace("&amp;", "&")
}

fn result_of(desk: &Desk) -> QuarterResult {
    let book = desk.ledger.book();
    let place = (&plan(), quarter("2022Q1"));
    let calendar = calendar();
    QuarterResult::of(
        &book,
        place,
        desk.clock.now(),
        &Sight::Everything,
        &calendar,
    )
    .unwrap()
}

fn told(desk: &Desk, sight: &Sight, number: Option<&str>) -> String {
    let result = result_of(desk);
    let calendar = calendar();
    let bulletin = Bulletin {
        result: &result,
        office: &desk.office,
        calendar: &calendar,
        number: number.map(str::to_owned),
        day: calendar.date_of(desk.clock.now()),
        sight,
    };
    bulletin.document().to_string()
}

#[tokio::test]
async fn a_bulletin_after_the_deadline() {
    let desk = after_the_deadline().await;
    insta::assert_snapshot!(told(&desk, &Sight::Everything, Some("〔2022〕1号")));
}

#[tokio::test]
async fn a_draft_before_the_deadline_reproaches_nobody() {
    let desk = planned().await;
    let text = told(&desk, &Sight::Everything, None);
    insta::assert_snapshot!(text);
    assert!(!text.contains("逾期") && !text.contains("超期"));
}

#[tokio::test]
async fn the_five_classes_add_up() {
    let desk = after_the_deadline().await;
    let result = result_of(&desk);
    let classes = Classes::of(&result.items);
    let sum: u32 = classes.named().iter().map(|(_, count)| count).sum();
    assert_eq!((sum, classes.all), (7, 7));
    assert_eq!(classes.named().map(|(_, count)| count), [1, 1, 1, 0, 4]);
    assert_eq!((classes.late, classes.returned, classes.overdue), (1, 1, 2));
}

#[tokio::test]
async fn an_urge_slip_and_a_notice_read_as_an_office_writes_them() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    for (path, name) in [
        ("/urge-slip.docx", "urge_slip"),
        ("/supervision-notice.docx", "notice"),
    ] {
        let fields = [("unit", "市工业和信息化局"), ("unit", "市市场监管局")];
        let (status, bytes) = asked(&app, post_form(path, &fields)).await;
        assert_eq!(
            status,
            StatusCode::OK,
            "{}",
            String::from_utf8_lossy(&bytes)
        );
        insta::assert_snapshot!(name, text(&bytes));
    }
}

#[tokio::test]
async fn a_paper_asked_for_again_keeps_its_number_and_its_words() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let one = [("unit", "市水务局")];
    let (_, first) = asked(&app, post_form("/urge-slip.docx", &one)).await;
    assert!(
        text(&first).contains("某府办督催〔2022〕1号"),
        "{}",
        text(&first)
    );
    let (_, other) = asked(
        &app,
        post_form("/urge-slip.docx", &[("unit", "市市场监管局")]),
    )
    .await;
    assert!(text(&other).contains("某府办督催〔2022〕2号"));
    // Each kind has its own series.
    let (_, notice) = asked(&app, post_form("/supervision-notice.docx", &one)).await;
    assert!(text(&notice).contains("某府办督办〔2022〕1号"));
    desk.clock.advance_to(at("2022-04-08T10:00"));
    let (_, again) = asked(&app, post_form("/urge-slip.docx", &one)).await;
    assert_eq!(first, again);
    assert_eq!(desk.ledger.book().papers.len(), 3);
}

#[tokio::test]
async fn a_unit_that_owes_nothing_gets_no_paper_and_no_number() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let fields = [("unit", "市水务局"), ("unit", "市科技局")];
    let (status, answer) = asked(&app, post_form("/urge-slip.docx", &fields)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.contains("市科技局现在没有需要发催办单的事项"),
        "{answer}"
    );
    let (status, _) = asked(&app, post_form("/urge-slip.docx", &[])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(desk.ledger.book().papers.is_empty());
}

#[tokio::test]
async fn a_bulletin_takes_its_number_once_and_a_draft_takes_none() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let draft = || fetch("/bulletin.docx?quarter=2022Q1");
    let (status, bytes) = asked(&app, draft()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text(&bytes).contains("某府办督〔2022〕　号"));
    assert!(desk.ledger.book().papers.is_empty());
    for _ in 0..2 {
        let fields = [("quarter", "2022Q1")];
        let (_, bytes) = asked(&app, post_form("/bulletin.docx", &fields)).await;
        assert!(text(&bytes).contains("某府办督〔2022〕1号"));
    }
    let (_, bytes) = asked(&app, draft()).await;
    assert!(text(&bytes).contains("某府办督〔2022〕1号"));
    assert_eq!(desk.ledger.book().papers.len(), 1);
    // As of a moment before the deadline nobody is late.
    let (_, bytes) = asked(
        &app,
        fetch("/bulletin.docx?quarter=2022Q1&as_of=2022-03-30T18:00"),
    )
    .await;
    let text = text(&bytes);
    assert!(
        text.contains("截至2022年3月30日18时") && !text.contains("逾期"),
        "{text}"
    );
}

#[tokio::test]
async fn readers_get_drafts_of_what_they_see_and_no_numbers() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let as_viewer = |request: Request<Body>, sight: Sight| {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(Caller::User {
            name: "领导".into(),
            role: Role::Viewer,
            sight,
            csrf: "c".into(),
        });
        Request::from_parts(parts, body)
    };
    let get = |path: &str, sight| as_viewer(fetch(path), sight);
    let post = as_viewer(
        post_form("/urge-slip.docx", &[("csrf", "c"), ("unit", "市水务局")]),
        Sight::Everything,
    );
    assert_eq!(send(&app, post).await.0, StatusCode::FORBIDDEN);
    let nobody = Sight::Leader("王长青".into());
    let (status, page) = send(&app, get("/papers", nobody.clone())).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("共0项任务") && !page.contains("取发文字号"),
        "{page}"
    );
    let answer = send(&app, get("/bulletin.docx", nobody)).await;
    assert_eq!(answer.0, StatusCode::CONFLICT, "nothing of it is theirs");
    assert!(desk.ledger.book().papers.is_empty());
}

#[tokio::test]
async fn the_page_says_what_each_paper_will_contain() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let fields = [("unit", "市水务局")];
    asked(&app, post_form("/urge-slip.docx", &fields)).await;
    let (_, html) = asked(&app, fetch("/papers?quarter=2022Q1")).await;
    insta::assert_snapshot!(seen(&String::from_utf8(html).unwrap()));
}

#[tokio::test]
async fn the_package_is_what_word_takes() {
    let desk = after_the_deadline().await;
    let app = router(Arc::clone(&desk));
    let (_, bytes) = asked(&app, fetch("/bulletin.docx?quarter=2022Q1")).await;
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).unwrap();
        let mut xml = String::new();
        part.read_to_string(&mut xml).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => panic!("{:?}: {error}", part.name()),
            }
        }
    }
}
