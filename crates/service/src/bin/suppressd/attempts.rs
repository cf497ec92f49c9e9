//! How often, and how long, a command asks again what failed by a fault that may pass.

use std::time::Duration;

use tokio::time::sleep;
use tonic::{Code, Status};

use crate::grpc_client::refusal;

/// How often in a row something may fail before the command gives up.
const ATTEMPTS: u32 = 6;

/// Wait before the second attempt. Each further one waits twice as long.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Refusals that the same question would meet again. A connection that is lost has many codes, and none of these.
const FINAL: [Code; 6] = [
    Code::Unauthenticated,
    Code::PermissionDenied,
    Code::Unimplemented,
    Code::FailedPrecondition,
    Code::InvalidArgument,
    Code::OutOfRange,
];

/// Attempts that have failed in a row.
#[derive(Default)]
pub(crate) struct Attempts {
    failures: u32,
}

impl Attempts {
    /// Whether the same question would be refused again.
    pub(crate) fn is_final(status: &Status) -> bool {
        FINAL.contains(&status.code())
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Waits until the next attempt.
    ///
    /// # Errors
    ///
    /// The refusal, if there were attempts enough.
    pub(crate) async fn failed(&mut self, status: &Status) -> anyhow::Result<()> {
        self.failures += 1;
        if self.failures == ATTEMPTS {
            return Err(refusal(status).context(format!("gave up after {ATTEMPTS} attempts")));
        }
        sleep(FIRST_RETRY_DELAY * 2_u32.pow(self.failures - 1)).await;
        Ok(())
    }
}
