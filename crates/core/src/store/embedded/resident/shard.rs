//! A part of the records in memory: a table of places, and the entries at them.

use hashbrown::HashTable;

/// What an entry takes beside the key and the value: the length of each.
const HEAD_BYTES: usize = 1 + 2;

/// A shard grows by this part of it, or is written anew when this part of it is gone: twice as much would leave half of the memory
/// free.
const PART_TO_GROW_BY: usize = 8;

/// Least bytes by which a shard grows.
const MIN_PIECE_BYTES: usize = 512;

/// Most bytes by which a shard grows, and most that an entry may take: two bytes tell where in a piece it begins.
const MAX_PIECE_BYTES: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Shard {
    /// Where the entries begin.
    places: HashTable<Place>,
    /// The entries, one behind the other: the length of the key, the length of the value, the key, the value. Pieces of memory stay
    /// where they are: one that grew would be copied again and again, each time into memory that the system has to clear.
    pieces: Vec<Vec<u8>>,
    /// Bytes that there is room for in them.
    room: usize,
    /// Bytes of all entries.
    used: usize,
    /// Bytes of entries that are gone.
    unused: usize,
    /// How often something was put in by the writing thread.
    pub(super) written: u64,
}

/// Where an entry begins: in which piece, and where there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    piece: u16,
    at: u16,
    /// Half of the key's hash, by which it lies in the table. When that grows, no key has to be fetched for it.
    half: u32,
}

impl Shard {
    /// Where the entry of a key is.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        self.places.find(whole(half(hash)), is_of(&self.pieces, hash, key)).copied()
    }

    /// Where the entry of a key may be that has this hash, by what the table says alone.
    pub(super) fn candidate(&self, hash: u64) -> Option<Place> {
        self.places.find(whole(half(hash)), |place| place.half == half(hash)).copied()
    }

    /// The first byte of what is there.
    pub(super) fn first_byte(&self, place: Place) -> Option<u8> {
        self.pieces.get(usize::from(place.piece))?.get(usize::from(place.at)).copied()
    }

    /// Removes an entry. Nothing is left of it: it may be somebody's who wants to be forgotten.
    pub(super) fn remove(&mut self, hash: u64, key: &[u8]) {
        let Self { places, pieces, unused, .. } = self;
        let Ok(found) = places.find_entry(whole(half(hash)), is_of(pieces, hash, key)) else { return };
        let (place, _) = found.remove();
        let bytes = entry_at(pieces, place).0.len();
        *unused += bytes;
        let at = usize::from(place.at);
        pieces[usize::from(place.piece)][at..at + bytes].fill(0);
    }

    /// Takes an entry that is not there: its head, its key and its value. Says whether it could.
    pub(super) fn insert(&mut self, hash: u64, entry: [&[u8]; 3]) -> bool {
        self.make_room(length(entry));
        let place = self.push(half(hash), entry);
        if let Some(place) = place {
            self.places.insert_unique(whole(place.half), place, |place| whole(place.half));
        }
        place.is_some()
    }

    /// The value of the entry there.
    pub(super) fn value_at(&self, place: Place) -> &[u8] {
        entry_at(&self.pieces, place).value()
    }

    /// Writes an entry, for which there is room. None if it could not be told where it is.
    fn push(&mut self, half: u32, entry: [&[u8]; 3]) -> Option<Place> {
        let piece = u16::try_from(self.pieces.len().checked_sub(1)?).ok()?;
        let last = self.pieces.last_mut()?;
        let place = Place { piece, at: u16::try_from(last.len()).ok()?, half };
        for part in entry {
            last.extend_from_slice(part);
            self.used += part.len();
        }
        Some(place)
    }

    fn has_room(&self, entry_bytes: usize) -> bool {
        self.pieces.last().is_some_and(|last| last.len() + entry_bytes <= last.capacity())
    }

    /// Whether it is worth to write it anew without what is gone.
    fn is_sparse(&self) -> bool {
        self.unused > 0 && self.unused >= self.used / PART_TO_GROW_BY
    }

    /// Whether room for an entry takes more memory.
    pub(super) fn grows_by(&self, entry: [&[u8]; 3]) -> bool {
        !self.has_room(length(entry)) && !self.is_sparse()
    }

    fn grow(&mut self, bytes: usize) {
        let piece = Vec::with_capacity(bytes.min(MAX_PIECE_BYTES));
        self.room += piece.capacity();
        self.pieces.push(piece);
    }

    /// Makes room for an entry: by what is gone, where that is worth it, or by more memory.
    fn make_room(&mut self, entry_bytes: usize) {
        if self.has_room(entry_bytes) {
            return;
        }
        let kept = self.used - self.unused;
        let grown_by = entry_bytes.max(kept / PART_TO_GROW_BY);
        if !self.is_sparse() {
            return self.grow(grown_by.max(MIN_PIECE_BYTES));
        }
        let places = HashTable::with_capacity(self.places.len());
        let mut renewed = Self { places, written: self.written, ..Self::default() };
        for place in &self.places {
            let entry = entry_at(&self.pieces, *place);
            if !renewed.has_room(entry.0.len()) {
                renewed.grow(kept - renewed.used + grown_by);
            }
            // There were as many before, so it can be told where it is.
            if let Some(moved) = renewed.push(place.half, [entry.0, b"", b""]) {
                renewed.places.insert_unique(whole(moved.half), moved, |place| whole(place.half));
            }
        }
        self.pieces.iter_mut().for_each(|piece| piece.fill(0));
        *self = renewed;
        if !self.has_room(entry_bytes) {
            self.grow(grown_by);
        }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.room + self.pieces.capacity() * size_of::<Vec<u8>>() + self.places.allocation_size()
    }
}

fn half(hash: u64) -> u32 {
    let [.., a, b, c, d] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// By what an entry lies in the table: both ends of it matter there.
fn whole(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Tells the entry of a key.
fn is_of(pieces: &[Vec<u8>], hash: u64, key: &[u8]) -> impl Fn(&Place) -> bool {
    move |place| place.half == half(hash) && entry_at(pieces, *place).key() == key
}

/// What stands before a key and a value; none if they are too large to be here.
pub(super) fn head(key: &[u8], value: &[u8]) -> Option<[u8; HEAD_BYTES]> {
    let [low, high] = u16::try_from(value.len()).ok()?.to_le_bytes();
    let head = [u8::try_from(key.len()).ok()?, low, high];
    (length([&head, key, value]) <= MAX_PIECE_BYTES).then_some(head)
}

/// The bytes of an entry, by its parts.
pub(super) fn length(entry: [&[u8]; 3]) -> usize {
    entry.map(<[u8]>::len).into_iter().sum()
}

/// The bytes of an entry.
struct Entry<'a>(&'a [u8]);

/// The entry that begins there.
fn entry_at(pieces: &[Vec<u8>], place: Place) -> Entry<'_> {
    let rest = &pieces[usize::from(place.piece)][usize::from(place.at)..];
    let (key, value) = (usize::from(rest[0]), usize::from(u16::from_le_bytes([rest[1], rest[2]])));
    Entry(&rest[..HEAD_BYTES + key + value])
}

impl<'a> Entry<'a> {
    fn key(&self) -> &'a [u8] {
        &self.0[HEAD_BYTES..HEAD_BYTES + usize::from(self.0[0])]
    }

    fn value(&self) -> &'a [u8] {
        &self.0[HEAD_BYTES + usize::from(self.0[0])..]
    }
}

#[cfg(test)]
impl Shard {
    pub(super) fn all_bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}
