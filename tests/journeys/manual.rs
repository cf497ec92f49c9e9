//! What shells and readers are told of the command line.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use super::commands::text;
use crate::servers::suppressd::{executable, run};

/// What completes a line in bash, at its last word.
const COMPLETE: &str = r#"
source "$SCRIPT"
complete -p suppressd > /dev/null
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
_suppressd suppressd "${@: -1}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn a_bash_completes_commands_flags_and_values() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("suppressd.bash");
    std::fs::write(&script, run(&["completions", "bash"]).stdout).unwrap();
    let complete = |words: &[&str]| -> BTreeSet<String> {
        let mut bash = Command::new("bash");
        let bash = bash.args(["--norc", "--noprofile", "-eu", "-c", COMPLETE, "bash", "suppressd"]).args(words);
        let output = bash.env("SCRIPT", &script).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        text(&output).lines().map(str::to_owned).collect()
    };
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(complete(&["ex"]), set(&["explain", "export"]));
    assert_eq!(complete(&["import", "--pre"]), set(&["--preview"]));
    assert_eq!(complete(&["import", "--format", "s"]), set(&["sendgrid", "ses", "sparkpost", "suppressd"]));
    assert_eq!(complete(&["rejected", "re"]), set(&["replay"]));
    assert!(complete(&["export", "--"]).is_superset(&set(&["--output", "--reason", "--domain", "--server"])));
}

#[test]
fn each_shell_gets_a_script_that_names_every_command() {
    let commands = ["serve", "check", "filter", "suppress", "import", "export", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert!(script.status.success());
        assert!(commands.iter().all(|command| text(&script).contains(command)), "{shell}");
    }
    assert_eq!(run(&["completions", "csh"]).status.code(), Some(64));
}

/// It is asked for all warnings but the one of a line that cannot be spread to the margins: an example may be such a line.
#[test]
fn every_command_has_a_page_that_groff_renders_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    assert!(run(&["man", "--directory", pages.to_str().unwrap()]).status.success());
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&pages).unwrap() {
        let path = entry.unwrap().path();
        let output = Command::new("groff").args(["-man", "-Tutf8", "-ww", "-Wbreak", "-P-cbou"]).arg(&path).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
        let page = String::from_utf8(output.stdout).unwrap();
        assert!(page.contains("NAME") && page.contains("SYNOPSIS"), "{page}");
        names.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    let help = run(&["--help"]);
    let commands = text(&help).lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands.iter().map(|line| line.split_whitespace().next().unwrap()) {
        assert!(names.contains(&format!("suppressd-{command}.1")) || command == "help", "{command}: {names:?}");
    }
    assert!(names.contains("suppressd.1") && names.contains("suppressd-rejected-replay.1"), "{names:?}");
    assert!(text(&run(&["man"])).starts_with(".ie"), "one page on standard output");
    let output = Command::new(executable()).args(["man", "--directory", "/dev/null/x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
