//! The labelled samples of schedule cells, each read as a careful coordinator would.

use serde_json::Value;

use crate::config::holidays;
use crate::domain::schedule::{Doubt, Node, Schedule, Time, TimeContext, read};

const SHARED: &str = include_str!("../../tests/fixtures/time-phrases.json");
const OWN: &str = include_str!("../../tests/fixtures/time-phrases-own.json");

#[test]
fn the_shared_samples_read_right() {
    all_read_right(SHARED);
}

#[test]
fn our_own_samples_read_right() {
    all_read_right(OWN);
}

#[test]
fn a_hostile_cell_is_read_in_bounded_time() {
    for piece in [
        "1",
        "一",
        "、",
        "1、",
        "一、",
        " ",
        "\n",
        "（",
        "6月",
        "6月、",
        "6月—",
        "3日、",
        "年",
        "待",
        "每月",
        "一季度，",
        "6月底前，",
        "力争",
        "2023年",
        "分别",
        "（6月",
        "①",
        "a：",
        "全年",
        "2023-",
        "后1个月内",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let begun = std::time::Instant::now();
        let _ = read(&text, &TimeContext::of(2022));
        let took = begun.elapsed();
        assert!(took.as_secs() < 8, "{piece}: {took:?}");
    }
}

fn all_read_right(samples: &str) {
    let samples: Vec<Value> = serde_json::from_str(samples).unwrap();
    let wrong: Vec<String> = samples.iter().filter_map(fault).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        samples.len(),
        wrong.join("\n")
    );
}

fn fault(sample: &Value) -> Option<String> {
    let text = sample["text"].as_str()?;
    let year = i32::try_from(sample["year"].as_i64()?).ok()?;
    let schedule = read(
        text,
        &TimeContext {
            festivals: holidays::festivals(),
            ..TimeContext::of(year)
        },
    );
    let wanted = sample["milestones"].as_array()?;
    let none = wanted.len() == 1 && wanted[0]["kind"] == "none";
    let right = if none {
        schedule.nodes.is_empty()
    } else {
        wanted.len() == schedule.nodes.len()
            && wanted
                .iter()
                .zip(&schedule.nodes)
                .all(|(wanted, node)| agrees(wanted, node, &schedule, year))
    };
    (!right).then(|| {
        format!(
            "{text}\n    {:?}\n    {:?}",
            schedule.nodes, schedule.doubts
        )
    })
}

fn agrees(wanted: &Value, node: &Node, schedule: &Schedule, year: i32) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let content = plain(wanted["content"].as_str().unwrap());
    // What stands in the heading counts as told too.
    let section = node.section.as_deref().unwrap_or_default();
    let told = plain(&format!("{section}{}", node.content));
    let due_is = |day: String| {
        wanted["due"] == day.as_str()
            || wanted["accept"]
                .as_array()
                .is_some_and(|days| days.iter().any(|one| *one == day.as_str()))
    };
    let asked = schedule
        .doubts
        .iter()
        .any(|doubt| !matches!(doubt, Doubt::OtherYear(_)));
    let time = match &node.time {
        Time::Quarters { first, last } => {
            let names: Vec<String> =
                std::iter::successors(Some(*first), |quarter| Some(quarter.next()))
                    .take_while(|quarter| quarter <= last)
                    .map(|quarter| quarter.to_string().replace(&year.to_string(), ""))
                    .collect();
            wanted["kind"] == "due"
                && due_is(last.last_day().to_string())
                && wanted["periods"] == serde_json::json!(names)
        }
        Time::Day(day) => {
            let start = &wanted["start"];
            wanted["kind"] == "due"
                && due_is(day.due.to_string())
                && (start.is_null()
                    || day
                        .start
                        .is_some_and(|day| *start == day.to_string().as_str()))
        }
        Time::Recurring(repeat) => {
            let dates: Vec<String> = repeat.dates.iter().map(ToString::to_string).collect();
            wanted["kind"] == "recurring"
                && wanted["every"] == repeat.every.as_str()
                && (wanted["occurrences"].is_null()
                    || wanted["occurrences"] == serde_json::json!(dates))
                && (wanted["at"].is_null()
                    || repeat
                        .at
                        .is_some_and(|at| wanted["at"] == at.to_string().as_str()))
        }
        Time::AllYear(year) => wanted["kind"] == "all-year" && due_is(format!("{year}-12-31")),
        Time::Unknown => wanted["kind"] == "due" && wanted["due"].is_null() && asked,
    };
    // Paired figures carry their subject and unit: the samples leave one or the other out.
    let content = content.replace("分别为", "");
    time && (told.contains(&content) || content.contains(&told))
        && (wanted["ambiguous"] != true || asked)
}
