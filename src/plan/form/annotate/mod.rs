//! A copy of a table with the findings as comments at its cells.
//!
//! An .xlsx stays what it is, byte for byte, but for the comments: parts that have nothing to do
//! with them are copied without being unpacked. Any other form becomes a new workbook.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Note, Workbook, XlsxError};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::super::sheet::Sheet;
use super::super::{Source, TableError, clean};
use super::archive::Archive;
use super::xml::attribute;
use crate::domain::plan::{Finding, Severity};

/// The copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The file cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The package is not put together as workbooks are.
    #[error(
        "文件 {file} 的内部结构与一般工作簿不同，无法加批注：请用 Excel 或 WPS 打开后另存为 .xlsx 再试"
    )]
    Package {
        /// The file's name.
        file: String,
    },
    /// Writing failed.
    #[error("无法生成带批注的工作簿")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A cell: row and column from 0.
type Cell = (u32, u16);

/// The copy, as the bytes of an .xlsx, and how many cells have a comment.
///
/// # Errors
/// [`AnnotateError`] where the file is no table or cannot be copied.
pub fn annotate(
    bytes: &[u8],
    source: &Source,
    findings: &[Finding],
) -> Result<(Vec<u8>, usize), AnnotateError> {
    let file = source.file_name.as_str();
    let sheet = super::read(bytes, file, &source.columns)?;
    let comments = comments(&sheet, findings);
    let count = comments.len();
    let is_xlsx = bytes.starts_with(b"PK") && {
        let archive = Archive::open(bytes, file)?;
        archive.has("xl/workbook.xml")
    };
    let copy = match is_xlsx {
        true => Package::open(bytes, file, &sheet)?.annotated(&comments)?,
        false => fresh(&sheet, &comments).map_err(write_error)?,
    };
    Ok((copy, count))
}

/// What is said at each cell, by the place in the file.
fn comments(sheet: &Sheet, findings: &[Finding]) -> BTreeMap<Cell, String> {
    let first = sheet.rows.first().map_or(1, |row| row.line);
    let mut comments: BTreeMap<Cell, String> = BTreeMap::new();
    for finding in findings {
        let line = finding.row.unwrap_or(first);
        let column = finding.column.as_deref();
        let column = column
            .and_then(|name| position(sheet, line, name))
            .unwrap_or(0);
        let text = comments
            .entry((line.saturating_sub(1), column))
            .or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        let word = match finding.severity {
            Severity::Error => "错误",
            Severity::Warning => "请核对",
            Severity::Info => "说明",
        };
        let _ = write!(text, "【{word}】{}", finding.message);
        if let Some(repair) = &finding.repair {
            let _ = write!(text, "\n→ {repair}");
        }
    }
    comments
}

/// Where the column of this heading is, by the last headings above the row.
fn position(sheet: &Sheet, line: u32, heading: &str) -> Option<u16> {
    let above = sheet.rows.iter().rev().filter(|row| row.line <= line);
    let found = above.filter_map(|row| {
        row.cells
            .iter()
            .position(|cell| clean::prose(cell) == heading)
    });
    found.map(u16::try_from).find_map(Result::ok)
}

/// A workbook with the table's cells and notes.
fn fresh(sheet: &Sheet, comments: &BTreeMap<Cell, String>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    let plain = Format::new()
        .set_text_wrap()
        .set_align(FormatAlign::Top)
        .set_border(FormatBorder::Thin);
    let marked = plain.clone().set_background_color("FFF2CC");
    let mut next = 0;
    for line in &sheet.above {
        page.write_string(next, 0, line.trim())?;
        next += 1;
    }
    for row in &sheet.rows {
        for (column, cell) in (0_u16..).zip(&row.cells) {
            let note = comments.get(&(row.line.saturating_sub(1), column));
            let format = if note.is_some() { &marked } else { &plain };
            page.write_string_with_format(next, column, clean::prose(cell), format)?;
            if let Some(note) = note {
                page.insert_note(
                    next,
                    column,
                    &Note::new(note).set_author("催办").set_width(320),
                )?;
            }
        }
        next += 1;
    }
    for column in 0..u16::try_from(
        sheet
            .rows
            .iter()
            .map(|row| row.cells.len())
            .max()
            .unwrap_or(1),
    )
    .unwrap_or(1)
    {
        page.set_column_width(column, 22)?;
    }
    book.save_to_buffer()
}

const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const COMMENTS_PART: &str = "xl/cuiban-comments.xml";
const DRAWING_PART: &str = "xl/cuiban-comments.vml";
const TYPES_PART: &str = "[Content_Types].xml";

/// An .xlsx that gets comments on one of its worksheets.
struct Package<'a> {
    bytes: &'a [u8],
    file: &'a str,
    /// The worksheet's part, such as `xl/worksheets/sheet1.xml`.
    part: String,
    xml: String,
    types: String,
    relations_part: String,
    relations: Option<String>,
    /// Parts of comments and drawing that the worksheet has already.
    comments: Option<(String, String)>,
    drawing: Option<(String, String)>,
}

impl<'a> Package<'a> {
    fn open(bytes: &'a [u8], file: &'a str, sheet: &Sheet) -> Result<Self, AnnotateError> {
        let odd = || AnnotateError::Package { file: file.into() };
        let mut archive = Archive::open(bytes, file)?;
        let main = archive.main_part("xl/workbook.xml")?;
        let book = archive.part(&main)?.ok_or_else(odd)?;
        let id = worksheet_id(&book, sheet.worksheet.as_deref()).ok_or_else(odd)?;
        let relations = archive.relations(&main)?;
        let found = relations.into_iter().find(|one| one.id == id);
        let part = found.ok_or_else(odd)?.target;
        let (folder, name) = part.rsplit_once('/').ok_or_else(odd)?;
        let relations_part = format!("{folder}/_rels/{name}.rels");
        let mut known = |kind: &str| -> Result<Option<(String, String)>, AnnotateError> {
            let relations = archive.relations(&part)?;
            let Some(one) = relations.into_iter().find(|one| one.kind == kind) else {
                return Ok(None);
            };
            let text = archive.part(&one.target)?.ok_or_else(odd)?;
            Ok(Some((one.target, text)))
        };
        let comments = known("comments")?;
        let drawing = known("vmlDrawing")?;
        Ok(Self {
            xml: archive.part(&part)?.ok_or_else(odd)?,
            types: archive.part(TYPES_PART)?.ok_or_else(odd)?,
            relations: archive.part(&relations_part)?,
            relations_part,
            part,
            bytes,
            file,
            comments,
            drawing,
        })
    }

    fn annotated(self, wanted: &BTreeMap<Cell, String>) -> Result<Vec<u8>, AnnotateError> {
        let odd = || AnnotateError::Package {
            file: self.file.into(),
        };
        let taken: Vec<String> = match &self.comments {
            Some((_, text)) => references(text),
            None => Vec::new(),
        };
        let placed = placed(wanted, &taken);
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        let (comments_part, comments) = match &self.comments {
            Some((part, text)) => (
                part.clone(),
                comments_beside(text, &placed).ok_or_else(odd)?,
            ),
            None => (COMMENTS_PART.to_owned(), comments_new(&placed)),
        };
        let (drawing_part, drawing) = match &self.drawing {
            Some((part, text)) => {
                let end = text.rfind("</xml>").ok_or_else(odd)?;
                (part.clone(), inserted(text, end, &shapes(&placed)))
            }
            None => (DRAWING_PART.to_owned(), drawing_new(&placed)),
        };
        if self.drawing.is_none() {
            let element =
                format!("<legacyDrawing xmlns:r=\"{RELATION}\" r:id=\"rIdCuibanDrawing\"/>");
            let (prefix, at) = place_of_drawing(&self.xml).ok_or_else(odd)?;
            let element = element.replacen('<', &format!("<{prefix}"), 1);
            parts.insert(self.part.clone(), inserted(&self.xml, at, &element));
        }
        let mut relations = String::new();
        if self.comments.is_none() {
            let _ = write!(
                relations,
                "<Relationship Id=\"rIdCuibanComments\" Type=\"{RELATION}/comments\" Target=\"/{COMMENTS_PART}\"/>"
            );
        }
        if self.drawing.is_none() {
            let _ = write!(
                relations,
                "<Relationship Id=\"rIdCuibanDrawing\" Type=\"{RELATION}/vmlDrawing\" Target=\"/{DRAWING_PART}\"/>"
            );
        }
        if !relations.is_empty() {
            let empty = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";
            let text = self.relations.as_deref().unwrap_or(empty);
            let text = before_end(text, "Relationships", &relations).ok_or_else(odd)?;
            parts.insert(self.relations_part.clone(), text);
        }
        let mut types = String::new();
        if !self.types.contains("Extension=\"vml\"") {
            types.push_str("<Default Extension=\"vml\" ContentType=\"application/vnd.openxmlformats-officedocument.vmlDrawing\"/>");
        }
        if self.comments.is_none() {
            let _ = write!(
                types,
                "<Override PartName=\"/{COMMENTS_PART}\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml\"/>"
            );
        }
        if !types.is_empty() {
            let text = before_end(&self.types, "Types", &types).ok_or_else(odd)?;
            parts.insert(TYPES_PART.to_owned(), text);
        }
        parts.insert(comments_part, comments);
        parts.insert(drawing_part, drawing);
        repacked(self.bytes, parts)
    }
}

/// The package with these parts put in or replaced; all others as they are.
fn repacked(bytes: &[u8], mut parts: BTreeMap<String, String>) -> Result<Vec<u8>, AnnotateError> {
    let mut from = ZipArchive::new(Cursor::new(bytes)).map_err(write_error)?;
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for index in 0..from.len() {
        let entry = from.by_index_raw(index).map_err(write_error)?;
        let name = entry.name().map_err(write_error)?.into_owned();
        match parts.remove(&name) {
            None => to.raw_copy_file(entry).map_err(write_error)?,
            Some(text) => {
                to.start_file(name, options).map_err(write_error)?;
                to.write_all(text.as_bytes()).map_err(write_error)?;
            }
        }
    }
    for (name, text) in parts {
        to.start_file(name, options).map_err(write_error)?;
        to.write_all(text.as_bytes()).map_err(write_error)?;
    }
    Ok(to.finish().map_err(write_error)?.into_inner())
}

fn write_error(error: impl std::error::Error + Send + Sync + 'static) -> AnnotateError {
    AnnotateError::Write(Box::new(error))
}

/// The relation of the worksheet of this name, else of the first.
fn worksheet_id(book: &str, name: Option<&str>) -> Option<String> {
    let mut reader = Reader::from_str(book);
    let mut first = None;
    loop {
        let event = reader.read_event().ok()?;
        let start = match &event {
            Event::Start(start) | Event::Empty(start) => start,
            Event::Eof => return first,
            _ => continue,
        };
        if start.local_name().as_ref() != "sheet" {
            continue;
        }
        let id = start
            .attributes()
            .flatten()
            .find(|one| one.key.local_name().as_ref() == "id");
        let id = id.map(|id| id.value.into_owned());
        if name.is_some() && attribute(start, "name").as_deref() == name {
            return id;
        }
        first = first.or(id);
    }
}

/// Where `<legacyDrawing>` goes among the worksheet's elements, and the prefix they have.
fn place_of_drawing(xml: &str) -> Option<(String, usize)> {
    const AFTER: [&str; 7] = [
        "legacyDrawingHF",
        "picture",
        "oleObjects",
        "controls",
        "webPublishItems",
        "tableParts",
        "extLst",
    ];
    let mut reader = Reader::from_str(xml);
    let (mut depth, mut prefix) = (0_u32, String::new());
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if depth == 0 {
                    let own = start.name().prefix();
                    prefix = own.map_or_else(String::new, |own| format!("{}:", own.as_ref()));
                } else if depth == 1 && AFTER.contains(&start.local_name().as_ref()) {
                    return Some((prefix, before));
                }
                depth += 1;
            }
            Event::Empty(start) if depth == 1 && AFTER.contains(&start.local_name().as_ref()) => {
                return Some((prefix, before));
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((prefix, before));
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Cells that have a comment already.
fn references(comments: &str) -> Vec<String> {
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
fn placed(wanted: &BTreeMap<Cell, String>, taken: &[String]) -> BTreeMap<Cell, String> {
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

/// `C12`.
fn name((row, column): Cell) -> String {
    rust_xlsxwriter::utility::row_col_to_cell(row, column)
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

fn comments_new(placed: &BTreeMap<Cell, String>) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<comments xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><authors><author>催办</author></authors><commentList>{}</commentList></comments>",
        comment_list(placed, 0, "")
    )
}

/// The office's comments with ours behind them.
fn comments_beside(text: &str, placed: &BTreeMap<Cell, String>) -> Option<String> {
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

fn drawing_new(placed: &BTreeMap<Cell, String>) -> String {
    format!(
        "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\">{}</xml>",
        shapes(placed)
    )
}

/// The boxes in which Excel shows comments.
fn shapes(placed: &BTreeMap<Cell, String>) -> String {
    let mut shapes = String::from(
        "<v:shapetype id=\"_x0000_t202\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"><v:stroke joinstyle=\"miter\"/><v:path gradientshapeok=\"t\" o:connecttype=\"rect\"/></v:shapetype>",
    );
    for (number, ((row, column), text)) in placed.iter().enumerate() {
        let lines = text.chars().count().div_ceil(22) + text.matches('\n').count() + 1;
        let (left, right) = (column + 1, column + 4);
        let bottom = *row + u32::try_from(lines).unwrap_or(4).clamp(3, 20);
        let _ = write!(
            shapes,
            "<v:shape id=\"cuiban_{number}\" type=\"#_x0000_t202\" style=\"position:absolute;margin-left:60pt;margin-top:2pt;width:240pt;height:{}pt;z-index:{};visibility:hidden\" fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/><v:shadow on=\"t\" color=\"black\" obscured=\"t\"/><v:path o:connecttype=\"none\"/><v:textbox style=\"mso-direction-alt:auto\"/><x:ClientData ObjectType=\"Note\"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{left}, 15, {row}, 2, {right}, 15, {bottom}, 4</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>",
            lines * 16,
            number + 1
        );
    }
    shapes
}

/// The text with something more before the end of its root, which may be written `<root/>`.
fn before_end(text: &str, root: &str, more: &str) -> Option<String> {
    if let Some(end) = text.rfind(&format!("</{root}>")) {
        return Some(inserted(text, end, more));
    }
    let (head, tail) = text.rsplit_once("/>")?;
    Some(format!("{head}>{more}</{root}>{tail}"))
}

fn inserted(text: &str, at: usize, more: &str) -> String {
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{head}{more}{tail}")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::plan::read;

    const TABLE: &[u8] = include_bytes!("../../../../seeds/dongguan-2022.txt");

    fn source(name: &str) -> Source {
        Source {
            file_name: name.into(),
            ..Source::default()
        }
    }

    fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        (0..zip.len())
            .map(|index| {
                let mut entry = zip.by_index(index).unwrap();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                (entry.name().unwrap().into_owned(), bytes)
            })
            .collect()
    }

    /// The real table's beginning and item 130 as a workbook, with an office's own note or not.
    fn workbook(with_note: bool) -> Vec<u8> {
        let text = String::from_utf8_lossy(TABLE);
        let mut book = Workbook::new();
        let page = book.add_worksheet().set_name("分解表").unwrap();
        page.write_string(0, 0, "2022年市政府主要目标任务分解表")
            .unwrap();
        let header = text
            .lines()
            .find(|line| line.starts_with("总体要求"))
            .unwrap();
        let rows = text
            .lines()
            .filter(|line| line.contains("130. ") || line.contains("122. "));
        for (row, line) in (1..).zip([header].into_iter().chain(rows)) {
            for (column, cell) in (0..).zip(line.split('\t')) {
                page.write_string(row, column, cell).unwrap();
            }
        }
        if with_note {
            page.insert_note(2, 6, &Note::new("请李科长补")).unwrap();
        }
        page.set_freeze_panes(2, 0).unwrap();
        book.add_worksheet().set_name("说明").unwrap();
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn a_workbook_stays_what_it_is_but_for_the_comments() {
        for with_note in [false, true] {
            let before = workbook(with_note);
            let source = source("分解表.xlsx");
            let reading = read(&before, &source).unwrap();
            let (after, cells) = annotate(&before, &source, &reading.findings).unwrap();
            assert!(cells >= 2, "{cells}");
            assert_eq!(read(&after, &source).unwrap(), reading);
            let (old, new) = (parts(&before), parts(&after));
            let changed: Vec<&str> = old
                .iter()
                .filter(|(name, bytes)| new.get(*name) != Some(*bytes))
                .map(|(name, _)| name.as_str())
                .collect();
            let expected: &[&str] = match with_note {
                false => &["[Content_Types].xml", "xl/worksheets/sheet1.xml"],
                true => &["xl/comments1.xml", "xl/drawings/vmlDrawing1.vml"],
            };
            assert_eq!(changed, expected);
            let comments = match with_note {
                true => &new["xl/comments1.xml"],
                false => &new[COMMENTS_PART],
            };
            let comments = String::from_utf8_lossy(comments);
            assert!(comments.contains("疑似整行错开一列"), "{comments}");
            assert_eq!(comments.contains("请李科长补"), with_note);
            let names = references(&comments);
            let mut once = names.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), names.len(), "one comment a cell");
            if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
                let name = format!("annotated-{with_note}.xlsx");
                std::fs::write(std::path::Path::new(&folder).join(name), after).unwrap();
            }
        }
    }

    #[test]
    fn another_form_becomes_a_workbook_with_notes() {
        let source = source("dongguan-2022.txt");
        let reading = read(TABLE, &source).unwrap();
        let (copy, cells) = annotate(TABLE, &source, &reading.findings).unwrap();
        let comments = parts(&copy).remove("xl/comments1.xml").unwrap();
        let comments = String::from_utf8(comments).unwrap();
        assert_eq!(references(&comments).len(), cells);
        assert!(comments.contains("疑似整行错开一列"));
        let again = read(&copy, &self::source("copy.xlsx")).unwrap();
        assert_eq!(again.plan.tasks.len(), reading.plan.tasks.len());
        if let Some(folder) = std::env::var_os("CUIBAN_PICTURES") {
            std::fs::write(
                std::path::Path::new(&folder).join("annotated-txt.xlsx"),
                copy,
            )
            .unwrap();
        }
    }
}
