//! Names of things: each its own type, so that one cannot be taken for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::hex::hex;

/// A name that was not of its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not a plan id.
    #[error(
        "“{0}” 不能作为分解表编号：请用小写字母、数字和连字符，1 至 64 个字符，例如 dongguan-2022"
    )]
    Plan(String),
    /// Not a person id.
    #[error("“{0}” 不是人员编号")]
    Person(String),
    /// Not a quarter.
    #[error("“{0}” 不是季度：请写成 2022Q1 的形式")]
    Quarter(String),
}

/// Id of a plan (分解表), such as `dongguan-2022`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(Arc<str>);

impl PlanId {
    /// Takes 1 to 64 characters of `a-z`, `0-9` and `-`.
    ///
    /// # Errors
    /// [`BadId::Plan`] for anything else.
    pub fn new(id: &str) -> Result<Self, BadId> {
        let fits = (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(id.into()))
        } else {
            Err(BadId::Plan(id.into()))
        }
    }

    /// The plan of samples: the table that comes with the program.
    #[must_use]
    pub fn example() -> Self {
        Self("dongguan-2022".into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Id of a person: made once from unit and name, then never changed.
///
/// Names alone are not unique; the pair of unit and name nearly always is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(Arc<str>);

impl PersonId {
    /// The id of the person of this name in this unit: `p` and 12 hex digits of a SHA-256.
    #[must_use]
    pub fn of(unit: &str, name: &str) -> Self {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(unit.as_bytes());
        hasher.update([0]);
        hasher.update(name.as_bytes());
        let digest = hasher.finalize();
        Self(format!("p{}", hex(digest.iter().take(6))).into())
    }

    /// Reads an id that was made before: 1 to 32 of `a-z`, `0-9`.
    ///
    /// # Errors
    /// [`BadId::Person`] for anything else.
    pub fn new(id: &str) -> Result<Self, BadId> {
        let fits = (1..=32).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if fits {
            Ok(Self(id.into()))
        } else {
            Err(BadId::Person(id.into()))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a task within its plan, as printed in the table.
pub type TaskNo = u32;

/// Numbers of tasks as they are read aloud: `1、3—7、9`.
#[must_use]
pub fn told(tasks: &[TaskNo]) -> String {
    let follows = |one: &TaskNo, next: &TaskNo| one.checked_add(1) == Some(*next);
    let runs = tasks.chunk_by(follows).map(|run| match run {
        [first, _, .., last] => format!("{first}—{last}"),
        few => few
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("、"),
    });
    runs.collect::<Vec<_>>().join("、")
}

/// Place of a fact in the journal; the first is 1, without gaps. 0 means "nothing yet".
pub type Position = u64;

/// A calendar quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quarter {
    year: i32,
    number: u8,
}

impl Quarter {
    /// None is earlier.
    pub const FIRST: Self = Self { year: 1, number: 1 };

    /// Quarter `number` (1 to 4) of `year` (1 to 9999).
    #[must_use]
    pub fn new(year: i32, number: u8) -> Option<Self> {
        ((1..=4).contains(&number) && (1..=9999).contains(&year)).then_some(Self { year, number })
    }

    /// The quarter this day falls in.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self {
            year: day.year(),
            number: u8::try_from(day.month0() / 3).unwrap_or(0) + 1,
        }
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.year
    }

    /// 1 to 4.
    #[must_use]
    pub fn number(self) -> u8 {
        self.number
    }

    /// First calendar day.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        let month = u32::from(self.number - 1) * 3 + 1;
        NaiveDate::from_ymd_opt(self.year, month, 1).unwrap_or_default()
    }

    /// Last calendar day.
    #[must_use]
    pub fn last_day(self) -> NaiveDate {
        self.next().first_day().pred_opt().unwrap_or_default()
    }

    /// The quarter after this one.
    #[must_use]
    pub fn next(self) -> Self {
        if self.number == 4 {
            Self {
                year: self.year + 1,
                number: 1,
            }
        } else {
            Self {
                year: self.year,
                number: self.number + 1,
            }
        }
    }

    /// The quarter before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        if self.number == 1 {
            Self {
                year: self.year - 1,
                number: 4,
            }
        } else {
            Self {
                year: self.year,
                number: self.number - 1,
            }
        }
    }

    /// `2022年第一季度`.
    #[must_use]
    pub fn chinese(self) -> String {
        format!("{}年{}", self.year, self.chinese_short())
    }

    /// `第一季度`.
    #[must_use]
    pub fn chinese_short(self) -> &'static str {
        match self.number {
            1 => "第一季度",
            2 => "第二季度",
            3 => "第三季度",
            _ => "第四季度",
        }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Q{}", self.year, self.number)
    }
}

impl FromStr for Quarter {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId::Quarter(text.into());
        let (year, number) = text.split_once(['Q', 'q']).ok_or_else(bad)?;
        let year = year.parse().map_err(|_| bad())?;
        let number = number.parse().map_err(|_| bad())?;
        Self::new(year, number).ok_or_else(bad)
    }
}

/// Names one 应报事项: a reporting group's duty to report on a task for a quarter.
///
/// Ordered by plan, quarter, task, group: a quarter of a plan is one range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObligationKey {
    /// The plan.
    pub plan: PlanId,
    /// The quarter reported on.
    pub quarter: Quarter,
    /// The task.
    pub task: TaskNo,
    /// Index of the group among the task's groups, from 0.
    pub group: u8,
}

impl fmt::Display for ObligationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.plan, self.quarter, self.task, self.group
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_drawn_together() {
        assert_eq!(told(&[1, 2, 3, 5, 6, 9]), "1—3、5、6、9");
        assert_eq!(told(&[u32::MAX]), "4294967295");
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn a_quarter_knows_its_days_and_neighbours() {
        let q: Quarter = "2022Q4".parse().unwrap();
        assert_eq!(q.last_day().to_string(), "2022-12-31");
        assert_eq!(q.first_day().to_string(), "2022-10-01");
        assert_eq!(q.next().to_string(), "2023Q1");
        assert_eq!(q.next().previous(), q);
        assert_eq!(Quarter::of(q.last_day()), q);
        assert_eq!(q.chinese(), "2022年第四季度");
    }

    #[test]
    fn names_not_of_their_form_are_refused() {
        for bad in ["", "2022", "2022Q5", "2022Q0", "Q1", "x2022Q1", "0Q1"] {
            assert!(bad.parse::<Quarter>().is_err(), "{bad}");
        }
        for bad in ["", "A", "a b", "东莞", &"a".repeat(65)] {
            assert!(PlanId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_persons_id_depends_on_unit_and_name() {
        let id = PersonId::of("市科技局", "钟靖平");
        assert_eq!(id, PersonId::of("市科技局", "钟靖平"));
        assert_ne!(id, PersonId::of("市财政局", "钟靖平"));
        assert_ne!(PersonId::of("ab", "c"), PersonId::of("a", "bc"));
        assert_eq!(PersonId::new(id.as_str()), Ok(id));
    }
}
