//! What every page of the board has around it.

use chrono::Datelike as _;

use crate::desk::Desk;
use crate::desk::{behind_words, doubt_words};
use crate::domain::calendar::Calendar;
use crate::store::Health;
use crate::web::format::long_moment;
use crate::web::{Caller, assets};

/// Head, navigation and warnings.
pub(super) struct Frame<'a> {
    pub style: &'a str,
    pub office: &'a str,
    /// Which entry of the navigation is the present page.
    pub here: &'static str,
    pub user: Option<String>,
    pub csrf: String,
    pub demo: bool,
    pub simulated: Option<String>,
    pub warnings: Vec<String>,
    /// What to say of a clock that leapt; nothing is sent until a person agrees.
    pub clock: Option<String>,
    pub may_write: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn new(desk: &'a Desk, caller: &Caller, here: &'static str) -> Self {
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
            style: assets::style_path(),
            office: &desk.office.name,
            here,
            user,
            csrf: caller.csrf().to_owned(),
            clock: match signed_in {
                true => leapt(desk, &calendar),
                false => None,
            },
            may_write: caller.may_write(),
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
