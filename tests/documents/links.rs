//! Where the documents point to, something is.

use std::path::Path;

use super::markdown::{Document, root};

#[test]
fn links_between_the_documents_lead_somewhere() {
    let mut links = 0;
    for document in Document::all() {
        let prose = document.prose();
        for target in prose.split("](").skip(1).map(|behind| behind.split_once(')').unwrap().0) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let from = Path::new(&document.path).parent().unwrap();
            let path = if path.is_empty() { document.path.clone() } else { from.join(path).to_str().unwrap().to_owned() };
            assert!(!path.contains("://"), "{}: {target} is not one of ours", document.path);
            assert!(root().join(&path).exists(), "{}: {target} is not there", document.path);
            let is_heading = || Document::read(&path).prose().lines().any(|line| line.starts_with('#') && slug(line) == anchor);
            assert!(anchor.is_empty() || is_heading(), "{}: {target} has no such heading", document.path);
            links += 1;
        }
    }
    assert!(links > 5, "only {links} were found");
}

/// A heading's name in a link.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}
