//! What the application's channel brings about in the journal: cards that say when all is answered,
//! accounts that are asked for once.

use std::sync::Arc;

use chrono::TimeDelta;
use cuiban::channel::Channel;
use cuiban::clock::Clock;
use cuiban::domain::book::DeliveryState;
use cuiban::domain::fact::Fact;
use cuiban::domain::message::{Message, Occasion, Stage};
use cuiban::domain::people::{ChannelKind, Contact};

use crate::outbox::Desk;
use crate::peers::wecom::Answer;
use crate::peers::wecom_app::AppPeer;
use crate::peers::world::{self, at, obligation, zhong};
use crate::wecom_app::app;

const APP: ChannelKind = ChannelKind::WecomApp;

fn monday() -> Clock {
    Clock::simulated(at("2022-03-28", "09:10"), 0.0)
}

fn reminder(clock: &Clock) -> Message {
    world::message(
        Occasion::Stage(Stage::Reminder),
        zhong(),
        &[APP],
        clock.now(),
    )
}

fn desk(clock: &Clock, peer: &AppPeer, facts: Vec<Fact>) -> Desk {
    let channel: Arc<dyn Channel> = Arc::new(app(peer.base_url()));
    Desk::open(clock, facts, vec![channel])
}

#[tokio::test]
async fn a_card_says_so_when_the_last_of_its_items_is_answered() {
    let (clock, peer) = (monday(), AppPeer::good().await);
    let desk = desk(&clock, &peer, vec![world::queued(reminder(&clock))]);
    desk.idle().await;
    assert_eq!(desk.ledger.book().cards.len(), 1);
    desk.append(vec![
        world::reported(obligation(31, 1), zhong()),
        world::reported(obligation(32, 0), zhong()),
    ])
    .await;
    desk.idle().await;
    assert_eq!(
        peer.settled().len(),
        0,
        "one is still open, and a card changes once"
    );
    // The last one by telephone, entered by the coordinator: whoever, by whatever way.
    desk.append(vec![world::reported(obligation(37, 0), zhong())])
        .await;
    desk.idle().await;
    assert_eq!(peer.settled().len(), 1);
    assert_eq!(desk.ledger.book().cards.len(), 0);
    desk.append(vec![world::reported(obligation(37, 0), zhong())])
        .await;
    desk.idle().await;
    assert_eq!(peer.calls_of("message/update_template_card"), 1);
    desk.close().await;
}

#[tokio::test]
async fn a_change_that_does_not_work_out_is_tried_a_few_times_and_delays_nothing() {
    let (clock, peer) = (monday(), AppPeer::good().await);
    let desk = desk(&clock, &peer, vec![world::queued(reminder(&clock))]);
    desk.idle().await;
    peer.set_script(|path, nth| match (path, nth) {
        ("message/update_template_card", 1..=2) => Answer::Code(-1),
        _ => Answer::Usual,
    });
    let all = [obligation(31, 1), obligation(32, 0), obligation(37, 0)];
    let reports = all.iter().map(|key| world::reported(key.clone(), zhong()));
    desk.append(reports.collect()).await;
    for minute in 1..=10 {
        desk.idle().await;
        clock.advance_to(at("2022-03-28", "09:10") + TimeDelta::minutes(minute));
    }
    desk.idle().await;
    assert_eq!(peer.calls_of("message/update_template_card"), 3);
    assert_eq!(peer.settled().len(), 1);
    desk.close().await;
}

#[tokio::test]
async fn a_card_is_left_alone_after_three_days() {
    let (clock, peer) = (monday(), AppPeer::good().await);
    let desk = desk(&clock, &peer, vec![world::queued(reminder(&clock))]);
    desk.idle().await;
    clock.advance_to(at("2022-03-31", "09:10"));
    let all = [obligation(31, 1), obligation(32, 0), obligation(37, 0)];
    let reports = all.iter().map(|key| world::reported(key.clone(), zhong()));
    desk.append(reports.collect()).await;
    desk.idle().await;
    assert_eq!(peer.calls_of("message/update_template_card"), 0);
    desk.close().await;
}

#[tokio::test]
async fn what_the_platform_says_of_accounts_is_kept_until_the_sheet_changes() {
    let (clock, peer) = (monday(), AppPeer::good().await);
    let contact = |mobile: &str| Contact {
        mobile: Some(mobile.into()),
        channels: vec![APP],
        ..Contact::none(zhong())
    };
    let set = |mobile: &str| Fact::ContactSet {
        contact: contact(mobile),
    };
    peer.has_mobile("13900000001", "zjp");
    let facts = vec![set("13800000009"), world::queued(reminder(&clock))];
    let desk = desk(&clock, &peer, facts);
    desk.idle().await;
    let state = desk.delivery(&reminder(&clock).key).state;
    assert!(matches!(state, DeliveryState::Dead { .. }), "{state:?}");
    {
        let book = desk.ledger.book();
        assert!(book.is_without_account(&zhong()));
        assert_eq!(book.contact(&zhong()).wecom_user, None);
    }
    // The coordinator mends the number: it is asked for anew, and found.
    let mut urge = reminder(&clock);
    urge.key.occasion = Occasion::Urge(1);
    desk.append(vec![set("13900000001"), world::queued(urge.clone())])
        .await;
    desk.idle().await;
    let state = desk.delivery(&urge.key).state;
    assert!(matches!(state, DeliveryState::Sent { .. }), "{state:?}");
    {
        let book = desk.ledger.book();
        assert!(!book.is_without_account(&zhong()));
        let known = book.contact(&zhong()).wecom_user;
        assert_eq!(known.as_deref(), Some("zjp"));
    }
    // Another run, another channel: the journal knows.
    let facts: Vec<Fact> = vec![
        set("13900000001"),
        Fact::AccountLearned {
            person: zhong(),
            account: Some("zjp".into()),
        },
        world::queued(reminder(&clock)),
    ];
    desk.close().await;
    let again = self::desk(&clock, &peer, facts);
    again.idle().await;
    assert_eq!(peer.calls_of("user/getuserid"), 2);
    assert_eq!(peer.delivered().len(), 2);
    again.close().await;
}

#[tokio::test]
async fn a_doubt_is_cleared_by_the_same_request_and_nobody_reads_it_twice() {
    let (clock, peer) = (monday(), AppPeer::good().await);
    peer.set_script(|path, nth| match (path, nth) {
        // The platform is slow to answer twice; it says the page of a proxy.
        ("message/send", 1..=2) => Answer::Http(502),
        _ => Answer::Usual,
    });
    let desk = desk(&clock, &peer, vec![world::queued(reminder(&clock))]);
    desk.run_until(at("2022-03-28", "11:00")).await;
    let delivery = desk.delivery(&reminder(&clock).key);
    assert_eq!(peer.delivered().len(), 1);
    let state = delivery.state;
    assert!(matches!(state, DeliveryState::Sent { .. }), "{state:?}");
    let bodies = peer.bodies_of("message/send");
    assert!(bodies.len() == 3 && bodies.iter().all(|body| *body == bodies[0]));
    desk.close().await;
}
