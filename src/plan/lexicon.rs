//! What offices call their columns.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::columns::Field;

/// The field a heading names, and how plainly: of two headings for one field the lower rank keeps it.
pub(super) fn field_of(heading: &str) -> Option<(Field, u8)> {
    /// What is longer is no heading, in bytes and then in characters.
    const LONGEST_CELL: usize = 120;
    const LONGEST: usize = 16;
    if heading.len() > LONGEST_CELL {
        return None;
    }
    let name = plain(heading);
    if name.is_empty() || name.chars().count() > LONGEST {
        return None;
    }
    if let Some((first, last)) = period(&name) {
        return Some((Field::Period(first, last), 0));
    }
    // Nearly every cell that is asked about is a name of a unit or a person.
    if !name.ends_with(LASTS.as_slice()) {
        return None;
    }
    if let Some(known) = KNOWN.get(name.as_str()) {
        return Some(*known);
    }
    let ends = |endings: &&[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let ending = ENDINGS.iter().find(|(_, endings)| ends(endings));
    ending.map(|(field, _)| (*field, 100))
}

/// Whole names, with how plainly each says its field.
static KNOWN: LazyLock<HashMap<&str, (Field, u8)>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for field in Field::ALL {
        known.entry(field.heading()).or_insert((field, 0));
    }
    for (field, names) in NAMES {
        for (name, rank) in names.iter().zip(1..) {
            known.entry(*name).or_insert((field, rank));
        }
    }
    known
});

/// The characters that headings end with.
static LASTS: LazyLock<Vec<char>> = LazyLock::new(|| {
    let endings = ENDINGS.iter().flat_map(|(_, endings)| endings.iter());
    let all = KNOWN.keys().chain(endings);
    let lasts: BTreeSet<char> = all.filter_map(|name| name.chars().next_back()).collect();
    lasts.into_iter().collect()
});

/// Whether a column is none of ours, so that it is no use to ask about it.
pub(super) fn is_remark(heading: &str) -> bool {
    const WORDS: [&str; 14] = [
        "备注",
        "说明",
        "电话",
        "联系方式",
        "手机",
        "完成情况",
        "进展",
        "落实情况",
        "得分",
        "分值",
        "权重",
        "存在问题",
        "资金",
        "投资",
    ];
    WORDS.iter().any(|word| heading.contains(word))
}

/// The names as printed elsewhere, those first that say it most plainly.
const NAMES: [(Field, &[&str]); 11] = [
    (
        Field::Number,
        &[
            "序号",
            "编号",
            "任务序号",
            "任务编号",
            "项目序号",
            "事项编号",
            "No",
            "NO",
            "号",
        ],
    ),
    (
        Field::Requirement,
        &[
            "总体任务",
            "总体目标",
            "工作类别",
            "任务类别",
            "类别",
            "领域",
            "工作领域",
            "板块",
            "工作板块",
            "项目类别",
            "指标类别",
            "工作方向",
            "一级任务",
            "任务分类",
            "分类",
            "任务来源",
            "工作要求",
            "总任务",
        ],
    ),
    (
        Field::Goal,
        &[
            "目标任务",
            "年度目标任务",
            "年度目标",
            "年度目标及任务",
            "年度工作目标",
            "主要目标任务",
            "任务内容",
            "工作任务",
            "年度任务",
            "具体任务",
            "任务事项",
            "工作事项",
            "工作内容",
            "任务",
            "任务名称",
            "工作目标",
            "主要任务",
            "主要内容",
            "督办事项",
            "督查事项",
            "事项",
            "事项内容",
            "事项名称",
            "工作项目",
            "项目名称",
            "民生实事",
            "实事项目",
            "二级任务",
            "目标",
            "重点任务",
            "重点工作",
            "重点事项",
            "重点工作任务",
            "任务清单",
            "工作举措",
            "主要举措",
            "具体举措",
            "工作措施",
            "具体措施",
            "主要措施",
            "具体内容",
            "项目内容",
            "建设内容",
            "责任事项",
            "改革事项",
            "改革任务",
        ],
    ),
    (
        Field::Schedule,
        &[
            "进度安排",
            "季度进度安排",
            "分季度进度安排",
            "季度安排",
            "季度计划",
            "季度目标",
            "工作进度",
            "工作进度安排",
            "进度计划",
            "推进计划",
            "阶段目标",
            "阶段性目标",
            "工作计划",
            "工作安排",
            "进度要求",
            "进度目标",
            "时间安排",
            "时间进度",
            "计划进度",
            "推进安排",
            "序时进度",
            "工作节点",
            "推进步骤",
            "实施步骤",
            "里程碑",
            "季度工作安排",
            "时序进度",
            "时序安排",
        ],
    ),
    (
        Field::Deadline,
        &[
            "完成时限",
            "时间节点",
            "完成时间",
            "完成期限",
            "办结时限",
            "办结时间",
            "截止时间",
            "截止日期",
            "时限",
            "时限要求",
            "完成日期",
            "时间要求",
            "完成节点",
            "办理时限",
            "落实时限",
            "整改时限",
            "期限",
        ],
    ),
    (
        Field::Leader,
        &[
            "分管领导",
            "牵头领导",
            "市领导",
            "挂点领导",
            "包保领导",
            "分管副市长",
            "牵头市领导",
            "县领导",
            "区领导",
        ],
    ),
    (
        Field::LeadUnit,
        &[
            "主办单位",
            "承办单位",
            "主责单位",
            "牵头部门",
            "主办部门",
            "牵头责任单位",
            "主要责任单位",
            "第一责任单位",
            "承办部门",
            "责任单位",
            "责任部门",
            "牵头",
            "主办",
            "落实单位",
            "实施单位",
            "单位",
            "部门",
        ],
    ),
    (
        Field::Responsible,
        &[
            "负责人",
            "单位负责人",
            "主要负责人",
            "分管负责人",
            "责任单位负责人",
            "部门负责人",
            "第一责任人",
            "主要责任人",
            "牵头责任人",
        ],
    ),
    (
        Field::DirectOwner,
        &[
            "具体责任人",
            "经办人",
            "联络员",
            "具体负责人",
            "直接负责人",
            "经办人员",
            "承办人",
            "具体经办人",
            "具体承办人",
            "联系人",
            "科室负责人",
            "工作联络员",
            "落实人",
            "填报人",
            "联系人及电话",
            "联系人及联系方式",
            "联系人及联系电话",
        ],
    ),
    (
        Field::AssistingUnit,
        &[
            "协办单位",
            "配合单位",
            "参与单位",
            "协同单位",
            "配合部门",
            "协办部门",
            "参加单位",
            "协助部门",
            "会办单位",
            "协作单位",
            "配合责任单位",
            "其他责任单位",
            "配合",
            "协办",
            "协助",
            "责任单位（配合）",
            "支持单位",
        ],
    ),
    // What an export adds: its own columns are no question when the table comes back.
    (Field::Ignored, &super::export::ADDED),
];

/// Endings that leave no doubt, the longer before the shorter.
const ENDINGS: [(Field, &[&str]); 8] = [
    (
        Field::DirectOwner,
        &["直接责任人", "具体责任人", "经办人", "联络员", "具体负责人"],
    ),
    (Field::Responsible, &["责任人", "负责人"]),
    (Field::Leader, &["领导", "副市长", "副县长", "副区长"]),
    (
        Field::AssistingUnit,
        &[
            "配合单位",
            "协办单位",
            "协助单位",
            "参与单位",
            "配合部门",
            "协办部门",
        ],
    ),
    (
        Field::LeadUnit,
        &[
            "牵头单位",
            "主办单位",
            "承办单位",
            "责任单位",
            "牵头部门",
            "责任部门",
            "主责单位",
        ],
    ),
    (
        Field::Schedule,
        &[
            "进度安排",
            "时间安排",
            "推进计划",
            "进度计划",
            "工作进度",
            "阶段目标",
        ],
    ),
    (
        Field::Deadline,
        &[
            "完成时限",
            "完成时间",
            "时间节点",
            "办结时限",
            "完成期限",
            "截止时间",
            "截止日期",
        ],
    ),
    (
        Field::Goal,
        &[
            "目标任务",
            "工作任务",
            "工作目标",
            "年度目标",
            "工作内容",
            "任务内容",
            "年度任务",
            "任务及目标",
            "目标及任务",
        ],
    ),
];

/// A heading without what an office adds to it: blanks, marks, brackets, the year.
fn plain(heading: &str) -> String {
    let bare = match heading.contains('<') {
        true => Cow::Owned(heading.replace("<p>", "").replace("</p>", "")),
        false => Cow::Borrowed(heading),
    };
    let mut plain = String::with_capacity(bare.len());
    let mut depth = 0_u32;
    for c in bare.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '（' | '(' | '【' | '[' => depth += 1,
            '）' | ')' | '】' | ']' => depth = depth.saturating_sub(1),
            '：' | ':' | '*' | '＊' | '、' | '/' | '／' | '“' | '”' => {}
            _ if depth == 0 => plain.push(narrow(c)),
            _ => {}
        }
    }
    let rest = plain.trim_start_matches(|c: char| c.is_ascii_digit());
    let dated = plain.len() - rest.len() == 4;
    let rest = dated.then(|| rest.strip_prefix('年')).flatten();
    match rest {
        Some("度") | Some("") | None => plain,
        // `2022年度目标` is 年度目标 of 2022.
        Some(rest)
            if rest.starts_with("度目标")
                || rest.starts_with("度任务")
                || rest.starts_with("度工作") =>
        {
            format!("年{rest}")
        }
        Some(rest) => rest.trim_start_matches('度').to_owned(),
    }
}

/// A character of full width as the usual one.
pub(super) fn narrow(c: char) -> char {
    match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => u32::from(c)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        _ => c,
    }
}

/// The quarters a column is for: `第一季度`, `一季度目标`, `Q3`, `7-9月`, `上半年进度`.
fn period(name: &str) -> Option<(u8, u8)> {
    const RUNS: [(&str, (u8, u8)); 12] = [
        ("上半年", (1, 2)),
        ("下半年", (3, 4)),
        ("一至二季度", (1, 2)),
        ("三至四季度", (3, 4)),
        ("一二季度", (1, 2)),
        ("三四季度", (3, 4)),
        ("前三季度", (1, 3)),
        ("1-3月", (1, 1)),
        ("4-6月", (2, 2)),
        ("7-9月", (3, 3)),
        ("10-12月", (4, 4)),
        ("1-6月", (1, 2)),
    ];
    const FIRSTS: [char; 15] = [
        '上', '下', '前', '第', '一', '二', '三', '四', '1', '2', '3', '4', '7', 'Q', 'q',
    ];
    if !name.starts_with(FIRSTS) {
        return None;
    }
    let name: String = name
        .chars()
        .map(|c| match c {
            '—' | '–' | '－' | '～' | '~' | '至' if name.contains('月') => '-',
            other => other,
        })
        .collect();
    let found = RUNS
        .iter()
        .find_map(|(word, run)| Some((*run, name.strip_prefix(word)?.to_owned())));
    let (run, rest) = found.or_else(|| one_quarter(&name))?;
    // What was done is no plan.
    const DONE: [&str; 9] = [
        "完成情况",
        "实际",
        "进展",
        "自评",
        "得分",
        "落实情况",
        "情况",
        "数",
        "问题",
    ];
    let is_plan = rest.chars().count() <= 8 && !DONE.iter().any(|word| rest.contains(word));
    is_plan.then_some(run)
}

fn one_quarter(name: &str) -> Option<((u8, u8), String)> {
    let number = |c: char| match c {
        '一' | '1' => Some(1),
        '二' | '2' => Some(2),
        '三' | '3' => Some(3),
        '四' | '4' => Some(4),
        _ => None,
    };
    let mut chars = name.chars();
    let (quarter, rest) = match chars.next()? {
        'Q' | 'q' => (number(chars.next()?)?, chars.as_str()),
        first => {
            let first = if first == '第' { chars.next()? } else { first };
            let rest = chars.as_str().strip_prefix('季')?;
            (number(first)?, rest.strip_prefix('度').unwrap_or(rest))
        }
    };
    (!rest.starts_with(|c: char| c.is_ascii_digit())).then(|| ((quarter, quarter), rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_by_their_usual_other_names() {
        for (heading, field) in [
            ("具体责任人", Some(Field::DirectOwner)),
            ("联 络 员", Some(Field::DirectOwner)),
            ("经办人（签名）", Some(Field::DirectOwner)),
            ("责任单位", Some(Field::LeadUnit)),
            ("牵头\n单位", Some(Field::LeadUnit)),
            ("承办单位：", Some(Field::LeadUnit)),
            ("配合单位", Some(Field::AssistingUnit)),
            ("2023年度目标任务", Some(Field::Goal)),
            ("2023年工作进度安排", Some(Field::Schedule)),
            ("序  号", Some(Field::Number)),
            ("完成时限（月底）", Some(Field::Deadline)),
            ("第一季度", Some(Field::Period(1, 1))),
            ("一季度目标", Some(Field::Period(1, 1))),
            ("２季度工作安排", Some(Field::Period(2, 2))),
            ("Q3", Some(Field::Period(3, 3))),
            ("10—12月", Some(Field::Period(4, 4))),
            ("下半年进度", Some(Field::Period(3, 4))),
            ("一季度完成情况", None),
            ("Q12", None),
            ("备注", None),
            ("联系电话", None),
            ("市发展改革局", None),
        ] {
            assert_eq!(
                field_of(heading).map(|(field, _)| field),
                field,
                "{heading}"
            );
        }
    }
}
