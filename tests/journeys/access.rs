//! Tokens, TLS and mutual TLS.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use tonic::Code;

use super::Ground;
use super::webhook::body;
use crate::clients::grpcio::{Credentials, Grpcio};
use crate::servers::suppressd::{Launch, command, data};

super::on_both_stores!(a_wrong_token_is_refused_and_writes_nothing, each_right_needs_its_token);

fn a_wrong_token_is_refused_and_writes_nothing(ground: &Ground) {
    let server = ground.launch().variable("SUPPRESSD_WEBHOOK_TOKEN", "old,new").start();
    for wrong in [server.webhook(), server.webhook().with_token("nonsense"), server.webhook().with_token("")] {
        for content in [&*body("b", "a@example.com", "bad-mailbox", 1), "{"] {
            assert_eq!(wrong.post(content).status, 401);
        }
    }
    assert!(!server.checks().is_suppressed("a@example.com"));
    assert!(server.webhook().get("/metrics").text.contains("suppressd_rejected_letters 0\n"));
    assert_eq!(server.webhook().get("/readyz").status, 200, "health needs no token");
    for (number, token) in ["old", "new"].into_iter().enumerate() {
        let bounce = body("b", "a@example.com", "bad-mailbox", number);
        assert_eq!(server.webhook().with_token(token).post(bounce).counts(), [1, 0, 0, 0]);
    }
    // The token of the webhook may only record, and its port is the only one that it closes.
    assert!(server.checks().is_suppressed("a@example.com"));
    let (status, log) = server.terminate();
    assert!(status.success());
    assert!(!log.contains("nonsense") && !log.contains("a@example.com"), "{log}");
}

fn each_right_needs_its_token(ground: &Ground) {
    let server =
        ground.launch().variable("SUPPRESSD_READ_TOKEN", "reader").variable("SUPPRESSD_ADMIN_TOKEN", "root,root2").start();
    let code = |checks: crate::clients::rust_grpc::Checks| checks.one("a@example.com").err().map(|status| status.code());
    assert_eq!(code(server.checks()), Some(Code::Unauthenticated));
    assert_eq!(code(server.checks().with_token("wrong")), Some(Code::Unauthenticated));
    assert_eq!(code(server.checks().with_token("reader")), None);
    assert_eq!(code(server.checks().with_token("root2")), None);

    let list = |token: &str| {
        let mut command = command();
        if !token.is_empty() {
            command.env("SUPPRESSD_ADMIN_TOKEN", token);
        }
        let output = command.args(["rejected", "list", "--server", &server.grpc_url()]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(list("root").0, Some(0));
    let (code, said) = list("reader");
    assert!(code == Some(2) && said.contains("admin token"), "{said}");
    let (code, said) = list("");
    assert!(code == Some(2) && said.contains("Bearer"), "{said}");

    // Health and reflection need none.
    let mut open = Grpcio::at(&server.grpc().to_string());
    assert_eq!(open.call("grpc.health.v1.Health/Check", &json!({}))["ok"]["status"], "SERVING");
    assert_eq!(open.is_suppressed(&json!({"email": "a@example.com"}))["code"], "UNAUTHENTICATED");
}

/// Writes a root and two certificates that it signed.
pub(crate) fn write_certificates(directory: &Path) {
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    // Two of one name would look like one that signed itself.
    params.distinguished_name.push(DnType::CommonName, "the root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write("root.pem", root.pem());
    for name in ["localhost", "client"] {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &root).unwrap();
        write(&format!("{name}.pem"), certificate.pem());
        write(&format!("{name}.key"), key.serialize_pem());
    }
}

#[test]
fn tls_and_mutual_tls() {
    let directory = tempfile::tempdir().unwrap();
    write_certificates(directory.path());
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (root, certificate, key) = (file("root.pem"), file("localhost.pem"), file("localhost.key"));
    let launch = || {
        let store = data(directory.path());
        Launch::in_directory(&store).flags(&["--tls-certificate", &certificate, "--tls-key", &key])
    };
    let request = json!({"email": "a@example.com"});
    let ask = |port: u16, certificate: &str, key: &str| {
        let credentials = Credentials { token: "", roots: &root, certificate, key };
        Grpcio::with(&format!("localhost:{port}"), &credentials).is_suppressed(&request)
    };

    let server = launch().start();
    let port = server.grpc().port();
    let answer = ask(port, "", "");
    assert_eq!(answer["ok"]["suppressed"], false, "{answer}");
    let plaintext = Grpcio::at(&format!("localhost:{port}")).is_suppressed(&request);
    assert_eq!(plaintext["code"], "UNAVAILABLE", "{plaintext}");
    drop(server);

    let server = launch().flags(&["--tls-client-roots", &root]).start();
    let port = server.grpc().port();
    assert_eq!(ask(port, &file("client.pem"), &file("client.key"))["ok"]["suppressed"], false);
    let nobody = ask(port, "", "");
    assert_eq!(nobody["code"], "UNAVAILABLE", "{nobody}");

    let url = format!("https://localhost:{port}");
    let check = |more: &[&str]| command().args(["check", "a@example.com", "--server", &url]).args(more).output().unwrap();
    let output = check(&["--ca", &root, "--client-certificate", &file("client.pem"), "--client-key", &file("client.key")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(check(&["--ca", &root]).status.code(), Some(2));
    assert_eq!(check(&[]).status.code(), Some(2));
}

#[test]
fn what_would_be_open_to_strangers_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let launch = |flags: &[&str]| Launch::in_directory(&data(directory.path())).flags(flags);
    for (flags, word) in [
        (["--config", "/nowhere.toml"], "/nowhere.toml"),
        (["--role", "none"], "all, ingest or check"),
        (["--max-letters", "0"], "--max-letters"),
    ] {
        let output = launch(&flags).fail();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(word), "{said}");
    }
    for (variable, value, word) in
        [("SUPPRESSD_STORE_FILE", "/nowhere", "SUPPRESSD_STORE_FILE"), ("SUPPRESSD_READ_TOKEN", "", "SUPPRESSD_READ_TOKEN")]
    {
        let output = command().env(variable, value).args(["serve", "--check-config"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(word), "{said}");
    }
    // A token that is no text was meant to be one: the port must not be open instead.
    let garbled = std::os::unix::ffi::OsStrExt::from_bytes(b"s\xe9cret");
    let garbled: &std::ffi::OsStr = garbled;
    let output = command().env("SUPPRESSD_WEBHOOK_TOKEN", garbled).args(["serve", "--check-config"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    for (door, word) in [("--http", "SUPPRESSD_WEBHOOK_TOKEN"), ("--grpc", "SUPPRESSD_READ_TOKEN")] {
        let output = command().args(["serve", door, "0.0.0.0:0", "--check-config"]).output().unwrap();
        assert_eq!(output.status.code(), Some(64));
        assert!(String::from_utf8(output.stderr).unwrap().contains(word));
    }
    assert!(!data(directory.path()).exists(), "nothing was opened");
    assert!(command().args(["serve", "--check-config"]).output().unwrap().status.success());
}
