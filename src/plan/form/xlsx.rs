//! Excel workbooks (.xlsx): the worksheet that holds the table, read once, cell by cell, while the
//! strings that cells share are read on another core.
//!
//! Not by calamine, which reads .xls for us: its bounds are not ours (a small file may unpack to
//! gigabytes of strings before it says a word), and it does not tell hidden rows and columns, nor
//! merged cells without reading the sheet again.

mod cells;
mod strings;
mod styles;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::columns::Mapping;
use super::super::sheet::Sheet;
use super::super::{TableError, parallel};
use super::archive::Archive;
use super::pick;
use super::xml::{attribute, is_on};
use cells::Cells;
use strings::Strings;
use styles::Number;

pub(super) use styles::plain_number;

pub(super) fn read(
    archive: &mut Archive<'_>,
    file: &str,
    mapping: &Mapping,
) -> Result<Sheet, TableError> {
    let main = archive.main_part("xl/workbook.xml")?;
    let book = Book::read(archive, &main)?;
    if let [only] = book.worksheets.as_slice() {
        let large = archive.packed() > SMALL;
        let aside = archive.aside();
        let strings = || book.strings(&mut aside.clone());
        let mut cells = || book.cells(archive, &only.part, file);
        let (strings, cells) = match large {
            true => parallel::both(strings, cells),
            false => (strings(), cells()),
        };
        let mut sheet = cells?.sheet(&strings?, file)?;
        sheet.worksheet = Some(only.name.clone());
        return Ok(sheet);
    }
    let strings = book.strings(archive)?;
    let mut found = Vec::new();
    for worksheet in &book.worksheets {
        let beginning = archive.beginning(&worksheet.part, BEGINNING);
        let beginning = beginning.unwrap_or_default();
        let beginning = Cells::read(&book, beginning.as_bytes(), file, Some(pick::ROWS));
        let beginning = beginning.and_then(|cells| cells.sheet(&strings, file));
        let rows = beginning.map(|sheet| sheet.rows).unwrap_or_default();
        found.push(pick::Candidate::of(&rows, worksheet.hidden, mapping));
    }
    let chosen = pick::best(&found);
    let worksheet = book.worksheets.get(chosen);
    let worksheet = worksheet.ok_or_else(|| archive.damaged())?;
    let cells = book.cells(archive, &worksheet.part, file)?;
    let mut sheet = cells.sheet(&strings, file)?;
    let names = book.worksheets.iter().map(|one| one.name.clone());
    pick::tell(&mut sheet, chosen, names, &found);
    Ok(sheet)
}

/// In bytes of the file: such a one is read before another core has woken up.
const SMALL: usize = 512 << 10;

/// Worksheets beyond are not looked at.
const MOST_WORKSHEETS: usize = 1_000;

/// Of a worksheet, enough to see its headings.
const BEGINNING: u64 = 128 << 10;

/// What the worksheets share.
#[derive(Default)]
struct Book {
    worksheets: Vec<Worksheet>,
    /// The part with the strings that cells share.
    strings: Option<String>,
    /// By style, what a number in it is.
    styles: Vec<Number>,
    from_1904: bool,
}

struct Worksheet {
    name: String,
    part: String,
    hidden: bool,
}

impl Book {
    fn read(archive: &mut Archive<'_>, main: &str) -> Result<Self, TableError> {
        let xml = archive.part(main)?.ok_or_else(|| archive.damaged())?;
        let relations = archive.relations(main)?;
        let mut book = Self::default();
        let mut reader = Reader::from_str(&xml);
        loop {
            let event = reader.read_event().map_err(|_| archive.damaged())?;
            let start = match &event {
                Event::Start(start) | Event::Empty(start) => start,
                Event::Eof => break,
                _ => continue,
            };
            match start.local_name().as_ref() {
                "workbookPr" => {
                    let from_1904 = attribute(start, "date1904");
                    book.from_1904 = from_1904.is_some() && is_on(from_1904.as_deref());
                }
                "sheet" if book.worksheets.len() < MOST_WORKSHEETS => {
                    let id = attribute(start, "id").unwrap_or_default();
                    let part = relations.iter().find(|one| one.id == id);
                    // A sheet of charts or macros has no cells.
                    let part = part.filter(|one| one.kind == "worksheet");
                    book.worksheets.extend(part.map(|part| Worksheet {
                        name: attribute(start, "name").unwrap_or_default().into_owned(),
                        part: part.target.clone(),
                        hidden: attribute(start, "state").is_some_and(|state| state != "visible"),
                    }));
                }
                _ => {}
            }
        }
        for relation in relations {
            match relation.kind.as_str() {
                "sharedStrings" => book.strings = Some(relation.target),
                "styles" => {
                    if let Some(xml) = archive.part(&relation.target)? {
                        book.styles = styles::styles(&xml).ok_or_else(|| archive.damaged())?;
                    }
                }
                _ => {}
            }
        }
        Ok(book)
    }

    fn strings(&self, archive: &mut Archive<'_>) -> Result<Strings, TableError> {
        let part = self.strings.as_ref();
        let xml = part.map(|part| archive.bytes(part)).transpose()?.flatten();
        xml.map_or(Some(Strings::default()), |xml| Strings::read(&xml))
            .ok_or_else(|| archive.damaged())
    }

    fn cells(
        &self,
        archive: &mut Archive<'_>,
        part: &str,
        file: &str,
    ) -> Result<Cells, TableError> {
        let xml = archive.bytes(part)?.ok_or_else(|| archive.damaged())?;
        Cells::read(self, &xml, file, None)
    }

    /// What a number in a cell of this style shows.
    fn text_of(&self, number: f64, style: usize) -> String {
        let style = self.styles.get(style).unwrap_or(&Number::Plain);
        style.text(number, self.from_1904)
    }
}
