//! Reads one section key by key: what is asked for is known, what is left over is unknown, and
//! every fault is kept with its place while the reading goes on.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::NaiveTime;

use super::fault::{Fault, Origin};
use super::layers::{Node, Scalar, Table};
use super::secret::Secret;

/// What reading gathers beside the values.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
    pub(super) settings: Vec<Setting>,
    /// Folder of the site's file: relative names are looked for there first.
    pub(super) folder: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`.
    pub(super) credentials: Option<PathBuf>,
}

/// An effective value, as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Such as `email` or `wecom.robot[1]`.
    pub section: String,
    /// Such as `host`.
    pub key: String,
    /// As TOML; none where it is not set. Secrets are stars.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// One section being read.
pub(super) struct Reader<'a> {
    name: String,
    table: Option<&'a Table>,
    asked: BTreeSet<&'static str>,
    origins: HashMap<&'static str, Origin>,
    gathered: &'a mut Gathered,
}

impl Gathered {
    /// Reads the section of this name with `read`, and tells of keys it did not ask for.
    pub(super) fn section<T>(
        &mut self,
        root: &Table,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let table = match root.entries.get(name) {
            Some(Node::Table(table)) => Some(table),
            Some(other) => {
                self.fault(other.origin(), name, format!("应写成一节：[{name}]"));
                None
            }
            None => None,
        };
        Reader::over(name.to_owned(), table, self, read)
    }

    pub(super) fn fault(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        self.faults.push(Fault {
            origin: origin.clone(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn warn(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        self.warnings.push(Fault {
            origin: origin.clone(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// Where a file named in the configuration is: a path, a name beside the site's file, or one
    /// in the working folder.
    pub(super) fn find(&self, name: &str) -> PathBuf {
        let beside = self.folder.as_ref().map(|folder| folder.join(name));
        match beside {
            Some(path) if path.exists() => path,
            _ => PathBuf::from(name),
        }
    }

    fn find_secret(&self, name: &str) -> PathBuf {
        let credential = self.credentials.as_ref().map(|folder| folder.join(name));
        match credential {
            Some(path) if !name.contains('/') && path.exists() => path,
            _ => self.find(name),
        }
    }
}

impl<'a> Reader<'a> {
    fn over<T>(
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
            Scalar::Text(text) if self.from_env(key) => text.trim().parse().ok(),
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
            Scalar::Text(text) if self.from_env(key) => text.trim().parse().ok(),
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
            Scalar::Text(text) if self.from_env(key) => {
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
        let path = self.gathered.find_secret(name);
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

    fn from_env(&self, key: &str) -> bool {
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

/// The secret in a file, and whether the file is closed to other users.
fn read_secret(path: &Path) -> Result<(Secret, bool), String> {
    /// Longer than any password or key: someone named the wrong file.
    const LONGEST: u64 = 4096;
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("找不到文件 {shown}，请检查路径，或检查 systemd 凭据的名称")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("没有读取 {shown} 的权限，请把文件的所有者改为运行 cuiban 的用户")
        }
        _ => format!("读取 {shown} 失败（{error}）"),
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(format!(
            "{shown} 不像是只存放一行口令或密钥的文件，请检查路径"
        ));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let secret = text.trim();
    if secret.is_empty() || secret.lines().count() > 1 {
        return Err(format!("{shown} 里应有且只有一行口令或密钥"));
    }
    let private = about.permissions().mode() & 0o004 == 0;
    Ok((Secret::new(secret.to_owned()), private))
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
