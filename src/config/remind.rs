//! `[remind]`: when and how often people are reminded.

use chrono::{NaiveTime, TimeDelta};

use super::reader::Reader;
use crate::domain::message::Stage;
use crate::domain::policy::{Policy, StageRule};

/// Reads `[remind]` into the domain's policy.
pub(super) fn read(r: &mut Reader<'_>) -> Option<Policy> {
    let deadline_time = r.time("deadline_time");
    let digest_time = r.time("digest_time");
    let quiet_until = r.time("quiet_until");
    let quiet_from = r.time("quiet_from");
    let too_late_days = r.number("too_late_days", 0..=250);
    let budget = r.number("budget", 1..=100);
    let budget_days = r.number("budget_days", 1..=366);
    let catch_up_minutes = r.number("catch_up_minutes", 0..=1440);
    let open = Open {
        from: quiet_until?,
        to: quiet_from?,
    };
    if open.from >= open.to {
        r.fault("quiet_from", "应晚于 quiet_until：两者之间是可以发送的时间");
        return None;
    }
    open.check(r, "digest_time", digest_time);
    let rules = Stage::ALL.map(|stage| r.section(stage.as_str(), |r| rule(r, stage, &open)));
    // A fault in one stage is told; the order is worth a look only when all were read.
    let rules: Vec<StageRule> = rules
        .into_iter()
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    check_order(r, &rules);
    Some(Policy {
        deadline_time: deadline_time?,
        stages: rules,
        digest_time: digest_time?,
        quiet_until: open.from,
        quiet_from: open.to,
        too_late_days: u32::try_from(too_late_days?).ok()?,
        budget: usize::try_from(budget?).ok()?,
        budget_window: TimeDelta::days(budget_days?),
        catch_up_after: TimeDelta::minutes(catch_up_minutes?),
    })
}

/// The hours in which messages leave.
struct Open {
    from: NaiveTime,
    to: NaiveTime,
}

impl Open {
    fn check(&self, r: &mut Reader<'_>, key: &'static str, time: Option<NaiveTime>) {
        if time.is_some_and(|time| time < self.from || time >= self.to) {
            let (from, to) = (self.from.format("%H:%M"), self.to.format("%H:%M"));
            r.fault(
                key,
                format!("在免打扰时间内，到点发不出去；请改到 {from} 至 {to} 之间，或改 remind.quiet_until、remind.quiet_from"),
            );
        }
    }
}

/// Outer none: a fault. Inner none: the stage is switched off.
#[expect(
    clippy::option_option,
    reason = "a fault is not the same as a stage switched off"
)]
fn rule(r: &mut Reader<'_>, stage: Stage, open: &Open) -> Option<Option<StageRule>> {
    let enabled = r.flag("enabled");
    let working_days = r.number("working_days", -60..=60);
    let time = r.time("time");
    open.check(r, "time", time);
    let rule = StageRule {
        stage,
        working_days: i32::try_from(working_days?).ok()?,
        time: time?,
    };
    Some(enabled?.then_some(rule))
}

fn check_order(r: &mut Reader<'_>, rules: &[StageRule]) {
    if rules.is_empty() {
        r.warn("notice", "五个阶段都已关闭，不会发送任何提醒");
    }
    let place = |rule: &StageRule| (rule.working_days, rule.time);
    for (before, after) in rules.iter().zip(rules.iter().skip(1)) {
        if place(before) >= place(after) {
            let (before, after) = (before.stage, after.stage);
            r.fault(
                after.as_str(),
                format!(
                    "“{}”应晚于“{}”：请检查 [remind.{before_name}] 和 [remind.{after_name}] 的 working_days 与 time",
                    after.chinese(),
                    before.chinese(),
                    before_name = before.as_str(),
                    after_name = after.as_str(),
                ),
            );
        }
    }
}
