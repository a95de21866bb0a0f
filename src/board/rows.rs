//! Rows of obligations, written while the book is open: nothing of it is copied but what is shown.

use askama::Template;

use crate::domain::board::Item;
use crate::domain::book::{Book, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::plan::PersonRef;
use crate::web::WebError;
use crate::web::format::{brief, short_day};

/// What stands in each row beside the item itself.
pub(super) struct Rows<'a> {
    pub book: &'a Book,
    pub calendar: &'a Calendar,
    pub items: &'a [Item<'a>],
    /// Boxes to tick, and whether they are.
    pub boxes: Option<bool>,
    /// `&as_of=…`, where a past moment is shown.
    pub suffix: &'a str,
}

impl<'a> Rows<'a> {
    /// The rows as HTML.
    pub(super) fn render(&'a self) -> Result<String, WebError> {
        let rows = self.items.iter().map(|item| Row { of: self, item });
        let page = RowsPage {
            rows: rows.collect(),
            boxes: self.boxes,
            only: self.suffix.replacen('&', "?", 1),
            suffix: self.suffix,
        };
        page.render().map_err(WebError::internal)
    }
}

#[derive(Template)]
#[template(
    path = "board/templates/item_rows.html",
    config = "src/web/askama.toml"
)]
struct RowsPage<'a> {
    rows: Vec<Row<'a>>,
    boxes: Option<bool>,
    /// `?as_of=…`.
    only: String,
    suffix: &'a str,
}

struct Row<'a> {
    of: &'a Rows<'a>,
    item: &'a Item<'a>,
}

impl Row<'_> {
    fn name(&self) -> String {
        self.item.task.short_name()
    }

    fn owners(&self) -> &[PersonRef] {
        &self.item.group.owners
    }

    fn status(&self) -> Option<&'static str> {
        let latest = self.item.obligation.latest()?;
        Some(latest.report.status.chinese())
    }

    /// When the report came; from whom, where it may have been one of several.
    fn reported(&self) -> String {
        let Some(latest) = self.item.obligation.latest() else {
            return String::new();
        };
        let at = brief(self.of.calendar, latest.at);
        let by = self.of.book.people.get(&latest.report.person);
        match by.filter(|_| self.owners().len() > 1) {
            Some(by) => format!("{at} {}", by.name),
            None => at,
        }
    }

    fn figures(&self) -> impl Iterator<Item = String> {
        let latest = self.item.obligation.latest();
        let actuals = latest.into_iter().flat_map(|latest| &latest.report.actuals);
        actuals.map(|actual| format!("{}：{}", actual.target.name(), actual.told()))
    }

    fn reminded(&self) -> Option<String> {
        let (at, occasion) = self.item.obligation.last_reminded?;
        let at = brief(self.of.calendar, at);
        Some(format!("{at} {}", occasion.chinese()))
    }

    /// Nothing is reported, but somebody has said that they have seen it.
    fn is_seen(&self) -> bool {
        let known = self.item.obligation;
        known.reports.is_empty() && known.acknowledged.is_some()
    }

    /// The later day that was granted.
    fn put_off(&self) -> Option<String> {
        let granted = self.item.obligation.granted()?;
        Some(short_day(self.of.calendar.date_of(granted.until)))
    }

    /// Whether somebody can be urged for it.
    fn can_urge(&self) -> bool {
        self.item.state.is_open() && !self.owners().is_empty()
    }

    fn state(&self) -> ObligationState {
        self.item.state
    }
}

/// A value in the query of an address on a page: letters of all scripts may stay as they are there,
/// which is a third of their encoded length.
pub(super) fn in_query(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_alphanumeric() || "-_.~、（）".contains(c) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::percent::decoded;

    #[test]
    fn nothing_in_a_value_ends_it() {
        let unit = "市工业和信息化局、市 A&B+#\"<%";
        let written = in_query(unit);
        assert_eq!(written, "市工业和信息化局、市%20A%26B%2B%23%22%3C%25");
        assert_eq!(decoded(written.as_bytes()), unit.as_bytes());
    }
}
