//! What only shows when sections are seen side by side.

use chrono::Timelike;

use super::gathered::Gathered;
use super::layers::Table;
use super::{Config, Origin};
use crate::domain::ladder::StageRule;

pub(super) fn check_together(config: &Config, root: &Table, gathered: &mut Gathered) {
    let place = |name: &str| {
        root.entries
            .get(name)
            .map_or(Origin::Default, |node| node.origin().clone())
    };
    let by_wecom = config.wecom.app.is_some() || !config.wecom.robots.is_empty();
    let sends_out = config.email.is_some() || by_wecom;
    if sends_out && config.server.public_url.is_none() {
        gathered.warn(
            &place("server"),
            "server.public_url",
            "还没有填写，消息里的填报链接在别的电脑和手机上打不开；请填写对外的网址",
        );
    }
    if sends_out && config.office.phone.is_none() {
        gathered.warn(
            &place("office"),
            "office.phone",
            "还没有填写，收到消息的人不知道有疑问打给谁；请填写科室电话",
        );
    }
    if config.imap.is_some() && config.email.is_none() {
        gathered.fault(
            &place("imap"),
            "imap.host",
            "填写了收信服务器，却没有填写 email.host（发信服务器）：没有发出提醒，就没有回复可收",
        );
    }
    let on_the_half_hour = |rule: &&StageRule| rule.time.minute().is_multiple_of(30);
    let stages = &config.policy.ladder.stages;
    let busy = stages.iter().find(on_the_half_hour);
    if let (Some(rule), true) = (busy, by_wecom) {
        gathered.warn(
            &place("remind"),
            &format!("remind.{}.time", rule.stage.as_str()),
            "整点和半点企业微信最繁忙，请错开几分钟，如 09:10",
        );
    }
    let due = stages.iter().find(|rule| rule.working_days == 0);
    if let Some(due) = due
        && due.time >= config.policy.deadline_time
    {
        gathered.fault(
            &place("remind"),
            &format!("remind.{}.time", due.stage.as_str()),
            "应早于 remind.deadline_time：当天的提醒要在截止之前发出",
        );
    }
}
