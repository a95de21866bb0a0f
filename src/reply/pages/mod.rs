//! The owner's page and the receipt, filled in for the templates.

mod item;
mod receipt;
mod sheet;

use askama::Template as _;

use super::Room;
use super::beside::FilesView;
use crate::desk::Desk;
use crate::domain::calendar::Calendar;
use crate::domain::hex;
use crate::domain::ids::TaskNo;
use crate::domain::link::Link;
use crate::web::format::long_moment;
use crate::web::{WebError, assets};
pub(super) use receipt::receipt;
pub(super) use sheet::sheet;

/// The files of an item, as the page lists them; for the script.
pub(super) async fn files_of(
    room: &Room,
    token: &str,
    link: &Link,
    place: Option<(TaskNo, u8)>,
) -> Result<String, WebError> {
    let sheet = room.sheet(link).await?;
    let mut items = sheet.open.iter().chain(&sheet.reported);
    let item = items.find(|item| Some((item.key.task, item.key.group)) == place);
    let item = item.ok_or(WebError::NotFound)?;
    let files = FilesView::new(item, token, true);
    files.render().map_err(WebError::internal)
}

/// What all pages have around them.
pub(super) struct Frame<'a> {
    pub(super) style: &'a str,
    pub(super) script: &'a str,
    pub(super) office: &'a str,
    pub(super) phone: Option<&'a str>,
    pub(super) simulated: Option<String>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(desk: &'a Desk, calendar: &Calendar) -> Self {
        let now = desk.clock.now();
        let simulated = desk.clock.is_simulated();
        Self {
            style: assets::page_style_path(),
            script: assets::script_path(),
            office: &desk.office.name,
            phone: desk.office.phone.as_deref(),
            simulated: simulated.then(|| long_moment(calendar, now)),
        }
    }
}

/// A short name for what a link's browser keeps by itself.
fn key(token: &str) -> String {
    hex::sha256(token.as_bytes()).chars().take(12).collect()
}
