//! The buttons of the owner's page beside 提交: what each is for stands in `go`.

use super::filled::{Filled, read_place};
use crate::domain::evidence::FileHash;
use crate::domain::ids::TaskNo;
use crate::web::WebError;

/// What a button is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Go {
    /// 暂存
    Keep,
    /// 已知悉
    Seen,
    /// 上传
    Upload,
    /// 移除: a file, from beside an item.
    Remove((TaskNo, u8), FileHash),
    /// To a page of its own under the link: `extension/16/0`.
    Page(String),
}

impl Go {
    /// The button that sent the form; none where it was 提交.
    ///
    /// # Errors
    /// Where it is none of the page's.
    pub(super) fn of(form: &Filled) -> Result<Option<Self>, WebError> {
        let Some(value) = form.field("go") else {
            return Ok(None);
        };
        read(value).map(Some).ok_or(WebError::NotFound)
    }

    /// Where it leads, below the link.
    pub(super) fn leads_to(&self) -> String {
        match self {
            Self::Keep => "?done=kept".into(),
            Self::Seen => "?done=seen".into(),
            Self::Upload => "?done=uploaded".into(),
            Self::Remove(..) => "?done=removed".into(),
            Self::Page(page) => format!("/{page}"),
        }
    }
}

fn read(value: &str) -> Option<Go> {
    let (name, rest) = value.split_once('-').unwrap_or((value, ""));
    let page = |page: &str| {
        let (task, group) = read_place(rest)?;
        Some(Go::Page(format!("{page}/{task}/{group}")))
    };
    match name {
        "keep" => Some(Go::Keep),
        "seen" => Some(Go::Seen),
        "upload" => Some(Go::Upload),
        "remove" => {
            let (place, hash) = rest.split_once('.')?;
            Some(Go::Remove(read_place(place)?, FileHash::new(hash).ok()?))
        }
        "extension" => page("extension"),
        "notmine" => page("not-mine"),
        "summary" => {
            let task: TaskNo = rest.parse().ok()?;
            Some(Go::Page(format!("summary/{task}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_leads_nowhere_but_below_the_link() {
        let hash = "ab".repeat(32);
        let cases = [
            ("keep", Some("?done=kept")),
            ("upload", Some("?done=uploaded")),
            ("extension-16-0", Some("/extension/16/0")),
            ("notmine-16-1", Some("/not-mine/16/1")),
            ("summary-16", Some("/summary/16")),
            ("summary-//evil.example", None),
            ("extension-16-0/../..", None),
            ("https://evil.example", None),
            ("remove-16-0.x", None),
            ("", None),
        ];
        for (value, leads) in cases {
            let found = read(value).map(|go| go.leads_to());
            assert_eq!(found.as_deref(), leads, "{value}");
        }
        let removed = read(&format!("remove-16-0.{hash}"));
        assert_eq!(
            removed,
            Some(Go::Remove((16, 0), FileHash::new(&hash).unwrap()))
        );
    }
}
