//! Keys with one value, or a list of them.

use std::ops::RangeInclusive;

use chrono::NaiveTime;

use super::Reader;
use crate::config::layers::Scalar;

impl Reader<'_> {
    /// A text without blanks around it; none where unset or empty.
    pub(in crate::config) fn text(&mut self, key: &'static str) -> Option<String> {
        let text = self.raw_text(key)?;
        self.show(key, Some(quoted(&text)));
        Some(text)
    }

    /// A text that `parse` understands; `form` says what is wanted.
    pub(in crate::config) fn parsed<T>(
        &mut self,
        key: &'static str,
        form: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(key)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(key, format!("应为{form}，现在写的是“{}”", short(&text)));
        }
        value
    }

    /// As [`Self::parsed`], for what belongs to a person: a fault does not repeat it.
    pub(in crate::config) fn personal<T>(
        &mut self,
        key: &'static str,
        form: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(&self.text(key)?);
        if value.is_none() {
            self.fault(key, format!("应为{form}，请核对"));
        }
        value
    }

    /// A time of day such as `09:10`.
    pub(in crate::config) fn time(&mut self, key: &'static str) -> Option<NaiveTime> {
        self.parsed(key, "24小时制的时间，如 \"09:10\"", |text| {
            NaiveTime::parse_from_str(text, "%H:%M").ok()
        })
    }

    /// A whole number within bounds.
    pub(in crate::config) fn number(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<i64>,
    ) -> Option<i64> {
        let scalar = self.leaf(key)?;
        let number = match &scalar {
            Scalar::Integer(number) => Some(*number),
            Scalar::Text(text) if text.trim().is_empty() => return self.unset(key),
            Scalar::Text(text) if self.is_from_env(key) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => {
                self.show(key, Some(number.to_string()));
                Some(number)
            }
            None => {
                let (least, most) = (bounds.start(), bounds.end());
                self.fault(
                    key,
                    format!(
                        "应为 {least} 至 {most} 的整数（不加引号），现在写的是{}",
                        written(&scalar)
                    ),
                );
                None
            }
        }
    }

    /// `true` or `false`.
    pub(in crate::config) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let scalar = self.leaf(key)?;
        let yes = match &scalar {
            Scalar::Bool(yes) => Some(*yes),
            Scalar::Text(text) if self.is_from_env(key) => text.trim().parse().ok(),
            _ => None,
        };
        match yes {
            Some(yes) => self.show(key, Some(yes.to_string())),
            None => self.fault(
                key,
                format!(
                    "应为 true 或 false（不加引号），现在写的是{}",
                    written(&scalar)
                ),
            ),
        }
        yes
    }

    /// A list of texts; from the environment, parted by commas.
    pub(in crate::config) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let scalar = self.leaf(key)?;
        let texts: Option<Vec<String>> = match &scalar {
            Scalar::List(items) => items
                .iter()
                .map(|item| match item {
                    Scalar::Text(text) => Some(text.trim().to_owned()),
                    _ => None,
                })
                .collect(),
            Scalar::Text(text) if self.is_from_env(key) => {
                Some(text.split(',').map(|part| part.trim().to_owned()).collect())
            }
            _ => None,
        };
        let Some(mut texts) = texts else {
            self.fault(key, "应为一组文字，如 [\"甲\", \"乙\"]");
            return None;
        };
        texts.retain(|text| !text.is_empty());
        let shown: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.show(key, Some(format!("[{}]", shown.join(", "))));
        Some(texts)
    }
}

/// As a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn written(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => format!("“{}”", short(text)),
        Scalar::Integer(number) => format!(" {number}"),
        Scalar::Bool(yes) => format!(" {yes}"),
        Scalar::List(_) => "一组值".to_owned(),
        Scalar::Other => "别的类型的值".to_owned(),
    }
}

/// At most forty characters, for an error's text.
fn short(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MOST).chain(['…']).collect(),
    }
}
