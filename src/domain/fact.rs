//! Facts: everything that happens, appended once and never changed.
//!
//! A fact holds what was decided, not what could be computed again: an old journal must read the
//! same after the rules have changed.

use chrono::{DateTime, NaiveDate, Utc};

use super::access::{Export, Page};
use super::delegation::Delegation;
use super::delivery::{SendOutcome, Verdict};
use super::evidence::{Evidence, FileHash};
use super::heard::{Answer, Heard, Meaning};
use super::holidays::YearNotice;
use super::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use super::ladder::Ladder;
use super::mail::TakenMail;
use super::message::{Message, MessageKey, Occasion, Stage};
use super::paper::Paper;
use super::people::{ChannelKind, Contact, Person};
use super::plan::{Heading, PersonRef, Task};
use super::report::{Report, Review};
use super::request::{ExtensionAsk, ExtensionWord, NotMineWord, OtherOwner};
use super::token::Scope;
use super::user::{Profile, Sight, UsedCode};

/// A fact in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number; the first is 1.
    pub position: Position,
    /// When it was appended.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Actor,
    /// What.
    pub fact: Fact,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// cuiban itself.
    System,
    /// A user signed in to the board, by name.
    User(String),
    /// Someone with the right to the command line on the server.
    Operator,
    /// An owner through a signed link.
    Owner(PersonId),
    /// Another system with a token, by the token's name.
    Token(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A plan was imported, for the first time or anew. The people and the tasks that are new or
    /// changed follow in the same append.
    PlanImported {
        /// Which.
        plan: PlanId,
        /// Title and issue.
        heading: Heading,
        /// The file's name, without folders.
        source: String,
        /// SHA-256 of the file, in hex.
        sha256: String,
        /// How many error findings were accepted as repaired.
        accepted: u32,
        /// Other names of units in the file, each with the name it was read as.
        units: Vec<(String, String)>,
    },
    /// The coordinator said what headings of a plan's table mean, for this and all later imports.
    ColumnsMapped {
        /// Which plan.
        plan: PlanId,
        /// All that holds from now on, each as `列名=字段`.
        columns: Vec<String>,
    },
    /// A person of a plan, or a coordinator of the office.
    PersonSet {
        /// The plan; none for the office's own people.
        plan: Option<PlanId>,
        /// Who.
        person: Person,
    },
    /// A task of a plan, new or changed.
    TaskSet {
        /// The plan.
        plan: PlanId,
        /// The whole task.
        task: Box<Task>,
    },
    /// A task is no longer in the plan.
    TaskRemoved {
        /// The plan.
        plan: PlanId,
        /// Which.
        task: TaskNo,
    },
    /// The deadlines of a plan by the working-day rules, first or anew.
    DeadlinesSet {
        /// The plan.
        plan: PlanId,
        /// From the calendar date a text means to the instant it is due.
        deadlines: Vec<(NaiveDate, DateTime<Utc>)>,
        /// Years without a holiday table: Monday to Friday was assumed.
        assumed_years: Vec<i32>,
    },
    /// A row of the contact sheet.
    ContactSet {
        /// The contact.
        contact: Contact,
    },
    /// A case begins: this is its ladder, whatever the config says later.
    LadderSet {
        /// The plan.
        plan: PlanId,
        /// The quarter.
        quarter: Quarter,
        /// The ladder.
        ladder: Box<Ladder>,
    },
    /// A stage was run for a quarter, or skipped; it is not run again.
    StageRun {
        /// The plan.
        plan: PlanId,
        /// The quarter.
        quarter: Quarter,
        /// The stage.
        stage: Stage,
        /// What came of it.
        outcome: StageOutcome,
    },
    /// A stage was run for what was put off to a day, or skipped; it is not run again.
    PutOffStageRun {
        /// The plan.
        plan: PlanId,
        /// The quarter.
        quarter: Quarter,
        /// The day.
        day: NaiveDate,
        /// The stage.
        stage: Stage,
        /// What came of it.
        outcome: StageOutcome,
    },
    /// A message is to be sent.
    MessageQueued {
        /// The message.
        message: Box<Message>,
    },
    /// A person was expected at a stage but got no message.
    MessageSkipped {
        /// The message that was not made.
        key: MessageKey,
        /// Why.
        why: SkipWhy,
    },
    /// A queued message is put off.
    MessageDeferred {
        /// Which.
        key: MessageKey,
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        why: DeferWhy,
    },
    /// A queued message is no longer wanted.
    MessageWithdrawn {
        /// Which.
        key: MessageKey,
        /// Why.
        why: WithdrawWhy,
    },
    /// An attempt is about to be made: durable before the first byte leaves.
    SendIntended {
        /// Which message.
        key: MessageKey,
        /// Index into its route.
        leg: u8,
        /// Over which channel.
        channel: ChannelKind,
        /// What it speaks of, at this moment.
        items: Vec<ObligationKey>,
    },
    /// The attempt's outcome.
    SendConcluded {
        /// Which message.
        key: MessageKey,
        /// What the channel says.
        outcome: SendOutcome,
        /// What follows.
        verdict: Verdict,
    },
    /// The platform was asked for a person's account, which the contact sheet does not have.
    AccountLearned {
        /// Whose.
        person: PersonId,
        /// The account; none where the platform knows nobody by telephone or e-mail address.
        account: Option<String>,
    },
    /// A message was sent as a card that can be changed once.
    CardSent {
        /// Which message.
        key: MessageKey,
        /// The platform's code for the change.
        code: String,
    },
    /// The card was changed after everything it asked for had been answered, or cannot be.
    CardSettled {
        /// Which message's.
        key: MessageKey,
        /// Why it could not be changed; none where it was.
        failed: Option<String>,
    },
    /// A member tapped a button of a card: it can be changed anew, and its buttons wait for that.
    CardTapped {
        /// Which message's.
        key: MessageKey,
        /// The platform's code for the change.
        code: String,
    },
    /// A dead or held message is queued again by a person's word.
    MessageRevived {
        /// Which.
        key: MessageKey,
        /// Not before.
        at: DateTime<Utc>,
    },
    /// A person was told by telephone what a dead or held message would have said.
    MessageHandled {
        /// Which.
        key: MessageKey,
    },
    /// Somebody says that what is sent to this address arrives.
    AddressConfirmed {
        /// Whose.
        person: PersonId,
        /// Over which channel.
        channel: ChannelKind,
    },
    /// Something is wrong with the program or a way out; the operator is told.
    AlarmRaised {
        /// Its name: the same trouble has the same name.
        alarm: String,
        /// What is wrong and what to do, for people.
        words: String,
    },
    /// It is no longer so.
    AlarmCleared {
        /// Its name.
        alarm: String,
    },
    /// The machine's clock has leapt so far that nothing is decided or sent until a person agrees.
    ClockDoubted {
        /// What it should have shown.
        expected: DateTime<Utc>,
        /// What it shows.
        found: DateTime<Utc>,
    },
    /// The clock is right: a person says so, or it has come back by itself.
    ClockAgreed,
    /// All before this was read back from a backup. What was sent and said after the backup was
    /// made is not known here, so nothing is decided or sent until a person says from when on.
    StoreRestored {
        /// When the backup was made.
        backed_up: DateTime<Utc>,
    },
    /// It goes on: what was to be said until then is taken as said, or withdrawn, in the same
    /// append.
    SendingResumed {
        /// Until when the lost server may have sent.
        not_before: DateTime<Utc>,
    },
    /// An owner's report.
    ReportReceived {
        /// The report.
        report: Box<Report>,
    },
    /// A file stands beside an item from now on; its bytes are durable.
    EvidenceAdded {
        /// Beside what.
        obligation: ObligationKey,
        /// Who brought it.
        person: PersonId,
        /// The file.
        evidence: Evidence,
    },
    /// A file no longer stands there; its bytes stay.
    EvidenceRemoved {
        /// Beside what.
        obligation: ObligationKey,
        /// Who took it away.
        person: PersonId,
        /// Which.
        sha256: FileHash,
    },
    /// 已知悉: an owner has seen what is asked for, and will report later.
    Acknowledged {
        /// Of what.
        obligations: Vec<ObligationKey>,
        /// Who.
        person: PersonId,
    },
    /// Something came in from the WeCom application; nobody has looked at what it means yet.
    WordHeard {
        /// What.
        heard: Heard,
    },
    /// It was decided on. What follows from it stands in the same append.
    WordSettled {
        /// The fact that it came in with.
        heard: Position,
        /// What became of it.
        meaning: Meaning,
        /// What the member is to be told.
        answer: Option<Answer>,
    },
    /// The member was told, or cannot be.
    WordAnswered {
        /// The fact that it came in with.
        heard: Position,
        /// Why it could not be said; none where it was.
        failed: Option<String>,
    },
    /// A coordinator has looked at what nobody understood.
    WordResolved {
        /// The fact that it came in with.
        heard: Position,
    },
    /// A mail was read; the reports it made follow in the same append.
    MailTaken {
        /// The mail and what came of it.
        mail: Box<TakenMail>,
    },
    /// A coordinator has dealt with a mail that was not understood; the reports entered for it
    /// follow in the same append.
    MailSettled {
        /// SHA-256 of the mail.
        mail: String,
        /// Files of it that do not stand beside what was entered for it, each with why.
        unkept: Vec<(String, String)>,
    },
    /// A coordinator's word on the latest report.
    ReviewGiven {
        /// On what.
        obligation: ObligationKey,
        /// The word.
        review: Review,
    },
    /// 申请延期: an owner asks for a later date.
    ExtensionAsked {
        /// Of what.
        obligation: ObligationKey,
        /// Who.
        person: PersonId,
        /// For what.
        ask: ExtensionAsk,
    },
    /// A coordinator's word on the date, asked for or not.
    ExtensionDecided {
        /// Of what.
        obligation: ObligationKey,
        /// The word.
        word: ExtensionWord,
    },
    /// 不是我: an owner says whose it is.
    NotMineSaid {
        /// Of what.
        obligation: ObligationKey,
        /// Who.
        person: PersonId,
        /// Whose it is.
        other: OtherOwner,
    },
    /// A coordinator's word on that; a change of owner stands in the same append.
    NotMineSettled {
        /// Of what.
        obligation: ObligationKey,
        /// The word.
        word: NotMineWord,
    },
    /// Duties of one person are another's from now on, by a coordinator's word.
    OwnerChanged {
        /// The plan.
        plan: PlanId,
        /// Task and group, in order.
        duties: Vec<(TaskNo, u8)>,
        /// Whose they were.
        from: PersonId,
        /// Whose they are.
        to: PersonRef,
    },
    /// 转办, 代办: somebody fills in for an owner. It is named by the position of this fact.
    Delegated {
        /// Who for whom, and what.
        delegation: Delegation,
    },
    /// That is over.
    DelegationEnded {
        /// The fact that began it.
        delegation: Position,
    },
    /// 汇总: the lead unit's words on a task with several reporting groups.
    SummaryWritten {
        /// The plan.
        plan: PlanId,
        /// The quarter.
        quarter: Quarter,
        /// The task.
        task: TaskNo,
        /// Who wrote it.
        person: PersonId,
        /// The words.
        text: String,
    },
    /// A paper got its number.
    PaperIssued {
        /// Which paper.
        paper: Paper,
        /// The year of the series.
        year: i32,
        /// The place in it.
        number: u32,
    },
    /// All links of a person for a quarter made before now are void.
    LinksRevoked {
        /// The plan.
        plan: PlanId,
        /// The quarter.
        quarter: Quarter,
        /// Whose.
        person: PersonId,
    },
    /// A user of the board.
    UserAdded {
        /// Sign-in name.
        name: String,
        /// What they may do and see.
        profile: Profile,
        /// Argon2id, PHC form; empty for one who has none.
        password_hash: String,
        /// Whether it was made for them and has to be changed at once.
        temporary: bool,
    },
    /// A new password; open sessions end.
    PasswordSet {
        /// Whose.
        name: String,
        /// Argon2id, PHC form.
        password_hash: String,
        /// Whether it was made for them and has to be changed at once.
        temporary: bool,
    },
    /// The user can no longer sign in.
    UserDisabled {
        /// Who.
        name: String,
    },
    /// A user signed in.
    SignedIn {
        /// Who.
        name: String,
    },
    /// Signing in failed: a wrong password or code.
    SignInFailed {
        /// Whose account; none for names that are nobody's, which are not kept.
        name: Option<String>,
        /// How often since the fact before.
        times: u32,
    },
    /// What a user may do and see is another from now on; open sessions end.
    UserChanged {
        /// Who.
        name: String,
        /// What they may do and see.
        profile: Profile,
    },
    /// A disabled user can sign in again.
    UserEnabled {
        /// Who.
        name: String,
    },
    /// All sessions of a user end.
    SessionsEnded {
        /// Whose.
        name: String,
    },
    /// A user has a second factor from now on, in place of the one before.
    SecondFactorSet {
        /// Who.
        name: String,
        /// The secret, sealed.
        sealed: String,
        /// The time step of the code that confirmed it.
        used: u64,
        /// SHA-256 of the recovery codes, in hex.
        recovery: Vec<String>,
    },
    /// A user has no second factor from now on.
    SecondFactorReset {
        /// Who.
        name: String,
    },
    /// A code was taken at the second step of signing in; it cannot be used again.
    CodeUsed {
        /// Whose.
        name: String,
        /// Which.
        code: UsedCode,
    },
    /// Another system gets a token.
    TokenMade {
        /// The part that is no secret.
        id: String,
        /// Which system.
        name: String,
        /// What it is good for.
        scopes: Vec<Scope>,
        /// What it shows.
        sight: Sight,
        /// SHA-256 of the secret part, in hex.
        sha256: String,
        /// It works until then.
        expires: DateTime<Utc>,
    },
    /// It is used; said once in an hour at the most.
    TokenUsed {
        /// Which.
        id: String,
    },
    /// It works no more.
    TokenRevoked {
        /// Which.
        id: String,
    },
    /// Somebody looked at something about persons.
    Viewed {
        /// What.
        page: Page,
        /// Of whom or of what.
        subject: String,
    },
    /// Somebody took a copy along.
    Exported {
        /// What.
        export: Export,
        /// Of what.
        subject: String,
    },
    /// The State Council's notice of a year's days off was brought, in place of what was known.
    HolidaysSet {
        /// The year.
        year: i32,
        /// The file's name, without folders.
        file: String,
        /// The days.
        notice: Box<YearNotice>,
    },
}

/// What came of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageOutcome {
    /// Messages were decided: `expected` = `queued` + `skipped`.
    Ran {
        /// People to be told: owners with something open, and who is copied in on it.
        expected: u32,
        /// Messages queued.
        queued: u32,
        /// People told nothing, each with a [`Fact::MessageSkipped`].
        skipped: u32,
    },
    /// Nobody was told.
    Skipped {
        /// Why.
        why: SkipWhy,
        /// People who had something open.
        expected: u32,
    },
}

/// Why nobody, or one person, is told at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipWhy {
    /// The stage is longer past than a reminder is worth.
    TooLate {
        /// Working days since its time.
        working_days: u32,
    },
    /// A later stage was due as well and speaks for this one.
    FoldedInto {
        /// The later stage.
        stage: Stage,
    },
    /// No working address: our fault, not the owner's.
    Unreachable,
    /// The person has had as many messages this week as anyone may get.
    OverBudget,
}

/// Why a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeferWhy {
    /// Outside office hours or on a day off.
    QuietHours,
    /// The channel rests after a failure of its own.
    ChannelResting,
    /// The clock was set back; it waits as long as it would have.
    ClockSet,
}

/// Why a queued message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithdrawWhy {
    /// Everything it spoke of has been reported meanwhile.
    Reported,
    /// A later message to the same person about the same quarter speaks for it.
    Superseded {
        /// The later one.
        by: Occasion,
    },
    /// The tasks it spoke of are no longer this person's.
    NoLongerTheirs,
    /// Everything it spoke of was put off, or its date has come to be another one.
    PutOff,
    /// What the operator was to be told is over.
    AlarmOver,
    /// The server that was lost may have sent it before this one was restored from its backup.
    Restored,
}
