//! What can go wrong with the service as a whole, in one enum. What goes wrong with a call is a status.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting with which nothing is served.
    #[error("{setting} {reason}")]
    InvalidSetting {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The compiled-in descriptors of the messages and methods lack something.
    #[error("the compiled-in descriptors cannot be used: {0}")]
    Descriptors(String),
    /// A thread to serve on could not be had, or ended by itself.
    #[error("the gRPC server has no thread to serve on: {0}")]
    Thread(#[from] std::io::Error),
    /// The transport failed as a whole.
    #[error("the gRPC server ended: {0}")]
    Transport(#[from] tonic::transport::Error),
}

impl Error {
    /// Whether trying again may help without anybody changing a setting.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InvalidSetting { .. } | Self::Descriptors(_) => false,
            Self::Thread(_) | Self::Transport(_) => true,
        }
    }
}
