//! TLS for SMTP: rustls with ring, the system's roots, and one more where configured.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SettingsError;
use crate::channel::certificate;

/// Makes protected connections to one host.
pub struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
    /// The last day of the certificate that was shown last.
    until: Mutex<Option<NaiveDate>>,
}

impl Connector {
    /// With the system's roots and those in `extra_ca`, PEM.
    ///
    /// # Errors
    /// Where the host is no name, or a certificate is none.
    pub fn new(host: &str, extra_ca: Option<&[u8]>) -> Result<Self, SettingsError> {
        let extra = match extra_ca {
            Some(pem) => CertificateDer::pem_slice_iter(pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(SettingsError::Certificate)?,
            None => Vec::new(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = if extra.is_empty() {
            Verifier::new(Arc::clone(&provider))
        } else {
            Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SettingsError::Tls)?
            .dangerous()
            // rustls calls every verifier of one's own dangerous; this one asks the platform's roots.
            .with_custom_certificate_verifier(Arc::new(verifier.map_err(SettingsError::Tls)?))
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| SettingsError::Address(host.to_owned()))?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
            until: Mutex::default(),
        })
    }

    /// The handshake.
    ///
    /// # Errors
    /// Where the peer is not who it should be, or goes away.
    pub async fn connect(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = self.connector.connect(self.name.clone(), tcp).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let until = shown.and_then(<[_]>::first);
        let until = until.and_then(|first| certificate::last_day(first));
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        Ok(stream)
    }

    /// The last day of the certificate that was shown last.
    #[must_use]
    pub fn certificate_until(&self) -> Option<NaiveDate> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name the peer has to prove.
    #[must_use]
    pub fn host(&self) -> String {
        self.name.to_str().into_owned()
    }
}
