//! The ways out that the config names, and the outbox over them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::channel::Channel;
use crate::channel::email::{self, EmailChannel};
use crate::channel::spool::SpoolChannel;
use crate::channel::wecom_app::AppChannel;
use crate::channel::wecom_robot::{self, RobotChannel};
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::StoppedChannel;
use crate::domain::brief::Office;
use crate::domain::delivery::{Doubt, Doubts, RetryPlan};
use crate::domain::feed::Feed;
use crate::domain::link::{Link, LinkKey};
use crate::outbox::{Calendars, DEAD_AFTER, LaneStatus, Links, Outbox, Terms, Ways};
use crate::rules::Rules;
use crate::store::Ledger;

/// Every way out of the config.
///
/// # Errors
/// Where a channel's settings cannot be used.
pub(super) fn ways(
    config: &Config,
    (ledger, clock): (&Ledger, &Clock),
    rules: &Rules,
    key: &LinkKey,
    (base, app): (&str, Option<Arc<AppChannel>>),
) -> anyhow::Result<Ways> {
    let terms = Terms {
        retry: RetryPlan {
            doubts: Doubts {
                email: config
                    .email
                    .as_ref()
                    .map_or(Doubt::Retry, |email| email.in_doubt),
                robot: config.wecom.in_doubt,
                app: config.wecom.in_doubt,
            },
            ..RetryPlan::default()
        },
        office: Office {
            name: config.office.name.clone(),
            telephone: config.office.phone.clone(),
            board: Some(format!("{base}/")),
            reads_mail: config.imap.is_some(),
        },
    };
    let links = links(rules.clone(), ledger.clone(), key.clone(), base.to_owned());
    let calendars = calendars(clock.clone(), key.clone(), base.to_owned());
    Ok(Ways::new(terms, channels(config, app)?, links).with_calendars(calendars))
}

/// The channels that do not work, for pages and alarms.
pub(super) fn stopped(outbox: &Outbox, now: DateTime<Utc>) -> Vec<StoppedChannel> {
    let lanes = outbox.status();
    let is_down = |lane: &LaneStatus| {
        let closed = lane.rest.as_ref().is_some_and(|rest| rest.stopped);
        closed || lane.down.is_some_and(|since| now - since >= DEAD_AFTER)
    };
    let works = |kind| lanes.iter().any(|lane| lane.kind == kind && !is_down(lane));
    lanes
        .iter()
        .filter(|lane| is_down(lane))
        .filter_map(|lane| {
            let rest = lane.rest.clone()?;
            let name = lane.name.split_once(':').map(|(_, name)| name.to_owned());
            Some(StoppedChannel {
                kind: lane.kind,
                name,
                reason: rest.reason,
                detail: rest.detail,
                since: lane.down.unwrap_or(rest.until),
                closed: rest.stopped,
                none_left: !works(lane.kind),
            })
        })
        .collect()
}

/// The application, which also answers what people say to it; none where it is not used. `before`
/// is the one it comes after.
pub(super) fn application(
    config: &Config,
    before: Option<&AppChannel>,
) -> anyhow::Result<Option<Arc<AppChannel>>> {
    let Some(app) = &config.wecom.app else {
        return Ok(None);
    };
    let channel = AppChannel::new(app.clone())?;
    let channel = match before {
        Some(before) => channel.succeeding(before),
        None => channel,
    };
    Ok(Some(Arc::new(match app.callback {
        Some(_) => channel.with_taps(config.report.bare()),
        None => channel,
    })))
}

fn channels(
    config: &Config,
    app: Option<Arc<AppChannel>>,
) -> anyhow::Result<Vec<Arc<dyn Channel>>> {
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    if let Some(settings) = &config.email {
        let settings = email::Settings::from(settings);
        channels.push(Arc::new(EmailChannel::new(settings)?));
    }
    if let Some(app) = app {
        channels.push(app);
    }
    for robot in &config.wecom.robots {
        let settings = wecom_robot::Settings::from(robot);
        channels.push(Arc::new(RobotChannel::new(settings)?));
    }
    channels.push(Arc::new(SpoolChannel::new(config.spool.path.clone())));
    Ok(channels)
}

/// Makes the address of a person's calendar feed.
fn calendars(clock: Clock, key: LinkKey, base: String) -> Calendars {
    Arc::new(move |person| {
        let token = key.sign_feed(&Feed::Person(person.clone()), clock.now());
        format!("{base}/calendar/{token}.ics")
    })
}

/// Makes the address of a person's own page: good until long after the quarter's deadline.
fn links(rules: Rules, ledger: Ledger, key: LinkKey, base: String) -> Links {
    Arc::new(move |plan, quarter, person, now| {
        let rules = rules.now();
        let deadline = ledger.book().deadline(plan, quarter);
        let deadline =
            deadline.unwrap_or_else(|| rules.policy.deadline(&rules.calendar, quarter.last_day()));
        let link = Link::new(
            (plan.clone(), quarter, person.clone()),
            now,
            rules.calendar.date_of(now),
            rules.calendar.date_of(deadline),
        );
        format!("{base}/r/{}", key.sign(&link))
    })
}
