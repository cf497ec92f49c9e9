//! The documents, held to the code: every command in them is run, every name in them exists.

mod commands;
mod dependencies;
mod deploy;
mod invariants;
mod kumomta;
mod links;
mod markdown;
mod metrics;
mod monitoring;
mod reader;
mod redis;
mod settings;
mod transcript;

pub(crate) use markdown::recipe_file;
