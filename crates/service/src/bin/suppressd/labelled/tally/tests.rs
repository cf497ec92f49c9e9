use super::*;

fn row(line: u64, reason: &str, expected: Expected, called: Called) -> Judged {
    Judged { line, source: None, reason: reason.to_owned(), expected, called, rule: None, ambiguous: false }
}

fn tally(rows: impl IntoIterator<Item = Judged>) -> Tally {
    let mut tally = Tally::new(false);
    rows.into_iter().for_each(|row| tally.add(row));
    tally
}

fn lines<'t>(rows: impl IntoIterator<Item = &'t Judged>) -> Vec<u64> {
    rows.into_iter().map(|row| row.line).collect()
}

#[test]
fn precision_is_of_the_called_and_recall_of_the_meant() {
    let tally = tally([
        row(1, "a", Expected::Hard, Called::Hard),
        row(2, "a", Expected::Hard, Called::Hard),
        row(3, "a", Expected::Hard, Called::Soft),
        row(4, "b", Expected::Hard, Called::None),
        row(5, "b", Expected::Soft, Called::Hard),
        row(6, "b", Expected::Soft, Called::Soft),
        row(7, "b", Expected::Soft, Called::Expired),
        row(8, "c", Expected::Other, Called::Hard),
        row(9, "c", Expected::Other, Called::None),
    ]);
    assert_eq!(tally.precision(Expected::Hard, Called::Hard), Share { right: 2, of: 4 });
    assert_eq!(tally.recall(Expected::Hard, Called::Hard), Share { right: 2, of: 4 });
    assert_eq!(tally.precision(Expected::Soft, Called::Soft), Share { right: 1, of: 2 });
    assert_eq!(tally.recall(Expected::Soft, Called::Soft), Share { right: 1, of: 3 });
    assert_eq!(tally.count(Expected::Other, Called::Hard), 1);
    assert_eq!(lines(tally.misjudged()), [3, 4, 5, 8]);
    let confusion: Vec<_> = tally.confusion().collect();
    assert_eq!(
        confusion,
        [
            ("a", Expected::Hard, Calls { hard: 2, soft: 1, ..Calls::default() }),
            ("b", Expected::Hard, Calls { none: 1, ..Calls::default() }),
            ("b", Expected::Soft, Calls { hard: 1, soft: 1, expired: 1, none: 0 }),
            ("c", Expected::Other, Calls { hard: 1, none: 1, ..Calls::default() }),
        ]
    );
}

#[test]
fn an_expired_one_is_not_hard_whatever_it_should_be() {
    let tally = tally([
        row(1, "", Expected::Expired, Called::Expired),
        row(2, "", Expected::Other, Called::Expired),
        row(3, "", Expected::Expired, Called::None),
        row(4, "", Expected::Expired, Called::Hard),
        row(5, "", Expected::Hard, Called::Expired),
    ]);
    assert_eq!(lines(tally.misjudged()), [4, 5]);
}

#[test]
fn only_a_trap_that_was_called_hard_and_is_not_is_sprung() {
    let tally = tally([
        row(1, "trap: over quota", Expected::Soft, Called::Hard),
        row(2, "trap: listed", Expected::Other, Called::Hard),
        row(3, "trap: listed", Expected::Other, Called::None),
        row(4, "trap: host not found", Expected::Hard, Called::Hard),
        row(5, "trap: host not found", Expected::Hard, Called::None),
        row(6, "a trap: no", Expected::Soft, Called::Hard),
    ]);
    assert_eq!(lines(tally.misjudged().iter().filter(|row| row.is_sprung_trap())), [1, 2]);
    assert!(!row(4, "trap: host not found", Expected::Hard, Called::Hard).is_sprung_trap());
}

#[test]
fn ambiguous_rows_count_when_asked_for() {
    for (with_ambiguous, counted) in [(false, 1), (true, 2)] {
        let mut tally = Tally::new(with_ambiguous);
        tally.add(row(1, "", Expected::Hard, Called::Hard));
        tally.add(Judged { ambiguous: true, ..row(2, "", Expected::Hard, Called::None) });
        assert_eq!((tally.rows(), tally.ambiguous()), (2, 1));
        assert_eq!(tally.recall(Expected::Hard, Called::Hard), Share { right: 1, of: counted });
        assert_eq!(tally.misjudged().len() as u64, counted - 1);
    }
}

#[test]
fn a_share_of_nothing_is_none_and_only_all_is_everything() {
    for (right, of, permille) in [(0, 0, None), (0, 3, Some(0)), (2, 3, Some(666)), (9999, 10_000, Some(999)), (7, 7, Some(1000))]
    {
        assert_eq!(Share { right, of }.permille(), permille, "{right} of {of}");
    }
    let empty = Tally::new(false);
    assert_eq!(empty.precision(Expected::Hard, Called::Hard).permille(), None);
    assert_eq!(empty.recall(Expected::Soft, Called::Soft).permille(), None);
}
