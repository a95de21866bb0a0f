//! What stands beside the fields of an item: its files, and a draft that was overtaken.

use askama::Template;

use super::drafts::Saved;
use super::items::Item;
use crate::domain::calendar::Calendar;
use crate::domain::evidence::Evidence;
use crate::domain::report::ReportStatus;
use crate::web::format::moment;

/// The files beside an item.
#[derive(Template)]
#[template(path = "reply/templates/files.html", config = "src/web/askama.toml")]
pub(super) struct FilesView {
    /// The item, as in the names of its fields.
    pub id: String,
    pub action: String,
    pub files: Vec<Evidence>,
    /// Whether they can be taken away.
    pub editable: bool,
}

impl FilesView {
    pub(super) fn new(item: &Item, token: &str, editable: bool) -> Self {
        Self {
            id: format!("{}-{}", item.key.task, item.key.group),
            action: format!("/r/{token}"),
            files: item.files.clone(),
            editable,
        }
    }
}

/// What was typed before somebody else reported.
pub(super) struct Stale {
    pub at: String,
    pub texts: Vec<(&'static str, String)>,
}

impl Stale {
    pub(super) fn new(saved: &Saved, calendar: &Calendar) -> Self {
        let draft = &saved.draft;
        let status = ReportStatus::from_name(&draft.status);
        let texts = [
            ("进展情况", status.map_or("", ReportStatus::chinese)),
            ("完成情况", &draft.progress),
            ("存在问题", &draft.problems),
            ("下一步措施", &draft.next_steps),
        ];
        let texts = texts
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty());
        Self {
            at: moment(calendar, saved.at),
            texts: texts.map(|(name, text)| (name, text.to_owned())).collect(),
        }
    }
}
