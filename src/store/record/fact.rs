//! The form of each fact in a record. serde compares these definitions with the domain's types, so
//! that a change there cannot pass unseen here.
//!
//! A new field is optional (`default`) and keeps the version; any other change of a kind raises its
//! version in [`KINDS`] and gets an upgrade of the older bytes. Written records never change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::wire::{self, Wire, remote};
use crate::domain::access::{Export, Page};
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome, Verdict};
use crate::domain::evidence::{Evidence, FileHash, FileKind};
use crate::domain::fact::{DeferWhy, Fact, SkipWhy, StageOutcome, WithdrawWhy};
use crate::domain::heard::{Answer, Heard, Meaning, Said};
use crate::domain::holidays::YearNotice;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::ladder::{Copied, Ladder, StageRule};
use crate::domain::mail::{MailOutcome, Place, TakenMail};
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage, Thread};
use crate::domain::paper::{Paper, PaperKind};
use crate::domain::people::{ChannelKind, Contact, Person, Roles};
use crate::domain::plan::{Group, Heading, Milestone, MilestoneKind, PersonRef, Task};
use crate::domain::report::{Report, ReportStatus, Review, Via};
use crate::domain::request::{ExtensionAsk, ExtensionWord, NotMineWord, OtherOwner};
use crate::domain::target::actual::Actual;
use crate::domain::target::{Bound, Decimal, Target};
use crate::domain::token;
use crate::domain::user::{Profile, Role, Sight, UsedCode};

/// Every kind this release reads, with the highest version it knows.
pub(super) const KINDS: [(&str, u32); 67] = [
    ("plan.imported", 1),
    ("plan.columns_mapped", 1),
    ("person.set", 1),
    ("task.set", 1),
    ("task.removed", 1),
    ("deadlines.set", 1),
    ("contact.set", 1),
    ("ladder.set", 1),
    ("stage.run", 1),
    ("message.queued", 1),
    ("message.skipped", 1),
    ("message.deferred", 1),
    ("message.withdrawn", 1),
    ("send.intended", 1),
    ("send.concluded", 1),
    ("account.learned", 1),
    ("card.sent", 1),
    ("card.settled", 1),
    ("card.tapped", 1),
    ("message.revived", 1),
    ("message.handled", 1),
    ("address.confirmed", 1),
    ("alarm.raised", 1),
    ("alarm.cleared", 1),
    ("clock.doubted", 1),
    ("clock.agreed", 1),
    ("report.received", 1),
    ("evidence.added", 1),
    ("evidence.removed", 1),
    ("report.acknowledged", 1),
    ("word.heard", 1),
    ("word.settled", 1),
    ("word.answered", 1),
    ("word.resolved", 1),
    ("review.given", 1),
    ("links.revoked", 1),
    ("user.added", 1),
    ("user.password_set", 1),
    ("user.disabled", 1),
    ("user.signed_in", 1),
    ("holidays.set", 1),
    ("mail.taken", 1),
    ("mail.settled", 1),
    ("stage.run_put_off", 1),
    ("extension.asked", 1),
    ("extension.decided", 1),
    ("not_mine.said", 1),
    ("not_mine.settled", 1),
    ("owner.changed", 1),
    ("delegation.begun", 1),
    ("delegation.ended", 1),
    ("summary.written", 1),
    ("store.restored", 1),
    ("sending.resumed", 1),
    ("access.viewed", 1),
    ("access.exported", 1),
    ("user.sign_in_failed", 1),
    ("user.changed", 1),
    ("user.enabled", 1),
    ("user.sessions_ended", 1),
    ("user.second_factor_set", 1),
    ("user.second_factor_reset", 1),
    ("user.code_used", 1),
    ("token.made", 1),
    ("token.used", 1),
    ("token.revoked", 1),
    ("paper.issued", 1),
];

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fact", tag = "kind")]
pub(super) enum FactDef {
    #[serde(rename = "plan.imported")]
    PlanImported {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        heading: Heading,
        source: String,
        sha256: String,
        #[serde(default, skip_serializing_if = "is_zero")]
        accepted: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        units: Vec<(String, String)>,
    },
    #[serde(rename = "plan.columns_mapped")]
    ColumnsMapped {
        #[serde(with = "wire")]
        plan: PlanId,
        columns: Vec<String>,
    },
    #[serde(rename = "person.set")]
    PersonSet {
        #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
        plan: Option<PlanId>,
        #[serde(with = "wire")]
        person: Person,
    },
    #[serde(rename = "task.set")]
    TaskSet {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        task: Box<Task>,
    },
    #[serde(rename = "task.removed")]
    TaskRemoved {
        #[serde(with = "wire")]
        plan: PlanId,
        task: TaskNo,
    },
    #[serde(rename = "deadlines.set")]
    DeadlinesSet {
        #[serde(with = "wire")]
        plan: PlanId,
        deadlines: Vec<(NaiveDate, DateTime<Utc>)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assumed_years: Vec<i32>,
    },
    #[serde(rename = "contact.set")]
    ContactSet {
        #[serde(with = "wire")]
        contact: Contact,
    },
    #[serde(rename = "ladder.set")]
    LadderSet {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        quarter: Quarter,
        #[serde(with = "wire")]
        ladder: Box<Ladder>,
    },
    #[serde(rename = "stage.run")]
    StageRun {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        quarter: Quarter,
        #[serde(with = "wire")]
        stage: Stage,
        #[serde(with = "wire")]
        outcome: StageOutcome,
    },
    #[serde(rename = "stage.run_put_off")]
    PutOffStageRun {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        quarter: Quarter,
        day: NaiveDate,
        #[serde(with = "wire")]
        stage: Stage,
        #[serde(with = "wire")]
        outcome: StageOutcome,
    },
    #[serde(rename = "message.queued")]
    MessageQueued {
        #[serde(with = "wire")]
        message: Box<Message>,
    },
    #[serde(rename = "message.skipped")]
    MessageSkipped {
        #[serde(with = "wire")]
        key: MessageKey,
        #[serde(with = "wire")]
        why: SkipWhy,
    },
    #[serde(rename = "message.deferred")]
    MessageDeferred {
        #[serde(with = "wire")]
        key: MessageKey,
        until: DateTime<Utc>,
        #[serde(with = "wire")]
        why: DeferWhy,
    },
    #[serde(rename = "message.withdrawn")]
    MessageWithdrawn {
        #[serde(with = "wire")]
        key: MessageKey,
        #[serde(with = "wire")]
        why: WithdrawWhy,
    },
    #[serde(rename = "send.intended")]
    SendIntended {
        #[serde(with = "wire")]
        key: MessageKey,
        leg: u8,
        #[serde(with = "wire")]
        channel: ChannelKind,
        #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
        items: Vec<ObligationKey>,
    },
    #[serde(rename = "send.concluded")]
    SendConcluded {
        #[serde(with = "wire")]
        key: MessageKey,
        #[serde(with = "wire")]
        outcome: SendOutcome,
        #[serde(with = "wire")]
        verdict: Verdict,
    },
    #[serde(rename = "account.learned")]
    AccountLearned {
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    #[serde(rename = "card.sent")]
    CardSent {
        #[serde(with = "wire")]
        key: MessageKey,
        code: String,
    },
    #[serde(rename = "card.settled")]
    CardSettled {
        #[serde(with = "wire")]
        key: MessageKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    #[serde(rename = "card.tapped")]
    CardTapped {
        #[serde(with = "wire")]
        key: MessageKey,
        code: String,
    },
    #[serde(rename = "message.revived")]
    MessageRevived {
        #[serde(with = "wire")]
        key: MessageKey,
        at: DateTime<Utc>,
    },
    #[serde(rename = "message.handled")]
    MessageHandled {
        #[serde(with = "wire")]
        key: MessageKey,
    },
    #[serde(rename = "address.confirmed")]
    AddressConfirmed {
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(with = "wire")]
        channel: ChannelKind,
    },
    #[serde(rename = "alarm.raised")]
    AlarmRaised { alarm: String, words: String },
    #[serde(rename = "alarm.cleared")]
    AlarmCleared { alarm: String },
    #[serde(rename = "clock.doubted")]
    ClockDoubted {
        expected: DateTime<Utc>,
        found: DateTime<Utc>,
    },
    #[serde(rename = "clock.agreed")]
    ClockAgreed,
    #[serde(rename = "store.restored")]
    StoreRestored { backed_up: DateTime<Utc> },
    #[serde(rename = "sending.resumed")]
    SendingResumed { not_before: DateTime<Utc> },
    #[serde(rename = "report.received")]
    ReportReceived {
        #[serde(with = "wire")]
        report: Box<Report>,
    },
    #[serde(rename = "evidence.added")]
    EvidenceAdded {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(with = "wire")]
        evidence: Evidence,
    },
    #[serde(rename = "evidence.removed")]
    EvidenceRemoved {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(with = "wire")]
        sha256: FileHash,
    },
    #[serde(rename = "report.acknowledged")]
    Acknowledged {
        #[serde(with = "wire")]
        obligations: Vec<ObligationKey>,
        #[serde(with = "wire")]
        person: PersonId,
    },
    #[serde(rename = "word.heard")]
    WordHeard {
        #[serde(with = "wire")]
        heard: Heard,
    },
    #[serde(rename = "word.settled")]
    WordSettled {
        heard: Position,
        #[serde(with = "wire")]
        meaning: Meaning,
        #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
    },
    #[serde(rename = "word.answered")]
    WordAnswered {
        heard: Position,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    #[serde(rename = "word.resolved")]
    WordResolved { heard: Position },
    #[serde(rename = "mail.taken")]
    MailTaken {
        #[serde(with = "wire")]
        mail: Box<TakenMail>,
    },
    #[serde(rename = "mail.settled")]
    MailSettled {
        mail: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unkept: Vec<(String, String)>,
    },
    #[serde(rename = "review.given")]
    ReviewGiven {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        review: Review,
    },
    #[serde(rename = "extension.asked")]
    ExtensionAsked {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(with = "wire")]
        ask: ExtensionAsk,
    },
    #[serde(rename = "extension.decided")]
    ExtensionDecided {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        word: ExtensionWord,
    },
    #[serde(rename = "not_mine.said")]
    NotMineSaid {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        person: PersonId,
        #[serde(with = "wire")]
        other: OtherOwner,
    },
    #[serde(rename = "not_mine.settled")]
    NotMineSettled {
        #[serde(with = "wire")]
        obligation: ObligationKey,
        #[serde(with = "wire")]
        word: NotMineWord,
    },
    #[serde(rename = "owner.changed")]
    OwnerChanged {
        #[serde(with = "wire")]
        plan: PlanId,
        duties: Vec<(TaskNo, u8)>,
        #[serde(with = "wire")]
        from: PersonId,
        #[serde(with = "wire")]
        to: PersonRef,
    },
    #[serde(rename = "delegation.begun")]
    Delegated {
        #[serde(with = "wire")]
        delegation: Delegation,
    },
    #[serde(rename = "delegation.ended")]
    DelegationEnded { delegation: Position },
    #[serde(rename = "summary.written")]
    SummaryWritten {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        quarter: Quarter,
        task: TaskNo,
        #[serde(with = "wire")]
        person: PersonId,
        text: String,
    },
    #[serde(rename = "paper.issued")]
    PaperIssued {
        #[serde(with = "wire")]
        paper: Paper,
        year: i32,
        number: u32,
    },
    #[serde(rename = "links.revoked")]
    LinksRevoked {
        #[serde(with = "wire")]
        plan: PlanId,
        #[serde(with = "wire")]
        quarter: Quarter,
        #[serde(with = "wire")]
        person: PersonId,
    },
    #[serde(rename = "user.added")]
    UserAdded {
        name: String,
        #[serde(flatten, with = "wire")]
        profile: Profile,
        password_hash: String,
        #[serde(default, skip_serializing_if = "is_false")]
        temporary: bool,
    },
    #[serde(rename = "user.password_set")]
    PasswordSet {
        name: String,
        password_hash: String,
        #[serde(default, skip_serializing_if = "is_false")]
        temporary: bool,
    },
    #[serde(rename = "user.disabled")]
    UserDisabled { name: String },
    #[serde(rename = "user.signed_in")]
    SignedIn { name: String },
    #[serde(rename = "user.sign_in_failed")]
    SignInFailed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        times: u32,
    },
    #[serde(rename = "user.changed")]
    UserChanged {
        name: String,
        #[serde(flatten, with = "wire")]
        profile: Profile,
    },
    #[serde(rename = "user.enabled")]
    UserEnabled { name: String },
    #[serde(rename = "user.sessions_ended")]
    SessionsEnded { name: String },
    #[serde(rename = "user.second_factor_set")]
    SecondFactorSet {
        name: String,
        sealed: String,
        used: u64,
        recovery: Vec<String>,
    },
    #[serde(rename = "user.second_factor_reset")]
    SecondFactorReset { name: String },
    #[serde(rename = "user.code_used")]
    CodeUsed {
        name: String,
        #[serde(with = "wire")]
        code: UsedCode,
    },
    #[serde(rename = "token.made")]
    TokenMade {
        id: String,
        name: String,
        #[serde(with = "wire")]
        scopes: Vec<token::Scope>,
        #[serde(
            rename = "leader",
            default,
            with = "leader",
            skip_serializing_if = "leader::is_none"
        )]
        sight: Sight,
        sha256: String,
        expires: DateTime<Utc>,
    },
    #[serde(rename = "token.used")]
    TokenUsed { id: String },
    #[serde(rename = "token.revoked")]
    TokenRevoked { id: String },
    #[serde(rename = "access.viewed")]
    Viewed {
        #[serde(with = "wire")]
        page: Page,
        subject: String,
    },
    #[serde(rename = "access.exported")]
    Exported {
        #[serde(with = "wire")]
        export: Export,
        subject: String,
    },
    #[serde(rename = "holidays.set")]
    HolidaysSet {
        year: i32,
        file: String,
        #[serde(with = "wire")]
        notice: Box<YearNotice>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "YearNotice")]
struct YearNoticeDef {
    off: BTreeMap<NaiveDate, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    worked: BTreeSet<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Profile")]
struct ProfileDef {
    #[serde(with = "wire")]
    role: Role,
    #[serde(
        rename = "leader",
        default,
        with = "leader",
        skip_serializing_if = "leader::is_none"
    )]
    sight: Sight,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

/// The leader to whose tasks somebody is limited.
pub(super) mod leader {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::user::Sight;

    pub(in crate::store::record) fn is_none(sight: &Sight) -> bool {
        *sight == Sight::Everything
    }

    pub(in crate::store::record) fn serialize<S: Serializer>(
        sight: &Sight,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match sight {
            Sight::Everything => to.serialize_none(),
            Sight::Leader(name) => to.serialize_some(name),
        }
    }

    pub(in crate::store::record) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Sight, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        Ok(name.map_or(Sight::Everything, Sight::Leader))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "UsedCode",
    tag = "is",
    content = "code",
    rename_all = "snake_case"
)]
enum UsedCodeDef {
    Step(u64),
    Recovery(String),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Paper")]
struct PaperDef {
    #[serde(with = "wire")]
    kind: PaperKind,
    #[serde(with = "wire")]
    plan: PlanId,
    #[serde(with = "wire")]
    quarter: Quarter,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    to: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Heading")]
struct HeadingDef {
    title: String,
    year: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Task")]
struct TaskDef {
    no: TaskNo,
    goal: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requirement: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    leaders: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lead_units: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    responsible: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    direct_owners: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    assisting_units: Vec<String>,
    #[serde(with = "wire")]
    groups: Vec<Group>,
    schedule: String,
    #[serde(with = "wire")]
    milestones: Vec<Milestone>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Group")]
struct GroupDef {
    unit: String,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    responsible: Vec<PersonRef>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    owners: Vec<PersonRef>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    leaders: Vec<PersonRef>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PersonRef")]
struct PersonRefDef {
    #[serde(with = "wire")]
    id: PersonId,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Milestone")]
struct MilestoneDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(with = "wire")]
    kind: MilestoneKind,
    #[serde(with = "wire")]
    first_quarter: Quarter,
    #[serde(with = "wire")]
    last_quarter: Quarter,
    due: NaiveDate,
    content: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Person")]
struct PersonDef {
    #[serde(with = "wire")]
    id: PersonId,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(with = "wire")]
    roles: Roles,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Roles")]
struct RolesDef {
    #[serde(default, skip_serializing_if = "is_false")]
    owner: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    responsible: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    leader: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Contact")]
struct ContactDef {
    #[serde(with = "wire")]
    person: PersonId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mobile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wecom_user: Option<String>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    channels: Vec<ChannelKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ladder")]
struct LadderDef {
    #[serde(with = "wire")]
    stages: Vec<StageRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StageRule")]
struct StageRuleDef {
    #[serde(with = "wire")]
    stage: Stage,
    working_days: i32,
    time: NaiveTime,
    #[serde(default, with = "wire")]
    copied: Copied,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    channels: Vec<ChannelKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StageOutcome", tag = "is", rename_all = "snake_case")]
enum StageOutcomeDef {
    Ran {
        expected: u32,
        queued: u32,
        skipped: u32,
    },
    Skipped {
        #[serde(with = "wire")]
        why: SkipWhy,
        expected: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SkipWhy", tag = "is", rename_all = "snake_case")]
enum SkipWhyDef {
    TooLate {
        working_days: u32,
    },
    FoldedInto {
        #[serde(with = "wire")]
        stage: Stage,
    },
    Unreachable,
    OverBudget,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DeferWhy", rename_all = "snake_case")]
enum DeferWhyDef {
    QuietHours,
    ChannelResting,
    ClockSet,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WithdrawWhy", tag = "is", rename_all = "snake_case")]
enum WithdrawWhyDef {
    Reported,
    Superseded {
        #[serde(with = "wire")]
        by: Occasion,
    },
    NoLongerTheirs,
    PutOff,
    AlarmOver,
    Restored,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Message")]
struct MessageDef {
    #[serde(with = "wire")]
    key: MessageKey,
    #[serde(with = "wire")]
    reason: Reason,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    items: Vec<ObligationKey>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    about: Vec<ObligationKey>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    copied: Vec<PersonId>,
    #[serde(default, skip_serializing_if = "is_false")]
    catch_up: bool,
    #[serde(with = "wire")]
    route: Vec<ChannelKind>,
    not_before: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "is_false")]
    explicit: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SendOutcome", tag = "is", rename_all = "snake_case")]
enum SendOutcomeDef {
    Sent { answer: String },
    Failed(#[serde(with = "wire")] Failure),
    InDoubt { detail: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Failure")]
struct FailureDef {
    #[serde(with = "wire")]
    reason: FailReason,
    detail: String,
    #[serde(with = "wire")]
    next: Next,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Next", tag = "do", rename_all = "snake_case")]
enum NextDef {
    Again {
        #[serde(
            rename = "after_ms",
            default,
            with = "wire",
            skip_serializing_if = "Option::is_none"
        )]
        after: Option<TimeDelta>,
    },
    NextChannel,
    StopChannel {
        #[serde(rename = "pause_ms", with = "wire")]
        pause: TimeDelta,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Verdict", tag = "is", rename_all = "snake_case")]
enum VerdictDef {
    Done,
    Again { at: DateTime<Utc>, leg: u8 },
    Dead,
    Held,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Report")]
struct ReportDef {
    #[serde(with = "wire")]
    obligation: ObligationKey,
    #[serde(with = "wire")]
    person: PersonId,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    delegate: Option<PersonId>,
    #[serde(with = "wire")]
    via: Via,
    #[serde(with = "wire")]
    status: ReportStatus,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    progress: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    problems: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    next_steps: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    actuals: Vec<Actual>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Evidence")]
struct EvidenceDef {
    #[serde(with = "wire")]
    sha256: FileHash,
    name: String,
    #[serde(with = "wire")]
    kind: FileKind,
    bytes: u64,
}

/// The target stands with it as it was, since it is read from a text that may change.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Actual")]
struct ActualDef {
    #[serde(with = "wire")]
    target: Target,
    #[serde(with = "wire")]
    quantity: Decimal,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Target")]
struct TargetDef {
    what: String,
    #[serde(with = "wire")]
    quantity: Decimal,
    text: String,
    unit: String,
    #[serde(with = "wire")]
    bound: Bound,
    #[serde(default, skip_serializing_if = "is_false")]
    cumulative: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Heard")]
struct HeardDef {
    name: String,
    account: String,
    #[serde(with = "wire")]
    said: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Answer")]
struct AnswerDef {
    text: String,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    page: Option<Thread>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Said", tag = "is", rename_all = "snake_case")]
enum SaidDef {
    Typed {
        text: String,
    },
    Tapped {
        card: String,
        button: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chosen: Option<String>,
        code: String,
    },
    Other {
        kind: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Review", tag = "is", rename_all = "snake_case")]
enum ReviewDef {
    Accepted,
    Returned { reason: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ExtensionAsk")]
struct ExtensionAskDef {
    day: NaiveDate,
    reason: String,
    #[serde(default, skip_serializing_if = "is_false")]
    late: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ExtensionWord", tag = "is", rename_all = "snake_case")]
enum ExtensionWordDef {
    Granted {
        day: NaiveDate,
        until: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    Refused {
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OtherOwner")]
struct OtherOwnerDef {
    name: String,
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    telephone: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NotMineWord", tag = "is", rename_all = "snake_case")]
enum NotMineWordDef {
    Moved,
    Theirs { note: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Delegation")]
struct DelegationDef {
    #[serde(with = "wire")]
    from: PersonId,
    #[serde(with = "wire")]
    to: PersonId,
    #[serde(with = "wire")]
    scope: Scope,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scope", tag = "is", rename_all = "snake_case")]
enum ScopeDef {
    Items {
        #[serde(with = "wire")]
        plan: PlanId,
        duties: Vec<(TaskNo, u8)>,
    },
    Acting {
        begins: DateTime<Utc>,
        ends: DateTime<Utc>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TakenMail")]
struct TakenMailDef {
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    from: String,
    subject: String,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unkept: Vec<(String, String)>,
    #[serde(default, with = "wire", skip_serializing_if = "Vec::is_empty")]
    kept: Vec<Evidence>,
    #[serde(default, with = "wire", skip_serializing_if = "Option::is_none")]
    thread: Option<Thread>,
    #[serde(with = "wire")]
    outcome: MailOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Place")]
struct PlaceDef {
    validity: u32,
    uid: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Thread")]
struct ThreadDef {
    #[serde(with = "wire")]
    plan: PlanId,
    #[serde(with = "wire")]
    quarter: Quarter,
    #[serde(with = "wire")]
    person: PersonId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MailOutcome", tag = "is", rename_all = "snake_case")]
enum MailOutcomeDef {
    Reported {
        #[serde(with = "wire")]
        items: Vec<ObligationKey>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<String>,
    },
    Acknowledged,
    Unclear {
        why: String,
    },
    Automatic,
    Bounced {
        #[serde(with = "wire")]
        person: PersonId,
        detail: String,
        bad: bool,
    },
    Ignored,
}

remote!(
    TakenMail => TakenMailDef,
    Place => PlaceDef,
    Thread => ThreadDef,
    MailOutcome => MailOutcomeDef,
    Fact => FactDef,
    Paper => PaperDef,
    Heading => HeadingDef,
    YearNotice => YearNoticeDef,
    Task => TaskDef,
    Group => GroupDef,
    PersonRef => PersonRefDef,
    Milestone => MilestoneDef,
    Person => PersonDef,
    Roles => RolesDef,
    Contact => ContactDef,
    Ladder => LadderDef,
    StageRule => StageRuleDef,
    StageOutcome => StageOutcomeDef,
    SkipWhy => SkipWhyDef,
    DeferWhy => DeferWhyDef,
    WithdrawWhy => WithdrawWhyDef,
    Message => MessageDef,
    SendOutcome => SendOutcomeDef,
    Failure => FailureDef,
    Next => NextDef,
    Verdict => VerdictDef,
    Report => ReportDef,
    Evidence => EvidenceDef,
    Actual => ActualDef,
    Target => TargetDef,
    Review => ReviewDef,
    ExtensionAsk => ExtensionAskDef,
    ExtensionWord => ExtensionWordDef,
    OtherOwner => OtherOwnerDef,
    NotMineWord => NotMineWordDef,
    Delegation => DelegationDef,
    Scope => ScopeDef,
    Heard => HeardDef,
    Said => SaidDef,
    Answer => AnswerDef,
    Profile => ProfileDef,
    UsedCode => UsedCodeDef,
);

/// A list of names, as in the config.
impl Wire for Copied {
    fn put<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.names())
    }

    fn get<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        Self::from_names(names.iter().map(String::as_str))
            .map_err(|name| serde::de::Error::custom(format!("unknown name {name}")))
    }
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_false(value: &bool) -> bool {
    !value
}
