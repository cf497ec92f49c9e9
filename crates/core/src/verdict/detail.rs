//! A verdict in words, for the person who asks why.

use std::fmt;

use super::{Reason, Rule, Suppression, Verdict, WholeDomain};
use crate::time::DAY_SECONDS;
use crate::{Policy, Record, UnixSeconds};

/// From when on soft bounces count, if not all of them do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CountedSince {
    /// The latest delivery, where the policy lets it reset them.
    pub delivery: Option<UnixSeconds>,
    /// The latest lift.
    pub lift: Option<UnixSeconds>,
    /// The window's length, in seconds.
    pub window_seconds: Option<u64>,
}

impl CountedSince {
    pub(super) fn of(policy: &Policy, record: &Record) -> Self {
        Self {
            delivery: record.last_delivered.filter(|_| policy.delivery_resets_soft_bounces),
            lift: record.lift.as_ref().map(|lift| lift.fence),
            window_seconds: policy.soft_bounce_window_seconds,
        }
    }
}

/// ` since the delivery of 2026-03-02 within 90 days`
impl fmt::Display for CountedSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.delivery, self.lift) {
            (Some(delivery), lift) if lift.is_none_or(|lift| lift <= delivery) => {
                write!(f, " since the delivery of {}", delivery.date())?;
            }
            (_, Some(lift)) => write!(f, " since the lift of {}", lift.date())?,
            (_, None) => {}
        }
        match self.window_seconds {
            Some(seconds) => write!(f, " within {} days", seconds / DAY_SECONDS.unsigned_abs()),
            None => Ok(()),
        }
    }
}

/// The suppression's cause, its evidence and its time.
impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rule == Rule::Tombstone {
            return write!(f, "erased on request, at {}; stays suppressed", self.since);
        }
        match self.reason {
            Reason::Manual => match &self.whole_domain {
                Some(whole_domain) => write!(f, "entered by an operator for {whole_domain}")?,
                None => f.write_str("entered by an operator")?,
            },
            Reason::Complaint => f.write_str("the recipient complained")?,
            Reason::HardBounce => f.write_str("hard bounce")?,
            Reason::SoftBounces => f.write_str("soft bounces")?,
        }
        self.write_evidence(f)
    }
}

/// ` *@example.com (spam traps)`
impl fmt::Display for WholeDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.note)
    }
}

impl WholeDomain {
    /// What it is suppressed and lifted by: `*@example.com`.
    pub(super) fn name(&self) -> String {
        format!("*@{}", self.domain)
    }
}

impl Suppression {
    fn write_evidence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Rule::Opinion(rule) = &self.rule {
            write!(f, " by the second opinion {rule}")?;
        }
        if let Some(evidence) = &self.evidence {
            if !evidence.category.as_str().is_empty() {
                write!(f, ", {}", evidence.category.as_str())?;
            }
            if let Some(status) = evidence.status {
                write!(f, " {status}")?;
            }
        }
        write!(f, ", since {}", self.since)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let soft = format_args!("{} of {} soft bounces{}", self.soft_bounces, self.soft_bounce_limit, self.counted_since);
        match &self.suppression {
            None => write!(f, "not suppressed: {soft}")?,
            Some(suppression) if suppression.rule == Rule::SoftBounces => {
                write!(f, "{soft}")?;
                suppression.write_evidence(f)?;
            }
            Some(suppression) => write!(f, "{suppression}")?,
        }
        if let Some(until) = self.suppression.as_ref().and_then(|suppression| suppression.until) {
            write!(f, ", until {until}")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "; if the second opinion were trusted, suppressed: {advice}")?;
        }
        match self.left_out {
            0 => Ok(()),
            1 => f.write_str("; an incident covers 1 more event"),
            events => write!(f, "; incidents cover {events} more events"),
        }
    }
}
