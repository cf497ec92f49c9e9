//! The messages of batches, as they are written on the wire and never otherwise: a message of a thousand addresses is read into one
//! text and not into a thousand, and of a thousand verdicts nearly all are the same, written down once.
//!
//! Each is byte by byte what `proto` says of it; a test holds them to the generated messages.

mod answer;
mod emails;
mod question;

pub(crate) use answer::Answer;
pub use emails::Emails;
pub use question::Question;

#[cfg(test)]
mod tests;
