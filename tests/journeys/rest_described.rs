//! The HTTP port keeps what it says of itself: schemathesis reads the description from the running server, and asks whatever that
//! allows and forbids.

use std::path::Path;
use std::process::Command;

use crate::clients::grpcio::program;
use crate::servers::suppressd::{Launch, data};

/// Most cases of each operation that are made up at random, beside those that go along the bounds of its schema.
const RANDOM_CASES: &str = "5";

/// With the same seed, the same cases.
const SEED: &str = "1";

#[test]
fn the_server_does_what_it_describes() {
    let directory = tempfile::tempdir().unwrap();
    let launch = Launch::in_directory(&data(directory.path()));
    let server = launch.variable("SUPPRESSD_WEBHOOK_TOKEN", "hook").variable("SUPPRESSD_ADMIN_TOKEN", "root").start();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/schemathesis.toml");
    let output = Command::new(program("schemathesis"))
        .arg("--config-file")
        .arg(settings)
        .args(["run", &format!("http://{}/openapi.json", server.http())])
        .args(["--max-examples", RANDOM_CASES, "--seed", SEED, "--no-color"])
        .env("ADMIN_TOKEN", "root")
        .env("WEBHOOK_TOKEN", "hook")
        // It keeps what it found beside where it runs.
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let description = server.webhook().get("/openapi.json").json();
    // The description itself was asked for first of all.
    let paths = description["paths"].as_object().unwrap().iter().filter(|(path, _)| *path != "/openapi.json");
    let operations: usize = paths.map(|(_, operations)| operations.as_object().unwrap().len()).sum();
    assert!(said.contains(&format!("Tested: {operations}\n")), "not all {operations} were tested: {said}");
    let (status, log) = server.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}
