//! Generates the gRPC code from `proto/`, in pure Rust: nobody needs `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;
use tonic_prost_build::FileDescriptorSet;

/// Where the checks are described.
const CHECKS: &str = "suppression/v1/suppression.proto";

const PROTOS: [&str; 2] = [CHECKS, "suppression/v1/admin.proto"];

/// The messages of batches, and what the server has instead.
const BATCHES: [(&str, &str); 4] = [
    ("BatchIsSuppressedRequest", "crate::batch::Question"),
    ("BatchIsSuppressedResponse", "crate::batch::Answer"),
    ("StreamIsSuppressedRequest", "crate::batch::Question"),
    ("StreamIsSuppressedResponse", "crate::batch::Answer"),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Read when it runs: a script that was compiled in another checkout would know only that one's path.
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = manifest.join("../../proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", root.display());
    generate(&root, &out)
}

fn generate(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(PROTOS, [root])?;
    std::fs::write(out.join("suppression.v1.bin"), descriptors.encode_to_vec())?;
    generate_checks(&descriptors, &out.join("checks"))?;
    tonic_prost_build::configure().out_dir(out).compile_fds(descriptors)?;
    Ok(())
}

/// The server of checks once more, whose batches are read and written by types of our own.
fn generate_checks(descriptors: &FileDescriptorSet, out: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(out)?;
    let of_checks = descriptors.file.iter().filter(|file| file.name() == CHECKS).cloned().collect();
    let mut builder = tonic_prost_build::configure().out_dir(out).build_client(false);
    for (message, ours) in BATCHES {
        builder = builder.extern_path(format!(".suppression.v1.{message}"), ours);
    }
    builder.extern_path(".suppression.v1", "crate::proto").compile_fds(FileDescriptorSet { file: of_checks })?;
    Ok(())
}
