//! Letters that only the holder of the key can read.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::Mac as _;

use super::HmacSha256;
use crate::Error;

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// How many bytes longer a content is when it is sealed: by its nonce and what tells of a change.
pub const SEAL_BYTES: usize = NONCE_BYTES + 16;

/// Seals and unseals. The nonce is a keyed hash of the content: the same content has the same one, and no two contents do.
#[derive(Clone)]
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    nonces: HmacSha256,
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32], nonces: HmacSha256) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Key::from(*key)), nonces }
    }

    pub(super) fn seal(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_BYTES];
        let digest = self.nonces.clone().chain_update(content).finalize().into_bytes();
        nonce.copy_from_slice(&digest[..NONCE_BYTES]);
        let too_long = |_| Error::StoreFailed { reason: "a letter is too long to be sealed".into() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), content).map_err(too_long)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(super) fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let changed = || Error::StoreDamaged { reason: "a sealed letter was changed, or sealed with another key".into() };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(changed)?;
        self.cipher.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| changed())
    }
}
