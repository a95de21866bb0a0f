//! `[wecom]`: group robots and the application of 企业微信.

mod app;
mod callback;
mod robot;
mod way;

use super::reader::Reader;
use crate::domain::delivery::Doubt;
pub use app::App;
pub use callback::{AesKey, Callback};
use robot::Taken;
pub use robot::{Format, Robot};
pub use way::Way;
use way::api_url;

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
