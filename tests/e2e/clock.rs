//! The machine's clock misbehaves under a running daemon: nothing is said twice, nothing is lost,
//! and people hear of it. `CUIBAN_TEST_CLOCK` names a file with the seconds the clock is off and the
//! seconds the machine has been suspended.

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};

use crate::peers::smtp::SmtpPeer;
use crate::world::{CHANNELS, Daemon, EMAIL, SOON, World, eventually};

struct Machine {
    world: World,
    smtp: SmtpPeer,
    /// Seconds it has been suspended.
    asleep: Cell<i64>,
    off: Cell<i64>,
}

impl Machine {
    async fn new(more: &str) -> Self {
        let smtp = SmtpPeer::good().await;
        let config = Self::config(&smtp, more);
        Self {
            world: World::new(&config),
            smtp,
            asleep: Cell::new(0),
            off: Cell::new(0),
        }
    }

    fn config(smtp: &SmtpPeer, more: &str) -> String {
        format!(
            "{more}[email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"督查科 <duban@example.invalid>\"\n",
            smtp.addr.port()
        )
    }

    /// With other lines in its config, from the next start on.
    fn reconfigure(&mut self, more: &str) {
        let config = Self::config(&self.smtp, more);
        self.world.reconfigure(&config);
    }

    /// Sets the machine's clock.
    fn set(&self, to: &str) {
        let to: DateTime<FixedOffset> = format!("{to}+08:00").parse().unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "how far the machine's clock is off is told against the real one"
        )]
        let off = to.to_utc() - Utc::now();
        self.off.set(off.num_seconds() - self.asleep.get());
        self.write();
    }

    /// Is suspended for so long; its clock goes on.
    fn sleep(&self, hours: i64) {
        self.asleep.set(self.asleep.get() + hours * 3600);
        self.write();
    }

    /// In one step: the daemon must never read half of it.
    fn write(&self) {
        let text = format!("{} {}", self.off.get(), self.asleep.get());
        let (new, file) = (self.world.path("offset.new"), self.world.path("offset"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    async fn serve(&self) -> Daemon {
        let offset = self.world.path("offset");
        let daemon = self.world.spawn_by_machine_clock(&offset);
        daemon.ready().await;
        daemon
    }

    fn import(&self) {
        let mut rows = 0;
        self.world.import_filled(|_, row| {
            if row.contains(&"直接责任人".to_owned()) && rows < 5 {
                rows += 1;
                row[EMAIL] = format!("u{rows}@example.invalid");
                row[CHANNELS] = "email".into();
            }
        });
    }

    async fn logged(&self, words: &str) {
        let found = eventually(SOON, || async {
            self.world.log().contains(words).then_some(())
        });
        assert!(found.await.is_some(), "{words}:\n{}", self.world.log());
    }

    async fn mails(&self, count: usize) {
        let enough = eventually(SOON, || async {
            (self.smtp.mails().len() >= count).then_some(())
        });
        let enough = enough.await.is_some();
        let log = self.world.log();
        assert!(enough, "{}:\n{log}", self.smtp.mails().len());
    }

    /// How many mails each address has had.
    fn copies(&self) -> Vec<usize> {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for mail in self.smtp.mails() {
            *copies.entry(mail.to[0].clone()).or_default() += 1;
        }
        copies.into_values().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_leaps_or_steps_back_repeats_nothing_and_loses_nothing() {
    let machine = Machine::new("").await;
    machine.set("2022-03-17T09:08:30");
    let daemon = machine.serve().await;
    machine.import();
    assert!(machine.smtp.mails().is_empty());

    // NTP puts it right by a minute and a half: what is due leaves.
    machine.set("2022-03-17T09:10:00");
    machine.mails(5).await;
    machine.logged("the system clock has been set").await;

    // Set back by a day, and through the same minute once more.
    machine.set("2022-03-16T09:09:55");
    eventually(SOON, || async {
        let board = daemon.page("/").await;
        board.contains("可能被拨慢了").then_some(())
    })
    .await
    .expect("the board says so");
    machine.logged("clock/behind").await;
    machine.set("2022-03-17T09:09:58");
    machine.logged("an alarm is over").await;
    assert_eq!(machine.copies(), [1; 5], "nobody was told twice");

    // A year ahead: every stage would be past and skipped. Nothing is decided.
    machine.set("2023-03-17T09:10:00");
    machine
        .logged("nothing is decided or sent before a person agrees")
        .await;
    let board = daemon.page("/").await;
    assert!(board.contains("时间无误，恢复发送"), "{board}");
    assert!(board.contains("系统时钟由"), "{board}");
    machine.set("2022-03-17T09:12:00");
    machine.logged("the system clock is right again").await;
    let journal = machine.world.run(&["journal", "dump"]);
    assert!(!journal.contains("too_late"), "no stage was lost to it");

    // Eleven days ahead, and this time it is so: a person agrees.
    machine.set("2022-03-28T09:10:30");
    let held = eventually(SOON, || async {
        let board = daemon.page("/").await;
        board.contains("时间无误，恢复发送").then_some(())
    });
    held.await.expect("held");
    assert_eq!(machine.copies(), [1; 5]);
    let form = [("csrf", String::new())];
    let answer = daemon.submit("/clock/confirm", &form).await;
    assert!(answer.status().is_redirection());
    machine.mails(10).await;
    assert_eq!(machine.copies(), [2; 5], "the reminder, once each");
    let said = machine.world.run(&["clock", "confirm"]);
    assert!(said.contains("没有暂停"), "{said}");
    daemon.stop().await;

    // Off for a week, as long as it may be; and then for years, by a clock without a battery.
    machine.set("2022-03-31T09:10:30");
    let daemon = machine.serve().await;
    machine.mails(15).await;
    assert_eq!(machine.copies(), [3; 5]);
    daemon.stop().await;
    machine.set("2036-01-01T00:00:00");
    let daemon = machine.serve().await;
    assert!(daemon.page("/").await.contains("时间无误，恢复发送"));
    daemon.stop().await;
    machine.set("2022-03-31T12:00:00");
    let daemon = machine.serve().await;
    machine.logged("right again").await;
    assert!(!daemon.page("/").await.contains("时间无误，恢复发送"));
    assert_eq!(machine.copies(), [3; 5]);
    // What was so at a moment is found although the journal's times are out of order.
    let asked = "/api/v1/board?quarter=2022Q1&as_of=2022-03-31T11:00:00%2B08:00";
    let then = daemon.get(asked).await;
    let reminded = then["rows"].as_array().unwrap().iter();
    let reminded = reminded.filter(|row| row["stage"] == "due").count();
    assert!(reminded > 0, "{then}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holidays_that_come_late_move_what_is_still_to_come() {
    let machine = Machine::new("").await;
    machine.set("2022-03-17T09:08:30");
    let daemon = machine.serve().await;
    machine.import();
    machine.set("2022-03-17T09:10:00");
    machine.mails(5).await;
    daemon.stop().await;

    // A table that makes the 31st a day off: the deadline is the 30th, and so is its stage.
    let known = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/config/holidays-cn.json"
    ))
    .unwrap();
    let changed = holiday_on(&known, "2022-03-31");
    std::fs::write(machine.world.path("late.json"), changed).unwrap();
    let config = std::fs::read_to_string(machine.world.config()).unwrap();
    let config = format!("{config}[time]\nholidays = [\"late.json\"]\n");
    std::fs::write(machine.world.config(), config).unwrap();
    machine.set("2022-03-30T09:10:30");
    let daemon = machine.serve().await;
    machine.logged("deadlines are others than before").await;
    machine.mails(10).await;
    let board = daemon.page("/?quarter=2022Q1").await;
    assert!(board.contains("3月30日"), "{board}");
    machine.set("2022-03-30T12:10:30");
    machine.logged("the system clock has been set").await;
    assert_eq!(machine.copies(), [2; 5], "notice and due, once each");
    daemon.stop().await;
}

/// What an upgrade or a change of the config appends first must not hide how long the silence was.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_far_ahead_at_a_start_is_doubted_though_the_config_has_changed() {
    let mut machine = Machine::new("").await;
    machine.set("2022-03-17T08:40:00");
    let daemon = machine.serve().await;
    machine.import();
    daemon.stop().await;
    let more = "[[office.coordinator]]\nname = \"督查一\"\nemail = \"duban@example.invalid\"\n";
    machine.reconfigure(more);
    machine.set("2023-06-01T09:20:00");
    let daemon = machine.serve().await;
    machine.logged("the system clock has leapt ahead").await;
    daemon.stop().await;
    machine.set("2022-03-17T09:11:00");
    let daemon = machine.serve().await;
    // The coordinator may have been told of the clock besides.
    let owners = eventually(SOON, || async {
        let mails = machine.smtp.mails().into_iter();
        let to: Vec<String> = mails.map(|mail| mail.to[0].clone()).collect();
        let owners = to.iter().filter(|to| to.starts_with('u')).count();
        (owners >= 5).then_some(owners)
    });
    assert_eq!(owners.await, Some(5), "nothing was taken for too late");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_machine_catches_up_once_and_says_so() {
    let machine = Machine::new("").await;
    machine.set("2022-03-17T08:40:00");
    let daemon = machine.serve().await;
    machine.import();
    // From Thursday morning to Monday: the notice's time passes, and more than a day.
    machine.sleep(97);
    machine.logged("the machine was asleep").await;
    machine.mails(5).await;
    let board = daemon.page("/").await;
    assert!(!board.contains("时间无误，恢复发送"), "the time is right");
    let late = machine.smtp.mails().remove(0);
    let late = mail_parser::MessageParser::default()
        .parse(&late.data)
        .and_then(|mail| mail.body_text(0).map(|text| text.into_owned()))
        .unwrap();
    assert!(late.contains("补发"), "{late}");
    machine.sleep(1);
    let twice = eventually(SOON, || async {
        let log = machine.world.log();
        (log.matches("the machine was asleep").count() == 2).then_some(())
    });
    twice.await.expect("told again");
    assert_eq!(machine.copies(), [1; 5]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_put_right_repeats_nothing_and_loses_nothing() {
    let west = "[time]\nzone = \"Asia/Urumqi\"\n";
    let mut machine = Machine::new(west).await;
    machine.set("2022-03-17T09:10:30");
    let daemon = machine.serve().await;
    machine.import();
    // Two hours behind: ten past nine is ten past eleven in the east.
    assert!(machine.smtp.mails().is_empty());
    machine.set("2022-03-17T11:10:30");
    machine.mails(5).await;
    daemon.stop().await;

    machine.reconfigure("");
    machine.set("2022-03-17T12:00:00");
    let daemon = machine.serve().await;
    machine.logged("deadlines are others than before").await;
    let board = daemon.page("/").await;
    assert!(!board.contains("可能被拨慢了"), "no clock was touched");
    assert_eq!(machine.copies(), [1; 5]);
    daemon.stop().await;
    machine.set("2022-03-28T09:10:30");
    let daemon = machine.serve().await;
    machine.mails(10).await;
    daemon.stop().await;

    // And wrong again: the reminder's time is still to come by this zone, and it has been said.
    machine.reconfigure(west);
    machine.set("2022-03-28T10:00:00");
    let daemon = machine.serve().await;
    machine.set("2022-03-28T11:10:30");
    machine.logged("the system clock has been set").await;
    assert_eq!(machine.copies(), [2; 5], "notice and reminder, once each");
    daemon.stop().await;
}

#[test]
fn a_zone_that_is_not_built_in_is_refused_with_what_may_be_written() {
    let check = |zone: &str| {
        let world = World::new(&format!("[time]\nzone = \"{zone}\"\n"));
        let output = world.cuiban(&["config", "check"]);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = check("Europe/Berlin");
    assert_eq!(code, Some(2), "{said}");
    let wanted = "cuiban.toml 第11行，time.zone：应为程序自带的时区：Asia/ 开头的名称（如 \"Asia/Shanghai\"）或 \"UTC\"，现在写的是“Europe/Berlin”";
    assert!(said.contains(wanted), "{said}");
    for zone in ["UTC", "Asia/Urumqi"] {
        let (code, said) = check(zone);
        assert_eq!(code, Some(0), "{zone}: {said}");
    }
}

/// The table with one more day off.
fn holiday_on(table: &str, day: &str) -> String {
    let mut table: serde_json::Value = serde_json::from_str(table).unwrap();
    table["2022"]["holidays"][day] = "调休".into();
    serde_json::to_string(&table).unwrap()
}
