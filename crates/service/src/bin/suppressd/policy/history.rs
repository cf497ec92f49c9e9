//! A policy tried on events in a file: here the words are at hand, so new rules are tried, too.

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use suppressd_core::event::wire::{Reading, WebhookEvent};
use suppressd_core::{Address, Event, EventKind, Incidents, Record, Rulebook, Standpoint, Tally, UnixSeconds, VerdictChange};
use suppressd_service::proto::WhatIf;

use super::against;
use crate::cli::DiffArguments;
use crate::lines::Lines;
use crate::what_if::{print_changes, print_counts};

/// What would be stored of the events.
#[derive(Default)]
struct Records(HashMap<Address, Record>);

impl Records {
    fn take(&mut self, event: &Event) {
        // A delivery makes no record.
        if event.kind != EventKind::Delivered || self.0.contains_key(&event.recipient) {
            let record = self.0.entry(event.recipient.clone());
            record.or_insert_with_key(|address| Record::new(address.clone())).take(event);
        }
    }
}

pub(super) fn diff(proposed: &Rulebook, history: &Path, arguments: &DiffArguments) -> anyhow::Result<()> {
    let current = against(arguments.against.as_deref())?;
    let now = UnixSeconds::from(SystemTime::now());
    let (mut before, mut after) = (Records::default(), Records::default());
    let mut unreadable = 0_u64;
    for line in Lines::of_file_or_standard_input(history)? {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let fields = WebhookEvent::from_json(&line);
        let read = |rulebook: &Rulebook| fields.as_ref().ok()?.read(now, rulebook.classifier()).ok();
        match (read(&current), read(proposed)) {
            (Some(Reading::Event(of_current)), Some(Reading::Event(of_proposed))) => {
                before.take(&of_current);
                after.take(&of_proposed);
            }
            (Some(_), Some(_)) => {}
            (None, _) | (_, None) => unreadable += 1,
        }
    }
    if unreadable > 0 {
        eprintln!("suppressd: {unreadable} lines cannot be read as events, and are left out; `suppressd classify` says why");
    }
    let [of_current, of_proposed] = [&current, proposed].map(|rulebook| Standpoint::new(&rulebook.policy, Incidents::default()));
    let mut tally = Tally::default();
    let mut changes = Vec::new();
    for (address, record) in &before.0 {
        let Some(proposed) = after.0.get(address) else { continue };
        let verdicts = [of_current.verdict(record, now), of_proposed.verdict(proposed, now)];
        if let Some(change) = VerdictChange::between(address, &verdicts[0], &verdicts[1]) {
            tally.count(&change);
            changes.push(change);
        }
    }
    let counts = tally.by_rule().map(Into::into).collect();
    let found = WhatIf { addresses: before.0.len() as u64, done_permille: 1000, counts, is_last: true, ..WhatIf::default() };
    print_counts(&found, arguments.json)?;
    if arguments.addresses {
        changes.sort_unstable_by(|one, other| one.address.cmp(&other.address));
        print_changes(&changes.iter().map(Into::into).collect::<Vec<_>>(), arguments.json)?;
    }
    Ok(())
}
