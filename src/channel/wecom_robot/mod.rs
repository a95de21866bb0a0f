//! WeCom group robots (企业微信群机器人): a webhook each, per unit or one for all.
//!
//! The webhook's address is itself the secret, so no error and no log line holds it. A group has no
//! way to recognise a repetition: whatever may have arrived is in doubt, never sent again by itself.

pub mod answer;

use std::time::Duration;

use serde::Serialize;

use super::pace::Pace;
use super::render::{self, Short};
use super::{Attempted, Channel, Sending, Serves};
use crate::config::Secret;
use crate::config::wecom::Robot;
use crate::domain::brief::Brief;
use crate::domain::delivery::{FailReason, Next};
use crate::domain::people::ChannelKind;

/// Bytes a markdown text may have.
pub const MARKDOWN_LIMIT: usize = 4096;
/// Bytes a plain text may have.
pub const TEXT_LIMIT: usize = 2048;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(15);

/// One robot, as `[[wecom.robot]]` sets it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name, for logs and the board.
    pub name: String,
    /// The key of its webhook.
    pub key: Secret,
    /// The units it is for; empty: for all that have none of their own.
    pub units: Vec<String>,
    /// Where the platform is: a private deployment has its own host.
    pub base_url: String,
    /// A further certificate authority, PEM.
    pub extra_ca: Option<Vec<u8>>,
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("企业微信群机器人“{name}”的设置无法使用，请检查地址和证书")]
pub struct SettingsError {
    /// Which robot.
    pub name: String,
    /// Why.
    #[source]
    pub source: reqwest::Error,
}

/// One robot.
pub struct RobotChannel {
    name: String,
    units: Vec<String>,
    url: String,
    http: reqwest::Client,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payload {
    Markdown {
        msgtype: &'static str,
        markdown: Content,
    },
    Text {
        msgtype: &'static str,
        text: TextContent,
    },
}

#[derive(Serialize)]
struct Content {
    content: String,
}

#[derive(Serialize)]
struct TextContent {
    content: String,
    mentioned_mobile_list: Vec<String>,
}

impl RobotChannel {
    /// Makes the channel; calls nobody. A rustls provider must be installed.
    ///
    /// # Errors
    /// Where the certificates cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let http = client(&settings).map_err(|source| SettingsError {
            name: settings.name.clone(),
            source: source.without_url(),
        })?;
        let base = settings.base_url.trim_end_matches('/');
        Ok(Self {
            url: format!("{base}/cgi-bin/webhook/send?key={}", settings.key.expose()),
            name: format!("wecom_robot:{}", settings.name),
            units: settings.units,
            http,
        })
    }

    async fn post(&self, payload: &Payload, nth: u32) -> Attempted {
        let response = match self.http.post(&self.url).json(payload).send().await {
            Ok(response) => response,
            Err(error) => return answer::broken(error.without_url()),
        };
        let status = response.status();
        match response.bytes().await {
            Ok(body) => answer::judge(status.as_u16(), &body, nth),
            Err(error) => answer::broken(error.without_url()),
        }
    }
}

impl Channel for RobotChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::WecomRobot
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Pace {
        Pace::robot()
    }

    fn serves(&self, unit: &str) -> Serves {
        if self.units.is_empty() {
            Serves::Everyone
        } else if self.units.iter().any(|mine| mine == unit) {
            Serves::ThisUnit
        } else {
            Serves::Others
        }
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        Box::pin(async move {
            match payload(brief) {
                Ok(payload) => self.post(&payload, nth).await,
                Err(error) => {
                    let detail = error.to_string();
                    Attempted::failed(FailReason::OurDefect, Next::NextChannel, &detail)
                }
            }
        })
    }
}

/// Markdown mentions by account; a telephone number can be mentioned in plain text only.
fn payload(brief: &Brief) -> Result<Payload, render::RenderError> {
    let contact = &brief.contact;
    if contact.wecom_user.is_none()
        && let Some(mobile) = &contact.mobile
    {
        return Ok(Payload::Text {
            msgtype: "text",
            text: TextContent {
                content: render::short(brief, Short::Plain, TEXT_LIMIT)?,
                mentioned_mobile_list: vec![mobile.clone()],
            },
        });
    }
    Ok(Payload::Markdown {
        msgtype: "markdown",
        markdown: Content {
            content: render::short(brief, Short::Markdown, MARKDOWN_LIMIT)?,
        },
    })
}

fn client(settings: &Settings) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .timeout(CALL_LIMIT)
        // A kept connection that was closed meanwhile would make a doubt of what never arrived.
        .pool_max_idle_per_host(0)
        // Where the address is the secret, nobody else is told it.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if let Some(pem) = &settings.extra_ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    builder.build()
}

impl From<&Robot> for Settings {
    fn from(robot: &Robot) -> Self {
        Self {
            name: robot.name.clone(),
            key: robot.key.clone(),
            units: robot.units.clone(),
            base_url: robot.base_url.clone(),
            extra_ca: None,
        }
    }
}
