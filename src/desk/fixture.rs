//! A desk for tests: six rows of the real table, a standing clock, a store in memory.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use tower::ServiceExt as _;

use super::*;
use crate::domain::book::Book;
use crate::domain::due::Reach;
use crate::domain::fact::{Actor, Fact};
pub(crate) use crate::domain::fixture::*;
use crate::domain::link::Link;
use crate::domain::policy::Policy;
use crate::rules::RuleSet;
use crate::store::StoreError;
use crate::store::memory::MemoryStore;

/// A desk at 2022-03-28 10:00, a Monday, three days before the deadline.
pub(crate) fn desk() -> Arc<Desk> {
    desk_with(MemoryStore::default(), |_| ())
}

pub(crate) fn desk_with(store: MemoryStore, change: impl FnOnce(&mut Desk)) -> Arc<Desk> {
    let reopen = || Err(StoreError::Engine("closed".into()));
    let (ledger, _) = Ledger::start(Box::new(store), Book::default(), Box::new(reopen));
    let mut desk = Desk {
        ledger,
        // A test that hands in files gives it a folder of its own.
        vault: Vault::new("/dev/null/evidence".into()),
        clock: Clock::simulated(at("2022-03-28T10:00"), 0.0),
        rules: Rules::new(RuleSet {
            calendar: Arc::new(calendar()),
            policy: Policy::default(),
            report: Default::default(),
            reach: Reach::default(),
            coordinators: Vec::new(),
            operators: Vec::new(),
        }),
        link_key: LinkKey::new([9; 32]),
        office: Office {
            name: "市政府督查室".into(),
            phone: Some("0769-22830000".into()),
            letterhead: Letterhead {
                issuer: "某某市人民政府办公室".into(),
                head: "某某市人民政府办公室文件".into(),
                code: "某府办督".into(),
                addressee: "各镇人民政府（街道办事处），各园区管委会，市有关单位".into(),
                copied: vec![
                    "市委办公室".into(),
                    "市人大常委会办公室".into(),
                    "市政协办公室".into(),
                ],
            },
        },
        public_url: "http://127.0.0.1:8780".into(),
        inbox: None,
        advance: None,
        vitals: Arc::default(),
        stopped: Arc::new(Vec::new),
        given_years: Default::default(),
        shown: Default::default(),
        views: Default::default(),
        ended: Default::default(),
        service: None,
        second_for: Vec::new(),
        counted: Default::default(),
        closing: Default::default(),
    };
    change(&mut desk);
    Arc::new(desk)
}

/// The same, with the plan imported on 2022-02-07.
pub(crate) async fn planned() -> Arc<Desk> {
    let desk = desk();
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    desk
}

pub(crate) async fn append(desk: &Desk, when: &str, facts: Vec<Fact>) {
    desk.ledger
        .append(Actor::System, at(when), facts)
        .await
        .unwrap();
}

pub(crate) fn token(desk: &Desk, person: (&str, &str)) -> String {
    let link = Link::new(
        (plan(), quarter("2022Q1"), id(person)),
        at("2022-03-17T09:10"),
        "2022-03-17".parse().unwrap(),
        "2022-03-31".parse().unwrap(),
    );
    desk.link_key.sign(&link)
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let (status, _, text) = send_whole(router, request).await;
    (status, text)
}

pub(crate) async fn send_whole(
    router: &Router,
    request: Request<Body>,
) -> (StatusCode, axum::http::HeaderMap, String) {
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, headers, String::from_utf8(bytes.to_vec()).unwrap())
}

pub(crate) fn fetch(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn post_form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let encode = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(pairs.join("&")))
        .unwrap()
}

/// What a reader sees of a page: its text, line by line, with fields in brackets.
pub(crate) fn seen(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut out = String::new();
    let mut rest = body.split_once('>').map_or(body, |(_, rest)| rest);
    while let Some((text, tag_on)) = rest.split_once('<') {
        out.push_str(text);
        let (tag, after) = tag_on.split_once('>').unwrap_or((tag_on, ""));
        if let Some(value) = attribute(tag, "value").filter(|_| tag.contains("radio")) {
            let mark = if tag.contains(" checked") {
                '●'
            } else {
                '○'
            };
            out.push_str(&format!("{mark}[{value}] "));
        } else if tag.starts_with("textarea")
            || (tag.starts_with("input") && !tag.contains("hidden"))
        {
            let name = attribute(tag, "name").unwrap_or_default();
            let value = attribute(tag, "value").unwrap_or_default();
            out.push_str(&format!("[{name}: {value}]"));
        }
        let inline = [
            "b", "/b", "span", "/span", "a", "/a", "td", "/td", "th", "/th", "dt", "/dt",
        ];
        let name = tag.split_whitespace().next().unwrap_or_default();
        if name == "/td" || name == "/th" || name == "/dt" {
            out.push_str(" | ");
        } else if !inline.contains(&name) {
            out.push('\n');
        }
        rest = after;
    }
    let lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// A store that refuses everything once it is told to.
pub(crate) struct Failing(Arc<std::sync::atomic::AtomicBool>, MemoryStore);

impl Failing {
    pub(crate) fn new(broken: Arc<std::sync::atomic::AtomicBool>) -> Self {
        Self(broken, MemoryStore::default())
    }
}

impl crate::store::Journal for Failing {
    fn head(&self) -> u64 {
        self.1.head()
    }
    fn append(&mut self, expected: u64, steps: &[crate::store::Step]) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(StoreError::Engine("disk full".into()));
        }
        self.1.append(expected, steps)
    }
    fn ready(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn checkpoint(&mut self, _: &Book) -> Result<(), StoreError> {
        Ok(())
    }
    fn reader(&self) -> Arc<dyn crate::store::JournalReader> {
        self.1.reader()
    }
    fn close(self: Box<Self>, _: &Book) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An inbox with one message, whose subject wants escaping.
pub(crate) struct OneMessage(pub(crate) Option<String>);

impl Inbox for OneMessage {
    fn list(&self) -> io::Result<Vec<InboxEntry>> {
        Ok(vec![entry()])
    }
    fn get(&self, id: &str) -> io::Result<Option<InboxMessage>> {
        Ok((id == entry().id).then(|| InboxMessage {
            entry: entry(),
            text: "张玉成同志：\n请于3月31日（周四）18:00前报送以下3项工作的进展。".into(),
            html: Some("<p style=\"color:#333\">张玉成同志：</p>".into()),
            link: self.0.clone(),
        }))
    }
}

fn entry() -> InboxEntry {
    InboxEntry {
        id: "0001-notice".into(),
        at: at("2022-03-17T09:10"),
        person: "张玉成".into(),
        unit: "市工业和信息化局".into(),
        stage: "预告".into(),
        subject: "【预告】2022年第一季度3项任务待报送<3月31日18:00前>".into(),
    }
}
