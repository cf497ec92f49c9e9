//! Every command of the documents is run, in their order, and says what they show.
//!
//! A block of `sh` is run as it stands. `sh serve` starts a server that stays, `sh stopped` is run after every suppressd was
//! stopped, `sh untested` is not run. The block of `text` or `json` behind it shows what it says.

use super::markdown::{Block, Document};
use super::reader::Reader;
use super::transcript::{compare_json, compare_text};

/// How the commands begin that no test runs: a test that ran all of them would run itself, and those of a deployment need a systemd
/// that runs, a builder of images, or a cluster.
const UNTESTED: [&str; 5] = [
    "tests/run\n",
    "install -D --mode=0755 target/",
    "docker build --file deploy/",
    "mkdir --mode=0700 deploy/",
    "kubectl create ",
];

fn run_all(path: &str) {
    let blocks = Document::read(path).blocks();
    let mut reader = Reader::new();
    let next = blocks.iter().skip(1).map(Some).chain([None]);
    for (block, next) in blocks.iter().zip(next) {
        let fail = |why: String| panic!("{path}, line {}: {why}\n{}", block.line, block.text);
        match &*block.kind {
            "sh serve" => reader.serve(&block.text),
            "sh stopped" => {
                reader.stop();
                reader.run(&block.text).unwrap_or_else(fail);
            }
            "sh" => {
                let said = reader.run(&block.text).unwrap_or_else(fail);
                compare(next, &said).unwrap_or_else(|why| panic!("{path}, line {}: {why}\nall of it: {said}", block.line));
            }
            "sh untested" | "text" | "json" | "ini" | "toml" => {}
            other => panic!("{path}, line {}: there is no kind of block {other}", block.line),
        }
    }
}

fn compare(shown: Option<&Block>, said: &str) -> Result<(), String> {
    match shown.map(|block| (&*block.kind, &block.text)) {
        Some(("text", shown)) => compare_text(shown, said),
        Some(("json", shown)) => compare_json(shown, said),
        Some(_) | None => Ok(()),
    }
}

#[test]
fn the_readme_s_commands_do_what_it_says() {
    run_all("README.md");
}

#[test]
fn the_operator_s_commands_do_what_the_page_says() {
    run_all("docs/operations.md");
}

#[test]
fn no_other_document_has_commands_and_few_commands_are_untested() {
    let mut untested = Vec::new();
    for document in Document::all() {
        for block in document.blocks() {
            let is_command = block.kind.split(' ').next() == Some("sh");
            let is_run = ["README.md", "docs/operations.md"].contains(&&*document.path);
            assert!(!is_command || is_run, "{}, line {}: nobody runs this", document.path, block.line);
            if block.kind == "sh untested" {
                untested.push(block.text);
            }
        }
    }
    assert_eq!(untested.len(), UNTESTED.len());
    for (text, begin) in untested.iter().zip(UNTESTED) {
        assert!(text.starts_with(begin), "nobody runs this: {text}");
    }
}
