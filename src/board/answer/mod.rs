//! What the first screen shows of a quarter, computed in one go from one state of the book.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::cells;
use super::charts::bars::bar;
use super::charts::curve::CurveChart;
use super::charts::grid::{Look as _, short};
use super::needs::{Need, needs};
use crate::domain::board::bars::{Bar, Standing, standing};
use crate::domain::board::curve::{Curve, curve, quarter_before};
use crate::domain::board::grid::{Cell, Grid, GridRow, grid};
use crate::domain::board::{
    Item, Show, StageAudit, Tally, attention, audit, items_in, oldest_unsent,
};
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::due::World;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::web::format::{brief, moment};
use crate::web::frame::Frame;
use crate::web::percent;

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

struct Pick {
    href: String,
    label: String,
    here: bool,
}

struct Tile {
    href: String,
    label: &'static str,
    count: u32,
    class: &'static str,
}

struct CurveView {
    svg: String,
    words: String,
    /// What the dashed line is.
    before: Option<String>,
}

/// The grid, in blocks that stand beside each other.
struct GridView {
    /// What addresses of its cells begin and end with.
    mark: String,
    tail: String,
    columns: Vec<Column>,
    blocks: Vec<Vec<GridRow>>,
    /// How many tasks stand how in this quarter; nothing where they are on several pages.
    legend: Vec<(Cell, usize)>,
    pages: Vec<Pick>,
    /// The address of its picture, to be ended with `svg` or `png`.
    picture: String,
}

struct Column {
    short: &'static str,
    mark: String,
    here: bool,
}

/// Who stands how, the worst first: a few with bars, the others by name.
struct Bars {
    first: Vec<BarView>,
    more: Vec<BarView>,
    /// How many owe nothing.
    done: usize,
}

struct BarView {
    href: String,
    name: String,
    tally: Tally,
    svg: String,
}

struct AuditLine {
    audit: StageAudit,
    at: String,
}

/// One stage, as it was or will be.
struct LadderLine {
    stage: &'static str,
    at: String,
    copied: String,
    channels: String,
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

/// Addresses within one quarter, at one moment.
struct Place<'a> {
    plan: &'a PlanId,
    quarter: Quarter,
    as_of: Option<&'a str>,
    /// `&as_of=…`, or nothing.
    moment: String,
}

impl<'a> Place<'a> {
    fn new(asked: &'a Question) -> Self {
        let as_of = asked.as_of.as_deref();
        Self {
            plan: &asked.plan,
            quarter: asked.quarter,
            as_of,
            moment: as_of.map_or(String::new(), |at| {
                format!("&as_of={}", percent::encoded(at))
            }),
        }
    }

    /// The first screen of a quarter.
    fn screen(&self, plan: &PlanId, quarter: Quarter) -> String {
        format!("/?plan={plan}&quarter={quarter}{}", self.moment)
    }

    /// The list behind a number.
    fn items(&self, field: &str, value: &str) -> String {
        let Self {
            plan,
            quarter,
            moment,
            ..
        } = self;
        let value = percent::readable(value);
        format!("/items?plan={plan}&quarter={quarter}&{field}={value}{moment}")
    }

    fn tile(&self, show: Show, count: u32, class: &'static str) -> Tile {
        Tile {
            href: self.items("state", show.as_str()),
            label: show.chinese(),
            count,
            class: if count == 0 { "zero" } else { class },
        }
    }
}

fn tiles(place: &Place<'_>, totals: &Tally) -> Vec<Tile> {
    vec![
        place.tile(Show::All, totals.obligations, "all"),
        place.tile(Show::Reported, totals.reported, "good"),
        place.tile(Show::NotReported, totals.not_reported, "open"),
        place.tile(Show::Overdue, totals.overdue_unreported, "bad"),
        place.tile(Show::Returned, totals.returned, "warn"),
        place.tile(Show::ToReview, totals.to_review(), "open"),
    ]
}

fn small(place: &Place<'_>, totals: &Tally) -> Vec<Tile> {
    let mut small = vec![
        place.tile(Show::Late, totals.reported_late, "warn"),
        place.tile(Show::Accepted, totals.accepted, "good"),
    ];
    if totals.withdrawn > 0 {
        small.push(place.tile(Show::Withdrawn, totals.withdrawn, "all"));
    }
    small
}

fn picks(book: &Book, place: &Place<'_>) -> Vec<Pick> {
    let several = book.plans.len() > 1;
    let all = book.plans.iter().flat_map(|(id, known)| {
        let title = &known.heading.title;
        let quarters = book.quarters_of(id).into_iter();
        quarters.map(move |quarter| (id, quarter, title))
    });
    all.map(|(id, one, title)| Pick {
        href: place.screen(id, one),
        label: match several {
            true => format!("{title} {}", one.chinese()),
            false => one.chinese_short().into(),
        },
        here: id == place.plan && one == place.quarter,
    })
    .collect()
}

/// The curve from the first stage's day on, and for some days after the last.
fn curve_view(
    world: &World<'_>,
    asked: &Question,
    items: &[Item<'_>],
    now: DateTime<Utc>,
) -> Option<CurveView> {
    let (book, calendar) = (world.book, world.calendar);
    let (plan, quarter) = (&asked.plan, asked.quarter);
    let stages = &world.ladder(plan, quarter).stages;
    let offsets = || stages.iter().map(|rule| rule.working_days);
    let span = offsets().min().unwrap_or(-10).min(-1)..=offsets().max().unwrap_or(0).max(1);
    let deadline = book.deadline(plan, quarter)?;
    let own = curve(items, (quarter, deadline), calendar, span.clone(), now)?;
    let before = quarter_before(book, plan, quarter);
    let before = before.and_then(|(plan, quarter)| {
        let items: Vec<Item<'_>> = items_in(book, &plan, quarter, now, &asked.sight).collect();
        let deadline = book.deadline(&plan, quarter)?;
        curve(&items, (quarter, deadline), calendar, span.clone(), now)
    });
    // A quarter before this program came has nothing to compare with.
    let before = before.filter(|curve: &Curve| curve.steps.iter().any(|step| step.reported > 0));
    let deadline = calendar.date_of(deadline);
    let named = [*span.start(), 0, *span.end()].map(|at| (at, calendar.shift(deadline, at)));
    let chart = CurveChart {
        today: own.steps.len() < span.clone().count()
            && calendar.date_of(now) >= calendar.shift(deadline, *span.start()),
        now: &own,
        before: before.as_ref(),
        span,
        days: &named,
    };
    Some(CurveView {
        svg: chart.svg(),
        words: chart.words(),
        before: before.map(|curve| curve.quarter.chinese_short().to_owned()),
    })
}

fn grid_view(book: &Book, place: &Place<'_>, grid: Grid) -> GridView {
    const BLOCKS: usize = 10;
    const SHORTEST: usize = 5;
    const LONGEST: usize = 25;
    let Place {
        plan,
        quarter,
        moment,
        as_of,
    } = place;
    let counts = grid.counts(*quarter);
    let legend = Cell::ASKED.into_iter().zip(counts);
    // Of many pages, the ends and those around this one.
    let near = |page: &usize| *page == 1 || *page == grid.pages || page.abs_diff(grid.page) <= 4;
    let pages = (1..=grid.pages).filter(near).map(|page| Pick {
        href: format!("{}&page={page}#grid", place.screen(plan, *quarter)),
        label: page.to_string(),
        here: page == grid.page,
    });
    let columns = grid.quarters.iter().map(|one| Column {
        short: short(*one),
        mark: cells::quarter_mark(book, plan, *one),
        here: one == quarter,
    });
    let block = grid.rows.len().div_ceil(BLOCKS).clamp(SHORTEST, LONGEST);
    let mut rows = grid.rows.into_iter();
    let mut blocks = Vec::new();
    loop {
        let next: Vec<GridRow> = rows.by_ref().take(block).collect();
        if next.is_empty() {
            break;
        }
        blocks.push(next);
    }
    let several = grid.pages > 1;
    GridView {
        mark: cells::mark(book, plan),
        tail: as_of.map_or(String::new(), |at| format!("/{at}")),
        columns: columns.collect(),
        blocks,
        legend: legend
            .map(|(cell, count)| (cell, if several { 0 } else { count }))
            .collect(),
        pages: if several { pages.collect() } else { Vec::new() },
        picture: format!("?plan={plan}&quarter={quarter}&page={}{moment}", grid.page),
    }
}

impl Bars {
    fn new(place: &Place<'_>, field: &str, bars: Vec<Bar>) -> Self {
        const FIRST: usize = 15;
        let longest = bars.iter().map(|bar| bar.tally.obligations).max();
        let longest = longest.unwrap_or_default();
        let done = |bar: &&Bar| bar.tally.not_reported == 0;
        let view = |(nth, one): (usize, &Bar)| BarView {
            href: place.items(field, &one.name),
            name: one.name.clone(),
            tally: one.tally,
            svg: match nth < FIRST {
                true => bar(one, longest),
                false => String::new(),
            },
        };
        let mut first: Vec<BarView> = bars.iter().enumerate().map(view).collect();
        Self {
            more: first.split_off(first.len().min(FIRST)),
            first,
            done: bars.iter().filter(done).count(),
        }
    }

    fn owing(&self) -> usize {
        self.first.len() + self.more.len() - self.done
    }
}

fn ladder(world: &World<'_>, plan: &PlanId, quarter: Quarter) -> Vec<LadderLine> {
    let rules = world.ladder(plan, quarter).stages.iter();
    rules
        .filter_map(|rule| {
            let at = world.stage_time(plan, quarter, rule.stage)?;
            let channels: Vec<_> = rule.channels.iter().map(|kind| kind.chinese()).collect();
            Some(LadderLine {
                stage: rule.stage.chinese(),
                at: moment(world.calendar, at),
                copied: rule.copied.chinese().join("、"),
                channels: channels.join("、"),
            })
        })
        .collect()
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
