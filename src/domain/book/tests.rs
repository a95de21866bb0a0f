use super::*;
use crate::domain::fact::Fact;
use crate::domain::fixture::{DU, ZHANG, ZHONG, apply, id, key, notice, plan, plan_facts, report};
use crate::domain::message::Occasion;
use crate::domain::report::ReportStatus;

fn founded() -> Book {
    let mut book = Book::default();
    apply(&mut book, "2022-01-28T10:00", plan_facts());
    book
}

fn stored(book: &Book, no: TaskNo) -> Task {
    book.plans[&plan()].tasks[&no].clone()
}

fn set(book: &mut Book, when: &str, task: Task) {
    let fact = Fact::TaskSet {
        plan: plan(),
        task: Box::new(task),
    };
    apply(book, when, vec![fact]);
}

#[test]
fn a_report_stays_with_its_unit_when_the_units_change_places() {
    let mut book = founded();
    let words = "已完成品牌建设。";
    let said = report(DU, key(16, 0), ReportStatus::Completed, words);
    apply(&mut book, "2022-03-01T10:00", vec![said]);
    let mut turned = stored(&book, 16);
    turned.groups.reverse();
    set(&mut book, "2022-03-02T10:00", turned);
    let (_, group) = book.task_and_group(&key(16, 0)).unwrap();
    assert_eq!(group.unit, DU.0);
    assert!(!book.obligations[&key(16, 0)].is_open());
    assert!(book.obligations[&key(16, 1)].is_open());
    assert_eq!(book.task_and_group(&key(16, 1)).unwrap().1.unit, ZHANG.0);
    assert_eq!(book.plans[&plan()].handovers, []);
}

#[test]
fn another_unit_never_inherits_a_report_and_the_former_one_keeps_it() {
    let mut book = founded();
    let said = report(DU, key(16, 0), ReportStatus::Completed, "已完成。");
    apply(&mut book, "2022-03-01T10:00", vec![said]);
    let mut moved = stored(&book, 16);
    moved.groups[0].unit = "市科技局".into();
    moved.groups[0].owners[0].id = id(ZHONG);
    moved.groups[0].owners[0].name = ZHONG.1.into();
    moved.milestones[0].unit = Some("市科技局".into());
    set(&mut book, "2022-03-02T10:00", moved);
    assert_eq!(book.task_and_group(&key(16, 2)).unwrap().1.unit, "市科技局");
    assert!(book.obligations[&key(16, 2)].is_open());
    let former = &book.obligations[&key(16, 0)];
    assert_eq!(former.closed.unwrap().1, ClosedWhy::GroupRemoved);
    assert_eq!(
        former.state(None, former.reports[0].at),
        ObligationState::Reported,
        "what was reported stays reported"
    );
    assert_eq!(book.task_and_group(&key(16, 0)).unwrap().1.unit, DU.0);
    let hands: Vec<_> = book.plans[&plan()]
        .handovers
        .iter()
        .map(|part| (part.person.clone(), part.hand))
        .collect();
    assert_eq!(hands, [(id(ZHONG), Hand::Taken), (id(DU), Hand::Given)]);
}

#[test]
fn a_unit_written_otherwise_with_the_same_owner_is_the_same() {
    let mut book = founded();
    let mut renamed = stored(&book, 32);
    renamed.groups[0].unit = "市科学技术局".into();
    set(&mut book, "2022-03-02T10:00", renamed);
    assert_eq!(book.plans[&plan()].slots[&32], [0]);
    assert_eq!(book.plans[&plan()].handovers, []);
}

#[test]
fn a_removed_task_is_closed_and_comes_back_as_it_was() {
    let mut book = founded();
    apply(
        &mut book,
        "2022-03-17T09:10",
        notice(&[ZHONG], &[key(32, 0)]),
    );
    let task = stored(&book, 32);
    let removed = Fact::TaskRemoved {
        plan: plan(),
        task: 32,
    };
    apply(&mut book, "2022-03-18T10:00", vec![removed]);
    let known = &book.obligations[&key(32, 0)];
    assert!(!known.is_open() && known.is_withdrawn());
    assert_eq!(known.closed.unwrap().1, ClosedWhy::TaskRemoved);
    assert_eq!(
        known.last_reminded.unwrap().1,
        Occasion::Stage(Stage::Notice)
    );
    assert_eq!(book.task_and_group(&key(32, 0)).unwrap().0, &task);
    let quarter = key(32, 0).quarter;
    let mut theirs = book
        .obligations_of(&book.plans[&plan()].people[4], &key(32, 0).plan, quarter)
        .map(|(key, _)| key.clone())
        .collect::<Vec<_>>();
    assert_eq!(theirs.pop(), None);

    set(&mut book, "2022-03-21T10:00", task.clone());
    assert!(book.obligations[&key(32, 0)].is_open());
    assert_eq!(book.plans[&plan()].closed.len(), 0);

    // Another task of the same number is not the same task.
    let removed = Fact::TaskRemoved {
        plan: plan(),
        task: 32,
    };
    apply(&mut book, "2022-03-22T10:00", vec![removed]);
    let other = Task {
        goal: "另一项工作。".into(),
        ..task
    };
    set(&mut book, "2022-03-23T10:00", other);
    assert_eq!(book.plans[&plan()].slots[&32], [1]);
    assert!(book.obligations[&key(32, 0)].is_withdrawn());
    assert!(book.obligations[&key(32, 1)].is_open());
}

#[test]
fn a_correction_before_anybody_was_told_leaves_no_trace() {
    let mut book = founded();
    let removed = Fact::TaskRemoved {
        plan: plan(),
        task: 32,
    };
    apply(&mut book, "2022-01-29T10:00", vec![removed]);
    assert!(!book.obligations.contains_key(&key(32, 0)));
}
