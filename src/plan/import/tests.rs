use super::*;
use crate::domain::calendar::testing::china;
use crate::domain::ids::ObligationKey;
use crate::plan::fixture;
use crate::plan::told::Told;

fn source(sha256: &str) -> TableFile {
    TableFile {
        name: "分解表.txt".into(),
        sha256: sha256.into(),
        accepted: 0,
        units: Vec::new(),
    }
}

fn import(book: &mut Book, plan: &Plan, sha256: &str) -> Vec<Fact> {
    let facts = facts(book, plan, &source(sha256), &Policy::default(), &china());
    fixture::append(book, facts.clone());
    facts
}

/// The kinds of facts, in order.
fn kinds(facts: &[Fact]) -> Vec<&'static str> {
    let kind = |fact: &Fact| match fact {
        Fact::PlanImported { .. } => "imported",
        Fact::PersonSet { .. } => "person",
        Fact::TaskSet { .. } => "task",
        Fact::TaskRemoved { .. } => "removed",
        Fact::DeadlinesSet { .. } => "deadlines",
        _ => "other",
    };
    facts.iter().map(kind).collect()
}

fn told(book: &Book, plan: &Plan) -> String {
    let difference = &diff(book, plan);
    Told { plan, difference }.to_string()
}

/// The table after a spring reshuffle: another owner for 16, 2 dropped, 3 new, 1 as it was.
fn reshuffled() -> Plan {
    let mut plan = fixture::plan();
    plan.tasks.retain(|task| task.no != 2);
    let rest = plan.tasks.split_off(1);
    plan.tasks.push(fixture::task(
        3,
        "实施数字化提升工程，建设制造业数字化转型赋能中心。",
        "刘光滨",
        &[("市工业和信息化局", "肖必良", "王志平")],
        &[(2, 2, "组织企业申报")],
    ));
    plan.tasks.extend(rest);
    let last = plan.tasks.len() - 1;
    plan.tasks[last] = fixture::task(
        16,
        &plan.tasks[last].goal.clone(),
        "刘光滨",
        &[
            ("市市场监管局", "张永忠", "杜江"),
            ("市工业和信息化局", "肖必良", "王志平"),
        ],
        &[(1, 1, "开展政策宣讲")],
    );
    plan.people = fixture::people(&plan.tasks);
    plan
}

#[test]
fn a_first_import_stores_everything_with_its_deadlines() {
    let mut book = Book::default();
    let plan = fixture::plan();
    insta::assert_snapshot!(told(&book, &plan));
    let facts = import(&mut book, &plan, "a");
    let mut expected = vec!["imported"];
    expected.extend(["person"; 8]);
    expected.extend(["task"; 3]);
    expected.push("deadlines");
    assert_eq!(kinds(&facts), expected);
    let stored = &book.plans[&plan.id];
    assert_eq!(stored.tasks.len(), 3);
    assert!(stored.assumed_years.is_empty());
    let deadlines: Vec<String> = stored
        .deadlines
        .values()
        .map(|at| {
            at.with_timezone(&china().zone())
                .format("%F %R")
                .to_string()
        })
        .collect();
    // No milestone runs in the second quarter, so nothing is due at its end.
    assert_eq!(
        deadlines,
        ["2022-03-31 18:00", "2022-09-30 18:00", "2022-12-30 18:00"]
    );
    assert_eq!(book.quarters_of(&plan.id).len(), 3);
}

#[test]
fn the_same_file_again_changes_nothing() {
    let mut book = Book::default();
    let plan = fixture::plan();
    import(&mut book, &plan, "a");
    assert!(diff(&book, &plan).is_empty());
    assert_eq!(import(&mut book, &plan, "a"), []);
    assert_eq!(
        kinds(&import(&mut book, &plan, "b")),
        ["imported"],
        "another file, the same table"
    );
    insta::assert_snapshot!(told(&book, &plan));
}

#[test]
fn only_what_differs_is_set_and_reports_stay() {
    let mut book = Book::default();
    let plan = fixture::plan();
    import(&mut book, &plan, "a");
    let obligation = ObligationKey {
        plan: plan.id.clone(),
        quarter: fixture::quarter(1),
        task: 2,
        group: 0,
    };
    fixture::append(&mut book, vec![fixture::reported(obligation.clone())]);

    let plan = reshuffled();
    insta::assert_snapshot!(told(&book, &plan));
    let facts = import(&mut book, &plan, "b");
    assert_eq!(
        kinds(&facts),
        ["imported", "person", "removed", "task", "task", "deadlines"]
    );
    assert!(diff(&book, &plan).is_empty());
    assert_eq!(book.obligations[&obligation].reports.len(), 1);
    assert_eq!(import(&mut book, &plan, "b"), []);
}

#[test]
fn a_report_goes_with_its_unit_when_the_units_change_places() {
    let mut book = Book::default();
    let mut plan = fixture::plan();
    import(&mut book, &plan, "a");
    let obligation = ObligationKey {
        plan: plan.id.clone(),
        quarter: fixture::quarter(1),
        task: 16,
        group: 0,
    };
    fixture::append(&mut book, vec![fixture::reported(obligation.clone())]);
    plan.tasks[2].groups.reverse();
    insta::assert_snapshot!(told(&book, &plan));
    assert_eq!(kinds(&import(&mut book, &plan, "b")), ["imported", "task"]);
    let (_, group) = book.task_and_group(&obligation).unwrap();
    assert_eq!(group.unit, "市市场监管局");
    assert_eq!(import(&mut book, &plan, "b"), []);
}

#[test]
fn a_holiday_table_that_comes_later_moves_the_deadlines_once() {
    let mut book = Book::default();
    let unknown = Calendar::new(chrono_tz::Asia::Shanghai, BTreeMap::new());
    let plan = fixture::plan();
    let policy = Policy::default();
    let first = facts(&book, &plan, &source("a"), &policy, &unknown);
    fixture::append(&mut book, first);
    assert_eq!(book.plans[&plan.id].assumed_years, BTreeSet::from([2022]));
    assert_eq!(redate(&book, &policy, &unknown), []);

    let facts = redate(&book, &policy, &china());
    assert_eq!(kinds(&facts), ["deadlines"]);
    fixture::append(&mut book, facts);
    assert!(book.plans[&plan.id].assumed_years.is_empty());
    assert_eq!(redate(&book, &policy, &china()), []);

    let earlier = Policy {
        deadline_time: chrono::NaiveTime::from_hms_opt(17, 0, 0).unwrap(),
        ..policy
    };
    assert_eq!(kinds(&redate(&book, &earlier, &china())), ["deadlines"]);
}

/// Item 16's first owner is another by a coordinator's word.
fn change_of_owner(book: &mut Book, plan: &Plan) -> PersonId {
    let to = crate::domain::duty::Named {
        name: "欧阳明".into(),
        unit: "市市场监管局".into(),
        ..Default::default()
    };
    let from = plan.tasks[2].groups[0].owners[0].id.clone();
    let facts =
        crate::domain::duty::change_owner(book, &plan.id, vec![(16, 0)], &from, &to).unwrap();
    fixture::append(book, facts);
    PersonId::of("市市场监管局", "欧阳明")
}

#[test]
fn a_change_of_owner_outlives_the_table_until_the_row_itself_names_another() {
    let (mut book, plan) = (Book::default(), fixture::plan());
    import(&mut book, &plan, "a");
    let new = change_of_owner(&mut book, &plan);
    let owners = |book: &Book| -> Vec<String> {
        let task = &book.plans[&plan.id].tasks[&16];
        task.direct_owners.clone()
    };
    assert_eq!(owners(&book), ["欧阳明", "张玉成"]);
    let handovers = book.plans[&plan.id].handovers.len();

    assert!(diff(&book, &plan).is_empty());
    assert_eq!(import(&mut book, &plan, "a"), []);

    // Other words in the row, and the units in another order.
    let mut revised = plan.clone();
    revised.tasks[2].goal = "推动知识产权质押融资增量扩面。".into();
    revised.tasks[2].groups.reverse();
    insta::assert_snapshot!("upheld", told(&book, &revised));
    assert_eq!(
        kinds(&import(&mut book, &revised, "b")),
        ["imported", "task"]
    );
    assert_eq!(owners(&book), ["欧阳明", "张玉成"]);
    assert_eq!(book.plans[&plan.id].tasks[&16].goal, revised.tasks[2].goal);
    assert!(book.is_owner(
        &new,
        &ObligationKey {
            plan: plan.id.clone(),
            quarter: fixture::quarter(1),
            task: 16,
            group: 0,
        }
    ));
    assert_eq!(import(&mut book, &revised, "b"), []);
    assert_eq!(
        book.plans[&plan.id].handovers.len(),
        handovers,
        "nobody is told of a change that is none"
    );

    // The row names somebody else.
    let third = PersonId::of("市市场监管局", "赵六");
    revised.tasks[2].direct_owners = vec!["赵六".into(), "张玉成".into()];
    revised.tasks[2].groups[1].owners[0].id = third.clone();
    revised.tasks[2].groups[1].owners[0].name = "赵六".into();
    revised.people = fixture::people(&revised.tasks);
    insta::assert_snapshot!("overruled", told(&book, &revised));
    import(&mut book, &revised, "c");
    assert_eq!(owners(&book), ["赵六", "张玉成"]);
    assert_eq!(import(&mut book, &revised, "c"), []);
    // And what was decided before is over.
    import(&mut book, &plan, "d");
    assert_eq!(owners(&book), plan.tasks[2].direct_owners);
}

#[test]
fn a_table_that_follows_a_change_of_owner_settles_it() {
    let (mut book, plan) = (Book::default(), fixture::plan());
    import(&mut book, &plan, "a");
    let new = change_of_owner(&mut book, &plan);
    let mut revised = plan.clone();
    revised.tasks[2].direct_owners[0] = "欧阳明".into();
    revised.tasks[2].groups[0].owners[0].id = new;
    revised.tasks[2].groups[0].owners[0].name = "欧阳明".into();
    assert!(diff(&book, &revised).table.is_empty());
    let handovers = book.plans[&plan.id].handovers.len();
    assert_eq!(
        kinds(&import(&mut book, &revised, "b")),
        ["imported", "task"]
    );
    assert_eq!(book.plans[&plan.id].handovers.len(), handovers);
    assert_eq!(import(&mut book, &revised, "b"), []);
    // Then the table's own change back is a change.
    assert_eq!(diff(&book, &plan).table.changed.len(), 1);
}

#[test]
fn someone_whose_unit_reads_otherwise_in_a_revised_table_stays_the_same_person() {
    let (mut book, plan) = (Book::default(), fixture::plan());
    import(&mut book, &plan, "1");
    let mut revised = plan.clone();
    let old = plan.people[0].id.clone();
    let moved = PersonId::of("市别的局", &plan.people[0].name);
    revised.people[0].id = moved.clone();
    revised.people[0].unit = "市别的局".into();
    for group in revised.tasks.iter_mut().flat_map(|task| &mut task.groups) {
        for person in group.owners.iter_mut().chain(&mut group.responsible) {
            if person.id == old {
                person.id = moved.clone();
            }
        }
    }
    let kept = keep_ids(&book, revised.clone());
    assert_eq!(kept.people[0].id, old);
    assert_eq!(kept.people[0].unit, "市别的局");
    assert_eq!(kept.tasks, plan.tasks);

    // Where two bear the name, nobody can say who is meant.
    let mut namesake = revised.people[0].clone();
    namesake.id = PersonId::of("市第三局", &namesake.name);
    revised.people.push(namesake);
    assert_eq!(keep_ids(&book, revised.clone()), revised);
}

#[test]
fn a_row_that_stays_out_for_an_error_takes_nothing_away_that_is_stored() {
    use crate::plan::prepare::{From, prepare};
    const TABLE: &[u8] = include_bytes!("../../../seeds/dongguan-2022.txt");
    let source = crate::plan::Source {
        file_name: "dongguan-2022.txt".into(),
        ..Default::default()
    };
    let reading = crate::plan::read(TABLE, &source).unwrap();
    let rules = crate::rules::RuleSet {
        calendar: std::sync::Arc::new(china()),
        policy: Policy::default(),
        report: Default::default(),
        reach: Default::default(),
        coordinators: Vec::new(),
        operators: Vec::new(),
    };
    let from = |accept| From {
        name: "dongguan-2022.txt",
        sha256: "a",
        accept,
        columns: &[],
    };
    let mut book = Book::default();
    let first = prepare(&book, &reading, &from(true), &rules);
    assert!(first.left_out.is_empty());
    fixture::append(&mut book, first.facts);
    let again = prepare(&book, &reading, &from(false), &rules);
    assert_eq!(again.left_out, [122, 130]);
    assert!(again.difference.is_empty());
    assert_eq!(again.facts, []);
}
