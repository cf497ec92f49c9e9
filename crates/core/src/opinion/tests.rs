//! The examples of all rules, and what must hold of any text.

use std::collections::HashSet;

use proptest::prelude::*;

use super::rules::{self, Group};
use super::*;

fn by_status(status: &str, text: &str) -> Option<Opinion<'static>> {
    opinion(EnhancedStatusCode::from_wire(status), text)
}

#[test]
fn rules_hold_for_their_own_examples() {
    let mut wrong = Vec::new();
    for (_, rule) in rules::all() {
        if rule.examples.is_empty() {
            wrong.push(format!("{} has no example", rule.id));
        }
        for text in rule.examples {
            let decided = opinion(None, text);
            if decided.as_ref().is_none_or(|decided| decided.rule != rule.id) {
                wrong.push(format!("{} should decide {text:?}, got {decided:?}", rule.id));
            }
        }
        for text in rule.near_misses {
            if opinion(None, text).is_some_and(|decided| decided.rule == rule.id) {
                wrong.push(format!("{} must not decide {text:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_short_and_unlike() {
    let ids: Vec<_> = rules::all().map(|(_, rule)| rule.id).chain(rules::codes().map(|rule| rule.id)).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| is_rule_id(id)), "{ids:?}");
}

#[test]
fn only_providers_have_names_and_no_veto_weighs_on_the_recipient() {
    for (group, rule) in rules::all() {
        assert_eq!(rule.provider.is_empty(), group != Group::Provider, "{}", rule.id);
        assert!(group != Group::Veto || rule.class.is_none(), "{}", rule.id);
    }
}

#[test]
fn just_five_codes_are_hard() {
    let hard: Vec<_> = (0..=9)
        .flat_map(|subject| (0..=999).map(move |detail| EnhancedStatusCode { class: 5, subject, detail }))
        .filter(|code| opinion(Some(*code), "").is_some_and(|opinion| opinion.class == Some(Class::Hard)))
        .map(|code| code.to_string())
        .collect();
    assert_eq!(hard, ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]);
}

#[test]
fn codes_that_disagree_are_not_hard() {
    for (status, text) in [("5.1.1", "550 5.7.1 no"), ("5.7.1", "550 5.1.1 no"), ("5.1.1", "450 no"), ("4.1.1", "550 5.1.1 no")] {
        assert_ne!(by_status(status, text).and_then(|opinion| opinion.class), Some(Class::Hard), "{status} {text}");
    }
    for (status, text) in [("5.1.1", "550 no"), ("5.0.0", "550 5.1.1 no"), ("4.0.0", "550 5.1.1 no"), ("5.1.1", "")] {
        assert_eq!(by_status(status, text).and_then(|opinion| opinion.class), Some(Class::Hard), "{status} {text}");
    }
}

#[test]
fn letters_that_fold_to_more_than_one_leave_room_for_the_veto() {
    for letter in ["أ", "क़", "Ⱥ"] {
        let text = format!("550 no such user {} identified as spam", letter.repeat(340 / letter.len()));
        assert_eq!(opinion(None, &text).map(|opinion| opinion.class), Some(None), "{letter}");
    }
}

#[test]
fn says_where_it_contradicts_a_category() {
    let contradiction = |category, text| opinion(None, text).unwrap().contradicts(&BounceCategory::from_wire(category));
    let (unknown, full, spam) = ("550 no such user", "552 mailbox full", "554 identified as spam");
    assert_eq!(contradiction("quota-issues", unknown), Some(Contradiction::Harder));
    assert_eq!(contradiction("message-expired", unknown), Some(Contradiction::Harder));
    assert_eq!(contradiction("bad-mailbox", full), Some(Contradiction::Milder));
    assert_eq!(contradiction("bad-mailbox", spam), Some(Contradiction::Milder));
    assert_eq!(contradiction("inactive-mailbox", spam), Some(Contradiction::Milder));
    for (category, text) in [("bad-mailbox", unknown), ("quota-issues", full), ("other", unknown), ("message-expired", spam)] {
        assert_eq!(contradiction(category, text), None, "{category} {text}");
    }
}

#[test]
fn operators_rules_come_first_and_prove_themselves() {
    let rule = ExtraRule {
        id: "our-gone".into(),
        class: Some(Class::Hard),
        fault: Fault::Recipient,
        patterns: vec!["{person|colleague} ~ retired".into()],
        examples: vec!["550 the person has retired".into()],
        near_misses: vec!["550 5.7.1 our policy has retired".into()],
    };
    let classifier = Classifier::with_extra(std::slice::from_ref(&rule)).unwrap();
    let decided = classifier.opinion(None, "550 our colleague retired: mailbox full").unwrap();
    assert_eq!((decided.rule, decided.class), ("our-gone", Some(Class::Hard)));
    assert_eq!(classifier.opinion(None, "550 a person retired: spam").unwrap().rule, "spam");

    let with = |change: fn(&mut ExtraRule)| {
        let mut rule = rule.clone();
        change(&mut rule);
        Classifier::with_extra(&[rule]).map(|_| ()).unwrap_err()
    };
    assert!(matches!(with(|rule| rule.examples.push("550 no".into())), RuleError::Example { .. }));
    assert!(matches!(with(|rule| rule.near_misses.push("a person retired".into())), RuleError::Example { .. }));
    assert!(matches!(with(|rule| rule.id = "unknown-user".into()), RuleError::Id { .. }));
    assert!(matches!(with(|rule| rule.id = "No Id".into()), RuleError::Id { .. }));
    assert!(matches!(with(|rule| rule.class = Some(Class::Complaint)), RuleError::Class { .. }));
    assert!(matches!(with(|rule| rule.patterns.push("{open".into())), RuleError::Pattern { .. }));
}

/// Any built-in example.
fn example() -> impl Strategy<Value = &'static str> {
    prop::sample::select(rules::all().flat_map(|(_, rule)| rule.examples).copied().collect::<Vec<_>>())
}

/// An example that a veto decides.
fn veto() -> impl Strategy<Value = &'static str> {
    let vetoes = rules::all().filter(|(group, _)| *group == Group::Veto);
    prop::sample::select(vetoes.flat_map(|(_, rule)| rule.examples).copied().collect::<Vec<_>>())
}

fn status() -> impl Strategy<Value = Option<EnhancedStatusCode>> {
    prop::option::of((prop::sample::select(&[2_u8, 4, 5][..]), 0..9_u16, 0..20_u16))
        .prop_map(|code| code.map(|(class, subject, detail)| EnhancedStatusCode { class, subject, detail }))
}

proptest! {
    #[test]
    fn any_text_has_an_opinion_or_none(text in any::<String>(), status in status()) {
        if let Some(opinion) = opinion(status, &text) {
            prop_assert!(text.get(opinion.matched).is_some());
        }
    }

    #[test]
    fn matched_words_are_a_part_of_the_text(before in ".{0,40}", example in example(), after in ".{0,40}", status in status()) {
        let text = format!("{before} {example} {after}");
        if let Some(opinion) = opinion(status, &text) {
            prop_assert!(text.get(opinion.matched).is_some());
        }
    }

    #[test]
    fn a_veto_cue_is_never_hard(one in example(), veto in veto(), other in example(), status in status()) {
        for text in [format!("{veto} {one} {other}"), format!("{one} {veto} {other}"), format!("{one} {other} {veto}")] {
            let class = opinion(status, &text).and_then(|opinion| opinion.class);
            prop_assert_ne!(class, Some(Class::Hard), "{}", text);
        }
    }

    #[test]
    fn a_4xx_code_is_never_hard(
        reply in prop::sample::select(&["421", "450", "451", "452"][..]), example in example(), detail in 1..12_u16, silent: bool,
    ) {
        // The example's own codes must not speak for it.
        let words: String = example.split_inclusive(' ').filter(|word| !word.trim_start_matches("smtp;").starts_with(['4', '5', '#', '('])).collect();
        let status = EnhancedStatusCode { class: 4, subject: 1, detail };
        let silence = EnhancedStatusCode { class: 4, subject: 0, detail: 0 };
        for (status, text) in [
            (Some(status), format!("550 {words}")),
            (silent.then_some(silence), format!("smtp;{reply} {words}")),
            (None, format!("{reply}-4.1.{detail} {words}")),
            (Some(EnhancedStatusCode { class: 5, ..status }), format!("{reply} {words}")),
        ] {
            let class = opinion(status, &text).and_then(|opinion| opinion.class);
            prop_assert_ne!(class, Some(Class::Hard), "{:?} {}", status, text);
        }
    }

    #[test]
    fn case_and_extra_blanks_do_not_count(example in example(), flips in prop::collection::vec(any::<bool>(), 400), status in status()) {
        let rule = |text: &str| opinion(status, text).map(|opinion| (opinion.rule, opinion.class));
        let mut flips = flips.into_iter().cycle();
        let changed: String = example
            .chars()
            .flat_map(|letter| {
                let flip = flips.next() == Some(true);
                let other = if letter.is_lowercase() { letter.to_uppercase().next() } else { letter.to_lowercase().next() };
                // A blank may become several; a letter may change its case if it can change back.
                let cased = other.filter(|_| flip && letter.to_uppercase().count() == 1).unwrap_or(letter);
                let blanks = if letter == ' ' && flip { "\t \r\n " } else { "" };
                blanks.chars().chain([cased])
            })
            .collect();
        prop_assert_eq!(rule(&changed), rule(example), "{:?}", changed);
        prop_assert_eq!(rule(&format!("  {example}\r\n")), rule(example));
    }

    #[test]
    fn what_is_stored_reads_back(example in example(), status in status()) {
        if let Some(opinion) = opinion(status, example) {
            let text = opinion.to_stored().to_string();
            prop_assert!(text.len() <= StoredOpinion::MAX_BYTES);
            prop_assert_eq!(StoredOpinion::from_stored(&text), Some(opinion.to_stored()));
        }
    }
}
