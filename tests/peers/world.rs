//! A small real world: three rows of the 2022 table (the second group of item 31 has an owner of
//! its own here), their people, and a book made from facts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::{DateTime, NaiveDate, Utc};
use cuiban::domain::book::Book;
use cuiban::domain::brief::Office;
use cuiban::domain::calendar::Calendar;
use cuiban::domain::delivery::RetryPlan;
use cuiban::domain::due::Reach;
use cuiban::domain::fact::{Actor, Entry, Fact};
use cuiban::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use cuiban::domain::message::{Message, MessageKey, Occasion, Reason};
use cuiban::domain::people::{ChannelKind, Contact, Person, Roles};
use cuiban::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use cuiban::domain::policy::Policy;
use cuiban::domain::report::{Report, ReportStatus, Via};
use cuiban::outbox::Terms;
use cuiban::rules::{RuleSet, Rules};
use cuiban::store::memory::MemoryStore;
use cuiban::store::{Ledger, Step};

pub const PHONE: &str = "0769-22830000";
pub const COORDINATOR: (&str, &str) = ("市政府办公室督查科", "陈志强");

pub fn plan_id() -> PlanId {
    PlanId::new("dongguan-2022").unwrap()
}

pub fn q1() -> Quarter {
    Quarter::new(2022, 1).unwrap()
}

pub fn calendar() -> Calendar {
    cuiban::config::holidays::embedded(chrono_tz::Asia::Shanghai).unwrap()
}

/// A time of day at the office.
pub fn at(day: &str, time: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{day}T{time}:00+08:00"))
        .unwrap()
        .to_utc()
}

pub fn rules() -> Rules {
    Rules::new(RuleSet {
        policy: Policy::default(),
        calendar: Arc::new(calendar()),
        report: Default::default(),
        reach: Reach::default(),
        coordinators: Vec::new(),
        operators: Vec::new(),
    })
}

pub fn terms() -> Terms {
    Terms {
        retry: RetryPlan::default(),
        office: office(),
    }
}

pub fn office() -> Office {
    Office {
        name: "市政府办公室督查科".into(),
        telephone: Some(PHONE.into()),
        board: Some("https://duban.example.gov.cn/".into()),
        reads_mail: false,
    }
}

pub fn person(unit: &str, name: &str) -> PersonId {
    PersonId::of(unit, name)
}

pub fn zhong() -> PersonId {
    person("市科技局", "钟靖平")
}

fn one(unit: &str, name: &str) -> PersonRef {
    PersonRef {
        id: person(unit, name),
        name: name.into(),
    }
}

fn group(unit: &str, responsible: &str, owner: &str, leader: &str) -> Group {
    Group {
        unit: unit.into(),
        responsible: vec![one(unit, responsible)],
        owners: vec![one(unit, owner)],
        leaders: vec![one("", leader)],
    }
}

fn due(unit: Option<&str>, quarters: (u8, u8), content: &str) -> Milestone {
    let quarter = |number| Quarter::new(2022, number).unwrap();
    Milestone {
        section: unit.map(str::to_owned),
        unit: unit.map(str::to_owned),
        kind: MilestoneKind::Due,
        first_quarter: quarter(quarters.0),
        last_quarter: quarter(quarters.1),
        due: quarter(quarters.1).last_day(),
        content: content.into(),
    }
}

fn task(no: u32, goal: &str, groups: Vec<Group>, milestones: Vec<Milestone>) -> Task {
    Task {
        no,
        goal: goal.into(),
        requirement: None,
        leaders: vec!["刘光滨".into()],
        lead_units: groups.iter().map(|group| group.unit.clone()).collect(),
        responsible: Vec::new(),
        direct_owners: Vec::new(),
        assisting_units: Vec::new(),
        groups,
        schedule: String::new(),
        milestones,
    }
}

pub fn tasks() -> Vec<Task> {
    let science = || group("市科技局", "卓庆", "钟靖平", "刘光滨");
    let all_year = Milestone {
        kind: MilestoneKind::AllYear,
        ..due(
            Some("市发展改革局"),
            (1, 4),
            "及时组织材料实验室编写工程研究中心申报方案，积极申报广东省、国家级工程研究中心称号。",
        )
    };
    vec![
        task(
            31,
            "争取材料实验室成为国家级研发机构，聚焦新能源材料、电子信息材料、生物医药材料等领域加强技术创新。",
            vec![
                group("市发展改革局", "叶惠明", "王国雄", "王长青"),
                science(),
            ],
            vec![
                all_year,
                due(
                    Some("市科技局"),
                    (1, 1),
                    "完成2023-2025年建设实施方案及2023-2030年发展规划纲要的起草；印发《关于加强对松山湖材料实验室服务和管理的实施方案》。",
                ),
            ],
        ),
        task(
            32,
            "出台新型研发机构优胜劣汰、提质增效相关管理办法。",
            vec![science()],
            vec![
                due(
                    None,
                    (1, 1),
                    "组建专业化新型研发机构管理服务团队，提升规范化管理能力；修改完善新型研发机构管理办法。",
                ),
                due(
                    None,
                    (2, 4),
                    "对少数新型研发机构进行终止清算；实施2021年度绩效考核，加快收回空置场地；争取出台新型研发机构管理办法。",
                ),
            ],
        ),
        task(
            37,
            "加强企业研发机构建设指引和服务，力争市级以上研发机构达1200家。",
            vec![science()],
            vec![due(None, (1, 2), "完成首轮绩效评估，形成评估报告。")],
        ),
    ]
}

pub fn contact(person: PersonId, channels: &[ChannelKind]) -> Contact {
    Contact {
        email: Some(format!("{person}@example.invalid")),
        wecom_user: Some("ZhongJingPing".into()),
        mobile: Some("13800000001".into()),
        channels: channels.to_vec(),
        ..Contact::none(person)
    }
}

/// The plan, its people and contacts.
pub fn founding() -> Vec<Fact> {
    let plan = plan_id();
    let mut facts = vec![Fact::PlanImported {
        plan: plan.clone(),
        heading: Heading {
            title: "2022年市政府主要目标任务（含十件民生实事）分解表".into(),
            year: 2022,
            issuer: Some("市政府办公室".into()),
            issued_on: NaiveDate::from_ymd_opt(2022, 1, 27),
        },
        source: "dongguan-2022.txt".into(),
        sha256: String::new(),
        accepted: 0,
        units: Vec::new(),
    }];
    let mut people: BTreeMap<PersonId, Person> = BTreeMap::new();
    let mut add = |unit: &str, name: &str| {
        let id = person(unit, name);
        people.entry(id.clone()).or_insert(Person {
            id,
            name: name.into(),
            unit: unit.into(),
            roles: Roles::default(),
        });
    };
    for task in tasks() {
        for group in &task.groups {
            for one in group.owners.iter().chain(&group.responsible) {
                add(&group.unit, &one.name);
            }
            for one in &group.leaders {
                add("", &one.name);
            }
        }
    }
    add(COORDINATOR.0, COORDINATOR.1);
    for person in people.into_values() {
        facts.push(Fact::ContactSet {
            contact: contact(person.id.clone(), &[]),
        });
        facts.push(Fact::PersonSet {
            plan: Some(plan.clone()),
            person,
        });
    }
    for task in tasks() {
        facts.push(Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(task),
        });
    }
    let (calendar, policy) = (calendar(), Policy::default());
    let quarters = (1..=4).map(|number| Quarter::new(2022, number).unwrap().last_day());
    facts.push(Fact::DeadlinesSet {
        plan,
        deadlines: quarters
            .map(|day| (day, policy.deadline(&calendar, day)))
            .collect(),
        assumed_years: Vec::new(),
    });
    facts
}

pub fn obligation(task: u32, group: u8) -> ObligationKey {
    ObligationKey {
        plan: plan_id(),
        quarter: q1(),
        task,
        group,
    }
}

pub fn zhongs() -> Vec<ObligationKey> {
    vec![obligation(31, 1), obligation(32, 0), obligation(37, 0)]
}

pub fn message(
    occasion: Occasion,
    person: PersonId,
    route: &[ChannelKind],
    not_before: DateTime<Utc>,
) -> Message {
    Message {
        key: MessageKey {
            plan: plan_id(),
            quarter: q1(),
            occasion,
            person,
        },
        reason: Reason::NotReported,
        items: zhongs(),
        about: Vec::new(),
        copied: Vec::new(),
        catch_up: false,
        route: route.to_vec(),
        not_before,
        explicit: false,
    }
}

pub fn queued(message: Message) -> Fact {
    Fact::MessageQueued {
        message: Box::new(message),
    }
}

pub fn reported(key: ObligationKey, person: PersonId) -> Fact {
    Fact::ReportReceived {
        report: Box::new(Report {
            obligation: key,
            person,
            delegate: None,
            via: Via::Form,
            status: ReportStatus::OnSchedule,
            progress: "已完成起草".into(),
            problems: String::new(),
            next_steps: String::new(),
            percent: None,
            actuals: Vec::new(),
        }),
    }
}

/// The book that follows from these facts, all of one moment.
pub fn book(at: DateTime<Utc>, facts: impl IntoIterator<Item = Fact>) -> Book {
    let mut book = Book::default();
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at,
            by: Actor::System,
            fact,
        };
        book.apply(&entry).unwrap();
    }
    book
}

/// A ledger in memory that begins with these facts.
pub fn ledger(
    at: DateTime<Utc>,
    facts: impl IntoIterator<Item = Fact>,
) -> (Ledger, JoinHandle<()>) {
    let store = MemoryStore::default();
    let mut journal: Box<dyn cuiban::store::Journal> = Box::new(store.clone());
    let mut book = Book::default();
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at,
            by: Actor::System,
            fact,
        };
        let effects = book.apply(&entry).unwrap();
        let step = Step { entry, effects };
        journal
            .append(step.entry.position - 1, std::slice::from_ref(&step))
            .unwrap();
    }
    let reopen = Box::new(|| unreachable!("memory does not fail"));
    Ledger::start(journal, book, reopen)
}
