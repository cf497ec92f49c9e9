//! What the door counts. No label ever holds an address.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use suppressd_core::store::Outcome;
use suppressd_core::{Class, Contradiction, Event, LetterUsage};

/// Upper bounds of the buckets for the time that a webhook takes, in seconds: from a store in memory to the store's deadline.
const DURATION_BUCKETS_SECONDS: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// Statuses of webhooks that an alert waits for: that there are none for long, or the first one.
const WATCHED_CODES: [u16; 3] = [200, 401, 503];

/// What the door counts. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
    second_opinions: Family<OpinionLabels, Counter>,
    webhook_requests: Family<CodeLabels, Counter>,
    webhook_duration_seconds: Histogram,
    rejected_letters: Gauge,
    rejected_letters_bytes: Gauge,
    store_errors: Family<OperationLabels, Counter>,
    guard_incidents: Counter,
    uncounted_answers: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    r#type: &'static str,
    class: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpinionLabels {
    class: &'static str,
    fault: &'static str,
    category: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

/// What the door asks of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Record,
    KeepLetters,
    LetterUsage,
    Probe,
    CountAnswers,
    OpenIncident,
}

impl Operation {
    const ALL: [Self; 6] =
        [Self::Record, Self::KeepLetters, Self::LetterUsage, Self::Probe, Self::CountAnswers, Self::OpenIncident];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::KeepLetters => "keep-letters",
            Self::LetterUsage => "letter-usage",
            Self::Probe => "probe",
            Self::CountAnswers => "count-answers",
            Self::OpenIncident => "open-incident",
        }
    }
}

impl Metrics {
    /// Makes the metrics and enters them in a registry, once each.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            events: Family::default(),
            second_opinions: Family::default(),
            webhook_requests: Family::default(),
            webhook_duration_seconds: Histogram::new(DURATION_BUCKETS_SECONDS),
            rejected_letters: Gauge::default(),
            rejected_letters_bytes: Gauge::default(),
            store_errors: Family::default(),
            guard_incidents: Counter::default(),
            uncounted_answers: Counter::default(),
        };
        // The library writes `_total` behind a counter's name, and the unit behind that of a metric with one.
        registry.register("suppressd_events", "Events by what became of them", metrics.events.clone());
        let help = "Recorded bounces on which there is a second opinion, by how it stands to the category";
        registry.register("suppressd_second_opinions", help, metrics.second_opinions.clone());
        let requests = metrics.webhook_requests.clone();
        registry.register("suppressd_webhook_requests", "Webhook requests by the status they were answered with", requests);
        let duration = metrics.webhook_duration_seconds.clone();
        let help = "Time from a webhook's head to its answer";
        registry.register_with_unit("suppressd_webhook_duration", help, Unit::Seconds, duration);
        registry.register("suppressd_rejected_letters", "Rejected letters that are kept", metrics.rejected_letters.clone());
        let bytes = metrics.rejected_letters_bytes.clone();
        let help = "Content of the rejected letters that are kept";
        registry.register_with_unit("suppressd_rejected_letters", help, Unit::Bytes, bytes);
        let errors = metrics.store_errors.clone();
        registry.register("suppressd_store_errors", "What was asked of the store and failed", errors);
        // Some of it fails so seldom that its first failure must already show as a rise.
        for operation in Operation::ALL {
            let _ = metrics.store_errors.get_or_create(&OperationLabels { operation: operation.as_str() });
        }
        for code in WATCHED_CODES {
            let _ = metrics.webhook_requests.get_or_create(&CodeLabels { code });
        }
        let incidents = metrics.guard_incidents.clone();
        registry.register("suppressd_outage_guard_incidents", "Incidents that the outage guard opened", incidents);
        let uncounted = metrics.uncounted_answers.clone();
        let help = "Bounces and deliveries that the outage guard had no room for, or the store did not confirm to have counted";
        registry.register("suppressd_outage_guard_uncounted_answers", help, uncounted);
        metrics
    }

    /// Counts the events of a body by what became of them. A thousand of them have few labels, and to find a counter by its labels
    /// costs more than to count.
    pub(crate) fn count_events(&self, events: &[Event], outcomes: &[Outcome]) {
        let mut counted: BTreeMap<_, u64> = BTreeMap::new();
        for (event, outcome) in events.iter().zip(outcomes) {
            *counted.entry((event.kind, event.class(), outcome.as_str())).or_default() += 1;
        }
        for ((kind, class, outcome), events) in counted {
            let labels = EventLabels { r#type: kind.as_str(), class: class.map_or("none", Class::as_str), outcome };
            self.events.get_or_create(&labels).inc_by(events);
        }
    }

    /// Counts the second opinions on the bounces of a body that were recorded.
    pub(crate) fn count_opinions(&self, events: &[Event], outcomes: &[Outcome]) {
        let mut counted: BTreeMap<_, u64> = BTreeMap::new();
        for (event, _) in events.iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Recorded) {
            let Some(opinion) = &event.second_opinion else { continue };
            let category = match (event.category.class(), opinion.contradicts(&event.category)) {
                (Class::Unmapped, _) => "unmapped",
                (_, Some(Contradiction::Harder)) => "harder",
                (_, Some(Contradiction::Milder)) => "milder",
                (_, None) => "agrees",
            };
            *counted.entry((opinion.class, opinion.fault, category)).or_default() += 1;
        }
        for ((class, fault, category), opinions) in counted {
            let class = class.map_or("none", Class::as_str);
            self.second_opinions.get_or_create(&OpinionLabels { class, fault: fault.as_str(), category }).inc_by(opinions);
        }
    }

    /// Counts events of a record type that is accepted and not recorded.
    pub(crate) fn count_unrecorded(&self, events: usize) {
        self.count("unrecorded", Outcome::Ignored.as_str(), events);
    }

    /// Counts parts of a body that could not be read as events.
    pub(crate) fn count_rejected(&self, parts: usize) {
        self.count("unreadable", "rejected", parts);
    }

    fn count(&self, r#type: &'static str, outcome: &'static str, events: usize) {
        if events > 0 {
            self.events.get_or_create(&EventLabels { r#type, class: "none", outcome }).inc_by(events as u64);
        }
    }

    pub(crate) fn count_webhook(&self, code: u16, took: Duration) {
        self.webhook_requests.get_or_create(&CodeLabels { code }).inc();
        self.webhook_duration_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn count_store_error(&self, operation: Operation) {
        self.store_errors.get_or_create(&OperationLabels { operation: operation.as_str() }).inc();
    }

    /// Counts an incident that the guard of this process opened.
    pub(crate) fn count_guard_incident(&self) {
        self.guard_incidents.inc();
    }

    pub(crate) fn count_uncounted_answers(&self, answers: u64) {
        self.uncounted_answers.inc_by(answers);
    }

    pub(crate) fn set_letter_usage(&self, usage: LetterUsage) {
        let gauged = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.rejected_letters.set(gauged(usage.letters));
        self.rejected_letters_bytes.set(gauged(usage.content_bytes));
    }
}
