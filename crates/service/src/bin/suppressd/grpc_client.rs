//! How the commands reach a gRPC server.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use prost_types::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use suppressd_core::UnixSeconds;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::cli::ServerArguments;
use crate::secret;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for one answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that presents its token with every call.
pub(crate) type AuthorizedChannel = InterceptedService<Channel, Bearer>;

/// Presents a token, if there is one.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    fn new(token: Option<&SecretString>) -> anyhow::Result<Self> {
        let value = |token: &SecretString| {
            let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose_secret()).parse()?;
            value.set_sensitive(true);
            Ok::<_, tonic::metadata::errors::InvalidMetadataValue>(value)
        };
        token.map(value).transpose().map(Self).context("the token holds what no header can")
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Runs a command's work on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Connects, with the first token that is found under one of the names.
pub(crate) async fn connect(server: &ServerArguments, token_names: &[&str]) -> anyhow::Result<AuthorizedChannel> {
    let bearer = Bearer::new(secret::from_environment(token_names)?.as_ref())?;
    let shown = without_userinfo(&server.server);
    let endpoint = Endpoint::from_shared(server.server.clone()).with_context(|| format!("{shown} is no URL"))?;
    let mut endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).timeout(CALL_TIMEOUT);
    if let Some(tls) = tls(server)? {
        endpoint = endpoint.tls_config(tls).context("the certificates cannot be used")?;
    }
    let channel = endpoint.connect().await.with_context(|| format!("cannot reach the server at {shown}"))?;
    Ok(InterceptedService::new(channel, bearer))
}

fn tls(server: &ServerArguments) -> anyhow::Result<Option<ClientTlsConfig>> {
    if !server.server.starts_with("https://") {
        if server.ca.is_some() || server.client_certificate.is_some() {
            bail!("certificates need a server that is given as https://");
        }
        return Ok(None);
    }
    let Some(ca) = &server.ca else { bail!("https needs --ca: the roots that the server's certificate must lead to") };
    let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
    match (&server.client_certificate, &server.client_key) {
        (Some(certificate), Some(key)) => Ok(Some(config.identity(Identity::from_pem(read(certificate)?, read(key)?)))),
        (_, _) => Ok(Some(config)),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    secret::read_certificates(path)
}

/// A URL without what may be a password.
fn without_userinfo(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

/// A time as people and programs read it; empty if there is none.
pub(crate) fn time(at: Option<&Timestamp>) -> String {
    at.map(|at| UnixSeconds::clamped(at.seconds).to_string()).unwrap_or_default()
}

/// Reads a time in one of the provider's forms, or a day, behind which `time_of_day` is set.
pub(crate) fn read_time(text: &str, time_of_day: &str) -> anyhow::Result<Timestamp> {
    let time = UnixSeconds::from_wire(text).or_else(|| UnixSeconds::from_wire(&format!("{text}{time_of_day}")));
    match time {
        Some(time) => Ok(Timestamp { seconds: time.get(), nanos: 0 }),
        None => bail!("must be a time like 2020-12-14T19:00:00Z, a day, or seconds since 1970"),
    }
}

/// A server's refusal in words.
pub(crate) fn refusal(status: &Status) -> anyhow::Error {
    anyhow::anyhow!("the server says {}: {}", status.code(), status.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_a_day() {
        let read = |text, time_of_day| read_time(text, time_of_day).map(|time| time.seconds).ok();
        assert_eq!(read("2020-12-14", "T00:00:00Z"), Some(1_607_904_000));
        assert_eq!(read("2020-12-14", "T23:59:59Z"), Some(1_607_990_399));
        assert_eq!(read("2020-12-14T19:00:00Z", "T23:59:59Z"), Some(1_607_972_400));
        assert_eq!(read("1607972400", "T23:59:59Z"), Some(1_607_972_400));
        assert_eq!(read("yesterday", "T00:00:00Z"), None);
    }
}
