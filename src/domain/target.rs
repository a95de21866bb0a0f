//! What can be measured in a milestone (指标): `新增技能人才2万人次` is a target of 20000 人次.
//!
//! A target is worked out of the milestone's words each time and never stored by itself; what an
//! owner says against it is stored with the words it was said to ([`actual::Actual`]), so that
//! history does not change when the reading does.
//!
//! Better none than a wrong one: a figure is a target only where something is to be done to it.
//! Names, dates, titles, ordinals, sizes of what is spoken of, and what was done before are not.
//!
//! Example: `累计完成电网建设投资30亿元` gives one target, 完成电网建设投资, 3000000000 元, cumulative.

pub mod actual;
mod clause;
mod decimal;
mod quantity;
mod words;

pub use decimal::Decimal;

/// One figure a milestone asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// What is counted or measured, in the milestone's words without the figure: `新增技能人才`.
    pub what: String,
    /// How much, exact, in [`Self::unit`]; of `5-6家` the lower.
    pub quantity: Decimal,
    /// The figure as in the milestone: `2万人次`.
    pub text: String,
    /// The unit without 万 and 亿: `人次`, `元`, `%`.
    pub unit: String,
    /// Whether more is better.
    pub bound: Bound,
    /// Counted from the year's beginning (累计, 全年); else of the milestone's own time.
    pub cumulative: bool,
}

/// Which side of the figure is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// 不少于, 达到, 以上; also where nothing is said.
    AtLeast,
    /// 不超过, 控制在…以内.
    AtMost,
}

impl Bound {
    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::AtMost => "at_most",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AtLeast, Self::AtMost]
            .into_iter()
            .find(|bound| bound.as_str() == name)
    }
}

impl Target {
    /// The figure with the side it bounds, for people: `2万人次`, `不超过5%`.
    #[must_use]
    pub fn asked(&self) -> String {
        match self.bound {
            Bound::AtLeast => self.text.clone(),
            Bound::AtMost => format!("不超过{}", self.text),
        }
    }
}

/// What stands behind so many characters is no milestone of anything.
const LONGEST: usize = 4000;

/// The targets of a milestone's content, in its order.
#[must_use]
pub fn read(content: &str) -> Vec<Target> {
    let text = tidy(content);
    let mut targets: Vec<Target> = Vec::new();
    for clause in clause::split(&text) {
        targets.extend(clause.targets());
    }
    targets
}

/// Digits and signs of full width made narrow, and no blanks beside digits.
fn tidy(content: &str) -> Vec<char> {
    let narrow: Vec<char> = content
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            '０'..='９' => {
                char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c)
            }
            '％' => '%',
            '．' => '.',
            c => c,
        })
        .collect();
    let beside = |at: Option<usize>| at.and_then(|at| narrow.get(at)).copied().unwrap_or(' ');
    let is_loose = |at: usize| {
        let (before, after) = (beside(at.checked_sub(1)), beside(Some(at + 1)));
        let touches = before.is_ascii_digit() || after.is_ascii_digit();
        touches && !(before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric())
    };
    narrow
        .iter()
        .enumerate()
        .filter(|(at, c)| !(c.is_whitespace() && **c != '\n' && is_loose(*at)))
        .map(|(_, c)| *c)
        .collect()
}

#[cfg(test)]
mod tests;
