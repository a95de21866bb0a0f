use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// The fixture's lines as this program would write them.
fn written(fixture: &str) -> String {
    let mut out = String::new();
    for line in fixture.lines().filter(|line| !line.starts_with('\t')) {
        writeln!(out, "{line}").unwrap();
        if line.starts_with('#') {
            continue;
        }
        for target in read(line) {
            let bound = match target.bound {
                Bound::AtLeast => "至少",
                Bound::AtMost => "至多",
            };
            let so_far = if target.cumulative { ", 累计" } else { "" };
            let Target {
                text,
                quantity,
                unit,
                what,
                ..
            } = target;
            writeln!(out, "\t{text} = {quantity} {unit}, {bound}{so_far}: {what}").unwrap();
        }
    }
    out
}

#[track_caller]
fn assert_reads(fixture: &str) {
    let found = written(fixture);
    for (expected, found) in fixture.lines().zip(found.lines()) {
        assert_eq!(expected, found);
    }
    assert_eq!(fixture, found);
}

#[test]
fn every_figure_of_the_real_table_and_no_other() {
    assert_reads(include_str!("seed.txt"));
}

/// Written without a schedule in mind: no rule was made for these first.
#[test]
fn the_goals_of_the_same_table() {
    assert_reads(include_str!("goals.txt"));
}

#[test]
fn what_other_offices_write() {
    assert_reads(include_str!("elsewhere.txt"));
}

#[test]
fn a_target_says_on_which_side_it_bounds() {
    let asked = |text| read(text).first().unwrap().asked();
    assert_eq!(asked("城镇登记失业率控制在3%以内"), "不超过3%");
    assert_eq!(asked("新增技能人才不少于2万人次"), "2万人次");
}

#[test]
fn a_hostile_text_is_bounded_work() {
    let texts = [
        "(",
        "（1家）",
        "完成1家、",
        "不少于",
        "一百",
        "1,",
        "分别1家和",
        "《",
    ];
    for text in texts {
        let whole = text.repeat(1_000_000 / text.len());
        assert!(read(&whole).len() <= 100);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "[第十百万亿0-9.,-、，。（）《》“”家个元%累计完成不少于分别各K+A ]{0,60}") {
        for target in read(&text) {
            prop_assert!(!target.unit.is_empty());
            prop_assert!(tidy(&text).iter().collect::<String>().contains(&target.text));
        }
    }

    #[test]
    fn a_name_in_quotation_marks_or_a_title_has_no_figure(number in 1_u32..100_000) {
        prop_assert_eq!(read(&format!("落实《新增企业{number}家行动方案》")), vec![]);
        prop_assert_eq!(read(&format!("推进“{number}个项目”工程")), vec![]);
        prop_assert_eq!(read(&format!("完成第{number}次会议")), vec![]);
    }

    #[test]
    fn what_is_written_out_is_read(number in 1_u32..100_000, unit in "家|个|亩|万元|公里|人次|%") {
        let found = read(&format!("完成改造不少于{number}{unit}"));
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].what.as_str(), "完成改造");
        prop_assert_eq!(found[0].text.clone(), format!("{number}{unit}"));
    }
}
