//! How far it is, for whoever sits in front of it.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// With a length there is a bar, and an estimate of when it is done.
const WITH_LENGTH: &str = "{wide_bar} {percent}% {msg}, {eta} left";

const WITHOUT_LENGTH: &str = "{spinner} {bytes} {msg}";

/// A bar on standard error if that is a terminal, and nothing else writes to one.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    addresses: Arc<AtomicU64>,
}

impl Progress {
    /// Of a list of so many bytes, if that is known.
    pub(crate) fn new(bytes: Option<u64>, writes_to_standard_output: bool) -> anyhow::Result<Self> {
        let is_shown = std::io::stderr().is_terminal() && !(writes_to_standard_output && std::io::stdout().is_terminal());
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = if bytes.is_some() { WITH_LENGTH } else { WITHOUT_LENGTH };
        let bar = ProgressBar::with_draw_target(bytes, target)
            .with_style(ProgressStyle::with_template(template)?)
            .with_message("0 addresses");
        Ok(Self { bar, addresses: Arc::default() })
    }

    /// So many more bytes are done, and so many more addresses.
    pub(crate) fn advance(&self, bytes: usize, addresses: usize) {
        let all = self.addresses.fetch_add(addresses as u64, Ordering::Relaxed) + addresses as u64;
        self.bar.inc(bytes as u64);
        if !self.bar.is_hidden() {
            let rate = u128::from(all) * 1000 / self.bar.elapsed().as_millis().max(1);
            let rate = HumanCount(u64::try_from(rate).unwrap_or(u64::MAX));
            self.bar.set_message(format!("{} addresses, {rate}/s", HumanCount(all)));
        }
    }

    /// Leaves the terminal to what is said next.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
