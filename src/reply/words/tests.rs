//! What people write, and what may and may not be read from it.

use super::*;
use ReportStatus::{Behind, Completed, NotStarted, OnSchedule};

fn items(tasks: &[TaskNo]) -> Vec<OpenItem> {
    let name =
        |task: &TaskNo| ["政务服务", "招商引资", "老旧小区改造"][*task as usize % 3].to_owned();
    let item = |task: &TaskNo| OpenItem {
        task: *task,
        name: name(task),
        awaited: true,
    };
    tasks.iter().map(item).collect()
}

fn said(text: &str, tasks: &[TaskNo]) -> Vec<(TaskNo, ReportStatus)> {
    match understand(text, &items(tasks)) {
        Understood::Reports(reading) => {
            assert_eq!(reading.left, [], "{text}");
            reading
                .said
                .iter()
                .map(|one| (one.task, one.status))
                .collect()
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn why(text: &str, tasks: &[TaskNo]) -> Unclear {
    match understand(text, &items(tasks)) {
        Understood::Unclear(why) => why,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn where_one_item_is_open_the_whole_text_is_about_it() {
    for (text, status) in [
        ("此项工作已全部完成，申请销号。", Completed),
        ("已完成", Completed),
        ("14 已完成", Completed),
        ("已办结。", Completed),
        ("老旧小区改造已完成，验收报告见附件。", Completed),
        ("来文收悉。我区共涉及6个项目，均按计划推进。", OnSchedule),
        ("正常", OnSchedule),
        ("正常推进，已完成招标，6月30日前开工。", OnSchedule),
        ("进展顺利，已完成80%", OnSchedule),
        ("征地工作进展缓慢，原因：两户未签协议。", Behind),
        ("目前进度滞后，预计7月底全部完成", Behind),
        ("未启动", NotStarted),
        ("该项工作尚未启动，等待上级文件。", NotStarted),
        ("状态：进度滞后", Behind),
    ] {
        assert_eq!(said(text, &[14]), [(14, status)], "{text}");
    }
}

#[test]
fn a_status_of_a_part_or_of_the_future_is_none() {
    for text in [
        "已完成外墙保温12栋，剩余3栋。\n困难：两户未签协议，街道正在做工作。",
        "整改台账共47条，已销号41条，其余7月10日前完成。",
        "资金支付计划已报财政局，待批复。\n预计4月8日前支付首笔。",
        "第一阶段已完成。",
        "预计6月底完成。",
        "未完成",
        "基本完成",
        "力争按期完成。",
        "收到，出差途中，周一补报。",
        "现场照片见附件。",
        "没有滞后",
        "确保不滞后",
        "完成80%",
    ] {
        assert_eq!(why(text, &[14]), Unclear::NoStatus, "{text}");
    }
    for text in [
        "已完成，剩余3栋下月完成",
        "已完成。\n进度滞后。",
        "已完成，完成率95%",
        "14 已完成 14 滞后",
    ] {
        assert_eq!(why(text, &[14]), Unclear::Contradiction, "{text}");
    }
}

#[test]
fn several_items_are_told_apart_by_their_numbers() {
    for text in [
        "14、15 已完成；16 滞后",
        "14已完成，15已完成，16进度滞后。",
        "您好，现将进展报告如下：\n14 已完成\n15 已完成\n16 滞后，正在协调",
        "第14项、第15项：已完成。\n第16项：进度滞后。",
        "第十四项已完成。\n第十五项已完成。\n第十六项进度滞后。",
        "14-15 已完成\n16. 滞后",
        "（14）已完成\n（15）已完成\n（16）推进缓慢",
        "14和15已完成，16滞后",
        "任务14：已完成\n任务15：已完成\n任务16：滞后",
        "１４、１５项已完成，１６项滞后",
        "14 15 已完成\n16 滞后",
    ] {
        let all = [(14, Completed), (15, Completed), (16, Behind)];
        assert_eq!(said(text, &[14, 15, 16]), all, "{text}");
    }
    assert_eq!(
        said("14、15 项正常", &[14, 15, 16]),
        [(14, OnSchedule), (15, OnSchedule)]
    );
}

#[test]
fn all_means_all_only_where_nothing_else_is_said() {
    let all = [(14, OnSchedule), (15, OnSchedule)];
    for text in [
        "均正常推进",
        "全部正常推进。谢谢！",
        "各项工作均按计划推进",
        "您好，都正常",
    ] {
        assert_eq!(said(text, &[14, 15]), all, "{text}");
    }
    for text in [
        "正常推进",
        "我区共涉及6个项目，均按计划推进。",
        "已完成，材料见附件",
    ] {
        assert_eq!(why(text, &[14, 15]), Unclear::WhichItem, "{text}");
    }
}

#[test]
fn numbers_in_the_text_are_not_taken_for_items() {
    let text = "正常推进。\n1. 完成招标\n2. 完成设计\n3. 6月30日前开工，投资14.5亿元，3栋已封顶";
    assert_eq!(said(text, &[14]), [(14, OnSchedule)]);
    // A list of points under an item goes on although one of its numbers is an item too.
    let text = "14 正常推进\n1. 招标\n2. 设计\n3. 开工";
    assert_eq!(said(text, &[3, 14]), [(14, OnSchedule)]);
    assert_eq!(
        said("14 正常推进，6月30日前完成，15户已签", &[6, 14, 15]),
        [(14, OnSchedule)]
    );
}

#[test]
fn what_is_not_understood_is_kept_beside_what_is() {
    let Understood::Reports(reading) =
        understand("14 已完成\n15 情况复杂\n16 滞后", &items(&[14, 15, 16]))
    else {
        panic!()
    };
    assert_eq!(reading.said.len(), 2);
    assert_eq!(
        reading.left,
        [("15 情况复杂".to_owned(), Unclear::NoStatus)]
    );
    assert_eq!(why("99 已完成", &[14, 15]), Unclear::NotTheirs);
    assert_eq!(why("第99项已完成", &[14]), Unclear::NotTheirs);
}

#[test]
fn the_named_fields_go_where_they_belong() {
    let text = "14 进度滞后。完成情况：外墙保温12栋。\n存在问题：两户未签协议。下一步措施：街道上门，6月底全部完成。";
    let Understood::Reports(reading) = understand(text, &items(&[14])) else {
        panic!()
    };
    let one = &reading.said[0];
    assert_eq!(one.status, Behind);
    assert_eq!(one.progress, "进度滞后。外墙保温12栋。");
    assert_eq!(one.problems, "两户未签协议。");
    assert_eq!(one.next_steps, "街道上门，6月底全部完成。");
    let percent = |text| match understand(text, &items(&[14])) {
        Understood::Reports(reading) => reading.said[0].percent,
        other => panic!("{other:?}"),
    };
    assert_eq!(percent("正常推进，已完成80%"), Some(80));
    assert_eq!(percent("正常推进，首付款比例由30%改为20%"), None);
}

#[test]
fn short_words_are_what_they_are() {
    for text in [
        "已知悉",
        "收到",
        "收到，谢谢！",
        "好的，已知悉。",
        "您好，邮件已收到",
    ] {
        assert_eq!(
            understand(text, &items(&[14])),
            Understood::Acknowledged,
            "{text}"
        );
    }
    for text in ["不是我", "不是我负责，请联系李明", "我已调离"] {
        assert_eq!(
            understand(text, &items(&[14])),
            Understood::NotMine { tasks: vec![] },
            "{text}"
        );
    }
    assert_eq!(
        understand("14 不是我负责", &items(&[14, 15])),
        Understood::NotMine { tasks: vec![14] }
    );
    for text in ["帮助", "？", "help"] {
        assert_eq!(understand(text, &[]), Understood::Help, "{text}");
    }
    assert_eq!(why(" \u{feff}\n", &[14]), Unclear::Empty);
    assert_eq!(why("已完成", &[]), Unclear::NothingOpen);
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_written_breaks_it(text in ".{0,200}") {
        let _ = understand(&text, &items(&[1, 2, 14]));
    }

    #[test]
    fn nothing_made_of_its_own_words_breaks_it(
        words in proptest::collection::vec(
            proptest::sample::select(vec!["14", "15", "第", "项", "、", "-", "已完成", "滞后", "\n", "，", " ", "：", "下一步", "十", "%", "（", "99999", "."]),
            0..40,
        ),
    ) {
        let text = words.concat();
        if let Understood::Reports(reading) = understand(&text, &items(&[14, 15])) {
            let mut tasks: Vec<_> = reading.said.iter().map(|one| one.task).collect();
            proptest::prop_assert!(tasks.iter().all(|task| [14, 15].contains(task)));
            tasks.sort_unstable();
            tasks.dedup();
            proptest::prop_assert_eq!(tasks.len(), reading.said.len());
        }
    }
}
