//! The headings of a table and what stands under them.

use super::sheet::RawRow;
use super::{clean, lexicon};

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
    /// The task's number in a column of its own.
    Number,
    /// When it must be done, and nothing else.
    Deadline,
    /// A column for a run of quarters, by its first and last.
    Period(u8, u8),
    /// Not to be read: the coordinator's word.
    Ignored,
}

impl Field {
    /// Those the real table has; the others are ways to say the same.
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

    /// Those whose cell may go on in the next row. A requirement goes on by its own rule.
    pub(super) const JOINED: [Self; 8] = [
        Self::Goal,
        Self::Schedule,
        Self::Deadline,
        Self::Leader,
        Self::LeadUnit,
        Self::Responsible,
        Self::DirectOwner,
        Self::AssistingUnit,
    ];

    /// Sentences, not a list of names.
    pub(super) fn is_prose(self) -> bool {
        matches!(self, Self::Goal | Self::Schedule | Self::Deadline)
    }

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
            Self::Number => "序号",
            Self::Deadline => "完成时限",
            Self::Period(..) => "分季度进度",
            Self::Ignored => "不读入",
        }
    }

    /// The field of this name in Chinese or in JSON.
    fn named(name: &str) -> Option<Self> {
        let fields = Self::ALL.into_iter().chain(Self::FURTHER);
        let mut fields = fields.filter(|field| field.id() == name);
        fields.next().or_else(|| match name {
            "不读入" | "忽略" => Some(Self::Ignored),
            _ => lexicon::field_of(name).map(|(field, _)| field),
        })
    }

    const FURTHER: [Self; 10] = [
        Self::Number,
        Self::Deadline,
        Self::Period(1, 1),
        Self::Period(2, 2),
        Self::Period(3, 3),
        Self::Period(4, 4),
        Self::Period(1, 2),
        Self::Period(3, 4),
        Self::Period(1, 3),
        Self::Ignored,
    ];

    /// The name in a stored mapping; as in JSON where the field is there.
    fn id(self) -> &'static str {
        match self {
            Self::Requirement => "requirement",
            Self::Goal => "goal",
            Self::Schedule => "schedule",
            Self::Leader => "leaders",
            Self::LeadUnit => "lead_units",
            Self::Responsible => "responsible",
            Self::DirectOwner => "direct_owners",
            Self::AssistingUnit => "assisting_units",
            Self::Number => "no",
            Self::Deadline => "deadline",
            Self::Period(1, 1) => "q1",
            Self::Period(2, 2) => "q2",
            Self::Period(3, 3) => "q3",
            Self::Period(4, 4) => "q4",
            Self::Period(1, 2) => "q1-q2",
            Self::Period(1, 3) => "q1-q3",
            Self::Period(..) => "q3-q4",
            Self::Ignored => "ignored",
        }
    }

    /// Without these the table says nobody what to do when.
    pub(super) fn is_needed(self) -> bool {
        matches!(
            self,
            Self::Goal | Self::Schedule | Self::LeadUnit | Self::DirectOwner
        )
    }

    /// Where a second column of the same kind belongs.
    fn second(self) -> Option<Self> {
        match self {
            Self::Goal => Some(Self::Requirement),
            Self::LeadUnit => Some(Self::AssistingUnit),
            _ => None,
        }
    }
}

/// What the coordinator said which heading means (`列名=字段`).
///
/// Fields go by their heading, by any of its usual other names, or by their name in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    entries: Vec<(String, Field)>,
}

/// A `列名=字段` that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownField {
    /// Without `=`, or nothing before it.
    #[error("“{0}”的写法不对：应为 列名=字段，例如 --map 负责同志=直接责任人")]
    Form(String),
    /// Not a field.
    #[error(
        "“{0}”不是可用的字段：可用的有 序号、总体要求、目标任务、季度进度安排、完成时限、一季度、二季度、三季度、四季度、责任领导、牵头单位、责任人、直接责任人、协助单位、不读入"
    )]
    Field(String),
}

impl Mapping {
    /// Takes entries such as `负责同志=直接责任人`.
    ///
    /// # Errors
    /// [`UnknownField`] tells which fields there are.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, UnknownField> {
        let mut mapping = Self::default();
        for entry in entries.iter().map(AsRef::as_ref) {
            let form = || UnknownField::Form(entry.to_owned());
            let (name, field) = entry.rsplit_once(['=', '＝']).ok_or_else(form)?;
            let name = clean::without_blanks(name);
            if name.is_empty() {
                return Err(form());
            }
            let field = Field::named(field.trim())
                .ok_or_else(|| UnknownField::Field(field.trim().to_owned()))?;
            mapping.set(name, field);
        }
        Ok(mapping)
    }

    /// With what was said later, which counts where both speak of a heading.
    #[must_use]
    pub fn with(mut self, later: Self) -> Self {
        for (name, field) in later.entries {
            self.set(name, field);
        }
        self
    }

    /// All entries, as [`Self::parse`] takes them.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        let entries = self.entries.iter();
        entries
            .map(|(name, field)| format!("{name}={}", field.id()))
            .collect()
    }

    fn set(&mut self, name: String, field: Field) {
        self.entries.retain(|(known, _)| *known != name);
        self.entries.push((name, field));
    }

    fn get(&self, heading: &str) -> Option<Field> {
        if self.entries.is_empty() {
            return None;
        }
        let name = clean::without_blanks(&clean::prose(heading));
        let found = self.entries.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, field)| *field)
    }
}

/// A row of headings: which field each cell of the rows below is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// By position; none where the heading is not known.
    fields: Vec<Option<Field>>,
    /// The headings as printed.
    pub(super) names: Vec<String>,
    /// 责任人 stands for 直接责任人, of which there is no column.
    pub(super) responsible_owns: bool,
}

impl Header {
    /// The headings of this row, if it is a row of headings.
    pub(super) fn of(cells: &[String], mapping: &Mapping) -> Option<Self> {
        /// Headings that must be known; fewer where nothing else stands in the row.
        const FEWEST: usize = 3;
        const FEWEST_OF_ALL: usize = 2;
        let header = Self::likely(cells, mapping)?;
        let known = header.known();
        let sure = known >= FEWEST || known >= FEWEST_OF_ALL && header.unknown().next().is_none();
        (sure && header.position(Field::Goal).is_some()).then_some(header)
    }

    /// The same, where the column of the tasks may still be unknown.
    pub(super) fn likely(cells: &[String], mapping: &Mapping) -> Option<Self> {
        const FEWEST: usize = 2;
        const LONGEST: usize = 16;
        let known: Vec<Option<(Field, u8)>> = cells
            .iter()
            .map(|cell| match mapping.get(cell) {
                Some(field) => Some((field, 0)),
                None => lexicon::field_of(cell),
            })
            .collect();
        let filled = || cells.iter().filter(|cell| !clean::is_blank(cell));
        let is_short = |cell: &String| cell.chars().take(LONGEST + 1).count() <= LONGEST;
        let count = known.iter().flatten().count();
        if count < FEWEST || filled().count() > count && !filled().all(is_short) && count < 3 {
            return None;
        }
        let mut header = Self {
            fields: settled(&known),
            names: cells.iter().map(|cell| clean::prose(cell)).collect(),
            responsible_owns: false,
        };
        if header.position(Field::DirectOwner).is_none() {
            for field in header.fields.iter_mut().flatten() {
                if *field == Field::Responsible {
                    *field = Field::DirectOwner;
                    header.responsible_owns = true;
                }
            }
        }
        Some(header)
    }

    /// The headings at the beginning of these rows, and how many rows they take.
    pub(super) fn at(rows: &[RawRow], mapping: &Mapping) -> Option<(Self, usize)> {
        let first = rows.first()?;
        let mut header = Self::of(&first.cells, mapping);
        let mut taken = usize::from(header.is_some());
        if let Some(second) = rows.get(1)
            && let Some(both) = two_rows(first, second, mapping)
        {
            header = Some(both);
            taken = 2;
        }
        Some((header?, taken))
    }

    /// How many headings are known.
    pub(super) fn known(&self) -> usize {
        self.fields.iter().flatten().count()
    }

    /// Whether this row may be one of headings again: a quick look at what stands under three.
    pub(super) fn may_repeat(&self, row: &RawRow, mapping: &Mapping) -> bool {
        let known = |cell: &str| mapping.get(cell).is_some() || lexicon::field_of(cell).is_some();
        let places = [Field::Goal, Field::DirectOwner, Field::LeadUnit];
        row.top
            || places
                .into_iter()
                .filter_map(|field| row.cells.get(self.position(field)?))
                .any(|cell| known(cell))
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
        let position = self.position(field).or_else(|| match field {
            Field::Schedule => self.times().next(),
            Field::Responsible if self.responsible_owns => self.position(Field::DirectOwner),
            _ => None,
        });
        position
            .and_then(|position| self.names.get(position))
            .cloned()
            .unwrap_or_else(|| field.heading().to_owned())
    }

    /// Where a column tells times without being the schedule.
    fn times(&self) -> impl Iterator<Item = usize> {
        let is_time =
            |field: &Option<Field>| matches!(field, Some(Field::Deadline | Field::Period(..)));
        let fields = self.fields.iter().enumerate();
        fields
            .filter(move |(_, field)| is_time(field))
            .map(|(position, _)| position)
    }

    /// Headings that are not known.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &String> {
        let pairs = self.fields.iter().zip(&self.names);
        pairs
            .filter(|(field, name)| field.is_none() && !name.is_empty())
            .map(|(_, name)| name)
    }

    /// Fields that have no heading.
    pub(super) fn missing(&self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|field| match field {
            Field::Schedule => self
                .position(*field)
                .or_else(|| self.times().next())
                .is_none(),
            field => self.position(*field).is_none(),
        })
    }
}

/// Each heading's field, where of two for one field the plainer keeps it and the other has a place.
fn settled(known: &[Option<(Field, u8)>]) -> Vec<Option<Field>> {
    let mut fields: Vec<Option<Field>> = known.iter().map(|known| known.map(|(f, _)| f)).collect();
    for (field, second) in Field::ALL
        .into_iter()
        .filter_map(|f| Some((f, f.second()?)))
    {
        let holders = |known: &&Option<(Field, u8)>| known.is_some_and(|(f, _)| f == field);
        if fields.contains(&Some(second)) || known.iter().filter(holders).count() < 2 {
            continue;
        }
        let best = known.iter().flatten().filter(|(f, _)| *f == field);
        let best = best.map(|(_, rank)| *rank).min();
        let mut kept = false;
        for (place, known) in fields.iter_mut().zip(known) {
            let Some((_, rank)) = known.filter(|(f, _)| *f == field) else {
                continue;
            };
            if !kept && Some(rank) == best {
                kept = true;
            } else {
                *place = Some(second);
            }
        }
    }
    fields
}

/// Headings over two rows: 季度进度安排 over 一季度, 二季度 …
fn two_rows(first: &RawRow, second: &RawRow, mapping: &Mapping) -> Option<Header> {
    let width = first.cells.len().max(second.cells.len());
    let known = |cell: &str| mapping.get(cell).is_some() || lexicon::field_of(cell).is_some();
    let below: Vec<&str> = second.filled().map(|(_, cell)| cell).collect();
    let headings = below.iter().filter(|cell| known(cell)).count();
    // A title over the headings is not one of them.
    let above = first.filled().filter(|(_, cell)| known(cell)).count();
    if above < 2 || headings < 2 || headings * 2 < below.len() {
        return None;
    }
    let cell =
        |row: &RawRow, at: usize| row.cells.get(at).map_or("", |cell| cell.trim()).to_owned();
    let cells: Vec<String> = (0..width)
        .map(|at| match cell(second, at) {
            low if low.is_empty() => cell(first, at),
            low => low,
        })
        .collect();
    Header::of(&cells, mapping)
}
