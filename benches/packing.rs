//! How many calls a robot needs for the real table's notices, beside the least that any packing
//! could need, and how many minutes of 20 calls that is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring program"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use cuiban::channel::wecom_robot::{RobotChannel, Settings};
use cuiban::channel::{Channel, Measure};
use cuiban::config::Secret;
use cuiban::config::wecom::{Format, Way};
use cuiban::domain::book::Book;
use cuiban::domain::brief::{self, Brief, Office, Order};
use cuiban::domain::due::{self, Reach, Robots};
use cuiban::domain::fact::{Actor, Entry, Fact};
use cuiban::domain::ids::PlanId;
use cuiban::domain::link::{Link, LinkKey};
use cuiban::domain::message::Message;
use cuiban::domain::packing;
use cuiban::domain::people::Contact;
use cuiban::domain::policy::Policy;
use cuiban::plan::{self, Source, import};
use cuiban::rules::RuleSet;

const TABLE: &[u8] = include_bytes!("../seeds/dongguan-2022.txt");
/// Bytes of a markdown message.
const LIMIT: usize = 4096;
const A_MINUTE: usize = 20;

fn main() {
    // `cargo test --benches` calls this too; only `cargo bench` is meant to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let rules = rules();
    let founded = founded(&rules);
    println!("the real table through one robot: calls, and the least by bytes alone");
    for (name, at) in [
        ("Q1 notice", "2022-03-17T09:10:00+08:00"),
        ("Q2 notice", "2022-06-16T09:10:00+08:00"),
        ("Q4 notice", "2022-12-16T09:10:00+08:00"),
    ] {
        let now = DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        let briefs = briefs(&rules, &founded, now);
        for format in [Format::Markdown, Format::MarkdownV2] {
            let robot = robot(format);
            show(&format!("{name}, {format:?}"), &robot, &briefs);
        }
    }
}

fn show(name: &str, robot: &RobotChannel, briefs: &[Brief]) {
    let packing = robot.packing().unwrap();
    let begun = Instant::now();
    let measures: Vec<Measure> = briefs
        .iter()
        .map(|brief| packing.measure(brief).unwrap())
        .collect();
    let measured = begun.elapsed();
    let mut kinds: BTreeMap<&str, Vec<&Measure>> = BTreeMap::new();
    for measure in &measures {
        kinds.entry(&measure.kind).or_default().push(measure);
    }
    let begun = Instant::now();
    let (mut calls, mut in_room) = (0, 0);
    for measures in kinds.values() {
        let sizes: Vec<usize> = measures.iter().map(|measure| measure.bytes).collect();
        let room = measures.iter().map(|measure| measure.room).min().unwrap();
        calls += packing::packs(&sizes, room).len();
        in_room += packing::least_calls(&sizes, room);
    }
    let planned = begun.elapsed();
    let bytes: usize = measures.iter().map(|measure| measure.bytes).sum();
    let least = bytes.div_ceil(LIMIT);
    println!(
        "  {name:24} {:3} people {bytes:6} bytes: {calls:3} calls, least {least:3} ({in_room:3} with the words all share), {} minutes; one call each: {:2} minutes; measured in {measured:.1?}, planned in {planned:.1?}",
        briefs.len(),
        calls.div_ceil(A_MINUTE),
        briefs.len().div_ceil(A_MINUTE),
    );
}

fn robot(format: Format) -> RobotChannel {
    let _ = rustls::crypto::ring::default_provider().install_default();
    RobotChannel::new(Settings {
        name: "督查群".into(),
        key: Secret::new("693a1116-7a0c-4bc4-97a0-0ec20bfa5aaa".into()),
        units: Vec::new(),
        base_url: "http://127.0.0.1:1".into(),
        format,
        way: Way::default(),
    })
    .unwrap()
}

fn rules() -> RuleSet {
    RuleSet {
        policy: Policy::default(),
        calendar: Arc::new(cuiban::config::holidays::embedded(chrono_tz::Asia::Shanghai).unwrap()),
        report: Default::default(),
        reach: Reach {
            robots: Robots {
                for_all: true,
                ..Robots::default()
            },
            ..Reach::default()
        },
        coordinators: Vec::new(),
        operators: Vec::new(),
    }
}

/// The table as repaired, and an account for everyone in it.
fn founded(rules: &RuleSet) -> Vec<Fact> {
    let source = Source {
        file_name: "dongguan-2022.txt".into(),
        id: Some(PlanId::new("dongguan-2022").unwrap()),
        ..Source::default()
    };
    let reading = plan::read(TABLE, &source).unwrap();
    let origin = import::TableFile {
        name: source.file_name,
        sha256: String::new(),
        accepted: 0,
        units: Vec::new(),
    };
    let book = Book::default();
    let mut facts = import::facts(
        &book,
        &reading.plan,
        &origin,
        &rules.policy,
        &rules.calendar,
    );
    let people = reading.plan.people.iter().zip(1..);
    facts.extend(people.map(|(person, n)| Fact::ContactSet {
        contact: Contact {
            wecom_user: Some(format!("dg{n:06}")),
            ..Contact::none(person.id.clone())
        },
    }));
    facts
}

fn briefs(rules: &RuleSet, founded: &[Fact], now: DateTime<Utc>) -> Vec<Brief> {
    let mut book = Book::default();
    let apply = |book: &mut Book, fact: &Fact| {
        let entry = Entry {
            position: book.position + 1,
            at: now,
            by: Actor::System,
            fact: fact.clone(),
        };
        book.apply(&entry).unwrap();
    };
    founded.iter().for_each(|fact| apply(&mut book, fact));
    let facts = due::pass(&rules.world(&book), now);
    facts.iter().for_each(|fact| apply(&mut book, fact));
    let messages = facts.into_iter().filter_map(|fact| match fact {
        Fact::MessageQueued { message } => Some(*message),
        _ => None,
    });
    let key = LinkKey::new([7; 32]);
    messages
        .map(|message| compose(rules, &book, &message, &key, now))
        .collect()
}

fn compose(
    rules: &RuleSet,
    book: &Book,
    message: &Message,
    key: &LinkKey,
    now: DateTime<Utc>,
) -> Brief {
    let whose = &message.key;
    let day = rules.calendar.date_of(now);
    let link = Link::new(
        (whose.plan.clone(), whose.quarter, whose.person.clone()),
        now,
        day,
        whose.quarter.last_day(),
    );
    brief::compose(
        book,
        &rules.calendar,
        Order {
            message,
            items: &message.items,
            about: &message.about,
            office: &Office {
                name: "市政府办公室督查科".into(),
                telephone: Some("0769-22830000".into()),
                board: None,
                reads_mail: false,
            },
            link: &format!("https://duban.dg.gov.cn/r/{}", key.sign(&link)),
            calendar: None,
            now,
        },
    )
}
