//! Three tasks of the real table, for the tests of this room's steps.

use chrono::DateTime;

use crate::domain::book::Book;
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter, TaskNo};
use crate::domain::people::{Person, Roles};
use crate::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Plan, Task};
use crate::domain::report::{Report, ReportStatus, Via};

pub(super) fn quarter(number: u8) -> Quarter {
    Quarter::new(2022, number).unwrap()
}

/// Tasks 1, 2 and 16: one owner; the same leader; two units with an owner each.
pub(super) fn plan() -> Plan {
    let tasks = vec![
        task(
            1,
            "三年统筹安排财政资金不少于100亿元，全力打造数字经济高质量发展试验区，建设制造业数字化转型示范城市。",
            "王长青",
            &[("市财政局", "姚慧怡", "李树峰")],
            &[
                (1, 1, "做好资金统计填报计划"),
                (4, 4, "汇总全年预算执行情况"),
            ],
        ),
        task(
            2,
            "实施数字化普及工程，推出一批符合中小企业数字化转型需求的共性、通用、低成本系统解决方案。",
            "刘光滨",
            &[("市工业和信息化局", "肖必良", "张玉成")],
            &[
                (1, 1, "走访一批中小企业开展调研"),
                (3, 4, "指导中小企业开展数字化转型"),
            ],
        ),
        task(
            16,
            "推动知识产权质押融资。",
            "刘光滨",
            &[
                ("市市场监管局", "张永忠", "杜江"),
                ("市工业和信息化局", "肖必良", "张玉成"),
            ],
            &[(1, 1, "开展政策宣讲")],
        ),
    ];
    let people = people(&tasks);
    Plan {
        id: PlanId::new("dongguan-2022").unwrap(),
        heading: Heading {
            title: "2022年市政府主要目标任务（含十件民生实事）分解表".into(),
            year: 2022,
            issuer: Some("市政府办公室".into()),
            issued_on: "2022-01-27".parse().ok(),
        },
        tasks,
        people,
    }
}

pub(super) fn task(
    no: TaskNo,
    goal: &str,
    leader: &str,
    groups: &[(&str, &str, &str)],
    milestones: &[(u8, u8, &str)],
) -> Task {
    let names = |pick: fn(&(&str, &str, &str)) -> String| groups.iter().map(pick).collect();
    Task {
        no,
        goal: goal.into(),
        requirement: Some("(一)大力推动产业数字化。".into()),
        leaders: vec![leader.into()],
        lead_units: names(|group| group.0.into()),
        responsible: names(|group| group.1.into()),
        direct_owners: names(|group| group.2.into()),
        assisting_units: vec!["市商务局".into()],
        groups: groups
            .iter()
            .map(|(unit, responsible, owner)| Group {
                unit: (*unit).into(),
                responsible: vec![person_ref(unit, responsible)],
                owners: vec![person_ref(unit, owner)],
                leaders: vec![person_ref("", leader)],
            })
            .collect(),
        schedule: milestones.iter().map(|(_, _, text)| *text).collect(),
        milestones: milestones
            .iter()
            .map(|(first, last, content)| Milestone {
                section: None,
                unit: None,
                kind: MilestoneKind::Due,
                first_quarter: quarter(*first),
                last_quarter: quarter(*last),
                due: quarter(*last).last_day(),
                content: (*content).into(),
            })
            .collect(),
    }
}

fn person_ref(unit: &str, name: &str) -> PersonRef {
    PersonRef {
        id: PersonId::of(unit, name),
        name: name.into(),
    }
}

pub(super) fn person(unit: &str, name: &str, roles: Roles) -> Person {
    Person {
        id: PersonId::of(unit, name),
        name: name.into(),
        unit: unit.into(),
        roles,
    }
}

/// Everyone of these tasks, once.
pub(super) fn people(tasks: &[Task]) -> Vec<Person> {
    let role = |owner, responsible, leader| Roles {
        owner,
        responsible,
        leader,
    };
    let mut people: Vec<Person> = Vec::new();
    for group in tasks.iter().flat_map(|task| &task.groups) {
        let named = [
            (&group.owners, group.unit.as_str(), role(true, false, false)),
            (
                &group.responsible,
                group.unit.as_str(),
                role(false, true, false),
            ),
            (&group.leaders, "", role(false, false, true)),
        ];
        for (refs, unit, roles) in named {
            for found in refs {
                if !people.iter().any(|known| known.id == found.id) {
                    people.push(person(unit, &found.name, roles));
                }
            }
        }
    }
    people
}

/// A report that the obligation is done.
pub(super) fn reported(obligation: ObligationKey) -> Fact {
    let report = Report {
        obligation,
        person: PersonId::of("市工业和信息化局", "张玉成"),
        delegate: None,
        via: Via::Form,
        status: ReportStatus::Completed,
        progress: "已完成".into(),
        problems: String::new(),
        next_steps: String::new(),
        percent: None,
        actuals: Vec::new(),
    };
    Fact::ReportReceived {
        report: Box::new(report),
    }
}

/// Appends facts to a book, an hour apart.
pub(super) fn append(book: &mut Book, facts: Vec<Fact>) {
    for fact in facts {
        let position = book.position + 1;
        let hours = i64::try_from(position).unwrap();
        let entry = Entry {
            position,
            at: DateTime::from_timestamp(1_643_241_600 + hours * 3600, 0).unwrap(),
            by: Actor::Operator,
            fact,
        };
        book.apply(&entry).unwrap();
    }
}
