//! Tokens of other systems, for administrators: made, shown once, revoked.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Html;
use chrono::TimeDelta;

use super::users;
use super::users_api::told;
use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::fact::{Actor, Fact};
use crate::domain::token::{Scope, Token};
use crate::domain::user::Sight;
use crate::store::Decision;
use crate::web::bearer::{self, Made};
use crate::web::error::page;
use crate::web::format::{brief, moment, short_day};
use crate::web::frame::Frame;
use crate::web::{Caller, WebError};

/// Days a token works where nobody says.
const USUAL_DAYS: u16 = 365;
/// Days it may work at the most.
const MOST_DAYS: u16 = 1100;
/// Longest name, in characters.
const LONGEST_NAME: usize = 40;

/// A token that is asked for.
pub(super) struct NewToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub leader: Option<String>,
    pub days: Option<u16>,
}

/// Makes a token; its text is in the answer and nowhere else.
pub(super) async fn make(desk: &Desk, by: Actor, new: NewToken) -> Result<Made, WebError> {
    let wrong = |words: String| WebError::BadRequest(words);
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(wrong(format!(
            "请填写使用令牌的系统名称，不超过{LONGEST_NAME}个字符。"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(wrong("系统名称里有不能使用的字符。".into()));
    }
    if new.scopes.is_empty() {
        return Err(wrong("请至少选择一项权限。".into()));
    }
    let days = new.days.unwrap_or(USUAL_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(wrong(format!("有效期应为1至{MOST_DAYS}天。")));
    }
    let leader = new.leader.map(|leader| leader.trim().to_owned());
    let leader = leader.filter(|leader| !leader.is_empty());
    let (made, now) = (bearer::make()?, desk.clock.now());
    let fact = Fact::TokenMade {
        id: made.id.clone(),
        name,
        scopes: new.scopes,
        sight: leader.clone().map_or(Sight::Everything, Sight::Leader),
        sha256: made.sha256.clone(),
        expires: now + TimeDelta::days(days.into()),
    };
    let decide = move |book: &Book| {
        if let Some(leader) = &leader {
            users::check_leader(book, leader).map_err(told)?;
        }
        Ok(Decision {
            facts: vec![fact],
            value: (),
        })
    };
    commit(desk, by, decide).await?;
    Ok(made)
}

/// Ends a token, at once.
pub(super) async fn revoke(desk: &Desk, by: Actor, id: &str) -> Result<(), WebError> {
    let id = id.to_owned();
    let decide = move |book: &Book| match book.tokens.get(&id) {
        None => Err(WebError::NotFound),
        // A second click.
        Some(token) if token.revoked.is_some() => Ok(Decision::nothing(())),
        Some(_) => Ok(Decision {
            facts: vec![Fact::TokenRevoked { id }],
            value: (),
        }),
    };
    commit(desk, by, decide).await
}

async fn commit(
    desk: &Desk,
    by: Actor,
    decide: impl FnOnce(&Book) -> Result<Decision<()>, WebError> + Send + 'static,
) -> Result<(), WebError> {
    Ok(desk.ledger.commit(by, desk.clock.now(), decide).await?)
}

/// `GET /tokens`.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Html<String>, WebError> {
    caller.administrator()?;
    tokens_page(&desk, &caller, None)
}

/// `POST /tokens`: `do` is `add` or `revoke`.
pub(super) async fn submit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Html<String>, WebError> {
    let by = caller.administrator()?;
    let all = |name: &'static str| {
        let fields = fields.iter().filter(move |(known, _)| known == name);
        fields.map(|(_, value)| value.as_str())
    };
    let one = |name| all(name).next().unwrap_or_default();
    caller.check_csrf(one("csrf"))?;
    if one("do") == "revoke" {
        revoke(&desk, by, one("id")).await?;
        return tokens_page(&desk, &caller, None);
    }
    let new = NewToken {
        name: one("name").to_owned(),
        scopes: all("scope").filter_map(Scope::from_name).collect(),
        leader: Some(one("leader").to_owned()),
        days: match one("days") {
            "" => None,
            // Not a number is as wrong as none.
            days => Some(days.parse().unwrap_or(0)),
        },
    };
    let made = make(&desk, by, new).await?;
    tokens_page(&desk, &caller, Some(made.text))
}

#[derive(Template)]
#[template(path = "board/templates/tokens.html", config = "src/web/askama.toml")]
struct TokensPage<'a> {
    frame: Frame<'a>,
    /// The token that was just made.
    made: Option<String>,
    rows: Vec<Row>,
    scopes: [Scope; 4],
    leaders: Vec<String>,
    usual_days: u16,
    most_days: u16,
}

struct Row {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    leader: Option<String>,
    made: String,
    used: String,
    state: String,
    works: bool,
}

fn tokens_page(
    desk: &Desk,
    caller: &Caller,
    made: Option<String>,
) -> Result<Html<String>, WebError> {
    let (calendar, now) = (desk.calendar(), desk.clock.now());
    let (rows, leaders) = {
        let book = desk.ledger.book();
        let mut tokens: Vec<&Token> = book.tokens.values().collect();
        tokens.sort_by_key(|token| (!token.works(now), std::cmp::Reverse(token.made)));
        let rows = tokens.into_iter().map(|token| Row {
            works: token.works(now),
            ..row(token, &calendar)
        });
        let leaders = users::leaders(&book).into_iter().map(str::to_owned);
        (rows.collect(), leaders.collect())
    };
    page(&TokensPage {
        frame: Frame::new(desk, caller, "tokens"),
        made,
        rows,
        scopes: Scope::ALL,
        leaders,
        usual_days: USUAL_DAYS,
        most_days: MOST_DAYS,
    })
}

fn row(token: &Token, calendar: &Calendar) -> Row {
    let state = match token.revoked {
        Some(at) => format!("{}停用", brief(calendar, at)),
        None => {
            let day = calendar.date_of(token.expires);
            format!("有效期至{}{}", day.format("%Y年"), short_day(day))
        }
    };
    Row {
        id: token.id.clone(),
        name: token.name.clone(),
        scopes: token.scopes.iter().map(|scope| scope.chinese()).collect(),
        leader: match &token.sight {
            Sight::Everything => None,
            Sight::Leader(name) => Some(name.clone()),
        },
        made: moment(calendar, token.made),
        used: token
            .used
            .map_or("尚未使用".into(), |at| brief(calendar, at)),
        state,
        works: false,
    }
}
