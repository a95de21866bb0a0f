//! Everything people read, as they read it.

use chrono::{DateTime, NaiveDate, Utc};
use cuiban::channel::render::{self, Short};
use cuiban::domain::book::Book;
use cuiban::domain::brief::{self, Brief, Order};
use cuiban::domain::delivery::{SendOutcome, Verdict};
use cuiban::domain::fact::{Fact, SkipWhy};
use cuiban::domain::ids::{ObligationKey, PersonId};
use cuiban::domain::message::{Message, Occasion, Stage};
use cuiban::domain::people::ChannelKind;
use cuiban::domain::report::Review;
use proptest::prelude::*;

use crate::peers::world::{self, at, obligation, zhong};

pub fn brief_of(book: &Book, message: &Message, now: DateTime<Utc>) -> Brief {
    let office = world::office();
    brief::compose(
        book,
        &world::calendar(),
        Order {
            message,
            items: &book.still_open(&message.key.person, &message.items, now),
            about: &message.about,
            office: &office,
            link: "https://duban.example.gov.cn/r/7f3kQm2ZpX",
            calendar: Some("https://duban.example.gov.cn/calendar/9xWq4T.ics"),
            now,
        },
    )
}

fn stage_message(stage: Stage, now: DateTime<Utc>) -> Message {
    world::message(Occasion::Stage(stage), zhong(), &[ChannelKind::Email], now)
}

fn shown(brief: &Brief) -> String {
    let letter = render::letter(brief).unwrap();
    format!("{}\n----\n{}", letter.subject, letter.text)
}

fn founded(now: DateTime<Utc>) -> Book {
    world::book(now, world::founding())
}

#[test]
fn each_stage_reads_well() {
    let rows = [
        (Stage::Notice, at("2022-03-17", "09:10")),
        (Stage::Reminder, at("2022-03-28", "09:10")),
        (Stage::Due, at("2022-03-31", "09:10")),
        (Stage::Overdue, at("2022-04-01", "09:10")),
        (Stage::Escalation, at("2022-04-08", "09:10")),
    ];
    for (stage, now) in rows {
        let message = stage_message(stage, now);
        let brief = brief_of(&founded(now), &message, now);
        insta::assert_snapshot!(format!("stage_{}", stage.as_str()), shown(&brief));
        let short = render::short(&brief, Short::Markdown, 4096).unwrap();
        insta::assert_snapshot!(format!("stage_{}_wecom", stage.as_str()), short);
    }
}

#[test]
fn what_several_people_read_in_one_group_message() {
    let now = at("2022-03-17", "09:10");
    let one = brief_of(&founded(now), &stage_message(Stage::Notice, now), now);
    let mut other = one.clone();
    other.name = "王国雄".into();
    other.contact.wecom_user = Some("WangGuoXiong".into());
    other.items.truncate(1);
    other.link = "https://duban.example.gov.cn/r/Qm2ZpX7f3k".into();
    let together = |form, briefs: &[Brief]| {
        let text = render::pack::together(briefs, form, 4096, str::len);
        text.unwrap().unwrap()
    };
    let both = [one, other];
    insta::assert_snapshot!("pack_notice", together(Short::Markdown, &both));
    insta::assert_snapshot!("pack_notice_text", together(Short::Plain, &both));

    let now = at("2022-04-08", "09:10");
    let late = brief_of(&founded(now), &stage_message(Stage::Escalation, now), now);
    insta::assert_snapshot!("pack_escalation", together(Short::Markdown, &[late]));
    let mut copied = stage_message(Stage::Escalation, now);
    copied.key.person = world::person("", "刘光滨");
    copied.about = std::mem::take(&mut copied.items);
    let copied = brief_of(&founded(now), &copied, now);
    insta::assert_snapshot!("pack_copied", together(Short::Markdown, &[copied]));
    let openings: Vec<String> = Stage::ALL
        .into_iter()
        .zip([
            "2022-03-17",
            "2022-03-28",
            "2022-03-31",
            "2022-04-01",
            "2022-04-08",
        ])
        .map(|(stage, day)| {
            let now = at(day, "09:10");
            let brief = brief_of(&founded(now), &stage_message(stage, now), now);
            let text = together(Short::Plain, std::slice::from_ref(&brief));
            let card = render::card(&brief, false).unwrap();
            let first = text.lines().next().unwrap().to_owned();
            format!(
                "{first}\n  {}\n  {}\n  {}\n",
                card.title, card.desc, card.text
            )
        })
        .collect();
    insta::assert_snapshot!("pack_openings_and_cards", openings.join("\n"));
}

#[test]
fn the_html_of_a_reminder() {
    let now = at("2022-03-28", "09:10");
    let brief = brief_of(&founded(now), &stage_message(Stage::Reminder, now), now);
    insta::assert_snapshot!("reminder_html", render::letter(&brief).unwrap().html);
    let plain = render::short(&brief, Short::Plain, 2048).unwrap();
    insta::assert_snapshot!("reminder_wecom_text", plain);
}

#[test]
fn an_urge_a_return_a_copy_and_a_late_stage() {
    let now = at("2022-04-11", "09:10");
    let mut facts = world::founding();
    facts.push(world::reported(obligation(37, 0), zhong()));
    facts.push(Fact::ReviewGiven {
        obligation: obligation(37, 0),
        review: Review::Returned {
            reason: "只写了“正常推进”。\n请写明评估报告是否已经形成、<何时>报审。".into(),
        },
    });
    let book = world::book(now, facts);
    let mut message = stage_message(Stage::Escalation, now);
    message.catch_up = true;
    message.copied = vec![
        world::person("市科技局", "卓庆"),
        world::person("", "刘光滨"),
    ];
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("escalation_returned_copied_catch_up", shown(&brief));
    let html = render::letter(&brief).unwrap().html;
    assert!(html.contains("&lt;何时&gt;"), "{html}");

    let mut urge = message.clone();
    urge.key.occasion = Occasion::Urge(1);
    urge.catch_up = false;
    insta::assert_snapshot!("urge", shown(&brief_of(&book, &urge, now)));
}

#[test]
fn those_copied_in_read_whose_it_is_and_later_that_it_is_settled() {
    let now = at("2022-04-11", "09:10");
    let mut message = stage_message(Stage::Escalation, now);
    message.key.person = world::person("", "刘光滨");
    message.items.clear();
    message.about = vec![obligation(32, 0), obligation(31, 1), obligation(31, 0)];
    let wang = || world::person("市发展改革局", "王国雄");
    let reached = notices(&[
        (zhong(), world::zhongs()),
        (wang(), vec![obligation(31, 0)]),
    ]);
    let book = world::book(now, world::founding().into_iter().chain(reached));
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("copied", shown(&brief));
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("copied_wecom", short);
    assert!(!short.contains("/r/"), "no link to another's page");
    assert!(!shown(&brief).contains("/r/"));

    let mut facts = world::founding();
    facts.push(world::reported(obligation(32, 0), zhong()));
    let book = world::book(at("2022-04-12", "15:00"), facts);
    message.key.occasion = Occasion::Settled(NaiveDate::from_ymd_opt(2022, 4, 12).unwrap());
    message.about = vec![obligation(32, 0)];
    let brief = brief_of(&book, &message, at("2022-04-12", "16:50"));
    insta::assert_snapshot!("settled", shown(&brief));
    insta::assert_snapshot!("settled_html", render::letter(&brief).unwrap().html);
}

/// Notices that were sent to these people.
fn notices(told: &[(PersonId, Vec<ObligationKey>)]) -> Vec<Fact> {
    let sent = |(person, items): &(PersonId, Vec<ObligationKey>)| {
        let mut notice = stage_message(Stage::Notice, at("2022-03-17", "09:10"));
        notice.key.person = person.clone();
        notice.items = items.clone();
        let intended = Fact::SendIntended {
            key: notice.key.clone(),
            leg: 0,
            channel: ChannelKind::Email,
            items: items.clone(),
        };
        let concluded = Fact::SendConcluded {
            key: notice.key.clone(),
            outcome: SendOutcome::Sent {
                answer: String::new(),
            },
            verdict: Verdict::Done,
        };
        [world::queued(notice), intended, concluded]
    };
    told.iter().flat_map(sent).collect()
}

#[test]
fn a_coordinator_reads_whom_nothing_reached_apart_from_those_who_owe() {
    let now = at("2022-04-08", "09:10");
    let mut message = stage_message(Stage::Escalation, now);
    let (unit, name) = world::COORDINATOR;
    message.key.person = world::person(unit, name);
    message.items.clear();
    message.about = vec![obligation(32, 0), obligation(31, 1), obligation(31, 0)];
    let reached = notices(&[(zhong(), world::zhongs())]);
    let mut unreached = stage_message(Stage::Escalation, now).key;
    unreached.person = world::person("市发展改革局", "王国雄");
    let skipped = Fact::MessageSkipped {
        key: unreached,
        why: SkipWhy::Unreachable,
    };
    let facts = world::founding().into_iter().chain(reached);
    let book = world::book(now, facts.chain([skipped]));
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("copied_coordinator", shown(&brief));
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("copied_coordinator_wecom", short);
    message.about = vec![obligation(31, 0)];
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("copied_coordinator_all_unreached", shown(&brief));
}

#[test]
fn a_test_message_says_that_it_is_one() {
    let now = at("2022-03-10", "10:00");
    let mut message = stage_message(Stage::Notice, now);
    message.key.occasion = Occasion::Test(1);
    message.items.clear();
    let brief = brief_of(&founded(now), &message, now);
    insta::assert_snapshot!("test", shown(&brief));
    message.route = vec![ChannelKind::WecomRobot];
    let brief = brief_of(&founded(now), &message, now);
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("test_wecom", short);
}

#[test]
fn an_alarm_says_what_is_wrong_since_when_and_what_to_do() {
    let now = at("2022-03-17", "10:00");
    let mut facts = world::founding();
    for (alarm, words) in [
        (
            "channel/email",
            "电子邮件已停止发送：账号、密码或密钥无效（登录邮件服务器：535 请使用授权码登录）。请服务器管理员检查设置并改正，未发的消息之后会自动发出。",
        ),
        (
            "clock",
            "系统时钟突然由2022年3月17日跳到2023年3月17日，已暂停提醒。",
        ),
    ] {
        facts.push(Fact::AlarmRaised {
            alarm: alarm.into(),
            words: words.into(),
        });
    }
    let mut message = stage_message(Stage::Notice, now);
    message.key.occasion = Occasion::Alarm(1);
    message.items.clear();
    let brief = brief_of(&world::book(now, facts), &message, now);
    insta::assert_snapshot!("alarm", shown(&brief));
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("alarm_wecom", short);
}

#[test]
fn a_coordinator_reads_how_it_stands() {
    let now = at("2022-03-29", "16:50");
    let mut facts = world::founding();
    facts.push(world::reported(obligation(32, 0), zhong()));
    facts.push(Fact::ContactSet {
        contact: cuiban::domain::people::Contact::none(world::person("市发展改革局", "王国雄")),
    });
    let dead = stage_message(Stage::Notice, now);
    facts.push(world::queued(dead.clone()));
    facts.push(Fact::SendIntended {
        key: dead.key.clone(),
        leg: 0,
        channel: ChannelKind::Email,
        items: dead.items.clone(),
    });
    facts.push(Fact::SendConcluded {
        key: dead.key,
        outcome: SendOutcome::InDoubt {
            detail: String::new(),
        },
        verdict: Verdict::Dead,
    });
    let book = world::book(now, facts);
    let (unit, name) = world::COORDINATOR;
    let day = NaiveDate::from_ymd_opt(2022, 3, 29).unwrap();
    let mut message = stage_message(Stage::Notice, now);
    message.key.occasion = Occasion::Digest(day);
    message.key.person = world::person(unit, name);
    message.items.clear();
    message.about = book
        .obligations_in(&world::plan_id(), world::q1())
        .map(|(key, _)| key.clone())
        .collect();
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("digest", shown(&brief));
    insta::assert_snapshot!("digest_html", render::letter(&brief).unwrap().html);
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("digest_wecom", short);
}

#[test]
fn a_year_without_a_holiday_table_is_said() {
    let now = at("2022-03-17", "09:10");
    let mut brief = brief_of(&founded(now), &stage_message(Stage::Notice, now), now);
    brief.assumed_years = vec![2022];
    assert!(shown(&brief).contains("工作日暂按周一至周五计算"));
}

#[test]
fn the_subject_stays_the_same_through_the_quarter() {
    let subjects: std::collections::HashSet<String> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let now = at("2022-03-31", "09:10");
            render::subject(&brief_of(&founded(now), &stage_message(stage, now), now)).unwrap()
        })
        .collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_short_message_keeps_within_its_bytes_and_says_what_it_left_out(
        items in 1_usize..40, length in 1_usize..400, most in 900_usize..4096
    ) {
        let now = at("2022-03-28", "09:10");
        let mut brief = brief_of(&founded(now), &stage_message(Stage::Reminder, now), now);
        let mut item = brief.items[0].clone();
        item.milestones[0].content = "推".repeat(length);
        brief.items = vec![item; items];
        let text = render::short(&brief, Short::Markdown, most).unwrap();
        prop_assert!(text.len() <= most);
        let listed = text.matches("**第31项").count();
        let left_out = format!("另有{}项，请点链接查看", items - listed);
        prop_assert!(listed == items || text.contains(&left_out));
        prop_assert!(text.contains("/r/7f3kQm2ZpX)"));
    }
}

#[test]
fn a_new_owner_reads_what_is_open_and_the_former_one_reads_thanks() {
    let now = at("2022-03-22", "08:30");
    let mut message = stage_message(Stage::Notice, now);
    message.key.occasion = Occasion::TakenOver(2);
    let brief = brief_of(&founded(now), &message, now);
    insta::assert_snapshot!("taken_over", shown(&brief));
    let short = render::short(&brief, Short::Markdown, 4096).unwrap();
    insta::assert_snapshot!("taken_over_wecom", short);

    let mut facts = world::founding();
    facts.push(Fact::TaskRemoved {
        plan: obligation(37, 0).plan,
        task: 37,
    });
    message.key.occasion = Occasion::HandedOver(2);
    message.about = vec![obligation(32, 0), obligation(31, 1)];
    message.items.clear();
    let book = world::book(now, facts);
    let brief = brief_of(&book, &message, now);
    insta::assert_snapshot!("handed_over", shown(&brief));
    let html = render::letter(&brief).unwrap().html;
    insta::assert_snapshot!("handed_over_html", html);
    for (form, name) in [(Short::Markdown, "md"), (Short::Plain, "txt")] {
        let short = render::short(&brief, form, 4096).unwrap();
        assert!(!short.contains("/r/"), "nothing to fill in");
        insta::assert_snapshot!(format!("handed_over_wecom_{name}"), short);
    }
}
