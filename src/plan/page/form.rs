//! What the import page's forms bring.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::ids::PlanId;
use crate::plan::correct::{Cells, Correction};
use crate::plan::prepare::From;
use crate::plan::{Lore, Mapping, Source};
use crate::web::percent;

/// What is known about the table beside its content; empty fields come from forms.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub year: String,
    #[serde(default)]
    pub id: String,
    /// What headings mean: entries `列名=字段`, one a line.
    #[serde(default)]
    pub map: String,
}

impl Asked {
    /// For the reader, or what is wrong with it.
    pub(super) fn source(&self, lore: &Lore) -> Result<Source, String> {
        let year = match self.year.trim() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| format!("“{text}”不是年度：请填四位数字，例如 2027"))?,
            ),
        };
        let id = match self.id.trim() {
            "" => None,
            text => Some(PlanId::new(text).map_err(|error| error.to_string())?),
        };
        let entries: Vec<&str> = self.map.lines().map(str::trim).collect();
        let entries: Vec<&str> = entries
            .into_iter()
            .filter(|entry| !entry.is_empty())
            .collect();
        Ok(Source {
            file_name: self.name.clone(),
            year,
            id,
            columns: Mapping::parse(&entries).map_err(|error| error.to_string())?,
            ..lore.source()?
        })
    }

    /// The same as the query of an address.
    pub(super) fn query(&self) -> String {
        let pairs = [
            ("name", &self.name),
            ("year", &self.year),
            ("id", &self.id),
            ("map", &self.map),
        ];
        let pairs = pairs.map(|(key, value)| format!("{key}={}", percent::encoded(value)));
        pairs.join("&")
    }
}

/// The table with a coordinator's corrections.
#[derive(Debug, Clone, Default)]
pub(super) struct Corrected {
    pub asked: Asked,
    pub rows: Vec<Correction>,
    /// The version of the plan the page was made for.
    pub seen: u32,
}

impl Corrected {
    pub(super) fn from<'a>(&'a self, hash: &'a str, columns: &'a [String]) -> From<'a> {
        From {
            name: &self.asked.name,
            sha256: hash,
            accept: false,
            columns,
        }
    }

    /// What was said about this row.
    pub(super) fn row(&self, row: u32) -> Option<&Correction> {
        self.rows.iter().find(|one| one.row == row)
    }
}

/// A form as it came.
#[derive(Default)]
pub(super) struct Form {
    pub csrf: String,
    pub store: bool,
    pub corrected: Corrected,
}

/// Names of the fields of row 12: `12-goal` and so on; `12-sure` where it was looked at.
pub(super) fn read_form(fields: Vec<(String, String)>) -> Form {
    let mut form = Form::default();
    let mut rows: BTreeMap<u32, Correction> = BTreeMap::new();
    for (name, value) in fields {
        match name.as_str() {
            "csrf" => form.csrf = value,
            "name" => form.corrected.asked.name = value,
            "year" => form.corrected.asked.year = value,
            "id" => form.corrected.asked.id = value,
            "map" => form.corrected.asked.map = value,
            "seen" => form.corrected.seen = value.parse().unwrap_or_default(),
            "do" => form.store = value == "store",
            _ => {
                let place = name.split_once('-');
                let Some((row, field)) = place.and_then(|(row, f)| Some((row.parse().ok()?, f)))
                else {
                    continue;
                };
                let correction = rows.entry(row).or_insert_with(|| Correction {
                    row,
                    sure: false,
                    cells: Cells::default(),
                });
                set(correction, field, value);
            }
        }
    }
    form.corrected.rows = rows.into_values().collect();
    form
}

fn set(correction: &mut Correction, field: &str, value: String) {
    let cells = &mut correction.cells;
    let place = match field {
        "goal" => &mut cells.goal,
        "schedule" => &mut cells.schedule,
        "leaders" => &mut cells.leaders,
        "lead_units" => &mut cells.lead_units,
        "responsible" => &mut cells.responsible,
        "direct_owners" => &mut cells.direct_owners,
        "assisting_units" => &mut cells.assisting_units,
        "no" => {
            cells.no = value.trim().parse().unwrap_or_default();
            return;
        }
        "sure" => {
            correction.sure = true;
            return;
        }
        _ => return,
    };
    // A browser sends line ends its own way; the same text must come back the same.
    *place = value.replace("\r\n", "\n");
}
