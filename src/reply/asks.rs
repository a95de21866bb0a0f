//! What an owner may ask beside reporting: a later date, and that somebody else is asked. Each has
//! a small page of its own under the owner's link; a coordinator answers at `/requests`.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::Room;
use super::pages::Frame;
use crate::domain::book::{Answerable, Book, Obligation};
use crate::domain::due::extension;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::link::{Link, bare};
use crate::domain::request::{ExtensionAsk, LONGEST_NOTE, NotMineWord, OtherOwner};
use crate::rules::RuleSet;
use crate::store::{CommitError, Decision};
use crate::web::error::page;
use crate::web::format::{moment, short_day};
use crate::web::{Peer, WebError};

/// Longest name or unit, in characters.
const LONGEST_NAME: usize = 60;

type Place = (String, TaskNo, u8);

#[derive(Deserialize, Default)]
pub(super) struct Extension {
    #[serde(default)]
    day: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, Default)]
pub(super) struct NotMine {
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    telephone: String,
    #[serde(default)]
    note: String,
}

/// `GET /r/{token}/extension/{task}/{group}`.
pub(super) async fn extension(
    State(room): State<Room>,
    Path(place): Path<Place>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&place.0, peer)?;
    extension_page(&room, &link, &place, Extension::default(), None)
}

/// `POST /r/{token}/extension/{task}/{group}`.
pub(super) async fn ask_extension(
    State(room): State<Room>,
    Path(place): Path<Place>,
    peer: Peer,
    Form(form): Form<Extension>,
) -> Result<Response, WebError> {
    let link = room.open(&place.0, peer)?;
    room.admit(&link)?;
    let (rules, now) = (room.desk.rules.now(), room.desk.clock.now());
    let wanted = (form.day.clone(), form.reason.clone());
    let whose = (link.clone(), place.1, place.2);
    let decide = move |book: &Book| {
        let (link, task, group) = &whose;
        let key = own(book, link, (*task, *group), now)?.key.clone();
        let ask = read_ask(book, &rules, &key, &wanted, now).map_err(Refused::Fault)?;
        let facts = vec![Fact::ExtensionAsked {
            obligation: key,
            person: link.person.clone(),
            ask,
        }];
        Ok(Decision { facts, value: () })
    };
    match put(&room, &link, now, decide).await? {
        None => Ok(back(&place, "extension")),
        Some(fault) => extension_page(&room, &link, &place, form, Some(fault)),
    }
}

/// `GET /r/{token}/not-mine/{task}/{group}`.
pub(super) async fn not_mine(
    State(room): State<Room>,
    Path(place): Path<Place>,
    peer: Peer,
) -> Result<Response, WebError> {
    let link = room.open(&place.0, peer)?;
    not_mine_page(&room, &link, &place, NotMine::default(), None)
}

/// `POST /r/{token}/not-mine/{task}/{group}`.
pub(super) async fn say_not_mine(
    State(room): State<Room>,
    Path(place): Path<Place>,
    peer: Peer,
    Form(form): Form<NotMine>,
) -> Result<Response, WebError> {
    let link = room.open(&place.0, peer)?;
    room.admit(&link)?;
    let now = room.desk.clock.now();
    let whose = (link.clone(), place.1, place.2);
    let other = match read_other(&form) {
        Ok(other) => other,
        Err(fault) => return not_mine_page(&room, &link, &place, form, Some(fault)),
    };
    let decide = move |book: &Book| {
        let (link, task, group) = &whose;
        let item = own(book, link, (*task, *group), now)?;
        let facts = vec![Fact::NotMineSaid {
            obligation: item.key.clone(),
            person: link.person.clone(),
            other,
        }];
        Ok(Decision { facts, value: () })
    };
    match put(&room, &link, now, decide).await? {
        None => Ok(back(&place, "not-mine")),
        Some(fault) => not_mine_page(&room, &link, &place, form, Some(fault)),
    }
}

/// Puts an owner's word on record; the fault in it, where it has one.
async fn put(
    room: &Room,
    link: &Link,
    now: DateTime<Utc>,
    decide: impl FnOnce(&Book) -> Result<Decision<()>, Refused> + Send + 'static,
) -> Result<Option<String>, WebError> {
    let by = Actor::Owner(link.person.clone());
    match room.desk.ledger.commit(by, now, decide).await {
        Ok(()) => Ok(None),
        Err(CommitError::Refused(Refused::Fault(fault))) => Ok(Some(fault)),
        Err(CommitError::Refused(Refused::Gone(error))) => Err(error),
        Err(CommitError::Unavailable) => Err(WebError::Unavailable),
    }
}

/// Why nothing was written down.
enum Refused {
    /// Something is to be filled in otherwise.
    Fault(String),
    Gone(WebError),
}

/// The obligation, where it is this person's to speak of.
fn own<'a>(
    book: &'a Book,
    link: &'a Link,
    (task, group): (TaskNo, u8),
    now: DateTime<Utc>,
) -> Result<Answerable<'a>, Refused> {
    let all = book.answerable(&link.person, &link.plan, link.quarter, now);
    let found = all
        .into_iter()
        .find(|one| (one.key.task, one.key.group) == (task, group));
    found.ok_or(Refused::Gone(WebError::NotFound))
}

fn read_ask(
    book: &Book,
    rules: &RuleSet,
    key: &ObligationKey,
    (day, reason): &(String, String),
    now: DateTime<Utc>,
) -> Result<ExtensionAsk, String> {
    let day: NaiveDate = day
        .trim()
        .parse()
        .map_err(|_| "请选择希望延至的日期".to_owned())?;
    let reason = tidy(reason);
    let length = reason.chars().count();
    if length == 0 || length > LONGEST_NOTE {
        return Err(format!("请写明延期的原因，不超过{LONGEST_NOTE}字"));
    }
    let world = rules.world(book);
    let (day, _) = extension::date(&world, key, day, now).map_err(|error| error.to_string())?;
    Ok(ExtensionAsk {
        day,
        reason,
        late: book.due(key).is_some_and(|due| now > due),
    })
}

fn read_other(form: &NotMine) -> Result<OtherOwner, String> {
    let (name, unit, note) = (tidy(&form.name), tidy(&form.unit), tidy(&form.note));
    let fits = |text: &str, most| text.chars().count() <= most;
    if !fits(&name, LONGEST_NAME) || !fits(&unit, LONGEST_NAME) || !fits(&note, LONGEST_NOTE) {
        return Err("内容过长，请精简后再提交".into());
    }
    if name.is_empty() && note.is_empty() {
        return Err("请写明应由谁负责；不清楚的，请在说明中写明情况".into());
    }
    let telephone = tidy(&form.telephone);
    if !fits(&telephone, 40) {
        return Err("电话号码过长，请核对".into());
    }
    Ok(OtherOwner {
        name,
        unit,
        telephone: Some(telephone).filter(|number| !number.is_empty()),
        note,
    })
}

fn tidy(text: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    let kept = plain.chars().filter(|c| *c == '\n' || !c.is_control());
    kept.collect::<String>().trim().to_owned()
}

fn back((token, task, group): &Place, page: &str) -> Response {
    let to = format!("/r/{}/{page}/{task}/{group}", bare(token));
    Redirect::to(&to).into_response()
}

/// What stands on top of both pages.
struct About {
    no: TaskNo,
    name: String,
    unit: String,
    due: Option<String>,
    open: bool,
    /// Where the forms go, and the page they came from.
    action: String,
    sheet: String,
}

fn about(
    room: &Room,
    book: &Book,
    link: &Link,
    place: &Place,
    page: &str,
) -> Result<(About, Obligation), WebError> {
    let now = room.desk.clock.now();
    let item = own(book, link, (place.1, place.2), now).map_err(|refused| match refused {
        Refused::Gone(error) => error,
        Refused::Fault(_) => WebError::NotFound,
    })?;
    let task = book.task_and_group(item.key);
    let (task, group) = task.ok_or(WebError::NotFound)?;
    let calendar = room.desk.calendar();
    let token = bare(&place.0);
    let about = About {
        no: task.no,
        name: task.short_name(),
        unit: group.unit.clone(),
        due: book.due(item.key).map(|at| moment(&calendar, at)),
        open: item.obligation.is_open(),
        action: format!("/r/{token}/{page}/{}/{}", place.1, place.2),
        sheet: format!("/r/{token}"),
    };
    Ok((about, item.obligation.clone()))
}

fn extension_page(
    room: &Room,
    link: &Link,
    place: &Place,
    typed: Extension,
    fault: Option<String>,
) -> Result<Response, WebError> {
    let calendar = room.desk.calendar();
    let status = status(fault.as_ref());
    let (about, known) = {
        let book = room.desk.ledger.book();
        about(room, &book, link, place, "extension")?
    };
    let extension = known.extension.as_deref();
    let html = page(&ExtensionPage {
        frame: Frame::new(&room.desk, &calendar),
        about,
        asked: known.asked().map(|asked| {
            let late = if asked.ask.late { "（逾期申请）" } else { "" };
            format!(
                "您已于{}申请延至{}{late}，正在审批。批复之前仍请按原定时间准备；再次提交将替换这一申请。",
                moment(&calendar, asked.at),
                short_day(asked.ask.day)
            )
        }),
        granted: known
            .granted()
            .map(|granted| format!("此项已同意延期至{}。", moment(&calendar, granted.until))),
        refused: extension
            .and_then(|extension| extension.refused.as_ref())
            .map(|(at, why)| format!("{}答复：延期申请未获同意。原因：{why}", moment(&calendar, *at))),
        today: calendar.date_of(room.desk.clock.now()).to_string(),
        typed,
        fault,
    })?;
    Ok((status, html).into_response())
}

fn not_mine_page(
    room: &Room,
    link: &Link,
    place: &Place,
    typed: NotMine,
    fault: Option<String>,
) -> Result<Response, WebError> {
    let calendar = room.desk.calendar();
    let status = status(fault.as_ref());
    let (about, known) = {
        let book = room.desk.ledger.book();
        about(room, &book, link, place, "not-mine")?
    };
    let not_mine = known.not_mine.as_deref();
    let word = not_mine.and_then(|not_mine| not_mine.word.as_ref());
    let html = page(&NotMinePage {
        frame: Frame::new(&room.desk, &calendar),
        about,
        said: known.disowned().map(|said| moment(&calendar, said.at)),
        theirs: word.and_then(|(at, word)| match word {
            NotMineWord::Theirs { note } => Some(format!(
                "{}答复：经核实，此项仍由您负责。{note}",
                moment(&calendar, *at)
            )),
            NotMineWord::Moved => None,
        }),
        typed,
        fault,
    })?;
    Ok((status, html).into_response())
}

fn status(fault: Option<&String>) -> StatusCode {
    match fault {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    }
}

#[derive(Template)]
#[template(
    path = "reply/templates/extension.html",
    config = "src/web/askama.toml"
)]
struct ExtensionPage<'a> {
    frame: Frame<'a>,
    about: About,
    asked: Option<String>,
    granted: Option<String>,
    refused: Option<String>,
    today: String,
    typed: Extension,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "reply/templates/not_mine.html", config = "src/web/askama.toml")]
struct NotMinePage<'a> {
    frame: Frame<'a>,
    about: About,
    said: Option<String>,
    theirs: Option<String>,
    typed: NotMine,
    fault: Option<String>,
}
