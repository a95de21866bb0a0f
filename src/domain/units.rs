//! What units are called: other names of one unit, names that are not one, and groups.
//!
//! Which names mean the same unit is a coordinator's word and never guessed; [`alike`] only
//! proposes. Example: `市发展和改革局` is read as `市发展改革局` once that is decided.

pub mod alike;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The coordinators' decisions about names of units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitNames {
    /// From another name to the one that is used.
    other: BTreeMap<String, String>,
    /// Names that are not one unit, each pair in order.
    different: BTreeSet<(String, String)>,
    groups: BTreeSet<String>,
}

impl UnitNames {
    /// Takes the name in use with its other names.
    ///
    /// # Errors
    /// Where that contradicts what was taken before; in Chinese, for the coordinator.
    pub fn same(&mut self, unit: &str, others: &[String]) -> Result<(), String> {
        let unit = plain(unit).into_owned();
        if let Some(used) = self.other.get(&unit) {
            return Err(format!(
                "“{unit}”已列为“{used}”的其他写法，不能再作规范名称"
            ));
        }
        for other in others.iter().map(|other| plain(other).into_owned()) {
            if other == unit {
                return Err(format!("“{unit}”的其他写法里又写了它自己，请删去"));
            }
            if self.other.values().any(|used| *used == other) {
                return Err(format!(
                    "“{other}”已是规范名称，不能再列为“{unit}”的其他写法"
                ));
            }
            match self.other.get(&other) {
                Some(used) if *used != unit => {
                    return Err(format!(
                        "“{other}”同时列在“{used}”和“{unit}”名下，请只保留一处"
                    ));
                }
                _ => {
                    self.other.insert(other, unit.clone());
                }
            }
        }
        Ok(())
    }

    /// Takes names that are not one unit.
    pub fn different(&mut self, names: &[String]) {
        for one in names {
            for other in names.iter().filter(|other| one < *other) {
                self.different.insert(in_order(one, other));
            }
        }
    }

    /// Takes a name that stands for many units.
    pub fn group(&mut self, name: &str) {
        self.groups.insert(plain(name).into_owned());
    }

    /// The name in use, where this is another one.
    #[must_use]
    pub fn used_for(&self, name: &str) -> Option<&str> {
        if self.other.is_empty() {
            return None;
        }
        self.other.get(plain(name).as_ref()).map(String::as_str)
    }

    /// Whether it stands for many units.
    #[must_use]
    pub fn is_group(&self, name: &str) -> bool {
        self.groups.contains(plain(name).as_ref())
    }

    /// Whether a coordinator said that these are two.
    #[must_use]
    pub fn are_different(&self, one: &str, other: &str) -> bool {
        self.different.contains(&in_order(one, other))
    }
}

/// A name without blanks, its brackets in one width: `各镇街(园区)` is `各镇街（园区）`.
#[must_use]
pub fn plain(name: &str) -> Cow<'_, str> {
    if !name.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')')) {
        return Cow::Borrowed(name);
    }
    name.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '(' => '（',
            ')' => '）',
            c => c,
        })
        .collect()
}

fn in_order(one: &str, other: &str) -> (String, String) {
    let (one, other) = (plain(one).into_owned(), plain(other).into_owned());
    if one < other {
        (one, other)
    } else {
        (other, one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_unit_only() {
        let mut names = UnitNames::default();
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        names
            .same("市发展改革局", &list(&["市发展和改革局", "市发展改革委"]))
            .unwrap();
        assert_eq!(names.used_for("市发展和改革局"), Some("市发展改革局"));
        assert_eq!(names.used_for("市发展改革局"), None);
        for (unit, other) in [
            ("市发展改革委", "市发改委"),
            ("市商务局", "市商务局"),
            ("市商务局", "市发展改革委"),
            ("市商务局", "市发展改革局"),
        ] {
            assert!(names.same(unit, &list(&[other])).is_err(), "{unit} {other}");
        }
    }

    #[test]
    fn brackets_have_no_width() {
        let mut names = UnitNames::default();
        names.group("各镇街（园区）");
        assert!(names.is_group("各镇街(园区)"));
        names.different(&["甲局".into(), "乙局".into(), "丙局".into()]);
        assert!(names.are_different("丙局", "甲局"));
        assert!(!names.are_different("丙局", "丁局"));
    }
}
