//! `[remind]`: when and how often people are reminded.

use chrono::{NaiveTime, TimeDelta};

use super::reader::{Reader, Told};
use crate::domain::ladder::{Copied, Ladder, StageRule};
use crate::domain::message::Stage;
use crate::domain::people::ChannelKind;
use crate::domain::policy::Policy;

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
    let copy_absent = r.flag("copy_absent");
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
        ladder: Ladder { stages: rules },
        digest_time: digest_time?,
        quiet_until: quiet_until?,
        quiet_from: open?.to,
        too_late_days: u32::try_from(too_late_days?).ok()?,
        budget: usize::try_from(budget?).ok()?,
        budget_window: TimeDelta::days(budget_days?),
        catch_up_after: TimeDelta::minutes(catch_up_minutes?),
        copy_absent: copy_absent?,
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
    let copied = copied(r);
    let channels = channels(r);
    let template = r.parsed("template", TEMPLATE_FORM, |text| {
        is_template_name(text).then(|| text.to_owned())
    });
    let rule = StageRule {
        stage,
        working_days: working_days
            .and_then(|days| i32::try_from(days).ok())
            .ok_or(Told)?,
        time: time.ok_or(Told)?,
        copied: copied?,
        channels: channels?,
        template,
    };
    Ok(enabled.ok_or(Told)?.then_some(rule))
}

const TEMPLATE_FORM: &str = "模板文件夹的名称：小写英文字母、数字和 -，如 \"overdue\"";

/// Names a folder of templates; cannot lead out of it.
fn is_template_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 40 && text.chars().all(plain)
}

fn copied(r: &mut Reader<'_>) -> Result<Copied, Told> {
    let names = r.texts("copy").ok_or(Told)?;
    Copied::from_names(names.iter().map(String::as_str)).map_err(|name| {
        let known = Copied::NAMES.map(|(name, chinese)| format!("{name}（{chinese}）"));
        let known = known.join("、");
        r.fault(
            "copy",
            format!("没有“{name}”这种抄送对象；可用的有 {known}"),
        );
        Told
    })
}

fn channels(r: &mut Reader<'_>) -> Result<Vec<ChannelKind>, Told> {
    let mut channels = Vec::new();
    for name in r.texts("channels").ok_or(Told)? {
        match ChannelKind::from_name(&name) {
            Some(kind) if !channels.contains(&kind) => channels.push(kind),
            Some(_) => {}
            None => {
                let known = ChannelKind::ALL.map(ChannelKind::as_str).join("、");
                r.fault(
                    "channels",
                    format!("没有“{name}”这种渠道；可用的有 {known}"),
                );
                return Err(Told);
            }
        }
    }
    Ok(channels)
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
