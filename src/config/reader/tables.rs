//! Sections within the section, and lists of them.

use super::Reader;
use super::values::quoted;
use crate::config::fault::Origin;
use crate::config::gathered::Setting;
use crate::config::layers::{Node, Scalar};

impl Reader<'_> {
    /// The tables of `[[name.key]]`, each read with `read`.
    pub(in crate::config) fn list<T>(
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
    pub(in crate::config) fn section<T>(
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
    pub(in crate::config) fn named<T>(
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
}
