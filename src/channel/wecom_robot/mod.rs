//! WeCom group robots (企业微信群机器人): a webhook each, per unit or one for all.
//!
//! The webhook's address is itself the secret, so no error and no log line holds it. A group has no
//! way to recognise a repetition: whatever may have arrived is in doubt, never sent again by itself.

pub mod answer;
mod payload;

use super::pace::Pace;
use super::render::RenderError;
use super::{Attempted, Channel, Measure, Packing, Sending, Serves, wecom_http};
use crate::config::Secret;
use crate::config::wecom::{Format, Robot, Way};
use crate::domain::brief::Brief;
use crate::domain::delivery::{FailReason, Next};
use crate::domain::people::ChannelKind;

use payload::Payload;

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
    /// Which of the platform's two markdowns it speaks.
    pub format: Format,
    /// How the platform is reached.
    pub way: Way,
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
    format: Format,
    http: reqwest::Client,
}

impl RobotChannel {
    /// Makes the channel; calls nobody. A rustls provider must be installed.
    ///
    /// # Errors
    /// Where the certificates cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let http = wecom_http::client(&settings.way).map_err(|source| SettingsError {
            name: settings.name.clone(),
            source: source.without_url(),
        })?;
        let base = settings.base_url.trim_end_matches('/');
        Ok(Self {
            url: format!("{base}/cgi-bin/webhook/send?key={}", settings.key.expose()),
            name: format!("wecom_robot:{}", settings.name),
            units: settings.units,
            format: settings.format,
            http,
        })
    }

    async fn post(&self, payload: Result<Option<Payload>, RenderError>, nth: u32) -> Attempted {
        let defect =
            |detail: &str| Attempted::failed(FailReason::OurDefect, Next::NextChannel, detail);
        let payload = match payload {
            Ok(Some(payload)) => payload,
            Ok(None) => return defect("几个人的消息放不进一条群消息"),
            Err(error) => return defect(&error.to_string()),
        };
        let response = match self.http.post(&self.url).json(&payload).send().await {
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

    fn peer(&self) -> &str {
        &self.url
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

    fn packing(&self) -> Option<&dyn Packing> {
        Some(self)
    }

    fn send<'a>(&'a self, brief: &'a Brief, nth: u32) -> Sending<'a> {
        Box::pin(self.post(payload::single(brief, self.format).map(Some), nth))
    }
}

impl Packing for RobotChannel {
    fn measure(&self, brief: &Brief) -> Option<Measure> {
        // What cannot be rendered goes alone and says so then.
        payload::measure(brief, self.format).ok().flatten()
    }

    fn send_together<'a>(&'a self, briefs: &'a [Brief], nth: u32) -> Sending<'a> {
        Box::pin(self.post(payload::together(briefs, self.format), nth))
    }
}

impl From<&Robot> for Settings {
    fn from(robot: &Robot) -> Self {
        Self {
            name: robot.name.clone(),
            key: robot.key.clone(),
            units: robot.units.clone(),
            base_url: robot.base_url.clone(),
            format: robot.format,
            way: robot.way.clone(),
        }
    }
}
