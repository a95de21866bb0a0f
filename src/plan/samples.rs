//! The labelled samples of schedule cells, each read as a careful coordinator would: through the
//! whole reader, out of a table, into the JSON that others rely on.

use serde_json::Value;

use super::{Source, read, wire::Inspection};
use crate::config::holidays;
use crate::domain::schedule::{self, Almanac, Season, TimeContext};

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
fn a_page_break_behind_a_sentence_changes_nothing() {
    let told = |text: &str, year| -> Vec<String> {
        let ctx = TimeContext {
            almanac: holidays::almanac(),
            ..TimeContext::of(year)
        };
        let nodes = schedule::read(text, &ctx).nodes;
        let told = nodes.iter().map(|node| {
            let words = format!("{:?}{}", node.section, node.content);
            let words: String = words.chars().filter(|c| c.is_alphanumeric()).collect();
            format!("{words} {:?}", node.time)
        });
        told.collect()
    };
    for samples in [SHARED, OWN] {
        let samples: Vec<Value> = serde_json::from_str(samples).unwrap();
        for sample in &samples {
            let text = sample["text"].as_str().unwrap();
            let year = i32::try_from(sample["year"].as_i64().unwrap()).unwrap();
            for (at, mark) in text.match_indices(['。', '；']) {
                let (above, below) = text.split_at(at + mark.len());
                for gap in ["\n", " "] {
                    let cut = format!("{above}{gap}{below}");
                    assert_eq!(told(&cut, year), told(text, year), "{cut}");
                }
            }
        }
    }
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
        let text = piece.repeat(1_000_000 / piece.len());
        let begun = std::time::Instant::now();
        let _ = schedule::read(&text, &TimeContext::of(2022));
        let took = begun.elapsed();
        assert!(took.as_secs() < 12, "{piece}: {took:?}");
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

/// What `plan inspect --json` says of a table whose only task has this schedule.
fn inspected(sample: &Value) -> Option<Value> {
    let issued = sample["issued"].as_str();
    let issued = issued.map_or(String::new(), |day| format!("制表时间：{day}\n\n"));
    let table = format!(
        "任务分解表\n\n{issued}总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t责任人\t直接责任人\t协助单位\n\
         （一）总则。\t1. 办好一件事。\t{}\t李明\t市教育局\t王华\t张伟\t市财政局\n",
        sample["text"].as_str()?
    );
    let source = Source {
        year: i32::try_from(sample["year"].as_i64()?).ok(),
        almanac: Almanac {
            seasons: seasons(sample),
            ..holidays::almanac()
        },
        ..Source::default()
    };
    let reading = read(table.as_bytes(), &source).ok()?;
    serde_json::to_value(Inspection::from(&reading)).ok()
}

fn seasons(sample: &Value) -> Vec<Season> {
    let own = sample["seasons"].as_object().into_iter().flatten();
    own.filter_map(|(name, day)| crate::config::time::season(name, day.as_str()?))
        .collect()
}

fn fault(sample: &Value) -> Option<String> {
    let text = sample["text"].as_str()?;
    let Some(json) = inspected(sample) else {
        return Some(format!("{text}\n    not read at all"));
    };
    let found = json["tasks"][0]["milestones"].as_array()?;
    let wanted = sample["milestones"].as_array()?;
    let asked = |code: &str| {
        let findings = json["findings"].as_array().into_iter().flatten();
        let of_code = findings.filter(|one| one["code"] == code);
        of_code
            .map(|one| one["message"].to_string())
            .collect::<String>()
    };
    // What a person must be asked about is told with its words.
    let told = ["ambiguous_time", "date_outside_year", "unscheduled"]
        .into_iter()
        .all(|code| {
            sample[code]
                .as_str()
                .is_none_or(|words| asked(code).contains(&format!("“{words}”")))
        });
    let doubtful = !asked("ambiguous_time").is_empty();
    let quiet = sample["quiet"] != true || !doubtful;
    let none = wanted.len() == 1 && wanted[0]["kind"] == "none";
    let right = if none {
        found.len() == 1
            && found[0]["kind"] == "unscheduled"
            && !asked("unscheduled").is_empty()
            && !doubtful
    } else {
        wanted.len() == found.len()
            && wanted
                .iter()
                .zip(found)
                .all(|(wanted, found)| agrees(wanted, found, doubtful))
    };
    (!(right && told && quiet)).then(|| {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!(
            "{text}\n    {}\n    {}",
            found.join("\n    "),
            asked("ambiguous_time")
        )
    })
}

fn agrees(wanted: &Value, found: &Value, doubtful: bool) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    // What stands in the heading counts as told too.
    let section = found["section"].as_str().unwrap_or_default();
    let told = plain(&format!("{section}{}", found["content"].as_str().unwrap()));
    // Paired figures carry their subject and unit: the samples leave one or the other out.
    let content = plain(wanted["content"].as_str().unwrap()).replace("分别为", "");
    let due_is = || {
        let others = wanted["accept"].as_array().into_iter().flatten();
        std::iter::once(&wanted["due"])
            .chain(others)
            .any(|day| *day == found["due"])
    };
    let same = |field: &str| wanted[field].is_null() || wanted[field] == found[field];
    let time = match wanted["kind"].as_str() {
        Some("due") if wanted["due"].is_null() => found["kind"] == "unscheduled" && doubtful,
        Some("due") => found["kind"] == "due" && due_is() && wanted["periods"] == found["periods"],
        Some("all-year") => found["kind"] == "all_year" && due_is(),
        kind => found["kind"] == kind.unwrap_or_default() && wanted["every"] == found["every"],
    };
    time && ["start", "occurrences", "at"].into_iter().all(same)
        && (told.contains(&content) || content.contains(&told))
        && (wanted["ambiguous"] != true || doubtful)
}
