use super::*;
use crate::domain::fact::{Fact, SkipWhy, StageOutcome};
use crate::domain::fixture::*;
use crate::domain::report::Review;

fn book() -> Book {
    let mut book = Book::default();
    apply(&mut book, "2022-02-07T09:00", plan_facts());
    book
}

fn view(book: &Book, now: &str, filter: &Filter) -> QuarterView {
    quarter_view(book, quarter("2022Q1"), at(now), filter)
}

fn show(show: Show) -> Filter {
    Filter {
        show,
        ..Filter::default()
    }
}

fn accepted(key: ObligationKey) -> Fact {
    Fact::ReviewGiven {
        obligation: key,
        review: Review::Accepted,
    }
}

fn returned(key: ObligationKey) -> Fact {
    Fact::ReviewGiven {
        obligation: key,
        review: Review::Returned {
            reason: "请补充企业名单".into(),
        },
    }
}

/// One in time and accepted, one in time and returned, one late and accepted, the rest open.
fn mixed() -> Book {
    let mut book = book();
    let say = |person, key| report(person, key, ReportStatus::OnSchedule, "正在推进");
    apply(
        &mut book,
        "2022-03-30T17:00",
        vec![say(ZHANG, key(2, 0)), say(ZHANG, key(4, 0))],
    );
    apply(&mut book, "2022-04-01T09:00", vec![say(DU, key(16, 0))]);
    apply(
        &mut book,
        "2022-04-01T10:00",
        vec![
            accepted(key(2, 0)),
            returned(key(4, 0)),
            accepted(key(16, 0)),
        ],
    );
    book
}

#[test]
fn before_the_deadline_nothing_is_overdue_and_after_it_everything_open_is() {
    let book = book();
    let all = Filter::default();
    let before = view(&book, "2022-03-31T18:00", &all).totals;
    assert_eq!((before.not_reported, before.overdue_unreported), (7, 0));
    let after = view(&book, "2022-03-31T18:01", &all).totals;
    assert_eq!((after.not_reported, after.overdue_unreported), (7, 7));
}

#[test]
fn the_numbers_part_as_they_are_promised_to() {
    let book = mixed();
    let totals = view(&book, "2022-04-01T12:00", &Filter::default()).totals;
    let wanted = Tally {
        obligations: 7,
        reported: 2,
        not_reported: 5,
        overdue_unreported: 4,
        reported_late: 1,
        returned: 1,
        accepted: 2,
        withdrawn: 0,
    };
    assert_eq!(totals, wanted);
    // A number and the list behind it never differ.
    for (one, count) in [
        (Show::All, totals.obligations),
        (Show::NotReported, totals.not_reported),
        (Show::Overdue, totals.overdue_unreported),
        (Show::Returned, totals.returned),
        (Show::Reported, totals.reported),
        (Show::Late, totals.reported_late),
        (Show::ToReview, totals.to_review()),
        (Show::Accepted, totals.accepted),
    ] {
        let rows = view(&book, "2022-04-01T12:00", &show(one)).rows.len();
        assert_eq!(rows, count as usize, "{one:?}");
    }
}

#[test]
fn a_past_moment_knows_nothing_of_what_came_later() {
    let mut book = book();
    let at_deadline = view(&book, "2022-03-31T18:00", &Filter::default());
    let late = report(DU, key(16, 0), ReportStatus::Completed, "已完成");
    apply(&mut book, "2022-04-02T09:00", vec![late]);
    assert_eq!(at_deadline.totals.reported, 0);
    assert_eq!(
        view(&book, "2022-04-02T09:00", &Filter::default())
            .totals
            .reported_late,
        1
    );
}

#[test]
fn whoever_owes_most_stands_first_and_a_group_counts_for_each_owner() {
    let view = view(&mixed(), "2022-04-01T12:00", &Filter::default());
    let owners: Vec<_> = view
        .by_owner
        .iter()
        .map(|owner| (owner.name.as_str(), owner.tally.not_reported))
        .collect();
    let wanted = [
        ("张玉成", 2),
        ("姚铸锐", 1),
        ("黎玲东", 1),
        ("钟靖平", 1),
        ("杜江", 0),
    ];
    assert_eq!(owners, wanted);
    assert_eq!(view.by_unit[0].unit, "市工业和信息化局");
    let counted: u32 = view.by_unit.iter().map(|u| u.tally.obligations).sum();
    assert_eq!(counted, view.totals.obligations);
}

#[test]
fn a_unit_and_an_owner_narrow_the_numbers_and_a_state_only_the_list() {
    let book = mixed();
    let unit = Filter {
        unit: Some("市市场监管局".into()),
        ..Filter::default()
    };
    assert_eq!(view(&book, "2022-04-01T12:00", &unit).totals.obligations, 1);
    let owner = Filter {
        owner: Some(id(ZHANG)),
        show: Show::Returned,
        ..Filter::default()
    };
    let view = view(&book, "2022-04-01T12:00", &owner);
    assert_eq!(view.totals.obligations, 3);
    let tasks: Vec<_> = view.rows.iter().map(|row| row.key.task).collect();
    assert_eq!(tasks, [4]);
}

#[test]
fn the_quarter_shown_by_itself_is_the_one_whose_notice_began_last() {
    let book = book();
    let on = |when| present(&book, &Policy::default(), &calendar(), at(when)).map(|(_, q)| q);
    assert_eq!(
        on("2021-12-01T09:00"),
        Some(quarter("2022Q1")),
        "none yet: the first"
    );
    assert_eq!(on("2022-02-10T09:00"), Some(quarter("2022Q1")));
    assert_eq!(
        on("2022-04-20T09:00"),
        Some(quarter("2022Q1")),
        "Q2 has not begun"
    );
    assert_eq!(on("2022-06-16T09:10"), Some(quarter("2022Q2")));
    assert_eq!(on("2023-05-01T09:00"), Some(quarter("2022Q4")));
    assert_eq!(
        present(
            &Book::default(),
            &Policy::default(),
            &calendar(),
            at("2022-02-10T09:00")
        ),
        None
    );
}

fn attention_of(
    book: &Book,
    now: DateTime<Utc>,
    sight: &Sight,
    reached: impl Fn(&PersonId) -> bool,
) -> Attention {
    let (plan, quarter) = (plan(), quarter("2022Q1"));
    let items: Vec<_> = items_in(book, &plan, quarter, now, sight).collect();
    attention(book, (&plan, quarter), &items, now, sight, reached)
}

#[test]
fn what_no_program_can_settle_is_put_before_a_person() {
    let mut book = book();
    let over_budget = Fact::MessageSkipped {
        key: message_key(ZHANG),
        why: SkipWhy::OverBudget,
    };
    apply(&mut book, "2022-03-17T09:10", vec![over_budget]);
    let done = report(ZHONG, key(32, 0), ReportStatus::Completed, "");
    apply(&mut book, "2022-03-18T09:10", vec![done]);
    let reached = |person: &PersonId| *person != id(DU) && *person != id(ZHONG);
    let now = at("2022-03-18T10:00");
    let found = attention_of(&book, now, &Sight::Everything, reached);
    assert_eq!(
        found.unreachable,
        [id(DU)],
        "who has reported need not be reached"
    );
    assert_eq!(found.over_budget, [id(ZHANG)]);
    assert_eq!(found.unowned, [key(122, 0)]);
    let other = Sight::Leader("喻丽君".into());
    let none = attention_of(&book, now, &other, reached);
    assert!(none.is_empty(), "of another leader's tasks: {none:?}");
}

#[test]
fn every_stage_accounts_for_whom_it_expected() {
    let mut book = book();
    apply(
        &mut book,
        "2022-03-17T09:10",
        notice(&[ZHANG, DU], &[key(2, 0)]),
    );
    let skipped = Fact::StageRun {
        plan: plan(),
        quarter: quarter("2022Q1"),
        stage: Stage::Reminder,
        outcome: StageOutcome::Skipped {
            why: SkipWhy::TooLate { working_days: 12 },
            expected: 5,
        },
    };
    apply(&mut book, "2022-03-28T09:10", vec![skipped]);
    let audits = audit(&book, &plan(), quarter("2022Q1"));
    let numbers: Vec<_> = audits
        .iter()
        .map(|a| {
            (
                a.stage,
                a.expected,
                a.told.sent,
                a.told.skipped,
                a.adds_up(),
            )
        })
        .collect();
    let wanted = [
        (Stage::Notice, 2, 2, 0, true),
        (Stage::Reminder, 5, 0, 5, true),
    ];
    assert_eq!(numbers, wanted);
}

#[test]
fn a_message_put_off_to_the_morning_is_no_trouble_and_one_that_fails_is() {
    use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome, Verdict};
    use crate::domain::people::ChannelKind;
    let mut book = book();
    let mut facts = notice(&[ZHANG], &[key(2, 0)]);
    facts.truncate(2);
    apply(&mut book, "2022-03-16T17:59", facts);
    let deferred = Fact::MessageDeferred {
        key: message_key(ZHANG),
        until: at("2022-03-17T08:30"),
        why: crate::domain::fact::DeferWhy::QuietHours,
    };
    apply(&mut book, "2022-03-16T18:00", vec![deferred]);
    let waiting =
        |book: &Book, now| attention_of(book, at(now), &Sight::Everything, |_| true).waiting_long;
    assert_eq!(waiting(&book, "2022-03-17T08:00"), 0);
    assert_eq!(waiting(&book, "2022-03-17T09:31"), 1, "nobody sends it");
    let failure = Failure {
        reason: FailReason::Unreachable,
        detail: "no route".into(),
        next: Next::Again { after: None },
    };
    let tried = vec![
        Fact::SendIntended {
            key: message_key(ZHANG),
            leg: 0,
            channel: ChannelKind::Email,
            items: vec![key(2, 0)],
        },
        Fact::SendConcluded {
            key: message_key(ZHANG),
            outcome: SendOutcome::Failed(failure),
            verdict: Verdict::Again {
                at: at("2022-03-17T12:00"),
                leg: 0,
            },
        },
    ];
    apply(&mut book, "2022-03-17T08:30", tried);
    assert_eq!(waiting(&book, "2022-03-17T09:00"), 1);
}
