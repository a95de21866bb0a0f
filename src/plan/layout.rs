//! Puts cells back under the right heading where a row is shifted by one column.
//!
//! What stands in the other rows tells a person's name from a unit's: a unit under 责任人 and a
//! person under 协助单位 mean that the row was shifted.

use std::collections::HashMap;

use super::clean;
use super::columns::Field;

/// The columns of people and units, in the order the real table has them.
const DUTIES: [Field; 5] = [
    Field::Leader,
    Field::LeadUnit,
    Field::Responsible,
    Field::DirectOwner,
    Field::AssistingUnit,
];

/// The cells of one row, by field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cells {
    /// A row has a dozen at most: looking through them is quicker than any map.
    cells: Vec<(Field, String)>,
}

impl Cells {
    pub(super) fn get(&self, field: Field) -> &str {
        let found = self.cells.iter().find(|(known, _)| *known == field);
        found.map_or("", |(_, cell)| cell.as_str())
    }

    pub(super) fn set(&mut self, field: Field, cell: String) {
        match self.cells.iter_mut().find(|(known, _)| *known == field) {
            Some((_, known)) => *known = cell,
            None => self.cells.push((field, cell)),
        }
    }

    /// The same for a field that two columns may hold: the second goes on a line of its own.
    pub(super) fn add(&mut self, field: Field, cell: String) {
        match self.cells.iter_mut().find(|(known, _)| *known == field) {
            Some((_, known)) if known.is_empty() => *known = cell,
            Some(_) if cell.is_empty() => {}
            Some((_, known)) => {
                known.push('\n');
                known.push_str(&cell);
            }
            None => self.cells.push((field, cell)),
        }
    }

    pub(super) fn take(&mut self, field: Field) -> String {
        let found = self.cells.iter_mut().find(|(known, _)| *known == field);
        found.map_or_else(String::new, |(_, cell)| std::mem::take(cell))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.is_only(&[])
    }

    /// Whether nothing is said but in these fields.
    pub(super) fn is_only(&self, fields: &[Field]) -> bool {
        let others = self
            .cells
            .iter()
            .filter(|(field, _)| !fields.contains(field));
        others.into_iter().all(|(_, cell)| clean::is_blank(cell))
    }

    fn duty_cells(&self) -> Vec<String> {
        DUTIES.map(|field| self.get(field).to_owned()).to_vec()
    }

    fn with_duties(&self, duties: Vec<String>) -> Self {
        let mut cells = self.clone();
        for (field, cell) in DUTIES.into_iter().zip(duties) {
            cells.set(field, cell);
        }
        cells
    }
}

/// What was found wrong with the layout of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shift {
    /// The first cell that stands under a wrong heading.
    pub(super) field: Field,
    /// What stands in it.
    pub(super) found: String,
    /// The cells as they must have been, where only one order makes sense.
    pub(super) repaired: Option<Cells>,
}

/// The names in the columns of people and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duties {
    pub(super) leaders: Vec<String>,
    pub(super) lead_units: Vec<String>,
    pub(super) responsible: Vec<String>,
    pub(super) owners: Vec<String>,
    pub(super) assisting_units: Vec<String>,
}

impl Duties {
    pub(super) fn of(cells: &Cells) -> Self {
        Self::told(|field| cells.get(field))
    }

    fn told<'a>(cell: impl Fn(Field) -> &'a str) -> Self {
        Self {
            leaders: clean::people(cell(Field::Leader)),
            lead_units: clean::names(cell(Field::LeadUnit)),
            responsible: clean::people(cell(Field::Responsible)),
            owners: clean::people(cell(Field::DirectOwner)),
            assisting_units: clean::listed_units(cell(Field::AssistingUnit)),
        }
    }

    /// Each name with the column it stands in.
    fn names(&self) -> impl Iterator<Item = (Field, &str)> {
        let columns = [
            &self.leaders,
            &self.lead_units,
            &self.responsible,
            &self.owners,
            &self.assisting_units,
        ];
        let columns = DUTIES.into_iter().zip(columns);
        columns.flat_map(|(field, names)| names.iter().map(move |name| (field, name.as_str())))
    }
}

/// What each name of the table stands for.
pub(super) struct Names<'a> {
    kinds: HashMap<&'a str, Kind>,
}

impl<'a> Names<'a> {
    pub(super) fn of(rows: &'a [Duties]) -> Self {
        // How often each name stands in a column of people and in one of units.
        let mut votes: HashMap<&str, (u32, u32)> = HashMap::new();
        for (field, name) in rows.iter().flat_map(Duties::names) {
            let (person, unit) = votes.entry(name).or_default();
            *(if holds_people(field) { person } else { unit }) += 1;
        }
        let kinds = votes.into_iter().map(|(name, (person, unit))| {
            let kind = match () {
                () if looks_like_unit(name) => Kind::Unit,
                () if person > unit => Kind::Person,
                () if unit > person => Kind::Unit,
                () => Kind::Unknown,
            };
            (name, kind)
        });
        Self {
            kinds: kinds.collect(),
        }
    }

    /// Looks for cells under a wrong heading.
    pub(super) fn shift(&self, cells: &Cells, duties: &Duties) -> Option<Shift> {
        let (field, found) = self.misplaced(duties)?;
        let mut fitting: Vec<Vec<String>> = Vec::new();
        for candidate in shifted(&cells.duty_cells()) {
            let cell = |field| {
                let place = DUTIES.iter().position(|known| *known == field);
                let cell = place.and_then(|place| candidate.get(place));
                cell.map_or("", String::as_str)
            };
            if self.misplaced(&Duties::told(cell)).is_none() && !fitting.contains(&candidate) {
                fitting.push(candidate);
            }
        }
        // A row names at least who leads and who answers.
        fitting.retain(|duties| {
            let filled = |index: usize| duties.get(index).is_some_and(|cell| !cell.is_empty());
            filled(1) && filled(3)
        });
        let only = fitting.pop().filter(|_| fitting.is_empty());
        Some(Shift {
            field,
            found: found.to_owned(),
            repaired: only.map(|duties| cells.with_duties(duties)),
        })
    }

    fn misplaced<'b>(&self, duties: &'b Duties) -> Option<(Field, &'b str)> {
        duties.names().find(|(field, name)| match self.kind(name) {
            Kind::Person => !holds_people(*field),
            Kind::Unit => holds_people(*field),
            Kind::Unknown => false,
        })
    }

    fn kind(&self, name: &str) -> Kind {
        match self.kinds.get(name) {
            Some(kind) => *kind,
            None if looks_like_unit(name) => Kind::Unit,
            None => Kind::Unknown,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Person,
    Unit,
    Unknown,
}

fn holds_people(field: Field) -> bool {
    matches!(
        field,
        Field::Leader | Field::Responsible | Field::DirectOwner
    )
}

/// Longer than a name and with an ending no name has.
fn looks_like_unit(name: &str) -> bool {
    const ENDINGS: [&str; 14] = [
        "局",
        "委员会",
        "管委会",
        "办公室",
        "街道",
        "镇",
        "集团",
        "公司",
        "支队",
        "指挥部",
        "中心",
        "协会",
        "学院",
        "银行",
    ];
    name.chars().count() > 3 && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The cells moved by one: an empty one taken out, or one put in where the last is empty.
fn shifted(duties: &[String]) -> Vec<Vec<String>> {
    let mut candidates = Vec::new();
    for place in 0..duties.len() {
        if duties.get(place).is_some_and(|cell| cell.trim().is_empty()) {
            let mut left = duties.to_vec();
            left.remove(place);
            left.push(String::new());
            candidates.push(left);
        }
        if duties.last().is_some_and(|cell| cell.trim().is_empty()) {
            let mut right = duties.to_vec();
            right.pop();
            right.insert(place, String::new());
            candidates.push(right);
        }
    }
    candidates
}
