//! Mutual TLS: who has no certificate that holds does not get as far as a handshake.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, ClientConfig, ClientConnection, RootCertStore};

use crate::servers::suppressd::{Launch, PATIENCE, data};

/// How an HTTP/2 client begins: the preface, and settings that are empty.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The type of a frame of settings, which is what an HTTP/2 server says first (RFC 9113, 3.4 and 6.5).
const SETTINGS: u8 = 4;

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, in PEM; valid in these years.
fn pair(name: &str, issuer: &CertifiedIssuer<'_, KeyPair>, years: [i32; 2]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(years[0], 1, 1), date_time_ymd(years[1], 1, 1));
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

/// What the server says first to who presents that certificate, or why it says nothing.
fn first_frame(port: u16, root: &str, client: Option<&(String, String)>) -> Result<u8, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut tcp);
    // The server may have said no by then, which the reading tells.
    let _ = stream.write_all(PREFACE);
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    Ok(head[3])
}

fn alert(error: &std::io::Error) -> Option<AlertDescription> {
    let rustls::Error::AlertReceived(alert) = error.get_ref()?.downcast_ref()? else { return None };
    Some(*alert)
}

#[test]
fn no_handshake_without_a_client_certificate_that_holds() {
    let directory = tempfile::tempdir().unwrap();
    let (root, stranger) = (issuer("the root"), issuer("another root"));
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = pair("localhost", &root, [2020, 2100]);
    let files = [write("localhost.pem", &certificate), write("localhost.key", &key), write("root.pem", &root.pem())];
    let [certificate, key, roots] = &files;
    let flags = ["--tls-certificate", certificate, "--tls-key", key, "--tls-client-roots", roots];
    let server = Launch::in_directory(&data(Path::new(directory.path()))).flags(&flags).start();
    let first = |client: Option<(String, String)>| first_frame(server.grpc().port(), &root.pem(), client.as_ref());

    assert_eq!(first(Some(pair("client", &root, [2020, 2100]))).unwrap(), SETTINGS);
    let refused = |client| alert(&first(client).unwrap_err());
    assert_eq!(refused(None), Some(AlertDescription::CertificateRequired));
    assert_eq!(refused(Some(pair("client", &stranger, [2020, 2100]))), Some(AlertDescription::UnknownCA));
    assert_eq!(refused(Some(pair("client", &root, [2020, 2021]))), Some(AlertDescription::CertificateExpired));
    assert!(refused(Some(pair("client", &root, [2099, 2100]))).is_some(), "not yet valid");
    assert_eq!(first(Some(pair("client", &root, [2020, 2100]))).unwrap(), SETTINGS, "it still lets the right one in");
}
