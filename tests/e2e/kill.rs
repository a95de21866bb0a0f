//! SIGKILL at random moments of a burst.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::world::{Smtp, World, eventually};

/// Kills of the daemon, unless `CUIBAN_KILLS` says otherwise.
const KILLS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_only_what_was_in_doubt_is_repeated() {
    let kills = std::env::var("CUIBAN_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    // Slow enough that the kills fall into the burst.
    let smtp = Smtp::start(dir.path(), 40);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");

    let mut dice = Dice(std::process::id().into());
    let mut minute = 10;
    for _ in 0..kills {
        // Each life begins later by the office's clock, so that what is to be tried again is.
        let clock = format!(
            "2022-03-17T{:02}:{:02}:00+08:00",
            9 + minute / 60,
            minute % 60
        );
        minute += 6;
        let mut daemon = world.spawn(&clock, 1.0);
        // Two kills in three fall among the sending, the third wherever the dice say: on a laden
        // machine the start alone may outlast any fixed wait.
        if dice.roll(3) > 0 {
            let before = smtp.taken();
            let _ = eventually(Duration::from_secs(3), || async {
                (smtp.taken() > before).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
        } else {
            tokio::time::sleep(Duration::from_millis(20 + dice.roll(400))).await;
        }
        daemon.kill();
        if minute > 60 * 8 {
            minute = 60 * 8;
        }
    }
    let daemon = world.serve("2022-03-17T17:30:00+08:00", 120.0).await;
    let done = eventually(Duration::from_secs(60), || async {
        let rest = daemon.get("/api/v1/deliveries?state=waiting").await;
        rest["deliveries"]
            .as_array()
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    assert!(
        done.is_some(),
        "{}",
        daemon.get("/api/v1/deliveries?state=waiting").await
    );
    daemon.stop().await;

    let expected: BTreeSet<String> = world
        .names_by_address()
        .into_keys()
        .filter(|address| !address.is_empty())
        .collect();
    let mut copies: BTreeMap<(String, String), usize> = BTreeMap::new();
    for mail in smtp.mails() {
        *copies.entry((mail.to, mail.message_id)).or_default() += 1;
    }
    let reached: BTreeSet<String> = copies.keys().map(|(to, _)| to.clone()).collect();
    assert!(reached.is_subset(&expected));
    assert_eq!(
        reached.len(),
        copies.len(),
        "a repetition has the same Message-ID"
    );
    let journal = world.run(&["journal", "dump"]);
    let queued = journal.matches("\"message.queued\"").count();
    assert_eq!(reached.len(), queued, "none is lost");
    let in_doubt = journal.matches("\"in_doubt\"").count();
    assert!(
        in_doubt >= 5,
        "only {in_doubt} in doubt: the kills did not fall into the burst"
    );
    let repeated: usize = copies.values().map(|count| count - 1).sum();
    assert!(
        repeated <= in_doubt,
        "{repeated} repeated, {in_doubt} in doubt"
    );
    let verified = world.run(&["journal", "verify"]);
    assert!(!verified.is_empty());
}

/// A small generator: where exactly the kills fall need not be repeatable.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}
