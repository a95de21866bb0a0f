//! Answers read: what makes the same record, and every fault at once.

use super::rules::{Field, ReportRules, StatusRule};
use super::*;

fn draft() -> Draft {
    Draft {
        task: 16,
        group: None,
        status: "completed".into(),
        progress: " 已举办中国国际商标品牌节。\r\n共签约12项。\u{0} ".into(),
        problems: String::new(),
        next_steps: String::new(),
        percent: "１００％".into(),
        actuals: Vec::new(),
    }
}

fn by(draft: &Draft) -> Result<Words, Vec<FieldFault>> {
    read(draft, &ReportRules::default())
}

#[test]
fn the_same_words_by_any_door_give_the_same_record() {
    let form = by(&draft()).unwrap();
    let api = by(&Draft {
        progress: "已举办中国国际商标品牌节。\n共签约12项。".into(),
        percent: "100".into(),
        ..draft()
    });
    assert_eq!(Ok(form), api);
}

#[test]
fn a_status_is_wanted_and_everything_else_may_be_empty() {
    let bare = Draft {
        progress: String::new(),
        percent: " ".into(),
        ..draft()
    };
    assert_eq!(by(&bare).unwrap().percent, None);
    let none = Draft {
        status: "done".into(),
        ..draft()
    };
    assert_eq!(by(&none).unwrap_err()[0].field, "status");
}

#[test]
fn all_faults_are_told_at_once() {
    let long = "督".repeat(LONGEST_TEXT + 1);
    let bad = Draft {
        status: String::new(),
        problems: long.clone(),
        next_steps: long,
        percent: "101".into(),
        ..draft()
    };
    let fields: Vec<_> = by(&bad).unwrap_err().iter().map(|f| f.field).collect();
    assert_eq!(fields, ["status", "problems", "next_steps", "percent"]);
    for percent in ["-1", "1.5", "百", "1e1", "+5", "300"] {
        let bad = Draft {
            percent: percent.into(),
            ..draft()
        };
        assert!(by(&bad).is_err(), "{percent}");
    }
}

#[test]
fn what_an_office_asks_for_is_asked_for_by_status_and_nothing_is_cut() {
    let rules = ReportRules {
        behind: StatusRule {
            required: vec![Field::Problems, Field::NextSteps, Field::Percent],
            shortest: 0,
            longest: 10,
        },
        completed: StatusRule {
            shortest: 5,
            ..StatusRule::default()
        },
        ..ReportRules::default()
    };
    let told = |draft: &Draft| -> Vec<String> {
        let faults = read(draft, &rules).err().unwrap_or_default();
        let told = faults.iter().map(|f| format!("{} {}", f.field, f.message));
        told.collect()
    };
    let behind = Draft {
        status: "behind".into(),
        progress: "场地尚未落实，正在协调。".into(),
        percent: String::new(),
        ..draft()
    };
    assert_eq!(
        told(&behind),
        [
            "progress “完成情况”共12字，超出10字的上限，请精简后再提交",
            "problems 进展情况为“进度滞后”的，请填写“存在问题”",
            "next_steps 进展情况为“进度滞后”的，请填写“下一步措施”",
            "percent 进展情况为“进度滞后”的，请填写“完成比例”",
        ]
    );
    let whole = Draft {
        progress: "协调场地。".into(),
        problems: "场地".into(),
        next_steps: " 再议 ".into(),
        percent: "30".into(),
        ..behind
    };
    assert_eq!(told(&whole), Vec::<String>::new());
    let thin = Draft {
        progress: "已办".into(),
        ..draft()
    };
    assert_eq!(
        told(&thin),
        ["progress “完成情况”共2字，请写明具体情况，不少于5字"]
    );
    let bare = Draft {
        progress: String::new(),
        ..draft()
    };
    assert_eq!(told(&bare), Vec::<String>::new(), "a tap says it all");
    assert_eq!(rules.bare().len(), 3);
    assert_eq!(
        rules.told().unwrap(),
        "“进度滞后”的请填写存在问题、下一步措施、完成比例"
    );
}
