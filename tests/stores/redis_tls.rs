//! A Redis that is reached by TLS.

use suppressd_core::Error;
use suppressd_core::store::EvidenceStore as _;
use suppressd_core::store::redis::{RedisSettings, RedisStore};
use tempfile::TempDir;

use super::{LIMITS, block_on, some_of_the_contract};
use crate::journeys::access::write_certificates;
use crate::servers::redis::{RedisServer, free_port, patient_settings};

/// A server that is also reached by TLS, with certificates in a directory. Gives the URL of that door.
fn start() -> (RedisServer, TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    write_certificates(directory.path());
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let port = free_port().to_string();
    let (certificate, key, roots) = (file("localhost.pem"), file("localhost.key"), file("root.pem"));
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &roots]);
    let server = RedisServer::start_on_tcp(&arguments);
    (server, directory, format!("rediss://localhost:{port}"))
}

fn settings(url: &str, directory: &TempDir) -> RedisSettings {
    let roots = std::fs::read(directory.path().join("root.pem")).unwrap();
    RedisSettings { roots: Some(roots), letter_limits: LIMITS, ..patient_settings(url) }
}

#[test]
fn a_store_by_tls_does_the_same() {
    let (server, directory, url) = start();
    block_on(some_of_the_contract(|| {
        server.cli::<()>(&["FLUSHALL"]);
        RedisStore::open(&settings(&url, &directory)).unwrap()
    }));
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_no_store() {
    let (_server, directory, url) = start();
    block_on(async {
        // Its name is not that of the address, and its root is none of the system's.
        for settings in [settings(&url.replace("localhost", "127.0.0.1"), &directory), patient_settings(&*url)] {
            let store = RedisStore::open(&settings).unwrap();
            let error = store.probe().await.unwrap_err();
            assert!(matches!(&error, Error::StoreUnavailable { reason } if reason.contains("certificate")), "{error:?}");
        }
    });
}
