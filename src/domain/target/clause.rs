//! Which of a text's figures are asked for, and of what.

use super::Target;
use super::quantity::{self, Quantity, is_measure, is_share};

/// A stretch of text between commas or stops, or inside brackets, with its figures.
pub(super) struct Clause<'a> {
    text: &'a [char],
    from: usize,
    to: usize,
    quantities: Vec<Quantity>,
    /// Explains what stands before: only what is plainly asked for counts.
    bracketed: bool,
    /// What the clause before it spoke of, for a clause that is a figure alone.
    topic: String,
    /// 全年 was said earlier in the sentence.
    whole_year: bool,
}

/// The clauses of a text.
pub(super) fn split(text: &[char]) -> Vec<Clause<'_>> {
    let marks = Marks::of(text);
    let found = quantity::find(text, &marks.hidden);
    let mut clauses = Vec::new();
    let mut topic = String::new();
    let mut whole_year = false;
    for (from, to) in marks.clauses(text, &found) {
        let bracketed = marks.depth.get(from).is_some_and(|depth| *depth > 0);
        let depth = u8::from(bracketed);
        let quantities = found
            .iter()
            .filter(|one| (from..to).contains(&one.start))
            .filter(|one| marks.depth.get(one.start) == Some(&depth))
            .cloned()
            .collect();
        let words: String = text.get(from..to).unwrap_or_default().iter().collect();
        let says_year = says_whole_year(&words);
        clauses.push(Clause {
            text,
            from,
            to,
            quantities,
            bracketed,
            topic: std::mem::take(&mut topic),
            whole_year: whole_year || says_year,
        });
        if !bracketed {
            let ends = text.get(to).is_none_or(|c| is_stop(*c));
            whole_year = (whole_year || says_year) && !ends;
            if !ends {
                let first = clauses.last().and_then(|clause| clause.quantities.first());
                let spoken = first.and_then(|first| text.get(from..first.from));
                topic = cleaned(&spoken.map_or(words, |spoken| spoken.iter().collect()));
            }
        }
    }
    clauses
}

impl Clause<'_> {
    /// What it asks for.
    pub(super) fn targets(&self) -> Vec<Target> {
        if let Some(targets) = self.paired() {
            return targets;
        }
        let lead = self
            .quantities
            .first()
            .map(|first| cleaned(&self.words(self.from, first.from)))
            .unwrap_or_default();
        let segments = self.segments();
        let mut targets = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let others = segment.quantities.len();
            for one in &segment.quantities {
                if self.is_asked_for(one, segment, others) {
                    let lead = if index > 0 { lead.as_str() } else { "" };
                    targets.push(self.target(one, self.what(one, segment, lead)));
                }
            }
        }
        targets
    }

    /// `甲、乙、丙分别累计完成投资1亿元、0.1亿元、1亿元`: a name for each figure.
    fn paired(&self) -> Option<Vec<Target>> {
        let first = self.quantities.first()?;
        let before = self.words(self.from, first.from);
        let (names, deed) = before.rsplit_once("分别")?;
        let names: Vec<&str> = names
            .split('、')
            .flat_map(|part| part.split(['和', '及', '与']))
            .filter(|name| !name.trim().is_empty())
            .collect();
        if names.len() != self.quantities.len() || names.len() < 2 {
            return None;
        }
        let deed = cleaned(deed);
        let targets = self.quantities.iter().zip(names);
        Some(
            targets
                .map(|(one, name)| self.target(one, format!("{}{deed}", cleaned(name))))
                .collect(),
        )
    }

    fn target(&self, one: &Quantity, what: String) -> Target {
        let so_far = self.words(self.from, one.start);
        let behind = self.words(one.end, self.to);
        Target {
            what,
            quantity: one.amount,
            text: self.words(one.start, one.end),
            unit: one.unit.clone(),
            bound: one.bound,
            cumulative: self.whole_year
                || says_so_far(&so_far)
                || (is_share(&one.unit) && says_of_whole(&so_far, &behind)),
        }
    }

    /// The stretches of the clause that each speak of one figure, or of figures within each other.
    fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut open = Segment {
            from: self.from,
            to: self.to,
            quantities: Vec::new(),
        };
        for one in &self.quantities {
            if let Some(cut) = open.quantities.last().and_then(|last| self.cut(last, one)) {
                open.to = cut;
                segments.push(open);
                open = Segment {
                    from: cut + 1,
                    to: self.to,
                    quantities: Vec::new(),
                };
            }
            open.quantities.push(one.clone());
        }
        segments.push(open);
        segments
    }

    /// Where a list parts between two figures.
    fn cut(&self, last: &Quantity, next: &Quantity) -> Option<usize> {
        let at = |place: usize| self.text.get(place).copied();
        let parts =
            |place: usize| matches!(at(place), Some('、' | '和' | '及' | '与' | '并' | '/'));
        if at(last.to) == Some('、') {
            return Some(last.to);
        }
        let comma = (last.to..next.from)
            .rev()
            .find(|place| at(*place) == Some('、'));
        let beside = || {
            [Some(last.to), next.from.checked_sub(1)]
                .into_iter()
                .flatten()
        };
        comma.or_else(|| beside().find(|place| *place >= last.to && parts(*place)))
    }

    fn is_asked_for(&self, one: &Quantity, segment: &Segment, figures: usize) -> bool {
        let before = self.words(self.from, one.from);
        let behind = self.words(one.to, segment.to);
        let does = DEEDS.iter().any(|deed| before.contains(deed))
            || before.ends_with(['为', '向', '对'])
            || says_whole_year(&before);
        if self.bracketed && !(one.bounded && ends_asked(&behind) && (does || says_aim(&before))) {
            return false;
        }
        // `已摘地29宗项目中`, `现有30家`: how things stand.
        let past = ["已", "现有", "原有", "目前", "截至"];
        if past.iter().any(|word| before.contains(word)) && !before.contains("累计") {
            return false;
        }
        if is_share(&one.unit) {
            return true;
        }
        if is_attribute(one, &before, &behind, figures, self) {
            return false;
        }
        if one.in_words {
            return self.is_asked_for_in_words(one, &before);
        }
        let last = segment.quantities.last();
        let of_share = last.is_some_and(|last| last.start > one.end && is_share(&last.unit));
        if before.contains("巩固") || (of_share && before.ends_with(['、', '和', '及'])) {
            return one.bounded;
        }
        if does || one.bounded || ends_asked(&behind) {
            return !is_fixed_set(one, &before, &behind) || one.bounded;
        }
        // `32个镇街完成建设`: who has done it is counted, unless a figure of its own is.
        figures == 1
            && DONE.iter().any(|word| behind.contains(word))
            && !before.ends_with(['、', '和', '及', '等'])
    }

    /// Words count too often without counting anything (`一个机制`, `两家企业的`): only where
    /// something is plainly to be done so many times.
    fn is_asked_for_in_words(&self, one: &Quantity, before: &str) -> bool {
        const TIMES: &[&str] = &["次", "轮次", "场次", "场", "人次"];
        if one.bounded {
            return true;
        }
        let behind = self.words(one.to, self.to);
        if one.unit == "期" || behind.starts_with(['“', '《']) || behind.starts_with("民生实事")
        {
            return false;
        }
        let of_times = TIMES.contains(&one.unit.as_str());
        let follows = DEEDS.iter().any(|deed| before.ends_with(deed)) && !before.ends_with("推动");
        if follows || before.ends_with('等') {
            return of_times || one.amount.to_string() != "1";
        }
        of_times && ends_asked(&behind) || one.unit == "宗"
    }

    fn what(&self, one: &Quantity, segment: &Segment, lead: &str) -> String {
        let before = cleaned(&self.words(segment.from, one.from));
        let behind = without_aim(&self.words(one.to, segment.to));
        let mut what = if behind.is_empty() {
            before
                .trim_end_matches(['为', '至', '到', '的', '有', '在'])
                .to_owned()
        } else {
            format!("{before}{behind}")
        };
        if before.is_empty() && !behind.is_empty() {
            what = format!("{lead}{behind}");
        }
        if what.is_empty() {
            what.clone_from(&self.topic);
        }
        what
    }

    fn words(&self, from: usize, to: usize) -> String {
        self.text.get(from..to).unwrap_or_default().iter().collect()
    }
}

struct Segment {
    from: usize,
    to: usize,
    quantities: Vec<Quantity>,
}

/// Of each character: whether it belongs to a name, and how deep it stands in brackets.
struct Marks {
    hidden: Vec<bool>,
    depth: Vec<u8>,
}

impl Marks {
    fn of(text: &[char]) -> Self {
        let mut marks = Self {
            hidden: vec![false; text.len()],
            depth: vec![0; text.len()],
        };
        let mut open: Vec<(usize, char)> = Vec::new();
        for (at, c) in text.iter().enumerate() {
            if let Some(close) = closing(*c) {
                open.push((at, close));
            } else if let Some(place) = open.iter().rposition(|(_, close)| close == c) {
                let (from, close) = open.get(place).copied().unwrap_or((at, *c));
                open.truncate(place);
                let is_bracket = matches!(close, '）' | ')');
                for inside in from + 1..at {
                    if is_bracket {
                        marks
                            .depth
                            .get_mut(inside)
                            .into_iter()
                            .for_each(|d| *d = d.saturating_add(1));
                    } else {
                        marks
                            .hidden
                            .get_mut(inside)
                            .into_iter()
                            .for_each(|h| *h = true);
                    }
                }
            }
        }
        marks
    }

    /// Stretches between stops and commas outside of brackets and names; and what stands in
    /// brackets, each by itself.
    fn clauses(&self, text: &[char], found: &[Quantity]) -> Vec<(usize, usize)> {
        let mut clauses = Vec::new();
        for depth in [0, 1] {
            let mut from = None;
            for at in 0..=text.len() {
                let is_in = |at: usize| match depth {
                    0 => true,
                    _ => self.depth.get(at) == Some(&1),
                };
                let parts = match text.get(at) {
                    None => true,
                    Some(c) => {
                        (is_comma(*c) || is_stop(*c))
                            && self.hidden.get(at) == Some(&false)
                            && self.depth.get(at) == Some(&depth)
                            && !found.iter().any(|one| (one.start..one.end).contains(&at))
                    }
                };
                if parts || !is_in(at) {
                    if let Some(from) = from.take() {
                        clauses.push((from, at));
                    }
                } else if from.is_none() {
                    from = Some(at);
                }
            }
        }
        clauses.sort_unstable_by_key(|(from, to)| (*from, std::cmp::Reverse(*to)));
        clauses
    }
}

fn closing(c: char) -> Option<char> {
    const PAIRS: [(char, char); 8] = [
        ('《', '》'),
        ('“', '”'),
        ('「', '」'),
        ('〔', '〕'),
        ('【', '】'),
        ('[', ']'),
        ('（', '）'),
        ('(', ')'),
    ];
    PAIRS
        .into_iter()
        .find_map(|(open, close)| (open == c).then_some(close))
}

fn is_stop(c: char) -> bool {
    matches!(c, '。' | '；' | ';' | '！' | '？' | '\n')
}

fn is_comma(c: char) -> bool {
    matches!(c, '，' | ',' | '：' | ':')
}

/// What is done to what is counted.
const DEEDS: &[&str] = &[
    "完成", "实现", "新增", "新建", "改建", "扩建", "建成", "建设", "建立", "建", "打造", "引进",
    "引入", "培育", "培养", "推动", "推进", "推出", "开展", "组织", "举办", "召开", "承办", "参加",
    "走访", "服务", "帮扶", "解决", "整治", "治理", "拆除", "改造", "升级", "签约", "落地", "认定",
    "评选", "选取", "选定", "选派", "选拔", "选择", "挑选", "遴选", "形成", "发布", "出台", "制定",
    "印发", "公布", "设置", "设立", "布设", "增设", "配备", "安排", "指导", "督导", "督促", "支持",
    "扶持", "资助", "发放", "检查", "抽检", "巡查", "清理", "培训", "招聘", "招录", "招引", "招收",
    "吸引", "孵化", "储备", "梳理", "推送", "提供", "创建", "申报", "争创", "通过", "入库", "出让",
    "收回", "盘活", "供应", "收储", "整备", "收地", "优化", "打掉", "破获", "查处", "抓获", "种植",
    "抚育", "开工", "竣工", "投产", "动工", "启动", "投入", "安装", "更换", "铺设", "购置", "采购",
    "投放", "增加", "扩大", "提升", "纳入", "开行", "开通", "运营", "上线", "接入", "受理", "办理",
    "化解", "调解", "审查", "立项", "发表", "授权", "转化", "登记", "覆盖", "拨付", "落实", "消除",
    "修复", "关停", "淘汰", "压减", "减少", "降低", "发动", "带动", "惠及", "救助", "慰问", "编制",
    "征集", "募集", "收集", "开发", "研发", "保障", "争取", "力争", "确保", "预计", "计划", "累计",
    "用好", "绿化", "取得", "获得", "获批", "达成", "贷款", "融资", "销售", "收购", "处置", "盘",
    "消化", "回收", "处理", "供给", "筹集", "配建", "配租", "摸排", "排查", "检测", "监测", "试点",
    "评定", "验收", "交付", "搬迁", "签订",
];

/// What is said of who has done their part.
const DONE: &[&str] = &[
    "完成",
    "实现",
    "建成",
    "建立",
    "达到",
    "开工",
    "竣工",
    "投产",
    "落地",
    "通过",
    "投入使用",
    "全覆盖",
];

/// Behind a figure that ends its clause: nothing, or only that it is the aim.
fn ends_asked(behind: &str) -> bool {
    without_aim(behind).is_empty()
}

fn says_aim(before: &str) -> bool {
    ["确保", "实现", "力争", "要", "完成", "动工", "率"]
        .iter()
        .any(|word| before.contains(word))
}

/// `…的目标任务` behind a figure says nothing of what is counted.
fn without_aim(behind: &str) -> String {
    const AIMS: [&str; 7] = [
        "的目标任务",
        "的任务目标",
        "目标任务",
        "的目标",
        "的任务",
        "目标",
        "任务",
    ];
    let rest = behind.trim();
    let rest = AIMS
        .iter()
        .find_map(|aim| rest.strip_suffix(aim))
        .unwrap_or(rest);
    let rest = rest.strip_prefix('的').unwrap_or(rest);
    let goes_on = rest.starts_with(['（', '(', '、', '并', '和']);
    if goes_on {
        String::new()
    } else {
        rest.to_owned()
    }
}

/// `签约1宗30-50亿项目`, `总投资5亿元的项目`, `占地50亩`: what a thing is like.
fn is_attribute(
    one: &Quantity,
    before: &str,
    behind: &str,
    figures: usize,
    clause: &Clause<'_>,
) -> bool {
    if !is_measure(&one.unit) {
        return false;
    }
    const SIZES: [&str; 10] = [
        "占地",
        "面积",
        "总投资",
        "总占地",
        "注册资本",
        "全长",
        "总长",
        "规模",
        "产值",
        "营收",
    ];
    let of_thing = behind.starts_with('的') && !ends_asked(behind);
    let sized = SIZES.iter().any(|size| before.ends_with(size));
    let counted_too = figures > 1 || clause.quantities.len() > 1;
    let things = [
        "项目",
        "企业",
        "优质",
        "重大",
        "产业",
        "工程",
        "以上项目",
        "以上企业",
        "工业企业",
        "规上",
    ];
    let is_thing = things.iter().any(|thing| behind.starts_with(thing));
    let followed = clause
        .quantities
        .iter()
        .any(|other| other.start > one.end && !is_measure(&other.unit) && !is_share(&other.unit));
    let led = clause
        .quantities
        .iter()
        .any(|other| other.end <= one.start && !is_measure(&other.unit) && !is_share(&other.unit));
    (of_thing && (sized || counted_too || is_thing_of(behind)))
        || (is_thing && counted_too && (followed || led))
        || (is_thing && one.bounded)
        || before.ends_with("占地")
        || before.ends_with("建筑面积")
        || before.ends_with("占地面积")
        || before.ends_with("全长")
}

fn is_thing_of(behind: &str) -> bool {
    ["的项目", "的企业", "的产业", "的重大", "的地块", "的工程"]
        .iter()
        .any(|thing| behind.starts_with(thing))
}

/// `莞城等19个分局`, `7个核心区的2022年目标`: all there are, not how many there shall be.
fn is_fixed_set(one: &Quantity, before: &str, behind: &str) -> bool {
    let listed =
        before.ends_with('等') && !matches!(one.unit.as_str(), "场" | "次" | "场次" | "期");
    let all = ["全市", "全部", "全体", "所有", "上述", "巩固"]
        .iter()
        .any(|word| before.ends_with(word));
    (listed && !behind.is_empty() && DONE.iter().any(|word| behind.contains(word)))
        || (all && behind.is_empty())
}

fn says_whole_year(words: &str) -> bool {
    let of_year = ["计划", "预计", "力争", "争取", "拟", "将", "目标"];
    words.contains("全年")
        || words.contains("年内")
        || of_year
            .iter()
            .any(|word| words.contains(&format!("年{word}")))
}

fn says_so_far(before: &str) -> bool {
    ["累计", "累积", "上半年", "前三季度", "前三个季度"]
        .iter()
        .any(|word| before.contains(word))
}

/// A share of the whole is one of all that was done so far.
fn says_of_whole(before: &str, _behind: &str) -> bool {
    [
        "总工程量",
        "总体工程量",
        "总体完成",
        "总量",
        "总投资",
        "总进度",
    ]
    .iter()
    .any(|word| before.contains(word))
}

/// A clause's words without the year, the hope and the "altogether" around them.
fn cleaned(words: &str) -> String {
    const FRONT: &[&str] = &[
        "力争",
        "争取",
        "确保",
        "计划",
        "预计",
        "努力",
        "全年",
        "年内",
        "并",
        "同时",
        "其中",
        "以及",
        "和",
        "及",
        "、",
        "将",
        "要",
        "，",
        ",",
        "再",
        "累计",
        "分别",
        "预期",
        "拟",
        "本年度",
        "年底前",
        "共",
        "另",
        "到",
        "按",
        " ",
        "已",
    ];
    const INSIDE: &[&str] = &["累计", "累积", "分别", "全年", "力争"];
    let mut words = words.trim().to_owned();
    for word in INSIDE {
        words = words.replace(word, "");
    }
    loop {
        let before = words.len();
        if let Some(rest) = without_year(&words) {
            words = rest.to_owned();
        }
        for word in FRONT {
            if let Some(rest) = words.strip_prefix(word) {
                words = rest.to_owned();
            }
        }
        if words.len() == before {
            return words.trim().to_owned();
        }
    }
}

fn without_year(words: &str) -> Option<&str> {
    let rest = words.trim_start_matches(|c: char| c.is_ascii_digit());
    (words.len() - rest.len() == 4)
        .then_some(rest)?
        .strip_prefix('年')
}
