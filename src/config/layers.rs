//! Defaults, file and environment as one tree whose every value knows where it was written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Origin};

/// A value at its place.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A single value, or a list of single values.
    Leaf(Scalar, Origin),
    /// `[section]`.
    Table(Table),
    /// `[[section]]`, one table each.
    List(Vec<Table>, Origin),
}

/// A section.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) origin: Origin,
    pub(super) entries: BTreeMap<String, Node>,
}

/// A value as written. What the environment gives is always text: the reader knows what is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Scalar>),
    /// Something no key of ours takes: a float, a date.
    Other,
}

/// The first letters of every environment variable that sets a key.
const PREFIX: &str = "CUIBAN__";

impl Node {
    pub(super) fn origin(&self) -> &Origin {
        match self {
            Self::Leaf(_, origin) | Self::List(_, origin) => origin,
            Self::Table(table) => &table.origin,
        }
    }
}

impl Table {
    /// Reads a TOML text; `path` is none for the defaults.
    pub(super) fn parse(text: &str, path: Option<&Path>) -> Result<Self, Fault> {
        let place = Place {
            text,
            path: path.map(Path::to_path_buf),
        };
        match DeTable::parse(text) {
            Ok(table) => Ok(place.table(table.get_ref(), None)),
            Err(error) => Err(Fault {
                origin: place.origin(error.span().map(|span| span.start)),
                key: String::new(),
                // Only the parser's own words: its full text would quote the line, secret or not.
                message: format!(
                    "不合 TOML 语法（{}），请检查引号、括号和等号",
                    error.message()
                ),
            }),
        }
    }

    /// Lays another table over this one: sections join, values and lists are replaced.
    pub(super) fn lay(&mut self, over: Self) {
        self.origin = over.origin;
        for (key, node) in over.entries {
            match (self.entries.get_mut(&key), node) {
                (Some(Node::Table(below)), Node::Table(above)) => below.lay(above),
                (_, node) => {
                    self.entries.insert(key, node);
                }
            }
        }
    }

    /// Sets what the environment says: `CUIBAN__EMAIL__HOST` is `email.host`.
    pub(super) fn lay_env(&mut self, env: impl Iterator<Item = (String, String)>) {
        let mut ours: Vec<_> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        ours.sort();
        for (name, value) in ours {
            let path: Vec<String> = name
                .trim_start_matches(PREFIX)
                .split("__")
                .map(str::to_lowercase)
                .collect();
            if let Some((key, sections)) = path.split_last() {
                self.set(sections, key, value, &Origin::Env(name.clone()));
            }
        }
    }

    fn set(&mut self, sections: &[String], key: &str, value: String, origin: &Origin) {
        let mut table = self;
        for section in sections {
            let below = table
                .entries
                .entry(section.clone())
                .or_insert_with(|| Node::Table(Self::empty(origin.clone())));
            if !matches!(below, Node::Table(_)) {
                // A list or a value: the reader will say that this place takes no section.
                *below = Node::Table(Self::empty(origin.clone()));
            }
            let Node::Table(below) = below else { return };
            table = below;
        }
        let leaf = Node::Leaf(Scalar::Text(value), origin.clone());
        table.entries.insert(key.to_owned(), leaf);
    }

    fn empty(origin: Origin) -> Self {
        Self {
            origin,
            entries: BTreeMap::new(),
        }
    }
}

/// Finds lines in the text being read.
struct Place<'a> {
    text: &'a str,
    path: Option<PathBuf>,
}

impl Place<'_> {
    fn origin(&self, offset: Option<usize>) -> Origin {
        let Some(path) = &self.path else {
            return Origin::Default;
        };
        let line = offset.map(|offset| {
            let before = self.text.bytes().take(offset);
            before.filter(|byte| *byte == b'\n').count() + 1
        });
        Origin::File {
            path: path.clone(),
            line,
        }
    }

    fn table(&self, table: &DeTable<'_>, offset: Option<usize>) -> Table {
        let entries = table.iter().map(|(key, value)| {
            let node = self.node(value, key.span().start);
            (key.get_ref().to_string(), node)
        });
        Table {
            entries: entries.collect(),
            origin: self.origin(offset),
        }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>, key_at: usize) -> Node {
        match value.get_ref() {
            DeValue::Table(table) => Node::Table(self.table(table, Some(key_at))),
            DeValue::Array(items) if is_table_list(items) => {
                let tables = items.iter().filter_map(|item| match item.get_ref() {
                    DeValue::Table(table) => Some(self.table(table, Some(item.span().start))),
                    _ => None,
                });
                Node::List(tables.collect(), self.origin(Some(key_at)))
            }
            other => Node::Leaf(scalar(other), self.origin(Some(key_at))),
        }
    }
}

fn is_table_list(items: &[Spanned<DeValue<'_>>]) -> bool {
    !items.is_empty()
        && items
            .iter()
            .all(|item| matches!(item.get_ref(), DeValue::Table(_)))
}

fn scalar(value: &DeValue<'_>) -> Scalar {
    match value {
        DeValue::String(text) => Scalar::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Scalar::Other, Scalar::Integer),
        DeValue::Boolean(yes) => Scalar::Bool(*yes),
        DeValue::Array(items) => {
            Scalar::List(items.iter().map(|item| scalar(item.get_ref())).collect())
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Scalar::Other,
    }
}
