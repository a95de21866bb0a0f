//! `[wecom.app]`: the application that writes to each person.

use super::{Callback, Way};
use crate::config::reader::Reader;
use crate::config::secret::Secret;

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

impl App {
    /// None where the section is not used; also where it has faults, which are then gathered.
    pub(super) fn read(r: &mut Reader<'_>, (base_url, way): (&str, &Way)) -> Option<Self> {
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
