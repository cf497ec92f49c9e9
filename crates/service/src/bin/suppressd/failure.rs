//! How a command ends when it cannot do what it was asked for.

use std::process::ExitCode;

/// The answer was found, and it is "some of them" (as with `grep`).
pub(crate) const EXIT_SOME: u8 = 1;

/// The server ended by itself, or could not begin.
const EXIT_FAILED: u8 = 1;

/// A question could not be answered.
pub(crate) const EXIT_NO_ANSWER: u8 = 2;

/// The command line or the configuration cannot be used (`EX_USAGE` of sysexits.h).
pub(crate) const EXIT_USAGE: u8 = 64;

/// Why a command ends early, and with which code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    /// The configuration cannot be used; nothing was bound or opened.
    pub(crate) fn of_configuration(error: impl Into<anyhow::Error>) -> Self {
        Self { code: EXIT_USAGE, error: error.into() }
    }

    /// The server ended by itself, or could not begin.
    pub(crate) fn of_server(error: impl Into<anyhow::Error>) -> Self {
        Self { code: EXIT_FAILED, error: error.into() }
    }

    /// Writes it for people, and gives the code.
    pub(crate) fn tell(&self) -> ExitCode {
        eprintln!("suppressd: {:#}", self.error);
        ExitCode::from(self.code)
    }
}

/// Of a command that asks something, every error means that there is no answer.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: EXIT_NO_ANSWER, error }
    }
}
