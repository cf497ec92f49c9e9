//! What is asked of Redis: a script or a command about keys of one slot.

use std::sync::Arc;

use redis::Pipeline;

use super::keys;
use super::script::Script;

/// One call. Nothing of it is borrowed: it may be on its way when who asked for it no longer waits.
pub(super) struct Call {
    what: What,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
    parts: usize,
    must_be_replicated: bool,
}

enum What {
    Script(Arc<Script>),
    Command(&'static str),
}

impl Call {
    /// A script that writes: it is answered when replicas have what it wrote, or found written.
    pub(super) fn script(script: &Arc<Script>, keys: &[&str]) -> Self {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Self { what: What::Script(Arc::clone(script)), keys, arguments: Vec::new(), parts: 1, must_be_replicated: true }
    }

    /// A command that reads. Its name may be of several words.
    pub(super) fn command(name: &'static str, key: impl Into<String>) -> Self {
        let keys = vec![key.into()];
        Self { what: What::Command(name), keys, arguments: Vec::new(), parts: 1, must_be_replicated: false }
    }

    /// A script that only reads.
    pub(super) fn reading(self) -> Self {
        Self { must_be_replicated: false, ..self }
    }

    /// A command whose reply is good only if replicas still follow the server that gives it.
    pub(super) fn replicated(self) -> Self {
        Self { must_be_replicated: true, ..self }
    }

    /// How many events or letters it holds, if that is not one.
    pub(super) fn of_parts(self, parts: usize) -> Self {
        Self { parts, ..self }
    }

    pub(super) fn argument(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn number(self, number: &impl ToString) -> Self {
        self.argument(number.to_string())
    }

    /// The slot of its keys, which is the same one for all of them.
    pub(super) fn slot(&self) -> u16 {
        self.keys.first().map_or(0, |key| keys::slot(key))
    }

    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    pub(super) fn must_be_replicated(&self) -> bool {
        self.must_be_replicated
    }

    /// Puts it at the end of a pipeline. A script goes by its name, which is short, or with its whole text.
    pub(super) fn append_to(&self, pipeline: &mut Pipeline, by_name: bool) {
        match &self.what {
            What::Command(name) => {
                let mut words = name.split(' ');
                pipeline.cmd(words.next().unwrap_or_default()).arg(words.collect::<Vec<_>>())
            }
            What::Script(script) if by_name => pipeline.cmd("EVALSHA").arg(&script.sha1).arg(self.keys.len()),
            What::Script(script) => pipeline.cmd("EVAL").arg(&script.text).arg(self.keys.len()),
        };
        pipeline.arg(&self.keys).arg(&self.arguments);
    }
}
