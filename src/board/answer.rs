//! What the board shows of a quarter, computed in one go from one state of the book.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::board::{
    Attention, Filter, QuarterView, Row, Show, StageAudit, Tally, attention, audit, oldest_unsent,
};
use crate::domain::book::{Book, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::due::World;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::rules::RuleSet;
use crate::web::format::{brief, moment, short_day};
use crate::web::frame::Frame;
use crate::web::percent;

#[derive(Template)]
#[template(path = "board/templates/board.html", config = "src/web/askama.toml")]
pub(super) struct BoardPage<'a> {
    pub frame: Frame<'a>,
    /// The past moment that was asked for.
    pub past: Option<String>,
    pub at_value: String,
    pub may_urge: bool,
    /// The office's calendar feed; none over the command socket.
    pub feed: Option<String>,
    pub answer: Answer,
}

/// All that is shown, computed in one go from one state of the book.
pub(super) struct Answer {
    title: String,
    plan: PlanId,
    quarter: Quarter,
    deadline: String,
    days: String,
    quarters: Vec<Pick>,
    tiles: Vec<Tile>,
    totals: Tally,
    needs: Vec<Need>,
    narrowed: Option<String>,
    shown: Show,
    rows: Vec<RowView>,
    units: Ranking,
    owners: Ranking,
    audits: Vec<AuditLine>,
    /// How long the oldest message that is due has waited.
    oldest: Option<String>,
    /// Whom to urge, and where; none where nobody shown owes anything.
    urge: Option<(String, String)>,
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
    here: bool,
}

/// One thing that needs a person.
struct Need {
    text: String,
    href: Option<String>,
}

/// Who owes most, the first few at once and the others on request.
struct Ranking {
    first: Vec<TallyLine>,
    more: Vec<TallyLine>,
    /// How many owe nothing.
    done: usize,
}

impl Ranking {
    fn new(lines: impl Iterator<Item = TallyLine>) -> Self {
        const FIRST: usize = 15;
        let (mut first, done): (Vec<_>, Vec<_>) =
            lines.partition(|line| line.tally.not_reported > 0);
        let more = first.split_off(first.len().min(FIRST));
        Self {
            first,
            more,
            done: done.len(),
        }
    }

    fn owing(&self) -> usize {
        self.first.len() + self.more.len()
    }
}

struct TallyLine {
    href: String,
    name: String,
    unit: Option<String>,
    tally: Tally,
}

struct RowView {
    href: String,
    no: u32,
    name: String,
    unit: String,
    owners: String,
    state: ObligationState,
    status: &'static str,
    /// Each figure against its target.
    figures: Vec<String>,
    reported: String,
    reminded: String,
    /// Nothing is reported, but somebody has said that they have seen it.
    seen: bool,
    /// The later day that was granted.
    put_off: Option<String>,
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

pub(super) fn answer(
    book: &Book,
    plan: &PlanId,
    view: QuarterView,
    filter: &Filter,
    rules: &RuleSet,
) -> Answer {
    let calendar = &*rules.calendar;
    let world = rules.world(book);
    let quarter = view.quarter;
    let place = Place { plan, quarter };
    let deadline = book.deadline(plan, quarter);
    let units = view.by_unit.iter().map(|unit| TallyLine {
        href: place.href(Show::NotReported, Some(&unit.unit), None),
        name: unit.unit.clone(),
        unit: None,
        tally: unit.tally,
    });
    let owners = view.by_owner.iter().map(|owner| TallyLine {
        href: place.href(Show::NotReported, None, Some(&owner.person)),
        name: owner.name.clone(),
        unit: Some(owner.unit.clone()),
        tally: owner.tally,
    });
    let audits = audit(book, plan, quarter).into_iter();
    Answer {
        title: book
            .plans
            .get(plan)
            .map(|known| known.heading.title.clone())
            .unwrap_or_default(),
        plan: plan.clone(),
        quarter,
        deadline: deadline.map_or("尚未推算".into(), |at| moment(calendar, at)),
        days: deadline.map_or(String::new(), |at| days(calendar, view.as_of, at)),
        quarters: picks(book, plan, quarter),
        tiles: tiles(&place, &view.totals, filter),
        needs: needs(
            book,
            &place,
            attention(book, plan, quarter, view.as_of, |person| {
                !world.route(person).is_empty()
            }),
        ),
        narrowed: narrowed(book, filter),
        urge: urge(book, &place, filter, &view),
        ladder: ladder(&world, &place),
        begun: book.ladder(plan, quarter).is_some(),
        shown: filter.show,
        rows: view
            .rows
            .iter()
            .map(|row| row_view(book, row, calendar))
            .collect(),
        units: Ranking::new(units),
        owners: Ranking::new(owners),
        audits: audits
            .map(|audit| AuditLine {
                at: brief(calendar, audit.ran_at),
                audit,
            })
            .collect(),
        oldest: oldest_unsent(book, view.as_of).map(|due| waited(view.as_of - due)),
        totals: view.totals,
    }
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

/// Addresses within one quarter's board.
struct Place<'a> {
    plan: &'a PlanId,
    quarter: Quarter,
}

impl Place<'_> {
    fn href(&self, show: Show, unit: Option<&str>, owner: Option<&PersonId>) -> String {
        let Self { plan, quarter } = self;
        let mut href = format!("/?plan={plan}&quarter={quarter}&state={}", show.as_str());
        if let Some(unit) = unit {
            href.push_str("&unit=");
            href.push_str(&percent::encoded(unit));
        }
        if let Some(owner) = owner {
            href.push_str("&owner=");
            href.push_str(owner.as_str());
        }
        href.push_str("#list");
        href
    }
}

fn tiles(place: &Place<'_>, totals: &Tally, filter: &Filter) -> Vec<Tile> {
    let tile = |show: Show, count, class| Tile {
        href: place.href(show, filter.unit.as_deref(), filter.owner.as_ref()),
        label: show.chinese(),
        count,
        class: if count == 0 { "zero" } else { class },
        here: filter.show == show,
    };
    let mut tiles = vec![
        tile(Show::NotReported, totals.not_reported, "open"),
        tile(Show::Overdue, totals.overdue_unreported, "bad"),
        tile(Show::Returned, totals.returned, "warn"),
        tile(Show::Reported, totals.reported, "good"),
        tile(Show::Late, totals.reported_late, "warn"),
        tile(Show::ToReview, totals.to_review(), "open"),
        tile(Show::Accepted, totals.accepted, "good"),
        tile(Show::All, totals.obligations, "plain"),
    ];
    if totals.withdrawn > 0 {
        tiles.push(tile(Show::Withdrawn, totals.withdrawn, "plain"));
    }
    tiles
}

fn picks(book: &Book, plan: &PlanId, quarter: Quarter) -> Vec<Pick> {
    let several = book.plans.len() > 1;
    let all = book.plans.iter().flat_map(|(id, known)| {
        let title = &known.heading.title;
        book.quarters_of(id)
            .into_iter()
            .map(move |quarter| (id, quarter, title))
    });
    all.map(|(id, one, title)| Pick {
        href: format!("/?plan={id}&quarter={one}"),
        label: match several {
            true => format!("{title} {}", one.chinese()),
            false => one.chinese_short().into(),
        },
        here: id == plan && one == quarter,
    })
    .collect()
}

fn needs(book: &Book, place: &Place<'_>, found: Attention) -> Vec<Need> {
    let mut needs = Vec::new();
    let asks = book.obligations_in(place.plan, place.quarter);
    let asks = asks.filter(|(_, known)| known.asked().is_some() || known.disowned().is_some());
    let asks = asks.count();
    if asks > 0 {
        needs.push(Need {
            text: format!("{asks}件申请或反映等待答复"),
            href: Some("/requests".into()),
        });
    }
    let mails = book.mails_waiting().count();
    if mails > 0 {
        needs.push(Need {
            text: format!("{mails}封邮件回复需要人工处理"),
            href: Some("/mails".into()),
        });
    }
    let mut messages = |count: usize, text: &str, state: &str| {
        if count > 0 {
            let href = format!("/deliveries?state={state}&quarter={}", place.quarter);
            needs.push(Need {
                text: format!("{count}条消息{text}"),
                href: Some(href),
            });
        }
    };
    messages(found.dead, "发送失败", "dead");
    messages(found.held, "不能确定是否送达，等待处理", "held");
    messages(found.in_doubt, "发出后结果未明", "in_doubt");
    messages(found.waiting_long, "超过一小时仍未发出", "waiting");
    let unclear = book.words.values().filter(|word| word.is_unclear()).count();
    if unclear > 0 {
        needs.push(Need {
            text: format!("{unclear}条企业微信回复系统没有读懂"),
            href: Some("/unclear".to_owned()),
        });
    }
    let mut people = |ids: &[PersonId], text: &str, href: Option<&str>| {
        let known = ids.iter().filter_map(|id| book.people.get(id));
        let names: Vec<_> = known.map(|person| person.name.as_str()).collect();
        if !names.is_empty() {
            needs.push(Need {
                text: format!("{}人{text}：{}", names.len(), few(&names)),
                href: href.map(str::to_owned),
            });
        }
    };
    let ready = Some("/readiness");
    people(&found.unreachable, "没有可用的联系方式", ready);
    people(&found.over_budget, "近日消息已达上限，有提醒未发", None);
    if !found.unowned.is_empty() {
        let tasks: Vec<_> = found
            .unowned
            .iter()
            .map(|key| key.task.to_string())
            .collect();
        let tasks: Vec<_> = tasks.iter().map(String::as_str).collect();
        needs.push(Need {
            text: format!("{}项没有直接责任人：第{}项", tasks.len(), few(&tasks)),
            href: found.unowned.first().map(task_href),
        });
    }
    needs
}

/// Everyone who owes something among those the page has been narrowed to.
fn urge(
    book: &Book,
    place: &Place<'_>,
    filter: &Filter,
    view: &QuarterView,
) -> Option<(String, String)> {
    if view.totals.not_reported == 0 {
        return None;
    }
    let Place { plan, quarter } = place;
    let mut href = format!("/urge?plan={plan}&quarter={quarter}");
    if let Some(unit) = &filter.unit {
        href.push_str(&format!("&unit={}", percent::encoded(unit)));
    }
    if let Some(owner) = &filter.owner {
        href.push_str(&format!("&owner={owner}"));
    }
    let whom = match narrowed(book, filter) {
        Some(_) if filter.owner.is_some() => "催办此人",
        Some(_) => "催办本单位未报的",
        None => "催办全部未报的",
    };
    Some((href, whom.to_owned()))
}

fn ladder(world: &World<'_>, place: &Place<'_>) -> Vec<LadderLine> {
    let (plan, quarter) = (place.plan, place.quarter);
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

fn narrowed(book: &Book, filter: &Filter) -> Option<String> {
    let person = filter.owner.as_ref().and_then(|id| book.people.get(id));
    match (&filter.unit, person) {
        (Some(unit), _) => Some(unit.clone()),
        (None, Some(person)) => Some(format!("{}（{}）", person.name, person.unit)),
        (None, None) => None,
    }
}

fn row_view(book: &Book, row: &Row, calendar: &Calendar) -> RowView {
    let owners: Vec<_> = row.owners.iter().map(|owner| owner.name.as_str()).collect();
    let by = row.reported_by.as_ref().and_then(|id| book.people.get(id));
    let reported = match (row.reported_at, by) {
        (Some(at), Some(by)) if owners.len() > 1 => format!("{} {}", brief(calendar, at), by.name),
        (Some(at), _) => brief(calendar, at),
        (None, _) => String::new(),
    };
    RowView {
        href: task_href(&row.key),
        no: row.key.task,
        name: row.name.clone(),
        unit: row.unit.clone(),
        owners: owners.join("、"),
        state: row.state,
        status: row.status.map_or("", |status| status.chinese()),
        figures: row
            .actuals
            .iter()
            .map(|actual| format!("{}：{}", actual.target.name(), actual.told()))
            .collect(),
        reported,
        reminded: row.last_reminded.map_or(String::new(), |(at, occasion)| {
            format!("{} {}", brief(calendar, at), occasion.chinese())
        }),
        seen: row.status.is_none() && is_acknowledged(book, &row.key),
        put_off: row
            .first_deadline
            .and(row.deadline)
            .map(|at| short_day(calendar.date_of(at))),
    }
}

fn is_acknowledged(book: &Book, key: &ObligationKey) -> bool {
    let known = book.obligations.get(key);
    known.is_some_and(|known| known.acknowledged.is_some())
}

fn task_href(key: &ObligationKey) -> String {
    format!("/task/{key}")
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

fn few(names: &[&str]) -> String {
    const MOST: usize = 8;
    let shown: Vec<_> = names.iter().take(MOST).copied().collect();
    let more = if names.len() > MOST { "等" } else { "" };
    format!("{}{more}", shown.join("、"))
}
