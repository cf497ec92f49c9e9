//! The file by which the image is built. No builder runs in the tests: it is read.

use std::path::Path;

use super::{deploy, read_yaml, text};
use crate::documents::markdown::root;

/// The instructions, each a name and what stands behind it.
fn instructions() -> Vec<(String, String)> {
    let text = text("Containerfile");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once(' ').unwrap()).map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
}

fn all(wanted: &str) -> Vec<String> {
    instructions().into_iter().filter(|(name, _)| name == wanted).map(|(_, rest)| rest).collect()
}

#[test]
fn it_copies_what_is_there_and_all_that_a_build_needs() {
    let copied = all("COPY");
    let of_context = copied.iter().filter(|copy| !copy.starts_with("--from="));
    let paths: Vec<_> = of_context.flat_map(|copy| copy.rsplit_once(' ').unwrap().0.split(' ')).collect();
    for path in &paths {
        assert!(root().join(path).exists(), "{path}");
    }
    // What the manifests name outside of the crates.
    let manifest = std::fs::read_to_string(root().join("crates/service/Cargo.toml")).unwrap();
    let outside = manifest.lines().filter_map(|line| line.split_once("\"../../")?.1.split('"').next());
    let outside: Vec<_> = outside.collect();
    assert_eq!(outside, ["build.rs", "tests/main.rs"]);
    for path in outside.into_iter().chain(["Cargo.toml", "Cargo.lock", "crates/core", "proto/suppression"]) {
        assert!(paths.iter().any(|copied| Path::new(path).starts_with(copied)), "{path} is not copied");
    }
}

#[test]
fn it_builds_what_is_locked_by_a_compiler_that_is_new_enough() {
    let [build] = &*all("RUN") else { panic!("one build") };
    assert!(build.contains("--release") && build.contains("--locked"), "{build}");
    let from = &all("FROM")[0];
    let version = from.strip_prefix("rust:").and_then(|rest| rest.split('-').next()).unwrap();
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["workspace"]["package"]["rust-version"].as_str(), Some(version));
    // Both stages have the same C library.
    assert!(from.contains("-bookworm ") && all("FROM")[1].starts_with("debian:bookworm"));
}

#[test]
fn it_is_not_root_and_is_the_image_that_the_others_name() {
    let compose = read_yaml("compose", &deploy().join("compose.yaml")).unwrap();
    let check = &compose["services"]["check-1"];
    assert_eq!(all("USER"), [check["user"].as_str().unwrap()]);
    assert!(!all("USER")[0].starts_with('0'));
    let image = check["image"].as_str().unwrap();
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(image, format!("suppressd:{}", manifest["workspace"]["package"]["version"].as_str().unwrap()));
    for role in ["ingest", "check"] {
        assert!(text(&format!("kubernetes/{role}.yaml")).contains(&format!("image: {image}\n")));
    }
    assert!(text("Containerfile").contains(&format!("--tag {image} ")));
    assert_eq!(all("ENTRYPOINT"), [r#"["/usr/local/bin/suppressd"]"#]);
}
