//! What every page for the office has around it.

use chrono::Datelike as _;

use super::format::long_moment;
use super::{Caller, assets};
use crate::desk::{Desk, behind_words, doubt_words, restored_words};
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
    /// What to say of a clock that leapt; nothing is sent until a person agrees.
    pub clock: Option<String>,
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
            // No page is for them.
            Caller::Token { .. } | Caller::Nobody => None,
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
            clock: match signed_in {
                true => leapt(desk, &calendar),
                false => None,
            },
            demo: desk.is_demo(),
            simulated: simulated.then(|| long_moment(&calendar, now)),
            warnings: match signed_in {
                true => warnings(desk, &calendar),
                false => Vec::new(),
            },
        }
    }
}

fn leapt(desk: &Desk, calendar: &Calendar) -> Option<String> {
    let doubt = desk.ledger.book().clock_doubt?;
    Some(doubt_words(doubt, calendar))
}

fn warnings(desk: &Desk, calendar: &Calendar) -> Vec<String> {
    let mut found = Vec::new();
    if desk.ledger.health() != Health::Good {
        found.push(
            "存储暂时只读：现在可以查看，但不能收报、审核或发送。请联系服务器管理员。".into(),
        );
    }
    let stopped = (desk.stopped)();
    found.extend(stopped.iter().map(|channel| channel.words(calendar)));
    let now = desk.clock.now();
    let this_year = calendar.date_of(now).year();
    let book = desk.ledger.book();
    let restored = book.restored.map(|at| restored_words(at, calendar));
    found.extend(restored);
    found.extend(behind_words(
        &book,
        calendar,
        desk.clock.is_simulated(),
        now,
    ));
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
