//! 公文: the page that offers all that goes out, and the papers made for it.
//!
//! `GET /papers` says what each will contain and which numbers were given to whom. A 通报 can be
//! had as a draft by `GET /bulletin.docx`; by `POST` it takes its number. 催办单 and 督办通知单 always
//! have one, and say what was open when they were issued, however often they are asked for again.

mod bulletin;
mod docx;
mod page;
mod result;
mod slip;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, Datelike as _, Utc};
use serde::Deserialize;

use self::bulletin::Bulletin;
use self::result::{Item, QuarterResult};
use self::slip::Slip;
use super::history;
use crate::desk::Desk;
use crate::domain::access::Export;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::fact::Fact;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::paper::{Issued, Paper, PaperKind};
use crate::domain::token::Scope;
use crate::domain::user::Sight;
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::as_of::read_as_of;
use crate::web::attachment::{self, Attachment};
use crate::web::chosen::choose;
use crate::web::{Caller, WebError, audit};

pub(super) use page::show;

/// What is asked for; empty fields come from forms.
#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    quarter: String,
    #[serde(default)]
    as_of: String,
    #[serde(default)]
    csrf: String,
}

/// `GET /bulletin.docx`: a draft, with the number it has where one was given.
pub(super) async fn draft(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Response {
    let made = async {
        caller.may(Scope::Export)?;
        let (plan, quarter) = choose(&desk, &desk.ledger.book(), &asked.plan, &asked.quarter)?;
        let made = bulletin(&desk, &caller, (plan, quarter), &asked.as_of).await?;
        on_record(&desk, &caller, Export::Bulletin, made).await
    };
    attachment::answer(&caller, made.await)
}

/// `POST /bulletin.docx`: the 通报 under its number, given now where it has none.
pub(super) async fn issue_bulletin(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(asked): Form<Asked>,
) -> Response {
    let made = async {
        let by = caller.writer()?;
        caller.check_csrf(&asked.csrf)?;
        let (plan, quarter) = choose(&desk, &desk.ledger.book(), &asked.plan, &asked.quarter)?;
        read_as_of(&desk.calendar(), &asked.as_of)?;
        let rules = desk.rules.now();
        let now = desk.clock.now();
        let paper = Paper {
            kind: PaperKind::Bulletin,
            plan: plan.clone(),
            quarter,
            to: String::new(),
        };
        let decide = move |book: &Book| numbered(book, vec![paper], &rules.calendar, now);
        desk.ledger.commit(by, now, decide).await?;
        let made = bulletin(&desk, &caller, (plan, quarter), &asked.as_of).await?;
        on_record(&desk, &caller, Export::Bulletin, made).await
    };
    attachment::answer(&caller, made.await)
}

/// `POST /urge-slip.docx`.
pub(super) async fn urge_slips(
    state: State<Arc<Desk>>,
    caller: Caller,
    form: Form<Vec<(String, String)>>,
) -> Response {
    slips(state, caller, form, PaperKind::UrgeSlip).await
}

/// `POST /supervision-notice.docx`.
pub(super) async fn notices(
    state: State<Arc<Desk>>,
    caller: Caller,
    form: Form<Vec<(String, String)>>,
) -> Response {
    slips(state, caller, form, PaperKind::SupervisionNotice).await
}

async fn slips(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
    kind: PaperKind,
) -> Response {
    let made = make_slips(&desk, &caller, &fields, kind).await;
    attachment::answer(&caller, made)
}

async fn make_slips(
    desk: &Arc<Desk>,
    caller: &Caller,
    fields: &[(String, String)],
    kind: PaperKind,
) -> Result<Attachment, WebError> {
    let by = caller.writer()?;
    let field = |wanted: &str| {
        let mut named = fields.iter().filter(|(name, _)| name == wanted);
        named.next().map_or("", |(_, value)| value.as_str())
    };
    caller.check_csrf(field("csrf"))?;
    let (plan, quarter) = choose(desk, &desk.ledger.book(), field("plan"), field("quarter"))?;
    let units = fields.iter().filter(|(name, _)| name == "unit");
    let units: Vec<String> = units.map(|(_, unit)| unit.clone()).collect();
    if units.is_empty() {
        let message = format!("请先勾选要发{}的单位。", kind.chinese());
        return Err(WebError::BadRequest(message));
    }
    let (rules, now) = (desk.rules.now(), desk.clock.now());
    let sight = caller.sight();
    let place = (plan.clone(), quarter);
    let decide = move |book: &Book| {
        let papers = papers_for(book, (kind, &place.0, place.1), units, &rules, now, &sight)?;
        numbered(book, papers, &rules.calendar, now)
    };
    let issued = desk.ledger.commit(by, now, decide).await?;
    let export = match kind {
        PaperKind::SupervisionNotice => Export::SupervisionNotice,
        PaperKind::UrgeSlip | PaperKind::Bulletin => Export::UrgeSlip,
    };
    on_record(desk, caller, export, written(desk, kind, issued).await?).await
}

/// A paper that could not be put on record is not given out.
async fn on_record(
    desk: &Desk,
    caller: &Caller,
    export: Export,
    made: Attachment,
) -> Result<Attachment, WebError> {
    audit::exported(desk, caller, export, &made.name).await?;
    Ok(made)
}

/// The papers wanted, each to a unit that has something open, or has its number already.
fn papers_for(
    book: &Book,
    (kind, plan, quarter): (PaperKind, &PlanId, Quarter),
    units: Vec<String>,
    rules: &RuleSet,
    now: DateTime<Utc>,
    sight: &Sight,
) -> Result<Vec<Paper>, WebError> {
    let result = QuarterResult::of(book, (plan, quarter), now, sight, &rules.calendar);
    let result = result.ok_or(WebError::NotFound)?;
    let open = result.by_unit().into_iter().filter(|(_, items)| {
        let mut items = items.iter();
        items.any(|item| slip::belongs(kind, item))
    });
    let open: Vec<String> = open.map(|(unit, _)| unit).collect();
    let mut papers = Vec::new();
    for to in units {
        let paper = Paper {
            kind,
            plan: plan.clone(),
            quarter,
            to,
        };
        if !open.contains(&paper.to) && !book.papers.contains_key(&paper) {
            return Err(WebError::Conflict(format!(
                "{}现在没有需要发{}的事项：已经报送，或还没有到期。请返回上一页刷新后再试。",
                paper.to,
                kind.chinese()
            )));
        }
        if !papers.contains(&paper) {
            papers.push(paper);
        }
    }
    Ok(papers)
}

/// Gives a number to each that has none; each with its number.
fn numbered(
    book: &Book,
    papers: Vec<Paper>,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Result<Decision<Vec<(Paper, Issued)>>, WebError> {
    let year = calendar.date_of(now).year();
    let mut facts = Vec::new();
    let mut value = Vec::new();
    for paper in papers {
        if let Some(known) = book.papers.get(&paper) {
            value.push((paper, *known));
            continue;
        }
        let taken = u32::try_from(facts.len()).unwrap_or(u32::MAX);
        let number = book.next_number(paper.kind, year).saturating_add(taken);
        let at = now;
        facts.push(Fact::PaperIssued {
            paper: paper.clone(),
            year,
            number,
        });
        value.push((paper, Issued { at, year, number }));
    }
    Ok(Decision { facts, value })
}

/// One file of all of them, each as of when it was issued.
async fn written(
    desk: &Arc<Desk>,
    kind: PaperKind,
    papers: Vec<(Paper, Issued)>,
) -> Result<Attachment, WebError> {
    let calendar = desk.calendar();
    let mut by_moment: BTreeMap<DateTime<Utc>, Vec<Paper>> = BTreeMap::new();
    for (paper, issued) in &papers {
        by_moment.entry(issued.at).or_default().push(paper.clone());
    }
    // By paper: the plan's title, and what was open.
    let mut told: BTreeMap<Paper, (String, Vec<Item>)> = BTreeMap::new();
    for (at, papers) in by_moment {
        let calendar = Arc::clone(&calendar);
        let of_moment = history::ask(desk, Some(at), move |book, _| {
            let told = papers.into_iter().filter_map(|paper| {
                let place = (&paper.plan, paper.quarter);
                let all = QuarterResult::of(book, place, at, &Sight::Everything, &calendar)?;
                let items = all
                    .items
                    .into_iter()
                    .filter(|item| item.unit == paper.to && slip::belongs(kind, item));
                let items = items.collect();
                Some((paper, (all.title, items)))
            });
            told.collect::<Vec<_>>()
        });
        told.extend(of_moment.await?);
    }
    let slips = papers.iter().filter_map(|(paper, issued)| {
        let (title, items) = told.get(paper)?;
        Some(Slip {
            kind,
            unit: &paper.to,
            number: number(desk, kind, issued),
            title,
            quarter: paper.quarter,
            items: items.iter().collect(),
            at: issued.at,
            office: &desk.office,
            calendar: &calendar,
        })
    });
    let document = slip::document(&slips.collect::<Vec<_>>());
    let first = papers.first().map(|(_, issued)| issued.chinese());
    let name = match papers.as_slice() {
        [(paper, _)] => format!(
            "{}{}（{}）.docx",
            kind.chinese(),
            first.unwrap_or_default(),
            paper.to
        ),
        several => format!("{}（{}个单位）.docx", kind.chinese(), several.len()),
    };
    finished(&document, name, kind)
}

async fn bulletin(
    desk: &Arc<Desk>,
    caller: &Caller,
    (plan, quarter): (PlanId, Quarter),
    as_of: &str,
) -> Result<Attachment, WebError> {
    let calendar = desk.calendar();
    let at = read_as_of(&calendar, as_of)?;
    let sight = caller.sight();
    let paper = Paper {
        kind: PaperKind::Bulletin,
        plan: plan.clone(),
        quarter,
        to: String::new(),
    };
    let issued = desk.ledger.book().papers.get(&paper).copied();
    let (of, seen) = (Arc::clone(&calendar), sight.clone());
    let result = history::ask(desk, at, move |book, now| {
        QuarterResult::of(book, (&plan, quarter), now, &seen, &of)
    });
    let result = result.await?.ok_or_else(|| {
        WebError::BadRequest("那时还没有导入这份分解表，没有可以通报的内容。".into())
    })?;
    if result.items.is_empty() {
        let message = format!(
            "{}没有应报送的事项，没有可以通报的内容。",
            quarter.chinese()
        );
        return Err(WebError::Conflict(message));
    }
    let bulletin = Bulletin {
        day: calendar.date_of(result.at),
        result: &result,
        office: &desk.office,
        calendar: &calendar,
        // The number belongs to the paper about everything.
        number: match sight {
            Sight::Everything => issued.map(|issued| issued.chinese()),
            Sight::Leader(_) => None,
        },
        sight: &sight,
    };
    let document = bulletin.document();
    finished(
        &document,
        format!("{}.docx", document.title),
        PaperKind::Bulletin,
    )
}

fn finished(
    document: &docx::Document,
    name: String,
    kind: PaperKind,
) -> Result<Attachment, WebError> {
    Ok(Attachment {
        name,
        plain_name: format!("{}.docx", kind.as_str()),
        kind: attachment::DOCX,
        bytes: docx::package(document).map_err(WebError::internal)?,
    })
}

/// `某府办督催〔2022〕3号`.
fn number(desk: &Desk, kind: PaperKind, issued: &Issued) -> String {
    let mark = match kind {
        PaperKind::Bulletin => "",
        PaperKind::UrgeSlip => "催",
        PaperKind::SupervisionNotice => "办",
    };
    format!("{}{mark}{}", desk.office.letterhead.code, issued.chinese())
}

#[cfg(test)]
mod tests;
