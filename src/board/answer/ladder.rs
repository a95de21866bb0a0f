//! The stages of a quarter, as they were or will be.

use crate::domain::due::World;
use crate::domain::ids::{PlanId, Quarter};
use crate::web::format::moment;

/// One stage, as it was or will be.
pub(super) struct LadderLine {
    pub(super) stage: &'static str,
    pub(super) at: String,
    pub(super) copied: String,
    pub(super) channels: String,
}

pub(super) fn ladder(world: &World<'_>, plan: &PlanId, quarter: Quarter) -> Vec<LadderLine> {
    let rules = world.ladder(plan, quarter).stages.iter();
    rules
        .filter_map(|rule| {
            let at = world.stage_time(plan, quarter, rule.stage)?;
            let channels: Vec<_> = rule.channels.iter().map(|kind| kind.chinese()).collect();
            Some(LadderLine {
                stage: rule.stage.chinese(),
                at: moment(world.calendar, at),
                copied: rule.copied.chinese().join("、"),
                channels: channels.join("、"),
            })
        })
        .collect()
}
