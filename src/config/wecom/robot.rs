//! `[[wecom.robot]]`: group robots, and whom each speaks to.

use std::collections::BTreeMap;

use super::Way;
use super::way::api_url;
use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// A group robot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// Its name on board, in logs and metrics.
    pub name: String,
    /// The key in its webhook's address.
    pub key: Secret,
    /// Where its API is: [`super::WecomConfig::base_url`], or what stood in a webhook pasted whole.
    pub base_url: String,
    /// How that is reached.
    pub way: Way,
    /// The units it speaks to; empty for all that have none of their own.
    pub units: Vec<String>,
    /// In which markdown it speaks.
    pub format: Format,
}

/// The platform's two kinds of markdown for robots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// With colours and mentions, without tables and lists.
    #[default]
    Markdown,
    /// With tables and lists, without colours and mentions.
    MarkdownV2,
}

impl Robot {
    pub(super) fn read(
        r: &mut Reader<'_>,
        (base_url, way): (&str, &Way),
        taken: &mut Taken,
    ) -> Option<Self> {
        let name = r.text("name");
        let secret_written = r.is_written("key") || r.is_written("key_file");
        let key = r.secret("key", "key_file");
        let units = r.texts("units").unwrap_or_default();
        let format = match r.text("format").as_deref() {
            None | Some("markdown") => Format::Markdown,
            Some("markdown_v2") => Format::MarkdownV2,
            Some(_) => {
                r.fault("format", "应为 \"markdown\" 或 \"markdown_v2\"");
                return None;
            }
        };
        let way = way.clone();
        let Some(name) = name else {
            r.fault("name", "请给这个机器人起个名称，如 name = \"督查群\"");
            return None;
        };
        if !secret_written {
            r.fault(
                "key_file",
                "请填写 key_file（存放 Webhook 地址中 key= 之后那一串的文件）",
            );
        }
        taken.claim(r, &name, &units);
        let place = if r.is_written("key") {
            "key"
        } else {
            "key_file"
        };
        let key = key?;
        let found = match key.is_unread() {
            true => Ok((key, base_url.to_owned())),
            false => split_webhook(key.expose(), base_url),
        };
        let (key, base_url) = found.map_err(|why| r.fault(place, why)).ok()?;
        Some(Self {
            name,
            key,
            base_url,
            way,
            units,
            format,
        })
    }
}

/// What robots read before have claimed.
#[derive(Default)]
pub(super) struct Taken {
    names: BTreeMap<String, ()>,
    units: BTreeMap<String, String>,
    for_all: Option<String>,
}

impl Taken {
    fn claim(&mut self, r: &mut Reader<'_>, name: &str, units: &[String]) {
        if self.names.insert(name.to_owned(), ()).is_some() {
            r.fault("name", format!("已有另一个机器人叫“{name}”，请换一个名称"));
        }
        if units.is_empty()
            && let Some(other) = self.for_all.replace(name.to_owned())
        {
            r.fault(
                "name",
                format!("机器人“{other}”和“{name}”都没有写 units，都面向全部单位；请给其中一个写上 units"),
            );
        }
        for unit in units {
            if let Some(other) = self.units.insert(unit.clone(), name.to_owned()) {
                r.fault(
                    "units",
                    format!("“{unit}”已归机器人“{other}”，一个单位只能归一个机器人"),
                );
            }
        }
    }
}

/// A key by itself, or the whole address as the console shows it, whose host then counts.
fn split_webhook(text: &str, base_url: &str) -> Result<(Secret, String), &'static str> {
    let wrong =
        "机器人的 key 只能有字母、数字和连字符，请从群机器人的 Webhook 地址中复制 key= 之后的部分";
    let (key, base_url) = if text.contains("://") {
        let url = reqwest::Url::parse(text).map_err(|_| wrong)?;
        let key = url.query_pairs().find(|(name, _)| name == "key");
        let (_, key) = key.ok_or(wrong)?;
        let key = key.into_owned();
        let origin = url.origin().ascii_serialization();
        (key, api_url(&origin).map_err(|_| wrong)?)
    } else {
        (text.to_owned(), base_url.to_owned())
    };
    let fits = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        Ok((Secret::new(key), base_url))
    } else {
        Err(wrong)
    }
}
