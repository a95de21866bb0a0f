//! Letters for show: rows of the real table of 2022 with nobody's own data, so that wording can be
//! read, and tried, before there is a plan.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, TimeZone as _};

use crate::domain::agenda::{Event, What, When};
use crate::domain::book::ObligationState;
use crate::domain::brief::{
    AboutItem, Brief, Deadline, Decision, DecisionWord, Digest, Item, ItemMilestone, Letter,
    Office, Receipt, SaidItem, UnitRow,
};
use crate::domain::evidence::NotTaken;
use crate::domain::ids::{PersonId, PlanId, Quarter};
use crate::domain::ladder::Ladder;
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage};
use crate::domain::people::{ChannelKind, Contact};
use crate::domain::plan::MilestoneKind;
use crate::domain::report::ReportStatus;

/// Which letter is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// To an owner, at a stage.
    Stage(Stage),
    /// To an owner, by a coordinator's word.
    Urge,
    /// To those copied in at a stage.
    Copied(Stage),
    /// To those copied in: it is settled.
    Settled,
    /// To coordinators.
    Digest,
    /// To an owner: these are theirs now.
    TakenOver,
    /// To who fills in for an owner.
    Entrusted,
    /// To a former owner: thanks.
    Thanks,
    /// To anyone: does this arrive?
    Test,
    /// To the operator: what is wrong.
    Alarm,
    /// To an owner who answered by mail: what was understood.
    Receipt,
    /// To an owner: a report was returned.
    Returned,
    /// To who asked something: the word.
    Decided,
}

impl Sample {
    /// All of them, in the order of a quarter.
    pub const ALL: [Self; 18] = [
        Self::Stage(Stage::Notice),
        Self::Stage(Stage::Reminder),
        Self::Stage(Stage::Due),
        Self::Stage(Stage::Overdue),
        Self::Stage(Stage::Escalation),
        Self::Urge,
        Self::Copied(Stage::Overdue),
        Self::Copied(Stage::Escalation),
        Self::Settled,
        Self::Digest,
        Self::TakenOver,
        Self::Entrusted,
        Self::Thanks,
        Self::Test,
        Self::Alarm,
        Self::Receipt,
        Self::Returned,
        Self::Decided,
    ];

    /// Names it in an address; its own templates stand in the folder of this name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Stage(stage) => stage.as_str().to_owned(),
            Self::Urge => "urge".into(),
            Self::Copied(stage) => format!("copied-{}", stage.as_str()),
            Self::Settled => "settled".into(),
            Self::Digest => "digest".into(),
            Self::TakenOver => "taken_over".into(),
            Self::Entrusted => "entrusted".into(),
            Self::Thanks => "thanks".into(),
            Self::Test => "test".into(),
            Self::Alarm => "alarm".into(),
            Self::Receipt => "receipt".into(),
            Self::Returned => "returned".into(),
            Self::Decided => "decided".into(),
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> String {
        match self {
            Self::Stage(stage) => stage.chinese().to_owned(),
            Self::Urge => "人工催办".into(),
            Self::Copied(stage) => format!("{}抄告", stage.chinese()),
            Self::Settled => "办结告知".into(),
            Self::Digest => "每日汇总".into(),
            Self::TakenOver => "任务交接".into(),
            Self::Entrusted => "代为报送".into(),
            Self::Thanks => "交接致谢".into(),
            Self::Test => "测试".into(),
            Self::Alarm => "运行告警".into(),
            Self::Receipt => "回复确认".into(),
            Self::Returned => "退回".into(),
            Self::Decided => "事项答复".into(),
        }
    }

    /// Who gets it.
    #[must_use]
    pub fn reader(self) -> &'static str {
        match self {
            Self::Stage(_)
            | Self::Urge
            | Self::TakenOver
            | Self::Receipt
            | Self::Returned
            | Self::Decided => "直接责任人",
            Self::Thanks => "原直接责任人",
            Self::Entrusted => "代为填报的同志",
            Self::Copied(_) | Self::Settled => "责任人、责任领导",
            Self::Digest => "联络人",
            Self::Test => "任何人",
            Self::Alarm => "运维联系人",
        }
    }

    /// The letter on an ordinary day of its stage.
    #[must_use]
    pub fn brief(self, office: &Office, ladder: &Ladder) -> Brief {
        let days = match self {
            Self::Stage(stage) | Self::Copied(stage) => {
                ladder.rule(stage).map_or(0, |rule| rule.working_days)
            }
            Self::Urge | Self::Settled => 3,
            Self::Digest
            | Self::TakenOver
            | Self::Entrusted
            | Self::Thanks
            | Self::Test
            | Self::Alarm
            | Self::Receipt
            | Self::Returned
            | Self::Decided => -1,
        };
        self.on(office, ladder, days)
    }

    /// The letter so many working days after the deadline's day; negative is before.
    fn on(self, office: &Office, ladder: &Ladder, days: i32) -> Brief {
        let (occasion, letter) = self.occasion();
        let owners = letter == Letter::Reminder;
        let key = MessageKey {
            plan: PlanId::example(),
            quarter: quarter(),
            occasion,
            person: PersonId::of("市科技局", "钟靖平"),
        };
        Brief {
            letter,
            wording: wording(self, ladder),
            name: match letter {
                Letter::Reminder | Letter::Thanks | Letter::Receipt | Letter::Decided => "张三",
                Letter::Copied | Letter::Settled => "李四",
                Letter::Digest | Letter::Test | Letter::Alarm => "王五",
            }
            .into(),
            unit: "市科技局".into(),
            contact: Contact {
                wecom_user: Some("zhangsan".into()),
                ..Contact::none(key.person.clone())
            },
            plan_title: "2022年东莞市政府工作报告重点工作分解表".into(),
            deadline: Some(Deadline {
                day: day(31),
                time: NaiveTime::from_hms_opt(18, 0, 0).unwrap_or_default(),
                working_days: -days,
                passed: days > 0,
            }),
            items: match (owners, self) {
                (false, _) => Vec::new(),
                (true, Self::Returned) => items().into_iter().take(1).collect(),
                (true, Self::Entrusted) => entrusted(),
                (true, _) => items(),
            },
            about: match letter {
                Letter::Copied => about(ObligationState::OverdueUnreported, None),
                Letter::Settled => {
                    about(ObligationState::ReportedLate, Some(ReportStatus::Completed))
                }
                Letter::Thanks => handed_over(),
                Letter::Reminder
                | Letter::Digest
                | Letter::Test
                | Letter::Alarm
                | Letter::Receipt
                | Letter::Decided => Vec::new(),
            },
            digest: (letter == Letter::Digest).then(digest),
            alarms: match letter {
                Letter::Alarm => alarms(moment(days)),
                _ => Vec::new(),
            },
            receipt: (letter == Letter::Receipt).then(receipt),
            decisions: match letter {
                Letter::Decided => decisions(),
                _ => Vec::new(),
            },
            copied: match days > 0 && owners {
                true => vec!["李四".into()],
                false => Vec::new(),
            },
            assumed_years: Vec::new(),
            office: office.clone(),
            link: LINK.into(),
            calendar: Some(CALENDAR.into()),
            event: (self == Self::Stage(Stage::Notice)).then(|| event(&key)),
            id: "0123456789abcdef01234567".into(),
            earlier: Vec::new(),
            token: "R88mrx".into(),
            at: moment(days),
            tried_at: moment(days).to_utc(),
            message: Message {
                key,
                reason: Reason::NotReported,
                items: Vec::new(),
                about: Vec::new(),
                copied: Vec::new(),
                catch_up: false,
                route: vec![ChannelKind::Email],
                not_before: moment(days).to_utc(),
                explicit: false,
            },
        }
    }

    /// The letter in every state in which it can be composed, for trying a template out.
    pub(super) fn all_states(self, ladder: &Ladder) -> Vec<Brief> {
        let office = |telephone: Option<&str>| Office {
            name: "督查科".into(),
            telephone: telephone.map(str::to_owned),
            board: telephone.map(|_| "https://duban.example.gov.cn/".to_owned()),
            reads_mail: telephone.is_some(),
        };
        let mut all = Vec::new();
        for days in [-10, 0, 5] {
            let full = self.on(&office(Some("0769-22830000")), ladder, days);
            let mut bare = self.on(&office(None), ladder, days);
            bare.message.catch_up = true;
            bare.assumed_years = vec![2022];
            bare.contact.wecom_user = None;
            bare.copied = vec!["李四".into()];
            if let Some(digest) = &mut bare.digest {
                *digest = Digest::default();
            }
            if let Some(receipt) = &mut bare.receipt {
                receipt.said.clear();
                receipt.unkept.clear();
            }
            if let Some(item) = bare.about.first_mut() {
                item.unreached = bare.letter == Letter::Copied;
            }
            for decision in &mut bare.decisions {
                decision.open = false;
                if let DecisionWord::Granted { first, note, .. } = &mut decision.word {
                    (*first, *note) = (None, String::new());
                }
            }
            for item in &mut bare.items {
                item.behalf_of = Some("李四".into());
                item.put_off = Some(day(31));
                item.asked = Some(day(31));
                item.disowned = true;
            }
            if bare.letter == Letter::Reminder {
                bare.about = about(ObligationState::OverdueUnreported, None);
            }
            all.extend([full, bare]);
        }
        let mut undated = self.on(&office(None), ladder, 0);
        undated.deadline = None;
        all.push(undated);
        all
    }

    fn occasion(self) -> (Occasion, Letter) {
        match self {
            Self::Stage(stage) => (Occasion::Stage(stage), Letter::Reminder),
            Self::Urge => (Occasion::Urge(1), Letter::Reminder),
            Self::Copied(stage) => (Occasion::Stage(stage), Letter::Copied),
            Self::Settled => (Occasion::Settled(day(31)), Letter::Settled),
            Self::Digest => (Occasion::Digest(day(31)), Letter::Digest),
            Self::TakenOver => (Occasion::TakenOver(2), Letter::Reminder),
            Self::Entrusted => (Occasion::Entrusted(1), Letter::Reminder),
            Self::Thanks => (Occasion::HandedOver(2), Letter::Thanks),
            Self::Test => (Occasion::Test(1), Letter::Test),
            Self::Alarm => (Occasion::Alarm(1), Letter::Alarm),
            Self::Receipt => (Occasion::Receipt(1), Letter::Receipt),
            Self::Returned => (Occasion::Returned(1), Letter::Reminder),
            Self::Decided => (Occasion::Decided(1), Letter::Decided),
        }
    }
}

/// In every sample, and nowhere else: by it a template is seen to carry the link.
pub(super) const LINK: &str = "https://duban.example.gov.cn/r/EXAMPLE";
const CALENDAR: &str = "https://duban.example.gov.cn/calendar/EXAMPLE.ics";

fn wording(sample: Sample, ladder: &Ladder) -> Option<String> {
    match sample {
        Sample::Stage(stage) | Sample::Copied(stage) => ladder.rule(stage)?.template.clone(),
        _ => None,
    }
}

fn quarter() -> Quarter {
    Quarter::of(day(31))
}

/// A day of March 2022.
fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, day).unwrap_or_default()
}

/// 09:10 about so many working days after 31 March.
fn moment(days: i32) -> DateTime<FixedOffset> {
    let calendar = days / 5 * 7 + days % 5;
    let span = Days::new(u64::from(calendar.unsigned_abs()));
    let day = if calendar < 0 {
        day(31) - span
    } else {
        day(31) + span
    };
    let local = day.and_time(NaiveTime::from_hms_opt(9, 10, 0).unwrap_or_default());
    let zone = chrono_tz::Asia::Shanghai;
    zone.from_local_datetime(&local)
        .earliest()
        .map_or_else(DateTime::default, |at| at.fixed_offset())
}

fn event(key: &MessageKey) -> Event {
    let at = moment(0).to_utc();
    Event {
        uid: format!("{}-{}-{}", key.plan, key.quarter, key.person),
        sequence: 1,
        changed_at: at,
        when: When::Until(at),
        what: What::Reports {
            quarter: key.quarter,
            plan: String::new(),
            items: Vec::new(),
        },
        settled: false,
    }
}

fn items() -> Vec<Item> {
    let node = |content: &str, ends| ItemMilestone {
        section: None,
        content: content.into(),
        due: day(31),
        ends,
        kind: MilestoneKind::Due,
    };
    let item = |task, name: &str, node, returned: Option<&str>| Item {
        task,
        short_name: name.into(),
        unit: "市科技局".into(),
        milestones: vec![node],
        returned: returned.map(str::to_owned),
        behalf_of: None,
        put_off: None,
        asked: None,
        disowned: false,
    };
    vec![
        item(
            37,
            "推进科技体制改革",
            node("形成评估报告并报审", true),
            Some("请写明评估报告是否已经形成"),
        ),
        item(
            31,
            "加快建设松山湖科学城",
            node("先进阿秒激光设施完成选址", true),
            None,
        ),
        item(
            32,
            "实施重大科技攻关",
            node("启动本年度重点领域研发项目申报", false),
            None,
        ),
    ]
}

fn entrusted() -> Vec<Item> {
    let of_another = |item| Item {
        behalf_of: Some("李四".into()),
        returned: None,
        ..item
    };
    items().into_iter().take(2).map(of_another).collect()
}

fn about(state: ObligationState, status: Option<ReportStatus>) -> Vec<AboutItem> {
    let item = |task, name: &str, owner: &str, unit: &str| AboutItem {
        task,
        short_name: name.into(),
        unit: unit.into(),
        owners: vec![owner.into()],
        state,
        status,
        unreached: false,
        now_with: None,
    };
    vec![
        item(31, "加快建设松山湖科学城", "张三", "市科技局"),
        item(32, "实施重大科技攻关", "张三", "市科技局"),
        item(16, "扎实推进市场主体培育", "赵六", "市市场监管局"),
    ]
}

fn receipt() -> Receipt {
    Receipt {
        answers: None,
        said: vec![SaidItem {
            task: 31,
            name: "加快建设松山湖科学城".into(),
            status: ReportStatus::Completed.chinese(),
            progress: "已完成，先进阿秒激光设施选址方案已批复。".into(),
        }],
        unkept: vec![("现场.mp4".into(), NotTaken::Kind.to_string())],
        left: Some("“32 见附件”没有写明进展情况".into()),
    }
}

fn decisions() -> Vec<Decision> {
    let decision = |task, name: &str, word| Decision {
        task,
        short_name: name.into(),
        unit: "市科技局".into(),
        word,
        open: true,
    };
    vec![
        decision(
            31,
            "加快建设松山湖科学城",
            DecisionWord::Granted {
                first: Some(day(31)),
                day: day(31) + Days::new(15),
                note: "请抓紧推进".into(),
            },
        ),
        decision(
            32,
            "实施重大科技攻关",
            DecisionWord::Refused {
                reason: "请先报已完成的部分".into(),
            },
        ),
        decision(
            37,
            "推进科技体制改革",
            DecisionWord::Theirs {
                note: "已与市委组织部核对".into(),
            },
        ),
        decision(16, "扎实推进市场主体培育", DecisionWord::Moved),
    ]
}

fn handed_over() -> Vec<AboutItem> {
    let mut items = about(ObligationState::NotReported, None);
    for item in items.iter_mut().skip(1) {
        item.now_with = Some("周八（市科技局）".into());
    }
    items
}

fn alarms(since: DateTime<FixedOffset>) -> Vec<(DateTime<FixedOffset>, String)> {
    let words = "电子邮件已停止发送：账号、密码或密钥无效（535 请使用授权码登录）。\
                 请服务器管理员检查设置并改正，未发的消息之后会自动发出。";
    vec![(since, words.into())]
}

fn digest() -> Digest {
    let row = |unit: &str, open, owner: &str| UnitRow {
        unit: unit.into(),
        open,
        owners: vec![owner.into()],
    };
    Digest {
        obligations: 224,
        reported: 201,
        not_reported: 20,
        overdue: 2,
        returned: 1,
        to_review: 12,
        units: vec![row("市科技局", 3, "张三"), row("市市场监管局", 1, "赵六")],
        unreachable: vec!["孙七（市财政局）".into()],
        dead: 1,
        held: 1,
    }
}
