//! The tables of rules, in the order in which they decide.

mod bad_domain;
mod codes;
mod content;
mod delivery;
mod gateways;
mod mailbox_providers;
mod mailbox_state;
mod mailbox_state_words;
mod regional_providers;
mod sender;
mod sender_words;
mod traffic;
mod unknown_user;
mod unknown_user_asian;
mod unknown_user_nordic;
mod unknown_user_slavic;
mod unknown_user_words;

pub(super) use codes::{HARD as HARD_CODES, OTHER as OTHER_CODES, VETO as VETO_CODES};

use super::rule::{CodeRule, Rule};
use crate::Class;

const HARD: Option<Class> = Some(Class::Hard);
const SOFT: Option<Class> = Some(Class::Soft);
const EXPIRED: Option<Class> = Some(Class::Expired);
/// It says nothing about the recipient.
const NONE: Option<Class> = None;

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Group {
    Provider,
    Veto,
    Passing,
    BadDomain,
    UnknownUser,
}

/// The tables. Within a group the earlier table decides, within a table the earlier rule.
const TABLES: [(Group, &[Rule]); 16] = [
    (Group::Provider, mailbox_providers::RULES),
    (Group::Provider, regional_providers::RULES),
    (Group::Provider, gateways::RULES),
    (Group::Veto, sender::RULES),
    (Group::Veto, sender_words::RULES),
    (Group::Veto, traffic::RULES),
    (Group::Veto, content::RULES),
    (Group::Passing, mailbox_state::RULES),
    (Group::Passing, mailbox_state_words::RULES),
    (Group::Passing, delivery::RULES),
    (Group::BadDomain, bad_domain::RULES),
    (Group::UnknownUser, unknown_user::RULES),
    (Group::UnknownUser, unknown_user_words::RULES),
    (Group::UnknownUser, unknown_user_slavic::RULES),
    (Group::UnknownUser, unknown_user_nordic::RULES),
    (Group::UnknownUser, unknown_user_asian::RULES),
];

/// All rules by words.
pub(super) fn all() -> impl Iterator<Item = (Group, &'static Rule)> {
    TABLES.into_iter().flat_map(|(group, rules)| rules.iter().map(move |rule| (group, rule)))
}

/// All rules by enhanced status code.
pub(super) fn codes() -> impl Iterator<Item = &'static CodeRule> {
    VETO_CODES.iter().chain([&HARD_CODES]).chain(OTHER_CODES)
}
