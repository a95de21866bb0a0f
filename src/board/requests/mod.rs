//! What owners ask, and the coordinator's word: later dates, 不是我, and whose a duty is or who fills
//! in. What nobody could read in mails and chats waits on the same page.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{Redirect, Response};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;

use super::judge::read_key;
use super::pages::bad;
use crate::desk::Desk;
use crate::domain::access;
use crate::domain::address;
use crate::domain::book::{Book, Obligation};
use crate::domain::calendar::Calendar;
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::due::{extension, word};
use crate::domain::duty::{self, Filling, Named};
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, TaskNo, told};
use crate::domain::request::{LONGEST_NOTE, NotMineWord};
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::error::page;
use crate::web::format::{moment, short_day};
use crate::web::frame::Frame;
use crate::web::guard::with_script;
use crate::web::{Caller, WebError, audit};

/// `GET /requests`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Response, WebError> {
    caller.office()?;
    audit::viewed(&desk, &caller, access::Page::Requests, "");
    let calendar = desk.calendar();
    // Before the book is held: the frame reads it too, and two holds at once wait for each other
    // as soon as the writer stands between them.
    let frame = Frame::new(&desk, &caller, "requests").live(None, None);
    let book = desk.ledger.book();
    let mut dates = Vec::new();
    let mut others = Vec::new();
    for (key, known) in &book.obligations {
        dates.extend(date_line(&book, &calendar, key, known));
        others.extend(other_line(&book, &calendar, key, known));
    }
    let delegations = book.delegations.iter();
    let plans = book.plans.iter().rev();
    let unclear = book.words.values().filter(|word| word.is_unclear());
    let html = page(&RequestsPage {
        frame,
        may_write: caller.may_write(),
        dates,
        others,
        delegations: delegations
            .map(|(at, one)| filling_line(&book, &calendar, *at, one))
            .collect(),
        plans: plans
            .map(|(id, plan)| (id.as_str().to_owned(), plan.heading.title.clone()))
            .collect(),
        mails: book.mails_waiting().count(),
        words: unclear.count(),
        today: calendar.date_of(desk.clock.now()).to_string(),
    })?;
    Ok(with_script(html))
}

#[derive(Deserialize)]
pub(super) struct DateWord {
    csrf: String,
    item: String,
    /// `grant` or `refuse`.
    #[serde(rename = "do")]
    word: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    note: String,
    /// Where to go back to.
    #[serde(default)]
    from: String,
}

/// `POST /requests/extension`: asked for, or by the coordinator's own thought.
pub(super) async fn extension(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<DateWord>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = read_key(&form.item)?;
    let back = match form.from.as_str() {
        "task" => format!("/task/{key}"),
        _ => "/requests".to_owned(),
    };
    let note = note(&form.note)?;
    let day: Option<NaiveDate> = form.day.trim().parse().ok();
    let (refuse, now) = (form.word == "refuse", desk.clock.now());
    commit(&desk, by, move |book, rules| {
        decide_date(book, rules, &key, (refuse, day), note, now)
    })
    .await?;
    Ok(Redirect::to(&back))
}

fn decide_date(
    book: &Book,
    rules: &RuleSet,
    key: &ObligationKey,
    (refuse, day): (bool, Option<NaiveDate>),
    note: String,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let world = rules.world(book);
    let known = book.obligations.get(key).ok_or(WebError::NotFound)?;
    if refuse {
        if known.asked().is_none() {
            let message = "这一申请刚刚已由他人处理，请返回刷新。";
            return Err(WebError::Conflict(message.into()));
        }
        if note.is_empty() {
            let message = "不同意延期时请写明原因，责任人会看到。";
            return Err(WebError::BadRequest(message.into()));
        }
        return Ok(extension::refuse(&world, key, note, now));
    }
    let day = day.ok_or_else(|| WebError::BadRequest("请选择延期后的日期。".into()))?;
    extension::grant(&world, key, day, note, now)
        .map_err(|error| WebError::Conflict(format!("{error}。")))
}

#[derive(Deserialize)]
pub(super) struct OtherWord {
    csrf: String,
    item: String,
    /// `move` or `theirs`.
    #[serde(rename = "do")]
    word: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    note: String,
}

/// `POST /requests/not-mine`.
pub(super) async fn not_mine(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<OtherWord>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let key = read_key(&form.item)?;
    let note = note(&form.note)?;
    let to = match form.word.as_str() {
        "move" => Some(named(&form.name, &form.unit, &form.address)?),
        _ => None,
    };
    let now = desk.clock.now();
    commit(&desk, by, move |book, rules| {
        settle(book, rules, &key, to.as_ref(), note, now)
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

fn settle(
    book: &Book,
    rules: &RuleSet,
    key: &ObligationKey,
    to: Option<&Named>,
    note: String,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let known = book.obligations.get(key).and_then(Obligation::disowned);
    let said =
        known.ok_or_else(|| WebError::Conflict("这一反映刚刚已由他人处理，请返回刷新。".into()))?;
    let obligation = key.clone();
    let Some(to) = to else {
        let word = NotMineWord::Theirs { note };
        let mut facts = vec![Fact::NotMineSettled { obligation, word }];
        let world = rules.world(book);
        facts.extend(word::decided(&world, key, Some(&said.person), false, now));
        return Ok(facts);
    };
    // Who fills in may say so too: it is the owner's.
    let from = match book.is_owner(&said.person, key) {
        true => said.person.clone(),
        false => book
            .behalf_of(&said.person, key, now)
            .unwrap_or(&said.person)
            .clone(),
    };
    let duties = vec![(key.task, key.group)];
    let mut facts =
        duty::change_owner(book, &key.plan, duties, &from, to).map_err(|e| refused(&e))?;
    let word = NotMineWord::Moved;
    facts.push(Fact::NotMineSettled { obligation, word });
    Ok(facts)
}

#[derive(Deserialize)]
pub(super) struct Arrangement {
    csrf: String,
    plan: String,
    /// `owner`, `items`, `acting`.
    #[serde(rename = "do")]
    kind: String,
    /// A name, or `单位/姓名`.
    from: String,
    name: String,
    unit: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    tasks: String,
    #[serde(default)]
    begins: String,
    #[serde(default)]
    ends: String,
}

/// `POST /requests/people`: another owner, 转办 or 代办.
pub(super) async fn people(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Arrangement>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let now = desk.clock.now();
    commit(&desk, by, move |book, rules| {
        arrange(book, rules, &form, now)
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

fn arrange(
    book: &Book,
    rules: &RuleSet,
    form: &Arrangement,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>, WebError> {
    let plan = PlanId::new(&form.plan).map_err(bad)?;
    let from = book
        .find_person(form.from.trim())
        .map_err(|error| WebError::BadRequest(format!("{error}。")))?;
    let to = named(&form.name, &form.unit, &form.address)?;
    let tasks = tasks(&form.tasks)?;
    let facts = match form.kind.as_str() {
        "owner" => {
            let duties = duty::duties_of(book, &plan, &from, &tasks);
            duty::change_owner(book, &plan, duties, &from, &to)
        }
        "items" => duty::delegate(book, &plan, &from, &to, Filling::Items(tasks), now),
        "acting" => {
            let filling = acting(&rules.calendar, &form.begins, &form.ends)?;
            duty::delegate(book, &plan, &from, &to, filling, now)
        }
        _ => return Err(WebError::BadRequest("请选择要办理的事项。".into())),
    };
    let mut facts = facts.map_err(|error| refused(&error))?;
    facts.extend(word::entrusted(&rules.world(book), &facts, now));
    Ok(facts)
}

#[derive(Deserialize)]
pub(super) struct Ending {
    csrf: String,
    delegation: Position,
}

/// `POST /requests/people/end`.
pub(super) async fn end(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(form): Form<Ending>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    commit(&desk, by, move |book, _| {
        let delegation = form.delegation;
        let known = book.delegations.contains_key(&delegation);
        Ok(known
            .then_some(Fact::DelegationEnded { delegation })
            .into_iter()
            .collect())
    })
    .await?;
    Ok(Redirect::to("/requests"))
}

async fn commit(
    desk: &Desk,
    by: Actor,
    decide: impl FnOnce(&Book, &RuleSet) -> Result<Vec<Fact>, WebError> + Send + 'static,
) -> Result<(), WebError> {
    let rules = desk.rules.now();
    let decide = move |book: &Book| {
        let facts = decide(book, &rules)?;
        Ok(Decision { facts, value: () })
    };
    Ok(desk.ledger.commit(by, desk.clock.now(), decide).await?)
}

fn refused(error: &duty::DutyError) -> WebError {
    WebError::BadRequest(format!("{error}。"))
}

fn note(text: &str) -> Result<String, WebError> {
    let text = text.trim().replace("\r\n", "\n");
    match text.chars().count() <= LONGEST_NOTE {
        true => Ok(text),
        false => Err(WebError::BadRequest(format!(
            "说明请不超过{LONGEST_NOTE}字。"
        ))),
    }
}

/// With an address for who has none: an e-mail address or a mobile number.
fn named(name: &str, unit: &str, address: &str) -> Result<Named, WebError> {
    let address = address.trim();
    let email = address::email(address).map(str::to_owned);
    let mobile = address::mobile(address);
    if !address.is_empty() && email.is_none() && mobile.is_none() {
        let message =
            "联系方式应为邮箱地址或11位手机号，请核对；也可以不填，之后在联系方式表中补充。";
        return Err(WebError::BadRequest(message.into()));
    }
    Ok(Named {
        name: name.trim().to_owned(),
        unit: unit.trim().to_owned(),
        email,
        mobile,
    })
}

/// `14、16，18`; none for all.
fn tasks(text: &str) -> Result<BTreeSet<TaskNo>, WebError> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .map(|part| part.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| WebError::BadRequest("序号请写成“14、16”的形式；不填为全部。".into()))
}

/// From the morning of the first day to the end of the last.
fn acting(calendar: &Calendar, begins: &str, ends: &str) -> Result<Filling, WebError> {
    let day = |text: &str| -> Result<NaiveDate, WebError> {
        text.trim()
            .parse()
            .map_err(|_| WebError::BadRequest("请选择代办的起止日期。".into()))
    };
    let (first, last) = (day(begins)?, day(ends)?);
    let midnight = |day| calendar.instant(day, NaiveTime::MIN);
    Ok(Filling::Acting(
        midnight(first),
        midnight(last + Days::new(1)),
    ))
}

#[derive(Template)]
#[template(path = "board/templates/requests.html", config = "src/web/askama.toml")]
struct RequestsPage<'a> {
    frame: Frame<'a>,
    may_write: bool,
    dates: Vec<DateLine>,
    others: Vec<OtherLine>,
    delegations: Vec<FillingLine>,
    /// Id and title.
    plans: Vec<(String, String)>,
    mails: usize,
    words: usize,
    today: String,
}

/// A later date that was asked for.
struct DateLine {
    key: ObligationKey,
    who: PersonId,
    name: String,
    unit: String,
    by: String,
    at: String,
    due: String,
    wanted: String,
    day: NaiveDate,
    late: bool,
    reason: String,
}

/// Somebody says that it is not theirs.
struct OtherLine {
    key: ObligationKey,
    who: PersonId,
    name: String,
    unit: String,
    by: String,
    at: String,
    other_name: String,
    other_unit: String,
    telephone: Option<String>,
    note: String,
}

/// Somebody fills in.
struct FillingLine {
    at: Position,
    kind: &'static str,
    from: (PersonId, String),
    to: (PersonId, String),
    what: String,
}

fn person(book: &Book, id: &PersonId) -> String {
    let known = book.people.get(id);
    known.map_or_else(String::new, |known| match known.unit.as_str() {
        "" => known.name.clone(),
        unit => format!("{}（{unit}）", known.name),
    })
}

fn date_line(
    book: &Book,
    calendar: &Calendar,
    key: &ObligationKey,
    known: &Obligation,
) -> Option<DateLine> {
    let asked = known.asked().filter(|_| known.is_open())?;
    let (task, group) = book.task_and_group(key)?;
    let due = book.due(key);
    Some(DateLine {
        key: key.clone(),
        name: task.short_name(),
        unit: group.unit.clone(),
        who: asked.person.clone(),
        by: person(book, &asked.person),
        at: moment(calendar, asked.at),
        due: due.map_or("尚未推算".into(), |at| moment(calendar, at)),
        wanted: short_day(asked.ask.day),
        day: asked.ask.day,
        late: asked.ask.late,
        reason: asked.ask.reason.clone(),
    })
}

fn other_line(
    book: &Book,
    calendar: &Calendar,
    key: &ObligationKey,
    known: &Obligation,
) -> Option<OtherLine> {
    let said = known.disowned().filter(|_| known.closed.is_none())?;
    let (task, group) = book.task_and_group(key)?;
    Some(OtherLine {
        key: key.clone(),
        name: task.short_name(),
        unit: group.unit.clone(),
        who: said.person.clone(),
        by: person(book, &said.person),
        at: moment(calendar, said.at),
        other_name: said.other.name.clone(),
        other_unit: said.other.unit.clone(),
        telephone: said.other.telephone.clone(),
        note: said.other.note.clone(),
    })
}

fn filling_line(book: &Book, calendar: &Calendar, at: Position, one: &Delegation) -> FillingLine {
    let day = |at: DateTime<Utc>| short_day(calendar.date_of(at));
    FillingLine {
        at,
        kind: one.chinese(),
        from: (one.from.clone(), person(book, &one.from)),
        to: (one.to.clone(), person(book, &one.to)),
        what: match &one.scope {
            Scope::Items { duties, .. } => {
                let mut tasks: Vec<TaskNo> = duties.iter().map(|(task, _)| *task).collect();
                tasks.dedup();
                format!("第{}项", told(&tasks))
            }
            Scope::Acting { begins, ends } => format!(
                "{}至{}，全部事项",
                day(*begins),
                day(*ends - chrono::TimeDelta::seconds(1))
            ),
        },
    }
}
