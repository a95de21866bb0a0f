//! What a coordinator should know about a row.

use super::super::columns::Field;
use super::super::findings::Repaired;
use super::super::groups::{self, NamedGroup};
use super::super::rows::{Row, listed, quote};
use super::Settler;
use crate::domain::plan::{FindingCode, Milestone, Severity};
use crate::domain::schedule::{self, Doubt, Why};

impl Settler {
    fn tell(
        &mut self,
        row: &Row,
        severity: Severity,
        code: FindingCode,
        field: Field,
        message: String,
    ) {
        let column = Some(self.header.name(field));
        self.findings
            .push(row.place().found(severity, code, column, message));
    }

    fn repaired(&mut self, how: String) {
        if let Some(finding) = self.findings.pop() {
            self.findings.push(finding.repaired(how));
        }
    }

    pub(super) fn tell_people(&mut self, row: &Row, unnamed: &[Field]) {
        // Without an owner nobody can be asked; without the others one is copied in less.
        let columns = [
            (
                Field::Leader,
                &row.leaders,
                FindingCode::MissingLeader,
                Severity::Info,
            ),
            (
                Field::Responsible,
                &row.responsible,
                FindingCode::MissingResponsible,
                Severity::Warning,
            ),
            (
                Field::DirectOwner,
                &row.owners,
                FindingCode::MissingOwner,
                Severity::Error,
            ),
        ];
        for (field, names, code, severity) in columns {
            let column = self.header.name(field);
            if unnamed.contains(&field) {
                let severity = if names.is_empty() {
                    severity.max(Severity::Warning)
                } else {
                    Severity::Warning
                };
                let message = format!("“{column}”一栏写的是“待定”，请明确后补上");
                self.tell(row, severity, FindingCode::ToBeNamed, field, message);
            } else if names.is_empty() {
                let effect = match field {
                    Field::DirectOwner => "，无人可以催报，请补上",
                    Field::Responsible => "，逾期催办时无从抄送",
                    _ => "，督办时无从抄送",
                };
                let message = format!("“{column}”一栏是空的{effect}");
                self.tell(row, severity, code, field, message);
            }
        }
    }

    pub(super) fn tell_pairing(&mut self, row: &Row, groups: &[NamedGroup]) {
        const CODE: FindingCode = FindingCode::OwnerUnitMismatch;
        let units = row.lead_units.len();
        let owners = row.owners.len();
        if units == 0 {
            let message = format!(
                "“{}”一栏是空的，不知属于哪个单位",
                self.header.name(Field::LeadUnit)
            );
            self.tell(row, Severity::Warning, CODE, Field::LeadUnit, message);
        }
        let collective = row
            .lead_units
            .iter()
            .any(|unit| self.homes.is_collective(unit));
        if units > 1 && owners > 0 && groups.len() == 1 && !(collective && units == owners) {
            let message = if units == owners {
                format!(
                    "牵头单位“{}”与直接责任人“{}”按其他各行看对不上",
                    listed(&row.lead_units),
                    listed(&row.owners)
                )
            } else {
                format!(
                    "牵头单位 {units} 个（{}），直接责任人 {owners} 人（{}），无法一一对应",
                    listed(&row.lead_units),
                    listed(&row.owners)
                )
            };
            self.tell(row, Severity::Warning, CODE, Field::DirectOwner, message);
            self.repaired("各牵头单位合为一个责任组，其中任何一人报送即可".into());
        }
        for (field, names) in [
            (Field::DirectOwner, &row.owners),
            (Field::Responsible, &row.responsible),
        ] {
            let pairing = groups::pair(&row.lead_units, names, &self.homes);
            if let Some(pairing) = pairing.filter(|pairing| pairing.corrected) {
                let message = format!(
                    "{}“{}”的次序与牵头单位“{}”不一致",
                    self.header.name(field),
                    listed(names),
                    listed(&row.lead_units)
                );
                self.tell(row, Severity::Warning, CODE, field, message);
                let pairs: Vec<String> = row
                    .lead_units
                    .iter()
                    .zip(&pairing.names)
                    .map(|(unit, name)| format!("{name}（{unit}）"))
                    .collect();
                self.repaired(format!("按其他各行对应为：{}", pairs.join("、")));
            }
        }
    }

    pub(super) fn tell_doubt(&mut self, row: &Row, doubt: &Doubt) {
        let field = Field::Schedule;
        match doubt {
            Doubt::Before(words) => {
                let message = format!("“{words}”可以理解为该季度开始前，也可以理解为该季度结束前");
                self.tell(
                    row,
                    Severity::Warning,
                    FindingCode::AmbiguousTime,
                    field,
                    message,
                );
                self.repaired("按该季度结束前处理".into());
            }
            Doubt::Unclear { words, why, taken } => {
                let (severity, code) = (Severity::Warning, FindingCode::AmbiguousTime);
                let message = format!("“{words}”{}", unclear(*why));
                self.tell(row, severity, code, field, message);
                self.repaired(match taken {
                    Some(day) => format!("按 {day} 处理"),
                    None => "按全年每个季度报送处理".into(),
                });
            }
            Doubt::TooLong => {
                let message = format!(
                    "季度进度安排超过{}字，其后的时间没有读取，请检查是否粘贴了别的内容",
                    schedule::LONGEST
                );
                self.tell(
                    row,
                    Severity::Warning,
                    FindingCode::AmbiguousTime,
                    field,
                    message,
                );
            }
            Doubt::OtherYear(words) => {
                let message = format!("“{words}”不在本表年度 {} 年之内", self.year);
                self.tell(
                    row,
                    Severity::Warning,
                    FindingCode::DateOutsideYear,
                    field,
                    message,
                );
            }
        }
    }

    pub(super) fn tell_unscheduled(&mut self, row: &Row) {
        let message = if row.schedule.is_empty() {
            "季度进度安排是空的".to_owned()
        } else {
            format!("季度进度安排“{}”没有写明时间", quote(&row.schedule))
        };
        self.tell(
            row,
            Severity::Warning,
            FindingCode::Unscheduled,
            Field::Schedule,
            message,
        );
        self.repaired("按全年每个季度报送处理".into());
    }

    /// Where every section is some unit's own, a unit without one would never be asked.
    pub(super) fn tell_groups_without_time(
        &mut self,
        row: &Row,
        groups: &[NamedGroup],
        milestones: &[Milestone],
    ) {
        for group in groups {
            let concerned = milestones.iter().any(|milestone| {
                milestone
                    .unit
                    .as_ref()
                    .is_none_or(|unit| *unit == group.unit)
            });
            if !concerned {
                let message = format!(
                    "季度进度安排各段分属其他牵头单位，没有“{}”的安排，该单位不会收到催报，请确认",
                    group.unit
                );
                self.tell(
                    row,
                    Severity::Warning,
                    FindingCode::AmbiguousTime,
                    Field::Schedule,
                    message,
                );
            }
        }
    }

    pub(super) fn tell_people_of_two_units(&mut self) {
        for (person, place) in self.people.all.iter().zip(&self.people.places) {
            let units = self.homes.units(&person.name);
            if units.len() < 2 {
                continue;
            }
            let message = format!("“{}”在不同的行分属“{}”", person.name, units.join("”“"));
            self.findings.push(
                place
                    .found(
                        Severity::Warning,
                        FindingCode::SameNameOtherUnit,
                        None,
                        message,
                    )
                    .repaired(format!("视为同一人，单位按“{}”", person.unit)),
            );
        }
    }
}

/// What is unclear about words of time.
fn unclear(why: Why) -> &'static str {
    match why {
        Why::Before => "可以理解为该时段开始前，也可以理解为该时段结束前，请确认",
        Why::Early => "没有说到哪一天，请确认",
        Why::Around => "没有说在此前还是此后，请确认",
        Why::NoMonth => "没有写明是哪个月、哪个季度或哪个节日，请补充",
        Why::NoSuchDay => "没有这一天，请核对",
        Why::WhichYear => "没有写明是哪一年，请确认",
        Why::Festival => {
            "所在年度的放假安排未知，请写明日期，或由管理员在配置 [time] 的 holidays 里补上该年度的节假日表"
        }
        Why::Season => {
            "的日期由各地自定，请写明日期，或由管理员在配置文件的 [time.seasons] 一节写明，如 \"汛期\" = \"04-15\""
        }
        Why::Hangs => "的起算日在表中没有写明，请补充日期",
    }
}
