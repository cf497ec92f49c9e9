//! The policy file: TOML in which every key is known.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Policy, SoftBounceLimit, Trust};
use crate::time::DAY_SECONDS;
use crate::{BounceCategory, Class, Classifier, Error, ExtraRule, Fault, OutageGuard, Reason};

/// Longest policy file, in bytes.
pub const MAX_POLICY_BYTES: usize = 1 << 20;

/// Most rules of an operator's own.
const MAX_EXTRA_RULES: usize = 256;

/// Longest window and expiry, in days: ten years.
const MAX_DAYS: u64 = 3650;

/// Longest times of the outage guard, in hours: what its counts are kept for.
const MAX_GUARD_HOURS: u64 = 72;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "soft_bounce_limit")]
    soft_bounce_limit: Option<SoftBounceLimit>,
    soft_bounce_window_days: Option<Number<1, MAX_DAYS>>,
    #[serde(default)]
    delivery_resets_soft_bounces: bool,
    #[serde(default)]
    one_soft_bounce_a_day: bool,
    #[serde(default)]
    second_opinion: Trust,
    classes_of_every_account: Option<Vec<NamedClass>>,
    #[serde(default)]
    classes: BTreeMap<NamedCategory, NamedClass>,
    #[serde(default)]
    expiry_days: ExpiryDays,
    #[serde(default)]
    rules: Vec<Spanned<FileRule>>,
    outage_guard: Option<FileGuard>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ExpiryDays {
    hard_bounce: Option<Number<1, MAX_DAYS>>,
    soft_bounces: Option<Number<1, MAX_DAYS>>,
    complaint: Option<Number<1, MAX_DAYS>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRule {
    id: String,
    class: OpinionClass,
    fault: NamedFault,
    patterns: Vec<String>,
    examples: Vec<String>,
    #[serde(default)]
    near_misses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGuard {
    minimum_hard_bounces: Number<1, 1_000_000_000>,
    ratio: Number<2, 1000>,
    #[serde(default = "hours::<1>")]
    window_hours: Number<1, MAX_GUARD_HOURS>,
    #[serde(default = "hours::<24>")]
    past_hours: Number<1, MAX_GUARD_HOURS>,
    #[serde(default = "hours::<24>")]
    covers_hours: Number<1, MAX_GUARD_HOURS>,
}

fn hours<const DEFAULT: u64>() -> Number<1, MAX_GUARD_HOURS> {
    Number(DEFAULT)
}

/// A whole number within bounds.
#[derive(Clone, Copy)]
struct Number<const LEAST: u64, const MOST: u64>(u64);

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Number<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bounds: RangeInclusive<i64> = LEAST.cast_signed()..=MOST.cast_signed();
        let number = i64::deserialize(deserializer)?;
        let fits = bounds.contains(&number);
        fits.then(|| Self(number.unsigned_abs())).ok_or_else(|| D::Error::custom(format!("must be {LEAST} to {MOST}")))
    }
}

impl<const LEAST: u64, const MOST: u64> Number<LEAST, MOST> {
    fn days(self) -> u64 {
        self.0 * DAY_SECONDS.unsigned_abs()
    }

    fn hours(self) -> u64 {
        self.0 * 3600
    }
}

fn soft_bounce_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SoftBounceLimit>, D::Error> {
    let limit = u32::try_from(i64::deserialize(deserializer)?).unwrap_or(0);
    SoftBounceLimit::new(limit).map(Some).map_err(|error| D::Error::custom(reason_of(&error)))
}

/// A category that the provider names. Of any other, nobody could tell a new one from a misspelt one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct NamedCategory(BounceCategory);

impl<'de> Deserialize<'de> for NamedCategory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let category = BounceCategory::from_wire(&name);
        let is_named = category.as_str() == name && BounceCategory::named().any(|known| known == name);
        is_named.then_some(Self(category)).ok_or_else(|| unknown(&name, BounceCategory::named()))
    }
}

/// A class, by its name.
struct NamedClass(Class);

impl<'de> Deserialize<'de> for NamedClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_name(deserializer, &Class::ALL, Class::as_str).map(Self)
    }
}

struct NamedFault(Fault);

impl<'de> Deserialize<'de> for NamedFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_name(deserializer, &Fault::ALL, Fault::as_str).map(Self)
    }
}

/// A class that an opinion can have, or none.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum OpinionClass {
    Hard,
    Soft,
    Expired,
    None,
}

impl OpinionClass {
    fn class(self) -> Option<Class> {
        match self {
            Self::Hard => Some(Class::Hard),
            Self::Soft => Some(Class::Soft),
            Self::Expired => Some(Class::Expired),
            Self::None => None,
        }
    }
}

fn by_name<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    all: &[T],
    name_of: fn(T) -> &'static str,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    all.iter().copied().find(|known| name_of(*known) == name).ok_or_else(|| unknown(&name, all.iter().copied().map(name_of)))
}

fn unknown<E: serde::de::Error>(name: &str, known: impl Iterator<Item = &'static str>) -> E {
    E::custom(format!("there is no {name:?}; there are {}", known.collect::<Vec<_>>().join(", ")))
}

/// Reads the file, but for what the rules in it say.
pub(super) fn read(text: &str) -> Result<(Policy, Vec<Spanned<FileRule>>), Error> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(Error::InvalidPolicy { reason: format!("it is longer than {MAX_POLICY_BYTES} bytes") });
    }
    let file: File =
        toml::from_str(text).map_err(|error| Error::InvalidPolicy { reason: error.to_string().trim_end().into() })?;
    if file.rules.len() > MAX_EXTRA_RULES {
        return Err(Error::InvalidPolicy { reason: format!("it has more than {MAX_EXTRA_RULES} rules") });
    }
    let default = Policy::default();
    let expiry = [
        (Reason::HardBounce, file.expiry_days.hard_bounce),
        (Reason::SoftBounces, file.expiry_days.soft_bounces),
        (Reason::Complaint, file.expiry_days.complaint),
    ];
    let classes = file.classes.into_iter().map(|(category, class)| (category.0, class.0)).collect::<BTreeMap<_, _>>();
    if let Some((category, _)) = classes.iter().find(|(_, class)| **class == Class::Complaint) {
        let category = category.as_str();
        return Err(Error::InvalidPolicy { reason: format!("classes: {category}: a bounce is no complaint") });
    }
    let of_every_account = file.classes_of_every_account.map(|classes| classes.into_iter().map(|class| class.0).collect());
    let policy = Policy {
        soft_bounce_limit: file.soft_bounce_limit.unwrap_or(default.soft_bounce_limit),
        soft_bounce_window_seconds: file.soft_bounce_window_days.map(Number::days),
        delivery_resets_soft_bounces: file.delivery_resets_soft_bounces,
        one_soft_bounce_a_day: file.one_soft_bounce_a_day,
        classes,
        second_opinion: file.second_opinion,
        expiry_seconds: expiry.into_iter().filter_map(|(reason, days)| Some((reason, days?.days()))).collect(),
        classes_of_every_account: of_every_account.unwrap_or(default.classes_of_every_account),
        outage_guard: file.outage_guard.as_ref().map(guard),
    };
    Ok((policy, file.rules))
}

fn guard(file: &FileGuard) -> OutageGuard {
    OutageGuard {
        minimum_hard_bounces: file.minimum_hard_bounces.0,
        ratio: file.ratio.0,
        window_seconds: file.window_hours.hours(),
        past_seconds: file.past_hours.hours(),
        covers_seconds: file.covers_hours.hours(),
    }
}

/// Compiles the rules. A rule must hold for its examples, and have some.
pub(super) fn compile(text: &str, rules: &[Spanned<FileRule>]) -> Result<Classifier, Error> {
    let refuse = |rule: &Spanned<FileRule>, reason: &dyn Display| {
        let line = text.get(..rule.span().start).map_or(1, |before| before.matches('\n').count() + 1);
        Error::InvalidPolicy { reason: format!("the rule at line {line}: {reason}") }
    };
    if let Some(rule) = rules.iter().find(|rule| rule.as_ref().examples.is_empty()) {
        return Err(refuse(rule, &format!("{:?} has no example that it must decide", rule.as_ref().id)));
    }
    let extra: Vec<ExtraRule> = rules.iter().map(|rule| extra_rule(rule.as_ref())).collect();
    Classifier::with_extra(&extra).map_err(|error| {
        // A later rule never decides before an earlier one, so the first list that fails ends with the rule at fault.
        let fails = |length: &usize| Classifier::with_extra(&extra[..*length]).is_err();
        let at_fault = (1..rules.len()).find(fails).unwrap_or(rules.len()) - 1;
        refuse(&rules[at_fault], &error)
    })
}

fn extra_rule(rule: &FileRule) -> ExtraRule {
    ExtraRule {
        id: rule.id.clone(),
        class: rule.class.class(),
        fault: rule.fault.0,
        patterns: rule.patterns.clone(),
        examples: rule.examples.clone(),
        near_misses: rule.near_misses.clone(),
    }
}

fn reason_of(error: &Error) -> String {
    if let Error::InvalidField { reason, .. } = error { reason.clone() } else { error.to_string() }
}
