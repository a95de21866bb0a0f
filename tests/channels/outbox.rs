//! What becomes of queued messages: the outbox on a ledger in memory, channels that remember.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use cuiban::channel::pace::Pace;
use cuiban::channel::{Attempted, Channel, Sending, Serves};
use cuiban::clock::Clock;
use cuiban::domain::book::{Delivery, DeliveryState};
use cuiban::domain::brief::Brief;
use cuiban::domain::delivery::{FailReason, Next};
use cuiban::domain::fact::{Actor, Fact, WithdrawWhy};
use cuiban::domain::message::{Message, MessageKey, Occasion, Stage};
use cuiban::domain::people::ChannelKind;
use cuiban::outbox::{Outbox, Ways};
use cuiban::store::Ledger;
use tokio_util::sync::CancellationToken;

use crate::peers::smtp::{Say, SmtpPeer, Step};
use crate::peers::world::{self, at, obligation, zhong};

type Judge = dyn Fn(&Brief, usize) -> Attempted + Send + Sync;

/// A channel that remembers what it was given and answers as it is told.
struct Fake {
    kind: ChannelKind,
    peer: &'static str,
    units: Vec<String>,
    pace: Pace,
    judge: Box<Judge>,
    sent: Mutex<Vec<(MessageKey, DateTime<Utc>, u32)>>,
    clock: Clock,
}

impl Fake {
    fn new(
        kind: ChannelKind,
        clock: &Clock,
        judge: impl Fn(&Brief, usize) -> Attempted + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            peer: "peer",
            units: Vec::new(),
            pace: Pace::unlimited(),
            judge: Box::new(judge),
            sent: Mutex::default(),
            clock: clock.clone(),
        }
    }

    fn good(kind: ChannelKind, clock: &Clock) -> Self {
        Self::new(kind, clock, |_, _| Attempted::sent("ok"))
    }

    fn sent(&self) -> Vec<(MessageKey, DateTime<Utc>, u32)> {
        self.sent.lock().unwrap().clone()
    }
}

impl Channel for Fake {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn name(&self) -> &str {
        "fake"
    }

    fn peer(&self) -> &str {
        self.peer
    }

    fn pace(&self) -> Pace {
        self.pace.clone()
    }

    fn serves(&self, unit: &str) -> Serves {
        match self.units.iter().any(|mine| mine == unit) {
            true => Serves::ThisUnit,
            false if self.units.is_empty() => Serves::Everyone,
            false => Serves::Others,
        }
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        Box::pin(async move {
            let count = {
                let mut sent = self.sent.lock().unwrap();
                sent.push((brief.message.key.clone(), self.clock.now(), nth));
                sent.len()
            };
            (self.judge)(brief, count)
        })
    }
}

/// An outbox at work on a standing clock.
pub struct Desk {
    pub ledger: Ledger,
    pub clock: Clock,
    outbox: Arc<Outbox>,
    soft: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Desk {
    pub fn open(clock: &Clock, facts: Vec<Fact>, channels: Vec<Arc<dyn Channel>>) -> Self {
        let (ledger, _) = world::ledger(clock.now(), world::founding().into_iter().chain(facts));
        let outbox = Arc::new(Outbox::new(
            ledger.clone(),
            clock.clone(),
            world::rules(),
            Ways::new(
                world::terms(),
                channels,
                Arc::new(|_, quarter, person, _| {
                    format!("https://duban.example.gov.cn/r/{quarter}-{person}")
                }),
            ),
        ));
        let soft = CancellationToken::new();
        let run = Arc::clone(&outbox).run(soft.clone(), CancellationToken::new());
        Self {
            ledger,
            clock: clock.clone(),
            outbox,
            soft,
            task: tokio::spawn(run),
        }
    }

    pub async fn replace(&self, channels: Vec<Arc<dyn Channel>>) {
        let links = Arc::new(|_: &_, _, _: &_, _| String::new());
        let ways = Ways::new(world::terms(), channels, links);
        self.outbox.replace(ways).await;
    }

    pub async fn idle(&self) {
        tokio::time::timeout(Duration::from_secs(10), self.outbox.wait_idle())
            .await
            .expect("the outbox comes to rest");
    }

    /// Moves the clock through everything that is due until then.
    pub async fn run_until(&self, end: DateTime<Utc>) {
        self.idle().await;
        while let Some(next) = self.outbox.next_due(self.clock.now())
            && next <= end
        {
            self.clock.advance_to(next);
            self.idle().await;
        }
        self.clock.advance_to(end);
        self.idle().await;
    }

    pub async fn append(&self, facts: Vec<Fact>) {
        let now = self.clock.now();
        self.ledger.append(Actor::System, now, facts).await.unwrap();
    }

    pub fn delivery(&self, key: &MessageKey) -> Delivery {
        self.ledger.book().messages[key].clone()
    }

    pub async fn close(self) {
        self.soft.cancel();
        tokio::time::timeout(Duration::from_secs(5), self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

fn monday() -> Clock {
    Clock::simulated(at("2022-03-28", "09:10"), 0.0)
}

fn reminder(clock: &Clock, route: &[ChannelKind]) -> Message {
    world::message(
        Occasion::Stage(Stage::Reminder),
        zhong(),
        route,
        clock.now(),
    )
}

/// Reminders to many people; each has the same items, which are theirs by the first group only, so
/// they are about others' items.
fn many(clock: &Clock, count: u32, kind: ChannelKind) -> Vec<Message> {
    (1..=count)
        .map(|nth| {
            let mut message = reminder(clock, &[kind]);
            message.key.occasion = Occasion::Urge(nth);
            message
        })
        .collect()
}

const MAIL: ChannelKind = ChannelKind::Email;
const ROBOT: ChannelKind = ChannelKind::WecomRobot;

#[tokio::test]
async fn a_message_is_sent_once_and_the_owner_noted_as_reminded() {
    let clock = monday();
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let message = reminder(&clock, &[MAIL]);
    let desk = Desk::open(
        &clock,
        vec![world::queued(message.clone())],
        vec![mail.clone()],
    );
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    let delivery = desk.delivery(&message.key);
    assert!(matches!(delivery.state, DeliveryState::Sent { .. }));
    let reminded = desk.ledger.book().obligations[&obligation(32, 0)].last_reminded;
    assert_eq!(reminded, Some((clock.now(), message.key.occasion)));
    // Queued while it runs: no wait for anybody's tick.
    let urge = many(&clock, 1, MAIL).remove(0);
    desk.append(vec![world::queued(urge)]).await;
    desk.idle().await;
    assert_eq!(mail.sent().len(), 2);
    desk.close().await;
}

#[tokio::test]
async fn who_has_reported_meanwhile_is_left_alone() {
    let clock = monday();
    let mail = Arc::new(Fake::new(MAIL, &clock, |brief, _| {
        assert_eq!(brief.items.len(), 1);
        assert_eq!(brief.items[0].task, 37);
        Attempted::sent("ok")
    }));
    let all = reminder(&clock, &[MAIL]);
    let mut two = all.clone();
    two.key.occasion = Occasion::Urge(1);
    two.items.pop();
    let facts = vec![
        world::queued(all.clone()),
        world::queued(two.clone()),
        world::reported(obligation(31, 1), zhong()),
        world::reported(obligation(32, 0), zhong()),
    ];
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    let DeliveryState::Withdrawn { why, .. } = desk.delivery(&two.key).state else {
        panic!()
    };
    assert_eq!(why, WithdrawWhy::Reported);
    let DeliveryState::Sent { items, .. } = desk.delivery(&all.key).state else {
        panic!()
    };
    assert_eq!(items, [obligation(37, 0)]);
}

#[tokio::test]
async fn a_later_stage_speaks_for_an_earlier_one() {
    let clock = monday();
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let reminder = reminder(&clock, &[MAIL]);
    let mut due = reminder.clone();
    due.key.occasion = Occasion::Stage(Stage::Due);
    due.not_before = clock.now() + TimeDelta::hours(1);
    let facts = vec![world::queued(reminder.clone()), world::queued(due)];
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 0);
    let DeliveryState::Withdrawn { why, .. } = desk.delivery(&reminder.key).state else {
        panic!()
    };
    let by = Occasion::Stage(Stage::Due);
    assert_eq!(why, WithdrawWhy::Superseded { by });
}

#[tokio::test]
async fn those_copied_in_hear_only_of_what_is_still_open() {
    let clock = monday();
    let mail = Arc::new(Fake::new(MAIL, &clock, |brief, _| {
        assert_eq!(brief.about.len(), 1);
        Attempted::sent("ok")
    }));
    let mut copied = reminder(&clock, &[MAIL]);
    copied.key.person = world::person("市科技局", "卓庆");
    copied.about = std::mem::take(&mut copied.items);
    let mut none_left = copied.clone();
    none_left.key.occasion = Occasion::Urge(1);
    none_left.about.truncate(2);
    let facts = vec![
        world::queued(copied),
        world::queued(none_left.clone()),
        world::reported(obligation(31, 1), zhong()),
        world::reported(obligation(32, 0), zhong()),
    ];
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    assert!(matches!(
        desk.delivery(&none_left.key).state,
        DeliveryState::Withdrawn { .. }
    ));
}

#[tokio::test]
async fn a_stage_that_an_explicit_word_overtook_is_not_sent_after_it() {
    let clock = Clock::simulated(at("2022-03-28", "09:12"), 0.0);
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let waits = reminder(&clock, &[MAIL]);
    let mut later = waits.clone();
    later.not_before = at("2022-03-28", "09:14");
    let mut urge = waits.clone();
    urge.key.occasion = Occasion::Urge(1);
    urge.explicit = true;
    let facts = vec![world::queued(later.clone()), world::queued(urge.clone())];
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    desk.run_until(at("2022-03-28", "09:14")).await;
    assert_eq!(mail.sent().len(), 1);
    assert_eq!(mail.sent()[0].0, urge.key);
    assert!(matches!(
        desk.delivery(&later.key).state,
        DeliveryState::Withdrawn { .. }
    ));
}

#[tokio::test]
async fn outside_hours_nothing_leaves_but_an_explicit_word() {
    // The evening before Qingming: Saturday 2 April 2022 is a make-up day, 3 to 5 are off.
    let clock = Clock::simulated(at("2022-04-02", "18:30"), 0.0);
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let waits = reminder(&clock, &[MAIL]);
    let mut urge = many(&clock, 1, MAIL).remove(0);
    urge.explicit = true;
    let facts = vec![world::queued(waits.clone()), world::queued(urge.clone())];
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    assert_eq!(mail.sent()[0].0, urge.key);
    let next = at("2022-04-06", "08:30");
    assert_eq!(desk.outbox.next_due(clock.now()), Some(next));
    desk.run_until(next).await;
    assert_eq!(mail.sent()[1], (waits.key, next, 1));
}

#[tokio::test]
async fn a_failure_is_tried_again_by_the_schedule_and_then_over_the_next_way() {
    let clock = monday();
    let mail = Arc::new(Fake::new(MAIL, &clock, |_, count| {
        let next = match count {
            1 | 2 => Next::Again { after: None },
            _ => Next::NextChannel,
        };
        Attempted::failed(FailReason::TryLater, next, "451")
    }));
    let robot = Arc::new(Fake::good(ROBOT, &clock));
    let message = reminder(&clock, &[MAIL, ROBOT]);
    let facts = vec![world::queued(message.clone())];
    let desk = Desk::open(&clock, facts, vec![mail.clone(), robot.clone()]);
    desk.run_until(clock.now() + TimeDelta::hours(2)).await;
    let times: Vec<i64> = mail
        .sent()
        .windows(2)
        .map(|pair| (pair[1].1 - pair[0].1).num_seconds())
        .collect();
    assert!((240..=360).contains(&times[0]), "{times:?}");
    assert!((720..=1080).contains(&times[1]), "{times:?}");
    let tries: Vec<u32> = mail.sent().iter().map(|sent| sent.2).collect();
    assert_eq!(tries, [1, 2, 3]);
    assert_eq!(robot.sent().len(), 1);
    assert_eq!(robot.sent()[0].2, 1);
    let delivery = desk.delivery(&message.key);
    assert!(matches!(
        delivery.state,
        DeliveryState::Sent { channel: ROBOT, .. }
    ));
    assert_eq!(delivery.attempts, 4);
}

#[tokio::test]
async fn a_panicking_channel_is_a_failure_and_the_rest_goes_on() {
    let clock = monday();
    let mail = Arc::new(Fake::new(MAIL, &clock, |_, count| {
        assert_ne!(count, 1, "a defect");
        Attempted::sent("ok")
    }));
    let messages = many(&clock, 2, MAIL);
    let facts = messages.iter().cloned().map(world::queued).collect();
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.idle().await;
    let states: Vec<&str> = messages
        .iter()
        .map(|message| desk.delivery(&message.key).state.as_str())
        .collect();
    assert_eq!(states, ["dead", "sent"]);
    let trouble = desk.delivery(&messages[0].key).last_trouble.unwrap();
    assert_eq!(trouble.reason, Some(FailReason::OurDefect));
}

#[tokio::test]
async fn a_stopped_channel_rests_and_what_has_another_way_goes_that_way() {
    let clock = monday();
    let pause = TimeDelta::hours(1);
    let mail = Arc::new(Fake::new(MAIL, &clock, move |_, count| match count {
        1 => Attempted::failed(FailReason::Credentials, Next::StopChannel { pause }, "535"),
        _ => Attempted::sent("ok"),
    }));
    let robot = Arc::new(Fake::good(ROBOT, &clock));
    let mut messages = many(&clock, 4, MAIL);
    messages[2].route = vec![MAIL, ROBOT];
    messages[3].route = vec![ROBOT];
    let facts = messages.iter().cloned().map(world::queued).collect();
    let desk = Desk::open(&clock, facts, vec![mail.clone(), robot.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1, "no login in a loop");
    assert_eq!(robot.sent().len(), 2, "the rest is not held up");
    let status = desk.outbox.status();
    let rest = status[0].rest.clone().unwrap();
    assert_eq!(rest.reason, FailReason::Credentials);
    assert_eq!(rest.until, clock.now() + pause);
    assert_eq!(desk.outbox.next_due(clock.now()), Some(clock.now() + pause));
    desk.run_until(clock.now() + TimeDelta::hours(3)).await;
    assert_eq!(
        mail.sent().len(),
        3,
        "first the one that failed waits its turn"
    );
    for message in &messages {
        assert_eq!(desk.delivery(&message.key).state.as_str(), "sent");
    }
    assert_eq!(desk.outbox.status()[0].rest, None);
}

#[tokio::test]
async fn rests_in_a_row_grow_and_one_probes_for_all() {
    let clock = monday();
    let mail = Arc::new(Fake::new(MAIL, &clock, |_, _| {
        Attempted::failed(
            FailReason::Unreachable,
            Next::Again { after: None },
            "refused",
        )
        .resting(TimeDelta::seconds(30))
    }));
    let facts = many(&clock, 50, MAIL)
        .into_iter()
        .map(world::queued)
        .collect();
    let desk = Desk::open(&clock, facts, vec![mail.clone()]);
    desk.run_until(clock.now() + TimeDelta::minutes(15)).await;
    // 0, 0:30, 1:30, 3:30, 7:30, 11:30: not fifty at once, and not one a second.
    assert_eq!(mail.sent().len(), 6);
}

#[tokio::test]
async fn a_message_for_a_way_that_is_not_set_up_takes_the_next_or_dies_visibly() {
    let clock = monday();
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let mut other = Fake::good(ROBOT, &clock);
    other.units = vec!["市财政局".into()];
    let mut messages = many(&clock, 2, ROBOT);
    messages[0].route = vec![ChannelKind::WecomApp, MAIL];
    let facts = messages.iter().cloned().map(world::queued).collect();
    let desk = Desk::open(&clock, facts, vec![mail.clone(), Arc::new(other)]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    let dead = desk.delivery(&messages[1].key);
    assert_eq!(dead.state.as_str(), "dead");
    assert_eq!(
        dead.last_trouble.unwrap().reason,
        Some(FailReason::NoChannel)
    );
}

#[tokio::test]
async fn each_robot_has_its_own_units_and_its_own_pace() {
    let clock = monday();
    let robot = |units: &[&str]| {
        let mut robot = Fake::good(ROBOT, &clock);
        robot.units = units.iter().map(|unit| (*unit).to_owned()).collect();
        robot.pace = Pace::robot();
        Arc::new(robot)
    };
    let (science, all) = (robot(&["市科技局"]), robot(&[]));
    let mut messages = many(&clock, 45, ROBOT);
    for message in messages.iter_mut().take(3) {
        message.key.person = world::person("", "刘光滨");
        message.about = std::mem::take(&mut message.items);
    }
    let facts = messages.iter().cloned().map(world::queued).collect();
    let desk = Desk::open(&clock, facts, vec![science.clone(), all.clone()]);
    let start = clock.now();
    desk.run_until(start + TimeDelta::minutes(1)).await;
    assert_eq!(all.sent().len(), 3);
    assert_eq!(science.sent().len(), 20);
    desk.run_until(start + TimeDelta::minutes(3)).await;
    assert_eq!(science.sent().len(), 42);
}

#[tokio::test]
async fn a_restart_repeats_mail_in_doubt_and_holds_what_a_robot_may_have_said() {
    let clock = monday();
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let robot = Arc::new(Fake::good(ROBOT, &clock));
    let mut messages = many(&clock, 2, MAIL);
    messages[1].route = vec![ROBOT];
    let mut facts: Vec<Fact> = messages.iter().cloned().map(world::queued).collect();
    for message in &messages {
        facts.push(Fact::SendIntended {
            key: message.key.clone(),
            leg: 0,
            channel: message.route[0],
            items: message.items.clone(),
        });
    }
    let desk = Desk::open(&clock, facts, vec![mail.clone(), robot.clone()]);
    desk.idle().await;
    assert_eq!(mail.sent().len(), 1);
    assert_eq!(mail.sent()[0].2, 2, "its second try");
    assert_eq!(robot.sent().len(), 0);
    assert_eq!(desk.delivery(&messages[0].key).state.as_str(), "sent");
    let held = desk.delivery(&messages[1].key);
    assert_eq!(held.state.as_str(), "held");
    assert_eq!(held.last_trouble.unwrap().channel, ROBOT);
}

#[tokio::test]
async fn a_clock_that_leapt_holds_all_but_the_word_of_it() {
    let clock = monday();
    let mail = Arc::new(Fake::good(MAIL, &clock));
    let desk = Desk::open(&clock, Vec::new(), vec![mail.clone()]);
    // A leap that nobody has looked at yet.
    let now = clock.tick();
    let mut before = now;
    before.wall -= TimeDelta::days(300);
    desk.outbox.believe(before, before);
    let message = reminder(&clock, &[MAIL]);
    desk.append(vec![world::queued(message)]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(mail.sent(), []);

    // It is doubted: the operator alone is told.
    let mut alarm = many(&clock, 1, MAIL).remove(0);
    alarm.key.occasion = Occasion::Alarm(1);
    alarm.items.clear();
    alarm.explicit = true;
    desk.append(vec![
        Fact::ClockDoubted {
            expected: before.wall,
            found: now.wall,
        },
        Fact::AlarmRaised {
            alarm: "clock/leapt".into(),
            words: "系统时钟突然跳变".into(),
        },
        world::queued(alarm),
    ])
    .await;
    desk.idle().await;
    let told = |mail: &Fake| {
        let sent = mail.sent().into_iter();
        sent.map(|(key, ..)| key.occasion).collect::<Vec<_>>()
    };
    assert_eq!(told(&mail), [Occasion::Alarm(1)]);

    desk.append(vec![Fact::ClockAgreed]).await;
    desk.outbox.believe(now, now);
    desk.idle().await;
    let all = [Occasion::Alarm(1), Occasion::Stage(Stage::Reminder)];
    assert_eq!(told(&mail), all);
    desk.close().await;
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_is_in_hand_and_takes_nothing_new() {
    let clock = monday();
    let soft = CancellationToken::new();
    let stop = soft.clone();
    let mail = Arc::new(Fake::new(MAIL, &clock, move |_, _| {
        stop.cancel();
        Attempted::sent("ok")
    }));
    let messages = many(&clock, 3, MAIL);
    let facts: Vec<Fact> = messages.iter().cloned().map(world::queued).collect();
    let (ledger, _) = world::ledger(clock.now(), world::founding().into_iter().chain(facts));
    let outbox = Arc::new(Outbox::new(
        ledger.clone(),
        clock.clone(),
        world::rules(),
        Ways::new(
            world::terms(),
            vec![mail.clone()],
            Arc::new(|_, _, _, _| String::new()),
        ),
    ));
    let run = outbox.run(soft, CancellationToken::new());
    tokio::time::timeout(Duration::from_secs(5), run)
        .await
        .unwrap();
    assert_eq!(mail.sent().len(), 1);
    let states: Vec<&str> = messages
        .iter()
        .map(|message| ledger.book().messages[&message.key].state.as_str())
        .collect();
    assert_eq!(states, ["sent", "waiting", "waiting"]);
}

#[tokio::test]
async fn every_message_reaches_a_real_server_once_and_follow_ups_thread() {
    let clock = monday();
    let peer = SmtpPeer::scripted(|step, nth, _| match (step, nth) {
        (Step::Dot, 3) => Say::line("451 4.3.0 later"),
        _ => Say::Usual,
    })
    .await;
    let mut settings = crate::email::settings(&peer);
    settings.max_connections = 4;
    let mail = cuiban::channel::email::EmailChannel::new(settings).unwrap();
    let messages = many(&clock, 40, MAIL);
    let facts = messages.iter().cloned().map(world::queued).collect();
    let desk = Desk::open(&clock, facts, vec![Arc::new(mail)]);
    desk.run_until(clock.now() + TimeDelta::hours(1)).await;
    let accepted: Vec<String> = peer
        .mails()
        .into_iter()
        .filter(|mail| mail.accepted)
        .map(|mail| String::from_utf8(mail.data).unwrap())
        .collect();
    assert_eq!(accepted.len(), 40);
    let ids: std::collections::HashSet<&str> = accepted
        .iter()
        .filter_map(|mail| mail.lines().find(|line| line.starts_with("Message-ID: ")))
        .collect();
    assert_eq!(ids.len(), 40);
    assert!(peer.most_open() <= 4);
    let last = accepted.last().unwrap();
    let references = last.lines().find(|line| line.starts_with("References: "));
    assert!(references.is_some_and(|line| line.contains("<cuiban-")));
}

#[tokio::test]
async fn what_waits_goes_by_the_new_channel_at_the_old_ones_pace() {
    let clock = monday();
    let robot = |peer| {
        let mut robot = Fake::good(ROBOT, &clock);
        (robot.peer, robot.pace) = (peer, Pace::robot());
        Arc::new(robot)
    };
    let (first, second, third) = (robot("one"), robot("one"), robot("another"));
    let facts = many(&clock, 30, ROBOT).into_iter().map(world::queued);
    let desk = Desk::open(&clock, facts.collect(), vec![first.clone()]);
    desk.idle().await;
    assert_eq!(first.sent().len(), 20);
    desk.replace(vec![second.clone()]).await;
    desk.idle().await;
    assert!(second.sent().is_empty(), "twenty a minute, whoever sends");
    // One of whom nothing is known counts what the journal knows, as after a restart.
    desk.replace(vec![third.clone()]).await;
    desk.idle().await;
    assert!(third.sent().is_empty());
    desk.run_until(clock.now() + TimeDelta::minutes(2)).await;
    assert_eq!((first.sent().len(), second.sent().len()), (20, 0));
    assert_eq!(third.sent().len(), 10);
}

#[tokio::test]
async fn a_channel_that_was_shut_is_tried_by_its_successor_at_once() {
    let clock = monday();
    let shut = |_: &Brief, _: usize| {
        let stop = Next::StopChannel {
            pause: TimeDelta::hours(1),
        };
        Attempted::failed(FailReason::Credentials, stop, "535")
    };
    let first = Arc::new(Fake::new(MAIL, &clock, shut));
    let message = reminder(&clock, &[MAIL]);
    let facts = vec![world::queued(message.clone())];
    let desk = Desk::open(&clock, facts, vec![first.clone()]);
    desk.idle().await;
    assert_eq!(first.sent().len(), 1);
    let status = || desk.outbox.status().remove(0);
    assert!(status().rest.unwrap().stopped);

    let still_shut = Arc::new(Fake::new(MAIL, &clock, shut));
    desk.replace(vec![still_shut.clone()]).await;
    assert!(status().down.is_some(), "nothing shows yet that it works");
    desk.idle().await;
    assert_eq!((first.sent().len(), still_shut.sent().len()), (1, 1));
    let mended = Arc::new(Fake::good(MAIL, &clock));
    desk.replace(vec![mended.clone()]).await;
    desk.idle().await;
    assert_eq!(mended.sent().len(), 1);
    assert_eq!((status().down, status().rest), (None, None));
    assert_eq!(desk.delivery(&message.key).state.as_str(), "sent");
}
