//! The lines of what a person did, or somebody for them.

use super::{About, Kind, Line, Teller, line, of};
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::ids::{ObligationKey, PersonId};
use crate::domain::mail::{MailOutcome, TakenMail};
use crate::domain::people::ChannelKind;
use crate::domain::report::Report;
use crate::web::format::short_day;

impl<'a> Teller<'a> {
    /// What the person did, or somebody for them.
    pub(super) fn of_person(&self, entry: &Entry) -> Option<Line> {
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
