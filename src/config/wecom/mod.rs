//! `[wecom]`: group robots and the application of 企业微信.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::reader::Reader;
use super::secret::Secret;
use crate::domain::delivery::Doubt;

/// `[wecom]`.
#[derive(Debug, Clone)]
pub struct WecomConfig {
    /// Where the API is; a private deployment has its own.
    pub base_url: String,
    /// `[[wecom.robot]]`, in the order of the file.
    pub robots: Vec<Robot>,
    /// `[wecom.app]`, where it is used.
    pub app: Option<App>,
    /// What is done about a message that may or may not have arrived.
    pub in_doubt: Doubt,
}

/// How the API is reached.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// An HTTP proxy between here and there.
    pub proxy: Option<String>,
    /// A further certificate authority, PEM.
    pub ca: Option<Vec<u8>>,
}

/// The application that writes to each person.
#[derive(Debug, Clone)]
pub struct App {
    /// 企业ID.
    pub corp_id: String,
    /// AgentId.
    pub agent_id: i64,
    /// Its secret.
    pub secret: Secret,
    /// Where the API is.
    pub base_url: String,
    /// How it is reached.
    pub way: Way,
    /// Whether this deployment knows template cards.
    pub cards: bool,
    /// How it reaches us, where it can.
    pub callback: Option<Callback>,
}

/// How the platform proves itself when it calls, and what it encrypts with.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Token.
    pub token: Secret,
    /// EncodingAESKey.
    pub key: AesKey,
}

/// The 32 bytes behind an EncodingAESKey. They print as stars.
#[derive(Clone)]
pub struct AesKey([u8; 32]);

/// The platform's keys end in a letter whose spare bits are rarely zero.
const KEY_LETTERS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

impl Callback {
    /// None where it is not used, or has faults, which are then gathered.
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let [token_file, key_file] = ["callback_token_file", "callback_aes_key_file"];
        let token = r.secret_in_file(token_file);
        let key = r.secret_in_file(key_file);
        for (one, other) in [(token_file, key_file), (key_file, token_file)] {
            if r.is_written(one) && !r.is_written(other) {
                r.fault(
                    other,
                    format!(
                        "接收消息要同时填写 {one} 和 {other}，内容与管理后台“接收消息”页面一致"
                    ),
                );
            }
        }
        let (token, key) = (token?, key?);
        if token.is_unread() || key.is_unread() {
            return None;
        }
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        let good_token = token.expose().len() <= 32 && letters(token.expose());
        if !good_token {
            r.fault(token_file, "里面的 Token 应为不超过32位的字母和数字");
        }
        let key = AesKey::read(key.expose());
        if key.is_none() {
            r.fault(
                key_file,
                "里面的 EncodingAESKey 应为43位字母和数字，请从管理后台重新复制",
            );
        }
        Some(Self { token, key: key? }).filter(|_| good_token)
    }
}

impl AesKey {
    /// Reads the 43 letters of the console; none where it is no such key.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let fits = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let bytes = KEY_LETTERS.decode(text).ok().filter(|_| fits)?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the cipher starts from: the key's first half.
    #[must_use]
    pub fn start(&self) -> [u8; 16] {
        let mut start = [0; 16];
        start
            .iter_mut()
            .zip(self.0)
            .for_each(|(to, from)| *to = from);
        start
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
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

/// A group robot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// Its name on board, in logs and metrics.
    pub name: String,
    /// The key in its webhook's address.
    pub key: Secret,
    /// Where its API is: [`WecomConfig::base_url`], or what stood in a webhook pasted whole.
    pub base_url: String,
    /// How that is reached.
    pub way: Way,
    /// The units it speaks to; empty for all that have none of their own.
    pub units: Vec<String>,
    /// In which markdown it speaks.
    pub format: Format,
}

impl WecomConfig {
    /// The robot for people of this unit: its own, else the one for all.
    #[must_use]
    pub fn robot_for(&self, unit: &str) -> Option<&Robot> {
        let own = |robot: &&Robot| robot.units.iter().any(|known| known == unit);
        self.robots
            .iter()
            .find(own)
            .or_else(|| self.robots.iter().find(|robot| robot.units.is_empty()))
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let base_url = r
            .text("base_url")
            .and_then(|text| api_url(&text).map_err(|why| r.fault("base_url", why)).ok());
        let in_doubt = super::doubt(r);
        let fallback = base_url.clone().unwrap_or_default();
        let way = Way::read(r);
        let mut taken = Taken::default();
        let robots = r.list("robot", |r| Robot::read(r, (&fallback, &way), &mut taken));
        let robots: Option<Vec<Robot>> = robots.into_iter().collect();
        let app = r.section("app", |r| App::read(r, (&fallback, &way)));
        Some(Self {
            base_url: base_url?,
            robots: robots?,
            in_doubt: in_doubt?,
            app,
        })
    }
}

impl Way {
    fn read(r: &mut Reader<'_>) -> Self {
        let proxy = r
            .text("proxy")
            .and_then(|text| proxy_url(&text).map_err(|why| r.fault("proxy", why)).ok());
        let ca = r.text("ca_file").and_then(|name| {
            let path = r.find(&name);
            certificates(&path)
                .map_err(|why| r.fault("ca_file", why))
                .ok()
        });
        Self { proxy, ca }
    }
}

impl App {
    /// None where the section is not used; also where it has faults, which are then gathered.
    fn read(r: &mut Reader<'_>, (base_url, way): (&str, &Way)) -> Option<Self> {
        let corp_id = r.parsed("corp_id", "企业ID，如 \"ww0123456789abcdef\"", |text| {
            let fits = text.len() <= 64
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            fits.then(|| text.to_owned())
        });
        let agent_id = r.number("agent_id", 1..=i64::from(u32::MAX));
        let secret = r.secret_in_file("secret_file");
        let cards = r.flag("cards");
        let callback = Callback::read(r);
        let keys = ["corp_id", "agent_id", "secret_file"];
        if !keys.iter().any(|key| r.is_written(key)) {
            return None;
        }
        let hints = [
            ("请填写企业ID（管理后台“我的企业”页面底部）", keys[0]),
            ("请填写应用的 AgentId", keys[1]),
            ("请填写 secret_file（存放应用 Secret 的文件）", keys[2]),
        ];
        for (hint, key) in hints {
            if !r.is_written(key) {
                r.fault(key, hint);
            }
        }
        Some(Self {
            corp_id: corp_id?,
            agent_id: agent_id?,
            secret: secret?,
            base_url: base_url.to_owned(),
            way: way.clone(),
            cards: cards?,
            callback,
        })
    }
}

/// What robots read before have claimed.
#[derive(Default)]
struct Taken {
    names: BTreeMap<String, ()>,
    units: BTreeMap<String, String>,
    for_all: Option<String>,
}

impl Robot {
    fn read(r: &mut Reader<'_>, (base_url, way): (&str, &Way), taken: &mut Taken) -> Option<Self> {
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
        if key.is_unread() {
            let base_url = base_url.to_owned();
            return Some(Self {
                name,
                key,
                base_url,
                way,
                units,
                format,
            });
        }
        let (key, base_url) = match split_webhook(key.expose(), base_url) {
            Ok(found) => found,
            Err(why) => {
                r.fault(place, why);
                return None;
            }
        };
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

/// `https://host`, `https://host:port`, or with a path before `/cgi-bin`; or why it is not one.
fn api_url(text: &str) -> Result<String, &'static str> {
    let form = "应为 http:// 或 https:// 开头的地址，如 \"https://qyapi.weixin.qq.com\"，后面不要带 /cgi-bin、参数或账号";
    let url = reqwest::Url::parse(text).map_err(|_| form)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !url.path().contains("/cgi-bin");
    if !plain {
        return Err(form);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn proxy_url(text: &str) -> Result<String, &'static str> {
    let form = "应为代理服务器的地址，如 \"http://10.1.2.3:8080\"，不带账号和路径";
    let url = reqwest::Url::parse(text).map_err(|_| form)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(form);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A PEM file with at least one certificate in it.
pub(super) fn certificates(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let bytes = fs::read(path)
        .map_err(|error| format!("读取证书文件 {shown} 失败（{error}），请检查路径和权限"))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes);
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(bytes),
        _ => Err(format!(
            "{shown} 里没有 PEM 格式（BEGIN CERTIFICATE）的证书，请导出为 PEM 再填写"
        )),
    }
}
