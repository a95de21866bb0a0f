//! What an owner says was reached against a target (实际数).

use super::quantity::{is_share, starts};
use super::{Bound, Decimal, Target};
use crate::domain::ids::Quarter;
use crate::domain::plan::{Group, Task};

/// A figure reported against a target, with the target as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actual {
    /// What was asked for.
    pub target: Target,
    /// How much was reached, in the target's unit.
    pub quantity: Decimal,
    /// The figure as understood: `1.8万人次`.
    pub text: String,
}

/// How an actual stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// So many percent of what was asked for.
    Share(Decimal),
    /// A rate or a limit that is kept.
    Kept,
    /// A rate or a limit that is not.
    Missed,
}

impl Actual {
    /// Reads what was typed. A figure without a unit counts in the unit shown beside the target,
    /// 万人次; only where that cannot be meant (`18000` against 2万人次) in the plain one.
    /// None where nothing was said.
    ///
    /// # Errors
    /// What is wrong, in Chinese, for the owner.
    pub fn read(target: &Target, typed: &str) -> Result<Option<Self>, String> {
        let typed = super::tidy(typed).into_iter();
        let typed: String = typed.filter(|c| !c.is_whitespace()).collect();
        if typed.is_empty() {
            return Ok(None);
        }
        let wrong = || {
            let (name, unit) = (target.name(), target.shown_unit());
            format!("“{name}”的实际数请填数字（单位：{unit}），也可以不填")
        };
        let digits = typed
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-')))
            .unwrap_or(typed.len());
        let (number, words) = typed.split_at_checked(digits).ok_or_else(wrong)?;
        let number = Decimal::parse(number).ok_or_else(wrong)?;
        let (quantity, text) = target.understand(number, words).ok_or_else(wrong)?;
        if quantity.is_negative() && !matches!(target.unit.as_str(), "%" | "元") {
            return Err(format!("“{}”的实际数不能是负数", target.name()));
        }
        if target.is_far_off(quantity) {
            return Err(format!(
                "“{}”的实际数{text}是目标{}的一千倍以上，请核对单位",
                target.name(),
                target.text
            ));
        }
        Ok(Some(Self {
            target: target.clone(),
            quantity,
            text,
        }))
    }

    /// How it stands to the target.
    #[must_use]
    pub fn reached(&self) -> Reached {
        let counted = self.target.bound == Bound::AtLeast && !is_share(&self.target.unit);
        let share = self.quantity.percent_of(self.target.quantity);
        match share.filter(|_| counted) {
            Some(share) => Reached::Share(share),
            None if self.is_reached() => Reached::Kept,
            None => Reached::Missed,
        }
    }

    /// Whether the target is reached, or the limit kept.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        match self.target.bound {
            Bound::AtLeast => self.quantity >= self.target.quantity,
            Bound::AtMost => self.quantity <= self.target.quantity,
        }
    }

    /// `实际 1.8万人次／目标 2万人次，90%`.
    #[must_use]
    pub fn told(&self) -> String {
        let reached = match self.reached() {
            Reached::Share(percent) => format!("{percent}%"),
            Reached::Kept if self.target.bound == Bound::AtMost => "未超过".into(),
            Reached::Missed if self.target.bound == Bound::AtMost => "已超过".into(),
            Reached::Kept => "达到".into(),
            Reached::Missed => "未达到".into(),
        };
        format!(
            "实际 {}／目标 {}，{reached}",
            self.text,
            self.target.asked()
        )
    }
}

impl Target {
    /// What people call it: what is counted, or the figure where nothing says.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.what.is_empty() {
            &self.text
        } else {
            &self.what
        }
    }

    /// The unit that stands behind the figure: `万人次`.
    #[must_use]
    pub fn shown_unit(&self) -> String {
        let large: String = self.large().collect();
        format!("{large}{}", self.unit)
    }

    /// 万 and 亿 of the figure.
    fn large(&self) -> impl Iterator<Item = char> {
        let rest = self.text.strip_suffix(&self.unit).unwrap_or(&self.text);
        rest.chars().filter(|c| matches!(c, '万' | '亿'))
    }

    fn understand(&self, number: Decimal, words: &str) -> Option<(Decimal, String)> {
        let plain = (number, format!("{number}{}", self.unit));
        if words == self.unit {
            return Some(plain);
        }
        if words.is_empty() {
            let shown = number.scaled(self.large().map(tens_of).sum())?;
            let too_much = self
                .quantity
                .scaled(1)
                .and_then(|tenfold| tenfold.scaled(1))
                .is_some_and(|hundredfold| shown > hundredfold);
            if too_much && !self.is_far_off(number) {
                return Some(plain);
            }
            return Some((shown, format!("{number}{}", self.shown_unit())));
        }
        let words: Vec<char> = words.chars().collect();
        let large = words
            .iter()
            .take_while(|c| matches!(c, '万' | '亿'))
            .count();
        let names_unit = words.len() == large || starts(&words, large, &self.unit);
        let unit = if words.len() == large {
            0
        } else {
            self.unit.chars().count()
        };
        if large == 0 || !names_unit || words.len() != large + unit {
            return None;
        }
        let large: String = words.iter().take(large).collect();
        let quantity = number.scaled(large.chars().map(tens_of).sum())?;
        Some((quantity, format!("{number}{large}{}", self.unit)))
    }

    /// More than a thousand times of what was asked for: a slip of the unit.
    fn is_far_off(&self, quantity: Decimal) -> bool {
        self.quantity
            .scaled(3)
            .is_some_and(|most| quantity > most && !self.quantity.is_zero())
    }
}

/// The targets that a group is asked about in a quarter, in the order of its milestones: an
/// actual names its target by the place in this list.
pub fn targets_in(task: &Task, group: &Group, quarter: Quarter) -> Vec<Target> {
    task.milestones_in(group, quarter)
        .flat_map(|milestone| super::read(&milestone.content))
        .collect()
}

fn tens_of(c: char) -> u32 {
    if c == '亿' { 8 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(content: &str) -> Target {
        super::super::read(content).remove(0)
    }

    fn told(content: &str, typed: &str) -> String {
        match Actual::read(&target(content), typed) {
            Ok(actual) => actual.map_or("没有填".into(), |actual| actual.told()),
            Err(fault) => fault,
        }
    }

    #[test]
    fn the_same_figure_however_it_is_typed() {
        for typed in [
            "1.8",
            "1.8万",
            "1.8万人次",
            "18000",
            "18,000",
            "18000人次",
            " １.８ 万 人次 ",
        ] {
            let actual = Actual::read(&target("新增技能人才2万人次"), typed)
                .unwrap()
                .unwrap();
            assert_eq!(actual.quantity.to_string(), "18000", "{typed}");
            assert!(
                actual.told().ends_with("／目标 2万人次，90%"),
                "{}",
                actual.told()
            );
        }
    }

    #[test]
    fn what_is_understood_reads_the_same_again() {
        for typed in ["1.8", "18000", "0", "3"] {
            let target = target("新增技能人才2万人次");
            let once = Actual::read(&target, typed).unwrap().unwrap();
            let again = Actual::read(&target, &once.text).unwrap().unwrap();
            assert_eq!(once, again);
        }
    }

    #[test]
    fn what_owners_read() {
        let said = [
            ("新增技能人才2万人次", "1.8"),
            ("新增技能人才2万人次", ""),
            ("新增技能人才2万人次", "很多"),
            ("新增技能人才2万人次", "1.8万家"),
            ("新增技能人才2万人次", "-1"),
            ("走访不少于15家企业", "15"),
            ("走访不少于15家企业", "16000"),
            ("完成投资5.77亿", "6"),
            ("完成工程量15%", "12%"),
            ("完成工程量15%", "15"),
            ("城镇登记失业率控制在3%以内", "2.8"),
            ("内销额增长3%", "-0.5"),
            ("组织1场培训", "1e3"),
        ];
        let lines: Vec<String> = said
            .into_iter()
            .map(|(content, typed)| format!("{content} ← “{typed}”：{}", told(content, typed)))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
