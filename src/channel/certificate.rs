//! What there is to say of a peer's certificate: why it is not believed, and when it ends.

use std::error::Error;
use std::io;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::domain::checkup::Distrust;

/// Why a handshake was broken off, where the certificate was the reason. Looks at all causes.
#[must_use]
pub fn distrust(error: &(dyn Error + 'static)) -> Option<Distrust> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(in_words(why));
        }
        // An io::Error's own source is that of what it holds.
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// The last day of a certificate, DER, as UTC counts. None where it is none.
#[must_use]
pub fn last_day(certificate: &[u8]) -> Option<NaiveDate> {
    Some(ends(certificate)?.date_naive())
}

fn ends(certificate: &[u8]) -> Option<DateTime<Utc>> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let mut whole = Der(certificate);
    let mut signed = Der(Der(whole.take(SEQUENCE)?).take(SEQUENCE)?);
    if signed.0.first() == Some(&VERSION) {
        signed.any()?;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        signed.any()?;
    }
    let mut validity = Der(signed.take(SEQUENCE)?);
    validity.any()?;
    let (tag, text) = validity.any()?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// RFC 5280, 4.1.2.5: two digits of the year before 2050, four from then on.
fn time(tag: u8, text: &str) -> Option<DateTime<Utc>> {
    const SHORT: u8 = 0x17;
    const LONG: u8 = 0x18;
    let text = match tag {
        SHORT if text.as_bytes().first()? < &b'5' => format!("20{text}"),
        SHORT => format!("19{text}"),
        LONG => text.to_owned(),
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some(time.and_utc())
}

/// Values one after the other: a tag, a length, so many bytes.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&short, rest) = rest.split_first()?;
        let (length, rest) = match short {
            0..0x80 => (usize::from(short), rest),
            _ => {
                let digits = usize::from(short & 0x7f);
                // More than four bytes of length are no certificate.
                let (long, rest) = rest.split_at_checked(digits).filter(|_| digits <= 4)?;
                let length = long
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                (length, rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.any()
            .filter(|(tag, _)| *tag == wanted)
            .map(|(_, value)| value)
    }
}

fn in_words(why: &CertificateError) -> Distrust {
    match why {
        CertificateError::Expired => Distrust::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => Distrust::Expired(day(*not_after)),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::NotYet
        }
        CertificateError::NotValidForName => Distrust::WrongName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            Distrust::WrongName(presented.iter().map(|name| bare(name)).collect())
        }
        // Signed by itself, and no authority.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Distrust::UnknownIssuer,
        // As `openssl req -x509` makes them; rustls has no name for it.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => Distrust::UnknownIssuer,
        other => Distrust::Other(other.to_string()),
    }
}

/// `DnsName("mail.example")` is how they are told.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest);
    inner
        .trim_end_matches(')')
        .trim_matches('"')
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

fn day(time: UnixTime) -> Option<NaiveDate> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Some(DateTime::from_timestamp(seconds, 0)?.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn the_end_stands_in_the_certificate() {
        let pem = include_bytes!("../../tests/fixtures/tls/server.pem");
        let certificate = CertificateDer::from_pem_slice(pem).unwrap();
        let told = ends(&certificate).unwrap().to_rfc3339();
        assert_eq!(told, "2126-10-30T09:08:53+00:00");
        // What anybody sends is read: nothing of it may be taken on trust.
        for cut in 0..certificate.len() {
            let _ = ends(&certificate[..cut]);
        }
        assert_eq!(ends(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(ends(&[0x30, 0x88, 1, 1, 1, 1, 1, 1, 1, 1]), None);
    }

    #[test]
    fn years_of_two_digits_and_of_four() {
        let year = |tag, text| time(tag, text).map(|at| at.format("%Y").to_string());
        assert_eq!(year(0x17, "491231235959Z").as_deref(), Some("2049"));
        assert_eq!(year(0x17, "500101000000Z").as_deref(), Some("1950"));
        assert_eq!(year(0x18, "20500101000000Z").as_deref(), Some("2050"));
        assert_eq!(year(0x02, "20500101000000Z"), None);
    }

    #[test]
    fn a_cause_is_found_however_deep_it_lies() {
        let cause = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let error = io::Error::other(io::Error::other(cause));
        assert_eq!(distrust(&error), Some(Distrust::Expired(None)));
        assert_eq!(distrust(&io::Error::other("away")), None);
        assert_eq!(bare("DnsName(\"mail.example\")"), "mail.example");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
    }
}
