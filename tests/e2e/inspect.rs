//! `plan inspect` of the real table, and of what is no table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::{TABLE, World};

fn inspect() -> (Option<i32>, Value) {
    let world = World::new("");
    let output = world.cuiban(&["plan", "inspect", TABLE, "--json"]);
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), json)
}

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

#[test]
fn the_real_table_is_read_whole() {
    let (code, json) = inspect();
    assert_eq!(code, Some(3), "there are error findings");
    assert_eq!(json["plan"]["year"], 2022);
    assert_eq!(json["plan"]["issuer"], "市政府办公室");
    assert_eq!(json["plan"]["issued_on"], "2022-01-27");
    let tasks = json["tasks"].as_array().unwrap();
    let numbers: Vec<u64> = tasks
        .iter()
        .map(|task| task["no"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=250).collect::<Vec<u64>>());
    let owners: BTreeSet<&str> = tasks
        .iter()
        .flat_map(|task| names(&task["direct_owners"]))
        .collect();
    assert_eq!(owners.len(), 155);
    let groups: usize = tasks
        .iter()
        .map(|task| task["groups"].as_array().unwrap().len())
        .sum();
    assert_eq!(groups, 278);
}

#[test]
fn groups_pair_by_position_and_are_corrected_by_the_other_rows() {
    let (_, json) = inspect();
    let groups = |no: usize| {
        let groups = json["tasks"][no - 1]["groups"].as_array().unwrap().clone();
        groups
            .iter()
            .map(|group| {
                let unit = group["unit"].as_str().unwrap().to_owned();
                let owners = names(&group["owners"]).join(" ");
                (unit, owners)
            })
            .collect::<BTreeMap<String, String>>()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        groups(16),
        BTreeMap::from([
            pair("市市场监管局", "杜江"),
            pair("市工业和信息化局", "张玉成")
        ])
    );
    assert_eq!(
        groups(94),
        BTreeMap::from([pair("市生态环境局", "吴对林"), pair("市水务局", "谭淦标")])
    );
    assert_eq!(groups(62).len(), 3);
    assert_eq!(groups(31).len(), 1);
}

#[test]
fn every_finding_that_is_there_is_named_and_no_sound_row_is_called_wrong() {
    let (_, json) = inspect();
    let findings = json["findings"].as_array().unwrap();
    let with = |code: &str| -> BTreeSet<u64> {
        findings
            .iter()
            .filter(|finding| finding["code"] == code)
            .filter_map(|finding| finding["task"].as_u64())
            .collect()
    };
    assert_eq!(with("shifted_columns"), BTreeSet::from([130]));
    assert_eq!(with("missing_owner"), BTreeSet::from([122]));
    assert_eq!(with("unit_split_by_space"), BTreeSet::from([62]));
    assert_eq!(with("joined_units"), BTreeSet::from([111]));
    assert_eq!(
        with("unscheduled"),
        BTreeSet::from([45, 62, 124, 126, 128, 136, 181])
    );
    let mismatch = with("owner_unit_mismatch");
    for task in [31, 101, 6, 19, 78, 183, 218] {
        assert!(mismatch.contains(&task), "{task}");
    }
    let errors: BTreeSet<u64> = findings
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .filter_map(|finding| finding["task"].as_u64())
        .collect();
    assert_eq!(errors, BTreeSet::from([122, 130]));
    let repaired = &json["tasks"][129];
    assert_eq!(names(&repaired["lead_units"]), ["市住房城乡建设局"]);
    assert_eq!(names(&repaired["responsible"]), ["谢卫东"]);
    assert_eq!(names(&repaired["direct_owners"]), ["詹向辉"]);
}

/// An independent reading of the plainest schedules: four sentences that begin with the four
/// quarters' names.
#[test]
fn the_spans_of_all_four_quarter_schedules_are_right() {
    let (_, json) = inspect();
    let mut plain = 0;
    for task in json["tasks"].as_array().unwrap() {
        let schedule = task["schedule"].as_str().unwrap();
        let named: Vec<usize> = ["一季度", "二季度", "三季度", "四季度"]
            .iter()
            .filter(|word| {
                schedule.matches(**word).count() == 1
                    && (schedule.starts_with(**word)
                        || schedule.contains(&format!("。{word}"))
                        || schedule.contains(&format!("；{word}")))
            })
            .enumerate()
            .map(|(index, _)| index)
            .collect();
        let others = [
            "二、三",
            "三、四",
            "一、二",
            "全年",
            "上半年",
            "下半年",
            "每季度",
        ];
        if named.len() != 4 || others.iter().any(|word| schedule.contains(word)) {
            continue;
        }
        plain += 1;
        let spans: Vec<(u64, u64)> = task["milestones"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| {
                (
                    m["first_quarter"].as_u64().unwrap(),
                    m["last_quarter"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(spans, [(1, 1), (2, 2), (3, 3), (4, 4)], "{}", task["no"]);
        let due: Vec<&str> = task["milestones"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["due"].as_str().unwrap())
            .collect();
        assert_eq!(
            due,
            ["2022-03-31", "2022-06-30", "2022-09-30", "2022-12-31"]
        );
    }
    assert!(plain > 60, "only {plain} plain schedules");
}

#[test]
fn a_quarter_named_inside_a_sentence_opens_no_milestone() {
    let (_, json) = inspect();
    let spans: Vec<(u64, &str)> = json["tasks"][55]["milestones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            (
                m["first_quarter"].as_u64().unwrap(),
                m["content"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(spans.len(), 3, "{spans:?}");
    assert_eq!(spans[0].0, 2);
    assert!(spans[0].1.contains("争取三季度成立公司"), "{}", spans[0].1);
}

#[test]
fn what_is_no_table_is_refused_in_plain_words_and_nothing_is_stored() {
    let world = World::new("");
    let write = |name: &str, bytes: &[u8]| {
        let path = world.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let huge = world.path("huge.txt");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(200 << 20)
        .unwrap();
    let files = [
        write("empty.txt", b""),
        write("prose.txt", "会议纪要\n一季度，研究工作。\n".as_bytes()),
        write(
            "binary.txt",
            &[0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3, 0xff, 0xfe],
        ),
        write(
            "gbk.txt",
            &[0xd7, 0xdc, 0xcc, 0xe5, 0xd2, 0xaa, 0xc7, 0xf3, b'\n'],
        ),
        huge.to_str().unwrap().to_owned(),
        world.path("missing.txt").to_str().unwrap().to_owned(),
    ];
    for file in &files {
        let output = world.cuiban(&["plan", "import", file]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        let words = String::from_utf8(output.stderr).unwrap();
        let name = file.rsplit('/').next().unwrap();
        assert!(words.contains(name), "{words}");
        assert!(words.contains('请'), "it says what to do: {words}");
    }
    assert_eq!(world.run(&["plan", "list", "--json"]).trim(), "[]");
}

/// What the coordinator says of a heading is said once: the next import of that plan knows it.
#[test]
fn a_heading_said_once_is_known_at_the_next_import() {
    let world = World::new("");
    let table = |schedule: &str| {
        let path = world.path("plan-2027.csv");
        let text = format!(
            "2027年分解表\n序号,目标任务,进度安排,牵头单位,负责同志\n1,修路,{schedule},市交通局,王健\n"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = table("一季度开工");
    let inspected = world.cuiban(&["plan", "inspect", &file]);
    assert_eq!(inspected.status.code(), Some(3));
    let said = String::from_utf8(inspected.stdout).unwrap();
    assert!(said.contains("--map 负责同志=直接责任人"), "{said}");
    let map = ["--map", "负责同志=直接责任人"];
    world.run(&["plan", "inspect", &file, map[0], map[1]]);
    world.run(&["plan", "import", &file, map[0], map[1]]);
    world.run(&["plan", "import", &table("二季度开工")]);
    let json: Value = serde_json::from_str(&world.run(&["plan", "show", "--json"])).unwrap();
    assert_eq!(names(&json["tasks"][0]["direct_owners"]), ["王健"]);
    assert_eq!(json["tasks"][0]["milestones"][0]["first_quarter"], 2);
    let wrong = world.cuiban(&["plan", "import", &file, "--map", "负责同志"]);
    assert_eq!(wrong.status.code(), Some(2));
}
