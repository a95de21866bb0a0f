//! Numbers as officials write them, kept exact: `1.56万亿` is 1560000000000, never a float.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number without loss, in its shortest form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: i128,
    /// How many of the digits stand after the point.
    places: u32,
}

/// Most digits of a number; a city's money has sixteen.
const MOST_DIGITS: usize = 24;

impl Decimal {
    /// Reads `1200`, `1,200`, `4.16` or `-0.5` in ASCII digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let whole = without_groups(whole)?;
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        let pointless = text.contains('.') && part.is_empty();
        if whole.is_empty() || pointless || !is_number(&whole) || !is_number(part) {
            return None;
        }
        if whole.len() + part.len() > MOST_DIGITS {
            return None;
        }
        let digits: i128 = format!("{whole}{part}").parse().ok()?;
        let digits = if negative { -digits } else { digits };
        Some(Self::new(digits, u32::try_from(part.len()).ok()?))
    }

    /// The number `tens` places of ten greater.
    #[must_use]
    pub fn scaled(self, tens: u32) -> Option<Self> {
        if tens <= self.places {
            return Some(Self::new(self.digits, self.places - tens));
        }
        let factor = 10_i128.checked_pow(tens - self.places)?;
        Some(Self::new(self.digits.checked_mul(factor)?, 0))
    }

    /// How many percent of `whole` this is, to one place; none of nothing.
    #[must_use]
    pub fn percent_of(self, whole: Self) -> Option<Self> {
        let (part, whole) = self.aligned(whole)?;
        if whole <= 0 {
            return None;
        }
        let thousandths = part.checked_mul(1000)?;
        // What is short of the whole must not be rounded up to it.
        Some(Self::new(thousandths.div_euclid(whole), 1))
    }

    /// Whether it is below nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    fn new(mut digits: i128, mut places: u32) -> Self {
        while places > 0 && digits % 10 == 0 {
            digits /= 10;
            places -= 1;
        }
        Self { digits, places }
    }

    /// Both as whole numbers of the finer one's last place.
    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let places = self.places.max(other.places);
        let lift = |one: Self| {
            let factor = 10_i128.checked_pow(places - one.places)?;
            one.digits.checked_mul(factor)
        };
        Some((lift(self)?, lift(other)?))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (a, b) = self.aligned(*other)?;
        Some(a.cmp(&b))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        let places = usize::try_from(self.places).unwrap_or_default();
        let digits = format!("{digits:0>width$}", width = places + 1);
        match digits.split_at_checked(digits.len() - places) {
            Some((whole, part)) if !part.is_empty() => write!(f, "{sign}{whole}.{part}"),
            _ => write!(f, "{sign}{digits}"),
        }
    }
}

/// Takes the commas out where they part groups of three.
fn without_groups(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn nothing_is_lost() {
        assert_eq!(
            number("1.56").scaled(12).unwrap().to_string(),
            "1560000000000"
        );
        assert_eq!(number("0.1").scaled(8).unwrap().to_string(), "10000000");
        assert_eq!(number("1,200").to_string(), "1200");
        assert_eq!(number("-0.50").to_string(), "-0.5");
        assert_eq!(number("7.60"), number("7.6"));
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "1,20",
            "1e3",
            "+1",
            "１",
            &"9".repeat(25),
        ] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn shares_are_never_rounded_up_to_the_whole() {
        let share = |part, whole| number(part).percent_of(number(whole)).unwrap().to_string();
        assert_eq!(share("18000", "20000"), "90");
        assert_eq!(share("19999", "20000"), "99.9");
        assert_eq!(share("1", "3"), "33.3");
        assert_eq!(number("1").percent_of(number("0")), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(digits in -10_i64.pow(15)..10_i64.pow(15), tens in 0_u32..9) {
            let one = number(&digits.to_string()).scaled(tens).unwrap();
            prop_assert_eq!(Decimal::parse(&one.to_string()), Some(one));
        }
    }
}
