//! The HTTP door of suppressd: the provider's webhooks come in here, and what they report is recorded before they are answered.
//!
//! [`serve`] takes a bound listener and any store that keeps core's contract. Beside the webhook it answers for health,
//! readiness and metrics, and its outage guard opens incidents. It judges no recipient: what follows from the evidence is asked
//! elsewhere, or of a further service that it is given for all other paths.

mod body;
mod error;
mod further;
mod guard;
mod limits;
mod metrics;
mod problem;
mod routes;
mod server;
mod settings;
mod store;
mod stream;
mod token;

pub use body::BoundedBody;
pub use error::{Error, RejectedPart};
pub use further::{Further, FurtherBody};
pub use limits::Limits;
pub use metrics::Metrics;
pub use routes::WEBHOOK_PATH;
pub use server::serve;
pub use settings::{MAX_TOKENS, Settings, WebhookSettings};
