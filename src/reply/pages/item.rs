//! An item of the owner's page: what is asked, what is on record, and the fields with what was typed.

use crate::domain::book::ObligationState;
use crate::domain::calendar::Calendar;
use crate::domain::ids::TaskNo;
use crate::domain::report::{Received, ReportStatus, Words};
use crate::reply::Draft;
use crate::reply::beside::{FilesView, Stale};
use crate::reply::form::is_filled;
use crate::reply::items::{Item, Node, fingerprint};
use crate::reply::notice::Typed;
use crate::web::format::{moment, short_day};
use crate::web::said::Said;

pub(super) struct ItemView {
    /// `16-0`, as in the names of its fields.
    pub(super) id: String,
    pub(super) no: TaskNo,
    pub(super) name: String,
    pub(super) goal: String,
    pub(super) unit: String,
    pub(super) nodes: Vec<NodeView>,
    pub(super) ask: String,
    pub(super) returned: Option<String>,
    /// What else is to be known of it: whose it is, what was asked and answered.
    pub(super) marks: Vec<String>,
    /// Whether this person may sum up what all groups said.
    pub(super) sums_up: bool,
    pub(super) with: Option<String>,
    pub(super) on_record: Option<String>,
    pub(super) said: Option<Said>,
    pub(super) last_quarter: Option<Said>,
    pub(super) editable: bool,
    pub(super) seen: String,
    pub(super) choices: Vec<Choice>,
    pub(super) progress: String,
    pub(super) problems: String,
    pub(super) next_steps: String,
    pub(super) percent: String,
    pub(super) figures: Vec<FigureView>,
    pub(super) more_open: bool,
    pub(super) unfolded: bool,
    pub(super) faults: Vec<(&'static str, String)>,
    pub(super) files: FilesView,
    pub(super) stale: Option<Stale>,
}

/// A target and the field for what was reached.
pub(super) struct FigureView {
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) asked: String,
    pub(super) unit: String,
    pub(super) cumulative: bool,
    pub(super) typed: String,
}

pub(super) struct NodeView {
    pub(super) section: Option<String>,
    pub(super) content: String,
}

pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) chosen: bool,
}

impl ItemView {
    pub(super) fn new(item: &Item, typed: &Typed, token: &str, calendar: &Calendar) -> Self {
        let (task, group) = (item.key.task, item.key.group);
        let came_back = typed
            .items
            .iter()
            .find(|(draft, _)| draft.task == task && draft.group == Some(group));
        let fresh = item.draft.as_ref().filter(|draft| draft.is_fresh(item));
        let stale = item.draft.as_ref().filter(|draft| !draft.is_fresh(item));
        let (draft, seen) = match (came_back, fresh) {
            (Some((draft, seen)), _) => (draft.clone(), seen.clone()),
            (None, Some(fresh)) => (fresh.draft.clone(), fresh.seen.clone()),
            (None, None) => on_file(item, typed),
        };
        let faults: Vec<_> = typed
            .faults
            .iter()
            .filter(|fault| fault.task == task && fault.group.is_none_or(|g| g == group))
            .map(|fault| (fault.field, fault.message.clone()))
            .collect();
        let more = [&draft.problems, &draft.next_steps, &draft.percent];
        let editable = item.state != ObligationState::Accepted;
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
    pub(super) fn field_of(name: &str) -> &'static str {
        match name {
            "存在问题" => "problems",
            "下一步措施" => "next_steps",
            _ => "progress",
        }
    }

    /// For a field with a fault, what says so to a screen reader, and where the notice on top
    /// leads to.
    pub(super) fn wrong(&self, field: &str) -> askama::filters::Safe<String> {
        let said = self.fault(field).map(|_| {
            let (place, id) = (self.place(field).0, &self.id);
            format!("{place} aria-invalid=\"true\" aria-describedby=\"fault-{field}-{id}\"")
        });
        askama::filters::Safe(said.unwrap_or_default())
    }

    /// The id of a part with a fault; nothing leads to the others.
    pub(super) fn place(&self, field: &str) -> askama::filters::Safe<String> {
        let id = self.fault(field).map(|_| {
            let id = &self.id;
            format!(" id=\"{field}-{id}\"")
        });
        askama::filters::Safe(id.unwrap_or_default())
    }

    pub(super) fn fault(&self, field: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, message)| message.as_str())
    }
}

/// What stands in the fields of an item on which nothing has been typed, and its fingerprint: the
/// report that counts, else what the page was opened with.
fn on_file(item: &Item, typed: &Typed) -> (Draft, String) {
    let Some(latest) = &item.latest else {
        return (typed.as_preset(), String::new());
    };
    let words = latest.report.words(&item.targets);
    let seen = fingerprint(&words);
    (as_draft(words), seen)
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
