//! What the service counts. No label ever holds an address.

mod striped;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use suppressd_core::{IncidentState, Incidents};

use striped::{Durations, StripedCounter};

/// What the service counts. Clones count together.
///
/// The counters are looked up once, here: a check is too short to look for them.
#[derive(Debug, Clone)]
pub struct Metrics {
    suppressed: StripedCounter,
    not_suppressed: StripedCounter,
    invalid: StripedCounter,
    unavailable: StripedCounter,
    advised: StripedCounter,
    incidents: Family<StateLabel, Gauge>,
    incidents_outdated: Gauge,
    one: Durations,
    batch: Durations,
    rest_requests: Family<RestLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabel {
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RestLabels {
    http_method: &'static str,
    route: &'static str,
    code: u16,
}

/// How an address was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    Suppressed,
    NotSuppressed,
    Invalid,
    Unavailable,
}

impl Metrics {
    /// Makes the metrics and enters them in a registry, once each.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let checks = Family::<ResultLabel, StripedCounter>::default();
        let durations = Family::<MethodLabel, Durations>::default();
        registry.register("suppressd_checks", "Addresses that were asked about, by what was answered", checks.clone());
        let help = "Time from a call's message to its answer";
        registry.register_with_unit("suppressd_check_duration", help, Unit::Seconds, durations.clone());
        let advised = StripedCounter::default();
        let help = "Addresses that were answered as not suppressed, though the second opinion would suppress them";
        registry.register("suppressd_checks_advised", help, advised.clone());
        let incidents = Family::<StateLabel, Gauge>::default();
        registry.register("suppressd_incidents", "Incidents in force as this process knows them", incidents.clone());
        let incidents_outdated = Gauge::default();
        let help = "Whether this process judges by incidents that it could not confirm within their bound";
        registry.register("suppressd_incidents_outdated", help, incidents_outdated.clone());
        let rest_requests = Family::<RestLabels, Counter>::default();
        let help = "Requests of REST by the status they were answered with";
        registry.register("suppressd_rest_requests", help, rest_requests.clone());
        let result = |result| checks.get_or_create(&ResultLabel { result }).clone();
        let method = |method| durations.get_or_create(&MethodLabel { method }).clone();
        Self {
            suppressed: result("suppressed"),
            not_suppressed: result("not_suppressed"),
            invalid: result("invalid"),
            unavailable: result("unavailable"),
            advised,
            incidents,
            incidents_outdated,
            one: method("one"),
            batch: method("batch"),
            rest_requests,
        }
    }

    pub(crate) fn count(&self, judged: Judged, addresses: usize) {
        let counter = match judged {
            Judged::Suppressed => &self.suppressed,
            Judged::NotSuppressed => &self.not_suppressed,
            Judged::Invalid => &self.invalid,
            Judged::Unavailable => &self.unavailable,
        };
        if addresses > 0 {
            counter.inc_by(addresses as u64);
        }
    }

    pub(crate) fn count_advised(&self, addresses: usize) {
        if addresses > 0 {
            self.advised.inc_by(addresses as u64);
        }
    }

    pub(crate) fn set_incidents(&self, in_force: &Incidents) {
        for state in [IncidentState::Awaiting, IncidentState::Open] {
            let incidents = i64::try_from(in_force.count(state)).unwrap_or(i64::MAX);
            self.incidents.get_or_create(&StateLabel { state: state.as_str() }).set(incidents);
        }
    }

    /// Says whether the incidents that are judged by were not confirmed within their bound.
    pub(crate) fn set_incidents_outdated(&self, are_outdated: bool) {
        self.incidents_outdated.set(are_outdated.into());
    }

    pub(crate) fn took_one(&self, time: Duration) {
        self.one.observe(time);
    }

    pub(crate) fn took_batch(&self, time: Duration) {
        self.batch.observe(time);
    }

    /// Counts a request by its route's template: the path itself may hold an address.
    pub(crate) fn count_rest(&self, method: &http::Method, route: &'static str, code: u16) {
        let known = ["GET", "HEAD", "POST", "DELETE"].into_iter().find(|known| *known == method.as_str());
        // Others are the client's to invent.
        let labels = RestLabels { http_method: known.unwrap_or("other"), route, code };
        self.rest_requests.get_or_create(&labels).inc();
    }
}
