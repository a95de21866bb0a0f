//! Our side, in a process of its own so that its memory and CPU time are its own: a store with a
//! plan, a pass that queues a notice to everybody, and the outbox that sends it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use cuiban::channel::email::{self, EmailChannel, Tls};
use cuiban::channel::wecom_app::{AppChannel, Settings};
use cuiban::channel::{Channel, Sending};
use cuiban::clock::Clock;
use cuiban::config::Secret;
use cuiban::config::wecom::Way;
use cuiban::domain::book::DeliveryState;
use cuiban::domain::brief::Brief;
use cuiban::domain::due::{Reach, pass};
use cuiban::domain::fact::{Actor, Fact};
use cuiban::domain::ids::{PlanId, Quarter};
use cuiban::domain::people::ChannelKind;
use cuiban::outbox::{Outbox, Ways};
use cuiban::store::{Decision, Ledger, Opener, Room};
use tokio_util::sync::CancellationToken;

use crate::sinks::{CA, Speaks};
use crate::{SESSIONS, kit};

/// Owners of one task, each a group of its own.
const GROUPS: usize = 40;
/// Tasks of one owner.
const SHARE: usize = 2;
/// The office's day goes by this fast where a crash is looked at: what is in doubt waits for
/// minutes before it is repeated.
const FAST: f64 = 60.0;

/// What the process is to do.
#[derive(Debug, Clone)]
pub struct Job {
    pub speaks: Speaks,
    pub persons: usize,
    pub folder: PathBuf,
    pub port: u16,
    /// The office's clock at the start, in minutes after the notice is due.
    pub minute: i64,
    /// Whether that clock goes.
    pub fast: bool,
}

/// What it says at the end.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub took: Duration,
    pub cpu: Duration,
    /// MiB at the most.
    pub resident: f64,
}

impl Job {
    /// Starts the process; it imports the plan where the folder is empty.
    pub fn spawn(&self) -> Child {
        let speaks = match self.speaks {
            Speaks::Http => "http",
            Speaks::Smtp => "smtp",
            Speaks::StartTls => "starttls",
        };
        Command::new(std::env::current_exe().unwrap())
            .args(["ours", speaks, &self.persons.to_string()])
            .arg(&self.folder)
            .args([self.port.to_string(), self.minute.to_string()])
            .arg(self.fast.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// In the process.
    pub fn of(args: &[String]) -> Self {
        Self {
            speaks: match args[0].as_str() {
                "http" => Speaks::Http,
                "smtp" => Speaks::Smtp,
                _ => Speaks::StartTls,
            },
            persons: args[1].parse().unwrap(),
            folder: args[2].as_str().into(),
            port: args[3].parse().unwrap(),
            minute: args[4].parse().unwrap(),
            fast: args[5].parse().unwrap(),
        }
    }

    pub fn work(&self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let start = kit::at("2022-03-17T09:10") + TimeDelta::minutes(self.minute);
        let clock = Clock::simulated(start, if self.fast { FAST } else { 0.0 });
        let (ledger, writer, _) = Ledger::open(Opener {
            path: self.folder.join("data"),
            probe: None,
            room: Room::default(),
            clock: clock.clone(),
        })
        .unwrap();
        if ledger.book().plans.is_empty() {
            runtime.block_on(self.import(&ledger));
            drop(ledger);
            writer.join().unwrap();
            return;
        }
        let (began, before) = (Instant::now(), kit::own_cpu());
        runtime.block_on(self.send(&ledger, &clock));
        let (took, cpu) = (began.elapsed(), kit::own_cpu() - before);
        let (_, resident) = kit::resident(std::process::id());
        println!("{} {} {resident}", took.as_secs_f64(), cpu.as_secs_f64());
        drop(ledger);
        writer.join().unwrap();
    }

    async fn import(&self, ledger: &Ledger) {
        let at = kit::at("2022-01-04T09:00");
        let facts = facts(self.persons);
        for part in facts.chunks(5_000) {
            ledger
                .append(Actor::System, at, part.to_vec())
                .await
                .unwrap();
        }
    }

    async fn send(&self, ledger: &Ledger, clock: &Clock) {
        let reach = Reach {
            email: self.speaks != Speaks::Http,
            app: self.speaks == Speaks::Http,
            ..Reach::default()
        };
        let rules = kit::rules(reach, Vec::new());
        let (set, now) = (rules.now(), clock.now());
        let queue = move |book: &_| {
            let facts = pass(&set.world(book), now);
            Ok::<_, std::convert::Infallible>(Decision { facts, value: () })
        };
        ledger.commit(Actor::System, now, queue).await.unwrap();
        let outbox = Arc::new(Outbox::new(
            ledger.clone(),
            clock.clone(),
            rules,
            Ways::new(
                kit::terms(),
                vec![self.channel()],
                Arc::new(|_, quarter, person, _| {
                    format!(
                        "https://duban.example.gov.cn/r/{quarter}-{person}-7f3kQm2ZpX7f3kQm2ZpX"
                    )
                }),
            ),
        ));
        let soft = CancellationToken::new();
        let running = Arc::clone(&outbox).run(soft.clone(), CancellationToken::new());
        let running = tokio::spawn(running);
        outbox.wait_idle().await;
        while self.fast && unsent(ledger) > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(unsent(ledger), 0, "every message is sent");
        soft.cancel();
        running.await.unwrap();
    }

    fn channel(&self) -> Arc<dyn Channel> {
        if self.speaks == Speaks::Http {
            let channel = AppChannel::new(Settings {
                corp_id: "ww0123456789abcdef".into(),
                agent_id: 1_000_002,
                secret: Secret::new("s".into()),
                base_url: format!("http://127.0.0.1:{}", self.port),
                way: Way {
                    proxy: None,
                    ca: None,
                },
                cards: false,
                callback: None,
            });
            return Arc::new(Wide(channel.unwrap()));
        }
        let tls = self.speaks == Speaks::StartTls;
        let channel = EmailChannel::new(email::Settings {
            host: if tls { "localhost" } else { "127.0.0.1" }.into(),
            port: self.port,
            tls: if tls { Tls::Starttls } else { Tls::None },
            login: None,
            from_name: Some("市政府办公室督查科".into()),
            from_address: "duban@agency.example".into(),
            reply_to: None,
            max_connections: SESSIONS,
            timeout: Duration::from_secs(30),
            pipelining: true,
            messages_per_connection: 0,
            per_minute: 0,
            per_hour: 0,
            extra_ca: tls.then(|| CA.to_vec()),
        });
        Arc::new(channel.unwrap())
    }
}

/// What the process said, and its end.
pub fn cost(child: Child) -> Option<Cost> {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "our process fails");
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = said
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    let [took, cpu, resident] = numbers[..] else {
        return None;
    };
    Some(Cost {
        took: Duration::from_secs_f64(took),
        cpu: Duration::from_secs_f64(cpu),
        resident,
    })
}

/// The application with as many sessions as its peers have; the platform itself wants two.
struct Wide(AppChannel);

impl Channel for Wide {
    fn kind(&self) -> ChannelKind {
        self.0.kind()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn sessions(&self) -> usize {
        SESSIONS
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        self.0.send(brief, nth)
    }
}

fn unsent(ledger: &Ledger) -> usize {
    let book = ledger.book();
    let messages = book.messages.values();
    let is_sent = |state: &DeliveryState| matches!(state, DeliveryState::Sent { .. });
    messages
        .filter(|delivery| !is_sent(&delivery.state))
        .count()
}

/// A plan with so many owners, each with two tasks.
fn facts(persons: usize) -> Vec<Fact> {
    let plan = PlanId::new("peers-2022").unwrap();
    let quarters = [Quarter::of(kit::at("2022-03-17T09:10").date_naive())];
    let owner = |nth: usize| kit::person_ref(format!("责任人{nth}"));
    let mut facts = vec![kit::imported(&plan)];
    facts.extend((0..persons).flat_map(|nth| kit::reachable(&owner(nth))));
    facts.push(kit::deadlines(&plan, &quarters));
    let tasks = persons.div_ceil(GROUPS);
    for no in 0..tasks * SHARE {
        let first = (no % tasks) * GROUPS;
        let owners = (first..(first + GROUPS).min(persons)).map(owner);
        facts.push(Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(kit::task(no + 1, owners, &quarters)),
        });
    }
    facts
}

/// Ids of the same persons, for the peers.
pub fn ids(persons: usize) -> Vec<String> {
    let owner = |nth: usize| kit::person_ref(format!("责任人{nth}"));
    (0..persons).map(|nth| owner(nth).id.to_string()).collect()
}

/// Minutes of the office that go by in this time.
pub fn minutes(real: Duration) -> i64 {
    let then = DateTime::<Utc>::UNIX_EPOCH + real.mul_f64(FAST);
    then.timestamp() / 60 + 1
}
