//! Calls with an access token: fetched once for all who wait for it, renewed before it ends, and
//! once more where the platform ended it early.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer::{Answer, Said};
use crate::channel::wecom_http::why;
use crate::config::Secret;

/// Renewed this long before the platform ends it; half its life where that is short.
const MARGIN: Duration = Duration::from_secs(200);

/// The platform's API for one application.
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    corp_id: String,
    secret: Secret,
    /// Held while one is fetched: the platform counts who asks for too many.
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Issued {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

/// Bodies of answers are short; what is longer is none.
const LONGEST_ANSWER: usize = 64 << 10;

impl Api {
    pub(super) fn new(
        http: reqwest::Client,
        base: String,
        corp_id: String,
        secret: Secret,
    ) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            corp_id,
            secret,
            token: Mutex::new(None),
        }
    }

    /// Posts to `/cgi-bin/{path}` and gives the answer, whatever its errcode, except that a token
    /// the platform does not know any more is fetched anew, once.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Said> {
        let token = self.token(None).await?;
        let answer = self.post_with(&token, path, body).await?;
        if !answer.wants_a_new_token() {
            return Ok(answer);
        }
        let token = self.token(Some(&token)).await?;
        self.post_with(&token, path, body).await
    }

    /// The same for what is only asked.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Said> {
        let token = self.token(None).await?;
        let mut with_token = vec![("access_token", token.as_str())];
        with_token.extend(query.iter().map(|(name, value)| (*name, value.as_str())));
        let url = self.url(path, &with_token)?;
        let asked = self.http.get(url).send().await;
        let response = asked.map_err(|error| broken(error.without_url(), false))?;
        read(response, false).await
    }

    async fn post_with(&self, token: &str, path: &str, body: &Value) -> Result<Answer, Said> {
        let url = self.url(path, &[("access_token", token)])?;
        let sent = self.http.post(url).json(body).send().await;
        let response = sent.map_err(|error| broken(error.without_url(), true))?;
        read(response, true).await
    }

    /// A token that is good for a while; not the one that has just been refused.
    pub(super) async fn token(&self, refused: Option<&str>) -> Result<String, Said> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref()
            && token.renew_at > Instant::now()
            && refused != Some(token.text.as_str())
        {
            return Ok(token.text.clone());
        }
        *kept = None;
        let asked_at = Instant::now();
        let issued = self.issue().await?;
        let text = issued.access_token.clone();
        *kept = Some(Token {
            text: issued.access_token,
            renew_at: asked_at + good_for(Duration::from_secs(issued.expires_in)),
        });
        Ok(text)
    }

    async fn issue(&self) -> Result<Issued, Said> {
        let query = [
            ("corpid", self.corp_id.as_str()),
            ("corpsecret", self.secret.expose()),
        ];
        let url = self.url("gettoken", &query)?;
        let sent = self.http.get(url).send().await;
        let response = sent.map_err(|error| broken(error.without_url(), false))?;
        let status = response.status().as_u16();
        let body = bytes(response, false).await?;
        let issued = serde_json::from_slice::<Issued>(&body).map_err(|_| Said::NoAnswer {
            status,
            sent: false,
        })?;
        if issued.errcode != 0 || issued.access_token.is_empty() {
            let answer = Answer::of_code(issued.errcode, issued.errmsg);
            return Err(Said::Code(Box::new(answer)));
        }
        Ok(issued)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<reqwest::Url, Said> {
        let text = format!("{}/cgi-bin/{path}", self.base);
        reqwest::Url::parse_with_params(&text, query).map_err(|_| Said::BadUrl)
    }
}

async fn read(response: reqwest::Response, sent: bool) -> Result<Answer, Said> {
    let status = response.status().as_u16();
    let body = bytes(response, sent).await?;
    match status {
        200..=299 => serde_json::from_slice(&body).map_err(|_| Said::NoAnswer { status, sent }),
        429 => Ok(Answer::of_code(45009, "HTTP 429".into())),
        300..=499 => Err(Said::Refused { status }),
        _ => Err(Said::NoAnswer { status, sent }),
    }
}

async fn bytes(mut response: reqwest::Response, sent: bool) -> Result<Vec<u8>, Said> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let status = response.status().as_u16();
                return Err(Said::NoAnswer { status, sent });
            }
            Ok(None) => return Ok(body),
            Err(error) => return Err(broken(error.without_url(), sent)),
        }
    }
}

fn good_for(life: Duration) -> Duration {
    life.saturating_sub(MARGIN).max(life / 2)
}

/// A call without an answer. `sent` says whether the message itself was in it.
fn broken(error: reqwest::Error, sent: bool) -> Said {
    let detail = why(&error);
    if error.is_builder() {
        Said::BadUrl
    } else if error.is_connect() {
        Said::Unreachable { detail }
    } else {
        Said::Broken { detail, sent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end() {
        for (life, wanted) in [(7200, 7000), (300, 150), (1, 0), (0, 0)] {
            let good_for = good_for(Duration::from_secs(life)).as_secs();
            assert_eq!(good_for, wanted, "{life}");
        }
    }
}
