//! `suppressd classify`: what each event would count as, without a server or a store.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use serde::Serialize;
use suppressd_core::event::wire::{Reading, WebhookEvent};
use suppressd_core::opinion::{Contradiction, Opinion};
use suppressd_core::{Class, Classifier, Event, EventKind, Policy, Rulebook, UnixSeconds};

use crate::cli::ClassifyArguments;
use crate::failure::Failure;
use crate::labelled;
use crate::lines::Lines;
use crate::policy_file;

/// One line of the output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer<'r> {
    Read {
        line: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        rcpt: Option<String>,
        kind: &'static str,
        class: Option<&'static str>,
        rule: String,
        second_opinion: Option<SecondOpinion<'r>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        contradicts: Option<&'static str>,
    },
    Unreadable {
        line: u64,
        error: String,
    },
}

/// What the receiving server's words say of a bounce.
#[derive(Debug, Serialize)]
struct SecondOpinion<'r> {
    class: Option<&'static str>,
    fault: &'static str,
    rule: &'r str,
    /// The words of `dsnDiag` that decided; empty if it was `dsnStatus`.
    matched: String,
}

pub(crate) fn run(arguments: &ClassifyArguments) -> Result<ExitCode, Failure> {
    let rulebook = arguments.policy.as_deref().map_or_else(|| Ok(Rulebook::default()), policy_file::read)?;
    if let Some(path) = &arguments.labelled {
        return labelled::run(path, rulebook.classifier(), arguments.with_ambiguous, arguments.json);
    }
    let lines = match &arguments.file {
        Some(path) => Lines::of_file_or_standard_input(path)?,
        None => Lines::of_standard_input(),
    };
    classify(lines, &rulebook)?;
    Ok(ExitCode::SUCCESS)
}

fn classify(lines: Lines, rulebook: &Rulebook) -> anyhow::Result<()> {
    let now = UnixSeconds::from(SystemTime::now());
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (number, line) in (1..).zip(lines) {
        let answer = match line {
            Ok(line) if line.trim_ascii().is_empty() => continue,
            Ok(line) => answer(number, &line, now, rulebook),
            Err(error) => Answer::Unreadable { line: number, error: error.to_string() },
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

fn answer<'r>(line: u64, bytes: &[u8], now: UnixSeconds, rulebook: &'r Rulebook) -> Answer<'r> {
    let read = WebhookEvent::from_json(bytes).and_then(|fields| Ok((fields.read(now, rulebook.classifier())?, fields)));
    match read {
        Ok((Reading::Event(event), fields)) => {
            let (class, rule) = class_and_rule(&event, &rulebook.policy);
            let rcpt = Some(event.recipient.as_str().to_owned());
            let opinion = opinion_of(&event, &fields.dsn_diag, rulebook.classifier());
            Answer::Read {
                line,
                rcpt,
                kind: event.kind.as_str(),
                class: class.map(Class::as_str),
                rule,
                contradicts: opinion.as_ref().and_then(|opinion| opinion.contradicts(&event.category)).map(name),
                second_opinion: opinion.map(|opinion| SecondOpinion::new(&opinion, &fields.dsn_diag)),
            }
        }
        Ok((Reading::Unrecorded, fields)) => Answer::Read {
            line,
            rcpt: None,
            kind: "ignored",
            class: None,
            rule: format!("type:{}", fields.kind.trim()),
            second_opinion: None,
            contradicts: None,
        },
        Err(error) => Answer::Unreadable { line, error: error.to_string() },
    }
}

/// The opinion on a bounce, whatever its category; none on what is no bounce.
fn opinion_of<'r>(event: &Event, words: &str, classifier: &'r Classifier) -> Option<Opinion<'r>> {
    match event.kind {
        EventKind::Bounce | EventKind::RemoteBounce => classifier.opinion(event.status, words),
        EventKind::Complaint | EventKind::Delivered => None,
    }
}

impl<'r> SecondOpinion<'r> {
    fn new(opinion: &Opinion<'r>, words: &str) -> Self {
        Self {
            class: opinion.class.map(Class::as_str),
            fault: opinion.fault.as_str(),
            rule: opinion.rule,
            matched: words[opinion.matched.clone()].to_owned(),
        }
    }
}

fn name(contradiction: Contradiction) -> &'static str {
    match contradiction {
        Contradiction::Harder => "harder",
        Contradiction::Milder => "milder",
    }
}

/// What an event counts as, and what made it so.
fn class_and_rule(event: &Event, policy: &Policy) -> (Option<Class>, String) {
    match event.evidence() {
        Some(evidence) => (Some(policy.class_of(&evidence)), policy.rule_of(&evidence).to_string()),
        None => (None, format!("type:{}", event.kind.as_wire())),
    }
}
