use super::*;
use crate::{BounceCategory, EventId, EventKind, StoredOpinion};

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::clamped(seconds)
}

fn act(seconds: i64) -> Act {
    Act::new(at(seconds), "ops", "the provider said so").unwrap()
}

fn scope() -> Scope {
    Scope::between(at(100), at(200))
}

fn opened(scope: Scope, seconds: i64) -> Incident {
    Incident::opened(scope, Origin::Operator, act(seconds))
}

fn by_guard(domain: &str, seconds: i64) -> Incident {
    let scope = Scope { domain: Some(domain.into()), ..Scope::between(at(seconds - 60), at(seconds + 60)) };
    Incident::opened(scope, Origin::Guard, act(seconds))
}

fn evidence() -> Evidence {
    Evidence {
        id: EventId::from_bits(1),
        time: at(150),
        is_time_of_receipt: false,
        kind: EventKind::Bounce,
        category: BounceCategory::from_wire("bad-mailbox"),
        status: None,
        vmta: "mta1".into(),
        account: "".into(),
        second_opinion: StoredOpinion::from_stored("hr:unknown-user"),
    }
}

fn covers(change: impl FnOnce(&mut Scope), evidence: &Evidence) -> bool {
    let mut scope = scope();
    change(&mut scope);
    scope.normalised().unwrap().covers("x.example", evidence)
}

#[test]
fn it_covers_what_falls_into_all_its_parts() {
    let evidence = evidence();
    assert!(covers(|_| {}, &evidence));
    assert!(covers(|scope| (scope.from, scope.to) = (at(150), at(150)), &evidence));
    assert!(!covers(|scope| scope.from = at(151), &evidence));
    assert!(!covers(|scope| scope.to = at(149), &evidence));
    assert!(covers(|scope| scope.vmta = Some(" mta1 ".into()), &evidence));
    assert!(!covers(|scope| scope.vmta = Some("mta".into()), &evidence));
    assert!(covers(|scope| scope.domain = Some("X.Example".into()), &evidence));
    assert!(!covers(|scope| scope.domain = Some("y.example".into()), &evidence));
    assert!(!covers(|scope| scope.domain = Some("example".into()), &evidence));
    // An empty part narrows nothing.
    assert!(covers(
        |scope| (scope.vmta, scope.domain, scope.rule) = (Some("".into()), Some(" ".into()), Some("".into())),
        &evidence
    ));
}

#[test]
fn a_rule_is_that_of_the_category_or_of_the_opinion() {
    let evidence = evidence();
    for rule in ["category:bad-mailbox", "category: Bad-Mailbox", "opinion:unknown-user", "unknown-user"] {
        assert!(covers(|scope| scope.rule = Some(rule.into()), &evidence), "{rule}");
    }
    for rule in ["category:bad-domain", "opinion:other-rule", "type:f"] {
        assert!(!covers(|scope| scope.rule = Some(rule.into()), &evidence), "{rule}");
    }
    for rule in ["category bad-mailbox", "type:b", "No Rule"] {
        assert!(Scope { rule: Some(rule.into()), ..scope() }.normalised().is_err(), "{rule}");
    }
}

#[test]
fn a_complaint_is_covered_only_by_name() {
    let complaint = Evidence { kind: EventKind::Complaint, ..evidence() };
    assert!(!covers(|_| {}, &complaint));
    assert!(!covers(|scope| scope.rule = Some("category:bad-mailbox".into()), &complaint));
    assert!(covers(|scope| scope.rule = Some("type:f".into()), &complaint));
}

#[test]
fn what_could_cover_nothing_is_refused() {
    for (change, field) in [
        (Scope { to: at(99), ..scope() }, "to"),
        (Scope { domain: Some("no domain".into()), ..scope() }, "domain"),
        (Scope { rule: Some("x".repeat(99).into()), ..scope() }, "rule"),
    ] {
        assert!(matches!(change.normalised(), Err(Error::InvalidField { field: named, .. }) if named == field), "{field}");
    }
    assert!(Act::new(at(1), "ops", " ").is_err());
    assert!(Act::new(at(1), "ops", &"x".repeat(crate::MAX_NOTE_BYTES + 1)).is_err());
    assert!(Act::new(at(1), "o\nps", "why").is_err());
}

#[test]
fn the_same_thing_opened_twice_is_one_incident() {
    let mut book = IncidentBook::default();
    book.open(opened(scope(), 300)).unwrap();
    book.open(opened(scope(), 400)).unwrap();
    assert_eq!((book.incidents().len(), book.incidents()[0].opened.at), (1, at(300)));
    let id = scope().id();
    assert_eq!(book.close(id, act(500)).map(Incident::state), Some(IncidentState::Closed));
    assert_eq!(book.close(id, act(600)).unwrap().closed, Some(act(500)));
    assert_eq!(book.in_force(), Incidents::default());
    book.open(opened(scope(), 700)).unwrap();
    assert_eq!((book.incidents().len(), book.get(id).unwrap().state()), (1, IncidentState::Open));
    // Every part is a part of its identity.
    let ids = [
        scope().id(),
        Scope { vmta: Some("a".into()), ..scope() }.id(),
        Scope { domain: Some("a".into()), ..scope() }.id(),
        Scope { rule: Some("a".into()), ..scope() }.id(),
        Scope { to: at(201), ..scope() }.id(),
        Scope { from: at(101), ..scope() }.id(),
    ];
    assert!((1..ids.len()).all(|place| !ids[..place].contains(&ids[place])), "{ids:?}");
}

#[test]
fn a_fleet_s_guards_open_one_incident_a_domain() {
    let mut book = IncidentBook::default();
    assert_eq!(book.open_by_guard(by_guard("x.example", 100)), Ok(true));
    assert_eq!(book.open_by_guard(by_guard("x.example", 110)), Ok(false));
    assert_eq!(book.open_by_guard(by_guard("y.example", 110)), Ok(true));
    let id = book.incidents()[0].id();
    assert_eq!(book.get(id).unwrap().state(), IncidentState::Awaiting);
    assert_eq!((book.in_force().count(IncidentState::Awaiting), book.in_force().count(IncidentState::Open)), (2, 0));
    assert_eq!(book.keep(id, act(120)).map(Incident::state), Some(IncidentState::Open));
    // What an operator has closed stays closed for its time.
    book.close(id, act(130));
    assert_eq!(book.open_by_guard(by_guard("x.example", 160)), Ok(false));
    assert_eq!(book.open_by_guard(by_guard("x.example", 161)), Ok(true));
    assert_eq!(book.keep(id, act(170)), None);
}

#[test]
fn a_full_book_forgets_what_was_closed_longest_ago() {
    let mut book = IncidentBook::default();
    let numbered = |number: i64| opened(Scope::between(at(number), at(number)), number);
    for number in 0..i64::try_from(MAX_INCIDENTS).unwrap() {
        book.open(numbered(number)).unwrap();
    }
    assert_eq!(book.open(numbered(-1)), Ok(()), "it is there already, under number 0");
    assert_eq!(book.open(numbered(9999)), Err(Error::IncidentsFull));
    book.close(numbered(7).id(), act(20));
    book.close(numbered(5).id(), act(10));
    book.open(numbered(9999)).unwrap();
    assert_eq!((book.incidents().len(), book.get(numbered(5).id())), (MAX_INCIDENTS, None));
    assert!(book.get(numbered(7).id()).is_some());
}

#[test]
fn it_is_kept_as_readable_json() {
    let mut incident = Incident::opened(Scope { domain: Some("x.example".into()), ..scope() }, Origin::Guard, act(300));
    let json = serde_json::to_string(&incident).unwrap();
    let expected = r#"{"from":100,"to":200,"domain":"x.example","origin":"guard","opened":{"at":300,"who":"ops","why":"the provider said so"}}"#;
    assert_eq!(json, expected);
    incident.closed = Some(act(400));
    let json = serde_json::to_string(&incident).unwrap();
    assert_eq!(serde_json::from_str::<Incident>(&json).unwrap(), incident);
    assert_eq!(incident.id().to_string().parse(), Ok(incident.id()));
    for text in ["", "1", "zzzzzzzzzzzzzzzz", "+123456789abcdef", "0123456789abcdef0"] {
        assert!(text.parse::<IncidentId>().is_err(), "{text}");
    }
}
