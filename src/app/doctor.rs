//! `doctor`: asks everything that has to work, without sending anything, and says how it is. The
//! lines themselves are made in [`crate::domain::checkup`].

mod machine;
mod peers;

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Utc};

use super::answers::VerifyAnswer;
use super::{App, nightly, opener};
use crate::board;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Desk, StoppedChannel};
use crate::domain::calendar::Calendar;
use crate::domain::causes;
use crate::domain::checkup::{Backup, Kept, Line, People, Seen, Stored, Time, lines};
use crate::domain::ids::PlanId;
use crate::plan::contacts;
use crate::rules::RuleSet;
use crate::store::{self, Health};
use crate::web::format::long_moment;

pub(crate) use machine::is_for_all;

/// Where no daemon runs: the store is looked at before it is opened, since opening heals.
pub(crate) async fn alone(config: Config) -> anyhow::Result<Vec<Line>> {
    let folder = config.store.path.clone();
    if !store::exists(&folder) {
        let inside = Inside::of_nothing(&config, Stored::Nothing);
        return Ok(lines(&ask(&config, inside).await));
    }
    let opener = opener(&folder)?;
    let looked = tokio::task::spawn_blocking(move || store::verify(&opener)).await?;
    let looked = looked.map(|report| VerifyAnswer::of(&report));
    let inside = match read_through(&config, looked.map_err(|error| causes::told(&error))) {
        Stored::Open { .. } => match App::open(config.clone(), Clock::System).await {
            Err(error) => Inside::of_nothing(&config, Stored::Broken(causes::told(error.as_ref()))),
            Ok(app) => {
                let mut inside = Inside::of(&config, app.desk(), &app.core.rules.now());
                if let Stored::Open { verified, .. } = &mut inside.store {
                    *verified = true;
                }
                app.close().await?;
                inside
            }
        },
        ill => Inside::of_nothing(&config, ill),
    };
    Ok(lines(&ask(&config, inside).await))
}

/// Where no daemon runs, and the store is another user's, as whom somebody has verified it: it is
/// not opened here.
pub(crate) async fn beside(config: Config, verified: Result<VerifyAnswer, String>) -> Vec<Line> {
    let store = match store::exists(&config.store.path) {
        false => Stored::Nothing,
        true => read_through(&config, verified),
    };
    let inside = Inside {
        ours: false,
        ..Inside::of_nothing(&config, store)
    };
    lines(&ask(&config, inside).await)
}

fn read_through(config: &Config, verified: Result<VerifyAnswer, String>) -> Stored {
    match verified {
        Err(why) => Stored::Broken(why),
        Ok(answer) if !answer.sound => Stored::Damaged {
            what: answer.text.trim_end().replace('\n', "；"),
            next: answer.next,
        },
        Ok(answer) => Stored::Open {
            facts: answer.facts,
            healed: 0,
            aside: machine::put_aside(config),
            verified: true,
        },
    }
}

/// Beside the running daemon, by itself.
pub(super) async fn running(config: &Config, desk: &Desk, rules: &RuleSet) -> Vec<Line> {
    let inside = Inside {
        running: true,
        ..Inside::of(config, desk, rules)
    };
    lines(&ask(config, inside).await)
}

/// What is seen without asking anybody.
struct Inside {
    running: bool,
    /// Whether the store's folder is for this process to write in.
    ours: bool,
    store: Stored,
    time: Time,
    today: chrono::NaiveDate,
    /// With the notices that were brought on the board.
    calendar: Arc<Calendar>,
    people: People,
    restored: Option<String>,
    now: DateTime<Utc>,
    stopped: Vec<StoppedChannel>,
}

impl Inside {
    fn of(config: &Config, desk: &Desk, rules: &RuleSet) -> Self {
        let now = desk.clock.now();
        let book = desk.ledger.book();
        let (_, _, healed) = desk.vitals.counts();
        // Too little room has a line of its own.
        let full = machine::disk(config).is_some_and(|disk| disk.full);
        let store = match desk.ledger.health() {
            Health::Failed(why) if !full => Stored::Broken(why),
            Health::Closed => Stored::Broken("已关闭".into()),
            Health::Failed(_) | Health::Good => Stored::Open {
                facts: book.position,
                healed,
                aside: machine::put_aside(config),
                verified: false,
            },
        };
        let latest = book.plans.iter().max_by_key(|(_, plan)| plan.imported_at);
        let readiness = |id: &PlanId| contacts::readiness(&rules.world(&book), id);
        let readiness = latest.and_then(|(id, _)| readiness(id));
        Self {
            running: false,
            ours: true,
            store,
            time: Time {
                shown: long_moment(&rules.calendar, now),
                simulated: desk.clock.is_simulated(),
                leapt: book.clock_doubt.is_some(),
            },
            today: rules.calendar.date_of(now),
            calendar: Arc::clone(&rules.calendar),
            people: readiness.map_or(People::NoPlan, |found| People::Known {
                all: found.people,
                without: found.unreachable.len(),
            }),
            restored: book.restored.map(|at| long_moment(&rules.calendar, at)),
            now,
            stopped: (desk.stopped)(),
        }
    }

    fn of_nothing(config: &Config, store: Stored) -> Self {
        let now = Clock::System.now();
        Self {
            running: false,
            ours: true,
            time: Time {
                shown: long_moment(&config.time.calendar, now),
                simulated: false,
                leapt: false,
            },
            today: config.time.calendar.date_of(now),
            calendar: Arc::new(config.time.calendar.clone()),
            people: match store {
                Stored::Nothing => People::NoPlan,
                _ => People::Unseen,
            },
            store,
            restored: None,
            now,
            stopped: Vec::new(),
        }
    }
}

/// Asks the peers, all at once, and looks at the machine meanwhile.
async fn ask(config: &Config, inside: Inside) -> Seen {
    let here = config.clone();
    let simulated = inside.time.simulated;
    let looked = tokio::task::spawn_blocking(move || {
        let (disk, rights) = (machine::disk(&here), machine::rights(&here));
        let kept = match simulated {
            true => Kept::Unknown,
            false => machine::clock(),
        };
        (disk, rights, kept, board::chinese_font())
    });
    let (out, page, mailbox, looked) = tokio::join!(
        peers::out(config, &inside.stopped, inside.ours),
        peers::page(config, inside.running),
        peers::mailbox(config),
        looked,
    );
    let (disk, rights, kept, font) = looked.unwrap_or_default();
    let year = inside.today.year();
    let knows = |year| inside.calendar.knows(year);
    let app = config.wecom.app.as_ref();
    Seen {
        running: inside.running,
        store: inside.store,
        disk,
        rights,
        backup: backup(config, inside.now),
        restored: inside.restored,
        out,
        page,
        mailbox,
        callback: app.is_some_and(|app| app.callback.is_some()),
        time: inside.time,
        kept,
        today: inside.today,
        holidays: (knows(year), knows(year + 1)),
        people: inside.people,
        font,
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
