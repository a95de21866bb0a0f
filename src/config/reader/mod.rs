//! Reads one section key by key: what is asked for is known, what is left over is unknown, and
//! every fault is kept with its place while the reading goes on.

mod secrets;
mod tables;
mod values;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::fault::Origin;
use super::gathered::{Gathered, Setting};
use super::layers::{Node, Scalar, Table};
use values::quoted;

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
