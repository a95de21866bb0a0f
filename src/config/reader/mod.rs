//! Reads one section key by key: what is asked for is known, what is left over is unknown, and
//! every fault is kept with its place while the reading goes on.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use chrono::NaiveTime;

use super::fault::Origin;
use super::gathered::{Gathered, Secrets, Setting};
use super::layers::{Node, Scalar, Table};
use super::secret::{Secret, is_hidden, read_secret};

/// Something is wrong and has been told already.
#[derive(Debug)]
pub(super) struct Told;

/// One section being read.
pub(super) struct Reader<'a> {
    name: String,
    table: Option<&'a Table>,
    asked: BTreeSet<&'static str>,
    origins: HashMap<&'static str, Origin>,
    gathered: &'a mut Gathered,
}

impl<'a> Reader<'a> {
    pub(super) fn over<T>(
        name: String,
        table: Option<&'a Table>,
        gathered: &'a mut Gathered,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let mut reader = Reader {
            name,
            table,
            asked: BTreeSet::new(),
            origins: HashMap::new(),
            gathered,
        };
        let value = read(&mut reader);
        reader.tell_unknown();
        value
    }

    /// A text without blanks around it; none where unset or empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let text = self.raw_text(key)?;
        self.show(key, Some(quoted(&text)));
        Some(text)
    }

    /// A text that `parse` understands; `form` says what is wanted.
    pub(super) fn parsed<T>(
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
    pub(super) fn personal<T>(
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
    pub(super) fn time(&mut self, key: &'static str) -> Option<NaiveTime> {
        self.parsed(key, "24小时制的时间，如 \"09:10\"", |text| {
            NaiveTime::parse_from_str(text, "%H:%M").ok()
        })
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, key: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
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
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
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
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
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

    /// A secret under `key`, or in the file that `file_key` names; both is a fault.
    pub(super) fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let plain = self.raw_text(key);
        let file = self.text(file_key);
        match (plain, file) {
            (Some(_), Some(_)) => {
                self.show(key, Some("\"***\"".to_owned()));
                self.fault(
                    file_key,
                    format!("{key} 与 {file_key} 只能填写一个，请删去其中之一"),
                );
                None
            }
            (Some(plain), None) => {
                self.show(key, Some("\"***\"".to_owned()));
                Some(Secret::new(plain))
            }
            (None, Some(name)) => self.secret_file(file_key, &name),
            (None, None) => None,
        }
    }

    /// A secret that may stand in a file only, never in the config itself.
    pub(super) fn secret_in_file(&mut self, key: &'static str) -> Option<Secret> {
        let name = self.text(key)?;
        self.secret_file(key, &name)
    }

    /// The tables of `[[name.key]]`, each read with `read`.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Reader<'_>) -> T,
    ) -> Vec<T> {
        self.asked.insert(key);
        let name = format!("{}.{key}", self.name);
        let tables = match self.table.and_then(|table| table.entries.get(key)) {
            None => return Vec::new(),
            Some(Node::List(tables, _)) => tables,
            Some(Node::Leaf(Scalar::List(items), _)) if items.is_empty() => return Vec::new(),
            Some(other) => {
                let message = match other.origin() {
                    Origin::Env(_) => format!("[[{name}]] 只能写在配置文件里，请删去这个环境变量"),
                    _ => format!("每一个各写成一节：[[{name}]]"),
                };
                self.gathered.fault(other.origin(), &name, message);
                return Vec::new();
            }
        };
        let numbered = tables.iter().zip(1..);
        numbered
            .map(|(table, n)| {
                Reader::over(
                    format!("{name}[{n}]"),
                    Some(table),
                    self.gathered,
                    &mut read,
                )
            })
            .collect()
    }

    /// `[name.key]`, read with `read`.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        self.asked.insert(key);
        let name = format!("{}.{key}", self.name);
        let table = match self.table.and_then(|table| table.entries.get(key)) {
            None => None,
            Some(Node::Table(table)) => Some(table),
            Some(other) => {
                let message = format!("应写成一节：[{name}]");
                self.gathered.fault(other.origin(), &name, message);
                None
            }
        };
        Reader::over(name, table, self.gathered, read)
    }

    /// The entries of `[name.key]`, whose keys are the site's own words.
    pub(super) fn named<T>(
        &mut self,
        key: &'static str,
        form: &str,
        parse: impl Fn(&str, &str) -> Option<T>,
    ) -> Vec<T> {
        self.asked.insert(key);
        let section = format!("{}.{key}", self.name);
        let table = match self.table.and_then(|table| table.entries.get(key)) {
            None => return Vec::new(),
            Some(Node::Table(table)) => table,
            Some(other) => {
                let message = format!("应写成一节：[{section}]");
                self.gathered.fault(other.origin(), &section, message);
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (name, node) in &table.entries {
            let text = match node {
                Node::Leaf(Scalar::Text(text), _) => text.trim(),
                _ => "",
            };
            match parse(name, text) {
                Some(value) => {
                    found.push(value);
                    self.gathered.settings.push(Setting {
                        section: section.clone(),
                        key: name.clone(),
                        value: Some(quoted(text)),
                        origin: node.origin().clone(),
                    });
                }
                None => {
                    let message = format!("应为{form}，请加英文双引号");
                    let place = format!("{section}.{name}");
                    self.gathered.fault(node.origin(), &place, message);
                }
            }
        }
        found
    }

    /// A fault with the value of this key.
    pub(super) fn fault(&mut self, key: &'static str, message: impl Into<String>) {
        let (origin, key) = self.place(key);
        self.gathered.fault(&origin, &key, message);
    }

    /// A warning about the value of this key.
    pub(super) fn warn(&mut self, key: &'static str, message: impl Into<String>) {
        let (origin, key) = self.place(key);
        self.gathered.warn(&origin, &key, message);
    }

    /// Shows a value that is not written anywhere but follows from others.
    pub(super) fn derived(&mut self, key: &'static str, value: &str) {
        self.origins.insert(key, Origin::Derived);
        self.show(key, Some(quoted(value)));
    }

    /// As [`Self::derived`], for a number.
    pub(super) fn derived_number(&mut self, key: &'static str, value: i64) {
        self.origins.insert(key, Origin::Derived);
        self.show(key, Some(value.to_string()));
    }

    /// Whether the site itself, not only the defaults, gave this key a value.
    pub(super) fn is_written(&self, key: &str) -> bool {
        match self.table.and_then(|table| table.entries.get(key)) {
            None => false,
            Some(Node::Leaf(Scalar::Text(text), _)) if text.trim().is_empty() => false,
            Some(node) => *node.origin() != Origin::Default,
        }
    }

    /// Where this section was begun.
    pub(super) fn origin(&self) -> Origin {
        self.table
            .map_or(Origin::Default, |table| table.origin.clone())
    }

    /// The folders in which named files are looked for.
    pub(super) fn find(&self, name: &str) -> PathBuf {
        self.gathered.find(name)
    }

    fn place(&self, key: &'static str) -> (Origin, String) {
        let origin = self
            .origins
            .get(key)
            .cloned()
            .unwrap_or_else(|| self.origin());
        (origin, format!("{}.{key}", self.name))
    }

    fn leaf(&mut self, key: &'static str) -> Option<Scalar> {
        self.asked.insert(key);
        match self.table.and_then(|table| table.entries.get(key)) {
            None => self.unset(key),
            Some(Node::Leaf(scalar, origin)) => {
                self.origins.insert(key, origin.clone());
                Some(scalar.clone())
            }
            Some(other) => {
                let name = format!("{}.{key}", self.name);
                self.gathered
                    .fault(other.origin(), &name, "应为一个值，不是一节");
                None
            }
        }
    }

    fn raw_text(&mut self, key: &'static str) -> Option<String> {
        match self.leaf(key)? {
            Scalar::Text(text) if text.trim().is_empty() => self.unset(key),
            Scalar::Text(text) => Some(text.trim().to_owned()),
            _ => {
                self.fault(key, "应为文字，请加英文双引号");
                None
            }
        }
    }

    fn secret_file(&mut self, key: &'static str, name: &str) -> Option<Secret> {
        if self.gathered.secrets == Secrets::Closed {
            return Some(Secret::unread());
        }
        let path = self.gathered.find_secret(name);
        if self.gathered.secrets == Secrets::Readable && is_hidden(&path) {
            let message = format!("当前账号没有读取 {} 的权限，这一项没有核对", path.display());
            self.warn(key, message);
            return Some(Secret::unread());
        }
        match read_secret(&path) {
            Ok((secret, private)) => {
                if !private {
                    self.warn(
                        key,
                        format!("其他用户也能读取 {0}，请执行 chmod 600 {0}", path.display()),
                    );
                }
                Some(secret)
            }
            Err(why) => {
                self.fault(key, why);
                None
            }
        }
    }

    fn is_from_env(&self, key: &str) -> bool {
        matches!(self.origins.get(key), Some(Origin::Env(_)))
    }

    fn unset<T>(&mut self, key: &'static str) -> Option<T> {
        self.show(key, None);
        None
    }

    fn show(&mut self, key: &'static str, value: Option<String>) {
        let settings = &mut self.gathered.settings;
        settings.retain(|known| known.section != self.name || known.key != key);
        settings.push(Setting {
            section: self.name.clone(),
            key: key.to_owned(),
            value,
            origin: self.origins.get(key).cloned().unwrap_or(Origin::Default),
        });
    }

    fn tell_unknown(self) {
        let Some(table) = self.table else { return };
        for (key, node) in &table.entries {
            if !self.asked.contains(key.as_str()) {
                let known: Vec<&str> = self.asked.iter().copied().collect();
                let message = format!("没有这个配置项；这一节可用的有 {}", known.join("、"));
                let name = format!("{}.{key}", self.name);
                self.gathered.fault(node.origin(), &name, message);
            }
        }
    }
}

/// As a TOML basic string.
fn quoted(text: &str) -> String {
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
