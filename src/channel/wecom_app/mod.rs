//! The WeCom application (企业微信自建应用): a message to the person, as a card whose buttons open
//! the person's own page, or as text.
//!
//! One person a call, so that what the platform says of accounts it does not know is said of that
//! person. It looks for doubles by the bytes of a request: what is composed as of the same moment
//! gives the same bytes, and so the outbox repeats what ended in doubt, also after a crash.

mod answer;
mod api;
mod card;
mod members;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::render::{self, RenderError, Short};
use super::{
    Attempted, Cards, Channel, Learned, Sending, Settled, Settling, Shown, Voice, wecom_http,
};
use crate::domain::brief::{Brief, Letter};
use crate::domain::checkup::Tried;
use crate::domain::delivery::{self, FailReason, Next};
use crate::domain::people::{ChannelKind, Contact};
use crate::domain::report::ReportStatus;

use answer::Said;
use api::Api;
use members::Members;

/// Bytes a text may have; beyond it the platform cuts without a word.
const TEXT_LIMIT: usize = 2048;

/// The application, as `[wecom.app]` sets it.
pub use crate::config::wecom::App as Settings;

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("企业微信应用的设置无法使用，请检查地址、代理和证书")]
pub struct SettingsError(#[source] reqwest::Error);

/// The application.
pub struct AppChannel {
    agent_id: i64,
    cards: bool,
    taps: Vec<ReportStatus>,
    api: Api,
    members: Arc<Members>,
    /// Accounts looked up since the start, also those not found: each question counts.
    looked_up: Mutex<LookedUp>,
}

/// By telephone and e-mail address.
type LookedUp = HashMap<(Option<String>, Option<String>), Option<String>>;

impl AppChannel {
    /// Makes the channel; calls nobody. A rustls provider must be installed.
    ///
    /// # Errors
    /// Where proxy or certificates cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let http = wecom_http::keeping_client(&settings.way)
            .map_err(|error| SettingsError(error.without_url()))?;
        Ok(Self {
            agent_id: settings.agent_id,
            cards: settings.cards,
            taps: Vec::new(),
            api: Api::new(http, settings.base_url, settings.corp_id, settings.secret),
            members: Arc::default(),
            looked_up: Mutex::default(),
        })
    }

    /// Fetches a token, which only the right secret gives, and asks for the application's own
    /// description, which is told only to addresses on its list; sends nothing.
    pub async fn try_out(&self) -> Tried {
        let asked = [("agentid", self.agent_id.to_string())];
        match self.api.get("agent/get", &asked).await {
            Ok(answer) => answer::tried(&answer),
            Err(said) => said.tried(),
        }
    }

    /// A tap on a card reports these statuses by itself: for where the platform can call us.
    #[must_use]
    pub fn with_taps(self, taps: Vec<ReportStatus>) -> Self {
        Self { taps, ..self }
    }

    /// Members have had what the one before sent them: the platform counts it all.
    #[must_use]
    pub fn succeeding(self, before: &Self) -> Self {
        let members = Arc::clone(&before.members);
        Self { members, ..self }
    }

    async fn attempt(&self, brief: &Brief, nth: u32) -> Attempted {
        let (user, learned) = match self.account(&brief.contact).await {
            Ok(Found { user, asked }) => {
                let learned = asked.then(|| Learned::Account(user.clone()));
                match user {
                    Some(user) => (user, learned),
                    None => return nobody().having_learned(learned),
                }
            }
            Err(said) => return said.without_delivery(nth),
        };
        self.deliver(brief, &user, nth)
            .await
            .having_learned(learned)
    }

    async fn deliver(&self, brief: &Brief, user: &str, nth: u32) -> Attempted {
        if let Err(wait) = self.members.admit(user, brief.tried_at) {
            let after = Some(wait);
            let detail = "同一成员收到的消息已接近企业微信的上限，稍后再发";
            return Attempted::failed(FailReason::RateLimited, Next::Again { after }, detail);
        }
        let body = match self.body(brief, user) {
            Ok(body) => body,
            Err(error) => {
                let detail = error.to_string();
                return Attempted::failed(FailReason::OurDefect, Next::NextChannel, &detail);
            }
        };
        match self.api.post("message/send", &body).await {
            Ok(answer) => answer::sent(&answer, user, nth),
            Err(said) => said.after_sending(nth),
        }
    }

    /// To this member, once: the platform knows the same bytes again for a while.
    fn addressed(&self, user: &str) -> Value {
        let no_doubles_for = delivery::remembers(ChannelKind::WecomApp).unwrap_or_default();
        json!({
            "touser": user,
            "agentid": self.agent_id,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": no_doubles_for.num_seconds(),
        })
    }

    fn body(&self, brief: &Brief, user: &str) -> Result<Value, RenderError> {
        let mut body = self.addressed(user);
        let (kind, content) = if self.cards && brief.letter == Letter::Reminder {
            ("template_card", card::reminder(brief, &self.taps)?)
        } else {
            let text = render::short(brief, Short::Plain, TEXT_LIMIT)?;
            ("text", json!({ "content": text }))
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert("msgtype".into(), kind.into());
            fields.insert(kind.into(), content);
        }
        Ok(body)
    }

    /// The person's account: by the sheet, else asked for by telephone, then by e-mail address.
    async fn account(&self, contact: &Contact) -> Result<Found, Said> {
        if let Some(user) = &contact.wecom_user {
            return Ok(Found {
                user: Some(user.clone()),
                asked: false,
            });
        }
        let by = (contact.mobile.clone(), contact.email.clone());
        if let Some(known) = self.looked_up().get(&by) {
            return Ok(Found {
                user: known.clone(),
                asked: true,
            });
        }
        let mut user = None;
        if let Some(mobile) = &contact.mobile {
            let body = json!({ "mobile": mobile });
            user = self.look_up("user/getuserid", &body).await?;
        }
        if let (None, Some(email)) = (&user, &contact.email) {
            let body = json!({ "email": email, "email_type": 1 });
            user = self.look_up("user/get_userid_by_email", &body).await?;
        }
        self.looked_up().insert(by, user.clone());
        Ok(Found { user, asked: true })
    }

    async fn look_up(&self, path: &str, body: &Value) -> Result<Option<String>, Said> {
        let answer = self.api.post(path, body).await?;
        answer::account(answer)
    }

    fn looked_up(&self) -> MutexGuard<'_, LookedUp> {
        self.looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose account, and whether the platform had to be asked.
struct Found {
    user: Option<String>,
    asked: bool,
}

fn nobody() -> Attempted {
    let detail = "按手机号和邮箱都没有查到企业微信账号，请在联系人表里填写企业微信账号";
    Attempted::failed(FailReason::BadAddress, Next::NextChannel, detail)
}

impl Channel for AppChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::WecomApp
    }

    fn name(&self) -> &str {
        "wecom_app"
    }

    fn sessions(&self) -> usize {
        // The platform refuses too many at once (45033); two hide its way and back.
        2
    }

    fn cards(&self) -> Option<&dyn Cards> {
        Some(self)
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        Box::pin(self.attempt(brief, nth))
    }
}

impl Cards for AppChannel {
    fn settle<'a>(&'a self, code: &'a str, account: &'a str, shown: Shown<'a>) -> Settling<'a> {
        Box::pin(async move {
            let mut body = json!({
                "userids": [account],
                "agentid": self.agent_id,
                "response_code": code,
            });
            let (field, content) = match shown {
                Shown::Answered(words) => ("button", json!({ "replace_name": words })),
                Shown::Open(brief) => match card::reminder(brief, &self.taps) {
                    Ok(card) => ("template_card", card),
                    Err(error) => return Settled::Failed(error.to_string()),
                },
            };
            if let Some(fields) = body.as_object_mut() {
                fields.insert(field.into(), content);
            }
            match self.api.post("message/update_template_card", &body).await {
                Ok(answer) => answer::settled(&answer),
                Err(said) => said.about_a_card(),
            }
        })
    }
}

impl Voice for AppChannel {
    fn say<'a>(
        &'a self,
        account: &'a str,
        text: &'a str,
        nth: u32,
        now: DateTime<Utc>,
    ) -> Sending<'a> {
        Box::pin(async move {
            if let Err(wait) = self.members.admit(account, now) {
                let after = Some(wait);
                let detail = "同一成员收到的消息已接近企业微信的上限，稍后再发";
                return Attempted::failed(FailReason::RateLimited, Next::Again { after }, detail);
            }
            let mut body = self.addressed(account);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("msgtype".into(), "text".into());
                fields.insert("text".into(), json!({ "content": text }));
            }
            match self.api.post("message/send", &body).await {
                Ok(answer) => answer::sent(&answer, account, nth),
                Err(said) => said.after_sending(nth),
            }
        })
    }
}
