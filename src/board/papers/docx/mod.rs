//! Official papers as .docx, in the layout of GB/T 9704-2012: 党政机关公文格式.
//!
//! A typed writer of our own, a few hundred lines over `zip` and quick-xml's escaping, both of
//! which are here anyway. Not docx-rs: it would bring a second zip and a second quick-xml, and has
//! no 奇偶页 footers, no floating 版记 and no document grid, which is most of what the standard is
//! about. Not a filled template: Word's own files would be a binary nobody can review.

mod parts;
mod title;
mod write;

pub(super) use title::in_lines;
pub(super) use write::package;

/// A paper from its first line to its 版记.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Document {
    /// For the file's properties.
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// What stands below the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Line(Line),
    Table(Table),
    /// 版记, at the foot of its page: 抄送, then who prints it and when.
    Imprint {
        copied: Option<String>,
        printer: String,
        day: String,
    },
    NextPage,
}

/// A paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) look: Look,
    pub(super) text: String,
    /// Words at its beginning that head it, in 楷体.
    pub(super) lead: String,
}

/// How a paragraph stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// 发文机关标志: red, as large as the page takes.
    Head,
    /// 发文字号, with the red line below.
    Code,
    /// The number of a paper without 版头, to the right.
    Number,
    /// 标题: 二号小标宋.
    Title,
    /// 标题 at the top of a page.
    TopTitle,
    /// 主送机关.
    Addressee,
    /// 正文: 三号仿宋.
    Body,
    /// 一级标题: 黑体.
    First,
    /// 附件说明, the first of its lines.
    Annexes,
    /// And those below.
    MoreAnnexes,
    /// 发文机关署名, so many half characters from the right.
    Issuer(u32),
    /// 成文日期.
    Day,
    /// 附注.
    Note,
    /// `附件1` over an annex.
    AnnexMark,
    /// The heading of a form's part.
    Part,
    /// Small words below a table.
    Small,
}

/// A table with a line around every cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// In tenths of a millimetre; 1560 is the page.
    pub(super) widths: Vec<u32>,
    /// None where it is a form.
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Columns of prose: to the left; all others are centred.
    pub(super) prose: Vec<usize>,
    /// Rows at least this high, in tenths of a millimetre.
    pub(super) height: u32,
}

impl Block {
    pub(super) fn line(look: Look, text: impl Into<String>) -> Self {
        Self::Line(Line {
            look,
            text: text.into(),
            lead: String::new(),
        })
    }

    pub(super) fn led(lead: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Line(Line {
            look: Look::Body,
            text: text.into(),
            lead: lead.into(),
        })
    }

    /// 署名 and 成文日期, centred over each other, the day four characters from the right.
    pub(super) fn signature(issuer: &str, day: String) -> [Self; 2] {
        let half = |text: &str| -> u32 {
            let widths = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 });
            widths.sum()
        };
        // In half characters: the day ends eight from the edge.
        let right = (16 + half(&day)).saturating_sub(half(issuer)) / 2;
        [
            Self::line(Look::Issuer(right), issuer),
            Self::line(Look::Day, day),
        ]
    }
}

impl Table {
    /// Columns by name and width, in tenths of a millimetre; `prose` are those to the left.
    pub(super) fn new(columns: &[(&str, u32)], rows: Vec<Vec<String>>, prose: &[usize]) -> Self {
        Self {
            widths: columns.iter().map(|(_, width)| *width).collect(),
            headings: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            rows,
            prose: prose.to_vec(),
            height: 80,
        }
    }
}

/// What a reader sees, for whoever compares.
impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for block in &self.blocks {
            match block {
                Block::Line(line) => writeln!(f, "[{:?}] {}{}", line.look, line.lead, line.text)?,
                Block::NextPage => writeln!(f, "————————")?,
                Block::Imprint {
                    copied,
                    printer,
                    day,
                } => {
                    if let Some(copied) = copied {
                        writeln!(f, "[版记] {copied}")?;
                    }
                    writeln!(f, "[版记] {printer}　　{day}")?;
                }
                Block::Table(table) => {
                    for row in std::iter::once(&table.headings).chain(&table.rows) {
                        if !row.is_empty() {
                            writeln!(f, "| {} |", row.join(" | ").replace('\n', "⏎"))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
