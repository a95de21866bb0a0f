//! The part that holds a worksheet's comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::super::xml::attribute;
use super::Cell;
use super::splice::inserted;

/// Cells that have a comment already.
pub(super) fn references(comments: &str) -> Vec<String> {
    let mut reader = Reader::from_str(comments);
    let mut found = Vec::new();
    while let Ok(event) = reader.read_event() {
        match &event {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start)
                if start.local_name().as_ref() == "comment" =>
            {
                found.extend(attribute(start, "ref").map(|one| one.replace('$', "")));
            }
            _ => {}
        }
    }
    found
}

/// The comments by their cells' names. A cell has one comment: where an office's own stands, ours
/// goes to the next cell of the row that has none.
pub(super) fn placed(wanted: &BTreeMap<Cell, String>, taken: &[String]) -> BTreeMap<Cell, String> {
    let mut placed: BTreeMap<Cell, String> = BTreeMap::new();
    for ((row, column), text) in wanted {
        let free = (*column..u16::MAX).find(|to| !taken.contains(&name((*row, *to))));
        let cell = (*row, free.unwrap_or(*column));
        let said = placed.entry(cell).or_default();
        if !said.is_empty() {
            said.push('\n');
        }
        said.push_str(text);
    }
    placed
}

/// Where there were none before.
pub(super) fn alone(placed: &BTreeMap<Cell, String>) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<comments xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><authors><author>催办</author></authors><commentList>{}</commentList></comments>",
        comment_list(placed, 0, "")
    )
}

/// The office's comments with ours behind them.
pub(super) fn beside(text: &str, placed: &BTreeMap<Cell, String>) -> Option<String> {
    let prefix = ["", "x:"]
        .into_iter()
        .find(|prefix| text.contains(&format!("</{prefix}commentList>")))?;
    let authors = text.matches(&format!("<{prefix}author>")).count();
    let end = text.find(&format!("</{prefix}authors>"))?;
    let ours = format!("<{prefix}author>催办</{prefix}author>");
    let text = inserted(text, end, &ours);
    let end = text.find(&format!("</{prefix}commentList>"))?;
    Some(inserted(&text, end, &comment_list(placed, authors, prefix)))
}

fn comment_list(placed: &BTreeMap<Cell, String>, author: usize, prefix: &str) -> String {
    let mut list = String::new();
    for (cell, text) in placed {
        let (cell, text) = (name(*cell), escape(text.as_str()));
        let _ = write!(
            list,
            "<{prefix}comment ref=\"{cell}\" authorId=\"{author}\"><{prefix}text><{prefix}r><{prefix}t xml:space=\"preserve\">{text}</{prefix}t></{prefix}r></{prefix}text></{prefix}comment>"
        );
    }
    list
}

/// `C12`.
fn name((row, column): Cell) -> String {
    rust_xlsxwriter::utility::row_col_to_cell(row, column)
}
