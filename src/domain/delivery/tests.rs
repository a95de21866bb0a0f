//! What is decided after an attempt, case by case.

use chrono::DateTime;

use super::*;
use crate::domain::people::ChannelKind;

fn attempt(channel: ChannelKind, nth_on_leg: u32, legs: u8) -> Attempt {
    let now = DateTime::from_timestamp(1_648_000_000, 0).unwrap();
    Attempt {
        nth_on_leg,
        doubts_on_leg: 0,
        leg: 0,
        legs,
        channel,
        due: now,
        wanted_by: None,
        now,
        dice: 5_000,
    }
}

fn failed(next: Next) -> SendOutcome {
    SendOutcome::Failed(Failure {
        reason: FailReason::TryLater,
        detail: String::new(),
        next,
    })
}

fn wait(verdict: &Verdict, attempt: Attempt) -> i64 {
    match verdict {
        Verdict::Again { at, .. } => (*at - attempt.now).num_minutes(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn retries_follow_the_schedule_and_end() {
    let plan = RetryPlan::default();
    let later = failed(Next::Again { after: None });
    let waits: Vec<i64> = (1..=7)
        .map(|nth| attempt(ChannelKind::Email, nth, 1))
        .map(|attempt| wait(&verdict(&later, attempt, &plan), attempt))
        .collect();
    assert_eq!(waits, [5, 15, 45, 120, 360, 720, 720]);

    let mut last = attempt(ChannelKind::Email, 9, 1);
    last.now = last.due + TimeDelta::hours(70);
    assert_eq!(verdict(&later, last, &plan), Verdict::Dead);
    last.legs = 2;
    let other = Verdict::Again {
        at: last.now,
        leg: 1,
    };
    assert_eq!(verdict(&later, last, &plan), other);
}

#[test]
fn a_message_old_at_its_first_try_is_not_given_up_at_once() {
    let mut first = attempt(ChannelKind::Email, 1, 1);
    first.now = first.due + TimeDelta::days(8);
    let later = failed(Next::Again { after: None });
    assert_eq!(
        wait(&verdict(&later, first, &RetryPlan::default()), first),
        5
    );
}

#[test]
fn the_dice_stay_within_the_jitter_and_the_peers_wait_is_kept() {
    let plan = RetryPlan::default();
    for (dice, seconds) in [(0, 240), (10_000, 360), (u16::MAX, 360)] {
        let mut thrown = attempt(ChannelKind::Email, 1, 1);
        thrown.dice = dice;
        let Verdict::Again { at, .. } =
            verdict(&failed(Next::Again { after: None }), thrown, &plan)
        else {
            panic!()
        };
        assert_eq!((at - thrown.now).num_seconds(), seconds);
    }
    let named = failed(Next::Again {
        after: Some(TimeDelta::minutes(30)),
    });
    let first = attempt(ChannelKind::Email, 1, 1);
    assert_eq!(wait(&verdict(&named, first, &plan), first), 30);
}

#[test]
fn a_stopped_channel_kills_no_message() {
    let plan = RetryPlan::default();
    let stop = failed(Next::StopChannel {
        pause: TimeDelta::hours(1),
    });
    let only = attempt(ChannelKind::Email, 1, 1);
    assert_eq!(wait(&verdict(&stop, only, &plan), only), 60);
    let two = attempt(ChannelKind::Email, 1, 2);
    assert!(matches!(
        verdict(&stop, two, &plan),
        Verdict::Again { leg: 1, .. }
    ));
    let bad = failed(Next::NextChannel);
    assert_eq!(verdict(&bad, only, &plan), Verdict::Dead);
}

#[test]
fn before_the_deadline_another_channel_is_better_than_a_late_try() {
    let plan = RetryPlan::default();
    let later = failed(Next::Again { after: None });
    let mut close = attempt(ChannelKind::Email, 1, 2);
    close.wanted_by = Some(close.now + TimeDelta::minutes(3));
    assert!(matches!(
        verdict(&later, close, &plan),
        Verdict::Again { leg: 1, .. }
    ));
    close.legs = 1;
    assert_eq!(wait(&verdict(&later, close, &plan), close), 5);
}

#[test]
fn doubt_is_repeated_for_mail_within_a_limit_and_held_for_robots() {
    let plan = RetryPlan::default();
    let doubt = SendOutcome::InDoubt {
        detail: String::new(),
    };
    let mail = attempt(ChannelKind::Email, 1, 1);
    assert_eq!(wait(&verdict(&doubt, mail, &plan), mail), 5);
    let mut mail = attempt(ChannelKind::Email, MOST_DOUBTS + 4, 1);
    let again = verdict(&doubt, mail, &plan);
    assert!(
        matches!(again, Verdict::Again { .. }),
        "refusals are no doubts"
    );
    mail.doubts_on_leg = MOST_DOUBTS - 1;
    assert_eq!(verdict(&doubt, mail, &plan), Verdict::Held);
    let app = attempt(ChannelKind::WecomApp, 1, 1);
    assert_eq!(wait(&verdict(&doubt, app, &plan), app), 5);
    let robot = attempt(ChannelKind::WecomRobot, 1, 2);
    assert_eq!(verdict(&doubt, robot, &plan), Verdict::Held);
    let crashed = |channel, earlier, doubts: &Doubts| {
        after_crash(channel, 1, (mail.now, earlier), doubts, mail.now)
    };
    let at_once = Verdict::Again {
        at: mail.now,
        leg: 1,
    };
    let usual = plan.doubts;
    assert_eq!(crashed(ChannelKind::WecomRobot, 0, &usual), Verdict::Held);
    assert_eq!(crashed(ChannelKind::Email, 9, &usual), at_once);

    let other = Doubts {
        email: Doubt::Hold,
        robot: Doubt::Retry,
        app: Doubt::Retry,
    };
    assert_eq!(crashed(ChannelKind::WecomRobot, 0, &other), at_once);
    assert_eq!(crashed(ChannelKind::WecomRobot, 2, &other), Verdict::Held);
    assert_eq!(crashed(ChannelKind::Email, 0, &other), Verdict::Held);
    let plan = RetryPlan {
        doubts: other,
        ..plan
    };
    assert_eq!(wait(&verdict(&doubt, robot, &plan), robot), 5);
    mail.doubts_on_leg = 0;
    assert_eq!(verdict(&doubt, mail, &plan), Verdict::Held);
}

#[test]
fn a_doubt_is_repeated_word_for_word_while_the_peer_remembers() {
    let app = ChannelKind::WecomApp;
    let first = DateTime::from_timestamp(1_648_000_000, 0).unwrap();
    let later = first + TimeDelta::minutes(239);
    let too_late = first + TimeDelta::minutes(240);
    assert_eq!(speaks_at(app, later, Some(first)), first);
    assert_eq!(speaks_at(app, too_late, Some(first)), too_late);
    assert_eq!(speaks_at(app, later, None), later);
    // A clock set back knows nothing of what the peer remembers.
    assert_eq!(speaks_at(app, first, Some(later)), first);
    assert_eq!(speaks_at(ChannelKind::Email, later, Some(first)), later);
    let again = Verdict::Again { at: later, leg: 0 };
    let crashed = |first, now| {
        let hold = Doubts {
            app: Doubt::Hold,
            ..Doubts::default()
        };
        after_crash(app, 0, (first, 5), &hold, now)
    };
    assert_eq!(crashed(first, later), again);
    assert_eq!(crashed(first, too_late), Verdict::Held);
}
