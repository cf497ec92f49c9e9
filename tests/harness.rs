//! The tests' own servers: whether they do what the tests that use them take for granted.

mod failovers;
mod lag;
mod replication;
