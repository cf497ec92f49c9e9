//! What the fuzz targets ask holds for their kept corpus, and for the examples of the rules.

#[path = "../fuzz/invariants/body.rs"]
mod body;
#[path = "../fuzz/invariants/opinion.rs"]
mod opinion;

use std::io;
use std::path::Path;

use suppressd_core::EnhancedStatusCode;
use suppressd_core::opinion::builtin_rules;

/// Runs every kept input of a target.
fn replay(target: &str, hold: fn(&[u8])) -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut replayed = 0;
    for file in std::fs::read_dir(&corpus)? {
        let path = file?.path();
        // Shown if it fails.
        eprintln!("{}", path.display());
        hold(&std::fs::read(path)?);
        replayed += 1;
    }
    assert!(replayed > 50, "only {replayed} inputs in {}", corpus.display());
    Ok(())
}

#[test]
fn what_is_asked_of_opinions_holds_for_the_kept_inputs() -> io::Result<()> {
    replay("opinion", opinion::hold)
}

#[test]
fn what_is_asked_of_bodies_holds_for_the_kept_inputs() -> io::Result<()> {
    replay("body", body::hold)
}

#[test]
fn what_is_asked_of_opinions_holds_for_all_examples() {
    let statuses = ["", "5.1.1", "5.7.1", "5.0.0", "4.1.1", "4.0.0"].map(EnhancedStatusCode::from_wire);
    for words in builtin_rules().flat_map(|rule| rule.examples.iter().chain(rule.near_misses)) {
        for status in statuses {
            opinion::hold_for(status, words);
        }
    }
}
