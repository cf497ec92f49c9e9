//! What is asked of Redis: a script or a command about keys of one slot.

use std::sync::Arc;

use redis::Pipeline;

use super::keys;
use super::script::Script;

/// One call. Nothing of it is borrowed: it may be on its way when who asked for it no longer waits.
pub(super) struct Call {
    what: What,
    /// The keys, and behind them the arguments.
    words: Words,
    keys: usize,
    parts: usize,
    must_be_replicated: bool,
}

enum What {
    Script(Arc<Script>),
    Command(&'static str),
}

/// Words one behind the other: an event has some, and they are short.
#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
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
    fn new(what: What, must_be_replicated: bool) -> Self {
        Self { what, words: Words::default(), keys: 0, parts: 1, must_be_replicated }
    }

    /// A script that writes: it is answered when replicas have what it wrote, or found written.
    pub(super) fn script(script: &Arc<Script>, keys: &[&str]) -> Self {
        let mut call = Self::new(What::Script(Arc::clone(script)), true);
        for key in keys {
            call.add_key(&[key]);
        }
        call
    }

    /// A command that reads. Its name may be of several words.
    pub(super) fn command(name: &'static str, key: impl AsRef<str>) -> Self {
        let mut call = Self::new(What::Command(name), false);
        call.add_key(&[key.as_ref()]);
        call
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

    /// Makes room for so many keys and arguments, with so many bytes.
    pub(super) fn expecting(mut self, words: usize, bytes: usize) -> Self {
        self.words.ends.reserve(words);
        self.words.bytes.reserve(bytes);
        self
    }

    /// Adds a key of several pieces. All keys come before the arguments.
    pub(super) fn add_key<const PIECES: usize>(&mut self, pieces: &[&str; PIECES]) {
        debug_assert_eq!(self.keys, self.words.ends.len(), "no argument stands in front of a key");
        self.words.push(&pieces.map(str::as_bytes));
        self.keys += 1;
    }

    pub(super) fn add(&mut self, argument: impl AsRef<[u8]>) {
        self.words.push(&[argument.as_ref()]);
    }

    pub(super) fn argument(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.add(argument);
        self
    }

    pub(super) fn number(self, number: &impl ToString) -> Self {
        self.argument(number.to_string())
    }

    /// The slot of its keys, which is the same one for all of them.
    pub(super) fn slot(&self) -> u16 {
        let first = self.words.iter().next().filter(|_| self.keys > 0);
        first.and_then(|key| std::str::from_utf8(key).ok()).map_or(0, keys::slot)
    }

    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    pub(super) fn must_be_replicated(&self) -> bool {
        self.must_be_replicated
    }

    /// Puts it at the end of a pipeline. A script goes by its name, which is short, or with its whole text.
    pub(super) fn append_to(&self, pipeline: &mut Pipeline, by_name: bool) {
        let words = MAX_WORDS_IN_FRONT + self.words.ends.len();
        let mut command = redis::Cmd::with_capacity(words, self.words.bytes.len() + MAX_BYTES_IN_FRONT);
        match &self.what {
            What::Command(name) => name.split(' ').for_each(|word| {
                command.arg(word);
            }),
            What::Script(script) => {
                let (name, script) = if by_name { ("EVALSHA", &script.sha1) } else { ("EVAL", &script.text) };
                command.arg(name).arg(script).arg(self.keys);
            }
        }
        self.words.iter().for_each(|word| {
            command.arg(word);
        });
        pipeline.add_command(command);
    }
}

/// Words in front of the keys, at most.
const MAX_WORDS_IN_FRONT: usize = 3;

/// Bytes in front of the keys, unless a script goes with its text.
const MAX_BYTES_IN_FRONT: usize = 64;
