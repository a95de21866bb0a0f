//! What several benches use: a city of any size, and what a process has cost so far.

#![allow(dead_code, reason = "each bench uses its part")]

pub mod http;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cuiban::domain::brief::Office;
use cuiban::domain::delivery::RetryPlan;
use cuiban::domain::due::Reach;
use cuiban::domain::fact::Fact;
use cuiban::domain::ids::{PersonId, PlanId, Quarter};
use cuiban::domain::people::{Contact, Person, Roles};
use cuiban::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use cuiban::domain::policy::Policy;
use cuiban::outbox::Terms;
use cuiban::rules::{RuleSet, Rules};

pub const UNIT: &str = "市科技局";

pub fn at(text: &str) -> DateTime<Utc> {
    let local: DateTime<chrono::FixedOffset> = format!("{text}:00+08:00").parse().unwrap();
    local.to_utc()
}

pub fn rules(reach: Reach, coordinators: Vec<PersonId>) -> Rules {
    let calendar = cuiban::config::holidays::embedded(chrono_tz::Asia::Shanghai).unwrap();
    Rules::new(RuleSet {
        policy: Policy::default(),
        calendar: Arc::new(calendar),
        report: Default::default(),
        reach,
        coordinators,
        operators: Vec::new(),
    })
}

pub fn terms() -> Terms {
    Terms {
        retry: RetryPlan::default(),
        office: Office {
            name: "市政府办公室督查科".into(),
            telephone: Some("0769-22830000".into()),
            board: None,
            reads_mail: false,
        },
    }
}

pub fn imported(plan: &PlanId) -> Fact {
    Fact::PlanImported {
        plan: plan.clone(),
        heading: Heading {
            title: "分解表".into(),
            year: 2022,
            issuer: None,
            issued_on: None,
        },
        source: "bench".into(),
        sha256: String::new(),
        accepted: 0,
        units: Vec::new(),
    }
}

pub fn deadlines(plan: &PlanId, quarters: &[Quarter]) -> Fact {
    let deadline = |quarter: &Quarter| {
        let day = quarter.last_day();
        (day, day.and_hms_opt(10, 0, 0).unwrap().and_utc())
    };
    Fact::DeadlinesSet {
        plan: plan.clone(),
        deadlines: quarters.iter().map(deadline).collect(),
        assumed_years: Vec::new(),
    }
}

pub fn person_ref(name: String) -> PersonRef {
    PersonRef {
        id: PersonId::of(UNIT, &name),
        name,
    }
}

/// Somebody with an e-mail address and an account.
pub fn reachable(one: &PersonRef) -> [Fact; 2] {
    let PersonRef { id, name } = one.clone();
    [
        Fact::PersonSet {
            plan: None,
            person: Person {
                id: id.clone(),
                name,
                unit: UNIT.into(),
                roles: Roles::default(),
            },
        },
        Fact::ContactSet {
            contact: Contact {
                email: Some(format!("{id}@bureau.example")),
                wecom_user: Some(id.to_string()),
                ..Contact::none(id)
            },
        },
    ]
}

/// A task in words as long as the real table's: each owner a group of its own, and one milestone a
/// quarter.
pub fn task(no: usize, owners: impl Iterator<Item = PersonRef>, quarters: &[Quarter]) -> Task {
    Task {
        no: u32::try_from(no).unwrap(),
        goal: "出台新型研发机构优胜劣汰、提质增效相关管理办法。".into(),
        requirement: None,
        leaders: Vec::new(),
        lead_units: vec![UNIT.into()],
        responsible: Vec::new(),
        direct_owners: Vec::new(),
        assisting_units: Vec::new(),
        groups: owners
            .map(|owner| Group {
                unit: UNIT.into(),
                responsible: Vec::new(),
                owners: vec![owner],
                leaders: Vec::new(),
            })
            .collect(),
        schedule: String::new(),
        milestones: quarters
            .iter()
            .map(|quarter| Milestone {
                section: None,
                unit: None,
                kind: MilestoneKind::Due,
                first_quarter: *quarter,
                last_quarter: *quarter,
                due: quarter.last_day(),
                content: "组建专业化新型研发机构管理服务团队，提升规范化管理能力；修改完善新型研发机构管理办法。".into(),
            })
            .collect(),
    }
}

/// CPU time of this process.
pub fn own_cpu() -> Duration {
    ticks(Path::new("/proc/self"), &[13, 14])
}

/// CPU time of the children it has waited for.
pub fn children_cpu() -> Duration {
    ticks(Path::new("/proc/self"), &[15, 16])
}

/// CPU time of another process.
pub fn cpu_of(pid: u32) -> Duration {
    ticks(Path::new(&format!("/proc/{pid}")), &[13, 14])
}

/// Fields of a process's stat, in hundredths of a second.
fn ticks(process: &Path, fields: &[usize]) -> Duration {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap();
    // The name may have blanks.
    let rest: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = fields
        .iter()
        .map(|field| rest[field - 2].parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Resident memory of a process in MiB: now, and at its most.
pub fn resident(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib = line.split_whitespace().nth(1).unwrap();
        kib.parse::<f64>().unwrap() / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}
