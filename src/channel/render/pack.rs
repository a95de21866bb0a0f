//! Several people's messages in one text: what all of them share stands once, and each person's
//! part stays whole.

use minijinja::context;

use super::view::item_count;
use super::{RenderError, Short, environment, render, view_of};
use crate::domain::brief::Brief;

/// What a call's messages share: the words before and after the parts. Messages of equal frames
/// may share a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    before: String,
    after: String,
}

impl Frame {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Whether these words can stand around this one's parts too.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}\n{}", self.before, self.after)
    }
}

/// Where the parts stand in a frame; no text of ours holds it.
const PLACE: &str = "\u{1}";

/// The frame of this message; none where its kind goes alone.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn frame(brief: &Brief, form: Short) -> Result<Option<Frame>, RenderError> {
    let part = match form {
        Short::Markdown => "pack.md",
        Short::Plain => "pack.txt",
    };
    let name = format!("{}/{part}", brief.letter.as_str());
    if environment().get_template(&name).is_err() {
        return Ok(None);
    }
    let view = view_of(brief, 0, 0)?;
    let text = render(brief.letter, part, &context! { parts => PLACE, ..view })?;
    Ok(text
        .trim_end()
        .split_once(PLACE)
        .map(|(before, after)| Frame {
            before: before.to_owned(),
            after: after.to_owned(),
        }))
}

/// One person's part, with the first `shown` items and milestones of at most `gist` characters;
/// ends with an empty line.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn part(brief: &Brief, form: Short, shown: usize, gist: usize) -> Result<String, RenderError> {
    let view = view_of(brief, shown, gist)?;
    let view = context! { packed => true, ..view };
    let text = render(brief.letter, form.template(), &view)?;
    Ok(format!("{}\n\n", text.trim_end()))
}

/// One person's part in full.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn whole_part(brief: &Brief, form: Short) -> Result<String, RenderError> {
    part(brief, form, item_count(brief), usize::MAX)
}

/// The text of all these, in their order, within `most` bytes as `measure` counts them: where it
/// would be longer, every part gives way before a person does. None where even that is too long,
/// or where these cannot stand together.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn together(
    briefs: &[Brief],
    form: Short,
    most: usize,
    measure: impl Fn(&str) -> usize,
) -> Result<Option<String>, RenderError> {
    let Some(frame) = briefs.first().map(|brief| frame(brief, form)).transpose()? else {
        return Ok(None);
    };
    let Some(frame) = frame else {
        return Ok(None);
    };
    for (shown, gist) in [(usize::MAX, usize::MAX), (usize::MAX, 40), (3, 40), (0, 40)] {
        let mut text = frame.before.clone();
        for brief in briefs {
            text.push_str(&part(brief, form, shown.min(item_count(brief)), gist)?);
        }
        text.truncate(text.trim_end().len());
        text.push_str(&frame.after);
        if measure(&text) <= most {
            return Ok(Some(text));
        }
    }
    Ok(None)
}
