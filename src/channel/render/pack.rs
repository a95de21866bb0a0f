//! Several people's messages in one text: what all of them share stands once, and each person's
//! part stays whole.

use minijinja::context;

use super::view::item_count;
use super::{RenderError, Short, Templates};
use crate::domain::brief::Brief;

/// What a call's messages share: the words before and after the parts. Messages of equal frames
/// may share a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    before: String,
    after: String,
}

impl Frame {
    /// Both, one after the other, with a line break between them.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}\n{}", self.before, self.after)
    }
}

/// Where the parts stand in a frame; no text of ours holds it.
pub(super) const PLACE: &str = "\u{1}";

/// The frame of this message, with the templates in force; none where its kind goes alone.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn frame(brief: &Brief, form: Short) -> Result<Option<Frame>, RenderError> {
    Templates::in_force().frame(brief, form)
}

/// One person's part in full, likewise; ends with an empty line.
///
/// # Errors
/// [`RenderError`] names the template.
pub fn whole_part(brief: &Brief, form: Short) -> Result<String, RenderError> {
    Templates::in_force().part(brief, form, item_count(brief), usize::MAX)
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
    let templates = Templates::in_force();
    let Some(first) = briefs.first() else {
        return Ok(None);
    };
    let Some(frame) = templates.frame(first, form)? else {
        return Ok(None);
    };
    for (shown, gist) in [(usize::MAX, usize::MAX), (usize::MAX, 40), (3, 40), (0, 40)] {
        let mut text = frame.before.clone();
        for brief in briefs {
            let shown = shown.min(item_count(brief));
            text.push_str(&templates.part(brief, form, shown, gist)?);
        }
        text.truncate(text.trim_end().len());
        text.push_str(&frame.after);
        if measure(&text) <= most {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

impl Templates {
    pub(super) fn frame(&self, brief: &Brief, form: Short) -> Result<Option<Frame>, RenderError> {
        let part = match form {
            Short::Markdown => "pack.md",
            Short::Plain => "pack.txt",
        };
        if !self.has(brief, part) || self.is_reworded(brief, form, part) {
            return Ok(None);
        }
        let view = self.view_of(brief, 0, 0)?;
        let text = self.render(brief, part, &context! { parts => PLACE, ..view })?;
        Ok(text
            .trim_end()
            .split_once(PLACE)
            .map(|(before, after)| Frame {
                before: before.to_owned(),
                after: after.to_owned(),
            }))
    }

    /// Whether an office has its own words for one person but not for several: then its own words
    /// go first, and each person's message goes alone.
    fn is_reworded(&self, brief: &Brief, form: Short, pack: &str) -> bool {
        let own = |part: &str| self.own().contains(&self.find(brief, part));
        !own(pack) && (own("opening.txt") || own(form.template()))
    }

    /// One person's part, with the first `shown` items and milestones of at most `gist` characters.
    fn part(
        &self,
        brief: &Brief,
        form: Short,
        shown: usize,
        gist: usize,
    ) -> Result<String, RenderError> {
        let view = self.view_of(brief, shown, gist)?;
        let view = context! { packed => true, ..view };
        let text = self.render(brief, form.template(), &view)?;
        Ok(format!("{}\n\n", text.trim_end()))
    }
}
