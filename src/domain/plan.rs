//! The year's table as the program understands it, and what it found odd while reading.

use chrono::NaiveDate;

use super::ids::{PersonId, PlanId, Quarter, TaskNo};
use super::people::Person;

/// One year's table of one issuing office (分解表).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Id such as `dongguan-2022`.
    pub id: PlanId,
    /// What stands over the table and about its issue.
    pub heading: Heading,
    /// The tasks, in the order of the table.
    pub tasks: Vec<Task>,
    /// Everyone named in the table: owners, 责任人 and leaders, each once.
    pub people: Vec<Person>,
}

/// Title and issue of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Title without blanks between digits and characters.
    pub title: String,
    /// Year the schedules speak of.
    pub year: i32,
    /// 制表单位.
    pub issuer: Option<String>,
    /// 制表时间.
    pub issued_on: Option<NaiveDate>,
}

/// One numbered row (目标任务).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The number printed before the goal.
    pub no: TaskNo,
    /// 年度目标及工作内容, without the number.
    pub goal: String,
    /// The 总体要求 it stands under, whole, beginning with `(五)`.
    pub requirement: Option<String>,
    /// 责任领导, persons only.
    pub leaders: Vec<String>,
    /// 牵头单位, in the order of the table.
    pub lead_units: Vec<String>,
    /// 责任人.
    pub responsible: Vec<String>,
    /// 直接责任人.
    pub direct_owners: Vec<String>,
    /// 协助单位.
    pub assisting_units: Vec<String>,
    /// Who answers together; never empty, at most 255.
    pub groups: Vec<Group>,
    /// 季度进度安排, cleaned of marks.
    pub schedule: String,
    /// What the schedule was read to say; never empty.
    pub milestones: Vec<Milestone>,
}

impl Task {
    /// The goal's first clause, for lists and messages: at most 40 characters.
    #[must_use]
    pub fn short_name(&self) -> String {
        const MOST: usize = 40;
        let clause = self
            .goal
            .split(['。', '；', '，'])
            .map(str::trim)
            .find(|clause| !clause.is_empty())
            .unwrap_or(&self.goal);
        if clause.chars().count() <= MOST {
            clause.to_owned()
        } else {
            let mut cut: String = clause.chars().take(MOST - 1).collect();
            cut.push('…');
            cut
        }
    }

    /// The milestones that the group has to report on in this quarter, in the table's order.
    ///
    /// A group for which the schedule has no section, while all sections name other units,
    /// answers for the whole: a lead unit is never left without a word.
    pub fn milestones_in<'a>(
        &'a self,
        group: &'a Group,
        quarter: Quarter,
    ) -> impl Iterator<Item = &'a Milestone> + 'a {
        let any = self.milestones.iter().any(|one| one.concerns(group));
        self.milestones
            .iter()
            .filter(move |one| one.runs_in(quarter) && (!any || one.concerns(group)))
    }

    /// Gives the group at `place` other owners, and the column 直接责任人 their names.
    pub fn change_owners(&mut self, place: usize, owners: Vec<PersonRef>) {
        let Some(group) = self.groups.get_mut(place) else {
            return;
        };
        let before = std::mem::replace(&mut group.owners, owners.clone());
        let only = |these: &[PersonRef], those: &[PersonRef]| -> Vec<String> {
            let kept = these.iter().filter(|one| !those.contains(one));
            kept.map(|one| one.name.clone()).collect()
        };
        let mut came = only(&owners, &before).into_iter();
        for gone in only(&before, &owners) {
            let stays = self.groups.iter().flat_map(|group| &group.owners);
            if stays.into_iter().any(|owner| owner.name == gone) {
                continue;
            }
            let Some(at) = self.direct_owners.iter().position(|name| *name == gone) else {
                continue;
            };
            match came.next() {
                Some(name) => drop(self.direct_owners.splice(at..=at, [name])),
                None => drop(self.direct_owners.remove(at)),
            }
        }
        for name in came {
            if !self.direct_owners.contains(&name) {
                self.direct_owners.push(name);
            }
        }
    }
}

/// Owners who answer for a task together (责任组): one report from any of them will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The lead unit, or all lead units joined by `、` where they do not pair off with owners.
    pub unit: String,
    /// 责任人 of this group, by name as in the table and by id.
    pub responsible: Vec<PersonRef>,
    /// 直接责任人 of this group; empty where the table names none.
    pub owners: Vec<PersonRef>,
    /// 责任领导 of the task, copied in when it escalates.
    pub leaders: Vec<PersonRef>,
}

impl Group {
    /// Whether both have the same owners, in whichever order.
    #[must_use]
    pub fn names_the_owners_of(&self, other: &Self) -> bool {
        let ids = |group: &Self| -> std::collections::BTreeSet<PersonId> {
            group.owners.iter().map(|owner| owner.id.clone()).collect()
        };
        ids(self) == ids(other)
    }
}

/// A person as a row names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRef {
    /// Who it is.
    pub id: PersonId,
    /// The name as printed.
    pub name: String,
}

/// One clause of a schedule (节点).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// The heading inside the schedule it stands under (分段), such as `台博会`.
    pub section: Option<String>,
    /// The [`Group::unit`] whose section it is, where the section names one; else it concerns all.
    pub unit: Option<String>,
    /// What kind of time was given.
    pub kind: MilestoneKind,
    /// First quarter it runs in.
    pub first_quarter: Quarter,
    /// Last quarter it runs in; never before the first.
    pub last_quarter: Quarter,
    /// The calendar date the text means, before working-day rules.
    pub due: NaiveDate,
    /// What is to be done, in the table's words.
    pub content: String,
}

impl Milestone {
    /// Whether it has to be reported on in this quarter.
    #[must_use]
    pub fn runs_in(&self, quarter: Quarter) -> bool {
        self.first_quarter <= quarter && quarter <= self.last_quarter
    }

    /// Whether it falls due in this quarter; else only progress is reported.
    ///
    /// What recurs or runs all year is asked about every quarter and due at its end each time.
    #[must_use]
    pub fn ends_in(&self, quarter: Quarter) -> bool {
        match self.kind {
            MilestoneKind::Due => self.last_quarter == quarter,
            MilestoneKind::Recurring | MilestoneKind::AllYear | MilestoneKind::Unscheduled => {
                self.runs_in(quarter)
            }
        }
    }

    /// Whether this group has to report on it.
    #[must_use]
    pub fn concerns(&self, group: &Group) -> bool {
        self.unit.as_ref().is_none_or(|unit| *unit == group.unit)
    }
}

/// What kind of time a milestone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MilestoneKind {
    /// Once, by a date.
    Due,
    /// 每季度, 每月: again and again within its span.
    Recurring,
    /// 全年, 贯穿全年: no node but the year's end.
    AllYear,
    /// The text names no usable time; reported every quarter, by assumption.
    Unscheduled,
}

impl MilestoneKind {
    /// The name used in JSON and in stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Recurring => "recurring",
            Self::AllYear => "all_year",
            Self::Unscheduled => "unscheduled",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Due, Self::Recurring, Self::AllYear, Self::Unscheduled]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Something was assumed; look at it.
    Warning,
    /// The row cannot be trusted as printed; it needs a person's word.
    Error,
}

impl Severity {
    /// `info`, `warning`, `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was found; the names are fixed (interfaces.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each says itself; as_str gives the published name"
)]
pub enum FindingCode {
    ShiftedColumns,
    MissingOwner,
    MissingLeader,
    MissingResponsible,
    ToBeNamed,
    Unscheduled,
    UnitSplitBySpace,
    JoinedUnits,
    OwnerUnitMismatch,
    RequirementContinued,
    RequirementNumberGap,
    DuplicateTaskNo,
    MissingTaskNo,
    UnknownColumn,
    MissingColumn,
    DateOutsideYear,
    AmbiguousTime,
    SameNameOtherUnit,
    UnitAlias,
    ItemContinued,
    RowLeftOut,
    HiddenRows,
    HiddenColumns,
    OtherWorksheet,
}

impl FindingCode {
    /// The published name, such as `shifted_columns`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ShiftedColumns => "shifted_columns",
            Self::MissingOwner => "missing_owner",
            Self::MissingLeader => "missing_leader",
            Self::MissingResponsible => "missing_responsible",
            Self::ToBeNamed => "to_be_named",
            Self::Unscheduled => "unscheduled",
            Self::UnitSplitBySpace => "unit_split_by_space",
            Self::JoinedUnits => "joined_units",
            Self::OwnerUnitMismatch => "owner_unit_mismatch",
            Self::RequirementContinued => "requirement_continued",
            Self::RequirementNumberGap => "requirement_number_gap",
            Self::DuplicateTaskNo => "duplicate_task_no",
            Self::MissingTaskNo => "missing_task_no",
            Self::UnknownColumn => "unknown_column",
            Self::MissingColumn => "missing_column",
            Self::DateOutsideYear => "date_outside_year",
            Self::AmbiguousTime => "ambiguous_time",
            Self::SameNameOtherUnit => "same_name_other_unit",
            Self::UnitAlias => "unit_alias",
            Self::ItemContinued => "item_continued",
            Self::RowLeftOut => "row_left_out",
            Self::HiddenRows => "hidden_rows",
            Self::HiddenColumns => "hidden_columns",
            Self::OtherWorksheet => "other_worksheet",
        }
    }
}

/// Something odd in the table, with its place and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What.
    pub code: FindingCode,
    /// The task, where one is known.
    pub task: Option<TaskNo>,
    /// Row in the file, from 1 (a line of a text file).
    pub row: Option<u32>,
    /// The column's heading.
    pub column: Option<String>,
    /// What was found, in Chinese, quoting the cell.
    pub message: String,
    /// What was done about it, where something was.
    pub repair: Option<String>,
}
