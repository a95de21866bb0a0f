//! `[remind]`: when and how often people are reminded.

use chrono::{NaiveTime, TimeDelta};

use super::reader::{Reader, Told};
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
    let open = quiet_until.zip(quiet_from).and_then(|(from, to)| {
        let open = Open { from, to };
        if from >= to {
            r.fault("quiet_from", "应晚于 quiet_until：两者之间是可以发送的时间");
        }
        (from < to).then_some(open)
    });
    check_hour(r, "digest_time", digest_time, open.as_ref());
    let rules =
        Stage::ALL.map(|stage| r.section(stage.as_str(), |r| rule(r, stage, open.as_ref())));
    // The order is worth a look only when all were read.
    let rules: Result<Vec<Option<StageRule>>, Told> = rules.into_iter().collect();
    let rules: Vec<StageRule> = rules.ok()?.into_iter().flatten().collect();
    check_order(r, &rules);
    Some(Policy {
        deadline_time: deadline_time?,
        stages: rules,
        digest_time: digest_time?,
        quiet_until: quiet_until?,
        quiet_from: open?.to,
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

/// A stage set to an hour in which nothing leaves would always run late.
fn check_hour(r: &mut Reader<'_>, key: &'static str, time: Option<NaiveTime>, open: Option<&Open>) {
    if let (Some(time), Some(open)) = (time, open)
        && (time < open.from || time >= open.to)
    {
        let (from, to) = (open.from.format("%H:%M"), open.to.format("%H:%M"));
        r.fault(
            key,
            format!("在免打扰时间内，到点发不出去；请改到 {from} 至 {to} 之间，或改 remind.quiet_until、remind.quiet_from"),
        );
    }
}

/// None where the stage is switched off.
fn rule(r: &mut Reader<'_>, stage: Stage, open: Option<&Open>) -> Result<Option<StageRule>, Told> {
    let enabled = r.flag("enabled");
    let working_days = r.number("working_days", -60..=60);
    let time = r.time("time");
    check_hour(r, "time", time, open);
    let rule = StageRule {
        stage,
        working_days: working_days
            .and_then(|days| i32::try_from(days).ok())
            .ok_or(Told)?,
        time: time.ok_or(Told)?,
    };
    Ok(enabled.ok_or(Told)?.then_some(rule))
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
