//! The lists, and the pages of a task, a person and a unit.

use super::*;
use crate::domain::message::Occasion;
use crate::domain::user::Sight;
use crate::web::caller::DEMO_USER;

/// A request of somebody who sees only this leader's tasks.
fn by_viewer_of(request: Request<Body>, leader: &str) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Caller::User {
        name: DEMO_USER.into(),
        role: Role::Viewer,
        sight: Sight::Leader(leader.into()),
        csrf: "x".into(),
    });
    Request::from_parts(parts, body)
}

fn person_path((unit, name): (&str, &str)) -> String {
    format!("/person/{}", id((unit, name)))
}

#[tokio::test]
async fn the_list_shows_what_was_asked_for() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let html = page(&app, "/items").await;
    assert_eq!(html.matches("<script").count(), 1, "ours alone");
    assert!(html.contains("<script src=\"/static/live-"));
    insta::assert_snapshot!("items", seen(&html));
    let some =
        "/items?quarter=2022Q1&state=reported&unit=市工业和信息化局&sort=-reported&text=数字化";
    let text = seen(&page(&app, some).await);
    assert!(text.contains("2022年第一季度已报清单1项"), "{text}");
    let second = page(&app, "/items?per=3&page=2").await;
    assert!(second.contains("第4—6项，共7项"), "{second}");
    assert!(second.contains("rel=\"next\""));
    for nonsense in [
        "/items?state=x",
        "/items?sort=x",
        "/items?quarter=Q1",
        "/items?as_of=x",
    ] {
        let (status, _) = send(&app, by_operator(fetch(nonsense))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{nonsense}");
    }
    let (status, _) = send(&app, by_operator(fetch("/items?plan=other"))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let empty = router(crate::desk::fixture::desk());
    assert!(page(&empty, "/items").await.contains("还没有分解表"));
}

#[tokio::test]
async fn the_pages_of_a_task_a_person_and_a_unit_tell_all() {
    let desk = lively().await;
    let handled = vec![
        Fact::MessageHandled {
            key: message_key(YAO),
        },
        Fact::ReviewGiven {
            obligation: key(14, 0),
            review: Review::Returned {
                reason: "请写明缺哪两家".into(),
            },
        },
    ];
    desk.ledger
        .append(Actor::User("wang".into()), at("2022-03-23T09:00"), handled)
        .await
        .unwrap();
    let app = router(Arc::clone(&desk));
    insta::assert_snapshot!(
        "whole_task",
        seen(&page(&app, "/task/dongguan-2022/14").await)
    );
    insta::assert_snapshot!("person", seen(&page(&app, &person_path(YAO)).await));
    insta::assert_snapshot!(
        "unit",
        seen(&page(&app, "/unit?name=市工业和信息化局").await)
    );
    for none in [
        "/task/dongguan-2022/15",
        "/person/pffffffffffff",
        "/unit?name=市",
    ] {
        let (status, _) = send(&app, by_operator(fetch(none))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{none}");
    }
    let path = format!("{}/history.csv", person_path(YAO));
    let table = page(&app, &path).await;
    assert!(
        table.contains(
            "2022-03-23 09:00,提醒,预告,2022年第一季度,第14项,电话,已电话通知本人（wang）"
        ),
        "{table}"
    );
}

#[tokio::test]
async fn contacts_are_masked_on_a_persons_page() {
    let desk = lively().await;
    let contact = crate::domain::people::Contact {
        mobile: Some("13800001234".into()),
        email: Some("zhong@kjj.dg.gov.cn".into()),
        wecom_user: Some("zhongjp".into()),
        ..crate::domain::people::Contact::none(id(ZHONG))
    };
    append(
        &desk,
        "2022-03-24T09:00",
        vec![Fact::ContactSet { contact }],
    )
    .await;
    let app = router(Arc::clone(&desk));
    let text = seen(&page(&app, &person_path(ZHONG)).await);
    assert!(
        text.contains("手机 138******34　邮箱 z***@kjj.dg.gov.cn　企业微信 z***"),
        "{text}"
    );
    assert!(!text.contains("13800001234") && !text.contains("zhongjp"));
}

#[tokio::test]
async fn every_page_can_be_asked_of_the_past_and_changes_nothing_there() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let paths = [
        "/items?plan=dongguan-2022".to_owned(),
        "/task/dongguan-2022/14?x=".to_owned(),
        "/task/dongguan-2022/2022Q1/14/0?x=".to_owned(),
        format!("{}?x=", person_path(LI)),
        "/unit?name=市工业和信息化局".to_owned(),
        "/deliveries?x=".to_owned(),
    ];
    for path in &paths {
        let asked = format!("{path}&as_of=2022-03-20T18:00");
        let (status, html) = send(&app, with_cookie(fetch(&asked), &session)).await;
        assert_eq!(status, StatusCode::OK, "{asked}");
        assert!(
            html.contains("以下为<b>2022年3月20日（周日）18:00</b>时的情况"),
            "{asked}"
        );
        assert!(
            !html.contains("<script"),
            "{asked}: the past stays as it was"
        );
        assert!(!html.contains("尚缺"), "{asked} knows what was said later");
        let forms = html.matches("method=\"post\" action=\"/").count();
        let listing = html.matches("action=\"/items/urge\"").count();
        assert_eq!(forms - listing, 1, "{asked}: signing out alone");
        assert!(
            !html.contains("<input type=\"checkbox\" name=\"i\""),
            "{asked}"
        );
        let later = html.matches("as_of=2022-03-20T18:00").count();
        assert!(later > 0, "{asked}: links keep it");
        let ahead = format!("{path}&as_of=2023-01-01T00:00");
        let (_, html) = send(&app, with_cookie(fetch(&ahead), &session)).await;
        assert!(
            !html.contains("以下为"),
            "{ahead}: a moment still ahead is the present"
        );
    }
    let text = page(&app, "/api/v1/board?quarter=2022Q1&as_of=2022-03-21T15:20").await;
    let board: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(board["totals"]["reported"], 2, "the time of the office too");
}

#[tokio::test]
async fn a_leaders_viewer_sees_nothing_else() {
    let desk = lively().await;
    let mut facts = plan_facts();
    let mine = facts.iter_mut().filter_map(|fact| match fact {
        Fact::TaskSet { task, .. } if task.no == 32 => Some(task),
        _ => None,
    });
    for task in mine {
        task.leaders = vec!["黎军".into()];
    }
    facts.retain(|fact| matches!(fact, Fact::TaskSet { task, .. } if task.no == 32));
    append(&desk, "2022-03-24T09:00", facts).await;
    let app = router(Arc::clone(&desk));
    let get = async |path: &str| send(&app, by_viewer_of(fetch(path), "黎军")).await;
    let person = |who| format!("{}?plan=dongguan-2022", person_path(who));
    for path in [
        "/items",
        "/items.csv",
        "/unit?name=市科技局",
        "/task/dongguan-2022/32",
        &person(ZHONG),
    ] {
        let (status, text) = get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for other in ["张玉成", "黎玲东", "数字化", "市工业和信息化局"] {
            assert!(!text.contains(other), "{path} tells of {other}");
        }
    }
    let items = get("/items").await.1;
    assert!(seen(&items).contains("应报清单1项"), "{items}");
    for shut in ["/mails", "/readiness", "/deliveries", "/deliveries.csv"] {
        assert_eq!(get(shut).await.0, StatusCode::FORBIDDEN, "{shut}");
    }
    for hidden in [
        "/task/dongguan-2022/14",
        "/task/dongguan-2022/2022Q1/14/0",
        "/unit?name=市工业和信息化局",
        &person(LI),
    ] {
        assert_eq!(get(hidden).await.0, StatusCode::NOT_FOUND, "{hidden}");
    }
}

#[tokio::test]
async fn a_bulk_urge_is_previewed_and_reaches_exactly_those() {
    let desk = lively().await;
    let contacts = [ZHANG, DU, ZHONG].map(|who| Fact::ContactSet {
        contact: crate::domain::people::Contact {
            email: Some("a@b.example".into()),
            ..crate::domain::people::Contact::none(id(who))
        },
    });
    append(&desk, "2022-03-24T09:00", contacts.into()).await;
    let mut rules = (*desk.rules.now()).clone();
    rules.reach.email = true;
    desk.rules.replace(rules);
    let app = router(Arc::clone(&desk));
    let session = signed_in(&desk, &app, "wang", Role::Coordinator).await;
    let (_, html) = send(&app, with_cookie(fetch("/items"), &session)).await;
    let csrf = csrf_of(&html);
    let post = async |path: &str, fields: &[(&str, &str)]| {
        send(&app, with_cookie(post_form(path, fields), &session)).await
    };
    let base = [
        ("csrf", csrf.as_str()),
        ("plan", "dongguan-2022"),
        ("quarter", "2022Q1"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    let path = "/items/urge";
    let (status, _) = post(path, &with(&[("do", "picked")])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "nothing was ticked");
    let before = desk.ledger.book().position;
    let picked = [("do", "picked"), ("i", "4/0"), ("i", "32/0")];
    let (status, html) = post(path, &with(&picked)).await;
    assert_eq!(status, StatusCode::OK);
    let text = seen(&html);
    assert!(
        text.contains("催办：所选2项") && text.contains("以下2人将立即收到"),
        "{text}"
    );
    assert_eq!(
        desk.ledger.book().position,
        before,
        "a preview queues nothing"
    );
    let (_, rest) = html.split_once("name=\"items\" value=\"").unwrap();
    assert_eq!(rest.split_once('"').unwrap().0, "4/0,32/0");
    let (_, rest) = html.split_once("name=\"seen\" value=\"").unwrap();
    let seen_at = rest.split_once('"').unwrap().0.to_owned();
    let mut confirm = with(&[("items", "4/0,32/0")]);
    confirm.push(("seen", &seen_at));
    let (status, _) = post("/urge", &confirm).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let urged = || -> Vec<_> {
        let book = desk.ledger.book();
        let urges = book.messages.values();
        let urges = urges.filter(|one| matches!(one.message.key.occasion, Occasion::Urge(_)));
        let mut urged: Vec<_> = urges.map(|one| one.message.items.clone()).collect();
        urged.sort();
        urged
    };
    assert_eq!(urged(), [vec![key(4, 0)], vec![key(32, 0)]]);
    let (status, _) = post("/urge", &confirm).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(urged().len(), 2, "a second press does nothing");
    let all = [("do", "all"), ("unit", "市市场监管局")];
    let (_, html) = post(path, &with(&all)).await;
    let text = seen(&html);
    assert!(text.contains("杜江") && !text.contains("张玉成"), "{text}");
    assert!(html.contains("name=\"items\" value=\"16/0\""), "{html}");
}

#[tokio::test]
async fn the_table_for_excel_has_every_row_and_no_formula() {
    let desk = lively().await;
    let said = vec![report(
        ZHONG,
        key(32, 0),
        ReportStatus::Behind,
        "=cmd|' /C calc'!A0",
    )];
    append(&desk, "2022-03-23T10:00", said).await;
    let app = router(Arc::clone(&desk));
    let (status, headers, text) =
        send_whole(&app, by_operator(fetch("/items.csv?per=1&state=reported"))).await;
    assert_eq!(status, StatusCode::OK);
    let name = headers["content-disposition"].to_str().unwrap();
    let name = crate::web::percent::decoded(name.split("UTF-8''").nth(1).unwrap().as_bytes());
    assert_eq!(
        String::from_utf8(name).unwrap(),
        "2022年第一季度已报清单.csv"
    );
    assert!(text.starts_with('\u{feff}'));
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let numbers: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(numbers, ["2", "14", "32"], "all pages");
    assert_eq!(&rows[2][10], "'=cmd|' /C calc'!A0");
    let all = page(&app, "/deliveries.csv?state=dead").await;
    assert!(
        all.contains("姚铸锐,市工业和信息化局,预告,2022年第一季度,14,电子邮件,发送失败"),
        "{all}"
    );
}

#[tokio::test]
async fn a_past_list_says_what_status_as_of_says() {
    let desk = lively().await;
    let app = router(Arc::clone(&desk));
    for (when, state) in [
        ("2022-03-17T09:00", "all"),
        ("2022-03-21T15:19", "not_reported"),
        ("2022-03-21T15:20", "reported"),
        ("2022-03-22T10:00", "accepted"),
        ("2022-03-22T09:59", "accepted"),
    ] {
        let query = format!("quarter=2022Q1&state={state}&as_of={when}");
        let board = page(&app, &format!("/api/v1/board?{query}")).await;
        let board: Value = serde_json::from_str(&board).unwrap();
        let rows = board["rows"].as_array().unwrap().iter();
        let wanted: Vec<String> = rows.map(|row| row["task"].to_string()).collect();
        let table = page(&app, &format!("/items.csv?{query}")).await;
        let table = table.trim_start_matches('\u{feff}');
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let listed = reader.records().map(|row| row.unwrap()[0].to_owned());
        assert_eq!(listed.collect::<Vec<_>>(), wanted, "{query}");
        let html = page(&app, &format!("/items?{query}")).await;
        let count = format!("清单<span class=\"count\">{}项", wanted.len());
        assert!(html.contains(&count), "{query}");
    }
}
