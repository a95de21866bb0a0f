//! Whom we could not reach today, and what would go unsaid: our fault, so it is shown first; then
//! those of whom nobody knows whether they can be reached.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chrono::{DateTime, Utc};

use super::book::{Book, Delivery, DeliveryState, PlanBook};
use super::due::World;
use super::ids::{self, PersonId, PlanId, TaskNo};
use super::message::Occasion;
use super::people::{ChannelKind, Person};

/// The readiness list of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// People the plan names.
    pub people: usize,
    /// Those of them that cannot be reached, in the order of the table.
    pub unreachable: Vec<Unreachable>,
    /// Those who have an address of which nobody knows whether it works, or one that does not.
    pub doubtful: Vec<Doubtful>,
}

/// A person with a doubtful address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// Who.
    pub person: Person,
    /// Every address and what is known of it.
    pub addresses: Vec<(ChannelKind, Known)>,
}

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The person has answered what was sent there, or said that it arrives.
    Works(DateTime<Utc>),
    /// The peer says that there is nobody.
    Refused(DateTime<Utc>, String),
    /// A test is on its way.
    Testing,
    /// Something was sent there, at that time; nobody has answered.
    Unanswered(DateTime<Utc>),
    /// Nothing was ever sent there.
    Untried,
}

/// A person no channel leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Who.
    pub person: Person,
    /// Whether a contact is known whose channels are not set up on this server.
    pub has_contact: bool,
    /// Addresses that the peer says nobody has.
    pub refused: Vec<(ChannelKind, String)>,
    /// Tasks with something open that the person answers for as an owner.
    pub open: Vec<TaskNo>,
    /// Those of them where no other owner of the group can be reached either.
    pub uncovered: Vec<TaskNo>,
}

/// Who of the plan's people cannot be reached, by the same word by which messages are decided, and
/// of whom it is not known. None where the plan is unknown.
#[must_use]
pub fn readiness(world: &World<'_>, plan: &PlanId) -> Option<Readiness> {
    let book = world.book;
    let reached = |person: &PersonId| !world.route(person).is_empty();
    let known = book.plans.get(plan)?;
    let people = people_of(book, known);
    let mut open = open_tasks(book, plan, &reached);
    let unreachable = people.iter().filter(|person| !reached(&person.id));
    let unreachable = unreachable.map(|person| {
        let contact = book.contacts.get(&person.id);
        let tasks = open.remove(&person.id).unwrap_or_default();
        Unreachable {
            person: (*person).clone(),
            has_contact: contact.is_some_and(|contact| !contact.route().is_empty()),
            refused: refused(book, &person.id),
            uncovered: tasks
                .iter()
                .filter(|(_, alone)| **alone)
                .map(|(no, _)| *no)
                .collect(),
            open: tasks.into_keys().collect(),
        }
    });
    Some(Readiness {
        people: people.len(),
        unreachable: unreachable.collect(),
        doubtful: people
            .iter()
            .filter(|person| reached(&person.id))
            .filter_map(|person| doubtful(world, person))
            .collect(),
    })
}

/// The people the plan names today, in the order of the table: within a task the owners, then
/// 责任人, then leaders.
#[must_use]
pub fn people_of<'a>(book: &'a Book, plan: &PlanBook) -> Vec<&'a Person> {
    let mut rank: HashMap<&PersonId, usize> = HashMap::new();
    for task in plan.tasks.values() {
        let owners = task.groups.iter().flat_map(|group| &group.owners);
        let responsible = task.groups.iter().flat_map(|group| &group.responsible);
        let leaders = task.groups.iter().flat_map(|group| &group.leaders);
        for person in owners.chain(responsible).chain(leaders) {
            let next = rank.len();
            rank.entry(&person.id).or_insert(next);
        }
    }
    let mut people: Vec<(usize, &Person)> = rank
        .into_iter()
        .filter_map(|(id, rank)| Some((rank, book.people.get(id)?)))
        .collect();
    people.sort_unstable_by_key(|(rank, _)| *rank);
    people.into_iter().map(|(_, person)| person).collect()
}

/// None where an address is known to work and none is known not to.
fn doubtful(world: &World<'_>, person: &Person) -> Option<Doubtful> {
    let all = world.addresses(person);
    // A file on this machine is no address.
    if all.contains(&ChannelKind::Spool) {
        return None;
    }
    let addresses: Vec<(ChannelKind, Known)> = all
        .into_iter()
        .map(|kind| (kind, known(world.book, &person.id, kind)))
        .collect();
    let works = addresses
        .iter()
        .any(|(_, known)| matches!(known, Known::Works(_)));
    let fails = addresses
        .iter()
        .any(|(_, known)| matches!(known, Known::Refused(..)));
    (!works || fails).then(|| Doubtful {
        person: person.clone(),
        addresses,
    })
}

fn known(book: &Book, person: &PersonId, kind: ChannelKind) -> Known {
    if let Some(address) = book.addresses.get(&(person.clone(), kind)) {
        if let Some((at, detail)) = &address.refused {
            return Known::Refused(*at, detail.clone());
        }
        if let Some(at) = address.confirmed {
            return Known::Works(at);
        }
    }
    let keys = book.messages_of.get(person).into_iter().flatten().rev();
    let there = |delivery: &&Delivery| {
        let leg = delivery.message.route.get(usize::from(delivery.leg));
        leg == Some(&kind)
    };
    let messages = keys.filter_map(|key| book.messages.get(key)).filter(there);
    for delivery in messages {
        match delivery.state {
            DeliveryState::Sent { at, .. } => return Known::Unanswered(at),
            DeliveryState::Waiting { .. } | DeliveryState::Sending { .. }
                if matches!(delivery.message.key.occasion, Occasion::Test(_)) =>
            {
                return Known::Testing;
            }
            _ => {}
        }
    }
    Known::Untried
}

fn refused(book: &Book, person: &PersonId) -> Vec<(ChannelKind, String)> {
    let all = ChannelKind::ALL.into_iter().filter_map(|kind| {
        let address = book.addresses.get(&(person.clone(), kind))?;
        let (_, detail) = address.refused.as_ref()?;
        Some((kind, detail.clone()))
    });
    all.collect()
}

/// For each owner nobody reaches, the tasks with something open, and whether no other owner of the
/// group is reached either.
fn open_tasks<'a>(
    book: &'a Book,
    plan: &PlanId,
    reached: &impl Fn(&PersonId) -> bool,
) -> HashMap<&'a PersonId, BTreeMap<TaskNo, bool>> {
    let mut open: HashMap<&PersonId, BTreeMap<TaskNo, bool>> = HashMap::new();
    for quarter in book.quarters_of(plan) {
        let obligations = book.obligations_in(plan, quarter);
        for (key, _) in obligations.filter(|(_, obligation)| obligation.is_open()) {
            let Some((_, group)) = book.task_and_group(key) else {
                continue;
            };
            let alone = !group.owners.iter().any(|owner| reached(&owner.id));
            for owner in group.owners.iter().filter(|owner| !reached(&owner.id)) {
                let tasks = open.entry(&owner.id).or_default();
                *tasks.entry(key.task).or_default() |= alone;
            }
        }
    }
    open
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unreachable.is_empty() {
            writeln!(f, "{}人都有可用的联系方式。", self.people)?;
        } else {
            let count = self.unreachable.len();
            writeln!(f, "共{}人，其中{count}人没有可用的联系方式：", self.people)?;
            for person in &self.unreachable {
                writeln!(f, "  {person}")?;
            }
            writeln!(
                f,
                "请用 cuiban contacts template 导出联系人表，填好后用 cuiban contacts import 导入。"
            )?;
        }
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let count = self.doubtful.len();
        writeln!(f, "另有{count}人的联系方式不能确定是否有效：")?;
        for person in &self.doubtful {
            writeln!(f, "  {person}")?;
        }
        writeln!(
            f,
            "可用 cuiban contacts test 给他们发测试消息；本人点“我已收到”，或报送过一次，即为有效。"
        )
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_person(f, &self.person)?;
        if !self.refused.is_empty() {
            let all = self.refused.iter();
            let words = all.map(|(kind, detail)| format!("{}地址无效（{detail}）", kind.chinese()));
            write!(f, "：{}", words.collect::<Vec<_>>().join("；"))?;
        } else if self.has_contact {
            f.write_str("：联系人表里有地址，但本机没有配置对应的渠道")?;
        }
        if !self.open.is_empty() {
            write!(f, "；待报第{}项", ids::told(&self.open))?;
        }
        match self.uncovered.as_slice() {
            [] => Ok(()),
            all if all.len() == self.open.len() => f.write_str("，都没有别人可以提醒"),
            some => write!(f, "，其中第{}项没有别人可以提醒", ids::told(some)),
        }
    }
}

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_person(f, &self.person)?;
        let all = self.addresses.iter();
        let words = all.map(|(kind, known)| format!("{}{}", kind.chinese(), known.chinese()));
        write!(f, "：{}", words.collect::<Vec<_>>().join("；"))
    }
}

impl Known {
    /// What people read after the channel's name.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Works(_) => "有效".into(),
            Self::Refused(_, detail) => format!("地址无效（{detail}）"),
            Self::Testing => "正在发测试消息".into(),
            Self::Unanswered(_) => "已发过消息，本人没有回应过".into(),
            Self::Untried => "没有试过".into(),
        }
    }

    /// The name used in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Works(_) => "works",
            Self::Refused(..) => "refused",
            Self::Testing => "testing",
            Self::Unanswered(_) => "unanswered",
            Self::Untried => "untried",
        }
    }
}

fn write_person(f: &mut fmt::Formatter<'_>, person: &Person) -> fmt::Result {
    let unit = match person.unit.as_str() {
        "" => "市领导",
        unit => unit,
    };
    write!(f, "{}（{unit}，{}）", person.name, person.roles.chinese())
}
