//! The wording of every letter, with sample data: what people read before anybody has to.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;

use crate::channel::render::{RenderError, Sample, Short, Templates, pack};
use crate::desk::Desk;
use crate::domain::brief::{Brief, Letter, Office};
use crate::web::error::page;
use crate::web::frame::Frame;
use crate::web::guard::POLICY_FOR_MAILS;
use crate::web::{Caller, WebError};

/// Bytes of a group's message.
const GROUP_LIMIT: usize = 4096;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    letter: String,
}

/// `GET /templates`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.office()?;
    let sample = match asked.letter.as_str() {
        "" => Sample::ALL.into_iter().next().ok_or(WebError::NotFound)?,
        name => find(name)?,
    };
    let brief = brief(&desk, sample);
    let templates = Templates::in_force();
    let letter = templates.letter(&brief).map_err(broken)?;
    let group = templates.short(&brief, Short::Markdown, GROUP_LIMIT);
    let ladder = &desk.rules.now().policy.ladder;
    let used = |one: &Sample| match one {
        Sample::Stage(stage) => ladder.rule(*stage).is_some(),
        Sample::Copied(stage) => ladder.rule(*stage).is_some_and(|rule| rule.copied.any()),
        _ => true,
    };
    page(&WordingPage {
        frame: Frame::new(&desk, &caller, "templates"),
        tabs: Sample::ALL
            .into_iter()
            .filter(used)
            .map(|one| Tab {
                name: one.name(),
                label: one.chinese(),
                here: one == sample,
            })
            .collect(),
        name: sample.name(),
        title: sample.chinese(),
        reader: sample.reader(),
        own: templates.own_for(&brief).join("、"),
        subject: letter.subject,
        text: letter.text,
        group: group.map_err(broken)?,
        shared: shared(&brief)?,
        card: card(&brief)?,
    })
}

/// `GET /templates/{name}/html`: the mail as a mail program would show it.
pub(super) async fn html(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    caller.office()?;
    let brief = brief(&desk, find(&name)?);
    let letter = Templates::in_force().letter(&brief).map_err(broken)?;
    let policy = [(CONTENT_SECURITY_POLICY, POLICY_FOR_MAILS)];
    Ok((policy, Html(letter.html)).into_response())
}

#[derive(Template)]
#[template(path = "board/templates/wording.html", config = "src/web/askama.toml")]
struct WordingPage<'a> {
    frame: Frame<'a>,
    tabs: Vec<Tab>,
    name: String,
    title: String,
    reader: &'static str,
    /// The office's own files in it.
    own: String,
    subject: String,
    text: String,
    group: String,
    /// Several people's in one, where they share.
    shared: Option<String>,
    /// The words of the application's card, where it is one.
    card: Option<String>,
}

struct Tab {
    name: String,
    label: String,
    here: bool,
}

fn find(name: &str) -> Result<Sample, WebError> {
    let mut all = Sample::ALL.into_iter();
    all.find(|sample| sample.name() == name)
        .ok_or(WebError::NotFound)
}

fn brief(desk: &Desk, sample: Sample) -> Brief {
    let office = Office {
        name: desk.office.name.clone(),
        telephone: desk.office.phone.clone(),
        board: Some(format!("{}/", desk.public_url)),
        reads_mail: false,
    };
    sample.brief(&office, &desk.rules.now().policy.ladder)
}

/// With a colleague, who has one item.
fn shared(brief: &Brief) -> Result<Option<String>, WebError> {
    let mut other = brief.clone();
    other.name = "赵六".into();
    other.contact.wecom_user = Some("zhaoliu".into());
    other.items = other.items.pop().into_iter().collect();
    let both = [brief.clone(), other];
    pack::together(&both, Short::Markdown, GROUP_LIMIT, str::len).map_err(broken)
}

fn card(brief: &Brief) -> Result<Option<String>, WebError> {
    if brief.letter != Letter::Reminder {
        return Ok(None);
    }
    let words = Templates::in_force().card(brief, false).map_err(broken)?;
    let lines = [words.title, words.desc, words.text];
    Ok(Some(lines.join("\n")))
}

fn broken(error: RenderError) -> WebError {
    WebError::internal(error)
}
