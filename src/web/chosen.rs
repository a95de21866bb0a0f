//! Which plan and quarter an address asks for.

use crate::desk::Desk;
use crate::domain::board::present;
use crate::domain::book::Book;
use crate::domain::ids::{BadId, PlanId, Quarter};
use crate::web::WebError;

/// Why none is shown.
#[derive(Debug)]
pub enum NotChosen {
    /// No plan was imported yet.
    Empty,
    /// This plan is not known.
    Unknown(PlanId),
    /// No such name of a plan or a quarter can be.
    Unreadable(BadId),
}

impl From<BadId> for NotChosen {
    fn from(error: BadId) -> Self {
        Self::Unreadable(error)
    }
}

/// For documents, which commands ask for as well.
impl From<NotChosen> for WebError {
    fn from(why: NotChosen) -> Self {
        match why {
            NotChosen::Empty => Self::Conflict("还没有导入分解表，没有可以导出的内容。".into()),
            NotChosen::Unknown(plan) => Self::BadRequest(format!(
                "没有编号为“{plan}”的分解表；执行 cuiban plan list 可列出全部"
            )),
            NotChosen::Unreadable(error) => Self::BadRequest(error.to_string()),
        }
    }
}

/// The plan and quarter asked for; where nothing was, those to show by themselves.
///
/// # Errors
/// [`NotChosen`].
pub fn choose(
    desk: &Desk,
    book: &Book,
    plan: &str,
    quarter: &str,
) -> Result<(PlanId, Quarter), NotChosen> {
    let rules = desk.rules.now();
    let now = desk.clock.now();
    let usual = present(book, &rules.policy, &rules.calendar, now).ok_or(NotChosen::Empty)?;
    let plan = match plan {
        "" => None,
        id => Some(PlanId::new(id)?),
    };
    if let Some(unknown) = plan.as_ref().filter(|id| !book.plans.contains_key(id)) {
        return Err(NotChosen::Unknown(unknown.clone()));
    }
    let quarter: Option<Quarter> = match quarter {
        "" => None,
        text => Some(text.parse()?),
    };
    let has = |plan: &PlanId, quarter| book.obligations_in(plan, quarter).next().is_some();
    Ok(match (plan, quarter) {
        (None, None) => usual,
        (None, Some(quarter)) => {
            let mut plans = std::iter::once(&usual.0).chain(book.plans.keys());
            let found = plans.find(|plan| has(plan, quarter));
            (found.unwrap_or(&usual.0).clone(), quarter)
        }
        (Some(plan), Some(quarter)) => (plan, quarter),
        // Another plan than the usual one: its quarter nearest to the usual one.
        (Some(plan), None) => {
            let quarters = book.quarters_of(&plan);
            let quarter = quarters.iter().rfind(|one| **one <= usual.1);
            let quarter = quarter.or(quarters.first()).copied().unwrap_or(usual.1);
            (plan, quarter)
        }
    })
}
