//! What was sent to a person and what they said, told from their facts in order of time: a line an
//! event, fit for a file.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::deliveries::withdrawn_why;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::{Actor, DeferWhy, Entry, Fact, SkipWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo, told};
use crate::domain::mail::{MailOutcome, TakenMail};
use crate::domain::message::{Message, MessageKey};
use crate::domain::people::ChannelKind;
use crate::domain::report::{Report, Review};
use crate::domain::request::{ExtensionWord, NotMineWord};
use crate::domain::user::Sight;
use crate::web::format::{moment, short_day};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The fact it tells of.
    pub position: Position,
    /// When.
    pub at: DateTime<Utc>,
    /// On which side.
    pub kind: Kind,
    /// 预告, 报送, 退回 …
    pub what: String,
    /// The quarter it is about, where it is about one.
    pub quarter: Option<Quarter>,
    /// The numbers of the tasks.
    pub tasks: Vec<TaskNo>,
    /// How: the channel, the door.
    pub by: String,
    /// What came of it, or what was said.
    pub words: String,
}

/// On which side something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message that arrived, or a telephone call.
    Sent,
    /// A message that did not.
    Unsent,
    /// What the person did.
    Said,
    /// What the office did.
    Word,
}

impl Kind {
    /// The name used in the style sheet.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unsent => "unsent",
            Self::Said => "said",
            Self::Word => "word",
        }
    }

    /// What people read.
    pub(super) fn chinese(self) -> &'static str {
        match self {
            Self::Sent => "提醒",
            Self::Unsent => "未送达",
            Self::Said => "本人",
            Self::Word => "办理",
        }
    }
}

/// Whose story, and how much of it.
pub(super) struct Telling<'a> {
    pub book: &'a Book,
    pub calendar: &'a Calendar,
    /// Only of this plan; what is of none is of all.
    pub plan: Option<&'a PlanId>,
    /// Only what may be seen.
    pub sight: &'a Sight,
}

/// Tells facts, oldest first: of one person, who then is not named in each line, or of several.
pub(super) fn tell(
    telling: &Telling<'_>,
    person: Option<&PersonId>,
    entries: &[Entry],
) -> Vec<Event> {
    let mut teller = Teller {
        telling,
        person,
        sending: HashMap::new(),
        asked: HashMap::new(),
        tries: HashMap::new(),
    };
    let lines = entries.iter().filter_map(|entry| teller.event(entry));
    lines.collect()
}

struct Teller<'a> {
    telling: &'a Telling<'a>,
    person: Option<&'a PersonId>,
    /// Over which channel each message is being sent.
    sending: HashMap<&'a MessageKey, ChannelKind>,
    /// Who had it sent, where it was not by itself.
    asked: HashMap<&'a MessageKey, String>,
    tries: HashMap<&'a MessageKey, u32>,
}

/// What a line says, without where and when.
struct Line {
    kind: Kind,
    what: String,
    by: String,
    words: String,
    /// What it is about; nothing where it is about the person alone.
    about: About,
}

enum About {
    Person,
    Items(Vec<ObligationKey>),
    Duties(PlanId, Vec<TaskNo>),
}

fn line(kind: Kind, what: impl Into<String>, about: About) -> Line {
    Line {
        kind,
        what: what.into(),
        by: String::new(),
        words: String::new(),
        about,
    }
}

impl Line {
    fn by(mut self, by: impl Into<String>) -> Self {
        self.by = by.into();
        self
    }

    fn words(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }
}

fn of(key: &ObligationKey) -> About {
    About::Items(vec![key.clone()])
}

impl<'a> Teller<'a> {
    fn event(&mut self, entry: &'a Entry) -> Option<Event> {
        let line = match self.of_message(entry) {
            Some(told) => told?,
            None => self
                .of_person(entry)
                .or_else(|| self.of_office(entry))
                .or_else(|| self.of_duty(entry))?,
        };
        self.place(entry, line)
    }

    /// Where and when; none where it is not to be shown.
    fn place(&self, entry: &Entry, line: Line) -> Option<Event> {
        let everything = *self.telling.sight == Sight::Everything;
        let (plan, quarter, tasks) = match line.about {
            About::Person => (None, None, Vec::new()),
            About::Duties(plan, tasks) => (Some(plan), None, tasks),
            About::Items(keys) => {
                let mut tasks: Vec<TaskNo> = keys
                    .iter()
                    .filter(|key| everything || self.is_seen(key))
                    .map(|key| key.task)
                    .collect();
                tasks.sort_unstable();
                tasks.dedup();
                let first = keys.into_iter().next()?;
                (Some(first.plan), Some(first.quarter), tasks)
            }
        };
        // Who sees a part of the office's work sees what is about that part.
        if !everything && (quarter.is_none() || tasks.is_empty()) {
            return None;
        }
        let wanted = self.telling.plan;
        let fits = wanted.is_none_or(|wanted| plan.as_ref().is_none_or(|plan| plan == wanted));
        fits.then_some(Event {
            position: entry.position,
            at: entry.at,
            kind: line.kind,
            what: line.what,
            quarter,
            tasks,
            by: line.by,
            words: line.words,
        })
    }

    fn is_seen(&self, key: &ObligationKey) -> bool {
        let known = self.telling.book.task_and_group(key);
        known.is_some_and(|(task, _)| self.telling.sight.sees(task))
    }

    fn name(&self, person: &PersonId) -> &'a str {
        let known = self.telling.book.people.get(person);
        known.map_or("", |known| known.name.as_str())
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        moment(self.telling.calendar, at)
    }

    /// What a message is about: the person's own items, else those of others.
    fn about(&self, key: &MessageKey) -> About {
        let known = self.telling.book.messages.get(key);
        let items = known.map(|known| items_of(&known.message));
        About::Items(match items {
            Some(items) if !items.is_empty() => items.to_vec(),
            // Of the quarter as a whole.
            _ => vec![ObligationKey {
                plan: key.plan.clone(),
                quarter: key.quarter,
                task: 0,
                group: 0,
            }],
        })
    }

    /// `None`: no fact of a message. `Some(None)`: one that makes no line.
    fn of_message(&mut self, entry: &'a Entry) -> Option<Option<Line>> {
        let line = match &entry.fact {
            Fact::MessageQueued { message } => {
                if let Some(by) = actor(&entry.by) {
                    self.asked.insert(&message.key, by);
                }
                return Some(None);
            }
            Fact::SendIntended { key, channel, .. } => {
                self.sending.insert(key, *channel);
                *self.tries.entry(key).or_default() += 1;
                return Some(None);
            }
            Fact::SendConcluded {
                key,
                outcome,
                verdict,
            } => self.concluded(key, outcome, verdict),
            Fact::MessageSkipped { key, why } => self
                .message(Kind::Unsent, key)
                .words(format!("没有发出：{}", skipped(*why))),
            Fact::MessageDeferred { key, until, why } => {
                let why = match why {
                    DeferWhy::QuietHours => "不在工作时间",
                    DeferWhy::ChannelResting => "渠道暂停",
                    DeferWhy::ClockSet => "系统时钟调整",
                };
                let until = self.time(*until);
                self.message(Kind::Unsent, key)
                    .words(format!("推迟到{until}：{why}"))
            }
            Fact::MessageWithdrawn { key, why } => self
                .message(Kind::Unsent, key)
                .words(format!("撤回未发：{}", withdrawn_why(*why))),
            Fact::MessageRevived { key, .. } => self
                .message(Kind::Word, key)
                .words(with_actor("重新发送", &entry.by)),
            Fact::MessageHandled { key } => self
                .message(Kind::Sent, key)
                .by("电话")
                .words(with_actor("已电话通知本人", &entry.by)),
            _ => return None,
        };
        Some(Some(line))
    }

    fn message(&self, kind: Kind, key: &MessageKey) -> Line {
        let known = self.telling.book.messages.get(key);
        let copied = known.is_some_and(|known| {
            let message = &known.message;
            message.items.is_empty() && !message.about.is_empty() && key.occasion.stage().is_some()
        });
        let again = known.is_some_and(|known| known.message.catch_up);
        let copied = if copied { "（抄告）" } else { "" };
        let again = if again { "（补发）" } else { "" };
        let what = format!("{}{copied}{again}", key.occasion.chinese());
        line(kind, what, self.about(key))
    }

    fn concluded(&self, key: &MessageKey, outcome: &SendOutcome, verdict: &Verdict) -> Line {
        let channel = self.sending.get(key);
        let channel = channel.map_or("", |channel| channel.chinese());
        let tries = self.tries.get(key).copied().unwrap_or(1);
        let nth = if tries > 1 {
            format!("第{tries}次发送")
        } else {
            String::new()
        };
        let next = match verdict {
            Verdict::Done => String::new(),
            Verdict::Again { at, .. } => format!("，{}再发", self.time(*at)),
            Verdict::Dead => "，不再发送".into(),
            Verdict::Held => "，等待人工处理".into(),
        };
        let (kind, came) = match outcome {
            SendOutcome::Sent { .. } => (Kind::Sent, "已发出".to_owned()),
            SendOutcome::Failed(failure) => (
                Kind::Unsent,
                format!(
                    "发送失败：{}（{}）",
                    failure.reason.chinese(),
                    failure.detail
                ),
            ),
            SendOutcome::InDoubt { detail } => (Kind::Unsent, format!("结果未明（{detail}）")),
        };
        let asked = self.asked.get(key);
        let parts = [
            nth,
            format!("{came}{next}"),
            asked.map_or_else(String::new, |by| format!("由{by}催办")),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.message(kind, key).by(channel).words(parts.join("，"))
    }

    /// What the person did, or somebody for them.
    fn of_person(&self, entry: &Entry) -> Option<Line> {
        let mut line = self.said(entry)?;
        let who = match &entry.fact {
            Fact::EvidenceAdded { person, .. }
            | Fact::EvidenceRemoved { person, .. }
            | Fact::Acknowledged { person, .. }
            | Fact::SummaryWritten { person, .. }
            | Fact::AddressConfirmed { person, .. }
            | Fact::ExtensionAsked { person, .. }
            | Fact::NotMineSaid { person, .. } => self.unless_self(person),
            _ => "",
        };
        if !who.is_empty() {
            line.words = match line.words.as_str() {
                "" => who.to_owned(),
                words => format!("{who}：{words}"),
            };
        }
        Some(line)
    }

    fn said(&self, entry: &Entry) -> Option<Line> {
        let said = |what: &str, about| line(Kind::Said, what, about);
        Some(match &entry.fact {
            Fact::ReportReceived { report } => self.report(entry, report),
            Fact::EvidenceAdded {
                obligation,
                evidence,
                ..
            } => said("上传材料", of(obligation)).words(&evidence.name),
            Fact::EvidenceRemoved { obligation, .. } => said("撤下材料", of(obligation)),
            Fact::Acknowledged { obligations, .. } => {
                said("已知悉", About::Items(obligations.clone())).words("表示知悉，稍后报送")
            }
            Fact::SummaryWritten {
                plan,
                quarter,
                task,
                text,
                ..
            } => {
                let key = ObligationKey {
                    plan: plan.clone(),
                    quarter: *quarter,
                    task: *task,
                    group: 0,
                };
                said("汇总", of(&key)).words(short(text))
            }
            Fact::AddressConfirmed { channel, .. } => {
                said("确认收到", About::Person).by(channel.chinese())
            }
            Fact::ExtensionAsked {
                obligation, ask, ..
            } => {
                let late = if ask.late { "（逾期申请）" } else { "" };
                let day = short_day(ask.day);
                said("申请延期", of(obligation))
                    .words(format!("申请延至{day}{late}：{}", short(&ask.reason)))
            }
            Fact::NotMineSaid {
                obligation, other, ..
            } => {
                let name = if other.name.is_empty() {
                    "他人"
                } else {
                    &other.name
                };
                let words = format!("称应由{}{name}负责", other.unit);
                said("反映不由其负责", of(obligation)).words(words)
            }
            Fact::MailTaken { mail } => return mail_line(mail),
            Fact::WordSettled { .. } => said("企业微信回复", About::Person)
                .by(ChannelKind::WecomApp.chinese())
                .words("系统没有读懂或不能登记，已答复本人"),
            _ => return None,
        })
    }

    fn unless_self(&self, person: &PersonId) -> &'a str {
        if Some(person) == self.person {
            ""
        } else {
            self.name(person)
        }
    }

    fn report(&self, entry: &Entry, report: &Report) -> Line {
        let known = self.telling.book.obligations.get(&report.obligation);
        let first = known.and_then(|known| known.reports.first());
        let amends = first.is_some_and(|first| first.at < entry.at);
        let owner = self.name(&report.person);
        let delegate = match &report.delegate {
            Some(delegate) => format!("由{}代{owner}填报：", self.name(delegate)),
            None => String::new(),
        };
        let by = match &entry.by {
            Actor::User(name) => format!("{}（{name}）", report.via.chinese()),
            _ => report.via.chinese().to_owned(),
        };
        let status = report.status.chinese();
        let words = match report.progress.as_str() {
            "" => format!("{delegate}{status}"),
            text => format!("{delegate}{status}。{}", short(text)),
        };
        let what = if amends { "更正报送" } else { "报送" };
        line(Kind::Said, what, of(&report.obligation))
            .by(by)
            .words(words)
    }

    /// What the office did about an item.
    fn of_office(&self, entry: &Entry) -> Option<Line> {
        let word = |what: &str, about| line(Kind::Word, what, about);
        let line = match &entry.fact {
            Fact::ReviewGiven { obligation, review } => match review {
                Review::Accepted => word("审核通过", of(obligation)),
                Review::Returned { reason } => word("退回", of(obligation)).words(reason),
            },
            Fact::ExtensionDecided {
                obligation,
                word: said,
            } => match said {
                ExtensionWord::Granted { day, note, .. } => {
                    let day = short_day(*day);
                    let note = if note.is_empty() {
                        String::new()
                    } else {
                        format!("：{note}")
                    };
                    word("同意延期", of(obligation)).words(format!("延至{day}{note}"))
                }
                ExtensionWord::Refused { reason } => {
                    word("不同意延期", of(obligation)).words(reason)
                }
            },
            Fact::NotMineSettled {
                obligation,
                word: said,
            } => match said {
                NotMineWord::Moved => word("改由他人负责", of(obligation)),
                NotMineWord::Theirs { note } => word("仍由本人负责", of(obligation)).words(note),
            },
            Fact::LinksRevoked { plan, quarter, .. } => {
                let whole = ObligationKey {
                    plan: plan.clone(),
                    quarter: *quarter,
                    task: 0,
                    group: 0,
                };
                word("停用旧链接", of(&whole))
            }
            Fact::ContactSet { .. } => word("登记联系方式", About::Person),
            _ => return None,
        };
        let by = actor(&entry.by).unwrap_or_default();
        Some(line.by(by))
    }

    /// Who does what for whom.
    fn of_duty(&self, entry: &Entry) -> Option<Line> {
        let (what, delegation): (_, Option<&Delegation>) = match &entry.fact {
            Fact::OwnerChanged {
                plan,
                duties,
                from,
                to,
            } => {
                let tasks = duties.iter().map(|(task, _)| *task).collect();
                let words = format!("由{}改为{}", self.name(from), to.name);
                let changed = line(Kind::Word, "更换责任人", About::Duties(plan.clone(), tasks));
                return Some(
                    changed
                        .by(actor(&entry.by).unwrap_or_default())
                        .words(words),
                );
            }
            Fact::Delegated { delegation } => (delegation.chinese(), Some(delegation)),
            Fact::DelegationEnded { .. } => ("转办、代办结束", None),
            _ => return None,
        };
        let by = match &entry.by {
            Actor::Owner(person) => self.name(person).to_owned(),
            other => actor(other).unwrap_or_default(),
        };
        let Some(delegation) = delegation else {
            return Some(line(Kind::Word, what, About::Person).by(by));
        };
        let (from, to) = (self.name(&delegation.from), self.name(&delegation.to));
        let (about, time) = match &delegation.scope {
            Scope::Items { plan, duties } => {
                let tasks = duties.iter().map(|(task, _)| *task).collect();
                (About::Duties(plan.clone(), tasks), String::new())
            }
            Scope::Acting { begins, ends } => {
                let time = format!("，自{}至{}", self.time(*begins), self.time(*ends));
                (About::Person, time)
            }
        };
        let words = format!("{from}的事项由{to}代为填报{time}");
        Some(line(Kind::Word, what, about).by(by).words(words))
    }
}

fn items_of(message: &Message) -> &[ObligationKey] {
    match message.items.as_slice() {
        [] => &message.about,
        items => items,
    }
}

/// A mail that made no report; those that did are told by the reports.
fn mail_line(mail: &TakenMail) -> Option<Line> {
    let (kind, what, words) = match &mail.outcome {
        MailOutcome::Unclear { why } => {
            let words = format!("“{}”未能读懂，转督查科处理：{why}", mail.subject);
            (Kind::Said, "邮件回复", words)
        }
        MailOutcome::Reported {
            left: Some(left), ..
        } => {
            let words = format!("“{}”有一部分未能读懂，转督查科处理：{left}", mail.subject);
            (Kind::Said, "邮件回复", words)
        }
        MailOutcome::Automatic => (Kind::Said, "自动回复", format!("“{}”", mail.subject)),
        MailOutcome::Bounced { detail, bad, .. } => {
            let bad = if *bad { "地址无效" } else { "暂未送达" };
            (Kind::Unsent, "退信", format!("{bad}（{detail}）"))
        }
        MailOutcome::Reported { left: None, .. }
        | MailOutcome::Acknowledged
        | MailOutcome::Ignored => return None,
    };
    let about = match &mail.thread {
        Some(thread) => of(&ObligationKey {
            plan: thread.plan.clone(),
            quarter: thread.quarter,
            task: 0,
            group: 0,
        }),
        None => About::Person,
    };
    let told = line(kind, what, about);
    Some(told.by(ChannelKind::Email.chinese()).words(words))
}

fn skipped(why: SkipWhy) -> String {
    match why {
        SkipWhy::TooLate { working_days } => format!("已过{working_days}个工作日，不再补发"),
        SkipWhy::FoldedInto { stage } => format!("并入{}", stage.chinese()),
        SkipWhy::Unreachable => "没有可用的联系方式".into(),
        SkipWhy::OverBudget => "近日消息已达上限".into(),
    }
}

/// Who did it, where it was not the program by itself or the person.
fn actor(by: &Actor) -> Option<String> {
    match by {
        Actor::User(name) => Some(name.clone()),
        Actor::Token(name) => Some(format!("接口“{name}”")),
        Actor::Operator => Some("本机管理员".into()),
        Actor::System | Actor::Owner(_) => None,
    }
}

fn with_actor(words: &str, by: &Actor) -> String {
    match actor(by) {
        Some(by) => format!("{words}（{by}）"),
        None => words.to_owned(),
    }
}

/// The beginning of what was said: the whole of it stands on the item's page.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let mut cut: String = line.chars().take(MOST).collect();
    cut.push('…');
    cut
}

impl Event {
    /// Whether it is no message and no report, which stand in lists of their own.
    pub(super) fn is_step(&self) -> bool {
        let reported = matches!(self.what.as_str(), "报送" | "更正报送");
        matches!(self.kind, Kind::Said | Kind::Word) && !reported
    }

    /// `第2、4项`; empty where it is about none.
    pub(super) fn items(&self) -> String {
        let tasks: Vec<TaskNo> = self
            .tasks
            .iter()
            .copied()
            .filter(|task| *task > 0)
            .collect();
        match tasks.as_slice() {
            [] => String::new(),
            tasks => format!("第{}项", told(tasks)),
        }
    }
}
