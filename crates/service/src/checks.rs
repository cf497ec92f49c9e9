//! The server of `SuppressionService` as it is generated, with the messages of batches that are our own.
#![allow(
    clippy::pedantic,
    unused_qualifications,
    missing_docs,
    unreachable_pub,
    dead_code,
    private_interfaces,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/checks/suppression.v1.rs"));
