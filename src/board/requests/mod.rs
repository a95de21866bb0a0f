//! What owners ask, and the coordinator's word: later dates, 不是我, and whose a duty is or who fills
//! in. What nobody could read in mails and chats waits on the same page.

mod dates;
mod disowned;
mod page;
mod people;

use crate::desk::Desk;
use crate::domain::address;
use crate::domain::book::Book;
use crate::domain::duty::{self, Named};
use crate::domain::fact::{Actor, Fact};
use crate::domain::request::LONGEST_NOTE;
use crate::rules::RuleSet;
use crate::store::Decision;
use crate::web::WebError;
pub(super) use dates::extension;
pub(super) use disowned::not_mine;
pub(super) use page::show;
pub(super) use people::{end, people};

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
