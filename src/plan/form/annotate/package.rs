//! An .xlsx that stays what it is, but for the comments on one of its worksheets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::super::super::sheet::Sheet;
use super::super::archive::Archive;
use super::super::xml::attribute;
use super::splice::{before_end, inserted};
use super::{AnnotateError, Cell, comments, drawing, write_error};

const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(super) const COMMENTS_PART: &str = "xl/cuiban-comments.xml";

const DRAWING_PART: &str = "xl/cuiban-comments.vml";

const TYPES_PART: &str = "[Content_Types].xml";
const NO_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";

/// A part's name and its text.
type Part = (String, String);

/// An .xlsx that gets comments on one of its worksheets.
pub(super) struct Package<'a> {
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
    pub(super) fn open(
        bytes: &'a [u8],
        file: &'a str,
        sheet: &Sheet,
    ) -> Result<Self, AnnotateError> {
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

    pub(super) fn annotated(
        &self,
        wanted: &BTreeMap<Cell, String>,
    ) -> Result<Vec<u8>, AnnotateError> {
        let changed = self.changed(wanted).ok_or_else(|| AnnotateError::Package {
            file: self.file.into(),
        })?;
        repacked(self.bytes, changed)
    }

    /// The parts that are new or say more than before; none where those that are there are not put
    /// together as they should be.
    fn changed(&self, wanted: &BTreeMap<Cell, String>) -> Option<BTreeMap<String, String>> {
        let placed = match &self.comments {
            Some((_, text)) => comments::placed(wanted, &comments::references(text)),
            None => comments::placed(wanted, &[]),
        };
        let mut parts = BTreeMap::new();
        if self.drawing.is_none() {
            parts.insert(self.part.clone(), self.worksheet()?);
        }
        parts.extend(self.more_relations()?);
        parts.extend(self.more_types()?);
        parts.extend([self.comments_part(&placed)?, self.drawing_part(&placed)?]);
        Some(parts)
    }

    fn comments_part(&self, placed: &BTreeMap<Cell, String>) -> Option<Part> {
        match &self.comments {
            Some((part, text)) => Some((part.clone(), comments::beside(text, placed)?)),
            None => Some((COMMENTS_PART.to_owned(), comments::alone(placed))),
        }
    }

    fn drawing_part(&self, placed: &BTreeMap<Cell, String>) -> Option<Part> {
        match &self.drawing {
            Some((part, text)) => Some((part.clone(), drawing::beside(text, placed)?)),
            None => Some((DRAWING_PART.to_owned(), drawing::alone(placed))),
        }
    }

    /// The worksheet, with the drawing named.
    fn worksheet(&self) -> Option<String> {
        let element = format!("<legacyDrawing xmlns:r=\"{RELATION}\" r:id=\"rIdCuibanDrawing\"/>");
        let (prefix, at) = drawing::place(&self.xml)?;
        let element = element.replacen('<', &format!("<{prefix}"), 1);
        Some(inserted(&self.xml, at, &element))
    }

    /// What the worksheet refers to, where that becomes more.
    fn more_relations(&self) -> Option<Option<Part>> {
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
        if relations.is_empty() {
            return Some(None);
        }
        let text = self.relations.as_deref().unwrap_or(NO_RELATIONS);
        let text = before_end(text, "Relationships", &relations)?;
        Some(Some((self.relations_part.clone(), text)))
    }

    /// What kinds of parts there are, where they become more.
    fn more_types(&self) -> Option<Option<Part>> {
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
        if types.is_empty() {
            return Some(None);
        }
        let text = before_end(&self.types, "Types", &types)?;
        Some(Some((TYPES_PART.to_owned(), text)))
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
