//! Addresses as clients write them, one after the other in one text.

/// Addresses as clients write them. Nobody has read them yet: each is any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emails {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Emails {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds one behind the others.
    pub fn push(&mut self, email: &str) {
        self.text.push_str(email);
        self.ends.push(self.text.len());
    }

    /// Makes room for so many more bytes.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Those from a place on, so many at most.
    #[must_use]
    pub fn part(&self, from: usize, most: usize) -> Self {
        self.iter().skip(from).take(most).collect()
    }

    /// The one at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        Some(&self.text[start..end])
    }

    /// All of them, in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let email = &self.text[start..*end];
            start = *end;
            email
        })
    }
}

impl<T: AsRef<str>> FromIterator<T> for Emails {
    fn from_iter<I: IntoIterator<Item = T>>(emails: I) -> Self {
        let mut all = Self::default();
        emails.into_iter().for_each(|email| all.push(email.as_ref()));
        all
    }
}
