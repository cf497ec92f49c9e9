//! What the filter has done and how it is, as metrics.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use suppressd_core::store::{FilterState, FilteredStore};

/// Enters the filter's metrics in a registry, once. They are read when they are asked for.
pub fn register_filter<S: Send + Sync + 'static>(registry: &mut Registry, store: FilteredStore<S>) {
    registry.register_collector(Box::new(FilterCollector(store)));
}

struct FilterCollector<S>(FilteredStore<S>);

/// Names nothing of what the store holds.
impl<S> fmt::Debug for FilterCollector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterCollector").field(&self.0.filter_state()).finish()
    }
}

impl<S: Send + Sync + 'static> Collector for FilterCollector<S> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(FilterState { answered, passed_on, unconfirmed, addresses, bytes, lag }) = self.0.filter_state() else {
            return Ok(());
        };
        let gauged = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
        let mut encode = |name, help, unit: Option<&Unit>, metric: &dyn Encode| metric.encode(&mut encoder, name, help, unit);
        encode("suppressd_filter_entries", "Addresses in the filter", None, &gauged(addresses))?;
        encode("suppressd_filter", "Memory that the filter takes", Some(&Unit::Bytes), &gauged(bytes))?;
        // Infinite while a bucket is not confirmed at all.
        let lag = ConstGauge::new(lag.map_or(f64::INFINITY, |lag| lag.as_secs_f64()));
        encode("suppressd_filter_lag", "Age of what is confirmed of the filter, at worst", Some(&Unit::Seconds), &lag)?;
        let hits = "Addresses that the filter answered: they have no record";
        encode("suppressd_filter_hits", hits, None, &ConstCounter::new(answered))?;
        let passes = "Addresses for which the store was asked, since they may have a record";
        encode("suppressd_filter_passes", passes, None, &ConstCounter::new(passed_on))?;
        let fallbacks = "Addresses for which the store was asked, since the filter was not confirmed";
        encode("suppressd_filter_fallbacks", fallbacks, None, &ConstCounter::new(unconfirmed))
    }
}

/// Any metric.
trait Encode {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, unit: Option<&Unit>) -> Result<(), fmt::Error>;
}

impl<M: EncodeMetric> Encode for M {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, unit: Option<&Unit>) -> Result<(), fmt::Error> {
        let encoder = encoder.encode_descriptor(name, help, unit, self.metric_type())?;
        EncodeMetric::encode(self, encoder)
    }
}
