//! Makes the plan of the rows: people, groups, milestones, and what a coordinator should know.

mod tell;

use std::collections::BTreeMap;

use super::columns::{Field, Header};
use super::findings;
use super::groups::{self, NamedGroup};
use super::homes::Homes;
use super::people::{People, Role};
use super::rows::{Draft, Row};
use super::{Reading, Source, parallel, sections, unit_names, units};
use crate::domain::ids::{PlanId, TaskNo};
use crate::domain::plan::{Finding, Group, Heading, Milestone, PersonRef, Plan, Task};
use crate::domain::schedule::{self, Schedule, Time, TimeContext};

/// Settles everything that only the whole table can tell.
pub(super) fn settle(id: PlanId, heading: Heading, draft: Draft, source: &Source) -> Reading {
    let (names, almanac) = (&source.names(), &source.almanac);
    let Draft {
        header,
        mut rows,
        mut findings,
        ..
    } = draft;
    findings.extend(units::repair(&mut rows, &header));
    let renamed = unit_names::apply(&mut rows, names);
    let named: Vec<_> = rows.iter_mut().map(take_unnamed).collect();
    let times = TimeContext {
        year: heading.year,
        issued_on: heading.issued_on,
        almanac: almanac.clone(),
    };
    let of_table = || {
        let proposals = unit_names::proposals(&rows, &header, names);
        (proposals, Homes::of(&rows, names))
    };
    let read = |row: &Row| schedule::read(&row.schedule, &times);
    let (schedules, (proposals, homes)) = parallel::map_beside(&rows, read, of_table);
    findings.extend(proposals);
    let mut settler = Settler {
        header,
        homes,
        year: heading.year,
        milestone_times: BTreeMap::new(),
        people: People::default(),
        findings,
    };
    let tasks = rows
        .into_iter()
        .zip(named)
        .zip(schedules)
        .map(|((row, unnamed), schedule)| settler.task(row, &unnamed, &schedule))
        .collect();
    settler.tell_people_of_two_units();
    let mut findings = settler.findings;
    findings::sort(&mut findings);
    Reading {
        plan: Plan {
            id,
            heading,
            tasks,
            people: settler.people.all,
        },
        findings,
        units: renamed,
        times: settler.milestone_times,
    }
}

/// Takes `待定` out of the columns of people; gives the columns it stood in.
fn take_unnamed(row: &mut Row) -> Vec<Field> {
    const WORDS: [&str; 4] = ["待定", "待明确", "暂缺", "空缺"];
    let columns = [
        (Field::Leader, &mut row.leaders),
        (Field::Responsible, &mut row.responsible),
        (Field::DirectOwner, &mut row.owners),
    ];
    let mut unnamed = Vec::new();
    for (field, names) in columns {
        let before = names.len();
        names.retain(|name| !WORDS.contains(&name.as_str()));
        if names.len() < before {
            unnamed.push(field);
        }
    }
    unnamed
}

struct Settler {
    header: Header,
    homes: Homes,
    year: i32,
    /// What goes into [`Reading::times`].
    milestone_times: BTreeMap<TaskNo, Vec<Time>>,
    people: People,
    findings: Vec<Finding>,
}

impl Settler {
    fn task(&mut self, row: Row, unnamed: &[Field], schedule: &Schedule) -> Task {
        self.tell_people(&row, unnamed);
        let groups = groups::of(&row, &self.homes);
        self.tell_pairing(&row, &groups);
        let (milestones, times) = self.milestones(&row, &groups, schedule);
        self.milestone_times.insert(row.no, times);
        Task {
            groups: self.groups(&row, groups),
            no: row.no,
            goal: row.goal,
            requirement: row.requirement,
            leaders: row.leaders,
            lead_units: row.lead_units,
            responsible: row.responsible,
            direct_owners: row.owners,
            assisting_units: row.assisting_units,
            schedule: row.schedule,
            milestones,
        }
    }

    fn groups(&mut self, row: &Row, named: Vec<NamedGroup>) -> Vec<Group> {
        let leaders: Vec<PersonRef> = row
            .leaders
            .iter()
            .map(|name| self.person(name, "", Role::Leader, row))
            .collect();
        named
            .into_iter()
            .map(|group| Group {
                responsible: group
                    .responsible
                    .iter()
                    .map(|name| self.person(name, &group.unit, Role::Responsible, row))
                    .collect(),
                owners: group
                    .owners
                    .iter()
                    .map(|name| self.person(name, &group.unit, Role::Owner, row))
                    .collect(),
                unit: group.unit,
                leaders: leaders.clone(),
            })
            .collect()
    }

    /// The person of this name; without evidence of a unit the one given is taken.
    fn person(&mut self, name: &str, unit: &str, role: Role, row: &Row) -> PersonRef {
        let unit = self.homes.home(name).unwrap_or(unit);
        self.people.name(name, unit, role, row)
    }

    fn milestones(
        &mut self,
        row: &Row,
        groups: &[NamedGroup],
        read: &Schedule,
    ) -> (Vec<Milestone>, Vec<Time>) {
        if read.only_waits(&row.schedule) {
            self.tell_unscheduled(row);
            let content = if row.schedule.is_empty() {
                &row.goal
            } else {
                &row.schedule
            };
            return schedule::unscheduled(content, self.year)
                .map(|milestone| (milestone, Time::Unknown))
                .into_iter()
                .unzip();
        }
        for doubt in &read.doubts {
            self.tell_doubt(row, doubt);
        }
        let (mut milestones, times): (Vec<Milestone>, Vec<Time>) =
            read.milestones(self.year).into_iter().unzip();
        for milestone in &mut milestones {
            let section = milestone.section.as_deref();
            milestone.unit = section.and_then(|section| {
                let known = sections::unit_of(section, groups);
                known.or_else(|| sections::unit_of(self.homes.used_for(section)?, groups))
            });
        }
        self.tell_groups_without_time(row, groups, &milestones);
        (milestones, times)
    }
}
