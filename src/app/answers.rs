//! What the operator's interface answers, as JSON. The command line reads the same types.

use serde::{Deserialize, Serialize};

use crate::domain::checkup::{self, Line, State};
use crate::store::VerifyReport;

/// After `plan import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// The plan's id.
    pub plan: String,
    /// Tasks now stored.
    pub tasks: usize,
    /// Tasks new, changed and removed by this import.
    pub new: usize,
    /// See `new`.
    pub changed: usize,
    /// See `new`.
    pub removed: usize,
    /// Numbers of the rows with errors that were not accepted, and so not stored.
    pub left_out: Vec<u32>,
    /// Facts appended; none where nothing differs, and for `--dry-run`.
    pub facts: usize,
    /// All of it in words, with what will not be sent and why.
    pub text: String,
}

/// A line of `plan list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    /// The plan's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its year.
    pub year: i32,
    /// How many tasks it has.
    pub tasks: usize,
    /// When it was last imported, RFC 3339.
    pub imported_at: String,
}

/// After `contacts import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactsAnswer {
    /// Rows stored, new or changed.
    pub stored: usize,
    /// Rows that were the same already.
    pub unchanged: usize,
    /// Rows that could not be taken.
    pub faults: usize,
    /// All of it in words.
    pub text: String,
}

/// After `resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeAnswer {
    /// Messages that were not sent again.
    pub withdrawn: usize,
    /// All of it in words.
    pub text: String,
}

/// `contacts check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessAnswer {
    /// People the plan names.
    pub people: usize,
    /// Those of them who cannot be reached.
    pub unreachable: Vec<UnreachablePerson>,
    /// Those who may be.
    pub doubtful: Vec<DoubtfulPerson>,
    /// All of it in words.
    pub text: String,
}

/// Someone with an address of which nobody knows whether it works, or one that does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubtfulPerson {
    /// Person id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Channel, and `works`, `refused`, `testing`, `unanswered` or `untried`.
    pub addresses: Vec<(String, String)>,
}

/// After `contacts test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestAnswer {
    /// Test messages on their way.
    pub queued: usize,
    /// All of it in words.
    pub text: String,
}

impl TestAnswer {
    pub(crate) fn of(queued: usize) -> Self {
        let text = match queued {
            0 => "没有可以测试的地址：没有联系方式，或测试消息已在发送".to_owned(),
            _ => format!(
                "正在发送{queued}条测试消息；本人点“我已收到”后即为有效，可用 cuiban contacts check 查看"
            ),
        };
        Self { queued, text }
    }
}

/// After `clock confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnswer {
    /// In words.
    pub text: String,
}

/// Someone without a working address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreachablePerson {
    /// Person id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Tasks with something open that wait for this person.
    pub open: Vec<u32>,
}

/// `user list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersAnswer {
    /// By name.
    pub users: Vec<UserLine>,
}

/// A line of `user list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLine {
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: String,
    /// The leader whose tasks are all they see.
    pub leader: Option<String>,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// Whether disabled.
    pub disabled: bool,
}

/// `token list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensAnswer {
    /// By id.
    pub tokens: Vec<TokenLine>,
}

/// A line of `token list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLine {
    /// The part that is no secret.
    pub id: String,
    /// Which system has it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// It works until then.
    pub expires: String,
    /// When it was used last.
    pub used: Option<String>,
    /// Whether it opens anything now.
    pub works: bool,
}

/// `token add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The part that is no secret.
    pub id: String,
    /// The whole, shown once.
    pub token: String,
}

/// `journal verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyAnswer {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// Facts read.
    pub facts: u64,
    /// All of it in words, each fault with its place.
    pub text: String,
    /// Whether one copy is good, so that the other can be made anew.
    pub can_be_healed: bool,
    /// What to do; empty where nothing is wrong.
    #[serde(default)]
    pub next: String,
}

impl VerifyAnswer {
    pub(crate) fn of(report: &VerifyReport) -> Self {
        Self {
            sound: report.is_sound(),
            facts: report.mirror,
            text: report.to_string().trim_end().to_owned(),
            can_be_healed: report.can_be_healed(),
            next: next(report),
        }
    }
}

fn next(report: &VerifyReport) -> String {
    let healed = report.can_be_healed();
    match &report.mark_flaw {
        None if report.is_sound() => String::new(),
        Some(flaw) if healed => checkup::mark_anew(flaw.rewrite.as_deref()),
        _ => checkup::mend(healed).to_owned(),
    }
}

/// A line of `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorLine {
    /// Of what.
    pub name: String,
    /// `ok`, `warn` or `fail`.
    pub state: String,
    /// What was seen.
    pub text: String,
    /// What to do; empty where nothing is to be done.
    pub next: String,
}

impl DoctorLine {
    pub(crate) fn of(line: &Line) -> Self {
        Self {
            name: line.name.clone(),
            state: line.state.as_str().to_owned(),
            text: line.text.clone(),
            next: line.next.clone(),
        }
    }

    /// What is not known is no good sign.
    pub(crate) fn state(&self) -> State {
        State::from_name(&self.state).unwrap_or(State::Broken)
    }
}
