//! Two hundred owners who report at the same moment, and a machine that fails them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cuiban::channel::spool;
use serde_json::{Value, json};

use crate::world::{EMAIL, World};

const OWNERS: usize = 200;
/// Reports each of them sends, one after the other.
const EACH: usize = 5;
/// Thanked for so many, the daemon is killed: all owners are still at it.
const BEFORE_THE_END: usize = 300;

/// Every report that was thanked for is in the journal, once; what was not may be there or not.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_owners_at_once_lose_nothing_they_were_thanked_for() {
    let world = World::new("");
    let table = world.path("table-2022.csv");
    std::fs::write(&table, self::table()).unwrap();
    let mut daemon = world.serve("2022-01-04T09:00:00+08:00", 0.0).await;
    world.import_table(table.to_str().unwrap(), |index, row| {
        row[EMAIL] = format!("u{index}@example.invalid");
    });
    daemon.advance("2022-03-18T12:00:00+08:00").await;
    let links = links(&world);
    assert_eq!(links.len(), OWNERS);

    let thanked = Arc::new(AtomicUsize::new(0));
    let mut owners = tokio::task::JoinSet::new();
    for (nth, (token, task)) in links.into_iter().enumerate() {
        let url = format!("{}/api/v1/reply/{token}", daemon.base);
        let (http, thanked) = (daemon.http.clone(), Arc::clone(&thanked));
        owners.spawn(async move {
            let mut said = Vec::new();
            for time in 0..EACH {
                let words = format!("第{nth}人第{time}次所报");
                let report = json!({ "task": task, "status": "on_schedule", "progress": words });
                let body = json!({ "reports": [report] });
                let Ok(answer) = http.post(&url).json(&body).send().await else {
                    break;
                };
                assert_eq!(answer.status(), 200, "{words}");
                // Thanked is who has read the receipt to its end.
                let Ok(_) = answer.json::<Value>().await else {
                    break;
                };
                thanked.fetch_add(1, Ordering::SeqCst);
                said.push(words);
            }
            said
        });
    }
    while thanked.load(Ordering::SeqCst) < BEFORE_THE_END {
        tokio::task::yield_now().await;
    }
    daemon.kill();
    let said: Vec<String> = owners.join_all().await.into_iter().flatten().collect();
    assert!(
        (BEFORE_THE_END..OWNERS * EACH).contains(&said.len()),
        "killed in the middle: {}",
        said.len()
    );

    let journal = world.run(&["journal", "dump"]);
    for words in &said {
        let found = journal.matches(&format!("\"{words}\"")).count();
        assert_eq!(found, 1, "{words}");
    }
    world.run(&["journal", "verify"]);
    let daemon = world.serve("2022-03-18T12:00:00+08:00", 0.0).await;
    let board = daemon.get("/api/v1/board?quarter=2022Q1").await;
    let firsts = said
        .iter()
        .filter(|words| words.ends_with("第0次所报"))
        .count();
    let reported = board["totals"]["reported"].as_u64().unwrap();
    assert!(
        usize::try_from(reported).unwrap() >= firsts,
        "{reported} of {firsts}"
    );
}

/// A task for each owner.
fn table() -> String {
    let head =
        "2022年目标任务分解表\n序号,年度目标及工作内容,季度进度安排,牵头单位,责任人,直接责任人\n";
    let rows = (1..=OWNERS).map(|nth| {
        format!("{nth},推进第{nth}号重点项目建设。,一季度，完成前期工作；二季度，开工建设。,市第{}建设中心,主任{},经办{nth}\n", nth % 20, nth % 20)
    });
    std::iter::once(head.to_owned()).chain(rows).collect()
}

/// The token of each owner's link, and the owner's task.
fn links(world: &World) -> Vec<(String, u32)> {
    let sent = spool::read_all(&world.path("data/spool")).unwrap();
    let links = sent.iter().filter_map(|message| {
        let token = message.link.as_ref()?.rsplit('/').next()?;
        let (name, _) = message.to.split_once('（')?;
        let nth = name.strip_prefix("经办")?.parse().ok()?;
        Some((token.to_owned(), nth))
    });
    links.collect()
}
