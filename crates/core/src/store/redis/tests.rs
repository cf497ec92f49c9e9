//! What is Redis's own: the layout, the scripts against the pure rules, and faults. Each test has a server of its own.

mod faults;
mod layout;
mod letters;
mod retention;
mod server;

use std::future::Future;

use crate::{Address, BounceCategory, EnhancedStatusCode, Event, EventId, EventKind, UnixSeconds};
use server::Server;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::clamped(seconds)
}

/// A bounce of that category, or whatever else its kind is changed to.
fn bounce(recipient: &str, number: u64, seconds: i64, category: &str) -> Event {
    Event {
        id: EventId::from_bits(number),
        recipient: address(recipient),
        time: at(seconds),
        kind: EventKind::Bounce,
        category: BounceCategory::from_wire(category),
        status: EnhancedStatusCode::from_wire("5.1.1"),
        vmta: "mta1".into(),
        account: "acme".into(),
    }
}

fn delivery(recipient: &str, number: u64, seconds: i64) -> Event {
    Event { kind: EventKind::Delivered, ..bounce(recipient, number, seconds, "") }
}
