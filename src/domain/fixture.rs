//! For tests: six rows of the real table, and facts about them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::book::Book;
use super::calendar::{Calendar, YearTable};
use super::fact::{Actor, Entry, Fact, StageOutcome};
use super::ids::{ObligationKey, PersonId, PlanId, Quarter, TaskNo};
use super::message::{Message, MessageKey, Occasion, Reason, Stage};
use super::people::{ChannelKind, Person, Roles};
use super::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use super::policy::Policy;
use super::report::{Report, ReportStatus, Via};

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

/// Applies facts to a book, all at one moment.
pub(crate) fn apply(book: &mut Book, when: &str, facts: Vec<Fact>) {
    for fact in facts {
        let entry = Entry {
            position: book.position + 1,
            at: at(when),
            by: Actor::System,
            fact,
        };
        book.apply(&entry).unwrap();
    }
}

/// A report of this owner.
pub(crate) fn report(
    person: (&str, &str),
    obligation: ObligationKey,
    status: ReportStatus,
    progress: &str,
) -> Fact {
    Fact::ReportReceived {
        report: Box::new(Report {
            obligation,
            person: id(person),
            delegate: None,
            via: Via::Form,
            status,
            progress: progress.into(),
            problems: String::new(),
            next_steps: String::new(),
            percent: None,
            actuals: Vec::new(),
        }),
    }
}

/// A notice to these people, sent over mail.
pub(crate) fn notice(people: &[(&str, &str)], items: &[ObligationKey]) -> Vec<Fact> {
    use super::delivery::{SendOutcome, Verdict};
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

pub(crate) fn calendar() -> Calendar {
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
        units: Vec::new(),
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
