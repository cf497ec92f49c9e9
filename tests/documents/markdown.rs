//! The documents, taken apart.

use std::path::{Path, PathBuf};

/// Where the recipes lie.
pub(super) const RECIPES: &str = "docs/recipes";

/// Where the pages for operators lie.
pub(super) const OPERATIONS: &str = "docs/operations";

/// The top of the repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A document, by its path from the top.
pub(super) struct Document {
    pub(super) path: String,
    pub(super) text: String,
}

/// A fenced block.
pub(super) struct Block {
    /// What stands behind the fence: the language, and how the block is run.
    pub(super) kind: String,
    pub(super) text: String,
    /// The number of the fence's line, from 1.
    pub(super) line: usize,
}

impl Block {
    /// The name of the file that the block is, if it is one: what stands behind its language and has an ending.
    pub(super) fn file(&self) -> Option<&str> {
        self.kind.split_once(' ').map(|(_, name)| name).filter(|name| name.contains('.'))
    }

    /// Whether it is made of commands.
    pub(super) fn is_command(&self) -> bool {
        self.kind.split(' ').next() == Some("sh") && self.file().is_none()
    }
}

impl Document {
    pub(super) fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text }
    }

    /// All that are written for readers.
    pub(super) fn all() -> Vec<Self> {
        let mut documents = vec![Self::read("README.md"), Self::read("CHANGELOG.md")];
        documents.extend(["docs", OPERATIONS, RECIPES].into_iter().flat_map(Self::all_in));
        documents
    }

    /// All that lie in a directory, in the order of their names.
    pub(super) fn all_in(directory: &str) -> Vec<Self> {
        let entries = std::fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
        let pages = entries.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
        let mut names: Vec<_> = pages.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names.iter().map(|name| Self::read(&format!("{directory}/{name}"))).collect()
    }

    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            match (open.take(), line.strip_prefix("```")) {
                (None, Some(kind)) => open = Some(Block { kind: kind.trim().to_owned(), text: String::new(), line: number }),
                (Some(block), Some("")) => blocks.push(block),
                (Some(mut block), _) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path);
        blocks
    }

    /// The text without its blocks.
    pub(super) fn prose(&self) -> String {
        let mut is_within = false;
        let is_prose = |line: &&str| {
            let is_fence = line.starts_with("```");
            is_within ^= is_fence;
            !is_within && !is_fence
        };
        self.text.lines().filter(is_prose).collect::<Vec<_>>().join("\n")
    }

    /// What stands under a heading, up to the next one of its level or above.
    pub(super) fn section(&self, heading: &str) -> String {
        let text = self.prose();
        let mut lines = text.lines().skip_while(|line| line.trim_start_matches('#') != format!(" {heading}"));
        let level =
            lines.next().unwrap_or_else(|| panic!("{}: there is no heading {heading}", self.path)).split(' ').next().unwrap();
        let ends = |line: &&str| line.starts_with('#') && line.split(' ').next().unwrap().len() <= level.len();
        lines.take_while(|line| !ends(line)).collect::<Vec<_>>().join("\n")
    }
}

/// A file that stands in a recipe.
pub(crate) fn recipe_file(recipe: &str, name: &str) -> String {
    let blocks = Document::read(&format!("{RECIPES}/{recipe}.md")).blocks();
    blocks.into_iter().find(|block| block.file() == Some(name)).unwrap_or_else(|| panic!("{recipe} has no {name}")).text
}

/// The cells of a section's first table, row by row, without its head.
pub(super) fn rows(section: &str) -> Vec<Vec<String>> {
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_matches('|').replace("\\|", "\0");
    line.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// What stands between backticks.
pub(super) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The one span of code that a cell is made of; none if it says so.
pub(super) fn code(cell: &str) -> Option<&str> {
    (cell != "none").then(|| cell.trim_matches('`'))
}
