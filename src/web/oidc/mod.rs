//! Signing in through the office's own service: OpenID Connect, the code flow with PKCE.
//!
//! Nothing is asked of any address but those of the configured issuer: what its discovery document
//! names has to lie at the same place. What a browser carries between the two visits (state, nonce,
//! verifier) is sealed in its cookie; nothing is kept here.
//!
//! The checks are short, so they are our own on top of ring, which is in the program anyway; the
//! well-known crates bring a second set of signature code with open advisories.

mod id_token;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use self::id_token::{Expected, Key, Keys};
use super::percent::encoded;
use super::{seal, session};
use crate::config::OidcConfig;
use crate::domain::link::{LinkKey, same};

pub use self::id_token::{Identity, Untrue};

/// Where the service sends people back to.
pub const CALLBACK: &str = "/login/oidc/callback";
/// How long somebody may take at the service.
pub const FLOW_LASTS: TimeDelta = TimeDelta::minutes(10);

const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Larger answers are none of what was asked for.
const LARGEST: usize = 256 * 1024;
/// What discovery said is believed this long.
const KNOWN_FOR: Duration = Duration::from_secs(3600);
/// A key nobody knows makes us ask again, this often at the most.
const ASK_AGAIN: Duration = Duration::from_secs(60);
const PURPOSE: &str = "oidc flow";

/// Why somebody was not let in; for the log. None of it holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The service could not be asked, or answered with an error.
    #[error("the sign-in service did not answer {0}")]
    Unreachable(&'static str, #[source] Option<reqwest::Error>),
    /// Its answer is not what the standard says.
    #[error("the sign-in service's answer to {0} is not understood")]
    Odd(&'static str),
    /// It names an address elsewhere.
    #[error("the sign-in service names {0} at another place than the issuer")]
    Elsewhere(&'static str),
    /// The browser comes back with what was not given to it, or too late.
    #[error("this browser did not begin here, or too long ago")]
    NotBegun,
    /// What it says of the person cannot be believed.
    #[error("the ID token is refused")]
    Untrue(#[from] Untrue),
    /// No randomness, or a defect.
    #[error("the sign-in could not begin")]
    Failed,
}

/// The office's sign-in service.
pub struct Service {
    config: OidcConfig,
    callback: String,
    client: reqwest::Client,
    known: Mutex<Option<Provider>>,
}

/// What discovery said.
#[derive(Clone)]
struct Provider {
    authorize: Url,
    token: Url,
    keys_at: Url,
    keys: Keys,
    asked: Instant,
    keys_asked: Instant,
}

impl Service {
    /// By these settings; nothing is asked yet.
    ///
    /// # Errors
    /// Where the certificate authority of the settings cannot be used.
    pub fn new(config: OidcConfig, public_url: &str) -> Result<Self, reqwest::Error> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(CALL_LIMIT)
            .timeout(CALL_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if let Some(pem) = &config.ca {
            client = client.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self {
            callback: format!("{public_url}{CALLBACK}"),
            client: client.build()?,
            config,
            known: Mutex::new(None),
        })
    }

    /// By these settings.
    #[must_use]
    pub fn config(&self) -> &OidcConfig {
        &self.config
    }

    /// Where to send the browser, and what it is to carry.
    ///
    /// # Errors
    /// Where the service does not answer.
    pub async fn begin(&self, key: &LinkKey) -> Result<(String, String), OidcError> {
        let provider = self.provider().await?;
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut to = provider.authorize;
        to.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("scope", "openid profile")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let until = (session::real_time() + FLOW_LASTS).timestamp();
        let flow = format!("{until} {state} {nonce} {verifier}");
        let sealed = seal::seal(key, PURPOSE, "", flow.as_bytes());
        Ok((to.into(), sealed.map_err(|_| OidcError::Failed)?))
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// Why nobody is believed.
    pub async fn finish(
        &self,
        key: &LinkKey,
        carried: &str,
        (state, code): (&str, &str),
    ) -> Result<Identity, OidcError> {
        let flow = Flow::open(key, carried).ok_or(OidcError::NotBegun)?;
        if !same(flow.state.as_bytes(), state.as_bytes()) {
            return Err(OidcError::NotBegun);
        }
        let provider = self.provider().await?;
        let token = self.redeem(&provider, code, &flow.verifier).await?;
        let expected = Expected {
            issuer: &self.config.issuer,
            client: &self.config.client_id,
            nonce: &flow.nonce,
            name_claim: self.config.name_claim.as_deref(),
            now: session::real_time().timestamp(),
        };
        match id_token::check(&token, &provider.keys, &expected) {
            Err(Untrue::Key) => {
                // The service has changed its keys since they were asked for.
                let keys = self.keys_again(&provider).await?;
                Ok(id_token::check(&token, &keys, &expected)?)
            }
            checked => Ok(checked?),
        }
    }

    async fn provider(&self) -> Result<Provider, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(provider) = known.as_ref()
            && provider.asked.elapsed() < KNOWN_FOR
        {
            return Ok(provider.clone());
        }
        let provider = self.discover().await?;
        *known = Some(provider.clone());
        Ok(provider)
    }

    async fn discover(&self) -> Result<Provider, OidcError> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            authorization_endpoint: String,
            token_endpoint: String,
            jwks_uri: String,
        }
        const WHAT: &str = "discovery";
        let issuer = self.config.issuer.trim_end_matches('/');
        let at = format!("{issuer}/.well-known/openid-configuration");
        let at = Url::parse(&at).map_err(|_| OidcError::Odd(WHAT))?;
        let document: Document = self.ask(self.client.get(at), WHAT).await?;
        if document.issuer != self.config.issuer {
            return Err(OidcError::Odd(WHAT));
        }
        let keys_at = self.here(&document.jwks_uri, "keys")?;
        let now = Instant::now();
        Ok(Provider {
            authorize: self.here(&document.authorization_endpoint, "the sign-in page")?,
            token: self.here(&document.token_endpoint, "tokens")?,
            keys: self.keys(&keys_at).await?,
            keys_at,
            asked: now,
            keys_asked: now,
        })
    }

    /// An address that the service names, where it lies at the issuer's own place.
    fn here(&self, text: &str, what: &'static str) -> Result<Url, OidcError> {
        let url = Url::parse(text).map_err(|_| OidcError::Odd(what))?;
        let issuer = Url::parse(&self.config.issuer).map_err(|_| OidcError::Odd(what))?;
        match url.origin() == issuer.origin() {
            true => Ok(url),
            false => Err(OidcError::Elsewhere(what)),
        }
    }

    async fn keys(&self, at: &Url) -> Result<Keys, OidcError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Key>,
        }
        let document: Document = self.ask(self.client.get(at.clone()), "keys").await?;
        Ok(Keys(document.keys))
    }

    async fn keys_again(&self, provider: &Provider) -> Result<Keys, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref()
            && known.keys_asked.elapsed() < ASK_AGAIN
        {
            return Ok(known.keys.clone());
        }
        let keys = self.keys(&provider.keys_at).await?;
        *known = Some(Provider {
            keys: keys.clone(),
            keys_asked: Instant::now(),
            ..provider.clone()
        });
        Ok(keys)
    }

    async fn redeem(
        &self,
        provider: &Provider,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        #[derive(Deserialize)]
        struct Answer {
            id_token: String,
        }
        let client = encoded(&self.config.client_id);
        let mut form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={verifier}",
            encoded(code),
            encoded(&self.callback)
        );
        let mut request = self.client.post(provider.token.clone());
        match &self.config.client_secret {
            // RFC 6749, 2.3.1: both are encoded before they are joined.
            Some(secret) => {
                request = request.basic_auth(client, Some(encoded(secret.expose())));
            }
            None => form.push_str(&format!("&client_id={client}")),
        }
        let kind = "application/x-www-form-urlencoded";
        let request = request.header("content-type", kind).body(form);
        let answer: Answer = self.ask(request, "the code").await?;
        Ok(answer.id_token)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        what: &'static str,
    ) -> Result<T, OidcError> {
        let failed =
            |error: reqwest::Error| OidcError::Unreachable(what, Some(error.without_url()));
        let request = request.header("accept", "application/json");
        let mut answer = request.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(OidcError::Unreachable(what, None));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > LARGEST {
                return Err(OidcError::Odd(what));
            }
        }
        serde_json::from_slice(&bytes).map_err(|_| OidcError::Odd(what))
    }
}

/// What the browser carries.
struct Flow {
    state: String,
    nonce: String,
    verifier: String,
}

impl Flow {
    fn open(key: &LinkKey, carried: &str) -> Option<Self> {
        let text = String::from_utf8(seal::open(key, PURPOSE, "", carried)?).ok()?;
        let mut parts = text.split(' ').map(str::to_owned);
        let until: i64 = parts.next()?.parse().ok()?;
        let flow = Self {
            state: parts.next()?,
            nonce: parts.next()?,
            verifier: parts.next()?,
        };
        (session::real_time().timestamp() < until).then_some(flow)
    }
}

fn random() -> Result<String, OidcError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| OidcError::Failed)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
