//! What is asked of Redis: a script or a command about keys of one slot.

use std::sync::Arc;

use redis::Pipeline;

use super::keys;
use super::script::Script;

/// One call. Nothing of it is borrowed: it may be on its way when who asked for it no longer waits.
pub(super) struct Call {
    what: What,
    keys: Vec<String>,
    arguments: Arguments,
    parts: usize,
    must_be_replicated: bool,
}

enum What {
    Script(Arc<Script>),
    Command(&'static str),
}

/// Arguments one behind the other: an event has many, and they are short.
#[derive(Default)]
struct Arguments {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arguments {
    fn push(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            self.bytes.extend_from_slice(piece);
        }
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |begin, end| self.bytes.get(std::mem::replace(begin, *end)..*end))
    }
}

impl Call {
    /// A script that writes: it is answered when replicas have what it wrote, or found written.
    pub(super) fn script(script: &Arc<Script>, keys: &[&str]) -> Self {
        Self::script_of(script, keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// The same.
    pub(super) fn script_of(script: &Arc<Script>, keys: Vec<String>) -> Self {
        let what = What::Script(Arc::clone(script));
        Self { what, keys, arguments: Arguments::default(), parts: 1, must_be_replicated: true }
    }

    /// A command that reads. Its name may be of several words.
    pub(super) fn command(name: &'static str, key: impl Into<String>) -> Self {
        let keys = vec![key.into()];
        Self { what: What::Command(name), keys, arguments: Arguments::default(), parts: 1, must_be_replicated: false }
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

    /// Makes room for so many short arguments.
    pub(super) fn expecting(mut self, arguments: usize) -> Self {
        self.arguments.ends.reserve(arguments);
        self.arguments.bytes.reserve(arguments * BYTES_OF_SHORT_ARGUMENT);
        self
    }

    pub(super) fn argument(self, argument: impl AsRef<[u8]>) -> Self {
        self.joined(&[argument.as_ref()])
    }

    /// One argument of several pieces.
    pub(super) fn joined(mut self, pieces: &[&[u8]]) -> Self {
        self.arguments.push(pieces);
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
        let mut command = redis::Cmd::with_capacity(self.words(), self.arguments.bytes.len() + BYTES_BESIDE_ARGUMENTS);
        match &self.what {
            What::Command(name) => name.split(' ').for_each(|word| {
                command.arg(word);
            }),
            What::Script(script) => {
                let (name, script) = if by_name { ("EVALSHA", &script.sha1) } else { ("EVAL", &script.text) };
                command.arg(name).arg(script).arg(self.keys.len());
            }
        }
        command.arg(&self.keys);
        self.arguments.iter().for_each(|argument| {
            command.arg(argument);
        });
        pipeline.add_command(command);
    }

    /// How many words it has, and perhaps some more.
    fn words(&self) -> usize {
        MAX_WORDS_BESIDE_ARGUMENTS + self.keys.len() + self.arguments.ends.len()
    }
}

/// Bytes that a short argument has, roughly.
const BYTES_OF_SHORT_ARGUMENT: usize = 16;

/// Words in front of the keys, at most.
const MAX_WORDS_BESIDE_ARGUMENTS: usize = 3;

/// Bytes that a call has beside its arguments, roughly.
const BYTES_BESIDE_ARGUMENTS: usize = 256;
