use super::*;
use crate::opinion::Opinion;
use crate::{Classifier, Fault};

#[test]
fn a_limit_is_one_to_sixteen() {
    assert!(SoftBounceLimit::new(0).is_err());
    assert_eq!(SoftBounceLimit::new(1).unwrap().get(), 1);
    assert_eq!(SoftBounceLimit::new(16).unwrap().get(), 16);
    assert!(SoftBounceLimit::new(17).is_err());
}

const RULE: &str = r#"
[[rules]]
id = "our-relay-gone"
class = "hard"
fault = "recipient"
patterns = ["gone to the moon"]
examples = ["550 She has gone to the moon."]
near_misses = ["550 the moon is gone"]
"#;

fn refusal(text: &str) -> String {
    Rulebook::from_toml(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_is_the_provider_s_policy() {
    let rulebook = Rulebook::from_toml("# nothing\n").unwrap();
    assert_eq!(rulebook.policy, Policy::default());
    assert_eq!(rulebook.policy.second_opinion, Trust::Advise);
    assert!(std::ptr::eq(rulebook.classifier(), Classifier::builtin()));
}

#[test]
fn every_key_is_read() {
    let text = r#"
        soft_bounce_limit = 3
        soft_bounce_window_days = 90
        delivery_resets_soft_bounces = true
        one_soft_bounce_a_day = true
        second_opinion = "enforce"
        classes_of_every_account = ["hard"]
        [classes]
        policy-related = "soft"
        bad-domain = "unmapped"
        [expiry_days]
        hard-bounce = 365
        soft-bounces = 30
        complaint = 1000
        [outage_guard]
        minimum_hard_bounces = 200
        ratio = 5
        window_hours = 2
        past_hours = 48
        covers_hours = 12
    "#;
    let category = BounceCategory::from_wire;
    let day = 86_400;
    let expected = Policy {
        soft_bounce_limit: SoftBounceLimit(3),
        soft_bounce_window_seconds: Some(90 * day),
        delivery_resets_soft_bounces: true,
        one_soft_bounce_a_day: true,
        classes: [(category("policy-related"), Class::Soft), (category("bad-domain"), Class::Unmapped)].into(),
        second_opinion: Trust::Enforce,
        expiry_seconds: [(Reason::HardBounce, 365 * day), (Reason::SoftBounces, 30 * day), (Reason::Complaint, 1000 * day)]
            .into(),
        classes_of_every_account: vec![Class::Hard],
        outage_guard: Some(OutageGuard {
            minimum_hard_bounces: 200,
            ratio: 5,
            window_seconds: 7200,
            past_seconds: 48 * 3600,
            covers_seconds: 12 * 3600,
        }),
    };
    assert_eq!(Rulebook::from_toml(text).unwrap().policy, expected);
}

#[test]
fn a_rule_of_one_s_own_forms_opinions() {
    let rulebook = Rulebook::from_toml(RULE).unwrap();
    let opinion = rulebook.classifier().opinion(None, "smtp;550 he has gone to the moon").unwrap();
    assert!(matches!(opinion, Opinion { class: Some(Class::Hard), fault: Fault::Recipient, rule: "our-relay-gone", .. }));
    assert_eq!(Classifier::builtin().opinion(None, "smtp;550 he has gone to the moon").map(|opinion| opinion.rule), None);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, words) in [
        ("soft_limit = 3", "unknown field `soft_limit`"),
        ("\nsoft_bounce_limit = 17", "line 2"),
        ("soft_bounce_limit = 17", "must be 1 to 16"),
        ("soft_bounce_limit = -1", "must be 1 to 16"),
        ("soft_bounce_limit = \"5\"", "invalid type"),
        ("soft_bounce_window_days = 0", "must be 1 to 3650"),
        ("second_opinion = \"on\"", "`off`, `advise`, `enforce`"),
        ("[classes]\nbad-mailbx = \"soft\"", "there is no \"bad-mailbx\""),
        ("[classes]\nother = \"hardish\"", "line 2"),
        ("[classes]\nother = \"complaint\"", "a bounce is no complaint"),
        ("[expiry_days]\nmanual = 3", "unknown field `manual`"),
        ("[outage_guard]\nratio = 5", "missing field `minimum_hard_bounces`"),
        ("[outage_guard]\nratio = 1\nminimum_hard_bounces = 1", "must be 2 to 1000"),
        ("[outage_guard]\nratio = 2\nminimum_hard_bounces = 1\nwindow_hours = 73", "must be 1 to 72"),
        ("soft_bounce_limit = 5\nsoft_bounce_limit = 5", "line 2"),
        ("soft_bounce_limit", "line 1"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(words), "{text}: {refusal}");
    }
    assert!(refusal(&"#".repeat(MAX_POLICY_BYTES + 1)).contains("longer"));
}

#[test]
fn a_rule_that_does_not_hold_is_refused_with_its_line() {
    let second = RULE.replace("our-relay-gone", "second-rule").replace("gone to the moon", "moved to mars");
    for (text, words) in [
        (RULE.replace("550 She has gone to", "550 She leaves for"), "\"550 She leaves for the moon.\" is decided by None"),
        (RULE.replace("the moon is gone", "he has gone to the moon"), "is decided by Some(\"our-relay-gone\")"),
        (RULE.replace("class = \"hard\"", "class = \"unmapped\""), "unknown variant"),
        (RULE.replace("our-relay-gone", "Our Rule"), "an id is"),
        (RULE.replace("our-relay-gone", "unknown-user"), "another rule has this id"),
        (RULE.replace("examples = [\"550 She has gone to the moon.\"]", "examples = []"), "no example"),
        (RULE.replace("patterns = [\"gone to the moon\"]", "patterns = [\"\"]"), "pattern"),
        (format!("{RULE}{}", second.replace("class = \"hard\"", "klass = \"hard\"")), "unknown field `klass`"),
        (
            format!("{RULE}{}", second.replace("near_misses = [\"550 the moon is gone\"]", "near_misses = [\"moved to mars\"]")),
            "line 10",
        ),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    // However the operator's rule is written, a sender's fault never counts against the recipient.
    let greedy = RULE.replace("gone to the moon", "spam").replace("She has spam", "spam").replace("550 the moon is gone", "ham");
    assert!(refusal(&greedy).contains("is decided by"), "{}", refusal(&greedy));
}
