//! Tables of units' names: the one inside the program, and the site's own after it.
//!
//! Shape: `groups = ["各镇街（园区）"]`, `different = [["甲局", "乙局"]]`, and under `[same]` the name
//! in use with its other names. A later file adds to the earlier ones and may not contradict them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::units::UnitNames;

const EMBEDDED: &str = include_str!("../../config/units.toml");

/// Why a table of units' names cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("单位名称对照表 {file}：{what}")]
pub struct UnitsFault {
    /// The file.
    pub file: String,
    /// What is wrong and what to do.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    different: Vec<Vec<String>>,
    #[serde(default)]
    same: BTreeMap<String, Vec<String>>,
}

/// The names of the table inside the program and of these files.
///
/// # Errors
/// Every fault of every file.
pub fn names(files: &[PathBuf]) -> Result<UnitNames, Vec<UnitsFault>> {
    let mut names = UnitNames::default();
    let mut faults = Vec::new();
    let mut take = |file: &str, text: Result<String, String>| {
        let found = match text {
            Ok(text) => take(&mut names, &text),
            Err(what) => vec![what],
        };
        faults.extend(found.into_iter().map(|what| UnitsFault {
            file: file.to_owned(),
            what,
        }));
    };
    take("units.toml（程序自带）", Ok(EMBEDDED.to_owned()));
    for path in files {
        take(&path.to_string_lossy(), read(path));
    }
    if faults.is_empty() {
        Ok(names)
    } else {
        Err(faults)
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("无法读取（{error}），请检查路径和权限，并另存为 UTF-8 编码"))
}

/// Takes a table in; gives what is wrong with it.
fn take(names: &mut UnitNames, text: &str) -> Vec<String> {
    let table: Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => return vec![unreadable(text, &error)],
    };
    for group in &table.groups {
        names.group(group);
    }
    for units in &table.different {
        names.different(units);
    }
    let same = table.same.iter();
    same.filter_map(|(unit, others)| names.same(unit, others).err())
        .collect()
}

fn unreadable(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!(
        "第{line}行写法有误，只能有 groups、different 和 [same]，名称都要加引号，请对照程序自带的 units.toml 修改"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_inside_the_program_is_sound_and_merges_nothing() {
        let names = names(&[]).unwrap();
        assert!(names.is_group("各镇街(园区)"));
        assert_eq!(names.used_for("市轨道交管局"), None, "only proposed");
    }

    #[test]
    fn every_line_of_the_sample_can_be_switched_on() {
        let on = EMBEDDED.replace("\n# \"", "\n\"").replace("  # [", "  [");
        let mut names = UnitNames::default();
        assert_eq!(take(&mut names, &on), Vec::<String>::new());
        assert_eq!(names.used_for("市轨道交管局"), Some("市轨道交通局"));
        assert!(names.are_different("市水务集团", "市水务局"));
    }

    #[test]
    fn faults_name_the_place_and_what_to_do() {
        let told = [
            "[same]\n\"甲局\" = [\"乙局\"]\n\"丙局\" = [\"乙局\"]",
            "[same]\n\"甲局\" = [\"乙局\"]\n\"乙局\" = [\"丁局\"]",
            "[same]\n甲局 = [\"乙局\"]",
            "\n[sane]\n",
            "groups = \"各镇街\"",
        ]
        .map(|text| take(&mut UnitNames::default(), text).join("\n"));
        insta::assert_snapshot!(told.join("\n"));
    }
}
