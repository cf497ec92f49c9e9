//! What kinds of lists there are, and what each is known by.
//!
//! The columns are those of the services' own pages: <https://www.twilio.com/docs/sendgrid/api-reference/bounces-api>, the pages of
//! `bounces`, `complaints` and `unsubscribes` below <https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun>,
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SuppressedDestinationSummary.html>,
//! <https://postmarkapp.com/developer/api/suppressions-api>, <https://mailchimp.com/help/view-export-contacts/> and
//! <https://developers.sparkpost.com/api/suppression-list/>.

use std::collections::HashMap;

use anyhow::{bail, ensure};

use crate::cli::ImportFormat;

/// A kind of list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: ImportFormat,
    /// As it calls itself.
    pub(super) name: &'static str,
    /// As it is called on the command line.
    pub(super) word: &'static str,
    /// The column of the addresses, and others that there have to be. Names stand here as [`plain`] makes them.
    needs: &'static [&'static str],
    /// At least one of these, if there are any.
    needs_one_of: &'static [&'static str],
    /// What is needed, for people.
    shown: &'static str,
}

const KINDS: [Kind; 7] = [
    Kind {
        format: ImportFormat::Suppressd,
        name: "suppressd",
        word: "suppressd",
        needs: &["email", "reason", "suppressedat"],
        needs_one_of: &[],
        shown: "email, reason, suppressed_at",
    },
    Kind {
        format: ImportFormat::Sendgrid,
        name: "SendGrid",
        word: "sendgrid",
        needs: &["email", "created"],
        needs_one_of: &[],
        shown: "email, created; status and reason where there are some",
    },
    Kind {
        format: ImportFormat::Mailgun,
        name: "Mailgun",
        word: "mailgun",
        needs: &["address", "createdat"],
        needs_one_of: &[],
        shown: "address, created_at; code and error, or tags, where there are some",
    },
    Kind {
        format: ImportFormat::Ses,
        name: "Amazon SES",
        word: "ses",
        needs: &["emailaddress", "reason", "lastupdatetime"],
        needs_one_of: &[],
        shown: "EmailAddress, Reason, LastUpdateTime",
    },
    Kind {
        format: ImportFormat::Postmark,
        name: "Postmark",
        word: "postmark",
        needs: &["emailaddress", "suppressionreason"],
        needs_one_of: &[],
        shown: "EmailAddress, SuppressionReason; Origin and CreatedAt where there are some",
    },
    Kind {
        format: ImportFormat::Mailchimp,
        name: "Mailchimp",
        word: "mailchimp",
        needs: &["emailaddress"],
        needs_one_of: &["unsubtime", "cleantime", "optintime", "leid"],
        shown: "Email Address, and UNSUB_TIME or CLEAN_TIME",
    },
    Kind {
        format: ImportFormat::Sparkpost,
        name: "SparkPost",
        word: "sparkpost",
        needs: &["recipient"],
        needs_one_of: &["type", "transactional", "nontransactional"],
        shown: "recipient, and type, or transactional and non_transactional",
    },
];

impl Kind {
    pub(super) fn of(format: ImportFormat) -> Self {
        // Every format has its kind; the first one stands there for none.
        KINDS.into_iter().find(|kind| kind.format == format).unwrap_or(KINDS[0])
    }

    /// The column of the addresses.
    pub(super) fn address_column(&self) -> &'static str {
        self.needs[0]
    }

    fn fits(&self, columns: &Columns) -> bool {
        let has = |name: &&str| columns.0.contains_key(*name);
        self.needs.iter().all(has) && (self.needs_one_of.is_empty() || self.needs_one_of.iter().any(has))
    }
}

/// The columns of a list: where each is, by its plain name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns(HashMap<String, usize>);

impl Columns {
    /// # Errors
    ///
    /// If two of them have one name: which is meant would be a guess.
    pub(super) fn read(header: &[String]) -> anyhow::Result<Self> {
        let mut columns = HashMap::new();
        for (place, name) in header.iter().enumerate().filter(|(_, name)| !plain(name).is_empty()) {
            let before = columns.insert(plain(name), place);
            ensure!(before.is_none(), "two columns are called {name:?}");
        }
        Ok(Self(columns))
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }
}

/// A column's name without case, blanks, hyphens and the like.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The kind of a list with these columns; none if it is none that is known, or none that was asked for.
///
/// # Errors
///
/// If it could be of two kinds.
pub(super) fn recognise(columns: &Columns, told: Option<ImportFormat>) -> anyhow::Result<Option<Kind>> {
    let mut fitting =
        KINDS.into_iter().filter(|kind| told.is_none_or(|told| kind.format == told)).filter(|kind| kind.fits(columns));
    match (fitting.next(), fitting.next()) {
        (Some(kind), Some(other)) => {
            bail!("it could be a list of {} or of {}; say which by --format", kind.name, other.name)
        }
        (kind, _) => Ok(kind),
    }
}

/// What lists could be imported, for whoever has another one.
pub(super) fn expected(told: Option<ImportFormat>) -> String {
    let kinds = KINDS.into_iter().filter(|kind| told.is_none_or(|told| kind.format == told));
    let lines: Vec<String> = kinds.map(|kind| format!("\n  {} ({}): {}", kind.name, kind.word, kind.shown)).collect();
    format!("a header with these columns is expected:{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(header: &str) -> Option<ImportFormat> {
        let columns = Columns::read(&header.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap();
        recognise(&columns, None).unwrap().map(|kind| kind.format)
    }

    #[test]
    fn a_list_is_known_by_its_header_in_any_order_and_with_further_columns() {
        for (header, known) in [
            ("email,reason,suppressed_at,expire_time,rule,detail,who,note", Some(ImportFormat::Suppressd)),
            ("status,reason,email,created", Some(ImportFormat::Sendgrid)),
            ("email,created", Some(ImportFormat::Sendgrid)),
            ("address,code,error,created_at", Some(ImportFormat::Mailgun)),
            ("created_at,tags,address", Some(ImportFormat::Mailgun)),
            ("EmailAddress,Reason,LastUpdateTime", Some(ImportFormat::Ses)),
            ("Email address,Reason,Last update time", Some(ImportFormat::Ses)),
            ("EmailAddress,SuppressionReason,Origin,CreatedAt", Some(ImportFormat::Postmark)),
            ("Email Address,First Name,UNSUB_TIME,UNSUB_REASON,LEID", Some(ImportFormat::Mailchimp)),
            ("Email Address,First Name,OPTIN_TIME,LEID", Some(ImportFormat::Mailchimp)),
            ("recipient,type,description", Some(ImportFormat::Sparkpost)),
            ("recipient,transactional,non_transactional,description,subaccount_id", Some(ImportFormat::Sparkpost)),
            ("email", None),
            ("email,name", None),
            ("Email Address,First Name", None),
            ("", None),
        ] {
            assert_eq!(format(header), known, "{header}");
        }
        assert!(Columns::read(&["email".to_owned(), "E-Mail".to_owned()]).is_err());
        let both = Columns::read(&["email", "created", "address", "created_at"].map(str::to_owned)).unwrap();
        assert!(recognise(&both, None).is_err());
        assert_eq!(recognise(&both, Some(ImportFormat::Mailgun)).unwrap(), Some(Kind::of(ImportFormat::Mailgun)));
        assert_eq!(recognise(&both, Some(ImportFormat::Ses)).unwrap(), None);
    }
}
