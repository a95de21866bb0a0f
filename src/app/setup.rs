//! What follows from the config: the desk, the routes, and the loops that go by it. Made as one,
//! taken into force as one.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{Extension, Router};

use super::local::{self, Operator};
use super::{Core, channels, export, inbox, nightly, ours};
use crate::channel::render::Templates;
use crate::channel::wecom_app::AppChannel;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Desk, Letterhead, Office};
use crate::domain::link::LinkKey;
use crate::outbox::Ways;
use crate::plan::Lore;
use crate::reply::mailbox::Reader;
use crate::reply::wecom::Clerk;
use crate::reply::wecom::crypt::Crypt;
use crate::rules::Rules;
use crate::store::Ledger;
use crate::web::oidc::Service;

/// A config of which everything that can fail has been tried; nothing of it is in force.
pub(super) struct Prepared {
    pub(super) config: Config,
    pub(super) templates: Templates,
    application: Option<Arc<AppChannel>>,
    service: Option<Service>,
    /// How the world reaches this server.
    base: String,
}

impl Prepared {
    /// `before` is the one in force.
    ///
    /// # Errors
    /// Which settings cannot be used.
    pub(super) fn of(
        config: Config,
        templates: Templates,
        (ledger, clock, rules, key): (&Ledger, &Clock, &Rules, &LinkKey),
        before: Option<&Setup>,
    ) -> anyhow::Result<(Self, Ways)> {
        let base = config.server.link_base(config.server.listen);
        let before = before.and_then(|setup| setup.application.as_deref());
        let application = channels::application(&config, before)?;
        let out = (base.as_str(), application.clone());
        let ways = channels::ways(&config, (ledger, clock), rules, key, out)?;
        let service = config.oidc.clone();
        let service = service
            .map(|config| Service::new(config, &base))
            .transpose()
            .context("无法使用统一身份认证的设置（oidc.ca_file）")?;
        let prepared = Self {
            config,
            templates,
            application,
            service,
            base,
        };
        Ok((prepared, ways))
    }
}

/// A config in force.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) desk: Arc<Desk>,
    application: Option<Arc<AppChannel>>,
}

impl Setup {
    pub(super) fn new(core: &Core, prepared: Prepared) -> Self {
        let config = prepared.config;
        let desk = Desk {
            ledger: core.ledger.clone(),
            vault: core.vault.clone(),
            clock: core.clock.clone(),
            rules: core.rules.clone(),
            link_key: core.link_key.clone(),
            office: Office {
                name: config.office.name.clone(),
                phone: config.office.phone.clone(),
                letterhead: Letterhead::of(&config.office),
            },
            public_url: prepared.base,
            inbox: core
                .demo
                .then(|| inbox::SpoolInbox::shared(&config.spool.path)),
            advance: core.advance.clone(),
            vitals: Arc::clone(&core.vitals),
            stopped: Arc::clone(&core.stopped),
            given_years: Arc::clone(&config.time.given),
            shown: Arc::clone(&config.shown),
            views: Arc::clone(&core.views),
            ended: Arc::clone(&core.ended),
            service: prepared.service,
            second_for: config.server.require_totp.clone(),
            counted: Arc::clone(&core.counted),
            closing: core.closing.clone(),
        };
        Self {
            desk: Arc::new(desk),
            application: prepared.application,
            config,
        }
    }

    /// The operator's interface, for the commands.
    pub(super) fn local_router(&self, core: &Core) -> Router {
        let operator = Arc::new(Operator {
            desk: Arc::clone(&self.desk),
            rules: core.rules.clone(),
            driver: core.driver.clone(),
            config: self.config.clone(),
            config_trouble: core.config_trouble.clone(),
            lore: Lore::of(&self.config),
        });
        local::router(operator)
            .merge(crate::board::router(Arc::clone(&self.desk)))
            .merge(export::router(
                Arc::clone(&self.desk),
                Lore::of(&self.config),
            ))
            .merge(crate::reply::coordinators(Arc::clone(&self.desk)))
            .layer(axum::Extension(crate::web::Caller::Operator))
    }

    /// What the world sees.
    pub(super) fn public_router(&self, core: &Core) -> Router {
        let desk = || Arc::clone(&self.desk);
        let driver = core.driver.clone();
        let imports = crate::plan::page::router(
            desk(),
            self.config.store.path.join("imports"),
            Lore::of(&self.config),
            move || driver.wake(),
        );
        let pages = crate::reply::router(desk())
            .merge(crate::feed::router(desk()))
            .merge(crate::board::router(desk()))
            .merge(imports)
            .merge(export::router(desk(), Lore::of(&self.config)))
            .merge(crate::web::health::router(desk()))
            .merge(crate::web::assets::router());
        let pages = match self.callback() {
            Some(crypt) => pages.merge(crate::reply::wecom::router(desk(), crypt)),
            None => pages,
        };
        let proxies: Arc<[_]> = self.config.server.trusted_proxies.as_slice().into();
        crate::web::guard::guard(pages, desk(), &self.framed_by())
            .layer(Extension(crate::web::Proxies(proxies)))
    }

    /// Where WeCom shows what is opened in it; nobody else puts our pages into a frame.
    fn framed_by(&self) -> Vec<String> {
        let wecom = &self.config.wecom;
        if wecom.app.is_none() && wecom.robots.is_empty() {
            return Vec::new();
        }
        let mut origins = vec![
            "https://work.weixin.qq.com".to_owned(),
            "https://*.work.weixin.qq.com".to_owned(),
        ];
        // A WeCom of the office's own has its own host.
        let own = wecom.base_url.trim_end_matches('/');
        if own.starts_with("https://") && !own.ends_with(".weixin.qq.com") {
            origins.push(own.to_owned());
        }
        origins
    }

    /// What opens the calls of WeCom, where it can call us.
    fn callback(&self) -> Option<Crypt> {
        let app = self.config.wecom.app.as_ref()?;
        let callback = app.callback.as_ref()?;
        let token = callback.token.expose();
        Some(Crypt::new(token, callback.key.clone(), app.corp_id.clone()))
    }

    /// Who decides on what comes in that way, and answers.
    pub(super) fn clerk(&self) -> Option<Clerk> {
        let voice = self.application.clone()?;
        self.callback()?;
        Some(Clerk::new(Arc::clone(&self.desk), voice))
    }

    /// Reads the answers that come by mail.
    pub(super) fn mail_reader(&self, core: &Core) -> Reader {
        let folder = self.config.store.path.join("mail");
        let reader = Reader::new(Arc::clone(&self.desk), folder, ours(&self.config));
        reader.telling(core.mail_trouble.clone())
    }

    /// Makes a backup every night, where the config says where.
    pub(super) fn nightly(&self, core: &Core) -> Option<nightly::Nightly> {
        Some(nightly::Nightly {
            desk: Arc::clone(&self.desk),
            config: self.config.backup.clone()?,
            store: self.config.store.path.clone(),
            trouble: core.backup_trouble.clone(),
        })
    }
}
