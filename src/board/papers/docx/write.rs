//! Blocks to WordprocessingML, and the package around them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::escape::escape;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::parts::{self, HEAD, R, W, font};
use super::{Block, Document, Line, Look, Table};

/// The paper as the bytes of a .docx.
///
/// # Errors
/// Where the zip cannot be written, which memory takes care of.
pub(in super::super) fn package(document: &Document) -> zip::result::ZipResult<Vec<u8>> {
    let mut body = String::new();
    // The line after it begins the page: a break of its own would leave an empty line there.
    let mut next_page = false;
    for block in &document.blocks {
        match block {
            Block::Line(line) => push_line(&mut body, line, std::mem::take(&mut next_page)),
            Block::Table(table) => push_table(&mut body, table),
            Block::NextPage => next_page = true,
            Block::Imprint {
                copied,
                printer,
                day,
            } => push_imprint(&mut body, copied.as_deref(), printer, day),
        }
    }
    let section = parts::SECTION;
    let main = format!(
        "{HEAD}<w:document xmlns:w=\"{W}\" xmlns:r=\"{R}\"><w:body>{body}{section}</w:body></w:document>"
    );
    let core = format!(
        "{HEAD}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title></cp:coreProperties>",
        told(&document.title)
    );
    let parts = [
        ("[Content_Types].xml", format!("{HEAD}{}", parts::TYPES)),
        ("_rels/.rels", format!("{HEAD}{}", parts::RELATIONS)),
        ("word/document.xml", main),
        (
            "word/_rels/document.xml.rels",
            format!("{HEAD}{}", parts::DOCUMENT_RELATIONS),
        ),
        ("word/styles.xml", parts::styles()),
        ("word/settings.xml", parts::settings()),
        ("word/fontTable.xml", parts::fonts()),
        ("word/footer1.xml", parts::footer(false)),
        ("word/footer2.xml", parts::footer(true)),
        ("docProps/core.xml", core),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// What a look is in Word's words: space before, line, indents, alignment; font and half points.
struct Set {
    before: u32,
    line: u32,
    indent: String,
    align: &'static str,
    font: &'static str,
    size: u32,
    red: bool,
    border: bool,
}

/// Two characters of the text's own size.
const INDENT: &str = "<w:ind w:firstLineChars=\"200\" w:firstLine=\"640\"/>";

impl Set {
    fn of(look: Look, text: &str) -> Self {
        let plain = Self {
            before: 0,
            line: 579,
            indent: String::new(),
            align: "both",
            font: "仿宋_GB2312",
            size: 32,
            red: false,
            border: false,
        };
        let indent = |indent: &str| indent.to_owned();
        match look {
            Look::Head => {
                let size = head_size(text);
                Self {
                    before: 1985,
                    line: size * 12,
                    align: "center",
                    font: "方正小标宋简体",
                    size,
                    red: true,
                    ..plain
                }
            }
            Look::Code => Self {
                before: 1158,
                align: "center",
                border: true,
                ..plain
            },
            Look::Number => Self {
                before: 200,
                align: "right",
                ..plain
            },
            Look::Title | Look::TopTitle => Self {
                before: if look == Look::Title { 1158 } else { 0 },
                line: 720,
                align: "center",
                font: "方正小标宋简体",
                size: 44,
                ..plain
            },
            Look::Addressee => Self {
                before: 579,
                ..plain
            },
            Look::Body => Self {
                indent: indent(INDENT),
                ..plain
            },
            Look::Note => Self {
                indent: indent(INDENT),
                align: "left",
                ..plain
            },
            Look::First => Self {
                indent: indent(INDENT),
                font: "黑体",
                ..plain
            },
            // Two characters in, and the lines of one annex under each other.
            Look::Annexes => Self {
                before: 579,
                indent: indent("<w:ind w:left=\"2080\" w:hanging=\"1440\"/>"),
                ..plain
            },
            Look::MoreAnnexes => Self {
                indent: indent("<w:ind w:left=\"2080\" w:hanging=\"480\"/>"),
                ..plain
            },
            Look::Issuer(right) => Self {
                before: 1158,
                indent: format!("<w:ind w:right=\"{}\"/>", right * 160),
                align: "right",
                ..plain
            },
            Look::Day => Self {
                indent: indent("<w:ind w:right=\"1280\"/>"),
                align: "right",
                ..plain
            },
            Look::AnnexMark => Self {
                font: "黑体",
                align: "left",
                ..plain
            },
            Look::Part => Self {
                before: 400,
                align: "center",
                font: "黑体",
                size: 28,
                ..plain
            },
            Look::Small => Self {
                line: 400,
                size: 24,
                align: "left",
                ..plain
            },
        }
    }
}

/// So large that the name fills the page's width and is no higher than the standard allows.
fn head_size(text: &str) -> u32 {
    let count = u32::try_from(text.chars().count().max(1)).unwrap_or(28);
    // 156 mm are 884 half points; some room to the sides.
    (840 / count).clamp(32, 124)
}

fn push_line(body: &mut String, line: &Line, next_page: bool) {
    let set = Set::of(line.look, &line.text);
    let border = match set.border {
        true => {
            "<w:pBdr><w:bottom w:val=\"single\" w:sz=\"12\" w:space=\"11\" w:color=\"FF0000\"/></w:pBdr>"
        }
        false => "",
    };
    let Set {
        before,
        line: high,
        indent,
        align,
        ..
    } = &set;
    let keep = match line.look {
        Look::First | Look::Issuer(_) | Look::AnnexMark => "<w:keepNext/>",
        _ => "",
    };
    // Only the text keeps to the grid of twenty-two lines; else Word makes two lines of a title's.
    let snap = if set.line == 579 {
        ""
    } else {
        "<w:snapToGrid w:val=\"0\"/>"
    };
    let page = if next_page {
        "<w:pageBreakBefore/>"
    } else {
        ""
    };
    let _ = write!(
        body,
        "<w:p><w:pPr>{keep}{page}{border}{snap}<w:spacing w:before=\"{before}\" w:after=\"0\" w:line=\"{high}\" w:lineRule=\"exact\"/>{indent}<w:jc w:val=\"{align}\"/></w:pPr>"
    );
    let color = if set.red {
        "<w:color w:val=\"FF0000\"/>"
    } else {
        ""
    };
    let look = |name: &str| {
        format!(
            "<w:rPr>{}{color}<w:sz w:val=\"{}\"/></w:rPr>",
            font(name),
            set.size
        )
    };
    push_run(body, &look("楷体_GB2312"), &line.lead);
    push_run(body, &look(set.font), &line.text);
    body.push_str("</w:p>");
}

fn push_run(body: &mut String, look: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let _ = write!(body, "<w:r>{look}");
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            body.push_str("<w:br/>");
        }
        let _ = write!(body, "<w:t xml:space=\"preserve\">{}</w:t>", told(line));
    }
    body.push_str("</w:r>");
}

/// Escaped, without what XML cannot hold.
fn told(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_control());
    escape(shown.collect::<String>()).into_owned()
}

/// Tenths of a millimetre as twips.
fn twips(tenths: u32) -> u32 {
    tenths * 567 / 100
}

fn push_table(body: &mut String, table: &Table) {
    let borders: String = ["top", "left", "bottom", "right", "insideH", "insideV"]
        .map(|side| {
            format!("<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"000000\"/>")
        })
        .concat();
    let grid: String = table
        .widths
        .iter()
        .map(|width| format!("<w:gridCol w:w=\"{}\"/>", twips(*width)))
        .collect();
    let whole: u32 = table.widths.iter().copied().map(twips).sum();
    let _ = write!(
        body,
        "<w:tbl><w:tblPr><w:tblW w:w=\"{whole}\" w:type=\"dxa\"/><w:jc w:val=\"center\"/><w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:left w:w=\"60\" w:type=\"dxa\"/><w:right w:w=\"60\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
    );
    let height = twips(table.height);
    let height = format!("<w:trHeight w:val=\"{height}\" w:hRule=\"atLeast\"/>");
    if !table.headings.is_empty() {
        let _ = write!(
            body,
            "<w:tr><w:trPr><w:cantSplit/>{height}<w:tblHeader/></w:trPr>"
        );
        for (text, width) in table.headings.iter().zip(&table.widths) {
            push_cell(body, text, *width, "黑体", "center");
        }
        body.push_str("</w:tr>");
    }
    for row in &table.rows {
        let _ = write!(body, "<w:tr><w:trPr><w:cantSplit/>{height}</w:trPr>");
        for (at, (text, width)) in row.iter().zip(&table.widths).enumerate() {
            let align = if table.prose.contains(&at) {
                "left"
            } else {
                "center"
            };
            push_cell(body, text, *width, "仿宋_GB2312", align);
        }
        body.push_str("</w:tr>");
    }
    body.push_str("</w:tbl>");
}

/// 小四, one and a half lines to a line.
fn push_cell(body: &mut String, text: &str, width: u32, name: &str, align: &str) {
    let _ = write!(
        body,
        "<w:tc><w:tcPr><w:tcW w:w=\"{}\" w:type=\"dxa\"/><w:vAlign w:val=\"center\"/></w:tcPr><w:p><w:pPr><w:snapToGrid w:val=\"0\"/><w:spacing w:line=\"340\" w:lineRule=\"exact\"/><w:jc w:val=\"{align}\"/></w:pPr>",
        twips(width)
    );
    let look = format!(
        "<w:rPr>{}<w:spacing w:val=\"0\"/><w:sz w:val=\"24\"/></w:rPr>",
        font(name)
    );
    push_run(body, &look, text);
    body.push_str("</w:p></w:tc>");
}

/// The foot of the text area, from the top of the page.
const FOOT: u32 = 16_838 - 1_984;
/// A line of the 版记.
const IMPRINT_LINE: u32 = 500;

/// 版记: at the foot of the page, a thick line above and below and a thin one between.
///
/// In frames, one a line: LibreOffice lays a floating table in the text, and a frame of two
/// paragraphs whose borders differ.
fn push_imprint(body: &mut String, copied: Option<&str>, printer: &str, day: &str) {
    let look = format!("<w:rPr>{}<w:sz w:val=\"28\"/></w:rPr>", font("仿宋_GB2312"));
    let last = FOOT - IMPRINT_LINE - 60;
    if let Some(copied) = copied {
        // Its lines of twenty-six characters are counted: no program but Word knows `bottom`.
        let lines = copied.chars().count().div_ceil(26);
        let height = u32::try_from(lines).unwrap_or(1) * IMPRINT_LINE;
        let place = "<w:ind w:left=\"1120\" w:right=\"280\" w:hanging=\"840\"/>";
        push_frame(body, last.saturating_sub(height + 10), &[("top", 8)], place);
        push_run(body, &look, copied);
        body.push_str("</w:p>");
    }
    let above = if copied.is_some() { 6 } else { 8 };
    let place = "<w:ind w:left=\"280\"/>";
    push_frame(body, last, &[("top", above), ("bottom", 8)], place);
    push_run(body, &look, printer);
    body.push_str("<w:r><w:tab/></w:r>");
    push_run(body, &look, day);
    body.push_str("</w:p>");
    // What the frames stand beside.
    body.push_str("<w:p><w:pPr><w:snapToGrid w:val=\"0\"/><w:spacing w:line=\"20\" w:lineRule=\"exact\"/></w:pPr></w:p>");
}

/// Opens a paragraph in a frame as wide as the text, so far down the page.
fn push_frame(body: &mut String, down: u32, borders: &[(&str, u32)], place: &str) {
    let whole = twips(1560);
    let line = |(side, size): &(&str, u32)| {
        format!("<w:{side} w:val=\"single\" w:sz=\"{size}\" w:space=\"0\" w:color=\"000000\"/>")
    };
    let borders: String = borders.iter().map(line).collect();
    let tab = whole - 280;
    let _ = write!(
        body,
        "<w:p><w:pPr><w:framePr w:w=\"{whole}\" w:hSpace=\"0\" w:wrap=\"around\" w:vAnchor=\"page\" w:hAnchor=\"margin\" w:x=\"1\" w:y=\"{down}\"/><w:pBdr>{borders}</w:pBdr><w:tabs><w:tab w:val=\"right\" w:pos=\"{tab}\"/></w:tabs><w:snapToGrid w:val=\"0\"/><w:spacing w:line=\"{IMPRINT_LINE}\" w:lineRule=\"exact\"/>{place}</w:pPr>"
    );
}
