//! Whose section of a schedule it is.

use super::groups::NamedGroup;

/// The group's unit that the section names, in full or in short (`莞城` for `莞城街道`).
///
/// None where it names none of them, or could mean two.
pub(super) fn unit_of(section: &str, groups: &[NamedGroup]) -> Option<String> {
    if groups.len() < 2 {
        return None;
    }
    let heading = section.split('：').next().unwrap_or(section).trim();
    let mut meant = groups.iter().filter(|group| names(heading, &group.unit));
    let unit = meant.next()?.unit.clone();
    meant.next().is_none().then_some(unit)
}

fn names(heading: &str, unit: &str) -> bool {
    const SHORTEST: usize = 2;
    if heading == unit {
        return true;
    }
    let (heading, unit) = (stem(heading), stem(unit));
    heading.chars().count() >= SHORTEST && heading == unit
}

/// A unit's name without what short forms leave out.
fn stem(name: &str) -> &str {
    const KINDS: [&str; 7] = [
        "街道办事处",
        "街道办",
        "街道",
        "管委会",
        "功能区",
        "镇政府",
        "镇",
    ];
    let name = name.strip_prefix('市').unwrap_or(name);
    KINDS
        .iter()
        .find_map(|kind| name.strip_suffix(kind))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(units: &[&str]) -> Vec<NamedGroup> {
        let group = |unit: &&str| NamedGroup {
            unit: (*unit).into(),
            responsible: Vec::new(),
            owners: Vec::new(),
        };
        units.iter().map(group).collect()
    }

    #[test]
    fn a_section_may_name_a_unit_in_short() {
        let units = groups(&["现场指挥部", "莞城街道", "石龙镇", "水乡管委会"]);
        for (section, unit) in [
            ("莞城", Some("莞城街道")),
            ("石龙", Some("石龙镇")),
            ("石龙：①前期", Some("石龙镇")),
            ("水乡功能区", Some("水乡管委会")),
            ("台博会", None),
        ] {
            assert_eq!(unit_of(section, &units).as_deref(), unit, "{section}");
        }
        assert_eq!(unit_of("石龙", &groups(&["石龙镇"])), None);
        assert_eq!(unit_of("石龙", &groups(&["石龙镇", "石龙街道"])), None);
    }
}
