//! A whole domain that is suppressed by hand.

use super::*;

fn entry(until: Option<UnixSeconds>) -> ManualEntry {
    ManualEntry { since: UnixSeconds::default(), until, who: "ops".into(), note: "spam traps".into(), request_id: None }
}

fn whole_domain() -> Record {
    Record::new(address().whole_domain())
}

fn within(record: &Record, entry: &ManualEntry) -> Verdict {
    verdict(&Policy::default(), &Incidents::default(), Case::new(record, Some(entry)), NOW)
}

fn changes(record: &Record, entry: Option<&ManualEntry>) -> Vec<String> {
    explain(&Policy::default(), &Incidents::default(), Case::new(record, entry), NOW).changes
}

const WORDS: &str = "entered by an operator for *@x.example (spam traps), since 1970-01-01T00:00:00Z";

#[test]
fn it_comes_before_whatever_is_known_of_the_address() {
    let mut by_hand = record(&[]);
    by_hand.manual = Some(ManualEntry { note: "asked to".into(), ..entry(None) });
    let mut lifted = record(&[bounce("f", "", 1)]);
    lifted.lift(NOW, "ops", "typo");
    for record in [record(&[]), record(&[bounce("b", "quota-issues", 1)]), record(&[bounce("f", "", 1)]), by_hand, lifted] {
        let verdict = within(&record, &entry(None));
        let suppression = verdict.suppression.clone().unwrap();
        assert_eq!((suppression.reason, suppression.rule, suppression.until), (Reason::Manual, Rule::WholeDomain, None));
        assert_eq!(&*suppression.whole_domain.unwrap().domain, "x.example");
        assert_eq!(verdict.to_string(), WORDS);
        assert_eq!(verdict.advice, None);
    }
}

#[test]
fn when_it_has_ended_the_address_is_judged_by_itself() {
    let hard = record(&[bounce("b", "bad-mailbox", 1)]);
    let held = within(&hard, &entry(Some(NOW.plus(1))));
    assert_eq!(held.to_string(), format!("{WORDS}, until {}", NOW.plus(1)));
    for record in [hard, record(&[]), record(&[bounce("b", "quota-issues", 1)])] {
        assert_eq!(within(&record, &entry(Some(NOW))), judge(&record));
    }
}

#[test]
fn no_incidents_release_it_and_none_put_it_in_doubt() {
    let hard = record(&[bounce("b", "bad-mailbox", 1)]);
    let all = opened(Scope::between(UnixSeconds::default(), NOW));
    let (policy, entry) = (Policy::default(), entry(None));
    let case = Case::new(&hard, Some(&entry));
    assert!(verdict(&policy, &all, case, NOW).is_suppressed());
    let said = outdated_verdict(&policy, Some(&all), case, NOW).unwrap();
    assert_eq!(said.suppression.unwrap().rule, Rule::WholeDomain);
    assert_eq!(outdated_verdict(&policy, Some(&all), &hard, NOW), None, "less the entry it is in doubt");
}

#[test]
fn what_is_kept_of_a_whole_domain_is_its_entry_and_no_evidence() {
    let mut whole = whole_domain();
    whole.take(&bounce("b", "bad-mailbox", 1));
    assert!(!judge(&whole).is_suppressed(), "no domain is suppressed by what was said of a recipient");
    let effects: Vec<_> = explain(&Policy::default(), &Incidents::default(), &whole, NOW).evidence;
    assert_eq!((effects[0].counts, &*effects[0].effect), (false, "left out: a whole domain is no recipient"));
    assert_eq!(changes(&whole, None), ["only an entry by hand suppresses all of a domain"]);
    whole.manual = Some(entry(None));
    assert_eq!(judge(&whole).to_string(), WORDS);
    let end = "a lift of *@x.example releases all of the domain that nothing else suppresses";
    assert_eq!(changes(&whole, None), ["it does not end by itself", end]);
    whole.lift(NOW, "ops", "they have mended it");
    assert!(!judge(&whole).is_suppressed());
}

#[test]
fn it_says_what_a_lift_would_do() {
    let alone = "a lift of the address alone does not release it";
    let soft = record(&[bounce("b", "quota-issues", 1)]);
    let said = changes(&soft, Some(&entry(None)));
    assert_eq!(said, ["it does not end by itself", "a lift of *@x.example releases it", alone]);
    let hard = record(&[bounce("b", "bad-mailbox", 1)]);
    let said = changes(&hard, Some(&entry(Some(NOW.plus(1)))));
    let leaves = "a lift of *@x.example leaves it suppressed by itself: hard bounce, bad-mailbox, since 2020-09-13T12:26:41Z";
    assert_eq!(said, [&*format!("it ends at {} unless more comes", NOW.plus(1)), leaves, alone]);
}
