use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};

use super::crypt::Sealed;
use super::*;
use crate::channel::{Attempted, Sending, Voice};
use crate::config::wecom::AesKey;
use crate::desk::fixture::*;
use crate::domain::book::Book;
use crate::domain::brief::message_name;
use crate::domain::delivery::{FailReason, Next};
use crate::domain::heard::Meaning;
use crate::domain::people::Contact;
use crate::domain::report::rules::Field;
use crate::domain::report::{Review, Via};
use crate::store::Ledger;

const ACCOUNT: &str = "zhangyc";

fn crypt() -> Crypt {
    let key = AesKey::read("Oc84J1tqSU4Xfcsk3rWzAS7ccZ75reMvxa8cVnGcQfy").unwrap();
    Crypt::new("gNAIBbWwuO9", key, "ww0123456789abcdef")
}

fn sealed(message: &str) -> Sealed {
    crypt().seal(message, [7; 16], "1648432800", "n1")
}

fn call(message: &str) -> Request<Body> {
    let sealed = sealed(message);
    Request::post(format!("/wecom/callback?{}", sealed.query()))
        .body(Body::from(sealed.envelope()))
        .unwrap()
}

fn typed(account: &str, text: &str, id: u32) -> String {
    format!(
        "<xml><FromUserName>{account}</FromUserName><CreateTime>1648432800</CreateTime><MsgType>text</MsgType><Content>{}</Content><MsgId>{id}</MsgId></xml>",
        xml::cdata(text)
    )
}

fn tapped(card: &str, button: &str, chosen: Option<&str>, code: &str) -> String {
    let chosen = chosen.map_or(String::new(), |id| format!("<SelectedItems><SelectedItem><QuestionKey>item</QuestionKey><OptionIds><OptionId>{id}</OptionId></OptionIds></SelectedItem></SelectedItems>"));
    format!(
        "<xml><FromUserName>{ACCOUNT}</FromUserName><CreateTime>1648432800</CreateTime><MsgType>event</MsgType><Event>template_card_event</Event><EventKey>{button}</EventKey><TaskId>{card}</TaskId><ResponseCode>{code}</ResponseCode>{chosen}</xml>"
    )
}

/// Whom it told what; and what comes of it.
struct Told {
    said: Mutex<Vec<(String, String)>>,
    outcome: Mutex<Attempted>,
}

impl Voice for Told {
    fn say<'a>(&'a self, account: &'a str, text: &'a str, _: u32, _: DateTime<Utc>) -> Sending<'a> {
        self.said
            .lock()
            .unwrap()
            .push((account.into(), text.into()));
        let outcome = self.outcome.lock().unwrap().clone();
        Box::pin(async move { outcome })
    }
}

struct Bench {
    desk: Arc<Desk>,
    voice: Arc<Told>,
}

impl Bench {
    /// Zhang has the notice, with a card over 2, 4 and 16.
    async fn new() -> Self {
        let desk = planned().await;
        let user = |person, user: &str| Fact::ContactSet {
            contact: Contact {
                wecom_user: Some(user.into()),
                ..Contact::none(id(person))
            },
        };
        let contacts = vec![user(ZHANG, "ZhangYC"), user(YAO, "yao")];
        append(&desk, "2022-02-08T09:00", contacts).await;
        let items = [key(2, 0), key(4, 0), key(16, 1)];
        append(
            &desk,
            "2022-03-17T09:10",
            crate::domain::fixture::notice(&[ZHANG], &items),
        )
        .await;
        Self::on(desk)
    }

    fn on(desk: Arc<Desk>) -> Self {
        let voice = Told {
            said: Mutex::default(),
            outcome: Mutex::new(Attempted::sent("0 ok")),
        };
        Self {
            desk,
            voice: Arc::new(voice),
        }
    }

    async fn post(&self, message: &str) -> StatusCode {
        let router = router(Arc::clone(&self.desk), crypt());
        let (status, text) = send(&router, call(message)).await;
        assert_eq!(text, "");
        status
    }

    fn clerk(&self) -> Clerk {
        Clerk::new(
            Arc::clone(&self.desk),
            Arc::clone(&self.voice) as Arc<dyn Voice>,
        )
    }

    /// One round of the clerk.
    async fn work(&self) {
        let soft = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(self.clerk().run(soft.clone()));
        let waits = |book: &Book| {
            let undecided = |word: &crate::domain::heard::Word| word.settled.is_none();
            book.words.values().any(undecided)
        };
        let mut changes = self.desk.ledger.changes();
        while waits(&self.desk.ledger.book()) {
            changes.changed().await.unwrap();
        }
        soft.cancel();
        running.await.unwrap();
        // What was decided last may not have been answered in that round.
        let clerk = self.clerk();
        clerk.answer_once().await;
    }

    /// Says it and gives the answer.
    async fn hear(&self, message: &str) -> Vec<String> {
        let before = self.voice.said.lock().unwrap().len();
        assert_eq!(self.post(message).await, StatusCode::OK);
        self.work().await;
        let said = self.voice.said.lock().unwrap();
        said.iter()
            .skip(before)
            .map(|(_, text)| plain(text))
            .collect()
    }

    fn reports(&self, task: u32, group: u8) -> Vec<String> {
        let book = self.desk.ledger.book();
        let known = &book.obligations[&key(task, group)];
        let told = known.reports.iter().map(|received| {
            let report = &received.report;
            assert_eq!(report.via, Via::Wecom);
            format!("{} {}", report.status.as_str(), report.progress)
        });
        told.collect()
    }
}

/// Without the token, which differs.
fn plain(text: &str) -> String {
    let (head, rest) = text.split_once("/r/").unwrap_or((text, ""));
    match rest.split_once('"') {
        Some((_, tail)) => format!("{head}/r/…\"{tail}"),
        None => text.to_owned(),
    }
}

fn card() -> String {
    let name = message_name(&crate::domain::fixture::message_key(ZHANG));
    format!("cuiban-{name}-1647479400000")
}

#[tokio::test]
async fn the_address_is_verified_with_exactly_the_echo() {
    let bench = Bench::new().await;
    let router = router(Arc::clone(&bench.desk), crypt());
    let sealed = sealed("7741322657574589491");
    let encoded: String = sealed
        .encrypt
        .bytes()
        .map(|b| format!("%{b:02X}"))
        .collect();
    let path = format!("/wecom/callback?{}&echostr={encoded}", sealed.query());
    let (status, text) = send(&router, fetch(&path)).await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::OK, "7741322657574589491")
    );
    let forged = path.replace("nonce=n1", "nonce=n2");
    assert_eq!(send(&router, fetch(&forged)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        send(&router, fetch("/wecom/callback")).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn what_is_not_the_platforms_is_refused_and_what_asks_nothing_is_taken_politely() {
    let bench = Bench::new().await;
    let before = bench.desk.ledger.book().position;
    let router = router(Arc::clone(&bench.desk), crypt());
    let post = |query: &str, body: &str| {
        Request::post(format!("/wecom/callback?{query}"))
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let good = sealed("7");
    let (status, _) = send(&router, post("msg_signature=1", &good.envelope())).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = send(&router, post(&good.query(), "{}")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = send(&router, post(&good.query(), &" ".repeat(xml::LONGEST + 1))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let entering =
        tapped(&card(), "completed", None, "c").replace("template_card_event", "enter_agent");
    for nothing in ["7", "", "<xml></xml>", &entering] {
        assert_eq!(bench.post(nothing).await, StatusCode::OK, "{nothing}");
    }
    assert_eq!(bench.desk.ledger.book().position, before);
}

#[tokio::test]
async fn typed_words_become_reports_and_the_member_hears_what_was_understood() {
    let bench = Bench::new().await;
    let said = "4 正常推进，已为3家企业提供<咨询>服务，完成60%\n2 已完成";
    let told = bench.hear(&typed(ACCOUNT, said, 1)).await;
    assert_eq!(bench.reports(2, 0).len(), 1);
    assert_eq!(bench.reports(4, 0).len(), 1);
    assert_eq!(bench.reports(16, 1).len(), 0);
    insta::assert_snapshot!("typed", told.join("\n—\n"));
    // The same again, by another message: nothing new, and the same answer.
    let again = bench.hear(&typed(ACCOUNT, said, 2)).await;
    assert_eq!(bench.reports(2, 0).len(), 1);
    assert_eq!(again, told);
}

#[tokio::test]
async fn help_seen_and_what_nobody_understands() {
    let bench = Bench::new().await;
    let mut told = Vec::new();
    for (id, words) in ["帮助", "已知悉", "材料在路上", "99 已完成", "不是我"]
        .into_iter()
        .enumerate()
    {
        told.push(format!("【{words}】"));
        let id = u32::try_from(id).unwrap() + 10;
        told.extend(bench.hear(&typed(ACCOUNT, words, id)).await);
    }
    told.push("【语音】".into());
    let voice = typed(ACCOUNT, "", 20).replace(">text<", ">voice<");
    told.extend(bench.hear(&voice).await);
    insta::assert_snapshot!("other_words", told.join("\n"));
    let book = bench.desk.ledger.book();
    let seen = book.obligations[&key(2, 0)].acknowledged.clone();
    assert_eq!(seen.map(|seen| seen.1), Some(id(ZHANG)));
    assert!(
        book.obligations[&key(2, 0)].is_open(),
        "it stops no reminding"
    );
    let unclear = book.words.values().filter(|word| word.is_unclear()).count();
    assert_eq!(unclear, 3, "a coordinator looks at them");
    assert_eq!(book.words.len(), unclear, "all else is done with");
}

#[tokio::test]
async fn a_tap_reports_the_item_chosen_and_the_card_asks_for_the_rest() {
    let bench = Bench::new().await;
    let told = bench
        .hear(&tapped(&card(), "completed", Some("4"), "c1"))
        .await;
    assert_eq!(bench.reports(4, 0), ["completed "]);
    insta::assert_snapshot!("tapped", told.join("\n"));
    {
        let book = bench.desk.ledger.book();
        let known = &book.cards[&crate::domain::fixture::message_key(ZHANG)];
        assert!(known.tapped && known.code == "c1");
    }
    // What was reported is not rewritten by a tap; without a choice nothing is guessed.
    let mut told = bench
        .hear(&tapped(&card(), "behind", Some("4"), "c2"))
        .await;
    told.extend(bench.hear(&tapped(&card(), "behind", None, "c3")).await);
    told.extend(
        bench
            .hear(&tapped("cuiban-000-1", "behind", Some("2"), "c4"))
            .await,
    );
    told.extend(
        bench
            .hear(&tapped(&card(), "status:done", Some("2"), "c5"))
            .await,
    );
    insta::assert_snapshot!("tapped_in_vain", told.join("\n"));
    assert_eq!(bench.reports(4, 0), ["completed "]);
    bench
        .hear(&tapped(&card(), "on_schedule", Some("all"), "c6"))
        .await;
    assert_eq!(bench.reports(2, 0), ["on_schedule "]);
    assert_eq!(bench.reports(16, 1), ["on_schedule "]);
}

#[tokio::test]
async fn what_comes_again_counts_once_also_after_a_restart() {
    let bench = Bench::new().await;
    let tap = tapped(&card(), "completed", Some("4"), "c1");
    assert_eq!(bench.post(&tap).await, StatusCode::OK);
    assert_eq!(bench.post(&tap).await, StatusCode::OK);
    bench.work().await;
    let after = bench.desk.ledger.book().position;
    // Another door on the same facts.
    assert_eq!(
        Bench::on(Arc::clone(&bench.desk)).post(&tap).await,
        StatusCode::OK
    );
    bench.work().await;
    assert_eq!(bench.desk.ledger.book().position, after);
    assert_eq!(bench.voice.said.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stranger_is_answered_once_and_a_colleague_is_none() {
    let bench = Bench::new().await;
    let told = bench.hear(&typed("nobody", "14 已完成", 1)).await;
    insta::assert_snapshot!("stranger", told.join("\n"));
    assert_eq!(
        bench.hear(&typed("Nobody", "14 已完成", 2)).await,
        Vec::<String>::new()
    );
    // Nothing was sent to this one yet: the present quarter is meant.
    bench.hear(&typed("YAO", "已完成，共走访30家企业", 3)).await;
    assert_eq!(bench.reports(14, 0).len(), 1);
    assert_eq!(bench.reports(4, 0).len(), 0);
}

#[tokio::test]
async fn an_accepted_report_stays_and_the_member_is_told_so() {
    let bench = Bench::new().await;
    bench.hear(&typed(ACCOUNT, "4 已完成，一", 1)).await;
    let accepted = Fact::ReviewGiven {
        obligation: key(4, 0),
        review: Review::Accepted,
    };
    append(&bench.desk, "2022-03-28T11:00", vec![accepted]).await;
    let told = bench.hear(&typed(ACCOUNT, "4 进度滞后，二", 2)).await;
    assert!(
        told.concat().contains("第4项已审核通过，不能再修改"),
        "{told:?}"
    );
    assert_eq!(bench.reports(4, 0).len(), 1);
}

#[tokio::test]
async fn an_answer_that_could_not_be_given_is_given_later_and_the_report_stands() {
    let bench = Bench::new().await;
    let busy = Attempted::failed(FailReason::TryLater, Next::Again { after: None }, "-1 busy");
    *bench.voice.outcome.lock().unwrap() = busy;
    bench.hear(&typed(ACCOUNT, "4 已完成", 1)).await;
    assert_eq!(bench.reports(4, 0).len(), 1);
    let owed = || {
        bench
            .desk
            .ledger
            .book()
            .words
            .values()
            .filter(|word| word.answer.is_some())
            .count()
    };
    assert_eq!(owed(), 1);
    {
        let book = bench.desk.ledger.book();
        let mut kept = book.words.values().filter_map(|word| word.answer.as_ref());
        assert!(
            kept.all(|answer| !answer.text.contains("/r/")),
            "no journal opens a page"
        );
    }
    let gone = Attempted::failed(FailReason::BadAddress, Next::NextChannel, "81013 nobody");
    *bench.voice.outcome.lock().unwrap() = gone;
    bench.clerk().answer_once().await;
    assert_eq!(owed(), 0, "nobody is there to be told");
    let said = bench.voice.said.lock().unwrap();
    assert!(
        said.iter().all(|one| *one == said[0]),
        "the same bytes at every try"
    );
    assert!(said[0].1.contains("/r/"));
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let broken = Arc::new(AtomicBool::new(false));
    let store = Failing::new(Arc::clone(&broken));
    let reopen = || Err(crate::store::StoreError::Engine("still full".into()));
    let (ledger, _) = Ledger::start(Box::new(store), Book::default(), Box::new(reopen));
    let desk = desk_with(Default::default(), |desk| desk.ledger = ledger);
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    broken.store(true, Ordering::SeqCst);
    let bench = Bench::on(desk);
    let status = bench.post(&typed(ACCOUNT, "4 已完成", 1)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_was_said_in_time_is_in_time_whenever_it_is_decided_on() {
    let bench = Bench::new().await;
    bench.desk.clock.advance_to(at("2022-03-31T17:59"));
    assert_eq!(
        bench.post(&typed(ACCOUNT, "4 已完成", 1)).await,
        StatusCode::OK
    );
    bench
        .desk
        .clock
        .advance_to(at("2022-03-31T17:59") + TimeDelta::hours(2));
    bench.clerk().decide_all().await;
    let book = bench.desk.ledger.book();
    let known = &book.obligations[&key(4, 0)];
    assert_eq!(known.reports[0].at, at("2022-03-31T17:59"));
    let settled = book.words.values().map(|word| word.settled);
    assert_eq!(settled.collect::<Vec<_>>(), [Some(Meaning::Reported)]);
}

fn by_hand(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut request = match fields {
        [] => fetch(path),
        fields => post_form(path, fields),
    };
    request
        .extensions_mut()
        .insert(crate::web::Caller::Operator);
    request
}

#[tokio::test]
async fn what_nobody_understood_is_put_before_a_coordinator() {
    let bench = Bench::new().await;
    bench
        .hear(&typed(ACCOUNT, "<b>已走访30家</b>，名单在整理", 1))
        .await;
    bench.hear(&typed(ACCOUNT, "您是哪位", 2)).await;
    let heard: Vec<String> = {
        let book = bench.desk.ledger.book();
        book.words.keys().map(ToString::to_string).collect()
    };
    let app = crate::reply::router(Arc::clone(&bench.desk));
    let (status, html) = send(&app, by_hand("/unclear", &[])).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!html.contains("<b>已走访"), "what was typed is escaped");
    insta::assert_snapshot!("unclear", seen(&html));
    let item = key(4, 0).to_string();
    let pick = [
        ("heard", heard[0].as_str()),
        ("item", item.as_str()),
        ("status", "on_schedule"),
    ];
    let stranger = send(&app, post_form("/unclear/report", &pick)).await.0;
    assert_eq!(
        stranger,
        StatusCode::SEE_OTHER,
        "nobody has to sign in first"
    );
    assert_eq!(bench.desk.ledger.book().words.len(), 2);
    assert_eq!(
        send(&app, by_hand("/unclear/report", &pick)).await.0,
        StatusCode::SEE_OTHER
    );
    let again = send(&app, by_hand("/unclear/report", &pick)).await.0;
    assert_eq!(again, StatusCode::CONFLICT, "somebody was faster");
    let other = [
        ("heard", heard[1].as_str()),
        ("item", "dongguan-2022/2022Q1/14/0"),
        ("status", "behind"),
    ];
    let not_theirs = send(&app, by_hand("/unclear/report", &other)).await.0;
    assert_eq!(not_theirs, StatusCode::BAD_REQUEST);
    let aside = [("heard", heard[1].as_str())];
    assert_eq!(
        send(&app, by_hand("/unclear/aside", &aside)).await.0,
        StatusCode::SEE_OTHER
    );
    let book = bench.desk.ledger.book();
    assert!(book.words.is_empty());
    let latest = book.obligations[&key(4, 0)].latest().unwrap();
    assert_eq!(
        latest.report.via,
        Via::Coordinator,
        "shown as entered for them"
    );
    assert_eq!(latest.report.progress, "<b>已走访30家</b>，名单在整理");
}

#[tokio::test]
async fn what_an_office_wants_said_is_asked_for_and_the_rest_is_taken() {
    let bench = Bench::new().await;
    let mut rules = (*bench.desk.rules.now()).clone();
    rules.report.behind.required = vec![Field::Problems, Field::NextSteps];
    bench.desk.rules.replace(rules);
    let told = bench.hear(&typed(ACCOUNT, "2 已完成；4 进度滞后", 1)).await;
    assert_eq!(bench.reports(2, 0).len(), 1);
    assert_eq!(bench.reports(4, 0).len(), 0);
    insta::assert_snapshot!("wants_words", told.join("\n"));
    let whole = "4 进度滞后，存在问题：资金未到位；下一步措施：四月底前协调解决";
    bench.hear(&typed(ACCOUNT, whole, 2)).await;
    assert_eq!(bench.reports(4, 0).len(), 1);
}
