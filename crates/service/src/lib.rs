//! The gRPC service of suppressd: may this address be mailed?
//!
//! [`serve`] takes a bound listener and any store that keeps core's contract. It judges what the store knows by the policy it
//! was given; health, reflection and the administrative half stand beside it. Who puts it together with the HTTP door is the
//! binary.

mod access;
mod admin;
pub mod batch;
mod checks;
mod deadline;
mod dispatch;
mod error;
mod filter_metrics;
mod health;
mod incidents;
mod incoming;
mod judge;
mod limits;
mod metrics;
pub mod proto;
mod rest;
mod rules;
mod server;
mod settings;
mod socketmap;
mod status;
mod suppression;
mod what_if;
mod workers;

pub use access::{Access, AccountTokens, MAX_ACCOUNTS, MAX_TOKENS};
pub use error::Error;
pub use filter_metrics::register_filter;
pub use limits::Limits;
pub use metrics::Metrics;
pub use rest::{OPENAPI, Rest, RestBody};
pub use server::{Doors, serve};
pub use settings::{Settings, Tls};
