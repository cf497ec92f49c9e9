//! Scripts, and how they are called.

use std::fmt::Write as _;

use redis::{Cmd, Pipeline, ServerErrorKind, Value};

use super::connection::Connection;
use super::fault;
use crate::time::DAY_SECONDS;
use crate::{BounceCategory, Error, KEPT_DAYS, KEPT_PER_DAY};

/// A script, with the name under which Redis remembers it.
pub(super) struct Script {
    text: String,
    sha1: String,
}

/// All scripts of the store.
pub(super) struct Scripts {
    pub(super) record: Script,
    pub(super) suppress: Script,
    pub(super) lift: Script,
    pub(super) incidents_read: Script,
    pub(super) incidents_replace: Script,
    pub(super) answers_count: Script,
    pub(super) letter_keep: Script,
    pub(super) letter_page: Script,
    pub(super) letter_read: Script,
    pub(super) letter_remove: Script,
}

/// How two scripts order texts.
const TEXT_ORDER: &str = include_str!("text_order.lua");

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            record: Script::new(rules_for_lua() + TEXT_ORDER + include_str!("record.lua")),
            suppress: Script::new(include_str!("suppress.lua").to_owned()),
            lift: Script::new(include_str!("lift.lua").to_owned()),
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

/// The rules of retention and the classes, as the script of evidence needs them: they live once, in Rust.
fn rules_for_lua() -> String {
    let mut lua =
        format!("local KEPT_DAYS, KEPT_PER_DAY, DAY_SECONDS = {KEPT_DAYS}, {KEPT_PER_DAY}, {DAY_SECONDS}\nlocal CLASS_OF = {{\n");
    for (category, class) in BounceCategory::mapped() {
        let _ = writeln!(lua, "  ['{category}'] = '{}',", class.as_str());
    }
    lua + "}\n"
}

impl Script {
    fn new(text: String) -> Self {
        let sha1 = redis::Script::new(&text).get_hash().to_owned();
        Self { text, sha1 }
    }
}

/// One call of a script.
pub(super) struct Call<'a> {
    script: &'a Script,
    keys: Vec<&'a str>,
    arguments: Vec<Vec<u8>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script, keys: &[&'a str]) -> Self {
        Self { script, keys: keys.to_vec(), arguments: Vec::new() }
    }

    pub(super) fn argument(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn number(self, number: &impl ToString) -> Self {
        self.argument(number.to_string())
    }

    /// By name, which is short, or with the whole text.
    fn command(&self, by_name: bool) -> Cmd {
        let mut command = if by_name { redis::cmd("EVALSHA") } else { redis::cmd("EVAL") };
        command.arg(if by_name { &self.script.sha1 } else { &self.script.text });
        command.arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}

/// Calls scripts in one go. Redis forgets scripts at a restart, a failover or `SCRIPT FLUSH`: just the calls that it refused for
/// that are sent again, with the text.
///
/// `Ok` means that every call had its reply and none of them was an error.
pub(super) async fn run(connection: &Connection, calls: &[Call<'_>]) -> Result<Vec<Value>, Error> {
    let mut replies = connection.ask(&pipeline(calls.iter(), true)).await?;
    let is_refused =
        |reply: &Value| matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript));
    let refused: Vec<usize> = (0..calls.len()).filter(|place| replies.get(*place).is_some_and(is_refused)).collect();
    if !refused.is_empty() {
        let again = connection.ask(&pipeline(refused.iter().filter_map(|place| calls.get(*place)), false)).await?;
        for (place, reply) in refused.into_iter().zip(again) {
            replies[place] = reply;
        }
    }
    without_errors(replies)
}

/// The replies, if there is no error among them.
pub(super) fn without_errors(replies: Vec<Value>) -> Result<Vec<Value>, Error> {
    let checked = replies.into_iter().map(|reply| match reply.extract_error() {
        Ok(reply) => Ok(reply),
        Err(error) => Err(fault::from_redis(&error)),
    });
    checked.collect()
}

fn pipeline<'a>(calls: impl Iterator<Item = &'a Call<'a>>, by_name: bool) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for call in calls {
        pipeline.add_command(call.command(by_name));
    }
    pipeline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapped_category_is_told_to_the_script_as_it_is_stored() {
        let rules = rules_for_lua();
        for (category, class) in BounceCategory::mapped() {
            assert!(rules.contains(&format!("['{category}'] = '{}'", class.as_str())));
            // Neither escaped where it is stored nor in need of it in Lua.
            assert!(category.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{category}");
        }
    }
}
