//! How many have reported, day by day, beside the quarter before.

use chrono::{DateTime, Utc};

use super::Question;
use crate::board::charts::curve::CurveChart;
use crate::domain::board::curve::{Curve, curve, quarter_before};
use crate::domain::board::{Item, items_in};
use crate::domain::due::World;

pub(super) struct CurveView {
    pub(super) svg: String,
    pub(super) words: String,
    /// What the dashed line is.
    pub(super) before: Option<String>,
}

/// The curve from the first stage's day on, and for some days after the last.
pub(super) fn curve_view(
    world: &World<'_>,
    asked: &Question,
    items: &[Item<'_>],
    now: DateTime<Utc>,
) -> Option<CurveView> {
    let (book, calendar) = (world.book, world.calendar);
    let (plan, quarter) = (&asked.plan, asked.quarter);
    let stages = &world.ladder(plan, quarter).stages;
    let offsets = || stages.iter().map(|rule| rule.working_days);
    let span = offsets().min().unwrap_or(-10).min(-1)..=offsets().max().unwrap_or(0).max(1);
    let deadline = book.deadline(plan, quarter)?;
    let own = curve(items, (quarter, deadline), calendar, span.clone(), now)?;
    let before = quarter_before(book, plan, quarter);
    let before = before.and_then(|(plan, quarter)| {
        let items: Vec<Item<'_>> = items_in(book, &plan, quarter, now, &asked.sight).collect();
        let deadline = book.deadline(&plan, quarter)?;
        curve(&items, (quarter, deadline), calendar, span.clone(), now)
    });
    // A quarter before this program came has nothing to compare with.
    let before = before.filter(|curve: &Curve| curve.steps.iter().any(|step| step.reported > 0));
    let deadline = calendar.date_of(deadline);
    let named = [*span.start(), 0, *span.end()].map(|at| (at, calendar.shift(deadline, at)));
    let chart = CurveChart {
        today: own.steps.len() < span.clone().count()
            && calendar.date_of(now) >= calendar.shift(deadline, *span.start()),
        now: &own,
        before: before.as_ref(),
        span,
        days: &named,
    };
    Some(CurveView {
        svg: chart.svg(),
        words: chart.words(),
        before: before.map(|curve| curve.quarter.chinese_short().to_owned()),
    })
}
