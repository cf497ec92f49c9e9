//! The page of dependencies has each of them, and none that is not used.

use std::collections::BTreeSet;
use std::path::Path;

use super::markdown::{Document, code_spans, root};

const CRATES: [&str; 3] = ["core", "ingest", "service"];

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What only generated code names.
const GENERATED: [&str; 1] = ["tonic-prost"];

fn manifest(path: &str) -> toml::Table {
    std::fs::read_to_string(root().join(path)).unwrap().parse().unwrap()
}

fn names(table: Option<&toml::Value>) -> BTreeSet<String> {
    let ours = |name: &String| !name.starts_with("suppressd-");
    table.and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys).filter(|name| ours(name)).cloned().collect()
}

/// What one crate names in its manifest, for every target or for some.
fn of_crate(name: &str) -> BTreeSet<String> {
    let manifest = manifest(&format!("crates/{name}/Cargo.toml"));
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let manifests = targets.filter_map(toml::Value::as_table).chain([&manifest]);
    manifests.flat_map(|manifest| TABLES.into_iter().flat_map(|table| names(manifest.get(table)))).collect()
}

#[test]
fn the_page_has_every_dependency_and_no_other() {
    let page = Document::read("docs/dependencies.md").prose();
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("- `")).collect();
    let shown: BTreeSet<_> = lines.iter().map(|line| code_spans(line)[0].to_owned()).collect();
    assert_eq!(shown.len(), lines.len(), "one line each");
    let used: BTreeSet<_> = CRATES.into_iter().flat_map(of_crate).collect();
    assert_eq!(shown, used);
    let declared = manifest("Cargo.toml");
    assert_eq!(names(declared["workspace"].get("dependencies")), used, "what the workspace declares is what its crates use");
}

#[test]
fn every_dependency_is_named_in_the_code_of_its_crate() {
    for name in CRATES {
        let mut code = String::new();
        collect(&root().join("crates").join(name), &mut code);
        if name == "service" {
            collect(&root().join("tests"), &mut code);
            code += &std::fs::read_to_string(root().join("build.rs")).unwrap();
        }
        for dependency in of_crate(name).iter().filter(|dependency| !GENERATED.contains(&&***dependency)) {
            let path = format!("{}::", dependency.replace('-', "_"));
            assert!(code.contains(&path), "{name} does not use {dependency}");
        }
    }
}

fn collect(directory: &Path, code: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, code);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            *code += &std::fs::read_to_string(&path).unwrap();
        }
    }
}
