//! What the service is told when it is opened.

use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::{Access, Error, Limits};

/// What the service is told when it is opened.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who may ask what.
    pub access: Access,
    /// TLS; without it the service speaks plaintext.
    pub tls: Option<Tls>,
    /// Whether clients may ask which services and messages there are.
    pub reflection: bool,
    /// The bounds.
    pub limits: Limits,
}

/// Certificates, each in PEM.
#[derive(Clone)]
pub struct Tls {
    /// The server's certificate, and those between it and the root.
    pub certificate: String,
    /// The certificate's private key.
    pub key: String,
    /// The roots by which clients' certificates are checked; without them no client needs one.
    pub client_roots: Option<String>,
}

/// Shows no key.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("asks_clients", &self.client_roots.is_some()).finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks the settings, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for the first one with which nothing should be served.
    pub fn validate(&self) -> Result<(), Error> {
        self.access.validate()?;
        self.limits.validate()?;
        self.builder().map(|_| ())
    }

    /// A server with the limits and certificates.
    pub(crate) fn builder(&self) -> Result<tonic::transport::Server, Error> {
        let limits = &self.limits;
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(limits.max_calls_per_connection)
            .http2_max_pending_accept_reset_streams(Some(limits.max_pending_reset_calls))
            .http2_max_header_list_size(limits.max_metadata_bytes)
            .http2_keepalive_interval(Some(limits.keepalive_interval))
            .http2_keepalive_timeout(Some(limits.keepalive_timeout));
        let Some(tls) = &self.tls else { return Ok(server) };
        let config =
            ServerTlsConfig::new().identity(Identity::from_pem(&tls.certificate, &tls.key)).timeout(limits.handshake_timeout);
        let config = match &tls.client_roots {
            Some(roots) => config.client_ca_root(Certificate::from_pem(roots)),
            None => config,
        };
        server.tls_config(config).map_err(|error| Error::InvalidSetting {
            setting: "tls",
            reason: format!(
                "certificates cannot be used ({}); each must be in PEM, the key that of the certificate",
                cause(&error)
            ),
        })
    }
}

/// What lies behind a transport's error, which itself says only "transport error".
fn cause(error: &tonic::transport::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
