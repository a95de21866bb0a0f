//! Which of a text's figures are asked for, and of what.

use super::Target;
use super::quantity::{self, Quantity, is_measure, is_share};
use super::words::{DEEDS, DONE, SIZES, THINGS};

/// A stretch of text between commas or stops, or inside brackets, with its figures.
pub(super) struct Clause<'a> {
    text: &'a [char],
    from: usize,
    to: usize,
    quantities: Vec<Quantity>,
    /// Explains what stands before: only what is plainly asked for counts.
    bracketed: bool,
    /// Where the clause before it says what it speaks of, for a clause that is a figure alone.
    topic: (usize, usize),
    /// 全年 was said earlier in the sentence.
    whole_year: bool,
}

/// The clauses of a text; none where it names no figure.
pub(super) fn split(text: &[char]) -> Vec<Clause<'_>> {
    let marks = Marks::of(text);
    let found = quantity::find(text, &marks.hidden);
    if found.is_empty() {
        return Vec::new();
    }
    let mut clauses = Vec::new();
    let mut topic = (0, 0);
    let mut whole_year = false;
    for (from, to) in marks.clauses(text, &found) {
        let bracketed = marks.depth.get(from).is_some_and(|depth| *depth > 0);
        let depth = u8::from(bracketed);
        let quantities: Vec<Quantity> = found
            .iter()
            .filter(|one| (from..to).contains(&one.start))
            .filter(|one| marks.depth.get(one.start) == Some(&depth))
            .cloned()
            .collect();
        let first = quantities.first().map(|first| first.from);
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
                topic = (from, first.unwrap_or(to));
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
        Target {
            what,
            quantity: one.amount,
            text: self.words(one.start, one.end),
            unit: one.unit.clone(),
            bound: one.bound,
            cumulative: self.whole_year
                || says_so_far(&so_far)
                || (is_share(&one.unit) && says_of_whole(&so_far)),
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
        if is_past(&before) {
            return false;
        }
        if is_share(&one.unit) {
            return true;
        }
        if is_attribute(one, &before, &behind, self) {
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
            let (from, to) = self.topic;
            what = cleaned(&self.words(from, to));
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

/// `已摘地29宗项目中`, `现有30家`: how things stand; not `推动已摘地的29宗项目开工`.
fn is_past(before: &str) -> bool {
    const STANDS: [&str; 5] = ["已", "现有", "原有", "目前", "截至"];
    let said_first = |word: &str| {
        let head = before.split_once(word).map(|(head, _)| head);
        head.is_some_and(|head| !DEEDS.iter().any(|deed| head.contains(deed)))
    };
    STANDS.iter().any(|word| said_first(word)) && !before.contains("累计")
}

/// How large something is that is spoken of: `签约1宗30-50亿项目`, `占地50亩`, `总投资5亿元的项目`.
fn is_attribute(one: &Quantity, before: &str, behind: &str, clause: &Clause<'_>) -> bool {
    if !is_measure(&one.unit) {
        return false;
    }
    let is_count = |other: &&Quantity| !is_measure(&other.unit) && !is_share(&other.unit);
    let mut counts = clause.quantities.iter().filter(is_count);
    // `4片2000亩以上`: four, each so large.
    if counts.clone().any(|other| other.to == one.from) {
        return true;
    }
    let of_thing = behind.starts_with('的') && !ends_asked(behind);
    let behind = behind.strip_prefix('的').unwrap_or(behind);
    let is_thing = THINGS.iter().any(|thing| behind.starts_with(thing));
    let is_size = SIZES.iter().any(|size| before.ends_with(size));
    before.ends_with("占地")
        || (is_thing && (of_thing || one.bounded || counts.next().is_some()))
        || (of_thing && (is_size || counts.next().is_some()))
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
    const OF_YEAR: [&str; 7] = ["计划", "预计", "力争", "争取", "拟", "将", "目标"];
    // `三年内` is longer.
    let in_years = |head: &str| head.ends_with(|c: char| "一二两三四五六七八九十".contains(c));
    let this_year = words
        .split_once("年内")
        .is_some_and(|(head, _)| !in_years(head));
    let mut behind = words.split('年').skip(1);
    words.contains("全年")
        || this_year
        || behind.any(|behind| OF_YEAR.iter().any(|word| behind.starts_with(word)))
}

fn says_so_far(before: &str) -> bool {
    ["累计", "累积", "上半年", "前三季度", "前三个季度"]
        .iter()
        .any(|word| before.contains(word))
}

/// A share of the whole is one of all that was done so far.
fn says_of_whole(before: &str) -> bool {
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
    let is_year = words.len() - rest.len() == 4;
    let rest = rest.strip_prefix('年').filter(|_| is_year)?;
    Some(rest.strip_prefix('内').unwrap_or(rest))
}
