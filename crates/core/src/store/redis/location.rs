//! What a store's URL means: which servers, how to log in, whether by TLS.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo, TlsCertificates,
};

use crate::Error;

/// How long sent bytes may stay without confirmation before the connection is given up: a host that died says nothing, and the
/// kernel's own patience is a quarter of an hour.
const UNCONFIRMED_BYTES_TIMEOUT: Duration = Duration::from_secs(5);

/// How an operator writes a store's URL.
const FORM: &str = "a Redis is given as redis://[user:password@]host[:port] (rediss:// with TLS), redis+unix:///path, \
                    redis+cluster://[user:password@]host:port,host:port or redis+sentinel://[user:password@]host:port,host:port/service";

/// Most servers that a URL may name.
const MAX_SERVERS: usize = 64;

/// Where a sentinel listens, if it is not said.
const SENTINEL_PORT: u16 = 26379;

/// Where one server listens.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Port { host: String, port: u16 },
    Socket(PathBuf),
}

impl Endpoint {
    pub(super) fn port(host: impl Into<String>, port: u16) -> Self {
        Self::Port { host: host.into(), port }
    }
}

/// As an operator looks for it; there is no user and no password in it.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Port { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Which servers a URL means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Servers {
    /// One, whatever becomes of it.
    One(Endpoint),
    /// Those of a cluster that is first asked for the others.
    Cluster(Vec<Endpoint>),
    /// The one that a Sentinel names for that service.
    Sentinel { sentinels: Vec<Endpoint>, service: String },
}

/// How to get into each of the servers.
#[derive(Clone)]
pub(super) struct Access {
    login: RedisConnectionInfo,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    /// Roots that certificates must lead to, in PEM; those of the system if there are none.
    roots: Option<Vec<u8>>,
}

/// A store's URL, read.
pub(super) struct Location {
    pub(super) servers: Servers,
    pub(super) access: Access,
}

impl Location {
    /// Reads a store's URL. Errors do not quote it: it may hold a password. `roots` is PEM.
    pub(super) fn read(url: &str, roots: Option<&[u8]>) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid(FORM))?;
        let scheme = scheme.to_ascii_lowercase();
        let is_tls = scheme.starts_with("rediss");
        let one_scheme = if is_tls { "rediss" } else { "redis" };
        let (servers, login) = match &*scheme {
            "redis" | "rediss" | "redis+unix" | "unix" => {
                let (endpoint, login) = read_one(url)?;
                (Servers::One(endpoint), login)
            }
            "redis+cluster" | "rediss+cluster" => {
                let (seeds, path, login) = read_many(one_scheme, rest, None)?;
                if !matches!(path, "" | "0") {
                    return Err(invalid("a cluster has only database 0, and its URL no path"));
                }
                (Servers::Cluster(seeds), login)
            }
            "redis+sentinel" | "rediss+sentinel" => {
                let (sentinels, service, login) = read_many(one_scheme, rest, Some(SENTINEL_PORT))?;
                if service.is_empty() || service.contains(['/', '?', '#']) {
                    return Err(invalid(
                        "a Sentinel's URL ends with the name of the service: redis+sentinel://host:port/service",
                    ));
                }
                (Servers::Sentinel { sentinels, service: service.to_owned() }, login)
            }
            _ => return Err(invalid(FORM)),
        };
        if roots.is_some() && !is_tls {
            return Err(invalid("certificates of Redis are looked at only with TLS: give the store as rediss://"));
        }
        let tls = is_tls.then(|| Tls { roots: roots.map(<[u8]>::to_vec) });
        let access = Access { login, tls };
        // Roots that cannot be read are found here, not at the first connection.
        access.client(&Endpoint::port("localhost", 1))?;
        Ok(Self { servers, access })
    }
}

impl Access {
    /// How one server is connected to.
    pub(super) fn client(&self, endpoint: &Endpoint) -> Result<Client, Error> {
        self.client_with(endpoint, self.login.clone())
    }

    /// How a sentinel is connected to: the user and the password are those of the Redis behind it.
    pub(super) fn client_of_sentinel(&self, endpoint: &Endpoint) -> Result<Client, Error> {
        self.client_with(endpoint, RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP2))
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn client_with(&self, endpoint: &Endpoint, login: RedisConnectionInfo) -> Result<Client, Error> {
        let address = match (endpoint, &self.tls) {
            (Endpoint::Socket(path), _) => ConnectionAddr::Unix(path.clone()),
            (Endpoint::Port { host, port }, None) => ConnectionAddr::Tcp(host.clone(), *port),
            (Endpoint::Port { host, port }, Some(_)) => {
                ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None }
            }
        };
        let info: ConnectionInfo = address.into_connection_info().map_err(|_| invalid(FORM))?;
        let info = info.set_redis_settings(login).set_tcp_settings(tcp_settings());
        let Some(tls) = &self.tls else { return Client::open(info).map_err(|_| invalid(FORM)) };
        // Somebody may have chosen one before; that one will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates = TlsCertificates { client_tls: None, root_cert: tls.roots.clone() };
        Client::build_with_tls(info, certificates)
            .map_err(|_| Error::InvalidField { field: "redis_ca", reason: "must be certificates in PEM".to_owned() })
    }
}

/// Reads the URL of one server.
fn read_one(url: &str) -> Result<(Endpoint, RedisConnectionInfo), Error> {
    let info = url.into_connection_info().map_err(|_| invalid(FORM))?;
    let database = info.redis_settings().db();
    if database != 0 {
        return Err(invalid(&format!(
            "database {database} cannot be used: a cluster has only database 0, so it is the only one"
        )));
    }
    let endpoint = match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            return Err(invalid("certificates are always looked at; give the roots of your own ones as redis_ca"));
        }
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => Endpoint::port(host, *port),
        ConnectionAddr::Unix(path) if path != Path::new("/") => Endpoint::Socket(path.clone()),
        // The library may come to know more.
        ConnectionAddr::Unix(_) | _ => return Err(invalid(FORM)),
    };
    // The other protocol has a queue for messages out of turn that has no limit, and nothing that is needed here.
    Ok((endpoint, info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2)))
}

/// Reads `[user:password@]host:port,host:port[/path]`. Gives the path, too.
fn read_many<'a>(
    scheme: &str,
    rest: &'a str,
    default_port: Option<u16>,
) -> Result<(Vec<Endpoint>, &'a str, RedisConnectionInfo), Error> {
    let (user, places) = rest.rsplit_once('@').map_or(("", rest), |(user, places)| (user, places));
    let (places, path) = places.split_once('/').unwrap_or((places, ""));
    let at = if user.is_empty() { "" } else { "@" };
    let mut servers = Vec::new();
    let mut login = None;
    for place in places.split(',') {
        let has_port = place.rsplit_once(':').is_some_and(|(host, _)| !host.starts_with('[') || host.ends_with(']'));
        let port = default_port.filter(|_| !has_port).map(|port| format!(":{port}")).unwrap_or_default();
        let (endpoint, of_place) = read_one(&format!("{scheme}://{user}{at}{place}{port}"))?;
        servers.push(endpoint);
        login = Some(of_place);
    }
    let login = login.filter(|_| servers.len() <= MAX_SERVERS).ok_or_else(|| invalid(FORM))?;
    Ok((servers, path, login))
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(UNCONFIRMED_BYTES_TIMEOUT);
    settings
}

fn invalid(reason: &str) -> Error {
    Error::InvalidField { field: "store", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
