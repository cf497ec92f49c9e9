//! Points in time, to the second, and the forms in which the provider writes them. No clock is read here.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use serde::{Deserialize, Serialize};

/// Seconds in a day of UTC.
pub const DAY_SECONDS: i64 = 86_400;

/// A point in time: seconds since 1970-01-01T00:00:00Z, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// The latest point in time that can be written down: the end of the year 9999.
    pub const MAX: Self = Self(253_402_207_200);

    /// The point in time `seconds` after 1970, or the nearest one that can be written down.
    #[must_use]
    pub const fn clamped(seconds: i64) -> Self {
        if seconds < 0 {
            Self(0)
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The number of its day of UTC since 1970.
    #[must_use]
    pub fn utc_day(self) -> i64 {
        self.0 / DAY_SECONDS
    }

    /// The point in time that many seconds later, at most [`Self::MAX`].
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self::clamped(self.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// Its date in UTC: `2016-05-28`.
    #[must_use]
    pub fn date(self) -> String {
        let mut text = self.to_string();
        text.truncate(text.find('T').unwrap_or(text.len()));
        text
    }

    /// Reads `timeLogged`: epoch seconds, `2016-05-29 01:10:51+0200` (`PowerMTA`'s form), or RFC 3339.
    ///
    /// `None` for what is none of these, and for times that are before 1970 or cannot be written down.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        let text = text.trim();
        let seconds = Self::epoch(text)
            .or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_second))
            .or_else(|| Self::accounting(text))?;
        (0..=Self::MAX.0).contains(&seconds).then_some(Self(seconds))
    }

    /// Reads a time as other services write it into their lists: one of the forms of [`from_wire`](Self::from_wire), RFC 2822, or
    /// a day and a time of day, which are of UTC where nothing else is said.
    ///
    /// `None` for what is none of these, and for times that are before 1970 or cannot be written down.
    #[must_use]
    pub fn from_list(text: &str) -> Option<Self> {
        let text = text.trim();
        let without_zone = text.strip_suffix(" UTC").unwrap_or(text);
        Self::from_wire(text)
            .or_else(|| Self::of_utc(without_zone))
            .or_else(|| Self::mail_date(text))
            .or_else(|| Self::mail_date(&format!("{without_zone} +0000")))
    }

    /// A day, or a day and a time of day.
    fn of_utc(text: &str) -> Option<Self> {
        let text = text.replace('/', "-");
        Self::from_wire(&format!("{text}Z")).or_else(|| Self::from_wire(&format!("{text}T00:00:00Z")))
    }

    fn mail_date(text: &str) -> Option<Self> {
        let seconds = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?.as_second();
        (0..=Self::MAX.0).contains(&seconds).then_some(Self(seconds))
    }

    /// Whole seconds; a fraction is read and left out.
    fn epoch(text: &str) -> Option<i64> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole) && digits(fraction)).then(|| whole.parse().ok()).flatten()
    }

    fn accounting(text: &str) -> Option<i64> {
        strtime::parse("%Y-%m-%d %H:%M:%S%.f%z", text).and_then(|parsed| parsed.to_timestamp()).ok().map(Timestamp::as_second)
    }
}

/// What a clock says, for those who may read one; before 1970 it is 1970.
impl From<SystemTime> for UnixSeconds {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::clamped(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form_that_stands_in_lists() {
        for text in [
            "1607972400",
            "1607972400.123",
            "2020-12-14T19:00:00Z",
            "2020-12-14T14:00:00-05:00",
            "2020-12-14T19:00:00+0000",
            "2020-12-14 19:00:00",
            "2020/12/14 19:00:00",
            "2020-12-14 19:00:00 UTC",
            "2020-12-14T19:00:00.000",
            "Mon, 14 Dec 2020 19:00:00 +0000",
            "Mon, 14 Dec 2020 20:00:00 +0100",
            "Mon, 14 Dec 2020 19:00:00 GMT",
            "Mon, 14 Dec 2020 19:00:00 UTC",
            " 14 Dec 2020 19:00:00 -0000 ",
        ] {
            assert_eq!(UnixSeconds::from_list(text), Some(UnixSeconds(1_607_972_400)), "{text}");
        }
        assert_eq!(UnixSeconds::from_list("2020-12-14"), Some(UnixSeconds(1_607_904_000)));
        for text in ["", "yesterday", "1969-12-31 23:59:59", "14.12.2020", "2020-13-14 19:00:00", "Mon, 14 Dec 2020"] {
            assert_eq!(UnixSeconds::from_list(text), None, "{text}");
        }
    }

    #[test]
    fn reads_every_form_the_provider_writes() {
        for (text, seconds) in [
            ("1695222842", 1_695_222_842),
            (" 1695222842 ", 1_695_222_842),
            ("1695222842.75", 1_695_222_842),
            ("0", 0),
            ("2016-05-29 01:10:51+0200", 1_464_477_051),
            ("2016-05-28 23:10:51+0000", 1_464_477_051),
            ("2016-05-29T01:10:51+02:00", 1_464_477_051),
            ("2016-05-28T23:10:51Z", 1_464_477_051),
            ("2016-05-28T23:10:51.123Z", 1_464_477_051),
        ] {
            assert_eq!(UnixSeconds::from_wire(text), Some(UnixSeconds(seconds)), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_unreadable() {
        for text in
            ["", "yesterday", "-5", "2016-05-29", "2016-13-29 01:10:51+0200", "16952228420000000", "1e9", "1969-12-31T23:59:59Z"]
        {
            assert_eq!(UnixSeconds::from_wire(text), None, "{text:?}");
        }
    }

    #[test]
    fn is_shown_in_utc() {
        assert_eq!(UnixSeconds(1_464_477_051).to_string(), "2016-05-28T23:10:51Z");
        assert_eq!(UnixSeconds(1_464_477_051).date(), "2016-05-28");
        assert!(UnixSeconds::MAX.to_string().starts_with("9999-12-3"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = UnixSeconds::from_wire(&text);
        }
    }
}
