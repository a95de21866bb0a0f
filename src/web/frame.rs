//! What every page for the office has around it.

use chrono::Datelike as _;

use super::format::long_moment;
use super::marks::Marks;
use super::percent::encoded;
use super::{Caller, assets};
use crate::desk::{Desk, behind_words, doubt_words, restored_words};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{PlanId, Position, Quarter};
use crate::domain::user::Role;
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
    /// Whether they manage accounts.
    pub admin: bool,
    /// Whether the pages about the whole of the office's work are offered.
    pub whole: bool,
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
    /// How many wait for whoever may do something about them.
    pub marks: Marks,
    /// Where the page hears that it is out of date.
    pub live: Option<Live>,
    /// The last fact the page knows.
    position: Position,
}

/// What a page needs to stay up to date by itself; see `static/live.js`.
pub struct Live {
    /// The script.
    pub script: &'static str,
    /// Its stream, with what the page is about.
    pub events: String,
    /// The last fact the page knows.
    pub since: Position,
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
        let writes = caller.may_write();
        let rules = desk.rules.now();
        let (marks, position) = {
            let book = desk.ledger.book();
            let marks = writes.then(|| desk.counted.marks(&book, &rules, now));
            (marks.unwrap_or_default(), book.position)
        };
        let simulated = desk.clock.is_simulated();
        Self {
            whole: caller.unlimited().is_ok(),
            writes,
            admin: !matches!(caller, Caller::User { role, .. } if *role != Role::Admin),
            marks,
            live: None,
            position,
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

impl Frame<'_> {
    /// The page stays up to date: regions marked `data-live` follow what happens to this plan and
    /// quarter, or to all. It has to be answered by [`super::guard::with_script`]. A page that shows
    /// a past moment does not change.
    #[must_use]
    pub fn live(mut self, plan: Option<&PlanId>, quarter: Option<Quarter>) -> Self {
        let plan = plan.map_or(String::new(), |plan| encoded(plan.as_str()));
        let quarter = quarter.map_or(String::new(), |quarter| quarter.to_string());
        self.live = Some(Live {
            script: assets::live_script(),
            events: format!("/events?plan={plan}&quarter={quarter}"),
            since: self.position,
        });
        self
    }

    /// Whether the page is one of the settings.
    #[must_use]
    pub fn is_settings(&self) -> bool {
        const PAGES: [&str; 8] = [
            "settings",
            "contacts",
            "readiness",
            "holidays",
            "templates",
            "users",
            "tokens",
            "config",
        ];
        PAGES.contains(&self.here)
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
