//! A whole simulated year on the real table, by mail and by a group robot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use serde_json::{Value, json};

use crate::peers::wecom::{Answer, WecomPeer};
use crate::world::{Daemon, Mail, Smtp, World};

const ROBOT: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// Moments between which the year is looked at: before each stage, after it, and in between.
const QUARTERS: [[&str; 4]; 4] = [
    [
        "2022-03-20T12:00:00+08:00",
        "2022-03-31T12:00:00+08:00",
        "2022-04-06T12:00:00+08:00",
        "2022-04-30T12:00:00+08:00",
    ],
    [
        "2022-06-20T12:00:00+08:00",
        "2022-06-30T12:00:00+08:00",
        "2022-07-04T12:00:00+08:00",
        "2022-07-31T12:00:00+08:00",
    ],
    [
        "2022-09-20T12:00:00+08:00",
        "2022-09-30T12:00:00+08:00",
        "2022-10-09T12:00:00+08:00",
        "2022-10-31T12:00:00+08:00",
    ],
    [
        "2022-12-20T12:00:00+08:00",
        "2022-12-30T12:00:00+08:00",
        "2023-01-05T12:00:00+08:00",
        "2023-01-31T00:00:00+08:00",
    ],
];

/// What `simulate` said would leave: stage, quarter, name, unit, tasks.
type Said = BTreeSet<(String, String, String, String, Vec<u64>)>;

#[tokio::test(flavor = "multi_thread")]
async fn everyone_hears_each_stage_once_until_they_report_and_just_what_simulate_said() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    // Its own minute is the machine's, not the simulated one.
    let robot = WecomPeer::start(Arc::new(|_, _| Answer::Usual), false).await;
    let world = World::new(&format!(
        "{}[wecom]\nbase_url = \"{}\"\n[[wecom.robot]]\nname = \"全市\"\nkey = \"{ROBOT}\"\n",
        smtp.section(),
        robot.base_url(),
    ));
    // Every tenth person is in a WeCom group, the others have mail.
    world.import(|index, _| {
        if index % 10 == 9 {
            "wecom_robot"
        } else {
            "email"
        }
    });
    let daemon = world.serve("2022-01-01T00:00:00+08:00", 0.0).await;
    let names = world.names_by_address();
    let mut year = Year::default();
    for steps in QUARTERS {
        for (index, to) in steps.into_iter().enumerate() {
            let ahead = world.run(&["simulate", "--json", "--to", to]);
            let said: Vec<Value> = ahead
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            daemon.advance(to).await;
            let mails = smtp.mails();
            let (fresh, shouts) = (mails[year.mails..].to_vec(), robot.posted());
            let heard = shouts[year.shouts..]
                .iter()
                .map(|one| one.mentions().len())
                .sum();
            year.mails = mails.len();
            year.shouts = shouts.len();
            year.compare(&said, &fresh, heard, &names);
            if index < 3 {
                year.report(&daemon, &fresh, index).await;
            }
        }
    }
    assert_eq!(
        year.owners_first_told.len(),
        155,
        "everyone has something to report this year"
    );
    let journal = world.run(&["journal", "dump"]);
    check_hours(&journal);
    check_accounts(&journal);
    daemon.stop().await;
}

#[derive(Default)]
struct Year {
    mails: usize,
    shouts: usize,
    seen: BTreeSet<(String, String, String)>,
    owners_first_told: BTreeSet<(String, String)>,
    reported: BTreeSet<(String, String)>,
}

impl Year {
    /// What arrived is what was said, message by message, and nobody heard a stage twice or after
    /// having reported everything.
    fn compare(
        &mut self,
        said: &[Value],
        mails: &[Mail],
        heard: usize,
        names: &BTreeMap<String, (String, String)>,
    ) {
        let mut by_mail = Said::new();
        let mut by_robot = 0;
        for line in said {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let tasks: Vec<u64> = line["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| t.as_u64().unwrap())
                .collect();
            let (name, unit) = (text(&line["person"]["name"]), text(&line["person"]["unit"]));
            let (stage, quarter) = (text(&line["stage"]), text(&line["quarter"]));
            if !tasks.is_empty() {
                let once = (stage.clone(), quarter.clone(), text(&line["person"]["id"]));
                assert!(self.seen.insert(once), "twice: {line}");
                self.owners_first_told.insert((name.clone(), unit.clone()));
                assert!(
                    !self.reported.contains(&(quarter.clone(), name.clone())),
                    "after reporting: {line}"
                );
            }
            match line["channel"].as_str().unwrap() {
                "email" => {
                    by_mail.insert((stage, quarter, name, unit, tasks));
                }
                _ => by_robot += 1,
            }
        }
        let expected: BTreeMap<(String, String), usize> =
            by_mail
                .iter()
                .fold(BTreeMap::new(), |mut all, (_, _, name, unit, _)| {
                    *all.entry((name.clone(), unit.clone())).or_default() += 1;
                    all
                });
        let mut arrived: BTreeMap<(String, String), usize> = BTreeMap::new();
        for mail in mails {
            *arrived.entry(names[&mail.to].clone()).or_default() += 1;
        }
        assert_eq!(arrived, expected);
        assert_eq!(heard, by_robot);
        let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
        assert_eq!(ids.len(), mails.len(), "one Message-ID a message");
    }

    /// A third of those written to answer for everything they have, by the link in the mail.
    async fn report(&mut self, daemon: &Daemon, mails: &[Mail], turn: usize) {
        for mail in mails.iter().skip(turn).step_by(3) {
            if !mail.text.contains("/r/") {
                continue;
            }
            let link = mail.link();
            let token = link.rsplit('/').next().unwrap();
            let path = format!("/api/v1/reply/{token}");
            let page: Value = daemon
                .http
                .get(format!("{}{path}", daemon.base))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let reports: Vec<Value> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|item| item["state"] != "accepted")
                .map(|item| json!({"task": item["task"], "status": "on_schedule", "progress": "按计划推进", "problems": "", "next_steps": "", "percent": 60}))
                .collect();
            let (status, receipt) = daemon.post(&path, &json!({ "reports": reports })).await;
            assert_eq!(status, 200, "{receipt}");
            self.reported.insert((
                page["quarter"].as_str().unwrap().to_owned(),
                page["person"]["name"].as_str().unwrap().to_owned(),
            ));
        }
    }
}

fn facts<'a>(journal: &'a str, kind: &'a str) -> impl Iterator<Item = Value> + 'a {
    journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(move |line| line["fact"]["kind"] == kind)
}

/// Nothing left on a day off or out of hours: days by the notices of 2022 and 2023.
fn check_hours(journal: &str) {
    let holidays: Value =
        serde_json::from_str(include_str!("../../config/holidays-cn.json")).unwrap();
    let mut count = 0;
    for fact in facts(journal, "send.intended") {
        let at: DateTime<FixedOffset> = fact["at"].as_str().unwrap().parse().unwrap();
        let local = at.with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
        let day = local.date_naive().to_string();
        let year = &holidays[local.year().to_string()];
        let is_in = |list: &Value| list.to_string().contains(&day);
        let weekend = local.weekday().number_from_monday() > 5;
        let (off, worked) = (is_in(&year["holidays"]), is_in(&year["workdays"]));
        assert!(worked || (!weekend && !off), "sent on {day}");
        let minutes = local.hour() * 60 + local.minute();
        assert!((8 * 60 + 30..18 * 60).contains(&minutes), "sent at {local}");
        count += 1;
    }
    assert!(count > 2000, "only {count} messages");
}

/// Everyone expected was told, or it is on record why not.
fn check_accounts(journal: &str) {
    let mut stages = 0;
    for fact in facts(journal, "stage.run") {
        stages += 1;
        assert!(
            fact["fact"]["outcome"].to_string().contains("ran"),
            "{fact}"
        );
    }
    assert_eq!(stages, 20);
    let count = |kind: &str| facts(journal, kind).count();
    assert_eq!(
        count("message.queued"),
        count("send.concluded") + count("message.withdrawn")
    );
    assert_eq!(count("message.skipped"), 0);
}
