//! What the first screen shows of a quarter, computed in one go from one state of the book.

mod bars;
mod curve;
mod grid;
mod ladder;
mod place;
mod tiles;

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

// The template asks a cell for its class.
use super::charts::grid::Look as _;
use super::needs::{Need, needs};
use crate::domain::board::bars::{Standing, standing};
use crate::domain::board::grid::grid;
use crate::domain::board::{Item, StageAudit, attention, audit, items_in, oldest_unsent};
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::web::format::{brief, moment};
use crate::web::frame::Frame;
use bars::Bars;
use curve::{CurveView, curve_view};
use grid::{GridView, grid_view};
use ladder::{LadderLine, ladder};
use place::{Pick, Place, picks};
use tiles::{Tile, small, tiles};

#[derive(Template)]
#[template(path = "board/templates/board.html", config = "src/web/askama.toml")]
pub(super) struct BoardPage<'a> {
    pub frame: Frame<'a>,
    /// The past moment that was asked for.
    pub past: Option<String>,
    pub may_urge: bool,
    /// The office's calendar feed; none over the command socket.
    pub feed: Option<String>,
    pub answer: Answer,
}

/// What is asked for.
pub(super) struct Question {
    pub plan: PlanId,
    pub quarter: Quarter,
    pub sight: Sight,
    /// The page of the grid, from 1.
    pub page: usize,
    /// A past moment as addresses name it; none for the present.
    pub as_of: Option<String>,
}

/// All that is shown, computed in one go from one state of the book.
pub(super) struct Answer {
    title: String,
    plan: PlanId,
    quarter: Quarter,
    /// A past moment as addresses name it, else nothing.
    as_of: String,
    /// Whose tasks alone are shown.
    leader: Option<String>,
    deadline: String,
    days: String,
    quarters: Vec<Pick>,
    tiles: Vec<Tile>,
    /// Parts of the numbers in the tiles.
    small: Vec<Tile>,
    needs: Vec<Need>,
    /// Where everyone is urged who owes something; none where nobody does.
    urge: Option<String>,
    curve: Option<CurveView>,
    grid: GridView,
    units: Bars,
    leaders: Bars,
    /// Of all people together: not for those who see a part only.
    audits: Option<Vec<AuditLine>>,
    /// How long the oldest message that is due has waited.
    oldest: Option<String>,
    ladder: Vec<LadderLine>,
    /// The case has begun with this ladder, and keeps it.
    begun: bool,
}

struct AuditLine {
    audit: StageAudit,
    at: String,
}

pub(super) fn answer(book: &Book, asked: Question, now: DateTime<Utc>, rules: &RuleSet) -> Answer {
    let calendar = &*rules.calendar;
    let world = rules.world(book);
    let (plan, quarter) = (&asked.plan, asked.quarter);
    let place = Place::new(&asked);
    let deadline = book.deadline(plan, quarter);
    // Of a hundred thousand, finding them takes longer than counting them.
    let items: Vec<Item<'_>> = items_in(book, plan, quarter, now, &asked.sight).collect();
    let Standing {
        totals,
        units,
        leaders,
    } = standing(&items, &asked.sight);
    let reached = |person: &_| !world.route(person).is_empty();
    let found = attention(book, (plan, quarter), &items, now, &asked.sight, reached);
    let whole = asked.sight == Sight::Everything;
    let audits = audit(book, plan, quarter).into_iter();
    let audits = audits.map(|audit| AuditLine {
        at: brief(calendar, audit.ran_at),
        audit,
    });
    Answer {
        title: title(book, plan),
        deadline: deadline.map_or("尚未推算".into(), |at| moment(calendar, at)),
        days: deadline.map_or(String::new(), |at| days(calendar, now, at)),
        quarters: picks(book, &place),
        tiles: tiles(&place, &totals),
        small: small(&place, &totals),
        needs: needs(book, &items, quarter, &asked.sight, found),
        urge: (totals.not_reported > 0).then(|| format!("/urge?plan={plan}&quarter={quarter}")),
        curve: curve_view(&world, &asked, &items, now),
        grid: grid_view(
            book,
            &place,
            grid(book, plan, now, &asked.sight, asked.page),
        ),
        units: Bars::new(&place, "unit", units),
        leaders: Bars::new(&place, "leader", leaders),
        audits: whole.then(|| audits.collect()),
        oldest: oldest_unsent(book, now)
            .filter(|_| whole)
            .map(|due| waited(now - due)),
        ladder: ladder(&world, plan, quarter),
        begun: book.ladder(plan, quarter).is_some(),
        as_of: asked.as_of.clone().unwrap_or_default(),
        leader: match &asked.sight {
            Sight::Everything => None,
            Sight::Leader(name) => Some(name.clone()),
        },
        quarter,
        plan: asked.plan,
    }
}

impl Answer {
    pub(super) fn plan(&self) -> &PlanId {
        &self.plan
    }

    pub(super) fn quarter(&self) -> Quarter {
        self.quarter
    }
}

/// The plan's title.
pub(super) fn title(book: &Book, plan: &PlanId) -> String {
    let known = book.plans.get(plan);
    known.map_or(String::new(), |known| known.heading.title.clone())
}

/// `3小时5分钟`.
fn waited(span: TimeDelta) -> String {
    let (days, hours, minutes) = (
        span.num_days(),
        span.num_hours() % 24,
        span.num_minutes() % 60,
    );
    match (days, hours, minutes) {
        (0, 0, 0) => "不到1分钟".into(),
        (0, 0, _) => format!("{minutes}分钟"),
        (0, _, _) => format!("{hours}小时{minutes}分钟"),
        _ => format!("{days}天{hours}小时"),
    }
}

/// `还有6个工作日`.
fn days(calendar: &Calendar, now: DateTime<Utc>, deadline: DateTime<Utc>) -> String {
    let left = calendar.working_days_between(calendar.date_of(now), calendar.date_of(deadline));
    match left {
        0 if now <= deadline => "今日截止".into(),
        0 => "今日已截止".into(),
        1.. => format!("还有{left}个工作日"),
        _ => format!("已过{}个工作日", -left),
    }
}
