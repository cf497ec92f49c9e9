//! The rulebook in force, at hand for every check.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use suppressd_core::{Rulebook, Verdict};
use tokio::sync::watch;

use crate::proto::SuppressionResult;
use crate::suppression::result;

/// The rulebook in force. A look at it changes nothing that other threads look at, as the lock of its channel would.
pub(crate) struct Rules {
    known: ArcSwap<InForce>,
}

/// A rulebook, and what follows from it alone.
pub(crate) struct InForce {
    pub(crate) rulebook: Arc<Rulebook>,
    /// What is answered about an address of which nothing is known, which is nearly every one.
    pub(crate) usual: SuppressionResult,
    /// Where the next one comes from. It has seen this one.
    channel: watch::Receiver<Arc<Rulebook>>,
}

impl InForce {
    fn now(mut channel: watch::Receiver<Arc<Rulebook>>) -> Self {
        let rulebook = Arc::clone(&channel.borrow_and_update());
        let usual = result(Ok(Verdict::without_evidence(&rulebook.policy)));
        Self { rulebook, usual, channel }
    }

    fn is_last(&self) -> bool {
        // Once nobody can change it any more, it is not said whether somebody did before.
        let is_same = || Arc::ptr_eq(&self.rulebook, &self.channel.borrow());
        self.channel.has_changed().map_or_else(|_| is_same(), |has_changed| !has_changed)
    }
}

impl Rules {
    pub(crate) fn new(channel: watch::Receiver<Arc<Rulebook>>) -> Self {
        Self { known: ArcSwap::from_pointee(InForce::now(channel)) }
    }

    pub(crate) fn in_force(&self) -> Guard<Arc<InForce>> {
        let known = self.known.load();
        if known.is_last() {
            return known;
        }
        self.known.store(Arc::new(InForce::now(known.channel.clone())));
        self.known.load()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suppressd_core::SoftBounceLimit;

    #[test]
    fn what_is_sent_is_in_force_at_once_and_stays_so_without_a_sender() {
        let (sender, channel) = watch::channel(Arc::new(Rulebook::default()));
        let rules = Rules::new(channel);
        let limit = || rules.in_force().usual.soft_bounce_limit;
        assert_eq!(limit(), 5);
        for soft_bounces in [3, 7] {
            let soft_bounce_limit = SoftBounceLimit::new(soft_bounces).unwrap();
            let mut rulebook = Rulebook::default();
            rulebook.policy.soft_bounce_limit = soft_bounce_limit;
            sender.send_replace(Arc::new(rulebook));
            if soft_bounces == 3 {
                assert_eq!((limit(), limit()), (3, 3));
            }
        }
        drop(sender);
        assert_eq!((limit(), limit()), (7, 7));
        assert_eq!(rules.in_force().usual.detail, "not suppressed: 0 of 7 soft bounces");
    }
}
