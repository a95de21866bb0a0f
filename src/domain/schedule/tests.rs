use super::*;

fn read(text: &str, year: i32) -> Schedule {
    super::read(text, &TimeContext::of(year))
}

/// `[section/]span kind content`, one a line.
fn told(text: &str) -> Vec<String> {
    read(text, 2022)
        .milestones(2022)
        .iter()
        .map(|(m, _)| {
            let section = m
                .section
                .as_ref()
                .map_or(String::new(), |s| format!("[{s}] "));
            format!(
                "{section}{}-{} {} {}",
                m.first_quarter.number(),
                m.last_quarter.number(),
                m.kind.as_str(),
                m.content
            )
        })
        .collect()
}

#[test]
fn quarters_are_known_however_they_are_written() {
    for (words, spans) in [
        ("一季度", "1-1"),
        ("第一季度", "1-1"),
        ("1季度", "1-1"),
        ("２季度", "2-2"),
        ("第二季度末", "2-2"),
        ("二季度底前", "2-2"),
        ("三季度内", "3-3"),
        ("Q1", "1-1"),
        ("Q3-Q4", "3-4"),
        ("一、二季度", "1-2"),
        ("一 、 二 季度", "1-2"),
        ("第一、二、三季度", "1-3"),
        ("二季度、三季度", "2-3"),
        ("二季度、三季度、四季度", "2-4"),
        ("二至三季度", "2-3"),
        ("一季度至三季度", "1-3"),
        ("一至四季度", "1-4"),
        ("1—3季度", "1-3"),
        ("三四季度", "3-4"),
        ("三和四季度", "3-4"),
        ("上半年", "1-2"),
        ("下半年", "3-4"),
        ("前三季度", "1-3"),
        ("前两个季度", "1-2"),
        ("2022年第四季度", "4-4"),
    ] {
        for after in ["", "，", ",", "：", " "] {
            let text = format!("{words}{after}完成选址。");
            assert_eq!(told(&text), [format!("{spans} due 完成选址")], "{text}");
        }
    }
}

#[test]
fn words_after_a_quarter_are_left_whole() {
    for words in [
        "前期工作",
        "内部测试",
        "底数摸排",
        "末端治理",
        "结束招标",
        "完成选址",
    ] {
        assert_eq!(
            told(&format!("一季度{words}。")),
            [format!("1-1 due {words}")]
        );
    }
}

#[test]
fn quarters_with_a_gap_are_milestones_of_their_own() {
    assert_eq!(
        told("一、三季度，召开联席会议。"),
        ["1-1 due 召开联席会议", "3-3 due 召开联席会议"]
    );
}

#[test]
fn clauses_are_parted_by_any_mark_or_none() {
    let read = ["1-1 due 立项", "2-2 due 招标", "3-4 due 建设"];
    for text in [
        "一季度，立项。二季度，招标。三、四季度，建设。",
        "一季度立项，二季度招标，三、四季度建设",
        "一季度：立项；二季度：招标；三、四季度：建设；",
        "一季度 立项 二季度 招标 三四季度 建设",
        "Q1 立项，Q2 招标，Q3-Q4 建设。",
        "一季度，立项二季度，招标三、四季度，建设",
        "一季度,立项\n二季度,招标\n三至四季度,建设",
    ] {
        assert_eq!(told(text), read, "{text}");
    }
}

#[test]
fn a_quarter_inside_a_sentence_opens_nothing() {
    assert_eq!(
        told("二季度,形成组建市级招商公司方案,争取三季度成立公司。三季度,争取成立北京招商联络处。"),
        [
            "2-2 due 形成组建市级招商公司方案,争取三季度成立公司",
            "3-3 due 争取成立北京招商联络处"
        ]
    );
    assert_eq!(
        told("一季度,开展2021年第四季度、2022年第一季度卫片图斑核查上报。").len(),
        1
    );
    assert_eq!(
        told("三季度，联合两所高校全力做好配合，力争第三季度将两所大学纳入规划。").len(),
        1
    );
    for text in [
        "确保全年目标得以完成。",
        "有关单位正在研究季度安排。",
        "计划2022年全年选拔引进80名。",
    ] {
        assert_eq!(told(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_stands_in_brackets_or_quotes_opens_nothing() {
    assert_eq!(
        told("四季度，推动5宗项目开工。（全年要实现动工17个，三季度，先行一步）").len(),
        1
    );
    assert_eq!(
        told("二季度，启动湖山海”系列活动（初稿。三季度，继续。").len(),
        2
    );
}

#[test]
fn sections_are_told_apart() {
    assert_eq!(
        told("市教育局：上半年完成选址，下半年开工。市卫生局：一季度调研，四季度评估。"),
        [
            "[市教育局] 1-2 due 完成选址",
            "[市教育局] 3-4 due 开工",
            "[市卫生局] 1-1 due 调研",
            "[市卫生局] 4-4 due 评估"
        ]
    );
    assert_eq!(
        told(
            "岛板块：①收地：2022 年计划收地 969 亩。其中，一季度收地 87 亩，二季度收地 129 亩。②签约：一季度，力争完成签约。\n湾板块：一季度，启动。"
        ),
        [
            "[岛板块：①收地] 1-1 due 2022 年计划收地 969 亩。收地 87 亩",
            "[岛板块：①收地] 2-2 due 收地 129 亩",
            "[岛板块：②签约] 1-1 due 力争完成签约",
            "[湾板块] 1-1 due 启动"
        ]
    );
}

#[test]
fn text_before_the_first_time_is_not_lost() {
    assert_eq!(
        told("按照部署，一、二季度，继续推进。三、四季度，查漏补种。"),
        ["1-2 due 按照部署，继续推进", "3-4 due 查漏补种"]
    );
    assert_eq!(
        told("市水务局：巩固整治成效：一至四季度，开展监测。"),
        ["[市水务局] 1-4 due 巩固整治成效：开展监测"]
    );
}

#[test]
fn all_year_stands_alone_only_where_it_says_something() {
    assert_eq!(told("全年常态化推进。"), ["1-4 all_year 全年常态化推进"]);
    assert_eq!(
        told("全年推进，实现发案下降。"),
        ["1-4 all_year 实现发案下降"]
    );
    assert_eq!(
        told("全年推进，一季度建台账，四季度回头看。"),
        ["1-1 due 建台账", "4-4 due 回头看"]
    );
    assert_eq!(
        told("上半年完成40亿元，前三季度完成65亿元，全年完成90亿元以上。"),
        [
            "1-2 due 完成40亿元",
            "1-3 due 完成65亿元",
            "1-4 all_year 完成90亿元以上"
        ]
    );
    assert_eq!(
        told("一季度，完成申报，案例宣传报道贯穿全年。"),
        ["1-1 due 完成申报", "1-4 all_year 案例宣传报道贯穿全年"]
    );
}

#[test]
fn a_whole_and_its_parts_are_all_kept() {
    assert_eq!(
        told("2022 年全年计划投资 2.66 亿元，其中第一季度投资 0.88 亿元，第二季度投资 1.78 亿元。"),
        [
            "1-4 all_year 计划投资 2.66 亿元",
            "1-1 due 投资 0.88 亿元",
            "2-2 due 投资 1.78 亿元"
        ]
    );
}

#[test]
fn a_time_after_its_work_is_told_with_it() {
    assert_eq!(
        told("①选址：一季度完成；②施工：三、四季度。"),
        ["[①选址] 1-1 due 完成", "[②施工] 3-4 due ②施工"]
    );
}

#[test]
fn a_total_after_the_last_quarter_is_its_target() {
    assert_eq!(
        told("三季度，走访9家。四季度，走访15家。全年力争引进5-6家企业。"),
        ["3-3 due 走访9家", "4-4 due 走访15家。全年力争引进5-6家企业"]
    );
    assert_eq!(
        told("四季度，发放奖励。全年，开展培训，力争达到1200家。"),
        ["4-4 due 发放奖励", "1-4 all_year 开展培训，力争达到1200家"]
    );
}

#[test]
fn what_recurs_is_told_from_what_is_due_once() {
    assert_eq!(
        told("一季度出台方案，每季度督导一次。"),
        ["1-1 due 出台方案", "1-4 recurring 督导一次"]
    );
    assert_eq!(told("二、三、四季度，做好评价，每月通报情况。").len(), 1);
}

#[test]
fn words_of_two_meanings_and_other_years_are_doubted() {
    assert_eq!(
        read("三季度前完成选址。", 2022).doubts,
        [Doubt::Before("三季度前".into())]
    );
    let other = read("2023年一季度，完成决算。", 2022);
    assert_eq!(other.doubts, [Doubt::OtherYear("2023年一季度".into())]);
    assert_eq!(other.milestones(2022)[0].0.due.to_string(), "2023-03-31");
}

proptest::proptest! {
    #[test]
    fn times_of_every_sort_are_read_without_a_panic(
        text in "(6月|底前|12月31日|2月30日|9999年|0年|0001年|—|、|至|每月|25日|每季度|末月|春节前|汛期前|待批复后|3个月内|分别|为|力争|确保|（|）|，|。|起|年底|次年|一|二|十|2023-06-30|\\PC){0,24}"
    ) {
        let schedule = read(&text, 2022);
        for (milestone, _) in schedule.milestones(2022) {
            proptest::prop_assert!(milestone.first_quarter <= milestone.last_quarter);
        }
    }


    #[test]
    fn any_text_is_read_in_order_without_losing_words(
        text in "(一季度|二、三季度|全年|每季度|市水务局：|①|，|。|；|\n| |（|“|完成选址|贯穿全年|其中|Q3|12|\\PC){0,40}"
    ) {
        let schedule = read(&text, 2022);
        for (milestone, _) in schedule.milestones(2022) {
            proptest::prop_assert!(milestone.first_quarter <= milestone.last_quarter);
            proptest::prop_assert!(milestone.due <= milestone.last_quarter.last_day());
        }
        // Every word stands somewhere, but for the times themselves.
        if !schedule.nodes.is_empty() {
            let told: String = schedule
                .milestones(2022)
                .iter()
                .map(|(m, _)| format!("{}{}", m.section.clone().unwrap_or_default(), m.content))
                .collect();
            proptest::prop_assert!(
                !text.contains("完成选址") || told.contains("完成选址"), "{:?}", told
            );
        }
    }
}
