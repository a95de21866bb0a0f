//! What every page for the office has around it.

use chrono::Datelike as _;

use super::format::long_moment;
use super::{Caller, assets};
use crate::desk::{Desk, StoppedChannel};
use crate::domain::calendar::Calendar;
use crate::store::Health;

/// Head, navigation and warnings.
pub struct Frame<'a> {
    /// Address of the style sheet.
    pub style: &'a str,
    /// Who asks.
    pub office: &'a str,
    /// Which entry of the navigation is the present page.
    pub here: &'static str,
    /// Who is signed in.
    pub user: Option<String>,
    /// Whether the pages that change something are offered.
    pub writes: bool,
    /// What forms carry.
    pub csrf: String,
    /// Whether this is a trial run.
    pub demo: bool,
    /// The time shown by a simulated clock.
    pub simulated: Option<String>,
    /// What somebody should mend.
    pub warnings: Vec<String>,
}

impl<'a> Frame<'a> {
    /// Around a page for this caller.
    #[must_use]
    pub fn new(desk: &'a Desk, caller: &Caller, here: &'static str) -> Self {
        let now = desk.clock.now();
        let calendar = desk.calendar();
        let user = match caller {
            Caller::User { name, role, .. } => Some(if role.may_write() {
                name.clone()
            } else {
                format!("{name}（只读）")
            }),
            Caller::Operator => Some("本机管理员".into()),
            Caller::Nobody => None,
        };
        let signed_in = user.is_some();
        let simulated = desk.clock.is_simulated();
        Self {
            writes: caller.may_write(),
            style: assets::style_path(),
            office: &desk.office.name,
            here,
            user,
            csrf: caller.csrf().to_owned(),
            demo: desk.is_demo(),
            simulated: simulated.then(|| long_moment(&calendar, now)),
            warnings: match signed_in {
                true => warnings(desk, &calendar),
                false => Vec::new(),
            },
        }
    }
}

fn warnings(desk: &Desk, calendar: &Calendar) -> Vec<String> {
    let mut found = Vec::new();
    if desk.ledger.health() != Health::Good {
        found.push(
            "存储暂时只读：现在可以查看，但不能收报、审核或发送。请联系服务器管理员。".into(),
        );
    }
    found.extend((desk.stopped)().iter().map(told));
    let this_year = calendar.date_of(desk.clock.now()).year();
    let book = desk.ledger.book();
    let mut years: Vec<i32> = book
        .plans
        .values()
        .flat_map(|plan| plan.assumed_years.iter().copied())
        .filter(|year| *year >= this_year)
        .chain([this_year])
        .filter(|year| !calendar.knows(*year))
        .collect();
    years.sort_unstable();
    years.dedup();
    if !years.is_empty() {
        let years: Vec<_> = years.iter().map(|year| format!("{year}年")).collect();
        found.push(format!(
            "没有{}的节假日安排，暂按周一至周五为工作日推算。收到国务院办公厅通知后，请管理员导入节假日表。",
            years.join("、")
        ));
    }
    found
}

/// What a stopped channel needs, in a sentence.
fn told(channel: &StoppedChannel) -> String {
    let name = channel.name.as_ref();
    format!(
        "{}{}已停止发送：{}（{}）。请服务器管理员检查设置并改正，未发的消息之后会自动发出。",
        channel.kind.chinese(),
        name.map_or(String::new(), |name| format!("“{name}”")),
        channel.reason.chinese(),
        channel.detail
    )
}
