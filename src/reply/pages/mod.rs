//! The owner's page and the receipt, filled in for the templates.

use askama::Template;
use axum::response::Response;

use super::accept::Receipt;
use super::beside::{FilesView, Stale};
use super::form::is_filled;
use super::items::{Item, Node, Sheet, fingerprint};
use super::notice::{Notice, NoticeView, Typed};
use super::{Draft, Room};
use crate::desk::Desk;
use crate::domain::book::Obligation;
use crate::domain::calendar::Calendar;
use crate::domain::evidence::Evidence;
use crate::domain::hex;
use crate::domain::ids::TaskNo;
use crate::domain::link::Link;
use crate::domain::report::{Received, Report, ReportStatus, Words};
use crate::web::error::page;
use crate::web::format::{long_moment, moment, short_day};
use crate::web::guard::with_script;
use crate::web::{WebError, assets};

/// A short name for what a link's browser keeps by itself.
fn key(token: &str) -> String {
    hex::sha256(token.as_bytes()).chars().take(12).collect()
}

/// The files of an item, as the page lists them; for the script.
pub(super) async fn files_of(
    room: &Room,
    token: &str,
    link: &Link,
    place: Option<(TaskNo, u8)>,
) -> Result<String, WebError> {
    let sheet = room.sheet(link).await?;
    let mut items = sheet.open.iter().chain(&sheet.reported);
    let item = items.find(|item| Some((item.key.task, item.key.group)) == place);
    let item = item.ok_or(WebError::NotFound)?;
    let files = FilesView::new(item, token, true);
    files.render().map_err(WebError::internal)
}

/// The owner's page.
pub(super) fn sheet(
    desk: &Desk,
    token: &str,
    link: &Link,
    sheet: &Sheet,
    typed: &Typed,
    notice: Option<&Notice>,
) -> Result<Response, WebError> {
    let calendar = desk.calendar();
    let now = desk.clock.now();
    let views = |items: &[Item]| -> Vec<ItemView> {
        items
            .iter()
            .map(|item| ItemView::new(item, typed, token, &calendar))
            .collect()
    };
    let (open, reported) = (views(&sheet.open), views(&sheet.reported));
    let drafts = sheet.open.iter().chain(&sheet.reported);
    let saved = drafts
        .filter_map(|item| Some(item.draft.as_ref()?.at))
        .max();
    let html = page(&SheetPage {
        frame: Frame::new(desk, &calendar),
        key: key(token),
        saved: saved.map(|at| format!("{}暂存的内容尚未提交", moment(&calendar, at))),
        seen: sheet.seen,
        action: format!("/r/{token}"),
        name: &sheet.person.name,
        unit: &sheet.person.unit,
        quarter: link.quarter.chinese(),
        plan: &sheet.plan_title,
        deadline: sheet.deadline.map(|at| moment(&calendar, at)),
        is_past: sheet.deadline.is_some_and(|at| now > at),
        notice: notice.map(|notice| NoticeView::new(notice, &typed.faults)),
        preset: typed.preset.map(ReportStatus::chinese),
        amendable: reported.iter().any(|item| item.editable),
        asked: desk.rules.now().report.told(),
        open,
        reported,
    })?;
    Ok(with_script(html))
}

/// The receipt.
pub(super) fn receipt(
    desk: &Desk,
    token: &str,
    link: &Link,
    receipt: &Receipt,
) -> Result<Response, WebError> {
    let calendar = desk.calendar();
    let book = desk.ledger.book();
    let whole = book.people.get(&link.person).cloned();
    let person = whole.ok_or(WebError::UnknownLink)?;
    let left = book
        .answerable(&link.person, &link.plan, link.quarter, desk.clock.now())
        .iter()
        .filter(|one| one.obligation.is_open())
        .count();
    let lines = receipt.reports.iter().map(|received| {
        let key = &received.report.obligation;
        let known = book.obligations.get(key);
        let amended = known
            .and_then(Obligation::latest)
            .is_some_and(|latest| latest.at > received.at);
        // Files that came later count to the latest.
        let of_version = |known: &Obligation| -> Vec<Evidence> {
            let shown = known.shown().map(|filed| filed.evidence.clone());
            shown
                .filter(|file| !amended || received.evidence.contains(&file.sha256))
                .collect()
        };
        let task = book.task_and_group(key).map(|(task, _)| task.short_name());
        Line {
            no: key.task,
            name: task.unwrap_or_default(),
            said: Said::new(&received.report),
            at: moment(&calendar, received.at),
            amended,
            files: FilesView {
                id: String::new(),
                action: format!("/r/{token}"),
                editable: false,
                files: known.into_iter().flat_map(of_version).collect(),
            },
        }
    });
    let places = receipt.reports.iter().map(|received| {
        let key = &received.report.obligation;
        format!("{}-{}", key.task, key.group)
    });
    let sent: Vec<_> = places.collect();
    let html = page(&ReceiptPage {
        frame: Frame::new(desk, &calendar),
        key: self::key(token),
        sent: sent.join(","),
        back: format!("/r/{token}"),
        name: &person.name,
        unit: &person.unit,
        quarter: link.quarter.chinese(),
        number: &receipt.number,
        at: long_moment(&calendar, receipt.received_at),
        lines: lines.collect(),
        left,
    })?;
    Ok(with_script(html))
}

#[derive(Template)]
#[template(path = "reply/templates/sheet.html", config = "src/web/askama.toml")]
struct SheetPage<'a> {
    frame: Frame<'a>,
    action: String,
    name: &'a str,
    unit: &'a str,
    quarter: String,
    plan: &'a str,
    deadline: Option<String>,
    is_past: bool,
    notice: Option<NoticeView>,
    key: String,
    saved: Option<String>,
    seen: bool,
    preset: Option<&'a str>,
    amendable: bool,
    /// What the office asks for beside the status.
    asked: Option<String>,
    open: Vec<ItemView>,
    reported: Vec<ItemView>,
}

#[derive(Template)]
#[template(path = "reply/templates/receipt.html", config = "src/web/askama.toml")]
struct ReceiptPage<'a> {
    frame: Frame<'a>,
    key: String,
    /// The items that need no draft any more.
    sent: String,
    back: String,
    name: &'a str,
    unit: &'a str,
    quarter: String,
    number: &'a str,
    at: String,
    lines: Vec<Line>,
    left: usize,
}

/// What all pages have around them.
pub(super) struct Frame<'a> {
    pub(super) style: &'a str,
    pub(super) script: &'a str,
    pub(super) office: &'a str,
    pub(super) phone: Option<&'a str>,
    pub(super) simulated: Option<String>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(desk: &'a Desk, calendar: &Calendar) -> Self {
        let now = desk.clock.now();
        let simulated = desk.clock.is_simulated();
        Self {
            style: assets::page_style_path(),
            script: assets::script_path(),
            office: &desk.office.name,
            phone: desk.office.phone.as_deref(),
            simulated: simulated.then(|| long_moment(calendar, now)),
        }
    }
}

struct Line {
    no: TaskNo,
    name: String,
    said: Said,
    at: String,
    /// Whether something else was said since.
    amended: bool,
    files: FilesView,
}

/// A report in words.
pub(super) struct Said {
    pub(super) status: ReportStatus,
    pub(super) percent: Option<u8>,
    /// Each figure with what it is of.
    pub(super) figures: Vec<(String, String)>,
    pub(super) texts: Vec<(&'static str, String)>,
}

impl Said {
    pub(super) fn new(report: &Report) -> Self {
        let texts = [
            ("完成情况", &report.progress),
            ("存在问题", &report.problems),
            ("下一步措施", &report.next_steps),
        ];
        Self {
            status: report.status,
            percent: report.percent,
            figures: report
                .actuals
                .iter()
                .map(|actual| (actual.target.name().to_owned(), actual.told()))
                .collect(),
            texts: texts
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(name, text)| (name, text.clone()))
                .collect(),
        }
    }
}

struct Choice {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

struct ItemView {
    /// `16-0`, as in the names of its fields.
    id: String,
    no: TaskNo,
    name: String,
    goal: String,
    unit: String,
    nodes: Vec<NodeView>,
    ask: String,
    returned: Option<String>,
    /// What else is to be known of it: whose it is, what was asked and answered.
    marks: Vec<String>,
    /// Whether this person may sum up what all groups said.
    sums_up: bool,
    with: Option<String>,
    on_record: Option<String>,
    said: Option<Said>,
    last_quarter: Option<Said>,
    editable: bool,
    seen: String,
    choices: Vec<Choice>,
    progress: String,
    problems: String,
    next_steps: String,
    percent: String,
    figures: Vec<FigureView>,
    more_open: bool,
    unfolded: bool,
    faults: Vec<(&'static str, String)>,
    files: FilesView,
    stale: Option<Stale>,
}

/// A target and the field for what was reached.
struct FigureView {
    place: usize,
    name: String,
    asked: String,
    unit: String,
    cumulative: bool,
    typed: String,
}

struct NodeView {
    section: Option<String>,
    content: String,
}

impl ItemView {
    fn new(item: &Item, typed: &Typed, token: &str, calendar: &Calendar) -> Self {
        let (task, group) = (item.key.task, item.key.group);
        let came_back = typed
            .items
            .iter()
            .find(|(draft, _)| draft.task == task && draft.group == Some(group));
        let fresh = item.draft.as_ref().filter(|draft| draft.is_fresh(item));
        let stale = item.draft.as_ref().filter(|draft| !draft.is_fresh(item));
        let (draft, seen) = match (came_back, &item.latest) {
            (Some((draft, seen)), _) => (draft.clone(), seen.clone()),
            (None, _) if let Some(fresh) = fresh => (fresh.draft.clone(), fresh.seen.clone()),
            (None, Some(latest)) => {
                let words = latest.report.words(&item.targets);
                let seen = fingerprint(&words);
                (as_draft(words), seen)
            }
            (None, None) => (typed.as_preset(), String::new()),
        };
        let faults: Vec<_> = typed
            .faults
            .iter()
            .filter(|fault| fault.task == task && fault.group.is_none_or(|g| g == group))
            .map(|fault| (fault.field, fault.message.clone()))
            .collect();
        let more = [&draft.problems, &draft.next_steps, &draft.percent];
        let editable = item.state != crate::domain::book::ObligationState::Accepted;
        Self {
            id: format!("{task}-{group}"),
            no: task,
            marks: item.marks(calendar),
            sums_up: item.sums_up,
            name: item.name.clone(),
            goal: item.goal.clone(),
            unit: item.unit.clone(),
            nodes: item.milestones.iter().map(node).collect(),
            ask: ask(item),
            returned: item.returned.clone(),
            with: (!item.with.is_empty()).then(|| item.with.join("、")),
            on_record: item
                .latest
                .as_ref()
                .map(|latest| on_record(latest, item.reported_by_other.as_deref(), calendar)),
            said: item.latest.as_ref().map(|latest| Said::new(&latest.report)),
            last_quarter: item.last_quarter.as_ref().map(Said::new),
            editable,
            seen,
            choices: choices(&draft.status),
            more_open: more.iter().any(|text| !text.is_empty())
                || faults.iter().any(|(field, _)| is_more(field)),
            unfolded: !faults.is_empty()
                || fresh.is_some()
                || came_back.is_some_and(|(draft, seen)| is_filled(draft, seen)),
            figures: figures(item, &draft),
            progress: draft.progress,
            problems: draft.problems,
            next_steps: draft.next_steps,
            percent: draft.percent,
            faults,
            files: FilesView::new(item, token, editable),
            stale: stale.map(|stale| Stale::new(stale, calendar)),
        }
    }

    /// The field that a text of a report came from.
    fn field_of(name: &str) -> &'static str {
        match name {
            "存在问题" => "problems",
            "下一步措施" => "next_steps",
            _ => "progress",
        }
    }

    /// For a field with a fault, what says so to a screen reader, and where the notice on top
    /// leads to.
    fn wrong(&self, field: &str) -> askama::filters::Safe<String> {
        let said = self.fault(field).map(|_| {
            let (place, id) = (self.place(field).0, &self.id);
            format!("{place} aria-invalid=\"true\" aria-describedby=\"fault-{field}-{id}\"")
        });
        askama::filters::Safe(said.unwrap_or_default())
    }

    /// The id of a part with a fault; nothing leads to the others.
    fn place(&self, field: &str) -> askama::filters::Safe<String> {
        let id = self.fault(field).map(|_| {
            let id = &self.id;
            format!(" id=\"{field}-{id}\"")
        });
        askama::filters::Safe(id.unwrap_or_default())
    }

    fn fault(&self, field: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, message)| message.as_str())
    }
}

fn figures(item: &Item, draft: &Draft) -> Vec<FigureView> {
    let targets = item.targets.iter().enumerate();
    targets
        .map(|(place, target)| {
            let typed = draft.actuals.iter().find(|(at, _)| *at == place);
            FigureView {
                place,
                name: target.name().to_owned(),
                asked: target.asked(),
                unit: target.shown_unit(),
                cumulative: target.cumulative,
                typed: typed.map(|(_, text)| text.clone()).unwrap_or_default(),
            }
        })
        .collect()
}

fn node(node: &Node) -> NodeView {
    NodeView {
        section: node.section.clone(),
        content: node.content.clone(),
    }
}

/// What is asked for this quarter, in a line.
fn ask(item: &Item) -> String {
    match item.due {
        Some(day) => format!("本季度节点，{}前完成", short_day(day)),
        None => "跨季度节点，本季度报进展即可".into(),
    }
}

fn on_record(latest: &Received, other: Option<&str>, calendar: &Calendar) -> String {
    let at = moment(calendar, latest.at);
    match other {
        Some(name) if latest.report.delegate.is_some() => format!("{at}{name}"),
        Some(name) => format!("{name}已于{at}报送"),
        None => format!("已于{at}报送"),
    }
}

fn is_more(field: &str) -> bool {
    matches!(field, "problems" | "next_steps" | "percent")
}

fn choices(chosen: &str) -> Vec<Choice> {
    ReportStatus::ALL
        .into_iter()
        .map(|status| Choice {
            value: status.as_str(),
            label: status.chinese(),
            chosen: status.as_str() == chosen,
        })
        .collect()
}

fn as_draft(words: Words) -> Draft {
    Draft {
        status: words.status.as_str().into(),
        progress: words.progress,
        problems: words.problems,
        next_steps: words.next_steps,
        percent: words.percent.map_or(String::new(), |n| n.to_string()),
        actuals: words.actuals,
        ..Draft::default()
    }
}
