//! The effective settings as text, for `config show`.

use std::fmt;

use super::Loaded;
use super::gathered::Setting;

/// `config show`: a TOML text of the effective values, each with where it comes from.
pub struct Show<'a>(pub &'a Loaded);

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.0.settings;
        let mut sections: Vec<&str> = Vec::new();
        for setting in settings {
            if !sections.contains(&setting.section.as_str()) {
                sections.push(&setting.section);
            }
        }
        for (n, section) in sections.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}", heading(section))?;
            for setting in settings.iter().filter(|known| known.section == *section) {
                write_setting(f, setting)?;
            }
        }
        for warning in &self.0.warnings {
            write!(f, "\n# 注意：{warning}")?;
        }
        if !self.0.warnings.is_empty() {
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `wecom.robot[1]` was written as `[[wecom.robot]]`.
fn heading(section: &str) -> String {
    match section.split_once('[') {
        Some((list, _)) => format!("[[{list}]]"),
        None => format!("[{section}]"),
    }
}

fn write_setting(f: &mut fmt::Formatter<'_>, setting: &Setting) -> fmt::Result {
    /// Where the remarks begin.
    const COLUMN: usize = 44;
    match &setting.value {
        Some(value) => {
            let line = format!("{} = {value}", setting.key);
            let gap = COLUMN.saturating_sub(columns(&line)).max(2);
            writeln!(f, "{line}{:gap$}# {}", "", setting.origin)
        }
        None => writeln!(f, "# {} 未填写", setting.key),
    }
}

/// Columns on a terminal, where a Chinese character takes two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}
