//! Which names of a table may be one unit, with the evidence; a coordinator decides.
//!
//! A wrong proposal costs more than a missed one: `市水务局` and `市水务集团`, `交警支队` and
//! `刑警支队` are two. Where only one character differs, people must be shared to say so.

use std::collections::BTreeSet;

use super::{UnitNames, plain};

/// A name as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The name.
    pub unit: String,
    /// In how many cells.
    pub times: u32,
    /// Who stands for it, by name.
    pub people: BTreeSet<String>,
}

/// Two names that may be one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The name that stands more often.
    pub unit: Mention,
    /// The other.
    pub other: Mention,
    /// Why, in Chinese.
    pub evidence: String,
}

/// For each name at most one that it may be another name of; the most frequent of several.
#[must_use]
pub fn proposals(mentions: &[Mention], names: &UnitNames) -> Vec<Proposal> {
    let mut known: Vec<Forms<'_>> = mentions
        .iter()
        .filter(|one| !names.is_group(&one.unit) && !is_collective(&one.unit))
        .map(Forms::of)
        .collect();
    if known.len() > MOST {
        return Vec::new();
    }
    known.sort_by(|a, b| {
        let (a, b) = (a.mention, b.mention);
        (b.times, &a.unit).cmp(&(a.times, &b.unit))
    });
    let mut proposals: Vec<Proposal> = Vec::new();
    for (place, other) in known.iter().enumerate() {
        let found = known.iter().take(place).find_map(|unit| {
            let evidence = evidence(unit, other)?;
            let (unit, other) = (unit.mention, other.mention);
            (!names.are_different(&unit.unit, &other.unit)).then_some((unit, evidence))
        });
        if let Some((unit, evidence)) = found {
            proposals.push(Proposal {
                unit: unit.clone(),
                other: other.mention.clone(),
                evidence,
            });
        }
    }
    proposals
}

/// A table with more names than these is no city's; each is compared with each.
const MOST: usize = 1000;

/// A name in the forms that are compared.
struct Forms<'a> {
    mention: &'a Mention,
    plain: String,
    in_city: String,
    shortened: String,
    marks: Vec<char>,
    /// Characters of `in_city`.
    length: usize,
    /// Which characters those are: a bit each, that several share.
    signs: u64,
}

impl<'a> Forms<'a> {
    fn of(mention: &'a Mention) -> Self {
        let plain = plain(&mention.unit).into_owned();
        let shortened = shortened(&plain);
        let in_city = in_city(&plain);
        Self {
            mention,
            length: count(&in_city),
            signs: in_city
                .chars()
                .fold(0, |signs, c| signs | 1 << (u32::from(c) % 64)),
            in_city,
            marks: marks(&shortened),
            shortened,
            plain,
        }
    }
}

/// A name for whoever it may be: `各镇街（园区）`, `市税务局等相关部门`, `…成员单位`.
fn is_collective(unit: &str) -> bool {
    const PARTS: [&str; 9] = [
        "各", "有关", "相关", "等", "成员", "部门", "单位", "及", "两市",
    ];
    PARTS.iter().any(|part| unit.contains(part)) || unit.starts_with("镇街")
}

fn evidence(one: &Forms<'_>, other: &Forms<'_>) -> Option<String> {
    if one.marks != other.marks {
        return None;
    }
    let shared = || one.mention.people.intersection(&other.mention.people);
    let kind = if one.shortened == other.shortened {
        Some("像是全称和简称")
    } else if let Some(kind) = says_the_same(one, other).or_else(|| says_the_same(other, one)) {
        Some(kind)
    } else {
        let slip = differs_in_one(&one.plain, &other.plain) && shared().next().is_some();
        slip.then_some("只差一个字")
    }?;
    let people: Vec<&str> = shared().map(String::as_str).collect();
    Some(match people.as_slice() {
        [] => kind.to_owned(),
        people => format!("{kind}，且责任人同为{}", people.join("、")),
    })
}

/// How `more` may be `less` with something added.
fn says_the_same(more: &Forms<'_>, less: &Forms<'_>) -> Option<&'static str> {
    /// Characters that any of these adds or puts for others.
    const MOST: usize = 3;
    /// 委员会 for 局: what one has and the other has not.
    const DIFFERENT: u32 = 4;
    if less.length < 3 || more.length.abs_diff(less.length) > MOST {
        return None;
    }
    // Nearly all pairs are not alike at all.
    if (more.signs ^ less.signs).count_ones() > DIFFERENT {
        return None;
    }
    let (more, less) = (more.in_city.as_str(), less.in_city.as_str());
    if more.strip_prefix('市') == Some(less) {
        return Some("只差“市”字");
    }
    let party = more.strip_prefix("市委").zip(less.strip_prefix('市'));
    if party.is_some_and(|(more, less)| more == less && less.ends_with(['委', '部', '办'])) {
        return Some("只差“委”字");
    }
    if more.strip_suffix("管委会") == Some(less) && less.ends_with(['区', '湖', '园']) {
        return Some("只差“管委会”");
    }
    if body(more).is_some_and(|stem| body(less) == Some(stem)) {
        return Some("只差末尾的“局”“委”");
    }
    has_more_inside(more, less).then_some("其中一个多了一两个字")
}

/// `市发展改革` of `市发展改革局` and of `市发展改革委`.
fn body(unit: &str) -> Option<&str> {
    let stem = ["委员会", "局", "委"]
        .iter()
        .find_map(|end| unit.strip_suffix(end))?;
    (count(stem) >= 4).then_some(stem)
}

/// `市文化广电旅游体育局` over `市文化旅游体育局`: begins and ends alike, at most two characters more.
fn has_more_inside(more: &str, less: &str) -> bool {
    if more.len() <= less.len() || more.len() > less.len() + 8 {
        return false;
    }
    let alike = more.chars().zip(less.chars()).take_while(|(a, b)| a == b);
    let alike = alike.count();
    if alike < 3 {
        return false;
    }
    let (more, less): (Vec<char>, Vec<char>) = (more.chars().collect(), less.chars().collect());
    let added = more.len().saturating_sub(less.len());
    let tail = less.len().saturating_sub(alike);
    let ends = more
        .iter()
        .rev()
        .zip(less.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    less.len() >= 5 && (1..=2).contains(&added) && ends >= 1 && ends >= tail
}

fn differs_in_one(a: &str, b: &str) -> bool {
    let differing = a.chars().zip(b.chars()).filter(|(a, b)| a != b);
    differing.take(2).count() == 1 && count(a) == count(b) && count(a) >= 5
}

/// Numbers and sides of the compass name different ones of a kind.
fn marks(name: &str) -> Vec<char> {
    const MARKS: &str = "第一二三四五六七八九十东南西北上下左右男女老少内外";
    let is_mark = |c: &char| MARKS.contains(*c) || c.is_ascii_digit();
    name.chars().filter(is_mark).collect()
}

/// The name with the usual short forms: for comparing only.
fn shortened(unit: &str) -> String {
    const LONG: &[(&str, &str)] = &[
        ("发展改革", "发改"),
        ("工业信息化", "工信"),
        ("住房城乡建设", "住建"),
        ("人力资源社会保障", "人社"),
        ("卫生健康", "卫健"),
        ("文化广电旅游体育", "文广旅体"),
        ("文化广电旅游", "文广旅"),
        ("城市管理综合执法", "城管"),
        ("城市综合管理", "城管"),
        ("城市管理", "城管"),
        ("市场监督管理", "市监"),
        ("市场监管", "市监"),
        ("政务服务数据管理", "政数"),
        ("医疗保障", "医保"),
        ("应急管理", "应急"),
        ("国有资产监督管理", "国资"),
        ("监督管理", "监管"),
        ("委员会", "委"),
        ("办公室", "办"),
    ];
    let mut unit = in_city(unit);
    for (long, short) in LONG {
        if unit.contains(long) {
            unit = unit.replace(long, short);
        }
    }
    unit
}

/// `东莞市财政局` as `市财政局`, and without 和.
fn in_city(unit: &str) -> String {
    let unit = unit.replace('和', "");
    let is_city = |city: &str| (2..=3).contains(&count(city)) && !city.ends_with(['国', '行']);
    match unit.split_once('市') {
        Some((city, rest)) if is_city(city) && !rest.is_empty() => format!("市{rest}"),
        _ => unit,
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mention(unit: &str, times: u32, people: &[&str]) -> Mention {
        Mention {
            unit: unit.into(),
            times,
            people: people.iter().map(ToString::to_string).collect(),
        }
    }

    fn proposed(units: &[&str]) -> usize {
        let times = (1..).zip(units);
        let mentions: Vec<_> = times
            .map(|(times, unit)| mention(unit, times, &["李天海"]))
            .collect();
        proposals(&mentions, &UnitNames::default()).len()
    }

    #[test]
    fn short_and_long_names_and_slips_of_the_pen() {
        for pair in [
            ["市轨道交管局", "市轨道交通局"],
            ["市轨道交通运输局", "市轨道交通局"],
            ["市发展改革委", "市发展改革局"],
            ["市发展和改革局", "市发展改革局"],
            ["市发改局", "市发展和改革局"],
            ["市市场监督管理局", "市市场监管局"],
            ["市人社局", "市人力资源和社会保障局"],
            ["市住建局", "市住房城乡建设局"],
            ["市文化旅游体育局", "市文化广电旅游体育局"],
            ["东莞市财政局", "市财政局"],
            ["消防救援支队", "市消防救援支队"],
            ["市政法委", "市委政法委"],
            ["滨海湾新区", "滨海湾新区管委会"],
            ["市人防办(民防办)", "市人防办（民防办）"],
        ] {
            assert_eq!(proposed(&pair), 1, "{pair:?}");
        }
    }

    #[test]
    fn names_that_only_look_alike() {
        for pair in [
            ["市水务局", "市水务集团"],
            ["市交通运输局", "市轨道交通运输局"],
            ["市公安局", "市公安局交警支队"],
            ["市财政局", "市民政局"],
            ["市林业局", "市农业局"],
            ["东莞市第一人民医院", "东莞市第二人民医院"],
            ["东莞市人民医院", "东莞市第三人民医院"],
            ["东城街道", "南城街道"],
            ["沙田海关", "常平海关"],
            ["中国移动东莞分公司", "中国联通东莞分公司"],
            ["各镇街（园区）", "各镇街(园区)"],
            ["市残联", "市残联及各有关部门"],
            ["市统计局", "市审计局"],
        ] {
            assert_eq!(proposed(&pair), 0, "{pair:?}");
        }
        let police = ["市公安局交警支队", "市公安局刑警支队"].map(|unit| mention(unit, 1, &[]));
        assert_eq!(proposals(&police, &UnitNames::default()), []);
    }

    fn unit() -> impl Strategy<Value = String> {
        "(市|东莞市|东莞|)(发展和改革|发展改革|发改|水务|轨道交通|轨道交管|市场监管|市场监督管理|第一医|第二医)(局|委|集团|支队|院)"
    }

    proptest! {
        #[test]
        fn the_order_of_the_table_does_not_matter(
            units in proptest::collection::btree_map(unit(), 1_u32..5, 0..8),
            people in "[甲乙丙]",
        ) {
            let mut mentions: Vec<_> = units
                .iter()
                .map(|(unit, times)| mention(unit, *times, &[people.as_str()]))
                .collect();
            let one = proposals(&mentions, &UnitNames::default());
            mentions.reverse();
            prop_assert_eq!(&one, &proposals(&mentions, &UnitNames::default()));
            for proposal in &one {
                prop_assert!(proposal.unit.times >= proposal.other.times);
                prop_assert_ne!(&proposal.unit.unit, &proposal.other.unit);
            }
            let others: BTreeSet<_> = one.iter().map(|one| &one.other.unit).collect();
            prop_assert_eq!(others.len(), one.len(), "each name is asked about once");
        }

        #[test]
        fn what_was_decided_is_not_asked_again(a in unit(), b in unit()) {
            prop_assume!(a != b);
            let mentions = [mention(&a, 2, &["甲"]), mention(&b, 1, &["甲"])];
            let mut apart = UnitNames::default();
            apart.different(&[a.clone(), b.clone()]);
            prop_assert_eq!(proposals(&mentions, &apart), vec![]);
            let mut group = UnitNames::default();
            group.group(&b);
            prop_assert_eq!(proposals(&mentions, &group), vec![]);
        }

        #[test]
        fn numbered_ones_of_a_kind_are_never_proposed(kind in "人民医院|中学|大队|分局", city in "东莞市|市") {
            let numbered = ["第一", "第二", "第三", ""].map(|number| format!("{city}{number}{kind}"));
            let mentions = numbered.map(|unit| mention(&unit, 1, &["甲"]));
            prop_assert_eq!(proposals(&mentions, &UnitNames::default()), vec![]);
        }
    }
}
