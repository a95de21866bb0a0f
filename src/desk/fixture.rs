//! A desk for tests: six rows of the real table, a standing clock, a store in memory.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use chrono::NaiveDate;
use tower::ServiceExt as _;

use super::*;
use crate::domain::book::Book;
use crate::domain::calendar::YearTable;
use crate::domain::due::Reach;
use crate::domain::fact::{Actor, Fact, StageOutcome};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter, TaskNo};
use crate::domain::link::Link;
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage};
use crate::domain::people::{ChannelKind, Person, Roles};
use crate::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use crate::domain::policy::Policy;
use crate::rules::RuleSet;
use crate::store::StoreError;
use crate::store::memory::MemoryStore;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    let at: DateTime<chrono::FixedOffset> = format!("{text}:00+08:00").parse().unwrap();
    at.with_timezone(&Utc)
}

pub(crate) fn quarter(text: &str) -> Quarter {
    text.parse().unwrap()
}

pub(crate) fn plan() -> PlanId {
    PlanId::new("dongguan-2022").unwrap()
}

pub(crate) fn key(task: TaskNo, group: u8) -> ObligationKey {
    ObligationKey {
        plan: plan(),
        quarter: quarter("2022Q1"),
        task,
        group,
    }
}

pub(crate) const ZHANG: (&str, &str) = ("市工业和信息化局", "张玉成");
pub(crate) const YAO: (&str, &str) = ("市工业和信息化局", "姚铸锐");
pub(crate) const LI: (&str, &str) = ("市工业和信息化局", "黎玲东");
pub(crate) const DU: (&str, &str) = ("市市场监管局", "杜江");
pub(crate) const ZHONG: (&str, &str) = ("市科技局", "钟靖平");

pub(crate) fn id((unit, name): (&str, &str)) -> PersonId {
    PersonId::of(unit, name)
}

/// A desk at 2022-03-28 10:00, a Monday, three days before the deadline.
pub(crate) fn desk() -> Arc<Desk> {
    desk_with(MemoryStore::default(), |_| ())
}

pub(crate) fn desk_with(store: MemoryStore, change: impl FnOnce(&mut Desk)) -> Arc<Desk> {
    let reopen = || Err(StoreError::Engine("closed".into()));
    let (ledger, _) = Ledger::start(Box::new(store), Book::default(), Box::new(reopen));
    let mut desk = Desk {
        ledger,
        clock: Clock::simulated(at("2022-03-28T10:00"), 0.0),
        rules: Rules::new(RuleSet {
            calendar: Arc::new(calendar()),
            policy: Policy::default(),
            reach: Reach::default(),
            coordinators: Vec::new(),
        }),
        link_key: LinkKey::new([9; 32]),
        office: Office {
            name: "市政府督查室".into(),
            phone: Some("0769-22830000".into()),
        },
        public_url: "http://127.0.0.1:8780".into(),
        inbox: None,
        advance: None,
        vitals: Arc::default(),
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

/// A notice to these people, sent over mail.
pub(crate) fn notice(people: &[(&str, &str)], items: &[ObligationKey]) -> Vec<Fact> {
    use crate::domain::delivery::{SendOutcome, Verdict};
    let count = u32::try_from(people.len()).unwrap();
    let mut facts = vec![Fact::StageRun {
        plan: plan(),
        quarter: quarter("2022Q1"),
        stage: Stage::Notice,
        outcome: StageOutcome::Ran {
            expected: count,
            queued: count,
            skipped: 0,
        },
    }];
    for person in people {
        let key = message_key(*person);
        facts.push(Fact::MessageQueued {
            message: Box::new(Message {
                key: key.clone(),
                reason: Reason::FirstNotice,
                items: items.to_vec(),
                about: Vec::new(),
                copied: Vec::new(),
                catch_up: false,
                route: vec![ChannelKind::Email],
                not_before: at("2022-03-17T09:10"),
                explicit: false,
            }),
        });
        facts.push(Fact::SendIntended {
            key: key.clone(),
            leg: 0,
            channel: ChannelKind::Email,
            items: items.to_vec(),
        });
        facts.push(Fact::SendConcluded {
            key,
            outcome: SendOutcome::Sent {
                answer: "250 ok".into(),
            },
            verdict: Verdict::Done,
        });
    }
    facts
}

pub(crate) fn message_key(person: (&str, &str)) -> MessageKey {
    MessageKey {
        plan: plan(),
        quarter: quarter("2022Q1"),
        occasion: Occasion::Stage(Stage::Notice),
        person: id(person),
    }
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

pub(crate) fn get(path: &str) -> Request<Body> {
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

fn calendar() -> Calendar {
    let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
    let table = YearTable {
        off: ["2022-04-03", "2022-04-04", "2022-04-05"].map(day).into(),
        worked: ["2022-04-02"].map(day).into(),
    };
    Calendar::new(chrono_tz::Asia::Shanghai, BTreeMap::from([(2022, table)]))
}

pub(crate) fn plan_facts() -> Vec<Fact> {
    let people = [ZHANG, YAO, LI, DU, ZHONG].map(|(unit, name)| Fact::PersonSet {
        plan: Some(plan()),
        person: Person {
            id: PersonId::of(unit, name),
            name: name.into(),
            unit: unit.into(),
            roles: Roles {
                owner: true,
                ..Roles::default()
            },
        },
    });
    let tasks = tasks().into_iter().map(|task| Fact::TaskSet {
        plan: plan(),
        task: Box::new(task),
    });
    let deadlines = (1..=4).map(|number| {
        let quarter = Quarter::new(2022, number).unwrap();
        let deadline = Policy::default().deadline(&calendar(), quarter.last_day());
        (quarter.last_day(), deadline)
    });
    let deadlines = Fact::DeadlinesSet {
        plan: plan(),
        deadlines: deadlines.collect(),
        assumed_years: Vec::new(),
    };
    let imported = Fact::PlanImported {
        plan: plan(),
        heading: Heading {
            title: "2022年市政府主要目标任务（含十件民生实事）分解表".into(),
            year: 2022,
            issuer: Some("市政府办公室".into()),
            issued_on: None,
        },
        source: "dongguan-2022.txt".into(),
        sha256: String::new(),
        accepted: 0,
    };
    let mut facts = vec![imported];
    facts.extend(people);
    facts.extend(tasks);
    facts.push(deadlines);
    facts
}

fn tasks() -> Vec<Task> {
    vec![
        task(
            2,
            "实施数字化普及工程，推出一批符合中小企业数字化转型需求的共性、通用、低成本系统解决方案。",
            &[("市工业和信息化局", "肖必良", &[ZHANG])],
            vec![
                due(
                    1,
                    1,
                    "走访一批中小企业开展调研，摸排中小企业数字化转型痛点和难点。",
                ),
                due(
                    2,
                    2,
                    "编制符合中小企业数字化转型需求的共性、通用、低成本系统解决方案。",
                ),
                due(3, 4, "指导中小企业基于编制的系统解决方案开展数字化转型。"),
            ],
        ),
        task(
            4,
            "依托市级数字化转型咨询平台，联合转型服务商为企业提供“一对一”服务。",
            &[("市工业和信息化局", "肖必良", &[ZHANG])],
            vec![due(
                1,
                1,
                "为 5 家企业提供“一对一”咨询服务，指导企业开展数字化转型。",
            )],
        ),
        task(
            14,
            "加快发展生产性服务业，支持制造业企业向研发设计、定制生产、供应链管理等环节延伸拓展。",
            &[("市工业和信息化局", "肖必良", &[YAO, LI])],
            vec![due(
                1,
                1,
                "开展服务型制造示范企业调研，摸排企业开展服务型制造模式情况。",
            )],
        ),
        task(
            16,
            "实施商标品牌赋能经济高质量发展三年行动，支持服装玩具、电子信息等优势产业创建国潮品牌。",
            &[
                ("市市场监管局", "张永忠", &[DU]),
                ("市工业和信息化局", "肖必良", &[ZHANG]),
            ],
            vec![
                section(
                    "市市场监管局",
                    due(
                        1,
                        1,
                        "推进区域品牌建设；加大商标品牌指导站建设；筹备中国国际商标品牌节。",
                    ),
                ),
                section(
                    "市工业和信息化局",
                    due(
                        1,
                        2,
                        "走访服装玩具、电子信息企业开展调研，宣传推动企业创建技术中心。",
                    ),
                ),
            ],
        ),
        task(
            32,
            "出台新型研发机构优胜劣汰、提质增效相关管理办法。",
            &[("市科技局", "卓庆", &[ZHONG])],
            vec![due(
                1,
                1,
                "组建专业化新型研发机构管理服务团队；修改完善新型研发机构管理办法。",
            )],
        ),
        task(
            122,
            "全面打造海绵城市。",
            &[("市水务局", "陶谨", &[])],
            vec![due(
                1,
                2,
                "编制东莞市省级系统化全域推进海绵城市建设实施方案。",
            )],
        ),
    ]
}

type GroupRow<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

fn task(no: TaskNo, goal: &str, groups: &[GroupRow<'_>], milestones: Vec<Milestone>) -> Task {
    let person = |unit: &str, name: &str| PersonRef {
        id: PersonId::of(unit, name),
        name: name.into(),
    };
    let groups = groups.iter().map(|(unit, responsible, owners)| Group {
        unit: (*unit).into(),
        responsible: vec![person(unit, responsible)],
        owners: owners.iter().map(|(u, n)| person(u, n)).collect(),
        leaders: vec![person("", "刘光滨")],
    });
    Task {
        no,
        goal: goal.into(),
        requirement: None,
        leaders: vec!["刘光滨".into()],
        lead_units: Vec::new(),
        responsible: Vec::new(),
        direct_owners: Vec::new(),
        assisting_units: Vec::new(),
        groups: groups.collect(),
        schedule: String::new(),
        milestones,
    }
}

fn due(first: u8, last: u8, content: &str) -> Milestone {
    let quarter = |number| Quarter::new(2022, number).unwrap();
    Milestone {
        section: None,
        unit: None,
        kind: MilestoneKind::Due,
        first_quarter: quarter(first),
        last_quarter: quarter(last),
        due: quarter(last).last_day(),
        content: content.into(),
    }
}

fn section(unit: &str, milestone: Milestone) -> Milestone {
    Milestone {
        section: Some(unit.into()),
        unit: Some(unit.into()),
        ..milestone
    }
}

/// A store that refuses everything once it is told to.
#[derive(Default)]
pub(crate) struct Failing(pub(crate) Arc<std::sync::atomic::AtomicBool>, MemoryStore);

impl crate::store::Journal for Failing {
    fn head(&self) -> u64 {
        self.1.head()
    }
    fn append(
        &mut self,
        expected: u64,
        entries: &[crate::domain::fact::Entry],
        effects: &[crate::domain::book::Effect],
    ) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(StoreError::Engine("disk full".into()));
        }
        self.1.append(expected, entries, effects)
    }
    fn ready(&mut self) -> Result<(), StoreError> {
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
