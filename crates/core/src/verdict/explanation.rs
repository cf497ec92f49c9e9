//! Why a verdict is as it is: what each piece of evidence does for it, and what would change it.

use std::fmt::Write as _;

use super::weighing::{Effect, Weighed, weigh};
use super::{Case, Reason, Rule, Suppression, Verdict, WholeDomain, judge, suppression};
use crate::time::DAY_SECONDS;
use crate::{Class, Contradiction, Evidence, IncidentState, Incidents, Policy, Trust, UnixSeconds};

/// Why a verdict is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The verdict.
    pub verdict: Verdict,
    /// The evidence, ordered by time, with what becomes of each piece.
    pub evidence: Vec<ExplainedEvidence>,
    /// What would change the verdict, a sentence each.
    pub changes: Vec<String>,
}

/// A piece of evidence and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedEvidence {
    /// The evidence.
    pub evidence: Evidence,
    /// Its class by the policy.
    pub class: Class,
    /// What made it that class.
    pub rule: Rule,
    /// Whether it counts.
    pub counts: bool,
    /// What becomes of it, in words.
    pub effect: String,
}

/// Judges as [`super::verdict`] does, and says why.
#[must_use]
pub fn explain<'a>(policy: &Policy, incidents: &Incidents, case: impl Into<Case<'a>>, now: UnixSeconds) -> Explanation {
    let case = case.into();
    let weighed = weigh(policy, incidents, case.record, now);
    let verdict = judge(policy, incidents, case, &weighed, now);
    let evidence = weighed.iter().map(|weighed| explained(policy, &verdict, weighed)).collect();
    let own = suppression(policy, case.without_domain(), &weighed, now);
    let changes = changes(policy, case, &verdict, own.as_ref());
    Explanation { verdict, evidence, changes }
}

fn explained(policy: &Policy, verdict: &Verdict, weighed: &Weighed<'_>) -> ExplainedEvidence {
    let Weighed { evidence, class, effect } = weighed;
    let suppression = verdict.suppression.as_ref().and_then(|suppression| suppression.evidence.as_ref());
    let mut words = match effect {
        Effect::Counts if suppression.is_some_and(|decisive| decisive.id == evidence.id) => {
            format!("counts as {}, and suppresses", class.as_str())
        }
        Effect::Counts => format!("counts as {}", class.as_str()),
        Effect::NoRecipient => "left out: a whole domain is no recipient".to_owned(),
        Effect::None => format!("{}: suppresses nobody", class.as_str()),
        Effect::Lifted => "left out: a lift came after it".to_owned(),
        Effect::Incident(incident) => {
            let awaits = if incident.state() == IncidentState::Awaiting { ", which awaits an operator" } else { "" };
            format!("left out: incident {}{awaits} ({})", incident.id(), incident.opened.why)
        }
        Effect::BeyondWindow => "left out: older than the window".to_owned(),
        Effect::BeforeDelivery => "left out: a delivery came after it".to_owned(),
        Effect::SameDay => "left out: not the first soft bounce of its day".to_owned(),
    };
    let opinion = evidence.second_opinion.as_ref().filter(|_| policy.second_opinion != Trust::Off);
    if let Some(opinion) = opinion {
        let class = opinion.class.map_or("nothing about the recipient", Class::as_str);
        let _ = write!(words, "; second opinion: {class}, fault of the {}, {}", opinion.fault.as_str(), opinion.rule);
        match opinion.contradicts(&evidence.category) {
            Some(Contradiction::Harder) => words.push_str(", harder than its category"),
            Some(Contradiction::Milder) => words.push_str(", milder than its category"),
            None => {}
        }
    }
    let counts = *effect == Effect::Counts;
    ExplainedEvidence { evidence: (*evidence).clone(), class: *class, rule: policy.rule_of(evidence), counts, effect: words }
}

/// `own` is the suppression that there would be if its whole domain were not suppressed.
fn changes(policy: &Policy, case: Case<'_>, verdict: &Verdict, own: Option<&Suppression>) -> Vec<String> {
    let mut changes = match &verdict.suppression {
        None if case.record.address.is_whole_domain() => vec!["only an entry by hand suppresses all of a domain".to_owned()],
        None => if_not_suppressed(verdict),
        Some(suppression) => match &suppression.whole_domain {
            Some(whole_domain) => if_of_whole_domain(case, suppression, whole_domain, own),
            None => if_suppressed(policy, verdict, suppression),
        },
    };
    if let Some(advice) = &verdict.advice {
        changes.push(format!("second_opinion = \"enforce\" in the policy suppresses it: {advice}"));
    }
    if verdict.left_out > 0 {
        changes.push(format!("closing the incidents that cover {} of its events lets them count again", verdict.left_out));
    }
    changes
}

fn if_not_suppressed(verdict: &Verdict) -> Vec<String> {
    let missing = verdict.soft_bounce_limit.saturating_sub(verdict.soft_bounces);
    let more = if verdict.soft_bounces > 0 { " more" } else { "" };
    let plural = if missing == 1 { "" } else { "s" };
    let mut changes = Vec::new();
    // An expired suppression has its soft bounces, and needs but one more.
    changes.push(if missing == 0 {
        "one more soft bounce suppresses it again".to_owned()
    } else {
        format!("{missing}{more} soft bounce{plural} suppress{} it", if missing == 1 { "es" } else { "" })
    });
    changes.push("a hard bounce or a complaint suppresses it at once".to_owned());
    if verdict.soft_bounces > 0 {
        changes.push(format!("soft_bounce_limit = {} or less in the policy suppresses it", verdict.soft_bounces));
    }
    changes
}

fn if_of_whole_domain(
    case: Case<'_>,
    suppression: &Suppression,
    whole_domain: &WholeDomain,
    own: Option<&Suppression>,
) -> Vec<String> {
    let lift = format!("a lift of {}", whole_domain.name());
    if case.record.address.is_whole_domain() {
        return vec![end_of(suppression), format!("{lift} releases all of the domain that nothing else suppresses")];
    }
    let released = match own {
        Some(own) => format!("{lift} leaves it suppressed by itself: {own}"),
        None => format!("{lift} releases it"),
    };
    vec![end_of(suppression), released, "a lift of the address alone does not release it".to_owned()]
}

fn end_of(suppression: &Suppression) -> String {
    match suppression.until {
        Some(until) => format!("it ends at {until} unless more comes"),
        None => "it does not end by itself".to_owned(),
    }
}

fn if_suppressed(policy: &Policy, verdict: &Verdict, suppression: &Suppression) -> Vec<String> {
    if suppression.rule == Rule::Tombstone {
        return vec!["nothing releases it: it was erased on request, and stays suppressed".to_owned()];
    }
    let mut changes = vec![end_of(suppression)];
    changes.push("a lift releases it".to_owned());
    match suppression.reason {
        Reason::Manual => {}
        Reason::Complaint | Reason::HardBounce => {
            changes.push(format!("an incident that covers the evidence of {} releases it", suppression.rule));
        }
        Reason::SoftBounces => {
            changes.push("an incident that covers enough of its soft bounces releases it".to_owned());
            if verdict.soft_bounces < crate::MAX_SOFT_BOUNCE_LIMIT {
                let above = verdict.soft_bounces.saturating_add(1);
                changes.push(format!("soft_bounce_limit = {above} or more in the policy releases it"));
            }
            if policy.delivery_resets_soft_bounces {
                changes.push("a delivery releases it".to_owned());
            } else if let Some(age) = policy.soft_bounce_window_seconds {
                let days = age / DAY_SECONDS.unsigned_abs();
                changes.push(format!("soft bounces older than {days} days no longer count"));
            }
        }
    }
    changes
}
