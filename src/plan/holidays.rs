//! The days off among the settings: which years are known and from where, a year's table by month,
//! and another notice to bring, with a look before it counts.
//!
//! A notice brought is a fact; the deadlines that follow from it stand in the same append.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use super::import::redate;
use super::uploads::{Kind, Room, Upload};
use crate::config::holidays::read_table;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::calendar::weekday_chinese;
use crate::domain::fact::Fact;
use crate::domain::holidays::{Brought, BroughtYears, YearNotice, calendar, is_fixed};
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::caller::identify;
use crate::web::error::page;
use crate::web::format::long_moment;
use crate::web::frame::Frame;
use crate::web::percent::encoded;
use crate::web::{Caller, WebError};

/// The table; a year of it is 2 KB.
const TABLE: Kind = Kind {
    name: "节假日表",
    largest: 256 * 1024,
};

/// The routes; deadlines may have changed where the room's `wake` is called.
pub(super) fn router(room: Room) -> Router {
    let desk = Arc::clone(&room.desk);
    Router::new()
        .route("/settings/holidays", get(show))
        .route("/settings/holidays/import", post(take))
        .route("/settings/holidays/import/{hash}", get(look).post(store))
        .layer(DefaultBodyLimit::max(TABLE.largest_form()))
        .layer(from_fn_with_state(desk, identify))
        .with_state(Arc::new(room))
}

#[derive(Deserialize)]
struct Asked {
    year: Option<i32>,
    #[serde(default)]
    fault: String,
    /// The years just brought, apart by commas.
    #[serde(default)]
    stored: String,
}

#[derive(Template)]
#[template(path = "plan/templates/holidays.html", config = "src/web/askama.toml")]
struct HolidaysPage<'a> {
    frame: Frame<'a>,
    fault: &'a str,
    stored: Option<String>,
    years: Vec<Year>,
    shown: Option<Table>,
    /// This year and the next, where nobody knows them.
    missing: Vec<i32>,
}

struct Year {
    year: i32,
    here: bool,
}

/// A year's notice as people read it.
struct Table {
    year: i32,
    source: String,
    off: usize,
    worked: usize,
    months: Vec<Month>,
}

struct Month {
    month: u32,
    off: String,
    worked: String,
}

/// `GET /settings/holidays`.
async fn show(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let desk = &room.desk;
    let frame = Frame::new(desk, &caller, "holidays");
    let office = desk.calendar();
    let this_year = office.date_of(desk.clock.now()).year();
    let book = desk.ledger.book();
    let known: Vec<i32> = office.known_years().collect();
    let wanted = asked.year.unwrap_or(this_year);
    let wanted = match known.contains(&wanted) {
        true => Some(wanted),
        false => known.last().copied(),
    };
    page(&HolidaysPage {
        frame,
        fault: &asked.fault,
        stored: Some(asked.stored.replace(',', "、")).filter(|years| {
            let plain = |c: char| c.is_ascii_digit() || c == '、';
            !years.is_empty() && years.chars().all(plain)
        }),
        shown: wanted.and_then(|year| table_of(desk, &book, year)),
        years: known
            .iter()
            .map(|year| Year {
                year: *year,
                here: Some(*year) == wanted,
            })
            .collect(),
        missing: [this_year, this_year + 1]
            .into_iter()
            .filter(|year| !known.contains(year))
            .collect(),
    })
}

fn table_of(desk: &Desk, book: &Book, year: i32) -> Option<Table> {
    let given = desk.given_years.get(&year);
    let brought = book.holidays.get(&year);
    let (source, notice) = match (brought, given) {
        (Some(brought), _) if !is_fixed(&desk.given_years, year) => {
            let at = long_moment(&desk.calendar(), brought.at);
            let source = format!("{at}在看板导入的“{}”", brought.file);
            (source, &brought.notice)
        }
        (_, Some(given)) => {
            let source = match &given.file {
                Some(file) => format!("配置文件指定的 {file}"),
                None => "程序自带".to_owned(),
            };
            (source, &given.notice)
        }
        _ => return None,
    };
    Some(table(year, source, notice))
}

fn table(year: i32, source: String, notice: &YearNotice) -> Table {
    let months = (1..=12).filter_map(|month| {
        let off = spans(&notice.off, month);
        let worked: Vec<String> = notice
            .worked
            .iter()
            .filter(|day| day.month() == month)
            .map(|day| format!("{}日（{}）", day.day(), weekday_chinese(*day)))
            .collect();
        (!off.is_empty() || !worked.is_empty()).then(|| Month {
            month,
            off: off.join("、"),
            worked: worked.join("、"),
        })
    });
    Table {
        year,
        source,
        off: notice.off.len(),
        worked: notice.worked.len(),
        months: months.collect(),
    }
}

/// `1日至3日（元旦）`.
fn spans(off: &BTreeMap<NaiveDate, String>, month: u32) -> Vec<String> {
    let mut spans: Vec<(NaiveDate, NaiveDate, &str)> = Vec::new();
    for (day, name) in off.iter().filter(|(day, _)| day.month() == month) {
        match spans.last_mut() {
            Some((_, last, of)) if last.succ_opt() == Some(*day) && *of == name.as_str() => {
                *last = *day;
            }
            _ => spans.push((*day, *day, name)),
        }
    }
    let told = spans.into_iter().map(|(first, last, name)| {
        let days = match first == last {
            true => format!("{}日", first.day()),
            false => format!("{}日至{}日", first.day(), last.day()),
        };
        match name {
            "" => days,
            name => format!("{days}（{name}）"),
        }
    });
    told.collect()
}

/// `POST /settings/holidays/import`: keeps the file for a look.
async fn take(
    State(room): State<Arc<Room>>,
    caller: Caller,
    parts: Multipart,
) -> Result<Redirect, WebError> {
    caller.writer()?;
    let Upload {
        csrf, name, bytes, ..
    } = Upload::read(parts, TABLE).await?;
    caller.check_csrf(&csrf)?;
    if let Err(why) = read(&room.desk, &bytes) {
        let why = encoded(&why);
        return Ok(Redirect::to(&format!("/settings/holidays?fault={why}")));
    }
    let hash = room.uploads.keep(bytes).await?;
    let name = encoded(&name);
    Ok(Redirect::to(&format!(
        "/settings/holidays/import/{hash}?name={name}"
    )))
}

/// The years of a file, or why it is not taken.
fn read(desk: &Desk, bytes: &[u8]) -> Result<BTreeMap<i32, YearNotice>, String> {
    if bytes.is_empty() {
        return Err("请先选择节假日表文件。".into());
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| "不是 UTF-8 编码的 JSON 文件，请另存后再试。".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let years = read_table(text).map_err(|faults| {
        const MOST: usize = 5;
        let told: Vec<String> = faults.iter().take(MOST).cloned().collect();
        told.join("；")
    })?;
    let empty = years.values().all(|notice| notice.off.is_empty());
    if years.is_empty() || empty {
        return Err("文件里没有任何年份的放假日期，请核对。".into());
    }
    let fixed: Vec<String> = years
        .keys()
        .filter(|year| is_fixed(&desk.given_years, **year))
        .map(|year| format!("{year}年"))
        .collect();
    match fixed.is_empty() {
        true => Ok(years),
        false => Err(format!(
            "{}的节假日由配置文件指定（time.holidays），不能在这里改，请联系服务器管理员。",
            fixed.join("、")
        )),
    }
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Template)]
#[template(
    path = "plan/templates/holidays_look.html",
    config = "src/web/askama.toml"
)]
struct LookPage<'a> {
    frame: Frame<'a>,
    hash: &'a str,
    name: &'a str,
    tables: Vec<Table>,
    /// Plans whose dates become other ones.
    redated: Vec<String>,
}

/// `GET /settings/holidays/import/{hash}`.
async fn look(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Query(asked): Query<Named>,
) -> Result<Html<String>, WebError> {
    caller.writer()?;
    let years = kept(&room, &hash).await?;
    let frame = Frame::new(&room.desk, &caller, "holidays");
    let rules = room.desk.rules.now();
    let book = room.desk.ledger.book();
    let tables = years
        .iter()
        .map(|(year, notice)| table(*year, String::new(), notice));
    let tables = tables.collect();
    let brought = brought(&room.desk, &book, &years, &asked.name);
    let next = calendar(rules.calendar.zone(), &room.desk.given_years, &brought);
    let redated = redate(&book, &rules.policy, &next);
    let titles: BTreeSet<String> = redated
        .iter()
        .filter_map(|fact| match fact {
            Fact::DeadlinesSet { plan, .. } => Some(book.plans.get(plan)?.heading.title.clone()),
            _ => None,
        })
        .collect();
    page(&LookPage {
        frame,
        hash: &hash,
        name: &asked.name,
        tables,
        redated: titles.into_iter().collect(),
    })
}

/// All that would be brought then.
fn brought(
    desk: &Desk,
    book: &Book,
    years: &BTreeMap<i32, YearNotice>,
    file: &str,
) -> BroughtYears {
    let mut brought = book.holidays.clone();
    brought.extend(years.iter().map(|(year, notice)| {
        let one = Brought {
            file: file.to_owned(),
            at: desk.clock.now(),
            notice: notice.clone(),
        };
        (*year, one)
    }));
    brought
}

#[derive(Deserialize)]
struct Accept {
    csrf: String,
    #[serde(default)]
    name: String,
}

/// `POST /settings/holidays/import/{hash}`.
async fn store(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(hash): Path<String>,
    Form(form): Form<Accept>,
) -> Result<Redirect, WebError> {
    let by = caller.writer()?;
    caller.check_csrf(&form.csrf)?;
    let years = kept(&room, &hash).await?;
    let stored: Vec<String> = years.keys().map(ToString::to_string).collect();
    let file: String = form.name.chars().take(120).collect();
    let now = room.desk.clock.now();
    let rules = room.desk.rules.now();
    let desk = Arc::clone(&room.desk);
    let decide = move |book: &Book| {
        let brought = brought(&desk, book, &years, &file);
        let next = calendar(rules.calendar.zone(), &desk.given_years, &brought);
        let dated = redate(book, &rules.policy, &next);
        let set = years.into_iter().map(|(year, notice)| Fact::HolidaysSet {
            year,
            file: file.clone(),
            notice: Box::new(notice),
        });
        Ok::<_, WebError>(Decision {
            facts: set.chain(dated).collect(),
            value: next,
        })
    };
    let next = room.desk.ledger.commit(by, now, decide).await?;
    room.desk.rules.change(|rules| RuleSet {
        calendar: Arc::new(next),
        ..(**rules).clone()
    });
    (room.wake)();
    room.uploads.forget(hash).await?;
    let first = stored.first().cloned().unwrap_or_default();
    Ok(Redirect::to(&format!(
        "/settings/holidays?year={first}&stored={}",
        stored.join(",")
    )))
}

async fn kept(room: &Room, hash: &str) -> Result<BTreeMap<i32, YearNotice>, WebError> {
    let bytes = room.uploads.get(hash).await?;
    read(&room.desk, &bytes).map_err(WebError::BadRequest)
}

#[cfg(test)]
mod tests;
