//! The four statuses and the few other words, in the ways people write them.

use super::Unclear;
use crate::domain::report::ReportStatus;

use ReportStatus::{Behind, Completed, NotStarted, OnSchedule};

/// Words that say how a whole item stands when they stand alone in a clause.
const WORDS: [(ReportStatus, &[&str]); 4] = [
    (
        Completed,
        &[
            "完成",
            "已完成",
            "已经完成",
            "全部完成",
            "办结",
            "已办结",
            "完结",
            "已完结",
            "办理完毕",
            "已办理完毕",
            "完工",
            "已完工",
            "竣工",
            "已竣工",
            "圆满完成",
            "顺利完成",
            "如期完成",
            "已按期完成",
            "已按时完成",
            "提前完成",
            "超额完成",
            "完成任务",
            "完成目标",
            "已落实",
            "落实到位",
            "已落实到位",
            "已整改到位",
            "整改完毕",
            "整改完成",
            "完成整改",
            "办完了",
            "做完了",
            "完成100%",
            "已达100%",
            "达到100%",
            "100%",
        ],
    ),
    (
        OnSchedule,
        &[
            "正常",
            "正常推进",
            "推进正常",
            "正常进行",
            "正常开展",
            "正常实施",
            "正在推进",
            "正在进行",
            "正在办理",
            "正在实施",
            "正在开展",
            "正在落实",
            "推进中",
            "进行中",
            "办理中",
            "实施中",
            "开展中",
            "落实中",
            "在办",
            "按计划推进",
            "按计划进行",
            "按计划实施",
            "按计划开展",
            "按序时推进",
            "按序时进度推进",
            "按时序推进",
            "按时序进度推进",
            "按进度推进",
            "按节点推进",
            "按期推进",
            "如期推进",
            "按照计划推进",
            "序时推进",
            "达到序时进度",
            "达到时序进度",
            "达序时进度",
            "符合序时进度",
            "符合时序进度",
            "符合进度",
            "符合计划",
            "有序推进",
            "有序进行",
            "有序开展",
            "顺利推进",
            "顺利进行",
            "顺利",
            "稳步推进",
            "持续推进",
            "扎实推进",
            "推进顺利",
            "推进有序",
            "按部就班",
            "在推进",
        ],
    ),
    (
        Behind,
        &[
            "滞后",
            "进度滞后",
            "推进滞后",
            "略有滞后",
            "有所滞后",
            "稍有滞后",
            "存在滞后",
            "较滞后",
            "比较滞后",
            "严重滞后",
            "落后",
            "进度落后",
            "缓慢",
            "推进缓慢",
            "进展缓慢",
            "较慢",
            "偏慢",
            "较为缓慢",
            "推进较慢",
            "推进偏慢",
            "进展较慢",
            "进度较慢",
            "进度偏慢",
            "未达序时进度",
            "未达到序时进度",
            "未达时序进度",
            "未达到时序进度",
            "慢于序时进度",
            "慢于时序进度",
            "落后于序时进度",
            "滞后于序时进度",
            "滞后于计划",
            "未按计划推进",
            "延误",
            "有延误",
            "已延期",
            "延期",
            "逾期",
            "已逾期",
        ],
    ),
    (
        NotStarted,
        &[
            "未启动",
            "尚未启动",
            "还未启动",
            "还没启动",
            "没有启动",
            "没启动",
            "暂未启动",
            "仍未启动",
            "未开始",
            "尚未开始",
            "还未开始",
            "还没开始",
            "没有开始",
            "没开始",
            "暂未开始",
            "未开工",
            "尚未开工",
            "暂未开工",
            "未动工",
            "尚未动工",
            "未开展",
            "尚未开展",
            "还未开展",
            "暂未开展",
            "没有开展",
            "未实施",
            "尚未实施",
        ],
    ),
];

/// These may end a clause that says of what: 征地工作进展缓慢.
const ENDINGS: [(ReportStatus, &[&str]); 2] = [
    (
        OnSchedule,
        &[
            "正常推进",
            "推进正常",
            "进展正常",
            "进度正常",
            "按计划推进",
            "按计划进行",
            "有序推进",
            "顺利推进",
            "稳步推进",
            "进展顺利",
            "推进顺利",
            "按序时进度推进",
            "达到序时进度",
        ],
    ),
    (
        Behind,
        &[
            "滞后",
            "进展缓慢",
            "进度缓慢",
            "推进缓慢",
            "未达序时进度",
            "未达到序时进度",
            "慢于序时进度",
        ],
    ),
];

/// What may stand before without changing what is said, or of what.
const FILLERS: [&str; 74] = [
    "截至目前",
    "截止目前",
    "截至今日",
    "到目前为止",
    "目前",
    "现在",
    "当前",
    "至今",
    "现",
    "本季度",
    "本季",
    "该季度",
    "第一季度",
    "第二季度",
    "第三季度",
    "第四季度",
    "一季度",
    "二季度",
    "三季度",
    "四季度",
    "全年",
    "本年度",
    "该项目",
    "本项目",
    "此项目",
    "该项",
    "本项",
    "此项",
    "这项",
    "该任务",
    "此任务",
    "本任务",
    "任务",
    "工作",
    "项目",
    "事项",
    "进展情况",
    "完成情况",
    "进展",
    "进度",
    "情况",
    "状态",
    "状况",
    "总体上",
    "总体",
    "整体",
    "总的",
    "都",
    "均",
    "已经",
    "已",
    "全部",
    "全",
    "皆",
    "各项",
    "所有",
    "以上",
    "上述",
    "我局",
    "我委",
    "我区",
    "我办",
    "我市",
    "我单位",
    "我处",
    "我科",
    "我镇",
    "我们",
    "的",
    "为",
    "是",
    "处于",
    "项",
    "报告",
];

const ALL_OF_THEM: [&str; 7] = ["全部", "均", "都", "所有", "各项", "以上", "上述"];

/// The clause speaks of a part, of the future, or says the opposite.
const NOT_SO: [&str; 38] = [
    "预计",
    "计划于",
    "争取",
    "力争",
    "拟",
    "将",
    "可能",
    "如果",
    "若",
    "恐",
    "确保",
    "防止",
    "避免",
    "能否",
    "是否",
    "请",
    "要求",
    "建议",
    "部分",
    "其中",
    "其余",
    "个别",
    "除",
    "第一阶段",
    "第二阶段",
    "第三阶段",
    "一期",
    "二期",
    "三期",
    "没有",
    "无",
    "不存在",
    "并未",
    "尚未",
    "不再",
    "未出现",
    "上年",
    "去年",
];

const REMAINS: [&str; 12] = [
    "剩余",
    "剩下",
    "尚有",
    "还有",
    "其余",
    "未完成",
    "尚未",
    "还差",
    "还剩",
    "仍在",
    "仍有",
    "没有完成",
];

/// How an item stands by this text.
pub(super) fn of(text: &str, name: &str) -> Result<ReportStatus, Unclear> {
    let progress = parts(text).progress;
    let mut found: Option<ReportStatus> = None;
    for clause in clauses(&progress) {
        match (classify(clause, name), found) {
            (Some(new), Some(known)) if new != known => return Err(Unclear::Contradiction),
            (Some(new), _) => found = Some(new),
            (None, _) => {}
        }
    }
    let found = found.ok_or(Unclear::NoStatus)?;
    let remains = REMAINS.iter().any(|word| progress.contains(word));
    if found == Completed && (remains || less_than_all(&progress)) {
        return Err(Unclear::Contradiction);
    }
    Ok(found)
}

/// Whether a text begins with a clause that says how something stands.
pub(super) fn begins_with_one(text: &str) -> bool {
    let first = clauses(text).next().unwrap_or_default();
    classify(first, "").is_some()
}

/// Whether what follows a number directly may be words about it.
pub(super) fn may_begin(c: char) -> bool {
    "已未尚正完办推进滞落全均都按有稳顺没还暂在不非".contains(c)
}

/// Whether this says no more than how all items stand, in so many words.
pub(super) fn speaks_of_all(text: &str) -> bool {
    let mut all = false;
    let mut said = false;
    for clause in clauses(text) {
        if courtesy(clause) {
            continue;
        }
        if exactly(clause, "").is_none() {
            return false;
        }
        said = true;
        all |= ALL_OF_THEM.iter().any(|word| clause.contains(word));
    }
    all && said
}

/// Whether this says that it was read, and no more.
pub(super) fn acknowledges(text: &str) -> bool {
    let mut any = false;
    for clause in clauses(text) {
        if known(clause) {
            any = true;
        } else if !courtesy(clause) {
            return false;
        }
    }
    any
}

/// Whether this says that it is somebody else's, and no more.
pub(super) fn disowns(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "不是我负责",
        "不是我的",
        "不是我局",
        "不是我们",
        "不是我单位",
        "不是我办",
        "不是我科",
        "不是本人",
        "不归我",
        "不由我",
        "非我负责",
        "非我局",
        "不属于我",
        "不属我",
        "不是由我",
        "我已调离",
        "本人已调离",
        "已调岗",
        "我不负责",
        "不再负责",
        "已不负责",
        "找错人",
    ];
    const LONGEST: usize = 80;
    let short = text.chars().count() <= LONGEST;
    let said = WORDS.iter().any(|word| text.contains(word)) || clauses(text).any(|c| c == "不是我");
    short && said && !clauses(text).any(|clause| exactly(clause, "").is_some())
}

/// Whether this asks how to answer.
pub(super) fn asks_for_help(text: &str) -> bool {
    let word = text.trim_matches(|c: char| c.is_whitespace() || "。！!".contains(c));
    matches!(
        word,
        "帮助"
            | "求助"
            | "?"
            | "？"
            | "help"
            | "Help"
            | "HELP"
            | "怎么报"
            | "怎么填"
            | "如何填报"
            | "如何报送"
    )
}

/// A greeting, thanks, or the line that leads over to the answer.
pub(super) fn is_courtesy(text: &str) -> bool {
    const LONGEST: usize = 40;
    text.lines().map(str::trim).all(|line| {
        let leads_over = line.ends_with(['：', ':']) && line.chars().count() <= LONGEST;
        leads_over || clauses(line).all(courtesy)
    })
}

/// 完成情况, 存在问题 and 下一步措施, as far as the text names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub progress: String,
    pub problems: String,
    pub next_steps: String,
}

pub(super) fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut field = 0_u8;
    for line in text.trim().lines() {
        let mut rest = line.trim();
        while !rest.is_empty() {
            if let Some((labelled, after)) = label(rest) {
                (field, rest) = (labelled, after);
            }
            let end = next_label(rest);
            let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let into = match field {
                1 => &mut parts.problems,
                2 => &mut parts.next_steps,
                _ => &mut parts.progress,
            };
            into.push_str(piece.trim_end());
            rest = after;
        }
        for text in [
            &mut parts.progress,
            &mut parts.problems,
            &mut parts.next_steps,
        ] {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    for text in [
        &mut parts.progress,
        &mut parts.problems,
        &mut parts.next_steps,
    ] {
        text.truncate(text.trim_end().len());
    }
    parts
}

/// The one share of work done that the text names.
pub(super) fn percent(text: &str) -> Option<u8> {
    let mut found = None;
    for (at, _) in text.match_indices('%') {
        let before = text.get(..at)?;
        let number = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let digits = before.get(number.len()..)?;
        let clause = clauses(number).last().unwrap_or_default();
        if found.is_some() || !(clause.contains("完成") || clause.contains("进度")) {
            return None;
        }
        found = Some(digits.parse::<u8>().ok().filter(|share| *share <= 100)?);
    }
    found
}

/// Places of the labels are few, texts are short: looked for from every sentence.
fn next_label(text: &str) -> usize {
    let starts = text.match_indices(['。', '；', ';', '，', ' ']);
    for (at, stop) in starts {
        let after = at + stop.len();
        if text.get(after..).is_some_and(|rest| label(rest).is_some()) {
            return after;
        }
    }
    text.len()
}

fn label(text: &str) -> Option<(u8, &str)> {
    const LABELS: [(u8, &[&str]); 3] = [
        (0, &["完成情况", "进展情况", "工作进展", "目前进展", "进展"]),
        (
            1,
            &[
                "存在的主要问题",
                "存在的困难和问题",
                "存在困难和问题",
                "存在的问题",
                "存在问题",
                "存在困难",
                "困难和问题",
                "困难问题",
                "主要问题",
                "主要困难",
                "遇到的困难",
                "滞后原因",
                "原因",
                "困难",
                "问题",
            ],
        ),
        (
            2,
            &[
                "下一步工作措施",
                "下一步工作计划",
                "下一步工作",
                "下一步措施",
                "下一步计划",
                "下一步打算",
                "下步工作",
                "下步措施",
                "下步计划",
                "下一步",
                "下步",
                "措施",
            ],
        ),
    ];
    let text = text.trim_start();
    for (field, words) in LABELS {
        for word in words {
            let after = text.strip_prefix(word).map(str::trim_start);
            if let Some(rest) = after.and_then(|after| after.strip_prefix(['：', ':'])) {
                return Some((field, rest.trim_start()));
            }
        }
    }
    None
}

fn clauses(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "，,。；;！!？?、：:（）()【】[]“”\"~～".contains(c))
        .map(|clause| clause.trim_end_matches(['.', '了', '-', '—']))
        .filter(|clause| !clause.is_empty())
}

fn classify(clause: &str, name: &str) -> Option<ReportStatus> {
    const LONGEST: usize = 24;
    if let Some(status) = exactly(clause, name) {
        return Some(status);
    }
    if clause.chars().count() > LONGEST || NOT_SO.iter().any(|word| clause.contains(word)) {
        return None;
    }
    let ends = |(status, words): &(ReportStatus, &[&str])| {
        let at = words.iter().find_map(|word| clause.strip_suffix(word));
        at.filter(|before| !before.ends_with(['未', '不', '无', '非']))
            .map(|_| *status)
    };
    ENDINGS.iter().find_map(ends)
}

/// The status that a clause says of the whole, fillers and the item's own name apart.
fn exactly(clause: &str, name: &str) -> Option<ReportStatus> {
    let mut rest = clause;
    loop {
        let of = |(_, words): &&(ReportStatus, &[&str])| words.contains(&rest);
        if let Some((status, _)) = WORDS.iter().find(of) {
            return Some(*status);
        }
        let named = Some(name).filter(|name| name.chars().count() >= 2);
        let shorter = FILLERS
            .iter()
            .copied()
            .chain(named)
            .find_map(|filler| rest.strip_prefix(filler));
        rest = shorter.filter(|rest| !rest.is_empty())?;
    }
}

fn known(clause: &str) -> bool {
    const WORDS: [&str; 24] = [
        "收到",
        "已收到",
        "收悉",
        "已收悉",
        "来文收悉",
        "邮件收悉",
        "邮件已收到",
        "已知悉",
        "知悉",
        "已知",
        "已悉",
        "知道",
        "我知道",
        "已阅",
        "已阅知",
        "阅知",
        "已阅悉",
        "明白",
        "好的",
        "好",
        "OK",
        "ok",
        "Ok",
        "了解",
    ];
    WORDS.contains(&clause) || clause == "我已知悉" || clause == "本人已知悉"
}

fn courtesy(clause: &str) -> bool {
    const WORDS: [&str; 26] = [
        "您好",
        "你好",
        "领导好",
        "领导您好",
        "各位领导",
        "尊敬的领导",
        "领导",
        "督查室",
        "督查科",
        "同志",
        "老师好",
        "谢谢",
        "感谢",
        "多谢",
        "辛苦了",
        "辛苦",
        "此致",
        "敬礼",
        "特此报告",
        "特此回复",
        "特此说明",
        "以上",
        "回复如下",
        "汇报如下",
        "报告如下",
        "妥否请批示",
    ];
    WORDS.contains(&clause) || known(clause)
}

/// A share of the work below 100 per cent beside the word that it is done.
fn less_than_all(text: &str) -> bool {
    percent(text).is_some_and(|share| share < 100)
}
