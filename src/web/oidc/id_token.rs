//! Whether an ID token can be believed (OpenID Connect Core 1.0, 3.1.3.7): signed by the issuer with
//! RS256 or ES256, for us, now, and for this very sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::link::same;

/// Seconds by which two clocks may differ.
const LEEWAY: i64 = 60;

/// Who signed in at the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Names the person there for ever.
    pub subject: String,
    /// What the claim says by which users are matched, where one is.
    pub name: Option<String>,
}

/// Why an ID token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrue {
    /// Not three parts of base64url, or not JSON.
    #[error("not a signed token")]
    Form,
    /// Signed in a way that is not taken, or not at all.
    #[error("signed by an algorithm that is not taken")]
    Algorithm,
    /// By a key that is not known.
    #[error("signed by an unknown key")]
    Key,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Another issuer's.
    #[error("of another issuer")]
    Issuer,
    /// For somebody else.
    #[error("for another client")]
    Audience,
    /// Its time is over, or has not come.
    #[error("out of its time")]
    Time,
    /// For another sign-in.
    #[error("for another sign-in")]
    Nonce,
    /// Of nobody.
    #[error("names nobody")]
    Subject,
}

/// What the token has to say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
    /// The claim by which users are matched by name.
    pub name_claim: Option<&'a str>,
    /// Seconds since 1970.
    pub now: i64,
}

/// The issuer's keys.
#[derive(Clone)]
pub(super) struct Keys(pub Vec<Key>);

/// A JSON Web Key.
#[derive(Clone, Deserialize)]
pub(super) struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// Checks a token and says whose it is.
pub(super) fn check(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Identity, Untrue> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Untrue::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(Untrue::Form)?;
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Untrue::Form)?;
    // What must be understood and is not.
    if header.crit.is_some() {
        return Err(Untrue::Algorithm);
    }
    let algorithm = Algorithm::of(&header.alg).ok_or(Untrue::Algorithm)?;
    let signature = decoded(signature)?;
    let mut fitting = keys.0.iter().filter(|key| key.fits(&header, algorithm));
    let mut found = false;
    let holds = fitting.any(|key| {
        found = true;
        key.verifies(algorithm, signed.as_bytes(), &signature)
    });
    match (holds, found) {
        (true, _) => {}
        (false, true) => return Err(Untrue::Signature),
        (false, false) => return Err(Untrue::Key),
    }
    let claims = serde_json::from_slice(&decoded(payload)?).map_err(|_| Untrue::Form)?;
    claimed(&claims, expected)
}

fn claimed(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<Identity, Untrue> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Untrue::Issuer);
    }
    if !is_for(claims, expected.client) {
        return Err(Untrue::Audience);
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let now = expected.now as f64;
    #[expect(clippy::cast_precision_loss, reason = "a minute")]
    let leeway = LEEWAY as f64;
    let over = time("exp").is_none_or(|until| now >= until + leeway);
    let early = time("nbf").is_some_and(|from| now < from - leeway);
    if over || early {
        return Err(Untrue::Time);
    }
    let nonce = text("nonce").unwrap_or_default();
    if !same(nonce.as_bytes(), expected.nonce.as_bytes()) {
        return Err(Untrue::Nonce);
    }
    let subject = text("sub").filter(|subject| !subject.is_empty());
    Ok(Identity {
        subject: subject.ok_or(Untrue::Subject)?.to_owned(),
        name: expected
            .name_claim
            .and_then(text)
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty()),
    })
}

/// Whether the token is meant for this client, and was given to it.
fn is_for(claims: &Map<String, Value>, client: &str) -> bool {
    let party = claims.get("azp").and_then(Value::as_str);
    let ours = party.is_none_or(|party| party == client);
    match claims.get("aud") {
        Some(Value::String(one)) => ours && one == client,
        Some(Value::Array(all)) => {
            let among = all.iter().any(|one| one.as_str() == Some(client));
            ours && among && (all.len() == 1 || party.is_some())
        }
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

impl Key {
    fn fits(&self, header: &Header, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rs256 => self.kty == "RSA",
            Algorithm::Es256 => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
        };
        let named = header.kid.is_none() || header.kid == self.kid;
        let alike = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        let signs = self.purpose.as_deref().is_none_or(|one| one == "sig");
        kind && named && alike && signs
    }

    fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        self.try_verify(algorithm, signed, signature).is_some()
    }

    fn try_verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Option<()> {
        match algorithm {
            Algorithm::Rs256 => {
                let (n, e) = (decoded(&self.n).ok()?, decoded(&self.e).ok()?);
                let key = RsaPublicKeyComponents { n, e };
                let how = &RSA_PKCS1_2048_8192_SHA256;
                key.verify(how, signed, signature).ok()
            }
            Algorithm::Es256 => {
                let (x, y) = (decoded(&self.x).ok()?, decoded(&self.y).ok()?);
                // SEC 1: an uncompressed point.
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(signed, signature).ok()
            }
        }
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Untrue> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Untrue::Form)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    struct Issuer(EcdsaKeyPair);

    impl Issuer {
        fn new() -> Self {
            let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(how, document.as_ref(), &random).unwrap())
        }

        fn keys(&self) -> Keys {
            let point = self.0.public_key().as_ref();
            let half = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
            let key = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "use": "sig",
                "x": half(1..33), "y": half(33..65) });
            Keys(vec![serde_json::from_value(key).unwrap()])
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self
                .0
                .sign(&SystemRandom::new(), signed.as_bytes())
                .unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn header() -> Value {
        json!({ "alg": "ES256", "kid": "1" })
    }

    fn claims() -> Value {
        json!({ "iss": "https://id.example.gov.cn", "aud": "cuiban", "exp": NOW + 300,
            "nonce": "n-1", "sub": "8f14e45f", "preferred_username": "wang" })
    }

    fn read(issuer: &Issuer, header: &Value, claims: &Value) -> Result<Identity, Untrue> {
        let expected = Expected {
            issuer: "https://id.example.gov.cn",
            client: "cuiban",
            nonce: "n-1",
            name_claim: Some("preferred_username"),
            now: NOW,
        };
        check(&issuer.sign(header, claims), &issuer.keys(), &expected)
    }

    #[test]
    fn a_good_token_says_who_it_is() {
        let identity = read(&Issuer::new(), &header(), &claims()).unwrap();
        assert_eq!(identity.subject, "8f14e45f");
        assert_eq!(identity.name.as_deref(), Some("wang"));
    }

    #[test]
    fn every_claim_is_looked_at() {
        let issuer = Issuer::new();
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            read(&issuer, &header(), &claims).err()
        };
        assert_eq!(with("iss", json!("https://evil")), Some(Untrue::Issuer));
        assert_eq!(with("aud", json!("other")), Some(Untrue::Audience));
        let both = json!(["cuiban", "other"]);
        assert_eq!(with("aud", both), Some(Untrue::Audience), "whose party?");
        assert_eq!(with("aud", json!(["cuiban"])), None);
        assert_eq!(with("azp", json!("other")), Some(Untrue::Audience));
        assert_eq!(with("exp", json!(NOW - 61)), Some(Untrue::Time));
        assert_eq!(with("exp", json!("soon")), Some(Untrue::Time));
        assert_eq!(with("nbf", json!(NOW + 61)), Some(Untrue::Time));
        assert_eq!(with("nonce", json!("n-2")), Some(Untrue::Nonce));
        assert_eq!(with("sub", json!("")), Some(Untrue::Subject));
    }

    #[test]
    fn only_the_issuers_own_signature_counts() {
        let (issuer, other) = (Issuer::new(), Issuer::new());
        let refused = |header: Value| read(&issuer, &header, &claims()).err();
        assert_eq!(refused(json!({ "alg": "none" })), Some(Untrue::Algorithm));
        assert_eq!(refused(json!({ "alg": "HS256" })), Some(Untrue::Algorithm));
        let unknown = json!({ "alg": "ES256", "kid": "2" });
        assert_eq!(refused(unknown), Some(Untrue::Key));
        let confused = json!({ "alg": "RS256", "kid": "1" });
        assert_eq!(refused(confused), Some(Untrue::Key));
        let critical = json!({ "alg": "ES256", "kid": "1", "crit": ["b64"] });
        assert_eq!(refused(critical), Some(Untrue::Algorithm));
        let expected = Expected {
            issuer: "https://id.example.gov.cn",
            client: "cuiban",
            nonce: "n-1",
            name_claim: None,
            now: NOW,
        };
        let forged = other.sign(&header(), &claims());
        let read = check(&forged, &issuer.keys(), &expected);
        assert_eq!(read, Err(Untrue::Signature));
        assert_eq!(check("a.b", &issuer.keys(), &expected), Err(Untrue::Form));
        let good = issuer.sign(&header(), &claims());
        let (signed, _) = good.rsplit_once('.').unwrap();
        let bare = format!("{signed}.");
        assert_eq!(
            check(&bare, &issuer.keys(), &expected),
            Err(Untrue::Signature)
        );
    }

    /// Signed by OpenSSL: `openssl dgst -sha256 -sign`.
    #[test]
    fn what_another_program_signed_with_rs256_is_verified() {
        let key: Key = serde_json::from_value(json!({
            "kty": "RSA",
            "n": "nuqhPTCDVho2hvLAbXvJfSmxCQqZd5MvMmzMsQksrfWsbr0L2iXdbJ2i1QnqeEmM2QLTFRUr789cZyLctSLjPQAFpdBcT3xXV7F--qlI1ZMCptkfLX3AIaAsBNcJABEpADAUTDppaBY7sxFunSR81DxN15NERKigX3F0-oditgyKpG39k7Mvy4xga8pBba9pDito7GZPgVc3oPzKTdPeoU50DgVspcryI5ckBf6Soxf5SXGjkaTUlJVQNAN9ReVZXVpHMzaUu57eFesALIAuQo6IJPJ8GCRAYEVLc5VLfJKQo3ynYOwj2W_9YMmG20VCTyMVrxyHRNHB16z8HPOngw",
            "e": "AQAB",
        }))
        .unwrap();
        let signed = "eyJhbGciOiAiUlMyNTYifQ.eyJpc3MiOiAiam9lIiwgImV4cCI6IDEzMDA4MTkzODB9";
        let signature = decoded("b_UQz9z1x4ywK-hH798gSCsz1u23CdJK7X0NiHA50NB9md2l9QUWe-oLxa0lXaRzuEQEQJ4zfA6srum8EN6DICXBAdUbeIm-6FkNpFr-dsOpnY5sMOa7yuO82i7CO5rwrtuUNewkMuRsIlb5_mNDeH0baDL0-FgYGleT1dR8norEG8jxmGNgCdwpj-H_rGZE8MizDX06LgCYnPvclf-cwoDwtvawXX3NoUFojOBUykivYlLUOqXiq6Lx3OmLpFYEQrkn1UePzSOnRxzt6nZV98EikKetY0KlLfKLebs6t_2vMwyd1OCv4r1OKKSnNdS-i6A3acEV1iWJVm_P-qdIvg").unwrap();
        assert!(key.verifies(Algorithm::Rs256, signed.as_bytes(), &signature));
        assert!(!key.verifies(Algorithm::Rs256, b"other", &signature));
    }
}
