//! What the hot paths cost when somebody last looked. A change that makes one of them cost more by design changes its figure here,
//! so that the price stands beside what was bought with it.

use crate::hot_paths::HotPath;

/// By how much a path may exceed its figure, in hundredths: what another hash of the same map moves, and no more.
pub(crate) const MAX_GROWTH_PERCENT: u64 = 5;

/// Instructions of one operation of each path, as rustc 1.95 compiles them for x86-64.
pub(crate) fn instructions(path: HotPath) -> u64 {
    match path {
        HotPath::CheckMiss => 2_487,
        HotPath::CheckHit => 19_433,
        HotPath::Batch => 1_883,
        HotPath::ParseDelivery => 18_342,
        HotPath::ParseBounce => 31_200,
        HotPath::Classify => 14_071,
        HotPath::Record => 10_467,
    }
}
