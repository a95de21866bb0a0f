//! TLS for SMTP: rustls with ring, the system's roots, and one more where configured.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SettingsError;

/// Makes protected connections to one host.
pub struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
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
        })
    }

    /// The handshake.
    ///
    /// # Errors
    /// Where the peer is not who it should be, or goes away.
    pub async fn connect(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), tcp).await
    }
}
