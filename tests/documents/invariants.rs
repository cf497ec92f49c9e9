//! Each invariant of the architecture names the tests that keep it, and they exist.

use std::collections::BTreeSet;
use std::path::Path;

use super::markdown::{Document, code_spans, root};

/// What stands before the names.
const KEPT_BY: &str = "Kept by";

#[test]
fn every_invariant_has_a_test_that_exists() {
    let page = Document::read("docs/architecture.md");
    let section = page.section("Invariants");
    let invariants: Vec<_> = format!("\n{section}").split("\n- ").skip(1).map(str::to_owned).collect();
    assert!(invariants.len() > 10, "only {} were found", invariants.len());
    let tests = tests();
    for invariant in invariants {
        let (_, names) = invariant.split_once(KEPT_BY).unwrap_or_else(|| panic!("no test keeps this: {invariant}"));
        let names = code_spans(names);
        assert!(!names.is_empty(), "no test keeps this: {invariant}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}");
        }
    }
}

/// The names of all tests, as they stand in the sources.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for directory in ["tests", "crates"] {
        collect(&root().join(directory), &mut names);
    }
    names
}

fn collect(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            names.extend(marked(&text).chain(listed(&text)).map(str::to_owned));
        }
    }
}

/// Functions that are marked as tests.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    let behind = ["#[test]", "#[tokio::test]"].into_iter().flat_map(|mark| text.split(mark).skip(1));
    behind.filter_map(|behind| Some(behind.split_once("fn ")?.1.split_once('(')?.0))
}

/// Cases that are made into tests, one for each store.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let lists = ["over_every_store!(", "on_both_stores!("].into_iter().flat_map(|list| text.split(list).skip(1));
    lists.filter_map(|behind| behind.split_once(')')).flat_map(|(cases, _)| cases.split(',').map(str::trim))
}
