//! The headings of a table and what stands under them.

use super::clean;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    Requirement,
    Goal,
    Schedule,
    Leader,
    LeadUnit,
    Responsible,
    DirectOwner,
    AssistingUnit,
}

impl Field {
    pub(super) const ALL: [Self; 8] = [
        Self::Requirement,
        Self::Goal,
        Self::Schedule,
        Self::Leader,
        Self::LeadUnit,
        Self::Responsible,
        Self::DirectOwner,
        Self::AssistingUnit,
    ];

    /// The heading as the real table prints it.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Requirement => "总体要求",
            Self::Goal => "年度目标及工作内容",
            Self::Schedule => "季度进度安排",
            Self::Leader => "责任领导",
            Self::LeadUnit => "牵头单位",
            Self::Responsible => "责任人",
            Self::DirectOwner => "直接责任人",
            Self::AssistingUnit => "协助单位",
        }
    }

    /// Without these the table says nobody what to do when.
    pub(super) fn is_needed(self) -> bool {
        matches!(
            self,
            Self::Goal | Self::Schedule | Self::LeadUnit | Self::DirectOwner
        )
    }

    fn of_heading(cell: &str) -> Option<Self> {
        /// What is longer is no heading.
        const LONGEST: usize = 60;
        if cell.len() > LONGEST {
            return None;
        }
        let name = clean::without_blanks(cell);
        match name.trim_start_matches("<p>").trim_end_matches("</p>") {
            "目标任务" | "工作内容" | "年度目标" | "工作任务" | "任务" => {
                Some(Self::Goal)
            }
            "进度安排" | "工作进度" | "时间节点" | "完成时限" => {
                Some(Self::Schedule)
            }
            "分管领导" | "牵头领导" => Some(Self::Leader),
            "责任单位" | "主办单位" => Some(Self::LeadUnit),
            "协办单位" | "配合单位" => Some(Self::AssistingUnit),
            "具体责任人" | "经办人" | "联络员" => Some(Self::DirectOwner),
            name => Self::ALL.into_iter().find(|field| field.heading() == name),
        }
    }
}

/// A row of headings: which field each cell of the rows below is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// By position; none where the heading is not known.
    fields: Vec<Option<Field>>,
    /// The headings as printed.
    pub(super) names: Vec<String>,
}

impl Header {
    /// The headings of this row, if it is a row of headings.
    pub(super) fn of(cells: &[String]) -> Option<Self> {
        const FEWEST: usize = 3;
        let fields: Vec<_> = cells.iter().map(|cell| Field::of_heading(cell)).collect();
        let known = fields.iter().flatten().count();
        if known < FEWEST || !fields.contains(&Some(Field::Goal)) {
            return None;
        }
        Some(Self {
            fields,
            names: cells.iter().map(|cell| clean::prose(cell)).collect(),
        })
    }

    pub(super) fn position(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|known| *known == Some(field))
    }

    /// The field of the cell at this position.
    pub(super) fn field(&self, position: usize) -> Option<Field> {
        self.fields.get(position).copied().flatten()
    }

    pub(super) fn width(&self) -> usize {
        self.fields.len()
    }

    /// The heading as this table prints it.
    pub(super) fn name(&self, field: Field) -> String {
        self.position(field)
            .and_then(|position| self.names.get(position))
            .cloned()
            .unwrap_or_else(|| field.heading().to_owned())
    }

    /// Headings that are not known, and fields that have no heading.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &String> {
        let pairs = self.fields.iter().zip(&self.names);
        pairs
            .filter(|(field, name)| field.is_none() && !name.is_empty())
            .map(|(_, name)| name)
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(|field| self.position(*field).is_none())
    }
}
