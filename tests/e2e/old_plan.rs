//! A plan whose quarters are long past.

use crate::world::{Smtp, TABLE, World};

#[tokio::test(flavor = "multi_thread")]
async fn importing_the_2022_table_with_todays_date_sends_nothing_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(dir.path(), 0);
    let world = World::new(&smtp.section());
    world.import(|_, _| "email");
    let again = world.run(&["plan", "import", TABLE, "--id", "dongguan-2022", "--accept"]);
    assert!(again.contains("2022年第一季度：预告已过"), "{again}");
    assert!(again.contains("不再发送"), "{again}");
    assert!(again.contains("不会发送任何消息"), "{again}");

    let daemon = world.serve("2026-11-23T09:00:00+08:00", 0.0).await;
    daemon.advance("2026-12-31T18:00:00+08:00").await;
    let deliveries = daemon.post("/api/v1/clock", &serde_json::json!({})).await;
    assert_ne!(deliveries.0, 200, "a clock without a time is refused");
    daemon.stop().await;
    assert_eq!(smtp.mails().len(), 0);
    let journal = world.run(&["journal", "dump"]);
    assert_eq!(
        journal.matches("\"too_late\"").count(),
        20,
        "four quarters of five stages"
    );
}
