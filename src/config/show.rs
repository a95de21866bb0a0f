//! The effective settings and the warnings, for `config show` and `config check`.

use std::fmt;

use serde_json::{Value, json};

use super::Loaded;
use super::gathered::Setting;

/// `config show`: a TOML text of the effective values, each with where it comes from.
pub struct Show<'a>(pub &'a Loaded);

impl Show<'_> {
    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let settings = self.0.settings.iter().map(|setting| {
            json!({
                "section": setting.section,
                "key": setting.key,
                "value": setting.value,
                "origin": setting.origin.to_string(),
            })
        });
        json!({
            "settings": settings.collect::<Vec<_>>(),
            "warnings": self.0.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// `config check`, where there are no faults: what was read, and what is worth a look.
pub struct Check<'a>(pub &'a Loaded);

impl fmt::Display for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.sources.as_slice() {
            [] => writeln!(f, "没有配置文件，全部使用默认值。")?,
            files => {
                let files: Vec<String> = files
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect();
                writeln!(f, "配置正确：{}", files.join("、"))?;
            }
        }
        for warning in &self.0.warnings {
            writeln!(f, "  注意 {warning}")?;
        }
        let channels = self.0.config.channels();
        let channels: Vec<&str> = channels.iter().map(|kind| kind.chinese()).collect();
        writeln!(f, "发送渠道：{}", channels.join("、"))?;
        writeln!(f, "接收回复：{}", self.0.config.ways_in().join("、"))
    }
}

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
            // A name in Chinese is a key only in quotation marks.
            let key = if setting.key.is_ascii() {
                setting.key.clone()
            } else {
                format!("\"{}\"", setting.key)
            };
            let line = format!("{key} = {value}");
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
