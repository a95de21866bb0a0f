//! A file's bytes to a sheet of cells, whatever its form; told by its content, never by its name.
//!
//! [`text`] reads .txt, .csv and .tsv; [`xlsx`], [`xls`], [`ods`] and [`docx`] theirs. All keep
//! within bounds: [`archive`] unpacks no more than a table can have, [`mod@compound`] looks through an
//! old workbook before it is read, and a [`Sheet`] refuses to grow beyond any table.
//!
//! Hidden rows and columns are data like any other: a row is hidden because a filter was left on or
//! for printing, and its task still has to be done; a finding tells of it. A hidden worksheet is
//! read only where no visible one has the headings.

pub(super) mod annotate;
mod archive;
mod compound;
mod docx;
pub(super) mod encoding;
mod ods;
mod pick;
mod text;
mod xls;
mod xlsx;
mod xml;

use archive::Archive;
pub(in crate::plan) use archive::is_bounded;
use compound::Compound;

use super::columns::Mapping;
use super::sheet::Sheet;
use super::{LARGEST_FILE, TableError};

/// Reads the table out of a file.
pub(super) fn read(bytes: &[u8], file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    if u64::try_from(bytes.len()).map_or(true, |size| size > LARGEST_FILE) {
        return Err(TableError::TooLarge { file: file.into() });
    }
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => packed(bytes, file, mapping),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => compound(bytes, file, mapping),
        _ => match other_form(bytes) {
            Some(form) => Err(other(file, form)),
            None => text::read(bytes, file, mapping),
        },
    }
}

fn other(file: &str, form: &'static str) -> TableError {
    TableError::OtherForm {
        file: file.into(),
        form,
    }
}

fn packed(bytes: &[u8], file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    /// Forms that are a zip too, by a part only they have.
    const OTHERS: [(&str, &str); 4] = [
        ("xl/workbook.bin", "二进制 Excel 工作簿（.xlsb）"),
        ("ppt/presentation.xml", "演示文稿（.pptx）"),
        ("OFD.xml", " OFD 版式文件"),
        ("Index/Document.iwa", " Numbers 或 Pages 文件"),
    ];
    let mut archive = Archive::open(bytes, file)?;
    if let Some((_, form)) = OTHERS.iter().find(|(part, _)| archive.has(part)) {
        return Err(other(file, form));
    }
    if archive.has("content.xml") {
        let kind = archive.beginning("mimetype", 200).unwrap_or_default();
        return match kind.contains("text") {
            true => Err(other(file, " OpenDocument 文档（.odt）")),
            false => ods::read(&mut archive, file, mapping),
        };
    }
    let main = archive.main_part("")?;
    if main.starts_with("xl/") || archive.has("xl/workbook.xml") {
        return xlsx::read(&mut archive, file, mapping);
    }
    if main.starts_with("word/") || archive.has("word/document.xml") {
        return docx::read(&mut archive, file);
    }
    Err(TableError::Binary { file: file.into() })
}

fn compound(bytes: &[u8], file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    let damaged = || TableError::Damaged { file: file.into() };
    let compound = Compound::open(bytes).ok_or_else(damaged)?;
    if compound.has("EncryptedPackage") {
        return Err(TableError::Encrypted { file: file.into() });
    }
    if compound.has("WordDocument") {
        return Err(other(file, "旧版 Word 文档（.doc）"));
    }
    match ["Workbook", "Book"]
        .into_iter()
        .find(|name| compound.has(name))
    {
        Some(name) => {
            let stream = compound.stream(name).ok_or_else(damaged)?;
            xls::read(&stream, bytes, file, mapping)
        }
        None => Err(TableError::Binary { file: file.into() }),
    }
}

/// Forms that are known and not read, by how they begin.
fn other_form(bytes: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 12] = [
        (b"%PDF", " PDF 文件"),
        (b"\x89PNG", "图片"),
        (b"\xff\xd8\xff", "图片"),
        (b"GIF8", "图片"),
        (b"BM", "图片"),
        (b"II*\0", "图片"),
        (b"MM\0*", "图片"),
        (b"RIFF", "图片"),
        (b"{\\rtf", " RTF 文档"),
        (b"Rar!", "压缩包（请先解压）"),
        (b"7z\xbc\xaf", "压缩包（请先解压）"),
        (b"\x1f\x8b", "压缩包（请先解压）"),
    ];
    let known = BEGINNINGS.iter().find(|(begin, form)| {
        // `BM` may begin a text; a picture has zeros.
        bytes.starts_with(begin) && (begin.len() > 2 || *form != "图片" || bytes.contains(&0))
    });
    if let Some((_, form)) = known {
        return Some(form);
    }
    let beginning = bytes.get(..bytes.len().min(600)).unwrap_or_default();
    let beginning = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let beginning = beginning.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    // What some office systems export as .xls or .doc.
    let is_page = [
        "<html",
        "<!doctype",
        "<?xml",
        "<table",
        "<head",
        "mime-version:",
    ];
    let is_page = is_page.iter().any(|begin| beginning.starts_with(begin));
    is_page.then_some("网页格式的文件")
}

#[cfg(test)]
pub(super) mod tests;
