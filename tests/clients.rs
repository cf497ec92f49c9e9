//! Clients of the servers under test.

pub(crate) mod any_method;
pub(crate) mod grpcio;
pub(crate) mod http;
pub(crate) mod rust_admin;
mod rust_caller;
pub(crate) mod rust_grpc;
