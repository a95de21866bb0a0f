//! `doctor`: asks everything that has to work, without sending anything, and says how it is. The
//! lines themselves are made in [`crate::domain::checkup`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};

use super::{App, nightly, opener};
use crate::channel::email::{self, EmailChannel};
use crate::channel::wecom_app::AppChannel;
use crate::channel::{mask, spool};
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Desk, StoppedChannel};
use crate::domain::calendar::Calendar;
use crate::domain::checkup::{Answer, Backup, Line, Page, Seen, Stored, Time, Tried, lines};
use crate::domain::ids::PlanId;
use crate::domain::people::ChannelKind;
use crate::plan::contacts;
use crate::reply::imap::{ImapBox, ImapError};
use crate::rules::RuleSet;
use crate::store::{self, Health, Room};
use crate::telemetry::chain;
use crate::web::format::long_moment;

/// Longest wait for one peer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where no daemon runs: the store is looked at before it is opened, since opening heals.
pub(crate) async fn alone(config: Config) -> anyhow::Result<Vec<Line>> {
    let folder = config.store.path.clone();
    if !store::exists(&folder) {
        return Ok(lines(
            &peers(&config, Inside::of_nothing(&config, Stored::Nothing)).await,
        ));
    }
    let opener = opener(&folder)?;
    let looked = tokio::task::spawn_blocking(move || store::verify(&opener)).await?;
    let broken = match looked {
        Err(error) => Some(chain(&error)),
        Ok(report) if !report.is_sound() => Some(report.to_string().trim_end().replace('\n', "；")),
        Ok(_) => None,
    };
    let opened = match broken {
        Some(why) => Err(why),
        None => App::open(config.clone(), Clock::System)
            .await
            .map_err(|error| chain(error.as_ref())),
    };
    let inside = match opened {
        Err(why) => Inside::of_nothing(&config, Stored::Broken(why)),
        Ok(app) => {
            let mut inside = Inside::of(&config, &app.desk, &app.rules.now());
            if let Stored::Open { verified, .. } = &mut inside.store {
                *verified = true;
            }
            app.close().await?;
            inside
        }
    };
    Ok(lines(&peers(&config, inside).await))
}

/// Beside the running daemon, by itself.
pub(super) async fn running(config: &Config, desk: &Desk, rules: &RuleSet) -> Vec<Line> {
    let inside = Inside {
        running: true,
        ..Inside::of(config, desk, rules)
    };
    lines(&peers(config, inside).await)
}

/// What is seen without asking anybody.
struct Inside {
    running: bool,
    store: Stored,
    time: Time,
    today: chrono::NaiveDate,
    /// With the notices that were brought on the board.
    calendar: Arc<Calendar>,
    people: Option<(usize, usize)>,
    restored: Option<String>,
    now: DateTime<Utc>,
    stopped: Vec<StoppedChannel>,
}

impl Inside {
    fn of(config: &Config, desk: &Desk, rules: &RuleSet) -> Self {
        let now = desk.clock.now();
        let book = desk.ledger.book();
        let (_, _, healed) = desk.vitals.counts();
        let room = store::room_in(&config.store.path, Room::default());
        let store = match (desk.ledger.health(), room) {
            (Health::Failed(why), _) => Stored::Broken(why),
            (Health::Closed, _) => Stored::Broken("已关闭".into()),
            (Health::Good, Err(error)) => Stored::Broken(chain(&error)),
            (Health::Good, Ok(free)) => Stored::Open {
                facts: book.position,
                free,
                healed,
                verified: false,
            },
        };
        let latest = book.plans.iter().max_by_key(|(_, plan)| plan.imported_at);
        let readiness = |id: &PlanId| contacts::readiness(&rules.world(&book), id);
        let readiness = latest.and_then(|(id, _)| readiness(id));
        Self {
            running: false,
            store,
            time: Time {
                shown: long_moment(&rules.calendar, now),
                simulated: desk.clock.is_simulated(),
                leapt: book.clock_doubt.is_some(),
            },
            today: rules.calendar.date_of(now),
            calendar: Arc::clone(&rules.calendar),
            people: readiness.map(|found| (found.people, found.unreachable.len())),
            restored: book.restored.map(|at| long_moment(&rules.calendar, at)),
            now,
            stopped: (desk.stopped)(),
        }
    }

    fn of_nothing(config: &Config, store: Stored) -> Self {
        let now = Clock::System.now();
        Self {
            running: false,
            store,
            time: Time {
                shown: long_moment(&config.time.calendar, now),
                simulated: false,
                leapt: false,
            },
            today: config.time.calendar.date_of(now),
            calendar: Arc::new(config.time.calendar.clone()),
            people: None,
            restored: None,
            now,
            stopped: Vec::new(),
        }
    }
}

/// Asks the peers, all at once.
async fn peers(config: &Config, inside: Inside) -> Seen {
    let (mail, app, page, mailbox) = tokio::join!(
        mail_server(config),
        application(config),
        page(config, inside.running),
        mailbox(config),
    );
    let mut out: Vec<(String, Tried)> = Vec::new();
    out.extend(mail.map(|tried| (ChannelKind::Email.chinese().to_owned(), tried)));
    out.extend(app.map(|tried| (ChannelKind::WecomApp.chinese().to_owned(), tried)));
    for robot in &config.wecom.robots {
        let kind = ChannelKind::WecomRobot;
        let is_it = |one: &&StoppedChannel| {
            one.kind == kind && one.name.as_ref().is_none_or(|name| *name == robot.name)
        };
        let tried = match inside.stopped.iter().find(is_it) {
            Some(stopped) => Tried::Failed(stopped.detail.clone()),
            None => Tried::SetUp,
        };
        out.push((format!("{}“{}”", kind.chinese(), robot.name), tried));
    }
    if out.is_empty() {
        let tried = match spool::can_write(&config.spool.path) {
            Ok(()) => Tried::SetUp,
            Err(error) => Tried::Failed(format!(
                "不能写入 {}：{}",
                config.spool.path.display(),
                error.kind()
            )),
        };
        out.push((ChannelKind::Spool.chinese().to_owned(), tried));
    }
    let year = inside.today.year();
    let knows = |year| inside.calendar.knows(year);
    let app = config.wecom.app.as_ref();
    Seen {
        running: inside.running,
        store: inside.store,
        backup: backup(config, inside.now),
        restored: inside.restored,
        out,
        page,
        mailbox,
        callback: app.is_some_and(|app| app.callback.is_some()),
        time: inside.time,
        today: inside.today,
        holidays: (knows(year), knows(year + 1)),
        people: inside.people,
    }
}

fn backup(config: &Config, now: DateTime<Utc>) -> Backup {
    let Some(settings) = &config.backup else {
        return Backup::Off;
    };
    match nightly::newest(&settings.folder, now) {
        None => Backup::None,
        Some((at, _)) => Backup::Last {
            shown: long_moment(&config.time.calendar, at),
            hours: (now - at).num_hours(),
        },
    }
}

async fn mail_server(config: &Config) -> Option<Tried> {
    let settings = email::Settings::from(config.email.as_ref()?);
    let asked = async {
        let channel = EmailChannel::new(settings).map_err(|error| chain(&error))?;
        channel.try_out().await
    };
    Some(within(asked).await)
}

async fn application(config: &Config) -> Option<Tried> {
    let settings = config.wecom.app.clone()?;
    let asked = async {
        let channel = AppChannel::new(settings).map_err(|error| chain(&error))?;
        channel.try_out().await
    };
    Some(within(asked).await)
}

async fn mailbox(config: &Config) -> Option<Tried> {
    let settings = config.imap.as_ref()?;
    let asked = async {
        let opened = ImapBox::open(settings).await.map(drop);
        opened.map_err(|error| match error {
            // What the server says of a wrong password may repeat it.
            ImapError::Login(_) => error.to_string(),
            error => mask::told(&chain(&error)),
        })
    };
    Some(within(asked).await)
}

async fn page(config: &Config, running: bool) -> Page {
    let server = &config.server;
    let url = server.link_base(server.listen);
    let mut page = Page {
        named: server.public_url.is_some(),
        local: is_local(&url),
        answer: None,
        url,
    };
    if running && !page.local {
        page.answer = Some(healthz(&page.url).await);
    }
    page
}

async fn healthz(base: &str) -> Answer {
    let asked = async {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let answer = client.get(format!("{base}/healthz")).send().await?;
        let status = answer.status().as_u16();
        Ok::<_, reqwest::Error>((status, answer.text().await?))
    };
    match asked.await {
        Ok((200, text)) if text.trim() == "ok" => Answer::Ours,
        Ok((status, _)) => Answer::Other(status),
        Err(error) if error.is_timeout() => Answer::None("长时间不应答".into()),
        Err(error) => Answer::None(chain(&error.without_url())),
    }
}

fn is_local(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| url.host_str());
    host.is_some_and(|host| {
        let bare = host.trim_matches(['[', ']']);
        let ip = bare.parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
    })
}

async fn within(asked: impl Future<Output = Result<(), String>>) -> Tried {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Tried::Works,
        Ok(Err(why)) => Tried::Failed(why),
        Err(_) => Tried::Failed(format!("{}秒内没有连上或没有应答", PATIENCE.as_secs())),
    }
}
