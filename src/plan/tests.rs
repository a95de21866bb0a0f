//! The promises of the reader, on the real table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::ids::{PersonId, Quarter};
use crate::domain::plan::{FindingCode, Group, Milestone, MilestoneKind, Task};

const TABLE: &[u8] = include_bytes!("../../seeds/dongguan-2022.txt");

fn with_units(names: crate::domain::units::UnitNames) -> Source {
    Source {
        units: Some(names),
        ..source()
    }
}

fn source() -> Source {
    Source {
        file_name: "dongguan-2022.txt".into(),
        ..Source::default()
    }
}

fn table() -> Reading {
    read(TABLE, &source()).unwrap()
}

fn task(reading: &Reading, no: u32) -> &Task {
    reading.plan.tasks.iter().find(|t| t.no == no).unwrap()
}

/// The tasks that have a finding of this code.
fn tasks_with(reading: &Reading, code: FindingCode) -> Vec<u32> {
    let found = reading.findings.iter().filter(|f| f.code == code);
    found.filter_map(|f| f.task).collect()
}

fn names(group: &Group) -> (String, Vec<&str>, Vec<&str>) {
    (
        group.unit.clone(),
        group.responsible.iter().map(|p| p.name.as_str()).collect(),
        group.owners.iter().map(|p| p.name.as_str()).collect(),
    )
}

/// A small table of one's own: the real headings, and rows given from the goal on.
fn small(rows: &[&str]) -> Reading {
    let mut text = String::from(
        "2024 年任务分解表\n总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t责任人\t直接责任人\t协助单位\n",
    );
    for row in rows {
        writeln!(text, "\t{row}").unwrap();
    }
    read(text.as_bytes(), &Source::default()).unwrap()
}

#[test]
fn a_number_printed_twice_moves_no_other() {
    let row =
        |no: u32| format!("{no}. 办好第{no}件事。\t一季度完成。\t李明\t市教育局\t王华\t张伟\t");
    let rows = [1, 2, 2, 3, 4].map(row);
    let reading = small(&rows.each_ref().map(String::as_str));
    let numbers: Vec<u32> = reading.plan.tasks.iter().map(|task| task.no).collect();
    assert_eq!(numbers, [1, 2, 5, 3, 4]);
    assert_eq!(tasks_with(&reading, FindingCode::DuplicateTaskNo), [5]);
}

#[test]
fn the_whole_table_is_read() {
    let reading = table();
    let plan = &reading.plan;
    let numbers: Vec<u32> = plan.tasks.iter().map(|t| t.no).collect();
    assert_eq!(numbers, (1..=250).collect::<Vec<_>>());
    let owners: BTreeSet<&str> = plan
        .tasks
        .iter()
        .flat_map(|t| t.direct_owners.iter().map(String::as_str))
        .collect();
    assert_eq!(owners.len(), 155);
    assert_eq!(plan.people.iter().filter(|p| p.roles.owner).count(), 155);
    assert_eq!(
        plan.tasks.iter().map(|t| t.groups.len()).sum::<usize>(),
        278
    );
    assert_eq!(plan.id.as_str(), "dongguan-2022");
    assert_eq!(
        plan.heading.title,
        "2022年市政府主要目标任务（含十件民生实事）分解表"
    );
    assert_eq!(plan.heading.year, 2022);
    assert_eq!(plan.heading.issuer.as_deref(), Some("市政府办公室"));
    assert_eq!(plan.heading.issued_on.unwrap().to_string(), "2022-01-27");
}

#[test]
fn no_mark_of_the_page_is_left_in_any_text() {
    for task in &table().plan.tasks {
        let requirement = task.requirement.as_ref().unwrap();
        assert!(requirement.starts_with('('), "{}", task.no);
        for text in [&task.goal, requirement, &task.schedule] {
            for left in ["<p>", "</p>", "_{", "\t", "  "] {
                assert!(!text.contains(left), "{}: {text}", task.no);
            }
        }
    }
}

#[test]
fn a_requirement_goes_on_over_the_page_for_all_its_tasks() {
    let reading = table();
    let whole = task(&reading, 29).requirement.as_ref().unwrap();
    assert!(whole.starts_with("(十)将松山湖科学城"));
    assert!(whole.contains("新能源材料、电子信息材料、生物医药材料"));
    assert_eq!(task(&reading, 32).requirement.as_ref(), Some(whole));
    assert_eq!(
        tasks_with(&reading, FindingCode::RequirementContinued),
        [30, 40, 45, 64, 90, 94, 119, 141, 180]
    );
    assert_eq!(
        tasks_with(&reading, FindingCode::RequirementNumberGap),
        [129]
    );
}

#[test]
fn every_oddity_is_found_and_no_sound_row_is_called_wrong() {
    let reading = table();
    let errors: Vec<_> = reading
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| (f.task.unwrap(), f.code))
        .collect();
    assert_eq!(
        errors,
        [
            (122, FindingCode::MissingOwner),
            (130, FindingCode::ShiftedColumns)
        ]
    );
    for (code, tasks) in [
        (
            FindingCode::Unscheduled,
            &[45, 62, 124, 126, 128, 136, 181][..],
        ),
        (FindingCode::UnitSplitBySpace, &[62]),
        (FindingCode::JoinedUnits, &[111]),
        // 94 is not a matter of count: its owners stand in the wrong order.
        (
            FindingCode::OwnerUnitMismatch,
            &[6, 19, 31, 78, 94, 101, 183, 218],
        ),
        (FindingCode::ToBeNamed, &[20, 69, 84, 139]),
        (FindingCode::MissingResponsible, &[67, 68]),
        // Every section of 185 is one unit's own, and the first lead unit has none.
        (FindingCode::AmbiguousTime, &[185]),
    ] {
        assert_eq!(tasks_with(&reading, code), tasks, "{code:?}");
    }
    assert_eq!(tasks_with(&reading, FindingCode::MissingLeader).len(), 36);
}

#[test]
fn the_shifted_row_is_put_right() {
    let reading = table();
    let task = task(&reading, 130);
    assert_eq!(task.leaders, [""; 0]);
    assert_eq!(
        names(&task.groups[0]),
        ("市住房城乡建设局".into(), vec!["谢卫东"], vec!["詹向辉"])
    );
    assert_eq!(task.assisting_units, [""; 0]);
    let shifted = |f: &&Finding| f.code == FindingCode::ShiftedColumns;
    let finding = reading.findings.iter().find(shifted).unwrap();
    assert_eq!(
        (finding.row, finding.column.as_deref()),
        (Some(201), Some("责任人"))
    );
    assert!(finding.repair.is_some());
}

#[test]
fn groups_pair_units_with_those_who_stand_for_them() {
    let reading = table();
    let groups = |no| {
        task(&reading, no)
            .groups
            .iter()
            .map(names)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        groups(16),
        [
            ("市市场监管局".into(), vec!["张永忠"], vec!["杜江"]),
            ("市工业和信息化局".into(), vec!["肖必良"], vec!["张玉成"])
        ]
    );
    // Printed the other way round; 吴对林 stands for 市生态环境局 everywhere else.
    assert_eq!(
        groups(94),
        [
            ("市生态环境局".into(), vec!["胡毅峰"], vec!["吴对林"]),
            ("市水务局".into(), vec!["陶谨"], vec!["谭淦标"])
        ]
    );
    // One 责任人 for both.
    assert_eq!(
        groups(63),
        [
            ("滨海湾新区".into(), vec!["孙海波"], vec!["叶庆祥"]),
            ("水乡管委会".into(), vec!["孙海波"], vec!["叶广文"])
        ]
    );
    assert_eq!(groups(62)[1].0, "中国人民银行东莞市中心支行");
    assert_eq!(
        groups(31),
        [(
            "市发展改革局、市科技局".into(),
            vec!["叶惠明", "卓庆"],
            vec!["钟靖平"]
        )]
    );
    assert_eq!(
        groups(111),
        [(
            "市自然资源局、各整备土地属地镇街（园区）".into(),
            vec!["赖健伟"],
            vec!["袁润彭", "黄沛文"]
        )]
    );
    assert_eq!(groups(14)[0].2, ["姚铸锐", "黎玲东"]);
    assert!(groups(122)[0].2.is_empty());
}

#[test]
fn what_a_coordinator_decided_about_units_is_what_is_read() {
    let mut names = crate::config::units::names(&[]).unwrap();
    let others = ["市轨道交管局".to_owned(), "市轨道交通运输局".to_owned()];
    names.same("市轨道交通局", &others).unwrap();
    names.different(&["市慈善会".into(), "慈善会".into()]);
    let bytes = include_bytes!("../../seeds/dongguan-2022.txt");
    let before = table();
    let reading = read(bytes, &with_units(names.clone())).unwrap();
    assert_eq!(task(&before, 71).lead_units, ["市轨道交管局"]);
    assert_eq!(task(&reading, 71).lead_units, ["市轨道交通局"]);
    assert_eq!(task(&reading, 71).groups[0].unit, "市轨道交通局");
    let used = |other: &String| (other.clone(), "市轨道交通局".to_owned());
    assert_eq!(reading.units, others.iter().map(used).collect::<Vec<_>>());
    let asked = |reading: &Reading| tasks_with(reading, FindingCode::UnitAlias);
    let settled: Vec<u32> = asked(&before)
        .into_iter()
        .filter(|no| !asked(&reading).contains(no))
        .collect();
    assert_eq!(
        settled,
        [71, 190, 242],
        "what is decided is not asked again"
    );
    assert_eq!(
        tasks_with(&before, FindingCode::SameNameOtherUnit).len(),
        tasks_with(&reading, FindingCode::SameNameOtherUnit).len() + 2,
        "two people stood for two units that are one"
    );
}

#[test]
fn a_requirement_written_out_in_each_row_is_one() {
    let head = "2022年分解表\n总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t责任人\t直接责任人\t协助单位\n";
    let row =
        |no| format!("(一)稳增长。\t{no}. 做好一件事。\t一季度完成\t\t市水务局\t甲某\t乙某\t\n");
    let text = format!("{head}{}{}", row(1), row(2));
    let reading = read(text.as_bytes(), &source()).unwrap();
    assert!(tasks_with(&reading, FindingCode::RequirementNumberGap).is_empty());
    assert!(tasks_with(&reading, FindingCode::RequirementContinued).is_empty());
    for task in &reading.plan.tasks {
        assert_eq!(task.requirement.as_deref(), Some("(一)稳增长。"));
    }
}

#[test]
fn a_group_of_units_is_no_unit() {
    let row = "1. 做好防汛。\t一季度完成\t\t市水务局、全市各相关单位\t甲某\t乙某、丙某\t";
    let mut names = crate::domain::units::UnitNames::default();
    names.group("全市各相关单位");
    let text = format!(
        "2022年分解表\n年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t责任人\t直接责任人\t协助单位\n{row}\n"
    );
    let reading = read(text.as_bytes(), &with_units(names)).unwrap();
    assert_eq!(
        reading.plan.tasks[0].groups.len(),
        1,
        "answers with the others"
    );
}

#[test]
fn targets_stand_with_their_milestones() {
    let reading = table();
    let json = serde_json::to_value(wire::Inspection::from(&reading)).unwrap();
    let of = |no: u32| {
        let tasks = json["tasks"].as_array().unwrap().iter();
        let task = tasks.clone().find(|task| task["no"] == no).unwrap();
        task["milestones"][0]["targets"].clone()
    };
    insta::assert_json_snapshot!("targets", [of(48), of(66), of(104)]);
}

#[test]
fn everyone_is_one_person_with_the_unit_the_table_speaks_for() {
    let reading = table();
    let people = &reading.plan.people;
    let ids: BTreeSet<&PersonId> = people.iter().map(|p| &p.id).collect();
    assert_eq!(ids.len(), people.len());
    let unit = |name: &str| {
        people
            .iter()
            .find(|p| p.name == name)
            .unwrap()
            .unit
            .as_str()
    };
    for (name, home) in [
        ("吴对林", "市生态环境局"),
        ("谭淦标", "市水务局"),
        ("钟靖平", "市科技局"),
        ("余建民", "市文化广电旅游体育局"),
        ("江日年", "市林业局"),
        ("袁润彭", "市自然资源局"),
        ("张何", "市卫生健康局"),
        ("詹向辉", "市住房城乡建设局"),
        ("李达群", "莞城街道"),
        ("王长青", ""),
        // The table does not tell which of the two.
        ("张苑南", "市水务局、市水务集团"),
    ] {
        assert_eq!(unit(name), home, "{name}");
    }
    for task in &reading.plan.tasks {
        for group in &task.groups {
            for person in group
                .owners
                .iter()
                .chain(&group.responsible)
                .chain(&group.leaders)
            {
                assert!(ids.contains(&person.id), "{} {}", task.no, person.name);
            }
        }
    }
    let two_units: Vec<&str> = reading
        .findings
        .iter()
        .filter(|f| f.code == FindingCode::SameNameOtherUnit)
        .map(|f| f.message.split(['“', '”']).nth(1).unwrap())
        .collect();
    assert_eq!(
        two_units,
        [
            "李天海",
            "张友新",
            "祁志强",
            "彭康怀",
            "唐耀文",
            "张巧利",
            "张何"
        ]
    );
}

#[test]
fn stray_blanks_inside_units_are_gone() {
    let reading = table();
    assert_eq!(
        task(&reading, 49).assisting_units,
        [
            "市委组织部",
            "市委宣传部",
            "市公安局",
            "市教育局",
            "市政务服务数据管理局",
            "市卫生健康局",
            "市住房城乡建设局",
            "市金融工作局",
            "市文化广电旅游体育局",
            "市医疗保障局",
            "市税务局",
            "东莞海关"
        ]
    );
    assert!(
        task(&reading, 64)
            .schedule
            .contains("推进 OPPO 芯片中心项目")
    );
    assert!(task(&reading, 23).schedule.contains("跨境电商 B2B 出口"));
}

#[test]
fn a_section_of_one_unit_is_that_groups_alone() {
    let reading = table();
    let first = Quarter::new(2022, 1).unwrap();
    for (no, sections) in [
        (16, vec![("市市场监管局", 4), ("市工业和信息化局", 3)]),
        (63, vec![("滨海湾新区", 2), ("水乡管委会", 2)]),
        (94, vec![("市生态环境局", 4), ("市水务局", 1)]),
        (185, vec![("莞城街道", 2), ("石龙镇", 2)]),
        // No unit's own: 台博会, 加博会, 智博会.
        (26, vec![]),
        // One group for both units, so each section is its.
        (31, vec![]),
    ] {
        let task = task(&reading, no);
        let own = |unit: &str| {
            let own = task
                .milestones
                .iter()
                .filter(|m| m.unit.as_deref() == Some(unit));
            own.count()
        };
        for (unit, count) in &sections {
            assert_eq!(own(unit), *count, "{no} {unit}");
        }
        let all = task.milestones.iter().filter(|m| m.unit.is_some()).count();
        assert_eq!(all, sections.iter().map(|(_, n)| n).sum::<usize>(), "{no}");
    }
    let task = task(&reading, 16);
    let mine: Vec<&Milestone> = task.milestones_in(&task.groups[1], first).collect();
    assert_eq!(mine.len(), 1);
    assert!(mine[0].content.starts_with("走访服装玩具"));
}

/// Not the reader's grammar but a plain list of the words the table uses.
const WORDS: [(&str, u8, u8); 17] = [
    ("二季度、三季度、四季度", 2, 4),
    ("一、二、三季度", 1, 3),
    ("二、三、四季度", 2, 4),
    ("二季度、三季度", 2, 3),
    ("一至四季度", 1, 4),
    ("二至三季度", 2, 3),
    ("一、二季度", 1, 2),
    ("二、三季度", 2, 3),
    ("三、四季度", 3, 4),
    ("三四季度", 3, 4),
    ("前三季度", 1, 3),
    ("一季度", 1, 1),
    ("二季度", 2, 2),
    ("三季度", 3, 3),
    ("四季度", 4, 4),
    ("上半年", 1, 2),
    ("下半年", 3, 4),
];

/// The spans of quarters in a text, taken after each mark.
fn spans_by_list(schedule: &str) -> Vec<(u8, u8)> {
    let clauses = schedule.split(['。', '；', ';', '，', ',', '：', ':', '\n']);
    clauses
        .filter_map(|clause| {
            let clause = clause
                .trim_start()
                .trim_start_matches("其中")
                .trim_start_matches('第');
            let (_, first, last) = WORDS.iter().find(|(word, ..)| clause.starts_with(word))?;
            Some((*first, *last))
        })
        .collect()
}

#[test]
fn the_spans_of_every_schedule_are_those_its_words_name() {
    let reading = table();
    let mut four_quarters = 0;
    for task in &reading.plan.tasks {
        let due: Vec<(u8, u8)> = task
            .milestones
            .iter()
            .filter(|m| m.kind == MilestoneKind::Due)
            .map(|m| (m.first_quarter.number(), m.last_quarter.number()))
            .collect();
        assert_eq!(due, spans_by_list(&task.schedule), "{}", task.no);
        if due == [(1, 1), (2, 2), (3, 3), (4, 4)] {
            four_quarters += 1;
        }
        for milestone in &task.milestones {
            assert_eq!(milestone.due, milestone.last_quarter.last_day());
            assert!(!milestone.content.is_empty());
        }
    }
    assert_eq!(four_quarters, 137);
}

#[test]
fn no_word_of_a_schedule_is_lost() {
    for task in &table().plan.tasks {
        let told: String = task
            .milestones
            .iter()
            .map(|m| format!("{}。{}。", m.section.clone().unwrap_or_default(), m.content))
            .collect();
        let marks = |c: char| !c.is_alphanumeric() && !"“”《》（）()-%+×·/〔〕①②③".contains(c);
        for words in task
            .schedule
            .split(marks)
            .filter(|words| words.chars().count() > 8)
        {
            let tail: String = words.chars().skip(7).collect();
            assert!(told.contains(&tail), "{}: {words}", task.no);
        }
    }
}

#[test]
fn milestones_of_the_items_that_are_hard_to_read() {
    let reading = table();
    let mut told = String::new();
    for no in [
        7, 15, 16, 23, 26, 31, 49, 56, 63, 64, 70, 75, 81, 85, 93, 94, 101, 107, 114, 128, 140,
        142, 144, 146, 158, 166, 182, 185, 186, 192, 208, 216, 217, 219, 235,
    ] {
        writeln!(told, "{no}").unwrap();
        for m in &task(&reading, no).milestones {
            let section = m
                .section
                .as_ref()
                .map_or(String::new(), |s| format!("[{s}] "));
            let unit = m.unit.as_ref().map_or(String::new(), |u| format!("({u}) "));
            let (first, last) = (m.first_quarter.number(), m.last_quarter.number());
            writeln!(
                told,
                "  {first}-{last} {} {section}{unit}{}",
                m.kind.as_str(),
                m.content
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn spans_of_all_tasks() {
    let mut told = String::new();
    for task in &table().plan.tasks {
        write!(told, "{:3}", task.no).unwrap();
        let mut section = None;
        for m in &task.milestones {
            if m.section != section {
                section.clone_from(&m.section);
                write!(told, " [{}]", section.as_deref().unwrap_or_default()).unwrap();
            }
            let kind = match m.kind {
                MilestoneKind::Due => "",
                other => other.as_str(),
            };
            let (first, last) = (m.first_quarter.number(), m.last_quarter.number());
            if first == last {
                write!(told, " {kind}{first}").unwrap();
            } else {
                write!(told, " {kind}{first}-{last}").unwrap();
            }
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_the_coordinator_reads() {
    insta::assert_snapshot!(show::Inspected(&table()).to_string());
}

#[test]
fn json_has_the_promised_shape() {
    let mut reading = table();
    reading.plan.tasks.retain(|t| matches!(t.no, 16 | 130));
    reading
        .findings
        .retain(|f| f.task == Some(130) || f.severity == Severity::Warning && f.task == Some(94));
    let json = serde_json::to_string_pretty(&wire::Inspection::from(&reading)).unwrap();
    insta::assert_snapshot!(json);
}

#[test]
fn a_file_that_is_no_such_table_is_refused_with_what_to_do() {
    let told = |bytes: &[u8]| read(bytes, &source()).unwrap_err().to_string();
    let header = "总体要求\t年度目标及工作内容\t季度进度安排\t直接责任人\n";
    let errors = [
        told(b""),
        told(" \n\u{3000}\n".as_bytes()),
        told(b"PK\x03\x04\x00\x00"),
        told(b"\xff\xfe\x31\x00"),
        told(b"ok\n\xb6\xab\xdd\xb8\n"),
        told("关于印发的通知\n各单位：\n".as_bytes()),
        told("姓名\t电话\n张三\t123\n".as_bytes()),
        told(header.as_bytes()),
        told(format!("{header}\t\t\t\n").as_bytes()),
        told(&vec![b'\n'; usize::try_from(LARGEST_FILE).unwrap() + 1]),
        read(
            format!("{header}\t1. 甲\t一季度\t乙\n").as_bytes(),
            &Source::default(),
        )
        .unwrap_err()
        .to_string(),
        read(
            TABLE,
            &Source {
                year: Some(22),
                ..source()
            },
        )
        .unwrap_err()
        .to_string(),
        read_file(Path::new("/nonexistent/table.txt"), &source())
            .unwrap_err()
            .to_string(),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_file_of_200_mb_is_refused_unread() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(200 * 1024 * 1024).unwrap();
    let error = read_file(file.path(), &source()).unwrap_err();
    assert!(matches!(error, TableError::TooLarge { .. }), "{error}");
    let real = read_file(Path::new("seeds/dongguan-2022.txt"), &source()).unwrap();
    assert_eq!(real, table());
}

#[test]
fn rows_that_cannot_be_taken_as_printed_are_told() {
    let reading = small(&[
        "1. 甲\t一季度，调研。\t\t市财政局\t王一一\t李一一\t",
        "1. 乙\t二季度，调研。\t\t市财政局\t王一一\t待定\t",
        "丙\t三季度前，调研。\t\t市财政局\t王一一\t李一一\t",
        "\t续行\t\t\t\t\t",
        "8. 庚\t四季度，调研。\t\t\t王二二\t李二二\t",
        "9. 丁\t2025年一季度，调研。\t\t市教育局\t王二二\t李二二\t\t多出",
        "10. 戊\t\t\t市教育局\t王二二\t李二二\t",
    ]);
    let numbers: Vec<u32> = reading.plan.tasks.iter().map(|t| t.no).collect();
    assert_eq!(numbers, [1, 2, 3, 8, 9, 10]);
    assert_eq!(reading.plan.id.as_str(), "plan-2024");
    let told: Vec<String> = reading
        .findings
        .iter()
        .filter(|f| f.code != FindingCode::MissingLeader)
        .map(|f| {
            format!(
                "{} {} {} {}",
                f.row.unwrap(),
                f.severity.as_str(),
                f.code.as_str(),
                f.message
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn headings_may_change_place_and_be_missing() {
    let text = "2024年分解表\n直接责任人\t目标任务\t牵头单位\t备注\n李一一\t1. 甲\t市财政局\t无\n年度目标及工作内容\t直接责任人\t牵头单位\n2. 乙\t李二二\t市教育局\n";
    let reading = read(text.as_bytes(), &Source::default()).unwrap();
    assert_eq!(task(&reading, 1).direct_owners, ["李一一"]);
    assert_eq!(task(&reading, 2).direct_owners, ["李二二"]);
    let unknown = |f: &&Finding| f.code == FindingCode::UnknownColumn;
    assert_eq!(reading.findings.iter().filter(unknown).count(), 1);
    let missing: Vec<_> = reading
        .findings
        .iter()
        .filter(|f| f.code == FindingCode::MissingColumn)
        .map(|f| (f.severity, f.column.as_deref().unwrap()))
        .collect();
    // No column could be meant: reported every quarter, and told.
    assert!(missing.contains(&(Severity::Warning, "季度进度安排")));
    assert!(missing.contains(&(Severity::Warning, "责任领导")));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &source());
    }

    #[test]
    fn a_damaged_table_is_read_or_refused(
        line in 10_usize..380,
        cell in 0_usize..9,
        with in "(\\PC|\t| |\n|<p>|（|季度|全年|一、|市财政局|王长青|待定|：|1\\.){0,20}",
        keep in 0_usize..60,
    ) {
        let text = std::str::from_utf8(TABLE).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut cells: Vec<String> = lines[line % lines.len()].split('\t').map(str::to_owned).collect();
        let place = cell % cells.len();
        cells[place] = cells[place].chars().take(keep).chain(with.chars()).collect();
        let place = line % lines.len();
        lines[place] = cells.join("\t");
        // Near the damaged row only, so that many can be tried.
        let from = place.saturating_sub(12).max(9);
        let near = format!("2022年\n{}\n{}", lines[10], lines[from..(place + 12).min(lines.len())].join("\n"));
        if let Ok(reading) = read(near.as_bytes(), &source()) {
            let mut numbers = BTreeSet::new();
            for task in &reading.plan.tasks {
                prop_assert!(numbers.insert(task.no), "{} twice", task.no);
                prop_assert!(!task.groups.is_empty() && task.groups.len() <= 255);
                prop_assert!(!task.milestones.is_empty());
            }
        }
    }
}
/// Each of these would take hours if any step looked at the rest of the cell at every place.
#[test]
fn a_hostile_cell_is_read_in_one_go() {
    for part in [
        "甲：①乙：",
        "一、",
        "（",
        "“",
        "一季度，",
        "甲 ",
        "<",
        "_{",
        "全年",
        "市财政局",
    ] {
        let cell = part.repeat(300_000 / part.len());
        for row in [
            format!("1. 甲\t{cell}\t市财政局\t李一一"),
            format!("1. 甲\t一季度\t{cell}\t{cell}"),
            format!("{cell}\t一季度\t市财政局\t李一一"),
        ] {
            let text = format!("年度目标及工作内容\t季度进度安排\t牵头单位\t直接责任人\n{row}\n");
            read(text.as_bytes(), &source()).unwrap();
        }
    }
}

/// One finding of every code, from the real table and from rows of it that were spoilt.
#[test]
fn every_finding_is_shown_with_its_place_and_the_words() {
    let spoilt = small(&[
        "1. 三年统筹安排财政资金不少于100亿元。\t一季度，做好资金统计填报计划。\t王长青\t市财政局\t姚慧怡\t李树峰\t",
        "1. 实施数字化普及工程。\t二季度，编制系统解决方案。\t刘光滨\t市工业和信息化局\t肖必良\t待定\t",
        "实施数字化提升工程。\t2025年一季度，编制出台项目申报指南。\t刘光滨\t市工业和信息化局\t肖必良\t王志平\t",
    ]);
    let header =
        "总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t直接责任人\t完成标志\n";
    let row =
        "(一)大力推动产业数字化。\t1. 全面打造海绵城市。\t全年推进。\t刘光滨\t市水务局\t陶谨\t\n";
    let missing = read(format!("2024年分解表\n{header}{row}").as_bytes(), &source()).unwrap();
    let real = table();
    let mut shown: Vec<(FindingCode, String)> = Vec::new();
    for reading in [&real, &spoilt, &missing] {
        for finding in &reading.findings {
            if shown.iter().all(|(code, _)| *code != finding.code) {
                let one = Reading {
                    plan: reading.plan.clone(),
                    findings: vec![finding.clone()],
                    ..reading.clone()
                };
                let text = show::Inspected(&one).to_string();
                let row: Vec<&str> = text.lines().skip(6).collect();
                shown.push((finding.code, row.join("\n")));
            }
        }
    }
    shown.sort();
    let text: Vec<String> = shown
        .iter()
        .map(|(code, row)| format!("{}\n{row}", code.as_str()))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_narrow_terminal_gets_the_same_with_colour() {
    let mut reading = table();
    reading
        .findings
        .retain(|one| matches!(one.task, Some(62 | 130)));
    let look = show::Look {
        width: Some(96),
        colour: true,
    };
    insta::assert_snapshot!(
        show::Shown(&reading, look)
            .to_string()
            .replace('\u{1b}', "ESC")
    );
}
