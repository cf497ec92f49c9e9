//! How the records in Redis name addresses: a key says it, for all processes that use it.

use super::call::Call;
use super::keys::{BUCKETS, NAMES, feed};
use super::node::Door;
use super::{RedisStore, fault, reply};
use crate::Error;
use crate::store::StoredNames;
use crate::store::names::Begun;

/// How often it is agreed on anew because another process did at the same time.
const MAX_ATTEMPTS: usize = 4;

impl RedisStore {
    /// Agrees with the store on how it names addresses: by the key that this tells from others, or as they are. To be called
    /// before it is trusted, and now and then: another process may have begun to name them by a key.
    ///
    /// # Errors
    ///
    /// [`Error::StoreFailed`] if it names them by a key, and that is not the one that is given; others if that cannot be read or
    /// written.
    pub async fn agree_on_names(&self, check: Option<&str>) -> Result<StoredNames, Error> {
        for _ in 0..MAX_ATTEMPTS {
            let found = self.unchecked(Door::Reads, vec![Call::command("GET", NAMES)]).await?;
            let text = reply::bytes(reply::only(found)?)?.unwrap_or_default();
            let found: Option<StoredNames> = if text.is_empty() { None } else { Some(String::from_utf8_lossy(&text).parse()?) };
            let is_empty = found.is_none() && check.is_some() && self.has_no_record().await?;
            let agreed = StoredNames::agreed(found.as_ref(), check, if is_empty { Begun::Empty } else { Begun::WithRecords })?;
            if found.as_ref() == Some(&agreed) {
                return Ok(agreed);
            }
            let replace = Call::script(&self.shared.scripts.names_replace, &[NAMES]).argument(text).number(&agreed);
            match self.unchecked(Door::Writes, vec![replace]).await {
                Ok(replies) => {
                    if reply::yes_or_no(&reply::only(replies)?)? {
                        return Ok(agreed);
                    }
                }
                // Nothing said otherwise, and it is said at one of the next looks: a replica that is away is no reason not to read.
                Err(error) if error.is_transient() && agreed == StoredNames::Readable => return Ok(agreed),
                Err(error) => return Err(error),
            }
        }
        Err(Error::StoreUnavailable { reason: "others agree on the names of addresses at the same time".into() })
    }

    async fn has_no_record(&self) -> Result<bool, Error> {
        let looks = (0..BUCKETS).map(|bucket| Call::command("EXISTS", feed(bucket))).collect();
        let found = self.unchecked(Door::Reads, looks).await?;
        let found: Vec<bool> = found.iter().map(reply::yes_or_no).collect::<Result<_, _>>()?;
        if found.len() == usize::from(BUCKETS) { Ok(!found.contains(&true)) } else { Err(fault::unexpected_reply()) }
    }

    /// Makes calls although it is not known yet whether the store may be used.
    async fn unchecked(&self, door: Door, calls: Vec<Call>) -> Result<Vec<redis::Value>, Error> {
        self.within(self.deadlines().write_deadline, self.shared.router.make_unchecked(door, calls)).await
    }
}
