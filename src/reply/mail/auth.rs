//! What our own receiving server says of the sender (mail.md 4.8).

use super::Ours;
use super::header::{Headers, text};

/// Whether From is who it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authenticity {
    /// Our server vouches for the domain in From.
    Pass,
    /// Our server found that it is not so.
    Fail,
    /// Our server says nothing that tells.
    None,
}

impl Authenticity {
    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::None => "none",
        }
    }
}

/// Reads the topmost field that our server wrote; lower ones came with the mail.
pub(super) fn read(headers: &Headers, ours: &Ours, from: Option<&str>) -> Authenticity {
    let Some(own) = &ours.authserv_id else {
        return Authenticity::None;
    };
    let is_ours = |field: &String| {
        let id = field.split(|c: char| c == ';' || c.is_whitespace()).next();
        id.is_some_and(|id| id.eq_ignore_ascii_case(own))
    };
    let mut fields = headers
        .all("Authentication-Results")
        .map(text)
        .map(|field| uncommented(&field));
    let Some(field) = fields.find(is_ours) else {
        return Authenticity::None;
    };
    let domain = from
        .and_then(|from| from.rsplit_once('@'))
        .map(|(_, domain)| domain);
    judge(&field, domain)
}

fn judge(field: &str, domain: Option<&str>) -> Authenticity {
    let mut failed = false;
    let mut passed = false;
    for clause in field.split(';').skip(1) {
        let mut words = clause.split_whitespace();
        let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else {
            continue;
        };
        let properties: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
        let says = |names: &[&str]| {
            let of = properties
                .iter()
                .find(|(name, _)| names.contains(&name.to_ascii_lowercase().as_str()));
            of.map(|(_, value)| domain_of(value))
        };
        let (method, result) = (method.to_ascii_lowercase(), result.to_ascii_lowercase());
        let aligned = |said: Option<String>| match (said, domain) {
            (Some(said), Some(domain)) => is_aligned(&said, domain),
            _ => false,
        };
        match (method.as_str(), result.as_str()) {
            ("dmarc", "pass") => {
                let said = says(&["header.from"]);
                let fits = said.is_none() || aligned(said);
                return if fits && domain.is_some() {
                    Authenticity::Pass
                } else {
                    Authenticity::Fail
                };
            }
            ("dmarc", "fail") => return Authenticity::Fail,
            ("dkim", "pass") => passed |= aligned(says(&["header.d", "header.i"])),
            ("spf", "pass") => {
                passed |= aligned(says(&["smtp.mailfrom", "smtp.mail", "envelope-from"]))
            }
            ("dkim" | "spf", "fail" | "softfail" | "hardfail") => failed = true,
            _ => {}
        }
    }
    match (passed, failed) {
        (true, _) => Authenticity::Pass,
        (false, true) => Authenticity::Fail,
        (false, false) => Authenticity::None,
    }
}

fn domain_of(value: &str) -> String {
    let value = value.trim_matches('"');
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    domain.trim_end_matches('.').to_ascii_lowercase()
}

/// The same domain, or one under the other.
fn is_aligned(one: &str, other: &str) -> bool {
    let under = |inner: &str, outer: &str| {
        outer.contains('.')
            && inner
                .strip_suffix(outer)
                .is_some_and(|before| before.ends_with('.'))
    };
    !one.is_empty() && (one == other || under(one, other) || under(other, one))
}

/// Without what stands in round brackets.
fn uncommented(field: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' if depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}
