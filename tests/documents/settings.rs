//! The page's settings are those of the code.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use super::markdown::{Document, code, code_spans, rows};
use crate::servers::suppressd::{command, run};

/// Flags that are no settings.
const NO_SETTINGS: [&str; 3] = ["--check-config", "--config", "--help"];

/// The flag that `--help` does not show.
const HIDDEN: &str = "--unsafe-no-fsync";

struct Setting {
    flag: Option<String>,
    variable: String,
    key: String,
    default: Option<String>,
}

fn settings() -> Vec<Setting> {
    let text = |cell: &str| code(cell).map(str::to_owned);
    let read = |cells: Vec<String>| Setting {
        flag: text(&cells[0]),
        variable: text(&cells[1]).unwrap(),
        key: text(&cells[2]).unwrap(),
        default: text(&cells[3]),
    };
    rows(&Document::read("docs/operations/settings.md").section("Settings")).into_iter().map(read).collect()
}

/// Every variable of `serve` that is on the page.
pub(super) fn variables() -> BTreeSet<String> {
    let text = Document::read("docs/operations/settings.md").section("Settings");
    let files = code_spans(&text).into_iter().filter(|span| span.starts_with("SUPPRESSD_") && span.ends_with("_FILE"));
    files.map(str::to_owned).chain(settings().into_iter().map(|setting| setting.variable)).collect()
}

fn help() -> String {
    String::from_utf8(run(&["serve", "--help"]).stdout).unwrap()
}

/// The flags of `--help`, each with what is said of it.
fn flags(help: &str) -> Vec<(String, String)> {
    let mut flags: Vec<(String, String)> = Vec::new();
    let (_, options) = help.split_once("Options:").unwrap();
    for line in options.lines() {
        let words = line.trim_start().trim_start_matches("-h, ");
        if line.starts_with("  ") && words.starts_with("--") {
            flags.push((words.split([' ', '[']).next().unwrap().to_owned(), words.to_owned()));
        } else if let Some((_, said)) = flags.last_mut() {
            let _ = write!(said, " {}", line.trim());
        }
    }
    flags
}

#[test]
fn the_page_has_every_flag_and_no_other() {
    let of_help: BTreeSet<_> = flags(&help()).into_iter().map(|(flag, _)| flag).collect();
    let of_page: BTreeSet<_> = settings().into_iter().filter_map(|setting| setting.flag).collect();
    let expected: BTreeSet<_> =
        of_help.into_iter().filter(|flag| !NO_SETTINGS.contains(&&**flag)).chain([HIDDEN.to_owned()]).collect();
    assert_eq!(of_page, expected);
}

#[test]
fn the_page_has_every_secret_and_no_other() {
    let help = help();
    let of_help: BTreeSet<_> = help
        .split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .filter(|word| word.starts_with("SUPPRESSD_") && (word.ends_with("_TOKEN") || word.ends_with("_TOKENS")))
        .map(str::to_owned)
        .collect();
    let of_page: BTreeSet<_> =
        settings().into_iter().filter(|setting| setting.flag.is_none()).map(|setting| setting.variable).collect();
    assert_eq!(of_page, of_help);
}

#[test]
fn one_name_stands_in_every_place() {
    for Setting { flag, variable, key, .. } in settings() {
        assert_eq!(variable, format!("SUPPRESSD_{}", key.to_ascii_uppercase()));
        assert!(flag.is_none_or(|flag| flag == format!("--{}", key.replace('_', "-"))), "{key}");
    }
}

#[test]
fn the_page_s_defaults_are_those_of_the_help() {
    let flags = flags(&help());
    for Setting { flag, default, .. } in settings() {
        let said = flags.iter().find(|(name, _)| Some(name) == flag.as_ref());
        let Some((name, said)) = said else { continue };
        let of_help = said.split_once("[default: ").map(|(_, behind)| behind.split_once(']').unwrap().0.to_owned());
        // What is merely off, or not there, has no default in the help.
        assert_eq!(default.filter(|default| default != "false"), of_help, "{name}");
    }
}

/// The help says nothing of keys and variables: the executable itself has to take them.
#[test]
fn every_key_and_variable_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.toml");
    let mut text = String::new();
    let mut by_variable = command();
    for Setting { variable, key, default, .. } in settings() {
        // Certificates would have to be there.
        let secret = match &*key {
            "account_tokens" => Some("acme=other".to_owned()),
            key => key.ends_with("_token").then(|| "secret".to_owned()),
        };
        let Some(value) = default.or(secret) else { continue };
        writeln!(text, "{key} = {value:?}").unwrap();
        by_variable.env(variable, value);
    }
    std::fs::write(&file, text).unwrap();
    let output = command().args(["serve", "--check-config", "--config"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(by_variable.args(["serve", "--check-config"]).output().unwrap().status.success());
}

/// Each variable and key is looked at: what cannot be used is refused with its name.
#[test]
fn what_cannot_be_used_is_refused_by_the_name_on_the_page() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("one.toml");
    let refused = |command: &mut Command, name: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(64) && said.contains(name) && !said.contains("no setting"), "{name}: {said}");
    };
    for Setting { variable, key, .. } in settings() {
        let value = match &*key {
            // Any text without a scheme is a directory.
            "store" => "what://is-this",
            key if key.ends_with("_token") => " ",
            // Neither an address nor a number, nor a file that is there.
            _ => "/no/such thing",
        };
        refused(command().args(["serve", "--check-config"]).env(&variable, value), &variable);
        std::fs::write(&file, format!("{key} = {value:?}")).unwrap();
        refused(command().args(["serve", "--check-config", "--config"]).arg(&file), &key);
    }
}
