//! TLS for SMTP: rustls with ring, the system's roots, and one more where configured.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Settings, SettingsError};

pub(super) struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let extra = match &settings.extra_ca {
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
        let name = ServerName::try_from(settings.host.clone())
            .map_err(|_| SettingsError::Address(settings.host.clone()))?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    pub(super) async fn connect(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), tcp).await
    }
}
