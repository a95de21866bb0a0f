//! One bar: reported, open, overdue, beside each other.

use std::fmt::Write as _;

use super::Num;
use crate::domain::board::bars::Bar;

/// Width of the longest bar; the drawing is stretched to the room there is.
const FULL: f64 = 100.0;

/// The bar of one line, `longest` being the most anybody has to report. It says nothing that the
/// numbers beside it do not say.
pub(in crate::board) fn bar(bar: &Bar, longest: u32) -> String {
    let tally = &bar.tally;
    let width = |count: u32| FULL * f64::from(count) / f64::from(longest.max(1));
    let parts = [
        (tally.overdue_unreported, "x"),
        (bar.open(), "o"),
        (tally.reported, "d"),
    ];
    let mut svg = String::from(
        "<svg class=parts viewBox=\"0 0 100 10\" preserveAspectRatio=none aria-hidden=true>",
    );
    let mut at = 0.0;
    for (count, class) in parts.into_iter().filter(|(count, _)| *count > 0) {
        let (x, w) = (Num(at), Num(width(count)));
        // Writing to a String cannot fail.
        let _ = write!(svg, "<path class={class} d=\"M{x} 0h{w}v10h-{w}z\"/>");
        at += width(count);
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::Tally;

    #[test]
    fn the_parts_stand_side_by_side_and_what_is_not_there_is_not_drawn() {
        let tally = Tally {
            obligations: 4,
            reported: 1,
            not_reported: 3,
            overdue_unreported: 3,
            ..Tally::default()
        };
        let name = "市科技局".to_owned();
        let drawn = bar(&Bar { name, tally }, 8);
        assert!(
            drawn.contains(
                "<path class=x d=\"M0 0h37.5v10h-37.5z\"/><path class=d d=\"M37.5 0h12.5v10h-12.5z\"/></svg>"
            ),
            "{drawn}"
        );
    }
}
