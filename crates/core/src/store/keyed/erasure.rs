//! Erasure from a store that keeps addresses under pseudonyms.

use super::{KeyedStore, Pseudonyms, merged};
use crate::store::{AdministrativeStore, LetterStore};
use crate::{Address, Erased, Erasure, Error, Record, Tombstone};

impl<S: AdministrativeStore + LetterStore> KeyedStore<S> {
    /// The tombstone comes first: whoever asks meanwhile, and whatever ends the process, the address stays suppressed. Doing it
    /// again finishes what is left.
    pub(super) async fn erase_everywhere(
        &self,
        pseudonyms: &Pseudonyms,
        address: &Address,
        seen: Option<&Record>,
        tombstone: Option<Tombstone>,
    ) -> Result<Erasure, Error> {
        let pseudonym = pseudonyms.key.pseudonym(address);
        let names = [pseudonym.clone(), address.clone()];
        let may_be_readable = pseudonyms.may_be_readable(address);
        let names = if may_be_readable { &names[..] } else { &names[..1] };
        let found = self.store.records(names).await?;
        let readable = found.get(1).cloned().flatten();
        let hashed = found.into_iter().next().flatten();
        let together = merged(hashed.clone(), readable.clone()).map(|record| record.named(address));
        if together.as_ref() != seen {
            return Ok(Erasure::Changed);
        }
        let of_hashed = self.store.erase(&pseudonym, hashed.as_ref(), tombstone).await?;
        let Erasure::Done(of_hashed) = of_hashed else { return Ok(Erasure::Changed) };
        let of_readable = if may_be_readable {
            match self.store.erase(address, readable.as_ref(), None).await? {
                Erasure::Done(erased) => erased,
                Erasure::Changed => return Ok(Erasure::Changed),
            }
        } else {
            Erased::default()
        };
        let letters = self.erase_letters(pseudonyms, address).await?;
        Ok(Erasure::Done(Erased { had_record: of_hashed.had_record || of_readable.had_record, letters }))
    }
}
