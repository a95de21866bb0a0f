//! The bell that starts a pass when nothing else does.

use std::time::Duration;

use crate::world::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_bell_of_an_idle_daemon_rings() {
    let world = World::new("");
    let daemon = world.serve("2022-01-04T09:00:00+08:00", 0.0).await;
    let rung = eventually(Duration::from_secs(40), || async {
        let asked = daemon.http.get(format!("{}/metrics", daemon.base)).send();
        let metrics = asked.await.ok()?.text().await.ok()?;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("cuiban_ticks_total"))?;
        let count: u64 = line.rsplit(' ').next()?.parse().ok()?;
        (count >= 2).then_some(())
    })
    .await;
    assert!(rung.is_some());
    daemon.stop().await;
}
