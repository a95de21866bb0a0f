//! Text put into XML that stays as it is otherwise.

/// The text with something more before the end of its root, which may be written `<root/>`.
pub(super) fn before_end(text: &str, root: &str, more: &str) -> Option<String> {
    if let Some(end) = text.rfind(&format!("</{root}>")) {
        return Some(inserted(text, end, more));
    }
    let (head, tail) = text.rsplit_once("/>")?;
    Some(format!("{head}>{more}</{root}>{tail}"))
}

pub(super) fn inserted(text: &str, at: usize, more: &str) -> String {
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{head}{more}{tail}")
}
