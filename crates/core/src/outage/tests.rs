use super::*;

const NOW: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

fn guard() -> OutageGuard {
    OutageGuard { minimum_hard_bounces: 100, ratio: 5, window_seconds: 3600, past_seconds: 86_400, covers_seconds: 7200 }
}

/// Answers so many seconds ago.
fn answers(given: &[(i64, u64, u64)]) -> AnswersBySlot {
    let mut answers = AnswersBySlot::new();
    for (ago, hard, all) in given {
        *answers.entry(Slot::of(UnixSeconds::clamped(NOW.get() - ago))).or_default() += Answers { hard: *hard, all: *all };
    }
    answers
}

fn rises(given: &[(i64, u64, u64)]) -> bool {
    guard().rise("x.example", &answers(given), NOW).is_some()
}

#[test]
fn a_rise_far_above_the_past_is_one() {
    let past = (8 * 3600, 20, 2000);
    assert!(rises(&[past, (60, 100, 2000)]));
    assert!(rises(&[past, (60, 50, 1000), (1800, 50, 1000)]));
    let (scope, why) = guard().rise("x.example", &answers(&[past, (60, 150, 200)]), NOW).unwrap();
    assert_eq!(why, "150 of 200 answers were hard bounces, before that 20 of 2000");
    assert_eq!(scope.domain.as_deref(), Some("x.example"));
    assert_eq!(scope.to, NOW.plus(7200));
    let begin = NOW.get() - scope.from.get();
    assert!((3600..3600 + SLOT_SECONDS).contains(&begin), "{begin}");
}

#[test]
fn few_bounces_a_small_rise_or_no_past_are_none() {
    let past = (8 * 3600, 20, 2000);
    assert!(!rises(&[past, (60, 99, 100)]), "too few");
    assert!(!rises(&[past, (60, 100, 2001)]), "not five times as many");
    assert!(!rises(&[(60, 1000, 1000)]), "nothing to compare with");
    assert!(!rises(&[(8 * 3600, 0, 99), (60, 1000, 1000)]), "hardly anything to compare with");
    assert!(!rises(&[(26 * 3600, 20, 2000), (60, 1000, 1000)]), "the past is too long ago");
    assert!(!rises(&[(8 * 3600, 500, 2000), (60, 1000, 1000)]), "it has always been so");
    assert!(!rises(&[past, (2 * 3600, 1000, 1000)]), "it is over, and part of the past");
    assert!(!rises(&[past, (-3600, 1000, 1000)]), "it is to come");
}

#[test]
fn a_past_without_hard_bounces_is_taken_for_one_with_a_single_one() {
    assert!(rises(&[(8 * 3600, 0, 2000), (60, 100, 2000)]));
    assert!(!rises(&[(8 * 3600, 0, 100), (60, 100, 10_000)]));
}

#[test]
fn no_numbers_overflow() {
    let most = Answers { hard: u64::MAX, all: u64::MAX };
    let mut all = AnswersBySlot::new();
    for ago in [0, 60, 3600, 7200, 80_000] {
        *all.entry(Slot::of(UnixSeconds::clamped(NOW.get() - ago))).or_default() += most;
    }
    let _ = guard().rise("x.example", &all, NOW);
    let _ = guard().rise("x.example", &all, UnixSeconds::default());
    let _ = guard().rise("x.example", &all, UnixSeconds::MAX);
}
