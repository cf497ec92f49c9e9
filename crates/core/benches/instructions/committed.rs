//! What the hot paths cost when somebody last looked. A change that makes one of them cost more by design changes its figure here,
//! so that the price stands beside what was bought with it.

use crate::hot_paths::HotPath;

/// By how much a path may exceed its figure, in hundredths: what another hash of the same map moves, and no more.
pub(crate) const MAX_GROWTH_PERCENT: u64 = 5;

/// Instructions of one operation of each path, as rustc 1.95 compiles them for x86-64.
pub(crate) fn instructions(path: HotPath) -> u64 {
    match path {
        HotPath::CheckMiss => 4_754,
        HotPath::CheckHit => 40_374,
        HotPath::Batch => 4_560,
        HotPath::ParseDelivery => 25_520,
        HotPath::ParseBounce => 43_071,
        HotPath::Classify => 15_008,
        HotPath::Record => 28_194,
    }
}
