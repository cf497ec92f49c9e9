//! What the hot paths cost when somebody last looked. A change that makes one of them cost more by design changes its figure here,
//! so that the price stands beside what was bought with it.

use crate::hot_paths::HotPath;

/// By how much a path may exceed its figure, in hundredths: what another hash of the same map moves, and no more.
pub(crate) const MAX_GROWTH_PERCENT: u64 = 5;

/// Instructions of one operation of each path, as rustc 1.95 compiles them for x86-64 by the profile `counted`.
pub(crate) fn instructions(path: HotPath) -> u64 {
    match path {
        HotPath::CheckMiss => 2_571,
        HotPath::CheckHit => 16_243,
        HotPath::Batch => 1_030,
        HotPath::ParseDelivery => 13_266,
        HotPath::ParseBounce => 25_335,
        HotPath::Classify => 14_253,
        HotPath::Record => 8_396,
    }
}
