//! The board's first screen, and the picture of its grid.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::answer::{BoardPage, Question, answer, title};
use super::charts::grid::Picture;
use super::charts::png::{PngError, png};
use super::{history, moment};
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::board::bars::standing;
use crate::domain::board::grid::grid;
use crate::domain::board::{Show, items_in};
use crate::domain::calendar::Calendar;
use crate::domain::feed::Feed;
use crate::domain::ids::BadId;
use crate::domain::token::Scope;
use crate::web::error::page;
use crate::web::format::long_moment;
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, as_of, audit, percent};

/// What the page may be asked for; empty fields come from forms.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) plan: String,
    pub(super) quarter: String,
    /// A past moment, at the office or with its offset.
    as_of: String,
    /// The same, as older addresses have it.
    at: String,
    /// Of the grid.
    page: String,
    /// What only a list is narrowed by; it has a page of its own.
    state: String,
    unit: String,
    owner: String,
}

/// `GET /`.
pub(super) async fn board(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    caller.reader()?;
    if let Some(list) = asked.list() {
        return Ok(Redirect::to(&list).into_response());
    }
    let calendar = desk.calendar();
    let at = asked.moment(&calendar)?;
    let Some((plan, quarter)) = moment::choose(&desk, &asked.plan, &asked.quarter)? else {
        return Ok(empty(&desk, &caller)?.into_response());
    };
    let past = at.filter(|at| *at < desk.clock.now());
    let question = Question {
        plan,
        quarter,
        sight: caller.sight(),
        page: asked.page.parse().unwrap_or(1),
        as_of: past.map(|at| local_text(&calendar, at)),
    };
    // Before the book is asked: what happens meanwhile is news to the open page.
    let frame = Frame::new(&desk, &caller, "board");
    let rules = desk.rules.now();
    let answer = history::ask(&desk, at, move |book, now| {
        answer(book, question, now, &rules)
    })
    .await?;
    let html = page(&BoardPage {
        frame: match past {
            // A past moment does not change any more.
            Some(_) => frame,
            None => frame.live(Some(answer.plan()), Some(answer.quarter())),
        },
        past: past.map(|at| long_moment(&calendar, at)),
        may_urge: caller.may_write() && past.is_none(),
        feed: feed(&desk, &caller),
        answer,
    })?;
    Ok(with_script(html))
}

/// `GET /grid.svg`: the grid as a picture, for a group of people who have no account here.
pub(super) async fn grid_svg(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let (name, svg) = picture(&desk, &caller, asked).await?;
    Ok(image(
        "image/svg+xml; charset=utf-8",
        &name,
        "svg",
        svg.into(),
    ))
}

/// `GET /grid.png`: the same, as WeCom takes it.
pub(super) async fn grid_png(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let (name, svg) = picture(&desk, &caller, asked).await?;
    let drawn = png(svg).await.map_err(|error| match error {
        PngError::NoFont => WebError::Conflict(error.to_string()),
        other => WebError::internal(other),
    })?;
    Ok(image("image/png", &name, "png", drawn))
}

/// The picture as SVG, and the name of its file.
async fn picture(desk: &Desk, caller: &Caller, asked: Asked) -> Result<(String, String), WebError> {
    caller.may(Scope::Export)?;
    let calendar = desk.calendar();
    let at = asked.moment(&calendar)?;
    let chosen = moment::choose(desk, &asked.plan, &asked.quarter)?;
    let (plan, quarter) = chosen.ok_or(WebError::NotFound)?;
    let (name, subject) = (format!("{plan}-{quarter}"), format!("{plan} {quarter}"));
    let (sight, number) = (caller.sight(), asked.page.parse().unwrap_or(1));
    let office = desk.office.name.clone();
    let svg = history::ask(desk, at, move |book, now| {
        let items: Vec<_> = items_in(book, &plan, quarter, now, &sight).collect();
        let totals = standing(&items, &sight).totals;
        let numbers = [
            (Show::All, totals.obligations, false),
            (Show::Reported, totals.reported, false),
            (Show::NotReported, totals.not_reported, false),
            (Show::Overdue, totals.overdue_unreported, true),
            (Show::Returned, totals.returned, true),
            (Show::ToReview, totals.to_review(), false),
        ];
        Picture {
            quarter,
            plan: &title(book, &plan),
            office: &office,
            as_of: &long_moment(&calendar, now),
            numbers: &numbers.map(|(show, count, bad)| (show.chinese(), count, bad)),
            grid: &grid(book, &plan, now, &sight, number),
        }
        .svg()
    })
    .await?;
    audit::exported(desk, caller, Export::Picture, &subject).await?;
    Ok((name, svg))
}

fn image(kind: &'static str, name: &str, ending: &str, bytes: Vec<u8>) -> Response {
    let name = format!("inline; filename=\"{name}.{ending}\"");
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, name),
        // Opened by itself, the picture may use its own fonts and colours, and nothing else.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
    ];
    (headers, bytes).into_response()
}

impl Asked {
    /// The list that an older address means: the first screen had it too.
    fn list(&self) -> Option<String> {
        let narrows = [&self.state, &self.unit, &self.owner];
        if narrows.iter().all(|value| value.is_empty()) {
            return None;
        }
        let moment = match self.as_of.is_empty() {
            true => &self.at,
            false => &self.as_of,
        };
        let fields = [
            ("plan", &self.plan),
            ("quarter", &self.quarter),
            ("state", &self.state),
            ("unit", &self.unit),
            ("owner", &self.owner),
            ("as_of", moment),
        ];
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<_> = fields
            .map(|(name, value)| format!("{name}={}", percent::encoded(value)))
            .collect();
        Some(format!("/items?{}", query.join("&")))
    }

    fn moment(&self, calendar: &Calendar) -> Result<Option<DateTime<Utc>>, WebError> {
        let asked = [&self.as_of, &self.at].into_iter();
        let mut asked = asked
            .map(|text| text.trim())
            .filter(|text| !text.is_empty());
        asked
            .next()
            .map(|text| as_of::read(calendar, text))
            .transpose()
    }
}

/// A moment as addresses of ours name it.
pub(super) fn local_text(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    local.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The office's calendar, for whoever is signed in.
fn feed(desk: &Desk, caller: &Caller) -> Option<String> {
    let Caller::User { name, .. } = caller else {
        return None;
    };
    let feed = Feed::Office(name.clone());
    let token = desk.link_key.sign_feed(&feed, desk.clock.now());
    Some(format!("{}/calendar/{token}.ics", desk.public_url))
}

#[derive(Template)]
#[template(path = "board/templates/empty.html", config = "src/web/askama.toml")]
struct EmptyPage<'a> {
    frame: Frame<'a>,
}

/// The page of an office without a plan.
pub(super) fn empty(desk: &Desk, caller: &Caller) -> Result<Html<String>, WebError> {
    page(&EmptyPage {
        frame: Frame::new(desk, caller, "board"),
    })
}

pub(super) fn bad(error: BadId) -> WebError {
    WebError::BadRequest(error.to_string())
}
