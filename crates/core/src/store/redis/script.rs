//! The scripts.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::time::DAY_SECONDS;
use crate::{BounceCategory, EventId, KEPT_DAYS, KEPT_PER_DAY};

/// A script, with the name under which Redis remembers it.
pub(super) struct Script {
    pub(super) text: String,
    pub(super) sha1: String,
}

/// All scripts of the store.
pub(super) struct Scripts {
    pub(super) record: Arc<Script>,
    pub(super) suppress: Arc<Script>,
    pub(super) enter: Arc<Script>,
    pub(super) lift: Arc<Script>,
    pub(super) tell: Arc<Script>,
    pub(super) erase: Arc<Script>,
    pub(super) feed_forget: Arc<Script>,
    pub(super) stream_forget: Arc<Script>,
    pub(super) stream_renew: Arc<Script>,
    pub(super) names_replace: Arc<Script>,
    pub(super) incidents_read: Arc<Script>,
    pub(super) incidents_replace: Arc<Script>,
    pub(super) answers_count: Arc<Script>,
    pub(super) letter_keep: Arc<Script>,
    pub(super) letter_page: Arc<Script>,
    pub(super) letter_read: Arc<Script>,
    pub(super) letter_remove: Arc<Script>,
}

/// How two scripts order texts.
const TEXT_ORDER: &str = include_str!("text_order.lua");

/// How records lie in Redis.
const RECORD_TEXT: &str = include_str!("record_text.lua");

/// How events are recorded where a record holds much.
const RECORD_CROWDED: &str = include_str!("record_crowded.lua");

/// How they are recorded where there is a record.
const RECORD_KNOWN: &str = include_str!("record_known.lua");

/// How they are recorded where there is none.
const RECORD: &str = include_str!("record.lua");

/// How an operator's entry comes to a record.
const SUPPRESS: &str = include_str!("suppress.lua");

/// What leaves an entry as it is; else the address is suppressed as it always is.
const ENTER_WHERE_MISSING: &str = include_str!("enter.lua");

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            record: Script::new([&*rules_for_lua(), TEXT_ORDER, RECORD_TEXT, RECORD_CROWDED, RECORD_KNOWN, RECORD].concat()),
            suppress: Script::new([RECORD_TEXT, SUPPRESS].concat()),
            enter: Script::new([RECORD_TEXT, ENTER_WHERE_MISSING, SUPPRESS].concat()),
            lift: Script::new([&*identities(), RECORD_TEXT, include_str!("lift.lua")].concat()),
            tell: Script::new(include_str!("tell.lua").to_owned()),
            erase: Script::new([&*identities(), RECORD_TEXT, include_str!("erase.lua")].concat()),
            feed_forget: Script::new(include_str!("feed_forget.lua").to_owned()),
            stream_forget: Script::new(include_str!("stream_forget.lua").to_owned()),
            stream_renew: Script::new(include_str!("stream_renew.lua").to_owned()),
            names_replace: Script::new(include_str!("names_replace.lua").to_owned()),
            incidents_read: Script::new(include_str!("incidents_read.lua").to_owned()),
            incidents_replace: Script::new(include_str!("incidents_replace.lua").to_owned()),
            answers_count: Script::new(include_str!("answers_count.lua").to_owned()),
            letter_keep: Script::new(include_str!("letter_keep.lua").to_owned()),
            letter_page: Script::new(TEXT_ORDER.to_owned() + include_str!("letter_page.lua")),
            letter_read: Script::new(include_str!("letter_read.lua").to_owned()),
            letter_remove: Script::new(include_str!("letter_remove.lua").to_owned()),
        }
    }
}

/// How scripts tell a kept event from the other fields of a record: by the length of its name.
fn identities() -> String {
    format!("local ID_BYTES = {}\n", EventId::BYTES)
}

/// The rules of retention and the classes, as the script of evidence needs them: they live once, in Rust.
fn rules_for_lua() -> String {
    let mut lua = identities();
    let _ = writeln!(lua, "local KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS = {KEPT_DAYS}, {KEPT_PER_DAY}, {DAY_SECONDS}");
    // As a function: the table is made only where it is looked into.
    lua.push_str("local function classes_by_category()\n  return {\n");
    for (category, class) in BounceCategory::mapped() {
        let _ = writeln!(lua, "    ['{}'] = '{}',", category.to_stored(), class.as_str());
    }
    lua + "  }\nend\n"
}

impl Script {
    fn new(text: String) -> Arc<Self> {
        let sha1 = redis::Script::new(&text).get_hash().to_owned();
        Arc::new(Self { text, sha1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapped_category_is_told_to_the_script_as_it_is_stored() {
        let rules = rules_for_lua();
        for (category, class) in BounceCategory::mapped() {
            let letter = category.to_stored();
            assert!(rules.contains(&format!("['{letter}'] = '{}'", class.as_str())));
            // Neither escaped where it is stored nor in need of it in Lua.
            assert!(letter.bytes().all(|byte| byte.is_ascii_lowercase()), "{letter}");
        }
    }
}
