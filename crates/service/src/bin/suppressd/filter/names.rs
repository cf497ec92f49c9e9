//! Which column or field holds the addresses.

use anyhow::bail;

/// What such a column is called, the surest name first; without case, blanks, hyphens and the like.
const KNOWN: [&str; 9] =
    ["email", "emailaddress", "mail", "rcpt", "rcptto", "recipient", "recipientemail", "subscriberemail", "address"];

/// Its place among the names: that of the one that is asked for, else of the surest. None if there is none; an error if it could be
/// one or the other, since mailing by the wrong one would be mailing unchecked.
pub(super) fn find(names: &[String], wanted: Option<&str>) -> anyhow::Result<Option<usize>> {
    if let Some(wanted) = wanted {
        return only(names, |name| name.trim() == wanted.trim());
    }
    for known in KNOWN {
        if let Some(place) = only(names, |name| plain(name) == known)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn only(names: &[String], is_meant: impl Fn(&str) -> bool) -> anyhow::Result<Option<usize>> {
    let mut places = (0..names.len()).filter(|place| is_meant(&names[*place]));
    let first = places.next();
    if let (Some(first), Some(second)) = (first, places.next()) {
        bail!("{:?} and {:?} could both hold the address: the names are {}", names[first], names[second], listed(names));
    }
    Ok(first)
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names for people.
pub(super) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(names: &[&str], wanted: Option<&str>) -> Option<usize> {
        find(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), wanted).unwrap_or(Some(99))
    }

    #[test]
    fn the_surest_name_is_taken_and_a_doubt_is_an_error() {
        assert_eq!(place(&["Address", "E-Mail", "name"], None), Some(1));
        assert_eq!(place(&["name", " Email Address "], None), Some(1));
        assert_eq!(place(&["name", "address"], None), Some(1));
        assert_eq!(place(&["name", "age"], None), None);
        assert_eq!(place(&["email", "Email"], None), Some(99));
        assert_eq!(place(&["email", "work"], Some("work")), Some(1));
        assert_eq!(place(&["email", "work"], Some("Work")), None);
        assert_eq!(place(&["work", "work"], Some("work")), Some(99));
    }
}
