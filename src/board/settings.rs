//! `/settings`: what the office sets for itself stands on pages of its own; this one shows what the
//! configuration fixes, read-only, each value with where it comes from.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};

use crate::config::{Origin, Setting, Shown};
use crate::desk::Desk;
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::mask::masked;
use crate::web::{Caller, WebError};

/// `GET /settings`.
pub(super) async fn begin(caller: Caller) -> Result<Redirect, WebError> {
    caller.writer()?;
    Ok(Redirect::to("/settings/contacts"))
}

/// `GET /settings/config`.
pub(super) async fn config(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let shown = &desk.shown;
    page(&ConfigPage {
        frame: Frame::new(&desk, &caller, "config"),
        sources: shown
            .sources
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        warnings: &shown.warnings,
        sections: sections(shown),
    })
}

#[derive(Template)]
#[template(path = "board/templates/config.html", config = "src/web/askama.toml")]
struct ConfigPage<'a> {
    frame: Frame<'a>,
    sources: Vec<String>,
    warnings: &'a [String],
    sections: Vec<Section<'a>>,
}

struct Section<'a> {
    name: &'a str,
    title: &'static str,
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    key: &'a str,
    value: Option<String>,
    origin: String,
    /// Whether somebody of the office wrote it.
    own: bool,
}

fn sections(shown: &Shown) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for setting in &shown.settings {
        let line = line(setting);
        match sections.iter_mut().find(|one| one.name == setting.section) {
            Some(section) => section.lines.push(line),
            None => sections.push(Section {
                name: &setting.section,
                title: title(&setting.section),
                lines: vec![line],
            }),
        }
    }
    sections
}

fn line(setting: &Setting) -> Line<'_> {
    let personal = setting.section.starts_with("office.")
        && matches!(setting.key.as_str(), "email" | "mobile" | "wecom_user");
    let value = setting.value.as_deref();
    Line {
        key: &setting.key,
        value: value.map(|value| match personal {
            true => masked(value.trim_matches('"')),
            false => value.to_owned(),
        }),
        origin: setting.origin.to_string(),
        own: matches!(setting.origin, Origin::File { .. } | Origin::Env(_)),
    }
}

/// What a section is about; empty for one that belongs to the section above it.
fn title(section: &str) -> &'static str {
    match section {
        "server" => "服务",
        "store" => "存储",
        "time" => "时间",
        "office" => "科室",
        "remind" => "提醒",
        "report" => "报送要求",
        "review" => "审核",
        "email" => "发送邮件",
        "imap" => "接收邮件",
        "wecom" => "企业微信",
        "templates" => "消息模板",
        "spool" => "本机文件",
        "log" => "日志",
        _ => "",
    }
}
