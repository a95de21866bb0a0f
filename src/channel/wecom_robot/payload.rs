//! What is posted: one person's message, or several people's in one.

use serde::Serialize;

use crate::channel::Measure;
use crate::channel::render::{self, RenderError, Short, pack};
use crate::config::wecom::Format;
use crate::domain::brief::Brief;

/// Bytes a markdown text may have, of either kind.
const MARKDOWN_LIMIT: usize = 4096;
/// Bytes a plain text may have.
const TEXT_LIMIT: usize = 2048;

#[derive(Serialize)]
#[serde(tag = "msgtype", rename_all = "snake_case")]
pub(super) enum Payload {
    Markdown { markdown: Content },
    MarkdownV2 { markdown_v2: Content },
    Text { text: Content },
}

#[derive(Serialize)]
pub(super) struct Content {
    content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mentioned_mobile_list: Vec<String>,
}

/// Markdown mentions by account; a telephone number can be mentioned in plain text only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Markdown,
    MarkdownV2,
    Text,
}

/// One person's message, shortened to fit.
pub(super) fn single(brief: &Brief, format: Format) -> Result<Payload, RenderError> {
    let form = Form::of(brief, format);
    let text = render::short(brief, form.short(), form.limit())?;
    Ok(form.payload(text, std::slice::from_ref(brief)))
}

/// Several people's in one; none where they do not fit.
pub(super) fn together(briefs: &[Brief], format: Format) -> Result<Option<Payload>, RenderError> {
    let Some(first) = briefs.first() else {
        return Ok(None);
    };
    let form = Form::of(first, format);
    let measure = |text: &str| form.spoken(text).len();
    let text = pack::together(briefs, form.short(), form.limit(), measure)?;
    Ok(text.map(|text| form.payload(text, briefs)))
}

/// What this message takes of a call; none where its kind goes alone.
pub(super) fn measure(brief: &Brief, format: Format) -> Result<Option<Measure>, RenderError> {
    let form = Form::of(brief, format);
    let Some(frame) = pack::frame(brief, form.short())? else {
        return Ok(None);
    };
    let part = pack::whole_part(brief, form.short())?;
    let name = frame.name();
    Ok(Some(Measure {
        bytes: form.spoken(&part).len(),
        // One byte of the name is not the frame's.
        room: (form.limit() + 1).saturating_sub(form.spoken(&name).len()),
        kind: format!("{form:?} {name}"),
    }))
}

impl Form {
    fn of(brief: &Brief, format: Format) -> Self {
        match (&brief.contact.wecom_user, &brief.contact.mobile) {
            (None, Some(_)) => Self::Text,
            _ => match format {
                Format::Markdown => Self::Markdown,
                Format::MarkdownV2 => Self::MarkdownV2,
            },
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Markdown | Self::MarkdownV2 => MARKDOWN_LIMIT,
            Self::Text => TEXT_LIMIT,
        }
    }

    fn short(self) -> Short {
        match self {
            Self::Markdown | Self::MarkdownV2 => Short::Markdown,
            Self::Text => Short::Plain,
        }
    }

    /// The text as this form has it. The second markdown knows no colours and no mentions.
    fn spoken(self, text: &str) -> String {
        match self {
            Self::MarkdownV2 => without_tags(text),
            Self::Markdown | Self::Text => text.to_owned(),
        }
    }

    fn payload(self, text: String, briefs: &[Brief]) -> Payload {
        let content = |mentioned_mobile_list| Content {
            content: self.spoken(&text),
            mentioned_mobile_list,
        };
        match self {
            Self::Markdown => Payload::Markdown {
                markdown: content(Vec::new()),
            },
            Self::MarkdownV2 => Payload::MarkdownV2 {
                markdown_v2: content(Vec::new()),
            },
            Self::Text => Payload::Text {
                text: content(
                    briefs
                        .iter()
                        .filter_map(|brief| brief.contact.mobile.clone())
                        .collect(),
                ),
            },
        }
    }
}

/// Without `<font …>`, `</font>` and `<@account> `; what people wrote holds no such sign any more.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        kept.push_str(before);
        let Some((tag, after)) = tag.split_once('>') else {
            kept.push('<');
            kept.push_str(tag);
            return kept;
        };
        rest = match tag.strip_prefix('@') {
            Some(_) => after.strip_prefix(' ').unwrap_or(after),
            None => after,
        };
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_markdown_has_neither_colours_nor_mentions() {
        assert_eq!(
            without_tags(
                r#"<@wx1> **钟靖平同志**：<font color="warning">（3月31日到期）</font> a<b"#
            ),
            "**钟靖平同志**：（3月31日到期） a<b"
        );
    }
}
