//! What came back with a form, and what stands on top of the page then.

use axum::http::StatusCode;

use super::Draft;
use super::accept::Fault;
use super::drafts::NotSaved;
use super::form::is_filled;
use crate::domain::ids::TaskNo;
use crate::domain::report::ReportStatus;

/// What was typed into the form, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) items: Vec<(Draft, String)>,
    pub(super) faults: Vec<Fault>,
    pub(super) preset: Option<ReportStatus>,
}

impl Typed {
    pub(super) fn new(items: Vec<(Draft, String)>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// Nothing yet, but a status to begin with.
    pub(super) fn preset(preset: Option<ReportStatus>) -> Self {
        Self {
            preset,
            ..Self::default()
        }
    }

    pub(super) fn as_preset(&self) -> Draft {
        Draft {
            status: self.preset.map_or("", ReportStatus::as_str).into(),
            ..Draft::default()
        }
    }

    pub(super) fn with_faults(self, faults: Vec<Fault>) -> Self {
        Self { faults, ..self }
    }

    /// All of it, each with the mark that its item was shown with.
    pub(super) fn items(&self) -> &[(Draft, String)] {
        &self.items
    }

    /// The answers among it.
    pub(super) fn filled(&self) -> Vec<Draft> {
        self.items
            .iter()
            .filter(|(draft, seen)| is_filled(draft, seen))
            .map(|(draft, _)| draft.clone())
            .collect()
    }
}

/// What stands on top of the form when it comes back.
#[derive(Debug)]
pub(super) enum Notice {
    NothingFilled,
    Faults,
    Accepted(Vec<TaskNo>),
    Unavailable,
    /// Some files were not taken.
    Files,
    /// 上传 without a file.
    NoFile,
    NotSaved(NotSaved),
    Kept,
    Uploaded,
    Removed,
    Seen,
}

impl Notice {
    /// What was just done, by the name in the address.
    pub(super) fn of_done(name: &str) -> Option<Self> {
        match name {
            "kept" => Some(Self::Kept),
            "uploaded" => Some(Self::Uploaded),
            "removed" => Some(Self::Removed),
            "seen" => Some(Self::Seen),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NothingFilled | Self::Faults | Self::Files | Self::NoFile => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::NotSaved(NotSaved::TooLong) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Accepted(_) => StatusCode::CONFLICT,
            Self::Unavailable | Self::NotSaved(NotSaved::Unavailable) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Kept | Self::Uploaded | Self::Removed | Self::Seen => StatusCode::OK,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::NothingFilled => {
                "没有收到新的内容：请至少为一项选择进展情况，或修改已报送的内容后再提交。".into()
            }
            Self::Faults => {
                "内容尚未提交：有几处需要修改，已在下面标出。您填写的内容都还在。".into()
            }
            Self::Accepted(tasks) => {
                let tasks: Vec<_> = tasks.iter().map(ToString::to_string).collect();
                format!(
                    "第{}项刚刚审核通过，不能再修改。其他各项尚未提交，请再次点击提交。",
                    tasks.join("、")
                )
            }
            Self::Unavailable => {
                "系统暂时无法保存，内容尚未提交。您填写的内容都还在，请稍候几分钟再次点击提交。"
                    .into()
            }
            Self::Files => {
                "有文件没有收下，原因已在下面写明。您填写的内容都还在，尚未提交。".into()
            }
            Self::NoFile => "请先选择文件，再点“上传”。您填写的内容都还在，尚未提交。".into(),
            Self::NotSaved(why) => format!("{}。您填写的内容都还在，尚未提交。", why.chinese()),
            Self::Kept => "已暂存，尚未提交。填好后请点“提交”。".into(),
            Self::Uploaded => "材料已上传。填写的内容已暂存，尚未提交。".into(),
            Self::Removed => "材料已移除。填写的内容已暂存，尚未提交。".into(),
            Self::Seen => "已记录您知悉这些事项。请在截止前报送进展。".into(),
        }
    }
}

/// What stands on top, ready for the template.
pub(super) struct NoticeView {
    pub text: String,
    pub good: bool,
    /// The fields to mend, each with what is wrong.
    pub links: Vec<(String, String)>,
}

impl NoticeView {
    pub(super) fn new(notice: &Notice, faults: &[Fault]) -> Self {
        let link = |fault: &Fault| {
            let place = format!("{}-{}", fault.task, fault.group.unwrap_or(0));
            let field = match fault.field {
                "task" => "item",
                field => field,
            };
            let text = format!("第{}项：{}", fault.task, fault.message);
            (format!("{field}-{place}"), text)
        };
        Self {
            text: notice.text(),
            good: notice.status() == StatusCode::OK,
            links: faults.iter().map(link).collect(),
        }
    }
}
