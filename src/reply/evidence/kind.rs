//! What a file is, by its content; what its name or its sender says does not count.
//!
//! New Office files and OFD are ZIP archives told by the names in their directory, old ones (and
//! those of WPS) compound files told by the names of their streams. Nothing is unpacked, and what
//! is read at a time is bounded, whatever the file says of itself.

use std::io::{self, Read, Seek, SeekFrom};

use crate::domain::evidence::{FileKind, NotTaken};

/// Reads as little of the file as will tell.
///
/// # Errors
/// Where it cannot be read.
pub(in crate::reply) fn of(
    file: &mut (impl Read + Seek),
) -> io::Result<Result<FileKind, NotTaken>> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::take(&mut *file, 1024).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    if let Some(kind) = picture_or_pdf(&head) {
        return Ok(Ok(kind));
    }
    if head.starts_with(b"PK\x03\x04") {
        return Ok(archive(&names_in_archive(file)?));
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return compound(file);
    }
    Ok(Err(NotTaken::Kind))
}

fn picture_or_pdf(head: &[u8]) -> Option<FileKind> {
    const BRANDS: [&[u8]; 7] = [
        b"heic", b"heix", b"hevc", b"hevx", b"heim", b"mif1", b"msf1",
    ];
    let at = |from: usize, len: usize| head.get(from..from + len).unwrap_or_default();
    if head.starts_with(b"\xff\xd8\xff") {
        Some(FileKind::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(FileKind::Png)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        Some(FileKind::Gif)
    } else if head.starts_with(b"RIFF") && at(8, 4) == b"WEBP" {
        Some(FileKind::Webp)
    } else if at(4, 4) == b"ftyp" && BRANDS.contains(&at(8, 4)) {
        Some(FileKind::Heic)
    } else if head.windows(5).any(|window| window == b"%PDF-") {
        // Some printers put a line of their own before it.
        Some(FileKind::Pdf)
    } else {
        None
    }
}

fn archive(names: &[Vec<u8>]) -> Result<FileKind, NotTaken> {
    let has = |name: &[u8]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    let under = |folder: &[u8]| names.iter().any(|one| one.starts_with(folder));
    if names.iter().any(|name| name.ends_with(b"vbaProject.bin")) {
        return Err(NotTaken::Macros);
    }
    if has(b"OFD.xml") {
        return Ok(FileKind::Ofd);
    }
    if !has(b"[Content_Types].xml") {
        return Err(NotTaken::Kind);
    }
    match () {
        () if under(b"word/") => Ok(FileKind::Docx),
        () if under(b"xl/") => Ok(FileKind::Xlsx),
        () if under(b"ppt/") => Ok(FileKind::Pptx),
        () => Err(NotTaken::Kind),
    }
}

/// The names in the directory at an archive's end; none where there is no whole one.
fn names_in_archive(file: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<u8>>> {
    /// The record at the end with the longest comment.
    const END: u64 = 22 + 65_535;
    /// No document has a directory as large as this.
    const LARGEST: u64 = 4 << 20;
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    Read::take(&mut *file, END).read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06");
    let end = end.and_then(|end| tail.get(end..)).unwrap_or_default();
    let (Some(size), Some(start)) = (number(end, 12, 4), number(end, 16, 4)) else {
        return Ok(Vec::new());
    };
    if size > LARGEST || start + size > length {
        return Ok(Vec::new());
    }
    let mut directory = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    Read::take(&mut *file, size).read_to_end(&mut directory)?;
    let mut names = Vec::new();
    let mut rest = directory.as_slice();
    while rest.starts_with(b"PK\x01\x02") {
        let lengths = [
            number(rest, 28, 2),
            number(rest, 30, 2),
            number(rest, 32, 2),
        ];
        let [Some(name), Some(extra), Some(comment)] =
            lengths.map(|n| n.and_then(|n| usize::try_from(n).ok()))
        else {
            break;
        };
        let Some(found) = rest.get(46..46 + name) else {
            break;
        };
        names.push(found.to_vec());
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    Ok(names)
}

/// Entries of a compound file's directory begin at multiples of their own length, wherever the
/// directory lies.
fn compound(file: &mut (impl Read + Seek)) -> io::Result<Result<FileKind, NotTaken>> {
    const ENTRY: usize = 128;
    let known: [(&str, Result<FileKind, NotTaken>); 5] = [
        ("EncryptedPackage", Err(NotTaken::Locked)),
        ("WordDocument", Ok(FileKind::Doc)),
        ("Workbook", Ok(FileKind::Xls)),
        ("Book", Ok(FileKind::Xls)),
        ("PowerPoint Document", Ok(FileKind::Ppt)),
    ];
    let known = known.map(|(name, what)| {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        (units, what)
    });
    file.seek(SeekFrom::Start(0))?;
    let mut reader = io::BufReader::with_capacity(64 * 1024, file);
    let mut entry = [0; ENTRY];
    loop {
        match reader.read_exact(&mut entry) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Err(NotTaken::Kind));
            }
            Err(error) => return Err(error),
        }
        let length = number(&entry, 64, 2).and_then(|n| usize::try_from(n).ok());
        let name = length
            .and_then(|length| entry.get(..length.checked_sub(2)?))
            .filter(|name| name.len() <= 62);
        let found = known
            .iter()
            .find(|(known, _)| Some(known.as_slice()) == name);
        if let Some((_, what)) = found {
            return Ok(what.clone());
        }
    }
}

/// A number in the byte order of both forms.
fn number(bytes: &[u8], from: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(from..from + len)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    fn told(bytes: &[u8]) -> Result<FileKind, NotTaken> {
        of(&mut Cursor::new(bytes)).unwrap()
    }

    fn zipped(names: &[&str]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(*name, options).unwrap();
            zip.write_all(b"<x/>").unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A compound file with this one stream, its directory in a sector somewhere.
    fn compound_of(stream: &str) -> Vec<u8> {
        let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        bytes.resize(512 * 9, 0x11);
        for name in ["Root Entry", stream] {
            let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let length = u16::try_from(entry.len() + 2).unwrap();
            entry.resize(64, 0);
            entry.extend(length.to_le_bytes());
            entry.resize(128, 0);
            bytes.extend(entry);
        }
        bytes.resize(512 * 12, 0);
        bytes
    }

    #[test]
    fn pictures_and_documents_are_known_by_what_is_in_them() {
        let office = |folder: &str| zipped(&["_rels/.rels", folder, "[Content_Types].xml"]);
        let cases: [(&[u8], FileKind); 14] = [
            (b"\xff\xd8\xff\xe0..JFIF", FileKind::Jpeg),
            (b"\x89PNG\r\n\x1a\n....", FileKind::Png),
            (b"GIF89a....", FileKind::Gif),
            (b"RIFF\x10\0\0\0WEBPVP8 ", FileKind::Webp),
            (b"\0\0\0\x18ftypheic\0\0\0\0", FileKind::Heic),
            (b"%PDF-1.7\n", FileKind::Pdf),
            (b"\r\n%PDF-1.4\n", FileKind::Pdf),
            (&office("word/document.xml"), FileKind::Docx),
            (&office("xl/workbook.xml"), FileKind::Xlsx),
            (&office("ppt/presentation.xml"), FileKind::Pptx),
            (&zipped(&["OFD.xml", "Doc_0/Document.xml"]), FileKind::Ofd),
            (&compound_of("WordDocument"), FileKind::Doc),
            (&compound_of("Workbook"), FileKind::Xls),
            (&compound_of("PowerPoint Document"), FileKind::Ppt),
        ];
        for (bytes, kind) in cases {
            assert_eq!(told(bytes), Ok(kind));
        }
    }

    #[test]
    fn whatever_else_comes_is_named_and_refused() {
        let macros = zipped(&[
            "[Content_Types].xml",
            "word/document.xml",
            "word/vbaProject.bin",
        ]);
        let mut cut = zipped(&["[Content_Types].xml", "word/document.xml"]);
        cut.truncate(cut.len() - 10);
        let mut lies = zipped(&["[Content_Types].xml", "word/document.xml"]);
        let end = lies.len() - 22;
        lies[end + 16..end + 20].copy_from_slice(&[0xff; 4]);
        let cases: [(&[u8], NotTaken); 11] = [
            (b"", NotTaken::Empty),
            (b"MZ\x90\0program", NotTaken::Kind),
            (b"<html><script>alert(1)</script>", NotTaken::Kind),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotTaken::Kind),
            (b"\0\0\0\x18ftypisom\0\0\0\0", NotTaken::Kind),
            (&zipped(&["a.exe"]), NotTaken::Kind),
            (&cut, NotTaken::Kind),
            (&lies, NotTaken::Kind),
            (&macros, NotTaken::Macros),
            (&compound_of("EncryptedPackage"), NotTaken::Locked),
            (&compound_of("!_StringData"), NotTaken::Kind),
        ];
        for (bytes, why) in cases {
            assert_eq!(told(bytes), Err(why));
        }
    }
}
