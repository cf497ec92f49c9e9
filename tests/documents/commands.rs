//! Every command of the documents is run, in their order, and says what they show.
//!
//! A block of `sh` is run as it stands. `sh serve` starts a server that stays, `sh stopped` is run after every suppressd was
//! stopped, `sh untested` is not run. The block of `text` or `json` behind it shows what it says. A block with a name behind its
//! language is written to a file of that name.

use super::markdown::{Block, Document, OPERATIONS, RECIPES};
use super::reader::Reader;
use super::transcript::{compare_json, compare_text};

/// How the commands begin that no test runs: a test that ran all of them would run itself, a benchmark needs an optimised build and
/// a quiet machine, and those of a deployment need a systemd that runs, a builder of images, or a cluster.
const UNTESTED: [&str; 6] = [
    "tests/run\n",
    "cargo bench --package suppressd-service --bench speed\n",
    "install -D --mode=0755 target/",
    "docker build --file deploy/",
    "mkdir --mode=0700 deploy/",
    "kubectl create ",
];

/// The documents whose commands are run, recipes and the pages for operators aside.
const PAGES: [&str; 2] = ["README.md", "docs/performance.md"];

/// The recipes, each by a test of its own.
const TESTED_RECIPES: [&str; 7] = ["clients", "cron", "django", "kumomta", "listmonk", "monitoring", "postfix"];

fn run_all(path: &str) -> Reader {
    let mut reader = Reader::new();
    run_page(&mut reader, path);
    reader
}

fn run_page(reader: &mut Reader, path: &str) {
    let blocks = Document::read(path).blocks();
    let next = blocks.iter().skip(1).map(Some).chain([None]);
    for (block, next) in blocks.iter().zip(next) {
        let fail = |why: String| panic!("{path}, line {}: {why}\n{}", block.line, block.text);
        if let Some(name) = block.file() {
            reader.write(name, &block.text);
            continue;
        }
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
            "sh untested" | "text" | "json" | "ini" | "lua" | "toml" => {}
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

/// The pages for operators, in the order of their index.
fn operators_pages() -> Vec<String> {
    let index = Document::read("docs/operations.md").prose();
    index.split("](operations/").skip(1).map(|behind| format!("{OPERATIONS}/{}", behind.split_once(')').unwrap().0)).collect()
}

/// One page after the other, by one reader: what is recorded on one is there on the next.
#[test]
fn the_operator_s_commands_do_what_the_pages_say() {
    let mut reader = Reader::new();
    for page in operators_pages() {
        run_page(&mut reader, &page);
    }
}

#[test]
fn every_page_for_operators_is_in_their_index() {
    let mut pages = operators_pages();
    pages.sort();
    assert_eq!(pages, Document::all_in(OPERATIONS).into_iter().map(|page| page.path).collect::<Vec<_>>());
}

#[test]
fn the_page_of_performance_has_no_other_commands_than_the_benchmark() {
    run_all("docs/performance.md");
}

/// Gives the reader, who may go on.
pub(super) fn run_recipe(name: &str) -> Reader {
    assert!(TESTED_RECIPES.contains(&name));
    run_all(&format!("{RECIPES}/{name}.md"))
}

#[test]
fn the_recipe_for_clients_does_what_it_says() {
    run_recipe("clients");
}

#[test]
fn the_recipe_for_cron_does_what_it_says() {
    run_recipe("cron");
}

#[test]
fn the_recipe_for_django_does_what_it_says() {
    run_recipe("django");
}

#[test]
fn the_recipe_for_listmonk_does_what_it_says() {
    run_recipe("listmonk");
}

#[test]
fn the_recipe_for_monitoring_does_what_it_says() {
    run_recipe("monitoring");
}

#[test]
fn the_recipe_for_postfix_does_what_it_says() {
    run_recipe("postfix");
}

#[test]
fn every_recipe_is_run_and_in_the_index() {
    let index = Document::read("docs/recipes.md").text;
    let names: Vec<_> = Document::all_in(RECIPES).into_iter().map(|recipe| recipe.path).collect();
    assert_eq!(names, TESTED_RECIPES.map(|name| format!("{RECIPES}/{name}.md")));
    for name in TESTED_RECIPES {
        assert!(index.contains(&format!("](recipes/{name}.md)")), "the index does not tell of {name}");
    }
}

#[test]
fn no_other_document_has_commands_and_few_commands_are_untested() {
    let mut untested = Vec::new();
    for document in Document::all() {
        let is_run =
            PAGES.contains(&&*document.path) || [OPERATIONS, RECIPES].iter().any(|pages| document.path.starts_with(pages));
        for block in document.blocks() {
            assert!(!block.is_command() || is_run, "{}, line {}: nobody runs this", document.path, block.line);
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
