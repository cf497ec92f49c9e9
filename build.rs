//! Generates the gRPC code from `proto/`, in pure Rust: nobody needs `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;

const PROTOS: [&str; 2] = ["suppression/v1/suppression.proto", "suppression/v1/admin.proto"];

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
    tonic_prost_build::configure().out_dir(out).compile_fds(descriptors)?;
    Ok(())
}
